"""verify_bundle: prove a bundle again, anywhere, without torch: every byte, the structure, parity, quality, determinism."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from gandiag.export.contract import BundleError, Certificate
from gandiag.export.determinism import determinism_certificate
from gandiag.export.files import MODEL, Bundle, open_bundle, read_checked, read_reference
from gandiag.export.latency import file_call, latency_certificate
from gandiag.export.memory import memory_certificate
from gandiag.export.parity import parity_certificate
from gandiag.export.quality import repeated_certificate
from gandiag.export.session import Provider, Session, open_session
from gandiag.export.structure import read_model, structure_certificate


@dataclass(frozen=True)
class Verification:
    """What proving a bundle again found: certificates as on this machine, now."""

    bundle: Bundle
    certificates: tuple[Certificate, ...]

    @property
    def passed(self) -> bool:
        """True where no certificate failed."""
        return all(one.passed is not False for one in self.certificates)


def verify_bundle(
    path: str | os.PathLike[str], *, provider: Provider = "auto", threads: int = 0, measure: bool = True
) -> Verification:
    """Proves a bundle again. Needs neither torch nor the run; `measure` adds latency and memory on this machine.

    Raises BundleError where a byte was changed, a file is missing or added, or the model is unfit to be opened; ExportError where
    the provider that was asked for cannot run it. A certificate that fails is returned, not raised.
    """
    bundle = open_bundle(path)
    contract = bundle.contract
    model = read_checked(bundle.model, bundle.manifest["files"][MODEL]["sha256"])
    read_model(model)
    reference, moments = read_reference(bundle)
    files = len(bundle.manifest["files"]) + 1
    integrity = Certificate("integrity", True, f"{files} files, every byte as it was written", {"files": files})
    structure = structure_certificate(model, contract)
    if structure.passed is False:
        return Verification(bundle, (integrity, structure))
    session = open_session(model, provider, threads)
    parity = parity_certificate(session, contract, reference)
    determinism = determinism_certificate(session, contract, reference)
    quality = _quality(session, bundle, moments)
    found = [integrity, structure, parity, quality, determinism]
    if measure:
        found += [
            latency_certificate(
                {"file": file_call(session)}, contract, session.provider, threads or os.cpu_count() or 1
            )
        ]
        found += [memory_certificate(model, contract)]
    return Verification(bundle, tuple(found))


def _quality(session: Session, bundle: Bundle, moments: tuple[np.ndarray, np.ndarray]) -> Certificate:
    try:
        return repeated_certificate(session, bundle.contract, moments, bundle.manifest["quality"])
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(
            f"the manifest's record of quality is damaged ({type(error).__name__}): export again"
        ) from error

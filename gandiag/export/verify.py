"""verify_bundle: prove a bundle again, anywhere, without torch: every byte, the structure, parity with torch's recorded values, determinism."""

from __future__ import annotations

import os
from dataclasses import dataclass

from gandiag.export.contract import Certificate
from gandiag.export.determinism import determinism_certificate
from gandiag.export.files import MODEL, Bundle, open_bundle, read_checked, read_reference
from gandiag.export.parity import parity_certificate
from gandiag.export.session import Provider, open_session
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


def verify_bundle(path: str | os.PathLike[str], *, provider: Provider = "auto", threads: int = 0) -> Verification:
    """Proves a bundle again. Needs neither torch nor the run.

    Raises BundleError where a byte was changed, a file is missing or added, or the model is unfit to be opened; ExportError where
    the provider that was asked for cannot run it. A certificate that fails is returned, not raised.
    """
    bundle = open_bundle(path)
    contract = bundle.contract
    model = read_checked(bundle.model, bundle.manifest["files"][MODEL]["sha256"])
    read_model(model)
    reference = read_reference(bundle)
    files = len(bundle.manifest["files"]) + 1
    integrity = Certificate("integrity", True, f"{files} files, every byte as it was written", {"files": files})
    structure = structure_certificate(model, contract)
    if structure.passed is False:
        return Verification(bundle, (integrity, structure))
    session = open_session(model, provider, threads)
    parity = parity_certificate(session, contract, reference)
    determinism = determinism_certificate(session, contract, reference)
    return Verification(bundle, (integrity, structure, parity, determinism))

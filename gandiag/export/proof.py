"""Proof: every certificate of a file, computed against the frozen torch generator that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from gandiag.export import quality, quality_features
from gandiag.export.contract import Certificate, Contract, ExportError
from gandiag.export.determinism import determinism_certificate
from gandiag.export.examine import batch_dependent_layer
from gandiag.export.files import reference_to_keep
from gandiag.export.latency import file_call, latency_certificate
from gandiag.export.latency_torch import torch_contenders
from gandiag.export.latents import draw_labels, draw_latents
from gandiag.export.memory import memory_certificate
from gandiag.export.parity import Reference, parity_certificate, torch_reference
from gandiag.export.served import Served
from gandiag.export.session import Provider, Session, open_session, run_in_batches
from gandiag.export.structure import structure_certificate

SHEET_DRAWS = {"images": 64, "points": 2048}


@dataclass(frozen=True)
class Proof:
    """What proving a file left: the certificates, torch's exact values to keep, what verify needs beside them, samples of the file."""

    certificates: tuple[Certificate, ...]
    kept: Reference
    arrays: dict[str, np.ndarray]
    quality: dict[str, Any]
    samples: np.ndarray

    @property
    def failed(self) -> list[Certificate]:
        """The certificates that did not pass, determinism first: what ties samples to their batch fails the others too."""
        return sorted(
            (one for one in self.certificates if one.passed is False), key=lambda one: one.name != "determinism"
        )


def prove(
    frozen: nn.Module,
    model: bytes,
    contract: Contract,
    provider: Provider,
    *,
    features: str | None = None,
    modes: Mapping[str, Any] | None = None,
    measure: bool = True,
    compiled: bool = False,
) -> Proof:
    """Computes every certificate of a file; `measure` adds latency and memory, which differ from one export to the next.

    Raises ExportError where the file is not even valid ONNX, or the provider that was asked for cannot run it.
    """
    structure = structure_certificate(model, contract)
    if any(fault.startswith("onnx's checker") for fault in structure.facts["faults"]):
        raise ExportError(f"torch's exporter wrote a file that is no valid ONNX: {structure.claim}")
    reference = torch_reference(frozen, contract)
    session = open_session(model, provider, torch.get_num_threads())
    served = Served(frozen, contract, quantise=contract.uint8)
    certificates = [structure, parity_certificate(session, contract, reference)]
    draws = quality_features.draw(served, session, contract)
    judged = quality_features.certificate(draws, contract, reference, features=features, modes=modes)
    certificates += [judged, _named(determinism_certificate(session, contract, reference), served, contract)]
    if measure:
        certificates += [_latency(served, session, contract, compiled), memory_certificate(model, contract)]
    arrays, facts = quality.record(draws, contract, judged)
    return Proof(tuple(certificates), reference_to_keep(reference), arrays, facts, _sheet_samples(session, contract))


def _named(determinism: Certificate, served: Served, contract: Contract) -> Certificate:
    """The determinism certificate, with the layer that ties samples to their batch where it failed."""
    if (
        determinism.passed is not False
        or contract.batch is not None
        or (layer := batch_dependent_layer(served, contract)) is None
    ):
        return determinism
    return replace(
        determinism, claim=f"{determinism.claim}. Here it is layer {layer}", facts={**determinism.facts, "layer": layer}
    )


def _latency(served: Served, session: Session, contract: Contract, compiled: bool) -> Certificate:
    others, why_not = torch_contenders(served, contract, session.provider, compiled=compiled)
    found = latency_certificate(
        {"file": file_call(session), **others}, contract, session.provider, torch.get_num_threads()
    )
    if why_not:
        found.facts["torch_compiled"] = why_not
    return found


def _sheet_samples(session: Session, contract: Contract) -> np.ndarray:
    count = SHEET_DRAWS[contract.kind]
    return run_in_batches(session, draw_latents(contract, count), draw_labels(contract, count), contract.batch or 64)

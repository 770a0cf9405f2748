"""export_generator: from a torch generator to a bundle whose certificates say that the file is the generator."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

import gandiag
from gandiag.errors import UsageError
from gandiag.export.card import model_card, sample_sheet
from gandiag.export.contract import Contract, ExportError, Kind, Latent, latent_shape
from gandiag.export.examine import examine, trace
from gandiag.export.files import (
    FORMAT,
    MODEL,
    REFERENCE,
    Bundle,
    certificate_json,
    check_target,
    reference_bytes,
    write_bundle,
)
from gandiag.export.onnx import to_onnx
from gandiag.export.proof import Proof, prove
from gandiag.export.provenance import description, inputs_and_output, properties, without_paths
from gandiag.export.served import Served, frozen_copy
from gandiag.export.serving import mlserver_files, server_name, triton_files
from gandiag.export.session import Provider


def export_generator(
    generator: nn.Module,
    latent_dim: int | tuple[int, ...],
    out: str | os.PathLike[str],
    *,
    num_classes: int | None = None,
    latent: Latent = "normal",
    kind: Kind | None = None,
    value_range: tuple[float, float] = (-1.0, 1.0),
    facts: Mapping[str, Any] | None = None,
    uint8: bool = False,
    truncation: float | None = None,
    fp16: bool = False,
    opset: int = 18,
    static_batch: int | None = None,
    provider: Provider = "auto",
    features: str | None = None,
    measure: bool = True,
    compiled: bool = False,
    triton: bool = False,
    mlserver: bool = False,
    force: bool = False,
    overwrite: bool = False,
    name: str = "generator",
) -> Bundle:
    """Exports a generator to the folder `out` and proves that the file is the generator.

    `generator` takes z (n, *latent_dim) float32 and, with `num_classes`, labels (n,) int64; it returns images (n, c, h, w) in
    `value_range`, or points (n, d); `kind` says which, and is seen from the output where it is None. It is copied to the CPU, in
    float32 and eval mode; the caller's module is not touched. `facts` (run, step, ema, verdict, config, data, scores, license ...)
    go into manifest, card and file, with the paths of this machine taken out; `facts["data"]["modes"]` and `["mode_sd"]` let the
    quality certificate count modes. `features` names the space of gandiag.metrics that quality is also judged in. `measure` adds
    latency and memory: without it two exports of the same weights are the same bytes in every file, with it in all but the
    manifest and the card. `compiled` also times torch.compile. `triton` and `mlserver` add what those servers load.

    Returns the bundle. Raises ExportError, and writes nothing, where the generator cannot be exported or a certificate fails;
    with `force` a bundle whose certificate failed is written and marked. UsageError for options that cannot be.
    """
    target = check_target(out, overwrite)
    contract = _contract(Contract(latent_shape(latent_dim), (), latent, num_classes, kind or "images", value_range, uint8, truncation,
                                  "float16" if fp16 else "float32", opset, static_batch))  # fmt: skip
    frozen = frozen_copy(generator)
    contract = _with_output(frozen, contract, kind)
    provenance = without_paths(dict(facts or {}))
    model = to_onnx(Served(frozen, contract, quantise=uint8), contract, properties(contract, provenance, name))
    modes = _modes(facts)
    proof = prove(frozen, model, contract, provider, features=features, modes=modes, measure=measure, compiled=compiled)
    if proof.failed and not force:
        lines = "; ".join(f"{one.name}: {one.claim}" for one in proof.failed)
        raise ExportError(
            f"the export is refused, nothing was written: {lines}. --force writes it, marked as not certified"
        )
    manifest = _manifest(contract, proof, provenance, name)
    files = {
        MODEL: model,
        REFERENCE: reference_bytes(proof.kept, proof.arrays),
        "samples.png": sample_sheet(proof.samples, contract),
        "MODEL_CARD.md": model_card(manifest, proof.certificates),
        **(triton_files(server_name(name), model, contract) if triton else {}),
        **(mlserver_files(server_name(name), contract) if mlserver else {}),
    }
    return write_bundle(target, files, manifest)


def _contract(contract: Contract) -> Contract:
    """Returns the contract that was asked for; raises UsageError, saying what to give instead, where it cannot be."""
    low, high = contract.value_range
    faults = (
        (contract.latent not in ("normal", "uniform"), f"latent is {contract.latent!r}: choose normal or uniform"),
        (contract.kind not in ("images", "points"), f"kind is {contract.kind!r}: choose images or points"),
        (
            contract.num_classes is not None and contract.num_classes < 1,
            f"num_classes is {contract.num_classes}: give the number of classes, or None for a generator without labels",
        ),
        (
            contract.truncation is not None and not 0 < contract.truncation <= 1,
            f"truncation is {contract.truncation}: give a number above 0 and up to 1 (1 leaves the latents alone)",
        ),
        (
            contract.batch is not None and contract.batch < 1,
            f"the static batch is {contract.batch}: give a whole number from 1 on",
        ),
        (not low < high, f"value_range is {contract.value_range}: give the lower end first"),
    )
    for wrong, message in faults:
        if wrong:
            raise UsageError(message)
    return replace(contract, value_range=(float(low), float(high)))


def _with_output(frozen: nn.Module, contract: Contract, kind: Kind | None) -> Contract:
    served = Served(frozen, contract, quantise=False)
    if kind is None:
        made, _ = trace(served, contract, contract.batch or 3)
        contract = replace(contract, kind="points" if made.dim() == 2 else "images")
    if contract.uint8 and contract.kind == "points":
        raise UsageError("--uint8 makes bytes of images, and this generator makes points")
    shape = examine(served, contract)
    return replace(contract, output_shape=(*shape[1:], shape[0]) if contract.uint8 else shape)


def _modes(facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    data = (facts or {}).get("data")
    if not isinstance(data, Mapping) or data.get("modes") is None or data.get("mode_sd") is None:
        return None
    return {"centres": data["modes"], "sd": data["mode_sd"]}


def _manifest(contract: Contract, proof: Proof, provenance: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": name,
        "description": description(contract, provenance, name),
        "contract": contract.as_json(),
        **inputs_and_output(contract),
        "certified": not proof.failed,
        "failed": [one.name for one in proof.failed],
        "verdict": provenance.get("verdict"),
        "provenance": dict(provenance),
        "versions": _versions(),
        "reference": {
            "floor": proof.kept.floor,
            "extreme_floor": proof.kept.extreme_floor,
            "extremes": proof.kept.extremes,
        },
        "quality": proof.quality,
        "certificates": [certificate_json(one) for one in proof.certificates],
    }


def _versions() -> dict[str, str]:
    import onnxruntime

    return {
        "gandiag": gandiag.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
    }

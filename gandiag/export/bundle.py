"""export_generator: from a torch generator to a bundle whose certificates say that the file is the generator."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

import gandiag
from gandiag.errors import UsageError
from gandiag.export.card import model_card, sample_sheet
from gandiag.export.contract import Certificate, Contract, ExportError, Kind, Latent, latent_shape
from gandiag.export.determinism import determinism_certificate
from gandiag.export.examine import examine
from gandiag.export.files import (
    FORMAT,
    MODEL,
    REFERENCE,
    Bundle,
    certificate_json,
    check_target,
    reference_bytes,
    reference_to_keep,
    write_bundle,
)
from gandiag.export.latents import draw_labels, draw_latents
from gandiag.export.onnx import to_onnx
from gandiag.export.parity import Reference, parity_certificate, torch_reference
from gandiag.export.served import Served, frozen_copy
from gandiag.export.session import Provider, Session, open_session, run_in_batches
from gandiag.export.structure import structure_certificate

_PATH = re.compile(r"(?:(?<![A-Za-z])[A-Za-z]:[\\/]|(?<![\w./])/(?!/)|~[\\/]|\\\\)(?:[^\s\"':,;\\/]+[\\/])*([^\s\"':,;\\/]*)")
SHEET_DRAWS = {"images": 64, "points": 2048}


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
    force: bool = False,
    overwrite: bool = False,
    name: str = "generator",
) -> Bundle:
    """Exports a generator to the folder `out` and proves that the file is the generator.

    `generator` takes z (n, *latent_dim) float32 and, with `num_classes`, labels (n,) int64; it returns images (n, c, h, w) in
    `value_range`, or points (n, d); `kind` says which, and is seen from the output where it is None. It is copied to the CPU, in
    float32 and eval mode; the caller's module is not touched. `facts` (run, step, ema, verdict, config, data, scores, license ...)
    go into manifest, card and file, with the paths of this machine taken out.

    Returns the bundle. Raises ExportError, and writes nothing, where the generator cannot be exported or a certificate fails;
    with `force` a bundle whose certificate failed is written and marked. UsageError for options that cannot be.
    """
    target = check_target(out, overwrite)
    contract = _contract(
        latent_dim,
        num_classes,
        latent,
        kind,
        value_range,
        uint8=uint8,
        truncation=truncation,
        fp16=fp16,
        opset=opset,
        batch=static_batch,
    )
    frozen = frozen_copy(generator)
    contract = _with_output(frozen, contract, kind)
    provenance = without_paths(dict(facts or {}))
    model = to_onnx(Served(frozen, contract, quantise=contract.uint8), contract, properties(contract, provenance, name))
    proof = prove(frozen, model, contract, provider)
    failed = [one for one in proof.certificates if one.passed is False]
    if failed and not force:
        lines = "; ".join(f"{one.name}: {one.claim}" for one in failed)
        raise ExportError(
            f"the export is refused, nothing was written: {lines}. --force writes it, marked as not certified"
        )
    manifest = _manifest(contract, proof, provenance, name, model)
    files = {
        MODEL: model,
        REFERENCE: reference_bytes(proof.kept),
        "samples.png": sample_sheet(proof.samples, contract),
        "MODEL_CARD.md": model_card(manifest, proof.certificates),
    }
    return write_bundle(target, files, manifest)


@dataclass(frozen=True)
class Proof:
    """What proving a file left: the certificates, the exact values to keep, samples of the file."""

    certificates: tuple[Certificate, ...]
    kept: Reference
    samples: np.ndarray
    session: Session


def prove(frozen: nn.Module, model: bytes, contract: Contract, provider: Provider) -> Proof:
    """Computes every certificate of a file against the frozen generator that it was made from."""
    structure = structure_certificate(model, contract)
    if structure.passed is False and "onnx's checker" in structure.claim:
        raise ExportError(f"torch's exporter wrote a file that is no valid ONNX: {structure.claim}")
    reference = torch_reference(frozen, contract)
    session = open_session(model, provider, torch.get_num_threads())
    parity = parity_certificate(session, contract, reference)
    determinism = determinism_certificate(session, contract, reference)
    draws = SHEET_DRAWS[contract.kind]
    samples = run_in_batches(session, draw_latents(contract, draws), draw_labels(contract, draws), contract.batch or 64)
    return Proof((structure, parity, determinism), reference_to_keep(reference), samples, session)


def properties(contract: Contract, provenance: Mapping[str, Any], name: str) -> dict[str, str]:
    """Returns the metadata that the ONNX file itself carries, as text."""
    data = provenance.get("data")
    known = {
        "description": description(contract, provenance, name),
        "version": str(provenance.get("version", "1")),
        "license": provenance.get("license"),
        "z_dim": "x".join(map(str, contract.latent_shape)),
        "z_distribution": contract.latent,
        "num_classes": contract.num_classes,
        "range": "0 255"
        if contract.uint8
        else f"{contract.value_range[0]:g} {contract.value_range[1]:g}"
        if contract.kind == "images"
        else None,
        "layout": contract.layout,
        "truncation": contract.truncation,
        "precision": contract.precision,
        "run_id": provenance.get("run"),
        "step": provenance.get("step"),
        "ema": provenance.get("ema"),
        "verdict": provenance.get("verdict"),
        "training_data": data.get("hash") or data.get("name") if isinstance(data, Mapping) else data,
        "made_by": f"gandiag {gandiag.__version__}",
    }
    return {key: str(value) for key, value in known.items() if value is not None}


def description(contract: Contract, provenance: Mapping[str, Any], name: str) -> str:
    """One sentence on what the file is."""
    sizes = " x ".join(map(str, contract.output_shape))
    what = f"images {sizes}" if contract.kind == "images" else f"points in {sizes} dimensions"
    given = f" of {contract.num_classes} classes" if contract.num_classes else ""
    of_run = f", trained in run {provenance['run']}" if provenance.get("run") else ""
    at_step = f" up to step {provenance['step']}" if provenance.get("step") is not None else ""
    return f"{name}: a GAN generator of {what}{given} ({contract.layout}) from a latent of {contract.latent_size} numbers{of_run}{at_step}."


def without_paths(value: Any) -> Any:
    """Returns JSON-ready facts in which each absolute path of this machine is cut down to its last part."""
    if isinstance(value, Mapping):
        return {str(key): without_paths(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(one) for one in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    return _PATH.sub(lambda match: match[1] or match[0], str(value))


def _contract(
    latent_dim: int | tuple[int, ...],
    num_classes: int | None,
    latent: Latent,
    kind: Kind | None,
    value_range: tuple[float, float],
    *,
    uint8: bool,
    truncation: float | None,
    fp16: bool,
    opset: int,
    batch: int | None,
) -> Contract:
    if latent not in ("normal", "uniform"):
        raise UsageError(f"latent is {latent!r}: choose normal or uniform")
    if kind not in (None, "images", "points"):
        raise UsageError(f"kind is {kind!r}: choose images or points")
    if num_classes is not None and num_classes < 1:
        raise UsageError(
            f"num_classes is {num_classes}: give the number of classes, or None for a generator without labels"
        )
    if truncation is not None and not 0 < truncation <= 1:
        raise UsageError(f"truncation is {truncation}: give a number above 0 and up to 1 (1 leaves the latents alone)")
    if batch is not None and batch < 1:
        raise UsageError(f"the static batch is {batch}: give a whole number from 1 on")
    if not value_range[0] < value_range[1]:
        raise UsageError(f"value_range is {value_range}: give the lower end first")
    low, high = float(value_range[0]), float(value_range[1])
    return Contract(
        latent_shape=latent_shape(latent_dim), output_shape=(), latent=latent, num_classes=num_classes, kind=kind or "images",
        value_range=(low, high), uint8=uint8, truncation=truncation, precision="float16" if fp16 else "float32", opset=opset, batch=batch,
    )  # fmt: skip


def _with_output(frozen: nn.Module, contract: Contract, kind: Kind | None) -> Contract:
    served = Served(frozen, contract, quantise=False)
    if kind is None:
        contract = replace(contract, kind=_kind_seen(served, contract))
    if contract.uint8 and contract.kind == "points":
        raise UsageError("--uint8 makes bytes of images, and this generator makes points")
    shape = examine(served, contract)
    if contract.uint8:
        shape = (*shape[1:], shape[0])
    return replace(contract, output_shape=shape)


def _kind_seen(served: Served, contract: Contract) -> Kind:
    from gandiag.export.examine import trace

    made, _ = trace(served, contract, contract.batch or 3)
    return "points" if made.dim() == 2 else "images"


def _manifest(
    contract: Contract, proof: Proof, provenance: Mapping[str, Any], name: str, model: bytes
) -> dict[str, Any]:
    failed = [one.name for one in proof.certificates if one.passed is False]
    return {
        "format": FORMAT,
        "name": name,
        "description": description(contract, provenance, name),
        "contract": contract.as_json(),
        "inputs": _inputs(contract),
        "output": {"name": "image", "dtype": "uint8" if contract.uint8 else "float32", "shape": [contract.batch or "batch", *contract.output_shape],
                   "layout": contract.layout, "range": [0, 255] if contract.uint8 else list(contract.value_range)},
        "certified": not failed,
        "failed": failed,
        "verdict": provenance.get("verdict"),
        "provenance": dict(provenance),
        "versions": versions(),
        "reference": {"floor": proof.kept.floor, "extreme_floor": proof.kept.extreme_floor, "extremes": proof.kept.extremes},
        "certificates": [certificate_json(one) for one in proof.certificates],
    }  # fmt: skip


def _inputs(contract: Contract) -> list[dict[str, Any]]:
    batch = contract.batch or "batch"
    normal = {"distribution": "normal", "mean": 0, "sd": 1}
    z = {"name": "z", "dtype": "float32", "shape": [batch, *contract.latent_shape]} | (
        normal if contract.latent == "normal" else {"distribution": "uniform", "low": -1, "high": 1}
    )
    label = {"name": "label", "dtype": "int64", "shape": [batch], "classes": contract.num_classes}
    return [z] if contract.num_classes is None else [z, label]


def versions() -> dict[str, str]:
    """The versions of what made the file."""
    import onnxruntime

    return {
        "gandiag": gandiag.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
    }

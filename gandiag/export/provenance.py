"""Provenance: what a bundle says of where it comes from, with nothing of the machine that it was made on. No torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

import gandiag
from gandiag.export.contract import BATCH, Contract

_PATH = re.compile(
    r"(?:(?<![A-Za-z])[A-Za-z]:[\\/]|(?<![\w./])/(?!/)|~[\\/]|\\\\)(?:[^\s\"':,;\\/]+[\\/])*([^\s\"':,;\\/]*)"
)


def without_paths(value: Any) -> Any:
    """Returns JSON-ready facts in which each absolute path of this machine is cut down to its last part."""
    if isinstance(value, Mapping):
        return {str(key): without_paths(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    return _PATH.sub(lambda match: match[1] or match[0], str(value))


def properties(contract: Contract, provenance: Mapping[str, Any], name: str) -> dict[str, str]:
    """Returns the metadata that the ONNX file itself carries, as text."""
    data = provenance.get("data")
    low, high = contract.value_range
    value_range = "0 255" if contract.uint8 else f"{low:g} {high:g}"
    known = {
        "description": description(contract, provenance, name),
        "version": str(provenance.get("version", "1")),
        "license": provenance.get("license"),
        "z_dim": "x".join(map(str, contract.latent_shape)),
        "z_distribution": contract.latent,
        "num_classes": contract.num_classes,
        "range": value_range if contract.kind == "images" else None,
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
    what = f"images {sizes} ({contract.layout})" if contract.kind == "images" else f"points in {sizes} dimensions"
    given = f" of {contract.num_classes} classes" if contract.num_classes else ""
    of_run = f", trained in run {provenance['run']}" if provenance.get("run") else ""
    at_step = f" up to step {provenance['step']}" if provenance.get("step") is not None else ""
    return f"{name}: a GAN generator of {what}{given} from a latent of {contract.latent_size} numbers{of_run}{at_step}."


def inputs_and_output(contract: Contract) -> dict[str, Any]:
    """Returns the contract as deployers read it: names, types, shapes with the batch, distribution, layout, range."""
    batch = contract.batch or BATCH
    drawn = (
        {"distribution": "normal", "mean": 0, "sd": 1}
        if contract.latent == "normal"
        else {"distribution": "uniform", "low": -1, "high": 1}
    )
    z = {"name": "z", "dtype": "float32", "shape": [batch, *contract.latent_shape], **drawn}
    label = {"name": "label", "dtype": "int64", "shape": [batch], "classes": contract.num_classes}
    output = {
        "name": "image",
        "kind": contract.kind,
        "dtype": "uint8" if contract.uint8 else "float32",
        "shape": [batch, *contract.output_shape],
        "layout": contract.layout,
        "range": [0, 255] if contract.uint8 else list(contract.value_range) if contract.kind == "images" else None,
    }
    return {"inputs": [z] if contract.num_classes is None else [z, label], "output": output}

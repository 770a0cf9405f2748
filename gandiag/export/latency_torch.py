"""Torch as a contender of the latency certificate: eager on the CPU or CUDA, and compiled where a compiler is at hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from gandiag.export.contract import Contract
from gandiag.export.latency import Call
from gandiag.export.onnx import silence
from gandiag.export.served import Served


def torch_contenders(
    served: Served, contract: Contract, provider: str, *, compiled: bool
) -> tuple[dict[str, Call], str]:
    """Returns {"torch eager": call, "torch compiled": call} on the provider's device, and why there is no compiled one ("" if there is)."""
    device = torch.device("cuda" if provider in ("cuda", "tensorrt") and torch.cuda.is_available() else "cpu")
    served = served.to(device)
    contenders = {"torch eager": _call(served, device)}
    if not compiled:
        return contenders, "not asked for"
    if device.type == "cpu" and not any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl")):
        return contenders, "no C++ compiler here"
    try:
        with silence():
            mode = "reduce-overhead" if device.type == "cuda" else "default"  # the former takes CUDA graphs
            quick = torch.compile(served, dynamic=False, mode=mode)
            _call(quick, device)(
                np.zeros((contract.batch or 1, *contract.latent_shape), np.float32), _no_labels(contract)
            )
    except Exception as error:  # whatever inductor meets
        return contenders, f"torch.compile fails: {type(error).__name__}"
    contenders["torch compiled"] = _call(quick, device)
    return contenders, ""


def _no_labels(contract: Contract) -> np.ndarray | None:
    return None if contract.num_classes is None else np.zeros(contract.batch or 1, np.int64)


def _call(module: Callable[..., Any], device: torch.device) -> Call:
    def run(latents: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        with torch.inference_mode():
            inputs = [torch.from_numpy(latents).to(device)] + (
                [] if labels is None else [torch.from_numpy(labels).to(device)]
            )
            made: np.ndarray = module(*inputs).cpu().numpy()  # from host memory to host memory, as the file's own call
        return made

    return run

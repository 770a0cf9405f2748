"""Feature extractors of the user's own: a TorchScript file, an ONNX file, or `module:function`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics.feature_space import Features, file_sha256, in_batches

BATCH = 64


def torchscript_features(path: str | Path) -> Features:
    """Returns the features of a TorchScript module: uint8 images (n, c, h, w) in, (n, d) out, on the images' device.

    A module whose forward takes `return_features` (NVIDIA's inception-2015-12-05.pt) is asked for its features.
    """
    file = _existing(path)
    try:
        module = torch.jit.load(str(file), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        raise GandiagError(
            f"{file} is no TorchScript module ({str(error).splitlines()[0][:120]}); save it with torch.jit.save"
        ) from None
    asks = any(a.name == "return_features" for a in module.forward.schema.arguments)

    def run(images: Tensor) -> Tensor:
        moved = module.to(images.device)
        return _checked(moved(images, return_features=True) if asks else moved(images), images, str(file))

    return Features(
        f"torchscript-{file.stem}",
        in_batches(run, BATCH),
        {"features": f"torchscript-{file.stem}", "weights": file_sha256(file)},
    )


def onnx_features(path: str | Path) -> Features:
    """Returns the features of an ONNX model with one image input: uint8, or float32 in [0, 1] where the model asks for floats."""
    import onnxruntime as ort

    file = _existing(path)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises types of its own that derive from nothing narrower
        raise GandiagError(f"{file} cannot be run by ONNX Runtime ({str(error).splitlines()[0][:160]})") from None
    given = session.get_inputs()
    if len(given) != 1 or given[0].type not in ("tensor(uint8)", "tensor(float)"):
        found = ", ".join(f"{i.name}: {i.type}" for i in given)
        raise GandiagError(
            f"{file} takes {found}; a feature extractor takes one uint8 or float32 batch of images (n, c, h, w)"
        )
    floats = given[0].type == "tensor(float)"

    def run(images: Tensor) -> Tensor:
        x = images.cpu()
        found = session.run(None, {given[0].name: (x.to(torch.float32) / 255 if floats else x).numpy()})[0]
        return _checked(torch.from_numpy(found), images, str(file))

    return Features(
        f"onnx-{file.stem}",
        in_batches(run, BATCH),
        {
            "features": f"onnx-{file.stem}",
            "weights": file_sha256(file),
            "input": "float32 in [0, 1]" if floats else "uint8",
        },
    )


def function_features(name: str) -> Features:
    """Returns the features of `module:function`, which takes uint8 images (n, c, h, w) to (n, d). This runs the module's code."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise UsageError(f"{name!r} is no module:function")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UsageError(
            f"{module_name} cannot be imported ({error}); run from the folder that holds it, or install it"
        ) from None
    function: Callable[[Tensor], Any] | None = getattr(module, attribute, None)
    if not callable(function):
        raise UsageError(f"{module_name} has no function {attribute!r}")
    source = getattr(module, "__file__", None)
    fingerprint = {"features": name, "weights": file_sha256(Path(source)) if source else "unknown"}
    return Features(name, in_batches(lambda images: _checked(function(images), images, name), BATCH), fingerprint)


def _existing(path: str | Path) -> Path:
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"{file} is no file")
    return file


def _checked(found: Any, images: Tensor, who: str) -> Tensor:
    values = torch.as_tensor(found)
    if values.ndim == 4 and tuple(values.shape[2:]) == (1, 1):
        values = values.flatten(1)
    if values.ndim != 2 or len(values) != len(images):
        raise GandiagError(
            f"{who} made features of shape {tuple(values.shape)} from {len(images)} images; ({len(images)}, d) was expected"
        )
    return values

"""What `gandiag doctor` looks at: each check is a function that returns one row."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "gandiag",
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "plotly",
    "click",
    "onnx",
    "onnxscript",
    "safetensors",
    "scikit-learn",
)


@dataclass(frozen=True)
class Row:
    """One check: whether it passed, what was found, and what to do where it did not."""

    check: str
    ok: bool
    found: str
    do: str = ""


def examine() -> list[Row]:
    """Runs every check; one that raises is a failed row, never a traceback."""
    return [_guarded(check) for check in CHECKS]


def _guarded(check: Callable[[], Row]) -> Row:
    try:
        return check()
    except Exception as error:
        name = check.__name__.replace("_", " ")
        return Row(name, False, f"{type(error).__name__}: {error}", "report this line, with the rows above it")


def versions() -> Row:
    """The versions of what gandiag stands on."""
    found = {name: _version(name) for name in PACKAGES}
    missing = [name for name, version in found.items() if version is None]
    text = f"Python {platform.python_version()}, " + ", ".join(f"{n} {v}" for n, v in found.items() if v)
    return Row(
        "versions", not missing, text + (f"; missing: {', '.join(missing)}" if missing else ""), "pip install gandiag"
    )


def devices() -> Row:
    """The devices that torch sees."""
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Row("devices", True, f"CUDA {torch.version.cuda}: {', '.join(names)}")
    if torch.backends.mps.is_available():
        return Row("devices", True, "Apple GPU (mps)")
    return Row("devices", True, f"CPU only, {torch.get_num_threads()} threads")


def onnx_runtime_packages() -> Row:
    """Two ONNX Runtime packages at once: the CPU one wins silently."""
    found = {name: version for name in ("onnxruntime", "onnxruntime-gpu") if (version := _version(name))}
    text = ", ".join(f"{n} {v}" for n, v in found.items()) or "none"
    remedy = "pip uninstall onnxruntime onnxruntime-gpu, then pip install onnxruntime-gpu (or onnxruntime where there is no NVIDIA GPU)"
    return Row("onnx runtime packages", len(found) == 1, text, remedy)


def onnx_runtime_providers() -> Row:
    """The providers that really load, as against those that are listed."""
    import onnx
    import torch  # before onnxruntime, so that both find the same CUDA libraries

    import onnxruntime  # isort: skip
    from onnx import TensorProto, helper

    onnxruntime.set_default_logger_severity(4)

    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "identity",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()
    onnx.load_from_string(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    listed = [p for p in onnxruntime.get_available_providers() if p != "TensorrtExecutionProvider"]
    loads = [p for p in listed if onnxruntime.InferenceSession(model, options, providers=[p]).get_providers()[0] == p]
    text = f"{', '.join(loads)} load" + (
        f"; listed but not loading: {', '.join(set(listed) - set(loads))}" if set(listed) - set(loads) else ""
    )
    wanted = torch.cuda.is_available() and "CUDAExecutionProvider" not in loads
    return Row(
        "onnx runtime providers", bool(loads) and not wanted, text, "install the onnxruntime-gpu that fits torch's CUDA"
    )


def shipped_weights() -> Row:
    """The digits classifier that ships in the package is there and whole."""
    import safetensors

    import gandiag.metrics

    folder = Path(gandiag.metrics.__file__).parent / "weights"
    file = folder / "digits-cnn.safetensors"
    with safetensors.safe_open(str(file), framework="numpy") as tensors:
        count = len(list(tensors.keys()))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Row("shipped weights", count > 0, f"digits-cnn, {count} tensors, sha256 {digest[:16]}")


def frechet_distance_of_a_set_to_itself() -> Row:
    """FD(x, x) = 0, also with fewer samples than features."""
    import torch

    from gandiag.metrics import frechet_distance

    draw = torch.Generator().manual_seed(0)
    wide = torch.randn(64, 256, generator=draw, dtype=torch.float64)
    tall = torch.randn(2000, 64, generator=draw, dtype=torch.float64)
    worst = max(abs(float(frechet_distance(x, x))) for x in (wide, tall))
    return Row("Frechet distance of a set to itself", worst < 1e-9, f"{worst:.1e} (limit 1e-9)")


def a_collapsed_set() -> Row:
    """One mode of eight: precision stays high, recall falls; the convention that has been swapped elsewhere."""
    import torch

    from gandiag.metrics import precision_recall

    draw = torch.Generator().manual_seed(0)
    angle = torch.arange(8) * (2 * torch.pi / 8)
    centres = 100.0 * torch.stack([angle.cos(), angle.sin()], 1)
    real = (centres[:, None] + torch.randn(8, 50, 2, generator=draw)).reshape(-1, 2)
    fake = centres[0] + torch.randn(400, 2, generator=draw)
    precision, recall, *_ = precision_recall(real, fake)
    text = f"precision {float(precision):.2f} (> .9), recall {float(recall):.2f} (< .2)"
    return Row("a collapsed set", float(precision) > 0.9 and float(recall) < 0.2, text)


def features_do_not_depend_on_the_batch() -> Row:
    """Features of the same images in one batch and in many."""
    import torch

    from gandiag.metrics.features import load_features

    features = load_features("digits-cnn")
    images = torch.randint(0, 256, (64, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    whole = features.extract(images)
    parts = torch.cat([features.extract(images[i : i + 7]) for i in range(0, 64, 7)])
    worst = float((whole - parts).abs().max() / whole.abs().max())
    return Row("batch-size sensitivity", worst < 1e-5, f"{worst:.1e} relative (limit 1e-5)")


def reduced_precision() -> Row:
    """TF32 would change float32 features on a GPU in the third digit."""
    import torch

    allowed = torch.cuda.is_available() and (
        torch.backends.cuda.matmul.allow_tf32 or torch.get_float32_matmul_precision() != "highest"
    )
    return Row(
        "TF32",
        not allowed,
        "on" if allowed else "off for matrix products",
        "torch.set_float32_matmul_precision('highest')",
    )


CHECKS: tuple[Callable[[], Row], ...] = (
    versions,
    devices,
    onnx_runtime_packages,
    onnx_runtime_providers,
    shipped_weights,
    frechet_distance_of_a_set_to_itself,
    a_collapsed_set,
    features_do_not_depend_on_the_batch,
    reduced_precision,
)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

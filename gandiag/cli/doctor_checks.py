"""What `gandiag doctor` looks at: each check is a function that returns one row."""

from __future__ import annotations

import contextlib
import hashlib
import io
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

DIGITS_CNN_SHA256 = "f87033a7f287a900ff315d249cec0b180decf9e02405422b25513ab2c3fe5af4"  # of the file in the package
SAME_FEATURES = 1e-5  # relative: float32's rounding over another order of the same sums
SAME_PRECISION = 1e-4  # relative: above rounding, below TF32's ten bits (1e-3)
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


def accelerator() -> Row:
    """Whether recording on the CPU has its compiled accelerator; torch does the same without it."""
    from gandiag.recording.accelerator import find_accelerator

    return Row("accelerator", True, find_accelerator().words)


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
    listed = onnxruntime.get_available_providers()
    loads = [p for p in listed if _loads(onnxruntime, model, options, p)]
    text = f"{', '.join(loads)} load" + (
        f"; listed but not loading: {', '.join(set(listed) - set(loads))}" if set(listed) - set(loads) else ""
    )
    wanted = torch.cuda.is_available() and "CUDAExecutionProvider" not in loads
    return Row(
        "onnx runtime providers", bool(loads) and not wanted, text, "install the onnxruntime-gpu that fits torch's CUDA"
    )


def _loads(onnxruntime: Any, model: bytes, options: Any, provider: str) -> bool:
    """Whether a session really runs on the provider; asked for one that cannot be loaded, ONNX Runtime falls back without an error."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # TensorRT's absence is printed there
            session = onnxruntime.InferenceSession(model, options, providers=[provider])
    except Exception:
        return False
    return bool(session.get_providers()[0] == provider)


def shipped_weights() -> Row:
    """The digits classifier that ships in the package is there and is, byte for byte, the one that was trained."""
    import safetensors

    import gandiag.metrics

    folder = Path(gandiag.metrics.__file__).parent / "weights"
    file = folder / "digits-cnn.safetensors"
    with safetensors.safe_open(str(file), framework="numpy") as tensors:
        count = len(list(tensors.keys()))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    text = f"digits-cnn, {count} tensors, sha256 {digest[:16]}"
    whole = digest == DIGITS_CNN_SHA256
    remedy = "pip install --force-reinstall --no-deps gandiag"
    return Row("shipped weights", whole, text + ("" if whole else f", expected {DIGITS_CNN_SHA256[:16]}"), remedy)


def published_weights() -> Row:
    """The weights that others have published (Inception, DINOv2 ...), where they are on this machine, against their checksums."""
    import torch

    from gandiag.errors import GandiagError
    from gandiag.metrics.cache import cache_folder
    from gandiag.metrics.published import find_cached

    found, damaged = [], []
    for what, files in published_files().items():
        try:
            path = find_cached(files)
        except GandiagError as error:
            damaged.append(str(error))
            continue
        found.append(f"{what} {'is here, its checksum right' if path else 'is not here'}")
    place = f"looked in {cache_folder() / 'weights'} and {Path(torch.hub.get_dir()) / 'checkpoints'}"
    return Row("published weights", not damaged, "; ".join([*damaged, *found, place]), "delete the damaged file")


def published_files() -> dict[str, tuple[Any, ...]]:
    """Returns the published files by what they are."""
    from gandiag.metrics.inception_features import PUBLISHED
    from gandiag.metrics.transformer_features import CLIP, DINOV2

    return {"Inception (FID)": PUBLISHED, "DINOv2": DINOV2} | {name: (file,) for name, file in CLIP.items()}


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
    """Features and the score of the same images in one batch and in many."""
    from gandiag.metrics import frechet_distance
    from gandiag.metrics.features import load_features

    extract, images = load_features("digits-cnn").extract, _some_images()
    whole = extract(images)
    others = {size: _in_parts(extract, images, size) for size in (1, 7, 64)}
    worst = max(float((whole - parts).abs().max() / whole.abs().max()) for parts in others.values())
    score = max(abs(float(frechet_distance(whole.double(), parts.double()))) for parts in others.values())
    text = f"features differ by {worst:.1e} relative (limit {SAME_FEATURES:g}), the Frechet distance by {score:.1e}, over batches of 1, 7, 64, 256"
    return Row("batch-size sensitivity", worst < SAME_FEATURES, text)


def reduced_precision() -> Row:
    """TF32 (or bfloat16 products on a CPU) changes float32 features in the third digit: measured as this machine is set, and both ways."""
    import torch

    from gandiag.metrics.features import load_features

    extract, images = load_features("digits-cnn").extract, _some_images()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    as_set = _at_precision(lambda: _features_on(device, extract, images), None)
    strict = _at_precision(lambda: _features_on(device, extract, images), "highest")
    loose = _at_precision(lambda: _features_on(device, extract, images), "medium")
    scale = strict.abs().max()
    now, worst = (float((features - strict).abs().max() / scale) for features in (as_set, loose))
    text = (
        f"features on {device.type} differ by {now:.1e} relative as it is set (limit {SAME_PRECISION:g}), "
        f"by {worst:.1e} with TF32 or bfloat16 allowed"
    )
    remedy = "torch.set_float32_matmul_precision('highest') and torch.backends.cudnn.allow_tf32 = False before scoring"
    return Row("TF32 sensitivity", now < SAME_PRECISION, text, remedy)


def _some_images() -> Any:
    import torch

    return torch.randint(0, 256, (256, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def _in_parts(extract: Callable[[Any], Any], images: Any, size: int) -> Any:
    import torch

    return torch.cat([extract(images[i : i + size]) for i in range(0, len(images), size)])


def _features_on(device: Any, extract: Callable[[Any], Any], images: Any) -> Any:
    return extract(images.to(device)).cpu()


def _at_precision(work: Callable[[], Any], precision: str | None) -> Any:
    """Runs something with float32 products as this process has them set, exactly (`highest`), or with TF32 and bfloat16 allowed."""
    import torch

    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        if precision is not None:
            torch.set_float32_matmul_precision(precision)
            torch.backends.cudnn.allow_tf32 = precision != "highest"
        return work()
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


CHECKS: tuple[Callable[[], Row], ...] = (
    versions,
    devices,
    accelerator,
    onnx_runtime_packages,
    onnx_runtime_providers,
    shipped_weights,
    published_weights,
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

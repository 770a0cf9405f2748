"""Images of generators for `gandiag evaluate`: of a recorded run, an exported bundle, a bare ONNX model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics.feature_space import to_uint8
from gandiag.metrics.image_set import ImageSource

if TYPE_CHECKING:
    from torch import Tensor

DRAW = 64  # generated images at a time


def of_run(path: Path, count: int, *, checkpoint: str, seed: int) -> ImageSource:
    """Returns images of a run's generator, drawn by the seed; classes in turn where it has some."""
    from gandiag.training.checkpoint import load_generator

    which: str | int = int(checkpoint) if checkpoint.isdigit() else checkpoint
    trained = load_generator(path, which)
    if trained.output != "images":
        raise UsageError(f"{path} makes points, not images: its scores against its own mixture are in its report")
    random = torch.Generator().manual_seed(seed)

    def draw() -> Iterator[Tensor]:
        for start in range(0, count, DRAW):
            n = min(DRAW, count - start)
            shape = (n, *trained.latent_shape)
            z = (
                2 * torch.rand(shape, generator=random) - 1
                if trained.latent == "uniform"
                else torch.randn(shape, generator=random)
            )
            with torch.no_grad():
                labels = torch.arange(start, start + n) % trained.num_classes if trained.num_classes else None
                yield to_uint8(trained.module(z) if labels is None else trained.module(z, labels))

    return _drawn(f"{path}", torch.cat(list(draw())))


def of_bundle(path: Path, count: int, *, seed: int) -> ImageSource:
    """Returns images of an exported bundle, drawn by the seed from the latents that its contract names."""
    from gandiag.export.files import open_bundle

    bundle = open_bundle(path)
    if bundle.contract.kind != "images":
        raise UsageError(f"{path} makes points, not images")
    found = torch.from_numpy(bundle.sample(count, seed=seed))
    if found.dtype == torch.uint8:
        return _drawn(str(path), found.permute(0, 3, 1, 2))
    low, high = bundle.contract.value_range
    return _drawn(str(path), to_uint8((found - low) / (high - low) * 2 - 1))


def of_onnx(path: Path, count: int, *, seed: int) -> ImageSource:
    """A bare model: one float input whose first axis is the batch, normal latents, images in [-1, 1]; `label` in turn where it is asked."""
    from gandiag.export.session import open_session

    if not path.is_file():
        raise UsageError(f"{path} is no file")
    session = open_session(path.read_bytes(), "auto")
    inputs = {i.name: i for i in session.runtime.get_inputs()}
    latent = next((i for i in inputs.values() if i.type == "tensor(float)"), None)
    if latent is None or any(not isinstance(n, int) for n in latent.shape[1:]) or not latent.shape[1:]:
        found = ", ".join(f"{i.name} {i.shape}" for i in inputs.values())
        raise GandiagError(f"{path} has the inputs {found}; one float input z (n, ...) of fixed size was expected")
    random, made = np.random.default_rng(seed), []
    classes = _classes_of(session.runtime)
    for start in range(0, count, DRAW):
        n = min(DRAW, count - start)
        feed: dict[str, Any] = {latent.name: random.standard_normal((n, *latent.shape[1:])).astype(np.float32)}
        feed |= {
            name: np.arange(start, start + n, dtype=np.int64) % classes
            for name, i in inputs.items()
            if i.type == "tensor(int64)"
        }
        made.append(_run(session.runtime, feed, path))
    images = torch.from_numpy(np.concatenate(made))
    if images.ndim != 4:
        raise GandiagError(f"{path} makes an output of shape {tuple(images.shape)}; images (n, c, h, w) were expected")
    in_rows = images.dtype == torch.uint8 and images.shape[3] in (1, 3)
    return _drawn(str(path), images.permute(0, 3, 1, 2) if in_rows else to_uint8(images))


def _run(runtime: Any, feed: dict[str, Any], path: Path) -> np.ndarray:
    try:
        return np.asarray(runtime.run(None, feed)[0])
    except Exception as error:  # onnxruntime's own types share no base but Exception
        raise GandiagError(
            f"{path} failed on a batch of {len(next(iter(feed.values())))} latents ({str(error).splitlines()[0][:160]})"
        ) from None


def _classes_of(runtime: Any) -> int:
    given = runtime.get_modelmeta().custom_metadata_map.get("num_classes", "")
    return int(given) if given.isdigit() and int(given) else 1


def _drawn(name: str, images: Tensor) -> ImageSource:
    """Generated images as an image set."""
    kept = images.contiguous()
    return ImageSource(
        name, len(kept), (int(kept.shape[1]), int(kept.shape[2]), int(kept.shape[3])), lambda at: kept[list(at)]
    )

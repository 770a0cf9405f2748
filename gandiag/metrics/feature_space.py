"""What a feature space is: images uint8 (n, c, h, w) to features (n, d) float32, with a name and a fingerprint of what made them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

BATCH = 256  # images a forward pass; the features do not depend on it


@dataclass(frozen=True)
class Features:
    """A named feature space. `extract` takes uint8 (n, c, h, w) to float32 (n, d); `fingerprint` says what it is, weights' hash too.

    Where the extractor is a classifier, `probabilities` takes features (n, d) to class probabilities (n, K), and `classes`
    names them.
    """

    name: str
    extract: Callable[[Tensor], Tensor]
    fingerprint: dict[str, Any]
    probabilities: Callable[[Tensor], Tensor] | None = field(default=None, compare=False)
    classes: tuple[str, ...] = ()


def check_images(images: Any) -> Tensor:
    """Returns images as a uint8 tensor (n, c, h, w); raises ValueError or TypeError that says what was found."""
    x = torch.as_tensor(images)
    if x.dtype != torch.uint8:
        raise TypeError(
            f"images have dtype {str(x.dtype).removeprefix('torch.')}; uint8 in 0..255 was expected (see to_uint8)"
        )
    if x.ndim != 4:
        raise ValueError(f"images have shape {tuple(x.shape)}; (n, channels, height, width) was expected")
    if not len(x) or min(x.shape[1:]) < 1:
        raise ValueError(f"images have shape {tuple(x.shape)}: there is nothing to extract features from")
    return x


def to_uint8(images: Any) -> Tensor:
    """Returns images in [-1, 1] as uint8, rounded as stylegan does: (x * 127.5 + 128) clamped to 0..255, truncated.

    Raises ValueError on NaN, which has no grey value.
    """
    images = torch.as_tensor(images)
    if images.dtype == torch.uint8:
        return images
    if torch.isnan(images).any():
        raise ValueError("images hold NaN: they cannot be turned into grey values")
    return (images.to(torch.float32) * 127.5 + 128).clamp(0, 255).to(torch.uint8)


def features_of_channels(features: Features) -> Features:
    """Returns the features of stacked images (n, c, h, w), an image a channel: those of each channel side by side, (n, c * d)."""

    def extract(images: Tensor) -> Tensor:
        return torch.cat([features.extract(channel) for channel in check_images(images).split(1, dim=1)], dim=1)

    name = f"{features.name}-of-channels"
    return Features(name, extract, {**features.fingerprint, "features": name})


def in_batches(run: Callable[[Tensor], Tensor], batch: int = BATCH) -> Callable[[Tensor], Tensor]:
    """Returns an extractor that checks its images, runs them in batches without gradients, and returns float32 (n, d) on their device."""

    def extract(images: Tensor) -> Tensor:
        x = check_images(images)
        with torch.no_grad():
            return torch.cat([run(part).to(torch.float32).flatten(1) for part in x.split(batch)])

    return extract


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()

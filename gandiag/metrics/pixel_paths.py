"""The four incompatible ways from uint8 images to Inception's input: each has a name, and every score carries it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 299


def three_channels(images: Tensor) -> Tensor:
    """Returns uint8 images (n, 3, h, w): grey is repeated; raises ValueError on any other number of channels."""
    if images.shape[1] == 1:
        return images.expand(-1, 3, -1, -1)
    if images.shape[1] != 3:
        raise ValueError(
            f"images have {images.shape[1]} channels; Inception takes 3, or 1 that is repeated: drop or flatten the others first"
        )
    return images


def tensorflow_path(images: Tensor) -> Tensor:
    """torch-fidelity, clean-fid's legacy_tensorflow, stylegan: TF1 bilinear (no half-pixel shift, no antialias), (x - 128) / 128."""
    x = images.to(torch.float32)
    return (_tf1_lines(_tf1_lines(x, 3), 2) - 128) / 128


def pytorch_path(images: Tensor) -> Tensor:
    """pytorch-fid, dgm-eval: bilinear with half-pixel shift on floats in [0, 1], no antialias, 2x - 1."""
    x = F.interpolate(images.to(torch.float32) / 255, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return 2 * x - 1


def clean_path(images: Tensor) -> Tensor:
    """clean-fid: Pillow's bicubic on each channel in floats, not quantised again, cut to 0..255, (x - 128) / 128."""
    from PIL import Image

    planes = images.flatten(0, 1).to(torch.float32).cpu().numpy()
    resized = [
        np.asarray(Image.fromarray(plane).resize((SIDE, SIDE), resample=Image.Resampling.BICUBIC)).clip(0, 255)
        for plane in planes
    ]
    return (torch.from_numpy(np.stack(resized)).unflatten(0, (len(images), 3)).to(images.device) - 128) / 128


def torchmetrics_path(images: Tensor) -> Tensor:
    """torchmetrics from 1.8 on: bilinear with antialias, (x - 128) / 128."""
    x = F.interpolate(images.to(torch.float32), size=(SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)
    return (x - 128) / 128


PIXEL_PATHS: dict[str, Callable[[Tensor], Tensor]] = {
    "tf": tensorflow_path,
    "pytorch": pytorch_path,
    "clean": clean_path,
    "torchmetrics": torchmetrics_path,
}


def _tf1_lines(x: Tensor, axis: int) -> Tensor:
    """Resizes one axis as TensorFlow 1 does: source = destination * scale in float32, the last line repeated."""
    size = x.shape[axis]
    at = torch.arange(SIDE, dtype=torch.float32, device=x.device) * torch.tensor(size / SIDE, dtype=torch.float32)
    low = at.long()
    high = (low + 1).clamp_max(size - 1)
    shape = [1] * x.ndim
    shape[axis] = SIDE
    part = (at - low).view(shape)
    first = x.index_select(axis, low)
    return first + (x.index_select(axis, high) - first) * part

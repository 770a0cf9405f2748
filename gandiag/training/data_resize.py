"""Images brought to one size: the largest square in the middle, resized with antialiasing."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import interpolate

from gandiag.errors import UsageError

CHUNK = 1024


def resized(images: np.ndarray, resolution: int) -> np.ndarray:
    """Returns uint8 images (n, c, h, w) as (n, c, resolution, resolution): cropped in the middle to a square, then bilinear, antialiased."""
    if resolution < 1:
        raise UsageError(f"a resolution is at least 1, not {resolution}")
    height, width = images.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[:, :, top : top + side, left : left + side]
    if side == resolution:
        return np.ascontiguousarray(square)
    parts = [_scaled(square[start : start + CHUNK], resolution) for start in range(0, len(square), CHUNK)]
    return np.concatenate(parts)


def _scaled(square: np.ndarray, resolution: int) -> np.ndarray:
    values = torch.from_numpy(square.astype(np.float32))
    scaled = interpolate(values, size=(resolution, resolution), mode="bilinear", antialias=True, align_corners=False)
    return scaled.round_().clamp_(0, 255).to(torch.uint8).numpy()

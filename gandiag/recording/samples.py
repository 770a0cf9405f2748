"""Turns a batch of samples into what a run keeps: images as bytes, points as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def as_arrays(
    batch: Tensor | np.ndarray | Any, labels: Tensor | np.ndarray | Any | None = None
) -> dict[str, np.ndarray]:
    """Returns `images` (n, h, w, c) uint8 or `points` (n, d) float32, and `labels` (n,) where given.

    Images come as (n, c, h, w): uint8 as it is, floats in [-1, 1] by the field's usual `x * 127.5 + 128`. A batch that waits on
    a device is copied, and waited for.
    """
    values = torch.as_tensor(batch).detach().cpu()
    if values.dim() == 2:
        arrays = {"points": values.float().numpy().copy()}
    elif values.dim() == 4:
        if values.dtype != torch.uint8:
            values = (values.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)
        arrays = {"images": np.ascontiguousarray(values.permute(0, 2, 3, 1).numpy())}
    else:
        raise ValueError(
            f"samples are images (n, c, h, w) or points (n, d); this batch has shape {tuple(values.shape)}"
        )
    if labels is not None:
        arrays["labels"] = np.asarray(torch.as_tensor(labels).detach().cpu().numpy()).reshape(-1)
    return arrays

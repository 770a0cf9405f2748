"""MS-SSIM between pairs of images: how alike the samples of one set are."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003
WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03
BATCHES, BATCH = 5, 64  # Fedus et al. 2018: five batches of 64


def pair_similarity(images: Any, *, batches: int = BATCHES, batch: int = BATCH, seed: int = 0) -> float:
    """Returns the mean MS-SSIM over distinct pairs of images (n, c, h, w) with values 0..255: 1 = all the same, lower is more diverse.

    Up to `batches` batches of `batch` images are drawn by the seed. Odena et al. 2017. Raises ValueError on fewer than two.
    """
    x = torch.as_tensor(images)
    if x.ndim != 4 or len(x) < 2 or not x.numel():
        raise ValueError(f"at least two images (n, c, h, w) were expected, found shape {tuple(x.shape)}")
    if batch < 2 or batches < 1:
        raise ValueError(f"{batches} batches of {batch} hold no pair: at least one batch of two was expected")
    if x.is_floating_point() and not bool(x.isfinite().all()):
        raise ValueError("images hold NaN or infinity: they cannot be compared")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    parts = [p for p in order.split(batch)[:batches] if len(p) > 1]
    return float(torch.stack([_mean_over_pairs(x[p.to(x.device)].to(torch.float64)) for p in parts]).mean())


def ms_ssim(first: Tensor, second: Tensor, *, largest: float = 255.0) -> Tensor:
    """Returns the multi-scale SSIM (n,) of two batches of images (n, c, h, w), as compare_gan computes it.

    Five scales, an 11x11 Gaussian window of sd 1.5 (smaller where the image is), odd sides doubled at their end.
    """
    if not first.is_floating_point():
        first, second = first.to(torch.float64), second.to(torch.float64)
    factors = []
    for scale in range(len(POWERS)):
        if scale:
            first, second = _halved(first), _halved(second)
        whole, structure = _ssim(first, second, largest)
        factors.append(whole if scale == len(POWERS) - 1 else structure)
    powers = first.new_tensor(POWERS)
    return (torch.stack(factors, dim=-1).clamp_min(0) ** powers).prod(dim=-1).mean(dim=1)


def _mean_over_pairs(x: Tensor) -> Tensor:
    i, j = torch.triu_indices(len(x), len(x), offset=1)
    return torch.cat([ms_ssim(x[a], x[b]) for a, b in zip(i.split(256), j.split(256))]).mean()


def _ssim(x: Tensor, y: Tensor, largest: float) -> tuple[Tensor, Tensor]:
    """The mean SSIM and the mean of its contrast-structure part, (n, c) each."""
    size = min(WINDOW, *x.shape[-2:])
    axis = torch.arange(size, dtype=x.dtype, device=x.device) - (size - 1) / 2
    weights = torch.softmax(-(axis**2) / (2 * SIGMA**2), dim=0)

    def blurred(image: Tensor) -> Tensor:
        flat = image.flatten(0, 1).unsqueeze(1)
        return (
            F.conv2d(F.conv2d(flat, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
            .squeeze(1)
            .unflatten(0, image.shape[:2])
        )

    c1, c2 = (K1 * largest) ** 2, (K2 * largest) ** 2
    mean_x, mean_y = blurred(x), blurred(y)
    product, squares = 2 * mean_x * mean_y, mean_x**2 + mean_y**2
    luminance = (product + c1) / (squares + c1)
    structure = (2 * blurred(x * y) - product + c2) / (blurred(x**2 + y**2) - squares + c2)
    return (luminance * structure).mean(dim=(-2, -1)), structure.mean(dim=(-2, -1))


def _halved(x: Tensor) -> Tensor:
    tall, wide = x.shape[-2] % 2, x.shape[-1] % 2
    if tall or wide:
        x = F.pad(x, (0, wide, 0, tall), mode="replicate")
    return F.avg_pool2d(x, 2)

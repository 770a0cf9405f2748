"""Where each batch has its centre, and how far off that lies by chance: batches of shuffled data scatter by just so much, of sorted data by more."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from gandiag.recording.diversity import PROJECTED, SEED, full_precision, has_pairs, projected
from gandiag.recording.step import Step, Value, on_device

DIRECTIONS = 8  # of the centre: a class that comes alone moves it along most of them


def centres(step: Step) -> dict[str, Value]:
    """The centre of the real batch along fixed random directions (8,), and its standard error, by the scatter within.

    Of batches that are drawn alike the centres' variance over the steps is the standard error squared.
    """
    if not has_pairs(step.real):
        return {}
    assert step.real is not None
    points = along(projected(step.real.detach()))
    return {"real_centre": points.mean(0), "real_centre_error": (points.var(0).mean() / len(points)).sqrt()}


def along(points: Tensor) -> Tensor:
    """Returns points (n, d) along the fixed directions (n, 8); distances are kept in expectation."""
    with full_precision(points.device):
        return points @ _directions(points.device)[: points.shape[1]]


@lru_cache(maxsize=8)
def _directions(device: torch.device) -> Tensor:
    chance = torch.Generator().manual_seed(SEED + 1)
    return on_device(torch.randn(PROJECTED, DIRECTIONS, generator=chance) / DIRECTIONS**0.5, device)

"""Mixtures of Gaussians with known modes, ring and grid: the data sets on which mode collapse can be counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gandiag.errors import UsageError
from gandiag.training.dataset import Dataset, fingerprint, seeded

REFERENCE_DRAW = 10_000  # points of the fixed draw that stands for an endless mixture
REFERENCE_SEED = 0x9A9D1A6  # of the fixed draw: no training seed reaches it, streams of training carry two numbers


def ring(*, modes: int = 8, radius: float = 1.0, sd: float = 0.01, count: int = 0, seed: int = 0) -> Dataset:
    """Returns Gaussians on a circle (8 of sd .01 on radius 1 as in VEEGAN and PacGAN), endless, or `count` fixed points."""
    _require(modes >= 1, f"ring needs at least one mode, not {modes}")
    angles = 2 * np.pi * np.arange(modes) / modes
    centres = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return mixture(f"ring{modes}" if modes != 8 else "ring", centres, sd=sd, count=count, seed=seed)


def grid(*, side: int = 5, spacing: float = 2.0, sd: float = 0.05, count: int = 0, seed: int = 0) -> Dataset:
    """Returns Gaussians on a square grid (25 on {-4, -2, 0, 2, 4}^2, sd .05, as in VEEGAN and PacGAN), endless, or `count` fixed points."""
    _require(side >= 1, f"grid needs at least one mode a side, not {side}")
    line = spacing * (np.arange(side) - (side - 1) / 2)
    centres = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    return mixture(f"grid{side * side}" if side != 5 else "grid", centres, sd=sd, count=count, seed=seed)


def mixture(
    name: str, centres: np.ndarray, *, sd: float, count: int = 0, seed: int = 0, weights: np.ndarray | None = None
) -> Dataset:
    """Returns a mixture of round Gaussians at `centres` (k, d): endless where `count` is 0, else `count` points drawn once."""
    _require(sd > 0, f"the standard deviation of a mode is {sd}; it must be above 0")
    _require(count >= 0, f"count is {count}; it must be 0 (endless) or more")
    shares = (
        np.full(len(centres), 1 / len(centres))
        if weights is None
        else np.asarray(weights, dtype=np.float64) / np.sum(weights)
    )
    empty = Dataset(
        name=name,
        kind="points",
        samples=torch.zeros(1, centres.shape[1]),
        classes=tuple(f"mode {i}" for i in range(len(centres))),
        modes=np.asarray(centres, dtype=np.float64),
        mode_sd=float(sd),
        mode_weights=shares,
        endless=count == 0,
    )
    return _filled(empty, count, seed)


def _filled(dataset: Dataset, count: int, seed: int) -> Dataset:
    generator = seeded(REFERENCE_SEED, seed, 1) if count == 0 else seeded(REFERENCE_SEED, seed, 2)
    points, labels = draw_mixture(dataset, count or REFERENCE_DRAW, generator)
    return replace(dataset, samples=points, labels=labels, hash=fingerprint(points, labels), facts={"draw_seed": seed})


def draw_mixture(dataset: Dataset, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draws `count` points (count, d) of a mixture and the mode of each (count,), from this random generator alone."""
    if dataset.modes is None or dataset.mode_sd is None or dataset.mode_weights is None:
        raise TypeError(f"{dataset.name} is no mixture with known modes")
    shares = torch.from_numpy(np.asarray(dataset.mode_weights))
    labels = torch.multinomial(shares, count, replacement=True, generator=generator)
    centres = torch.from_numpy(dataset.modes).to(torch.float32)
    noise = torch.randn(count, centres.shape[1], generator=generator)
    return centres[labels] + dataset.mode_sd * noise, labels


def long_tailed_mixture(dataset: Dataset, shares: np.ndarray) -> Dataset:
    """Returns the same mixture with these shares of its modes (k,), drawn anew."""
    changed = replace(dataset, mode_weights=np.asarray(shares, dtype=np.float64) / np.sum(shares))
    return _filled(changed, 0 if dataset.endless else len(dataset), int(dataset.facts.get("draw_seed", 0)))


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise UsageError(message)

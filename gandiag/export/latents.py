"""Latents to prove an export with: seeded draws, and the extreme ones that draws never reach. numpy only, so verify needs no torch."""

from __future__ import annotations

import numpy as np

from gandiag.export.contract import Contract

EXTREME = 6.0  # standard deviations: beyond what 1e8 draws of a normal reach
SEED = 20_261_120


def draw_latents(contract: Contract, count: int, seed: int = SEED) -> np.ndarray:
    """Returns (count, *latent_shape) float32 latents of the contract's distribution: normal (0, 1) or uniform (-1 .. 1)."""
    random = np.random.default_rng(seed)
    shape = (count, *contract.latent_shape)
    if contract.latent == "uniform":
        return random.uniform(-1.0, 1.0, shape).astype(np.float32)
    return random.standard_normal(shape).astype(np.float32)


def draw_labels(contract: Contract, count: int, seed: int = SEED) -> np.ndarray | None:
    """Returns (count,) int64 labels, every class once in each round, in a seeded order; None where the generator takes none."""
    if contract.num_classes is None:
        return None
    random = np.random.default_rng(seed + 1)
    rounds = -(-count // contract.num_classes)
    return np.concatenate([random.permutation(contract.num_classes) for _ in range(rounds)])[:count].astype(np.int64)


def extreme_latents(contract: Contract) -> np.ndarray:
    """Returns (8, *latent_shape): zero, far corners, alternating signs, one coordinate alone, a denormal, a stretched draw."""
    size, far = contract.latent_size, EXTREME if contract.latent == "normal" else 1.0
    alternating = np.where(np.arange(size) % 2, far, -far)
    first, last = np.zeros(size), np.zeros(size)
    first[0], last[-1] = far, -far
    stretched = 2.0 * draw_latents(contract, 1).reshape(size)
    rows = [
        np.zeros(size),
        np.full(size, far),
        np.full(size, -far),
        alternating,
        first,
        last,
        np.full(size, 1e-40),
        stretched,
    ]
    return np.stack(rows).astype(np.float32).reshape(len(rows), *contract.latent_shape)

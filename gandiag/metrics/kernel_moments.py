"""The cubic kernel's sums over all pairs from moment tensors: n d^3 steps in place of n^2 d, where d is small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gandiag.metrics.threads import on_threads, thread_count

BLOCK_ROWS = 1024


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over `count` samples of y (d,), of its pairs i <= j (p,), and of y times its pairs (d, p)."""

    count: int
    first: np.ndarray
    second: np.ndarray
    third: np.ndarray


def moments_of(y: np.ndarray) -> Moments:
    """Returns the moments of samples (n, d), a share of them on each thread."""
    width = y.shape[1]
    groups = [list(chunks(len(y)))[first :: thread_count()] for first in range(thread_count())]
    thirds = np.zeros((len(groups), width, width * (width + 1) // 2))
    seconds = np.zeros((len(groups), width * (width + 1) // 2))

    def work(group: int) -> None:
        for rows in groups[group]:
            pairs = _pairs(y[rows])
            seconds[group] += pairs.sum(axis=0)
            thirds[group] += y[rows].T @ pairs

    on_threads(work, range(len(groups)))
    return Moments(len(y), y.sum(axis=0), seconds.sum(axis=0), thirds.sum(axis=0))


def pair_sum(a: Moments, b: Moments) -> float:
    """Sum over all pairs of (x.y/d + 1)^3, from both sides' moments."""
    width = len(a.first)
    weight = _pair_weights(width)
    return float(
        (a.third * b.third * weight).sum() / width**3
        + 3 * (a.second * b.second * weight).sum() / width**2
        + 3 * (a.first * b.first).sum() / width
        + a.count * b.count
    )


def projections(x: np.ndarray, sides: Sequence[Moments]) -> list[np.ndarray]:
    """For each side's moments: for each row of x the sum over that side's y of (x.y/d + 1)^3."""
    width = x.shape[1]
    weight = _pair_weights(width)
    found = [3 * (x @ side.first) / width + side.count for side in sides]

    def work(rows: slice) -> None:
        pairs = _pairs(x[rows]) * weight
        for sums, side in zip(found, sides):
            cubic = np.einsum("ij,ij->i", pairs @ side.third.T, x[rows])
            sums[rows] += 3 * (pairs @ side.second) / width**2 + cubic / width**3

    on_threads(work, list(chunks(len(x))))
    return found


def _pairs(y: np.ndarray) -> np.ndarray:
    """(n, d (d + 1) / 2): the products of coordinates i <= j."""
    width = y.shape[1]
    out = np.empty((len(y), width * (width + 1) // 2))
    start = 0
    for i in range(width):
        np.multiply(y[:, i:], y[:, i : i + 1], out=out[:, start : start + width - i])
        start += width - i
    return out


def _pair_weights(width: int) -> np.ndarray:
    i, j = np.triu_indices(width)
    return np.where(i == j, 1.0, 2.0)


def chunks(count: int, rows: int = BLOCK_ROWS) -> Iterator[slice]:
    """Yields stretches of so many rows."""
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))

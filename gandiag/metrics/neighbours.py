"""What nearest neighbours tell: precision and recall, density and coverage, in memory that does not grow with the square of N."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gandiag.metrics.inputs import LARGEST, feature_matrix, feature_pair, host_array
from gandiag.metrics.near_pairs import Limit, as_points, kth_neighbour_squares, pairs_within

BLOCK_ELEMENTS = 2**21  # distances held at a time, 16 MiB: fits the cache levels and the 100 MB that are allowed
ROUNDING = 32 * float(np.finfo(np.float64).eps)  # of the largest squared norm: what |x|^2 + |y|^2 - 2xy can be off by


class PrecisionRecall(NamedTuple):
    """Share of fakes inside the reals' manifold, and of reals inside the fakes'."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Mean number of real balls that hold a fake, over k; share of reals whose ball holds a fake."""

    density: float
    coverage: float


class Prdc(NamedTuple):
    """The four numbers of the package prdc."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(real: Any, fake: Any, k: int = 3) -> PrecisionRecall:
    """Returns improved precision and recall (Kynkaanniemi et al. 2019): balls to the k-th neighbour, edges included.

    `real` and `fake` are features (n, d). Both range 0 to 1, higher is better; a collapsed generator keeps precision and
    loses recall. Neither is 1 for equal distributions (about .6 in 1000 dimensions): read them against reals. Raises
    ValueError where a side has no more than k samples.
    """
    counts = _compare(real, fake, k, inclusive=True)
    return PrecisionRecall(counts.precision, counts.recall)


def density_coverage(real: Any, fake: Any, k: int = 5) -> DensityCoverage:
    """Returns density and coverage (Naeem et al. 2020), balls to the k-th neighbour, edges excluded, as the package prdc.

    Density >= 0 (1 on average for equal distributions, blind to collapse); coverage 0 to 1, higher is better, and
    1 - C(N-1, k) / C(N+M-1, k) on average for equal distributions. Raises ValueError where a side has no more than k samples.
    """
    counts = _compare(real, fake, k, inclusive=False)
    return DensityCoverage(counts.density, counts.coverage)


def prdc(real: Any, fake: Any, k: int = 5) -> Prdc:
    """Returns precision, recall, density and coverage exactly as the package prdc (Naeem et al. 2020): k = 5, strict `<`."""
    return _compare(real, fake, k, inclusive=False)


def expected_coverage(n_real: int, n_fake: int, k: int = 5) -> float:
    """Returns the exact mean of coverage for equal distributions in any dimension: 1 - C(N-1, k) / C(N+M-1, k)."""
    miss = 1.0
    for i in range(k):
        miss *= (n_real - 1 - i) / (n_real + n_fake - 1 - i)
    return 1.0 - max(miss, 0.0)


def manifold_members(points: Any, others: Any, k: int = 3) -> np.ndarray:
    """Returns for each of `others` (m, d) whether it lies in a k-th-neighbour ball of `points` (n, d): bool (m,)."""
    a, b = feature_pair(points, others)
    _enough(a, k, "manifold")
    x, y = as_points(a, a.mean(axis=0)), as_points(b, a.mean(axis=0))
    inside = np.zeros(len(y), dtype=bool)

    def hold(_: np.ndarray, columns: np.ndarray) -> None:
        inside[columns] = True

    pairs_within(x, y, [Limit(kth_neighbour_squares(x, k), 0, hold)], inclusive=True)
    return inside


def nearest(queries: Any, points: Any, *, leave_one_out: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distance (n,) from each query to its nearest point, and that point's index (n,).

    With `leave_one_out` queries and points are the same set, and a sample is not its own neighbour.
    """
    a, b = feature_pair(queries, points, at_least=2 if leave_one_out else 1)
    x, y = _centred(a, b)
    best, where = np.empty(len(x)), np.empty(len(x), dtype=np.int64)
    slack = _slack(x, y)
    for rows, block in distance_blocks(x, y):
        if leave_one_out:
            _empty_diagonal(block, rows)
        where[rows] = block.argmin(axis=1)
        best[rows] = block[np.arange(len(block)), where[rows]]
    return np.sqrt(np.where(best <= slack, 0.0, best)), where


def distance_blocks(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields (rows of x, squared distances of those to all y), each block in the same buffer."""
    step = max(1, BLOCK_ELEMENTS // max(len(y), 1))
    y_squares = np.einsum("ij,ij->i", y, y)
    doubled = -2.0 * x
    x_squares = np.einsum("ij,ij->i", x, x)
    buffer = np.empty((min(step, len(x)), len(y)))
    for start in range(0, len(x), step):
        rows = slice(start, min(start + step, len(x)))
        block = buffer[: rows.stop - start]
        np.matmul(doubled[rows], y.T, out=block)
        block += y_squares
        block += x_squares[rows, None]
        if y is x:
            block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = 0.0  # not what rounding makes of it
        yield rows, block


def _compare(real: Any, fake: Any, k: int, *, inclusive: bool) -> Prdc:
    a, b = _points(real, "real", k), _points(fake, "fake", k)
    if a.shape[1] != b.shape[1]:
        feature_pair(a[:1], b[:1])
    origin = a.mean(axis=0, dtype=np.float64).astype(a.dtype)
    x, y = as_points(a, origin), as_points(b, origin)
    held = np.zeros(len(y), dtype=np.int64)
    covered, recalled = np.zeros(len(x), dtype=bool), np.zeros(len(x), dtype=bool)

    def in_real_balls(rows: np.ndarray, columns: np.ndarray) -> None:
        held[:] += np.bincount(columns, minlength=len(y))
        covered[rows] = True

    def in_fake_balls(rows: np.ndarray, _: np.ndarray) -> None:
        recalled[rows] = True

    limits = kth_neighbour_squares(x, k), kth_neighbour_squares(y, k)
    pairs_within(x, y, [Limit(limits[0], 0, in_real_balls), Limit(limits[1], 1, in_fake_balls)], inclusive=inclusive)
    density = float(1.0 / k * held.mean())  # in prdc's own order of operations
    return Prdc(float((held > 0).mean()), float(recalled.mean()), density, float(covered.mean()))


def _points(values: Any, who: str, k: int) -> np.ndarray:
    """Features in their own precision, single or double: a copy in float64 would cost more memory than all the rest."""
    x = host_array(values, who)
    if x.dtype not in (np.float32, np.float64) or x.ndim != 2 or not x.size or not _surely_scorable(x):
        x = feature_matrix(x, who)
    _enough(x, k, who)
    return np.ascontiguousarray(x)


def _surely_scorable(x: np.ndarray) -> bool:
    """Whether every value is finite and moderate, told without a copy: a row's sum of squares is no smaller than any of its values'."""
    with np.errstate(over="ignore"):
        return bool((np.einsum("ij,ij->i", x, x) <= min(LARGEST, float(np.finfo(x.dtype).max))).all())


def _centred(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances do not change with the origin, their rounding does."""
    middle = x.mean(axis=0)
    return x - middle, y - middle


def _slack(x: np.ndarray, y: np.ndarray) -> float:
    """Squared distances nearer than this are a tie: copies are then copies, and a ball of radius zero holds them or not."""
    return ROUNDING * (float(np.einsum("ij,ij->i", x, x).max()) + float(np.einsum("ij,ij->i", y, y).max()))


def _empty_diagonal(block: np.ndarray, rows: slice) -> None:
    block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = np.inf


def _enough(x: np.ndarray, k: int, who: str) -> None:
    if k < 1:
        raise ValueError(f"k is {k}; at least one neighbour is needed")
    if len(x) <= k:
        raise ValueError(
            f"{len(x)} {who} samples are too few for the k = {k} nearest neighbours: give more than {k}, or a smaller k"
        )

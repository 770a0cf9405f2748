"""Distances by kernels: KID as its references draw it, the same over all pairs with its standard error, and the Gaussian kernel's."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from gandiag.metrics.inputs import feature_matrix, feature_pair, host_array, scorable
from gandiag.metrics.intervals import BLOCKS, LEVEL, Interval, combine_jackknife, normal_quantile
from gandiag.metrics.kernel_moments import chunks, moments_of, pair_sum, projections
from gandiag.metrics.neighbours import distance_blocks
from gandiag.metrics.threads import on_threads, thread_count

SUBSETS, SUBSET_SIZE, SUBSET_SEED = 100, 1000, 2020  # torch-fidelity's defaults
MOMENT_WIDTH = 160  # above, the third moment (d^3 numbers) no longer fits; below it wins where n > d^2 / 2
SUBSET_ROWS = 128  # of a subset's kernel at a time: half a megabyte; of wide features all, since the product is then the whole cost
WIDE = 256
SECOND_ORDER_SAMPLES = 1000  # for the small part of the variance that only matters near zero distance
LARGEST_SINGLE = 1e5  # its sixth power, times the features and the pairs, still is a number in single precision
CMMD_BANDWIDTH, CMMD_SCALE = 10.0, 1000.0  # Jayasumana et al. 2024


class SubsetKernelDistance(NamedTuple):
    """Mean and population standard deviation over subsets; the sd is neither a standard error nor an interval."""

    mean: float
    sd: float
    subsets: int
    subset_size: int


def kernel_distance(real: Any, fake: Any) -> float:
    """Returns the unbiased squared MMD with the kernel (x.y/d + 1)^3 over all pairs: KID without its subsets' noise.

    `real` and `fake` are features (n, d). Lower is better, 0 on average for equal distributions, so below 0 at times.
    Binkowski et al. 2018. Raises ValueError on fewer than two samples a side.
    """
    x, y = feature_pair(real, fake, at_least=2)
    n, m = len(x), len(y)
    if _by_moments(x, y):
        a, b = moments_of(x), moments_of(y)
        within_x, within_y, between = (pair_sum(*pair) for pair in ((a, a), (b, b), (a, b)))
    else:
        within_x, within_y, between = _row_sums_within(x).sum(), _row_sums_within(y).sum(), _row_sums(x, y)[0].sum()
    within_x, within_y = within_x - _own(x).sum(), within_y - _own(y).sum()
    return float(within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * between / (n * m))


def kernel_distance_interval(real: Any, fake: Any, *, level: float = LEVEL) -> Interval:
    """Returns kernel_distance with its standard error as a U-statistic, and the normal interval.

    The variance is that of the projections on each sample, less what the projections count twice of the second order, so
    that it is right for equal distributions too (where the first order vanishes).
    """
    x, y = feature_pair(real, fake, at_least=4)
    n, m = len(x), len(y)
    if _by_moments(x, y):
        a, b = moments_of(x), moments_of(y)
        (own_x, cross_x), (cross_y, own_y) = projections(x, (a, b)), projections(y, (a, b))
    else:
        own_x, own_y, (cross_x, cross_y) = _row_sums_within(x), _row_sums_within(y), _row_sums(x, y)
    own_x, own_y = own_x - _own(x), own_y - _own(y)
    value = float(own_x.sum() / (n * (n - 1)) + own_y.sum() / (m * (m - 1)) - 2 * cross_x.sum() / (n * m))
    of_x, of_y = own_x / (n - 1) - cross_x / m, own_y / (m - 1) - cross_y / n
    first = 4 * of_x.var(ddof=1) / n + 4 * of_y.var(ddof=1) / m
    vxx, vyy, vxy = _second_order(x[:SECOND_ORDER_SAMPLES], y[:SECOND_ORDER_SAMPLES])
    second = 2 * vxx / (n * (n - 1)) + 2 * vyy / (m * (m - 1)) + 4 * vxy / (n * m)
    error = math.sqrt(max(first - second, second, 0.0))
    reach = normal_quantile(level) * error
    return Interval(value, value - reach, value + reach, error, 0.0, "U-statistic variance")


def kernel_distance_subsets(
    real: Any, fake: Any, *, subsets: int = SUBSETS, subset_size: int = SUBSET_SIZE, seed: int = SUBSET_SEED
) -> SubsetKernelDistance:
    """Returns KID as torch-fidelity draws it: subsets without replacement from one legacy random stream, products in the
    features' own precision, sums in float64.

    Raises ValueError where a side has fewer samples than a subset: give a smaller `subset_size`, and say so beside the score.
    """
    x, y = _in_own_precision(real, "real"), _in_own_precision(fake, "fake")
    feature_pair(x[:1], y[:1])
    few = min(len(x), len(y))
    if few < subset_size or subset_size < 2 or subsets < 1:
        raise ValueError(
            f"{subsets} subsets of {subset_size} cannot be drawn from {len(x)} real and {len(y)} fake samples: "
            + (
                f"give a subset_size of 2 to {few}, which is a protocol of its own"
                if few >= 2
                else "at least 2 of each are needed"
            )
        )
    random = np.random.RandomState(seed)
    drawn = [tuple(random.choice(len(side), subset_size, replace=False) for side in (x, y)) for _ in range(subsets)]
    values = np.empty(subsets)

    def work(every: slice) -> None:
        size = _subset_rows(subset_size, x.shape[1]) * subset_size
        buffers = np.empty(size, dtype=np.result_type(x, y)), np.empty(size, dtype=np.result_type(x, y))
        for i in range(subsets)[every]:
            values[i] = _unbiased(x[drawn[i][0]], y[drawn[i][1]], buffers)

    threads = thread_count()
    on_threads(work, [slice(first, None, threads) for first in range(min(threads, subsets))])
    return SubsetKernelDistance(float(values.mean()), float(values.std()), subsets, subset_size)


def gaussian_kernel_distance(
    real: Any, fake: Any, *, bandwidth: float = CMMD_BANDWIDTH, scale: float = CMMD_SCALE
) -> float:
    """Returns scale * MMD^2 with the kernel exp(-|x-y|^2 / 2 bandwidth^2), all pairs and the diagonal in it (CMMD's estimator).

    On unit-norm CLIP embeddings with the defaults this is CMMD (Jayasumana et al. 2024). Lower is better, 0 for equal sets.
    """
    return gaussian_kernel_distance_interval(real, fake, bandwidth=bandwidth, scale=scale, blocks=1).value


def gaussian_kernel_distance_interval(
    real: Any,
    fake: Any,
    *,
    bandwidth: float = CMMD_BANDWIDTH,
    scale: float = CMMD_SCALE,
    level: float = LEVEL,
    blocks: int = BLOCKS,
) -> Interval:
    """Returns gaussian_kernel_distance with the delete-a-block jackknife interval of the true distance, from one pass over the pairs.

    Blocks are taken in the samples' order, which must be random. With one block there is no interval: its ends are NaN.
    """
    if not bandwidth > 0:
        raise ValueError(f"the bandwidth is {bandwidth}; a number above zero was expected")
    x, y = feature_pair(real, fake)
    parts = [np.array_split(np.arange(len(side)), max(1, min(blocks, len(side) // 2))) for side in (x, y)]
    middle = x.mean(axis=0)
    x, y = x - middle, y - middle  # distances do not change with the origin, their rounding does
    xx, yy, xy = (
        _gaussian_block_sums(a, b, bandwidth, of_a, of_b)
        for a, b, of_a, of_b in ((x, x, *parts[:1] * 2), (y, y, *parts[1:] * 2), (x, y, *parts))
    )
    sizes = [np.array([len(part) for part in side]) for side in parts]

    def without(i: int | None, j: int | None) -> float:
        keep = [np.arange(len(size)) != left_out for size, left_out in zip(sizes, (i, j))]
        n, m = (float(size[kept].sum()) for size, kept in zip(sizes, keep))
        a, b, c = (k[np.ix_(p, q)].sum() for k, p, q in ((xx, *keep[:1] * 2), (yy, *keep[1:] * 2), (xy, *keep)))
        return scale * float(a / n**2 + b / m**2 - 2 * c / (n * m))

    value = without(None, None)
    if min(len(size) for size in sizes) < 2:
        return Interval(value, math.nan, math.nan, math.nan, math.nan, "none")
    left_out = [[without(i, None) for i in range(len(sizes[0]))], [without(None, j) for j in range(len(sizes[1]))]]
    return combine_jackknife(value, left_out, level=level, lowest=0.0, method="block jackknife")


def median_bandwidth(real: Any, most: int = 2000) -> float:
    """Returns the median distance between reals, a bandwidth that fits features of any scale."""
    x, _ = feature_pair(real, real, at_least=2)
    x = x[:most]
    distances = np.concatenate(
        [
            block[np.arange(len(x))[None] > np.arange(rows.start, rows.stop)[:, None]]
            for rows, block in distance_blocks(x, x)
        ]
    )
    return math.sqrt(max(float(np.median(distances)), 0.0))


def _unbiased(a: np.ndarray, b: np.ndarray, buffers: tuple[np.ndarray, np.ndarray]) -> float:
    """The unbiased estimate of one subset: kernels within are symmetric, so that half of them is computed."""
    n = len(a)
    rows = _subset_rows(n, a.shape[1])
    within = sum(_sum_of_kernels(x[at], x[at.start :], buffers, within=True) for x in (a, b) for at in chunks(n, rows))
    between = sum(_sum_of_kernels(a[at], b, buffers, within=False) for at in chunks(n, rows))
    return within / (n * (n - 1)) - 2 * between / (n * n)


def _subset_rows(subset_size: int, width: int) -> int:
    return subset_size if width > WIDE else min(SUBSET_ROWS, subset_size)


def _sum_of_kernels(
    left: np.ndarray, right: np.ndarray, buffers: tuple[np.ndarray, np.ndarray], *, within: bool
) -> float:
    """Sum of (x.y/d + 1)^3 over pairs; `within`, right begins with left itself: its own pairs count twice but for the diagonal.

    Cubes by two products, since a power of three is a logarithm and an exponential; a block at a time, which stays in the cache.
    """
    size = (len(left), len(right))
    k, squares = (buffer[: size[0] * size[1]].reshape(size) for buffer in buffers)
    np.matmul(left, right.T, out=k)
    k *= 1.0 / left.shape[1]
    k += 1.0
    if within:
        np.fill_diagonal(k, 0.0)
    np.multiply(k, k, out=squares)
    rows = np.einsum("ij,ij->i", squares, k)
    if not within:
        return float(rows.sum(dtype=np.float64))
    own = np.einsum("ij,ij->i", squares[:, : len(left)], k[:, : len(left)])
    return float(2 * rows.sum(dtype=np.float64) - own.sum(dtype=np.float64))


def _in_own_precision(values: Any, who: str) -> np.ndarray:
    x = host_array(values, who)
    x = np.ascontiguousarray(x, dtype=np.float32 if x.dtype in (np.float16, np.float32) else np.float64)
    if x.ndim != 2 or not scorable(x):
        feature_matrix(x, who)  # says what is wrong
    return x.astype(np.float64) if np.abs(x).max(initial=0) > LARGEST_SINGLE else x


def _own(x: np.ndarray) -> np.ndarray:
    return (np.einsum("ij,ij->i", x, x) / x.shape[1] + 1.0) ** 3


def _by_moments(x: np.ndarray, y: np.ndarray) -> bool:
    width = x.shape[1]
    return width <= MOMENT_WIDTH and width * width <= 2 * min(len(x), len(y))


def _row_sums(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of (x.y/d + 1)^3 over y for each row of x, and over x for each row of y."""
    of_x, of_y = np.empty(len(x)), np.zeros(len(y))
    for rows in chunks(len(x)):
        k = _kernel(x[rows], y)
        of_x[rows] = k.sum(axis=1)
        of_y += k.sum(axis=0)
    return of_x, of_y


def _row_sums_within(x: np.ndarray) -> np.ndarray:
    """The same of one side with itself, of which half is computed."""
    sums = np.zeros(len(x))
    for rows in chunks(len(x)):
        k = _kernel(x[rows], x[rows.start :])
        sums[rows] += k.sum(axis=1)
        sums[rows.stop :] += k[:, len(k) :].sum(axis=0)
    return sums


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    k = x @ y.T
    k /= x.shape[1]
    k += 1.0
    k *= k * k
    return k


def _second_order(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Variances of the kernel's doubly centred part within x, within y, and between."""

    def cubes(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        k = a @ b.T / a.shape[1] + 1.0
        return k * k * k

    def within(a: np.ndarray) -> float:
        k, n = cubes(a, a), len(a)
        np.fill_diagonal(k, 0.0)
        rows, total = k.sum(axis=1) / (n - 1), k.sum() / (n * (n - 1))
        centred = k - rows[:, None] - rows[None] + total
        np.fill_diagonal(centred, 0.0)
        return float((centred**2).sum() / (n * (n - 1)))

    between = cubes(x, y)
    between -= between.mean(axis=1, keepdims=True)
    between -= between.mean(axis=0, keepdims=True)
    return within(x), within(y), float((between**2).mean())


def _gaussian_block_sums(
    x: np.ndarray, y: np.ndarray, bandwidth: float, of_x: list[np.ndarray], of_y: list[np.ndarray]
) -> np.ndarray:
    """Sums of the kernel between each block of x and each of y."""
    sums = np.zeros((len(x), len(of_y)))
    starts = [int(part[0]) for part in of_y]
    for rows, block in distance_blocks(x, y):
        np.maximum(block, 0.0, out=block)
        block *= -0.5 / bandwidth**2
        sums[rows] = np.add.reduceat(np.exp(block, out=block), starts, axis=1)
    return np.add.reduceat(sums, [int(part[0]) for part in of_x], axis=0)

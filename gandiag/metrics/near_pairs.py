"""Near pairs of two sets, exactly and fast: products in float32 tell which pairs could matter, differences in float64 decide.

A squared distance by |x|^2 + |y|^2 - 2xy in float32 is off by at most a margin. What lies further from a limit than its margin is
decided; the few pairs within it are computed again as sums of squared differences, which are exact to the last bits and the same for
copies. Where too many lie within (copies, a huge offset of one sample), the block is computed again in float64, and what is within
that margin is called a tie.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gandiag.metrics.threads import on_threads

BLOCK_ELEMENTS = 2**20  # distances held at a time by each thread
GROUPS = 128  # of columns, whose smallest distances bound the k-th nearest
PAIR_ELEMENTS = 2**18  # differences held at a time by each thread
WIDE = 512  # features above which the products are nearly all of the work: large ones, on the BLAS's own threads, ...
WIDE_BLOCK_ELEMENTS = 2**23  # ... with this many distances at a time, and the other side's rows taken ...
TILE_ELEMENTS = 2**21  # ... by tiles, since all of them in single precision would be most of what may be held
AMBIGUOUS_A_ROW = 64  # pairs within the margin beyond which a block is computed again in float64
# sums of squares from here on may leave single precision's range (3e38): those blocks are taken in double
OVERFLOWING = 1e36
SAFETY = 2.0  # times (8 + sqrt d) roundings of the squared norms: six standard deviations of a sum's rounding and more


@dataclass(frozen=True, eq=False)
class Points:
    """Samples (n, d) as they were given, the origin that blocks are taken about, and squared norms about it (n,) float64."""

    values: np.ndarray
    origin: np.ndarray
    squares: np.ndarray

    def rows(self, rows: slice, dtype: type) -> np.ndarray:
        """Those rows about the origin, in that precision; nothing of their size is held beside them."""
        values = self.values[rows]
        found: np.ndarray = np.empty(values.shape, dtype)
        for part in _stretches(len(values), values.shape[1], PAIR_ELEMENTS):
            found[part] = values[part] - self.origin
        return found

    def __len__(self) -> int:
        return len(self.values)


def as_points(values: np.ndarray, origin: np.ndarray) -> Points:
    """Returns the points about an origin; nothing of their size is copied."""
    squares = np.empty(len(values))
    for rows in _stretches(len(values), values.shape[1], PAIR_ELEMENTS):
        about = values[rows] - origin
        squares[rows] = np.einsum("ij,ij->i", about, about)
    return Points(values, origin, squares)


def kth_neighbour_squares(x: Points, k: int) -> np.ndarray:
    """Returns the squared distance (n,) float64 of each point to its k-th nearest other point."""
    found = np.empty(len(x))
    single = _fit_single(x, x)
    columns = _columns(x) if single else None

    def find(rows: slice) -> None:
        squares = None
        if single:
            block, margin = _block(x, rows, x, columns, np.float32)
            _empty_diagonal(block, rows)
            squares = _kth_of_block(block, margin, x, rows, k)
        found[rows] = _kth_in_float64(x, rows, k) if squares is None else squares

    _in_blocks(find, x, x)
    return found


@dataclass(frozen=True, eq=False)
class Limit:
    """Squared distances within which a pair counts, one for each point of x (`of` 0) or of y (`of` 1), and who is told of the pairs."""

    squares: np.ndarray
    of: int
    tell: Callable[[np.ndarray, np.ndarray], None]

    def of_block(self, rows: slice) -> np.ndarray:
        """The limits of a block of x's rows against all of y: (r, 1) or (1, m)."""
        return self.squares[rows, None] if self.of == 0 else self.squares[None]


def pairs_within(x: Points, y: Points, limits: Sequence[Limit], *, inclusive: bool) -> None:
    """Tells each limit, block by block, of the pairs (indices of x, indices of y) that are nearer; `inclusive` counts an equal distance."""
    single = _fit_single(x, y)
    columns = _columns(y) if single else None
    telling = threading.Lock()

    def find(rows: slice) -> None:
        block, margin = _block(x, rows, y, columns, np.float32) if single else (None, None)
        for limit in limits:
            at_most = limit.of_block(rows)
            decided = None
            if block is not None and margin is not None:
                decided = _decided(block, margin, at_most, x, y, rows, inclusive=inclusive)
            near = _by_products(x, y, rows, at_most, inclusive=inclusive) if decided is None else decided
            with telling:
                limit.tell(near[0] + rows.start, near[1])

    _in_blocks(find, x, y)


def _fit_single(x: Points, y: Points) -> bool:
    """Whether squared distances stay within single precision: those of a diverged generator's points do not."""
    return bool(x.squares.max() + y.squares.max() < OVERFLOWING)


def _columns(y: Points) -> np.ndarray | None:
    """All rows in single precision where they are narrow; None where they are taken by tiles."""
    return None if y.values.shape[1] > WIDE else y.rows(slice(None), np.float32)


def _in_blocks(work: Callable[[slice], None], x: Points, y: Points) -> None:
    """Does all rows of x: narrow ones on threads, wide ones in order, each product on all threads."""
    if y.values.shape[1] <= WIDE:
        on_threads(work, _stretches(len(x), len(y), BLOCK_ELEMENTS))
        return
    for rows in _stretches(len(x), len(y), WIDE_BLOCK_ELEMENTS):
        work(rows)


def _by_products(x: Points, y: Points, rows: slice, limit: np.ndarray, *, inclusive: bool) -> tuple[np.ndarray, ...]:
    """The pairs of a block by products in float64; what lies within their rounding of its limit is a tie."""
    block, margin = _block(x, rows, y, None, np.float64)
    slack = margin[:, None]
    return _where(block <= limit + slack if inclusive else block < limit - slack)


def _block(x: Points, rows: slice, y: Points, columns: np.ndarray | None, kind: type) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances (r, m) in that precision, and how far each row's may be off (r,)."""
    width = y.values.shape[1]
    left = x.rows(rows, kind)
    left *= -2
    block: np.ndarray = np.empty((len(left), len(y)), kind)
    if columns is not None:
        np.matmul(left, columns.T, out=block)
    else:
        for part in _stretches(len(y), width, TILE_ELEMENTS):
            np.matmul(left, y.rows(part, kind).T, out=block[:, part])
    block += y.squares.astype(kind)
    block += x.squares[rows, None].astype(kind)
    rounding = SAFETY * (8 + np.sqrt(width)) * float(np.finfo(kind).eps)
    return block, rounding * (x.squares[rows] + y.squares.max())


def _kth_of_block(block: np.ndarray, margin: np.ndarray, x: Points, rows: slice, k: int) -> np.ndarray | None:
    """The exact k-th smallest of each row, or None where too many are too near to it."""
    count = len(block)
    bound = _group_bound(block, k) + 2 * margin
    at, columns = _where(block <= bound[:, None].astype(block.dtype))
    if len(at) > (AMBIGUOUS_A_ROW + k) * count:
        return None
    values = block[at, columns].astype(np.float64)
    order = np.lexsort((values, at))
    columns, values = columns[order], values[order]  # `at` is in order as it is
    starts = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=count))])
    kth = values[starts[:-1] + k - 1]
    off = 2 * margin[at]
    near = np.abs(values - kth[at]) <= off
    below = np.bincount(at[values < kth[at] - off], minlength=count)
    owners = at[near]
    exact = _squared_differences(x, owners + rows.start, x, columns[near])
    order = np.lexsort((exact, owners))
    starts = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=count))])
    return exact[order][starts[:-1] + k - below - 1]


def _kth_in_float64(x: Points, rows: slice, k: int) -> np.ndarray:
    """By products in float64, whose order is right but for ties; the distance itself by differences, so that copies tie exactly."""
    block, _ = _block(x, rows, x, None, np.float64)
    _empty_diagonal(block, rows)
    kth = np.argpartition(block, k - 1, axis=1)[:, k - 1]
    return _squared_differences(x, np.arange(rows.start, rows.stop), x, kth)


def _group_bound(block: np.ndarray, k: int) -> np.ndarray:
    """At least k values of each row are no larger than this: the k-th smallest of the groups' smallest."""
    width = block.shape[1]
    groups = min(GROUPS, width)
    whole = width // groups * groups
    smallest = block[:, :whole].reshape(len(block), -1, groups).min(axis=1)
    if whole < width:
        smallest = np.concatenate([smallest, block[:, whole:]], axis=1)
    if smallest.shape[1] <= k:
        return np.partition(block, k - 1, axis=1)[:, k - 1].astype(np.float64)
    return np.partition(smallest, k - 1, axis=1)[:, k - 1].astype(np.float64)


def _decided(
    block: np.ndarray, margin: np.ndarray, limit: np.ndarray, x: Points, y: Points, rows: slice, *, inclusive: bool
) -> tuple[np.ndarray, np.ndarray] | None:
    """The pairs of the block that are within the limit, or None where too many are too near to it."""
    slack = margin[:, None] if limit.shape[1] == 1 else margin.max()
    at, columns = _where(block <= (limit + slack).astype(block.dtype))
    limits = np.broadcast_to(limit, block.shape)[at, columns]
    unsure = block[at, columns] >= limits - 2 * margin[at]
    if int(unsure.sum()) > AMBIGUOUS_A_ROW * len(block):
        return None
    exact = _squared_differences(x, at[unsure] + rows.start, y, columns[unsure])
    inside = np.ones(len(at), dtype=bool)
    inside[unsure] = exact <= limits[unsure] if inclusive else exact < limits[unsure]
    return at[inside], columns[inside]


def _where(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """np.nonzero of a matrix, seven times as fast: numpy has a quick way for one dimension only."""
    at, columns = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return at, columns


def _squared_differences(x: Points, i: np.ndarray, y: Points, j: np.ndarray) -> np.ndarray:
    """Sums of squared differences (p,) float64 of pairs of rows."""
    found = np.empty(len(i))
    for part in _stretches(len(i), x.values.shape[1], PAIR_ELEMENTS):
        gap = x.values[i[part]].astype(np.float64) - y.values[j[part]]
        found[part] = np.einsum("ij,ij->i", gap, gap)
    return found


def _stretches(count: int, width: int, elements: int) -> list[slice]:
    step = max(1, elements // max(width, 1))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def _empty_diagonal(block: np.ndarray, rows: slice) -> None:
    block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = np.inf

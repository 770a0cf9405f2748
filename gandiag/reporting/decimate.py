"""Fewer points that lose no extreme: what lets a million steps be drawn in milliseconds, and the arrays that the page holds."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

BUCKETS = 700  # a panel is about 560 CSS pixels wide: more buckets than pixels show nothing more, and 3 MB must hold 80 curves
SMOOTH_BUCKETS = 200
SAMPLED = 512  # the median of so many values is within a twentieth of a standard deviation of that of them all
SMOOTH_FROM = 400  # below that many points a line is readable as it is
HEATMAP_COLUMNS = 240
_TYPED = {
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "float32": "f4",
    "float64": "f8",
}


def kept(values: np.ndarray, buckets: int = BUCKETS) -> np.ndarray:
    """Returns the indices, ascending, of the points to draw: each bucket's smallest and largest value, its first value that is
    not finite, and the first and last point of all. Everything where there are few points.
    """
    values = np.asarray(values)
    n = len(values)
    if n <= 2 * buckets:
        return np.arange(n)
    width = -(-n // buckets)
    low, high, parts = values, values, [np.array([0, n - 1])]
    finite = np.isfinite(values)
    if not finite.all():
        low, high = np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
        bad = np.flatnonzero(~finite)
        parts.append(bad[np.unique(bad // width, return_index=True)[1]])
    return np.unique(np.concatenate([*parts, *_each(np.argmin, low, width), *_each(np.argmax, high, width)]))


def _each(which: Callable[..., Any], values: np.ndarray, width: int) -> list[np.ndarray]:
    """Returns one index a bucket of that width; the last bucket may be shorter."""
    whole = len(values) // width
    found = [np.arange(whole) * width + which(values[: whole * width].reshape(whole, width), axis=1)]
    return (
        found if whole * width == len(values) else [*found, np.array([whole * width + which(values[whole * width :])])]
    )


def smooth(at: np.ndarray, values: np.ndarray, buckets: int = SMOOTH_BUCKETS) -> tuple[np.ndarray, np.ndarray]:
    """Returns the middle step and the median of each bucket's finite values (of SAMPLED of them, evenly spaced, in long buckets)."""
    edges = np.linspace(0, len(values), min(buckets, len(values)) + 1).astype(np.int64)
    length = np.diff(edges)
    taken = int(min(length.min(), SAMPLED))
    where = edges[:-1, None] + length[:, None] * np.arange(taken) // taken
    picked = values[where].astype(np.float64)
    picked[~np.isfinite(picked)] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a bucket in which nothing is a number stays NaN
        median = np.nanmedian(picked, axis=1) if np.isnan(picked).any() else np.median(picked, axis=1)
    return at[(edges[:-1] + edges[1:] - 1) // 2], median


def columns(
    at: np.ndarray, table: np.ndarray, limit: int = HEATMAP_COLUMNS, gather: Callable[..., np.ndarray] = np.nanmax
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first steps of at most `limit` buckets of rows (steps x entries), and what was gathered of each bucket.

    By default its largest values, so that no peak is lost; `np.nansum` for counts.
    """
    if len(at) <= limit:
        return at, table
    edges = np.linspace(0, len(at), limit + 1).astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a bucket in which nothing is a number stays NaN
        return at[edges[:-1]], np.stack([gather(table[a:b], axis=0) for a, b in pairwise(edges.tolist())])


def typed(values: Any) -> dict[str, str] | list[Any]:
    """Returns an array as plotly's typed array (base64), in the smallest type that holds it exactly; shape kept for tables."""
    array = np.asarray(values)
    if array.dtype.kind not in "iufb":
        return list(array.tolist())
    if array.dtype.kind in "iub":
        array = array.astype(_smallest_integer(array))
    elif array.dtype != np.float32:
        array = _exact_float(array.astype(np.float64))
    encoded = {
        "dtype": _TYPED[array.dtype.name],
        "bdata": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii"),
    }
    return {**encoded, "shape": ", ".join(map(str, array.shape))} if array.ndim > 1 else encoded


def _smallest_integer(array: np.ndarray) -> str:
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for name in ("uint8", "int16", "int32"):
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return name
    return "float64"


def _exact_float(array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        short = array.astype(np.float32)
        exact = np.array_equal(short.astype(np.float64), array, equal_nan=True)
    return short if exact else array


def untyped(encoded: Any) -> np.ndarray:
    """Returns the array that `typed` encoded: what a test, or anybody who parses the page, reads the charts' data with."""
    if not isinstance(encoded, dict):
        return np.asarray(encoded)
    array = np.frombuffer(base64.b64decode(encoded["bdata"]), dtype=np.dtype(encoded["dtype"]).newbyteorder("<"))
    return array.reshape([int(n) for n in encoded["shape"].split(",")]) if "shape" in encoded else array

"""Features as the metrics take them: (n, d) float64 arrays, finite, real first; whatever else is given is refused in words."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGEST = 1e24  # the kernel distance's variance takes twelfth powers, whose sums are infinite from about 1e25 on


def feature_matrix(values: Any, who: str, *, at_least: int = 1) -> np.ndarray:
    """Returns features (n, d) as a float64 array on the host; a tensor of any device or an array of any numeric type will do.

    Raises ValueError where they are not two-dimensional, not finite, above LARGEST, or fewer than `at_least`, TypeError where
    not numeric.
    """
    x = host_array(values, who)
    if x.ndim != 2:
        raise ValueError(
            f"{who} features have shape {x.shape}; (samples, features) was expected: flatten or extract them first"
        )
    if x.shape[1] < 1:
        raise ValueError(f"{who} features have no columns")
    if len(x) < at_least:
        raise ValueError(
            f"there {'is' if len(x) == 1 else 'are'} {len(x)} {who} sample{'s' * (len(x) != 1)}; "
            f"at least {at_least} {'is' if at_least == 1 else 'are'} needed"
        )
    x = np.ascontiguousarray(x, dtype=np.float64)
    if not scorable(x):
        bad, what = ~np.isfinite(x), "NaN or infinite features"
        if not bad.any():
            bad, what = np.abs(x) > LARGEST, f"features beyond {LARGEST:g}"
        raise ValueError(
            f"{int(bad.any(axis=1).sum())} of {len(x)} {who} samples have {what}: find where they come from, they cannot be scored"
        )
    return x


def scorable(x: np.ndarray) -> bool:
    """Returns whether all values are finite, and small enough that every score of them is."""
    return bool((np.abs(x) <= LARGEST).all())


def feature_pair(real: Any, fake: Any, *, at_least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Returns both sides as float64 arrays of the same width; raises ValueError where the widths differ."""
    a, b = feature_matrix(real, "real", at_least=at_least), feature_matrix(fake, "fake", at_least=at_least)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"real features are {a.shape[1]} wide, fake ones {b.shape[1]}: both must come from the same extractor"
        )
    return a, b


def host_array(values: Any, who: str) -> np.ndarray:
    """Returns a tensor or anything array-like as a numeric numpy array on the host."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().resolve_conj().resolve_neg()
        values = values.float().numpy() if str(values.dtype) == "torch.bfloat16" else values.numpy()
    x = np.asarray(values)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{who} values have dtype {x.dtype}; numbers were expected")
    return x


def whole_numbers(labels: Any, who: str) -> np.ndarray:
    """Returns labels as int64, of any shape; raises ValueError where some are no whole numbers >= 0."""
    values = host_array(labels, who)
    if (values != np.rint(values)).any() or (values < 0).any():
        raise ValueError(f"{who} labels must be whole numbers >= 0")
    return values.astype(np.int64)

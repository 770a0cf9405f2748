"""Features as the metrics take them: (n, d) float64 arrays, finite, real first; whatever else is given is refused in words."""

from __future__ import annotations

from typing import Any

import numpy as np


def feature_matrix(values: Any, who: str, *, at_least: int = 1) -> np.ndarray:
    """Returns features (n, d) as a float64 array on the host; a tensor of any device or an array of any numeric type will do.

    Raises ValueError where they are not two-dimensional, not finite, or fewer than `at_least`, TypeError where not numeric.
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
            f"there {'is' if len(x) == 1 else 'are'} {len(x)} {who} sample{'s' * (len(x) != 1)}; at least {at_least} are needed"
        )
    x = np.ascontiguousarray(x, dtype=np.float64)
    if not np.isfinite(x).all():
        rows = int((~np.isfinite(x)).any(axis=1).sum())
        raise ValueError(
            f"{rows} of {len(x)} {who} samples have NaN or infinite features: find where they come from, they cannot be scored"
        )
    return x


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
        values = values.detach().cpu()
        values = values.float().numpy() if str(values.dtype) == "torch.bfloat16" else values.numpy()
    x = np.asarray(values)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{who} values have dtype {x.dtype}; numbers were expected")
    return x

"""How many of the data's modes or classes a generator makes, how often, and how well: for known mixtures and labelled data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandiag.metrics.inputs import feature_matrix, host_array, whole_numbers

HIGH_QUALITY_RADIUS = 3.0  # standard deviations (VEEGAN, PacGAN)
# "at least one sample" calls a smeared generator complete (ground truth: P6's control)
COVERED_SAMPLES, COVERED_OF = 20, 2500
# a rare class is covered from a fifth of its own share on: 20 of 2500 is that fifth for 25 modes
COVERED_OF_EXPECTED = 0.2


@dataclass(frozen=True)
class ModeCoverage:
    """How samples sit on the modes of a known mixture, or on the classes of labelled data.

    `covered` counts the modes with enough samples (20 of 2500, or a fifth of a rare mode's own share), `hit` those with at
    least one. `histogram` is each mode's share of the samples that lie on a mode; `kl` = KL(histogram || data histogram) in
    nats, NaN where no sample lies on any mode. `high_quality_share` and `sd_ratio` are NaN for classes.
    """

    covered: int
    hit: int
    total: int
    kl: float
    counts: np.ndarray
    histogram: np.ndarray
    data_histogram: np.ndarray
    high_quality_share: float
    sd_ratio: float


def mode_coverage(
    fake: Any, centres: Any, sd: Any, *, weights: Any = None, radius: float = HIGH_QUALITY_RADIUS
) -> ModeCoverage:
    """Returns how samples (n, d) cover a mixture of isotropic Gaussians with `centres` (K, d), `sd` scalar or (K,).

    A sample is of high quality within `radius` sd of its nearest mode, and counts for that mode only then (VEEGAN). A
    perfect 2-D sampler reads 0.988891. `weights` (K,) are the mixture's, uniform by default. `sd_ratio` is the pooled sd
    within modes over that of the mixture cut off at the same radius: 1 = right, below = shrunken. Samples that are not
    finite lie on no mode.
    """
    x, middles = host_array(fake, "fake").astype(np.float64), feature_matrix(centres, "mode centre")
    if x.ndim != 2 or x.shape[1] != middles.shape[1]:
        raise ValueError(
            f"samples of shape {x.shape} and modes of shape {middles.shape} do not fit: (n, d) and (K, d) were expected"
        )
    if not len(x):
        raise ValueError("there are no fake samples; at least one is needed")
    spread = np.broadcast_to(np.asarray(sd, dtype=np.float64), (len(middles),))
    if not (spread > 0).all():
        raise ValueError("a mode's standard deviation must be above zero")
    mode, distance = _nearest_mode(x, middles)
    good = distance <= radius * spread[mode]
    counts = np.bincount(mode[good], minlength=len(middles))
    coverage = class_coverage_of_counts(counts, weights, drawn=len(x))
    ratio = _spread_ratio(x[good], mode[good], spread, radius)
    return _with_quality(coverage, float(good.mean()), ratio)


def class_coverage(fake_labels: Any, real_labels: Any = None, *, classes: int) -> ModeCoverage:
    """Returns how labels of fakes (n,), 0 .. classes-1, cover the classes, against the data's labels or, without, uniform ones.

    Against an imbalanced data histogram `kl` and `covered` are relative to it, so that dropped minorities show.
    """
    fake = _counts(fake_labels, classes, "fake")
    weights = None if real_labels is None else _counts(real_labels, classes, "real")
    return class_coverage_of_counts(fake, weights)


def stacked_class_coverage(channel_labels: Any, *, classes: int = 10) -> ModeCoverage:
    """Returns the coverage of stacked data (stacked MNIST: 1000 modes) from each channel's label: (n, 3) whole numbers, 0 .. classes-1.

    `hit` is what papers call modes captured (at least one sample; 26 000 samples are usual), `kl` is to uniform: .0194 for a
    perfect generator at that N. Srivastava et al. 2017.
    """
    labels = whole_numbers(channel_labels, "fake")
    if labels.ndim != 2 or not labels.size or labels.max() >= classes:
        raise ValueError(f"labels (n, channels) of 0 to {classes - 1} were expected, found shape {labels.shape}")
    places = classes ** np.arange(labels.shape[1] - 1, -1, -1)
    return class_coverage(labels @ places, classes=classes ** labels.shape[1])


def class_coverage_of_counts(counts: Any, weights: Any = None, *, drawn: int | None = None) -> ModeCoverage:
    """Returns the coverage from counts (K,) of samples in each mode; `weights` (K,) are the data's, in any unit.

    `drawn` is how many samples there were, where some lie on no mode.
    """
    counts = np.asarray(counts, dtype=np.int64)
    data = _shares(weights, len(counts))
    n = int(counts.sum()) if drawn is None else drawn
    needed = np.maximum(np.minimum(COVERED_SAMPLES / COVERED_OF, COVERED_OF_EXPECTED * data) * n, 1.0)
    present = data > 0
    histogram = counts / max(counts.sum(), 1)
    return ModeCoverage(
        covered=int(((counts >= needed * (1 - 1e-12)) & present).sum()),
        hit=int(((counts > 0) & present).sum()),
        total=int(present.sum()),
        kl=histogram_kl(counts, data),
        counts=counts,
        histogram=histogram,
        data_histogram=data,
        high_quality_share=math.nan,
        sd_ratio=math.nan,
    )


def histogram_kl(counts: Any, weights: Any = None) -> float:
    """Returns KL(fakes' histogram || data's) in nats: 0 = as in the data, ln(K/m) where m of K equal modes are hit alike.

    About (K-1)/2N for N perfect samples. NaN where there are no counts, infinite where fakes fall where the data has nothing.
    """
    counts = np.asarray(counts, dtype=np.float64)
    data = _shares(weights, len(counts))
    if counts.sum() <= 0:
        return math.nan
    p = counts / counts.sum()
    on = p > 0
    if (data[on] == 0).any():
        return math.inf
    return max(float((p[on] * np.log(p[on] / data[on])).sum()), 0.0)


def _shares(weights: Any, modes: int) -> np.ndarray:
    if weights is None:
        return np.full(modes, 1.0 / modes)
    data = np.asarray(weights, dtype=np.float64)
    if data.shape != (modes,) or (data < 0).any() or not np.isfinite(data).all() or data.sum() <= 0:
        raise ValueError(f"the data's weights must be {modes} numbers >= 0, not all zero; found {data!r}")
    return data / data.sum()


def _counts(labels: Any, classes: int, who: str) -> np.ndarray:
    values = whole_numbers(labels, who)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"{who} labels of shape (n,), n >= 1, were expected; found shape {values.shape}")
    if values.max() >= classes:
        raise ValueError(f"{who} labels run from {values.min()} to {values.max()}; 0 to {classes - 1} were expected")
    return np.bincount(values, minlength=classes)


def _nearest_mode(x: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest by Euclidean distance; by differences, not by the expanded square, since modes are narrow."""
    mode, best = np.zeros(len(x), dtype=np.int64), np.full(len(x), np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        for index, centre in enumerate(centres):
            distance = np.sqrt(((x - centre) ** 2).sum(axis=1))
            nearer = distance < best
            mode[nearer], best[nearer] = index, distance[nearer]
    return mode, best


def _spread_ratio(x: np.ndarray, mode: np.ndarray, spread: np.ndarray, radius: float) -> float:
    """Pooled over modes with two samples and more, in units of each mode's own sd, about the mode's own mean."""
    from scipy.stats import chi2

    width = x.shape[1] if x.ndim == 2 else 0
    squares, free = 0.0, 0
    for index in np.unique(mode):
        members = x[mode == index]
        if len(members) > 1:
            squares += float(((members - members.mean(axis=0)) ** 2).sum()) / spread[index] ** 2
            free += (len(members) - 1) * width
    cut = float(chi2.cdf(radius**2, width + 2) / chi2.cdf(radius**2, width)) if free else 0.0
    return math.sqrt(squares / free / cut) if free and cut > 0 else math.nan


def _with_quality(coverage: ModeCoverage, share: float, ratio: float) -> ModeCoverage:
    from dataclasses import replace

    return replace(coverage, high_quality_share=share, sd_ratio=ratio)

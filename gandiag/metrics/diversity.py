"""How many different things a set of samples holds: Vendi, RKE, support size, pair similarity, fractal dimension, bins."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from gandiag.metrics.inputs import feature_matrix, feature_pair, host_array
from gandiag.metrics.intervals import LEVEL, Interval, normal_quantile
from gandiag.metrics.neighbours import distance_blocks, nearest

NDB_BINS, NDB_SIGNIFICANCE = 100, 0.05
DUPLICATE_OF_USUAL = 0.1  # nearer than a tenth of the reals' median nearest distance: a duplicate
BIRTHDAY_REPEATS = 100


class BinDifferences(NamedTuple):
    """NDB: bins whose share differs (`share_different` = NDB/K, about the significance level for equal distributions), and JS."""

    different: int
    share_different: float
    jensen_shannon: float


class BirthdayParadox(NamedTuple):
    """How often a batch of fakes holds a duplicate, and the support size that this implies (infinite where none was seen)."""

    probability: float
    support: float
    duplicate_distance: float


def vendi_score(features: Any, q: float = 1.0) -> float:
    """Returns the Vendi score of features (n, d): exp of the Renyi-q entropy of eig(K/n), K the cosine similarity.

    The effective number of distinct samples, 1 to min(n, d); higher is more diverse. Friedman and Dieng 2023; the entropy
    is Shannon's at q = 1. Rows of zeros are alike, and unlike all others. Computed on the smaller of the n x n and the d x d
    matrix, whose eigenvalues are the same.
    """
    x = _unit_rows(feature_matrix(features, "given"))
    product = x.T @ x if x.shape[0] > x.shape[1] else x @ x.T
    return _effective_number(linalg.eigvalsh(product / len(x), check_finite=False), q)


def vendi_interval(features: Any, *, level: float = LEVEL) -> Interval:
    """Returns the Vendi score (q = 1) with its standard error and normal interval at this number of samples.

    By the delta method: sample i moves the entropy of S = X^T X / n by (-x_i . log(S) x_i - H) / n, to first order. The interval
    is for the mean score of n samples: the score grows with n, so only scores of the same n are compared.
    """
    x = _unit_rows(feature_matrix(features, "given", at_least=2))
    values, vectors = linalg.eigh(x.T @ x / len(x), check_finite=False)
    logs = np.log(np.where(values > 1e-12 * values[-1], values, 1.0))
    moved = -((x @ vectors) ** 2) @ logs
    entropy = float(moved.mean())
    score, error = math.exp(entropy), math.exp(entropy) * float(moved.std(ddof=1)) / math.sqrt(len(x))
    reach = normal_quantile(level) * error
    return Interval(score, max(score - reach, 1.0), score + reach, error, 0.0, "delta method")


def _unit_rows(x: np.ndarray) -> np.ndarray:
    """Rows of length one. Rows of zeros have no direction: an axis of their own makes them like each other and unlike all else."""
    norms = np.linalg.norm(x, axis=1)
    unit: np.ndarray = x / np.where(norms > 0, norms, 1.0)[:, None]
    return unit if (norms > 0).all() else np.column_stack([unit, norms == 0])


def vendi_of_kernel(kernel: Any, q: float = 1.0) -> float:
    """Returns the Vendi score of a similarity matrix (n, n) with ones on its diagonal: exp of the entropy of eig(K/n).

    Raises ValueError where it is not symmetric or its diagonal is not one: the eigenvalues are then no distribution.
    """
    k = feature_matrix(kernel, "kernel")
    if k.shape[0] != k.shape[1]:
        raise ValueError(f"a similarity matrix (n, n) was expected, found shape {k.shape}")
    if not (np.allclose(np.diag(k), 1.0, atol=1e-4) and np.allclose(k, k.T, atol=1e-4)):
        raise ValueError("a similarity matrix is symmetric, with ones on its diagonal; this one is not")
    return _effective_number(linalg.eigvalsh(k / len(k), check_finite=False), q)


def _effective_number(eigenvalues: np.ndarray, q: float) -> float:
    """exp of the Renyi-q entropy; what rounding leaves of zero eigenvalues is none of them, which decides at orders q below one."""
    if not q >= 0:
        raise ValueError(f"the order q is {q}; a number >= 0 was expected")
    p = eigenvalues[eigenvalues > len(eigenvalues) * np.finfo(np.float64).eps * eigenvalues[-1]]
    if q == 1:
        return math.exp(-float((p * np.log(p)).sum()))
    if math.isinf(q):
        return 1.0 / float(p.max())
    return float((p**q).sum()) ** (1 / (1 - q))


def rke_score(features: Any, bandwidth: float, *, unbiased: bool = False) -> float:
    """Returns RKE-MC = 1 / mean k(x, x')^2 with k = exp(-|x - x'|^2 / 2 bandwidth^2): the number of modes at that scale.

    All pairs and i = j among them as in its reference, or without those where `unbiased`. Jalali et al. 2023. Too small a
    bandwidth reads n.
    """
    if not bandwidth > 0:
        raise ValueError(f"the bandwidth is {bandwidth}; a number above zero was expected")
    x = feature_matrix(features, "given", at_least=2)
    x = x - x.mean(axis=0)
    total = 0.0
    for _, block in distance_blocks(x, x):
        np.maximum(block, 0.0, out=block)
        block *= -1.0 / bandwidth**2
        total += float(np.exp(block, out=block).sum())
    n = len(x)
    mean = (total - n) / (n * (n - 1)) if unbiased else total / n**2
    return 1.0 / mean if mean > 0 else math.inf


def bin_differences(
    real: Any, fake: Any, *, bins: int = NDB_BINS, significance: float = NDB_SIGNIFICANCE, seed: int = 0
) -> BinDifferences:
    """Returns NDB and JS (Richardson and Weiss 2018): k-means bins on reals, each bin's shares compared by a two-proportion z.

    Lower is better. For equal distributions NDB/K is about the significance and JS about (K-1)/8 (1/n + 1/m). Raises
    ValueError where there are fewer reals than bins.
    """
    from sklearn.cluster import KMeans

    x, y = feature_pair(real, fake)
    if len(x) < bins:
        raise ValueError(f"{len(x)} real samples are too few for {bins} bins")
    fitted = KMeans(n_clusters=bins, max_iter=100, n_init=1, random_state=seed).fit(x)
    return compare_bins(
        np.bincount(fitted.labels_, minlength=bins), np.bincount(fitted.predict(y), minlength=bins), significance
    )


def compare_bins(real_counts: Any, fake_counts: Any, significance: float = NDB_SIGNIFICANCE) -> BinDifferences:
    """Returns NDB and JS from the counts (K,) of reals and of fakes in each bin."""
    from scipy.stats import norm

    a, b = np.asarray(real_counts, dtype=np.float64), np.asarray(fake_counts, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not (a.sum() > 0 and b.sum() > 0):
        raise ValueError(
            f"counts of the same bins were expected on both sides, none of them empty; found shapes {a.shape} and {b.shape}"
        )
    n, m = a.sum(), b.sum()
    p, q, pooled = a / n, b / m, (a + b) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    z = np.abs(p - q) / np.where(error > 0, error, 1.0)
    different = int((2 * norm.sf(z) < significance).sum())
    return BinDifferences(different, different / len(a), _jensen_shannon(p, q))


def birthday_probability(support: int, batch: int) -> float:
    """Returns the exact probability that `batch` draws from `support` equally likely things hold one twice."""
    if batch > support:
        return 1.0
    return -math.expm1(sum(math.log1p(-i / support) for i in range(batch)))


def birthday_support(probability: float, batch: int) -> float:
    """Returns the support size s^2 / (2 ln 1/(1-p)) that a probability of duplicates in a batch of s implies (Arora and Zhang 2017)."""
    if not 0 <= probability <= 1:
        raise ValueError(f"{probability} is no probability")
    if probability in (0.0, 1.0):
        return math.inf if probability == 0 else 0.0
    return batch**2 / (2 * -math.log1p(-probability))


def birthday_paradox(
    real: Any,
    fake: Any,
    *,
    batch: int | None = None,
    duplicate_distance: float | None = None,
    repeats: int = BIRTHDAY_REPEATS,
    seed: int = 0,
) -> BirthdayParadox:
    """Returns how often a batch of fakes holds two that are nearer than `duplicate_distance`, and the implied support size.

    By default a duplicate is nearer than a tenth of the reals' median distance to their nearest neighbour, and a batch is
    sqrt(fakes) long. Features (n, d); a larger support is better.
    """
    x, y = feature_pair(real, fake, at_least=2)
    if duplicate_distance is None:
        duplicate_distance = DUPLICATE_OF_USUAL * float(np.median(nearest(x, x, leave_one_out=True)[0]))
    size = batch or max(2, math.isqrt(len(y)))
    if not 2 <= size <= len(y):
        raise ValueError(f"a batch of {size} cannot be drawn from {len(y)} fakes: 2 to {len(y)} was expected")
    random = np.random.default_rng(seed)
    hits = 0
    for _ in range(repeats):
        drawn = y[random.choice(len(y), size, replace=False)]
        hits += bool(nearest(drawn, drawn, leave_one_out=True)[0].min() <= duplicate_distance)
    return BirthdayParadox(hits / repeats, birthday_support(hits / repeats, size), duplicate_distance)


def fractal_dimension(samples: Any, *, seeds: int = 100, bins: int = 1000, scale: float = 0.1, seed: int = 0) -> float:
    """Returns the correlation dimension of samples (n, ...): the slope of log counts over log radius about random members.

    A line reads 1, a square 2 (compare_gan's definition). Raises ValueError on fewer samples than `seeds`.
    """
    x = host_array(samples, "given")
    x = feature_matrix(x.reshape(len(x), -1) if x.size else x, "given", at_least=seeds)
    middle = x[np.random.default_rng(seed).integers(len(x), size=seeds)]
    distances = np.sort(np.concatenate([np.sqrt(np.maximum(b, 0.0)).ravel() for _, b in distance_blocks(middle, x)]))
    positive = distances[distances > 1e-9 * distances[-1]]
    if not len(positive):
        return 0.0
    radii = positive[0] * (positive[-1] / positive[0]) ** np.linspace(0, 1, bins)[1:]
    logs = np.log(np.searchsorted(distances, radii, side="left").clip(1))
    low, high = math.log(seeds), math.log(len(x) * seeds)
    centre, reach = (low + high) / 2, scale * (high - low)
    chosen = slice(int(np.argmax(logs > centre - reach)), int(np.argmax(logs > centre + reach)))
    return float(np.polyfit(np.log(radii[chosen]), logs[chosen], 1)[0])


def _jensen_shannon(p: np.ndarray, q: np.ndarray) -> float:
    middle = (p + q) / 2

    def kl(a: np.ndarray) -> float:
        on = a > 0
        return float((a[on] * np.log(a[on] / middle[on])).sum())

    return (kl(p) + kl(q)) / 2

"""Scores of quality that are no neighbours' and no kernel's: Inception Score, FD-infinity, PRD, sliced Wasserstein, path length."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gandiag.metrics.frechet import FrechetStatistics, frechet_distance, frechet_statistics
from gandiag.metrics.inputs import feature_matrix, feature_pair
from gandiag.metrics.intervals import LEVEL, Interval, mean_interval

SPLITS, SHUFFLE_SEED = 10, 2020  # torch-fidelity
INFINITY_POINTS, INFINITY_START = 15, 5000  # Chong and Forsyth 2020
CLUSTERS, ANGLES, RUNS, BETA = 20, 1001, 10, 8.0  # Sajjadi et al. 2018
PROJECTIONS = 512
PATH_STEP = 1e-4  # Karras et al. 2019


class InceptionScore(NamedTuple):
    """Mean and population standard deviation over splits."""

    mean: float
    sd: float


class FrechetInfinity(NamedTuple):
    """The Frechet distance carried to infinitely many samples, the slope against 1/N, and the smallest N that was used."""

    value: float
    slope: float
    start: int


class PrecisionRecallCurve(NamedTuple):
    """PRD: precision alpha and recall beta (angles,) at each angle; `f8` weighs recall, `f_eighth` precision."""

    precision: np.ndarray
    recall: np.ndarray
    f8: float
    f_eighth: float


def inception_score(logits: Any, *, splits: int = SPLITS, seed: int | None = SHUFFLE_SEED) -> InceptionScore:
    """Returns exp E KL(p(y|x) || p(y)) over splits, from logits (n, K), shuffled as torch-fidelity does; None keeps the order.

    1 to K, higher is better; biased downwards by K exp(-(K-1)/2n) for n samples a split. Salimans et al. 2016.
    """
    x = feature_matrix(logits, "logit")
    x = x - x.max(axis=1, keepdims=True)
    return inception_score_of_probabilities(np.exp(x) / np.exp(x).sum(axis=1, keepdims=True), splits=splits, seed=seed)


def inception_score_of_probabilities(
    probabilities: Any, *, splits: int = SPLITS, seed: int | None = SHUFFLE_SEED
) -> InceptionScore:
    """Returns the Inception Score from class probabilities (n, K); raises ValueError where rows do not sum to one."""
    p = feature_matrix(probabilities, "probability")
    if (p < 0).any() or np.abs(p.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("class probabilities must be >= 0 and sum to one in each row")
    if not 1 <= splits <= len(p):
        raise ValueError(f"{len(p)} samples cannot be cut into {splits} splits")
    if seed is not None:
        p = p[np.random.RandomState(seed).permutation(len(p))]
    scores = []
    for i in range(splits):
        part = p[i * len(p) // splits : (i + 1) * len(p) // splits]
        ratio = np.where(part > 0, part / np.maximum(part.mean(axis=0), 1e-300), 1.0)
        scores.append(math.exp(float((part * np.log(ratio)).sum(axis=1).mean())))
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def inception_score_interval(
    probabilities: Any, *, splits: int = SPLITS, seed: int | None = SHUFFLE_SEED, level: float = LEVEL
) -> Interval:
    """Returns the Inception Score from class probabilities (n, K) with its standard error and normal interval at this n and split.

    By the delta method: the score is exp of a mean of KL(p(y|x) || p(y)), and to first order p(y) moves nothing. The splits' own
    spread is that of a tenth of the samples.
    """
    score = inception_score_of_probabilities(probabilities, splits=splits, seed=seed).mean
    p = feature_matrix(probabilities, "probability")
    ratio = np.where(p > 0, p / np.maximum(p.mean(axis=0), 1e-300), 1.0)
    log = mean_interval((p * np.log(ratio)).sum(axis=1), level=level)
    reach = score * (log.high - log.value)
    return Interval(score, max(score - reach, 1.0), score + reach, score * log.standard_error, 0.0, "delta method")


def frechet_distance_infinity(
    real: Any, fake: Any, *, points: int = INFINITY_POINTS, start: int | None = None, seed: int = 0
) -> FrechetInfinity:
    """Returns the Frechet distance regressed on 1/N to N = infinity (Chong and Forsyth 2020): its bias of order 1/N taken out.

    The fakes are thinned to `points` sizes from `start` (5000, or a fifth of them where they are fewer than 10 000) to all;
    the reals are used whole, and may be FrechetStatistics.
    """
    reals = real if isinstance(real, FrechetStatistics) else frechet_statistics(real, who="real")
    y = feature_matrix(fake, "fake", at_least=10)
    first = start or (INFINITY_START if len(y) >= 2 * INFINITY_START else max(2, len(y) // 5))
    if not 2 <= first < len(y):
        raise ValueError(f"the smallest subset is {first}; 2 to {len(y) - 1} was expected")
    random = np.random.default_rng(seed)
    sizes = np.linspace(first, len(y), points).astype(np.int64)
    values = [frechet_distance(reals, y[random.permutation(len(y))[:size]]) for size in sizes]
    slope, value = np.polyfit(1.0 / sizes, values, 1)
    return FrechetInfinity(float(value), float(slope), int(first))


def precision_recall_curve(
    real: Any, fake: Any, *, clusters: int = CLUSTERS, angles: int = ANGLES, runs: int = RUNS, seed: int = 0
) -> PrecisionRecallCurve:
    """Returns PRD (Sajjadi et al. 2018): k-means on both sets together, the curve of their histograms, averaged over runs.

    F8 weighs recall, F1/8 precision, both 0 to 1, higher is better. The larger side is thinned to the smaller one's size,
    since the clustering leans to the larger.
    """
    from sklearn.cluster import MiniBatchKMeans

    x, y = feature_pair(real, fake)
    random = np.random.default_rng(seed)
    n = min(len(x), len(y))
    x, y = (a if len(a) == n else a[random.permutation(len(a))[:n]] for a in (x, y))
    if 2 * n < clusters:
        raise ValueError(f"{n} samples a side are too few for {clusters} clusters")
    curves = []
    for run in range(runs):
        labels = MiniBatchKMeans(n_clusters=clusters, n_init=10, random_state=seed + run).fit(np.vstack([x, y])).labels_
        curves.append(
            prd_of_histograms(
                np.bincount(labels[:n], minlength=clusters), np.bincount(labels[n:], minlength=clusters), angles=angles
            )
        )
    return PrecisionRecallCurve(
        np.mean([c.precision for c in curves], axis=0),
        np.mean([c.recall for c in curves], axis=0),
        float(np.mean([c.f8 for c in curves])),
        float(np.mean([c.f_eighth for c in curves])),
    )


def prd_of_histograms(real_counts: Any, fake_counts: Any, *, angles: int = ANGLES) -> PrecisionRecallCurve:
    """Returns the PRD of two histograms: alpha(l) = sum min(l p, q), beta = alpha / l, over angles of the slope l.

    F8 and F1/8 are the curve's largest, its corners (l = q/p) counted too, so that they are exact for any number of angles.
    """
    p, q = (np.asarray(c, dtype=np.float64) for c in (real_counts, fake_counts))
    if p.shape != q.shape or p.ndim != 1 or not (p.sum() > 0 and q.sum() > 0):
        raise ValueError("two histograms of the same length, neither of them empty, were expected")
    p, q = p / p.sum(), q / q.sum()
    slopes = np.tan(np.linspace(1e-10, math.pi / 2 - 1e-10, angles))
    both = (p > 0) & (q > 0)
    every = np.concatenate([slopes, q[both] / p[both]])
    alpha = np.minimum(every[:, None] * p, q).sum(axis=1)
    alpha, beta = np.minimum(alpha, 1.0), np.minimum(alpha / every, 1.0)
    return PrecisionRecallCurve(
        alpha[:angles], beta[:angles], _largest_f(alpha, beta, BETA), _largest_f(alpha, beta, 1 / BETA)
    )


def sliced_wasserstein(
    real: Any, fake: Any, *, projections: int = PROJECTIONS, order: float = 2.0, seed: int = 0
) -> float:
    """Returns the sliced Wasserstein distance (E over directions of W_p^p)^(1/p) of features (n, d), exact on each direction.

    Lower is better, 0 for equal sets. Sides of different sizes are compared by their quantile functions. Bonneel et al. 2015.
    """
    x, y = feature_pair(real, fake)
    if order < 1 or projections < 1:
        raise ValueError("the order must be at least 1, and so must the number of projections")
    random = np.random.default_rng(seed)
    directions = random.normal(size=(x.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    a, b = np.sort(x @ directions, axis=0), np.sort(y @ directions, axis=0)
    ends = np.union1d(
        np.arange(1, len(x) + 1) * len(y), np.arange(1, len(y) + 1) * len(x)
    )  # in units of 1 / (n m), exact
    widths = np.diff(ends, prepend=0) / (len(x) * len(y))
    gaps = np.abs(a[(ends - 1) // len(y)] - b[(ends - 1) // len(x)])
    return float((widths @ gaps**order).mean() ** (1 / order))


def path_length(
    generate: Callable[[Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    latent_shape: tuple[int, ...],
    *,
    samples: int = 1000,
    batch: int = 64,
    step: float = PATH_STEP,
    spherical: bool = True,
    seed: int = 0,
) -> float:
    """Returns the perceptual path length E d(G(z_t), G(z_{t+step})) / step^2 (Karras et al. 2019); lower is smoother.

    `generate` takes latents (n, *latent_shape) to images, `distance` two batches of images to (n,), an LPIPS for the score
    that papers report. Latents are normal, joined spherically, or linearly where not `spherical`. No values are trimmed.
    """
    generator = torch.Generator().manual_seed(seed)
    values = []
    with torch.no_grad():
        for start in range(0, samples, batch):
            n = min(batch, samples - start)
            a, b = (torch.randn((n, *latent_shape), generator=generator) for _ in range(2))
            t = torch.rand((n, *[1] * len(latent_shape)), generator=generator)
            join = _slerp if spherical else torch.lerp
            values.append(
                distance(generate(join(a, b, t)), generate(join(a, b, t + step))).double().reshape(n) / step**2
            )
    return float(torch.cat(values).mean())


def _slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    flat = [x.flatten(1) / x.flatten(1).norm(dim=1, keepdim=True) for x in (a, b)]
    cosine = (flat[0] * flat[1]).sum(dim=1, keepdim=True)
    angle = t.flatten(1) * torch.acos(cosine.clamp(-1, 1))
    across = flat[1] - cosine * flat[0]
    across = across / across.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return (flat[0] * angle.cos() + across * angle.sin()).reshape(a.shape) * math.sqrt(flat[0].shape[1])


def _largest_f(precision: np.ndarray, recall: np.ndarray, beta: float) -> float:
    return float(((1 + beta**2) * precision * recall / np.maximum(beta**2 * precision + recall, 1e-300)).max())

"""All scores at once: what a training records every so many steps, with intervals, the real-against-real floor and the protocol."""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandiag.metrics.feature_space import Features, check_images
from gandiag.metrics.frechet import FrechetStatistics, frechet_distance, frechet_statistics
from gandiag.metrics.inputs import feature_matrix, host_array, scorable, whole_numbers
from gandiag.metrics.intervals import frechet_interval
from gandiag.metrics.kernel import kernel_distance_interval
from gandiag.metrics.modes import (
    ModeCoverage,
    class_coverage,
    class_coverage_of_counts,
    mode_coverage,
    stacked_class_coverage,
)
from gandiag.metrics.neighbours import density_coverage, manifold_members, nearest, precision_recall

NEIGHBOUR_SAMPLES = 2500  # neighbours cost N^2: both sides are thinned to it, by seed, and the protocol says so
FLOOR_SPLITS = 4  # random halvings of the reals whose mean is the floor
# share of the reals' own labels that a classifier must find before its word on fakes is taken ...
TRUSTED_CLASSIFIER = 0.8
TRUSTED_ON_CLASS = 0.5  # ... and of each class's, or a rare class that it does not know would look dropped
CONFIDENT_CLASSIFIER = 0.85  # mean largest probability on reals without labels: digits 0.95, noise and textures below
CLASS_NEIGHBOURS = 5
FINGERPRINT_FORMAT = 1
QUANTISER = "uint8 as stored; generated images to the nearest of 256 levels on [-1, 1]"


@dataclass(frozen=True)
class Evaluation:
    """Scores by their names in `gandiag.quantities` (those on features with the features' name in brackets), labels of the vector ones,
    and the protocol that they were made by. What could not be measured is absent. `floors` are the same scores of reals against
    other reals, where they were asked for: the best that can be read at that N."""

    scores: dict[str, float | list[float]]
    labels: dict[str, list[str]]
    protocol: dict[str, Any]
    floors: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Reference:
    """The real side, made once and used for many fakes: features (n, d), labels (n,) or None, and what is computed from them."""

    features: np.ndarray
    labels: np.ndarray | None = None
    seed: int = 0
    source: str = "real"

    @cached_property
    def statistics(self) -> FrechetStatistics:
        """The reals' mean and covariance, computed once."""
        return frechet_statistics(self.features, who="real")

    @cached_property
    def thinned(self) -> np.ndarray:
        """Those of the reals' features (n, d) that neighbours are searched among, drawn by the seed."""
        return thin(self.features, NEIGHBOUR_SAMPLES, self.seed)

    @cached_property
    def unit_floor(self) -> float:
        """Frechet distance of reals against other reals, times N of a half over 2: divided by 1/N + 1/M it is the floor at N, M."""
        if len(self.features) < 4:
            return math.nan
        random = np.random.default_rng(self.seed)
        half = len(self.features) // 2
        values = []
        for _ in range(FLOOR_SPLITS):
            order = random.permutation(len(self.features))
            values.append(frechet_distance(self.features[order[:half]], self.features[order[half : 2 * half]]))
        return float(np.mean(values)) * half / 2

    def floor(self, fakes: int) -> float:
        """Returns what reals against other reals would read at these N: measured on halves, carried over by the bias law 1/N + 1/M."""
        return self.unit_floor * (1 / len(self.features) + 1 / fakes)


def make_reference(real: Tensor, features: Features, *, real_labels: Any = None, seed: int = 0) -> Reference:
    """Returns the real side of images uint8 (n, c, h, w), to be given to evaluate_images in place of the images."""
    labels = None if real_labels is None else whole_numbers(real_labels, "real")
    if labels is not None and labels.shape != (len(real),):
        raise ValueError(
            f"{len(real)} real images came with labels of shape {labels.shape}: one label an image was expected"
        )
    extracted = feature_matrix(features.extract(check_images(real)), "real", at_least=2)
    return Reference(extracted, labels, seed)


def evaluate_images(
    real: Tensor | Reference, fake: Tensor, features: Features, *, real_labels: Any = None, seed: int = 0
) -> Evaluation:
    """Scores fakes uint8 (n, c, h, w) against reals on the given features; everything that a training wants to know at once.

    Gives the Frechet distance with interval and floor, precision, recall, density, coverage, how the fakes cover the classes
    (where `features` is a classifier that knows these reals, or `real_labels` are given), and memorisation against the reals.
    `real` may be a Reference, which keeps the real side's work. The same arguments give the same numbers to the bit.
    """
    reference = (
        real if isinstance(real, Reference) else make_reference(real, features, real_labels=real_labels, seed=seed)
    )
    fakes = feature_matrix(features.extract(check_images(fake)), "fake", at_least=2)
    scores = feature_scores(reference, fakes, features.name, seed=seed)
    labels: dict[str, list[str]] = {}
    coverage = class_scores(reference, fakes, features)
    if coverage is not None:
        found, names, how = coverage
        scores.update(found)
        labels = {"mode_histogram": names, "data_mode_histogram": names}
        recall = class_recall(reference, fakes, len(names))
        if recall is not None:
            scores["class_recall"], labels["class_recall"] = recall, names
    protocol = make_protocol(features.fingerprint, reference, len(fakes), seed=seed)
    if coverage is not None:
        protocol["classes"] = how
    return Evaluation(scores, labels, protocol)


def evaluate_points(real: Any, fake: Any, centres: Any, sd: Any, weights: Any = None, *, seed: int = 0) -> Evaluation:
    """Scores points (n, d) against a known mixture (`centres` (K, d), `sd`, `weights`) and against real points (n, d).

    Fakes that are not finite, or so far out that no distance can be computed, have the mixture's scores alone.
    """
    reference = real if isinstance(real, Reference) else Reference(feature_matrix(real, "real", at_least=2), seed=seed)
    points = host_array(fake, "fake").astype(np.float64)
    coverage = mode_coverage(points, centres, sd, weights=weights)
    scores: dict[str, float | list[float]] = dict(_mode_scores(coverage))
    if scorable(points):
        scores.update(feature_scores(reference, points, "points", seed=seed))
    names = [
        " ".join(f"{value:g}" for value in np.round(centre, 3)) for centre in np.asarray(centres, dtype=np.float64)
    ]
    protocol = make_protocol({"features": "points"}, reference, len(points), seed=seed)
    protocol["mixture"] = {"modes": len(names), "high_quality_radius_sd": 3}
    return Evaluation(scores, {"mode_histogram": names, "data_mode_histogram": names}, protocol)


def evaluate_stacked(fake: Tensor, features: Features) -> Evaluation:
    """Scores stacked images uint8 (n, c, h, w), a class a channel, by a classifier of single channels: stacked MNIST with digits-cnn.

    Gives how many of the K^c modes are hit and covered, and KL to uniform. Raises ValueError where `features` is no classifier.
    """
    if features.probabilities is None or not features.classes:
        raise ValueError(f"{features.name} is no classifier: stacked modes need one, such as digits-cnn")
    images = check_images(fake)
    found = [_argmax(features, features.extract(channel).cpu().double().numpy()) for channel in images.split(1, dim=1)]
    coverage = stacked_class_coverage(np.stack(found, axis=1), classes=len(features.classes))
    scores: dict[str, float | list[float]] = {
        k: v for k, v in _mode_scores(coverage).items() if not isinstance(v, list)
    }
    protocol = {
        "format": FINGERPRINT_FORMAT,
        **features.fingerprint,
        "fake_count": len(images),
        "classes": f"{features.name} on each channel",
    }
    return Evaluation(scores, {}, protocol)


def feature_scores(reference: Reference, fakes: np.ndarray, name: str, *, seed: int) -> dict[str, float | list[float]]:
    """Returns the scores that need nothing but features, named score[name]."""
    scores: dict[str, float] = {}
    enough = len(fakes) >= 4 and len(reference.features) >= 4
    scores["frechet_distance"] = frechet_distance(reference.statistics, fakes)
    if enough:
        interval = frechet_interval(
            thin(reference.features, len(reference.features), seed), thin(fakes, len(fakes), seed)
        )
        scores["frechet_distance_low"], scores["frechet_distance_high"] = interval.low, interval.high
        scores["frechet_distance_error"] = interval.standard_error
        scores["frechet_distance_floor"] = reference.floor(len(fakes))
    few = thin(fakes, NEIGHBOUR_SAMPLES, seed + 1)
    if min(len(few), len(reference.thinned)) > 5:
        scores["precision"], scores["recall"] = precision_recall(reference.thinned, few)
        scores["density"], scores["coverage"] = density_coverage(reference.thinned, few)
    if min(len(few), len(reference.thinned)) >= 4:
        kernel = kernel_distance_interval(reference.thinned, few)
        scores["kernel_distance"], scores["kernel_distance_error"] = kernel.value, kernel.standard_error
        scores["kernel_distance_low"], scores["kernel_distance_high"] = kernel.low, kernel.high
    scores.update(_memorisation(reference.features, few))
    return {f"{key}[{name}]": value for key, value in scores.items() if not math.isnan(value)}


def thin(features: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Returns at most that many rows, drawn without replacement by the seed; their order is random in any case."""
    return features[np.random.default_rng(seed).permutation(len(features))[:most]]


def class_recall(reference: Reference, fakes: np.ndarray, classes: int) -> list[float] | None:
    """Returns for each class the share of its reals inside the fakes' manifold (k = 3), NaN for a class without reals."""
    if reference.labels is None or len(fakes) <= 3:
        return None
    order = np.random.default_rng(reference.seed).permutation(len(reference.features))[:NEIGHBOUR_SAMPLES]
    inside = manifold_members(thin(fakes, NEIGHBOUR_SAMPLES, reference.seed), reference.features[order])
    labels = reference.labels[order]
    return [float(inside[labels == c].mean()) if (labels == c).any() else math.nan for c in range(classes)]


def make_protocol(fingerprint: dict[str, Any], reference: Reference, fakes: int, *, seed: int) -> dict[str, Any]:
    """Returns the protocol fingerprint: what must be equal before two scores may be compared."""
    width = reference.features.shape[1]
    few = min(len(reference.features), fakes)
    protocol = {
        "format": FINGERPRINT_FORMAT,
        **fingerprint,
        "quantiser": "none" if fingerprint.get("features") == "points" else QUANTISER,
        "width": width,
        "real_count": len(reference.features),
        "fake_count": fakes,
        "split": reference.source,
        "seed": seed,
        "dtype": "float64",
        "neighbours_of": NEIGHBOUR_SAMPLES,
        "interval": "95 % block jackknife",
        "kernel_distance": f"cubic, all pairs of at most {NEIGHBOUR_SAMPLES}; its interval from the U-statistic's variance",
        "floor": "reals halved, carried to these counts by 1/N + 1/M",
        "versions": {
            "torch": torch.__version__.split("+")[0],
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    if few <= width:
        protocol["note"] = (
            f"{few} samples are fewer than the {width} features: the Frechet distance is exact for them, but far from its limit"
        )
    return protocol


def _memorisation(reals: np.ndarray, fakes: np.ndarray) -> dict[str, float]:
    """Authenticity, and the fakes' median distance to the nearest real over that of reals to their nearest other real."""
    if len(reals) < 3:
        return {}
    reals = reals[: 4 * NEIGHBOUR_SAMPLES]
    own, _ = nearest(reals, reals, leave_one_out=True)
    distance, index = nearest(fakes, reals)
    usual = float(np.median(own))
    scores = {"authenticity": float((distance > own[index]).mean())}
    if usual > 0:
        scores["nearest_real_distance"] = float(np.median(distance)) / usual
    return scores


def _mode_scores(coverage: ModeCoverage) -> dict[str, float | list[float]]:
    scores: dict[str, float | list[float]] = {
        "modes_covered": float(coverage.covered),
        "modes_hit": float(coverage.hit),
        "modes_total": float(coverage.total),
        "mode_kl": coverage.kl,
        "high_quality_share": coverage.high_quality_share,
        "mode_sd_ratio": coverage.sd_ratio,
        "mode_histogram": coverage.histogram.tolist(),
        "data_mode_histogram": coverage.data_histogram.tolist(),
    }
    return {k: v for k, v in scores.items() if not (isinstance(v, float) and math.isnan(v))}


def class_scores(
    reference: Reference, fakes: np.ndarray, features: Features
) -> tuple[dict[str, float | list[float]], list[str], str] | None:
    """Returns the scores of class coverage, the classes' names, and by what they were told apart; None where no classes are known."""
    found = _classes(reference, fakes, features)
    return None if found is None else (_mode_scores(found[0]), found[1], found[2])


def _classes(reference: Reference, fakes: np.ndarray, features: Features) -> tuple[ModeCoverage, list[str], str] | None:
    """How the fakes cover the classes: by the features' own classifier where it knows these reals, else by neighbours' labels."""
    if features.probabilities is not None and features.classes:
        real_found = _argmax(features, reference.features)
        names = list(features.classes)
        if _is_trusted(features, reference, real_found):
            counts = np.bincount(real_found, minlength=len(names))
            return (
                class_coverage_of_counts(np.bincount(_argmax(features, fakes), minlength=len(names)), counts),
                names,
                features.name,
            )
    if reference.labels is None:
        return None
    classes = int(reference.labels.max()) + 1
    voted = vote(reference.features, reference.labels, fakes, classes)
    return (
        class_coverage(voted, reference.labels, classes=classes),
        [str(c) for c in range(classes)],
        f"{CLASS_NEIGHBOURS} nearest reals",
    )


def _is_trusted(features: Features, reference: Reference, found: np.ndarray) -> bool:
    """Whether the features' classifier knows these reals: by their own labels, or, without those, by how sure it is of them."""
    labels = reference.labels
    if labels is None:
        assert features.probabilities is not None
        sure = features.probabilities(torch.from_numpy(reference.features).to(torch.float32)).amax(dim=1).mean()
        return float(sure) >= CONFIDENT_CLASSIFIER
    right = found == labels
    return float(right.mean()) >= TRUSTED_CLASSIFIER and all(
        right[labels == c].mean() >= TRUSTED_ON_CLASS for c in np.unique(labels)
    )


def vote(
    features: np.ndarray, labels: np.ndarray, queries: np.ndarray, classes: int, k: int = CLASS_NEIGHBOURS
) -> np.ndarray:
    """Returns the label (m,) that most of the k nearest labelled samples have."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=min(k, len(features))).fit(features).kneighbors(queries, return_distance=False)
    votes = np.zeros((len(queries), classes), dtype=np.int64)
    for column in found.T:
        votes[np.arange(len(queries)), labels[column]] += 1
    return votes.argmax(axis=1)


def _argmax(features: Features, x: np.ndarray) -> np.ndarray:
    assert features.probabilities is not None
    return features.probabilities(torch.from_numpy(x).to(torch.float32)).argmax(dim=1).cpu().numpy()

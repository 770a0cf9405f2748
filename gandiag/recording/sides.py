"""The real side of what passes by: its features, its clusters and which of them lie apart, and the scores of fakes against it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from gandiag.metrics.features import Features, load_features, to_uint8
from gandiag.metrics.inputs import feature_matrix
from gandiag.metrics.modes import class_coverage_of_counts
from gandiag.metrics.quality import Reference, feature_scores, make_protocol

CLUSTERS = 10  # of the reals: what "modes" means where nobody has named any
NEIGHBOUR = (
    2  # the second nearest: along a line the nearest is often much nearer than the next sample on the other side
)
APART = 1.5  # times that distance: clouds cut by k-means stay below, of two dimensions and more
LEAST_SIDE = 8  # of a flattened image
NEIGHBOURS_CORRELATE = 0.3  # at least, in images; in natural ones 0.9, in MNIST 0.8


@dataclass(frozen=True, eq=False)
class Side:
    """The real side of the scores: its features, its clusters, and how values become pixels."""

    reference: Reference
    features: Features | None
    centres: np.ndarray
    shares: np.ndarray
    groups: np.ndarray  # which clusters touch: a number for each, the same within a group that lies apart
    low: float
    high: float
    image: tuple[int, ...] | None  # the shape (c, h, w) in which the samples are images

    def seen_as(self, values: Tensor) -> Any:
        """Turns samples into features (n, d)."""
        if self.features is None:
            return feature_matrix(values.reshape(len(values), -1), "fake", at_least=2)
        return feature_matrix(self.features.extract(self.pixels(values)), "fake", at_least=2)

    def pixels(self, values: Tensor) -> Tensor:
        """Maps the reals' range to 0..255, for reals and fakes alike."""
        values = values.reshape(len(values), *(self.image or values.shape[1:]))
        return to_uint8((values - self.low) / (self.high - self.low) * 2 - 1)

    def shown(self, values: Tensor) -> Any:
        """Returns what the page shows: images in [-1, 1], points as they are, anything else flattened to points."""
        if self.image is not None:
            values = values.reshape(len(values), *self.image)
            return ((values - self.low) / (self.high - self.low) * 2 - 1).clamp(-1, 1)
        return values.reshape(len(values), -1)

    def score(self, fakes: Tensor, seed: int) -> tuple[dict[str, Any], dict[str, list[str]], dict[str, Any]]:
        """Returns scores, labels and protocol of these fakes."""
        found = np.asarray(self.seen_as(fakes))
        name = self.features.name if self.features is not None else "values"
        scores: dict[str, Any] = (
            dict(feature_scores(self.reference, found, name, seed=seed)) if np.isfinite(found).all() else {}
        )
        counts = np.bincount(_nearest(found, self.centres), minlength=len(self.centres))
        coverage = class_coverage_of_counts(counts, self.shares)
        scores |= {
            "modes_covered": float(coverage.covered),
            "modes_total": float(len(self.centres)),
            "mode_kl": coverage.kl,
            "mode_histogram": coverage.histogram.tolist(),
            "data_mode_histogram": coverage.data_histogram.tolist(),
            "mode_group": self.groups.tolist(),
        }
        names = [f"cluster {i}" for i in range(len(self.centres))]
        fingerprint = self.features.fingerprint if self.features is not None else {"features": "values"}
        protocol = make_protocol(fingerprint, self.reference, len(found), seed=seed)
        protocol |= {
            "modes": f"{len(self.centres)} k-means clusters of the reals",
            "pixel_range": [self.low, self.high],
        }
        return scores, dict.fromkeys(("mode_histogram", "data_mode_histogram", "mode_group"), names), protocol


def make_side(reals: Tensor, seed: int) -> Side:
    """Makes the real side: random convolution features for images of 1 or 3 channels, the values themselves for anything else."""
    from sklearn.cluster import KMeans

    image = image_shape(reals)
    features = load_features("random-conv") if image is not None else None
    low, high = _range_of(reals)
    side = Side(Reference(np.empty((0, 0))), features, np.empty((0, 0)), np.empty(0), np.empty(0), low, high, image)
    found = np.asarray(side.seen_as(reals), dtype=np.float64)
    clusters = min(CLUSTERS, max(1, len(found) // 20))
    fitted = KMeans(clusters, n_init=4, random_state=seed).fit(found)
    shares = np.bincount(fitted.labels_, minlength=clusters) / len(found)
    return Side(
        Reference(found, seed=seed, source="seen by the discriminator"),
        features,
        fitted.cluster_centers_,
        shares,
        groups_of(found, fitted.labels_),
        low,
        high,
        image,
    )


def groups_of(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns the number of the group that each cluster of points (n, d) belongs to: clusters that lie apart from all others are their own.

    Two clusters touch where samples of them are no further from each other than APART times the distance to a near neighbour that nearly all
    samples of either keep (its quantile of .95). What k-means cuts out of one cloud touches; what lies apart is a mode that can be lost.
    """
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial.distance import cdist

    count = int(labels.max()) + 1
    distance = cdist(points, points)
    apart = np.where(distance > 0, distance, np.inf)  # the same sample twice is no neighbour
    nearest = np.sort(apart, axis=1)[:, min(NEIGHBOUR, len(points)) - 1]
    members = [np.flatnonzero(labels == i) for i in range(count)]
    usual = [np.quantile(near, 0.95) if len(near := nearest[m][np.isfinite(nearest[m])]) else 0.0 for m in members]
    touch = np.zeros((count, count), dtype=bool)
    for i in range(count):
        for j in range(i):
            touch[i, j] = distance[np.ix_(members[i], members[j])].min() <= APART * max(usual[i], usual[j])
    return np.asarray(connected_components(touch, directed=False)[1])


def image_shape(reals: Tensor) -> tuple[int, ...] | None:
    """Returns the shape (c, h, w) in which samples are images, also flattened ones; None where they are not.

    Flattened values are an image where they fill a square and go together with their neighbours in a row and in a column.
    """
    if reals.ndim == 4 and reals.shape[1] in (1, 3):
        return tuple(reals.shape[1:])
    values = reals.reshape(len(reals), -1)
    for channels in (1, 3):
        side = math.isqrt(values.shape[1] // channels)
        if reals.ndim > 3 or side < LEAST_SIDE or channels * side * side != values.shape[1]:
            continue
        grid = values.reshape(len(values), channels, side, side)
        grid = grid - grid.mean()
        variance = grid.square().mean()
        along = (grid[..., 1:] * grid[..., :-1]).mean(), (grid[..., 1:, :] * grid[..., :-1, :]).mean()
        if min(float(a) for a in along) > NEIGHBOURS_CORRELATE * float(variance) > 0:
            return channels, side, side
    return None


def _nearest(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    values = np.nan_to_num(values)
    return np.argmin((values**2).sum(1)[:, None] - 2 * values @ centres.T + (centres**2).sum(1), axis=1)


def _range_of(reals: Tensor) -> tuple[float, float]:
    """Returns the range that the reals are in: [-1, 1], [0, 1] or [0, 255] where they fit one of them, else their own."""
    low, high = float(reals.min()), float(reals.max())
    for a, b in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        if a - 1e-3 <= low and high <= b + 1e-3 and (high - low) > 0.5 * (b - a):
            return a, b
    return (low, high) if high > low else (low - 0.5, low + 0.5)

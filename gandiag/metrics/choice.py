"""Which features suit which data, where the user leaves it open."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from gandiag.metrics.classifier import MOST_IMAGES, classifier_features
from gandiag.metrics.feature_space import Features
from gandiag.metrics.features import load_features

KNOWN_SHARE = 0.9  # the digits-cnn is taken where it finds this share of the reals' own labels ...
LOOKED_AT = 1000  # ... among so many of them
ENOUGH_OF_A_CLASS = 20  # reals that each class needs on average before a classifier is trained on them
USEFUL_ACCURACY = 0.5  # on held-out reals, below which the classifier's features are no better than random ones
PICKS = 0x5EED


def suitable_features(
    labels: np.ndarray | None, read: Callable[[Sequence[int]], Tensor], names: Sequence[str] | None = None
) -> Features:
    """Returns the features for images with these labels (n,), or None: the digits-cnn where it knows them, else a classifier
    trained on them where that learns something, else random convolutions. `read` gives the images at some places, uint8 (n, c, h, w).
    """
    if labels is None:
        return load_features("random-conv")
    digits = load_features("digits-cnn")
    present = len(np.unique(labels))
    if present == len(digits.classes) and _knows(digits, labels, read):
        return digits
    if present < 2 or len(labels) < ENOUGH_OF_A_CLASS * present:
        return load_features("random-conv")
    own = own_classifier(labels, read, names)
    return own if own.fingerprint["heldout_accuracy"] >= USEFUL_ACCURACY else load_features("random-conv")


def own_classifier(
    labels: np.ndarray, read: Callable[[Sequence[int]], Tensor], names: Sequence[str] | None = None
) -> Features:
    """Returns the classifier trained on these images, on at most MOST_IMAGES of them, drawn by a fixed seed."""
    at = np.sort(_picked(len(labels))[:MOST_IMAGES]).tolist()
    return classifier_features(read(at), labels[at], names=names or None)


def _knows(classifier: Features, labels: np.ndarray, read: Callable[[Sequence[int]], Tensor]) -> bool:
    assert classifier.probabilities is not None
    at = _picked(len(labels))[:LOOKED_AT].tolist()
    found = classifier.probabilities(classifier.extract(read(at))).argmax(1).cpu().numpy()
    return bool((found == labels[at]).mean() >= KNOWN_SHARE)


def _picked(count: int) -> np.ndarray:
    return np.random.default_rng(PICKS).permutation(count)

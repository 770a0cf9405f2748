"""load_data: from what --data says (digits, ring, mnist:DIR, a folder, X.zip, X.npz ...) to a Dataset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gandiag.errors import UsageError, did_you_mean
from gandiag.training.data_mixtures import grid, ring
from gandiag.training.data_sampler import Sampler
from gandiag.training.dataset import Dataset, hold_out, make_dataset, to_images, to_model

__all__ = ["SOURCES", "Dataset", "Sampler", "hold_out", "load_data", "make_dataset", "to_images", "to_model"]


def digits() -> Dataset:
    """Returns scikit-learn's 1797 real handwritten 8x8 digits, their grey levels 0..16 stretched to 0..255."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    return make_dataset("digits", images, labels=bunch.target, classes=[str(i) for i in range(10)])


SOURCES: dict[str, Callable[..., Dataset]] = {"digits": digits, "ring": ring, "grid": grid}


def load_data(uri: str, *, imbalance: float | None = None, resolution: int | None = None, on_bad: str = "error") -> Dataset:
    """Reads the data that `uri` names."""
    name, _, rest = uri.partition(":")
    if name not in SOURCES:
        raise UsageError(f"unknown data {uri!r}{did_you_mean(name, list(SOURCES))}; known: {', '.join(SOURCES)}")
    options = _options(name, rest) if rest else {}
    return SOURCES[name](**options)


def _options(name: str, text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for part in text.split(","):
        key, _, value = part.partition("=")
        options[key] = float(value) if "." in value or "e" in value else int(value)
    return options

"""The decision field: what D says of each place of the plane, as a quiet ground under the samples of 2-D data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandiag.reporting.numbers import number, percent

REAL, FAKE = (0, 158, 115), (213, 94, 0)  # the page's colours of reals and fakes
OPAQUE = 110  # of 255, where D is sure
SHADES = 16  # of opacity: finer ones are not seen, and cost bytes
SIGNLESS = ("wasserstein", "relativistic")  # losses under which only differences of D's output mean anything
ABSENT = "D's decision field was not recorded; `gandiag run` keeps it beside the samples of 2-D data."


@dataclass(frozen=True)
class Field:
    """D's output over a rectangle [x0, x1, y0, y1]: `leaning` (h, w) in -1 (fake) .. 1 (real), the lowest y first; and it in words."""

    leaning: np.ndarray
    extent: tuple[float, float, float, float]
    words: str


def read_field(batch: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> Field | None:
    """Returns the field that was kept beside a batch of samples, None where there is none or it is no field."""
    values, extent = batch.get("field"), batch.get("extent")
    if values is None or extent is None or values.ndim != 2 or values.size == 0 or extent.shape != (4,):
        return None
    values, places = values.astype(np.float64), [float(e) for e in extent.astype(np.float64)]
    x0, x1, y0, y1 = places
    if not (np.isfinite(values).all() and np.isfinite(places).all() and x0 < x1 and y0 < y1):
        return None
    leaning, words = _leaning(values, about)
    return Field(leaning, (x0, x1, y0, y1), words)


def _leaning(values: np.ndarray, about: Mapping[str, Any]) -> tuple[np.ndarray, str]:
    """Returns where D leans, and in words what it says; under a loss without a sign, against the mean over the window."""
    if any(name in str(about.get("loss", "")).lower() for name in SIGNLESS):
        spread = float(values.std()) or 1.0
        leaning = np.tanh((values - values.mean()) / spread)
        return leaning, "ground: green where D's score lies above its mean over the window, orange where below"
    probability = values if _gives_probabilities(about) else 1 / (1 + np.exp(-np.clip(values, -60, 60)))
    words = (
        f"ground: green where D says real ({percent(float((probability > 0.5).mean()))} of the window), orange where fake, faint where "
        f"unsure (from {number(float(probability.min()), 2)} to {number(float(probability.max()), 2)})"
    )
    return 2 * probability - 1, words


def _gives_probabilities(about: Mapping[str, Any]) -> bool:
    players = about.get("players")
    discriminator = players.get("discriminator") if isinstance(players, Mapping) else None
    return isinstance(discriminator, Mapping) and discriminator.get("output") == "probability"


def as_pixels(field: Field) -> np.ndarray:
    """Returns the field as an image (h, w, 4) uint8, the highest y first: the colour says which way D leans, the opacity how much."""
    up = field.leaning[::-1]
    strength = np.rint(np.clip(np.abs(up), 0, 1) * SHADES) / SHADES * OPAQUE
    color = np.where((up > 0)[..., None], np.array(REAL), np.array(FAKE))
    return np.concatenate([color, strength[..., None]], axis=2).astype(np.uint8)

"""What the kept samples show of the data: the order of their channels, and whether labels belong to their samples. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from gandiag.diagnosis.evidence import Evidence
from gandiag.errors import GandiagError, NotRecorded

SAME = 1e-12  # of its square: a distance of rounding
MOST_CHANNELS = 4  # whose orders are tried
MOST_SAMPLES = 1000  # whose nearest neighbours are looked for
FEWEST_SAMPLES = 40  # with labels, before anything is said of them


@dataclass(frozen=True)
class Agreement:
    """How often a label is that of the nearest other sample: the share, what chance gives, and the standard deviation of the share by chance."""

    share: float
    chance: float
    sd: float
    count: int

    @property
    def seen(self) -> bool:
        """Whether nearness tells classes at all: far above chance."""
        return self.share > self.chance + 4 * self.sd


def kept(e: Evidence, kind: str) -> dict[str, np.ndarray] | None:
    """Returns the last kept batch of a kind (`real` or `fake`), None where none was kept or can be read."""
    run: Any = e.run
    steps = run.sample_steps(kind) if hasattr(run, "sample_steps") else []
    try:
        return run.samples(steps[-1], kind) if steps else None
    except (NotRecorded, GandiagError):
        return None


def channels_swapped(e: Evidence) -> tuple[tuple[int, ...], float, float] | None:
    """Compares the channels of the reals that D was shown with those of the reals that were kept beside them.

    Returns the order that fits, and the distances in the order as it is and in that one; None where the order as it is fits, where
    no kept images have as many channels, or where the channels are too alike to tell.
    """
    images = kept(e, "real")
    try:
        shown = e.layers("real_channel_mean").to_numpy(dtype=float)
        sd = e.now("real_sd")
    except NotRecorded:
        return None
    if images is None or "images" not in images or not 2 <= images["images"].shape[3] <= MOST_CHANNELS:
        return None
    pixels = images["images"].astype(float)
    if shown.shape[1] != pixels.shape[3] or len(shown) < 3 or not sd > 0:
        return None
    mine, theirs = (_standardised(x) for x in (shown.mean(axis=0), pixels.mean(axis=(0, 1, 2))))
    if mine is None or theirs is None:
        return None
    spread = pixels.mean(axis=(1, 2)).std(axis=0).max() / np.sqrt(len(pixels))  # how sure the kept means are
    scale = float(pixels.mean(axis=(0, 1, 2)).std())
    orders = {order: float(np.abs(mine - theirs[list(order)]).max()) for order in permutations(range(len(mine)))}
    as_is = orders[tuple(range(len(mine)))]
    best = min(orders, key=lambda order: orders[order])
    sure = 4 * float(spread) / max(scale, 1e-12)
    return (best, as_is, orders[best]) if as_is > max(sure, 0.5) and orders[best] < 0.25 * as_is else None


def _standardised(means: np.ndarray) -> np.ndarray | None:
    """Means with their own mean and spread taken out, so that two ranges can be compared; None where they hardly differ."""
    centred = means - means.mean()
    spread = float(centred.std())
    return centred / spread if spread > 1e-6 * max(1.0, float(np.abs(means).max())) else None


def agreement_of_reals(e: Evidence) -> Agreement | None:
    """How well the labels of the kept reals go with their nearest neighbours among them; None without labels."""
    found = _labelled(kept(e, "real"))
    return None if found is None else _agreement(*found, *found, alone=True)


def agreement_of_fakes(e: Evidence) -> Agreement | None:
    """How well the classes that were asked of the generator go with those of the nearest kept reals; None without labels on both sides."""
    reals, fakes = _labelled(kept(e, "real")), _labelled(kept(e, "fake"))
    if reals is None or fakes is None or reals[0].shape[1] != fakes[0].shape[1]:
        return None
    return _agreement(*fakes, *reals, alone=False)


def _labelled(batch: dict[str, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray] | None:
    if batch is None or "labels" not in batch:
        return None
    samples = batch.get("images", batch.get("points"))
    if samples is None or len(samples) < FEWEST_SAMPLES:
        return None
    flat = samples[:MOST_SAMPLES].reshape(len(samples[:MOST_SAMPLES]), -1).astype(float)
    return (flat, batch["labels"][:MOST_SAMPLES]) if np.isfinite(flat).all() else None


def _agreement(
    samples: np.ndarray, labels: np.ndarray, among: np.ndarray, classes: np.ndarray, *, alone: bool
) -> Agreement | None:
    if len(np.unique(classes)) < 2:
        return None
    squares = (samples**2).sum(1)[:, None] + (among**2).sum(1) - 2 * samples @ among.T
    if alone:  # one that was kept twice is its own nearest, and has its own label
        squares[squares <= SAME * (samples**2).sum(1)[:, None]] = np.inf
        np.fill_diagonal(squares, np.inf)
    share = float(np.mean(labels == classes[squares.argmin(axis=1)]))
    chance = float(sum(np.mean(labels == k) * np.mean(classes == k) for k in np.unique(classes)))
    return Agreement(share, chance, float(np.sqrt(chance * (1 - chance) / len(labels))), len(labels))

"""The outside view of the diagnosis benchmark: what a generator gives, by the known mixture or by held-out images; no check reads it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.diagnosis_case import Case
from benchmarks.diagnosis_mixtures import mixture
from benchmarks.diagnosis_world import CLASSES, TINT, digits, players

SAMPLES = 2500
IMAGES = ("digits", "digits28", "colour")
ENOUGH = 20  # samples in a mode for it to count


def told(z: Tensor, classes: Tensor | None) -> Tensor:
    """Returns an input of a player with its class beside it, one-hot: latents and images become (n, d + CLASSES)."""
    if classes is None:
        return z
    return torch.cat([z.flatten(1), torch.nn.functional.one_hot(classes, CLASSES).float()], 1)


def latents(case: Case, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor | None]:
    """Draws inputs of the generator and the classes that they ask for (None where there are none)."""
    z = torch.randn(count, case.latent, generator=generator)
    if case.fault == "constant-latent":
        z = torch.ones_like(z)
    classes = torch.randint(CLASSES, (count,), generator=generator) if case.conditional else None
    return told(z, classes), classes


def sample(g: nn.Module, case: Case, seed: int, count: int = SAMPLES) -> np.ndarray:
    """Draws from the generator with a random generator of its own, batch norm as in training's own batches."""
    kept = torch.get_rng_state()
    z = latents(case, count, torch.Generator().manual_seed(seed))[0]
    with torch.no_grad():
        frozen = players(case)[0]  # a copy without the recorder's hooks
        frozen.load_state_dict(g.state_dict())
        torch.set_rng_state(kept)  # making the copy has drawn weights
        return torch.cat([frozen(part) for part in z.split(250)]).flatten(1).numpy()


@cache
def neighbours(data: str) -> tuple[Any, np.ndarray, float]:
    """Returns the held-out digits as a nearest-neighbour index, their classes, and the distance that 95 % of training digits keep to them."""
    from sklearn.neighbors import NearestNeighbors

    train, held, _, classes = digits(28 if data == "digits28" else 8)
    index = NearestNeighbors(n_neighbors=1).fit(held.flatten(1).numpy())
    distance = index.kneighbors(train.flatten(1).numpy())[0][:, 0]
    return index, classes, float(np.quantile(distance, 0.95))


def held_out(case: Case) -> np.ndarray:
    """Returns reals that no training saw (n, features): held-out digits, or fresh points of the mixture."""
    if case.data == "colour":
        return np.asarray(((digits(8)[1] + 1) * torch.tensor(TINT)[:, None, None] - 1).flatten(1).numpy())
    if case.data.startswith("digits"):
        images = digits(28 if case.data == "digits28" else 8)[1].flatten(1).numpy()
        return (images + 1) / 2 if case.scale == "01" else images
    return mixture(case.data).numpy(1000, 9) + case.shift


def energy_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'|, unbiased: 0 for equal distributions, whatever they are; blur and lost modes both raise it.

    The share of good samples alone is no such score: a generator that gives the mean of all digits has the best one.
    """
    if not np.isfinite(fake).all():
        return float("inf")
    fake = fake[:1000]
    return 2 * _mean_distance(real, fake, 0) - _mean_distance(real, real, 1) - _mean_distance(fake, fake, 1)


def _mean_distance(a: np.ndarray, b: np.ndarray, own: int) -> float:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    if own:
        np.fill_diagonal(squares, 0.0)
    return float(np.sqrt(np.clip(squares, 0, None)).sum() / (len(a) * (len(b) - own)))


def shares(case: Case) -> np.ndarray:
    """Returns how often each mode or class comes in the data (modes,): the classes of digits are even to a tenth."""
    return np.full(CLASSES, 1 / CLASSES) if case.data in IMAGES else mixture(case.data).shares


def histogram(case: Case, samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the good samples in each mode or class (modes,), and the share of samples that are good."""
    if not np.isfinite(samples).all():
        return np.zeros(len(shares(case))), 0.0
    if case.data not in IMAGES:
        return mixture(case.data).counts(samples - case.shift)
    index, classes, far = neighbours(case.data)
    samples = samples * 2 - 1 if case.scale == "01" else samples
    if case.data == "colour":
        channels = samples.reshape(len(samples), 3, -1)
        samples = ((channels + 1) / np.array(TINT)[:, None] - 1).mean(axis=1)
    distance, at = (x[:, 0] for x in index.kneighbors(samples))
    good = distance <= far
    return np.bincount(classes[at[good]], minlength=CLASSES), float(good.mean())


class Labels:
    """Looks at the generator from outside and keeps what it sees."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case, self.seed = case, seed
        self.seen: list[dict[str, Any]] = []

    def look(self, case: Case, step: int, g: nn.Module, shipped: nn.Module) -> None:
        """Counts the good samples in each mode, as the data are now."""
        counts, good = histogram(case, sample(g, case, 10_000 + step))
        best = sample(shipped, case, 20_000 + step)
        self.seen.append(
            {
                "step": step,
                "covered": int((counts >= ENOUGH).sum()),
                "modes": len(counts),
                "counts": [int(c) for c in counts],
                "good": good,
                "shipped": histogram(case, best)[1],
                "held_out": energy_distance(held_out(case), best),
            }
        )

    def told(self) -> dict[str, Any]:
        """Returns the label: what was injected, and all that was seen; `benchmarks.diagnosis_truth` says what it means."""
        return {
            "name": self.case.name,
            "seed": self.seed,
            "steps": self.case.steps,
            "causes": self.case.causes,
            "injected_at": self.case.onset,
            "shares": [float(s) for s in shares(self.case)],
            "seen": self.seen,
        }

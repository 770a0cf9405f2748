"""Evaluation during a training: fakes from the moving average, drawn by a random generator of their own, scored against the training data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from gandiag.errors import UsageError
from gandiag.metrics.choice import own_classifier, suitable_features
from gandiag.metrics.features import Features, features_of_channels, load_features
from gandiag.metrics.quality import (
    Evaluation,
    Reference,
    evaluate_images,
    evaluate_points,
    evaluate_stacked,
    feature_scores,
    make_protocol,
    make_reference,
)
from gandiag.quantities import QUANTITIES
from gandiag.training.data import Dataset
from gandiag.training.dataset import seeded, subset, to_images

REFERENCE_SAMPLES = 10_000  # reals that are scored against at most
DRAW = 500  # fakes in one forward pass
PICKS = 0x5EED  # the stream of random numbers that picks the reals


@dataclass(frozen=True)
class Score:
    """The score that chooses the best checkpoint: its value, and which way is better."""

    name: str
    value: float
    better: Literal["lower", "higher"]


def make_evaluation(data: Dataset, *, features: str, count: int, seed: int = 0) -> Callable[[Tensor], Evaluation]:
    """Returns the function from fakes (images (n, c, h, w) in [-1, 1] or points (n, d)) to their scores; the real side is worked out once.

    The seed is that of the scores and not of the training: two runs are scored against the same reals.
    """
    if data.kind == "points":
        return _points_evaluation(
            _at_most(data, count, seed), seed
        )  # a known mixture's scores hardly look at the reals
    reals = _at_most(data, REFERENCE_SAMPLES, seed)
    if "stacked_classes" in reals.facts:
        return _stacked_evaluation(reals, features, seed)
    chosen = _chosen_features(reals, features)
    reference = make_reference(reals.samples, chosen, real_labels=reals.labels, seed=seed)
    return lambda fakes: evaluate_images(reference, to_images(fakes).cpu(), chosen, seed=seed)


def best_score(name: str, data: Dataset, scores: dict[str, Any]) -> Score | None:
    """Returns the score by which checkpoints are compared out of an evaluation's; None where it has no such score, or it is NaN.

    `auto` is the Frechet distance; for a known mixture, where lost modes hardly show in that, it is mode_kl.
    """
    wanted = name if name != "auto" else "mode_kl" if data.modes is not None else "frechet_distance"
    found = [key for key in scores if key == wanted or key.startswith(f"{wanted}[")]
    if not found:
        return None
    value, better = float(scores[found[0]]), QUANTITIES[wanted.partition("[")[0]].better
    return None if math.isnan(value) or better == "neither" else Score(found[0], value, better)


@torch.no_grad()
def draw_samples(
    generator: nn.Module,
    count: int,
    *,
    draw_latent: Callable[[int, torch.Generator], tuple[Tensor, Tensor | None]],
    seed: int,
    device: torch.device,
) -> tuple[Tensor, Tensor | None]:
    """Returns fakes (count, ...) on the CPU in float32 and the classes asked for; the same seed gives the same latents at every step."""
    random = torch.Generator(device).manual_seed(seed)
    fakes, classes = [], []
    for begin in range(0, count, DRAW):
        latent, labels = draw_latent(min(DRAW, count - begin), random)
        fakes.append((generator(latent) if labels is None else generator(latent, labels)).float().cpu())
        classes.append(labels)
    return torch.cat(fakes), None if classes[0] is None else torch.cat([c.cpu() for c in classes if c is not None])


def _points_evaluation(reals: Dataset, seed: int) -> Callable[[Tensor], Evaluation]:
    points = reals.samples.numpy().astype(np.float64)
    reference = Reference(points, seed=seed)
    if reals.modes is not None:
        return lambda fakes: evaluate_points(
            reference, fakes.numpy(), reals.modes, reals.mode_sd, reals.mode_weights, seed=seed
        )

    def unknown_modes(fakes: Tensor) -> Evaluation:
        found = feature_scores(reference, fakes.numpy().astype(np.float64), "points", seed=seed)
        return Evaluation(found, {}, make_protocol({"features": "points"}, reference, len(fakes), seed=seed))

    return unknown_modes


def _stacked_evaluation(reals: Dataset, features: str, seed: int) -> Callable[[Tensor], Evaluation]:
    """Stacked images: the modes by a classifier of single channels (its classes to the power of the channels), the rest on its features."""
    single = _chosen_features(_single_channels(reals), features)
    chosen = features_of_channels(single)
    reference = make_reference(reals.samples, chosen, seed=seed)

    def evaluate(fakes: Tensor) -> Evaluation:
        images = to_images(fakes).cpu()
        whole = evaluate_images(reference, images, chosen, seed=seed)
        if not single.classes:
            return whole
        modes = evaluate_stacked(images, single)
        return replace(
            whole,
            scores={**whole.scores, **modes.scores},
            protocol={**whole.protocol, "classes": modes.protocol["classes"]},
        )

    return evaluate


def _single_channels(stacked: Dataset) -> Dataset:
    """Each channel as an image of its own, with its own class: the digits that the numbers in the labels are made of."""
    classes, channels = int(stacked.facts["stacked_classes"]), stacked.shape[0]
    assert stacked.labels is not None
    places = classes ** torch.arange(channels - 1, -1, -1)
    return replace(
        stacked,
        samples=stacked.samples.flatten(0, 1)[:, None],
        labels=(stacked.labels[:, None] // places % classes).flatten(),
        classes=tuple(str(c) for c in range(classes)),
    )


def _chosen_features(reals: Dataset, name: str) -> Features:
    """`auto` are those that suit the reals, `classifier` is one trained on them."""
    if name not in ("auto", "classifier"):
        return load_features(name)
    labels = None if reals.labels is None else reals.labels.numpy()
    if name == "auto":
        return suitable_features(labels, lambda at: reals.samples[list(at)], reals.classes)
    if labels is None:
        raise UsageError(
            f"features=classifier needs labelled data, and {reals.name} has no labels: choose pixels or random-conv"
        )
    return own_classifier(labels, lambda at: reals.samples[list(at)], reals.classes)


def _at_most(data: Dataset, count: int, seed: int) -> Dataset:
    return (
        data if len(data) <= count else subset(data, torch.randperm(len(data), generator=seeded(seed, PICKS))[:count])
    )

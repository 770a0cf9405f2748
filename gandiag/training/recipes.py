"""RECIPES: every training of the mission as data, a flat set of changes to the default configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gandiag.errors import UsageError, did_you_mean

DEFAULT_RECIPE = "mlp"


@dataclass(frozen=True)
class Recipe:
    """A training as data: what it is in one line, where it comes from, and what it changes of the default configuration.

    `health` is what the recipe is known to do on the data that it names: 'healthy', 'sick', or 'open' where neither was established.
    """

    summary: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    health: Literal["healthy", "sick", "open"] = "open"
    source: str = ""


# The bench of ground truth: ring of 8, both nets 2 x 128, z of 8, batch 256, Adam (0, .99), 1e-3.
_BENCH = {
    "data": "ring:sd=0.05", "generator_width": 128, "generator_depth": 2, "discriminator_width": 128, "latent_size": 8, "batch": 256, "steps": 3000,
    "ema_images": 0, "evaluate_every": 50, "sample_every": 100, "gamma": 0.1,
}

RECIPES: dict[str, Recipe] = {
    "mlp": Recipe(
        "MLP pair, non-saturating loss with R1: healthy on digits in half a minute (the default)",
        {}, "healthy"),
    "ring-r1": Recipe(
        "MLP pair on the ring of 8 with R1: the healthy control of the mixtures",
        {**_BENCH}, "healthy"),
    "rotating-collapse": Recipe(
        "generator ten times as fast as the discriminator, with momentum: hops between modes while the losses look ideal",
        {**_BENCH, "penalties": (), "lr_g": 1e-3, "lr_d": 1e-4, "beta1": 0.5, "beta2": 0.999}, "sick", "the rates of the unrolled-GAN demo"),
}


def recipe_overrides(name: str) -> dict[str, Any]:
    """Returns what a recipe changes; raises UsageError with the nearest name where there is none of that name."""
    if name not in RECIPES:
        raise UsageError(f"there is no recipe {name!r}{did_you_mean(name, list(RECIPES))}; `gandiag recipes` lists them")
    return dict(RECIPES[name].overrides)

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

_DEFAULT = {
    "mlp": Recipe("MLP pair, non-saturating loss with R1: healthy on digits in half a minute (the default)", {}, "healthy"),
}

_CONTROLS = {
    "ring-r1": Recipe("MLP pair on the ring of 8 with R1", {**_BENCH}, "healthy"),
    "ring-r1-strong": Recipe("the same with ten times the penalty", {**_BENCH, "gamma": 1.0}, "healthy"),
    "ring-plain": Recipe("the same without any penalty: large gradients, yet healthy", {**_BENCH, "penalties": ()}, "healthy"),
    "ring-wgan-gp": Recipe(
        "WGAN-GP on the ring, five updates of D a step: the sign of D says nothing here",
        {**_BENCH, "loss": "wasserstein", "penalties": ("wgan-gp",), "d_steps": 5, "beta1": 0.5, "beta2": 0.9}, "healthy"),
    "ring-shifted": Recipe(
        "the control of vanishing-gradient: all of it but the loss",
        {**_BENCH, "penalties": (), "loss": "non-saturating", "optimizer_g": "sgd", "lr_g": 1e-2, "d_steps": 3, "data_offset": 3.0}, "open"),
}

_PATHOLOGIES = {
    "rotating-collapse": Recipe(
        "G ten times as fast as D, with momentum: hops between modes while losses and AUC look ideal",
        {**_BENCH, "penalties": (), "lr_g": 1e-3, "lr_d": 1e-4, "beta1": 0.5, "beta2": 0.999}, "sick", "the rates of the unrolled-GAN demo"),
    "dominant-discriminator": Recipe(
        "five updates of D a step at a hundred times G's rate", {**_BENCH, "penalties": (), "d_steps": 5, "lr_g": 1e-5, "lr_d": 1e-3}, "sick"),
    "vanishing-gradient": Recipe(
        "the saturating loss, G by plain SGD, data far from where G begins",
        {**_BENCH, "penalties": (), "loss": "minimax", "optimizer_g": "sgd", "lr_g": 1e-2, "d_steps": 3, "data_offset": 3.0}, "sick"),
    "few-samples": Recipe("32 training points and many steps: D memorises", {**_BENCH, "data": "ring:sd=0.05,count=32", "heldout": 0.0, "batch": 32}, "sick"),
    "weak-discriminator": Recipe(
        "D has one hidden layer of 4 units", {**_BENCH, "penalties": (), "discriminator_width": 4, "discriminator_depth": 1}, "sick"),
    "frozen-discriminator": Recipe("D never learns: its learning rate is 0", {**_BENCH, "lr_d": 0.0}, "sick"),
    "onset-collapse": Recipe(
        "healthy up to step 500; then no penalty, G at 5e-3 and D at 1e-4: it collapses at a known step",
        {**_BENCH, "steps": 1500, "evaluate_every": 10, "changes": "500: gamma=0 lr_g=0.005 lr_d=0.0001"}, "sick"),
    "onset-divergence": Recipe(
        "healthy up to step 500; then both learning rates are 0.3: it blows up at a known step",
        {**_BENCH, "steps": 1500, "evaluate_every": 10, "changes": "500: lr_g=0.3 lr_d=0.3"}, "sick"),
    "gradual-divergence": Recipe(
        "healthy up to step 500; then both learning rates rise a thousandfold within 1500 steps",
        {**_BENCH, "steps": 2500, "evaluate_every": 25, "changes": "500-2000: lr_g=1.0 lr_d=1.0"}, "sick"),
    "data-mismatch": Recipe(
        "the data in [0, 1] against a generator that ends in tanh: the commonest bug of all", {"data_scale": 0.5, "data_offset": 0.5}, "sick"),
}

RECIPES: dict[str, Recipe] = {**_DEFAULT, **_CONTROLS, **_PATHOLOGIES}


def recipe_overrides(name: str) -> dict[str, Any]:
    """Returns what a recipe changes; raises UsageError with the nearest name where there is none of that name."""
    if name not in RECIPES:
        raise UsageError(f"there is no recipe {name!r}{did_you_mean(name, list(RECIPES))}; `gandiag recipes` lists them")
    return dict(RECIPES[name].overrides)

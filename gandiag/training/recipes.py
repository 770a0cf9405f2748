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
    "data": "ring:sd=0.05",
    "generator_width": 128,
    "generator_depth": 2,
    "discriminator_width": 128,
    "latent_size": 8,
    "batch": 256,
    "steps": 3000,
    "ema_images": 0,
    "evaluate_every": 50,
    "sample_every": 100,
    "gamma": 0.1,
}

_DEFAULT = {
    "mlp": Recipe(
        "MLP pair, non-saturating loss with R1: healthy on digits in under a minute (the default)", {}, "healthy"
    ),
}

_CONTROLS = {
    "ring-r1": Recipe("MLP pair on the ring of 8 with R1", {**_BENCH}, "healthy"),
    "ring-r1-strong": Recipe("the same with ten times the penalty", {**_BENCH, "gamma": 1.0}, "healthy"),
    "ring-plain": Recipe(
        "the same without any penalty: large gradients, yet healthy", {**_BENCH, "penalties": ()}, "healthy"
    ),
    "ring-wgan-gp": Recipe(
        "WGAN-GP on the ring, five updates of D a step: the sign of D says nothing here",
        {**_BENCH, "loss": "wasserstein", "penalties": ("wgan-gp",), "d_steps": 5, "beta1": 0.5, "beta2": 0.9},
        "healthy",
    ),
    "ring-shifted": Recipe(
        "the control of vanishing-gradient: all of it but the loss",
        {
            **_BENCH,
            "penalties": (),
            "loss": "non-saturating",
            "optimizer_g": "sgd",
            "lr_g": 1e-2,
            "d_steps": 3,
            "data_offset": 3.0,
        },
        "open",
    ),
}

_PATHOLOGIES = {
    "rotating-collapse": Recipe(
        "G ten times as fast as D, with momentum: hops between modes while losses and AUC look ideal",
        {**_BENCH, "penalties": (), "lr_g": 1e-3, "lr_d": 1e-4, "beta1": 0.5, "beta2": 0.999},
        "sick",
        "the rates of the unrolled-GAN demo",
    ),
    "dominant-discriminator": Recipe(
        "five updates of D a step at a hundred times G's rate",
        {**_BENCH, "penalties": (), "d_steps": 5, "lr_g": 1e-5, "lr_d": 1e-3},
        "sick",
    ),
    "vanishing-gradient": Recipe(
        "the saturating loss, G by plain SGD, data far from where G begins",
        {
            **_BENCH,
            "penalties": (),
            "loss": "minimax",
            "optimizer_g": "sgd",
            "lr_g": 1e-2,
            "d_steps": 3,
            "data_offset": 3.0,
        },
        "sick",
    ),
    "few-samples": Recipe(
        "50 digits and hardly any penalty: D learns them by heart, and G copies them",
        {"samples": 50, "batch": 50, "gamma": 0.01, "steps": 2000, "evaluate_every": 200},
        "sick",
    ),
    "weak-discriminator": Recipe(
        "D has one hidden layer of 4 units",
        {**_BENCH, "penalties": (), "discriminator_width": 4, "discriminator_depth": 1},
        "sick",
    ),
    "frozen-discriminator": Recipe("D never learns: its learning rate is 0", {**_BENCH, "lr_d": 0.0}, "sick"),
    "onset-collapse": Recipe(
        "healthy up to step 500; then no penalty, G at 5e-3 and D all but stopped: it collapses at a known step",
        {**_BENCH, "steps": 1500, "evaluate_every": 10, "changes": "500: gamma=0 lr_g=0.005 lr_d=0.000001"},
        "sick",
    ),
    "onset-divergence": Recipe(
        "healthy up to step 500; then both learning rates are 0.3: it blows up at a known step",
        {**_BENCH, "steps": 1500, "evaluate_every": 10, "changes": "500: lr_g=0.3 lr_d=0.3"},
        "sick",
    ),
    "gradual-divergence": Recipe(
        "healthy up to step 500; then both learning rates rise a thousandfold within 1500 steps",
        {**_BENCH, "steps": 2500, "evaluate_every": 25, "changes": "500-2000: lr_g=1.0 lr_d=1.0"},
        "sick",
    ),
    "data-mismatch": Recipe(
        "the data in [0, 1] against a generator that ends in tanh: the commonest bug of all",
        {"data_scale": 0.5, "data_offset": 0.5},
        "sick",
    ),
}

# Textbooks: Adam at 2e-4 with (.5, .999), batch 64, no penalty; each once as it should be and, where it is printed with a fault, as printed.
_TEXT = {
    "batch": 64,
    "latent_size": 100,
    "penalties": (),
    "lr_g": 2e-4,
    "lr_d": 2e-4,
    "beta1": 0.5,
    "beta2": 0.999,
    "steps": 6000,
    "ema_images": 20_000,
    "evaluate_every": 500,
    "sample_every": 500,
}
_TEXT_MLP = {**_TEXT, "generator": "text-mlp", "discriminator": "text-mlp"}
_TEXT_CONV = {**_TEXT, "generator": "text-conv", "discriminator": "text-norm", "threads": 0}
_TEXT_LEAKY = {**_TEXT, "generator": "text-leaky", "discriminator": "text-leaky", "latent": "uniform"}
_TEXT_DENSE = {**_TEXT, "generator": "text-dense", "discriminator": "text-dense", "d_steps": 5}
_PRINTED = {"steps": 1500, "ema_images": 0, "evaluate_every": 100, "sample_every": 100, "diagnose_every": 100}

_TEXTS = {
    "text-mlp": Recipe("MLP 100-128-256-512-1024 against 512-256-128-1, non-saturating", _TEXT_MLP),
    "text-mlp-minimax": Recipe("the same with the minimax loss", {**_TEXT_MLP, "loss": "minimax"}),
    "text-mlp-norm": Recipe(
        "the same with a batch-normalised generator", {**_TEXT_MLP, "generator": "text-mlp-norm"}, "healthy"
    ),
    "text-conv": Recipe("convolutions from 7x7x256 up against a dense batch-normalised discriminator", _TEXT_CONV),
    "text-leaky": Recipe("leaky-ReLU MLP pair on uniform noise", _TEXT_LEAKY),
    "text-dense": Recipe("small dense pair, five updates of the discriminator a step", _TEXT_DENSE),
    "text-attention": Recipe(
        "convolutions with self-attention, spectral norm on the discriminator",
        {
            **_TEXT,
            "generator": "text-attention",
            "discriminator": "text-attention",
            "spectral_norm": True,
            "threads": 0,
        },
    ),
    "fault-unbounded": Recipe(
        "as printed: D minimises log(2 - D(x)) + log(1 - D(G(z))) and is paid without bound",
        {**_TEXT_MLP, **_PRINTED, "loss": "fault-unbounded"},
        "sick",
    ),
    "fault-cooperative": Recipe(
        "as printed: D minimises log D(x) + log(1 - D(G(z))) and helps G; its score is batch-normalised",
        {**_TEXT_CONV, **_PRINTED, "loss": "fault-cooperative", "discriminator": "text-norm-out"},
        "sick",
    ),
    "fault-shared-objective": Recipe(
        "as printed: both players minimise one sum of cross-entropies, through two sigmoids, and noise stands in for the data",
        {**_TEXT_LEAKY, **_PRINTED, "loss": "fault-shared", "data": "noise"},
        "sick",
    ),
    "fault-saturated": Recipe(
        "as printed: D, five updates a step, minimises D(x) + D(G(z)) and calls everything fake",
        {**_TEXT_DENSE, **_PRINTED, "loss": "fault-saturated"},
        "sick",
    ),
}

# The field's baselines: losses, penalties, optimizers and update ratios of their papers. Networks are sized for small images by
# `generator_width` and `discriminator_width`, and so are the learning rates where a paper's (1e-4) takes a hundred thousand steps.
_IMAGES = {
    "batch": 64,
    "latent_size": 128,
    "penalties": (),
    "lr_g": 2e-4,
    "lr_d": 2e-4,
    "steps": 5000,
    "evaluate_every": 250,
    "sample_every": 250,
    "threads": 0,
}
_SMALL = {"generator_width": 32, "discriminator_width": 32}
# PacGAN's own code shows D 100 packs a step, so that the batch grows with the pack, and moves both players on one batch.
_PAC = {
    "data": "ring:sd=0.01",
    "generator": "pac",
    "discriminator": "pac",
    "latent_size": 2,
    "batch": 100,
    "update": "simultaneous",
    "penalties": (),
    "lr_g": 1e-4,
    "lr_d": 1e-4,
    "beta1": 0.8,
    "beta2": 0.999,
    "steps": 20_000,
    "ema_images": 0,
    "evaluate_every": 1000,
    "sample_every": 1000,
}

_BASELINES = {
    "conv": Recipe(
        "small convolutional pair, non-saturating loss with R1",
        {
            **_IMAGES,
            "generator": "conv",
            "discriminator": "conv",
            "latent_size": 64,
            "penalties": ("r1",),
            "gamma": 0.5,
            "lr_g": 1e-3,
            "lr_d": 1e-3,
            "beta1": 0.0,
            "beta2": 0.99,
            "steps": 3000,
            "evaluate_every": 250,
        },
        "healthy",
    ),
    "dcgan": Recipe(
        "DCGAN",
        {**_IMAGES, "generator": "dcgan", "discriminator": "dcgan", "latent_size": 100, "beta1": 0.5, "beta2": 0.999},
        "healthy",
        "Radford et al. 2016",
    ),
    "sngan": Recipe(
        "SNGAN: residual, spectral norm, hinge, five updates of D",
        {
            **_IMAGES,
            **_SMALL,
            "generator": "sngan",
            "discriminator": "sngan",
            "loss": "hinge",
            "d_steps": 5,
            "beta1": 0.0,
            "beta2": 0.9,
            "schedule": "linear",
        },
        "open",
        "Miyato et al. 2018",
    ),
    "sagan": Recipe(
        "SAGAN: self-attention, spectral norm on both, two time scales, hinge",
        {
            **_IMAGES,
            **_SMALL,
            "generator": "sagan",
            "discriminator": "sagan",
            "loss": "hinge",
            "lr_g": 1e-4,
            "lr_d": 4e-4,
            "beta1": 0.0,
            "beta2": 0.9,
        },
        "open",
        "Zhang et al. 2019",
    ),
    "wgan": Recipe(
        "WGAN with weight clipping, RMSprop, five updates of D",
        {
            **_IMAGES,
            "generator": "mlp",
            "discriminator": "mlp",
            "loss": "wasserstein",
            "clip_weights": 0.01,
            "optimizer_g": "rmsprop",
            "optimizer_d": "rmsprop",
            "lr_g": 5e-5,
            "lr_d": 5e-5,
            "beta1": 0.0,
            "beta2": 0.99,
            "d_steps": 5,
            "threads": 1,
        },
        "open",
        "Arjovsky et al. 2017",
    ),
    "wgan-gp": Recipe(
        "WGAN with gradient penalty 10, five updates of D",
        {
            **_IMAGES,
            **_SMALL,
            "generator": "conv",
            "discriminator": "conv",
            "loss": "wasserstein",
            "penalties": ("wgan-gp",),
            "gamma": 10.0,
            "lr_g": 5e-4,
            "lr_d": 5e-4,
            "beta1": 0.0,
            "beta2": 0.9,
            "d_steps": 5,
        },
        "healthy",
        "Gulrajani et al. 2017",
    ),
    "lsgan": Recipe(
        "least-squares GAN",
        {
            **_IMAGES,
            "generator": "dcgan",
            "discriminator": "dcgan",
            "loss": "least-squares",
            "beta1": 0.5,
            "beta2": 0.999,
        },
        "healthy",
        "Mao et al. 2017",
    ),
    "dragan": Recipe(
        "DRAGAN: gradient norm 1 around the data",
        {
            **_IMAGES,
            **_SMALL,
            "generator": "conv",
            "discriminator": "conv",
            "penalties": ("dragan",),
            "gamma": 10.0,
            "lr_d": 1e-3,  # at G's rate it follows too slowly: 3 of 10 digits after 2000 steps
            "beta1": 0.5,
            "beta2": 0.999,
        },
        "healthy",
        "Kodali et al. 2017",
    ),
    "pacgan-1": Recipe("the plain GAN of PacGAN's experiments (400 000 steps there)", _PAC, "open", "Lin et al. 2018"),
    "pacgan-2": Recipe(
        "PacGAN: D sees two samples at once", {**_PAC, "pack": 2, "batch": 200}, "open", "Lin et al. 2018"
    ),
    "pacgan-4": Recipe(
        "PacGAN: D sees four samples at once", {**_PAC, "pack": 4, "batch": 400}, "open", "Lin et al. 2018"
    ),
    "unrolled": Recipe(
        "G answers D as it will be five steps on",
        {
            **_BENCH,
            "penalties": (),
            "lr_g": 1e-3,
            "lr_d": 1e-4,
            "beta1": 0.5,
            "beta2": 0.999,
            "update": "unrolled",
            "unroll": 5,
        },
        "healthy",
        "Metz et al. 2017",
    ),
    "consensus": Recipe(
        "both players minimise the game's vector field too",
        {
            **_BENCH,
            "penalties": (),
            "loss": "minimax",
            "optimizer_g": "rmsprop",
            "optimizer_d": "rmsprop",
            "lr_g": 1e-4,
            "lr_d": 1e-4,
            "update": "consensus",
            "consensus": 10.0,
        },
        "open",
        "Mescheder et al. 2017",
    ),
    "extragradient": Recipe(
        "extra-Adam: moves by the gradient one step ahead",
        {**_BENCH, "update": "extragradient"},
        "healthy",
        "Gidel et al. 2019",
    ),
    "r1-resnet": Recipe(
        "residual pair without normalisation, R1 of 10",
        {
            **_IMAGES,
            "generator": "r1-resnet",
            "discriminator": "r1-resnet",
            "generator_width": 16,
            "discriminator_width": 16,
            "penalties": ("r1",),
            "gamma": 10.0,
            "optimizer_g": "rmsprop",
            "optimizer_d": "rmsprop",
            "lr_g": 1e-4,
            "lr_d": 1e-4,
            "beta1": 0.0,
            "beta2": 0.99,
        },
        "open",
        "Mescheder et al. 2018",
    ),
    "r3gan": Recipe(
        "R3GAN: relativistic loss with R1 and R2, nothing else",
        {
            **_IMAGES,
            "generator": "r3gan",
            "discriminator": "r3gan",
            **_SMALL,
            "loss": "relativistic",
            "penalties": ("r1", "r2"),
            "gamma": 1.0,
            "beta1": 0.0,
            "beta2": 0.99,
        },
        "open",
        "Huang et al. 2024",
    ),
    "conditional": Recipe(
        "class-conditional MLP pair with a projection discriminator",
        {"conditional": True},
        "healthy",
        "Miyato and Koyama 2018",
    ),
    "few-digits": Recipe(
        "the default on 200 digits with DiffAugment",
        {"samples": 200, "augmentation": "diffaugment"},
        "open",
        "Zhao et al. 2020",
    ),
    "few-digits-ada": Recipe(
        "the default on 200 digits with adaptive augmentation",
        {"samples": 200, "augmentation": "ada"},
        "open",
        "Karras et al. 2020",
    ),
    "long-tail": Recipe("the default on digits of which the rarest class keeps a tenth", {"imbalance": 0.1}, "healthy"),
}

RECIPES: dict[str, Recipe] = {**_DEFAULT, **_TEXTS, **_BASELINES, **_CONTROLS, **_PATHOLOGIES}


def recipe_overrides(name: str) -> dict[str, Any]:
    """Returns what a recipe changes; raises UsageError with the nearest name where there is none of that name."""
    if name not in RECIPES:
        raise UsageError(
            f"there is no recipe {name!r}{did_you_mean(name, list(RECIPES))}; `gandiag recipes` lists them"
        )
    return dict(RECIPES[name].overrides)

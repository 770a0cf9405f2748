"""Recipes of the textbooks' listings: each as it should be and, where it is printed with a fault, as printed."""

from __future__ import annotations

from gandiag.training.recipe import Recipe

# Adam at 2e-4 with (.5, .999), batch 64, no penalty: what the textbooks share.
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
# What the dense texts lack on a small data set, where D soon knows the reals by heart: the default recipe's penalty and rates.
_HELD_BACK = {
    "penalties": ("r1",),
    "gamma": 5.0,
    "lr_g": 1e-3,
    "lr_d": 1e-3,
    "beta1": 0.0,
    "beta2": 0.99,
    "steps": 3000,
    "evaluate_every": 250,
    "sample_every": 250,
}
_TEXT_MLP = {**_TEXT, "generator": "text-mlp", "discriminator": "text-mlp"}
_TEXT_CONV = {**_TEXT, "generator": "text-conv", "discriminator": "text-norm", "threads": 0}
_TEXT_LEAKY = {**_TEXT, "generator": "text-leaky", "discriminator": "text-leaky", "latent": "uniform"}
_TEXT_DENSE = {**_TEXT, "generator": "text-dense", "discriminator": "text-dense", "d_steps": 5}
_PRINTED = {"steps": 1500, "ema_images": 0, "evaluate_every": 100, "sample_every": 100, "diagnose_every": 100}

TEXTS = {
    "text-mlp": Recipe(
        "MLP 100-128-256-512-1024 against 512-256-128-1, non-saturating; corrected by R1 and the default's rates",
        {**_TEXT_MLP, **_HELD_BACK},
        "healthy",
    ),
    "text-mlp-minimax": Recipe(
        "the same with the minimax loss", {**_TEXT_MLP, **_HELD_BACK, "loss": "minimax"}, "healthy"
    ),
    "text-mlp-norm": Recipe(
        "text-mlp without R1, at the text's rates, with a batch-normalised generator",
        {**_TEXT_MLP, "generator": "text-mlp-norm"},
        "healthy",
    ),
    "text-conv": Recipe(
        "convolutions from 7x7x256 up against a dense batch-normalised discriminator; corrected by DiffAugment and higher rates",
        {**_TEXT_CONV, "augmentation": "diffaugment", "lr_g": 1e-3, "lr_d": 5e-4},
        "healthy",
    ),
    "text-leaky": Recipe(
        "leaky-ReLU MLP pair on uniform noise; corrected by R1 and the default's rates",
        {**_TEXT_LEAKY, **_HELD_BACK},
        "healthy",
    ),
    "text-dense": Recipe(
        "dense pair of one hidden layer, five updates of the discriminator a step; corrected by R1 and the default's rates",
        {**_TEXT_DENSE, **_HELD_BACK, "generator_width": 512, "discriminator_width": 256},
        "healthy",
    ),
    "text-attention": Recipe(
        "convolutions with self-attention, spectral norm on the discriminator; corrected by SAGAN's two time scales",
        {
            **_TEXT,
            "generator": "text-attention",
            "discriminator": "text-attention",
            "spectral_norm": True,
            "threads": 0,
            "lr_g": 5e-4,
            "lr_d": 2e-3,
            "beta1": 0.0,
            "beta2": 0.9,
            "steps": 5000,
        },
        "healthy",
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

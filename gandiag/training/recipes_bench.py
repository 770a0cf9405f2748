"""Recipes on the bench of known health: controls that are well, and pathologies that fall ill."""

from __future__ import annotations

from gandiag.training.recipe import Recipe

# The bench of ground truth: ring of 8, both nets 2 x 128, z of 8, batch 256, Adam (0, .99), 1e-3.
BENCH = {
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

CONTROLS = {
    "ring-r1": Recipe("MLP pair on the ring of 8 with R1", {**BENCH}, "healthy"),
    "ring-r1-strong": Recipe("the same with ten times the penalty", {**BENCH, "gamma": 1.0}, "healthy"),
    "ring-plain": Recipe(
        "the same without any penalty: large gradients, yet healthy; judged by its moving average",
        {**BENCH, "penalties": (), "ema_images": 20_000},
        "healthy",
    ),
    "ring-wgan-gp": Recipe(
        "WGAN-GP on the ring, five updates of D a step: the sign of D says nothing here",
        {**BENCH, "loss": "wasserstein", "penalties": ("wgan-gp",), "d_steps": 5, "beta1": 0.5, "beta2": 0.9},
        "healthy",
    ),
    "ring-shifted": Recipe(
        "the control of vanishing-gradient: all of it but the loss",
        {
            **BENCH,
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

PATHOLOGIES = {
    "rotating-collapse": Recipe(
        "G ten times as fast as D, with momentum: hops between modes while losses and AUC look ideal",
        {**BENCH, "penalties": (), "lr_g": 1e-3, "lr_d": 1e-4, "beta1": 0.5, "beta2": 0.999},
        "sick",
        "the rates of the unrolled-GAN demo",
    ),
    "dominant-discriminator": Recipe(
        "five updates of D a step at a hundred times G's rate",
        {**BENCH, "penalties": (), "d_steps": 5, "lr_g": 1e-5, "lr_d": 1e-3},
        "sick",
    ),
    "vanishing-gradient": Recipe(
        "the saturating loss, G by plain SGD, data far from where G begins",
        {
            **BENCH,
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
        {**BENCH, "penalties": (), "discriminator_width": 4, "discriminator_depth": 1},
        "sick",
    ),
    "frozen-discriminator": Recipe("D never learns: its learning rate is 0", {**BENCH, "lr_d": 0.0}, "sick"),
    "onset-collapse": Recipe(
        "healthy up to step 500; then no penalty, G at 5e-3 and D all but stopped: it collapses at a known step",
        {**BENCH, "steps": 1500, "evaluate_every": 10, "changes": "500: gamma=0 lr_g=0.005 lr_d=0.000001"},
        "sick",
    ),
    "onset-divergence": Recipe(
        "healthy up to step 500; then both learning rates are 0.3: it blows up at a known step",
        {**BENCH, "steps": 1500, "evaluate_every": 10, "changes": "500: lr_g=0.3 lr_d=0.3"},
        "sick",
    ),
    "gradual-divergence": Recipe(
        "healthy up to step 500; then both learning rates rise a thousandfold within 1500 steps",
        {**BENCH, "steps": 2500, "evaluate_every": 25, "changes": "500-2000: lr_g=1.0 lr_d=1.0"},
        "sick",
    ),
    "data-mismatch": Recipe(
        "the data in [0, 1] against a generator that ends in tanh: the commonest bug of all",
        {"data_scale": 0.5, "data_offset": 0.5},
        "sick",
    ),
}

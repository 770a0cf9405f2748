"""Configurations on which no limit was set: data, networks, losses, schedules and faults of other kinds, about as many healthy as sick."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.diagnosis_case import Case

COLLAPSE, DOMINANCE, WEAK = ("mode_collapse",), ("discriminator_dominance",), ("discriminator_weakness",)
FAULT, MISMATCH, RUNAWAY = ("objective_fault",), ("data_mismatch",), ("divergence", "learning_rate", "mode_collapse")
DIGITS: dict[str, Any] = {"data": "digits", "latent": 32, "width": 192, "d_width": 192, "batch": 96, "steps": 600}
COLOUR: dict[str, Any] = {**DIGITS, "data": "colour", "r1": 0.5}
CLASSES: dict[str, Any] = {**DIGITS, "conditional": True, "r1": 0.5, "steps": 800}
FAST_G: dict[str, Any] = {"lr_g": 5e-3, "lr_d": 1e-4, "betas": (0.5, 0.999)}


def _healthy() -> list[Case]:
    return [
        Case("line-r1", data="line", r1=0.05, latent=2, steps=1500),
        Case("line-lsgan", data="line", loss="least-squares", r1=0.05, latent=2, steps=1500),
        Case("lopsided-r1", data="lopsided", r1=0.1),
        Case("ring-residual", nets="residual", r1=0.1, lr_g=5e-4, lr_d=5e-4),
        Case(
            "lopsided-deep-rmsprop",
            data="lopsided",
            nets="deep",
            optimizer_g="rmsprop",
            r1=0.1,
            lr_g=3e-4,
            lr_d=5e-4,
            steps=2000,
        ),
        Case("ring-small-batch", r1=0.1, batch=16, lr_g=3e-4, lr_d=3e-4, steps=2500),
        Case("colour-r1", **COLOUR),
        Case("ring-big-batch", r1=0.1, batch=1024, steps=600),
        Case("ring-small-rates", r1=0.1, batch=64, lr_g=2e-4, lr_d=2e-4, steps=2500),
        Case("ring-cosine", r1=0.1, schedule="cosine"),
        Case("ring-warm-up", r1=0.1, schedule="warm-up"),
        Case("ring-smooth-labels", loss="smooth", r1=0.1),
        Case("ring-four-to-one", r1=0.1, lr_g=5e-4, lr_d=2e-3),
        Case("ring-two-g-steps", r1=0.1, g_steps=2, lr_g=5e-4),
        Case("ring-noise", noise=0.5, clip_norm=1.0),
        Case("ring-resumed", r1=0.1, before=800, steps=800),
        Case("ring-layer-norm", nets="layer-norm", r1=0.1),
        Case("moons-wgan-gp", data="moons", loss="wasserstein", gp=0.1, d_steps=3, betas=(0.5, 0.9), steps=700),
        Case("spiral-deep", data="spiral", nets="deep", r1=0.02, lr_g=5e-4, lr_d=5e-4, steps=1500),
        Case("gauss-hinge", data="gauss10", loss="hinge", r1=0.1, latent=16),
        Case("unequal-r1", data="unequal", r1=0.1),
        Case("tabular-relativistic", data="tabular", loss="relativistic", r1=0.1, r2=0.1, latent=16),
        Case("digits-attention", nets="attention", **{**DIGITS, "width": 48}, r1=0.5),
        Case("digits-dropout", nets="dropout", **DIGITS, r1=0.2),
        Case("digits-spectral-hinge", nets="spectral", **DIGITS, loss="hinge", lr_g=5e-4, lr_d=2e-3, betas=(0.0, 0.9)),
        Case("classes-r1", **CLASSES),
    ]


def _sick() -> list[Case]:
    return [
        Case("line-rotating", COLLAPSE, data="line", **FAST_G),
        Case("lopsided-rotating", COLLAPSE, data="lopsided", loss="least-squares", **{**FAST_G, "lr_d": 5e-5}),
        Case("residual-dominance", DOMINANCE, nets="residual", d_steps=3, lr_g=3e-6, steps=500),
        Case("fault-double-sigmoid", FAULT, sigmoid=True, loss="double-sigmoid"),
        Case("fault-double-sigmoid-digits", FAULT, **DIGITS, sigmoid=True, loss="double-sigmoid", lr_g=5e-4, lr_d=5e-4),
        Case("fault-no-zero-grad", FAULT, fault="no-zero-grad", steps=800),
        Case("fault-no-zero-grad-digits", FAULT, **DIGITS, fault="no-zero-grad", lr_g=5e-4, lr_d=5e-4),
        Case("fault-sign", FAULT, nets="residual", fault="sign", r1=0.1, steps=600),
        Case("fault-all-real", FAULT, data="lopsided", loss="all-real", r1=0.1, steps=600),
        Case("mismatch-channel-order", MISMATCH, **COLOUR, scale="bgr"),
        Case("mismatch-layout", MISMATCH, **COLOUR, scale="channels-last"),
        Case("mismatch-constant", MISMATCH, **DIGITS, r1=0.5, scale="constant"),
        Case("classes-shuffled-batch", MISMATCH, **CLASSES, fault="labels-batch"),
        Case("classes-shuffled-file", MISMATCH, **CLASSES, fault="labels-file"),
        Case("fault-no-detach", (*FAULT, *COLLAPSE, *DOMINANCE, "divergence"), r1=0.1, fault="no-detach", steps=800),
        Case("spiral-rotating", COLLAPSE, data="spiral", nets="deep", **FAST_G),
        Case("tabular-collapse", COLLAPSE, data="tabular", nets="layer-norm", latent=16, **{**FAST_G, "lr_g": 1e-2}),
        Case("gauss-dominance", DOMINANCE, data="gauss10", d_steps=4, lr_g=3e-6, latent=16, steps=800),
        Case("attention-collapse", COLLAPSE, nets="attention", **{**DIGITS, "width": 48}, **{**FAST_G, "lr_d": 5e-5}),
        Case("dropout-weak", (*WEAK, *COLLAPSE), nets="dropout", dropout=0.95, d_width=64),
        Case("constant-latent", (*COLLAPSE, *FAULT), r1=0.1, fault="constant-latent"),
        Case("moons-clipped-tight", ("vanishing_generator_gradient", *WEAK, *DOMINANCE, "stagnation"), data="moons", loss="wasserstein", clip=1e-3,
             optimizer_g="rmsprop", lr_g=1e-4, lr_d=1e-4, d_steps=3, steps=800),
        Case("unequal-vanishing", ("vanishing_generator_gradient", *DOMINANCE), data="unequal", loss="minimax", optimizer_g="sgd", lr_g=1e-2,
             d_steps=3, shift=6.0, steps=800),
        Case("digits-ramp", RUNAWAY, **{**DIGITS, "steps": 1000}, r1=0.5, ramp={"lr_g": 500.0, "lr_d": 500.0}),
        Case("ring-weakening", (*COLLAPSE, *WEAK), lr_g=2e-3, betas=(0.5, 0.999), ramp={"lr_d": 1e-4}, steps=2000),
        Case("ring-freezing", (*DOMINANCE, *FAULT), d_steps=3, lr_g=3e-4, ramp={"lr_g": 1e-12}, steps=800),
        Case("ring-data-moved", (*MISMATCH, *DOMINANCE), r1=0.1, changes={700: {"shift": 4.0}}, onset=700),
        Case("digits-range-changed", MISMATCH, **{**DIGITS, "steps": 900}, r1=0.5, changes={450: {"scale": "01"}}, onset=450),
        Case("layer-norm-blow-up", RUNAWAY, nets="layer-norm", r1=0.1, changes={500: {"lr_g": 0.3, "lr_d": 0.3}}, onset=500),
    ]  # fmt: skip


FRESH = tuple(replace(case, fresh=True) for case in (*_healthy(), *_sick()))

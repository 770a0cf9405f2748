"""A third set of configurations, made after the rules had been mended on the second: other data, pairings of nets and games, and faults elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.diagnosis_case import Case
from benchmarks.diagnosis_fresh import CLASSES, COLLAPSE, DIGITS, DOMINANCE, FAST_G, FAULT, MISMATCH, RUNAWAY, WEAK

CONV: dict[str, Any] = {**DIGITS, "nets": "conv", "batch": 32, "steps": 500, "width": 16, "d_width": 16}
WIDE: dict[str, Any] = {**DIGITS, "data": "digits28", "batch": 64}
VANISHING = ("vanishing_generator_gradient", *DOMINANCE)


def _healthy() -> list[Case]:
    return [
        Case("circles-r1", data="circles", nets="deep", r1=0.05, lr_g=5e-4, lr_d=5e-4, steps=1500),
        Case("cube-r1", data="cube", r1=0.1, latent=6),
        Case("cube-spectral-hinge", data="cube", nets="spectral", loss="hinge", lr_g=5e-4, lr_d=2e-3, betas=(0.0, 0.9)),
        Case("ring-relativistic-residual", nets="residual", loss="relativistic", r1=0.1, r2=0.1, lr_g=5e-4, lr_d=5e-4),
        Case("grid-lsgan", data="grid", loss="least-squares", r1=0.05, latent=4, steps=2000),
        Case("digits28-hinge", **WIDE, loss="hinge", r1=2.0),
        Case("conv-lsgan", **CONV, loss="least-squares", r1=0.5),
        Case("digits-minimax", **DIGITS, loss="minimax", r1=0.5),
        Case("moons-r1", data="moons", r1=0.05),
        Case("unequal-wgan-gp", data="unequal", loss="wasserstein", gp=0.1, d_steps=3, betas=(0.5, 0.9), steps=700),
        Case("ring-momentum", r1=0.1, lr_g=2e-4, lr_d=2e-4, betas=(0.5, 0.999), steps=2000),
        Case("classes-hinge", **CLASSES, loss="hinge"),
        Case("digits-noise", **DIGITS, r1=0.5, noise=0.3, clip_norm=1.0),
    ]


def _sick() -> list[Case]:
    return [
        Case("moons-rotating", COLLAPSE, data="moons", nets="residual", **FAST_G),
        Case("cube-rotating", COLLAPSE, data="cube", loss="hinge", **FAST_G),
        Case("conv-rotating", COLLAPSE, **CONV, loss="least-squares", lr_g=1e-2, lr_d=5e-5, betas=(0.5, 0.999)),
        Case("circles-dominance", DOMINANCE, data="circles", d_steps=4, lr_g=3e-6, steps=800),
        Case("conv-dominance", DOMINANCE, **CONV, d_steps=3, lr_g=3e-6),
        Case("cube-vanishing", VANISHING, data="cube", loss="minimax", optimizer_g="sgd", lr_g=1e-2, d_steps=3, shift=5.0, steps=800),
        Case("grid-weak", (*WEAK, *COLLAPSE, "divergence"), data="grid", d_width=-3),
        Case("unequal-frozen", (*WEAK, *FAULT), data="unequal", lr_d=0.0, steps=600),
        Case("fault-no-detach-digits", FAULT, **DIGITS, r1=0.5, fault="no-detach"),
        Case("fault-no-zero-grad-moons", FAULT, data="moons", r1=0.1, fault="no-zero-grad", steps=800),
        Case("fault-sign-conv", FAULT, **CONV, r1=0.5, fault="sign"),
        Case("fault-double-sigmoid-moons", FAULT, data="moons", sigmoid=True, loss="double-sigmoid"),
        Case("fault-all-real-digits", FAULT, **DIGITS, loss="all-real", r1=0.5),
        Case("fault-one-optimizer-moons", FAULT, data="moons", r1=0.1, fault="one-optimizer", steps=600),
        Case("fault-detached-conv", FAULT, **CONV, r1=0.5, fault="detached"),
        Case("mismatch-same-cube", (*MISMATCH, *COLLAPSE), data="cube", r1=0.1, scale="same", steps=800),
        Case("mismatch-01-conv", MISMATCH, **CONV, r1=0.5, scale="01"),
        Case("digits-few-relativistic", ("memorisation", "discriminator_overfitting"), **{**DIGITS, "steps": 1500}, samples=40, r1=0.05,
             loss="relativistic"),
        Case("cube-onset-collapse", (*COLLAPSE, "learning_rate"), data="cube", r1=0.1, onset=600,
             changes={600: {"r1": 0.0, "lr_g": 1e-2, "lr_d": 5e-5}}),
        Case("circles-blow-up", RUNAWAY, data="circles", r1=0.1, changes={700: {"lr_g": 0.3, "lr_d": 0.3}}, onset=700),
        Case("grid-ramp", RUNAWAY, data="grid", r1=0.05, ramp={"lr_g": 300.0, "lr_d": 300.0}),
        Case("conv-nan", ("numerical_failure",), **CONV, r1=0.5, changes={300: {"poison": 1.0}}, onset=300),
    ]  # fmt: skip


LATER = tuple(replace(case, later=True) for case in (*_healthy(), *_sick()))

"""The configurations on which the limits of the diagnosis were set, on some of their seeds; on `diagnosis_fresh` and `diagnosis_later` none."""

from __future__ import annotations

from typing import Any

from benchmarks.diagnosis_case import Case
from benchmarks.diagnosis_fresh import FRESH
from benchmarks.diagnosis_later import LATER


def _cases() -> list[Case]:
    ring = {"r1": 0.1}
    digits: dict[str, Any] = {"data": "digits", "latent": 32, "width": 192, "d_width": 192, "batch": 96}
    wide: dict[str, Any] = {**digits, "data": "digits28", "batch": 64, "steps": 700}
    conv: dict[str, Any] = {**digits, "nets": "conv", "batch": 32, "steps": 500, "width": 16, "d_width": 16}
    collapse, dominance, weak = ("mode_collapse",), ("discriminator_dominance",), ("discriminator_weakness",)
    return [
        # healthy controls
        Case("ring-r1", **ring),
        Case("ring-r1-strong", r1=1.0),
        Case("ring-plain"),
        Case("ring-wgan-gp", loss="wasserstein", gp=0.1, d_steps=5, betas=(0.5, 0.9), steps=600),
        Case("ring-hinge", loss="hinge", r1=0.1),
        Case("ring-lsgan", loss="least-squares", r1=0.1),
        Case("ring-relativistic", loss="relativistic", r1=0.1, r2=0.1),
        Case("grid-r1", data="grid", r1=0.05, steps=2000, latent=4),
        Case("digits-slow", **digits, lr_g=2e-4, lr_d=2e-4, betas=(0.5, 0.999)),
        Case("digits28-slow", **wide, lr_g=2e-4, lr_d=2e-4, betas=(0.5, 0.999)),
        Case("digits-r1", **digits, r1=0.5),
        Case("digits-hinge", **digits, r1=0.5, loss="hinge"),
        Case("digits-relativistic", **digits, r1=0.5, r2=0.5, loss="relativistic"),
        Case(
            "digits-wgan-gp",
            **digits,
            loss="wasserstein",
            gp=5.0,
            d_steps=2,
            betas=(0.5, 0.9),
            lr_g=3e-4,
            lr_d=3e-4,
            steps=1000,
        ),
        Case(
            "digits-sigmoid",
            **digits,
            sigmoid=True,
            loss="non-saturating",
            lr_g=5e-4,
            lr_d=5e-4,
            betas=(0.0, 0.99),
            r1=0.5,
        ),
        Case("digits-flipped-labels", **digits, r1=0.5, loss="flipped", steps=1000),
        Case("digits28-r1", **wide, r1=2.0),
        Case("conv-r1", **conv, r1=0.5),
        # pathologies of the bench
        Case("ring-rotating", collapse, lr_d=1e-4, betas=(0.5, 0.999)),
        Case("ring-rotating-fast", collapse, lr_g=3e-3, lr_d=1e-4, betas=(0.5, 0.999)),
        Case("grid-rotating", collapse, data="grid", lr_d=1e-4, betas=(0.5, 0.999)),
        Case("ring-hinge-rotating", collapse, loss="hinge", lr_g=2e-3, lr_d=5e-5, betas=(0.5, 0.999)),
        Case("digits-collapse", collapse, **digits, lr_g=3e-3, lr_d=5e-5, betas=(0.5, 0.999)),
        Case("conv-collapse", collapse, **conv, lr_g=1e-2, lr_d=1e-4, betas=(0.5, 0.999)),
        Case("ring-dominance", dominance, d_steps=5, lr_g=1e-5, steps=800),
        Case("digits-dominance", dominance, **digits, d_steps=3, lr_g=5e-6, lr_d=1e-3),
        Case(
            "ring-vanishing",
            ("vanishing_generator_gradient",),
            loss="minimax",
            optimizer_g="sgd",
            lr_g=1e-2,
            d_steps=3,
            shift=3.0,
            steps=800,
        ),
        Case(
            "digits-vanishing",
            ("vanishing_generator_gradient",),
            **digits,
            loss="minimax",
            optimizer_g="sgd",
            lr_g=1e-2,
            d_steps=3,
            steps=1000,
        ),
        Case("ring-weak", (*weak, "mode_collapse", "divergence"), d_width=-4),
        Case("ring-frozen", (*weak, "objective_fault"), lr_d=0.0, steps=800),
        Case("digits-weak", (*weak, "mode_collapse"), **{**digits, "d_width": -2}, lr_g=2e-3),
        Case(
            "ring-onset-collapse",
            (*collapse, "learning_rate"),
            r1=0.1,
            changes={500: {"r1": 0.0, "lr_g": 1e-2, "lr_d": 5e-5}},
            onset=500,
        ),
        Case(
            "ring-onset-blow-up",
            ("divergence", "learning_rate"),
            r1=0.1,
            changes={500: {"lr_g": 0.3, "lr_d": 0.3}},
            onset=500,
        ),
        Case(
            "digits-onset-blow-up",
            ("divergence", "learning_rate"),
            **digits,
            r1=0.5,
            changes={600: {"lr_g": 0.1, "lr_d": 0.1}},
            onset=600,
        ),
        Case(
            "digits-onset-collapse",
            (*collapse, "learning_rate"),
            **digits,
            r1=0.5,
            changes={600: {"r1": 0.0, "lr_g": 1e-2, "lr_d": 5e-5}},
            onset=600,
        ),
        Case(
            "ring-ramp", ("divergence", "learning_rate", "mode_collapse"), r1=0.1, ramp={"lr_g": 300.0, "lr_d": 300.0}
        ),
        Case(
            "ring-wgan-free",
            ("objective_fault", "divergence", "mode_collapse"),  # nothing bounds its critic: that is what was injected
            loss="wasserstein",
            lr_g=1e-3,
            lr_d=1e-3,
            betas=(0.5, 0.9),
        ),
        Case("ring-high-rate", ("divergence", "learning_rate", "mode_collapse"), lr_g=5e-2, lr_d=5e-2),
        Case("ring-nan", ("numerical_failure",), r1=0.1, changes={600: {"poison": 1.0}}, onset=600),
        Case("digits-few", ("memorisation", "discriminator_overfitting"), **digits, samples=32, r1=0.05, steps=1500),
        # the game or the data are wrong
        Case(
            "fault-unbounded", ("objective_fault",), **digits, loss="fault-unbounded", lr_g=2e-4, lr_d=2e-4, steps=600
        ),
        Case(
            "fault-cooperative",
            ("objective_fault",),
            **digits,
            loss="fault-cooperative",
            lr_g=2e-4,
            lr_d=2e-4,
            steps=800,
        ),
        Case("fault-shared", ("objective_fault",), **digits, loss="fault-shared", lr_g=2e-4, lr_d=2e-4, steps=600),
        Case(
            "fault-saturated",
            ("objective_fault",),
            **digits,
            loss="fault-saturated",
            d_steps=5,
            lr_g=2e-4,
            lr_d=2e-4,
            steps=600,
        ),
        Case("fault-detached", ("objective_fault",), **digits, r1=0.5, fault="detached", steps=600),
        Case("fault-rate-zero", ("objective_fault",), **digits, r1=0.5, lr_g=0.0, steps=600),
        Case(
            "fault-one-optimizer",
            ("objective_fault",),
            **digits,
            fault="one-optimizer",
            lr_g=2e-4,
            lr_d=2e-4,
            steps=800,
        ),
        Case("mismatch-range", ("data_mismatch",), **digits, r1=0.0, scale="01", steps=800),
        Case("mismatch-repeated", ("data_mismatch",), **digits, r1=0.5, scale="same", steps=800),
    ]


CASES = {case.name: case for case in (*_cases(), *FRESH, *LATER)}

"""Sections on the losses: what each player minimises, the value of the game, penalties, and the force on the score."""

from __future__ import annotations

import math

from gandiag.diagnosis.finding import Diagnosis
from gandiag.reporting.curves import curves
from gandiag.reporting.figures import (
    BLUE,
    GREEN,
    PURPLE,
    SKY,
    VERMILLION,
    Curve,
)
from gandiag.reporting.panel import Panel, panel
from gandiag.run import Run

CHAPTER = "Losses"
MINUS_LN_4 = -math.log(4)  # value of the minimax game where D cannot tell; Goodfellow et al. 2014


def losses(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws what each player minimises."""
    wanted = [Curve("discriminator_loss", "discriminator"), Curve("generator_loss", "generator", VERMILLION, "dash")]
    return panel(
        "Losses",
        chapter=CHAPTER,
        lead="Both losses settle into a noisy band; neither runs to zero or away. A calm loss alone proves nothing: "
        "a generator that hops between modes has one too.",
        draw=lambda: curves(run, diagnosis, wanted, y="loss", log=None),
    )


def value_function(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the value of the minimax game with the −ln 4 of its optimum."""
    wanted = [
        Curve("value_function", "value function"),
        Curve("jensen_shannon_bound", "bound on the Jensen–Shannon divergence", GREEN, "dot"),
    ]
    return panel(
        "Value function",
        chapter=CHAPTER,
        lead="The value falls towards −ln 4, where D cannot tell fakes from data, and the bound on the "
        "divergence towards 0.",
        draw=lambda: curves(run, diagnosis, wanted, y="nats", references=[(MINUS_LN_4, "−ln 4: D cannot tell")]),
    )


def force_on_the_score(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws where each player pushes D's outputs."""
    wanted = [
        Curve("discriminator_force_on_real", "D on real", BLUE),
        Curve("discriminator_force_on_fake", "D on fake", SKY, "dot"),
        Curve("generator_force_on_fake", "G on fake", VERMILLION, "dash"),
        Curve("generator_force_on_real", "G on real", PURPLE, "dashdot", optional=True),
    ]
    return panel(
        "Force on the score",
        chapter=CHAPTER,
        lead="D pushes real scores up (above 0) and fake scores down (below 0), G pushes fake scores up; "
        "any other sign is a fault of the objective.",
        draw=lambda: curves(run, diagnosis, wanted, y="push on the logit", references=[(0.0, "no push")]),
    )


def penalties(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the penalty terms."""
    wanted = [
        Curve("discriminator_penalty", "discriminator"),
        Curve("generator_penalty", "generator", VERMILLION, "dash", optional=True),
    ]
    return panel(
        "Penalties",
        chapter=CHAPTER,
        lead="The penalty stays a small part of D's loss and falls as the fakes approach the data.",
        draw=lambda: curves(run, diagnosis, wanted, y="penalty", log=None),
    )

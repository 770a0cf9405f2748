"""Sections on the dynamics of the game: eigenvalues, phase portrait, curvature, distance to equilibrium, weight spectra."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.reporting.curves import curves
from gandiag.reporting.figures import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Curve,
    along,
    path,
)
from gandiag.reporting.numbers import number
from gandiag.reporting.panel import Drawing, Panel, panel
from gandiag.reporting.sections_gradients import layers
from gandiag.run import Run

CHAPTER = "Dynamics"


def eigenvalues(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the leading eigenvalues of the game's Jacobian in the complex plane, coloured by step."""

    def draw() -> Drawing:
        real, imaginary = run.layers("game_eigenvalues_real"), run.layers("game_eigenvalues_imaginary")
        real, imaginary = real.align(imaginary, join="inner", axis=0)
        at = np.repeat(real.index.to_numpy(), real.shape[1])
        x, y = real.to_numpy().ravel(), imaginary.to_numpy().ravel()
        figure = path(
            x, y, at, x_title="real part (growth)", y_title="imaginary part (rotation)", name="eigenvalues", lines=False
        )
        figure["data"][0]["meta"] = "game_eigenvalues_real, game_eigenvalues_imaginary"
        figure["layout"]["shapes"] = [
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": 0,
                "x1": 0,
                "y0": 0,
                "y1": 1,
                "line": {"width": 1, "dash": "dash", "color": VERMILLION},
                "name": "stability limit",
            }
        ]
        right = real.iloc[-1].max()
        word = (
            "all to the left of 0: locally stable"
            if right < 0
            else "the rightmost is not left of 0: not stable by itself"
        )
        turn = np.abs(imaginary.iloc[-1]).max()
        return Drawing(
            figure,
            f"At step {number(int(real.index[-1]))} the largest real part is {number(right)}, the largest imaginary part "
            f"{number(turn)} ({word}).",
            ("game_eigenvalues_real", "game_eigenvalues_imaginary"),
        )

    return panel(
        "Eigenvalues of the game",
        chapter=CHAPTER,
        lead="All points left of the dashed line, near the real axis: the game contracts. "
        "Points on the line rotate, points right of it diverge.",
        draw=draw,
    )


def phase_portrait(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the way of both players' parameters in a fixed random plane."""

    def draw() -> Drawing:
        table = run.layers("parameter_trace")
        if table.shape[1] < 3:
            raise NotRecorded("parameter_trace", f"it has {table.shape[1]} coordinates, 4 were expected")
        keep = np.unique(np.linspace(0, len(table) - 1, min(len(table), 800)).astype(int))
        g, d = table.to_numpy()[keep, 0], table.to_numpy()[keep, 2]
        figure = path(g, d, table.index.to_numpy()[keep], x_title="generator", y_title="discriminator", name="trace")
        figure["data"][0]["meta"] = "parameter_trace"
        figure["data"][0]["marker"]["size"] = 4
        return Drawing(
            figure,
            f"From ({number(g[0])}, {number(d[0])}) to ({number(g[-1])}, {number(d[-1])}) in {number(len(table))} recorded "
            "points; one random coordinate of each player.",
            ("parameter_trace",),
        )

    return panel(
        "Phase portrait",
        chapter=CHAPTER,
        lead="A way that slows down towards a point; circles that do not shrink are a cycle, a growing "
        "spiral diverges.",
        draw=draw,
    )


def players_curvature(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the extreme eigenvalues of each player's own Hessian."""
    wanted = [
        Curve("generator_hessian_min", "G smallest", VERMILLION, "dash"),
        Curve("generator_hessian_max", "G largest", ORANGE, "dot"),
        Curve("discriminator_hessian_min", "D smallest", BLUE),
        Curve("discriminator_hessian_max", "D largest", SKY, "dashdot"),
    ]
    return panel(
        "Each player's own curvature",
        chapter=CHAPTER,
        lead="No smallest eigenvalue far below 0: only then is a stable point also a local Nash equilibrium.",
        draw=lambda: curves(run, diagnosis, wanted, y="eigenvalue", references=[(0.0, "flat")]),
    )


def distance_to_equilibrium(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the duality gap and the extragradient residual."""
    wanted = [
        Curve("duality_gap", "duality gap"),
        Curve("extragradient_residual", "extragradient residual", PURPLE, "dash"),
        Curve("game_field_norm", "norm of the game's field", GREEN, "dot", optional=True),
    ]
    return panel(
        "Distance to equilibrium",
        chapter=CHAPTER,
        lead="All fall towards 0.",
        draw=lambda: curves(run, diagnosis, wanted, y="distance"),
    )


def path_angle(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the cosine of the game's field along the way between two checkpoints, for the first, the middle and the last pair."""

    def draw() -> Drawing:
        table = run.layers("path_angle")
        way = _positions([str(c) for c in table.columns])
        looks = ((BLUE, "solid"), (GREEN, "dot"), (VERMILLION, "dash"))
        rows = np.unique([0, len(table) // 2, len(table) - 1])
        groups = [(f"step {number(int(table.index[r]))}", table.to_numpy()[r], *look) for r, look in zip(rows, looks)]
        figure = along(way, groups, x_title="way between the checkpoints", y_title="cosine")
        turns = [int((np.diff(np.sign(y[np.isfinite(y)])) != 0).sum()) for _, y, _, _ in groups]
        said = " ".join(f"At {name} the sign changes {n} times along the way." for (name, *_), n in zip(groups, turns))
        return Drawing(figure, said, ("path_angle",))

    return panel(
        "Path angle",
        chapter=CHAPTER,
        lead="Changes sign once along the way (attraction); a bump without a change of sign is rotation.",
        draw=draw,
    )


def _positions(labels: Sequence[str]) -> np.ndarray:
    """Returns the labels as numbers where they all are, else 0 to 1 evenly."""
    try:
        return np.array([float(label) for label in labels])
    except ValueError:
        return np.linspace(0, 1, len(labels))


def spectra_of_generator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the largest singular value of the generator's weights."""
    return layers(
        run,
        diagnosis,
        "generator_layer_spectral_norm",
        "G's largest singular values",
        CHAPTER,
        "Slow growth that levels off; a row that explodes comes before collapse in large models.",
    )


def spectra_of_discriminator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the share of small singular values in the discriminator's weights."""
    return layers(
        run,
        diagnosis,
        "discriminator_layer_small_share",
        "D's share of small singular values",
        CHAPTER,
        "Stays where it began; when many singular values drop together (spectral collapse), modes are being lost.",
        log=False,
    )


def spectral_norms_of_discriminator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the largest singular value of the discriminator's weights."""
    return layers(
        run,
        diagnosis,
        "discriminator_layer_spectral_norm",
        "D's largest singular values",
        CHAPTER,
        "Level, or slow growth that levels off; a jump comes with collapse in large models.",
    )


def ranks_of_discriminator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the effective rank of the discriminator's weights."""
    return layers(
        run,
        diagnosis,
        "discriminator_layer_effective_rank",
        "Effective rank of D's weights",
        CHAPTER,
        "Falls a little and levels off; a plunge is spectral collapse.",
        log=False,
        scale="rank",
    )


def gradient_noise(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the gradient noise scale of both players."""
    wanted = [
        Curve("discriminator_gradient_noise_scale", "discriminator"),
        Curve("generator_gradient_noise_scale", "generator", VERMILLION, "dash"),
    ]
    return panel(
        "Gradient noise scale",
        chapter=CHAPTER,
        lead="Of the order of the batch or below; far above it, a larger batch would help.",
        draw=lambda: curves(run, diagnosis, wanted, y="samples", log=True),
    )


def jacobian_condition(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the conditioning of the generator's Jacobian."""
    wanted = [
        Curve("jacobian_log_condition", "mean log condition number", VERMILLION),
        Curve("jacobian_log_condition_sd", "its sd over latents", ORANGE, "dot"),
    ]
    return panel(
        "Conditioning of G",
        chapter=CHAPTER,
        lead="Level; a steady climb says that G forgets directions of its latent.",
        draw=lambda: curves(run, diagnosis, wanted, y="log condition"),
    )

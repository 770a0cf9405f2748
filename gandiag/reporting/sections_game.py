"""Sections on the game: losses, value function, forces on the score, gradients, updates, weights, and the dynamics of both players."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.reporting.curves import curves, recorded
from gandiag.reporting.figures import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, Curve, heatmap, path
from gandiag.reporting.numbers import number
from gandiag.reporting.panel import Drawing, Panel, panel
from gandiag.run import Run

LOSSES, GRADIENTS, DYNAMICS = "Losses", "Gradients and updates", "Dynamics"
MINUS_LN_4 = -math.log(4)  # value of the minimax game where D cannot tell; Goodfellow et al. 2014
USUAL_UPDATE_RATIO = 1e-3  # the rule of thumb that quantities.py states


def losses(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws what each player minimises."""
    wanted = [Curve("discriminator_loss", "discriminator"), Curve("generator_loss", "generator", VERMILLION, "dash")]
    return panel(
        "Losses",
        chapter=LOSSES,
        lead="Both losses settle into a noisy band; neither runs to zero or away. A calm loss alone proves nothing: "
        "a generator that hops between modes has one too.",
        draw=lambda: curves(run, diagnosis, wanted, y="loss"),
    )


def value_function(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the value of the minimax game with the −ln 4 of its optimum."""
    wanted = [
        Curve("value_function", "value function"),
        Curve("jensen_shannon_bound", "bound on the Jensen–Shannon divergence", GREEN, "dot"),
    ]
    return panel(
        "Value function",
        chapter=LOSSES,
        lead="The value falls towards −ln 4, where D cannot tell fakes from data, and the bound on the "
        "divergence towards 0.",
        draw=lambda: curves(run, diagnosis, wanted, y="nats", references=[(MINUS_LN_4, "−ln 4: D cannot tell")]),
    )


def penalties(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the penalty terms."""
    wanted = [
        Curve("discriminator_penalty", "discriminator"),
        Curve("generator_penalty", "generator", VERMILLION, "dash", optional=True),
    ]
    return panel(
        "Penalties",
        chapter=LOSSES,
        lead="The penalty stays a small part of D's loss and falls as the fakes approach the data.",
        draw=lambda: curves(run, diagnosis, wanted, y="penalty"),
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
        chapter=LOSSES,
        lead="D pushes real scores up (above 0) and fake scores down (below 0), G pushes fake scores up; "
        "any other sign is a fault of the objective.",
        draw=lambda: curves(run, diagnosis, wanted, y="push on the logit", references=[(0.0, "no push")]),
    )


def gradient_norms(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws each player's gradient norm on a log axis."""
    wanted = [
        Curve("discriminator_gradient_norm", "discriminator"),
        Curve("generator_gradient_norm", "generator", VERMILLION, "dash"),
    ]
    return panel(
        "Gradient norms",
        chapter=GRADIENTS,
        lead="Both stay within a few powers of ten of each other and of their own past; neither falls to "
        "nothing nor climbs without end.",
        draw=lambda: curves(run, diagnosis, wanted, y="L2 norm", log=True),
    )


def generator_gradient_path(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws G's gradient at the logit, at the image and at the parameters."""
    wanted = [
        Curve("generator_gradient_at_logit", "at the logit", GREEN, "dot"),
        Curve("generator_gradient_at_image", "at the image", ORANGE, "dashdot"),
        Curve("generator_gradient_norm", "at the parameters", VERMILLION, "dash"),
    ]

    def draw() -> Drawing:
        recorded(run, [c.series for c in wanted[:2]])  # the last curve alone is the panel above
        return curves(run, diagnosis, wanted, y="L2 norm", log=True)

    return panel(
        "Where G's gradient is lost",
        chapter=GRADIENTS,
        lead="All three stay level: small at the logit already means a saturated loss, small "
        "first at the image a flat D, small only at the parameters a dead G.",
        draw=draw,
    )


def update_ratios(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws update norm over parameter norm."""
    wanted = [
        Curve("discriminator_update_ratio", "discriminator"),
        Curve("generator_update_ratio", "generator", VERMILLION, "dash"),
    ]
    return panel(
        "Update-to-weight ratio",
        chapter=GRADIENTS,
        lead="About 1e-3 for both, within a factor of ten, and slowly falling.",
        draw=lambda: curves(
            run, diagnosis, wanted, y="update / weights", log=True, references=[(USUAL_UPDATE_RATIO, "1e-3")]
        ),
    )


def gradient_cosine(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the cosine of each player's gradient with its last one."""
    wanted = [
        Curve("discriminator_gradient_cosine", "discriminator"),
        Curve("generator_gradient_cosine", "generator", VERMILLION, "dash"),
    ]
    return panel(
        "Gradient against its last",
        chapter=GRADIENTS,
        lead="Scattered around a small positive value; near −1 the step overshoots, a slow wave is rotation.",
        draw=lambda: curves(run, diagnosis, wanted, y="cosine", y_range=(-1.05, 1.05), references=[(0.0, "unrelated")]),
    )


def parameter_norms(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the norms of both players' parameters and their learning rates' course."""
    wanted = [
        Curve("discriminator_parameter_norm", "discriminator"),
        Curve("generator_parameter_norm", "generator", VERMILLION, "dash"),
    ]
    return panel(
        "Parameter norms",
        chapter=GRADIENTS,
        lead="Grow slowly and level off.",
        draw=lambda: curves(run, diagnosis, wanted, y="L2 norm"),
    )


def learning_rates(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws both learning rates."""
    wanted = [
        Curve("discriminator_learning_rate", "discriminator"),
        Curve("generator_learning_rate", "generator", VERMILLION, "dash"),
    ]
    return panel(
        "Learning rates",
        chapter=GRADIENTS,
        lead="What the configuration says; a sudden change that nobody meant explains much.",
        draw=lambda: curves(run, diagnosis, wanted, y="learning rate", log=True),
    )


def layer_gradients_of_generator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the generator's gradient norm per layer over steps."""
    return _layers(
        run,
        diagnosis,
        "generator_layer_gradient_norm",
        "G's gradient by layer",
        GRADIENTS,
        "Even bands: no row fades to dark (a dead layer) and none flares up alone.",
    )


def layer_gradients_of_discriminator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the discriminator's gradient norm per layer over steps."""
    return _layers(
        run,
        diagnosis,
        "discriminator_layer_gradient_norm",
        "D's gradient by layer",
        GRADIENTS,
        "Even bands: no row fades to dark (a dead layer) and none flares up alone.",
    )


def layer_updates_of_generator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the generator's update-to-weight ratio per layer over steps."""
    return _layers(
        run,
        diagnosis,
        "generator_layer_update_ratio",
        "G's update ratio by layer",
        GRADIENTS,
        "About 1e-3 in every row; biases may move faster, no weight should stand still.",
    )


def layer_updates_of_discriminator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the discriminator's update-to-weight ratio per layer over steps."""
    return _layers(
        run,
        diagnosis,
        "discriminator_layer_update_ratio",
        "D's update ratio by layer",
        GRADIENTS,
        "About 1e-3 in every row; biases may move faster, no weight should stand still.",
    )


def spectra_of_generator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the largest singular value of the generator's weights."""
    return _layers(
        run,
        diagnosis,
        "generator_layer_spectral_norm",
        "G's largest singular values",
        DYNAMICS,
        "Slow growth that levels off; a row that explodes comes before collapse in large models.",
    )


def spectra_of_discriminator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the share of small singular values in the discriminator's weights."""
    return _layers(
        run,
        diagnosis,
        "discriminator_layer_small_share",
        "D's share of small singular values",
        DYNAMICS,
        "Stays where it began; when many singular values drop together (spectral collapse), modes are being lost.",
        log=False,
    )


def _layers(
    run: Run, diagnosis: Diagnosis, series: str, title: str, chapter: str, lead: str, log: bool = True
) -> Panel:
    def draw() -> Drawing:
        table = run.layers(series)
        table.attrs["series"] = series
        figure = heatmap(table, diagnosis, run.steps, y="", value="log scale" if log else "share", log=log)
        return Drawing(figure, _rows_in_words(table), (series,))

    return panel(title, chapter=chapter, lead=lead, draw=draw)


def _rows_in_words(table: pd.DataFrame) -> str:
    last = table.iloc[-max(1, len(table) // 10) :].replace([np.inf, -np.inf], np.nan).median()
    bad = int((~np.isfinite(table.to_numpy(dtype=np.float64))).sum())
    said = f"{table.shape[1]} rows over {number(len(table))} steps."
    if last.notna().any():
        low, high = int(last.fillna(np.inf).argmin()), int(last.fillna(-np.inf).argmax())
        said += (
            f" In the last tenth the smallest is {table.columns[low]} with {number(last.iloc[low])}, "
            f"the largest {table.columns[high]} with {number(last.iloc[high])} (medians)."
        )
    return said + (f" {number(bad)} values are not finite." if bad else "")


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
        chapter=DYNAMICS,
        lead="All points left of the dashed line, near the real axis: the game contracts. "
        "Points on the line rotate, points right of it diverge.",
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
        chapter=DYNAMICS,
        lead="No smallest eigenvalue far below 0: only then is a stable point also a local Nash equilibrium.",
        draw=lambda: curves(run, diagnosis, wanted, y="eigenvalue", references=[(0.0, "flat")]),
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
        chapter=DYNAMICS,
        lead="A way that slows down towards a point; circles that do not shrink are a cycle, a growing "
        "spiral diverges.",
        draw=draw,
    )


def distance_to_equilibrium(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the duality gap and the extragradient residual."""
    wanted = [
        Curve("duality_gap", "duality gap"),
        Curve("extragradient_residual", "extragradient residual", PURPLE, "dash"),
    ]
    return panel(
        "Distance to equilibrium",
        chapter=DYNAMICS,
        lead="Both fall towards 0.",
        draw=lambda: curves(run, diagnosis, wanted, y="distance"),
    )


def path_angle(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the cosine of the game's field along the way between two checkpoints."""

    def draw() -> Drawing:
        table = run.layers("path_angle")
        table.attrs["series"] = "path_angle"
        figure = heatmap(table, diagnosis, run.steps, y="way between checkpoints", value="cosine")
        return Drawing(figure, _rows_in_words(table), ("path_angle",))

    return panel(
        "Path angle",
        chapter=DYNAMICS,
        lead="Changes sign once along the way (attraction); a bump without a change of sign is rotation.",
        draw=draw,
    )


def gradient_noise(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the gradient noise scale of both players."""
    wanted = [
        Curve("discriminator_gradient_noise_scale", "discriminator"),
        Curve("generator_gradient_noise_scale", "generator", VERMILLION, "dash"),
    ]
    return panel(
        "Gradient noise scale",
        chapter=DYNAMICS,
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
        chapter=DYNAMICS,
        lead="Level; a steady climb says that G forgets directions of its latent.",
        draw=lambda: curves(run, diagnosis, wanted, y="log condition"),
    )

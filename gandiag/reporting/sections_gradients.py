"""Sections on gradients and updates: norms, ratios, cosines, and every layer over time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis
from gandiag.reporting.curves import curves, recorded
from gandiag.reporting.figures import (
    GREEN,
    ORANGE,
    VERMILLION,
    Curve,
)
from gandiag.reporting.heatmaps import heatmap
from gandiag.reporting.numbers import number
from gandiag.reporting.panel import Drawing, Panel, panel
from gandiag.run import Run

CHAPTER = "Gradients and updates"
USUAL_UPDATE_RATIO = 1e-3  # the rule of thumb that `gandiag.quantities` states


def gradient_norms(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws each player's gradient norm on a log axis."""
    wanted = [
        Curve("discriminator_gradient_norm", "discriminator"),
        Curve("generator_gradient_norm", "generator", VERMILLION, "dash"),
    ]
    return panel(
        "Gradient norms",
        chapter=CHAPTER,
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
        chapter=CHAPTER,
        lead="All three stay level: small at the logit already means a saturated loss, small "
        "first at the image a flat D, small only at the parameters a dead G.",
        draw=draw,
    )


def game_share(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws how much of what moves the generator comes through the discriminator."""
    wanted = [Curve("generator_game_share", "through the discriminator", VERMILLION)]
    return panel(
        "The game's share in G's gradient",
        chapter=CHAPTER,
        lead="1 is the game alone. Far below, a reconstruction or another loss of G outweighs it; above 1 the two pull apart.",
        draw=lambda: curves(run, diagnosis, wanted, y="share", log=None, references=[(1.0, "the game alone")]),
    )


def update_ratios(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws update norm over parameter norm."""
    wanted = [
        Curve("discriminator_update_ratio", "discriminator"),
        Curve("generator_update_ratio", "generator", VERMILLION, "dash"),
    ]
    return panel(
        "Update-to-weight ratio",
        chapter=CHAPTER,
        lead="Steady or slowly falling, and alike for both; 1e-3 is the rule of thumb, small networks run well up to a few 1e-2.",
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
        chapter=CHAPTER,
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
        chapter=CHAPTER,
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
        chapter=CHAPTER,
        lead="What the configuration says; a sudden change that nobody meant explains much.",
        draw=lambda: curves(run, diagnosis, wanted, y="learning rate", log=True),
    )


def layer_gradients_of_generator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the generator's gradient norm per layer over steps."""
    return layers(
        run,
        diagnosis,
        "generator_layer_gradient_norm",
        "G's gradient by layer",
        CHAPTER,
        "Even bands: no row fades to dark (a dead layer) and none flares up alone.",
    )


def layer_gradients_of_discriminator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the discriminator's gradient norm per layer over steps."""
    return layers(
        run,
        diagnosis,
        "discriminator_layer_gradient_norm",
        "D's gradient by layer",
        CHAPTER,
        "Even bands: no row fades to dark (a dead layer) and none flares up alone.",
    )


def layer_updates_of_generator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the generator's update-to-weight ratio per layer over steps."""
    return layers(
        run,
        diagnosis,
        "generator_layer_update_ratio",
        "G's update ratio by layer",
        CHAPTER,
        "Like the ratio of the whole player in every row; biases may move faster, no weight should stand still.",
    )


def layer_updates_of_discriminator(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the discriminator's update-to-weight ratio per layer over steps."""
    return layers(
        run,
        diagnosis,
        "discriminator_layer_update_ratio",
        "D's update ratio by layer",
        CHAPTER,
        "Like the ratio of the whole player in every row; biases may move faster, no weight should stand still.",
    )


def layers(
    run: Run,
    diagnosis: Diagnosis,
    series: str,
    title: str,
    chapter: str,
    lead: str,
    *,
    log: bool = True,
    scale: str = "share",
) -> Panel:
    """Returns a panel with one quantity of every layer over steps."""

    def draw() -> Drawing:
        table = run.layers(series)
        table.attrs["series"] = series
        figure = heatmap(table, diagnosis, run.steps, y="", value="log scale" if log else scale, log=log)
        return Drawing(figure, rows_in_words(table), (series,))

    return panel(title, chapter=chapter, lead=lead, draw=draw)


def rows_in_words(table: pd.DataFrame) -> str:
    """Returns a table of steps x rows in words: its size, and the smallest and the largest row at the end."""
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

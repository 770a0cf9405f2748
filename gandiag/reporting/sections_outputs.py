"""Sections on the discriminator's outputs: quantiles, distributions, separation, calibration, memorisation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.quantities import LOGIT_BIN_LIMIT, LOGIT_BINS
from gandiag.reporting.curves import curves
from gandiag.reporting.decimate import columns
from gandiag.reporting.figures import (
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Curve,
    Trace,
    frames_of_hills,
    ribbon,
)
from gandiag.reporting.heatmaps import heatmap
from gandiag.reporting.numbers import number, percent
from gandiag.reporting.panel import Drawing, Panel, panel
from gandiag.run import Run

CHAPTER = "The discriminator's outputs"
REAL, FAKE, HELD_OUT = GREEN, ORANGE, PURPLE
SLIVER = 0.002  # a bin that never holds more than that is not shown at first; zooming out shows it
CHOSEN = 6  # steps at which the distributions are laid over each other, beside the onsets


def output_quantiles(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws quantile ribbons of D's logits on reals and fakes."""

    def draw() -> Drawing:
        under: list[Trace] = []
        for what, color in (("real", REAL), ("fake", FAKE)):
            for low, high, opacity in (("q05", "q95", 0.12), ("q25", "q75", 0.25)):
                try:
                    edges = run[f"{what}_logit_{low}"], run[f"{what}_logit_{high}"]
                except NotRecorded:
                    continue
                lower, upper = edges[0].align(edges[1], join="inner")
                under += ribbon(
                    lower, upper, name=f"{what} {int(low[1:])}–{int(high[1:])} %", color=color, opacity=opacity
                )
        middle = "q50" if "real_logit_q50" in run or "fake_logit_q50" in run else "mean"
        wanted = [
            Curve(f"real_logit_{middle}", "real median" if middle == "q50" else "real mean", REAL),
            Curve(f"fake_logit_{middle}", "fake median" if middle == "q50" else "fake mean", FAKE, "dash"),
        ]
        wanted.append(Curve("heldout_logit_mean", "held-out mean", HELD_OUT, "dot", optional=True))
        return curves(run, diagnosis, wanted, y="logit", under=under, references=[(0.0, "undecided")])

    return panel(
        "Outputs on reals and fakes",
        chapter=CHAPTER,
        lead="The ribbons of reals and fakes overlap more and more and stay near 0; two ribbons "
        "that part for good mean that D has won.",
        draw=draw,
        wide=True,
    )


def output_histogram_real(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the distribution of D's logits on reals over steps."""
    return _histogram(run, diagnosis, "real")


def output_histogram_fake(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the distribution of D's logits on fakes over steps."""
    return _histogram(run, diagnosis, "fake")


def _histogram(run: Run, diagnosis: Diagnosis, what: str) -> Panel:
    def draw() -> Drawing:
        name = f"{what}_logit_histogram"
        shares = _shares(run.layers(name))
        middle = shares.columns.to_numpy()[np.argmax(shares.to_numpy(), axis=1)]
        outside = shares.iloc[-1, [0, -1]].sum()
        shares.attrs["series"] = name
        figure = heatmap(shares, diagnosis, run.steps, y="logit", value="share", numeric=True)
        figure["layout"]["yaxis"]["range"] = _occupied(shares)
        return Drawing(
            figure,
            f"The fullest bin lies at {number(float(middle[0]))} at first and at {number(float(middle[-1]))} at last; "
            f"{percent(float(outside))} of the last batch lie beyond ±{LOGIT_BIN_LIMIT:g}.",
            (name,),
        )

    return panel(
        f"Distribution on {what}s over time",
        chapter=CHAPTER,
        lead="One band that stays near 0; a band that leaves for the rim has saturated, two "
        "bands are two kinds of sample.",
        draw=draw,
    )


def _occupied(shares: pd.DataFrame) -> list[float]:
    """Returns the range of logits that holds all but a sliver of the mass, never less than one to either side of 0."""
    middles = shares.columns.to_numpy().astype(np.float64)
    full = middles[shares.to_numpy().max(axis=0) > SLIVER]
    width = 2 * LOGIT_BIN_LIMIT / LOGIT_BINS
    return [min(float(full.min(initial=0.0)), -1.0) - width, max(float(full.max(initial=0.0)), 1.0) + width]


def _shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Returns counts as shares of each step (of many steps: of each bucket of them), with the middles of the bins as columns.

    The two open bins stand half a width outside.
    """
    width = 2 * LOGIT_BIN_LIMIT / LOGIT_BINS
    at, table = columns(counts.index.to_numpy(), counts.to_numpy(), gather=np.nansum)
    table = table.astype(np.float64)
    total = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, total, out=np.full_like(table, np.nan), where=total > 0)
    if counts.shape[1] == LOGIT_BINS + 2:
        middles = [-LOGIT_BIN_LIMIT + width * (i - 0.5) for i in range(LOGIT_BINS + 2)]
    else:
        middles = [float(i) for i in range(counts.shape[1])]
    return pd.DataFrame(np.nan_to_num(shares), index=pd.Index(at, name=counts.index.name), columns=middles)


def output_overlay(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the distributions of D's logits on reals, fakes and held-out reals over each other, at chosen steps."""

    def draw() -> Drawing:
        looks = {"real": (REAL, "solid"), "fake": (FAKE, "dash"), "heldout": (HELD_OUT, "dot")}
        tables = {
            w: run.layers(f"{w}_logit_histogram") for w in looks if w != "heldout" or "heldout_logit_histogram" in run
        }
        chosen = _chosen_steps(tables["real"].index.to_numpy(), diagnosis)
        frames = []
        for step in chosen.tolist():
            shares = {w: _shares(_nearest(table, step)) for w, table in tables.items()}
            frames.append((step, [(w, t.iloc[0].to_numpy(), *looks[w]) for w, t in shares.items()]))
        middles = np.array(shares["real"].columns)
        figure = frames_of_hills(middles, frames, x_title="logit (middle of the bin)", y_title="share")
        figure["layout"]["xaxis"]["range"] = _occupied(
            pd.DataFrame([g[1] for _, groups in frames for g in groups], columns=middles)
        )
        overlaps = [
            f"{percent(float(np.minimum(g[0][1], g[1][1]).sum()))} at step {number(step)}" for step, g in frames
        ]
        said = f"Reals and fakes share of their mass: {', '.join(overlaps)}."
        return Drawing(figure, said, tuple(f"{w}_logit_histogram" for w in tables))

    return panel(
        "Outputs at chosen steps",
        chapter=CHAPTER,
        lead="Two hills that overlap more and more; move the slider below the chart from step to step.",
        draw=draw,
    )


def _chosen_steps(at: np.ndarray, diagnosis: Diagnosis) -> np.ndarray:
    """Returns about eight recorded steps: evenly spaced, and where an illness began."""
    even = np.linspace(0, len(at) - 1, min(len(at), CHOSEN)).astype(int)
    onsets = [f.onset for f in diagnosis.illnesses[:3] if f.onset is not None]
    return np.unique(np.concatenate([at[even], at[np.clip(np.searchsorted(at, onsets), 0, len(at) - 1)]]))


def _nearest(table: pd.DataFrame, step: int) -> pd.DataFrame:
    row = int(np.clip(np.searchsorted(table.index.to_numpy(), step), 0, len(table) - 1))
    return table.iloc[row : row + 1]


def separation(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws AUC, accuracy and KS of D."""
    wanted = [
        Curve("discriminator_auc", "AUC"),
        Curve("discriminator_ks", "Kolmogorov–Smirnov", GREEN, "dot"),
        Curve("discriminator_accuracy", "accuracy", SKY, "dash"),
        Curve("heldout_auc", "AUC, held out", PURPLE, "dashdot", optional=True),
    ]
    return panel(
        "How well D tells them apart",
        chapter=CHAPTER,
        lead="AUC falls from near 1 to between .5 and .85 and stays. Near .5 is an equilibrium or a "
        "rotating collapse: the modes decide which.",
        draw=lambda: curves(
            run, diagnosis, wanted, y="0 … 1", y_range=(-0.02, 1.02), references=[(0.5, "AUC of a guess")]
        ),
    )


def output_distance(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws Wasserstein-1 of the logits."""
    wanted = [Curve("discriminator_wasserstein", "Wasserstein-1 of the logits")]
    return panel(
        "Distance of the outputs",
        chapter=CHAPTER,
        lead="Levels off at a small value.",
        draw=lambda: curves(run, diagnosis, wanted, y="logits"),
    )


def calibration(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws calibration error, sign mean and saturation."""
    wanted = [
        Curve("discriminator_calibration_error", "calibration error", optional=True),
        Curve("real_sign_mean", "E sign D(real)", GREEN, "dash"),
        Curve("generator_saturation", "σ(logit) on fakes", VERMILLION, "dot"),
    ]
    return panel(
        "Calibration and saturation",
        chapter=CHAPTER,
        lead="Calibration error near 0; σ(logit) on fakes well above 0, or a saturating loss has no "
        "gradient left. Signs mean nothing for a Wasserstein critic.",
        draw=lambda: curves(run, diagnosis, wanted, y="0 … 1"),
    )


def overfitting(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the AUC gap between training and held-out reals."""
    wanted = [
        Curve("auc_gap", "AUC gap, train − held out"),
        Curve("auc_gap_sd", "its sd by chance", ORANGE, "dot"),
        Curve("discriminator_overfitting", "r_v", PURPLE, "dash", optional=True),
    ]
    return panel(
        "Does D memorise?",
        chapter=CHAPTER,
        lead="The gap stays within about three of its chance deviations.",
        draw=lambda: curves(run, diagnosis, wanted, y="gap"),
    )

"""Overlays: the curves of several runs in one chart, groups of seeds as a band, aligned by step or by images seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis, Overall
from gandiag.errors import NotRecorded
from gandiag.quantities import quantity
from gandiag.reporting.axes import faded, scale
from gandiag.reporting.chapters import Drawn, slug
from gandiag.reporting.compare import Align, Comparison
from gandiag.reporting.curves import cut_axis, runs_away
from gandiag.reporting.decimate import typed, untyped
from gandiag.reporting.facts import check_title, meaning
from gandiag.reporting.figures import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Curve,
    Trace,
    line,
    over_steps,
    text,
)
from gandiag.reporting.numbers import number
from gandiag.reporting.panel import Panel

COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, GREY)
DASHES = ("solid", "dash", "dot", "dashdot")
GRID = 400  # places at which a group's seeds are brought together
WRITTEN = {"auc": "AUC", "kl": "KL", "wasserstein": "Wasserstein"}  # in a title
BESIDE = 3  # more groups than that have their legend at the side of a wide chart
LOG_SCALED = ("gradient_norm", "update_ratio", "step_seconds")
OVERLAID = (
    ("Losses", ("discriminator_loss", "generator_loss", "value_function")),
    (
        "Gradients and updates",
        (
            "generator_gradient_norm",
            "discriminator_gradient_norm",
            "generator_update_ratio",
            "discriminator_update_ratio",
        ),
    ),
    ("The discriminator's outputs", ("discriminator_auc", "discriminator_wasserstein")),
    ("Diversity and modes", ("modes_covered", "mode_kl", "high_quality_share", "diversity_ratio")),
    ("Quality", ("frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage", "vendi_score")),
    ("Cost", ("images_per_second", "step_seconds")),
)


def overlays(comparison: Comparison, *, align: Align = "step") -> list[Drawn]:
    """Draws every series of OVERLAID that at least one of the runs holds, on whatever features."""
    held = {n for c in comparison.runs for n in c.run.names}
    drawn: list[Drawn] = []
    for chapter, bases in OVERLAID:
        for base in bases:
            for name in sorted(n for n in held if n.split("[", 1)[0] == base):
                panel = overlay(comparison, name, chapter=chapter, align=align)
                if panel is not None:
                    drawn.append(Drawn(slug(f"overlay {name}"), panel))
    return drawn


def overlay(comparison: Comparison, name: str, *, chapter: str, align: Align = "step") -> Panel | None:
    """Draws one series of all runs; None where none of them holds it as a curve."""
    traces: list[Trace] = []
    said: list[str] = []
    for group, label in enumerate(comparison.groups):
        found = [s for c in comparison.members(group) if (s := _aligned(c.run, name, align)) is not None]
        if found:
            color, dash = COLORS[group % len(COLORS)], DASHES[group % len(DASHES)]
            traces += (
                _band(found, label, color, dash) if len(found) > 1 else line(found[0], Curve(name, label, color, dash))
            )
            said.append(f"{label}: {' and '.join(number(float(s.iloc[-1]), 3) for s in found[:8])} at the end.")
    if not traces:
        return None
    shown = [untyped(t["y"]) for t in traces]
    log = any(part in name for part in LOG_SCALED) or runs_away(shown)
    last = max(float(np.nanmax(untyped(t["x"]))) for t in traces if len(untyped(t["x"])))
    figure = over_steps(traces, Diagnosis(Overall.INCONCLUSIVE, (), ""), int(last) + 1, y="", log=log)
    figure["layout"]["yaxis"] |= scale(shown, log=log)
    if not log and (cut := cut_axis(shown)):
        figure["layout"]["yaxis"]["range"] = cut
    figure["layout"]["xaxis"]["title"]["text"] = "step" if align == "step" else "images seen"
    many = len(comparison.groups) > BESIDE
    if many:
        figure["layout"]["legend"] = {"orientation": "v", "x": 1.02, "y": 1, "xanchor": "left", "yanchor": "top"}
    return Panel(_title(name), _lead(name), figure, " ".join(said), chapter, (name,), wide=many, label="")


def _title(name: str) -> str:
    base, bracket, features = name.partition("[")
    words = [WRITTEN.get(word, word) for word in check_title(base).split(" ")]
    return " ".join(words) + (f" ({features.rstrip(']')})" if bracket else "")


def _lead(name: str) -> str:
    known = quantity(name)
    ways = {"lower": " Lower is better.", "higher": " Higher is better."}
    return (meaning(name) + ways.get(known.better, "")) if known else ""


def _aligned(run: object, name: str, align: Align) -> pd.Series | None:
    """Returns a series over steps, or over the images that the discriminator had seen by then."""
    try:
        values: pd.Series = run[name]  # type: ignore[index]
        if align == "step":
            return values
        seen: pd.Series = run["images_seen"]  # type: ignore[index]
    except NotRecorded:
        return None
    at = np.interp(values.index.to_numpy(), seen.index.to_numpy(), seen.to_numpy())
    return pd.Series(values.to_numpy(), index=pd.Index(np.rint(at).astype(np.int64), name="images"), name=name)


def _band(found: Sequence[pd.Series], label: str, color: str, dash: str) -> list[Trace]:
    """Returns the range and the median of a group's seeds, where all of them have values."""
    first, last = max(s.index[0] for s in found), min(s.index[-1] for s in found)
    grid = np.unique(np.linspace(first, last, min(GRID, max(len(s) for s in found))).astype(np.int64))
    table = np.stack([_at(s, grid) for s in found])
    with np.errstate(all="ignore"):
        low, high, middle = np.min(table, axis=0), np.max(table, axis=0), np.median(table, axis=0)
    edge: Trace = {
        "type": "scatter",
        "x": typed(grid),
        "mode": "lines",
        "line": {"width": 0, "color": color},
        "hoverinfo": "skip",
    }
    return [
        edge | {"y": typed(low), "showlegend": False, "legendgroup": label, "name": text(label)},
        edge
        | {
            "y": typed(high),
            "showlegend": False,
            "legendgroup": label,
            "name": text(label),
            "fill": "tonexty",
            "fillcolor": faded(color, 0.18),
        },
        {
            "type": "scatter",
            "name": text(label),
            "x": typed(grid),
            "y": typed(middle),
            "mode": "lines",
            "legendgroup": label,
            "line": {"color": color, "width": 2, "dash": dash},
            "hovertemplate": "%{y:.4g}",
        },
    ]


def _at(values: pd.Series, grid: np.ndarray) -> np.ndarray:
    """Returns a series at the places of a grid: the median of what lies between two places, or the value before."""
    at, y = values.index.to_numpy(), values.to_numpy().astype(np.float64)
    right = np.searchsorted(at, grid, side="right")
    left = np.concatenate([[0], right[:-1]])
    return np.array([np.median(y[a:b]) if b > a else y[b - 1] for a, b in zip(left.tolist(), right.tolist())])

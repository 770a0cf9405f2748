"""Figures: plotly figures as plain dicts. Colours are Okabe and Ito's, each with its own dash, so that no curve needs its colour to be told."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis
from gandiag.reporting.axes import bands, faded, reference_label, reference_line
from gandiag.reporting.decimate import SMOOTH_FROM, kept, smooth, typed

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, GREY = "#56B4E9", "#CC79A7", "#7A828C"
SEQUENTIAL = "Cividis"  # readable with every kind of colour vision, light to dark in one direction
HEIGHT = 300
FEW_POINTS = 60
# letters of a layer's or a class's name that are shown; hovering shows no more, the table of the run all
LONG_NAME = 24
LONG_TICKS = 60  # letters of all tick labels together that still stand upright beside each other
Figure = dict[str, Any]
Trace = dict[str, Any]


@dataclass(frozen=True)
class Curve:
    """How one series is drawn."""

    series: str
    label: str
    color: str = BLUE
    dash: str = "solid"
    optional: bool = False  # its absence is nothing to speak of


def text(value: str) -> str:
    """Returns text that plotly shows as it is: its labels understand some HTML, and a layer's name may hold any."""
    return html.escape(value, quote=False)


def line(values: pd.Series, curve: Curve) -> list[Trace]:
    """Returns the traces of one series: all its extremes, thin, and under many points the running median over them, strong."""
    at, y = values.index.to_numpy(), values.to_numpy()
    keep = kept(y)
    drawn: Trace = {
        "type": "scatter",
        "name": text(curve.label),
        "x": typed(at[keep]),
        "y": typed(y[keep]),
        "mode": "lines",
        "line": {"color": curve.color, "width": 1.6, "dash": curve.dash},
        "meta": curve.series,
        "hovertemplate": "%{y:.4g}",
        "connectgaps": False,
    }
    if len(y) <= FEW_POINTS:
        return [drawn | {"mode": "lines+markers", "marker": {"size": 6, "symbol": _symbol(curve.dash)}}]
    if len(y) <= SMOOTH_FROM:
        return [drawn]
    middle, median = smooth(at, y)
    thin = drawn | {
        "line": {"color": curve.color, "width": 1},
        "opacity": 0.28,
        "legendgroup": curve.series,
        "showlegend": False,
    }
    strong = {
        "type": "scatter",
        "name": text(curve.label),
        "x": typed(middle),
        "y": typed(median.astype(np.float32)),
        "mode": "lines",
        "line": {"color": curve.color, "width": 2, "dash": curve.dash},
        "legendgroup": curve.series,
        "hoverinfo": "skip",
        "meta": f"median of {curve.series}",
    }
    return [thin, strong]


def _symbol(dash: str) -> str:
    return {"solid": "circle", "dash": "square", "dot": "diamond", "dashdot": "triangle-up"}.get(dash, "x")


def ribbon(low: pd.Series, high: pd.Series, *, name: str, color: str, opacity: float) -> list[Trace]:
    """Returns a filled band between two series on the same steps, decimated so that neither edge loses its extremes."""
    at = low.index.to_numpy()
    keep = np.union1d(kept(low.to_numpy()), kept(high.to_numpy()))
    edge = {
        "type": "scatter",
        "x": typed(at[keep]),
        "mode": "lines",
        "line": {"width": 0, "color": color},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [
        edge | {"y": typed(low.to_numpy()[keep]), "meta": low.name},
        edge
        | {
            "y": typed(high.to_numpy()[keep]),
            "meta": high.name,
            "fill": "tonexty",
            "fillcolor": faded(color, opacity),
            "name": name,
            "showlegend": True,
        },
    ]


def over_steps(
    traces: list[Trace],
    diagnosis: Diagnosis,
    steps: int,
    *,
    y: str,
    log: bool = False,
    references: Sequence[tuple[float, str]] = (),
    y_range: Sequence[float] | None = None,
    height: int = HEIGHT,
) -> Figure:
    """Returns a chart over steps, with the alert bands of the diagnosis and horizontal lines at the reference values."""
    axis: dict[str, Any] = {
        "title": {"text": y},
        "type": "log" if log else "linear",
        "automargin": True,
        "zeroline": False,
    }
    if y_range is not None:
        axis["range"] = list(y_range)
    layout = base(height) | {
        "xaxis": {
            "title": {"text": "step"},
            "range": [-0.01 * max(steps, 1), 1.01 * max(steps, 1)],
            "zeroline": False,
        },
        "yaxis": axis,
        "hovermode": "x unified",
        "meta": {"over": "steps", "last": max(steps, 1)},
        "shapes": bands(diagnosis, steps) + [reference_line(value) for value, _ in references],
        "annotations": [reference_label(np.log10(value) if log else value, name) for value, name in references],
    }
    return {"data": traces, "layout": layout}


def base(height: int = HEIGHT) -> dict[str, Any]:
    """Returns the layout that all figures share; the page adds the colours of its light or dark theme."""
    return {
        "height": height,
        "margin": {"l": 58, "r": 14, "t": 10, "b": 44},
        "uirevision": "kept",
        "dragmode": "zoom",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
    }


def path(
    x: np.ndarray, y: np.ndarray, at: np.ndarray, *, x_title: str, y_title: str, name: str, lines: bool = True
) -> Figure:
    """Returns a way through a plane, its points coloured by step."""
    trace: Trace = {
        "type": "scatter",
        "x": typed(x),
        "y": typed(y),
        "mode": "lines+markers" if lines else "markers",
        "name": text(name),
        "line": {"width": 1, "color": GREY},
        "customdata": typed(at),
        "showlegend": False,
        "marker": {
            "size": 7,
            "color": typed(at),
            "colorscale": SEQUENTIAL,
            "showscale": True,
            "colorbar": {"title": {"text": "step", "side": "right"}, "thickness": 10, "outlinewidth": 0},
        },
        "hovertemplate": "step %{customdata}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
    }
    layout = base() | {
        "xaxis": {"title": {"text": x_title}},
        "yaxis": {"title": {"text": y_title}, "automargin": True},
        "hovermode": "closest",
        "meta": {"over": "plane"},
    }
    return {"data": [trace], "layout": layout}


def bars(
    labels: Sequence[str], groups: Sequence[tuple[str, np.ndarray, str, str]], *, x_title: str, y_title: str
) -> Figure:
    """Returns grouped bars; each group is (name, values, colour, pattern), told apart by pattern as well as by colour."""
    names = row_names(labels, LONG_NAME)
    long = max((len(n) for n in names), default=0) * len(names) > LONG_TICKS
    traces: list[Trace] = [
        {
            "type": "bar",
            "name": name,
            "x": names,
            "y": typed(values),
            "marker": {"color": color, "pattern": {"shape": pattern, "solidity": 0.3}},
            "hovertemplate": "%{y:.4g}",
        }
        for name, values, color, pattern in groups
    ]
    layout = base() | {
        "barmode": "group",
        "hovermode": "x unified",
        "meta": {"over": "categories"},
        "xaxis": {"title": {"text": x_title, "standoff": 6}, "type": "category", "tickangle": -40 if long else 0},
        "margin": base()["margin"] | ({"b": 110} if long else {}),
        "yaxis": {"title": {"text": y_title}, "automargin": True},
    }
    return {"data": traces, "layout": layout}


def frames_of_hills(
    at: np.ndarray,
    frames: Sequence[tuple[int, Sequence[tuple[str, np.ndarray, str, str]]]],
    *,
    x_title: str,
    y_title: str,
) -> Figure:
    """Returns distributions over each other as filled steps, one frame a step behind a slider, the last one shown first.

    Each frame is (step, groups), each group (name, values, colour, dash).
    """
    traces: list[Trace] = []
    for i, (step, groups) in enumerate(frames):
        traces += [
            {
                "type": "scatter",
                "name": name,
                "x": typed(at),
                "y": typed(values),
                "mode": "lines",
                "fill": "tozeroy",
                "meta": f"step {step}",
                "fillcolor": faded(color, 0.2),
                "line": {"color": color, "width": 1.8, "dash": dash, "shape": "hvh"},
                "hovertemplate": "%{y:.4g}",
                "visible": i == len(frames) - 1,
            }
            for name, values, color, dash in groups
        ]
    shown = [[t["meta"] == f"step {step}" for t in traces] for step, _ in frames]
    slider = {
        "active": len(frames) - 1,
        "currentvalue": {"prefix": "step "},
        "pad": {"t": 52},  # below the axis' title: on a narrow page its own would lie on it
        "len": 1,
        "x": 0,
        "ticklen": 3,
        "minorticklen": 0,
        "steps": [
            {"label": str(step), "method": "restyle", "args": [{"visible": visible}]}
            for (step, _), visible in zip(frames, shown)
        ],
    }
    layout = base(HEIGHT + 78) | {
        "hovermode": "x unified",
        "meta": {"over": "values"},
        "sliders": [slider] if len(frames) > 1 else [],
        "xaxis": {"title": {"text": x_title}, "zeroline": False},
        "yaxis": {"title": {"text": y_title}, "automargin": True, "rangemode": "tozero"},
    }
    return {"data": traces, "layout": layout}


def along(x: np.ndarray, groups: Sequence[tuple[str, np.ndarray, str, str]], *, x_title: str, y_title: str) -> Figure:
    """Returns lines over a common x that is no step; each group is (name, values, colour, dash), with a line at 0."""
    traces: list[Trace] = [
        {
            "type": "scatter",
            "name": name,
            "x": typed(x),
            "y": typed(y),
            "mode": "lines",
            "line": {"color": color, "width": 2, "dash": dash},
            "hovertemplate": "%{y:.4g}",
        }
        for name, y, color, dash in groups
    ]
    layout = base() | {
        "xaxis": {"title": {"text": x_title}, "zeroline": False},
        "yaxis": {"title": {"text": y_title}, "automargin": True, "zeroline": False},
        "hovermode": "x unified",
        "meta": {"over": "values"},
        "shapes": [reference_line(0.0)],
    }
    return {"data": traces, "layout": layout}


def row_names(names: Sequence[str], limit: int = LONG_NAME) -> list[str]:
    """Returns short names that stay different from each other: plotly would lay two rows of one name over each other."""
    short = [_short(n, limit) for n in names]
    if len(set(short)) < len(short):
        short = [f"{i} {n}" for i, n in enumerate(short)]
    return [text(n) for n in short]


def _short(name: str, limit: int) -> str:
    return name if len(name) <= limit else name[: limit // 2 - 1] + "…" + name[-limit // 2 :]

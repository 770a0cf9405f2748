"""Figures: plotly figures as plain dicts. Colours are Okabe and Ito's, each with its own dash, so that no curve needs its colour to be told."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis, Finding, Verdict
from gandiag.reporting.decimate import SMOOTH_FROM, columns, kept, smooth, typed

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, GREY = "#56B4E9", "#CC79A7", "#7A828C"
BAND = {Verdict.FAILED: VERMILLION, Verdict.SUSPECT: ORANGE}
SEQUENTIAL = "Cividis"  # readable with every kind of colour vision, light to dark in one direction
HEIGHT = 300
FEW_POINTS = 60
LOG_SPAN = 1.0  # decades that a log axis shows at least
HEAT_SPAN = (
    2.0  # decades that a log colour scale spans at least: within a factor of ten of the middle is noise, not news
)

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


def faded(color: str, opacity: float) -> str:
    """Returns a colour with an opacity, as CSS: '#0072B2', .2 -> 'rgba(0,114,178,0.2)'."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


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
            "range": [-0.01 * max(steps - 1, 1), 1.01 * max(steps - 1, 1)],
            "automargin": True,
            "zeroline": False,
        },
        "yaxis": axis,
        "hovermode": "x unified",
        "meta": {"over": "steps"},
        "shapes": bands(diagnosis, steps) + [reference_line(value) for value, _ in references],
        "annotations": [reference_label(np.log10(value) if log else value, name) for value, name in references],
    }
    return {"data": traces, "layout": layout}


def scale(shown: Sequence[np.ndarray], *, log: bool) -> dict[str, Any]:
    """Returns the range, and on a log axis the ticks, of an axis that shows these values: a constant gets room, and noise is not blown up."""
    finite = [v[np.isfinite(v) & ((v > 0) if log else True)] for v in (np.asarray(v, dtype=np.float64) for v in shown)]
    finite = [v for v in finite if len(v)]
    if not finite:
        return {}
    low, high = min(float(v.min()) for v in finite), max(float(v.max()) for v in finite)
    if not log:
        room = max((high - low) * 0.05, 1e-6 * max(abs(low), abs(high)), 0 if high > low else max(abs(high) * 0.1, 0.1))
        return {"range": [low - room, high + room]}
    low, high = np.log10(low), np.log10(high)
    room = max((high - low) * 0.05, (LOG_SPAN - (high - low)) / 2)
    return {"range": [float(low - room), float(high + room)]} | log_ticks(float(low - room), float(high + room))


def log_ticks(low: float, high: float, around: int = 2) -> dict[str, Any]:
    """Returns ticks for a log axis from 10^low to 10^high: powers of ten over many, 1-2-5 over few, and some beyond both ends."""
    span = high - low
    every = max(1, math.ceil(span / 6))
    first, last = math.floor(low) - around * every, math.ceil(high) + around * every
    within = (1, 2, 5) if span <= 1.5 else (1, 3) if span <= 2.5 else (1,)
    values = [m * 10.0**e for e in range(first, last + 1, every) for m in within]
    return {"tickmode": "array", "tickvals": values, "ticktext": [_power(v) for v in values]}


def _power(value: float) -> str:
    """Returns a tick's text: plain between 0.01 and 1000, a power of ten beyond."""
    exponent = math.floor(math.log10(value) + 1e-9)
    if -2 <= exponent < 3:
        return f"{value:g}"
    digit = round(value / 10.0**exponent)
    return (f"{digit}·" if digit != 1 else "") + f"10<sup>{exponent}</sup>".replace("-", "−")


def base(height: int = HEIGHT) -> dict[str, Any]:
    """Returns the layout that all figures share; the page adds the colours of its light or dark theme."""
    return {
        "height": height,
        "margin": {"l": 58, "r": 14, "t": 10, "b": 44},
        "uirevision": "kept",
        "dragmode": "zoom",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
    }


def bands(diagnosis: Diagnosis, steps: int) -> list[dict[str, Any]]:
    """Returns one shaded band for each finding that is an illness and says when it began."""
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": f.onset,
            "x1": _end(f, steps),
            "y0": 0,
            "y1": 1,
            "layer": "below",
            "fillcolor": faded(BAND[f.verdict], 0.09),
            "line": {"width": 0},
            "name": f"alert {f.check}",
        }
        for f in diagnosis.illnesses
        if f.onset is not None
    ] + [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": f.onset,
            "x1": f.onset,
            "y0": 0,
            "y1": 1,
            "layer": "below",
            "line": {"width": 1, "color": BAND[f.verdict], "dash": "dot"},
            "name": f"onset {f.check}",
        }
        for f in diagnosis.illnesses
        if f.onset is not None
    ]


def _end(finding: Finding, steps: int) -> int:
    return max(steps - 1, 1) if finding.end is None else finding.end


def reference_line(value: float) -> dict[str, Any]:
    """Returns a horizontal line at a value that theory names."""
    return {
        "type": "line",
        "xref": "paper",
        "yref": "y",
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": {"width": 1, "dash": "dash", "color": GREY},
        "name": "reference",
    }


def reference_label(value: float, name: str) -> dict[str, Any]:
    """Returns the text at a reference line; `value` in the axis's own coordinates (log10 on a log axis)."""
    return {
        "xref": "paper",
        "yref": "y",
        "x": 1,
        "y": float(value),
        "text": name,
        "showarrow": False,
        "xanchor": "right",
        "yanchor": "bottom",
        "font": {"size": 11},
        "name": "reference",
        "borderpad": 1,
    }


def heatmap(
    table: pd.DataFrame,
    diagnosis: Diagnosis,
    steps: int,
    *,
    y: str,
    value: str,
    log: bool = False,
    limits: tuple[float, float] | None = None,
    numeric: bool = False,
) -> Figure:
    """Returns a table of steps x entries as colours over steps; on a log scale the values are log10, zeros left blank."""
    at, cells = columns(table.index.to_numpy(), table.to_numpy().astype(np.float64))
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            cells = np.where(np.isfinite(cells) & (cells > 0), np.log10(np.where(cells > 0, cells, 1)), np.nan)
    rows = [float(c) for c in table.columns] if numeric else _row_names([str(c) for c in table.columns])
    trace: Trace = {
        "type": "heatmap",
        "x": typed(at),
        "y": rows,
        "z": typed(np.ascontiguousarray(cells.T).astype(np.float32)),
        "colorscale": SEQUENTIAL,
        "colorbar": {"title": {"text": value, "side": "right"}, "thickness": 10, "outlinewidth": 0},
        "hovertemplate": "step %{x}<br>%{y}<br>" + ("10^%{z:.2f}" if log else "%{z:.4g}") + "<extra></extra>",
        "meta": str(table.attrs.get("series", "")),
        "hoverongaps": False,
    }
    trace |= _log_colours(cells, trace["colorbar"]) if log else {"zmin": limits[0], "zmax": limits[1]} if limits else {}
    figure = over_steps(
        [trace], diagnosis, steps, y=y, height=HEIGHT if numeric else min(640, max(HEIGHT, 90 + 16 * len(rows)))
    )
    figure["layout"]["yaxis"] |= {} if numeric else {"type": "category", "autorange": "reversed"}
    figure["layout"]["hovermode"] = "closest"
    figure["layout"]["shapes"] = [
        s | {"layer": "above", "fillcolor": "rgba(0,0,0,0)"} if s["type"] == "rect" else s | {"layer": "above"}
        for s in figure["layout"]["shapes"]
    ]
    return figure


def _log_colours(cells: np.ndarray, colorbar: dict[str, Any]) -> dict[str, Any]:
    finite = cells[np.isfinite(cells)]
    if not len(finite):
        return {}
    low, high = float(finite.min()), float(finite.max())
    room = max(0.0, (HEAT_SPAN - (high - low)) / 2)
    ticks = log_ticks(low - room, high + room, around=0)
    ticks["tickvals"] = [math.log10(v) for v in ticks["tickvals"]]
    return {"zmin": low - room, "zmax": high + room, "colorbar": colorbar | ticks}


def _row_names(names: Sequence[str]) -> list[str]:
    """Returns short names that stay different from each other: plotly would lay two rows of one name over each other."""
    short = [_short(n) for n in names]
    if len(set(short)) < len(short):
        short = [f"{i} {n}" for i, n in enumerate(short)]
    return [text(n) for n in short]


def _short(name: str, limit: int = 34) -> str:
    return name if len(name) <= limit else name[: limit // 2 - 1] + "…" + name[-limit // 2 :]


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
        "xaxis": {"title": {"text": x_title}, "automargin": True},
        "yaxis": {"title": {"text": y_title}, "automargin": True},
        "hovermode": "closest",
        "meta": {"over": "plane"},
    }
    return {"data": [trace], "layout": layout}


def bars(
    labels: Sequence[str], groups: Sequence[tuple[str, np.ndarray, str, str]], *, x_title: str, y_title: str
) -> Figure:
    """Returns grouped bars; each group is (name, values, colour, pattern), told apart by pattern as well as by colour."""
    traces: list[Trace] = [
        {
            "type": "bar",
            "name": name,
            "x": [text(label) for label in labels],
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
        "xaxis": {"title": {"text": x_title}, "type": "category", "automargin": True},
        "yaxis": {"title": {"text": y_title}, "automargin": True},
    }
    return {"data": traces, "layout": layout}


def hills(at: np.ndarray, groups: Sequence[tuple[str, np.ndarray, str, str]], *, x_title: str, y_title: str) -> Figure:
    """Returns distributions over each other as filled steps; each group is (name, values, colour, dash)."""
    traces: list[Trace] = [
        {
            "type": "scatter",
            "name": name,
            "x": typed(at),
            "y": typed(values),
            "mode": "lines",
            "fill": "tozeroy",
            "fillcolor": faded(color, 0.2),
            "line": {"color": color, "width": 1.8, "dash": dash, "shape": "hvh"},
            "hovertemplate": "%{y:.4g}",
        }
        for name, values, color, dash in groups
    ]
    layout = base() | {
        "hovermode": "x unified",
        "meta": {"over": "values"},
        "xaxis": {"title": {"text": x_title}, "automargin": True, "zeroline": False},
        "yaxis": {"title": {"text": y_title}, "automargin": True, "rangemode": "tozero"},
    }
    return {"data": traces, "layout": layout}

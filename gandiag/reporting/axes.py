"""Axes: ranges and ticks that neither hide a curve nor blow up noise, alert bands, and the lines that theory draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gandiag.diagnosis.finding import Diagnosis, Finding, Verdict

VERMILLION, ORANGE, GREY = "#D55E00", "#E69F00", "#7A828C"
BAND = {Verdict.FAILED: VERMILLION, Verdict.SUSPECT: ORANGE}
STRIPS = 4  # more findings than that are shaded without a strip of their own
STRIP = 0.022  # height of an alert's strip, as a share of the chart
LOG_SPAN = 1.0  # decades that a log axis shows at least
# ... and at most, from its largest value down: a saturated loss of 1e-40 would squeeze all others into a line
LOG_MOST = 20.0


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
    low = max(low, high - LOG_MOST)
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


def bands(diagnosis: Diagnosis, steps: int) -> list[dict[str, Any]]:
    """Returns the alert bands: for each illness that says when it began a faint shade over its steps, a strip at the top, and its onset."""
    timed = [f for f in diagnosis.illnesses if f.onset is not None]
    return [shape for i, f in enumerate(timed) for shape in _band(f, i, steps)]


def _band(finding: Finding, rank: int, steps: int) -> list[dict[str, Any]]:
    color, top = BAND[finding.verdict], 1 - STRIP * rank
    place: dict[str, Any] = {"xref": "x", "yref": "paper", "layer": "below", "x0": finding.onset}
    box: dict[str, Any] = place | {"type": "rect", "x1": _end(finding, steps), "line": {"width": 0}}
    edge: dict[str, Any] = {"type": "line", "x1": finding.onset, "line": {"width": 1, "color": color, "dash": "dot"}}
    shapes: list[dict[str, Any]] = [
        box | {"y0": 0, "y1": 1, "fillcolor": faded(color, 0.05), "name": f"alert {finding.check}"},
        place | edge | {"y0": 0, "y1": 1, "name": f"onset {finding.check}"},
    ]
    strip: dict[str, Any] = {
        "y0": top - STRIP * 0.7,
        "y1": top,
        "fillcolor": faded(color, 0.7),
        "name": f"strip {finding.check}",
    }
    return [*shapes, box | strip] if rank < STRIPS else shapes


def _end(finding: Finding, steps: int) -> int:
    return max(steps, 1) if finding.end is None else finding.end


def faded(color: str, opacity: float) -> str:
    """Returns a colour with an opacity, as CSS: '#0072B2', .2 -> 'rgba(0,114,178,0.2)'."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


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

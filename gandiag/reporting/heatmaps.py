"""Heatmaps: tables of steps x entries as colours, on a scale that does not blow noise up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis
from gandiag.reporting.axes import log_ticks
from gandiag.reporting.decimate import columns, typed
from gandiag.reporting.figures import HEIGHT, SEQUENTIAL, Figure, Trace, over_steps, row_names

# decades that a log colour scale spans at least: within a factor of ten of the middle is noise, not news
HEAT_SPAN = 2.0


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
    rows = [float(c) for c in table.columns] if numeric else row_names([str(c) for c in table.columns])
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
    if not numeric:
        figure["layout"]["yaxis"] |= {
            "type": "category",
            "autorange": "reversed",
            "automargin": False,
            "tickfont": {"size": 11},
        }
        figure["layout"]["margin"] |= {"l": 18 + round(6.3 * max((len(str(r)) for r in rows), default=0))}
    figure["layout"]["hovermode"] = "closest"
    figure["layout"]["shapes"] = [
        s | {"layer": "above"} for s in figure["layout"]["shapes"] if not s["name"].startswith("alert")
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

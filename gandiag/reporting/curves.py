"""Curves over steps: from the names of series to a drawing with its text, which most sections are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.reporting.axes import scale
from gandiag.reporting.decimate import untyped
from gandiag.reporting.figures import Curve, Trace, line, over_steps
from gandiag.reporting.numbers import number
from gandiag.reporting.panel import Drawing
from gandiag.run import Run

RUNAWAY = 1000.0  # times the median: a linear axis then shows nothing but the largest values


def recorded(run: Run, names: Sequence[str]) -> tuple[dict[str, pd.Series], tuple[str, ...]]:
    """Returns the series that the run holds and the names of those that it does not; NotRecorded where it holds none."""
    found: dict[str, pd.Series] = {}
    absent: list[str] = []
    for name in names:
        try:
            found[name] = run[name]
        except NotRecorded:
            absent.append(name)
    if not found:
        raise NotRecorded(", ".join(names))
    return found, tuple(absent)


def curves(
    run: Run,
    diagnosis: Diagnosis,
    wanted: Sequence[Curve],
    *,
    y: str,
    log: bool | None = False,
    references: Sequence[tuple[float, str]] = (),
    y_range: Sequence[float] | None = None,
    under: Sequence[Trace] = (),
) -> Drawing:
    """Draws the wanted series that were recorded; `under` are traces that lie beneath them (ribbons).

    `log=None` takes a log axis only where all values are positive and some are so large that a linear one would hide the rest.
    """
    found, absent = recorded(run, [c.series for c in wanted])
    absent = tuple(c.series for c in wanted if c.series in absent and not c.optional)
    drawn = [c for c in wanted if c.series in found]
    if log is None:
        log = _runs_away([found[c.series].to_numpy() for c in drawn])
    traces = [*under, *(t for c in drawn for t in line(found[c.series], c))]
    figure = over_steps(traces, diagnosis, run.steps, y=y, log=log, references=references, y_range=y_range)
    if y_range is None:
        shown = (
            [found[c.series].to_numpy() for c in drawn]
            + [untyped(t["y"]) for t in under]
            + [np.array([value]) for value, _ in references]
        )
        figure["layout"]["yaxis"] |= scale(shown, log=log)
    notes = [f"On this axis {name} is at {number(value)}." for value, name in references]
    summary = " ".join([describe(found[c.series], c.label, log=log) for c in drawn] + notes)
    return Drawing(figure, summary, tuple(str(found[c.series].name) for c in drawn), absent)


def _runs_away(values: Sequence[np.ndarray]) -> bool:
    finite = [v[np.isfinite(v)] for v in values]
    whole = np.concatenate(finite)
    return bool(
        len(whole) and whole.min() > 0 and whole.max() > RUNAWAY * min(float(np.median(v)) for v in finite if len(v))
    )


def describe(values: pd.Series, label: str, *, log: bool = False) -> str:
    """Returns one series in a sentence: where it began, where it ended, its extremes and where, and what was no number."""
    y, at = values.to_numpy().astype(np.float64), values.index.to_numpy()
    finite = np.isfinite(y)
    if not finite.any():
        return (
            f"{label}: none of its {number(len(y))} values is a finite number (the first at step {number(int(at[0]))})."
        )
    low, high = int(np.argmin(np.where(finite, y, np.inf))), int(np.argmax(np.where(finite, y, -np.inf)))
    said = f"{label}: {number(y[0])} at step {number(int(at[0]))}, {number(y[-1])} at step {number(int(at[-1]))}"
    if len(y) > 2:
        said += f"; lowest {number(y[low])} (step {number(int(at[low]))}), highest {number(y[high])} (step {number(int(at[high]))})"
    if not finite.all():
        said += (
            f"; {number(int((~finite).sum()))} values are not finite, the first at step {number(int(at[~finite][0]))}"
        )
    if log and (y[finite] <= 0).any():
        said += f"; {number(int((y[finite] <= 0).sum()))} values are not above zero and have no place on the log axis"
    return said + "."

"""Curves over steps: from the names of series to a drawing with its text, which most sections are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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

CUT = 20.0  # times the median: where a linear axis then ends
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
    wanted = [each for c in wanted for each in _on_each_features(run, c)]
    found, absent = recorded(run, [c.series for c in wanted])
    absent = tuple(c.series for c in wanted if c.series in absent and not c.optional)
    drawn = [c for c in wanted if c.series in found]
    if log is None:
        log = runs_away([found[c.series].to_numpy() for c in drawn])
    traces = [*under, *(t for c in drawn for t in line(found[c.series], c))]
    figure = over_steps(traces, diagnosis, run.steps, y=y, log=log, references=references, y_range=y_range)
    figure["layout"]["showlegend"] = len(wanted) > 1 or bool(under)
    if y_range is None:
        shown = [untyped(t["y"]) for t in traces] + [np.array([value]) for value, _ in references]
        figure["layout"]["yaxis"] |= scale(shown, log=log)
    notes = [f"On this axis {name} is at {number(value)}." for value, name in references]
    if y_range is None and not log and (cut := cut_axis([found[c.series].to_numpy() for c in drawn])):
        figure["layout"]["yaxis"]["range"] = cut
        notes.append(
            f"The axis ends at {number(cut[0], 2)} and {number(cut[1], 2)}: the largest values lie far outside; a double click shows all."
        )
    summary = " ".join([describe(found[c.series], c.label, log=log) for c in drawn] + notes)
    return Drawing(figure, summary, tuple(str(found[c.series].name) for c in drawn), absent)


def on_features(run: Run, base: str) -> list[str]:
    """Returns the names under which a score was recorded: its own, and with each kind of features in brackets."""
    return [n for n in run.names if n == base or n.startswith(f"{base}[")]


def _on_each_features(run: Run, curve: Curve) -> list[Curve]:
    """Returns one curve for each kind of features that a score was measured on, where there are several."""
    names = on_features(run, curve.series)
    if len(names) < 2:
        return [curve]
    return [replace(curve, series=n, label=f"{curve.label} {n.removeprefix(curve.series)}") for n in names]


def runs_away(values: Sequence[np.ndarray]) -> bool:
    """Says whether values of one sign, zeros aside, are so unequal that only a log axis shows them all."""
    finite = [f for v in values if len(f := v[np.isfinite(v)])]
    if not finite or min(float(f.min()) for f in finite) < 0 or any(np.median(f) <= 0 for f in finite):
        return False
    return max(float(f.max()) for f in finite) > RUNAWAY * min(float(np.median(f)) for f in finite)


def cut_axis(values: Sequence[np.ndarray]) -> list[float] | None:
    """Returns the ends of a linear axis where a few values are so large that nothing else would be seen, None where all can be shown."""
    finite = [f for v in values if len(f := v[np.isfinite(v)].astype(np.float64))]
    sizes = [size for f in finite if (size := float(np.median(np.abs(f)))) > 0]
    low, high = (min(float(f.min()) for f in finite), max(float(f.max()) for f in finite)) if finite else (0.0, 0.0)
    if not sizes or max(abs(low), abs(high)) <= RUNAWAY * max(sizes):
        return None
    limit = CUT * max(sizes)
    low, high = max(low, -limit), min(high, limit)
    return [low - 0.05 * (high - low), high + 0.05 * (high - low)]


def describe(values: pd.Series, label: str, *, log: bool = False) -> str:
    """Returns one series in a sentence: where it began, where it ended, its extremes and where, and what was no number."""
    y, at = values.to_numpy(), values.index.to_numpy()
    finite = np.isfinite(y)
    whole = bool(finite.all())
    if not finite.any():
        return (
            f"{label}: none of its {number(len(y))} values is a finite number (the first at step {number(int(at[0]))})."
        )

    def there(i: int) -> str:
        return f"{number(float(y[i]))} (step {number(int(at[i]))})"

    low = int(np.argmin(y if whole else np.where(finite, y, np.inf)))
    high = int(np.argmax(y if whole else np.where(finite, y, -np.inf)))
    said = f"{label}: from {there(0)} to {there(-1)}" if len(y) > 1 else f"{label}: {there(0)}"
    if len(y) > 2:
        said += f"; lowest {there(low)}, highest {there(high)}"
    if not whole:
        said += (
            f"; {number(int((~finite).sum()))} values are not finite, the first at step {number(int(at[~finite][0]))}"
        )
    if log and y[low] <= 0:
        below = number(int((finite & (y <= 0)).sum()))
        said += f"; {below} values are not above zero and have no place on the log axis"
    return said + "."

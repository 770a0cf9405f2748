"""Tables: the numbers of a run for people who want the numbers; absent stays apart from NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded, RunError, did_you_mean, printable
from gandiag.quantities import quantity
from gandiag.reporting.numbers import number, plain
from gandiag.reporting.scorecard import best_score
from gandiag.run import Run, load_run


def find_runs(folder: Path) -> tuple[list[Run], list[str]]:
    """Returns the runs in a folder and in the folders below it, by path, and why those that cannot be read are left out."""
    found = sorted(file.parent for file in folder.rglob("run.json") if file.is_file())
    runs, left_out = [], []
    for path in found:
        try:
            runs.append(load_run(path))
        except RunError as error:
            left_out.append(str(error))
    return runs, left_out


def run_row(run: Run, diagnosis: Diagnosis) -> dict[str, Any]:
    """Returns one run as a row: path, name, verdict, steps, status, recipe, data, best score, when, and the story."""
    best, data = best_score(run, diagnosis), run.about.get("data")
    return {
        "path": str(run.path),
        "name": str(run.about.get("name") or run.path.name),
        "verdict": str(diagnosis.verdict),
        "steps": run.steps,
        "status": plain(run.about.get("status")),
        "recipe": plain(run.about.get("recipe")),
        "data": plain(data.get("name")) if isinstance(data, dict) else "–",
        "best": f"{best['name']} {number(best['value'], 3)} at step {number(best['step'])}" if best else "–",
        "created": plain(run.about.get("created")),
        "story": diagnosis.story,
    }


def chosen(run: Run, wanted: Sequence[str]) -> list[str]:
    """Returns the series asked for, all of them for none; raises NotRecorded with a suggestion for one that the run does not hold."""
    for name in wanted:
        if name not in run:
            raise NotRecorded(name, f"`gandiag show {run.path}` lists what was{did_you_mean(name, run.names)}")
    return list(wanted) or list(run.names)


def arrow_table(run: Run, wanted: Sequence[str]) -> pa.Table:
    """Returns series as one table over all their steps: a column each, one for every entry of a vector (`name/label`).

    Null where a series was not measured at a step, NaN where NaN was measured.
    """
    columns: list[tuple[str, np.ndarray, np.ndarray]] = []
    for name in wanted:
        try:
            values = run[name]
            columns.append((name, values.index.to_numpy(), values.to_numpy()))
        except NotRecorded:
            table = run.layers(name)
            columns += [
                (f"{name}/{label}", table.index.to_numpy(), table.to_numpy()[:, i])
                for i, label in enumerate(table.columns)
            ]
    steps = np.unique(np.concatenate([at for _, at, _ in columns])) if columns else np.empty(0, np.int64)
    arrays = {"step": pa.array(steps)}
    for name, at, column in columns:
        where = np.searchsorted(steps, at)
        absent, spread = np.ones(len(steps), dtype=bool), np.zeros(len(steps), dtype=column.dtype)
        absent[where], spread[where] = False, column
        arrays[name] = pa.array(spread, mask=absent, from_pandas=False)
    return pa.table(arrays)


def as_json(run: Run, wanted: Sequence[str]) -> dict[str, Any]:
    """Returns series with their steps as plain data; what is no finite number is the text NaN, Infinity or -Infinity."""
    found: dict[str, Any] = {}
    for name in wanted:
        try:
            values = run[name]
            found[name] = {"steps": values.index.tolist(), "values": [_finite(v) for v in values.tolist()]}
        except NotRecorded:
            table = run.layers(name)
            found[name] = {
                "steps": table.index.tolist(),
                "labels": list(table.columns),
                "values": [[_finite(v) for v in row] for row in table.to_numpy().tolist()],
            }
        known = quantity(name)
        found[name] |= {"meaning": known.meaning, "unit": known.unit} if known else {}
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def overview_rows(run: Run, wanted: Sequence[str]) -> list[list[str]]:
    """Returns a row a series: name, how many values, first, last, smallest, largest."""
    rows = []
    for name in wanted:
        try:
            y = run[name].to_numpy().astype(np.float64)
        except NotRecorded:
            table = run.layers(name)
            rows.append(
                [
                    name,
                    f"{number(len(table))} x {table.shape[1]}",
                    "",
                    "",
                    *_extremes(table.to_numpy().astype(np.float64).ravel()),
                ]
            )
            continue
        rows.append([name, number(len(y)), number(float(y[0])), number(float(y[-1])), *_extremes(y)])
    return rows


def _extremes(values: np.ndarray) -> list[str]:
    finite = values[np.isfinite(values)]
    return [number(float(finite.min())), number(float(finite.max()))] if len(finite) else ["NaN", "NaN"]


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Returns rows as text in columns; `right` are the columns that are aligned to the right."""
    rows = [[printable(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths)))
        for row in [head, *rows]
    ]
    return "\n".join(line.rstrip() for line in lines)

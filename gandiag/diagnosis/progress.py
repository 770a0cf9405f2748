"""Checks of where the run has got to: convergence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import Evidence, Recorded, evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.errors import NotRecorded

if TYPE_CHECKING:
    import pandas as pd

SCORES = ("frechet_distance", "kernel_distance")


def convergence(run: Recorded) -> Finding:
    """Says whether the run has converged, is still improving or is past its best, and which evaluated step to ship."""
    e = evidence(run)
    name, series = quality_score(e)
    e.need_steps()
    at, values = series.index.to_numpy(), series.to_numpy(dtype=float)
    good = np.isfinite(values)
    at, values = at[good], values[good]
    if len(values) < 4:
        raise NotRecorded("enough evaluations", f"{len(values)} hold a finite {name}, 4 are needed")
    best = int(np.argmin(values))
    ship = f"the best checkpoint is step {at[best]} ({name} {values[best]:.4g})"
    late = values[-max(3, round(e.limits.tail_share * len(values))) :]
    before = values[: -len(late)][-len(late) :]
    now, then = float(np.median(late)), float(np.median(before)) if len(before) else float("nan")
    noise = trends.robust_sd(np.diff(late)) / np.sqrt(2) if len(late) > 2 else 0.0
    if now > 1.5 * values[best] + 3 * noise and best < 0.8 * len(values):
        return Finding("convergence", Verdict.SUSPECT, f"past its best: {name} is {now:.4g} now (limit: 1.5 times the best); {ship}", cause="the run got worse",
                       remedies=(f"ship step {at[best]}",), series=(name,), onset=int(at[best]), kind="past its best")  # fmt: skip
    if np.isfinite(then) and now < (1 - e.limits.improving) * then - noise:
        return Finding("convergence", Verdict.HEALTHY, f"still improving: {name} fell from {then:.4g} to {now:.4g} (limit: {e.limits.improving:.0%}); {ship}",
                       remedies=("train longer",), series=(name,), kind="still improving")  # fmt: skip
    return Finding("convergence", Verdict.HEALTHY, f"settled: {name} is {now:.4g} and was {then:.4g} (limit: {e.limits.improving:.0%}); {ship}", series=(name,),
                   kind="settled")  # fmt: skip


def quality_score(e: Evidence) -> tuple[str, pd.Series]:
    """Returns the name and the series of the score that says how good the samples are; raises NotRecorded."""
    for score in SCORES:
        for name in e.names:
            if name == score or name.startswith(f"{score}["):
                return name, e[name]
    raise NotRecorded("a quality score", "frechet_distance or kernel_distance was expected")

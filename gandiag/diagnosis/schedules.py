"""What schedules do to a run: a rate that climbs to the very end, a warm-up that was never capped."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.fakes import LEARNED, misfits
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import set_rate

PLAYERS = ("discriminator", "generator")
CLIMBED = 1.5  # fold, over the run's second half: a warm-up that is capped has ended by then
LOST = 0.2  # of the last stretches, in which the fakes must be plainly no reals again


def climbs(e: Evidence) -> Finding | None:
    """A rate that rises to the end of a run in which the fakes were like the reals for a while, and no longer are."""
    off = misfits(e)
    if off is None or e.going_on:
        return None
    late = trends.tail(off, e.limits.tail_share)
    good = np.flatnonzero(np.convolve(~off, np.ones(LEARNED), "valid") == LEARNED)
    lost = float(np.mean(late))
    if lost < LOST or not len(good):
        return None
    for who in PLAYERS:
        level = e.maybe(f"{who}_learning_rate")
        if level is None or not np.all(np.isfinite(level)) or not np.all(level >= 0):
            continue
        half, before = level[len(level) // 2 :], level[-max(2, len(level) // 10)]
        if not (half[0] > 0 and np.all(np.diff(half) >= 0) and half[-1] > before and half[-1] > CLIMBED * half[0]):
            continue
        since = int(good[0])
        best = float(level[since])
        ill = since + int(np.argmax(off[since:]))
        return Finding(
            "learning_rate",
            Verdict.FAILED,
            f"the {who}'s learning rate rises to the end of the run, to {level[-1]:.3g} (from {best:.3g} as the "
            f"fakes became like the reals), and they are plainly none in {lost:.0%} of the last stretches (limit: {LOST:.0%})",
            cause="a warm-up that is never capped, or a schedule that goes the wrong way",
            remedies=(set_rate(e, who, best), "cap the warm-up: min(1, (step + 1) / warmup)"),
            series=(f"{who}_learning_rate", "diversity_ratio"),
            onset=int(e.edges[ill]),
            kind="climbing",
        )
    return None

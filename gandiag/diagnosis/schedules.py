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
RUN_AWAY = 10.0  # fold, over the whole run
LARGE = 0.03  # of the weights, an update that healthy runs hardly make (update_ratio_suspect: .1)
STATELESS = ("SGD",)  # optimizers of which nothing is lost
LOST = 0.2  # of the last stretches, in which the fakes must be plainly no reals again


def climbs(e: Evidence) -> Finding | None:
    """A rate that rises to the end of a run in which the fakes were like the reals for a while, and no longer are."""
    off = misfits(e)
    if e.going_on:
        return None
    if (found := _runs_away(e)) is not None or off is None:
        return found
    late = trends.tail(off, e.limits.tail_share)
    good = np.flatnonzero(np.convolve(~off, np.ones(LEARNED), "valid") == LEARNED)
    lost = float(np.mean(late))
    if lost < LOST or not len(good):
        return None
    for who in PLAYERS:
        level = e.maybe(f"{who}_learning_rate")
        if level is None or not np.all(np.isfinite(level)) or not np.all(level >= 0):
            continue
        if not _rises_to_the_end(level):
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


def swapped_betas(e: Evidence) -> Finding | None:
    """Adam's betas the wrong way round: beta1^2 / sqrt(beta2) is above 1 (Kingma and Ba ask for less), and the fakes are no reals."""
    for who in PLAYERS:
        given = e.facts("optimizers", who).get("betas")
        if not isinstance(given, list | tuple) or len(given) != 2 or not all(isinstance(b, int | float) for b in given):
            continue
        first, second = (float(b) for b in given)
        off = misfits(e)
        if (
            not 0 < second < first < 1
            or first**2 / np.sqrt(second) <= 1
            or off is None
            or not off[len(off) // 2 :].mean() > LOST
        ):
            continue
        return Finding(
            "learning_rate",
            Verdict.FAILED,
            f"the {who}'s betas are ({first:g}, {second:g}): beta1^2 / sqrt(beta2) is {first**2 / np.sqrt(second):.3g} (limit: 1)",
            cause="the momentum lasts longer than the mean of squares that it is divided by: the betas are the wrong way round",
            remedies=(f"betas=({min(second, 0.5):g}, {first:g}) for the {who}'s optimizer",),
            series=(f"{who}_learning_rate",),
            onset=0,
            kind="betas",
        )
    return None


def made_anew(e: Evidence) -> Finding | None:
    """An optimizer with moments that is made anew again and again: each first update of Adam's is the whole rate in every weight."""
    told = e.about.get("made_anew")
    for who in PLAYERS:
        kind = str(e.facts("optimizers", who).get("class", ""))
        if not isinstance(told, list) or who not in told or kind in STATELESS:
            continue
        off = misfits(e)
        lost = off is not None and off[len(off) // 2 :].mean() > LOST
        return Finding(
            "learning_rate",
            Verdict.FAILED if lost else Verdict.SUSPECT,
            f"more than half of the {who}'s updates are by an optimizer ({kind or 'of a class that is not known'}) that is new (limit: half)",
            cause=f"the {who}'s optimizer is made inside the loop: what it knows of the gradients' size and direction is lost at each update",
            remedies=(f"make the {who}'s optimizer once, before the loop",),
            series=(f"{who}_update_ratio",),
            onset=0,
            kind="made anew",
        )
    return None


def _rises_to_the_end(level: np.ndarray) -> bool:
    half, before = level[len(level) // 2 :], level[-max(2, len(level) // 10)]
    return bool(half[0] > 0 and np.all(np.diff(half) >= 0) and half[-1] > before and half[-1] > CLIMBED * half[0])


def _runs_away(e: Evidence) -> Finding | None:
    """A rate that rises tenfold, and to the very end of the run, until its updates are large: no schedule ends so."""
    e.need_steps()
    for who in PLAYERS:
        level, ratio = e.maybe(f"{who}_learning_rate"), e.maybe(f"{who}_update_ratio")
        if level is None or ratio is None or not np.all(np.isfinite(level)) or not _rises_to_the_end(level):
            continue
        first, now = float(level[0]), trends.tail_middle(ratio, e.limits.tail_share)
        if not 0 < RUN_AWAY * first < level[-1] or now < LARGE:
            continue
        return Finding(
            "learning_rate",
            Verdict.FAILED,
            f"the {who}'s learning rate rises to the end of the run, {level[-1] / first:.3g}-fold (limit: {RUN_AWAY:g}), and each update now "
            f"changes its weights by {now:.2g} of their size (limit: {LARGE:g})",
            cause="a warm-up that is never capped, or a schedule that goes the wrong way",
            remedies=(set_rate(e, who, first), "cap the warm-up: min(1, (step + 1) / warmup)"),
            series=(f"{who}_learning_rate", f"{who}_update_ratio"),
            onset=int(e.edges[int(np.argmax(level > RUN_AWAY * first))]),
            kind="climbing",
        )
    return None

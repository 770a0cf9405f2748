"""A player that stops in mid-run while the other goes on: a rate that has faded, an optimizer that is called no more or finds no gradient."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import set_rate
from gandiag.errors import NotRecorded

PLAYERS = ("discriminator", "generator")
# A player that is updated now and then pauses in between, and one whose updates are skipped while it wins pauses as long as that takes:
# only a pause that is so many times as long as any before it is an end.
LONGEST_PAUSE = 5.0
FEWEST = 20  # updates of the other one meanwhile
MOST = 0.5  # of the run
FADED = 1e-4  # of its own largest rate: what a schedule has left then moves nothing; cosine and warm-up fade both players, and neither goes on


def stopped(e: Evidence) -> Finding | None:
    """A player that is updated no more for the last fifth of the run, while the other goes on: nobody trains one of two on purpose."""
    moves = {who: _moves(e, who) for who in PLAYERS}
    if (found := _both_stopped(e)) is not None:
        return found
    for who, other in (PLAYERS, PLAYERS[::-1]):
        at, goes_on = moves[who], moves[other]
        if not len(at):
            continue  # it never moved at all: told elsewhere
        last = int(at[-1])
        pause = int(e[f"{who}_updates"].index[-1]) - last  # of steps whose updates are not known nothing is said
        longest = int(np.diff(at).max(initial=1))
        needed = max(e.limits.sustained_steps, e.limits.tail_share * e.steps, LONGEST_PAUSE * longest)
        since = goes_on[goes_on > last]
        if pause < needed or len(since) < FEWEST or since[-1] - last < needed:
            continue
        rate = _rates(e, who)
        zero = bool(len(rate) and (rate > 0).any() and rate[-1] <= FADED * rate.max())
        cut_off = who == "generator" and not zero
        cause = f"the {who} has learned until then, and stands still while the {other} goes on"
        return Finding(
            "objective_fault",
            Verdict.FAILED,
            f"the {who} made its last update at step {last} of {e.steps}, the {other} {len(since)} since "
            f"(limit: {needed:.0f} steps)"
            + (f": its learning rate was {rate.max():.2g} and is {rate[-1]:.2g}" if zero else ""),
            cause=cause + (": no gradient reaches it any more, or its step() is not called" if cut_off else ""),
            remedies=(
                (set_rate(e, who, float(rate.max())), "look at what its schedule does until that step")
                if zero
                else (f"look why the {who}'s optimizer finds no gradient, or is not called, from that step on",)
            ),
            series=tuple(n for n in (f"{who}_updates", f"{who}_learning_rate", f"{other}_updates") if n in e),
            onset=last + 1,
            kind="detached generator" if cut_off else f"frozen {who}",
        )
    return None


def _both_stopped(e: Evidence) -> Finding | None:
    """Two players whom no gradient has moved in most of the run: it is not those networks that are trained.

    Where attach has seen the optimizers being called on, they hold the wrong ones; else the recorder may.
    """
    steps = [e[f"{who}_updates"].dropna() for who in PLAYERS]
    at = [s.index.to_numpy()[s.to_numpy(dtype=float) > 0] for s in steps]
    if not all(len(one) for one in at):
        return None
    last, end = max(int(one[-1]) for one in at), min(int(s.index[-1]) for s in steps)
    if end - last < max(e.limits.sustained_steps, MOST * e.steps):
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED if "attached" in e.about else Verdict.SUSPECT,
        f"neither player has been updated by a gradient since step {last} of {e.steps} (limit: {MOST:.0%} of the run), and the run goes on",
        cause="the optimizers, or the recorder, hold other networks than those that the loop trains: such as were made anew after them, at a resume "
        "say; or nothing is trained any more",
        remedies=(
            "make the optimizers after the networks, or load weights into the networks that there are (load_state_dict)",
            "make a Recorder of the networks that are trained, with resume=True; look whether backward() is still called",
        ),
        series=tuple(f"{who}_updates" for who in PLAYERS),
        onset=last + 1,
        kind="both stand still",
    )


def not_begun(e: Evidence) -> bool:
    """Tells whether the discriminator's loss has not pushed one score yet: it weighs nothing, as before the step at which a game is to begin."""
    sizes = [f"discriminator_force_size_on_{side}" for side in ("real", "fake")]
    pushes = [e[name].to_numpy(dtype=float) for name in sizes if name in e]
    return len(pushes) == 2 and all(len(force) and bool(np.all(force == 0)) for force in pushes)


def _rates(e: Evidence, who: str) -> np.ndarray:
    """A player's learning rates as they were recorded, as many as there are."""
    try:
        return e[f"{who}_learning_rate"].dropna().to_numpy(dtype=float)
    except NotRecorded:
        return np.zeros(0)


def _moves(e: Evidence, who: str) -> np.ndarray:
    """The steps at which a player was updated, at a rate that moves something as far as that was last seen.

    An update of nothing at a rate above 0 is no end by itself: weights that have blown up take none in, and a gradient may have died. Where the
    rate has become 0, sizes of updates tell since when: they are seen more often.
    """
    updates = e[f"{who}_updates"]
    at = updates.index.to_numpy()[updates.to_numpy(dtype=float) > 0]
    rates = _rates(e, who)
    if not len(rates):
        return np.asarray(at)
    for name in (f"{who}_learning_rate", f"{who}_update_ratio")[: 2 if rates[-1] == 0 else 1]:
        if name not in e:
            continue
        series = e[name].dropna()
        if len(series):
            seen = np.searchsorted(series.index.to_numpy(), at, side="right") - 1
            least = FADED * rates.max() if name.endswith("learning_rate") else 0.0
            at = at[series.to_numpy(dtype=float)[np.maximum(seen, 0)] > least]
    return np.asarray(at)

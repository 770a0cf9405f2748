"""The check of how weights are moved: learning_rate."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.balance import saturated_from_the_start
from gandiag.diagnosis.collapse import poor_batches
from gandiag.diagnosis.deadness import dead_player, identical_units
from gandiag.diagnosis.decay import decayed
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import BURSTS, LEARNED, bursts, misfits, restlessness
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.memory import few_data
from gandiag.diagnosis.remedies import LARGEST_RATE, lower_rates, rate, regularise, set_rate
from gandiag.diagnosis.schedules import climbs, made_anew, swapped_betas
from gandiag.diagnosis.weakness import FLAT, handicap, outrun, steepness
from gandiag.errors import NotRecorded

PLAYERS = ("generator", "discriminator")
BLOWN_UP = 5.0  # fold, of a player's weights: healthy runs ended at .7 to 1.7 times their first norm, a collapsed one at 3.5 (benchmark)
SOON = 0.05  # of the run
MOST_OF_IT = 0.999  # of a weight that an update may be: the rest is what it began with
FADED, EARLY = 1e-3, 0.5  # of a player's largest rate; share of the run after which a schedule may take it away
HARDLY = 0.02  # sum of all updates over the weights: healthy runs move by half of the weights' size to 20 times it (benchmark)
FIRST = 0  # the step: weights that were dead then were never thrown
ALIVE = 0.1  # of the gradient that the generator had at first: below, it has vanished, which is told elsewhere
OFTEN = 0.2  # of the late stretches in which restless fakes must also be plainly no reals
MOSTLY = 0.6  # of them, where the loop keeps an average of the generator
RAISED = 8.0  # fold, beyond all it had been: schedules that come back to their first rate do not count, warm-ups rise by little at a time
USUAL_UPDATE = 1e-3  # update over weight, the rule of thumb that a remedy aims at, times ten for small nets


def learning_rate(run: Recorded) -> Finding:
    """Finds updates that are far too large or far too small for the weights that they change."""
    e = evidence(run)
    names = [n for who in PLAYERS if (n := f"{who}_update_ratio") in e]
    if not names:
        raise NotRecorded("the update ratio of either player")
    e.need_steps()
    e.need_spread_data()
    high, suspect, low = e.limits.update_ratio_high, e.limits.update_ratio_suspect, e.limits.update_ratio_low
    now = {n: e.now(n) for n in names}
    top = max(now, key=lambda n: now[n])
    for limit, verdict in ((high, Verdict.FAILED), (suspect, Verdict.SUSPECT)):
        for name in sorted(names, key=lambda n: -now[n]):
            state = np.nan_to_num(e.level(name), nan=0.0) > limit
            if e.holds(state) and not _eaten(e, name.split("_", 1)[0]):
                return _far_off(e, name, now[name], limit, verdict, e.onset(state), "too high")
    for look in (_raised, climbs, swapped_betas, made_anew, _thrown, _faded, _hardly_moved):
        if (found := look(e)) is not None:
            return found
    if (found := _restless(e)) is not None:
        return found
    for name in names:
        state = np.nan_to_num(e.level(name), nan=1.0) < low
        if e.holds(state) and now[name] > 0:
            return _far_off(e, name, now[name], low, Verdict.SUSPECT, e.onset(state), "too low")
    return Finding(
        "learning_rate",
        Verdict.HEALTHY,
        f"{top} is {now[top]:.2g} (limits: {low:g} to {suspect:g})",
        series=tuple(names),
    )


def _eaten(e: Evidence, who: str) -> bool:
    """Whether weight decay has left so little of a player that any update is large beside it: that is the cause then, and told elsewhere."""
    try:
        return decayed(e, who) is not None
    except (NotRecorded, CannotTell):
        return False


def _far_off(
    e: Evidence, name: str, now: float, limit: float, verdict: Verdict, onset: int | None, kind: str
) -> Finding:
    who = name.split("_", 1)[0]
    present = rate(e, who)
    wanted = present * 10 * USUAL_UPDATE / now if present and now > 0 else None
    if wanted is None:
        remedy = f"bring the {who}'s learning rate {'down' if kind == 'too high' else 'up'}"
    elif kind == "too low" and wanted > LARGEST_RATE:
        remedy = f"look at what a schedule or a decay has left of the {who}'s learning rate: it is {present:.1g}"
    else:
        remedy = set_rate(e, who, wanted)
    return Finding(
        "learning_rate",
        verdict,
        f"each update changes the {who}'s weights by {now:.2g} of their size (limit: {limit:g})",
        cause=f"the {who}'s learning rate is {kind} for these weights",
        remedies=(remedy,),
        series=(name,),
        onset=onset,
        kind=kind,
    )


def _raised(e: Evidence) -> Finding | None:
    """A rate that leapt beyond all that it had been, upon which fakes that were like the reals became plainly none."""
    off = misfits(e)
    if off is None or not e.holds(off) or (ill := trends.onset(off)) is None:
        return None
    for who in PLAYERS:
        level = e.maybe(f"{who}_learning_rate")
        if level is None or len(level) < 2 or not np.all(level > 0):
            continue
        fold = level[1:] / np.maximum.accumulate(level)[:-1]
        place = int(np.argmax(fold)) + 1
        soon = place - 1 <= ill <= place + max(LEARNED, round(e.limits.sustained_share * len(level)))
        if fold[place - 1] < RAISED or not soon or place < LEARNED or off[max(0, place - LEARNED) : place - 1].any():
            continue
        at = int(e.edges[place])
        return Finding(
            "learning_rate",
            Verdict.FAILED,
            f"the {who}'s learning rate was raised {fold[place - 1]:.3g}-fold at step {at} (limit: {RAISED:g}), and the fakes, which were like the "
            f"reals, are none since step {int(e.edges[ill])}",
            cause="the weights were thrown away from what they had learned",
            remedies=(set_rate(e, who, float(level[place - 1])), "restart from the last checkpoint before that step"),
            series=(f"{who}_learning_rate", "diversity_ratio"),
            onset=at,
            kind="raised",
        )
    return None


def _thrown(e: Evidence) -> Finding | None:
    """First updates of a tenth of the weights and more, which have blown these up or killed them, so that later ones look small beside them."""
    off, dead = misfits(e), dead_player(e)
    if off is None or not e.holds(off) or (dead is not None and dead.since <= FIRST):
        return None  # units that died of it died later
    if any(identical_units(e, who) for who in PLAYERS):
        return None  # units that are one are moved as one, by all that each of them would have shared
    limit, vanished = e.limits.update_ratio_suspect, _vanished(e)
    stuck = vanished is not None and e.holds(vanished)
    both = all(_first_updates(e, who) > limit for who in PLAYERS)
    for who in PLAYERS:
        try:
            ratio, norm = e[f"{who}_update_ratio"].dropna(), e[f"{who}_parameter_norm"].dropna()
        except NotRecorded:
            continue
        if len(norm) < 3 or not float(norm.iloc[0]) > 0:
            continue
        first = _first_updates(e, who)
        # what is recorded is the norm after the first update: before it, what is left without a step across it
        began = float(norm.iloc[0]) * np.sqrt(1 - min(float(ratio.iloc[0]), MOST_OF_IT) ** 2)
        grown = trends.tail_middle(norm.to_numpy(dtype=float), e.limits.tail_share) / began
        silenced = who == "generator" and stuck and vanished is not None and _soon(vanished)
        died = silenced or (dead is not None and dead.who == who) or (both and stuck)  # nothing grows after that
        if not (first > limit and (grown > BLOWN_UP or died)):
            continue
        fate = f"{grown:.3g} times as large since (limit: {BLOWN_UP:g})"
        if died:
            fate = "dead since" if silenced or not stuck else "stuck where no gradient is"
        present = rate(e, who)
        return Finding(
            "learning_rate",
            Verdict.FAILED,
            f"the first updates changed the {who}'s weights by {first:.2g} of their size (limit: {limit:g}), which are {fate}",
            cause=f"the {who}'s learning rate is too high for these weights: its first steps have thrown them far away",
            remedies=(
                set_rate(e, who, min(present * 10 * USUAL_UPDATE / first, LARGEST_RATE))
                if present
                else f"bring the {who}'s learning rate down",
                "begin again: weights that have been blown up do not come back",
            ),
            series=(f"{who}_update_ratio", f"{who}_parameter_norm"),
            onset=int(ratio.index[0]),
            kind="too high",
        )
    return None


def _first_updates(e: Evidence, who: str) -> float:
    """The largest of a player's first three recorded updates over its weights; 0 where none was."""
    try:
        return float(e[f"{who}_update_ratio"].dropna().iloc[:3].max())
    except NotRecorded:
        return 0.0


def _vanished(e: Evidence) -> np.ndarray | None:
    """Tells in which stretches next to nothing of the generator's first gradient was left; None where it had none."""
    norm = e.maybe("generator_gradient_norm")
    if norm is None or not np.nanmax(norm[:1], initial=0.0) > 0:
        return None
    return np.asarray(np.nan_to_num(norm, nan=np.inf) < e.limits.vanished_gradient * norm[0])


def _soon(state: np.ndarray) -> bool:
    first = trends.onset(state)
    return first is not None and first <= max(LEARNED, round(SOON * len(state)))


def _faded(e: Evidence) -> Finding | None:
    """Both players' rates brought to nothing by a schedule, long before the end and before the fakes were like the reals."""
    off = misfits(e)
    if off is None or not e.holds(off):
        return None
    began = since = 0
    told = []
    for who in PLAYERS:
        level = e.maybe(f"{who}_learning_rate")
        if level is None or not np.nanmax(level, initial=0.0) > 0:
            return None
        first = trends.onset(level <= FADED * np.nanmax(level))
        if first is None or level[-1] > FADED * np.nanmax(level):
            return None
        since = max(since, int(e.edges[first]))
        began = max(began, int(e.edges[trends.onset(level <= np.nanmax(level) / 2) or 0]))
        told.append(f"the {who}'s learning rate was {np.nanmax(level):.2g} and is {level[-1]:.2g}")
    if since > EARLY * e.steps:
        return None
    return Finding(
        "learning_rate",
        Verdict.FAILED,
        f"{' and '.join(told)}, below {FADED:g} of it since step {since} of {e.steps} (limit: {EARLY:.0%} of the run), and the fakes are no reals",
        cause="a schedule has taken both learning rates away before the generator had learned",
        remedies=("let the schedule count epochs in place of steps, or make it as long as the run",),
        series=tuple(f"{who}_learning_rate" for who in PLAYERS),
        onset=began,
        kind="faded",
    )


def _hardly_moved(e: Evidence) -> Finding | None:
    """A generator whose updates, all taken together, are next to nothing, although its loss still tells it where to go."""
    off = misfits(e)
    if off is None or not np.mean(off) > 1 - e.limits.sustained_share or dead_player(e) is not None:
        return None  # one that was like the reals once, or began so (a net that is tuned further), has moved enough
    if saturated_from_the_start(e):
        return None  # it is hardly told to move
    ratio, norm = e["generator_update_ratio"].dropna(), e.maybe("generator_gradient_norm")
    if len(ratio) < 3 or norm is None or not np.nanmax(norm, initial=0.0) > 0:
        return None
    every = float(np.median(np.diff(ratio.index.to_numpy())))
    moved = float(ratio.sum()) * every
    alive = trends.tail_middle(norm, e.limits.tail_share) > ALIVE * np.nanmax(norm[:3], initial=0.0)
    # a gradient that vanished is the cause, unless what it gave at its fullest would have led nowhere either
    ever = float(ratio.max()) * e.steps > HARDLY
    if not 0 < moved < HARDLY or (not alive and ever):
        return None
    present = rate(e, "generator")
    return Finding(
        "learning_rate",
        Verdict.FAILED,
        f"all updates together have moved the generator's weights by {moved:.2g} of their size in {e.steps} steps (limit: {HARDLY:g}), and the fakes "
        "are no reals",
        cause="the generator's learning rate is too low for these gradients: it has hardly left its first weights",
        remedies=(
            set_rate(e, "generator", min(present * 100, LARGEST_RATE))
            if present and present < LARGEST_RATE
            else "raise the generator's learning rate a hundredfold",
            *_steps_of_one_size(e),
        ),
        series=("generator_update_ratio", "generator_gradient_norm"),
        onset=int(ratio.index[0]),
        kind="too low",
    )


def _steps_of_one_size(e: Evidence) -> tuple[str, ...]:
    if "adam" in str(e.facts("optimizers", "generator").get("class", "")).lower():
        return ()
    return ("take Adam in place of SGD: its steps do not shrink with the gradient",)


def _restless(e: Evidence) -> Finding | None:
    """Fakes that never come to rest although neither player is outrun: both players' steps are too large to settle."""
    restless, off = restlessness(e), misfits(e)
    if restless is None or off is None:
        return None
    state, often = restless > e.limits.restless, bursts(e)
    if often < BURSTS:
        return None
    poor = poor_batches(e)
    slope = steepness(e)
    flat = slope is not None and e.holds(slope < FLAT)
    if handicap(e).kind or outrun(e) or flat or (poor is not None and e.holds(poor)) or _known_by_heart(e):
        return None  # then that is the cause, and told elsewhere: a weak D, a collapse, or data that D knows by heart
    share = float(np.mean(trends.tail(off, e.limits.tail_share)))
    # of a generator whose moving average the loop keeps that average is what is used: it rests where the generator itself does not
    averaged = e.keeps_average
    often_off = MOSTLY if averaged else OFTEN
    first = trends.onset(state, patience=max(5, len(state) // 10))
    return Finding(
        "learning_rate",
        Verdict.FAILED if share >= often_off and not e.average_is_well else Verdict.SUSPECT,
        f"the fakes' spread swings by more than {e.limits.restless:.0%} within a twentieth of the run in {often:.0%} of the run's second half "
        f"(limit: {BURSTS:.0%}), and the fakes are plainly no reals in {share:.0%} of its last stretches (limit: {often_off:.0%})",
        cause="the players' steps are too large for the game to settle",
        remedies=(*lower_rates(e, "both"), *regularise(e)),
        series=tuple(n for n in ("fake_pairwise_distance", "diversity_ratio", "generator_update_ratio") if n in e),
        onset=None if first is None else int(e.edges[first]),
        kind="restless",
    )


def _known_by_heart(e: Evidence) -> bool:
    """Whether the data are so few that D knows them: what it then pushes at has no end."""
    try:
        found = few_data(e)
    except (NotRecorded, CannotTell):
        return False
    return found is not None and found.verdict is Verdict.FAILED

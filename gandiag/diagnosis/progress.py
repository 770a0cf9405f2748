"""Checks of where the run has got to: stagnation, and convergence with the checkpoint to ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gandiag.diagnosis import pooled, trends
from gandiag.diagnosis.dynamics import Word
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import coverage, covered_now, energy_falls, getting_nearer, misfit, misfits
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.likeness import distances, unlike
from gandiag.diagnosis.motion import eigenvalues, read_game, tiny
from gandiag.errors import NotRecorded

if TYPE_CHECKING:
    import pandas as pd

SCORES = ("frechet_distance", "kernel_distance")
FEWEST_SCORES = 4
# The share of reals that lies within 3 sd of their mode, in two dimensions: fakes with a higher one are no better, only narrower.
GOOD_REALS = 0.9889
AT_REST = (Word.CONVERGING, Word.SUBLINEAR, Word.STILL)
# of the largest norm of the game's field: the words for an equilibrium hold there, not on the way round it
SMALL_FIELD = 0.1
MOSTLY_START = 0.5  # of an average of the generator
RISING = 0.1  # of the fakes and reals that find one another, from one fifth of the run to the next: the fakes still come nearer
FLAT = 0.8  # of the stretches of a run's second half: fakes that far from the reals all the while have stopped learning


# ------------------------------------------------------------------------------------------------------------- convergence


def convergence(run: Recorded) -> Finding:
    """Says whether the run has converged, cycles, is still improving or is past its best, and which evaluated step to ship."""
    e = evidence(run)
    if tiny(e):
        return _of_tiny_game(e)
    name, at, values = quality(e)
    e.need_steps()
    best, low, high, equal = best_step(e, name, at, values)
    told = "1 - high_quality_share x covered modes" if name == "high_quality_share" else name
    noise = noise_of(values) * abs(float(values[best]))
    last = int(equal[-1])  # of those that cannot be told apart, the one that has learned longest
    ship = f"ship step {at[last]}: {told} {values[last]:.4g}"
    ship += f", no worse than step {at[best]}'s {values[best]:.4g}" if last != best else ""
    ship += f" [{low:.4g}, {high:.4g}]"
    ship += f", as good from step {at[equal[0]]} to {at[last]}" if len(equal) > 1 else ""
    late = values[-max(3, round(e.limits.tail_share * len(values))) :]
    before = values[: -len(late)][-len(late) :]
    now, then = float(np.median(late)), float(np.median(before)) if len(before) else float("nan")
    if best < len(values) - len(late) and now > e.limits.past_best * values[best] and now > values[best] + 4 * noise:
        return Finding(
            "convergence",
            Verdict.SUSPECT,
            f"past its best: {told} is {now:.4g} now (limit: {e.limits.past_best:g} times the best); {ship}",
            cause="the run got worse after its best",
            remedies=(f"ship step {at[last]}", f"stop at about step {at[last]} the next time"),
            series=(name,),
            onset=int(at[best]),
            kind="past its best",
        )
    if np.isfinite(then) and now < (1 - e.limits.improving) * then and then - now > noise:
        return Finding(
            "convergence",
            Verdict.HEALTHY,
            f"still improving: {told} fell from {then:.4g} to {now:.4g} (limit: {e.limits.improving:.0%}); {ship}",
            remedies=("train longer",),
            series=(name,),
            kind="still improving",
        )
    kind, where = _local(e)
    return Finding(
        "convergence",
        Verdict.HEALTHY,
        f"settled{where}: {told} is {now:.4g} and was {then:.4g} (limit: {e.limits.improving:.0%}); {ship}",
        series=(name,),
        kind=kind,
    )


def quality(e: Evidence) -> tuple[str, np.ndarray, np.ndarray]:
    """Returns the name, the steps and the values of the score that says how good the samples are; raises NotRecorded or CannotTell."""
    name, series = _quality_series(e)
    values = series.to_numpy(dtype=float)
    good = (
        np.isfinite(values)
        & (np.abs(values) < e.limits.absurd_score)
        & (values >= (0 if name.startswith("frechet") else -np.inf))
    )
    if good.sum() < FEWEST_SCORES:
        raise CannotTell(f"{good.sum()} of {len(good)} evaluations hold a possible {name}, {FEWEST_SCORES} are needed")
    return name, series.index.to_numpy()[good], values[good]


def _quality_series(e: Evidence) -> tuple[str, pd.Series]:
    if (
        "high_quality_share" in e and coverage(e) is not None
    ):  # a known mixture: its Gaussian moments hardly show lost modes
        good, hit, total = e["high_quality_share"], e["modes_covered"], e["modes_total"]
        return "high_quality_share", (1 - (good * hit / total).clip(upper=GOOD_REALS)).dropna()
    for score in SCORES:
        for name in e.names:
            if name == score or name.startswith(f"{score}["):
                return name, e[name]
    raise NotRecorded("a quality score", "frechet_distance or kernel_distance was expected")


def noise_of(values: np.ndarray) -> float:
    """Returns the relative standard deviation of one evaluation, from the ratios of consecutive ones; 0 where scores are not all positive."""
    late = values[-max(4, len(values) // 2) :]
    return float(trends.robust_sd(np.diff(np.log(late))) / np.sqrt(2)) if len(late) > 2 and (late > 0).all() else 0.0


def best_step(e: Evidence, name: str, at: np.ndarray, values: np.ndarray) -> tuple[int, float, float, np.ndarray]:
    """Returns the place of the best evaluation, its interval, and the places of those that are no worse within the noise.

    The least of many noisy scores is low by luck: the best is sought on medians of three neighbours, and then taken among those three.
    """
    smooth = np.array([np.median(values[max(0, i - 1) : i + 2]) for i in range(len(values))])
    centre = int(np.argmin(smooth))
    around = np.arange(max(0, centre - 1), min(len(values), centre + 2))
    best = int(around[np.argmin(values[around])])
    low, high = values[best] * np.exp(-2 * noise_of(values)), values[best] * np.exp(2 * noise_of(values))
    base, _, features = name.partition("[")
    try:
        suffix = f"[{features}" if features else ""
        low = min(low, float(e[f"{base}_low{suffix}"].loc[at[best]]))
        high = max(high, float(e[f"{base}_high{suffix}"].loc[at[best]]))
    except (NotRecorded, KeyError):
        pass
    return best, low, high, np.union1d(np.flatnonzero((smooth <= high) & (values <= high)), [best])


def _local(e: Evidence) -> tuple[str, str]:
    """What the eigenvalues and the players' own Hessians say of the point where the run has settled."""
    values = eigenvalues(e)
    if values is None or _moving(e):
        return "settled", ""  # eigenvalues speak of an equilibrium only where the game stands still
    if values.real.max() > 1e-6:
        return "not at rest", " although its point is locally unstable"
    own = [e.now_or_nan(f"{who}_hessian_min") for who in ("generator", "discriminator")]
    if any(h < -1e-6 for h in own):
        return "stable, not Nash", " at a stable point that is no Nash equilibrium"
    return ("Nash", " at a local Nash equilibrium") if all(np.isfinite(own)) else ("stable", " at a stable point")


def _moving(e: Evidence) -> bool:
    """Whether the norm of the game's field, where it was recorded, has not fallen to a small part of what it was."""
    if "game_field_norm" not in e:
        return False
    norm = e["game_field_norm"].to_numpy(dtype=float)
    late = norm[-max(1, round(e.limits.tail_share * len(norm))) :]
    return bool(np.median(late) > SMALL_FIELD * np.nanmax(norm))


def _of_tiny_game(e: Evidence) -> Finding:
    name, reading = read_game(e)
    if reading.word is Word.UNCLEAR:
        raise CannotTell(reading.why)
    kind, where = _local(e)
    rate = f" by {reading.multiplier:.6g} a step" if reading.multiplier is not None else ""
    claim = f"{reading.word.value}{rate} (limit: below 1){where}"
    if reading.word in AT_REST:
        return Finding(
            "convergence",
            Verdict.HEALTHY,
            claim,
            series=(name,),
            kind=kind if kind != "settled" else str(reading.word.value),
        )
    return Finding(
        "convergence",
        Verdict.SUSPECT,
        claim,
        cause="the game does not come to rest",
        series=(name,),
        onset=0,
        kind=str(reading.word.value),
    )


# -------------------------------------------------------------------------------------------------------------- stagnation


def stagnation(run: Recorded) -> Finding:
    """Finds a run that gets nowhere: its scores, or its fakes, are what they were at the start, and they are bad."""
    e = evidence(run)
    found = _going_nowhere(e)
    return found if found.verdict is Verdict.FAILED else _stale_average(e) or found


def _going_nowhere(e: Evidence) -> Finding:
    try:
        name, at, values = quality(e)
    except (NotRecorded, CannotTell):
        return _still_fakes(e)
    e.need_steps()
    start = float(np.median(values[: max(1, len(values) // 10)]))
    late = float(np.median(values[-max(2, len(values) // 5) :]))
    told = "1 - high_quality_share x covered modes" if name == "high_quality_share" else name
    claim = f"{told} is {late:.4g} and was {start:.4g} at first (limit: {e.limits.stagnant:.0%} of it)"
    c = coverage(e)
    poor = c is None or covered_now(e, c) <= e.limits.covered_share
    if late > e.limits.stagnant * start and poor and e.limits.stagnant * np.min(values) < late:
        return Finding(
            "stagnation",
            Verdict.SUSPECT,
            claim,
            cause="the generator does not learn",
            remedies=("look at the first finding above this one",),
            series=(name,),
            onset=int(at[0]),
        )
    # fakes whose modes are known were held against these; features may pass over where they lie
    beside = None if name == "high_quality_share" else _beside_the_data(e)
    return beside or Finding("stagnation", Verdict.HEALTHY, claim, series=(name,))


def _still_fakes(e: Evidence) -> Finding:
    """Judges by the batches: fakes whose spread has stayed where it began, far from the reals'."""
    ratio = e.level("diversity_ratio")
    e.need_steps()
    e.need_spread_data()
    known = ratio[np.isfinite(ratio)]
    start, late = (
        trends.middle(known[: max(1, len(known) // 20)]),
        trends.middle(trends.tail(known, e.limits.tail_share)),
    )
    claim = f"the fakes' diversity is {late:.3g} of the reals' and was {start:.3g} at first (limit: a change by {1 - e.limits.stagnant:.0%})"
    if abs(late - start) < (1 - e.limits.stagnant) * max(start, 1e-3) and late < 0.5:
        return Finding(
            "stagnation",
            Verdict.SUSPECT,
            claim,
            cause="the generator does not learn",
            remedies=("look at the first finding above this one",),
            series=("diversity_ratio",),
            onset=0,
        )
    found = [f for f in (_unlike(e), _beside_the_data(e)) if f is not None]
    failed = [f for f in found if f.verdict is Verdict.FAILED]
    healthy = Finding("stagnation", Verdict.HEALTHY, claim, series=("diversity_ratio",))
    return next(iter(failed or found), healthy)


def _unlike(e: Evidence) -> Finding | None:
    """Fakes that any batch shows to be none, and that come no nearer."""
    off, signs = misfits(e), misfit(e)
    if off is None or not signs or not e.holds(off) or getting_nearer(e):
        return None
    return Finding(
        "stagnation",
        Verdict.FAILED if _far_and_flat(e) else Verdict.SUSPECT,
        f"the fakes are still plainly no reals: {'; '.join(signs)} (limits: diversity {e.limits.misfit_ratio:g}, directions "
        f"{e.limits.rank_ratio:g}, {e.limits.misfit_distance:g} sd, energy {e.limits.misfit_energy:g}, of a column "
        f"{e.limits.misfit_column:g}, of a channel {e.limits.misfit_channel:g}, roughness {e.limits.misfit_roughness:g}), and come no nearer",
        cause="the generator has stopped learning, or learns very slowly",
        remedies=("look at the first finding above this one", "train longer"),
        series=tuple(n for n in ("diversity_ratio", "fake_effective_rank", "fake_mean") if n in e),
        onset=e.onset(off),
        kind="unlike",
    )


def _beside_the_data(e: Evidence) -> Finding | None:
    """Fakes that no batch tells from reals, and that lie where hardly a real lies: those of many batches together show it."""
    now = None if e.going_on else pooled.beside(e)  # of a run that goes on it is too early to say
    if now is None:
        return None
    before = pooled.before_the_end(e)
    # of a generator whose moving average the loop keeps that average is what is used, and it lies nearer
    near = now.precision > e.limits.beside_precision / 2 and now.coverage > e.limits.beside_coverage / 2
    averaged = near and e.keeps_average
    better = (
        averaged
        or pooled.is_rough(now)
        or before is None
        or now.precision + now.coverage > before.precision + before.coverage + RISING
    )
    return Finding(
        "stagnation",
        Verdict.SUSPECT if better else Verdict.FAILED,
        f"of the last {now.count} fakes {now.precision:.0%} lie as near to a real as its {pooled.NEIGHBOUR}th neighbour (limit: "
        f"{e.limits.beside_precision:.0%}), and {now.coverage:.0%} of as many reals have a fake so near (limit: {e.limits.beside_coverage:.0%}), and "
        "they come no nearer",
        cause="the generator fills the region of the data and does not find the data: it is too coarse, or has learned too little",
        remedies=("train longer", "give the generator more width", "lower both learning rates towards the end"),
        series=tuple(n for n in ("energy_coefficient", "fake_nearest_real", "real_nearest_fake") if n in e),
        kind="beside the data",
    )


def _stale_average(e: Evidence) -> Finding | None:
    """A moving average of the generator that is still, for the most part, what the generator was before it had learned anything."""
    share = e.about.get("average_share_of_start")
    if not isinstance(share, int | float) or not MOSTLY_START < share <= 1:
        return None
    return Finding(
        "stagnation",
        Verdict.FAILED,
        f"{share:.0%} of the generator's moving average is still what it was at first (limit: {MOSTLY_START:.0%})",
        cause="the average's decay is too near to 1 for so few updates",
        remedies=(
            f"set the decay to {_decay_for(e.steps):g} or less, or let it rise from 0 (min(decay, (1 + step) / (10 + step)))",
            "use the generator's own weights",
        ),
        onset=0,
        kind="stale average",
    )


def _decay_for(steps: int) -> float:
    """A decay of which a thousandth of the start is left halfway through."""
    return float(np.floor((1 - 14 / max(steps, 15)) * 1e4) / 1e4)


def _far_and_flat(e: Evidence) -> bool:
    """Whether all of a finished run's second half leaves the fakes as far from the reals as they plainly are."""
    apart, near = e.maybe("energy_coefficient"), unlike(e)
    if e.going_on or (apart is not None and energy_falls(apart)):
        return False
    far = apart is not None and _lasts(np.nan_to_num(apart) > e.limits.misfit_energy)
    return far or (near is not None and _lasts(near) and not any(energy_falls(x) for x in distances(e)))


def _lasts(state: np.ndarray) -> bool:
    return bool(np.mean(state[len(state) // 2 :]) >= FLAT)

"""The check of a discriminator that cannot do its part: discriminator_weakness, and what hinders D."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.decay import decayed
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import coverage, covered_now, misfit, misfits, wander
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.pooled import beside
from gandiag.diagnosis.remedies import equal_rates, larger_discriminator
from gandiag.diagnosis.stopped import not_begun
from gandiag.errors import NotRecorded

# times the share of good samples of the third of the evaluations before: such a generator is still learning
RISES = 1.5
GOOD_SHARES = ("high_quality_share", "precision")
# of the slope that D had untrained, below which only what holds it down keeps it while the fakes are plainly no reals: healthy runs ended at .25
# (strong R1) to 9 times it (benchmark)
FLAT = 0.15
OUTNUMBERED = 8.0  # updates of the generator for one of D's: those of two to five that were seen ended well (benchmark)
HARDLY = 0.7  # AUC of two normal laws three quarters of a standard deviation apart
ALL_THE_WHILE = 0.9  # of the stretches, in which the fakes are plainly no reals
# AUC of a D that learns and is wrong all the same: one whose generator has collapsed to where D likes it reads .17 and more
PLAINLY_INVERTED = 0.05
HAS_WON = 0.95  # AUC: a loss that nothing is left of moves nothing
UNSURE = 0.2  # logits between reals and fakes: a probability of .525 at best, however well their ranks tell them apart


def discriminator_weakness(run: Recorded) -> Finding:
    """Finds a discriminator that cannot do its part: frozen or nearly so, far too small, or inverted, while the fakes are plainly no reals."""
    e = evidence(run)
    auc = e.auc()
    now = trends.middle(trends.tail(auc, e.limits.tail_share))
    series = tuple(
        s for s in ("discriminator_auc", "discriminator_update_ratio", "discriminator_gradient_norm") if s in e
    )
    e.need_steps()
    e.need_spread_data()
    if e.going_on and not_begun(e):
        raise CannotTell("the discriminator's loss has pushed no score yet: the game is still to begin")
    with contextlib.suppress(NotRecorded):
        if (eaten := decayed(e, "discriminator")) is not None:
            return eaten
    signs = misfit(e)
    c = coverage(e)
    if c is not None and covered_now(e, c) <= e.limits.covered_share:
        signs.append(f"{covered_now(e, c) * c.total:.0f} of {c.total} modes are covered")
    kind, why, since = handicap(e)
    claim = f"AUC is {now:.2f} (limits: {e.limits.weak_auc:g} and {e.limits.blind_auc:g})"
    inverted = np.nan_to_num(auc, nan=0.5) < e.limits.weak_auc
    if kind and signs and not (kind == "slow" and now > HAS_WON):
        return Finding(
            "discriminator_weakness",
            Verdict.FAILED,
            f"{why}; {claim}, and {signs[0]}",
            cause="the discriminator cannot follow the generator",
            remedies=_strengthen(e, kind),
            series=series,
            onset=since,
            kind=kind,
        )
    blind = np.nan_to_num(auc, nan=0.5) < e.limits.blind_auc
    # narrow fakes, or fakes elsewhere, are another illness, of which AUC near one half is but the usual trap
    if not signs and e.holds(blind) and (unseen := nothing_good(e)):
        return Finding(
            "discriminator_weakness",
            Verdict.FAILED,
            f"{claim}, and yet {unseen}",
            cause="the discriminator does not see what is wrong with the fakes: it is kept from learning, or too small",
            remedies=(
                larger_discriminator(e),
                "take out what blinds it: dropout, noise or a penalty that is too strong",
            ),
            series=(*series, *(s for s in GOOD_SHARES if s in e), "fake_mean"),
            onset=e.onset(blind),
            kind="blind",
        )
    slope = steepness(e)
    gap = np.inf if e.free_offset else abs(e.now_or_nan("real_logit_mean") - e.now_or_nan("fake_logit_mean"))
    unsure = e.limits.weak_auc <= now < e.limits.blind_auc or (gap < UNSURE and now > 0.5)
    seen = signs or _beside(e)
    if seen and unsure and slope is not None and e.holds(slope < FLAT):
        flat = trends.tail_middle(slope, e.limits.tail_share)
        told = claim if now < e.limits.blind_auc else f"reals and fakes lie {gap:.2g} logits apart (limit: {UNSURE:g})"
        return Finding(
            "discriminator_weakness",
            Verdict.FAILED,
            f"{told}, D's slope at the fakes is {flat:.2g} of what it was untrained (limit: {FLAT:g}), and {seen[0]}",
            cause="the discriminator is held flat: its scores hardly depend on what it is shown, and the generator is not told where to go",
            remedies=(
                "lower the weight of D's penalty, and look at its sign",
                *_less_decay(e),
                larger_discriminator(e),
            ),
            series=(*series, "generator_gradient_at_image", "real_logit_sd"),
            onset=e.onset(slope < FLAT),
            kind="flat",
        )
    if signs and (best := never_told_apart(e)) is not None:
        return Finding(
            "discriminator_weakness",
            Verdict.FAILED,
            f"in nine of ten steps AUC is below {best:.2f} (limit: {HARDLY:g}), although the fakes have been plainly no reals all the while: "
            f"{signs[0]}",
            cause="the discriminator does not see what is wrong with the fakes: it is too small, or of a form that cannot see it (single pixels)",
            remedies=(larger_discriminator(e), "let D see whole samples: larger kernels, more layers, a dense head"),
            series=(*series, "diversity_ratio"),
            onset=int(e.edges[0]),
            kind="blind",
        )
    if e.holds(inverted) and signs:
        onset = e.onset(inverted)
        return Finding(
            "discriminator_weakness",
            Verdict.FAILED if now < PLAINLY_INVERTED else Verdict.SUSPECT,
            f"{claim}: fakes score above reals, and {signs[0]}",
            cause="D lags behind the generator",
            remedies=_strengthen(e, "slow"),
            series=series,
            onset=onset,
            kind="inverted",
        )
    if now < e.limits.weak_auc and not signs:
        claim += ", and nothing beside it shows that the fakes are no reals"
    return Finding("discriminator_weakness", Verdict.HEALTHY, claim + (f"; {why}" if why else ""), series=series)


def _beside(e: Evidence) -> list[str]:
    """What the points of many batches show of fakes that no single batch tells from reals."""
    now = None if e.going_on else beside(e)
    return [] if now is None else [f"{now.precision:.0%} of the last {now.count} fakes lie where reals lie"]


def never_told_apart(e: Evidence) -> float | None:
    """Returns the AUC that nine of ten steps lie below, where D tells hardly anything apart at any time, and plainly could; None elsewhere.

    A generator that collapses and hops gives an AUC near one half as well, on the average: its steps swing far up and down.
    """
    off = misfits(e)
    if off is None or "discriminator_auc" not in e or np.mean(off) < ALL_THE_WHILE:
        return None
    steps = e["discriminator_auc"].to_numpy(dtype=float)
    low, high = np.nanquantile(steps[len(steps) // 20 :], (0.1, 0.9))
    return float(high) if e.limits.weak_auc <= low and high < HARDLY else None


def steepness(e: Evidence) -> np.ndarray | None:
    """How steep D is at the fakes in each stretch, over what it was in the first ones (n,); None where that was not recorded.

    The slope is the gradient that reaches the fakes over the force that G's loss puts on their scores; where it is unknown, it counts as 1.
    """
    at_image, force = e.maybe("generator_gradient_at_image"), e.maybe("generator_force_size_on_fake")
    if at_image is None or force is None:
        return None
    slope = at_image / np.where(force > 0, force, np.nan)
    first = float(np.nanmax(slope[:3], initial=0.0))
    return np.nan_to_num(slope / first, nan=1.0) if first > 0 else None


def _less_decay(e: Evidence) -> tuple[str, ...]:
    decay = e.facts("optimizers", "discriminator").get("weight_decay")
    return ("set the discriminator's weight_decay to 0",) if isinstance(decay, int | float) and decay > 0 else ()


def nothing_good(e: Evidence) -> str:
    """What shows that the generator gives hardly a good sample, gets no better, and wanders; empty where one of the three does not."""
    hops = wander(e)
    if hops is None or not e.holds(hops > e.limits.hop):
        return ""
    for name in GOOD_SHARES:
        if name in e:
            share = e[name].to_numpy(dtype=float)
            now = trends.tail_middle(share, e.limits.tail_share)
            third = max(1, len(share) // 3)
            rising = trends.middle(share[-third:]) > RISES * trends.middle(share[-2 * third : -third])
            if len(share) < e.limits.young_evaluations or rising or not now < e.limits.hardly_good:
                return ""
            return (
                f"{name.replace('_', ' ')} is {now:.2g} (limit: {e.limits.hardly_good:g}) and does not rise, and the fakes' mean wanders by "
                f"{trends.tail_middle(hops, e.limits.tail_share):.2g} sd of the reals (limit: {e.limits.hop:g})"
            )
    return ""


class Handicap(NamedTuple):
    """Why D could not do its part: its kind, a sentence with number and limit, and since which step; empty where nothing hindered it."""

    kind: str = ""
    why: str = ""
    since: int | None = 0


def handicap(e: Evidence) -> Handicap:
    """Says why D could not do its part, if anything."""
    for name in ("discriminator_learning_rate", "discriminator_update_ratio"):
        level = e.maybe(name)
        if level is not None and np.nanmax(level) == 0:
            return Handicap("frozen", f"{name.replace('_', ' ')} is 0 (limit: above 0)")
    d, g = e.maybe("discriminator_update_ratio"), e.maybe("generator_update_ratio")
    if d is not None and g is not None:
        slow = np.nan_to_num(d, nan=np.inf) < e.limits.slow_discriminator * np.nan_to_num(g, nan=0.0)
        slow |= _slow_by_rate(e)
        known = [e.onset(slow) if e.holds(slow) else None, _slow_when_ill(e, slow)]
        since = min((at for at in known if at is not None), default=None)
        if since is not None:
            share = trends.middle(d[slow]) / max(trends.middle(g[slow]), 1e-30)
            limit = f"(limit: {e.limits.slow_discriminator:g})"
            told = f"D's updates are {share:.2g} of the generator's in size {limit}"
            if share >= e.limits.slow_discriminator:
                told = f"D's learning rate is not {e.limits.slow_discriminator:g} of the generator's"
            return Handicap("slow", told, since=since)
    often = _outnumbered(e)
    if (
        often is not None
        and d is not None
        and g is not None
        and trends.middle(d) < e.limits.outrun * often * trends.middle(g)
    ):
        return Handicap(
            "outnumbered", f"the generator makes {often:.3g} updates for one of D's (limit: {OUTNUMBERED:g})"
        )
    counts = [e.facts("players", who).get("parameters") for who in ("discriminator", "generator")]
    if (
        isinstance(counts[0], int)
        and isinstance(counts[1], int)
        and counts[0] < e.limits.small_discriminator * counts[1]
    ):
        return Handicap(
            "too small",
            f"D has {counts[0]} parameters, {counts[0] / counts[1]:.2g} of the generator's (limit: {e.limits.small_discriminator:g})",
        )
    return Handicap()


def _slow_by_rate(e: Evidence) -> np.ndarray | bool:
    """Says where D's rate is that far below the generator's, of the same kind of optimizer: its updates may look larger as its weights are small."""
    kinds = [e.facts("optimizers", who).get("class") for who in ("discriminator", "generator")]
    d, g = e.maybe("discriminator_learning_rate"), e.maybe("generator_learning_rate")
    if d is None or g is None or kinds[0] is None or kinds[0] != kinds[1]:
        return False
    return np.nan_to_num(d, nan=np.inf) < e.limits.slow_discriminator * np.nan_to_num(g, nan=0.0)


def _outnumbered(e: Evidence) -> float | None:
    """How many updates the generator makes for one of D's, where these are many; None where not, or where it is not known."""
    made = []
    for who in ("generator", "discriminator"):
        if f"{who}_updates" not in e:
            return None
        made.append(float(np.nanmean(e[f"{who}_updates"].to_numpy(dtype=float))))
    return made[0] / made[1] if made[1] > 0 and made[0] >= OUTNUMBERED * made[1] else None


def _slow_when_ill(e: Evidence, slow: np.ndarray) -> int | None:
    """Returns since when D was too slow as the fakes went astray, and for most of the time since; None where it was not.

    Weights that have run away are large, and a loss that has saturated is flat: the generator that outran D slows down by itself.
    """
    off = misfits(e)
    if off is None or not e.holds(off) or (first := trends.onset(off)) is None:
        return None
    then = slow[first : first + max(1, round(e.limits.sustained_share * len(slow)))]
    if not (np.mean(then) > 0.5 and np.mean(slow[first:]) > 0.5):
        return None
    return int(e.edges[first + int(np.argmax(then))])


def outrun(e: Evidence) -> bool:
    """Says whether the generator's updates are so much larger than D's that it outruns D: then balance is the cause, not the rates as such."""
    d, g = e.maybe("discriminator_update_ratio"), e.maybe("generator_update_ratio")
    return d is not None and g is not None and trends.middle(d) < e.limits.outrun * trends.middle(g)


def _strengthen(e: Evidence, kind: str) -> tuple[str, ...]:
    if kind == "too small":
        return (larger_discriminator(e),)
    if kind == "outnumbered":
        return ("update D at least as often as the generator",)
    return (equal_rates(e, "discriminator"),)

"""Checks of the players' balance: discriminator_dominance, discriminator_weakness and vanishing_generator_gradient."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import (
    coverage,
    covered_now,
    falls_short,
    far_away,
    getting_nearer,
    misfit,
    misfits,
    wander,
)
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import (
    equal_rates,
    fewer_discriminator_steps,
    larger_discriminator,
    lower_rates,
    rate,
    regularise,
    set_rate,
    without_saturation,
)
from gandiag.errors import NotRecorded

# times the share of good samples of the third of the evaluations before: such a generator is still learning
RISES = 1.5
GOOD_SHARES = ("high_quality_share", "precision")


def discriminator_dominance(run: Recorded) -> Finding:
    """Finds a discriminator that always wins against a generator that gets nowhere; AUC alone never decides."""
    e = evidence(run)
    auc = e.auc()
    e.need_steps()
    e.need_spread_data()
    now = trends.middle(trends.tail(auc, e.limits.tail_share))
    claim = f"AUC is {now:.4f} (limit: {e.limits.dominance_auc:g}, once won {e.limits.near_dominance_auc:g})"
    known = np.nan_to_num(auc, nan=0.5)
    state, near = known > e.limits.dominance_auc, known > e.limits.near_dominance_auc
    series = tuple(s for s in ("discriminator_auc", "real_logit_mean", "fake_logit_mean", "generator_loss") if s in e)
    signs = failing_generator(e)
    if not e.holds(state) and (len(signs) > 1 or stands_still(e)) and far_away(e):
        state = near
    elif not e.holds(state) and signs:  # a D that has won stays the winner until the generator has plainly come nearer
        state = trends.latched(state, near, least=max(1, round(e.limits.sustained_share * len(state))))
    if not e.holds(state):
        return Finding("discriminator_dominance", Verdict.HEALTHY, claim, series=series)
    onset = e.onset(state)
    cause = "the discriminator learns faster than the generator can follow"
    if (g := rate(e, "generator")) and (d := rate(e, "discriminator")) and g > 2 * d:
        cause = f"the generator gets nowhere, though its learning rate is {g / d:.3g} times the discriminator's: its steps may be too large for it"
    remedies = _relief(e)
    if signs and getting_nearer(e):
        return Finding(
            "discriminator_dominance",
            Verdict.SUSPECT,
            f"{claim} and {signs[0]}, but the fakes come nearer",
            cause="the generator is still learning",
            remedies=("train longer",),
            series=series,
            onset=onset,
            kind="learning",
        )
    if signs:
        return Finding(
            "discriminator_dominance",
            Verdict.FAILED,
            f"{claim}, and {signs[0]}",
            cause=cause,
            remedies=remedies,
            series=series,
            onset=onset,
        )
    return Finding(
        "discriminator_dominance",
        Verdict.SUSPECT,
        f"{claim}, but nothing shows that the generator fails",
        cause=cause,
        remedies=remedies,
        series=series,
        onset=onset,
    )


def stands_still(e: Evidence) -> bool:
    """Whether the generator is hardly updated beside D, by the end: the mirror of a D that is too slow."""
    d, g = e.now_or_nan("discriminator_update_ratio"), e.now_or_nan("generator_update_ratio")
    return bool(g < e.limits.standing_generator * d)


def failing_generator(e: Evidence) -> list[str]:
    """What shows, beside D's scores, that the generator gets nowhere."""
    signs = misfit(e) or falls_short(e)
    c = coverage(e)
    if c is not None and covered_now(e, c) <= e.limits.covered_share:
        signs.insert(0, f"{covered_now(e, c) * c.total:.0f} of {c.total} modes are covered")
    real, fake = e.maybe("real_logit_mean"), e.maybe("fake_logit_mean")
    if (
        not signs
        and c is None
        and "diversity_ratio" not in e
        and real is not None
        and fake is not None
        and not e.free_offset
    ):
        gap = np.abs(real - fake)
        now = trends.tail_middle(gap, e.limits.tail_share)
        if now > e.limits.dominance_gap and now > 0.8 * np.nanmax(gap):
            signs.append(
                f"reals and fakes lie {now:.3g} logits apart and not nearer than ever (limit: {e.limits.dominance_gap:g})"
            )
    return signs


def _relief(e: Evidence) -> tuple[str, ...]:
    g, d = rate(e, "generator"), rate(e, "discriminator")
    balance: tuple[str, ...] = ()
    if g and d and d > 2 * g:
        balance = (equal_rates(e, "generator"),)
    elif g and d and g > 2 * d:  # G is thrown about by its own steps: a slower D would widen the gap
        balance = (set_rate(e, "generator", d),)
    return (
        *fewer_discriminator_steps(e),
        *balance,
        *regularise(e),
        *(() if balance else lower_rates(e, "discriminator")),
    )


# ------------------------------------------------------------------------------------------------------------- weakness


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
    signs = misfit(e)
    c = coverage(e)
    if c is not None and covered_now(e, c) <= e.limits.covered_share:
        signs.append(f"{covered_now(e, c) * c.total:.0f} of {c.total} modes are covered")
    kind, why, since = handicap(e)
    claim = f"AUC is {now:.2f} (limits: {e.limits.weak_auc:g} and {e.limits.blind_auc:g})"
    inverted = np.nan_to_num(auc, nan=0.5) < e.limits.weak_auc
    if kind and signs:
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
    if e.holds(inverted) and signs:
        onset = e.onset(inverted)
        return Finding(
            "discriminator_weakness",
            Verdict.SUSPECT,
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
        since = e.onset(slow) if e.holds(slow) else _slow_when_ill(e, slow)
        if since is not None:
            share = trends.middle(d[slow]) / max(trends.middle(g[slow]), 1e-30)
            limit = f"(limit: {e.limits.slow_discriminator:g})"
            return Handicap("slow", f"D's updates are {share:.2g} of the generator's in size {limit}", since=since)
    players = e.about.get("players")
    counts = (
        [p.get("parameters") if isinstance(p := players.get(w), dict) else None for w in ("discriminator", "generator")]
        if isinstance(players, dict)
        else []
    )
    if (
        len(counts) == 2
        and isinstance(counts[0], int)
        and isinstance(counts[1], int)
        and counts[0] < e.limits.small_discriminator * counts[1]
    ):
        return Handicap(
            "too small",
            f"D has {counts[0]} parameters, {counts[0] / counts[1]:.2g} of the generator's (limit: {e.limits.small_discriminator:g})",
        )
    return Handicap()


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
    return (equal_rates(e, "discriminator"),)


# ------------------------------------------------------------------------------------------- vanishing generator gradient


def vanishing_generator_gradient(run: Recorded) -> Finding:
    """Finds a generator that is no longer told where to go: its raw gradient has died while it still has much to learn."""
    e = evidence(run)
    norm = e.level("generator_gradient_norm")
    e.need_steps()
    e.need_spread_data()
    early = float(np.nanmax(norm[: max(3, len(norm) // 5)]))
    if not early > 0:
        raise CannotTell("the generator's gradient is 0 from the start: see objective_fault")
    fall = np.nan_to_num(norm / early, nan=1.0)
    now = trends.middle(trends.tail(fall, e.limits.tail_share))
    claim = f"the generator's gradient norm is {now:.3g} of its early level (limit: {e.limits.vanished_gradient:g})"
    series = tuple(
        s
        for s in (
            "generator_gradient_norm",
            "generator_gradient_at_logit",
            "generator_gradient_at_image",
            "generator_saturation",
        )
        if s in e
    )
    state = fall < e.limits.vanished_gradient
    if not e.holds(state):
        if e.holds(fall < e.limits.faint_gradient) and _saturates(e) and _has_to_learn(e):
            return Finding(
                "vanishing_generator_gradient",
                Verdict.SUSPECT,
                claim + ", and the loss saturates",
                cause="D is nearly sure of its verdict on fakes",
                remedies=without_saturation(e),
                series=series,
                onset=e.onset(fall < e.limits.faint_gradient),
                kind="logit",
            )
        return Finding("vanishing_generator_gradient", Verdict.HEALTHY, claim, series=series)
    if not _has_to_learn(e):
        return Finding(
            "vanishing_generator_gradient",
            Verdict.HEALTHY,
            claim + ", but D cannot tell reals from fakes either: the game has come to rest",
            series=series,
        )
    kind = "logit" if _saturates(e) else "image"
    cause = (
        "the loss is saturated: D is sure of its verdict on fakes, and the generator's loss is flat there"
        if kind == "logit"
        else ("the discriminator is flat around the fakes")
    )
    remedies = without_saturation(e) if kind == "logit" else regularise(e)
    return Finding(
        "vanishing_generator_gradient",
        Verdict.FAILED,
        claim,
        cause=cause,
        remedies=tuple(dict.fromkeys((*remedies, *_relief(e)))),
        series=series,
        onset=e.onset(state),
        kind=kind,
    )


def _saturates(e: Evidence) -> bool:
    """Whether the gradient dies at the logit already."""
    at_logit = e.maybe("generator_gradient_at_logit")
    if at_logit is not None:
        early = float(np.nanmax(at_logit[: max(3, len(at_logit) // 5)]))
        return bool(trends.tail_middle(at_logit) < 0.03 * early)
    return e.loss == "minimax" and e.now_or_nan("generator_saturation") < e.limits.saturated


def _has_to_learn(e: Evidence) -> bool:
    """Whether the generator still has something to learn: D wins, or the fakes are plainly no reals, or modes are missing."""
    if failing_generator(e):
        return True
    try:
        auc = e.auc()
    except NotRecorded:
        return False
    return trends.middle(trends.tail(auc, e.limits.tail_share)) > 0.95

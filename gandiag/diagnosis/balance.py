"""Checks of the players' balance: discriminator_dominance and vanishing_generator_gradient."""

from __future__ import annotations

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
)
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import (
    equal_rates,
    fewer_discriminator_steps,
    lower_rates,
    rate,
    regularise,
    set_rate,
    without_saturation,
)
from gandiag.errors import NotRecorded

# rate times gradient, below which a float32 weight of usual size (1e-2 and more) does not change
TINY = 1e-9
# a probability that D gives fakes; fold, to which the force is the same (it is another batch's, in another turn)
SATURATED, ALIKE = 0.01, 3.0
# of a log of losses alone: what is left of D's, and how much G's has grown. At 2 % of an untrained one's 2 ln 2, that is .028, a logistic D
# is right with 98.6 % certainty on either side; the non-saturating loss on what such a D is shown is -ln .014, six times ln 2
WON, GROWN = 0.02, 2.0


def discriminator_dominance(run: Recorded) -> Finding:
    """Finds a discriminator that always wins against a generator that gets nowhere; AUC alone never decides."""
    e = evidence(run)
    try:
        auc = e.auc()
    except NotRecorded:
        if (found := _won_by_its_loss(e)) is not None:
            return found
        raise
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


def _won_by_its_loss(e: Evidence) -> Finding | None:
    """Of a log that holds losses alone: D's, which never is below 0, is next to nothing, and G's has grown; a suspicion, never an acquittal."""
    d, g = e.maybe("discriminator_loss"), e.maybe("generator_loss")
    if d is None or g is None or e.short or e.going_on or np.nanmin(d, initial=0.0) < 0:
        return None
    early = slice(0, max(1, round(e.limits.sustained_share * len(d))))
    first, state = float(np.nanmax(d[early], initial=0.0)), np.zeros(len(d), dtype=bool)
    if first > 0:
        state = np.nan_to_num(d, nan=first) < WON * first
    before = trends.middle(g[early])
    if not (e.holds(state) and before > 0):
        return None
    grown = trends.tail_middle(g, e.limits.tail_share) / before
    if not grown > GROWN:
        return None
    now = trends.tail_middle(d, e.limits.tail_share)
    return Finding(
        "discriminator_dominance",
        Verdict.SUSPECT,
        f"D's loss is {now:.2g}, {now / first:.2%} of what it was at first (limit: {WON:.0%}), and G's {grown:.3g} times its own (limit: {GROWN:g})",
        cause="the discriminator learns faster than the generator can follow, by the losses alone",
        remedies=(
            *_relief(e),
            "log D's outputs on reals and fakes, or record the run with gandiag: losses alone cannot tell more",
        ),
        series=("discriminator_loss", "generator_loss"),
        onset=e.onset(state),
        kind="by the losses",
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


# ------------------------------------------------------------------------------------------- vanishing generator gradient


def vanishing_generator_gradient(run: Recorded) -> Finding:
    """Finds a generator that is no longer told where to go: its raw gradient has died while it still has much to learn."""
    e = evidence(run)
    norm = e.level("generator_gradient_norm")
    e.need_steps()
    e.need_spread_data()
    early = float(np.nanmax(norm[: max(3, len(norm) // 5)]))
    if lost_in_rounding(e, "generator"):
        return _never_felt(e, early)
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
    if not e.holds(state) and saturated_from_the_start(e) and _has_to_learn(e):
        force, weight = (
            trends.middle(e.level("generator_force_size_on_fake")),
            trends.middle(e.level("generator_saturation")),
        )
        return Finding(
            "vanishing_generator_gradient",
            Verdict.FAILED,
            f"from the first step on G's force on a score is {force:.2g} (limit: {SATURATED:g}), the probability {weight:.2g} that D gives its fakes",
            cause="the loss is saturated: D was sure of its verdict on fakes before the generator had begun, and the generator's loss is flat there",
            remedies=without_saturation(e),
            series=("generator_force_size_on_fake", "generator_saturation", *series),
            onset=0,
            kind="logit",
        )
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


def saturated_from_the_start(e: Evidence) -> bool:
    """Whether G's force on its fakes' scores is, all along, what the saturating loss leaves of it: the probability that D gives them, about 0."""
    force, weight = e.maybe("generator_force_size_on_fake"), e.maybe("generator_saturation")
    if force is None or weight is None:
        return False
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.abs(np.log(force / weight)) < np.log(ALIKE)
        state = (force < SATURATED) & alike
    return bool(
        np.mean(state) > e.limits.force_share and state[: max(3, len(state) // 20)].mean() > e.limits.force_share
    )


def lost_in_rounding(e: Evidence, who: str) -> bool:
    """Whether a player has a gradient and a rate, and its weights never move: the steps are too small for their digits."""
    ratio, norm, rate = (e.maybe(f"{who}_{n}") for n in ("update_ratio", "gradient_norm", "learning_rate"))
    if ratio is None or norm is None or rate is None:
        return False
    return bool(np.all(ratio == 0) and np.all(norm > 0) and np.all(rate > 0) and np.all(rate * norm < TINY))


def _never_felt(e: Evidence, early: float) -> Finding:
    at_logit, at_image = e.now_or_nan("generator_gradient_at_logit"), e.now_or_nan("generator_gradient_at_image")
    of_logit = bool(at_logit < TINY)
    return Finding(
        "vanishing_generator_gradient",
        Verdict.FAILED,
        f"the generator's gradient norm is at most {early:.3g}, and its weights have not moved by a digit in {e.steps} steps (limit: any "
        f"change); at the logit the gradient is {at_logit:.3g}, at the fakes {at_image:.3g}",
        cause="the loss is saturated from the start"
        if of_logit
        else "the discriminator is flat around the fakes from the start",
        remedies=(
            *(
                without_saturation(e)
                if of_logit
                else ("let D's weights be larger: a milder clip, or a gradient penalty in its place",)
            ),
            "take Adam in place of SGD: its steps do not shrink with the gradient",
        ),
        series=("generator_gradient_norm", "generator_gradient_at_image", "generator_update_ratio"),
        onset=0,
        kind="logit" if of_logit else "image",
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

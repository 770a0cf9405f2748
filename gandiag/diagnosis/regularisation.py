"""Faults of what is added to the losses: a decay or another loss that outweighs them, a penalty of the wrong sign, a critic that nothing holds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.decay import decayed
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.fakes import energy_falls, getting_nearer, misfit
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.pooled import alike
from gandiag.diagnosis.ranges import other_range
from gandiag.diagnosis.targets import labels_of_loss
from gandiag.diagnosis.weakness import steepness
from gandiag.errors import NotRecorded

FEWEST = 20  # steps that must show it
LEAST_LATE = 100  # ... of a penalty that has been added before
LINEAR = 1e-3  # a force that varies by less from step to step is that of a loss without a bend
BELOW = 0.01  # of the loss's own size, that it lies below what its scores make it: rounding is a thousandth of that
RUN_AWAY = 3.0  # times D's first weights: that a critic is normalised in forward() keeps its slope, but not such growth
# the score at which the hinge loss bends, and the share of the stretches in which the scores go beyond it
HINGE, OFTEN = 1.0, 0.05
STEEPER = 10.0  # times what an untrained critic is: there by itself it is no harm, so that it is a suspicion only
HARD = 0.03  # by which a label may seem to differ from 1: the mean probability of reals is known from five quantiles
FEWEST_SHARES = 3  # looks at what comes through the discriminator
# of the generator's gradient, that comes through the discriminator; more where the fakes are still in another place, by their energy coefficient
OUTWEIGHED, OUTWEIGHED_FAR, FAR = 0.15, 0.3, 0.4
# ... and where they are the mean of what they could be (a squared error's): so narrow, and so plain for D; noise that G is given widens healthy ones
OUTWEIGHED_NARROW, NARROW, SEEN = 0.5, 0.75, 0.8
WITH_GRAPH = "take the penalty's gradient by autograd.grad(..., create_graph=True): without it D feels nothing of it"
DETACHED = 0.1  # of the steps, in which the critic's slope was computed and no loss could feel it
CLIPPED = 1e-3  # share of D's weights that stand at exactly the largest size: clipping holds a tenth and more there


def weight_decay(e: Evidence) -> Finding | None:
    """A generator whose weights shrink under a decay that outweighs its loss; of D that is told as a weakness."""
    return decayed(e, "generator")


def negative_penalty(e: Evidence) -> Finding | None:
    """A loss of D that lies below what its scores alone make it, where a gradient penalty was seen: the penalty is subtracted."""
    ascends = e.about.get("ascends")
    if _constraint(e).get("gradient_penalty") is not True or (isinstance(ascends, list) and "discriminator" in ascends):
        return None  # of a loss that is maximised a penalty is rightly subtracted
    rest, size = _beside_the_game(e)
    if len(rest) < FEWEST:
        return None
    below = rest < -BELOW * size
    since = _since(below, e.limits.force_share)
    late = below[since:]
    if since and (len(late) < max(LEAST_LATE, e.limits.sustained_share * len(below)) or e.going_on):
        return None
    if len(late) < FEWEST or np.mean(late) < e.limits.force_share:
        return None
    at = int(e["discriminator_loss"].index[min(since, len(e["discriminator_loss"]) - 1)]) if since else 0
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"D's loss lies {-np.median(rest[since:][late]):.3g} below what its scores alone make it, in {np.mean(late):.0%} of {len(late)} steps"
        f"{f' since step {at}' if since else ''} (limits: {BELOW:.0%} of its size, {e.limits.force_share:.0%})",
        cause="the gradient penalty is subtracted: D is paid for breaking what it should keep",
        remedies=("add the penalty to D's loss, weight > 0",),
        series=("discriminator_loss", "real_logit_mean", "fake_logit_mean"),
        onset=at,
        kind="penalty of the wrong sign",
    )


def _since(below: np.ndarray, share: float) -> int:
    """The first row from which on, to the end, a state holds in such a share of the rows; 0 where it does of all."""
    left = np.cumsum(below[::-1])[::-1] / np.arange(len(below), 0, -1)
    return int(np.argmax(left >= share)) if (left >= share).any() and left[0] < share else 0


def _beside_the_game(e: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """What D's loss holds beside its scores' part, and how large that part is, by step; empty where the loss is of no known form.

    Of a loss without a bend the scores' part is minus the forces times the scores; of the logistic loss it is minus the value function,
    times what the force on fakes is over the mean probability that they get.
    """
    names = ("discriminator_loss", "real_logit_mean", "fake_logit_mean", *_FORCES)
    loss, real, fake, up, down = e.at_the_same_steps(names)
    if _without_bend(up) and _without_bend(down):
        own = -(up * real + down * fake)
        return loss - own, np.abs(up * real) + np.abs(down * fake) + np.abs(loss)
    loss, value, weight, down = e.at_the_same_steps(
        ("discriminator_loss", "value_function", "generator_saturation", _FORCES[1])
    )
    with np.errstate(all="ignore"):
        scale = -down / weight
    usual = trends.middle(scale)
    if e.free_offset or not (
        usual > 0 and np.mean(np.abs(scale / usual - 1) < 0.02) > e.limits.force_share and _hard_labels(e, usual)
    ):
        return np.zeros(0), np.zeros(0)
    return loss + usual * value, np.abs(loss) + np.abs(usual * value)


def _hard_labels(e: Evidence, scale: float) -> bool:
    """Whether the forces of a logistic loss are those of the label 1 for reals: smoothed ones add to the loss what no penalty did."""
    up, fakes, reals = e["discriminator_force_on_real"], e["generator_saturation"], labels_of_loss(e)[0]
    if len(reals) != len(up) or len(fakes) != len(up):
        return False
    own = reals + (1 / scale - 1) * up.to_numpy(
        dtype=float
    )  # the force is its label minus the probability, times the scale
    return bool(np.mean(np.abs(own - 1) < HARD) > e.limits.force_share)


_FORCES = ("discriminator_force_on_real", "discriminator_force_on_fake")


def outweighed(e: Evidence) -> Finding | None:
    """A generator that is hardly moved by the game, beside another loss, and whose fakes are plainly no reals: blurred, say."""
    share = e["generator_game_share"].dropna().to_numpy(dtype=float)
    if len(share) < FEWEST_SHARES:
        return None
    now = trends.tail_middle(share, 0.5)
    signs = misfit(e)
    apart = e.maybe("energy_coefficient")
    far = apart is not None and trends.tail_middle(apart, e.limits.tail_share) > FAR
    limit = OUTWEIGHED_FAR if far else OUTWEIGHED
    if not signs and (signs := _narrow(e)):
        limit = OUTWEIGHED_NARROW
    # a diversity that rises in another place leads nowhere
    nearer = energy_falls(apart) if far and apart is not None else getting_nearer(e)
    if not signs or not 0 < now < limit or e.going_on or nearer:
        return None  # a reconstruction leads at first, and well
    e.need_steps()
    with contextlib.suppress(NotRecorded):
        if other_range(e) is not None:
            return None  # another scale makes any loss large: data_mismatch tells it
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"{now:.2g} of the gradient at the generator's output comes through the discriminator (limit: {limit:g}), and {'; '.join(signs)}",
        cause="another loss of the generator (a reconstruction, a perceptual or a cycle loss, a penalty) outweighs the game",
        remedies=(
            f"divide the weight of the other loss by {np.ceil(0.5 / now):.0f}, or multiply the adversarial loss by as much",
            "let the weight follow the ratio of both gradients at the generator's output",
        ),
        series=("generator_game_share", "generator_gradient_at_image"),
        onset=0,
        kind="outweighed game",
    )


def _narrow(e: Evidence) -> list[str]:
    """What shows fakes that are the mean of what they could be: much narrower than the reals to the end, and told from them by D."""
    ratio = e.maybe("diversity_ratio")
    if ratio is None:
        return []
    with contextlib.suppress(NotRecorded):
        now, auc = (trends.tail_middle(x, e.limits.tail_share) for x in (ratio, e.auc()))
        if now < NARROW and auc > SEEN:
            return [
                f"the fakes' diversity is {now:.2g} of the reals' (limit: {NARROW:g}), which D sees: AUC is {auc:.2f} (limit: {SEEN:g})"
            ]
    return []


def unconstrained_critic(e: Evidence) -> Finding | None:
    """A critic whose loss has no bend (Wasserstein's), and that neither a penalty, clipping nor a normalisation of its weights holds."""
    known = _constraint(e)
    if not known:
        raise NotRecorded("what holds the discriminator's slope")
    clipped = known.get("clipped_share")
    if known.get("gradient_penalty") or known.get("normalised_weights") or not isinstance(clipped, int | float):
        return None
    up, down = e.at_the_same_steps(_FORCES)
    if len(up) < FEWEST or not (_without_bend(up) and _without_bend(down)) or clipped > CLIPPED or _within_a_hinge(e):
        return None
    e.need_steps()
    signs = misfit(e)
    slope = steepness(e)
    steeper = 0.0 if slope is None else trends.tail_middle(slope, e.limits.tail_share)
    if not signs and steeper < STEEPER:
        return None
    runs_away = "" if signs else _runs_away(e)
    alone = known.get("slopes_alone")
    detached = isinstance(alone, int) and alone > DETACHED * len(up)
    seen = (
        signs[0] if signs else f"D is {steeper:.3g} times as steep as it was untrained (limit: {STEEPER:g}){runs_away}"
    )
    penalty = (
        f"its slope was taken in {alone} steps, each time as a mere number"
        if detached
        else "no gradient penalty was seen"
    )
    return Finding(
        "objective_fault",
        Verdict.FAILED if signs or detached or (runs_away and not alike(e)) else Verdict.SUSPECT,
        f"D's loss is linear in its scores (forces {np.median(up):.3g} and {np.median(down):.3g} at every step), {penalty}, "
        f"{clipped:.2g} of its weights stand at a clipping limit (limit: {CLIPPED:g}), no normalised weights were seen, and {seen}",
        cause="nothing bounds the critic's slope: its scores grow without end and say nothing of the distance to the data",
        remedies=(
            *((WITH_GRAPH,) if detached else ()),
            "add a gradient penalty on interpolates (WGAN-GP, weight 10)",
            "in its place spectral normalisation in D, or weights clipped to 0.01 after each update",
        ),
        series=(*_FORCES, "real_logit_mean", "fake_logit_mean", "generator_gradient_at_image"),
        onset=0,
        kind="detached penalty" if detached else "unconstrained critic",
    )


def _within_a_hinge(e: Evidence) -> bool:
    """Whether hardly a score went beyond 1 on the side where the hinge loss bends: there it is as straight as a critic's."""
    beyond = [(e.maybe("real_logit_q95"), 1.0), (e.maybe("fake_logit_q05"), -1.0)]
    return all(q is not None and float(np.mean(sign * np.nan_to_num(q) > HINGE)) < OFTEN for q, sign in beyond)


def _runs_away(e: Evidence) -> str:
    """Says that a critic's weights have grown many times over and still grow, as nothing that is normalised in forward() would let them."""
    norm = e.maybe("discriminator_parameter_norm")
    if norm is None or not norm[0] > 0 or not np.all(np.isfinite(norm)):
        return ""
    grown = trends.tail_middle(norm, e.limits.tail_share) / float(norm[0])
    if grown < RUN_AWAY or trends.kendall_z(norm[len(norm) // 2 :]) < 2 * trends.RISE_Z:
        return ""
    return f", and its weights are {grown:.3g} times what they were and still grow (limit: {RUN_AWAY:g})"


LOOKS: tuple[Callable[[Evidence], Finding | None], ...] = (
    negative_penalty,
    outweighed,
    unconstrained_critic,
    weight_decay,
)


def _without_bend(force: np.ndarray) -> bool:
    """Whether a force is the same at every step, whatever the scores are."""
    usual = trends.middle(force)
    return bool(len(force) and usual != 0 and np.max(np.abs(force / usual - 1)) < LINEAR)


def _constraint(e: Evidence) -> dict[str, Any]:
    given = e.about.get("discriminator_constraint")
    return given if isinstance(given, dict) else {}

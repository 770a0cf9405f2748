"""Checks of the game itself: objective_fault, by the force that each player exerts on the score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandiag.diagnosis import forces, miswired, regularisation, targets, trends
from gandiag.diagnosis.balance import lost_in_rounding
from gandiag.diagnosis.deadness import dead_player
from gandiag.diagnosis.evidence import Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import misfits
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.forces import FORCES
from gandiag.diagnosis.remedies import set_rate
from gandiag.diagnosis.stopped import stopped
from gandiag.errors import NotRecorded

PLAYERS = ("discriminator", "generator")
UNDONE = 0.05  # of Adam's smallest steps: an average of decay .99 that is copied back leaves a hundredth
IN_PLACE = 0.005  # of the norm: healthy generators that went as far changed theirs by a twentieth and more (benchmark)
RUN_AWAY = 3.0  # fold, of a player's weights
FELT = 100.0  # times Adam's eps, a gradient for each weight beside which eps does not count
LEAST_STILL = 3  # records of no motion: a loss scaler of half precision skips the first updates until its scale fits


def objective_fault(run: Recorded) -> Finding:
    """Finds a game that cannot work: players who push the wrong way, share an objective, do not move, or are cut off from each other."""
    e = evidence(run)
    looked = False
    for look in LOOKS:
        try:
            found = look(e)
        except NotRecorded:
            continue
        looked = True
        if found is not None:
            return found
    if not looked:
        raise NotRecorded("the force on the score", "and neither were the learning rates")
    if not all(f in e for f in FORCES):
        missing = next(f for f in FORCES if f not in e)
        raise NotRecorded(missing, "where the players push was not seen")
    real, fake, generator = (forces.told(e, f) for f in FORCES)
    return Finding(
        "objective_fault",
        Verdict.HEALTHY,
        f"D pushes reals {real} and fakes {fake}, G pushes fakes {generator} "
        f"(limit: D opposite on both, G against D, in {e.limits.force_share:.0%} of the windows)",
        series=FORCES,
    )


# --------------------------------------------------------------------------------------------------- players who do not move


def _standing_still(e: Evidence) -> Finding | None:
    """A learning rate of zero, or updates of exactly zero, for all of the run."""
    seen = False
    for who in PLAYERS:
        for name in (f"{who}_learning_rate", f"{who}_update_ratio"):
            if name not in e:
                continue
            seen = True
            values = e[name].to_numpy(dtype=float)
            by_rate = name.endswith("learning_rate")
            enough = len(values) >= (1 if by_rate else LEAST_STILL)
            lost = not by_rate and (dead_player(e) is not None or lost_in_rounding(e, who))  # told by other checks
            if enough and np.all(values == 0) and not lost:
                what = "learning rate is 0" if by_rate else "weights never move"
                return Finding(
                    "objective_fault",
                    Verdict.FAILED,
                    f"the {who}'s {what} in all of {len(values)} records (limit: above 0)",
                    cause=f"the {who} does not learn",
                    remedies=(set_rate(e, who, 1e-3), f"look whether its optimizer holds the {who}'s parameters"),
                    series=(name,),
                    onset=int(e[name].index[0]),
                    kind=f"frozen {who}",
                )
    if not seen:
        raise NotRecorded("the learning rates")
    return None


def _undone(e: Evidence) -> Finding | None:
    """A player whose weights move by far less than its optimizer's steps are: something puts them back after each update.

    Adam moves each weight by its rate, and where gradients are nothing but noise by sqrt((1 - beta1) / (1 + beta1)) of it.
    """
    if (off := misfits(e)) is None or not e.holds(off):
        return None  # a small part that is tuned within a large net moves it by little, and well
    for who in PLAYERS:
        facts = (e.about.get("optimizers") or {}).get(who) or {}
        count = ((e.about.get("players") or {}).get(who) or {}).get("parameters")
        betas, rate = facts.get("betas"), e.maybe(f"{who}_learning_rate")
        if "Adam" not in str(facts.get("class", "")) or not isinstance(count, int) or not betas or rate is None:
            continue
        ratio, weights, slope = (e.level(f"{who}_{n}") for n in ("update_ratio", "parameter_norm", "gradient_norm"))
        with np.errstate(all="ignore"):
            due = rate * np.sqrt(count) * np.sqrt((1 - betas[0]) / (1 + betas[0])) / weights
            felt = (slope / np.sqrt(count) > FELT * float(facts.get("eps") or 1e-8)) & (slope > 0.1 * np.nanmax(slope))
            share = (ratio / due)[felt & (due > 0)]
        share = share[np.isfinite(share)]
        if np.nanmax(weights) > RUN_AWAY * weights[0]:
            continue  # weights that have blown up take no step in
        if who == "generator" and (found := _held_in_place(e, ratio, weights, slope)) is not None:
            return found
        if (
            len(share) < max(e.limits.force_window, len(ratio) // 2)
            or np.mean((share > 0) & (share < UNDONE)) < e.limits.force_share
        ):
            continue
        return Finding(
            "objective_fault",
            Verdict.FAILED,
            f"the {who}'s weights move by {np.median(share):.2g} of what its optimizer's steps come to at least (limit: {UNDONE:g})",
            cause=f"something puts the {who}'s weights back after each update: an average that is copied into it, or weights that are loaded again",
            remedies=(
                f"keep the average of the {who} in a copy of its own",
                f"look what writes to the {who}'s weights between updates",
            ),
            series=(f"{who}_update_ratio", f"{who}_learning_rate"),
            onset=int(e[f"{who}_update_ratio"].index[0]),
            kind=f"{who} put back",
        )
    return None


def _held_in_place(e: Evidence, ratio: np.ndarray, weights: np.ndarray, slope: np.ndarray) -> Finding | None:
    """A generator that takes whole steps, and whose weights and fakes stay where they were: they are put back after the step was seen."""
    way = float(np.nansum(ratio * np.diff(e.edges)))
    spread, moved = e.maybe("diversity_ratio"), np.nanmax(np.abs(weights / weights[0] - 1))
    if spread is None or not (way > 1 and moved < IN_PLACE and np.nanmedian(slope) > 0):
        return None
    if abs(trends.tail_middle(spread, e.limits.tail_share) / trends.middle(spread[:3]) - 1) > 0.1:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"the generator's updates come to {way:.2g} times its weights, whose norm has changed by {moved:.1g} at most (limit: {IN_PLACE:g}), and its "
        "fakes are as they were at first",
        cause="something puts the generator's weights back after each update: an average that is copied into it, or weights that are loaded again",
        remedies=(
            "keep the average of the generator in a copy of its own, and put its own weights back after a preview",
        ),
        series=("generator_update_ratio", "generator_parameter_norm", "diversity_ratio"),
        onset=int(e["generator_update_ratio"].index[0]),
        kind="generator put back",
    )


def _cleared(e: Evidence) -> Finding | None:
    """A player of which nothing feels its loss, from the first step on: gradients are cleared between backward() and step()."""
    found = dead_player(e)
    if found is None or not found.cleared:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"the {found.who}'s loss pushes, and no weight and no bias of it has any gradient as its optimizer steps (limit: one must)",
        cause="its gradients are cleared between backward() and step(), or never reach its parameters",
        remedies=(f"call the {found.who}'s optimizer.zero_grad() before its loss.backward(), not after it",),
        series=(f"{found.who}_layer_gradient_norm", f"{found.who}_gradient_norm"),
        onset=found.since,
        kind="gradients cleared too late",
    )


def _never_updated(e: Evidence) -> Finding | None:
    """A player whose optimizer is known and never makes an update, while the other is updated."""
    moves = {who: e[f"{who}_updates"].to_numpy(dtype=float) for who in PLAYERS}
    for who, other in (PLAYERS, PLAYERS[::-1]):
        mine, theirs = moves[who], moves[other]
        if f"{who}_learning_rate" not in e or len(mine) < e.limits.force_window:
            continue
        if np.any(mine > 0) or not np.any(theirs > 0):
            continue
        cut_off = who == "generator"
        return Finding(
            "objective_fault",
            Verdict.FAILED,
            f"the {who}'s optimizer {'found no gradient' if cut_off else 'made no update'} in any of {len(mine)} steps, the {other}'s made "
            f"{np.nansum(theirs):.0f} updates (limit: above 0)",
            cause="no gradient reaches the generator: its fakes are cut off before they reach D, or it is never stepped"
            if cut_off
            else "the discriminator does not learn: its optimizer's step() is not called, or no gradient reaches its parameters",
            remedies=(
                *(("take detach() and no_grad() out of the generator's step",) if cut_off else ()),
                f"look whether the {who}'s loss.backward() and its optimizer's step() are called",
            ),
            series=("generator_updates", "discriminator_updates"),
            onset=int(e[f"{who}_updates"].index[0]),
            kind="detached generator" if cut_off else "frozen discriminator",
        )
    return None


def _detached(e: Evidence) -> Finding | None:
    """A generator whose loss pushes the score and whose parameters feel nothing."""
    force = e["generator_force_size_on_fake"].to_numpy(dtype=float)
    if not len(force) or not np.nanmedian(force) > 0:
        return None
    norm = e["generator_gradient_norm"].to_numpy(dtype=float) if "generator_gradient_norm" in e else np.zeros(0)
    if len(norm) and (not np.all(norm == 0) or dead_player(e) is not None):
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"G's loss pushes the scores (force {np.nanmedian(force):.3g}), but its parameters' gradient is "
        f"{'0' if len(norm) else 'absent'} at every step (limit: above 0)",
        cause="the fakes of G's step are cut off from G",
        remedies=("take detach() and no_grad() out of the generator's step",),
        series=("generator_gradient_norm", "generator_force_on_fake"),
        onset=0,
        kind="detached generator",
    )


def _one_optimizer(e: Evidence) -> Finding | None:
    """An optimizer that steps the other player's parameters too: one player then follows the other's loss."""
    optimizers = e.about.get("optimizers")
    facts = {who: o for who in PLAYERS if isinstance(optimizers, dict) and isinstance(o := optimizers.get(who), dict)}
    stepped = {who: o["steps_other_player"] for who, o in facts.items() if isinstance(o.get("steps_other_player"), int)}
    if not stepped:
        raise NotRecorded("which parameters each optimizer steps")
    cause, remedies = (
        "a player also follows the other's loss",
        ("give each player an optimizer of its own parameters only",),
    )
    if any(o.get("shared") for o in facts.values()):
        g, d = (
            float(np.nanmedian(e[f"{who}_updates"].to_numpy(dtype=float))) for who in ("generator", "discriminator")
        )
        if g < 2 or g != d:
            return None  # one optimizer that steps each player in its own turn, or both at once on one joint loss, is sound
        return Finding(
            "objective_fault",
            Verdict.FAILED,
            f"one optimizer updates both players {g:.0f} times a step, on either loss (limit: each on its own)",
            cause=cause,
            remedies=remedies,
            series=("generator_updates", "discriminator_updates"),
            onset=0,
            kind="one optimizer",
        )
    for who, count in stepped.items():
        if count:
            other = PLAYERS[1 - PLAYERS.index(who)]
            return Finding(
                "objective_fault",
                Verdict.FAILED,
                f"the {who}'s optimizer also steps {count} parameters of the {other} (limit: 0)",
                cause=cause,
                remedies=remedies,
                series=(f"{other}_updates",) if f"{other}_updates" in e else (),
                onset=0,
                kind="one optimizer",
            )
    return None


LOOKS: tuple[Callable[[Evidence], Finding | None], ...] = (
    _cleared,
    _standing_still,
    _undone,
    _never_updated,
    _detached,
    _one_optimizer,
    forces.wrong_way,
    forces.same_pull,
    *miswired.LOOKS,
    *targets.LOOKS,
    forces.turned,
    forces.pulls_along,
    forces.swapped,
    stopped,
    *regularisation.LOOKS,
)

"""Checks of the game itself: objective_fault, by the force that each player exerts on the score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandiag.diagnosis import forces, miswired, regularisation, targets, traceless
from gandiag.diagnosis.anew import started_anew
from gandiag.diagnosis.balance import lost_in_rounding
from gandiag.diagnosis.deadness import cut_off, dead_player
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import misfit
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.forces import FORCES
from gandiag.diagnosis.other_turn import another_in_its_turn
from gandiag.diagnosis.remedies import set_rate
from gandiag.diagnosis.stopped import not_begun, stopped
from gandiag.errors import NotRecorded

PLAYERS = ("discriminator", "generator")
MOVES = 1e-5  # of a norm in single precision, that it changes
LEAST_STILL = 3  # records of no motion: a loss scaler of half precision skips the first updates until its scale fits


def objective_fault(run: Recorded) -> Finding:
    """Finds a game that cannot work: players who push the wrong way, share an objective, do not move, or are cut off from each other."""
    e = evidence(run)
    looked, unsure = False, None
    for look in LOOKS:
        try:
            found = look(e)
        except NotRecorded:
            continue
        except CannotTell as why:  # the others may
            unsure = unsure or why
            continue
        looked = True
        if found is not None:
            return found
    if unsure is not None:
        raise unsure
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
            lost = not by_rate and (
                dead_player(e) is not None  # told by other checks, as rounding is
                or lost_in_rounding(e, who)
                or _norm_moves(e, who)  # weights go to and fro: each look was at a moment when they had come back
            )
            if enough and np.all(values == 0) and not lost:
                what = "learning rate is 0" if by_rate else "weights never move"
                waits = who == "discriminator" and not by_rate and not_begun(e)
                return Finding(
                    "objective_fault",
                    # many autoencoders begin their game late: it may be about to
                    Verdict.SUSPECT if waits and e.going_on else Verdict.FAILED,
                    f"the {who}'s {what} in all of {len(values)} records (limit: above 0)"
                    + (", and its loss pushes no score" if waits else ""),
                    cause="the game has not begun: the discriminator's loss is multiplied by 0"
                    if waits
                    else f"the {who} does not learn",
                    remedies=("look at which step the discriminator is to start, and what its loss is multiplied by",)
                    if waits
                    else (set_rate(e, who, 1e-3), f"look whether its optimizer holds the {who}'s parameters"),
                    series=(name,),
                    onset=int(e[name].index[0]),
                    kind=f"frozen {who}",
                )
    if not seen:
        raise NotRecorded("the learning rates")
    return None


def _norm_moves(e: Evidence, who: str) -> bool:
    """Whether weights are written to between updates, the generator's at least, and the norm of a player's changes from look to look."""
    told = e.about.get("rewritten")
    if not isinstance(told, dict) or not told.get("written"):
        return False
    try:
        norms = e[f"{who}_parameter_norm"].dropna().to_numpy(dtype=float)
    except NotRecorded:
        return False
    return len(norms) >= LEAST_STILL and bool(np.ptp(norms) > MOVES * np.max(np.abs(norms)))


def _stands(e: Evidence, who: str) -> str:
    """Why a player never moves, where attach has seen that; empty where it has not."""
    told = e.about.get("attached")
    return str(told.get("why") or "never stepped") if isinstance(told, dict) and told.get("stands_still") == who else ""


def _never_updated(e: Evidence) -> Finding | None:
    """A player whose optimizer is known and never makes an update, while the other is updated."""
    moves = {who: e[f"{who}_updates"].to_numpy(dtype=float) for who in PLAYERS}
    for who, other in (PLAYERS, PLAYERS[::-1]):
        mine, theirs = moves[who], moves[other]
        known = f"{who}_learning_rate" in e or _stands(e, who)
        if not known or len(mine) < e.limits.force_window:
            continue
        if np.any(mine > 0) or not np.any(theirs > 0):
            continue
        cut_off = who == "generator"
        if why := _stands(e, who):
            return Finding(
                "objective_fault",
                Verdict.FAILED,
                f"the {who} made no update in {len(mine)} of the optimizers' steps, the {other} {np.nansum(theirs):.0f} (limit: above 0)",
                cause=f"the {who} does not learn: {why}",
                remedies=(
                    f"look which optimizer holds the {who}'s parameters, and that its own step() follows its loss.backward()",
                ),
                series=("generator_updates", "discriminator_updates"),
                onset=int(e[f"{who}_updates"].index[0]),
                kind=f"frozen {who}",
            )
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
                f"look whether the {who}'s loss.backward() and its optimizer's step() are called, and whether its parameters ask for "
                "gradients (requires_grad) then",
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


def _partly_detached(e: Evidence) -> Finding | None:
    """Weights of the generator that no gradient ever reaches, behind fakes that are plainly no reals: a part of it is cut off from its loss."""
    names, signs = cut_off(e), misfit(e)
    if not names or not signs:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"{len(names)} of the generator's weights never got a gradient: {', '.join(names[:3])}{' ...' if len(names) > 3 else ''} (limit: 0), and "
        f"{'; '.join(signs)}",
        cause="what these weights make is cut off from the loss: by argmax, rounding, sampling, numpy, detach() or no_grad() on the way, or it is "
        "not used",
        remedies=(
            "make that output differentiable: softmax or F.gumbel_softmax(logits, hard=True) in place of argmax and one_hot",
            "look whether the layers are used in forward() at all",
        ),
        series=("generator_layer_gradient_norm",),
        onset=0,
        kind="partly detached generator",
    )


def _one_optimizer(e: Evidence) -> Finding | None:
    """An optimizer that steps the other player's parameters too: one player then follows the other's loss."""
    facts = {who: e.facts("optimizers", who) for who in PLAYERS}
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
    traceless.cleared,
    _standing_still,
    *traceless.PUT_BACK,
    _never_updated,
    _detached,
    _partly_detached,
    _one_optimizer,
    miswired.joint_pass,  # its forces are the two losses' sum, which looks like much else
    forces.wrong_way,
    forces.same_pull,
    forces.drives_away,
    *miswired.LOOKS,
    *targets.LOOKS,
    another_in_its_turn,
    forces.turned,
    forces.pulls_along,
    forces.swapped,
    stopped,
    *regularisation.LOOKS,
    started_anew,
)

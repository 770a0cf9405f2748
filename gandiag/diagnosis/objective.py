"""Checks of the game itself: objective_fault, by the force that each player exerts on the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandiag.diagnosis import miswired
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import set_rate
from gandiag.errors import NotRecorded

PLAYERS = ("discriminator", "generator")
FORCES = ("discriminator_force_on_real", "discriminator_force_on_fake", "generator_force_on_fake")


@dataclass(frozen=True)
class _Direction:
    """Where a force points in each window (windows,): +1 all up, -1 all down, NaN where it is silent."""

    at: np.ndarray
    sign: np.ndarray


def objective_fault(run: Recorded) -> Finding:
    """Finds a game that cannot work: players who push the wrong way, share an objective, do not move, or are cut off from each other."""
    e = evidence(run)
    looked = False
    for look in (_standing_still, _never_updated, _detached, _one_optimizer, _forces, *miswired.LOOKS):
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
        raise NotRecorded(missing, "both players move, but where they push was not seen")
    real, fake, generator = (_told(_direction(e, f)) for f in FORCES)
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
            if len(values) and np.all(values == 0):
                what = "learning rate is 0" if name.endswith("rate") and "learning" in name else "weights never move"
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


def _never_updated(e: Evidence) -> Finding | None:
    """A generator whose optimizer is known and never finds a gradient, while D is updated."""
    g, d = (e[f"{who}_updates"].to_numpy(dtype=float) for who in ("generator", "discriminator"))
    if "generator_learning_rate" not in e or len(g) < e.limits.force_window or np.any(g > 0) or not np.any(d > 0):
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"the generator's optimizer found no gradient in any of {len(g)} steps, D's made {np.nansum(d):.0f} updates (limit: above 0)",
        cause="no gradient reaches the generator: its fakes are cut off before they reach D, or it is never stepped",
        remedies=(
            "take detach() and no_grad() out of the generator's step",
            "look whether g_loss.backward() and the generator's step() are called",
        ),
        series=("generator_updates", "discriminator_updates"),
        onset=int(e["generator_updates"].index[0]),
        kind="detached generator",
    )


def _detached(e: Evidence) -> Finding | None:
    """A generator whose loss pushes the score and whose parameters feel nothing."""
    force = e["generator_force_size_on_fake"].to_numpy(dtype=float)
    if not len(force) or not np.nanmedian(force) > 0:
        return None
    norm = e["generator_gradient_norm"].to_numpy(dtype=float) if "generator_gradient_norm" in e else np.zeros(0)
    if len(norm) and not np.all(norm == 0):
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


# ------------------------------------------------------------------------------------------------- players who push the wrong way


def _forces(e: Evidence) -> Finding | None:
    real, fake = _direction(e, FORCES[0]), _direction(e, FORCES[1])
    generator = _direction(e, FORCES[2]) if FORCES[2] in e else None
    limit, share = e.limits.force_sign, e.limits.force_share
    known = np.isfinite(real.sign) & np.isfinite(fake.sign)
    if known.sum() < 2:
        raise CannotTell("the forces on the score were seen in fewer than two windows of steps")
    same = np.where(
        np.minimum(np.abs(real.sign), np.abs(fake.sign)) > limit, np.sign(real.sign) * np.sign(fake.sign), 0
    )
    up = np.nanmedian(fake.sign) > 0
    if _shown(same[known] == 1, share):
        kind, cause = (
            ("unbounded discriminator", "D is paid for fakes that score high: its loss has no floor")
            if up
            else (
                "saturated discriminator",
                "D is paid for low scores on reals and fakes alike: it saturates at the bottom",
            )
        )
        way = "up" if up else "down"
        return _fault(
            e,
            kind,
            f"D pushes reals and fakes {way} in {np.mean(same[known] == 1):.0%} of the first windows (limit: {share:.0%})",
            cause,
            FORCES[:2],
        )
    if generator is None:
        return None
    together = np.where(
        np.minimum(np.abs(generator.sign), np.abs(fake.sign)) > limit, np.sign(generator.sign) * np.sign(fake.sign), 0
    )
    known &= np.isfinite(generator.sign)
    if known.sum() >= 2 and _shown(together[known] == 1, share):
        way = "up" if up else "down"
        kind, cause = (
            ("cooperative players", "G helps D: both push the scores of fakes the same way")
            if up
            else ("shared objective", "both players minimise the same loss: G makes its fakes easier to tell")
        )
        return _fault(
            e,
            kind,
            f"D and G both push fakes {way} in {np.mean(together[known] == 1):.0%} of the first windows (limit: {share:.0%})",
            cause,
            FORCES,
        )
    return None


def _shown(state: np.ndarray, share: float) -> bool:
    return bool(len(state) and np.mean(state) >= share)


def _fault(e: Evidence, kind: str, claim: str, cause: str, series: tuple[str, ...]) -> Finding:
    remedies = (
        ("--set loss=non-saturating",)
        if "loss" in e.config
        else ("let D minimise softplus(-D(x)) + softplus(D(G(z))) and G softplus(-D(G(z))), on logits",)
    )
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        claim,
        cause=cause,
        remedies=remedies,
        series=series,
        onset=int(e[series[0]].index[0]),
        kind=kind,
    )


def _direction(e: Evidence, name: str) -> _Direction:
    """Sum of the forces over the sum of their sizes, in windows of the first steps."""
    force, size = e[name], e[name.replace("_force_on_", "_force_size_on_")]
    begin = min(
        int(e[other].index[0]) for other in FORCES if other in e
    )  # one clock for all: they are compared by window
    both = force.index.intersection(size.index)
    both = both[both < begin + e.limits.force_first]
    width = e.limits.force_window
    count = -(-e.limits.force_first // width)
    window = (both.to_numpy() - begin) // width
    f, s = (series.loc[both].to_numpy(dtype=float) for series in (force, size))
    finite = np.isfinite(f) & np.isfinite(s)  # after an overflow nothing tells a direction any more
    f, s = np.where(finite, f, 0.0), np.where(finite, s, 0.0)
    total, sizes = np.bincount(window, f, count), np.bincount(window, s, count)
    return _Direction(np.arange(count) * width, np.where(sizes > 0, total / np.maximum(sizes, 1e-300), np.nan))


def _told(direction: _Direction) -> str:
    known = direction.sign[np.isfinite(direction.sign)]
    if not len(known):
        return "nowhere"
    middle = float(np.median(known))
    return "up" if middle > 0.1 else "down" if middle < -0.1 else "both ways"

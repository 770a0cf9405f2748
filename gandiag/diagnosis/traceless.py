"""Updates that leave no trace: weights that are put back after each, gradients that are cleared before each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.deadness import dead_player
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.fakes import misfit, misfits
from gandiag.diagnosis.finding import Finding, Verdict

PLAYERS = ("discriminator", "generator")
UNDONE = 0.05  # of Adam's smallest steps: an average of decay .99 that is copied back leaves a hundredth
IN_PLACE = 0.005  # of the norm: healthy generators that went as far changed theirs by a hundredth and more (benchmark)
FARTHER = 3.0  # times an update's way
LEAPS = 3  # fewer may be a load or two
RUN_AWAY = 3.0  # fold, of a player's weights
FALLEN = 0.5  # of the first gradients
BEFORE = 10.0  # fold, of the updates of a step: a pretraining
FELT = 100.0  # times Adam's eps, a gradient for each weight beside which eps does not count
EACH = "after each update"
CAUSE = "something puts the {who}'s weights back {when}: an average that is copied into it, or weights that are loaded again"


def undone(e: Evidence) -> Finding | None:
    """A player whose weights move by far less than its optimizer's steps are: something puts them back before the step is over.

    Adam moves each weight by its rate, and where gradients are nothing but noise by sqrt((1 - beta1) / (1 + beta1)) of it.
    """
    if not _ill(e):
        return None  # a small part that is tuned within a large net moves it by little, and well
    dead = dead_player(e)
    aside = {r.get("player") for r in e.records("events") if r.get("event") == "aside"}
    for who in PLAYERS:
        if dead is not None and dead.who == who:
            continue  # its last biases alone move: dead_layers tells it
        if who in aside:
            continue  # Adam's steps are measured by all gradients: beside a penalty's, in updates of its own, the game's may be small
        facts, count = e.facts("optimizers", who), e.facts("players", who).get("parameters")
        beta, rate = _first(facts.get("betas")), e.maybe(f"{who}_learning_rate")
        if _was_trained_before(e, who):
            continue
        if "Adam" not in str(facts.get("class", "")) or not isinstance(count, int) or beta is None or rate is None:
            continue
        ratio, weights, slope = (e.level(f"{who}_{n}") for n in ("update_ratio", "parameter_norm", "gradient_norm"))
        eps = facts.get("eps")
        with np.errstate(all="ignore"):
            due = rate * np.sqrt(count) * np.sqrt((1 - beta) / (1 + beta)) / weights
            least = FELT * (float(eps) if isinstance(eps, int | float) else 1e-8)
            felt = (slope / np.sqrt(count) > least) & (slope > 0.1 * np.nanmax(slope))
            if trends.middle(slope[len(slope) // 2 :]) < FALLEN * trends.middle(slope[: max(3, len(slope) // 10)]):
                continue  # Adam divides by the larger gradients of before
            share = (ratio / due)[felt & (due > 0)]
        share = share[np.isfinite(share)]
        often = len(share) >= max(e.limits.force_window, len(ratio) // 2)
        if not often or np.mean((share > 0) & (share < UNDONE)) < e.limits.force_share:
            continue
        if np.nanmax(weights) > RUN_AWAY * weights[0]:
            continue  # weights that have blown up take no step in
        return Finding(
            "objective_fault",
            Verdict.FAILED,
            f"the {who}'s weights move by {np.median(share):.2g} of what its optimizer's steps come to at least (limit: {UNDONE:g})",
            cause=CAUSE.format(who=who, when=EACH),
            remedies=(
                f"keep the average of the {who} in a copy of its own",
                f"look what writes to the {who}'s weights between updates",
            ),
            series=(f"{who}_update_ratio", f"{who}_learning_rate"),
            onset=int(e[f"{who}_update_ratio"].index[0]),
            kind=f"{who} put back",
        )
    return None


def _was_trained_before(e: Evidence, who: str) -> bool:
    """Whether a player had many updates before the first step ended: Adam divides by the gradients of those, larger than any that was recorded."""
    updates = f"{who}_updates"
    return updates in e and bool(len(e[updates])) and float(e[updates].iloc[0]) > BEFORE * max(1.0, e.now(updates))


def held_in_place(e: Evidence) -> Finding | None:
    """A generator that takes whole steps, and whose weights and fakes stay where they were: they are put back after the step was recorded."""
    ratio, weights, slope = (e.level(f"generator_{n}") for n in ("update_ratio", "parameter_norm", "gradient_norm"))
    spread = e.maybe("diversity_ratio")
    if spread is None or not _ill(e) or not weights[0] > 0:
        return None
    if not np.isfinite(e["generator_parameter_norm"].to_numpy(dtype=float)).all():
        return None  # a level holds the last that was finite
    way, moved = float(np.nansum(ratio * np.diff(e.edges))), float(np.nanmax(np.abs(weights / weights[0] - 1)))
    changed = abs(trends.tail_middle(spread, e.limits.tail_share) / max(trends.middle(spread[:3]), 1e-12) - 1)
    if not (way > 1 and moved < IN_PLACE and np.nanmedian(slope) > 0) or changed > 0.1:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"the generator's updates come to {way:.2g} times its weights, whose norm has changed by {moved:.1g} at most (limit: {IN_PLACE:g}), and its "
        "fakes are as they were at first",
        cause=CAUSE.format(who="generator", when=EACH),
        remedies=(
            "keep the average of the generator in a copy of its own, and put its own weights back after a preview",
        ),
        series=("generator_update_ratio", "generator_parameter_norm", "diversity_ratio"),
        onset=int(e["generator_update_ratio"].index[0]),
        kind="generator put back",
    )


def cleared(e: Evidence) -> Finding | None:
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


def written_to(e: Evidence) -> Finding | None:
    """A generator whose weights are written to again and again between its updates, and go farther then than by an update; its fakes are none."""
    told = e.about.get("rewritten")
    names = ("updates", "written", "moved", "looks", "leaps")
    if not isinstance(told, dict) or not all(isinstance(told.get(k), int | float) for k in names):
        return None
    updates, written, moved, looks, leaps = (float(told[k]) for k in names)
    by_version = written > 0 and moved >= FARTHER
    by_leaps = leaps >= LEAPS and "Adam" in str(e.facts("optimizers", "generator").get("class", ""))
    if not (by_version or by_leaps) or not _ill(e):
        return None
    seen = (
        f"something other than its optimizer wrote to the generator's weights before {written:.0f} of {updates:.0f} updates, and moved them "
        f"{moved:.3g} times as far as an update does (limit: {FARTHER:g})"
        if by_version
        else f"the generator's weights leap before {leaps:.0f} of {looks:.0f} updates, ten times as far as Adam moves them"
    )
    first = told.get("first")
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"{seen}; {'; '.join(misfit(e)[:1]) or 'its fakes are plainly no reals'}",
        cause=CAUSE.format(who="generator", when="now and then"),
        remedies=(
            "keep the average of the generator in a copy of its own, and put its own weights back after a preview",
            "look at what calls load_state_dict or copy_ on the generator while it is trained: a roll-back to a `best` checkpoint, clipping",
        ),
        series=("generator_parameter_norm", "generator_update_ratio"),
        onset=first if isinstance(first, int) else 0,
        kind="generator put back",
    )


PUT_BACK: tuple[Callable[[Evidence], Finding | None], ...] = (undone, held_in_place, written_to)


def _ill(e: Evidence) -> bool:
    off = misfits(e)
    return off is not None and e.holds(off)


def _first(betas: Any) -> float | None:
    value = betas[0] if isinstance(betas, list | tuple) and betas else None
    return float(value) if isinstance(value, int | float) and -1 < value < 1 else None

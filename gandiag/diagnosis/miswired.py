"""Faults of a loop that pushes the right way and is yet wired wrongly: two sigmoids one after the other, gradients that are never cleared."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandiag.diagnosis.deadness import names_in
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.errors import NotRecorded

SAME = 0.02  # relative difference up to which a force is the one that a loss on squashed scores has
SAME_IN_MEAN = 0.1  # the same where scores were recorded as logits, of which only the mean is known
SMOOTHED = 0.6  # the lowest target that labels of reals are smoothed to
FEWEST = 20  # steps that must show it
WAYS_OUT = {
    "generator": "detach() the fakes that the discriminator is trained on",
    "discriminator": "call its optimizer's step() before the generator's loss.backward()",
}
# why weights are never moved, and what to do
LISTS = (
    "are held in a plain list or dict, where parameters() does not find them",
    "hold layers in nn.ModuleList or nn.ModuleDict, and weights as nn.Parameter",
)
PARTS = (
    "are not among what its optimizer was given",
    "give the {who}'s optimizer all of its parameters(), once all layers are there, or freeze what is to rest (requires_grad_(False))",
)
REVERSED = 0.5  # of its size, that D's force on fakes sums up to where one loss serves both players: least squares swing about their target
STALE = 0.05  # of the gradient that an update takes, which was there before its own backward pass; 0 where gradients are cleared
# Sums of gradients grow with their number: beside what causes them fivefold by the fifth step where they agree. Without zero_grad 4.3 to
# 6.1 were seen at the fifth step and 7.7 to 10 at the tenth; with it, of gradients that turn as little, at most 2.1 and 7.9 (benchmark).
SMOOTH = 0.98  # cosine of consecutive gradients, nearly always above it where they hardly turn; batches of a healthy run read -.9 to .9
FIFTH, TENTH = (3.5, 10.0), (6.0, 20.0)  # ... nor can a sum of so many be much more than so many times the first
# Where early gradients disagree they pile up more slowly, and turn less and less.
# 36 to 81 were seen of generators without zero_grad; with it .998 and 11 at most (benchmark)
SMOOTHEST, PILED_UP = 0.9995, 20.0


def double_sigmoid(e: Evidence) -> Finding | None:
    """A loss that takes D's outputs for logits, of a D that ends in a sigmoid: the force on each score is then known to the last digit."""
    real, fake = _first(e, "real_logit_mean"), _first(e, "fake_logit_mean")
    up, down = _first(e, "discriminator_force_on_real"), _first(e, "discriminator_force_on_fake")
    n = min(len(real), len(fake), len(up), len(down))
    if n < FEWEST:
        return None
    real, fake, up, down = (x[:n] for x in (real, fake, up, down))
    told = e.facts("players", "discriminator").get("output") == "probability"
    if not told and not _ends_in_sigmoid(e):
        return None
    if told:
        real, fake = _sigmoid(real), _sigmoid(fake)
    with np.errstate(all="ignore"):
        forces = up / -down
        passed_on = real * (1 - real) / np.maximum(fake * (1 - fake), 1e-12) if told else np.ones(n)
        squashed = _sigmoid(real), _sigmoid(fake)
        # labels that are smoothed pull reals to a target below 1: what the forces say of it is then the same at every step
        smoothed = float(np.nanmedian(squashed[0] + forces / passed_on * squashed[1]))
        found = []
        for target, usual_target, same in (
            (1.0, 1.0, SAME_IN_MEAN if told else SAME),
            (smoothed, float(np.nanmedian(real + forces * fake)), SAME),
        ):
            off = np.abs(np.log(forces) - np.log(passed_on * (target - squashed[0]) / squashed[1]))
            # a loss of probabilities pushes by (1 - p) and p in logits: where that fits as well, nothing is told
            usual = np.abs(np.log(forces) - np.log((usual_target - real) / fake)) if told else np.full(n, np.inf)
            fits = (off < same) & (np.isnan(usual) | (usual > 2 * off))
            found.append(float(np.mean(fits)) if SMOOTHED <= target <= 1 else 0.0)
    share = max(found)
    if share < e.limits.force_share:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"D's outputs are squashed into [0, 1], and the forces on them are those of a loss that squashes them again, in {share:.0%} of the first "
        f"{n} steps (limit: {e.limits.force_share:.0%})",
        cause="a loss on logits is applied to what a sigmoid has squashed already: D's verdicts stay between .5 and .73, and gradients are a quarter",
        remedies=(
            "take the sigmoid out of D and keep BCEWithLogitsLoss",
            "or keep the sigmoid and take BCELoss",
        ),
        series=("real_logit_mean", "fake_logit_mean", "discriminator_force_on_real", "discriminator_force_on_fake"),
        onset=0,
        kind="double sigmoid",
    )


def stale_gradients(e: Evidence) -> Finding | None:
    """Gradients that a player's own backward pass adds to: those of its last update, or what the other player's pass has left there."""
    looked = False
    for who, other in (("generator", "discriminator"), ("discriminator", "generator")):
        try:
            norm = e[f"{who}_gradient_norm"]
            held = e[f"{who}_stale_gradient_norm"].dropna()
        except NotRecorded:
            continue
        looked = True
        held = held.loc[held.index.intersection(norm.index)]
        share = (held / norm.loc[held.index].where(lambda n: n > 0)).to_numpy(dtype=float)
        share = share[np.isfinite(share)]
        if len(share) < FEWEST or np.mean(share > STALE) < e.limits.force_share:
            continue
        before = norm.reindex(held.index - 1).to_numpy(dtype=float)
        own = np.isfinite(before) & (before > 0)
        same = np.abs(held.to_numpy(dtype=float)[own] / before[own] - 1) < SAME
        never = bool(len(same) and np.mean(same) >= e.limits.force_share)
        return Finding(
            "objective_fault",
            Verdict.FAILED,
            f"of what the {who}'s optimizer takes, {_share(float(np.median(share)))} comes from elsewhere than its own backward pass, in "
            f"{np.mean(share > STALE):.0%} of {len(share)} looks (limits: {STALE:.0%}, {e.limits.force_share:.0%})",
            cause=f"the {who}'s gradients are never cleared: each step adds to those of all steps before"
            if never
            else f"what the {other}'s backward pass leaves in the {who}'s gradients is not cleared: its update also follows the {other}'s loss",
            remedies=(
                f"call the {who}'s optimizer.zero_grad() right before its loss.backward()",
                *(() if never else (WAYS_OUT[who],)),
            ),
            series=(f"{who}_stale_gradient_norm", f"{who}_gradient_norm"),
            onset=int(norm.index[0]),
            kind="gradients never cleared" if never else "gradients of the other player",
        )
    if not looked:
        raise NotRecorded("what gradients still hold")
    return None


def _share(share: float) -> str:
    """Of two parts that all but cancel each may be many times as large as the sum."""
    return f"{share:.0%} of its size" if share <= 1 else f"a part {share:.3g} times as large as the whole"


def never_cleared(e: Evidence) -> Finding | None:
    """Gradients that add up from step to step: hardly turning, and ever larger beside what causes them."""
    for who, causes in (
        ("generator", ("generator_gradient_at_image",)),
        ("discriminator", ("discriminator_force_size_on_real", "discriminator_force_size_on_fake")),
    ):
        try:
            cosine = e[f"{who}_gradient_cosine"].to_numpy(dtype=float)
            ratio = _over_cause(e, f"{who}_gradient_norm", causes)
        except NotRecorded:
            continue
        smooth, usual = (
            float(np.nanquantile(cosine, q)) if np.isfinite(cosine).sum() >= 5 else 0.0 for q in (0.05, 0.5)
        )
        if smooth < SMOOTH or len(ratio) < 2 * FEWEST:
            continue
        fifth, tenth, later = (
            float(np.median(ratio[part])) / max(ratio[0], 1e-30) for part in (slice(3, 6), slice(8, 13), slice(60, 180))
        )
        at_once = FIFTH[0] < fifth < FIFTH[1] and TENTH[0] < tenth < TENTH[1]
        slowly = who == "generator" and usual > SMOOTHEST and len(ratio) > 100 and later > PILED_UP
        if not (at_once or slowly):
            continue
        grown, limit, by = (tenth, TENTH[0], "tenth") if at_once else (later, PILED_UP, "hundredth")
        return Finding(
            "objective_fault",
            Verdict.FAILED,
            f"the {who}'s gradient hardly ever turns from step to step (cosine {smooth:.3f} or more; limit: {SMOOTH:g}), by the {by} step has grown "
            f"{grown:.3g}-fold beside what causes it (limit: {limit:g})",
            cause=f"the {who}'s gradients are never cleared: each step adds to those of all steps before",
            remedies=(f"call the {who}'s optimizer.zero_grad() before its loss.backward()",),
            series=(f"{who}_gradient_cosine", f"{who}_gradient_norm"),
            onset=int(e[f"{who}_gradient_norm"].index[0]),
            kind="gradients never cleared",
        )
    return None


def unreached(e: Evidence) -> Finding | None:
    """A generator whose loss reads D's verdicts on samples that no longer lead back to it: only what else is in the loss trains it."""
    event = next((r for r in e.records("events") if r.get("event") == "generator_unreached"), None)
    if event is None:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"in the first {event.get('turns')} turns of G its loss pushed D's verdicts, and none of them led back to G (limit: one must), which learns "
        "from the other terms of its loss alone",
        cause="D is asked about detached fakes in G's turn: the part of G's loss that plays the game has no gradient for it",
        remedies=("call D on the generator's own output in G's turn: no detach(), no no_grad(), no .data on the way",),
        series=("generator_force_on_fake", "generator_gradient_at_image"),
        onset=0,
        kind="detached generator",
    )


def unheard(e: Evidence) -> Finding | None:
    """A generator that has D judge its samples, with a way back to it, and whose loss never uses what D says."""
    event = next((r for r in e.records("events") if r.get("event") == "discriminator_unheard"), None)
    if event is None or "generator_force_on_fake" in e:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"in {event.get('turns')} turns of G this D was asked about its fakes, and no backward pass of G's went through D in any (limit: one must): "
        "G learns from the other terms of its loss alone, or from another discriminator",
        cause="G's loss leaves out this discriminator's verdict: a loop over several overwrites the loss in place of adding to it, say",
        remedies=(
            "G's loss must hold a term that reads D(G(z)) (in a loop over discriminators `loss += ...`, not `loss = ...`)",
        ),
        series=("discriminator_force_on_fake", "generator_gradient_norm"),
        onset=0,
        kind="unheard",
    )


def unstepped(e: Evidence) -> Finding | None:
    """Weights that get gradients in the game and that no optimizer ever moves."""
    for who in ("generator", "discriminator"):
        told = e.facts("unstepped", who)
        unregistered, left_out = (names_in(told.get(key)) for key in ("unregistered", "left_out"))
        names = unregistered + left_out
        if not names:
            continue
        why, remedy = LISTS if unregistered else PARTS
        shown = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
        return Finding(
            "objective_fault",
            Verdict.FAILED,
            f"{len(names)} weights of the {who} ({shown}) got gradients and never moved, and no optimizer holds them (limit: none)",
            cause=f"these weights of the {who} {why}: they stay at their initial values",
            remedies=(remedy.format(who=who),),
            series=(f"{who}_gradient_norm", f"{who}_update_ratio"),
            onset=0,
            kind="unstepped",
        )
    return None


def unread(e: Evidence) -> Finding | None:
    """A discriminator that is shown both batches, and whose loss never uses what it says of the one."""
    for event in e.records("events"):
        which = str(event.get("which"))
        if event.get("event") != "unread" or which not in SIDES or f"discriminator_force_on_{SIDES[which]}" in e:
            continue
        other = "reals" if which == "fakes" else "fakes"
        return Finding(
            "objective_fault",
            Verdict.FAILED,
            f"in {event.get('turns')} turns D was shown {which}, and its loss used no verdict on them in any (limit: one must): it learns from "
            f"{other} alone",
            cause=f"D's loss leaves out the verdict on {which}: it reads that on {other} twice, say",
            remedies=("look at both terms of D's loss: one must read D(real), the other D(fake)",),
            series=(f"discriminator_force_on_{SIDES[other]}", "generator_force_on_fake"),
            onset=0,
            kind="one side",
        )
    return None


def joint_pass(e: Evidence) -> Finding | None:
    """One backward pass on the sum of both losses, in which each player, or D, is also moved by the other's loss."""
    mixed = {str(r.get("mixture")) for r in e.records("events") if r.get("event") == "joint_pass"}
    if not mixed:
        return None
    pull, size = (_first(e, f"generator_force{what}_on_fake") for what in ("", "_size"))
    n = min(len(pull), len(size))
    if n < FEWEST:
        return None
    series: tuple[str, ...] = ("generator_force_on_fake", "generator_force_size_on_fake")
    if "undetached" in mixed:
        torn = np.abs(pull[:n]) < e.limits.force_sign * size[:n]
        told = "the forces of both losses reach G, and pull its fakes both ways"
        cause = "the fakes are not detached in D's loss, and one backward pass serves both losses: each player also follows the other's"
    elif mixed == {"one verdict"}:
        against = _first(e, "discriminator_force_on_real")
        n = min(n, len(against))
        if "discriminator_force_on_fake" in e:  # at the same verdict, before its sign was turned round on the way to G
            pull = _first(e, "discriminator_force_on_fake")
            n = min(n, len(pull))
        net, of_reals = (float(np.nansum(x[:n])) / max(float(np.nansum(size[:n])), 1e-300) for x in (pull, against))
        torn = np.full(n, not (net * of_reals < 0 and abs(net) > REVERSED))
        series = ("discriminator_force_on_real", *series)
        told = f"both losses read one verdict on the fakes, and their forces come to {net:.2g} of their size (limit: {REVERSED:g}, against the reals)"
        cause = (
            "one backward pass serves the sum of both losses: D is paid for its fakes by G's loss as much as by its own"
        )
    else:
        push = _first(e, "discriminator_force_on_fake")
        n = min(n, len(push))
        torn = pull[:n] * push[:n] < 0
        series = ("discriminator_force_on_fake", *series)
        told = f"D's weights feel its own force on fakes (median {np.nanmedian(push):.2g}) and G's ({np.nanmedian(pull):.2g}) in one"
        cause = (
            "one backward pass serves both losses, and G's goes into D's gradients too: D is also trained to be fooled"
        )
    share = float(np.mean(torn)) if n else 0.0
    if share < e.limits.force_share:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"{told}, in {share:.0%} of the first {n} steps (limit: {e.limits.force_share:.0%})",
        cause=cause,
        remedies=(
            "give each player a backward pass of its own: D's on detached fakes, then zero_grad(), then G's",
            "in its place freeze D's parameters (requires_grad_(False)) while G's loss is made",
        ),
        series=series,
        onset=0,
        kind="one backward pass",
    )


SIDES = {"reals": "real", "fakes": "fake"}
LOOKS: tuple[Callable[[Evidence], Finding | None], ...] = (
    double_sigmoid,
    unreached,
    unheard,
    unstepped,
    unread,
    stale_gradients,
    never_cleared,
)


def _first(e: Evidence, name: str) -> np.ndarray:
    """The first finite values of a series, of the steps within which a fault must show."""
    values = e[name]
    values = values.loc[: values.index[0] + e.limits.force_first - 1]
    return values.to_numpy(dtype=float)


def _ends_in_sigmoid(e: Evidence) -> bool:
    """Whether the recorder saw that D ends in a sigmoid: scores of a weak D may lie in [0, 1] by themselves."""
    said = (str(r.get("claim", "")) for r in e.records("events") if r.get("event") == "discriminator_output")
    return any("come out of a sigmoid" in claim for claim in said)


def _over_cause(e: Evidence, norm: str, causes: tuple[str, ...]) -> np.ndarray:
    """The parameters' gradient norm over the size of what causes it, at the steps at which all were measured."""
    whole = e[norm]
    size = sum((e[name].reindex(whole.index) for name in causes[1:]), start=e[causes[0]].reindex(whole.index))
    ratio = (whole / size.where(size > 0)).to_numpy(dtype=float)
    return np.asarray(ratio[np.isfinite(ratio)])


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))

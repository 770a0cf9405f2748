"""Faults of the game's direction: what each player's force on the score says, in the first steps and where it turns later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import CannotTell, Evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.errors import NotRecorded

FORCES = ("discriminator_force_on_real", "discriminator_force_on_fake", "generator_force_on_fake")
# A sign is turned by a hand where the force is as large as ever. Past its target a loss turns its own sign too, but there its force is about
# nothing: the reals that D scores right, and no more, push one way this window and the other way the next.
AS_LARGE = 0.5  # of the force's usual size, when the fault sets in
# Two forces with one target differ by the draw of the batches only; a target of one's own adds the way between the two, which is as large as
# the rest of the force, or larger: a fifth of it is far from either.
AGREE, OWN = 0.8, 0.2
FEWEST_PULLS = 50
PULLS = 0.05  # of the force that G had before: what is left as both near one target; a force that has died has no sign
INVERTED = 0.1  # AUC of a D that knows reals from fakes and calls them by each other's name; generators that outran D were seen at .4 and more
# of the force's size: scores that a softmax ties together push to nothing in sum, and their sums are rounding
WHOLE = 1e-3
WHY = {
    "unbounded discriminator": "D is paid for fakes that score high: its loss has no floor",
    "saturated discriminator": "D is paid for low scores on reals and fakes alike: it saturates at the bottom",
    "cooperative players": "G helps D: both push the scores of fakes the same way",
    "shared objective": "both players minimise the same loss: G makes its fakes easier to tell",
}


@dataclass(frozen=True)
class Signs:
    """Where each force points in each window (windows,): +1 all up, -1 all down, NaN where it is silent; G's is None where nobody saw it."""

    real: np.ndarray
    fake: np.ndarray
    generator: np.ndarray | None


def wrong_way(e: Evidence) -> Finding | None:
    """Players who push the wrong way from the first steps on."""
    begin = _first_step(e)  # one clock for all: they are compared by window
    edges = begin + np.arange(0, e.limits.force_first + e.limits.force_window, e.limits.force_window)
    signs = _signs(e, edges)
    share = e.limits.force_share
    if (np.isfinite(signs.real) & np.isfinite(signs.fake)).sum() < 2:
        raise CannotTell("the forces on the score were seen in fewer than two windows of steps")
    for state, known, of_d in _faults(e, signs):
        if known.sum() >= 2 and np.mean(state[known]) >= share:
            up = float(np.nanmedian(signs.fake)) > 0
            return _fault(
                e, of_d, up, f"in {np.mean(state[known]):.0%} of the first windows (limit: {share:.0%})", begin
            )
    return None


def same_pull(e: Evidence) -> Finding | None:
    """A generator that pulls its fakes to the very target that D pulls them to: past it both turn round, so that neither points one way.

    Two losses with one target push every score alike, up to their weights: G's force is then D's own, many times over, and nothing besides.
    Of a sound least-squares loss G's is D's as well, and the way from D's target to its own on top: that is more than all the rest.
    """
    begin = _first_step(e)
    d, g, size = (
        e[n].loc[begin : begin + e.limits.force_first - 1]
        for n in (*FORCES[1:], FORCES[2].replace("_on_", "_size_on_", 1))
    )
    both = d.index.intersection(g.index).intersection(size.index)
    theirs, mine, sizes = (s.loc[both].to_numpy(dtype=float) for s in (d, g, size))
    known = np.isfinite(theirs) & np.isfinite(mine)
    theirs, mine, sizes = theirs[known], mine[known], sizes[known]
    if len(mine) < FEWEST_PULLS or not min(mine.std(), theirs.std()) > WHOLE * float(np.mean(sizes)):
        return None
    slope, rest = (float(x) for x in np.polyfit(theirs, mine, 1))
    agree = float(np.corrcoef(theirs, mine)[0, 1])
    own = max(abs(rest) / float(np.sqrt(np.mean(mine**2))), _own_share(theirs, mine, sizes))
    if not (slope > 0 and agree > AGREE and own < OWN):
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"G's force on fakes is {slope:.2g} times D's own in the first {len(mine)} steps (correlation {agree:.2f}, limit: {AGREE:g}), and what it "
        f"adds of its own is {own:.2g} of it (limit: {OWN:g})",
        cause=WHY["shared objective"] + ": both pull fakes to one target",
        remedies=("give G's loss the target that D has for reals, not the one that D has for fakes",),
        series=FORCES[1:],
        onset=begin,
        kind="shared objective",
    )


def pulls_along(e: Evidence) -> Finding | None:
    """A generator that pulled its fakes against D and, from some step on till the end, pulls them D's way, while D wins ever since.

    Two losses with targets turn round past them, so that neither pushes one way: what tells is that, on the whole, G's force has another sign
    than before, and D's sign. A G that has fooled D beyond its target turns too, but then D does not win.
    """
    known = _whole(e, FORCES[2]), _whole(e, FORCES[1])
    with np.errstate(invalid="ignore"):
        along = np.sign(known[0]) * np.sign(known[1]) > 0
    sure = np.isfinite(known[0]) & np.isfinite(known[1])
    auc = np.nan_to_num(e.auc(), nan=0.5)
    first = trends.onset(along & sure)
    if first is None or first < max(2, round(e.limits.sustained_share * len(along))):
        return None
    before, after = sure[:first], sure[first:]
    lasting = e.edges[-1] - e.edges[first] >= max(e.limits.sustained_steps, e.limits.tail_share * e.steps)
    if not lasting or not before.any() or np.mean(along[:first][before]) > 1 - e.limits.force_share:
        return None
    was, is_now = (trends.middle(known[0][part]) for part in (slice(0, first), slice(first, None)))
    for_good = e.holds(along | ~sure) and np.mean(along[first:][after]) > e.limits.force_share
    turned_round = for_good and was * is_now < 0 and abs(is_now) > PULLS * abs(was)
    if not turned_round or after.sum() < 2 or np.mean(auc[first:] > e.limits.near_dominance_auc) < e.limits.force_share:
        return None
    at = int(e.edges[first])
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"G's force on fakes was {was:.2g}, against D's, and since step {at} is {is_now:.2g}, D's way (limit: against it), and AUC is "
        f"{trends.tail_middle(auc, e.limits.tail_share):.3f} (limit: {e.limits.near_dominance_auc:g})",
        cause=WHY["shared objective"] + ": its target or its sign was changed there",
        remedies=(f"look at what the loop does with G's target and sign at step {at}",),
        series=(*FORCES[1:], "discriminator_auc"),
        onset=at,
        kind="shared objective",
    )


def drives_away(e: Evidence) -> Finding | None:
    """A generator that pushes the scores of its fakes away from those of the reals, while D tells them apart with ease.

    Against a D whose loss has targets this is seen nowhere else: once its fakes lie at their target D pushes them both ways, or nowhere.
    """
    force, size = e.level(FORCES[2]), e.maybe(FORCES[2].replace("_on_", "_size_on_", 1))
    real, fake = e.maybe("real_logit_mean"), e.maybe("fake_logit_mean")
    if size is None or real is None or fake is None:
        return None
    told_apart = np.nan_to_num(e.auc(), nan=0.5) > e.limits.near_dominance_auc
    with np.errstate(invalid="ignore"):
        known = told_apart & (np.abs(force) > e.limits.force_sign * size) & (size > 0)
        away = force * (real - fake) < 0
    if np.mean(known & away) < e.limits.force_share:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"in {np.mean(known & away):.0%} of the run (limit: {e.limits.force_share:.0%}) G pushes the scores of its fakes "
        f"{'down' if np.nanmedian(force[known]) < 0 else 'up'}, away from those of the reals, and D tells them apart (AUC "
        f"{trends.tail_middle(e.auc(), e.limits.tail_share):.3f})",
        cause="G's loss has the wrong sign or the wrong target: it makes fakes easier to tell",
        remedies=(
            "let G's loss pull the scores of its fakes to where those of the reals are: look at its sign and its labels",
        ),
        series=(FORCES[2], "real_logit_mean", "fake_logit_mean"),
        onset=_first_step(e),
        kind="shared objective",
    )


def _whole(e: Evidence, name: str) -> np.ndarray:
    """The mean of a force between the grid's edges, of its usual size: what it does on the whole, once its swings about a target cancel."""
    series = e[name]
    values, at = series.to_numpy(dtype=float), series.index.to_numpy()
    values, at = values[np.isfinite(values)], at[np.isfinite(values)]
    window = np.clip(np.searchsorted(e.edges, at, side="right") - 1, 0, len(e.edges) - 2)
    total, count = (np.bincount(window, w, len(e.edges) - 1) for w in (values, np.ones(len(values))))
    usual = float(np.mean(np.abs(values))) if len(values) else 0.0
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1) / max(usual, 1e-300), np.nan))


def _own_share(theirs: np.ndarray, mine: np.ndarray, sizes: np.ndarray) -> float:
    """What a force adds of its own to a multiple of the other's, as a share of its size, each step counted alike.

    Scores that begin far beyond both targets look as if these were one: the first steps alone would say so, those at the targets do not.
    """
    pushing = sizes > 0
    if not pushing.any():
        return float("inf")
    scale = 1 / sizes[pushing]
    columns = np.stack([scale, theirs[pushing] * scale], axis=1)
    (rest, _), *_ = np.linalg.lstsq(columns, mine[pushing] * scale, rcond=None)
    return abs(float(rest)) * float(np.median(scale))


def turned(e: Evidence) -> Finding | None:
    """Players who pushed the right way, and push the wrong way from some step on till the end: labels or a sign that were turned in mid-run."""
    signs = _signs(e, e.edges)
    for state, known, of_d in _faults(e, signs):
        first = trends.onset(state & known)
        if first is None or first < max(2, round(e.limits.sustained_share * len(state))):
            continue
        before, after = known[:first], known[first:]
        lasting = e.edges[-1] - e.edges[first] >= e.limits.sustained_steps and after.sum() >= 2
        if not lasting or not before.any() or np.mean(state[:first][before]) > 1 - e.limits.force_share:
            continue
        at_first = slice(first, first + 2)
        sizes = [_sizes(e, name) for name in (FORCES[:2] if of_d else FORCES[1:])]
        large = all(trends.middle(s[at_first]) > AS_LARGE * trends.middle(s[:first]) for s in sizes)
        if np.mean(state[first:][after]) < e.limits.force_share or not large:
            continue
        up = float(np.nanmedian(signs.fake[first:])) > 0
        claim = f"in {np.mean(state[first:][after]):.0%} of the windows since step {e.edges[first]} (limit: {e.limits.force_share:.0%})"
        return _fault(e, of_d, up, claim, int(e.edges[first]), later=True)
    return None


def swapped(e: Evidence) -> Finding | None:
    """A discriminator that told reals from fakes and, from some step on till the end, tells them the other way round: its labels were swapped.

    A loss with targets (least squares) is at its new ones soon after, and its forces fall silent: what tells is the one push across.
    """
    auc = np.nan_to_num(e.auc(), nan=0.5)
    inverted = auc < INVERTED
    first = trends.onset(inverted)
    if not e.holds(inverted) or first is None or first < max(2, round(e.limits.sustained_share * len(auc))):
        return None
    if not trends.middle(auc[:first]) > 0.5:
        return None
    begin, end = (int(e.edges[i]) for i in (max(first - 2, 0), min(first + 1, len(e.edges) - 1)))
    pushes = [e[name].to_numpy(dtype=float) for name in FORCES[:2]]
    steps = e[FORCES[0]].index.to_numpy()
    if not np.array_equal(steps, e[FORCES[1]].index.to_numpy()):
        return None
    crossed = (steps >= begin) & (steps < end)
    for push in pushes:
        usual = trends.middle(push[steps < begin])
        crossed &= (push * usual < 0) & (np.abs(push) > AS_LARGE * trends.middle(np.abs(push[steps < begin])))
    if not crossed.any():
        return None
    at = int(steps[np.argmax(crossed)])
    if FORCES[2] in e:
        pull = e[FORCES[2]]
        if (
            trends.middle(pull.loc[: at - 1].to_numpy(dtype=float)) * trends.middle(pull.loc[at:].to_numpy(dtype=float))
            < 0
        ):
            return None  # G has turned with it: the same game by other names
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"D has pushed reals and fakes across each other at step {at}, and ranks them the other way round since: AUC was "
        f"{trends.middle(auc[:first]):.2f} and is {trends.tail_middle(auc, e.limits.tail_share):.2f} (limit: {INVERTED:g})",
        cause="D's labels, targets or sign were swapped there: it pays G for what is unlike the data",
        remedies=(f"look at what the loop does with labels, targets and signs at step {at}",),
        series=(*FORCES[:2], "discriminator_auc"),
        onset=at,
        kind="swapped labels",
    )


def told(e: Evidence, name: str) -> str:
    """Says where a force points in the first steps: up, down, both ways or nowhere."""
    edges = _first_step(e) + np.arange(0, e.limits.force_first + e.limits.force_window, e.limits.force_window)
    known = _sign(e, name, edges)
    known = known[np.isfinite(known)]
    if not len(known):
        return "nowhere"
    middle = float(np.median(known))
    return "up" if middle > 0.1 else "down" if middle < -0.1 else "both ways"


def _faults(e: Evidence, signs: Signs) -> list[tuple[np.ndarray, np.ndarray, bool]]:
    """The windows in which D pushes reals and fakes one way, then those in which G pushes with D; which are known; whether it is D's fault."""
    known = np.isfinite(signs.real) & np.isfinite(signs.fake)
    found = [(_same(e, signs.real, signs.fake), known, True)]
    if signs.generator is not None:
        found.append((_same(e, signs.generator, signs.fake), known & np.isfinite(signs.generator), False))
    return found


def _same(e: Evidence, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where two forces point the same way, each with nearly all of its size."""
    with np.errstate(invalid="ignore"):
        sure = np.minimum(np.abs(one), np.abs(other)) > e.limits.force_sign
        return np.asarray(sure & (one * other > 0))


def _fault(e: Evidence, of_d: bool, up: bool, windows: str, onset: int, *, later: bool = False) -> Finding:
    kind = (
        ("unbounded discriminator" if up else "saturated discriminator")
        if of_d
        else ("cooperative players" if up else "shared objective")
    )
    remedies = (
        ("--set loss=non-saturating",)
        if "loss" in e.config
        else ("let D minimise softplus(-D(x)) + softplus(D(G(z))) and G softplus(-D(G(z))), on logits",)
    )
    who = "D pushes reals and fakes" if of_d else "D and G both push fakes"
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"{who} {'up' if up else 'down'} {windows}",
        cause=WHY[kind] + (": a sign or the labels were turned round there" if later else ""),
        remedies=(
            *((f"look at what the loop does with labels, targets and signs at step {onset}",) if later else ()),
            *remedies,
        ),
        series=FORCES[:2] if of_d else FORCES,
        onset=onset,
        kind=kind,
    )


def _first_step(e: Evidence) -> int:
    firsts = [int(e[name].index[0]) for name in FORCES if name in e and len(e[name])]
    if not firsts:
        raise NotRecorded(FORCES[0])
    return min(firsts)


def _signs(e: Evidence, edges: np.ndarray) -> Signs:
    generator = _sign(e, FORCES[2], edges) if FORCES[2] in e else None
    return Signs(_sign(e, FORCES[0], edges), _sign(e, FORCES[1], edges), generator)


def _sign(e: Evidence, name: str, edges: np.ndarray) -> np.ndarray:
    """Sum of the forces over the sum of their sizes, between the edges."""
    force, size = e[name], e[name.replace("_force_on_", "_force_size_on_")]
    both = force.index.intersection(size.index)
    both = both[(both >= edges[0]) & (both < edges[-1])]
    window = np.searchsorted(edges, both.to_numpy(), side="right") - 1
    f, s = (series.loc[both].to_numpy(dtype=float) for series in (force, size))
    finite = np.isfinite(f) & np.isfinite(s)  # after an overflow nothing tells a direction any more
    f, s = np.where(finite, f, 0.0), np.where(finite, s, 0.0)
    total, sizes = (np.bincount(window, x, len(edges) - 1) for x in (f, s))
    return np.asarray(np.where(sizes > 0, total / np.maximum(sizes, 1e-300), np.nan))


def _sizes(e: Evidence, name: str) -> np.ndarray:
    return e.level(name.replace("_force_on_", "_force_size_on_"))

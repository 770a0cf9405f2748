"""Check of diversity: mode_collapse (total, partial, rotating)."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.dropping import in_every_group
from gandiag.diagnosis.evidence import Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import (
    Coverage,
    coverage,
    covered_now,
    distance_from_reals,
    fakes_path,
    far_away,
    getting_nearer,
    lapse,
    never_differ,
    rank_ratio,
    samples_hit,
    wander,
)
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import equal_rates, pack, rate, regularise
from gandiag.errors import NotRecorded

BATCH_SERIES = ("diversity_ratio", "fake_effective_rank", "real_effective_rank", "fake_mean")
FEWER = 0.5  # of the reals' directions, where the fakes lie elsewhere and closer together as well: three signs that agree need less of each
ELSEWHERE = 1.5  # times the distance at which fakes are plainly no reals
MOST_HOPPED = 0.6  # sd of the reals that hops may take of the data's spread: .8 of it is left then
MODE_SERIES = ("modes_covered", "mode_kl", "recall")


def mode_collapse(run: Recorded) -> Finding:
    """Finds a generator that gives few of the data's modes only, for good (total, partial) or one after the other (rotating)."""
    e = evidence(run)
    covered, poor = coverage(e), poor_batches(e)
    if covered is None and poor is None:
        raise NotRecorded("any measure of diversity", "diversity_ratio, effective ranks or covered modes were expected")
    e.need_steps()
    e.need_spread_data()
    by_batch = poor is not None and e.holds(poor)
    by_modes = covered is not None and covered_now(e, covered) <= e.limits.covered_share
    series = tuple(s for s in (*MODE_SERIES, *BATCH_SERIES) if s in e)
    claim = _claim(e, covered, poor)
    if (
        covered is not None
        and not by_modes
        and by_batch
        and covered_now(e, covered) >= e.limits.covered_surely
        and not _pointlike(e)
    ):
        by_batch = False  # nearly all modes are there: the batches are only narrow
    if not by_modes and not by_batch:
        if (lost := _just_lost(e, covered, poor, series)) is not None:
            return lost
        return _well_now(e, covered, poor, claim, series)
    if _learning(e, covered, by_modes, by_batch):
        return Finding(
            "mode_collapse",
            Verdict.SUSPECT,
            claim + ", and rising",
            cause="the generator is still learning",
            remedies=("train longer",),
            series=series,
            kind="learning",
        )
    gone = covered is not None and by_modes and _had_modes(e, covered)
    if by_modes and not by_batch and poor is not None and not samples_hit(e) and not gone:
        return Finding(
            "mode_collapse",
            Verdict.SUSPECT,
            claim + ", but the fakes are as spread as the reals: they miss the modes, they have not collapsed",
            cause="the samples are poor",
            remedies=("train longer",),
            series=series,
            kind="smeared",
        )
    if by_modes and not by_batch and not gone and in_every_group(e):
        return Finding(
            "mode_collapse",
            Verdict.SUSPECT,
            claim
            + ", but each part of the data that lies apart from the others is made: only pieces of one cloud are thin",
            cause="within its modes the generator is narrower than the data",
            remedies=("train longer", *_remedies(e)),
            series=series,
            kind="narrow",
        )
    onset = _onset(e, covered if by_modes else None, poor if by_batch else None)
    kind = _kind(e, onset, covered) if by_batch or not gone or samples_hit(e) else "lost"
    if kind == "rotating" and onset == 0:
        onset = _first_hop(e, onset)
    return Finding(
        "mode_collapse",
        Verdict.FAILED,
        f"{claim}, since step {onset}",
        cause=_cause(e, kind),
        remedies=_remedies(e),
        series=series,
        onset=onset,
        kind=kind,
    )


def _just_lost(e: Evidence, c: Coverage | None, poor: np.ndarray | None, series: tuple[str, ...]) -> Finding | None:
    """A generator that had learned and has lost it a moment ago, before a fifth of the run can show it; the last evaluation may still deny it."""
    place = None if poor is None else lapse(e, poor)
    if place is None:
        return None
    onset = int(e.edges[place])
    if c is not None and int(c.at[-1]) > onset and c.share[-1] >= e.limits.covered_surely:
        return None
    kind = _kind(e, onset, c)
    ratio, ranks, away = (
        float("nan") if x is None else trends.middle(x[place:])
        for x in (e.maybe("diversity_ratio"), rank_ratio(e), distance_from_reals(e))
    )
    return Finding(
        "mode_collapse",
        Verdict.FAILED,
        f"the fakes were like the reals and are not since step {onset}: their distances are {ratio:.2f} of the reals' (limit: "
        f"{e.limits.misfit_ratio:g})"
        + (f", their directions {ranks:.2f} (limit: {e.limits.rank_ratio:g})" if np.isfinite(ranks) else "")
        + (f", their place {away:.2f} sd away (limit: {2 * e.limits.misfit_distance:g})" if np.isfinite(away) else ""),
        cause=_cause(e, kind),
        remedies=_remedies(e),
        series=series,
        onset=onset,
        kind=kind,
    )


def _had_modes(e: Evidence, c: Coverage) -> bool:
    """Whether two evaluations in a row, before the end, covered more than the limit: what is missing now was there."""
    had = c.share > e.limits.covered_share
    return bool(np.any(had[:-1] & had[1:]))


def poor_batches(e: Evidence) -> np.ndarray | None:
    """Where the batches of fakes are far less diverse than those of the reals (n,) bool; None where nothing tells.

    Five signs, of which one must hold: hardly any distance left; half of it, of fakes that D takes for reals; directions lost and distance with
    them; a mean that hops further than that of reals, from fakes that lack directions or distance; or fewer of both in another place.
    """
    ratio = e.maybe("diversity_ratio")
    if ratio is None:
        return None
    ratio = np.nan_to_num(ratio, nan=1.0)
    state = ratio < e.limits.diversity_ratio
    rank = rank_ratio(e)
    ranks = np.ones_like(ratio) if rank is None else np.nan_to_num(rank, nan=1.0)
    state |= (ranks < e.limits.rank_ratio) & (ratio < 0.9)
    state |= (ratio < e.limits.misfit_ratio) & _fooled(e)
    hops, away = wander(e), distance_from_reals(e)
    if away is not None:
        state |= (away > ELSEWHERE * e.limits.misfit_distance) & (ranks < FEWER) & (ratio < 0.9)
    if hops is not None:
        near = np.ones_like(ratio, dtype=bool) if away is None else away < e.limits.fake_range
        # what hops gives at a time only what the hops leave of the data's spread; fakes as wide as that swing, and have not collapsed
        left = np.sqrt(1 - np.minimum(hops, MOST_HOPPED) ** 2)
        lacks = (ratio < e.limits.hop_rank) | ((ranks < e.limits.hop_rank) & (ratio < left))
        state |= (hops > e.limits.hop) & near & lacks
    return np.asarray(state)


def _fooled(e: Evidence) -> np.ndarray:
    """Where D takes fakes for reals (n,) bool: it scores them higher; nowhere where that is unknown."""
    try:
        return np.asarray(np.nan_to_num(e.auc(), nan=0.5) < e.limits.weak_auc)
    except NotRecorded:
        return np.zeros(len(e.edges) - 1, dtype=bool)


def _pointlike(e: Evidence) -> bool:
    return e.now_or_nan("diversity_ratio") < e.limits.diversity_ratio_total


def _claim(e: Evidence, c: Coverage | None, poor: np.ndarray | None) -> str:
    parts = []
    if c is not None:
        parts.append(
            f"{covered_now(e, c) * c.total:.0f} of {c.total} modes are covered (limit: more than {e.limits.covered_share:.0%})"
        )
    if poor is not None:
        parts.append(_claim_of_batches(e, e.holds(poor)))
    return "; ".join(parts)


def _claim_of_batches(e: Evidence, ill: bool) -> str:
    """The sign that holds with its limit where one does; else distances and directions with theirs."""
    ranks, hops = rank_ratio(e), wander(e)
    distance = e.now("diversity_ratio")
    rank = 1.0 if ranks is None else trends.tail_middle(ranks, e.limits.tail_share)
    hop = 0.0 if hops is None else trends.tail_middle(hops, e.limits.tail_share)
    if ill and distance >= e.limits.diversity_ratio:
        if hop > e.limits.hop:
            lack = f"directions are {rank:.2f}" if rank < distance else f"distances are {distance:.2f}"
            return (
                f"the fakes' mean hops by {hop:.2g} sd of the reals from batch to batch (limit: {e.limits.hop:g}), and their {lack} of the "
                f"reals' (limit: {e.limits.hop_rank:g})"
            )
        if e.limits.rank_ratio <= rank < FEWER and far_away(e):
            return (
                f"the fakes lie elsewhere (limit: {ELSEWHERE * e.limits.misfit_distance:g} sd of the reals), their directions are {rank:.2f} of "
                f"the reals' (limit: {FEWER:g}) and their distances {distance:.2f} (limit: 0.9)"
            )
        if distance < e.limits.misfit_ratio and e.holds(_fooled(e)):
            return (
                f"the fakes' distances are {distance:.2f} of the reals' (limit: {e.limits.misfit_ratio:g}), and D takes them for reals: AUC is "
                f"{trends.tail_middle(e.auc(), e.limits.tail_share):.2f} (limit: {e.limits.weak_auc:g})"
            )
        if rank < e.limits.rank_ratio:
            return f"the fakes' directions are {rank:.2f} of the reals' (limit: {e.limits.rank_ratio:g}), their distances {distance:.2f}"
    with_rank = "" if ranks is None else f" and their directions {rank:.2f} (limit: {e.limits.rank_ratio:g})"
    return f"the fakes' distances are {distance:.2f} of the reals' (limit: {e.limits.diversity_ratio:g}){with_rank}"


def _well_now(e: Evidence, c: Coverage | None, poor: np.ndarray | None, claim: str, series: tuple[str, ...]) -> Finding:
    """Healthy at the end; suspect where a long stretch in the middle was not."""
    if c is not None and np.max(c.share) > e.limits.covered_share:
        begun = int(np.argmax(c.share > e.limits.covered_share))
        span = trends.longest(c.share[begun:] <= e.limits.covered_share)
        if span and span[1] - span[0] + 1 >= max(2, e.limits.sustained_share * len(c.share)):
            first, last = int(c.at[begun + span[0]]), int(c.at[begun + span[1]])
            return Finding(
                "mode_collapse",
                Verdict.SUSPECT,
                f"{claim}, but half or fewer were between steps {first} and {last}",
                cause="it healed by itself",
                remedies=_remedies(e),
                series=series,
                onset=first,
                end=last,
                kind="passing",
            )
    if c is None and poor is not None and not poor.all():
        begun = int(np.argmin(poor))
        span = trends.longest(poor[begun:])
        if span and span[1] - span[0] + 1 >= 2 * e.limits.sustained_share * len(poor):
            first, last = int(e.edges[begun + span[0]]), int(e.edges[begun + span[1] + 1])
            return Finding(
                "mode_collapse",
                Verdict.SUSPECT,
                f"{claim}, but far less between steps {first} and {last}",
                cause="it healed by itself",
                remedies=_remedies(e),
                series=series,
                onset=first,
                end=last,
                kind="passing",
            )
    return Finding("mode_collapse", Verdict.HEALTHY, claim, series=series)


def _learning(e: Evidence, c: Coverage | None, by_modes: bool, by_batch: bool) -> bool:
    """Whether what is poor still rises and is at its best: a young run, no collapsed one."""
    rises = []
    if c is not None and by_modes:
        late = c.share[len(c.share) // 2 :]
        rises.append(
            len(c.share) >= 4
            and trends.kendall_z(c.share) > trends.RISE_Z
            and np.median(late[-2:]) >= np.max(c.share) - 1.01 / c.total
            and np.median(late[-2:]) > c.share[0]
        )
    if by_batch:
        rises.append(getting_nearer(e))
    return bool(rises) and all(rises)


def _onset(e: Evidence, c: Coverage | None, poor: np.ndarray | None) -> int:
    """The earlier of the two signs' onsets; batches are looked at more often than evaluations are made."""
    found = []
    if poor is not None and (first := e.onset(poor)) is not None:
        found.append(first)
    if c is not None and (place := trends.onset(c.share <= e.limits.covered_share, patience=2)) is not None:
        before = int(c.at[place - 1]) if place else -1
        if not found or found[0] < before:
            found = [int(c.at[place])]
    return min(found, default=0)


def _first_hop(e: Evidence, onset: int) -> int:
    """A rotation needs a time to exist: from its onset on, the step at which the fakes have first left their place by the limit."""
    path = fakes_path(e)
    if path is None:
        return onset
    at, points, unit = path
    here = at >= onset
    if here.sum() < 2:
        return onset
    away = np.nanmax(np.abs(points[here] - points[here][0]), axis=1) / unit
    far = np.flatnonzero(away > 2 * e.limits.hop)
    return int(at[here][far[0]]) if len(far) else onset


# ------------------------------------------------------------------------------------------------------------------ kinds


def _kind(e: Evidence, onset: int, c: Coverage | None) -> str:
    if _hops(e, onset):
        return "rotating"
    if _pointlike(e) or (
        c is not None
        and covered_now(e, c) * c.total <= 1.5
        and e.now_or_nan("diversity_ratio") < e.limits.diversity_ratio
    ):
        return "total"
    return "partial"


def _hops(e: Evidence, onset: int) -> bool:
    """Whether the place of the fakes keeps changing: the mean of the batches, or the fullest mode at the evaluations."""
    hops = wander(e)
    if hops is not None and trends.middle(hops[e.edges[:-1] >= min(onset, e.edges[-2])]) > e.limits.hop:
        return True
    try:
        histogram = e.layers("mode_histogram")
    except NotRecorded:
        return False
    rows = histogram.loc[histogram.index >= onset].to_numpy(dtype=float)
    rows = rows[rows.sum(axis=1) > 0.5]
    fullest = rows.argmax(axis=1)
    return bool(len(fullest) >= 4 and np.mean(fullest[1:] != fullest[:-1]) > 0.4 and np.median(rows.max(axis=1)) > 0.4)


def _cause(e: Evidence, kind: str) -> str:
    if never_differ(e):
        return "all fakes of a batch are one and the same from the first step on: they are drawn from one latent, or G does not pass its latent on"
    faster = _generator_is_faster(e)
    why = f" ({faster})" if faster else ""
    if kind == "rotating":
        return f"the generator outruns the discriminator and hops to whatever D likes at the moment{why}: losses and AUC look ideal all the while"
    return f"the generator found few samples that satisfy the discriminator{why}"


def _generator_is_faster(e: Evidence) -> str:
    g, d = rate(e, "generator"), rate(e, "discriminator")
    return f"its learning rate is {g / d:.3g} times the discriminator's" if g and d and g > 2 * d else ""


def _remedies(e: Evidence) -> tuple[str, ...]:
    first = (equal_rates(e, "discriminator"),) if _generator_is_faster(e) else ()
    return (*first, *regularise(e), *pack(e))

"""Check of diversity: mode_dropping, what the fakes leave out while most is there."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import pooled, trends
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import getting_nearer, samples_hit
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import pack, regularise
from gandiag.errors import NotRecorded

GROUP_MADE = 0.5  # of what is due in a group of clusters, from which on it is made


def mode_dropping(run: Recorded) -> Finding:
    """Finds modes, classes or minorities that the fakes leave out while most are there, measured against the data's own shares."""
    e = evidence(run)
    try:
        fakes = e.layers("mode_histogram")
    except NotRecorded:
        return _by_neighbours(e) or _by_parts(e) or _by_recall(e)
    e.need_steps()
    late = fakes.iloc[-max(2, round(e.limits.tail_share * len(fakes))) :].to_numpy(dtype=float)
    if len(fakes) < 2 or not late.sum() > 0:
        raise CannotTell(f"{len(fakes)} evaluations of the modes were recorded, 2 that hit any mode are needed")
    share = np.median(late / np.maximum(late.sum(axis=1, keepdims=True), 1e-12), axis=0)
    due = _due(e, len(share))
    present = due > 0
    missing = present & (share < e.limits.missing_share * due)
    names = [str(c) for c, lost in zip(fakes.columns, missing) if lost]
    lost = int(missing.sum()) / int(present.sum())
    cut = all(str(c).startswith("cluster ") for c in fakes.columns)  # by k-means, out of the reals that passed by
    allowed = e.limits.missing_clusters if cut else e.limits.missing_modes
    claim = f"{missing.sum()} of {present.sum()} modes have less than {e.limits.missing_share:.0%} of their share "
    claim += f"(limit: {allowed:.0%} of the modes)"
    apart = _lost_apart(e, share, due)
    if apart:
        claim += f", {apart}"
    claim += f": {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}" if names else ""
    series = ("mode_histogram", "data_mode_histogram", "modes_covered")
    if not missing.any() or (lost <= allowed and not apart and share[missing].all() and _pieces(e, share)):
        parted = _by_parts(e) if cut else None  # ten clusters are too few for data of more parts
        return parted or Finding("mode_dropping", Verdict.HEALTHY, claim, series=series)
    table = fakes.to_numpy(dtype=float)
    low = (
        table[:, missing] / np.maximum(table.sum(axis=1, keepdims=True), 1e-12) < e.limits.missing_share * due[missing]
    ).all(axis=1)
    first = trends.onset(low, patience=1)
    onset = None if first is None else int(fakes.index[first])
    if e.going_on and not first and len(fakes) < e.limits.young_evaluations:
        raise CannotTell(
            f"{claim}; they never were there, and the run is young: {e.limits.young_evaluations} evaluations are needed"
        )
    verdict = (
        Verdict.FAILED
        if samples_hit(e)
        and not _still_better(e)
        and (lost > allowed or apart)
        and not _fewer_missing(table, due, e.limits.missing_share)
        else Verdict.SUSPECT
    )
    # what evaluations only suspect, the loop's own batches may show for sure
    if verdict is Verdict.SUSPECT and samples_hit(e) and (sure := _by_parts(e)) and sure.verdict is Verdict.FAILED:
        return sure
    rare = bool(np.median(due[missing]) < 0.5 / present.sum())
    return Finding(
        "mode_dropping",
        verdict,
        claim,
        cause="the rare modes are too rare for the batch" if rare else "the generator leaves modes out",
        remedies=(("draw the classes evenly", *regularise(e)) if rare else (*regularise(e), *pack(e))),
        series=series,
        onset=onset,
        kind="minorities" if rare else "modes",
    )


def _lost_apart(e: Evidence, share: np.ndarray, due: np.ndarray) -> str:
    """What has been lost, in words, where it is a group of clusters that lies apart from all others; empty where none is.

    A piece of one cloud, as k-means cuts it, may be thin for many reasons. Data that lie apart and are never made are a lost mode, however few.
    """
    try:
        groups = e.layers("mode_group").iloc[-1].to_numpy(dtype=float)
    except NotRecorded:
        return ""
    if len(groups) != len(due):
        return ""
    lost = 0.0
    for number in np.unique(groups):
        mine = groups == number
        if share[mine].sum() < e.limits.missing_share * due[mine].sum():
            lost += float(due[mine].sum())
    return (
        f"and {lost:.1%} of the data, which lie apart, are not made (limit: {e.limits.lost_apart:.0%})"
        if lost >= e.limits.lost_apart
        else ""
    )


def in_every_group(e: Evidence) -> bool:
    """Whether the late evaluations show samples in each group of clusters that lies apart from the others, half of what is due there and more."""
    try:
        groups = e.layers("mode_group").iloc[-1].to_numpy(dtype=float)
        table = e.layers("mode_histogram").to_numpy(dtype=float)
    except NotRecorded:
        return False
    due = _due(e, table.shape[1])
    if len(groups) != table.shape[1] or len(np.unique(groups)) < 2:
        return False
    late = table[-max(2, round(e.limits.tail_share * len(table))) :]
    share = np.median(late / np.maximum(late.sum(axis=1, keepdims=True), 1e-12), axis=0)
    return all(share[groups == g].sum() >= GROUP_MADE * due[groups == g].sum() for g in np.unique(groups))


def _pieces(e: Evidence, share: np.ndarray) -> bool:
    """Whether the modes are pieces that k-means has cut, of which it is known which lie apart: a few of them that are thin say little."""
    try:
        return e.layers("mode_group").shape[1] == len(share)
    except NotRecorded:
        return False


def _due(e: Evidence, count: int) -> np.ndarray:
    """The data's own shares of the modes; even ones where they were not recorded."""
    try:
        shares = e.layers("data_mode_histogram").iloc[-1].to_numpy(dtype=float)
    except NotRecorded:
        return np.full(count, 1 / count)
    return np.asarray(shares / shares.sum()) if len(shares) == count and shares.sum() > 0 else np.full(count, 1 / count)


def _still_better(e: Evidence) -> bool:
    """Whether the Frechet distance still falls: modes that are missing may yet come."""
    for name in e.names:
        if name.split("[", 1)[0] == "frechet_distance":
            values = e[name].to_numpy(dtype=float)
            late = max(2, round(e.limits.tail_share * len(values)))
            if len(values) >= 2 * late:
                return bool(
                    np.median(values[-late:]) < (1 - 2 * e.limits.improving) * np.median(values[-2 * late : -late])
                )
    return False


def _fewer_missing(table: np.ndarray, due: np.ndarray, limit: float) -> bool:
    """Whether modes are still being won: the number of missing ones falls."""
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1e-12)
    count = ((shares < limit * due) & (due > 0)).sum(axis=1)
    return bool(len(count) >= 6 and trends.kendall_z(count[len(count) // 2 :].astype(float)) < -trends.RISE_Z)


def _by_neighbours(e: Evidence) -> Finding | None:
    """Without evaluations: fakes lie among the reals, and many reals have no fake anywhere near; None where that is not so, or not known."""
    far, near = e.maybe("real_nearest_fake"), e.maybe("fake_nearest_real")
    if far is None or near is None or e.short or e.single_point:
        return None
    state = (far > e.limits.lonely_reals) & (far > e.limits.lonely_ratio * near)
    if not e.holds(state) or not np.isfinite(far[-1]):
        return None
    now, other = (trends.tail_middle(x, e.limits.tail_share) for x in (far, near))
    return Finding(
        "mode_dropping",
        Verdict.SUSPECT if e.going_on or getting_nearer(e) else Verdict.FAILED,
        f"reals lie {now:.2g} times as far from the nearest fake as from each other (limit: {e.limits.lonely_reals:g}), fakes {other:.2g} times "
        f"as far from the nearest real (limit: {1 / e.limits.lonely_ratio:g} of that)",
        cause="the generator leaves a part of the data out",
        remedies=(*regularise(e), *pack(e)),
        series=("real_nearest_fake", "fake_nearest_real", "energy_coefficient"),
        onset=e.onset(state),
        kind="modes",
    )


def _by_parts(e: Evidence) -> Finding | None:
    """Without evaluations: the data of many batches together fall into parts that lie apart, and some have no fakes; None where that is not so."""
    if e.short or e.single_point or e.going_on:
        return None
    found, now = pooled.parts_at_the_end(e), pooled.at_the_end(e)
    if found is None or now is None:
        return None
    missing = found.made < e.limits.missing_share * found.due
    lost = float(found.due[missing].sum())
    if lost < e.limits.lost_apart:
        return None
    good = float(found.made.sum()) >= e.limits.samples_near
    rare = bool(np.median(found.due[missing]) < 0.5 / len(found.due))
    return Finding(
        "mode_dropping",
        Verdict.SUSPECT if getting_nearer(e) or not good else Verdict.FAILED,
        f"{missing.sum()} of {len(found.due)} parts of the data that lie apart, {lost:.1%} of it (limit: {e.limits.lost_apart:.0%}), have less than "
        f"{e.limits.missing_share:.0%} of their share of the last {now.count} fakes",
        cause="the rare modes are too rare for the batch" if rare else "the generator leaves a part of the data out",
        remedies=(("draw the classes evenly", *regularise(e)) if rare else (*regularise(e), *pack(e))),
        series=tuple(n for n in ("real_nearest_fake", "fake_nearest_real", "energy_coefficient") if n in e),
        kind="minorities" if rare else "modes",
    )


def _by_recall(e: Evidence) -> Finding:
    """Without a histogram: precision high and recall low at the end."""
    precision, recall = e.now("precision"), e.now("recall")
    e.need_steps()
    claim = f"recall is {recall:.2f} at precision {precision:.2f} (limit: a third of precision)"
    if precision > 0.5 and recall < precision / 3:
        return Finding(
            "mode_dropping",
            Verdict.SUSPECT,
            claim,
            cause="the fakes are good but cover little of the data",
            remedies=(*regularise(e), *pack(e)),
            series=("recall", "precision"),
        )
    return Finding("mode_dropping", Verdict.HEALTHY, claim, series=("recall", "precision"))

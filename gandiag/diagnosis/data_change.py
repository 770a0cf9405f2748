"""Reals that become others in the middle of a run: a loader, a scaling or a file that was exchanged."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.fakes import misfits
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.errors import NotRecorded

FEWEST_STRETCHES = 20  # of a run, before a change in it can be told from chance
EACH_SIDE = 5  # stretches on either side of a change
MOST_COLUMNS = 64  # whose means are looked at
LEAST_WIDENED = 1.4
WIDENED, STILL_WIDENING = 2.0, 0.03  # fold, over the run; of the reals' spread, over its last tenth
DRIFTED = 0.5  # sd of the reals, by which their mean drifts over a run
ONE_WAY = 0.6  # of the way between its outermost stretches
STILL_DRIFTING = 0.2  # of a drift, which must fall into the second half
WIDENS_Z = 6.0  # Mann-Kendall, of the whole run: a curriculum goes up by stairs, and rests
SAME_SPREAD = 0.25  # of the logarithm: data of another law, not the same in another scale
FOLLOWED, ANOTHER_RATE = 0.2, 1.5  # of the last stretches, in which fakes may be plainly no reals; fold, of the rate
AT_REST = 0.2  # of the change, that the reals may spread before and after it: a slow drift reads .27, a turn of the classes .5 and more


def changed(e: Evidence) -> Finding | None:
    """Reals whose batch means or spread leap once, at rest before and after: another data set, or another scaling of it."""
    sd = e.maybe("real_sd")
    if sd is None or len(sd) < FEWEST_STRETCHES or not np.all(np.isfinite(sd)) or not np.all(sd > 0):
        return None
    unit = trends.middle(sd[: max(EACH_SIDE, len(sd) // 10)])
    means, spread = _means(e), np.log(sd)[:, None]
    for values, limit, what in (
        (means / unit, e.limits.data_moved, "moved"),
        (spread, float(np.log(e.limits.data_spread)), "scaled"),
    ):
        found = _leap(values)
        if found is None or found[1] < limit:
            continue
        at, size = int(e.edges[found[0]]), found[1]
        told = (
            f"the reals' mean leaps by {size:.3g} of their standard deviation at step {at} (limit: {limit:g})"
            if what == "moved"
            else f"the reals' standard deviation changes {np.exp(size):.3g}-fold at step {at} (limit: {e.limits.data_spread:g})"
        )
        scaled = abs(float(_change(spread[:, 0], found[0]))) > SAME_SPREAD
        meant = "" if scaled or e.going_on else _new_phase(e, found[0])
        return Finding(
            "data_mismatch",
            Verdict.SUSPECT if meant else Verdict.FAILED,
            f"{told}, and stays there"
            + (f"; {meant}, and the fakes have followed: a new phase, it seems" if meant else ""),
            cause="the data were exchanged or scaled anew in the middle of the run: both players have learned others",
            remedies=(
                "look at what the loader does there; begin a new run for new data",
                "where the change is meant, raise the limits data_moved and data_spread",
            ),
            series=("real_mean", "real_sd"),
            onset=at,
            kind="changed",
        )
    return _drifting(e, means / unit) or _widening(e, sd)


def _change(levels: np.ndarray, at: int) -> float:
    return trends.middle(levels[at : at + EACH_SIDE]) - trends.middle(levels[max(0, at - EACH_SIDE) : at])


def _new_phase(e: Evidence, at: int) -> str:
    """What else was changed at a stretch, on purpose by all appearances, where the fakes have followed the reals by the end; empty where nothing.

    Who tunes a generator on other data begins a schedule anew, or freezes layers; a loader that breaks does neither.
    """
    off = misfits(e)
    if off is None or np.mean(trends.tail(off, e.limits.tail_share)) > FOLLOWED:
        return ""
    rate = e.maybe("generator_learning_rate")
    if rate is not None and at >= 2:
        around = rate[max(0, at - 2) : at + 3]
        if float(np.nanmax(around)) > ANOTHER_RATE * float(np.nanmin(around)) > 0:
            return "the generator's learning rate changes there as well"
    try:
        table = e.layers("generator_layer_gradient_norm")
    except NotRecorded:
        return ""
    steps, norms = table.index.to_numpy(), table.to_numpy(dtype=float)
    before, after = norms[steps < e.edges[at]], norms[steps > e.edges[min(at + 2, len(e.edges) - 1)]]
    if not len(before) or not len(after):
        return ""
    felt, feels = (np.nan_to_num(before[-EACH_SIDE:]) > 0).all(axis=0), (np.nan_to_num(after) > 0).any(axis=0)
    frozen = [str(name) for name, was, now in zip(table.columns, felt, feels) if was and not now]
    return (
        f"layers of the generator are frozen there as well ({', '.join(frozen[:3])})" if frozen and feels.any() else ""
    )


def _drifting(e: Evidence, means: np.ndarray) -> Finding | None:
    """Reals whose mean goes one way all through the run, and to its end: the players run after data that are others at each step."""
    if e.going_on:
        return None
    tenth = max(2, len(means) // 10)
    for column in means.T:
        if not np.all(np.isfinite(column)):
            continue
        way = trends.middle(column[-tenth:]) - trends.middle(column[:tenth])
        ahead, half = np.sign(way) * column, len(column) // 2
        late = trends.middle(ahead[-tenth:]) - trends.middle(ahead[half : half + tenth])
        steady = trends.kendall_z(ahead) > WIDENS_Z and trends.kendall_z(ahead[half:]) > trends.RISE_Z
        if abs(way) < max(DRIFTED, ONE_WAY * np.ptp(column)) or late < STILL_DRIFTING * abs(way) or not steady:
            continue
        return Finding(
            "data_mismatch",
            Verdict.FAILED,
            f"the reals' mean drifts by {abs(way):.3g} of their standard deviation, one way and to the run's end (limit: {DRIFTED:g})",
            cause="D is shown other data at each step: an order in the file that the loader keeps, or a change that every pass adds to",
            remedies=(
                "shuffle the data, and look for operations in place on the data set (batch = data[i:j].clone() before any add_() or mul_())",
            ),
            series=("real_mean", "real_sd"),
            onset=e.onset(ahead > ahead[:tenth].mean() + abs(way) / 4),
            kind="drifting",
        )
    return None


def _widening(e: Evidence, sd: np.ndarray) -> Finding | None:
    """Reals that are spread ever wider, to the end of the run: noise on them that grows, or that each pass over the data adds anew."""
    tenth = max(2, len(sd) // 10)
    first, before, last = trends.middle(sd[:tenth]), trends.middle(sd[-2 * tenth : -tenth]), trends.middle(sd[-tenth:])
    steady = trends.kendall_z(sd) > WIDENS_Z and trends.kendall_z(sd[len(sd) // 2 :]) > trends.RISE_Z
    if last < LEAST_WIDENED * first or not steady or e.going_on:
        return None
    if last < WIDENED * first or last < (1 + STILL_WIDENING) * before:  # less is told where it shows in the fakes
        off = misfits(e)
        if trends.kendall_z(sd[-(len(sd) // 4) :]) < trends.RISE_Z or off is None or not e.holds(off):
            return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"the reals' standard deviation grows from {first:.3g} to {last:.3g} over the run (limit: {WIDENED:g}-fold, "
        f"{LEAST_WIDENED:g}-fold where the fakes are plainly no reals), and still grows at its end",
        cause="what D is shown as real drifts away from the data: noise that grows, or a change in place that every pass repeats",
        remedies=(
            "let noise on D's inputs fade, not grow",
            "look for operations in place on the data set: batch = data[i:j].clone() before any add_() or mul_()",
        ),
        series=("real_sd", "real_mean"),
        onset=e.onset(sd > np.sqrt(LEAST_WIDENED) * first),
        kind="widening",
    )


def _means(e: Evidence) -> np.ndarray:
    """The reals' batch means in each stretch (n, columns): by channel where that was recorded, no column where nothing was."""
    try:
        table = e.layers("real_channel_mean")
    except NotRecorded:
        level = e.maybe("real_mean")
        return np.zeros((len(e.edges) - 1, 0)) if level is None else level[:, None]
    at = table.index.to_numpy()
    columns = table.to_numpy(dtype=float).T[:MOST_COLUMNS]
    return np.stack([trends.block_medians(at, column, e.edges) for column in columns], axis=1)


def _leap(levels: np.ndarray) -> tuple[int, float] | None:
    """Returns the stretch at which a column (n, columns) leaps most, and by how much; None where none is at rest before and after."""
    best: tuple[int, float] | None = None
    for column in levels.T:
        if not np.all(np.isfinite(column)):
            continue
        n = len(column)
        sums = np.cumsum(column - column.mean())[:-1]
        count = np.arange(1, n)
        between = sums**2 / (count * (n - count))  # the split whose halves differ most, each by its own weight
        between[: EACH_SIDE - 1] = between[n - EACH_SIDE :] = -1.0
        place = int(np.argmax(between)) + 1
        before, after = column[:place], column[place:]
        size = abs(float(np.median(after) - np.median(before)))
        calm = max(_scatter(before), _scatter(after)) <= AT_REST * size
        if calm and size > 0 and (best is None or size > best[1]):
            best = (place, size)
    return best


def _scatter(values: np.ndarray) -> float:
    """The range that holds nine in ten, in standard deviations of a normal law: a few stretches elsewhere count for nothing, a tenth for much."""
    low, high = np.quantile(values, (0.05, 0.95))
    return float(high - low) / 3.29

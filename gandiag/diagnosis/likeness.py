"""Whether fakes are like reals from near: in each single column, and in how rough they are. What whole samples' distance hardly sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import Evidence
from gandiag.errors import NotRecorded

LEAST_SIDE = 8  # values along the last axis, of which the recorder takes the roughness
VISIBLE = 0.1  # of roughness, which is twice the share of the scatter that noise between neighbours has
LOOKS = 5  # that are averaged: one look of a small batch scatters by a tenth
SURELY = 3.0  # standard deviations of that average, which are taken off


@dataclass(frozen=True)
class Columns:
    """The column of the fakes that is farthest from the reals': how far, in each stretch (n,) and now; and its name now."""

    levels: np.ndarray
    now: float
    name: str
    limit: float  # beyond which it is plainly not the reals'


def columns(e: Evidence) -> Columns | None:
    """Returns the worst column's energy coefficient, less what chance may add to it; None where it was not recorded."""
    return e.once(_columns)


def _columns(e: Evidence) -> Columns | None:
    try:
        table = e.layers("marginal_energy")
    except NotRecorded:
        return None
    values = table.to_numpy(dtype=float)
    if not len(values) or not np.isfinite(values).any():
        return None
    values = np.nan_to_num(values)
    count = max(1, min(LOOKS, len(values) // 4))
    late = values[len(values) // 2 :]
    chance = np.zeros(values.shape[1])
    if len(late) > 2:
        moves = np.diff(late, axis=0)
        chance = trends.ROBUST * np.median(np.abs(moves - np.median(moves, axis=0)), axis=0) / np.sqrt(2 * count)
    sums = np.cumsum(np.vstack([np.zeros((1, values.shape[1])), values]), axis=0)
    end = np.arange(1, len(values) + 1)
    begin = np.maximum(end - count, 0)
    mean = (sums[end] - sums[begin]) / (end - begin)[:, None] - SURELY * chance
    levels = trends.block_medians(table.index.to_numpy(), mean.max(axis=1), e.edges)
    last = mean[-max(1, round(e.limits.tail_share * len(mean))) :]
    return Columns(
        levels,
        trends.middle(trends.tail(levels, e.limits.tail_share)),
        str(table.columns[int(np.median(last, axis=0).argmax())]),
        e.limits.misfit_channel if _pooled(e, values.shape[1]) else e.limits.misfit_column,
    )


def _pooled(e: Evidence, count: int) -> bool:
    """Whether a column stands for many values of a sample, a channel's or all of them: fewer columns than a sample has along its last axis."""
    return "real_roughness" in e and count < LEAST_SIDE


def roughness(e: Evidence) -> np.ndarray | None:
    """Returns the fakes' roughness over the reals' in each stretch (n,): 1 = alike, below = blurred, above = noisy; None where not recorded.

    Of smooth curves many times the roughness may be next to nothing of their scatter, and counts as alike.
    """
    fake, real = e.maybe("fake_roughness"), e.maybe("real_roughness")
    if fake is None or real is None or not np.nanmax(real, initial=0.0) > 0:
        return None
    return np.asarray(np.where(np.abs(fake - real) < VISIBLE, 1.0, fake / np.maximum(real, 1e-12)))


def _off(rough: np.ndarray) -> np.ndarray:
    """How far a ratio of roughness is from 1, either way: the size of its logarithm; 0 where it is not known."""
    return np.asarray(np.abs(np.log(np.maximum(np.nan_to_num(rough, nan=1.0), 1e-9))))


def unlike(e: Evidence) -> np.ndarray | None:
    """Where a column or the roughness of the fakes is plainly not the reals' (n,) bool; None where neither was recorded."""
    found, rough = columns(e), roughness(e)
    if found is None and rough is None:
        return None
    state = np.zeros(len(e.edges) - 1, dtype=bool)
    if found is not None:
        state |= np.nan_to_num(found.levels) > found.limit
    if rough is not None:
        state |= _off(rough) > np.log(e.limits.misfit_roughness)
    return state


def unlikeness(e: Evidence) -> list[str]:
    """What shows at the end of the run that the fakes are no reals from near, in words."""
    signs = []
    found = columns(e)
    if found is not None and found.now > found.limit:
        signs.append(f"column {found.name} of the fakes has an energy coefficient of {found.now:.2g}")
    rough = roughness(e)
    if rough is not None:
        now = trends.middle(trends.tail(rough, e.limits.tail_share))
        if now > 0 and abs(np.log(now)) > np.log(e.limits.misfit_roughness):
            signs.append(f"the fakes are {now:.2g} times as rough as the reals{' (blurred)' if now < 1 else ''}")
    return signs


def distances(e: Evidence) -> list[np.ndarray]:
    """Returns how far the worst column and the roughness are from the reals' in each stretch (n,), 0 = alike: those that are too far at the end."""
    away = []
    found, rough = columns(e), roughness(e)
    if found is not None and found.now > found.limit:
        away.append(found.levels)
    if rough is not None and trends.tail_middle(off := _off(rough), e.limits.tail_share) > np.log(
        e.limits.misfit_roughness
    ):
        away.append(off)
    return away

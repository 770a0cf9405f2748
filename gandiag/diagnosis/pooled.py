"""What the sketches of many batches show together: whether fakes lie where reals lie, and whether parts of the data have none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandiag.diagnosis.evidence import Evidence
from gandiag.errors import NotRecorded
from gandiag.quantities import SKETCHED

MOST, FEWEST = 512, 96  # points of a side: all pairs are looked at; fewer than the least tell nothing
PLAINLY = 0.6  # two samples of one distribution have .85 and more of both (strangers' healthy trainings: most do)
SAME_POINT = 1e-3  # sd, within which two points are one that was rounded differently
MANY, ROUGHLY = 8, 0.3  # coordinates of a sketch of samples of more values; of the distance of two reals
NEIGHBOUR = 5  # whose distance is the radius of a point's neighbourhood (Kynkaanniemi et al. 2019, Naeem et al. 2020)


@dataclass(frozen=True)
class Pooled:
    """Reals and fakes of many steps held against each other."""

    precision: float  # share of fakes that lie in a real's neighbourhood
    coverage: float  # share of reals whose neighbourhood holds a fake
    count: int  # points of a side
    distance: float  # median of a fake from the nearest real, over the mean distance of two reals
    coordinates: int


def at_the_end(e: Evidence) -> Pooled | None:
    """Returns what the last part of the run shows, None where it was not recorded or too few points were."""
    return e.once(_last_compared)


def alike(e: Evidence) -> bool:
    """Whether the fakes of the last part lie where the reals lie, and the reals where fakes lie: said only where that is plain."""
    now = at_the_end(e)
    return now is not None and min(now.precision, now.coverage) >= PLAINLY


def is_rough(found: Pooled) -> bool:
    """Whether fakes beside the data are so by a little in each of many values: a generator's slight noise or blur, of reals that have none.

    Reals that are drawn by a rule lie in a thin sheet of the space of their values, which no fake hits. Healthy ones of two exams lay at .18
    and .23, digits that are none at .5 and more.
    """
    return found.coordinates >= MANY and found.distance < ROUGHLY


def beside(e: Evidence) -> Pooled | None:
    """Returns the last part where hardly a fake lies where reals lie, and hardly a real where fakes lie; None where that is not so."""
    now = at_the_end(e)
    off = now is not None and now.precision <= e.limits.beside_precision and now.coverage <= e.limits.beside_coverage
    return now if off else None


def before_the_end(e: Evidence) -> Pooled | None:
    """The same of the part before that."""
    sides = points(e, 1 - 2 * e.limits.tail_share, 1 - e.limits.tail_share)
    return None if sides is None else compared(*sides)


def _last(e: Evidence) -> tuple[np.ndarray, np.ndarray] | None:
    return points(e, 1 - e.limits.tail_share, 1.0)


def _last_compared(e: Evidence) -> Pooled | None:
    sides = e.once(_last)
    return None if sides is None else compared(*sides)


def points(e: Evidence, low: float, high: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns different reals (n, d) and as many fakes of a part of the run, in sd of the reals; None where there are too few."""
    try:
        tables = [e.layers(f"{what}_sketch") for what in ("real", "fake")]
    except NotRecorded:
        return None
    found = []
    for table in tables:
        at = table.index.to_numpy()
        mine = table.to_numpy(dtype=float)[(at >= low * e.steps) & (at <= high * e.steps)]
        every = mine.reshape(len(mine) * SKETCHED, table.shape[1] // SKETCHED)
        found.append(every[np.isfinite(every).all(axis=1)])
    real, fake = found
    real = np.unique(real, axis=0)
    sd = real.std(axis=0) if len(real) else np.zeros(0)
    count = min(len(real), len(fake), MOST)
    if count < FEWEST or not (sd > 0).any():
        return None
    chance = np.random.default_rng(0)
    sides = [x[np.sort(chance.permutation(len(x))[:count])] for x in (real, fake)]
    return sides[0][:, sd > 0] / sd[sd > 0], sides[1][:, sd > 0] / sd[sd > 0]


def different_reals(e: Evidence) -> int:
    """Returns how many of the reals' points in the last part of the run are no other's; 0 where it was not recorded or too few were."""
    from scipy.spatial.distance import cdist

    sides = e.once(_last)
    if sides is None:
        return 0
    own = cdist(sides[0], sides[0])
    own[np.triu_indices(len(own))] = np.inf  # each is held against those before it
    return int((own.min(axis=1) > SAME_POINT).sum())


def compared(real: np.ndarray, fake: np.ndarray) -> Pooled:
    """Returns precision and coverage of as many fakes as reals, (n, d) each."""
    from scipy.spatial.distance import cdist

    own = cdist(real, real)
    np.fill_diagonal(own, np.inf)
    radius = np.partition(own, NEIGHBOUR - 1, axis=1)[:, NEIGHBOUR - 1]
    across = cdist(real, fake)
    near = across <= radius[:, None]
    usual = float(own[np.isfinite(own)].mean())
    distance = float(np.median(across.min(axis=0))) / max(usual, 1e-12)
    return Pooled(float(near.any(axis=0).mean()), float(near.any(axis=1).mean()), len(real), distance, real.shape[1])


# ---------------------------------------------------------------------------------------------------------- parts that lie apart

NEAR, SURE = 2, 0.95  # a near neighbour, and the share of points that have it within their reach
APART = 4.0  # times that distance: two parts of the data that are nowhere nearer than this lie apart
WITHIN = 3.0  # times that distance: fakes farther from all reals belong to no part
LEAST = 12  # points of a part: fewer may be stray ones


@dataclass(frozen=True)
class Parts:
    """Parts of the data that lie apart: each one's share of the reals, and of the fakes."""

    due: np.ndarray
    made: np.ndarray


def parts_at_the_end(e: Evidence) -> Parts | None:
    """Returns what the last part of the run shows of them; None where fewer than two lie apart, or it was not recorded."""
    sides = e.once(_last)
    return None if sides is None else parts(*sides)


def parts(real: np.ndarray, fake: np.ndarray) -> Parts | None:
    """Cuts reals (n, d) where they lie apart, and counts the fakes (m, d) of each part; None where there is but one."""
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial.distance import cdist

    own = cdist(real, real)
    reach = float(np.quantile(np.partition(own, NEAR, axis=1)[:, NEAR], SURE))  # each is its own nearest
    which = connected_components(own <= APART * reach, directed=False)[1]
    size = np.bincount(which)
    large = np.flatnonzero(size >= LEAST)
    if len(large) < 2:
        return None
    across = cdist(fake, real)
    nearest = across.argmin(axis=1)
    at = np.where(across[np.arange(len(fake)), nearest] <= WITHIN * reach, which[nearest], -1)
    made = np.array([np.mean(at == number) for number in large])
    return Parts(size[large] / len(real), made)

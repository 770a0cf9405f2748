"""What the batches and the evaluations show of the fakes, as the checks of collapse and of balance read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.likeness import distances, unlike, unlikeness
from gandiag.errors import NotRecorded

WINDOW = 5  # stretches on either side over which the fakes' mean may wander
FEWEST_DIRECTIONS = 0.25  # of the reals beyond the first: data along a line, such as a 1-D mixture, have none to lose
SURELY = 0.95  # of two variances of as many rows, of one size: the larger one's share of cases in which it stays below the ratio that F tells
BURSTS = 0.25  # of the second half of the run in which the fakes are restless: such games rest between their leaps
# healthy runs ended at .95 to 1.02 of the spread, .80 to 1.02 of the directions (benchmark)
NARROWER, FEWER_DIRECTIONS = 0.85, 0.8
SAME_FAKES = 1e-6  # of the reals' distance: rounding
CHANCE = 0.05  # of the stretches, in which the reals themselves lack what the fakes are held to
LEARNED = 5  # stretches in a row in which the fakes fit the reals, after which a relapse counts

# A generator that has fitted the reals for a tenth of the run and has lost them, without a gap, for so many stretches and steps, is ill at
# once: healthy runs relapsed for 20 steps at most, collapses injected at a step showed within 10 (benchmark).
LAPSE, LAPSE_STEPS, LEARNED_WELL = 5, 30, 0.1


@dataclass(frozen=True)
class Coverage:
    """Evaluations of the modes: steps, share of the modes that are covered, and how many there are."""

    at: np.ndarray
    share: np.ndarray
    total: int


def coverage(e: Evidence) -> Coverage | None:
    """Returns the evaluations of the modes, None where there are none or the data have one mode."""
    try:
        hit, total = e["modes_covered"], e["modes_total"]
    except NotRecorded:
        return None
    both = hit.index.intersection(total.index)
    count = int(total.loc[both].iloc[-1]) if len(both) else 0
    if count < 2:
        return None
    return Coverage(both.to_numpy(), hit.loc[both].to_numpy(dtype=float) / count, count)


def covered_now(e: Evidence, c: Coverage) -> float:
    """Returns the share of the modes that the late evaluations cover, their median."""
    return float(np.median(trends.tail(c.share, e.limits.tail_share)))


def rank_ratio(e: Evidence) -> np.ndarray | None:
    """(fakes' effective rank - 1) over (reals' - 1) in each stretch: 0 = a line or a point, 1 = as many directions as the reals.

    None where it was not recorded, and where the reals themselves lie along one direction: they have none that could be lost.
    """
    fake, real = e.maybe("fake_effective_rank"), e.maybe("real_effective_rank")
    if fake is None or real is None or not trends.middle(real) - 1 > FEWEST_DIRECTIONS:
        return None
    return np.asarray((fake - 1) / np.maximum(real - 1, FEWEST_DIRECTIONS))


def distance_from_reals(e: Evidence) -> np.ndarray | None:
    """How far the fakes lie from the reals: difference of means, or excess of spread, in standard deviations of the reals (n,)."""
    mean, sd, real_mean, real_sd = (e.maybe(n) for n in ("fake_mean", "fake_sd", "real_mean", "real_sd"))
    if mean is None or sd is None or real_mean is None or real_sd is None:
        return None
    if np.nanmax(real_sd, initial=0.0) == 0:
        return None  # data of a single point have no scale
    scale = np.maximum(real_sd, 1e-6 + 1e-3 * np.abs(real_mean))
    return np.asarray(np.nan_to_num(np.maximum(np.abs(mean - real_mean), sd - real_sd) / scale, nan=0.0))


def wander(e: Evidence) -> np.ndarray | None:
    """How far the mean of the fakes' batches wanders round each stretch, beyond what the reals' do, in sd of the reals (n,); None where unknown.

    A generator that hops between modes carries its batch mean along; one that has learned keeps it, whatever its loss does.
    """
    tables = _means(e)
    sd = e.maybe("real_sd")
    if tables is None or sd is None:
        return None
    unit = max(trends.middle(sd), 1e-12)
    mine, theirs = (_local_variance(at, values, e.edges) for at, values in tables)
    return np.asarray(np.sqrt(np.clip(np.nan_to_num(np.max(mine - theirs, axis=1)), 0, None)) / unit)


def restlessness(e: Evidence) -> np.ndarray | None:
    """How much the fakes' spread changes round each stretch, beyond the chance that the reals' show: sd of its logarithm (n,); None where unknown.

    A game that has settled, or that learns steadily, changes little within a twentieth of the run; one whose steps overshoot never rests.
    """
    found = []
    for who in ("fake", "real"):
        try:
            series = e[f"{who}_pairwise_distance"]
        except NotRecorded:
            return None
        stride = max(1, len(series) // 20_000)
        values = series.to_numpy(dtype=float)[::stride]
        if not np.nanmax(values, initial=0.0) > 0:
            return None
        logs = np.log(np.maximum(values, 1e-12 * np.nanmax(values)))
        found.append(_local_variance(series.index.to_numpy()[::stride], logs[:, None], e.edges)[:, 0])
    rows = max(2.0, len(values) * min(1.0, (2 * WINDOW + 1) / (len(e.edges) - 1)))
    chance = float(fdtri(rows - 1, rows - 1, SURELY))  # small batches scatter by as much as themselves
    return np.asarray(np.sqrt(np.clip(np.nan_to_num(found[0] - chance * found[1]), 0, None)))


def bursts(e: Evidence) -> float:
    """The share of the run's second half in which the fakes are restless; 0 where that is unknown."""
    restless = restlessness(e)
    return 0.0 if restless is None else float(np.mean(restless[len(restless) // 2 :] > e.limits.restless))


def never_differ(e: Evidence) -> bool:
    """Whether no batch ever held two different fakes: chance gives an untrained network as many outputs as it is given latents."""
    ratio = e.maybe("diversity_ratio")
    return ratio is not None and bool(np.nanmax(ratio, initial=0.0) < SAME_FAKES) and bool(np.isfinite(ratio).any())


def misfits(e: Evidence) -> np.ndarray | None:
    """Where the fakes are plainly no reals (n,) bool: spread, directions or place are off; None where nothing tells."""
    return e.once(_misfits)


def _misfits(e: Evidence) -> np.ndarray | None:
    ratio = e.maybe("diversity_ratio")
    if ratio is None:
        return None
    ratio = np.nan_to_num(ratio, nan=1.0)
    state = (ratio < e.limits.misfit_ratio) | (ratio > 1 / e.limits.misfit_ratio)
    if (ranks := rank_ratio(e)) is not None and not _by_chance(e, "real_effective_rank", 1.0, e.limits.rank_ratio):
        state |= np.nan_to_num(ranks, nan=1.0) < e.limits.rank_ratio
    if (away := distance_from_reals(e)) is not None and not _astray_by_chance(e):
        state |= away > 2 * e.limits.misfit_distance
    if (apart := e.maybe("energy_coefficient")) is not None:
        state |= np.nan_to_num(apart) > e.limits.misfit_energy
    if (near := unlike(e)) is not None:
        state |= near
    return np.asarray(state)


def _astray_by_chance(e: Evidence) -> bool:
    """Whether two batches of reals lie as far from each other as the fakes may from them: batches of few samples do."""
    mean, sd = e.maybe("real_mean"), e.maybe("real_sd")
    if mean is None or sd is None:
        return False
    astray = np.sqrt(2) * np.abs(mean - trends.middle(mean)) > 2 * e.limits.misfit_distance * trends.middle(sd)
    return bool(np.mean(astray) > CHANCE)


def _by_chance(e: Evidence, name: str, least: float, limit: float) -> bool:
    """Whether the reals' own batches, small as they are, fall below a share of what they usually are: then a single stretch tells nothing."""
    level = e.maybe(name)
    if level is None:
        return False
    usual = trends.middle(level) - least
    return bool(usual > 0 and np.mean((level[np.isfinite(level)] - least) < limit * usual) > CHANCE)


def relapses(e: Evidence) -> np.ndarray | None:
    """Where the fakes are plainly no reals although they had been like them for a while before (n,) bool; None where nothing tells."""
    state = misfits(e)
    if state is None:
        return None
    good = np.convolve(~state, np.ones(LEARNED), "valid") == LEARNED if len(state) >= LEARNED else np.zeros(0, bool)
    if not good.any():
        return np.zeros_like(state)
    return np.asarray(state & (np.arange(len(state)) >= int(np.argmax(good)) + LEARNED))


def lapse(e: Evidence, ill: np.ndarray) -> int | None:
    """Returns the stretch since which fakes that had long been like the reals are ill (n,) and plainly no reals; None where they are not."""
    off = misfits(e)
    if off is None:
        return None
    state = off & ill
    well = np.flatnonzero(~state)
    first = int(well[-1]) + 1 if len(well) else 0
    if len(state) - first < LAPSE or e.edges[-1] - e.edges[first] < LAPSE_STEPS:
        return None
    learned = trends.longest(~off[:first], patience=1)
    needed = max(LEARNED, round(LEARNED_WELL * len(state)))
    return first if learned is not None and learned[1] - learned[0] + 1 >= needed else None


def _local_variance(at: np.ndarray, values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Variance of each column over the rows within WINDOW stretches of each stretch (n, columns); NaN where there are fewer than four."""
    values = np.where(np.isfinite(values), values, np.nan)
    centred = np.nan_to_num(values - np.nanmedian(values, axis=0) if len(values) else values)
    sums, squares = (
        np.concatenate([np.zeros((1, centred.shape[1])), np.cumsum(x, axis=0)]) for x in (centred, centred**2)
    )
    n = len(edges) - 1
    low, high = np.maximum(np.arange(n) - WINDOW, 0), np.minimum(np.arange(n) + WINDOW + 1, n)
    first, last = np.searchsorted(at, edges[low]), np.searchsorted(at, edges[high])
    count = np.maximum(last - first, 1)[:, None]
    mean = (sums[last] - sums[first]) / count
    variance = np.clip((squares[last] - squares[first]) / count - mean**2, 0, None)
    return np.asarray(np.where(count >= 4, variance, np.nan))


def _means(e: Evidence) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None:
    try:
        try:
            tables = [e.layers(f"{what}_channel_mean") for what in ("fake", "real")]
            if tables[0].shape[1] != tables[1].shape[1]:
                raise NotRecorded("the same channels of reals and of fakes")
        except NotRecorded:
            tables = [e[f"{what}_mean"].to_frame() for what in ("fake", "real")]
    except NotRecorded:
        return None
    stride = max(1, len(tables[0]) // 20_000)
    fake, real = ((t.index.to_numpy()[::stride], t.to_numpy(dtype=float)[::stride]) for t in tables)
    return fake, real


def fakes_path(e: Evidence) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Returns the steps (n,), the fakes' batch means (n, columns) and the reals' standard deviation as their unit; None where unknown."""
    tables, sd = _means(e), e.maybe("real_sd")
    if tables is None or sd is None or not len(tables[0][0]):
        return None
    return (*tables[0], max(trends.middle(sd), 1e-12))


def misfit(e: Evidence) -> list[str]:
    """What shows at the end of the run that the fakes are plainly no reals: lost or scattered diversity, lost directions, place; or from near.

    Healthy runs of every loss ended at diversity ratios of .95 to 1.02, rank ratios of .80 to 1.02 and within .1 sd of the reals.
    """
    return _from_afar(e) + unlikeness(e)


def _from_afar(e: Evidence) -> list[str]:
    signs = []
    ratio = e.now_or_nan("diversity_ratio")
    if ratio < e.limits.misfit_ratio or ratio > 1 / e.limits.misfit_ratio:
        signs.append(f"the fakes' diversity is {ratio:.2g} of the reals'")
    ranks = rank_ratio(e)
    if ranks is not None and trends.tail_middle(ranks, e.limits.tail_share) < e.limits.rank_ratio:
        signs.append("the fakes have lost directions")
    away = distance_from_reals(e)
    if away is not None and (far := trends.tail_middle(away, e.limits.tail_share)) > e.limits.misfit_distance:
        signs.append(f"the fakes lie {far:.2g} sd of the reals away")
    if (energy := e.now_or_nan("energy_coefficient")) > e.limits.misfit_energy:
        signs.append(f"their energy coefficient is {energy:.2g}")
    return signs


def falls_short(e: Evidence) -> list[str]:
    """What shows, where D is sure of fakes, that they are none by little of each: spread, directions and place are all off, though none plainly.

    Each lies beyond where healthy runs end (see misfit); all three at once, of a D that is never wrong, are no chance.
    """
    ratio, ranks, away = e.maybe("diversity_ratio"), rank_ratio(e), distance_from_reals(e)
    if ratio is None or ranks is None or away is None:
        return []
    known = np.nan_to_num(ratio, nan=1.0)
    off = (np.abs(np.log(np.maximum(known, 1e-6))) > -np.log(NARROWER)) & (
        np.nan_to_num(ranks, nan=1.0) < FEWER_DIRECTIONS
    )
    if not e.holds(off & (away > e.limits.misfit_distance / 2)):
        return []
    diversity, directions, place = (trends.tail_middle(x, e.limits.tail_share) for x in (ratio, ranks, away))
    return [
        f"the fakes' diversity is {diversity:.2g} of the reals' (limit: {NARROWER:g}), their directions {directions:.2g} ({FEWER_DIRECTIONS:g}), and "
        f"they lie {place:.2g} sd away ({e.limits.misfit_distance / 2:g})"
    ]


def samples_hit(e: Evidence) -> bool:
    """Whether the late samples are good enough for their modes to mean anything: a classifier gives every image a class, noise too.

    By the share of samples near a mode, else by precision, else by a Frechet distance that has at least halved; unknown counts as yes.
    """
    for name, limit in (("high_quality_share", e.limits.samples_near), ("precision", e.limits.samples_near)):
        if name in e:
            values = e[name].to_numpy(dtype=float)
            return trends.middle(trends.tail(values, e.limits.tail_share)) >= limit
    distances = next((e[n].to_numpy(dtype=float) for n in e.names if n.split("[", 1)[0] == "frechet_distance"), None)
    if distances is None or len(distances) < 2 or not np.isfinite(distances).all():
        return True
    return trends.middle(trends.tail(distances, e.limits.tail_share)) < 0.5 * float(distances[0])


def far_away(e: Evidence) -> bool:
    """Whether the fakes end up in another place than the reals."""
    away = distance_from_reals(e)
    return away is not None and trends.tail_middle(away, e.limits.tail_share) > e.limits.misfit_distance


def getting_nearer(e: Evidence) -> bool:
    """Whether the fakes' diversity rises towards the reals' fast enough to get there: a young generator, no failed one.

    In the run's second half it must have won, in logarithms, at least half of what is still missing, be at its best, and have come
    there steadily: of a game that leaps up and down, the last leap says nothing.
    """
    ratio, apart = e.maybe("diversity_ratio"), e.maybe("energy_coefficient")
    if ratio is None or bursts(e) >= BURSTS:
        return False
    ranks = rank_ratio(e)
    if (
        ranks is not None
        and 0 < trends.tail_middle(ranks, e.limits.tail_share) < e.limits.rank_ratio
        and not _come_back(ranks)
    ):
        return False
    # of one that is small already the rest of the way leads nowhere
    if (
        apart is not None
        and trends.tail_middle(apart, e.limits.tail_share) > e.limits.misfit_energy / 2
        and energy_falls(apart)
    ):
        return True
    if not _from_afar(e):  # only from near are they none
        return any(energy_falls(x) for x in distances(e))
    short = -np.abs(np.log(np.clip(np.nan_to_num(ratio, nan=1.0), 1e-6, 1e6)))  # 0 = as diverse as the reals
    half, now = trends.middle(short[: max(1, len(short) // 2)]), trends.tail_middle(short, e.limits.tail_share / 2)
    return bool(
        now - half > max(0.25, -now / 2)
        and now > np.max(short) - 0.2
        and trends.kendall_z(short[len(short) // 2 :]) > trends.RISE_Z
    )


def _come_back(ranks: np.ndarray) -> bool:
    """Whether directions (n,) that are lost come back: there are more of them at the end than in the middle of the run."""
    fifth = max(1, len(ranks) // 5)
    return trends.middle(ranks[-fifth:]) > trends.middle(ranks[2 * fifth : 3 * fifth])


def energy_falls(apart: np.ndarray) -> bool:
    """Whether an energy coefficient (n,) falls through the run's second half, steadily, and by a fifth at least."""
    late = apart[len(apart) // 2 :]
    late = late[np.isfinite(late)]
    fifth = max(1, len(late) // 5)
    return bool(
        len(late) >= 5
        and np.median(late[-fifth:]) < 0.8 * np.median(late[:fifth])
        and trends.kendall_z(late) < -trends.RISE_Z
    )

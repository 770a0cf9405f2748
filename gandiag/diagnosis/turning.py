"""Numbers about one trace of a game: its linear recurrence, and the turns of its velocity with their amplitudes and periods."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline

DELAYS = 3  # rows that the recurrence looks back on: enough for momentum and for a cycle seen on one coordinate
RANK_TOLERANCE = 1e-9  # directions of the delay space smaller than this are rounding
MOST_DIRECTIONS = 12
NOTICEABLE = 1e-3  # share of the motion below which a mode of the recurrence does not speak for the trace
ORBIT_TURNS = 4.0  # of the position about the middle in one sense: 3 are found in 4 % of red noises
HOLLOW = 0.55  # a tenth of the rows may be nearer to the middle than this share of the median radius; a Gaussian cloud has 0.39
SEEN_ANGLE = 0.1  # radians over all rows: a smaller one is the split of a double root by rounding
COHERENT = 0.6  # net turning over turning back and forth, above which a trace turns at all
LEAST_TURNING = 1.5 * np.pi  # a path that only bends is none that turns
PHASES = 32  # points a turn at which chords are taken
SETTLED = 0.05  # noise about its place, over the distance from which a trace came, at most
ABOVE_NOISE = 3.0  # times that noise, down to which the way there is read
FEWEST_ON_THE_WAY = 12
SURELY = 4.0  # standard errors of the way's slope
FEWEST_ROWS_A_TURN = 4  # fewer, and the velocity's direction cannot be followed from row to row


@dataclass(frozen=True)
class Recurrence:
    """A linear law of the moves: `leading` is the largest noticeable |multiplier|, `error` the relative error of one row's prediction."""

    leading: float
    period: float | None
    error: float


@dataclass(frozen=True)
class Turns:
    """The turns of a trace, in rows: `amplitudes` of each half turn (half the chord), and the local `periods`."""

    amplitudes: np.ndarray
    periods: np.ndarray
    ends: float  # the row at which the last whole half turn ends
    count: float  # turns in all
    plane: np.ndarray | None  # the trace in the plane of its turning; None for one coordinate


def linear_multipliers(points: np.ndarray, delays: int = DELAYS) -> Recurrence | None:
    """Fits the moves of the next row to those of the last rows, each equation relative to its size; None where rows are too few."""
    moves = np.diff(points, axis=0)
    delays = min(delays, max(len(moves) // 6, 1))
    if len(moves) < 4 + delays:
        return None
    state = np.concatenate([moves[delays - 1 - k : len(moves) - k] for k in range(delays)], axis=1)
    size = np.linalg.norm(state, axis=1)
    if (size == 0).any():
        return None
    before, after = state[:-1] / size[:-1, None], state[1:] / size[:-1, None]
    _, values, directions = np.linalg.svd(before, full_matrices=False)
    rank = min(int((values > RANK_TOLERANCE * values[0]).sum()), MOST_DIRECTIONS, len(before) // 2)
    basis = directions[:rank].T
    low, high = before @ basis, after @ basis
    step, *_ = np.linalg.lstsq(low, high, rcond=None)
    scale = size[1:] / size[:-1]
    error = float(np.sqrt(np.mean((np.linalg.norm(after - low @ step @ basis.T, axis=1) / scale) ** 2)))
    multipliers, modes = np.linalg.eig(step.T)
    try:
        shares = np.abs(np.linalg.solve(modes, (state[-1] / size[-1]) @ basis)) * np.linalg.norm(modes, axis=0)
    except np.linalg.LinAlgError:
        return None
    loud = multipliers[shares > NOTICEABLE * shares.max()]
    leader = loud[np.argmax(np.abs(loud))]
    angle = abs(float(np.angle(leader)))
    return Recurrence(float(abs(leader)), 2 * np.pi / angle if angle * len(moves) > SEEN_ANGLE else None, error)


def find_turns(points: np.ndarray) -> Turns | None:
    """Follows the direction of the velocity in the plane in which the trace moves most; None where it does not turn, or too fast.

    Of one coordinate the extremes are the ends of the half turns.
    """
    rows = np.arange(len(points), dtype=float)
    if points.shape[1] == 1:
        return _swings(CubicSpline(rows, points[:, 0]), rows[-1])
    plane = _plane(points)
    path = CubicSpline(rows, plane)
    fine = np.linspace(0, rows[-1], 4 * len(rows))
    velocity = path(fine, 1)
    phase = np.unwrap(np.arctan2(velocity[:, 1], velocity[:, 0]))
    turned, total = phase[-1] - phase[0], float(np.abs(np.diff(phase)).sum())
    if (
        abs(turned) < LEAST_TURNING
        or abs(turned) < COHERENT * total
        or len(rows) * 2 * np.pi / abs(turned) < FEWEST_ROWS_A_TURN
    ):
        return None
    phase = np.maximum.accumulate(np.sign(turned) * (phase - phase[0])) + 1e-12 * np.arange(len(fine))
    return _chords(path if plane is points else CubicSpline(rows, points), plane, phase, fine)


def find_orbits(points: np.ndarray) -> Turns | None:
    """Follows the position's angle about the trace's middle: a trace that stops and hops, or reverses now and then, has no steady velocity.

    Reads the longest stretch of one sense; amplitudes are mean radii. None where the trace passes through its middle, or turns too little.
    """
    if points.shape[1] == 1 or len(points) < 8:
        return None
    away = points - np.median(points, axis=0)
    plane = away @ np.linalg.svd(away, full_matrices=False)[2][:2].T
    radius = np.hypot(*plane.T)
    angle = np.unwrap(np.arctan2(plane[:, 1], plane[:, 0]))
    if np.median(np.abs(np.diff(angle))) > np.pi / 4:
        return None
    begin, end = _longest_run(angle)
    if np.quantile(radius[begin:end], 0.1) < HOLLOW * np.median(radius[begin:end]):
        return None
    turned = np.abs(angle[begin:end] - angle[begin])
    if len(turned) < 4 or turned[-1] < ORBIT_TURNS * 2 * np.pi:
        return None
    turned = np.maximum.accumulate(turned)
    halves = int(turned[-1] / np.pi)
    cuts = np.searchsorted(turned, turned[-1] - np.pi * np.arange(halves, -1, -1))
    logs = np.array(
        [
            np.log(np.maximum(radius[begin + a : begin + max(b, a + 1)], np.finfo(float).tiny)).mean()
            for a, b in pairwise(cuts)
        ]
    )
    return Turns(
        np.exp(logs), 2.0 * np.maximum(np.diff(cuts), 1), float(end - 1), float(turned[-1] / (2 * np.pi)), None
    )


def _longest_run(angle: np.ndarray) -> tuple[int, int]:
    """The stretch [begin, end) with the most turning in one sense; going back by less than half a turn does not end it."""
    best, size = (0, 0), 0.0
    for sign in (1.0, -1.0):
        lowest, high = 0, 0
        a = (sign * angle).tolist()  # plain numbers: a loop over an array's entries takes five times as long
        for i in range(1, len(a)):
            if a[i] > a[high]:
                high = i
            if a[high] - a[lowest] > size:
                size, best = float(a[high] - a[lowest]), (lowest, high + 1)
            if a[high] - a[i] > np.pi or a[i] < a[lowest]:
                lowest, high = i, i
    return best


def _chords(path: CubicSpline, plane: np.ndarray, phase: np.ndarray, fine: np.ndarray) -> Turns:
    """Half chords between points half a turn apart, averaged over a half turn of starting phases (geometric mean)."""
    halves = max(int(phase[-1] / np.pi) - 1, 0)
    ends, count = float(fine[-1]), float(phase[-1] / (2 * np.pi))
    if halves == 0:
        return Turns(np.empty(0), np.empty(0), ends, count, plane)
    begin = phase[-1] - (halves + 1) * np.pi  # so that the last half turn ends where the trace ends
    starts = begin + np.pi * np.arange(PHASES) / PHASES
    at = np.interp(starts[:, None] + np.pi * np.arange(halves + 1)[None, :], phase, fine)
    chords = np.linalg.norm(np.diff(path(at), axis=1), axis=2) / 2
    amplitudes = np.exp(np.log(np.maximum(chords, np.finfo(float).tiny)).mean(axis=0))
    return Turns(amplitudes, 2 * np.diff(at, axis=1).mean(axis=0), ends, count, plane)


def _swings(path: CubicSpline, last_row: float) -> Turns | None:
    """Half the ways between the successive extremes of one coordinate."""
    at = path.derivative().roots(extrapolate=False)
    at = at[np.isfinite(at)]
    if len(at) < 2 or last_row / len(at) < FEWEST_ROWS_A_TURN / 2:
        return None
    gaps = np.diff(at)
    return Turns(
        np.maximum(np.abs(np.diff(path(at))) / 2, np.finfo(float).tiny),
        2 * gaps,
        float(at[-1]),
        (at[-1] - at[0]) / gaps.mean() / 2,
        None,
    )


def _plane(points: np.ndarray) -> np.ndarray:
    """Projects to the two directions of most motion, every row's move counted alike."""
    if points.shape[1] == 2:
        return points
    moves = np.diff(points, axis=0)
    unit = moves / np.maximum(np.linalg.norm(moves, axis=1, keepdims=True), np.finfo(float).tiny)
    return points @ np.linalg.svd(unit, full_matrices=False)[2][:2].T


def settling(points: np.ndarray) -> tuple[float, float, float] | None:
    """Of a way that comes down geometrically to noise about a place, as under instance noise: its rate a row, where it began, and the noise."""
    half = len(points) // 2
    away = np.linalg.norm(points - points[half:].mean(axis=0), axis=1)
    noise, start = float(np.sqrt(np.mean(away[half:] ** 2))), float(away[:FEWEST_ON_THE_WAY].max())
    arrived = int(np.argmax(away < ABOVE_NOISE * noise))
    if noise > SETTLED * start or arrived < FEWEST_ON_THE_WAY:
        return None
    (slope, _), covariance = np.polyfit(np.arange(arrived), np.log(away[:arrived]), 1, cov=True)
    return (float(np.exp(slope)), start, noise) if slope < -SURELY * np.sqrt(covariance[0, 0]) else None

"""What a recorded trace of a game does: converging, cycling, diverging, with multiplier, period and amplitude. numpy and scipy only.

A trace is one row a step (parameters, projected coordinates, or a single series). Three readings are tried in turn:
  1. a linear recurrence that fits the trace's end to rounding: its eigenvalues are the multipliers, exactly;
  2. the turns of the velocity's direction: chords between opposite points of each half turn are the amplitude. Near a bifurcation
     u = 1 / amplitude^2 obeys du/dn = -kappa (u - u_limit) from turn to turn (Stuart-Landau), so that one fit tells a rate from a
     limit cycle from sublinear decay. Counted in turns and not in steps: an orbit that grows may also slow down without end;
  3. where nothing turns, the speed alone.
A trace that moves like noise is averaged over blocks until it is smooth; one that never is gets the word `unclear`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from gandiag.diagnosis.tracing import (
    FEWEST_ROWS,
    MOST_FITTED,
    has_stalled,
    kind_of_noise,
    line,
    moving_part,
    prepared,
    scales,
    smooth_scales,
)
from gandiag.diagnosis.turning import Recurrence, Turns, find_orbits, find_turns, linear_multipliers, settling

FEWEST_HALF_TURNS = 3  # amplitudes, so that a change of their change can be seen
LINEAR_THROUGHOUT = 1e-12  # error of such a law; approaches to a nonlinear cycle are sums of exponentials too, to 1e-8
LINEAR_STATE = 12  # numbers from which a linear law of a whole trace is sought: six rotating modes
LINEAR = 1e-5  # ... up to which the recurrence is taken for the law itself
SAME_RATE = 0.05  # two windows' rates must agree to this share before a rate is believed
LAW = 1e-8  # ... up to which even a rate that changes little over the windows is exact
MATCHED = 0.25  # share by which the moves' own shrinkage may differ from a weak law's: 1 / sqrt(t) differs by half
NEUTRAL_RATE = 1e-9  # |log multiplier| below this is rounding of a double
STEADY = 5e-3  # total change of log amplitude over the last half of the turns that still counts as none
SURE = 4.0  # standard errors of the amplitude's slope: 1 % of steady cycles of four half turns and more scatter beyond
NOISY_STEADY = 0.15  # ... at most, where the amplitude's own scatter hides more
ORBIT_POINTS = 20_000  # along one turn
# distance to the last turn's orbit, over the amplitude, that shows that the cycle attracted what began there
OFF_ORBIT = 3e-4
SCATTER = 8.0  # ... and by how much it must exceed the distances of the turns before the last
DRIFT = 2.0  # ... and by how much what the amplitude's drift over all turns comes to: a steady one is no attraction
CURVED = 0.7  # |kappa| x turns beyond which the amplitude's law is told from its sublinear limit
REACH_GROWING = 1.2  # a limit amplitude farther than this factor from the last one is an extrapolation, not a finding
REACH_SHRINKING = 3.0
MOST_ROWS = 200_000  # a longer trace is read from its last rows
E_FOLDS = 1.5  # of the speed over the trace's second half, before a rate is believed without an exact law
GEOMETRIC = 0.15  # scatter of the speed about its law, over the law's own change, at most
STRAIGHT = 0.3  # net way over the way gone, below which a trace that does not turn goes nowhere
SUMMABLE = 1.1  # speed ~ t^-p has a finite way to go only for p > 1


class Word(StrEnum):
    """What a game does near where it is."""

    CONVERGING = "converging"  # geometrically: there is a rate
    SUBLINEAR = "sublinear"  # converging without a rate, like 1 / sqrt(t)
    ROTATION = "rotation"  # of a field: imaginary eigenvalues, no attraction
    NEUTRAL_CYCLE = "neutral cycle"  # turning, at the amplitude of its start
    LIMIT_CYCLE = "limit cycle"  # turning, at an amplitude that attracts
    DIVERGING = "diverging"
    DRIFTING = "drifting"  # moving on, neither slowing down for good nor speeding up
    STILL = "still"  # no motion at all
    UNCLEAR = "unclear"  # noise, or too short


@dataclass(frozen=True)
class TraceReading:
    """What a trace does. Rates and periods are in steps; `multiplier` is the amplitude's factor per step at the trace's end."""

    word: Word
    why: str
    multiplier: float | None = None
    period: float | None = None  # steps a turn at the end; None where nothing turns
    amplitude: float | None = None  # half the mean chord across the last turns, in the trace's unit
    limit_amplitude: float | None = None  # where the amplitude is heading, for a limit cycle
    half_ranges: tuple[float, ...] = ()  # half of (max - min) of each coordinate over the last turn
    turns: float = 0.0
    stalled: bool = False  # hardly moves any more without having converged


def read_trace(trace: np.ndarray, steps: np.ndarray | None = None) -> TraceReading:
    """Returns what a trace (rows,) or (rows, coordinates) does; `steps` are its rows' steps where they are not 0, 1, 2 ...

    >>> angle = 0.1 * np.arange(400)
    >>> read_trace(0.99 ** np.arange(400)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)).word.value
    'converging'
    """
    points, spacing = prepared(trace, steps)
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        at = int(np.argmin(finite))
        return TraceReading(Word.DIVERGING, f"the trace left the finite numbers at row {at} of {len(points)}")
    points = points[-MOST_ROWS:]
    whole = len(points)
    points, floor = moving_part(points)
    if len(points) < FEWEST_ROWS:
        if floor and whole >= FEWEST_ROWS:
            return _stood_still(points, whole)
        return TraceReading(Word.UNCLEAR, f"{len(points)} rows are too few: at least {FEWEST_ROWS} are needed")
    reading = TraceReading(Word.UNCLEAR, kind_of_noise(points))
    for averaged, block in smooth_scales(points):
        reading = _in_steps(_read_smooth(averaged), spacing * block)
        if reading.word not in (Word.DRIFTING, Word.UNCLEAR):
            return reading
    for averaged, block in scales(points):
        turns = find_orbits(averaged)
        if turns is not None:
            return _in_steps(_read_orbits(averaged, turns), spacing * block)
    if reading.word is not Word.UNCLEAR or (found := settling(points)) is None:
        return reading
    rate, start, noise = found
    why = f"its distance shrinks by {rate:.6g} a row, from {start:.3g} to noise of {noise:.3g} about a place"
    return _in_steps(TraceReading(Word.CONVERGING, why, multiplier=rate), spacing)


def _read_smooth(points: np.ndarray) -> TraceReading:
    """Reads a smooth trace; rates and periods in rows."""
    turns = find_turns(points)
    linear = _read_linear(points, turns)
    if linear is not None:
        return linear
    if turns is None:
        return _read_speed(points)
    if len(turns.amplitudes) >= FEWEST_HALF_TURNS:
        return _read_turns(points, turns)
    return TraceReading(
        Word.UNCLEAR,
        f"it turns, but {turns.count:.1f} turns are too few to tell what its amplitude does: 2.5 are needed",
        turns=turns.count,
    )


def _read_linear(points: np.ndarray, turns: Turns | None) -> TraceReading | None:
    """The first reading: a geometric law, where the end of the trace obeys a linear recurrence whose rate does not change."""
    quarter = len(points) // 4
    before, after = linear_multipliers(points[-2 * quarter : -quarter]), linear_multipliers(points[-quarter:])
    if before is None or after is None or max(before.error, after.error) > LINEAR:
        return None
    early, late = np.log(before.leading), np.log(after.leading)
    if max(abs(early), abs(late)) < NEUTRAL_RATE:
        return _read_fast_cycle(points, after) if turns is None or _is_linear(points) else None
    matched = abs(_shrinkage(points, quarter) - late * quarter) < MATCHED * abs(late) * quarter
    sure = abs(late) * quarter > CURVED or (after.error < LAW and (matched or _is_linear(points)))
    if not sure or abs(early - late) > SAME_RATE * abs(late):
        return None
    word = Word.CONVERGING if late < 0 else Word.DIVERGING
    why = f"a linear law fits its end to {after.error:.0e}, and its multiplier is {after.leading:.8g} a row"
    reading = TraceReading(word, why, multiplier=float(after.leading), period=after.period)
    if turns is None or not len(turns.amplitudes):
        return reading
    return replace(
        reading, turns=turns.count, amplitude=_last_amplitude(turns), half_ranges=_half_ranges(points, turns)
    )


def _shrinkage(points: np.ndarray, quarter: int) -> float:
    """The change of the moves' log size from the third quarter to the last."""
    size = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return float(np.log(size[-quarter:]).mean() - np.log(size[-2 * quarter : -quarter]).mean())


def _read_fast_cycle(points: np.ndarray, law: Recurrence) -> TraceReading | None:
    """A steady cycle of a linear law, or of too few rows a turn to follow its direction; its amplitude is half the range."""
    if law.period is None:
        return None
    quarter = len(points) // 4
    first, last = (np.ptp(part, axis=0).max() / 2 for part in (points[:quarter], points[-quarter:]))
    word = (
        Word.LIMIT_CYCLE if abs(first - last) > NOISY_STEADY * last and not _is_linear(points) else Word.NEUTRAL_CYCLE
    )
    return TraceReading(
        word,
        f"it repeats itself every {law.period:.4g} rows, with amplitude {last:.4g}",
        multiplier=1.0,
        period=law.period,
        amplitude=float(last),
        turns=len(points) / law.period,
    )


def _read_turns(points: np.ndarray, turns: Turns) -> TraceReading:
    """The second reading: the law of the amplitude from half turn to half turn."""
    logs = np.log(turns.amplitudes)
    index = np.arange(len(logs), dtype=float)
    tail = slice(-max(len(logs) // 2, FEWEST_HALF_TURNS), None)
    slope, slope_error, _ = line(index[tail], logs[tail])
    span = index[-1] - index[tail][0]
    multiplier = float(np.exp(2 * slope / turns.periods[-1]))
    common = TraceReading(
        Word.UNCLEAR,
        "",
        multiplier=multiplier,
        period=float(turns.periods[-1]),
        turns=turns.count,
        amplitude=_last_amplitude(turns),
        half_ranges=_half_ranges(points, turns),
        stalled=has_stalled(points),
    )
    if abs(slope) * span <= max(STEADY, min(SURE * slope_error * span, NOISY_STEADY)):
        steady = replace(common, period=float(turns.periods[tail].mean()), multiplier=1.0)
        return _read_cycle(steady, points, turns, float(np.exp(logs[tail].mean())), abs(slope) * len(logs))
    kappa, limit = _amplitude_law(turns.amplitudes)
    bent, last = kappa * index[-1], turns.amplitudes[-1]
    if bent > CURVED and limit is not None and last / REACH_SHRINKING < limit < last * REACH_GROWING:
        return replace(
            common,
            word=Word.LIMIT_CYCLE,
            limit_amplitude=limit,
            why=f"the amplitude {last:.4g} heads for {limit:.4g} and not for 0 or infinity",
        )
    if slope > 0:
        why = f"the amplitude grew from {turns.amplitudes[0]:.4g} to {last:.4g} in {turns.count:.1f} turns"
        return replace(common, word=Word.DIVERGING, why=why + (", and the trace now crawls" if common.stalled else ""))
    if bent > -CURVED and logs[0] - logs[-1] > CURVED / 2:
        return replace(
            common,
            word=Word.SUBLINEAR,
            multiplier=1.0,
            why="1 / amplitude^2 grows in proportion to time: there is no linear rate",
        )
    return replace(common, word=Word.CONVERGING, why=f"the amplitude shrinks by {multiplier:.6g} a step")


def _read_orbits(points: np.ndarray, turns: Turns) -> TraceReading:
    """A rough orbit about the trace's middle (hops between places, reversals): only a large change of its radius counts as one."""
    logs, third = np.log(turns.amplitudes), max(len(turns.amplitudes) // 3, 1)
    level, change = float(np.exp(logs[-third:].mean())), float(logs[-third:].mean() - logs[:third].mean())
    period = float(np.median(turns.periods))
    common = TraceReading(
        Word.NEUTRAL_CYCLE,
        f"it goes round its middle {turns.count:.1f} times in one sense, at radius {level:.4g}",
        multiplier=1.0,
        period=period,
        amplitude=level,
        half_ranges=_half_ranges(points, turns),
        turns=turns.count,
    )
    if abs(change) < CURVED:
        return common
    multiplier = float(np.exp(2 * change / period / max(len(logs) - third, 1)))
    return replace(
        common,
        word=Word.DIVERGING if change > 0 else Word.CONVERGING,
        multiplier=multiplier,
        why=common.why + f", {np.exp(abs(change)):.3g} times {'more' if change > 0 else 'less'} than at first",
    )


def _read_cycle(common: TraceReading, points: np.ndarray, turns: Turns, level: float, drift: float) -> TraceReading:
    """A steady amplitude: where the trace began off the orbit on which it ends, the cycle attracts; else it is the start's own orbit."""
    first, before_last = _distances_to_orbit(turns)
    if first > max(OFF_ORBIT, SCATTER * before_last, DRIFT * drift) and not _is_linear(points):
        return replace(
            common,
            word=Word.LIMIT_CYCLE,
            limit_amplitude=level,
            why=f"it settled on an orbit of amplitude {level:.4g}, after a start {100 * first:.2g} % of that off it",
        )
    return replace(
        common,
        word=Word.NEUTRAL_CYCLE,
        why=f"it turns at amplitude {level:.4g} from its first turn on, neither drawn in nor driven out",
    )


def _is_linear(points: np.ndarray) -> bool:
    """Whether one linear law fits the whole trace, its beginning too: then other modes have died out, and the start chose the amplitude."""
    law = linear_multipliers(points[:MOST_FITTED], delays=max(3, -(-LINEAR_STATE // points.shape[1])))
    return law is not None and law.error < LINEAR_THROUGHOUT


def _distances_to_orbit(turns: Turns) -> tuple[float, float]:
    """Largest distance to the last turn's orbit, over the amplitude: of the rows before the last two turns, and of the turn before the last."""
    if turns.plane is None:  # one coordinate has no orbit: its amplitudes stand for it
        level = float(np.exp(np.log(turns.amplitudes[len(turns.amplitudes) // 2 :]).mean()))
        away = np.abs(turns.amplitudes / level - 1)
        return float(away[: max(len(away) // 2, 1)].max()), float(away[-2:].max())
    points, period, ends = turns.plane, turns.periods[-1], turns.ends
    orbit = CubicSpline(np.arange(len(points)), points)(np.linspace(ends - 1.05 * period, ends, ORBIT_POINTS))
    nearest = cKDTree(orbit).query(points)[1]
    along = np.gradient(orbit, axis=0)[nearest]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    away = points - orbit[nearest]
    away -= (away * along).sum(
        axis=1, keepdims=True
    ) * along  # between two points of the orbit, the way to it is the way across it
    distance = np.linalg.norm(away, axis=1) / turns.amplitudes[-1]
    last, before = int(ends - 1.05 * period), max(int(ends - 2.1 * period), 1)
    return float(distance[:before].max()), float(distance[before:last].max(initial=0.0))


def _read_speed(points: np.ndarray) -> TraceReading:
    """The third reading, where nothing turns: does the speed die geometrically, like a power of time, or not at all?"""
    speed = np.linalg.norm(np.diff(points, axis=0), axis=1)
    time = np.arange(1, len(speed) + 1)
    if np.linalg.norm(points[-1] - points[0]) < STRAIGHT * speed.sum():
        return TraceReading(Word.UNCLEAR, "it keeps no direction, and does not turn with one sense either")
    tail = slice(len(speed) // 2, None)
    logs = np.log(np.maximum(speed[tail], np.finfo(float).tiny))
    rate, _, geometric_error = line(time[tail], logs)
    power, _, power_error = line(np.log(time[tail]), logs)
    change = rate * (time[-1] - time[tail][0])
    geometric = geometric_error <= power_error and geometric_error < GEOMETRIC * abs(change)
    if geometric and change < -E_FOLDS:
        return TraceReading(
            Word.CONVERGING, f"its speed shrinks by {np.exp(rate):.6g} a row", multiplier=float(np.exp(rate))
        )
    if geometric and change > E_FOLDS:
        return TraceReading(
            Word.DIVERGING, f"its speed grows by {np.exp(rate):.6g} a row", multiplier=float(np.exp(rate))
        )
    if change < -CURVED / 2 and -6 < power < -SUMMABLE and power_error < -power * GEOMETRIC:
        return TraceReading(
            Word.SUBLINEAR, f"its speed falls like t^{power:.2f}: a finite way to go, without a rate", multiplier=1.0
        )
    why = (
        f"its speed falls only like t^{power:.2f}: the way still to go has no end"
        if change < -CURVED / 2
        else "it moves on at a steady speed"
    )
    return TraceReading(Word.DRIFTING, why + "; neither converging nor diverging is shown", stalled=has_stalled(points))


def _amplitude_law(amplitudes: np.ndarray) -> tuple[float, float | None]:
    """Fits u = u_limit + b exp(-kappa n) to u = amplitude^-2 with relative errors; returns kappa and the limit amplitude (None where none)."""
    u, n = amplitudes**-2.0, np.arange(len(amplitudes), dtype=float)
    bends = np.geomspace(1e-3, 300, 180)
    best: tuple[float, float, np.ndarray] = (np.inf, 0.0, np.zeros(2))
    for kappa in np.concatenate([-bends[::-1], [0.0], bends]) / n[-1]:
        shape = n if kappa == 0 else np.exp(-kappa * (n - (n[-1] if kappa < 0 else 0.0)))
        design = np.stack([np.ones_like(n), shape], axis=1) / u[:, None]
        solution, *_ = np.linalg.lstsq(design, np.ones_like(u), rcond=None)
        misfit = float(np.abs(design @ solution - 1).sum())
        if misfit < best[0]:
            best = (misfit, float(kappa), solution)
    _, kappa, (limit, _) = best
    return kappa, float(limit**-0.5) if kappa > 0 and limit > 0 else None


def _last_amplitude(turns: Turns) -> float:
    return float(np.exp(np.mean(np.log(turns.amplitudes[-2:]))))


def _half_ranges(points: np.ndarray, turns: Turns) -> tuple[float, ...]:
    """Half of (max - min) of each coordinate over the last turn, between rows by a spline."""
    fine = np.linspace(max(turns.ends - turns.periods[-1], 0.0), turns.ends, 2000)
    path = CubicSpline(np.arange(len(points)), points)(fine)
    return tuple(float(x) for x in (path.max(axis=0) - path.min(axis=0)) / 2)


def _stood_still(points: np.ndarray, whole: int) -> TraceReading:
    if not len(points):
        return TraceReading(Word.STILL, f"nothing moved in {whole} rows")
    return TraceReading(Word.CONVERGING, f"it came to rest within {len(points)} of {whole} rows")


def _in_steps(reading: TraceReading, spacing: float) -> TraceReading:
    if spacing == 1:
        return reading
    return replace(
        reading,
        multiplier=None if reading.multiplier is None else reading.multiplier ** (1 / spacing),
        period=None if reading.period is None else reading.period * spacing,
    )

"""A trace made ready to be read: rows at an even spacing, the part of it that moves, the scales at which it is smooth, and its slopes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gandiag.diagnosis.turning import linear_multipliers

FEWEST_ROWS = 12  # below, no word: a period and its change need as many points
SMOOTH = 0.2  # roughness (see there) below which a trace's direction can be followed from row to row
FIXED_SHARE = 0.25  # variance of eighths' means over the whole, below which noise stays where it is
MOST_FITTED = 4000  # rows on which smoothness is tried
# one-step error of the linear recurrence, relative, up to which a trace counts as smooth and not as noise
PREDICTABLE = 0.05
# moves of so many units in the last place are rounding (a double's trace has digits to spare)
ROUNDED, ROUNDED_SINGLE = 2**16, 16
# a trace that comes back through noise: how far its autocorrelation falls below 0, and rises again, and over how many rows at least. How seldom
# walks, autoregressions and hops among places do so for three turns: tests/test_diagnosis_motion.py
AWAY, BACK, ROWS_A_TURN = -0.5, 0.4, 6
SLOWED = 0.1  # share of its usual speed below which a trace has stalled


def prepared(trace: np.ndarray, steps: np.ndarray | None) -> tuple[np.ndarray, float]:
    """Returns (rows, coordinates) at an even spacing, and that spacing in steps."""
    points = np.asarray(trace, dtype=np.float64)
    points = points[:, None] if points.ndim == 1 else points
    if points.ndim != 2:
        raise ValueError(f"a trace has shape (rows,) or (rows, coordinates), not {np.shape(trace)}")
    if steps is None or len(points) < 2:
        return points, 1.0
    at = np.asarray(steps, dtype=np.float64)
    if len(at) != len(points) or (np.diff(at) <= 0).any():
        raise ValueError("steps must be as many as the trace's rows, and must increase")
    gaps = np.diff(at)
    spacing = float(np.median(gaps))
    if np.allclose(gaps, spacing):
        return points, spacing
    even = np.arange(at[0], at[-1] + spacing / 2, spacing)
    return np.stack([np.interp(even, at, column) for column in points.T], axis=1), spacing


def moving_part(points: np.ndarray) -> tuple[np.ndarray, bool]:
    """Leaves out the tail whose motion is rounding; returns whether there was one."""
    with np.errstate(over="ignore"):
        single = bool((points == points.astype(np.float32)).all())
    grain = (np.finfo(np.float32) if single else np.finfo(np.float64)).eps
    moves = np.linalg.norm(np.diff(points, axis=0), axis=1)
    moving = np.flatnonzero(moves > (ROUNDED_SINGLE if single else ROUNDED) * grain * np.abs(points).max(initial=0.0))
    if not len(moving):
        return points[:0], True
    return points[: moving[-1] + 2], moving[-1] + 2 < len(points)


def scales(points: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    """Yields averages over blocks of 1, 2, 4 ... rows, and the block."""
    block = 1
    while len(points) // block >= 4 * FEWEST_ROWS or block == 1:
        rows = len(points) // block
        yield points[len(points) - rows * block :].reshape(rows, block, -1).mean(axis=1), block
        block *= 2


def smooth_scales(points: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    """Yields those scales at which the next row can be told from the last ones."""
    for averaged, block in scales(points):
        fit = linear_multipliers(averaged[len(averaged) // 2 :][:MOST_FITTED])
        if roughness(averaged) < SMOOTH or (fit is not None and fit.error < PREDICTABLE):
            yield averaged, block


def roughness(points: np.ndarray) -> float:
    """How much a move differs from the one before: white noise scores 3, a random walk 2, a turn of a radian a row 0.9."""
    moves = np.diff(points, axis=0)
    size = np.linalg.norm(moves, axis=1)
    change = np.linalg.norm(np.diff(moves, axis=0), axis=1)
    return float(np.median(change**2 / np.maximum(size[1:] * size[:-1], np.finfo(float).tiny)))


def kind_of_noise(points: np.ndarray) -> str:
    """Says how a trace moves that no scale shows a law of: about a fixed point, or wandering."""
    tail = points[len(points) // 2 :]
    rows = len(tail) // 8
    if not rows:
        return f"{len(points)} rows are too few to show a law"
    means = tail[: rows * 8].reshape(8, rows, -1).mean(axis=1)
    fixed = means.var(axis=0).sum() < FIXED_SHARE * tail.var(axis=0).sum()
    return (
        "it moves like noise "
        + ("about a fixed point" if fixed else "that wanders, like a random walk")
        + ": no scale shows a law"
    )


def has_stalled(points: np.ndarray) -> bool:
    """Tells whether a trace moves, at its end, at a small share of its usual speed."""
    speed = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return bool(speed[-max(len(speed) // 10, 1) :].mean() < SLOWED * np.quantile(speed, 0.9))


def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Least squares: slope, its standard error, and the residuals' standard deviation."""
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ (y - y.mean())) / spread
    rest = y - y.mean() - slope * centred
    sd = float(np.sqrt(rest @ rest / max(len(x) - 2, 1)))
    return slope, sd / np.sqrt(spread), sd


def recurrence(points: np.ndarray) -> float | None:
    """Returns the rows after which a trace (rows, coordinates) comes back to where it was, noise aside; None where it does not.

    By its autocorrelation, which falls plainly below 0 and rises plainly again: a walk that wanders rarely does both.
    """
    centred = points - points.mean(axis=0)
    power = float((centred**2).sum())
    rows = len(points)
    if not power > 0 or not np.isfinite(power) or rows < 2 * ROWS_A_TURN:
        return None
    lags = np.arange(max(rows // 2, 1))
    room = 1 << (2 * rows - 1).bit_length()  # of zeros behind, or its end would meet its beginning
    waves = np.abs(np.fft.rfft(centred, room, axis=0)) ** 2
    along = np.fft.irfft(waves.sum(axis=1), room)[: len(lags)] / power * rows / (rows - lags)
    below = int(np.argmax(along < 0))
    above = below + int(np.argmax(along[below:] > 0))
    if not below or above == below:
        return None
    end = above + int(np.argmax(along[above:] < 0)) if (along[above:] < 0).any() else len(along)
    back = above + int(np.argmax(along[above:end]))
    far = float(along[below:above].min())
    return float(back) if far < AWAY and along[back] > BACK and back >= ROWS_A_TURN else None

"""Which rows of a trace are read: evenly spaced, not too many, and so close together that its turns are seen."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis.tracing import PREDICTABLE
from gandiag.diagnosis.turning import linear_multipliers

MOST_ROWS = 2000  # of a trace that are read; a longer one is thinned out evenly
UNEVEN = 5.0  # times the usual gap between rows, beyond which a trace is brought to even gaps first
ROWS_A_TURN = 16  # rows farther apart show a slower turn than there is, or none
FEWEST_DENSE = 24  # rows at the end of a trace that tell how fast it turns


def thinned(points: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns at most about MOST_ROWS evenly spaced rows: of all of the trace, or of its end where a turn is too fast for that."""
    dense = _dense_end(steps)
    gap = steps[-1] - steps[-2] if len(steps) > 1 else 1
    widest = gap * _rows_a_turn(points[dense]) / ROWS_A_TURN
    even, at = _even(points, steps)
    stride = max(1, -(-len(even) // MOST_ROWS))
    if stride * float(np.median(np.diff(at)) if len(at) > 1 else gap) <= max(widest, gap):
        return even[::stride], at[::stride]
    stride = max(1, int(widest / gap))
    last = slice(-MOST_ROWS * stride, None)
    return points[dense][last][::stride], steps[dense][last][::stride]


def _dense_end(steps: np.ndarray) -> slice:
    """The rows at the end that lie as far apart as the last two."""
    gaps = np.diff(steps)
    other = np.flatnonzero(gaps != gaps[-1]) if len(gaps) else gaps
    return slice(int(other[-1]) + 1 if len(other) else 0, None)


def _rows_a_turn(points: np.ndarray) -> float:
    """Rows a turn at the end of a trace, by the angles between its moves; infinity where the next move cannot be told from the last ones."""
    points = points[np.isfinite(points).all(axis=1)]  # a game that has run away ends in NaN
    law = linear_multipliers(points[-MOST_ROWS:]) if len(points) >= FEWEST_DENSE else None
    if law is None or law.error > PREDICTABLE:
        return np.inf
    moves = np.diff(points[-MOST_ROWS:], axis=0)
    size = np.linalg.norm(moves, axis=1)
    cosines = (moves[1:] * moves[:-1]).sum(axis=1) / np.maximum(size[1:] * size[:-1], np.finfo(float).tiny)
    angle = float(np.median(np.arccos(np.clip(cosines, -1, 1))))
    return 2 * np.pi / angle if angle > 0 else np.inf


def _even(points: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows that are about equally far apart: a turn is read off a clock that goes evenly, and a followed run holds bursts of steps."""
    gaps = np.diff(steps)
    if len(gaps) < 2 or gaps.max() <= UNEVEN * np.median(gaps):
        return points, steps
    grid = np.arange(steps[0], steps[-1] + 1, gaps.max())
    rows = np.unique(np.searchsorted(steps, grid))
    return points[rows], steps[rows]

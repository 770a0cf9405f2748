"""Numbers about one series: levels over stretches of a run, what lasts, since when, and whether it rises. Pure numpy."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

THINNED = 400  # rows of a stretch that its median is taken of
ROBUST = 1.4826  # times the median absolute deviation: the standard deviation of normal values
RISE_Z = 3.0  # Mann-Kendall z beyond which a trend is believed: p = .003 two-sided


def block_edges(steps: int, *, blocks: int, rows: int) -> np.ndarray:
    """Returns the edges (n + 1,) of at most `blocks` equal stretches of at least `rows` steps that cover steps 0 .. steps."""
    count = max(1, min(blocks, steps // rows))
    return np.unique(np.linspace(0, max(steps, 1), count + 1).round().astype(np.int64))


def block_medians(at: np.ndarray, values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Returns the median of the finite values in each stretch (n,); a stretch without any keeps the level before it, NaN before the first.

    Of a stretch with more than THINNED rows, so many are taken evenly: a million steps are then judged as fast as a hundred thousand.
    """
    cuts = np.searchsorted(at, edges)
    counts = np.diff(cuts)
    width = int(min(THINNED, counts.max(initial=0)))
    if width == 0:
        return np.full(len(edges) - 1, np.nan)
    rows, beyond = _taken(cuts.tobytes(), width)
    table = values[rows].astype(float, copy=False)
    table[beyond | ~np.isfinite(table)] = np.nan
    table.sort(axis=1)  # NaN last
    known = (~np.isnan(table)).sum(axis=1)
    line = np.arange(len(table))
    lower, upper = table[line, np.maximum(known - 1, 0) // 2], table[line, np.minimum(known // 2, width - 1)]
    return filled(np.where(known > 0, lower / 2 + upper / 2, np.nan))


@lru_cache(maxsize=8)  # most series of a run were measured at the same steps
def _taken(cuts: bytes, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns which rows are taken of each stretch between cuts (n, width), and which of those are none (n, width)."""
    edges = np.frombuffer(cuts, np.int64)
    counts, column = np.diff(edges), np.arange(width)
    taken = np.minimum(counts, width)[:, None]
    rows = edges[:-1, None] + (column * counts[:, None]) // np.maximum(taken, 1)
    return np.minimum(rows, max(edges[-1] - 1, 0)), column >= taken


def filled(levels: np.ndarray) -> np.ndarray:
    """Carries each level over the gap behind it; NaN before the first."""
    known = ~np.isnan(levels)
    if known.all() or not known.any():
        return levels
    last = np.maximum.accumulate(np.where(known, np.arange(len(levels)), -1))
    return np.where(last >= 0, levels[np.maximum(last, 0)], np.nan)


def tail(levels: np.ndarray, share: float) -> np.ndarray:
    """Returns the last `share` of the levels, at least one of them."""
    return levels[-max(1, round(share * len(levels))) :]


def middle(values: np.ndarray) -> float:
    """Returns the median of the values that are no NaN; NaN where there is none."""
    # of short arrays a third of the time of `np.median`
    known = np.sort(values[~np.isnan(values)], axis=None).astype(float)
    half = len(known) // 2
    return float((known[half] + known[-half - 1]) / 2) if len(known) else float("nan")


def holds(state: np.ndarray, share: float, of: float = 0.7) -> bool:
    """Says whether a state (n,) bool holds at the end: in at least `of` of the last `share` of the stretches."""
    return bool(np.mean(tail(state, share)) >= of)


def onset(state: np.ndarray, *, patience: int = 5) -> int | None:
    """Returns where the last lasting stretch of a state begins: gaps of up to `patience` stretches are bridged; None where it never holds."""
    where = np.flatnonzero(state)
    if not len(where):
        return None
    breaks = np.flatnonzero(np.diff(where) > patience)
    return int(where[breaks[-1] + 1] if len(breaks) else where[0])


def latched(enters: np.ndarray, stays: np.ndarray, *, least: int) -> np.ndarray:
    """Returns a state (n,) bool that begins with `least` values in a row where `enters` holds, and lasts as long as `stays` does."""
    state = np.zeros(len(enters), dtype=bool)
    run, on = 0, False
    for i, (begins, goes_on) in enumerate(zip(enters, stays)):
        run = run + 1 if begins else 0
        if not on and run >= least:
            on, state[i - run + 1 : i] = True, True
        on = on and bool(goes_on)
        state[i] = on
    return state


def longest(state: np.ndarray, *, patience: int = 2) -> tuple[int, int] | None:
    """Returns (first, last) of the longest stretch of a state, gaps of up to `patience` bridged; None where it never holds."""
    where = np.flatnonzero(state)
    if not len(where):
        return None
    parts = np.split(where, np.flatnonzero(np.diff(where) > patience) + 1)
    best = max(parts, key=lambda p: p[-1] - p[0])
    return int(best[0]), int(best[-1])


def kendall_z(values: np.ndarray) -> float:
    """Returns the Mann-Kendall z of a trend: above RISE_Z it rises, below -RISE_Z it falls; 0 for fewer than four values.

    At most 100 values, evenly taken, are compared: all pairs of a long series would be slow and no surer.
    """
    known = values[np.isfinite(values)]
    if len(known) > 100:
        known = known[np.linspace(0, len(known) - 1, 100).round().astype(int)]
    n = len(known)
    if n < 4:
        return 0.0
    score = float(np.sign(known[None, :] - known[:, None])[np.triu_indices(n, 1)].sum())
    variance = n * (n - 1) * (2 * n + 5) / 18
    return 0.0 if score == 0 else (score - np.sign(score)) / float(np.sqrt(variance))


def robust_sd(values: np.ndarray) -> float:
    """Returns 1.4826 times the median absolute deviation: the standard deviation, for normal values."""
    known = values[np.isfinite(values)]
    return float(ROBUST * np.median(np.abs(known - np.median(known)))) if len(known) else float("nan")


def usual_level(levels: np.ndarray, *, skip: float = 0.02, until: float = 0.3) -> float:
    """Returns the level that the run itself made usual: the median over its first `until`, the first `skip` left out."""
    n = len(levels)
    return middle(levels[min(n - 1, int(skip * n)) : max(int(skip * n) + 1, int(until * n))])


def tail_middle(levels: np.ndarray, share: float = 0.2) -> float:
    """Returns the median of the last `share` of the levels, 0 where nothing is known: what a series is now."""
    now = middle(tail(levels, share))
    return now if np.isfinite(now) else 0.0

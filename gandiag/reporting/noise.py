"""Noise: whether two scores differ by more than it, by seeds where there are several, by intervals where there are not."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from gandiag.quantities import quantity
from gandiag.reporting.numbers import number

SURE = 0.05  # a difference is called more than noise below this p
TINY = 0.001  # smaller p are not told apart
INTERVAL_SDS = 2 * 1.959964  # widths of a standard deviation in a 95 % interval of a normal distribution


@dataclass(frozen=True)
class Score:
    """One score of a group: its value, and what its noise is known from (its runs' values, or one run's interval)."""

    values: tuple[float, ...]
    sd: float | None = None  # of a single run, from its 95 % interval

    @property
    def mean(self) -> float:
        """The mean over the runs, NaN without any."""
        return float(np.mean(self.values)) if self.values else math.nan


def better(name: str) -> str:
    """Returns which way is better for a score: 'lower', 'higher' or 'neither'."""
    known = quantity(name)
    return known.better if known else "neither"


def said(score: Score) -> str:
    """Returns a score in words: mean and sd over seeds, or the value and half of its interval."""
    if not score.values:
        return "–"
    if len(score.values) > 1:
        return f"{number(score.mean, 3)} ± {number(float(np.std(score.values, ddof=1)), 2)} (sd of {len(score.values)})"
    half = score.sd * INTERVAL_SDS / 2 if score.sd is not None else None
    return number(score.mean, 3) + (f" ± {number(half, 2)}" if half is not None else "")


def more_than_noise(first: Score, second: Score, way: str) -> str:
    """Says whether two scores differ by more than noise: Welch's test over seeds, a z test on two intervals, else that nobody can tell."""
    if not first.values or not second.values:
        return "not in both"
    p, how = _p_value(first, second)
    if p is None:
        return "noise unknown: repeat with more seeds"
    how += f", p {number(p, 2)}" if p >= TINY else f", p < {TINY}"
    if p >= SURE:
        return f"within noise ({how})"
    change = second.mean - first.mean
    word = "differs" if way == "neither" else "better" if (change < 0) == (way == "lower") else "worse"
    return f"{word} (by {number(change, 3)}, {how})"


def _p_value(first: Score, second: Score) -> tuple[float | None, str]:
    from scipy import stats

    if len(first.values) > 1 and len(second.values) > 1:
        if np.ptp(first.values) == 0 and np.ptp(second.values) == 0:
            return (1.0 if first.mean == second.mean else 0.0), "no spread within either"
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # nearly equal values: p is then near 0, which is what it should be
            return float(stats.ttest_ind(first.values, second.values, equal_var=False).pvalue), "Welch over seeds"
    if first.sd is not None and second.sd is not None and first.sd + second.sd > 0:
        z = (second.mean - first.mean) / math.hypot(first.sd, second.sd)
        return float(2 * stats.norm.sf(abs(z))), "intervals of one run each"
    return None, ""

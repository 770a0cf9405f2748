"""Sparklines: a series as a small SVG line, so that the scorecard and the findings show their evidence without JavaScript."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from gandiag.reporting.decimate import kept

WIDTH, HEIGHT = 240, 48
BUCKETS = 90
DECADES = 2.5  # positive values that span more than that are drawn on a log scale


def sparkline(
    values: pd.Series, words: str, *, onset: int | None = None, end: int | None = None, steps: int = 0
) -> Markup:
    """Draws one series; the steps of an illness are shaded. Empty where fewer than two values are finite."""
    at, y = values.index.to_numpy().astype(np.float64), values.to_numpy().astype(np.float64)
    keep = kept(y, BUCKETS)
    at, y = at[keep], y[keep]
    fine = np.isfinite(y)
    if fine.sum() < 2:
        return Markup()
    if (y[fine] > 0).all() and np.log10(y[fine].max() / y[fine].min()) > DECADES:
        y = np.where(fine, np.log10(np.where(fine, y, 1)), np.nan)
    last = max(steps - 1, at[-1], 1)
    low, high = y[fine].min(), y[fine].max()
    across = at / last * WIDTH
    down = (HEIGHT - 3) - (y - low) / ((high - low) or 1) * (HEIGHT - 6)
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}<path d="{}"/></svg>'
    ).format(WIDTH, HEIGHT, words, _shade(onset, end, last), _way(across, down, fine))


def _way(across: np.ndarray, down: np.ndarray, fine: np.ndarray) -> str:
    way, pen_down = [], False
    for x, y, ok in zip(across.tolist(), down.tolist(), fine.tolist()):
        if ok:
            way.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = ok
    return "".join(way)


def _shade(onset: int | None, end: int | None, last: float) -> Markup:
    if onset is None:
        return Markup()
    left = onset / last * WIDTH
    width = max(((last if end is None else end) / last * WIDTH) - left, 1.5)
    return Markup('<rect class="shade" x="{:.1f}" y="0" width="{:.1f}" height="{}"/>').format(left, width, HEIGHT)

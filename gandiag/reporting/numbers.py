"""How numbers and steps are written in a report: few digits, true signs, one way everywhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

DIGITS = 4  # significant digits: enough to tell runs apart, few enough to read


def number(value: float | int | None, digits: int = DIGITS) -> str:
    """Returns a number as text: '0.9812', '12,000', '3.1e-08', 'NaN'; a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return f"{int(value):,}".replace("-", "−")
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6 or size < 1e-3:
        mantissa, _, exponent = f"{value:.{max(digits - 2, 1)}e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}".replace("-", "−")
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{value:,.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def percent(share: float) -> str:
    """Returns a share as a percentage: .931 -> '93.1 %'."""
    return f"{number(100 * share, 3)} %"


def duration(seconds: float) -> str:
    """Returns a time as text: '52 s', '3 min 10 s', '2 h 5 min'."""
    if not math.isfinite(seconds):
        return number(seconds)
    if seconds < 10:
        return f"{number(seconds, 2)} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: float) -> str:
    """Returns a number of bytes as text: '1.5 GiB'."""
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1024:
            return f"{number(count, 3)} {unit}"
        count /= 1024
    return f"{number(count, 3)} GiB"


def steps(first: int | None, last: int | None) -> str:
    """Returns a span of steps as text; '' where it is not known."""
    if first is None and last is None:
        return ""
    if first is None:
        return f"until step {number(last)}"
    return f"step {number(first)} to the end" if last is None else f"steps {number(first)} to {number(last)}"


def plain(value: Any) -> str:
    """Returns a configuration's value as one line of text: lists with commas, numbers as they were given, '–' for None."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{k}: {plain(v)}" for k, v in value.items())
    return str(value)

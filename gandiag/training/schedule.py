"""What changes while a training goes on: learning-rate schedules, and planned changes of a setting at a step (onsets that are known)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from gandiag.errors import UsageError, did_you_mean

# What a training step reads anew each time: these may change in mid-run, anything else is built in at the start.
CHANGEABLE = (
    "lr_g",
    "lr_d",
    "gamma",
    "instance_noise",
    "augmentation_probability",
    "clip_gradient",
    "d_steps",
    "g_steps",
    "data_scale",
    "data_offset",
    "clip_weights",
)
WHOLE = ("d_steps", "g_steps")
BOUNDS = ("clip_gradient", "clip_weights")  # a bound of 0 is no play at all
_CHANGE = re.compile(r"^\s*(?P<begin>\d+)\s*(?:-\s*(?P<end>\d+)\s*)?:\s*(?P<settings>.+)$")


@dataclass(frozen=True)
class Change:
    """From step `begin` on a setting has another value; with an `end` beyond that it gets there gradually.

    A ramp goes by equal factors between two positive values, in a straight line otherwise.
    """

    name: str
    value: float
    begin: int
    end: int


def parse_changes(text: str) -> tuple[Change, ...]:
    """Reads "500: lr_g=0.005 gamma=0; 500-900: lr_d=0.1"; raises UsageError for what is no such text or no changeable setting."""
    changes: list[Change] = []
    for part in filter(str.strip, text.split(";")):
        match = _CHANGE.match(part)
        if match is None:
            raise UsageError(f'changes reads "500: lr_g=0.005 gamma=0; 500-900: lr_d=0.1", not {part.strip()!r}')
        begin, end = int(match["begin"]), int(match["end"] or match["begin"])
        if end < begin:
            raise UsageError(f"changes: {part.strip()!r} ends before it begins")
        for setting in re.split(r"[,\s]+", match["settings"].strip()):
            changes.append(_change(setting, begin, end))
    return tuple(sorted(changes, key=lambda change: change.begin))


def require_beginnings(changes: tuple[Change, ...], initial: dict[str, float | None]) -> None:
    """Raises UsageError for a ramp of a setting that has no value when it begins: from unbounded there is no way down."""
    known = {name for name, value in initial.items() if value is not None}
    for change in changes:
        if change.end > change.begin and change.name not in known:
            raise UsageError(
                f"changes: {change.name} is none at step {change.begin}, and a ramp needs a value to begin from: set {change.name} too"
            )
        known.add(change.name)


def settings_at(step: int, initial: dict[str, float | None], changes: tuple[Change, ...]) -> dict[str, float | None]:
    """Returns the value of every changeable setting at a step, given the values that the training begins with."""
    values = dict(initial)
    for change in changes:
        if step >= change.end:
            values[change.name] = change.value
        elif step >= change.begin:
            share = (step - change.begin) / (change.end - change.begin)
            values[change.name] = _between(values[change.name] or 0.0, change.value, share)
    return values


def learning_rate_factor(step: int, *, schedule: str, warmup: int, steps: int) -> float:
    """Returns what both learning rates are multiplied with at a step: 0 .. 1. Raises ValueError for an unknown schedule."""
    rise = min(1.0, (step + 1) / (warmup + 1))
    done = min(1.0, max(0, step - warmup) / max(1, steps - warmup))
    if schedule == "constant":
        return rise
    if schedule == "linear":
        return rise * (1 - done)
    if schedule == "cosine":
        return rise * 0.5 * (1 + math.cos(math.pi * done))
    raise ValueError(f"schedule is constant, linear or cosine, not {schedule!r}")


def _change(setting: str, begin: int, end: int) -> Change:
    name, equals, text = setting.partition("=")
    if name not in CHANGEABLE:
        raise UsageError(
            f"changes cannot set {name!r} in mid-run{did_you_mean(name, CHANGEABLE)}; it can set {', '.join(CHANGEABLE)}"
        )
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    whole = name in WHOLE
    if (
        not equals
        or not math.isfinite(value)
        or (whole and (value != int(value) or value < 1))
        or (value < 0 and not name.startswith("data_"))
        or (value == 0 and name in BOUNDS)
    ):
        wanted = (
            "whole number of at least 1" if whole else "number above 0" if name in BOUNDS else "number of at least 0"
        )
        raise UsageError(f"changes: {setting!r} is no {wanted} for {name}")
    if whole and end > begin:
        raise UsageError(f"changes: {name} is a whole number, it changes at once and not in a ramp")
    return Change(name, value, begin, end)


def _between(old: float, new: float, share: float) -> float:
    if old > 0 and new > 0:
        return float(old * (new / old) ** share)
    return old + (new - old) * share

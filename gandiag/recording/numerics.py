"""Losses as they are, and what is not finite: how much of a row, and which tensor was the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gandiag.recording.step import Step, Value

# a row's scalars that are counted when they are not finite
COUNTED = (
    "discriminator_loss",
    "generator_loss",
    "discriminator_penalty",
    "generator_penalty",
    "discriminator_gradient_norm",
    "generator_gradient_norm",
    "real_logit_mean",
    "fake_logit_mean",
)


def discriminator_loss(step: Step) -> dict[str, Value]:
    """What the discriminator minimises."""
    return {} if step.d_loss is None else {"discriminator_loss": step.d_loss}


def generator_loss(step: Step) -> dict[str, Value]:
    """What the generator minimises."""
    return {} if step.g_loss is None else {"generator_loss": step.g_loss}


def discriminator_penalty(step: Step) -> dict[str, Value]:
    """The penalty in the discriminator's loss, already weighted."""
    return {} if step.d_penalty is None else {"discriminator_penalty": step.d_penalty}


def generator_penalty(step: Step) -> dict[str, Value]:
    """The penalty in the generator's loss, already weighted."""
    return {} if step.g_penalty is None else {"generator_penalty": step.g_penalty}


def count_nonfinite(columns: Mapping[str, np.ndarray], absent: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
    """Returns for each row how many of the counted scalars are NaN or infinite; absent ones are not counted."""
    count = np.zeros(rows, dtype=np.float32)
    for name in COUNTED:
        if name in columns:
            bad = ~np.isfinite(columns[name])
            count += bad & ~absent[name] if name in absent else bad
    return count


def first_nonfinite(
    columns: Mapping[str, np.ndarray],
    absent: Mapping[str, np.ndarray],
    steps: np.ndarray,
    sums: Mapping[str, np.ndarray],
    layers: Mapping[str, Sequence[str]],
) -> dict[str, Any] | None:
    """Returns the step, tensor and layer at which the rows are first not finite, None where they are.

    `sums` holds the sums of the batches by name (`real batch`, `fake batch`), NaN where absent is finite zero; a gradient is
    followed from the loss backward, so that the layer named is the last of the network that is bad.
    """
    suspects: list[tuple[str, np.ndarray, str]] = [(name, values, "") for name, values in sums.items()]
    suspects += [
        (name, columns[name], "")
        for name in ("real_logit_mean", "fake_logit_mean", "discriminator_loss")
        if name in columns
    ]
    suspects += _layers("discriminator", columns)
    suspects += [(name, columns[name], "") for name in ("generator_loss",) if name in columns]
    suspects += _layers("generator", columns)
    bad = np.zeros(len(steps), dtype=bool)
    flags = []
    for name, values, column in suspects:
        flag = ~np.isfinite(values) if values.ndim == 1 else ~np.isfinite(values).all(1)
        missing = absent.get(column or name)
        flag = flag & ~missing if missing is not None else flag
        flags.append(flag)
        bad |= flag
    if not bad.any():
        return None
    row = int(np.argmax(bad))
    name, values, column = next(suspect for suspect, flag in zip(suspects, flags) if flag[row])
    fact: dict[str, Any] = {"step": int(steps[row]), "tensor": name}
    if values.ndim == 2:
        wrong = np.flatnonzero(~np.isfinite(values[row]))
        names = layers.get(column, ())
        fact["layer"] = names[wrong[-1]] if len(names) > wrong[-1] else str(wrong[-1])
        fact["layers"] = f"{len(wrong)} of {values.shape[1]}"
    return fact


def _layers(who: str, columns: Mapping[str, np.ndarray]) -> list[tuple[str, np.ndarray, str]]:
    column = f"{who}_layer_gradient_norm"
    return [(f"{who} gradient", columns[column], column)] if column in columns else []

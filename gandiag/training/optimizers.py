"""OPTIMIZERS and UPDATES: which optimizer a player has, and how the two players move."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gandiag.errors import UsageError
from gandiag.training.optimizers_moves import (
    Player,
    alternating,
    extragradient,
    lookahead,
    optimistic,
    past_extragradient,
    simultaneous,
)
from gandiag.training.optimizers_through import consensus, unrolled
from gandiag.training.other_names import meant

__all__ = ["OPTIMIZERS", "UPDATES", "Player", "Update", "make_optimizer", "update_named"]

STEPS = ("d_steps", "g_steps")
Update = Callable[..., tuple[Any, Any]]  # (discriminator, generator) -> what each saw in its last gradient

UPDATES: dict[str, Update] = {
    "alternating": alternating,
    "simultaneous": simultaneous,
    "extragradient": extragradient,
    "past-extragradient": past_extragradient,
    "optimistic": optimistic,
    "consensus": consensus,
    "lookahead": lookahead,
    "unrolled": unrolled,
}


def update_named(name: str, **options: Any) -> Update:
    """Returns the update of this name with its options bound: a function of (discriminator, generator).

    Options: alternating, unrolled and lookahead take d_steps and g_steps; alternating also first; unrolled unroll; consensus weight and
    first; lookahead inner, every and share. What an update does not take raises UsageError, unless it is a d_steps or g_steps of 1.
    """
    if name not in UPDATES:
        raise UsageError(f"unknown update {name!r}{meant(name, tuple(UPDATES))}; known: {', '.join(UPDATES)}")
    update = UPDATES[name]
    known = set(inspect.signature(update).parameters)
    taken = {key: value for key, value in options.items() if key in known or (key in STEPS and name == "lookahead")}
    for key in options.keys() - taken.keys():
        if key not in STEPS or options[key] != 1:
            raise UsageError(f"the update {name} has no {key} (given: {options[key]!r})")
    return partial(update, **taken)


def make_optimizer(
    name: str,
    parameters: Iterable[Tensor],
    *,
    learning_rate: float,
    beta1: float = 0.0,
    beta2: float = 0.99,
    weight_decay: float = 0.0,
    fused: bool = False,
) -> torch.optim.Optimizer:
    """Builds the optimizer of this name. `beta1` is Adam's first decay and the momentum of sgd and rmsprop; it may be negative (Gidel 2019)."""
    if name not in OPTIMIZERS:
        raise UsageError(f"unknown optimizer {name!r}{meant(name, tuple(OPTIMIZERS))}; known: {', '.join(OPTIMIZERS)}")
    if not (-1 < beta1 < 1 and 0 <= beta2 < 1):
        raise UsageError(f"beta1 lies in (-1, 1) and beta2 in [0, 1), not {beta1} and {beta2}")
    return OPTIMIZERS[name](
        list(parameters), rate=learning_rate, beta1=beta1, beta2=beta2, decay=weight_decay, fused=fused
    )


def _adam(
    parameters: list[Tensor], *, rate: float, beta1: float, beta2: float, decay: float, fused: bool
) -> torch.optim.Optimizer:
    optimizer = torch.optim.Adam(
        parameters,
        lr=rate,
        betas=(max(beta1, 0.0), beta2),
        weight_decay=decay,
        decoupled_weight_decay=True,
        fused=fused or None,
    )
    return _with(optimizer, "betas", (beta1, beta2))


def _sgd(
    parameters: list[Tensor], *, rate: float, beta1: float, beta2: float, decay: float, fused: bool
) -> torch.optim.Optimizer:
    optimizer = torch.optim.SGD(parameters, lr=rate, momentum=max(beta1, 0.0), weight_decay=decay, fused=fused or None)
    return _with(optimizer, "momentum", beta1)


def _rmsprop(
    parameters: list[Tensor], *, rate: float, beta1: float, beta2: float, decay: float, fused: bool
) -> torch.optim.Optimizer:
    optimizer = torch.optim.RMSprop(parameters, lr=rate, momentum=max(beta1, 0.0), alpha=beta2, weight_decay=decay)
    return _with(optimizer, "momentum", beta1)


def _with(optimizer: torch.optim.Optimizer, setting: str, value: Any) -> torch.optim.Optimizer:
    """Sets what the constructor refuses (a negative momentum) and the arithmetic does not."""
    for group in optimizer.param_groups:
        group[setting] = value
    return optimizer


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {"adam": _adam, "sgd": _sgd, "rmsprop": _rmsprop}

"""Step: one update of the game as the probes see it. The same probes read a block of many steps, along a leading axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn


class VisiblePlayer(Protocol):
    """What a probe may read of a player; `player.Player`, which also fills the rows that probes read, is one."""

    module: nn.Module
    optimizer: Any
    parameters: list[nn.Parameter]
    names: list[str]  # of the parameters

    def learning_rate(self) -> Tensor | float | None:
        """Returns the largest learning rate of the groups that hold this player's parameters."""


@dataclass(frozen=True)
class Step:
    """One update of the game: detached tensors, still on their device; None where the step did not show it.

    Shapes are those of one step. The recorder hands the probes of `probes.BLOCKWISE` a block of many steps at once, and then
    every tensor but the batches has a leading axis of steps: a probe that reduces over the last axis serves both.
    """

    index: int
    real_logits: Tensor | None = None  # (batch,) D's logits on what it was shown as real
    fake_logits: Tensor | None = None  # (batch,)
    d_loss: Tensor | None = None  # 0-d
    g_loss: Tensor | None = None
    real: Tensor | None = None  # (batch, ...) what D was shown
    fake: Tensor | None = None
    shown: Tensor | None = None  # (batch, ...) what D was shown as fake in its own turn
    made: Tensor | None = None  # (batch, ...) what G made in its turn, as D was shown it
    d_penalty: Tensor | None = None
    g_penalty: Tensor | None = None
    discriminator_force_real: Tensor | None = None  # (batch,) -d(discriminator's loss)/d(logit) on each real score
    discriminator_force_fake: Tensor | None = None
    # (batch,) -d(generator's loss)/d(logit); on reals only in relativistic games
    generator_force_real: Tensor | None = None
    generator_force_fake: Tensor | None = None
    generator_gradient_at_image: Tensor | None = None  # 0-d, L2 norm over the fake batch
    discriminator_layer_gradients: Tensor | None = None  # (layers,) gradient norm of each parameter at the last update
    generator_layer_gradients: Tensor | None = None
    discriminator_gradient_max: Tensor | None = None  # 0-d, the largest total norm among the step's updates
    generator_gradient_max: Tensor | None = None
    discriminator_turn: Callable[[], Tensor] | None = None  # computes the cosine of the last two updates' gradients
    generator_turn: Callable[[], Tensor] | None = None
    discriminator_change: Callable[[], tuple[Tensor, Tensor]] | None = None  # computes the norms of the last update
    generator_change: Callable[[], tuple[Tensor, Tensor]] | None = None
    previous_real: Tensor | None = None  # the first values of the real batch of the step before, flat
    previous_fake: Tensor | None = None
    discriminator: VisiblePlayer | None = None  # the networks, with their optimizers
    generator: VisiblePlayer | None = None
    shared: dict[str, Any] = field(default_factory=dict)  # what one of its probes has computed for the others

    @cached_property
    def discriminator_gradient_cosine(self) -> Tensor | None:
        """0-d, the cosine of the discriminator's gradient with that of its update before."""
        return self.discriminator_turn and self.discriminator_turn()

    @cached_property
    def generator_gradient_cosine(self) -> Tensor | None:
        """0-d, the cosine of the generator's gradient with that of its update before."""
        return self.generator_turn and self.generator_turn()

    @cached_property
    def discriminator_layer_updates(self) -> tuple[Tensor, Tensor] | None:
        """Norms of the discriminator's last update and of its parameters after it, one for each parameter (layers,)."""
        return self.discriminator_change and self.discriminator_change()

    @cached_property
    def generator_layer_updates(self) -> tuple[Tensor, Tensor] | None:
        """Norms of the generator's last update and of its parameters after it, one for each parameter (layers,)."""
        return self.generator_change and self.generator_change()

    @cached_property
    def sorted_real_logits(self) -> Tensor:
        """`real_logits` in ascending order; sorted once, whoever asks."""
        return ascending(_given(self.real_logits, "real_logits"))

    @cached_property
    def sorted_fake_logits(self) -> Tensor:
        """`fake_logits` in ascending order; sorted once, whoever asks."""
        return ascending(_given(self.fake_logits, "fake_logits"))


Value = Tensor | float | list[float]  # one step's value of a series: a tensor with one axis or a list is a vector
Probe = Callable[[Step], dict[str, Value]]


def on_device(values: Tensor, device: torch.device) -> Tensor:
    """Copies a tensor to a device without waiting for it."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def ascending(values: Tensor) -> Tensor:
    """Sorts along the last axis, NaN last; on the CPU by numpy, whose vectorised sort is some 30 times torch's."""
    if values.device.type == "cpu" and values.dtype in (torch.float32, torch.float64):
        return torch.from_numpy(np.sort(values.numpy(), axis=-1))
    return values.sort(dim=-1).values


def _given(values: Tensor | None, name: str) -> Tensor:
    if values is None:
        raise ValueError(f"this step holds no {name}; record a probe that needs them only where they are")
    return values

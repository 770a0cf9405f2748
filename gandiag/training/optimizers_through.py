"""Updates that differentiate through the other player: consensus optimisation and unrolled steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gandiag.errors import UsageError
from gandiag.training.optimizers_moves import First, Player, alternating, move, parameters

Seen = TypeVar("Seen")
Memory = dict[str, dict[str, Any]]


def consensus(
    discriminator: Player[Seen], generator: Player[Seen], *, weight: float = 10.0, first: First | None = None
) -> tuple[Seen, Seen]:
    """Adds weight * |v|^2 / 2 to both objectives, v being both players' gradients together (Mescheder et al. 2017).

    Moves at once, or by turns where `first` names a player.
    """
    if first is None:
        seen = discriminator.gradient(), generator.gradient()
        _add_gradients(_agreement(discriminator, generator, (discriminator, generator)), weight)
        for player in (discriminator, generator):
            player.finish()
            move(player)
        return seen
    by_name = {"discriminator": discriminator, "generator": generator}
    seen_by: dict[str, Seen] = {}
    for name in sorted(by_name, key=lambda name: name != first):
        seen_by[name] = by_name[name].gradient()
        _add_gradients(_agreement(discriminator, generator, (by_name[name],)), weight)
        by_name[name].finish()
        move(by_name[name])
    return seen_by["discriminator"], seen_by["generator"]


def _agreement(
    discriminator: Player[Any], generator: Player[Any], movers: Iterable[Player[Any]]
) -> list[tuple[Tensor, Tensor]]:
    """Returns the gradient of |v|^2 / 2 by the parameters of these players."""
    squares = []
    for player in (discriminator, generator):
        gradients = torch.autograd.grad(_loss(player), _trainable(player), create_graph=True, allow_unused=True)
        squares += [gradient.square().sum() for gradient in gradients if gradient is not None]
    targets = [p for player in movers for p in _trainable(player)]
    found = torch.autograd.grad(0.5 * torch.stack(squares).sum(), targets, allow_unused=True)
    return [(p, gradient) for p, gradient in zip(targets, found) if gradient is not None]


@torch.no_grad()
def _add_gradients(gradients: list[tuple[Tensor, Tensor]], weight: float) -> None:
    for parameter, gradient in gradients:
        parameter.grad = weight * gradient if parameter.grad is None else parameter.grad.add(gradient, alpha=weight)


def _trainable(player: Player[Any]) -> list[Tensor]:
    return [p for p in parameters(player) if p.requires_grad]


def _loss(player: Player[Any]) -> Tensor:
    if player.loss is None:
        raise TypeError("this update differentiates a loss twice: each Player needs its `loss`")
    return player.loss()


def unrolled(
    discriminator: Player[Seen], generator: Player[Seen], *, unroll: int = 5, d_steps: int = 1, g_steps: int = 1
) -> tuple[Seen, Seen]:
    """Moves by turns; the generator's gradient goes through `unroll` future steps of the discriminator's own optimizer."""
    ahead = Player(
        generator.module,
        generator.optimizer,
        lambda: _unrolled_gradient(discriminator, generator, unroll),
        generator.apply,
        generator.project,
        generator.loss,
    )
    return alternating(discriminator, ahead, d_steps=d_steps, g_steps=g_steps)


def _unrolled_gradient(discriminator: Player[Any], generator: Player[Seen], unroll: int) -> Seen:
    """Leaves on the generator the gradient of its loss against the discriminator `unroll` steps on; returns what the plain gradient saw."""
    if discriminator.loss is None or generator.loss is None:
        raise TypeError(
            "an unrolled update differentiates through the discriminator's steps: each Player needs its `loss`"
        )
    seen = generator.gradient()
    with _kept_buffers(discriminator.module, generator.module):
        ahead: dict[str, Tensor] = {name: p for name, p in discriminator.module.named_parameters() if p.requires_grad}
        memory = _memory(discriminator, ahead)
        for _ in range(unroll):
            loss = _with_parameters(discriminator.module, ahead, discriminator.loss)
            gradients = torch.autograd.grad(loss, list(ahead.values()), create_graph=True, allow_unused=True)
            ahead = {
                name: value if gradient is None else _moved(value, gradient, memory[name])
                for (name, value), gradient in zip(ahead.items(), gradients)
            }
        targets = [p for p in parameters(generator) if p.requires_grad]
        found = torch.autograd.grad(
            _with_parameters(discriminator.module, ahead, generator.loss), targets, allow_unused=True
        )
    for parameter, gradient in zip(targets, found):
        parameter.grad = gradient
    generator.finish()
    return seen


class _Closure(nn.Module):
    """A closure that calls a player, as a module: so that functional_call can lend the player other parameters while it runs."""

    def __init__(self, player: nn.Module, closure: Callable[[], Tensor]) -> None:
        super().__init__()
        self.player, self.closure = player, closure

    def forward(self) -> Tensor:
        return self.closure()


def _with_parameters(module: nn.Module, values: Mapping[str, Tensor], closure: Callable[[], Tensor]) -> Tensor:
    result: Tensor = functional_call(
        _Closure(module, closure), {f"player.{name}": value for name, value in values.items()}, ()
    )
    return result


def _memory(player: Player[Any], values: Mapping[str, Tensor]) -> Memory:
    """Returns for each parameter its group's settings and what its optimizer remembers of it, as a starting point that is not written to."""
    memory: Memory = {}
    for name, value in values.items():
        group = next((g for g in player.optimizer.param_groups if any(p is value for p in g["params"])), None)
        if group is None:
            raise UsageError(f"unrolled: the discriminator's optimizer does not hold its parameter {name}")
        memory[name] = {"move": _move_of(player.optimizer), "group": group, **player.optimizer.state.get(value, {})}
    return memory


def _move_of(optimizer: torch.optim.Optimizer) -> Callable[[Tensor, Tensor, dict[str, Any]], Tensor]:
    if isinstance(optimizer, torch.optim.Adam):  # AdamW is one
        return _adam_move
    if isinstance(optimizer, torch.optim.SGD):
        return _sgd_move
    raise UsageError(
        f"unrolled: no differentiable step of {type(optimizer).__name__} is known; use adam or sgd for the discriminator"
    )


def _moved(value: Tensor, gradient: Tensor, memory: dict[str, Any]) -> Tensor:
    moved: Tensor = memory["move"](value, gradient, memory)
    return moved


def _sgd_move(value: Tensor, gradient: Tensor, memory: dict[str, Any]) -> Tensor:
    group = memory["group"]
    gradient = gradient + group["weight_decay"] * value
    if group["momentum"] != 0:
        buffer = memory.get("momentum_buffer")
        gradient = gradient if buffer is None else group["momentum"] * buffer + (1 - group["dampening"]) * gradient
        memory["momentum_buffer"] = gradient
    return value - group["lr"] * gradient


def _adam_move(value: Tensor, gradient: Tensor, memory: dict[str, Any]) -> Tensor:
    group = memory["group"]
    rate, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
    decoupled = group.get("decoupled_weight_decay", False)
    value, gradient = (value * (1 - rate * decay), gradient) if decoupled else (value, gradient + decay * value)
    step = float(memory.get("step", 0)) + 1
    mean = beta1 * memory.get("exp_avg", 0.0) + (1 - beta1) * gradient
    square = beta2 * memory.get("exp_avg_sq", 0.0) + (1 - beta2) * gradient.square()
    memory.update(step=step, exp_avg=mean, exp_avg_sq=square)
    still = square == 0  # a root has no slope at 0
    root = torch.where(still, 0.0, torch.where(still, 1.0, square / (1 - beta2**step)).sqrt())
    return value - rate * (mean / (1 - beta1**step)) / (root + group["eps"])


@contextmanager
def _kept_buffers(*modules: nn.Module) -> Iterator[None]:
    """Puts running statistics and the like back to where they were: steps that are only thought of leave no trace."""
    kept = [(buffer, buffer.detach().clone()) for module in modules for buffer in module.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in kept:
                buffer.copy_(value)

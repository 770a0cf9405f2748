"""Weights of a player that get gradients and that nothing ever moves: held in a plain list, where torch does not find them, or left out of
every optimizer."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gandiag.recording.player import Player

LOOKS = range(20, 24)  # steps after which it is looked which of them have a gradient
DEEPEST = 3  # containers within containers
PROBED = 256  # values of each that are compared at the end


class Unstepped:
    """Notes such weights early in a run, and tells at its end which of them are what they were."""

    def __init__(self, players: Mapping[str, Player]) -> None:
        self._players = players
        # by player and name: the weight, values of it as they were
        self._found: dict[str, dict[str, tuple[Tensor, Tensor]]] = {}

    def look(self) -> None:
        """Looks at which weights that no optimizer of the player's holds have a gradient. Waits for nothing."""
        for who, player in self._players.items():
            if player.optimizer is None or not player.steps_it:
                continue
            held = {id(p) for group in getattr(player.optimizer, "param_groups", ()) for p in group["params"]}
            if not held:
                continue
            known = self._found.setdefault(who, {})
            for name, weight in (*player.module.named_parameters(), *hidden(player.module)):
                if id(weight) not in held and name not in known and weight.requires_grad and weight.grad is not None:
                    known[name] = weight, _probe(weight).clone()

    def told(self) -> dict[str, Any] | None:
        """Returns, by player, the names of those that are unregistered and of those that are left out.

        Waits for the device.
        """
        if not any(self._found.values()):
            return None
        found, held = {}, _held_by_any()
        for who, weights in self._found.items():
            rest = {name: w for name, (w, was) in weights.items() if id(w) not in held and torch.equal(_probe(w), was)}
            if rest:
                module = self._players[who].module
                registered = {id(p) for p in module.parameters()}
                found[who] = {
                    "unregistered": [name for name, w in rest.items() if id(w) not in registered],
                    "left_out": [name for name, w in rest.items() if id(w) in registered],
                }
        return found or None


def hidden(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yields the weights, with names, that a network holds where `parameters()` does not look: in lists, tuples, dicts, as plain tensors."""
    registered = {id(p) for p in module.parameters()}
    for path, part in module.named_modules():
        for name, value in vars(part).items():
            if name in ("_parameters", "_buffers", "_modules"):
                continue
            for where, weight in _within(value, DEEPEST):
                if id(weight) not in registered:
                    yield ".".join(filter(None, (path, name + where))), weight


def _within(value: Any, deep: int) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        if value.requires_grad and value.is_leaf:
            yield "", value
    elif isinstance(value, nn.Module):
        yield from (("." + name, p) for name, p in value.named_parameters())
    elif deep and type(value) in (list, tuple, dict):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            for where, weight in _within(one, deep - 1):
                yield f"[{key!r}]{where}", weight


def _probe(weight: Tensor) -> Tensor:
    return weight.detach().reshape(-1)[:PROBED]


def _held_by_any() -> set[int]:
    """Returns the ids of what all optimizers hold that there are."""
    # isinstance would ask strange objects for their class
    optimizers = [o for o in gc.get_objects() if issubclass(type(o), Optimizer) and hasattr(o, "param_groups")]
    return {id(p) for o in optimizers for group in o.param_groups for p in group["params"]}

"""Players that the loop calls past `__call__`, by `forward` or by methods of their own (`G.sample(n)`, `D.score(x)`): those are watched.

Only where a player is trained and torch's hooks have seen no call of it. Of methods that call one another the innermost that returns
samples, or verdicts, is the player's call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from gandiag.recording.direct import Direct
from gandiag.recording.outputs import tensors

Told = Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Any], None]


class Methods:
    """Watches a player's public methods and tells of each call that returns what the player makes; `remove` gives them back."""

    def __init__(self, module: nn.Module, told: Told, *, verdicts: bool) -> None:
        self._told, self._makes = told, _is_verdict if verdicts else _is_sample
        self._inside: list[bool] = []  # of the calls that run, whether a call within has been told of
        self.remove = self._watch(module)

    def _watch(self, module: nn.Module) -> Callable[[], None]:
        watched = [Direct(self._enter, self._leave, name) for name in method_names(module)]
        for one in watched:
            one.watch(module)

        def remove() -> None:
            for one in watched:
                one.remove()

        return remove

    def _enter(self, module: nn.Module, arguments: tuple[Any, ...]) -> None:
        self._inside.append(False)

    def _leave(self, module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        told = self._inside.pop()
        if not told and self._makes(output, (arguments, named)):
            self._told(module, arguments, named, output)
            told = True
        if told and self._inside:
            self._inside[-1] = True


def within(module: nn.Module) -> nn.Module | None:
    """Returns the network that a module is made of alone, by its parameters: what it returns is likely what the module does; None where
    there is no such.
    """
    held = {id(p) for p in module.parameters()}
    inner = [m for m in module.children() if held and {id(p) for p in m.parameters()} == held]
    return inner[0] if len(inner) == 1 else None


def method_names(module: nn.Module) -> list[str]:
    """Returns the names of the methods that a network's own classes define for their users, `forward` among them."""
    names: dict[str, None] = {}
    for kind in type(module).__mro__:
        if kind is nn.Module:
            break
        names |= {
            name: None for name, held in vars(kind).items() if inspect.isfunction(held) and not name.startswith("_")
        }
    return [name for name in names if name == "forward" or not hasattr(nn.Module, name)]


def _is_sample(output: Any, given: Any) -> bool:
    """Whether a method of a generator has returned a batch."""
    return any(t.dim() > 1 for t in tensors(output))


def _is_verdict(output: Any, given: Any) -> bool:
    """Whether a method of a discriminator has returned a number for each sample that it was given, or a map of such numbers."""
    batch = next((t for t in tensors(given) if t.dim() > 1), None)
    verdict = next(iter(tensors(output)), None)
    if not isinstance(batch, Tensor) or not isinstance(verdict, Tensor) or not verdict.dim():
        return False
    one_each = verdict.numel() == len(batch)
    return len(verdict) == len(batch) and (one_each or (verdict.dim() == 4 and verdict.shape[1] == 1))

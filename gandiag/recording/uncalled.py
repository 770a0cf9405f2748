"""Whether the modules that hold weights without a gradient are called at all: a stage that a growing network is yet to reach is cut off
from nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from gandiag.recording.hooks import Watching


class Uncalled:
    """Watches, by hooks, which of the modules that hold these parameters are called; `remove` takes the hooks away.

    The network's own parameters, and those of a compiled network, whose code hooks would have made anew, are not looked at.
    """

    def __init__(self, network: nn.Module, names: Sequence[str]) -> None:
        self._undo: dict[str, Callable[[], None]] = {}
        self._names = tuple(names)
        modules = dict(network.named_modules())
        if any(hasattr(m, "_orig_mod") or getattr(m, "_compiled_call_impl", None) for m in modules.values()):
            return
        for path in {_owner(name) for name in names} & modules.keys() - {""}:
            self._undo[path] = modules[path].register_forward_pre_hook(Watching(self._called, path)).remove

    def _called(self, path: str, *_: Any) -> None:
        undo = self._undo.pop(path, None)
        if undo is not None:
            undo()

    @property
    def parameters(self) -> list[str]:
        """Those whose modules have not been called since."""
        return [name for name in self._names if _owner(name) in self._undo]

    def remove(self) -> None:
        """Takes the hooks away."""
        for undo in self._undo.values():
            undo()
        self._undo = {}


def _owner(name: str) -> str:
    return name.rpartition(".")[0]

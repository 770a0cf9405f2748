"""Networks that a script calls past `__call__` (`net.forward(x)`), where no hook of torch's sees them: their `forward` is watched."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn
from torch.nn.modules import module as torch_module

from gandiag.recording.untouched import is_ours

MOST_FRAMES = 40


def called_directly() -> nn.Module | None:
    """Returns the outermost module whose `forward` is running without its `__call__`, as seen from a hook; None where there is none."""
    found, frame = None, sys._getframe(1)
    for _ in range(MOST_FRAMES):
        above = frame.f_back
        if above is None:
            break
        owner = frame.f_locals.get("self") if frame.f_code.co_name == "forward" else None
        if isinstance(owner, nn.Module) and above.f_code.co_filename != torch_module.__file__:
            found = owner
        frame = above
    return found


class Watched:
    """A module's `forward`, or another method, that is looked at; in a copy or a pickle of the module it is the copy's own, and needs no gandiag."""

    def __init__(
        self,
        module: nn.Module,
        original: Callable[..., Any],
        enter: Callable[..., None],
        leave: Callable[..., None],
        name: str = "forward",
    ) -> None:
        self._module, self._original, self._enter, self._leave = module, original, enter, leave
        self._name = name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if sys._getframe(1).f_code.co_filename == torch_module.__file__:
            return self._original(*arguments, **named)  # by way of `__call__`, whose hooks see it
        self._enter(self._module, arguments)
        output = None
        try:
            output = self._original(*arguments, **named)
            return output
        finally:
            self._leave(self._module, arguments, named, output)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self._original, memo)  # a method of the copy that is being made

    def __reduce__(self) -> tuple[Any, ...]:
        if getattr(self._original, "__func__", None) is getattr(type(self._module), self._name, None):
            return getattr, (self._module, self._name)
        return partial, (self._original,)


class Direct:
    """Watches the `forward` of single modules, or another method, as long as needed; `remove` gives them their own back."""

    def __init__(self, enter: Callable[..., None], leave: Callable[..., None], name: str = "forward") -> None:
        self._enter, self._leave, self._name = enter, leave, name
        self._undo: dict[nn.Module, Callable[[], None]] = {}

    def __contains__(self, module: nn.Module) -> bool:
        return module in self._undo

    @property
    def modules(self) -> list[nn.Module]:
        """The modules that are watched so."""
        return list(self._undo)

    def watch(self, module: nn.Module) -> None:
        """Looks at each direct call of this module's method from now on."""
        name = self._name
        original = getattr(module, name)
        own = name in vars(module)
        watched = Watched(module, original, self._enter, self._leave, name)

        def undo() -> None:
            if vars(module).get(name) is watched:
                if own:
                    setattr(module, name, original)
                else:
                    delattr(module, name)

        setattr(module, name, watched)
        self._undo[module] = undo

    def remove(self) -> None:
        """Gives every module its own `forward` back."""
        for undo in self._undo.values():
            undo()
        self._undo = {}


def tell_hooks(module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
    """Tells the forward hooks that gandiag has on a module of a call that went past them."""
    if output is None:
        return
    for key, hook in list(module._forward_hooks.items()):
        told: Any = hook
        if is_ours(hook) and key in module._forward_hooks_with_kwargs:
            told(module, arguments, named, output)

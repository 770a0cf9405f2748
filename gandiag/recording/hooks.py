"""Puts hooks on modules and tensors: cheaply, also on compiled modules, and so that no copy of a module takes them along."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


def on_gradient(tensor: Tensor, made_by: Any, hook: Callable[[Tensor | None], None]) -> None:
    """Calls a hook with the gradient at a tensor, which a node of the graph has made, as `Tensor.register_hook` would, which takes
    four times as long to set up. It is None where the loss reads another piece of what that node returned (chunk, split, unbind).
    """
    if made_by is None or tensor._backward_hooks is not None:
        tensor.register_hook(hook)
        return
    tensor._backward_hooks = hooks = OrderedDict()
    hooks["gandiag"] = hook
    made_by._register_hook_dict(tensor)


class Watching(partial[None]):
    """A hook that stays with the module that it watches: a copy or a pickle of the module (an average of the generator, a checkpoint
    of the whole object) holds in its place a standard-library function that does nothing, and needs no gandiag to be read.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (contextlib.nullcontext(), "__exit__")


def hook_on(module: nn.Module, hook: Callable[..., None]) -> Callable[[], None]:
    """Registers a forward hook, also on a module that was compiled in place, whose compiled call would trace hooks into itself, and on
    a scripted one, which takes none.
    """
    compiled = getattr(module, "_compiled_call_impl", None)
    scripted = compiled is None and isinstance(module, torch.jit._script.RecursiveScriptModule)
    if scripted:
        compiled = module._call_impl
    elif compiled is None:
        return module.register_forward_hook(Watching(hook), with_kwargs=True).remove

    def watched(*arguments: Any, **named: Any) -> Any:
        output = compiled(*arguments, **named)
        hook(module, arguments, named, output)
        return output

    module._compiled_call_impl = watched

    def undo() -> None:
        if scripted:
            vars(module).pop("_compiled_call_impl", None)
        elif module._compiled_call_impl is watched:
            module._compiled_call_impl = compiled

    return undo

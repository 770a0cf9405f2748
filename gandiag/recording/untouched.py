"""Measuring without a trace: random streams, buffers, modes and hooks are put back, and players can be copied."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.jit import _recursive as scripting

OUR_HOOKS = "gandiag.recording"  # forward hooks defined in this package must not see what is only a measurement
_HOOK_TABLES = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Inside, every global random stream (torch on each device, numpy, random) starts from `seed`; after, they go on as before."""
    kept = random.getstate(), np.random.get_state()  # noqa: NPY002 - what a user's loss draws from is frozen, numpy's global stream too
    with torch.random.fork_rng(devices=_cuda_devices()):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 - as above
        try:
            yield
        finally:
            random.setstate(kept[0])
            np.random.set_state(kept[1])  # noqa: NPY002 - as above


def _cuda_devices() -> list[int]:
    return list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []


@contextmanager
def untouched(*modules: nn.Module) -> Iterator[None]:
    """Puts back each module's buffers, train/eval modes and `.grad`, and hides gandiag's own hooks meanwhile."""
    modes = [(part, part.training) for m in modules for part in m.modules()]
    gradients = [(p, p.grad) for m in modules for p in m.parameters()]
    with _without_our_hooks(modules), frozen_buffers(modules):
        try:
            for parameter, _ in gradients:
                # a loss that calls backward() itself must not add to what the training has gathered
                parameter.grad = None
            yield
        finally:
            for part, training in modes:
                part.training = training
            for parameter, gradient in gradients:
                parameter.grad = gradient


def to_eval_mode(module: nn.Module) -> nn.Module:
    """Sets a module and its parts to eval mode, and returns it; the module's own `train` and `eval` are not called.

    Many a tutorial's network has a method `train(inputs, targets)` that makes an update, in the place of torch's.
    """
    for part in nn.Module.modules(module):
        part.training = False
    return module


@contextmanager
def frozen_buffers(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Lets the modules work on copies of their buffers (running statistics, power-iteration vectors), so that theirs stay as they are.

    The buffers are exchanged, not written back: what a kept graph has saved of them stays valid.
    """
    parts = list({id(part): part for m in modules for part in m.modules()}.values())
    kept = [(part, name, buffer) for part in parts for name, buffer in part._buffers.items() if buffer is not None]
    copies = {id(buffer): buffer.detach().clone() for _, _, buffer in kept}
    for part, name, buffer in kept:
        part._buffers[name] = copies[id(buffer)]
    try:
        yield
    finally:
        for part, name, buffer in kept:
            part._buffers[name] = buffer


def bare(module: nn.Module) -> nn.Module:
    """Returns the module inside torch.compile's or DistributedDataParallel's wrapper: those have no second derivative."""
    while True:
        inner = getattr(module, "_orig_mod", None)
        if inner is None and isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = module.module
        if not isinstance(inner, nn.Module):
            return module
        module = inner


def copied(*modules: nn.Module) -> list[nn.Module]:
    """Returns copies of modules, wrappers and gandiag's hooks left out; parameters that they share stay shared between the copies.

    Every copied parameter asks for gradients only where the original does.
    """
    originals = [bare(m) for m in modules]
    with _without_our_hooks(originals):
        return [copy.deepcopy(m, memo) for memo in [_memo(originals)] for m in originals]


def _memo(modules: Sequence[nn.Module]) -> dict[int, Any]:
    """Tensors that are no leaves (what the old spectral_norm leaves in `weight`) cannot be deep-copied: detached ones take their place."""
    memo: dict[int, Any] = {}
    for module in modules:
        for part in module.modules():
            for value in vars(part).values():
                if isinstance(value, Tensor) and not value.is_leaf:
                    memo[id(value)] = value.detach().clone()
    return memo


@contextmanager
def _without_our_hooks(modules: Sequence[nn.Module]) -> Iterator[None]:
    taken: list[tuple[Any, int, Any]] = []
    for module in modules:
        for part in module.modules():
            for name in _HOOK_TABLES:
                table = getattr(part, name)
                taken += [(table, key, hook) for key, hook in table.items() if is_ours(hook)]
    orders = {id(table): (table, list(table)) for table, _, _ in taken}
    for table, key, _ in taken:
        del table[key]
    try:
        yield
    finally:
        for table, key, hook in taken:
            table[key] = hook
        for table, order in orders.values():
            for key in order:
                if key in table:
                    table.move_to_end(key)


def hidden_from_scripting() -> Callable[[], None]:
    """Lets `torch.jit.script` see no hook of gandiag's, which it would compile into the module; returns what undoes that."""
    original: Callable[[nn.Module], Any] = scripting.get_hook_stubs

    def get_hook_stubs(module: nn.Module) -> Any:
        with _without_our_hooks([module]):
            return original(module)

    def undo() -> None:
        if scripting.get_hook_stubs is get_hook_stubs:
            scripting.get_hook_stubs = original

    scripting.get_hook_stubs = get_hook_stubs
    return undo


def is_ours(hook: Any) -> bool:
    """Tells whether a hook was defined in this package's recording."""
    function = getattr(hook, "func", hook)  # a functools.partial hides its function
    return str(getattr(function, "__module__", None) or type(function).__module__).startswith(OUR_HOOKS)

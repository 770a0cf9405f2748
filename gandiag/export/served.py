"""Served: the generator as it is exported (frozen copy, labels, truncation, bytes), and its evaluation in float32, float64 and as if in half."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from gandiag.errors import UsageError
from gandiag.export.contract import Contract, ExportError

CHUNK = 64  # latents that torch evaluates at once


class Served(nn.Module):
    """A generator with what is put into the graph around it: truncation before, bytes after. forward(z) or forward(z, label)."""

    def __init__(self, generator: nn.Module, contract: Contract, *, quantise: bool) -> None:
        super().__init__()
        self.generator = generator
        self.truncation = contract.truncation
        self.own_truncation = "truncation_psi" in _parameters(generator)
        self.byte_range = contract.value_range if quantise else None
        self.training = False  # the generator is frozen already, and may have a `train` of its own

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Returns images (n, c, h, w), bytes (n, h, w, c) or points (n, d) for latents z and, where there are classes, labels (n,)."""
        options: dict[str, float] = {}
        if self.truncation is not None and self.own_truncation:
            options["truncation_psi"] = self.truncation  # StyleGAN's own trick, in its intermediate latent space
        elif self.truncation is not None:
            z = z * self.truncation
        made = self.generator(z, **options) if label is None else self.generator(z, label, **options)
        image = only_tensor(made)
        return image if self.byte_range is None else to_bytes(image, self.byte_range)


def to_bytes(image: Tensor, value_range: tuple[float, float]) -> Tensor:
    """Turns float images (n, c, h, w) into bytes (n, h, w, c) as StyleGAN does: (x * 127.5 + 128), clamped and cut, for [-1, 1]."""
    return byte_levels(image, value_range).to(torch.uint8).permute(0, 2, 3, 1)


def byte_levels(image: Tensor, value_range: tuple[float, float]) -> Tensor:
    """The byte levels before they are cut to whole numbers, clamped to 0 .. 255."""
    low, high = value_range
    scale = 255.0 / (high - low)
    return (image * scale + (0.5 - low * scale)).clamp(0.0, 255.0)


def only_tensor(made: Any) -> Tensor:
    """Returns the one tensor that a forward returned, also out of a tuple or dict with Nones; raises ExportError where there are more."""
    if isinstance(made, Tensor):
        return made
    parts = list(made.values()) if isinstance(made, dict) else list(made) if isinstance(made, (tuple, list)) else [made]
    tensors = [part for part in parts if part is not None]
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return tensors[0]
    names = ", ".join(type(part).__name__ for part in parts)
    raise ExportError(
        f"forward() returns {type(made).__name__} of {names}, not one tensor of images: export a small module that returns the images alone"
    )


# ------------------------------------------------------------------------------------------------------------ freezing


def frozen_copy(generator: nn.Module) -> nn.Module:
    """Returns a float32 copy on the CPU in eval mode without gradients; the caller's module, its mode and its buffers stay untouched.

    Wrappers of torch.compile, DataParallel and DDP are taken off. Forward hooks of others (recorders, loggers) are left behind;
    torch's own (spectral and weight norm) stay.
    """
    if not isinstance(generator, nn.Module):
        raise UsageError(f"a torch.nn.Module is exported, and this is a {type(generator).__name__}")
    bare = _unwrapped(generator)
    if isinstance(bare, torch.jit.ScriptModule):
        raise ExportError(
            "a TorchScript module cannot be exported: build the nn.Module that it was scripted from and load its weights"
        )
    try:
        twin: nn.Module = copy.deepcopy(bare, _memo(bare))
    except (TypeError, RuntimeError, ValueError) as error:
        raise ExportError(
            f"{type(bare).__name__} cannot be copied, so it cannot be frozen for export: {error}"
        ) from error
    for module in twin.modules():
        module._compiled_call_impl = None
        module.training = False  # `eval` calls a module's `train`, which many a tutorial's network uses for an update
    return twin.cpu().float().requires_grad_(False)


def _unwrapped(generator: nn.Module) -> nn.Module:
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while isinstance(generator, wrappers) or hasattr(generator, "_orig_mod"):
        inner = generator.module if isinstance(generator, wrappers) else generator._orig_mod
        assert isinstance(inner, nn.Module)
        generator = inner
    return generator


def _memo(generator: nn.Module) -> dict[int, Any]:
    """What deepcopy must not follow: hooks of others, gradients, and the non-leaf weights that old-style norms leave on a module."""
    memo: dict[int, Any] = {}
    for module in generator.modules():
        for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"):
            hooks = getattr(module, name)
            memo[id(hooks)] = OrderedDict((key, hook) for key, hook in hooks.items() if _is_of_torch(hook))
        for value in vars(module).values():
            if isinstance(value, Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    for parameter in generator.parameters():
        if parameter.grad is not None:
            memo[id(parameter.grad)] = None
    return memo


def _is_of_torch(hook: Callable[..., Any]) -> bool:
    home = getattr(hook, "__module__", None) or type(hook).__module__
    return home.startswith("torch.nn.")


def _parameters(generator: nn.Module) -> list[str]:
    return list(inspect.signature(generator.forward).parameters)


# ---------------------------------------------------------------------------------------------------------- evaluating


def evaluate(served: Served, latents: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Returns what torch makes of the latents in float32 (bytes, where the graph makes bytes), CHUNK at a time."""
    return _in_chunks(served, latents, labels)


def evaluate_double(served: Served, latents: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Returns what the generator is in exact terms: every float32 of its computation held as float64 instead.

    Casts inside forward (`.float()`, `dtype=torch.float32`, new tensors) are lifted too.
    """
    return _in_chunks(copy.deepcopy(served).double(), latents.astype(np.float64), labels, _Double)


def evaluate_half(served: Served, latents: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Returns what float16 storage makes of the generator: weights and the result of each operation rounded to half, sums in float32."""
    rounded = copy.deepcopy(served)
    for tensor in (*rounded.parameters(), *rounded.buffers()):
        tensor.data = _round_to_half(tensor.data)
    return _in_chunks(rounded, latents.astype(np.float16).astype(np.float32), labels, _Half)


def _in_chunks(
    served: Served, latents: np.ndarray, labels: np.ndarray | None, mode: type[TorchFunctionMode] | None = None
) -> np.ndarray:
    parts = []
    for start in range(0, len(latents), CHUNK):
        inputs = [torch.from_numpy(latents[start : start + CHUNK])]
        if labels is not None:
            inputs.append(torch.from_numpy(labels[start : start + CHUNK]))
        with torch.no_grad(), contextlib.nullcontext() if mode is None else mode():
            made = served(*inputs)
        parts.append(made.numpy())
    return np.concatenate(parts)


class _Double(TorchFunctionMode):
    """Holds as float64 whatever the code under it asks to be float32."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.float:
            return args[0].double()
        lifted = tree_map(_lift, (args, kwargs or {}))
        return tree_map(_lift_tensor, func(*lifted[0], **lifted[1]))


class _Half(TorchFunctionMode):
    """Rounds the floats that each operation returns to half precision."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return tree_map(
            lambda one: _round_to_half(one) if isinstance(one, Tensor) and not isinstance(one, nn.Parameter) else one,
            func(*args, **(kwargs or {})),
        )


def _lift(value: Any) -> Any:
    return torch.float64 if value is torch.float32 else _lift_tensor(value)


def _lift_tensor(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.dtype == torch.float32 else value


def _round_to_half(value: Tensor) -> Tensor:
    return value.half().float() if value.dtype == torch.float32 else value

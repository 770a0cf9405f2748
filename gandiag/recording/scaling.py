"""Mixed precision's scale and the updates that it skips: what is read of a GradScaler, and never waited for."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def scaler_on_the_stack() -> Callable[[], Any] | None:
    """Returns a weak reference to the GradScaler that is stepping the optimizer right now, None where none is."""
    frame = sys._getframe(1)
    for _ in range(12):
        if frame is None:
            return None
        if frame.f_code.co_filename.endswith("grad_scaler.py"):
            owner = frame.f_locals.get("self")
            if isinstance(owner, torch.amp.GradScaler):
                return weakref.ref(owner)
        frame = frame.f_back  # type: ignore[assignment]  # None at the bottom of the stack, which the loop looks for
    return None


def either(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    return other if one is None else one if other is None else torch.maximum(one, other)


def number(value: Any) -> Tensor | None:
    return value.detach().clone().float().reshape(()) if isinstance(value, Tensor) else None

"""What the generator is fed while it is trained: whether it is one and the same batch at every step."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gandiag.recording.outputs import tensors

LOOKS = 32  # first steps in which it is looked at
FEWEST = 16  # of them, in which the very same tensor must have been fed
PROBED = 64  # of its values, so that one that is refilled behind its version counter is not taken for the same


class Feeding:
    """Watches the first floating-point argument of the generator's calls that are trained on, once a step."""

    def __init__(self) -> None:
        self._last: weakref.ref[Tensor] | None = None
        self._row = self._version = -1
        self._first: Tensor | None = None
        self._moved: Tensor | None = None
        self.steps = self.same = self.batch = 0

    def look(self, row: int, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Notes what the generator is fed in this step, without waiting for the device."""
        if row >= LOOKS or row == self._row:
            return
        given = (
            arguments[0]
            if arguments and type(arguments[0]) is Tensor
            else next(iter(tensors((arguments, named))), None)
        )
        if given is None or not given.is_floating_point() or not given.dim() or not given.numel():
            return
        same = self._last is not None and self._last() is given and self._version == given._version
        self._row, self._version, self._last = row, given._version, weakref.ref(given)
        self.steps += 1
        with torch.no_grad():
            values = given.detach().reshape(-1)[:PROBED].float()
            if not same or self._first is None or self._moved is None:
                self._first, self._moved, self.same = values.clone(), torch.zeros((), device=given.device), 0
            else:
                self.same += 1
                self._moved = self._moved + (values - self._first).abs().sum()
        self.batch = len(given)

    def told(self) -> dict[str, Any] | None:
        """Returns the entry of run.json, None where the generator's input changes. Waits for the device."""
        if self.same < FEWEST or self.same < self.steps - 2 or self._moved is None or float(self._moved) != 0:
            return None
        return {"samples": self.batch, "steps": self.same + 1}

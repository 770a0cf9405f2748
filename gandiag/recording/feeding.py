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
    """Watches what floating-point tensors the generator is given in calls that are trained on, once a step."""

    def __init__(self) -> None:
        self._last: list[weakref.ref[Tensor]] = []
        self._row = -1
        self._versions: list[int] = []
        self._first: Tensor | None = None
        self._moved: Tensor | None = None
        self.steps = self.same = self.batch = 0

    def look(self, row: int, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Notes what the generator is fed in this step, without waiting for the device."""
        if row >= LOOKS or row == self._row:
            return
        given = [t for t in tensors((arguments, dict(named))) if t.dim() and t.numel()]
        if not given:
            return
        versions = [t._version for t in given]
        same = versions == self._versions and all(last() is t for last, t in zip(self._last, given))
        self._row, self._versions, self._last = row, versions, [weakref.ref(t) for t in given]
        self.steps += 1
        with torch.no_grad():
            values = torch.cat([t.detach().reshape(-1)[:PROBED].float() for t in given])
            if not same or self._first is None or self._moved is None:
                self._first, self._moved, self.same = values, torch.zeros((), device=values.device), 0
            else:
                self.same += 1
                self._moved = self._moved + (values - self._first).abs().sum()
        self.batch = len(given[0])

    def told(self) -> dict[str, Any] | None:
        """Returns the entry of run.json, None where the generator's input changes. Waits for the device."""
        if self.same < FEWEST or self.same < self.steps - 2 or self._moved is None or float(self._moved) != 0:
            return None
        return {"samples": self.batch, "steps": self.same + 1}

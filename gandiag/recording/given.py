"""Which batches of the discriminator hold what the generator was given (a state beside its action, a label): of two, the only one is the fakes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gandiag.recording.origin import distance
from gandiag.recording.outputs import tensors

KEPT_CALLS = 4  # of the generator
MOST_COMPARED = (
    1_000_000  # values, where a batch may be drawn from what was given: each of its rows is held against all
)


class WhatWasGiven:
    """What the generator was given last, kept only where neither storage nor graph tells reals from fakes."""

    def __init__(self) -> None:
        self.is_asked = True  # until D's first update, which tells whether it is needed
        self.is_needed = False
        self._given: deque[list[Tensor]] = deque(maxlen=KEPT_CALLS)

    def note(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Keeps what the generator is given."""
        self._given.append([t.detach() for t in tensors((arguments, dict(named))) if t.dim() > 1])

    def is_held_by(self, arguments: tuple[Any, ...], named: Mapping[str, Any], image: Tensor) -> Tensor | None:
        """Tells whether what D is shown holds it beside a sample, joined to it or as an argument of its own: a 0-d flag.

        None where nothing has the form. The sample itself is not compared: what the generator makes anew of data is no trace of fakes.
        """
        given = [g for call in self._given for g in call]
        found = []
        with torch.no_grad():
            for shown in tensors((arguments, dict(named))):
                is_sample = shown.data_ptr() == image.data_ptr() and shown.shape == image.shape
                for one in given:
                    if is_longer(shown, one) or (not is_sample and shown.shape == one.shape):
                        apart = distance(shown.detach(), one)
                        found += [] if apart is None else [apart == 0]
                    if is_drawn(shown, one):
                        found += rows_within(shown.detach(), one)
        return torch.stack(found).any() if found else None


def is_held(one: Tensor, shown: Sequence[Tensor]) -> bool:
    """Tells whether a tensor is a part of what is shown: joined to something else, or one of several arguments. Waits for the device."""
    for tensor in shown:
        if tensor.device != one.device or tensor.dtype != one.dtype:
            continue
        if tensor.shape == one.shape and len(shown) > 1 and torch.equal(tensor, one):
            return True
        if is_drawn(tensor, one) and any(map(bool, rows_within(tensor, one))):
            return True
        if is_longer(tensor, one):
            axis = next(i for i, (a, b) in enumerate(zip(tensor.shape, one.shape)) if a != b)
            size, whole = one.shape[axis], tensor.shape[axis]
            if any(torch.equal(tensor.narrow(axis, begin, size), one) for begin in (0, whole - size)):
                return True
    return False


def is_longer(shown: Tensor, one: Tensor) -> bool:
    """Tells whether a tensor may be another one with something joined to it along one axis, but the first."""
    if shown.dim() != one.dim() or len(shown) != len(one):
        return False
    differ = [a - b for a, b in zip(shown.shape, one.shape) if a != b]
    return len(differ) == 1 and differ[0] > 0


def is_drawn(shown: Tensor, one: Tensor) -> bool:
    """Tells whether the rows of a batch may be some of another one's with something joined to each: a minibatch of what was rolled out."""
    return (
        shown.dim() == one.dim() == 2
        and 1 < one.shape[1] < shown.shape[1]
        and len(one) >= len(shown) > 0
        and len(one) * one.numel() <= MOST_COMPARED
        and shown.device == one.device
    )


def rows_within(shown: Tensor, one: Tensor) -> list[Tensor]:
    """Tells whether the first values of each row of a batch are a row of another one, and whether the last are: two 0-d flags.

    Where some rows of the other one are alike, words or labels, nothing is told by it.
    """
    size, whole = one.shape[1], shown.shape[1]
    distinct = (one[:, None] == one[None]).all(-1).sum() == len(one)
    parts = (shown.narrow(1, begin, size) for begin in (0, whole - size))
    return [(part[:, None] == one[None]).all(-1).any(1).all() & distinct for part in parts]


def lead_of(flags: Sequence[Tensor | None]) -> Tensor | None:
    """Returns by how much the first of two batches is the one that holds what was given: 1, -1, or 0 where both or none do."""
    first, second = flags
    return None if first is None or second is None else first.float() - second.float()

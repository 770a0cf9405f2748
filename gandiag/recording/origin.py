"""Tells fakes from reals: an input of the discriminator is fake when it shares storage with, or descends from, an output of G.

Storage is compared by identity through weak references, which hold no memory and cannot be confused by memory that is used
again. Descent is read off the graph by the nodes' sequence numbers, which only ever grow: a walk never goes below the oldest
output of G that it looks for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

KEPT_OUTPUTS = 64  # storages of G's last outputs that are recognised
HELD_OUTPUTS = 4  # of those, held alive for comparison by value where neither storage nor graph tells
MOST_NODES = 2000  # of an augmentation between G and D that the walk goes through


@dataclass(frozen=True)
class Origin:
    """Where an input of the discriminator comes from."""

    fake: bool
    attached: bool = False  # the graph leads back to G: a gradient reaches it from here
    batch: int | None = None  # how many samples the output of G had that the graph leads back to


REAL, FAKE = Origin(False), Origin(True)


class Outputs:
    """The generator's last outputs, as far as they are needed to recognise them."""

    def __init__(self) -> None:
        self._storages: dict[int, StorageWeakRef] = {}  # by identity, the oldest first
        self._attached: dict[int, Origin] = {}  # by batch
        self._batch_of: dict[int, int] = {}  # by the node's sequence number, the oldest first
        self.held: deque[Tensor] = deque(maxlen=HELD_OUTPUTS)

    def remember(self, output: Tensor) -> None:
        """Notes one output of the generator."""
        reference = StorageWeakRef(output.untyped_storage())
        storages = self._storages
        storages.pop(reference.cdata, None)
        storages[reference.cdata] = reference
        if len(storages) > KEPT_OUTPUTS:
            del storages[next(iter(storages))]
        made_by = output.grad_fn
        if made_by is not None:
            self._batch_of[made_by._sequence_nr()] = output.shape[0] if output.dim() else 1
            if len(self._batch_of) > KEPT_OUTPUTS:
                del self._batch_of[next(iter(self._batch_of))]
        self.held.append(output.detach())

    def origin(self, value: Tensor) -> Origin:
        """Tells whether a tensor is an output of the generator, a view of one, or made from one."""
        made_by = value.grad_fn
        if made_by is not None:
            batch = self._batch_of.get(made_by._sequence_nr())  # the usual case: an output itself
            if batch is None:
                batch = self._ancestor(made_by)
            if batch is not None:
                known = self._attached.get(batch)
                if known is None:
                    known = self._attached[batch] = Origin(True, True, batch)
                return known
        reference = self._storages.get(value.untyped_storage()._cdata)
        return FAKE if reference is not None and not reference.expired() else REAL

    def forget(self) -> None:
        """Lets the held outputs go."""
        self.held.clear()

    def _ancestor(self, made_by: Any) -> int | None:
        """Returns the batch of the output of G that a node was computed from, None where there is none."""
        wanted = self._batch_of
        oldest = min(wanted, default=None)
        if oldest is None:
            return None
        todo = [made_by]
        seen: set[int] = set()
        while todo and len(seen) < MOST_NODES:
            node = todo.pop()
            number = node._sequence_nr() if node is not None else -1
            if node is None or number < oldest or number in seen:
                continue
            if number in wanted:
                return wanted[number]
            seen.add(number)
            todo.extend(parent for parent, _ in node.next_functions)
        return None


def nearer(first: Tensor, second: Tensor, outputs: deque[Tensor]) -> Tensor | None:
    """Returns a 0-d flag, true where `first` is nearer to G's last output of that shape than `second`; None where there is none."""
    for output in reversed(outputs):
        if output.shape == first.shape == second.shape:
            return (first - output).abs().mean() < (second - output).abs().mean()
    return None


def is_tracked(value: Tensor) -> bool:
    """Tells whether a tensor is an ordinary one: not a function transform's wrapper, not a tracer's stand-in."""
    if type(value) is Tensor:
        return not torch._C._functorch.is_functorch_wrapped_tensor(value)
    return not hasattr(value, "fake_mode")

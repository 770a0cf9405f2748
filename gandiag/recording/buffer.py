"""The block of rows that waits on the device: preallocated, filled without a sync, reduced many steps at once.

Which entries of a row were measured is known on the host from the start (a bit mask), so that absent never becomes NaN, or zero.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandiag.recording.accelerated import row_totals
from gandiag.recording.step import on_device

# 0-d entries of a row, in the order of the scalar buffer's columns
SCALARS = (
    "d_loss",
    "g_loss",
    "d_penalty",
    "g_penalty",
    "real_sum",
    "fake_sum",
    "generator_gradient_at_image",
    "discriminator_gradient_max",
    "generator_gradient_max",
    "discriminator_scale",
    "generator_scale",
    "discriminator_gradient_scale",
    "generator_gradient_scale",
    "discriminator_skipped",
    "generator_skipped",
    "discriminator_skips",
    "generator_skips",
    "discriminator_turn_skipped",
    "generator_turn_skipped",
    "discriminator_stale_gradient_norm",
    "generator_stale_gradient_norm",
    "discriminator_sign",
    "generator_sign",
    "generator_game_gradient",
    "generator_whole_gradient",
    "generator_turn_verdict_sum",
    "generator_turn_verdicts",
)
# 1-d entries; their width is that of the first batch, and a new width begins a new block
VECTORS = (
    "real_logits",
    "fake_logits",
    "discriminator_force_real",
    "discriminator_force_fake",
    "generator_force_real",
    "generator_force_fake",
    "discriminator_gradient",
    "generator_gradient",
    "discriminator_layer_gradients",
    "generator_layer_gradients",
    "real_values",
    "fake_values",
    "image_gradient",
)
# what a vector entry that is copied whole, because that costs less than its reduction, stands for
WHOLE = {"real_values": "real_sum", "fake_values": "fake_sum", "image_gradient": "generator_gradient_at_image"}
WHOLE_VALUES = 4096  # up to so many values are copied whole; measured with benchmarks/overhead.py
BIT = {name: 1 << i for i, name in enumerate((*SCALARS, *VECTORS))}
BLOCK_STEPS = 64  # steps that wait on the device at most; one block is reduced in one go
ACCELERATED_BLOCK_STEPS = 256  # where C reduces them, whose numbers do not depend on how many there are
BLOCK_VALUES = 4_000_000  # float32 values that one vector entry may take for all rows of a block: 16 MB


@dataclass
class Block:
    """Rows on the device, and what the host knows of them."""

    device: torch.device
    capacity: int = BLOCK_STEPS
    steps: list[int] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    vectors: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scalars = torch.empty(self.capacity, len(SCALARS), dtype=torch.float32, device=self.device)
        self._places = [row.unbind(0) for row in self.scalars.unbind(0)]
        self._bits: tuple[int, int, int] | None = None  # of how many masks, and what all of them and any of them have
        self.plans: dict[Any, Any] = {}  # how rows are copied by address, as long as the vectors lie where they are
        self._vector_rows: dict[str, Sequence[Tensor]] = {}
        self._widths: dict[str, int] = {}
        self._shaped: dict[
            str, tuple[torch.Size, Sequence[Tensor]]
        ] = {}  # the same rows in the shape of what is copied
        self._blank()

    def _blank(self) -> None:
        """Absent entries are zero, an absent scale or sign is 1: it is divided by."""
        self.scalars.zero_()
        for i, name in enumerate(SCALARS):
            if name.endswith(("_scale", "_sign")):
                self.scalars[:, i].fill_(1.0)

    @property
    def full(self) -> bool:
        return len(self.steps) >= self.capacity

    def fits(self, vectors: Mapping[str, Sequence[Tensor]]) -> bool:
        """Tells whether a row with these vectors, each in pieces, can join the rows that are here."""
        for name, pieces in vectors.items():
            if not pieces:
                continue
            width = pieces[0].numel() if len(pieces) == 1 else sum(p.numel() for p in pieces)
            known = self._widths.get(name)
            if known != width and (known is not None or width * self.capacity > BLOCK_VALUES):
                return False
        return True

    def row(self, name: str, width: int) -> Tensor:
        """Returns the current row of a vector entry to write into (width,); its width must fit the block's."""
        rows = self._vector_rows.get(name)
        if rows is None or (not self.steps and self._widths[name] != width):
            self.vectors[name] = torch.zeros(self.capacity, width, dtype=torch.float32, device=self.device)
            rows = self._vector_rows[name] = self.vectors[name].unbind(0)
            self._widths[name] = width
            self._shaped.pop(name, None)
            self.plans.clear()
        return rows[len(self.steps)]

    def address(self, name: str, width: int) -> int:
        """Returns where the current row of a vector entry begins in memory; its width must fit the block's."""
        known = self.plans.get(name)
        if known is None or known[1] != 4 * width:
            if self.row(name, width).numel() != width:
                raise ValueError(f"a row of {name} has {self._widths[name]} values here, not {width}")
            known = self.plans[name] = self.vectors[name].data_ptr(), 4 * width
        begin, stride = known
        return int(begin + stride * len(self.steps))

    def place(self, name: str, like: Tensor) -> Tensor:
        """Returns the current row of a vector entry in the shape of the tensor that is to be copied into it."""
        shaped = self._shaped.get(name)
        if shaped is None or shaped[0] != like.shape:
            self.row(name, like.numel())
            shaped = self._shaped[name] = like.shape, self.vectors[name].view(self.capacity, *like.shape).unbind(0)
        return shaped[1][len(self.steps)]

    def copy(
        self, places: Sequence[int | str], values: Sequence[Tensor], vectors: Mapping[str, Sequence[Tensor]]
    ) -> None:
        """Copies values into the open row: a scalar's column, or a vector's name, whose pieces stand side by side; of any type."""
        scalars = self._places[len(self.steps)]
        into, whole = [], []
        for place, value in zip(places, values):
            pieces = vectors.get(place, ()) if isinstance(place, str) else ()
            if len(pieces) > 1:
                flat = [p.reshape(-1).float() for p in pieces]
                torch.cat(flat, out=self.row(str(place), sum(p.numel() for p in flat)))
            else:
                into.append(scalars[place] if isinstance(place, int) else self.place(place, value))
                whole.append(value)
        if into:
            torch._foreach_copy_(into, whole, non_blocking=True)

    def end_row(self, step: int, mask: int) -> None:
        """Closes the current row; `mask` holds the bits of what was written into it."""
        self.steps.append(step)
        self.masks.append(mask)

    def take_open_row(self, other: Block) -> None:
        """Moves what was written into another block's open row to the front of this empty one."""
        opened = len(other.steps)
        if opened < other.capacity:
            for name, rows in other._vector_rows.items():
                self.row(name, other._widths[name]).copy_(rows[opened])

    def clear(self) -> None:
        """Forgets the rows; the memory stays."""
        self.steps, self.masks, self._bits = [], [], None
        self._blank()

    def reduce_whole(self, library: ctypes.CDLL | None = None) -> None:
        """Reduces the entries that were copied whole to the scalars that they stand for: sums, and the norm of the gradient."""
        for name, scalar in WHOLE.items():
            bit = BIT[name]
            rows = [i for i, mask in enumerate(self.masks) if mask & bit]
            if not rows:
                continue
            values = self.vectors[name]
            if library is not None:
                reduced = row_totals(library, values[: len(self.masks)])[name == "image_gradient"]
            else:
                reduced = torch.linalg.vector_norm(values, dim=1) if name == "image_gradient" else values.sum(1)
            column = self.scalars[:, SCALARS.index(scalar)]
            if len(rows) == len(self.masks):
                column[: len(rows)] = reduced[: len(rows)]
            else:
                at = on_device(torch.tensor(rows), self.device)
                column[at] = reduced[at]
            self.masks = [mask | BIT[scalar] if mask & bit else mask for mask in self.masks]
            self._bits = None

    def measured(self) -> tuple[int, int]:
        """Returns the bits of the entries that all rows have, and of those that any row has."""
        if self._bits is None or self._bits[0] != len(self.masks):
            self._bits = len(self.masks), reduce(and_, self.masks, ~0), reduce(or_, self.masks, 0)
        return self._bits[1:]

    def lacks(self, names: Sequence[str], rows: np.ndarray) -> np.ndarray | None:
        """Returns for each of these rows whether any of the entries was not measured; None where all were."""
        bits = sum(BIT[n] for n in names)
        if self.measured()[0] & bits == bits:
            return None
        missing = (np.asarray(self.masks, dtype=np.int64) & bits) != bits
        return missing[rows]


def capacity_for(widest: int, most: int = BLOCK_STEPS) -> int:
    """Returns how many rows a block may have when its widest vector has this many entries."""
    return max(2, min(most, BLOCK_VALUES // max(widest, 1)))

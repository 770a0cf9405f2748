"""The block of rows that waits on the device: preallocated, filled without a sync, reduced many steps at once.

Which entries of a row were measured is known on the host from the start (a bit mask), so that absent never becomes NaN, or zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

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
        self.scalars = torch.empty(self.capacity, len(SCALARS), device=self.device)
        self._places = [row.unbind(0) for row in self.scalars.unbind(0)]
        self._vector_rows: dict[str, Sequence[Tensor]] = {}
        self._widths: dict[str, int] = {}
        self._shaped: dict[
            str, tuple[torch.Size, Sequence[Tensor]]
        ] = {}  # the same rows in the shape of what is copied
        self._blank()

    def _blank(self) -> None:
        """Absent entries are zero, an absent scale is 1: it is divided by."""
        self.scalars.zero_()
        for i, name in enumerate(SCALARS):
            if name.endswith("_scale"):
                self.scalars[:, i].fill_(1.0)

    @property
    def scalar_places(self) -> Sequence[Tensor]:
        """The 0-d places of the open row, in the order of SCALARS, to copy into."""
        return self._places[len(self.steps)]

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
            self.vectors[name] = torch.zeros(self.capacity, width, device=self.device)
            rows = self._vector_rows[name] = self.vectors[name].unbind(0)
            self._widths[name] = width
            self._shaped.pop(name, None)
        return rows[len(self.steps)]

    def place(self, name: str, like: Tensor) -> Tensor:
        """Returns the current row of a vector entry in the shape of the tensor that is to be copied into it."""
        shaped = self._shaped.get(name)
        if shaped is None or shaped[0] != like.shape:
            self.row(name, like.numel())
            shaped = self._shaped[name] = like.shape, self.vectors[name].view(self.capacity, *like.shape).unbind(0)
        return shaped[1][len(self.steps)]

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
        self.steps, self.masks = [], []
        self._blank()

    def reduce_whole(self) -> None:
        """Reduces the entries that were copied whole to the scalars that they stand for: sums, and the norm of the gradient."""
        for name, scalar in WHOLE.items():
            bit = BIT[name]
            rows = [i for i, mask in enumerate(self.masks) if mask & bit]
            if not rows:
                continue
            values = self.vectors[name]
            reduced = torch.linalg.vector_norm(values, dim=1) if name == "image_gradient" else values.sum(1)
            column = self.scalars[:, SCALARS.index(scalar)]
            if len(rows) == len(self.masks):
                column[: len(rows)] = reduced[: len(rows)]
            else:
                at = on_device(torch.tensor(rows), self.device)
                column[at] = reduced[at]
            self.masks = [mask | BIT[scalar] if mask & bit else mask for mask in self.masks]

    def lacks(self, names: Sequence[str], rows: np.ndarray) -> np.ndarray | None:
        """Returns for each of these rows whether any of the entries was not measured; None where all were."""
        bits = sum(BIT[n] for n in names)
        if all(mask & bits == bits for mask in self.masks):
            return None
        missing = (np.asarray(self.masks, dtype=np.int64) & bits) != bits
        return missing[rows]


def capacity_for(widest: int) -> int:
    """Returns how many rows a block may have when its widest vector has this many entries."""
    return max(2, min(BLOCK_STEPS, BLOCK_VALUES // max(widest, 1)))

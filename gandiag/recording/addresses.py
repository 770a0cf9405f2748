"""A step's tensors read by their addresses, each player's or row's in one call of C; what is not plain float32 on the CPU is torch's.

The way is chosen anew each time by what the tensors are at that moment: a training may change their kind as it goes on. No address
outlives the call that it was taken for, but those of the recorder's own rows.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

import torch
from torch import Tensor

from gandiag.recording.buffer import Block

READ_VALUES = 2**18  # up to so many parameters C reads a player's gradients; beyond, torch's threads do
_FLOAT, _STRIDED = torch.float32, torch.strided


class Parameters:
    """Reads one player's tensors, of its parameters' shapes."""

    def __init__(self, held: ctypes.CDLL, parameters: Sequence[Tensor]) -> None:
        self._held = held
        self._sizes = [p.numel() for p in parameters]
        self._bytes = [4 * size for size in self._sizes]
        self._count = len(self._sizes)
        self._pack = Struct(f"{self._count}Q").pack
        self._table = (ctypes.c_int64 * self._count)(*self._sizes)
        self._lengths = ctypes.addressof(self._table)

    def look(self, tensors: Sequence[Tensor | None]) -> bytes | None:
        """Returns where these tensors lie, None where C must not read them; valid as long as the caller holds them."""
        for tensor, size in zip(tensors, self._bytes):
            if (
                tensor is None
                or tensor.dtype is not _FLOAT
                or tensor.layout is not _STRIDED
                or tensor.nbytes != size
                or not tensor.is_cpu
                or not tensor.is_contiguous()
                or tensor.is_neg()
            ):
                return None
        places = [tensor.data_ptr() for tensor in tensors]  # type: ignore[union-attr]  # none is None, as the loop has seen
        return None if 0 in places else self._pack(*places)

    def norms(self, at: bytes, out: int) -> None:
        """Writes the L2 norm of each to an address."""
        self._held.norms_of(at, self._lengths, self._count, out)

    def keep(self, at: bytes, into: Tensor | None) -> Tensor:
        """Copies all of them into one flat tensor: the one given, or a new one."""
        if into is None:
            into = torch.empty(sum(self._sizes), dtype=_FLOAT, device="cpu")
        self._held.gather(at, self._lengths, self._count, into.data_ptr())
        return into

    def fits(self, kept: Tensor) -> bool:
        """Tells whether a flat tensor can be one that `keep` has made."""
        return kept.dtype is _FLOAT and kept.is_cpu and kept.is_contiguous() and kept.numel() == sum(self._sizes)

    def cosine(self, at: bytes, kept: Tensor) -> float:
        """Returns the cosine of all of them with what was kept."""
        return float(self._held.cosine_with(at, self._lengths, self._count, kept.data_ptr()))

    def changes(self, at: bytes, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the norms of their differences from what was kept, and their own (layers,)."""
        out = torch.empty(2, self._count, dtype=_FLOAT, device="cpu")
        self._held.changes_of(at, self._lengths, self._count, kept.data_ptr(), out.data_ptr())
        return out[0], out[1]


@dataclass(frozen=True)
class Plan:
    """Where a row's entries go: for each the address in row 0, the bytes between rows, the bytes to copy."""

    pack: Any
    address: int
    count: int
    table: Any  # holds the memory that `address` points to


class Copier:
    """Copies tensors into a block's open row; False where that is torch's work, and then nothing was copied."""

    def __init__(self, held: ctypes.CDLL) -> None:
        self._copy_row = held.copy_row

    def copy(self, block: Block, places: Sequence[int | str], tensors: Sequence[Tensor]) -> bool:
        """Copies each tensor into an entry of its own: a scalar's column, or the vector of that name."""
        sizes = []
        for tensor in tensors:
            if tensor.layout is not _STRIDED or tensor.dtype is not _FLOAT or not tensor.is_cpu:
                return False
            if tensor.is_neg() or not tensor.is_contiguous():
                return False
            sizes.append(tensor.nbytes)
        key = (*places, *sizes)
        plan = block.plans.get(key)
        if plan is None:
            if not block.fits({p: [t] for p, t in zip(places, tensors) if isinstance(p, str)}):
                return False
            plan = _plan(block, places, sizes)
            block.plans[key] = plan
        return not self._copy_row(
            plan.pack(*[t.data_ptr() for t in tensors]), plan.address, plan.count, len(block.steps)
        )


def _plan(block: Block, places: Sequence[int | str], sizes: Sequence[int]) -> Plan:
    for place, size in zip(places, sizes):
        if isinstance(place, str):
            block.row(place, size // 4)  # all memory first: the plans end where it is taken anew
    lines: list[int] = []
    for place, size in zip(places, sizes):
        if isinstance(place, int):
            if size != 4:
                raise ValueError(f"a scalar has 4 bytes, not {size}")
            lines += block.scalars.data_ptr() + 4 * place, block.scalars.stride(0) * 4, 4
        else:
            lines += block.vectors[place].data_ptr(), size, size
    table = (ctypes.c_int64 * len(lines))(*lines)
    return Plan(Struct(f"{len(places)}Q").pack, ctypes.addressof(table), len(places), table)

"""A step's tensors read by their addresses, each player's or row's in one call of C; what is not plain float32 on the CPU is torch's.

The way is chosen anew each time by what the tensors are at that moment: a training may change their kind as it goes on. No address
outlives the call that it was taken for, but those of the recorder's own rows. C asks torch itself what a tensor is, through DLPack's
interface for that; where this torch has none, Python asks, at ten times the cost.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Any

import torch
from torch import Tensor

from gandiag.recording.buffer import Block

READ_VALUES = 2**18  # up to so many parameters C reads a player's gradients; beyond, torch's threads do
_FLOAT, _STRIDED = torch.float32, torch.strided
_NONE = id(None)
_is_negated = Tensor.is_neg  # by a flag alone, the values in memory having the other sign: DLPack does not tell


@lru_cache(maxsize=4)
def tensor_reader(held: ctypes.CDLL) -> int:
    """Returns the address of the function by which torch tells C what a tensor is; 0 where this torch has none that C knows."""
    capsule = getattr(Tensor, "__dlpack_c_exchange_api__", None)
    if type(capsule).__name__ != "PyCapsule":
        return 0
    open_capsule = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    return int(held.reader_in(open_capsule(capsule, b"dlpack_exchange_api")))


class Parameters:
    """Reads one player's tensors, of its parameters' shapes."""

    def __init__(self, held: ctypes.CDLL, parameters: Sequence[Tensor]) -> None:
        self._held = held
        self._places_of, self._norms_of, self._reader = held.places_of, held.norms_of, tensor_reader(held)
        self._sizes = [p.numel() for p in parameters]
        self._bytes = [4 * size for size in self._sizes]
        self._count = len(self._sizes)
        self._pack = Struct(f"{self._count}Q").pack
        self._table = (ctypes.c_int64 * self._count)(*self._sizes)
        self._lengths = ctypes.addressof(self._table)
        self._found = (ctypes.c_uint64 * self._count)()
        self._places = ctypes.addressof(self._found)

    def look(self, tensors: Sequence[Tensor | None]) -> bytes | int | None:
        """Returns where these tensors lie, None where C must not read them; valid until the next look, if the caller holds them."""
        if not self._reader:
            return self._asked(tensors)
        try:
            if self._places_of(
                self._pack(*map(id, tensors)), self._lengths, self._count, self._reader, _NONE, self._places
            ):
                return None
        except RuntimeError:  # torch's answer for what lies in no memory that C could read
            return None
        return None if any(map(_is_negated, tensors)) else self._places  # type: ignore[arg-type]  # none is None, as C has seen

    def _asked(self, tensors: Sequence[Tensor | None]) -> bytes | None:
        for tensor, size in zip(tensors, self._bytes):
            if tensor is None or not _is_plain(tensor) or tensor.nbytes != size:
                return None
        places = [tensor.data_ptr() for tensor in tensors]  # type: ignore[union-attr]  # none is None, as the loop has seen
        return None if 0 in places else self._pack(*places)

    def norms(self, at: bytes | int, out: int) -> None:
        """Writes the L2 norm of each to an address."""
        self._norms_of(at, self._lengths, self._count, out)

    def keep(self, at: bytes | int, into: Tensor | None) -> Tensor:
        """Copies all of them into one flat tensor: the one given, or a new one."""
        if into is None:
            into = torch.empty(sum(self._sizes), dtype=_FLOAT, device="cpu")
        self._held.gather(at, self._lengths, self._count, into.data_ptr())
        return into

    def fits(self, kept: Tensor) -> bool:
        """Tells whether a flat tensor can be one that `keep` has made."""
        return kept.dtype is _FLOAT and kept.is_cpu and kept.is_contiguous() and kept.numel() == sum(self._sizes)

    def cosine(self, at: bytes | int, kept: Tensor) -> float:
        """Returns the cosine of all of them with what was kept."""
        return float(self._held.cosine_with(at, self._lengths, self._count, kept.data_ptr()))

    def changes(self, at: bytes | int, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the norms of their differences from what was kept, and their own (layers,)."""
        out = torch.empty(2, self._count, dtype=_FLOAT, device="cpu")
        self._held.changes_of(at, self._lengths, self._count, kept.data_ptr(), out.data_ptr())
        return out[0], out[1]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a row's entries go: for each the address in row 0, the bytes between rows, the bytes to copy."""

    pack: Any
    address: int
    count: int
    table: Any  # holds the memory that `address` points to


class Copier:
    """Copies tensors into a block's open row; False where that is torch's work, and then nothing was copied."""

    def __init__(self, held: ctypes.CDLL) -> None:
        self._copy_row, self._copy_tensors, self._reader = held.copy_row, held.copy_tensors, tensor_reader(held)

    def copy(self, block: Block, mask: int, places: Sequence[int | str], tensors: Sequence[Tensor]) -> bool:
        """Copies each tensor into an entry of its own: a scalar's column, or the vector of that name; `mask` stands for the places."""
        plan = block.plans.get(mask) if self._reader else None
        if plan is not None:
            try:
                missed = self._copy_tensors(
                    plan.pack(*map(id, tensors)), plan.address, plan.count, len(block.steps), self._reader
                )
            except RuntimeError:  # torch's answer for what lies in no memory that C could read
                missed = True
            if not missed and not any(map(_is_negated, tensors)):
                return True
        return self._asked(block, mask, places, tensors)

    def _asked(self, block: Block, mask: int, places: Sequence[int | str], tensors: Sequence[Tensor]) -> bool:
        if not all(map(_is_plain, tensors)):
            return False
        sizes = [tensor.nbytes for tensor in tensors]
        key = (*places, *sizes)
        plan = block.plans.get(key)
        if plan is None:
            if not block.fits({p: [t] for p, t in zip(places, tensors) if isinstance(p, str)}):
                return False
            plan = _plan(block, places, sizes)
            block.plans[key] = plan
        block.plans[mask] = plan  # the sizes that were seen last
        return not self._copy_row(
            plan.pack(*[t.data_ptr() for t in tensors]), plan.address, plan.count, len(block.steps)
        )


def _is_plain(tensor: Tensor) -> bool:
    return (
        tensor.dtype is _FLOAT
        and tensor.layout is _STRIDED
        and tensor.is_cpu
        and tensor.is_contiguous()
        and not tensor.is_neg()
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

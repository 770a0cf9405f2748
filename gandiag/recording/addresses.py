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

import numpy as np
import torch
from torch import Tensor

from gandiag.recording.buffer import Block

READ_VALUES = 2**18  # up to so many parameters C reads a player's gradients; beyond, torch's threads do
_FLOAT, _STRIDED = torch.float32, torch.strided
_NONE = id(None)
_ITEM = ctypes.cast(ctypes.pythonapi.PyList_GetItem, ctypes.c_void_p).value or 0
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
        self._places_of, self._norms_of = held.places_of, held.norms_of
        self._sizes = [p.numel() for p in parameters]
        self._bytes = [4 * size for size in self._sizes]
        self._count = len(self._sizes)
        self._pack = Struct(f"{self._count}Q").pack
        self._table = (ctypes.c_int64 * self._count)(*self._sizes)
        self._lengths = ctypes.addressof(self._table)
        self._found = (ctypes.c_uint64 * self._count)()
        self._places = ctypes.addressof(self._found)
        reader = tensor_reader(held)
        self._question = (ctypes.c_uint64 * 7)(_ITEM, reader, _NONE, self._count, self._lengths, self._places, 0)
        self._asked = ctypes.addressof(self._question) if reader else 0

    def look(self, tensors: list[Any], norms: int = 0) -> bytes | int | None:
        """Returns where these tensors lie, None where C must not read them; valid until the next look, if the caller holds them.

        Their L2 norms are written to the address `norms` at the same time, unless that is 0.
        """
        if not self._asked:
            return self._look_each(tensors, norms)
        try:
            if self._places_of(id(tensors), self._asked, norms):
                return None
        except RuntimeError:  # torch's answer for what lies in no memory that C could read
            return None
        return None if any(map(_is_negated, tensors)) else self._places

    def _look_each(self, tensors: list[Any], norms: int) -> bytes | None:
        for tensor, size in zip(tensors, self._bytes):
            if tensor is None or not _is_plain(tensor) or tensor.nbytes != size:
                return None
        places = [tensor.data_ptr() for tensor in tensors]
        if 0 in places:
            return None
        at = self._pack(*places)
        if norms:
            self.norms(at, norms)
        return at

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

    def changes(self, at: bytes | int, kept: Tensor) -> np.ndarray:
        """Returns the norms of their differences from what was kept, and their own: (2, layers)."""
        out = np.empty((2, self._count), dtype=np.float32)
        self._held.changes_of(at, self._lengths, self._count, kept.data_ptr(), out.ctypes.data)
        return out


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a row's entries go: for each the address in row 0, the bytes between rows, the bytes to copy."""

    pack: Any
    address: int
    count: int
    asked: int  # the address of what C is asked when it is given the tensors themselves
    held: Any  # holds the memory of both


class Copier:
    """Copies tensors into a block's open row; False where that is torch's work, and then nothing was copied."""

    def __init__(self, held: ctypes.CDLL) -> None:
        self._copy_row, self._copy_tensors, self._reader = held.copy_row, held.copy_tensors, tensor_reader(held)

    def copy(self, block: Block, mask: int, places: Sequence[int | str], tensors: list[Tensor]) -> bool:
        """Copies each tensor into an entry of its own: a scalar's column, or the vector of that name; `mask` stands for the places."""
        plan = block.plans.get(mask) if self._reader else None
        if plan is not None:
            try:
                missed = self._copy_tensors(id(tensors), plan.asked, len(block.steps))
            except RuntimeError:  # torch's answer for what lies in no memory that C could read
                missed = True
            if not missed and not any(map(_is_negated, tensors)):
                return True
        return self._copy_each(block, mask, places, tensors)

    def _copy_each(self, block: Block, mask: int, places: Sequence[int | str], tensors: list[Tensor]) -> bool:
        if not all(map(_is_plain, tensors)):
            return False
        sizes = [tensor.nbytes for tensor in tensors]
        key = (*places, *sizes)
        plan = block.plans.get(key)
        if plan is None:
            if not block.fits({p: [t] for p, t in zip(places, tensors) if isinstance(p, str)}):
                return False
            plan = _plan(block, places, sizes, self._reader)
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


def _plan(block: Block, places: Sequence[int | str], sizes: Sequence[int], reader: int) -> Plan:
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
    address, count = ctypes.addressof(table), len(places)
    question = (ctypes.c_uint64 * 7)(_ITEM, reader, _NONE, count, 0, 0, address)
    return Plan(Struct(f"{count}Q").pack, address, count, ctypes.addressof(question), (table, question))

"""Turns a block of rows into the tables' columns: many steps in one go, on the device, and then in one copy to the host."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gandiag.recording import accelerated, numerics
from gandiag.recording.buffer import BIT, SCALARS, Block
from gandiag.recording.logits import to_logits
from gandiag.recording.probes import BLOCKWISE, name_of
from gandiag.recording.step import Probe, Step, Value
from gandiag.recording.through import share
from gandiag.recording.writing import Chunk

HIDDEN = "_"  # columns that only the host's checks need begin so, and are not written
# what was measured at an update that a fused optimizer skipped for an overflow, and what compares its gradient with another's
SKIPPED = {
    f"{who}_skipped": tuple(
        f"{who}_{what}"
        for what in (
            "gradient_norm",
            "gradient_norm_max",
            "layer_gradient_norm",
            "update_ratio",
            "layer_update_ratio",
            "game_share",
        )
    )
    for who in ("discriminator", "generator")
}
TURN_SKIPPED = {f"{who}_turn_skipped": (f"{who}_gradient_cosine",) for who in ("discriminator", "generator")}
_STEP_FIELDS = {f.name for f in fields(Step)}
_FORCES = ("discriminator_force_real", "discriminator_force_fake", "generator_force_real", "generator_force_fake")


class HostRow(NamedTuple):
    """What the host knows of a row without asking the device; None where it does not."""

    wall_time: float
    step_seconds: float | None
    data_wait_seconds: float | None
    images_per_second: float | None
    images_seen: float | None
    discriminator_updates: float | None
    generator_updates: float | None
    augmentation_probability: float | None


_PRECISE = ("wall_time", "images_seen")  # float32 would round them


@dataclass(frozen=True)
class Table:
    """The columns of one table, still on the device."""

    name: str
    steps: np.ndarray
    columns: dict[str, Tensor]  # (n,) or (n, k)
    absent: dict[str, np.ndarray]
    known: dict[str, np.ndarray]  # columns that never were on the device
    host: Sequence[HostRow] = ()

    @property
    def flat(self) -> Tensor:
        """All columns one after the other."""
        return torch.cat([c.reshape(-1).float() for c in self.columns.values()]) if self.columns else torch.empty(0)


@torch.no_grad()
def reduce(
    block: Block,
    host: Sequence[HostRow],
    probes: Mapping[Probe, int],
    eager: Mapping[int, Mapping[int, Mapping[str, Value]]],
    layer_sizes: Mapping[str, Sequence[int]],
    *,
    probability: bool,
    seconds: dict[str, float],
    library: ctypes.CDLL | None = None,
) -> list[Table]:
    """Runs the blockwise probes that are due, and joins what the others have left in `eager` (cadence -> step -> values).

    With a library, on the CPU, the probes' compiled twins run instead.
    """
    whole = as_step(
        block, layer_sizes, probability, rows=block.capacity if library is None or probability else len(block.steps)
    )
    steps = np.asarray(block.steps, dtype=np.int64)
    tables = []
    for every in sorted({1, *probes.values(), *eager}):
        due = np.flatnonzero(steps % every == 0)
        if not len(due):
            continue
        columns: dict[str, Tensor] = {}
        known: dict[str, np.ndarray] = {}
        absent: dict[str, np.ndarray] = {}
        wanted = [(p, block.lacks(BLOCKWISE[p], due)) for p, n in probes.items() if n == every and readable(p, block)]
        wanted = [(p, lack) for p, lack in wanted if lack is None or not lack.all()]
        part = whole if every == 1 else _rows(whole, due, every, {need for p, _ in wanted for need in BLOCKWISE[p]})
        for probe, lack in wanted:
            began = time.perf_counter()
            twin = None if library is None else accelerated.BLOCKWISE.get(probe)
            if library is None or twin is None:
                measured = {name: torch.as_tensor(values)[: len(due)] for name, values in probe(part).items()}
                columns |= measured
                names = list(measured)
            else:
                read = twin(library, part, len(due))
                known |= read
                names = list(read)
            if lack is not None:
                absent |= dict.fromkeys(names, lack)
            seconds[name_of(probe)] = seconds.get(name_of(probe), 0.0) + time.perf_counter() - began
        if every == 1:
            _add_hidden(block, columns, absent)
            if library is not None:
                known |= {name: values.numpy().copy() for name, values in columns.items()}
                columns = {}
        _add_eager(eager.get(every, {}), steps[due], columns, absent, known)
        if columns or known or every == 1:
            tables.append(Table(f"every-{every}", steps[due], columns, absent, known, host if every == 1 else ()))
    return tables


def readable(probe: Probe, block: Block) -> bool:
    """Whether a probe runs on whole blocks, and what it reads has a value a step: a batch of no sample has no quantiles, in any arithmetic."""
    return probe in BLOCKWISE and all(block.vectors[n].shape[1] for n in BLOCKWISE[probe] if n in block.vectors)


def as_step(block: Block, layer_sizes: Mapping[str, Sequence[int]], probability: bool, rows: int) -> Step:
    """Returns the first rows of a block as one Step whose tensors have a leading axis of steps.

    What torch reduces takes all rows of the block, also those not filled: the shapes, and with them the rounding, do not depend
    on when it was cut off.
    """
    some = block.measured()[1]
    there = {name for name, bit in BIT.items() if some & bit}
    given: dict[str, Tensor] = {
        name: block.scalars[:rows, i] for i, name in enumerate(SCALARS) if name in there and name in _STEP_FIELDS
    }
    given |= {name: block.vectors[name][:rows] for name in there if name in block.vectors and name in _STEP_FIELDS}
    given |= {name: -given[name] for name in _FORCES if name in given}  # the rows hold gradients
    for who in ("discriminator", "generator"):
        if f"{who}_gradient" in there:
            pieces = block.vectors[f"{who}_gradient"][:rows].split(list(layer_sizes[who]), dim=1)
            given[f"{who}_layer_gradients"] = torch.stack([torch.linalg.vector_norm(p, dim=1) for p in pieces], 1)
        _unscale(block, given, who, there, rows)
    if probability:
        given |= {name: to_logits(given[name]) for name in ("real_logits", "fake_logits") if name in given}
    return Step(index=block.steps[0], **given)  # type: ignore[arg-type]  # the names are the fields'


def chunk(
    table: Table, values: np.ndarray, labels: Mapping[str, Sequence[str]], skipped: dict[str, np.ndarray]
) -> tuple[Chunk, dict[str, np.ndarray]]:
    """Returns a table's rows on the host, and its hidden columns apart; `values` are those of `Table.flat`, copied.

    `skipped` gathers from the table of every step, which comes first, at which steps an update was skipped, for the others.
    """
    columns: dict[str, np.ndarray] = {}
    hidden: dict[str, np.ndarray] = {}
    at = 0
    for name, column in table.columns.items():
        part = values[at : at + column.numel()].reshape(column.shape)
        at += column.numel()
        (hidden if name.startswith(HIDDEN) else columns)[name] = part
    for name, values in table.known.items():
        (hidden if name.startswith(HIDDEN) else columns)[name] = values
    absent = {n: a for n, a in table.absent.items() if n in columns}
    skipped |= {
        name: table.steps[hidden[HIDDEN + name] > 0] for name in (*SKIPPED, *TURN_SKIPPED) if HIDDEN + name in hidden
    }
    _leave_out_skipped(table.steps, columns, absent, skipped)
    if table.host:
        _add_host(table, columns, absent)
        for who in ("discriminator", "generator"):
            if f"{HIDDEN}{who}_skips" in hidden:
                columns[f"{who}_updates"] -= hidden[f"{HIDDEN}{who}_skips"]
        columns["nonfinite"] = numerics.count_nonfinite(columns, absent, len(table.steps))
    named = {n: list(labels[n]) for n in columns if n in labels and columns[n].ndim == 2}
    named |= {
        n: [str(i) for i in range(c.shape[1])]
        for n, c in columns.items()
        if c.ndim == 2 and len(named.get(n, ())) != c.shape[1]
    }
    return Chunk(table.name, table.steps, columns, absent, named), hidden


def _rows(whole: Step, due: np.ndarray, every: int, needs: set[str]) -> Step:
    """Returns every n-th row of a block, at least two: torch may sum a single row in another order."""
    first = int(due[0])
    given = {
        name: getattr(whole, name)[first : int(due[-1]) + 1 : every]
        for name in needs
        if getattr(whole, name) is not None
    }
    if len(due) == 1:
        given = {name: torch.cat([values, values]) for name, values in given.items()}
    return Step(index=whole.index, **given)


def _unscale(block: Block, given: dict[str, Tensor], who: str, there: set[str], rows: int) -> None:
    """Takes mixed precision's scale out of the forces, and out of the gradients where the optimizer got them scaled.

    The forces of a player that ascends are turned round as well: it pushes where its gradient points.
    """
    for what in ("scale", "sign"):
        if f"{who}_{what}" in there:
            factor = block.scalars[:rows, SCALARS.index(f"{who}_{what}")]
            for name in _FORCES:
                if name.startswith(who) and name in given:
                    given[name] = given[name] / factor[:, None]
            if what == "scale" and who == "generator" and "generator_gradient_at_image" in given:
                given["generator_gradient_at_image"] = given["generator_gradient_at_image"] / factor
    if f"{who}_gradient_scale" in there:
        scale = block.scalars[:rows, SCALARS.index(f"{who}_gradient_scale")]
        if f"{who}_layer_gradients" in given:
            given[f"{who}_layer_gradients"] = given[f"{who}_layer_gradients"] / scale[:, None]


def _add_hidden(block: Block, columns: dict[str, Tensor], absent: dict[str, np.ndarray]) -> None:
    rows = len(block.steps)
    for name in ("real_sum", "fake_sum", *SKIPPED, *TURN_SKIPPED, "discriminator_skips", "generator_skips"):
        if _some(block, name):
            columns[f"{HIDDEN}{name}"] = block.scalars[:rows, SCALARS.index(name)]
    for name in ("real_logits", "fake_logits"):
        if _some(block, name) and block.vectors[name].shape[1]:
            low, high = torch.aminmax(block.vectors[name][:rows], dim=1)
            columns |= {f"{HIDDEN}{name}_low": low, f"{HIDDEN}{name}_high": high}
    for who in ("discriminator", "generator"):
        if _some(block, f"{who}_scale"):
            columns["gradient_scale"] = block.scalars[:rows, SCALARS.index(f"{who}_scale")]
            lack = block.lacks((f"{who}_scale",), np.arange(rows))
            if lack is not None:
                absent["gradient_scale"] = lack
        stale = f"{who}_stale_gradient_norm"
        if _some(block, stale):  # where no scale was used it is 1
            columns[stale] = (
                block.scalars[:rows, SCALARS.index(stale)] / block.scalars[:rows, SCALARS.index(f"{who}_scale")]
            )
            lack = block.lacks((stale,), np.arange(rows))
            if lack is not None:
                absent[stale] = lack
    for name, entry, of in (
        ("generator_game_share", "generator_game_gradient", share),
        # ranks may hold different numbers of verdicts
        ("generator_turn_verdict", "generator_turn_verdict_sum", torch.div),
    ):
        if _some(block, entry):
            at = SCALARS.index(entry)
            columns[name] = of(block.scalars[:rows, at], block.scalars[:rows, at + 1])
            lack = block.lacks((entry,), np.arange(rows))
            if lack is not None:
                absent[name] = lack


def _some(block: Block, name: str) -> bool:
    return bool(block.measured()[1] & BIT[name])


def _add_eager(
    found: Mapping[int, Mapping[str, Value]],
    steps: np.ndarray,
    columns: dict[str, Tensor],
    absent: dict[str, np.ndarray],
    known: dict[str, np.ndarray],
) -> None:
    """Joins the values that probes left at single steps, as columns; what the host knows already never visits the device."""
    nothing: Mapping[str, Value] = {}
    each = [found.get(s, nothing) for s in steps.tolist()]
    for name in {name: None for values in found.values() for name in values}:
        rows = [values.get(name) for values in each]
        first = next((r for r in rows if r is not None), None)
        if first is None:
            continue
        if isinstance(first, Tensor):
            there = [isinstance(r, Tensor) and r.shape == first.shape for r in rows]
            blank = torch.zeros_like(first, dtype=torch.float32)
            columns[name] = torch.stack(
                [r.float() if ok and isinstance(r, Tensor) else blank for r, ok in zip(rows, there)]
            )
        elif all(type(r) is float for r in rows):
            known[name] = np.array(rows, dtype=np.float32)
            continue
        else:
            there = [r is not None and np.shape(r) == np.shape(first) for r in rows]
            blank_row = np.zeros(np.shape(first))
            known[name] = np.asarray([r if ok else blank_row for r, ok in zip(rows, there)], dtype=np.float32)
        if not all(there):
            absent[name] = ~np.asarray(there)


def _leave_out_skipped(
    steps: np.ndarray, columns: dict[str, np.ndarray], absent: dict[str, np.ndarray], skipped: Mapping[str, np.ndarray]
) -> None:
    """An update that a fused optimizer skipped for an overflow was none: its gradient is absent, not infinite, and no update of 0."""
    for flag, at in skipped.items():
        lack = np.isin(steps, at)
        for name in {**SKIPPED, **TURN_SKIPPED}[flag]:
            if name in columns and lack.any():
                absent[name] = absent.get(name, np.zeros(len(steps), bool)) | lack


def _add_host(table: Table, columns: dict[str, np.ndarray], absent: dict[str, np.ndarray]) -> None:
    for name, values in zip(HostRow._fields, zip(*table.host)):
        missing = np.asarray([v is None for v in values])
        columns[name] = np.asarray(
            [0.0 if v is None else v for v in values], dtype=np.float64 if name in _PRECISE else np.float32
        )
        if missing.any():
            absent[name] = missing

"""Rows on their way to the disk: filled one a step on the device, reduced by the block, written by the writer thread."""

from __future__ import annotations

import ctypes
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gandiag.quantities import logit_bin_labels
from gandiag.recording.buffer import ACCELERATED_BLOCK_STEPS, BLOCK_STEPS, Block, capacity_for
from gandiag.recording.distributed import FIRST_ROWS, Ranks, agree, averaged, gathered, gathered_batches, ranks
from gandiag.recording.player import Player
from gandiag.recording.reduce import HostRow, Table, chunk, reduce
from gandiag.recording.schedule import Eager, Later, Schedule
from gandiag.recording.step import Probe
from gandiag.recording.writing import Chunk, Transfer, WriterThread, take_off

FLUSH_SECONDS = 0.4  # rows wait in memory no longer than this while the training steps: kill -9 loses at most a second
MOST_BLOCKS = 4  # that may wait for the writer thread; beyond, the training reduces its own


@dataclass(frozen=True)
class Reduced:
    """A block's tables, with their values on the way to the host."""

    tables: list[Table]
    transfer: Transfer
    labels: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Part:
    """A block that waits until all ranks have as many rows, with what the host knows of it."""

    block: Block
    host: list[HostRow]
    sizes: Mapping[str, Sequence[int]]
    labels: Mapping[str, Sequence[str]]


class Rows:
    """The open block, the rows that the host knows, and the blocks that wait. With several ranks, rows of all of them are gathered."""

    def __init__(
        self,
        device: torch.device,
        *,
        players: Mapping[str, Player],
        probes: Mapping[Probe, int],
        probability: bool,
        schedule: Schedule,
        ranks: Ranks | None,
        thread: WriterThread,
        say: Callable[[str, str], None],
        look: Callable[[Chunk, Mapping[str, np.ndarray]], None],
        written: Callable[[], None],
        library: ctypes.CDLL | None = None,
        index: int = 0,
    ) -> None:
        self.index = index  # the open row's step
        self._device, self._players, self._probes, self._probability = device, players, probes, probability
        self._schedule, self._ranks, self._thread, self._say = schedule, ranks, thread, say
        self._look, self._written, self._library = look, written, library
        self.alone = False  # the other ranks may not come to a common end
        self._steps = BLOCK_STEPS if library is None else ACCELERATED_BLOCK_STEPS
        self._most = FIRST_ROWS if ranks else BLOCK_STEPS  # the first block is reduced before probes' costs are noted
        self._labels: dict[str, Sequence[str]] = {}
        self._layer_sizes: dict[str, list[int]] = {}
        self.follow_layers()
        self._host: list[HostRow] = []
        self._parts: list[Part] = []  # with several ranks: what this rank has filled since they last met
        self._unwritten: list[Reduced] = []  # touched by the writer thread only
        self._spare: queue.SimpleQueue[Block] = queue.SimpleQueue()
        self._blocks = 1
        self._widest = max((p.values for p in players.values() if p.flat), default=1)
        self._last_ship = time.perf_counter()
        self.block = Block(device, capacity_for(self._widest, self._steps))

    def follow_layers(self) -> None:
        """Takes over the layers that the players have now; the rows before must have been reduced."""
        self._layer_sizes = {who: [q.numel() for q in p.parameters] for who, p in self._players.items()}
        self._labels = {
            f"{who}_layer_{what}": p.names
            for who, p in self._players.items()
            for what in ("gradient_norm", "update_ratio")
        }
        self._labels |= {"real_logit_histogram": logit_bin_labels(), "fake_logit_histogram": logit_bin_labels()}

    def make_room(self, vectors: Mapping[str, Sequence[Tensor]]) -> None:
        """Begins another block where these vectors, each in pieces, do not fit the open one."""
        if not self.block.fits(vectors):
            self._widest = max(self._widest, *(sum(p.numel() for p in pieces) for pieces in vectors.values()))
            self.reduce()

    def end_row(self, host: HostRow, now: float) -> None:
        """Ends the open row; reduces and ships what is due."""
        self._host.append(host)
        if self._ranks is not None and len(self._host) + sum(len(p.host) for p in self._parts) >= self._most:
            self.meet()  # after as many rows on every rank, whatever the sizes of its batches
        elif self.block.full or len(self._host) == self._most:
            self.reduce()
            if self._ranks is None:
                self._most = self._steps
                if now - self._last_ship >= FLUSH_SECONDS / 2:  # or a few rows alone would be written soon after
                    self.ship()
        if now - self._last_ship >= FLUSH_SECONDS:
            if self._ranks is None:
                self.reduce()
            self.ship()

    def reduce(self) -> None:
        """Turns the rows of the block into columns: on the CPU in the writer thread, on a device here, where it is only queued.

        With several ranks the block is set aside until they `meet`: one rank alone must never begin a collective call.
        """
        block, host = self.block, self._host
        if not block.steps:
            if capacity_for(self._widest, self._steps) < block.capacity:
                self.block = Block(self._device, capacity_for(self._widest, self._steps))
                self.block.take_open_row(block)
            return
        if self._ranks is not None:
            self._set_aside()
            return
        eager, later = self._schedule.take()
        self._host = []
        if self._thread.full:
            self._thread.refuse(len(block.steps))
            self.block = self._empty_block()
            self.block.take_open_row(block)
            self._free(block)
            return
        sizes, labels = self._layer_sizes, {**self._labels, "probe_seconds": self._schedule.costs}
        self.block = self._empty_block()
        self.block.take_open_row(block)
        if self._device.type == "cpu" and self._blocks <= MOST_BLOCKS:
            self._thread.put(lambda: self._unwritten.append(self._reduced(block, host, eager, later, sizes, labels)))
        else:
            self._hand_over(self._reduced(block, host, eager, later, sizes, labels))

    def _set_aside(self) -> None:
        """Begins another block; the rows so far wait for the other ranks."""
        block = self.block
        labels = {**self._labels, "probe_seconds": self._schedule.costs}
        self._parts.append(Part(block, self._host, self._layer_sizes, labels))
        self._host = []
        self.block = self._empty_block()
        self.block.take_open_row(block)
        block.reduce_whole(self._library)

    def meet(self) -> None:
        """Gathers the rows of all ranks and turns them into columns; every rank calls it after the same number of rows."""
        if self._ranks is None:
            self.reduce()
            return
        if self.block.steps:
            self._set_aside()
        parts, self._parts = self._parts, []
        if not parts:
            return
        eager, later = self._schedule.take()
        blocks = [part.block for part in parts]
        whole = blocks
        hosts = [row for part in parts for row in part.host]
        if not self.alone and ranks() is None:
            self.alone = True
            self._say(
                "group gone",
                "the processes parted (destroy_process_group) before the recording ended: its last rows hold rank 0's part alone",
            )
        if not self.alone:
            forms, slowest = agree(blocks, later, hosts, self._ranks.world)
            self._most = max(1, min(self._steps, int(FLUSH_SECONDS / max(slowest, 1e-6))))
            if forms is None:
                self._say(
                    "ranks", "the ranks saw steps of different kinds: from some of them only rank 0's part is recorded"
                )
            else:
                later = gathered_batches(later, forms)
                whole = [gathered(block, i, forms) for i, block in enumerate(blocks)]
                hosts = averaged(hosts, forms)
        for i, part in enumerate(parts):
            host, hosts = hosts[: len(part.host)], hosts[len(part.host) :]
            reduced = self._reduced(whole[i], host, eager, later if not i else [], part.sizes, part.labels)
            self._free(part.block)
            self._hand_over(reduced)

    def ship(self, *, anyway: bool = False) -> None:
        """Has the writer thread write what was reduced; not while it is far behind, unless `anyway`."""
        self._last_ship = time.perf_counter()
        if anyway or not self._thread.full:
            self._thread.put(self._write)

    def _hand_over(self, reduced: Reduced) -> None:
        values = reduced.transfer.values
        rows = max((len(t.steps) for t in reduced.tables), default=0)
        known = sum(column.nbytes for t in reduced.tables for column in t.known.values())
        self._thread.put(
            lambda: self._unwritten.append(reduced), size=values.numel() * values.element_size() + known + 1, rows=rows
        )

    def _reduced(
        self,
        block: Block,
        host: list[HostRow],
        eager: Eager,
        later: Later,
        sizes: Mapping[str, Sequence[int]],
        labels: Mapping[str, Sequence[str]],
    ) -> Reduced:
        self._schedule.catch_up(eager, later)
        if self._ranks is None:
            block.reduce_whole(self._library)
        tables = reduce(
            block,
            host,
            self._probes,
            eager,
            sizes,
            probability=self._probability,
            seconds=self._schedule.seconds,
            library=self._library,
        )
        transfer = take_off(torch.cat([t.flat.to(self._device) for t in tables]))
        if self._ranks is None:
            self._free(block)
        return Reduced(tables, transfer, labels)

    def _free(self, block: Block) -> None:
        block.clear()
        self._spare.put(block)

    def _empty_block(self) -> Block:
        while not self._spare.empty():
            block = self._spare.get()
            if block.capacity == capacity_for(self._widest, self._steps):
                return block
            self._blocks -= 1
        self._blocks += 1
        return Block(self._device, capacity_for(self._widest, self._steps))

    def _write(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        for reduced in unwritten:
            values = reduced.transfer.wait()
            at = 0
            skipped: dict[str, np.ndarray] = {}
            for table in reduced.tables:
                size = sum(c.numel() for c in table.columns.values())
                rows, hidden = chunk(table, values[at : at + size], reduced.labels, skipped)
                at += size
                if rows.columns:
                    self._thread.append(rows)
                    self._look(rows, hidden)
        self._written()

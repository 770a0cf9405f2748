"""The writer thread: takes finished chunks of rows to the disk, so that a slow or failing disk never slows or stops the training."""

from __future__ import annotations

import importlib
import os
import queue
import threading
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gandiag.run import RunWriter

BACKLOG_BYTES = 64 * 2**20  # what a failing or hanging disk may leave waiting in memory before rows are dropped
PATIENCE_SECONDS = 60.0  # a disk that has not got a single thing done for so long hangs: nobody waits for it any more
FORK_SECONDS = 2.0  # a fork waits no longer for a job to end: a slow disk must not stop the training
BUSY = (
    threading.Lock()
)  # held while a thread of ours works: a worker process must not be forked with a lock of pyarrow's or numpy's taken


def _before_fork() -> None:
    _forking.append(BUSY.acquire(timeout=0.0 if _hung else FORK_SECONDS))
    _hung[:] = [] if _forking[-1] else [True]


def _after_fork() -> None:
    if _forking.pop():
        BUSY.release()


_forking: list[bool] = []
_hung: list[bool] = []  # whether the last fork waited in vain: the next one does not wait again for the same job
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


@dataclass(frozen=True)
class Chunk:
    """Rows of one table on the host."""

    table: str
    steps: np.ndarray  # (n,) int64
    columns: Mapping[str, np.ndarray]  # (n,) or (n, k)
    absent: Mapping[str, np.ndarray] = field(default_factory=dict)  # (n,) true where not measured
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Transfer:
    """Values on their way from the device to the host: one copy for all tables of a flush."""

    values: Tensor  # 1-d, on the host
    copied: torch.cuda.Event | None  # None where there was nothing to copy

    def wait(self) -> np.ndarray:
        """Returns the values as soon as they have arrived; called by the writer thread, never by the training."""
        if self.copied is not None:
            self.copied.synchronize()
        return self.values.numpy()


def take_off(values: Tensor) -> Transfer:
    """Begins the copy of a 1-d tensor to the host, without waiting for it."""
    if values.device.type == "cpu":
        return Transfer(values, None)
    if values.device.type != "cuda":
        return Transfer(values.to("cpu"), None)
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    with torch.cuda.device(
        values.device
    ):  # an event is recorded on the current device, which need not be that of the training
        host.copy_(values, non_blocking=True)
        copied = torch.cuda.Event()
        copied.record()
    return Transfer(host, copied)


@dataclass(frozen=True)
class _Waiting:
    write: Callable[[RunWriter], None]
    bytes: int
    rows: int


class WriterThread:
    """Runs jobs in order against one RunWriter. A failing disk is reported once; rows wait, within bounds, and are then dropped.

    A disk that fails drops the oldest that waits; one that hangs in the middle of a write, so that nothing can be taken back, the newest.
    """

    def __init__(self, writer: RunWriter | None) -> None:  # None on ranks that do not write
        self._writer = writer
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], int] | None] = queue.SimpleQueue()
        self._bytes_put = self._bytes_done = self._done = 0  # each is changed by one thread only
        self._stuck_at = -1
        self._backlog: deque[_Waiting] = deque()
        self._columns: dict[str, dict[str, _Form]] = {}
        self._warned = False
        self.dropped_rows = self._refused_rows = 0
        self._thread = threading.Thread(target=self._work, name="gandiag-writer", daemon=True)
        _import_ahead()
        self._thread.start()

    def put(self, job: Callable[[], None], *, size: int = 0, rows: int = 0) -> None:
        """Hands over a job, which may call the methods below; returns at once.

        `size` is how many bytes it keeps in memory and `rows` how many rows it brings: refused where too much waits already.
        """
        if size and self.full:
            self.refuse(rows)
            return
        self._bytes_put += size
        self._jobs.put((job, size))

    @property
    def full(self) -> bool:
        """Whether as much waits for the disk as may."""
        return self._bytes_put - self._bytes_done > BACKLOG_BYTES

    def refuse(self, rows: int) -> None:
        """Counts rows that could not even wait."""
        self._refused_rows += rows
        self._complain(TimeoutError("the disk does not answer"))

    def append(self, chunk: Chunk) -> None:
        """Appends a chunk; to be called by a job."""
        whole = self._with_all_columns(chunk)
        size = sum(c.nbytes for c in whole.columns.values())
        self._attempt(
            _Waiting(
                lambda writer: writer.append(
                    whole.table, whole.steps, whole.columns, labels=whole.labels, absent=whole.absent
                ),
                size,
                len(whole.steps),
            )
        )

    def record(self, kind: str, record: Mapping[str, Any]) -> None:
        """Appends a low-rate record; to be called by a job."""
        self._attempt(_Waiting(lambda writer: writer.record(kind, record), 1000, 0))

    def samples(self, step: int, arrays: Mapping[str, np.ndarray], kind: str) -> None:
        """Keeps a batch of samples; to be called by a job."""
        size = sum(a.nbytes for a in arrays.values())
        self._attempt(_Waiting(lambda writer: writer.samples(step, arrays, kind), size, 0))

    def update_about(self, changes: Mapping[str, Any]) -> None:
        """Changes run.json; to be called by a job."""
        self._attempt(_Waiting(lambda writer: writer.update_about(**changes), 1000, 0))

    def wait(self) -> bool:
        """Waits until what was handed over so far has been dealt with; False where the disk hangs and it was not."""
        if not self._thread.is_alive():
            return True
        done = threading.Event()
        self._jobs.put((done.set, 0))
        return self._patiently(done.wait)

    def stop(self, status: str) -> None:
        """Writes what is left, notes what was lost, closes the run and ends the thread; leaves all of it where the disk hangs."""
        self._jobs.put(None)
        if self._thread.is_alive() and not self._patiently(self._ended):
            return
        if self._writer is None:
            return
        self._write_backlog()
        self.dropped_rows += self._refused_rows + sum(w.rows for w in self._backlog)
        try:
            if self.dropped_rows:
                self._writer.update_about(dropped_rows=self.dropped_rows)
            self._writer.close(status)
        except (OSError, ValueError) as error:
            self._complain(error)

    def _ended(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _patiently(self, finished: Callable[[float], bool]) -> bool:
        """Waits as long as the thread gets anything done; at once False where it is stuck where it was stuck before."""
        while True:
            done = self._done
            if finished(0.0 if done == self._stuck_at else PATIENCE_SECONDS):
                return True
            if done == self._done:
                self._stuck_at = done
                self._complain(TimeoutError(f"nothing was written for {PATIENCE_SECONDS:g} s"))
                return False

    def _work(self) -> None:
        while (taken := self._jobs.get()) is not None:
            job, size = taken
            with BUSY:
                try:
                    job()
                except Exception as error:  # whatever goes wrong here must not reach the training
                    self._complain(error)
            self._bytes_done += size
            self._done += 1

    def _attempt(self, waiting: _Waiting) -> None:
        if self._writer is None:
            return
        self._backlog.append(waiting)
        self._write_backlog()
        while sum(w.bytes for w in self._backlog) > BACKLOG_BYTES:
            self.dropped_rows += self._backlog.popleft().rows

    def _write_backlog(self) -> None:
        while self._backlog and self._writer is not None:
            try:
                self._backlog[0].write(self._writer)
            except OSError as error:
                self._complain(error)
                return
            except Exception as error:  # no disk's fault: trying again would not help
                self._complain(error)
                self.dropped_rows += self._backlog[0].rows
            self._backlog.popleft()
            self._done += 1

    def _complain(self, error: BaseException) -> None:
        if not self._warned:
            self._warned = True
            where = "" if self._writer is None else f" to {self._writer.path}"
            warnings.warn(
                f"gandiag cannot write{where} ({error}); the training goes on, up to "
                f"{BACKLOG_BYTES / 2**20:g} MiB of rows wait in memory, and run.json will say how many were dropped",
                RuntimeWarning,
                stacklevel=2,
            )

    def _with_all_columns(self, chunk: Chunk) -> Chunk:
        """Adds the columns that earlier chunks of the table had, as absent: a table's columns only ever grow.

        A column that has not been measured yet is left out, so that a run holds no series without a value.
        """
        known = self._columns.setdefault(chunk.table, {})
        columns, absent, labels = dict(chunk.columns), dict(chunk.absent), dict(chunk.labels)
        for name in list(columns):
            missing = absent.get(name)
            if missing is not None and missing.all() and name not in known:
                del columns[name], absent[name]
                labels.pop(name, None)
            else:
                known[name] = _Form(columns[name].dtype, columns[name].shape[1:], tuple(labels.get(name, ())))
        for name, form in known.items():
            if name not in columns:
                columns[name] = np.zeros((len(chunk.steps), *form.shape), form.dtype)
                absent[name] = np.ones(len(chunk.steps), bool)
                if form.labels:
                    labels[name] = form.labels
        return Chunk(chunk.table, chunk.steps, {name: columns[name] for name in known}, absent, labels)


def _import_ahead() -> None:
    """Loads what the first write would load (pyarrow asks pandas for its types), in the training's own thread.

    A thread of ours that imports while the training imports too can wait for it, and it for us, for ever.
    """
    for name in ("pandas", "pyarrow.parquet", "pyarrow.pandas_compat", "pyarrow.vendored.version", "encodings.cp437"):
        importlib.import_module(name)


class _Form(NamedTuple):
    """How a column looks: what later chunks repeat where they have not measured it."""

    dtype: np.dtype
    shape: tuple[int, ...]
    labels: tuple[str, ...]

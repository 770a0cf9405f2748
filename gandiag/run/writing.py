"""RunWriter: appends to a run directory so that a kill at any moment tears nothing."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa

from gandiag.errors import RunError
from gandiag.run.layout import FORMAT, LABELS, SAMPLE_FILE, STEP, SUPERSEDES, TABLE_FILE
from gandiag.run.reading import load_run

_PLAIN = {np.dtype(name): getattr(pa, name)() for name in ("float32", "float64", "int64")}


class RunWriter:
    """Writes one run directory. One process at a time: a second writer is refused. Not for use by several threads at once.

    `resume_at` continues a run: rows and records from that step on, written by earlier starts, are superseded.
    Errors of the disk (OSError) come through to the caller, and what was written before them stays readable.
    """

    def __init__(self, path: str | os.PathLike[str], about: Mapping[str, Any], *, resume_at: int | None = None) -> None:
        from filelock import FileLock, Timeout

        self.path = Path(path)
        if resume_at is None and self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise self._taken()
        if resume_at is not None:
            about = {**load_run(self.path).about, **about}
        (self.path / "tables").mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.path / "writer.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunError(
                f"{self.path} is being written by another process: wait for it, or give another folder with --out"
            ) from None
        if resume_at is None and (self.path / "run.json").exists():  # another one came and went since the look above
            self._lock.release()
            raise self._taken()
        self._streams: dict[str, tuple[pa.Schema, pa.RecordBatchStreamWriter, BinaryIO]] = {}
        self._forms: dict[str, list[tuple[Any, ...]]] = {}  # how the last batch of a table looked
        self._doubtful: dict[str, int] = {}  # table -> first step of a batch whose write failed
        self.about: dict[str, Any] = {"format": FORMAT, "name": self.path.name, **about}
        if resume_at is not None:
            self._supersede_tables(resume_at)
            for file in self.path.glob("*.jsonl"):
                self._append_line(file, {"resumed_at": resume_at})
            for file in (self.path / "samples").glob("*-*.npz"):
                match = SAMPLE_FILE.match(file.name)
                if match and match["kind"] == "fake" and int(match["step"]) >= resume_at:
                    file.unlink()
        self._write_about()

    def append(
        self,
        table: str,
        steps: np.ndarray,
        columns: Mapping[str, np.ndarray],
        *,
        labels: Mapping[str, Sequence[str]] | None = None,
        absent: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Appends rows to one table as one record batch.

        `steps` is (n,) int64; each column is (n,) for a scalar or (n, k) for a vector, whose k `labels` name its entries;
        `absent[name]` (n,) is true where that column was not measured. New columns begin a new segment by themselves.
        """
        if not re.fullmatch(r"[A-Za-z0-9_-]+", table):
            raise ValueError(f"a table's name is letters, digits, _ and -, not {table!r}")
        labels, absent = labels or {}, absent or {}
        columns = {STEP: np.asarray(steps, dtype=np.int64)} | {name: np.asarray(v) for name, v in columns.items()}
        known = {name: tuple(texts) for name, texts in labels.items()}
        form = [(name, v.dtype, v.shape[1:], known.get(name)) for name, v in columns.items()]
        arrays = [_arrow(values, absent.get(name)) for name, values in columns.items()]
        if table not in self._streams or form != self._forms[table]:
            self._begin(table, [_field(name, a.type, known.get(name)) for name, a in zip(columns, arrays)])
            self._forms[table] = form  # the schema is made, and compared, only where this has changed
        schema, writer, sink = self._streams[table]
        try:
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            sink.flush()
        except BaseException:
            self._abandon(table)  # the tail may be torn: the next batch begins a new segment
            if len(
                steps
            ):  # or whole after all, once it was closed: the same rows, written again, must not be there twice
                self._doubtful[table] = min(int(np.min(steps)), self._doubtful.get(table, sys.maxsize))
            raise

    def record(self, kind: str, record: Mapping[str, Any]) -> None:
        """Appends one low-rate record as a JSON line to KIND.jsonl; NaN and infinities are kept as such."""
        if not re.fullmatch(r"[a-z_]+", kind):
            raise ValueError(f"a kind of record is lower-case letters and _, not {kind!r}")
        self._append_line(self.path / f"{kind}.jsonl", record)

    def samples(self, step: int, arrays: Mapping[str, np.ndarray], kind: str = "fake") -> None:
        """Keeps a small batch: `images` (n, h, w, c) uint8 or `points` (n, d) float32, and what belongs to it."""
        folder = self.path / "samples"
        folder.mkdir(exist_ok=True)
        file = folder / f"{kind}-{step:09d}.npz"
        scratch = file.with_suffix(".part")
        with scratch.open("wb") as sink:
            np.savez_compressed(sink, allow_pickle=False, **cast(Any, dict(arrays)))
        os.replace(scratch, file)

    def update_about(self, **changes: Any) -> None:
        """Changes entries of run.json; the file is replaced in one piece."""
        self.about.update(changes)
        self._write_about()

    def close(self, status: str = "finished") -> None:
        """Ends the streams, notes how the run ended (`finished`, `interrupted`, `failed`), and lets the folder go."""
        for table in list(self._streams):
            self._end(table)
        try:
            if self._lock.is_locked:
                self.update_about(status=status)
        finally:
            self._lock.release()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("finished" if kind is None else "interrupted" if issubclass(kind, KeyboardInterrupt) else "failed")

    # -- inside

    def _taken(self) -> RunError:
        what = "holds another run" if (self.path / "run.json").exists() else "exists and is not empty"
        return RunError(f"{self.path} {what}: give another folder with --out, or continue that run with --resume")

    def _supersede_tables(self, resume_at: int) -> None:
        """Writes an empty segment that supersedes, for every table, so that also a table that this start never appends to is cut."""
        folder = self.path / "tables"
        for table in {m["table"] for f in folder.iterdir() if (m := TABLE_FILE.match(f.name))}:
            self._open(table, pa.schema([pa.field(STEP, pa.int64())]), supersedes_from=resume_at)
            self._end(table)

    def _begin(self, table: str, fields: Sequence[pa.Field]) -> None:
        """Opens a stream for batches of these fields, unless the open one is for the like."""
        schema, opened = pa.schema(fields), self._streams.get(table)
        if opened is not None and opened[0].equals(schema, check_metadata=True):
            return
        if opened is not None:
            self._end(table)
        self._open(table, schema, supersedes_from=self._doubtful.get(table))
        self._doubtful.pop(table, None)

    def _open(self, table: str, schema: pa.Schema, supersedes_from: int | None = None) -> None:
        folder = self.path / "tables"
        taken = [int(m["segment"]) for f in folder.iterdir() if (m := TABLE_FILE.match(f.name)) and m["table"] == table]
        if supersedes_from is not None:
            schema = schema.with_metadata({SUPERSEDES: str(supersedes_from).encode()})
        sink = (folder / f"{table}.{max(taken, default=-1) + 1:04d}.arrow").open("xb")
        try:
            writer = pa.ipc.new_stream(sink, schema)
            sink.flush()
        except BaseException:
            sink.close()
            raise
        self._streams[table] = (schema, writer, sink)

    def _end(self, table: str) -> None:
        _, writer, sink = self._streams.pop(table)
        try:
            writer.close()
        finally:
            sink.close()

    def _abandon(self, table: str) -> None:
        _, _, sink = self._streams.pop(table)
        with contextlib.suppress(OSError):  # the error that brought us here is the one to report
            sink.close()

    def _append_line(self, file: Path, record: Mapping[str, Any]) -> None:
        line = json.dumps(_plain(record), ensure_ascii=False).encode() + b"\n"
        with file.open("ab") as sink:
            if sink.tell() and _last_byte(file) != b"\n":
                sink.write(b"\n")  # an earlier line was torn: do not add to it
            sink.write(line)

    def _write_about(self) -> None:
        scratch = self.path / "run.json.part"
        scratch.write_text(json.dumps(_plain(self.about), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(scratch, self.path / "run.json")


def _field(name: str, kind: pa.DataType, labels: tuple[str, ...] | None) -> pa.Field:
    return pa.field(name, kind, metadata=None if labels is None else {LABELS: json.dumps(list(labels)).encode()})


def _arrow(values: np.ndarray, absent: np.ndarray | None) -> pa.Array:
    if values.ndim == 1:
        return _whole(values) if absent is None else pa.array(values, mask=absent, from_pandas=False)
    flat = _whole(values.reshape(-1))
    mask = None if absent is None else pa.array(np.asarray(absent, dtype=bool))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1], mask=mask)


def _whole(values: np.ndarray) -> pa.Array:
    """Wraps a column without gaps where it lies: `pa.array` would let go of the interpreter's lock for each, and a training waits then."""
    kind = _PLAIN.get(values.dtype)
    if kind is None:
        return pa.array(values, from_pandas=False)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))], 0)


def _last_byte(file: Path) -> bytes:
    with file.open("rb") as source:
        source.seek(-1, os.SEEK_END)
        return source.read(1)


def _plain(value: Any) -> Any:
    """Turns numpy scalars, arrays, paths and tuples into what JSON has; anything else becomes its text."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)

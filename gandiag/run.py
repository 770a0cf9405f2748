"""Run, RunWriter, load_run: the run directory, and the only file that knows its format.

A run directory holds
  run.json                     what the run is (configuration, seed, versions, device ...), replaced atomically
  tables/NAME.NNNN.arrow       per-step tables, Arrow IPC streams: one table for each cadence, one segment for each start of a
                               process or change of columns, one record batch for each flush; scalars are columns, vectors
                               (per-layer values, histograms) are fixed-size lists whose labels stand in the schema
  KIND.jsonl                   low-rate records (evaluations, events, alerts), one JSON line each
  samples/KIND-STEP.npz        small batches of samples
  checkpoints/                 written by training/checkpoint.py

Null is "not measured at this step"; NaN is "measured, and it was NaN". A torn tail is dropped, what stands before it is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pyarrow as pa

from gandiag.errors import NotRecorded, RunError

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
SUPERSEDES = (
    b"gandiag.supersedes_from"  # schema metadata: rows of earlier segments from this step on are no longer true
)
LABELS = b"gandiag.labels"
STEP = "step"
MAX_JSON_BYTES = 64 * 2**20  # a stranger's run.json or record file beyond this is refused
_TABLE_FILE = re.compile(r"^(?P<table>[A-Za-z0-9_-]+)\.(?P<segment>\d{4,})\.arrow$")
_SAMPLE_FILE = re.compile(r"^(?P<kind>[a-z]+)-(?P<step>\d{9,})\.npz$")


# ---------------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True)
class _Segment:
    """One Arrow stream: its batches as far as they are whole, zero-copy over the mapped file."""

    schema: pa.Schema
    batches: tuple[pa.RecordBatch, ...]
    steps: np.ndarray
    supersedes_from: int | None

    def has(self, name: str) -> bool:
        return any(b.column(name).null_count < b.num_rows for b in self.batches)

    def labels(self, name: str) -> list[str]:
        try:
            given = json.loads((self.schema.field(name).metadata or {}).get(LABELS, b"[]"))
        except (ValueError, RecursionError):
            return []
        return [str(x) for x in given] if isinstance(given, list) else []


@dataclass(frozen=True)
class Run:
    """What a training run left behind: `run["generator_gradient_norm"]` is one quantity, indexed by step."""

    path: Path
    about: dict[str, Any]

    @cached_property
    def _segments(self) -> dict[str, list[_Segment]]:
        found: dict[str, list[tuple[int, Path]]] = {}
        folder = self.path / "tables"
        for file in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []:
            match = _TABLE_FILE.match(file.name)
            if match and file.is_file() and not file.is_symlink():
                found.setdefault(match["table"], []).append((int(match["segment"]), file))
        opened = {table: [_read_segment(file) for _, file in sorted(files)] for table, files in found.items()}
        return {table: [s for s in segments if s is not None] for table, segments in opened.items()}

    @cached_property
    def _where(self) -> dict[str, str]:
        """Which table holds a series that has been measured at least once."""
        return {
            name: table
            for table, segments in sorted(self._segments.items())
            for s in segments
            for name in s.schema.names
            if name != STEP and s.has(name)
        }

    @cached_property
    def _cut(self) -> dict[str, list[int | None]]:
        """For each table and segment, the step from which later segments have superseded it."""
        cuts: dict[str, list[int | None]] = {}
        for table, segments in self._segments.items():
            limit: int | None = None
            backwards: list[int | None] = []
            for segment in reversed(segments):
                backwards.append(limit)
                if segment.supersedes_from is not None:
                    limit = segment.supersedes_from if limit is None else min(limit, segment.supersedes_from)
            cuts[table] = backwards[::-1]
        return cuts

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every series that this run holds, scalars and vectors, in alphabetical order."""
        return tuple(sorted({*self._where, *self._evaluated}))

    def __contains__(self, name: object) -> bool:
        try:
            self._resolve(str(name))
        except NotRecorded:
            return False
        return True

    def __getitem__(self, name: str) -> pd.Series:
        """Returns one scalar quantity, indexed by step, measured steps only; NaN where NaN was measured.

        A score may be asked for without its features (`frechet_distance`) where the run holds it on one kind only.
        Raises NotRecorded where it was never measured, or where it is a vector (use `layers`).
        """
        import pandas as pd

        name = self._resolve(name)
        if name in self._where:
            steps, values, labels = self._column(name)
            if values.ndim > 1:
                raise NotRecorded(name, f"it is a vector of {len(labels)}; use run.layers({name!r})")
        else:
            steps, values = self._evaluated_column(name)
            if values.ndim > 1:
                raise NotRecorded(name, f"it is a vector; use run.layers({name!r})")
        if not len(steps):
            raise NotRecorded(name, "no step holds a value")
        return pd.Series(values, index=pd.Index(steps, name=STEP), name=name)

    def layers(self, name: str) -> pd.DataFrame:
        """Returns one vector quantity as steps x labels (layer names, bins, classes); raises NotRecorded."""
        import pandas as pd

        name = self._resolve(name)
        if name in self._where:
            steps, values, labels = self._column(name)
        else:
            steps, values = self._evaluated_column(name)
            labels = self._evaluated_labels.get(name, [])
        if values.ndim != 2:
            raise NotRecorded(name, f"it is a scalar; use run[{name!r}]")
        if not len(steps):
            raise NotRecorded(name, "no step holds a value")
        columns = labels if len(labels) == values.shape[1] else [str(i) for i in range(values.shape[1])]
        return pd.DataFrame(values, index=pd.Index(steps, name=STEP), columns=columns)

    @cached_property
    def steps(self) -> int:
        """How many steps the recording spans: the last recorded step plus one, 0 for an empty run; an evaluation at step n came after n steps."""
        last = -1
        for table, segments in self._segments.items():
            for segment, cut in zip(segments, self._cut[table]):
                kept = segment.steps if cut is None else segment.steps[segment.steps < cut]
                if len(kept):
                    last = max(last, int(kept.max()))
        evaluated = [int(r[STEP]) for r in self._evaluations if isinstance(r.get(STEP), int)]
        return max([last + 1, *evaluated])

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Returns the low-rate records of one kind (`evaluations`, `events`, `alerts`), superseded ones left out."""
        if not re.fullmatch(r"[a-z_]+", kind):
            raise RunError(f"{kind!r} is no kind of record: lower-case letters and _ were expected")
        kept: list[dict[str, Any]] = []
        for record in _read_lines(self.path / f"{kind}.jsonl"):
            resumed = record.get("resumed_at")
            if isinstance(resumed, int) and len(record) == 1:
                kept = [r for r in kept if not isinstance(r.get(STEP), int) or r[STEP] < resumed]
            else:
                kept.append(record)
        return kept

    def sample_steps(self, kind: str = "fake") -> list[int]:
        """Returns the steps at which samples of one kind (`fake`, `real`) were kept."""
        folder = self.path / "samples"
        names = (_SAMPLE_FILE.match(f.name) for f in (folder.iterdir() if folder.is_dir() else ()))
        return sorted(int(m["step"]) for m in names if m and m["kind"] == kind)

    def samples(self, step: int, kind: str = "fake") -> dict[str, np.ndarray]:
        """Returns a kept batch: `images` (n, h, w, c) uint8 or `points` (n, d) float32, and what was kept beside it."""
        file = self.path / "samples" / f"{kind}-{step:09d}.npz"
        _refuse_link(file.parent, file)
        try:
            with zipfile.ZipFile(file) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > 2**30:
                    raise RunError(f"{file} unpacks to more than 1 GiB: this is no batch of samples that gandiag wrote")
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except FileNotFoundError:
            raise NotRecorded(f"{kind} samples at step {step}") from None
        except RunError:
            raise
        except Exception as error:  # a damaged archive fails in any way it likes
            raise RunError(
                f"{file} cannot be read as a batch of samples ({error}); delete that file, the rest of the run is fine"
            ) from None

    # -- columns

    def _resolve(self, name: str) -> str:
        if name in self._where or name in self._evaluated:
            return name
        on_features = [n for n in self.names if n.startswith(f"{name}[")]
        if len(on_features) == 1:
            return on_features[0]
        if on_features:
            raise NotRecorded(name, "it was measured on several features; ask for one of " + ", ".join(on_features))
        raise NotRecorded(name)

    def _column(self, name: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
        table = self._where[name]
        steps: list[np.ndarray] = []
        values: list[np.ndarray] = []
        labels: list[str] = []
        for segment, cut in zip(self._segments[table], self._cut[table]):
            if name not in segment.schema.names:
                continue
            labels = segment.labels(name)
            at, column = _measured(segment, name)
            keep = slice(None) if cut is None else at < cut
            steps.append(at[keep])
            values.append(column[keep])
        width = {v.shape[1:] for v in values}
        if len(width) > 1:  # a vector whose length changed on resume: the last form is the one that its labels fit
            last = values[-1].shape[1:]
            steps, values = map(list, zip(*[(s, v) for s, v in zip(steps, values) if v.shape[1:] == last]))
        return (
            np.concatenate(steps) if steps else np.empty(0, np.int64),
            np.concatenate(values) if values else np.empty(0),
            labels,
        )

    @cached_property
    def _evaluations(self) -> list[dict[str, Any]]:
        return self.records("evaluations")

    @cached_property
    def _evaluated(self) -> dict[str, None]:
        names = (key for r in self._evaluations if isinstance(r.get("scores"), dict) for key in r["scores"])
        return dict.fromkeys(names)

    @cached_property
    def _evaluated_labels(self) -> dict[str, list[str]]:
        labels: dict[str, list[str]] = {}
        for record in self._evaluations:
            given = record.get("labels")
            if isinstance(given, dict):
                labels.update({k: [str(x) for x in v] for k, v in given.items() if isinstance(v, list)})
        return labels

    def _evaluated_column(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        rows: dict[int, Any] = {}
        for record in self._evaluations:
            scores, step = record.get("scores"), record.get(STEP)
            if isinstance(step, int) and isinstance(scores, dict) and name in scores and scores[name] is not None:
                rows[step] = scores[name]
        try:
            read = {s: np.asarray(rows[s], dtype=np.float64) for s in sorted(rows)}
        except (TypeError, ValueError) as error:
            raise RunError(f"evaluations.jsonl of {self.path}: {name} is not a number ({error})") from None
        shape = next(reversed(read.values())).shape if read else ()
        steps = [s for s, value in read.items() if value.shape == shape]  # a vector whose length changed: its last form
        values = np.asarray([read[s] for s in steps], dtype=np.float64)
        return np.asarray(steps, dtype=np.int64), values


def load_run(path: str | os.PathLike[str]) -> Run:
    """Opens a run directory, also one that is still being written or was cut off; raises RunError where it is none.

    >>> load_run("runs/00000-mlp-digits")["generator_gradient_norm"]   # doctest: +SKIP
    """
    folder = Path(path)
    file = folder / "run.json"
    if not folder.exists():
        raise RunError(f"{folder} does not exist; `gandiag list` shows the runs of a folder")
    if not file.is_file():
        raise RunError(
            f"{folder} is no run: it has no run.json; give the folder that `gandiag run` or a Recorder wrote"
        )
    _refuse_link(file)
    try:
        if file.stat().st_size > MAX_JSON_BYTES:
            raise RunError(
                f"{file} is larger than {MAX_JSON_BYTES // 2**20} MiB: this is no run.json that gandiag wrote"
            )
        about = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{file} cannot be read ({error}); it must be a JSON object") from None
    if not isinstance(about, dict):
        raise RunError(f"{file} holds {type(about).__name__}, a JSON object was expected")
    if about.get("format") != FORMAT:
        raise RunError(
            f"{file} has format {about.get('format')!r}, this gandiag reads format {FORMAT}: update gandiag, or record the run again"
        )
    return Run(path=folder, about=about)


def _refuse_link(*files: Path) -> None:
    """A stranger's run must not make its reader open files elsewhere."""
    for file in files:
        if file.is_symlink():
            raise RunError(
                f"{file} is a link, and a run holds plain files only: copy the run with its content (cp -rL)"
            )


def _read_segment(file: Path) -> _Segment | None:
    """Reads what is whole of one Arrow stream; None where not even its schema is."""
    batches: list[pa.RecordBatch] = []
    try:
        if file.stat().st_size == 0:
            return None
        reader = pa.ipc.open_stream(pa.memory_map(str(file), "r"))
        schema = reader.schema
        if (
            schema.names.count(STEP) != 1
            or schema.field(STEP).type != pa.int64()
            or len(set(schema.names)) < len(schema.names)
        ):
            return None
    except (pa.ArrowException, OSError, ValueError):
        return None
    try:
        while True:
            batch = reader.read_next_batch()
            batch.validate()
            batches.append(batch)
    except (StopIteration, pa.ArrowException, OSError, ValueError):
        pass  # the end, or a torn tail: what stands before it is kept
    steps = [b.column(STEP).to_numpy(zero_copy_only=False) for b in batches]
    given = (schema.metadata or {}).get(SUPERSEDES)
    supersedes = int(given) if given is not None and given.isdigit() else None
    return _Segment(schema, tuple(batches), np.concatenate(steps) if steps else np.empty(0, np.int64), supersedes)


def _measured(segment: _Segment, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the steps and values of one column where it is not null.

    A run of a day has tens of thousands of record batches: they are joined by Arrow and never walked through here.
    """
    kind = segment.schema.field(name).type
    width = kind.list_size if pa.types.is_fixed_size_list(kind) else 0
    column = pa.chunked_array([batch.column(name) for batch in segment.batches], type=kind)
    steps = segment.steps
    if column.null_count:
        steps = steps[column.is_valid().to_numpy()]
        column = column.drop_null()
    if not len(column):
        return np.empty(0, np.int64), np.empty((0, width) if width else 0)
    if not width:
        return steps, column.to_numpy()
    return steps, column.combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, width)


def _read_lines(file: Path) -> Iterable[dict[str, Any]]:
    """Yields the JSON objects of a file of lines; a torn last line and lines that are none are passed over."""
    if not file.is_file():
        return
    _refuse_link(file)
    if file.stat().st_size > MAX_JSON_BYTES:
        raise RunError(f"{file} is larger than {MAX_JSON_BYTES // 2**20} MiB: these are no records that gandiag wrote")
    for line in file.read_bytes().split(b"\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record


# -------------------------------------------------------------------------------------------------------------- following


FIRST_KEPT = 1000  # steps of the beginning that stay whole: forces and faults of the wiring are read there
LAST_KEPT = 2000  # steps of the end that stay whole
BURST = 20  # steps in a row that are kept of each stretch between: neighbours tell what single rows would hide, a lazy penalty say
MOST_BURSTS = 250  # more than the stretches that a diagnosis summarises


class Following:
    """A run that is still being written, read on from where the last look ended, its long past thinned out to bursts of steps.

    What is kept depends on the recorded steps alone, never on when the looks were made. What stays constant is the cost of a look.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._files: dict[tuple[str, int], _Followed] = {}

    def look(self) -> Run:
        """Returns the run as far as it is written; raises RunError as `load_run` does."""
        run = load_run(self._path)
        folder = run.path / "tables"
        found: dict[str, dict[int, _Followed]] = {}
        for file in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []:
            match = _TABLE_FILE.match(file.name)
            if match and file.is_file() and not file.is_symlink():
                key = (match["table"], int(match["segment"]))
                followed = self._files.setdefault(key, _Followed(file))
                followed.read_on()
                found.setdefault(key[0], {})[key[1]] = followed
        steps = max((f.last for files in found.values() for f in files.values()), default=-1) + 1
        segments = {
            table: [s for _, f in sorted(files.items()) if (s := f.segment(steps)) is not None]
            for table, files in found.items()
        }
        run.__dict__["_segments"] = segments  # in the place of what the cached property would read
        return run


class _Followed:
    """One Arrow stream: how far it was read, and the rows that are kept of it."""

    def __init__(self, file: Path) -> None:
        self._file, self._offset, self.last = file, 0, -1
        self._schema: pa.Schema | None = None
        self._kept: list[pa.RecordBatch] = []

    def read_on(self) -> None:
        """Reads the batches that were finished since the last time; a torn tail is left for the next."""
        try:
            with pa.OSFile(str(self._file)) as source:
                if self._schema is None:
                    self._schema = pa.ipc.read_schema(source)
                    self._offset = source.tell()
                    if self._schema.names.count(STEP) != 1 or self._schema.field(STEP).type != pa.int64():
                        self._schema = None
                        return
                source.seek(self._offset)
                while True:
                    batch = pa.ipc.read_record_batch(pa.ipc.read_message(source), self._schema)
                    batch.validate()
                    self._offset = source.tell()
                    self._kept.append(batch)
                    if batch.num_rows:
                        self.last = max(self.last, int(batch.column(STEP)[batch.num_rows - 1].as_py()))
        except (EOFError, pa.ArrowException, OSError, ValueError):
            return

    def segment(self, steps: int) -> _Segment | None:
        """Thins what is kept out, as a run of so many steps needs it, and returns it; None where there is no table."""
        if self._schema is None or len(set(self._schema.names)) < len(self._schema.names):
            return None
        table = pa.Table.from_batches(self._kept, self._schema)
        at = table.column(STEP).to_numpy() if table.num_rows else np.empty(0, np.int64)
        wanted = kept_steps(at, steps)
        table = (table if wanted.all() else table.filter(pa.array(wanted))).combine_chunks()
        self._kept = table.to_batches()
        given = (self._schema.metadata or {}).get(SUPERSEDES)
        supersedes = int(given) if given is not None and given.isdigit() else None
        return _Segment(self._schema, tuple(self._kept), at[wanted], supersedes)


def kept_steps(at: np.ndarray, steps: int) -> np.ndarray:
    """Returns which of these steps (n,) a follower keeps of a run of so many steps: a longer run keeps no step that a shorter one has dropped."""
    if steps <= FIRST_KEPT + LAST_KEPT + BURST * MOST_BURSTS:
        return np.ones(len(at), dtype=bool)
    apart = BURST
    while steps > apart * MOST_BURSTS:
        apart *= 2
    return np.asarray((at < FIRST_KEPT) | (at % apart < BURST) | (at >= steps - LAST_KEPT))


# ---------------------------------------------------------------------------------------------------------------- writing


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
        self._doubtful: dict[str, int] = {}  # table -> first step of a batch whose write failed
        self.about: dict[str, Any] = {"format": FORMAT, "name": self.path.name, **about}
        if resume_at is not None:
            self._supersede_tables(resume_at)
            for file in self.path.glob("*.jsonl"):
                self._append_line(file, {"resumed_at": resume_at})
            for file in (self.path / "samples").glob("*-*.npz"):
                match = _SAMPLE_FILE.match(file.name)
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
        arrays = {STEP: pa.array(np.asarray(steps, dtype=np.int64))}
        for name, values in columns.items():
            arrays[name] = _arrow(values, absent.get(name))
        fields = [
            pa.field(
                name, a.type, metadata={LABELS: json.dumps(list(labels[name])).encode()} if name in labels else None
            )
            for name, a in arrays.items()
        ]
        schema, writer, sink = self._stream(table, pa.schema(fields))
        try:
            writer.write_batch(pa.record_batch(list(arrays.values()), schema=schema))
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
        for table in {m["table"] for f in folder.iterdir() if (m := _TABLE_FILE.match(f.name))}:
            self._open(table, pa.schema([pa.field(STEP, pa.int64())]), supersedes_from=resume_at)
            self._end(table)

    def _stream(self, table: str, schema: pa.Schema) -> tuple[pa.Schema, pa.RecordBatchStreamWriter, BinaryIO]:
        opened = self._streams.get(table)
        if opened is not None and opened[0].equals(schema, check_metadata=True):
            return opened
        if opened is not None:
            self._end(table)
        stream = self._open(table, schema, supersedes_from=self._doubtful.get(table))
        self._doubtful.pop(table, None)
        return stream

    def _open(
        self, table: str, schema: pa.Schema, supersedes_from: int | None = None
    ) -> tuple[pa.Schema, pa.RecordBatchStreamWriter, BinaryIO]:
        folder = self.path / "tables"
        taken = [
            int(m["segment"]) for f in folder.iterdir() if (m := _TABLE_FILE.match(f.name)) and m["table"] == table
        ]
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
        return self._streams[table]

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


def _arrow(values: np.ndarray, absent: np.ndarray | None) -> pa.Array:
    values = np.asarray(values)
    if values.ndim == 1:
        return pa.array(values, mask=absent, from_pandas=False)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), from_pandas=False)
    mask = None if absent is None else pa.array(np.asarray(absent, dtype=bool))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1], mask=mask)


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

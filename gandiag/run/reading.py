"""Run and load_run: a run directory as it stands, also one that is still being written or was cut off."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gandiag.errors import NotRecorded, RunError
from gandiag.run.layout import (
    FORMAT,
    LABELS,
    MAX_JSON_BYTES,
    SAMPLE_FILE,
    STEP,
    SUPERSEDES,
    TABLE_FILE,
    json_objects,
    refuse_link,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Segment:
    """One Arrow stream: its batches as far as they are whole, zero-copy over the mapped file."""

    schema: pa.Schema
    batches: tuple[pa.RecordBatch, ...]
    steps: np.ndarray
    supersedes_from: int | None

    @cached_property
    def table(self) -> pa.Table:
        """All batches, joined by Arrow: a run of a day has tens of thousands, which are walked through once and not for each column."""
        return pa.Table.from_batches(self.batches, self.schema)

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

    def _table_files(self) -> dict[str, list[tuple[int, Path]]]:
        """Each table's segments: their numbers and files."""
        found: dict[str, list[tuple[int, Path]]] = {}
        folder = self.path / "tables"
        for file in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []:
            match = TABLE_FILE.match(file.name)
            if match and file.is_file() and not file.is_symlink():
                found.setdefault(match["table"], []).append((int(match["segment"]), file))
        return found

    @cached_property
    def unreadable(self) -> tuple[str, ...]:
        """The table files of which nothing can be read though they are not empty: damaged, and what they held is missing from every series."""
        files = [file for segments in self._table_files().values() for _, file in segments]
        return tuple(f"tables/{f.name}" for f in files if f.stat().st_size and _opened(f) is None)

    @cached_property
    def _segments(self) -> dict[str, list[Segment]]:
        found = self._table_files()
        opened = {table: [read_segment(file) for _, file in sorted(files)] for table, files in found.items()}
        return {table: [s for s in segments if s is not None] for table, segments in opened.items()}

    @cached_property
    def _where(self) -> dict[str, dict[str, None]]:
        """Which tables hold a series that has been measured: one, or several where a run was resumed with another cadence."""
        found: dict[str, dict[str, None]] = {}
        for table, segments in sorted(self._segments.items()):
            for segment in segments:
                for name in segment.schema.names:
                    if name != STEP and segment.has(name):
                        found.setdefault(name, {})[table] = None
        return found

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
        names = (SAMPLE_FILE.match(f.name) for f in (folder.iterdir() if folder.is_dir() else ()))
        return sorted(int(m["step"]) for m in names if m and m["kind"] == kind)

    def samples(self, step: int, kind: str = "fake") -> dict[str, np.ndarray]:
        """Returns a kept batch: `images` (n, h, w, c) uint8 or `points` (n, d) float32, and what was kept beside it."""
        file = self.path / "samples" / f"{kind}-{step:09d}.npz"
        refuse_link(file.parent, file)
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
        pieces: list[tuple[np.ndarray, np.ndarray, list[str]]] = []
        for table in self._where[name]:
            for segment, cut in zip(self._segments[table], self._cut[table]):
                if name in segment.schema.names:
                    at, column = _measured(segment, name)
                    keep = slice(None) if cut is None else at < cut
                    pieces.append((at[keep], column[keep], segment.labels(name)))
        found = sorted((p for p in pieces if len(p[0])), key=lambda piece: int(piece[0][0])) or pieces[-1:]
        last, labels = found[-1][1].shape[1:], found[-1][2]  # a vector whose length changed on resume: its last form
        fitting = [(at, column) for at, column, _ in found if column.shape[1:] == last]
        steps, values = (np.concatenate(parts) for parts in zip(*fitting))
        if len(steps) > 1 and (np.diff(steps) <= 0).any():  # two tables that tell of one step: it counts once
            steps, first = np.unique(steps, return_index=True)
            values = values[first]
        return steps, values, labels

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
    refuse_link(file)
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


def read_segment(file: Path) -> Segment | None:
    """Reads what is whole of one Arrow stream; None where not even its schema is."""
    reader = _opened(file)
    if reader is None:
        return None
    schema, batches = reader.schema, []
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
    return Segment(schema, tuple(batches), np.concatenate(steps) if steps else np.empty(0, np.int64), supersedes)


def _opened(file: Path) -> pa.RecordBatchStreamReader | None:
    """One Arrow stream, ready to be read; None where its schema is not that of a table of steps."""
    try:
        if file.stat().st_size == 0:
            return None
        reader = pa.ipc.open_stream(pa.memory_map(os.fsencode(file), "r"))
        names = reader.schema.names
        steps = names.count(STEP) == 1 and reader.schema.field(STEP).type == pa.int64()
    except (pa.ArrowException, OSError, ValueError):
        return None
    return reader if steps and len(set(names)) == len(names) else None


def _measured(segment: Segment, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the steps and values of one column where it is not null."""
    kind = segment.schema.field(name).type
    width = kind.list_size if pa.types.is_fixed_size_list(kind) else 0
    column = segment.table.column(name)
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
    refuse_link(file)
    if file.stat().st_size > MAX_JSON_BYTES:
        raise RunError(f"{file} is larger than {MAX_JSON_BYTES // 2**20} MiB: these are no records that gandiag wrote")
    yield from json_objects(file.read_bytes())

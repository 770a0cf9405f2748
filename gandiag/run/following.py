"""Following: a run that is still being written, read on from where the last look ended, at a cost that stays the same."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa

from gandiag.run.layout import STEP, SUPERSEDES, TABLE_FILE
from gandiag.run.reading import Run, Segment, load_run

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
            match = TABLE_FILE.match(file.name)
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
            with pa.OSFile(os.fsencode(self._file)) as source:
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

    def segment(self, steps: int) -> Segment | None:
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
        return Segment(self._schema, tuple(self._kept), at[wanted], supersedes)


def kept_steps(at: np.ndarray, steps: int) -> np.ndarray:
    """Returns which of these steps (n,) a follower keeps of a run of so many steps: a longer run keeps no step that a shorter one has dropped."""
    if steps <= FIRST_KEPT + LAST_KEPT + BURST * MOST_BURSTS:
        return np.ones(len(at), dtype=bool)
    apart = BURST
    while steps > apart * MOST_BURSTS:
        apart *= 2
    return np.asarray((at < FIRST_KEPT) | (at % apart < BURST) | (at >= steps - LAST_KEPT))

"""Other people's logs (CSV, JSON, printed text, stylegan's folders, TensorBoard) read as a run: what is in them can be judged, the rest is absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from gandiag.errors import RunError, UsageError, did_you_mean
from gandiag.logs.log import Log
from gandiag.logs.stylegan import read_stylegan
from gandiag.logs.tables import read_csv, read_json, read_json_lines
from gandiag.logs.tensorboard import event_files, read_tensorboard
from gandiag.logs.text import read_text
from gandiag.quantities import QUANTITIES, quantity
from gandiag.run import Run, load_run

__all__ = ["Log", "open_recording", "recordings_in"]

BY_SUFFIX: dict[str, Callable[[Path, dict[str, str]], Log]] = {
    **dict.fromkeys((".csv", ".tsv"), read_csv),
    **dict.fromkeys((".jsonl", ".ndjson"), read_json_lines),
    ".json": read_json,
    **dict.fromkeys((".txt", ".log", ".out"), read_text),
}


def open_recording(path: str | os.PathLike[str], names: Mapping[str, str] | None = None) -> Run | Log:
    """Opens a run directory or somebody's log, by what lies there; `names` maps their columns to ours. Raises RunError where it is neither."""
    where = Path(path)
    if (where / "run.json").is_file():
        return load_run(where)
    read = _reader(where)
    if read is None and where.is_file():
        raise RunError(
            f"{where} is no run and no log that can be told by its name: {', '.join(BY_SUFFIX)} or events.out.tfevents… were expected"
        )
    if read is None:
        return load_run(where)  # which says what is wrong
    return read(where, _checked(names or {}))


def recordings_in(path: Path) -> list[Path]:
    """Returns a run or log itself, or of a folder that is neither those that lie in it, by name; the folder itself where none does."""
    if _is_recording(path) or not path.is_dir():
        return [path]
    inside = [child for child in path.iterdir() if child.is_dir() and not child.is_symlink() and _is_recording(child)]
    return sorted(inside) or [path]


def _is_recording(where: Path) -> bool:
    return (where / "run.json").is_file() or _reader(where) is not None


def _reader(where: Path) -> Callable[[Path, dict[str, str]], Log] | None:
    if where.is_dir():
        if (where / "stats.jsonl").is_file():
            return read_stylegan
        return read_tensorboard if event_files(where) else None
    if where.name.startswith("events.out.tfevents"):
        return read_tensorboard
    return BY_SUFFIX.get(where.suffix.lower()) if where.is_file() else None


def _checked(names: Mapping[str, str]) -> dict[str, str]:
    for theirs, ours in names.items():
        if ours != "step" and quantity(ours) is None:
            raise UsageError(
                f"{theirs}={ours}: there is no quantity {ours!r}{did_you_mean(ours, list(QUANTITIES))}; see docs/metrics.md"
            )
    return dict(names)

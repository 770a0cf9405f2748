"""Log: somebody's log with the door of a run, and what all readers of logs refuse."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandiag.errors import NotRecorded, RunError

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 1024**3  # a log beyond a gigabyte is refused: it is read into memory


@dataclass(frozen=True)
class Log:
    """Somebody's log with the door of a Run: `log["discriminator_loss"]` is one quantity by step; what is not in it raises NotRecorded."""

    path: Path
    about: dict[str, Any]
    series: dict[str, pd.Series] = field(repr=False)
    ignored: tuple[str, ...] = ()  # the columns that have no meaning here
    unreadable: tuple[str, ...] = ()  # a Run's damaged tables; a log is read as a whole or not at all

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every series that this log holds, in alphabetical order."""
        return tuple(sorted(self.series))

    @cached_property
    def steps(self) -> int:
        """How many steps the log spans: its last step plus one."""
        return max((int(s.index[-1]) for s in self.series.values() if len(s)), default=-1) + 1

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except NotRecorded:
            return False
        return True

    def __getitem__(self, name: str) -> pd.Series:
        """Returns one quantity, indexed by step; a score may be asked for without its features, as of a Run."""
        found = [n for n in self.names if n == name] or [n for n in self.names if n.startswith(f"{name}[")]
        if len(found) != 1 or not len(self.series[found[0]]):
            raise NotRecorded(name, "it is not in this log" if not found else "")
        return self.series[found[0]]

    def layers(self, name: str) -> pd.DataFrame:
        """A log of scalars holds no vectors: raises NotRecorded."""
        raise NotRecorded(name, "a log of scalars holds no vectors")

    def records(self, kind: str) -> list[dict[str, Any]]:
        """A log holds no records of ours."""
        return []

    def sample_steps(self, kind: str = "fake") -> list[int]:
        """A log holds no samples."""
        return []

    def samples(self, step: int, kind: str = "fake") -> dict[str, Any]:
        """A log holds no samples: raises NotRecorded."""
        raise NotRecorded(f"{kind} samples at step {step}", "a log of scalars holds no samples")


def refuse_giants(file: Path) -> None:
    try:
        size = file.stat().st_size
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror or error}") from None
    if size > MAX_BYTES:
        raise RunError(f"{file} is larger than {MAX_BYTES // 2**20} MiB: thin it out first")


def decoded(file: Path) -> str:
    """Returns a file's text: UTF-8, or UTF-16 where it begins with that mark, as a redirection in PowerShell writes it."""
    refuse_giants(file)
    content = file.read_bytes()
    return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")


def is_number(value: Any) -> bool:
    """Whether it is a number that a float can hold; JSON knows whole numbers of any length."""
    return isinstance(value, float) or (
        isinstance(value, int) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    )

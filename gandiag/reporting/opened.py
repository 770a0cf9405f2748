"""Opened: a run, a path to one, or to somebody else's log, as the run that the report is made of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from gandiag.logs import open_recording
from gandiag.run import Run


def opened(run: Run | str | os.PathLike[str]) -> Run:
    """Returns the run itself, or what lies at the path; somebody's log is read as a run. Raises RunError for what is neither."""
    if isinstance(run, (str, os.PathLike)):
        return cast(Run, open_recording(run))  # a Log has the door of a Run
    return run


def beside(run: Run, name: str) -> Path:
    """Returns where a file about a run lies: in its folder, or beside the file that it is."""
    return run.path / name if run.path.is_dir() else run.path.with_name(f"{run.path.stem}.{name}")

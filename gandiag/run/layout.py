"""What readers and writers of a run directory must agree on: file names, schema metadata, bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gandiag.errors import RunError

FORMAT = 1
# schema metadata: rows of earlier segments from this step on are no longer true
SUPERSEDES = b"gandiag.supersedes_from"
LABELS = b"gandiag.labels"
STEP = "step"
MAX_JSON_BYTES = 64 * 2**20  # a stranger's run.json or record file beyond this is refused
TABLE_FILE = re.compile(r"^(?P<table>[A-Za-z0-9_-]+)\.(?P<segment>\d{4,})\.arrow$")
SAMPLE_FILE = re.compile(r"^(?P<kind>[a-z]+)-(?P<step>\d{9,})\.npz$")


def refuse_link(*files: Path) -> None:
    """A stranger's run must not make its reader open files elsewhere."""
    for file in files:
        if file.is_symlink():
            raise RunError(
                f"{file} is a link, and a run holds plain files only: copy the run with its content (cp -rL)"
            )


def json_objects(content: bytes) -> Iterator[dict[str, Any]]:
    """Yields the JSON objects of lines; a torn last line and lines that are none are passed over."""
    for line in content.split(b"\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record

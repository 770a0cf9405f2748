"""What is done about data that cannot be read: it is named and counted, and either refused or left out. And what no file may ask for."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gandiag.errors import GandiagError, UsageError

ON_BAD = ("error", "skip")
SHOWN = 5  # bad files that a message names
KEPT = 100  # bad files that the facts name
MEMORY_SHARE = 0.8  # of the machine's memory that a data set may take
PACKED_LIMIT = 200  # bytes unpacked for a byte packed beyond which a large file is taken for a bomb (MNIST: 5, flat PNGs in a zip: 1)
LARGE = 2**26  # below 64 MiB nobody is harmed


def deal_with(
    name: str, bad: Sequence[tuple[str, str]], *, total: int, on_bad: str, what: str = "images"
) -> dict[str, Any]:
    """Raises GandiagError that names and counts what could not be read, or with on_bad 'skip' warns and returns the facts to keep."""
    if on_bad not in ON_BAD:
        raise UsageError(f"on_bad is one of {', '.join(ON_BAD)}, not {on_bad!r}")
    if not bad:
        return {}
    listed = "; ".join(f"{shown(file)}: {reason}" for file, reason in bad[:SHOWN]) + (
        "; ..." if len(bad) > SHOWN else ""
    )
    found = f"{shown(name)}: {len(bad)} of {total} {what} cannot be read ({listed})"
    if on_bad == "error":
        raise GandiagError(f"{found}; repair or remove them, or give on_bad=skip to train without them")
    if len(bad) == total:
        raise GandiagError(f"{found}: nothing is left to train on")
    warnings.warn(f"{found}; left out", stacklevel=2)
    return {"skipped": len(bad), "skipped_names": [f"{shown(file)}: {reason}" for file, reason in bad[:KEPT]]}


def shown(name: str | Path) -> str:
    """Returns a file's name as it can be printed: no control characters, no broken encodings, not endless."""
    text = str(name).encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
    return text if len(text) <= 200 else text[:100] + "..." + text[-97:]


def require_memory(name: str, size: int) -> None:
    """Raises GandiagError where so many bytes of data do not fit into this machine's memory."""
    available = _memory()
    if available is not None and size > MEMORY_SHARE * available:
        raise GandiagError(
            f"{shown(name)}: {size / 2**30:.1f} GiB of samples do not fit into {available / 2**30:.1f} GiB of memory; "
            "give a smaller --resolution, or fewer files"
        )


def refuse_bomb(name: str, *, packed: int, unpacked: int) -> None:
    """Raises GandiagError where a packed file claims to hold far more than honest data of its size would."""
    if unpacked > LARGE and unpacked > PACKED_LIMIT * max(packed, 1):
        raise GandiagError(
            f"{shown(name)}: {packed} bytes claim to unpack to {unpacked}: refused, this looks like a decompression bomb"
        )


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None

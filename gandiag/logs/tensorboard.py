"""TensorBoard's event files, their scalars read as a log, without TensorBoard."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from gandiag.errors import RunError, UsageError, did_you_mean
from gandiag.logs.log import Log, refuse_giants
from gandiag.logs.names import guess


def read_tensorboard(where: Path, names: dict[str, str]) -> Log:
    """Reads the scalars of TensorBoard event files: a file, or a folder with all that lies in it and one level below."""
    import pandas as pd

    files = event_files(where) if where.is_dir() else [where]
    columns: dict[str, dict[int, float]] = {}
    tags: dict[str, None] = {}
    for file in files:
        refuse_giants(file)
        for step, tag, value in _scalars(file.read_bytes()):
            tags[tag] = None
            ours = names.get(tag) or guess(tag)
            if ours and ours != "step":
                columns.setdefault(ours, {})[step] = value
    missing = [theirs for theirs in names if theirs not in tags]
    if missing:
        raise UsageError(
            f"{where} has no scalar {missing[0]!r}{did_you_mean(missing[0], list(tags))}; it has {', '.join(list(tags)[:20]) or 'none'}"
        )
    series = {n: pd.Series(v, dtype=float, name=n).rename_axis("step").sort_index() for n, v in columns.items()}
    if not series:
        raise RunError(
            f"{where} holds no scalar that is known here ({', '.join(list(tags)[:20]) or 'no scalar at all'}); say which is which with --map"
        )
    ignored = tuple(t for t in tags if not (names.get(t) or guess(t)))
    return Log(where, {"name": where.name, "source": "tensorboard", "could_not_tell": []}, series, ignored)


def event_files(folder: Path) -> list[Path]:
    found = [
        f
        for pattern in ("events.out.tfevents*", "*/events.out.tfevents*")
        for f in folder.glob(pattern)
        if f.is_file() and not f.is_symlink()
    ]
    return sorted(found)[:1000]


def _scalars(data: bytes) -> Iterator[tuple[int, str, float]]:
    """Yields (step, tag, value) of an event file; what is torn or is no scalar is passed over.

    A record is a length (8 bytes), its checksum (4), an Event message, its checksum (4). Event: 2 = step, 5 = Summary; Summary: 1 =
    Value; Value: 1 = tag, 2 = simple_value, 8 = tensor; TensorProto: 1 = dtype (1 float, 2 double), 4 = content, 5 = floats, 6 = doubles.
    """
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        start, end = at + 12, at + 12 + length
        if end + 4 > len(data):
            return
        try:
            event = list(_fields(data[start:end]))
            step = next((v for n, v in event if n == 2 and isinstance(v, int)), 0)
            values = [
                list(_fields(v))
                for n, s in event
                if n == 5 and isinstance(s, bytes)
                for m, v in _fields(s)
                if m == 1 and isinstance(v, bytes)
            ]
        except ValueError:
            values = []
        for value in values:
            tag, number = next((v for n, v in value if n == 1 and isinstance(v, bytes)), b""), _number(value)
            if number is not None and 0 <= step < 2**53:
                yield step, tag.decode("utf-8", "replace"), number
        at = end + 4


def _number(value: list[tuple[int, int | bytes]]) -> float | None:
    for n, v in value:
        if n == 2 and isinstance(v, bytes) and len(v) == 4:
            return float(struct.unpack("<f", v)[0])
        if n == 8 and isinstance(v, bytes):
            try:
                tensor = dict(_fields(v))
            except ValueError:
                return None
            for key, form, size in (
                (5, "<f", 4),
                (6, "<d", 8),
                (4, "<f" if tensor.get(1) == 1 else "<d", 4 if tensor.get(1) == 1 else 8),
            ):
                content = tensor.get(key)
                if isinstance(content, bytes) and len(content) == size:
                    return float(struct.unpack(form, content)[0])
    return None


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yields the fields of one protobuf message: varints as int, everything else as bytes; ValueError where it is torn."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("no protobuf message")
        if at + size > len(data):
            raise ValueError("a torn protobuf message")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
    raise ValueError("a torn number")

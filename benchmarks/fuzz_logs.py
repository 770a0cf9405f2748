"""Logs of other people's trainings for `benchmarks/fuzz.py`: real files, and the reader that opens them."""

from __future__ import annotations

import csv
import json
import struct
from collections.abc import Callable
from pathlib import Path

from gandiag.logs import open_recording


def make_csv(folder: Path) -> None:
    """A log as many loops write it."""
    with (folder / "log.csv").open("w", newline="") as sink:
        table = csv.writer(sink)
        table.writerow(["step", "d_loss", "g_loss", "fid"])
        table.writerows([i, 1.4 - i / 900, 0.7 + i / 900, 90 - i / 4] for i in range(60))


def make_jsonl(folder: Path) -> None:
    """A log of JSON lines, with nested names."""
    rows = [
        {"step": i, "loss": {"d": 1.4, "g": {"mean": 0.7, "std": 0.1}}, "d_loss": 1.3, "g_loss": 0.7} for i in range(60)
    ]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def make_json(folder: Path) -> None:
    """One JSON document of lists."""
    held = {"step": list(range(60)), "d_loss": [1.4] * 60, "g_loss": [0.7] * 60}
    (folder / "log.json").write_text(json.dumps(held), encoding="utf-8")


def make_text(folder: Path) -> None:
    """What a loop printed."""
    lines = [
        f"[{i // 20}/3][{i % 20}/20] Loss_D: {1.4 - i / 900:.4f} Loss_G: 0.7 D(x): 0.6 D(G(z)): 0.4 / 0.3"
        for i in range(60)
    ]
    (folder / "log.txt").write_text("\n".join(lines), encoding="utf-8")


def make_stylegan(folder: Path) -> None:
    """A StyleGAN training's folder."""
    place = folder / "sg"
    place.mkdir()
    rows = [
        {"Progress/kimg": {"mean": 4.0 * i}, "Loss/D/loss": {"mean": 0.9}, "Loss/G/loss": {"mean": 1.6}, "Loss/signs/real": {"mean": 0.6}}
        for i in range(40)
    ]  # fmt: skip
    (place / "stats.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    scores = [
        {"results": {"fid50k_full": 90.0 - i}, "snapshot_pkl": f"network-snapshot-{40 * i:06d}.pkl"} for i in range(4)
    ]
    (place / "metric-fid50k_full.jsonl").write_text("\n".join(map(json.dumps, scores)), encoding="utf-8")
    options = {"batch_size": 32, "random_seed": 0, "training_set_kwargs": {"path": "/x/y", "max_size": 9}, "G_opt_kwargs": {"lr": 0.002}}  # fmt: skip
    (place / "training_options.json").write_text(json.dumps(options), encoding="utf-8")


def make_events(folder: Path) -> None:
    """A TensorBoard event file."""
    rows = [(step, tag, 1.0) for step in range(40) for tag in ("d_loss", "g_loss")]
    (folder / "events.out.tfevents.1").write_bytes(as_events(rows))


def as_events(rows: list[tuple[int, str, float]], *, tensor: bool = False) -> bytes:
    """A TensorBoard event file by the definition of its format; checksums are left 0, which readers of scalars do not look at."""

    def varint(n: int) -> bytes:
        out = b""
        while True:
            n, low = n >> 7, n & 0x7F
            out += bytes([low | (0x80 if n else 0)])
            if not n:
                return out

    def text(number: int, value: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(value)) + value

    data = b""
    for step, tag, value in rows:
        if tensor:
            body = varint(1 << 3) + varint(1) + text(4, struct.pack("<f", value))
            held = text(1, tag.encode()) + text(8, body)
        else:
            held = text(1, tag.encode()) + varint(2 << 3 | 5) + struct.pack("<f", value)
        event = varint(1 << 3 | 1) + struct.pack("<d", 1.7e9) + varint(2 << 3) + varint(step) + text(5, text(1, held))
        data += struct.pack("<QI", len(event), 0) + event + struct.pack("<I", 0)
    return data


def reads_log(name: str) -> Callable[[Path], object]:
    """Returns a function that reads a log and judges it."""

    def read(folder: Path) -> object:
        log = open_recording(folder / name)
        for series in log.names:
            log[series]
        return log.steps

    return read

"""Faults of the machine under a training, for `benchmarks/faults.py`: no memory, a clock that jumps, a disk that is full or read-only."""

from __future__ import annotations

import dataclasses
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import gandiag.training.loop
from benchmarks.faults_play import CONFIG, STEPS, complaints_about, differences, in_child, status_of, train_and_report
from benchmarks.faults_scene import Row, Scene, resumed
from gandiag.run import load_run


def out_of_memory(scene: Scene) -> Row:
    """The device has no memory left in the middle of a step."""
    row = Row("out of device memory in a step")

    def body() -> None:
        true, calls = gandiag.training.loop.play, 0

        def failing(*positional: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 57:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            return true(*positional, **named)

        gandiag.training.loop.play = failing
        train_and_report(scene.folder / "oom")

    ended = in_child(body, scene.folder / "oom")
    if ended.code != 3 or "out of memory" not in ended.text or "--batch" not in ended.text:
        row.wrong.append(f"no plain word about it: {ended.code}: {ended.text[-200:]}")
    if status_of(scene.folder / "oom") != "failed":
        row.wrong.append(f"the run says {status_of(scene.folder / 'oom')}")
    resumed(scene, row, scene.folder / "oom", ended)
    row.note = ended.text.strip().splitlines()[-1] if ended.text.strip() else ""
    return row


def clock_jumps(scene: Scene) -> Row:
    """The clock of the wall jumps by a day, back and forth, at every look."""
    row = Row("clock that jumps")

    def body() -> None:
        true, calls = time.time, 0

        def jumping() -> float:
            nonlocal calls
            calls += 1
            return true() + (86_400 if calls % 2 else -86_400)

        time.time = jumping
        train_and_report(scene.folder / "clock")

    ended = in_child(body, scene.folder / "clock")
    if ended.code:
        row.wrong.append(f"it ended with {ended.code}: {ended.text[-200:]}")
    else:
        wall = load_run(scene.folder / "clock")["wall_time"]
        if not (wall.is_monotonic_increasing and 0 <= wall.iloc[-1] < 3600):
            row.wrong.append("wall_time follows the clock that jumps")
    resumed(scene, row, scene.folder / "clock", ended)
    return row


def full_disk(scene: Scene) -> Row:
    """The disk is full from step 35 to step 82, on a small tmpfs of its own."""
    row = Row("disk full for a while")
    place = scene.folder / "small"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(place)], check=False, capture_output=True
    ).returncode:
        row.note = "not played: this user may not mount a tmpfs"
        return row
    try:
        return _without_disk(
            scene, row, place / "run", lambda _: _fill(place / "ballast"), lambda _: (place / "ballast").unlink()
        )
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as sink:
        for size in (65536, 1024, 1):
            try:
                while True:
                    sink.write(bytes(size))
            except OSError:
                continue


def read_only_folder(scene: Scene) -> Row:
    """Nothing can be made in the run's folder or be changed there, from step 35 to step 82, also not by root."""
    row = Row("folder read-only for a while")
    path = scene.folder / "theirs"

    def immutable(sign: str) -> bool:
        return not subprocess.run(["chattr", "-R", f"{sign}i", str(path)], check=False, capture_output=True).returncode

    path.mkdir()
    possible = immutable("+")
    immutable("-")
    path.rmdir()
    if not possible:
        row.note = "not played: this user or file system cannot make a folder immutable"
        return row
    try:
        return _without_disk(scene, row, path, lambda _: immutable("+"), lambda _: immutable("-"))
    finally:
        immutable("-")


def _without_disk(
    scene: Scene,
    row: Row,
    path: Path,
    take: Callable[[Path], object],
    give: Callable[[Path], object],
) -> Row:
    """Takes the disk away in mid-training and gives it back; the training must not notice."""

    def watch(progress: Any) -> None:
        if progress.step == 35:
            take(path)
        if progress.step == 82:
            give(path)

    def body() -> None:
        warnings.simplefilter("always")
        train_and_report(path, dataclasses.replace(CONFIG, steps=STEPS), watch=watch)

    ended = in_child(body, path, log=scene.folder / "without-disk.log")
    row.times, row.orphans, row.looks = 1, ended.orphans, ended.looks
    row.wrong += ended.complaints
    if ended.code:
        row.wrong.append(f"it ended with {ended.code}: {ended.text[-300:]}")
        return row
    found = complaints_about(path)
    row.loaded += not found
    row.wrong += found
    unlike = [d for d in differences(scene.whole, path) if d.startswith(("weights", "state"))]
    row.exact += not unlike
    row.wrong += unlike
    run = load_run(path)
    kept, said = len(run["discriminator_loss"]), ended.text.count("RuntimeWarning")
    lost = run.about.get("dropped_rows", 0)
    failed = sum(r.get("event") == "checkpoint_failed" for r in run.records("events"))
    if not said:
        row.wrong.append("no warning was given")
    if kept != STEPS and not lost:
        row.wrong.append(f"{STEPS - kept} rows are missing and nothing says so")
    row.note = f"{kept} of {STEPS} rows kept, {lost} said to be dropped, {failed} checkpoints missed, {said} warnings"
    return row

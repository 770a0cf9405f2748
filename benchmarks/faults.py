"""Faults: hurts trainings in every way that a machine can, and counts what is lost. Prints a table.

    python -m benchmarks.faults                    100 kills at random moments, and every other fault
    python -m benchmarks.faults --quick            a few of each, in seconds
    python -m benchmarks.faults --only oom,clock

Every training that ends too early is resumed and held, bit for bit, against one that was left alone: weights, optimizers, random generators,
sampler, recording, scores. While it runs a reader opens the run ten times a second and looks for rows twice, rows missing, torn files.
Linux only: it forks, and looks into /proc.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

import gandiag.training.loop
import gandiag.training.pause
from benchmarks import faults_loops as loops
from benchmarks.faults_play import (
    CONFIG,
    STEPS,
    Ended,
    complaints_about,
    die_after,
    die_inside,
    differences,
    in_child,
    status_of,
    timed,
    train_and_report,
)
from gandiag.errors import GandiagError
from gandiag.run import RunWriter, load_run
from gandiag.training.checkpoint import checkpoint_steps


@dataclass
class Row:
    """What became of one kind of fault."""

    fault: str
    times: int = 0
    loaded: int = 0
    exact: int = 0
    resumable: int = 0
    orphans: int = 0
    looks: int = 0
    wrong: list[str] = field(default_factory=list)  # whatever was not as it should be
    note: str = ""


@dataclass(frozen=True)
class Scene:
    """What every fault is played in: a scratch folder, the undisturbed run, and how long its parts take."""

    folder: Path
    whole: Path
    seconds: dict[str, list[float]]
    kills: int
    chance: random.Random


AIMS: dict[str, tuple[Any, str]] = {
    "a flush": (RunWriter, "append"),
    "a checkpoint": (gandiag.training.pause, "save_checkpoint"),
    "an evaluation": (gandiag.training.pause, "_score"),
    "the report": (sys.modules["benchmarks.faults_play"], "write_report"),
}


STEP = (gandiag.training.loop, "play")
AFTER_A_STEP = 0.1  # seconds after the beginning of a step in which the kill at any moment comes


def undisturbed(folder: Path) -> tuple[Path, dict[str, list[float]]]:
    """Trains the run that all others are held against, and one more to learn how long its parts take."""
    ended = in_child(lambda: train_and_report(folder / "whole"), folder / "whole")
    if ended.code:
        raise RuntimeError(ended.text)
    times = folder / "times"

    def body() -> None:
        seconds: dict[str, list[float]] = {aim: [] for aim in AIMS}
        with (
            timed(*AIMS["a flush"], seconds["a flush"]),
            timed(*AIMS["a checkpoint"], seconds["a checkpoint"]),
            timed(*AIMS["an evaluation"], seconds["an evaluation"]),
            timed(*AIMS["the report"], seconds["the report"]),
        ):
            train_and_report(folder / "timed")
        lines = [f"{aim}={' '.join(map(str, s))}" for aim, s in seconds.items()]
        times.write_text("\n".join(lines))

    ended = in_child(body, folder / "timed")
    if ended.code:
        raise RuntimeError(ended.text)
    pairs = (line.split("=") for line in times.read_text().splitlines())
    return folder / "whole", {aim: [float(x) for x in values.split()] for aim, values in pairs}


# ------------------------------------------------------------------------------------------------------- the harness's faults


def resumed(scene: Scene, row: Row, path: Path, first: Ended) -> None:
    """Looks at what a fault left, resumes it as a user would, and compares the end with the undisturbed run."""
    row.times += 1
    row.orphans += first.orphans
    row.looks += first.looks
    row.wrong += first.complaints
    found = complaints_about(path)
    row.loaded += not found
    row.wrong += found
    if not checkpoint_steps(path):
        shutil.rmtree(path, ignore_errors=True)  # nothing to go on from: gandiag says so, and the user begins again
    else:
        row.resumable += 1
    second = in_child(lambda: train_and_report(path), path)
    row.orphans += second.orphans
    row.looks += second.looks
    row.wrong += second.complaints
    if second.code:
        row.wrong.append(f"the resumed run ended with {second.code}: {second.text[-300:]}")
        return
    unlike = differences(scene.whole, path)
    row.exact += not unlike
    row.wrong += unlike


def kills(scene: Scene, aim: str, times: int) -> Row:
    """kill -9, so many times, each at another random moment."""
    row = Row(f"kill -9 in {aim}" if aim in AIMS else f"kill -9 at {aim}")
    for number in range(times):
        path = scene.folder / f"{aim.replace(' ', '-')}-{number}"
        lengths = scene.seconds.get(aim, [AFTER_A_STEP] * STEPS)
        call = scene.chance.randrange(len(lengths))
        seconds = scene.chance.random() * lengths[call]

        def body(path: Path = path, call: int = call, seconds: float = seconds) -> None:
            if aim in AIMS:
                die_inside(*AIMS[aim], call=call + 1, seconds=seconds)
            else:
                die_after(*STEP, call=1 + call % STEPS, seconds=seconds)
            train_and_report(path)

        ended = in_child(body, path)
        if ended.code not in (-signal.SIGKILL, -signal.SIGALRM, 0):
            row.wrong.append(f"it ended with {ended.code}: {ended.text[-200:]}")
        resumed(scene, row, path, ended)
        shutil.rmtree(path, ignore_errors=True)
    row.note = f"{row.resumable} had a checkpoint to go on from, the others were begun again"
    return row


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


# --------------------------------------------------------------------------------------------------- signals, ranks, writers


def signals(scene: Scene, name: str, sent: Sequence[int], code: int) -> Row:
    """A signal, or the same twice, to `gandiag run`."""
    row = Row(name)
    path = scene.folder / name.replace(" ", "-")
    ended = loops.signalled(path, sent)
    if ended.code != code:
        row.wrong.append(f"exit code {ended.code} instead of {code}: {ended.text[-300:]}")
    if "Traceback" in ended.text:
        row.wrong.append("a traceback was shown")
    row.note = f"exit code {ended.code}, status {status_of(path)}"
    resumed(scene, row, path, ended)
    return row


def dead_rank(scene: Scene) -> Row:
    """One of two processes under torchrun is killed; the run is resumed by two again."""
    row = Row("a rank of two dies under torchrun")
    whole, hurt = scene.folder / "two-whole", scene.folder / "two-hurt"
    first = loops.torchrun(whole, kill_at=None)
    if first.code:
        row.wrong.append(first.text[-500:])
        return row
    ended = loops.torchrun(hurt, kill_at=40)
    row.times, row.orphans, row.looks = 1, ended.orphans, ended.looks
    row.wrong += ended.complaints
    if not ended.code:
        row.wrong.append("torchrun did not notice")
    found = complaints_about(hurt)
    row.loaded += not found
    row.wrong += found
    row.resumable += bool(checkpoint_steps(hurt))
    second = loops.torchrun(hurt, kill_at=None, resume=True)
    row.orphans += second.orphans
    if second.code:
        row.wrong.append(f"the resumed run ended with {second.code}: {second.text[-500:]}")
        return row
    unlike = differences(whole, hurt)
    row.exact += not unlike
    row.wrong += unlike
    return row


def two_writers(scene: Scene, times: int) -> Row:
    """Two trainings are given one folder at the same moment: one of them is refused."""
    row = Row("two writers at once")
    for number in range(times):
        path = scene.folder / f"both-{number}"
        codes, text = loops.race(path)
        row.times += 1
        if sorted(codes) != [0, 3] or "Error: " not in text:
            row.wrong.append(f"they ended with {codes}: {text[-300:]}")
        found = complaints_about(path)
        unlike = differences(scene.whole, path)
        row.loaded += not found
        row.exact += not unlike
        row.wrong += [*found, *unlike]
    return row


# ---------------------------------------------------------------------------------------------------------------- the table


def play(scene: Scene, wanted: set[str]) -> list[Row]:
    """Plays the faults that are wanted (all where none is named), in order."""
    n = scene.kills
    parts: dict[str, Callable[[], Row]] = {
        "moment": lambda: kills(scene, "any moment", max(n - 4 * (n // 6), 1)),
        "flush": lambda: kills(scene, "a flush", max(n // 6, 1)),
        "checkpoint": lambda: kills(scene, "a checkpoint", max(n // 6, 1)),
        "evaluation": lambda: kills(scene, "an evaluation", max(n // 6, 1)),
        "report": lambda: kills(scene, "the report", max(n // 6, 1)),
        "term": lambda: signals(scene, "SIGTERM", [signal.SIGTERM], 130),
        "once": lambda: signals(scene, "Ctrl-C once", [signal.SIGINT], 130),
        "twice": lambda: signals(scene, "Ctrl-C twice", [signal.SIGINT, signal.SIGINT], 130),
        "full": lambda: full_disk(scene),
        "readonly": lambda: read_only_folder(scene),
        "clock": lambda: clock_jumps(scene),
        "oom": lambda: out_of_memory(scene),
        "slow": lambda: _loop_row("slow disk (0.3 s a write)", loops.slow_disk(scene.folder / "slow")),
        "hung": lambda: _loop_row("disk that hangs for ever", loops.hung_disk(scene.folder / "hung")),
        "worker": lambda: _loop_row("data worker killed", loops.dead_worker(scene.folder / "worker")),
        "orphans": lambda: _loop_row("kill -9 with data workers", loops.killed_with_workers(scene.folder / "workers")),
        "rank": lambda: dead_rank(scene),
        "writers": lambda: two_writers(scene, max(n // 20, 1)),
    }
    unknown = wanted - set(parts)
    if unknown:
        raise SystemExit(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    rows = []
    for name, part in parts.items():
        if not wanted or name in wanted:
            rows.append(part())
            print(as_line(rows[-1]), flush=True)
    return rows


def _loop_row(fault: str, found: loops.Found) -> Row:
    return Row(
        fault,
        times=1,
        loaded=int(found.loaded),
        exact=int(found.unchanged),
        orphans=found.orphans,
        looks=found.looks,
        wrong=list(found.wrong),
        note=found.note,
    )


def as_line(row: Row) -> str:
    """Returns one line of the table."""
    wrong = "; ".join(dict.fromkeys(row.wrong)) or "nothing"
    return (
        f"| {row.fault} | {row.times} | {row.loaded} | {row.exact} | {row.orphans} | {row.looks} | "
        f"{wrong.replace('|', '/').replace(chr(10), ' ')} | {row.note.replace('|', '/')} |"
    )


QUICK = {"moment", "flush", "checkpoint", "report", "clock", "oom", "full", "slow", "hung"}


def main() -> None:
    """Plays the faults, prints the table, and ends with 1 where anything was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="faults, separated by commas")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        whole, seconds = undisturbed(folder)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; a run of {STEPS} steps and its report\n")
        print(
            "| fault | times | loads | exact | orphans | reader's looks | wrong | note |\n|---|---|---|---|---|---|---|---|"
        )
        kills_asked = 4 if asked.quick else asked.kills
        wanted = {w for w in asked.only.split(",") if w} or (QUICK if asked.quick else set())
        rows = play(Scene(folder, whole, seconds, kills_asked, random.Random(asked.seed)), wanted)
    except GandiagError as error:
        raise SystemExit(f"Error: {error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    wrong = [f"{row.fault}: {w}" for row in rows for w in row.wrong] + [
        f"{r.fault}: {r.orphans} orphans" for r in rows if r.orphans
    ]
    print(f"\n{sum(r.times for r in rows)} faults, {len(wrong)} things wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

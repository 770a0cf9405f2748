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
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from benchmarks import faults_loops as loops
from benchmarks import faults_machine as machine
from benchmarks.faults_play import (
    STEPS,
    complaints_about,
    die_after,
    die_inside,
    differences,
    in_child,
    status_of,
    train_and_report,
)
from benchmarks.faults_scene import AFTER_A_STEP, AIMS, STEP, Row, Scene, resumed, undisturbed
from gandiag.errors import GandiagError
from gandiag.training.checkpoint import checkpoint_steps

# ------------------------------------------------------------------------------------------------- kills, signals, ranks, writers


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
        "full": lambda: machine.full_disk(scene),
        "readonly": lambda: machine.read_only_folder(scene),
        "clock": lambda: machine.clock_jumps(scene),
        "oom": lambda: machine.out_of_memory(scene),
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

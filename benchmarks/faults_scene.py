"""What every fault of `benchmarks/faults.py` is played in: the undisturbed run, a row of the table, and the resume that is held against it."""

from __future__ import annotations

import random
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gandiag.training.loop
import gandiag.training.pause
from benchmarks.faults_play import Ended, complaints_about, differences, in_child, timed, train_and_report
from gandiag.run import RunWriter
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
    """Trains the run that all others are held against, and learns how long its parts take."""
    times = folder / "times"

    def body() -> None:
        seconds: dict[str, list[float]] = {aim: [] for aim in AIMS}
        with ExitStack() as clocks:
            for aim, (owner, name) in AIMS.items():
                clocks.enter_context(timed(owner, name, seconds[aim]))
            train_and_report(folder / "whole")
        times.write_text("\n".join(f"{aim}={' '.join(map(str, s))}" for aim, s in seconds.items()))

    ended = in_child(body, folder / "whole")
    if ended.code:
        raise RuntimeError(ended.text)
    pairs = (line.split("=") for line in times.read_text().splitlines())
    return folder / "whole", {aim: [float(x) for x in values.split()] for aim, values in pairs}


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

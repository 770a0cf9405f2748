"""Exam: trainings by hands that had not read the checks. Plays each script, then prints what the diagnosis made of it, beside its own label.

    python -m benchmarks.exam play DIR [NAME ...] [--set first] [--seed 0]    (ten seconds of a core a script; what is there is kept)
    python -m benchmarks.exam judge DIR [--set first]                          (seconds)

A script is recorded as its `LABEL` says: by its own lines, by one line (`automatic`), or by `gandiag attach`, unedited. It measures its
samples from outside and prints whether they are well; where that contradicts the label, the script is left out and listed. `doubt` marks
sick scripts of which the same training without its fault is not well either.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gandiag.diagnosis import Diagnosis, Finding, Verdict, diagnose
from gandiag.errors import GandiagError

HERE = Path(__file__).parent / "strangers"
SETS = tuple(sorted(p.name for p in HERE.iterdir() if p.is_dir() and not p.name.startswith(("_", "."))))
PATIENCE = 600  # seconds


@dataclass(frozen=True)
class Label:
    """What a script says of itself: whether it is sick, which causes are right, best first, and since which step."""

    sick: bool
    causes: tuple[str, ...]
    kind: str
    since: int | None
    record: str  # lines, automatic, attach
    doubt: str = ""


@dataclass
class Totals:
    """Counts of one set."""

    found: list[bool] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    alarms: list[bool] = field(default_factory=list)
    suspected: list[bool] = field(default_factory=list)

    def line(self, of: str) -> str:
        """Returns the counts as a sentence."""
        return (
            f"{of}: an illness found in {sum(self.found)} of {len(self.found)}, right cause first in {sum(self.right)}; "
            f"of {len(self.alarms)} healthy ones FAILED {sum(self.alarms)}, suspected {sum(self.suspected)}"
        )


def scripts(which: str, names: list[str]) -> list[Path]:
    """Returns a set's scripts, all where none is named; names may be cut short."""
    found = sorted(p for p in (HERE / which).glob("[0-9]*.py"))
    return [p for p in found if not names or any(p.stem.startswith(name) for name in names)]


def label_of(script: Path) -> Label:
    """Reads a script's label without running it."""
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "LABEL" for t in node.targets):
            given: dict[str, Any] = ast.literal_eval(node.value)
            return Label(**{**given, "causes": tuple(given["causes"])})
    raise SystemExit(f"{script} has no LABEL")


def play(script: Path, folder: Path, seed: int) -> str:
    """Runs one script into its folder; returns what to print of it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run = folder / "run"
    command = [sys.executable, str(script), str(run)]
    if label_of(script).record == "attach":
        command = [sys.executable, "-m", "gandiag", "attach", "--no-report", "--out", str(run), str(script)]
    paths = [str(Path(__file__).parents[1]), str(HERE), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "SEED": str(seed),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }
    began = time.perf_counter()
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        out, err, code = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        out, err, code = "", f"stopped after {PATIENCE} s", 124
    (folder / "out.txt").write_text(out, encoding="utf-8")
    (folder / "err.txt").write_text(err, encoding="utf-8")
    return f"{script.stem} {time.perf_counter() - began:.1f} s, exit code {code}, {'well' if is_well(folder) else 'not well'}"


def is_well(folder: Path) -> bool | None:
    """Returns what the script's own measure says, None where it printed none."""
    try:
        lines = (folder / "out.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    said = next((line for line in reversed(lines) if line.startswith('{"outcome"')), None)
    return None if said is None else bool(json.loads(said)["well"])


def judge(script: Path, folder: Path, totals: Totals, sure: Totals) -> str:
    """Judges one recording, counts it, and returns what to print of it."""
    label, well = label_of(script), is_well(folder)
    if well is None or well is label.sick:
        return f"left out  {script.stem}: " + (
            "it printed no measure" if well is None else "its own measure contradicts its label"
        )
    try:
        told: Diagnosis | None = diagnose(folder / "run")
    except GandiagError as error:  # attach may have recorded nothing: that is a miss of a sick one
        told, why = None, str(error).splitlines()[0]
    illnesses: tuple[Finding, ...] = () if told is None else told.illnesses
    failed = [f for f in illnesses if f.verdict is Verdict.FAILED]
    right = bool(failed) and failed[0].check in label.causes
    for counted in (totals, *(() if label.doubt else (sure,))):
        if label.sick:
            counted.found.append(bool(failed))
            counted.right.append(right)
        else:
            counted.alarms.append(bool(failed))
            counted.suspected.append(bool(illnesses) and not failed)
    mark = (
        ("right" if right else "found" if failed else "MISSED")
        if label.sick
        else "ALARM"
        if failed
        else "suspect"
        if illnesses
        else "well"
    )
    about = f"{'sick' if label.sick else 'healthy'} ({label.kind}), {label.record}" + (
        ", in doubt" if label.doubt else ""
    )
    first = (failed or illnesses or (None,))[0]
    said = (
        f"nothing was recorded: {why}"
        if told is None
        else f"{first.check}{f' ({first.kind})' if first.kind else ''} since {first.onset}: {first.claim[:160]}"
        if first
        else told.verdict.value
    )
    return f"{mark:9s} {script.stem}: {about}\n          {said}"


def main() -> None:
    """Plays or judges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("play", "judge"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="scripts (all where none is named)")
    parser.add_argument(
        "--set", dest="sets", choices=SETS, action="append", help="which sets (all where none is given)"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for which in options.sets or SETS:
        totals, sure = Totals(), Totals()
        for script in scripts(which, options.names):
            folder = options.folder / which / script.stem
            if options.what == "judge":
                print(judge(script, folder, totals, sure))
            elif options.names or is_well(folder) is None:
                print(play(script, folder, options.seed), flush=True)
        if options.what == "judge":
            print(totals.line(f"{which} set"))
            print(sure.line("  without those in doubt"))


if __name__ == "__main__":
    main()

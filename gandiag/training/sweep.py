"""Sweeps: settings and their values, each combination a cell with a run of its own; and the contract for engines (see sweep_engines).

An engine that has a pool, a pruner or a cluster of its own needs no more than `train_cell`: it trains one cell, calls
`report(scores, step)` as evaluations are made, and stops where `should_stop()` says so or where a check in `stop_on` fails.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gandiag.errors import GandiagError, UsageError
from gandiag.training.config import FIELDS, Config, effective_config, known_field, read_value

Report = Callable[[Mapping[str, Any], int], None]
SEPARATOR = "_"
RANGE = ".."
BAR = "|"  # between values that hold a colon themselves
WITH_COLONS = ("data", "generator", "discriminator")  # mnist:DIR, package.module:function
PLAIN = "+=@,~"  # besides letters, digits, and _ . - what stands in a folder's name as it is
OF_THE_MACHINE = ("device", "threads", "workers")  # what a cell may be gone on with elsewhere


@dataclass(frozen=True)
class Cell:
    """One point of the grid: its settings as texts, and the folder of its run."""

    settings: dict[str, str]
    path: Path


@dataclass(frozen=True)
class CellResult:
    """How one cell ended: the verdict, its first finding and the last score, or the error that kept it from being trained."""

    cell: Cell
    step: int
    ended: str
    verdict: str
    first_finding: str
    error: str = ""
    score: float | None = None
    score_name: str = ""


def parse_grid(text: str) -> dict[str, list[str]]:
    """Reads "lr_g=1e-4:1e-3,lr_d=1e-4:1e-3,seed=0:1:2" (values apart by ':'); raises UsageError for what is no such text.

    The values of a list-valued setting are joined by '+': penalties=r1:r1+r2. Those that hold a colon themselves are apart by '|':
    data=mnist:DIR|ring:modes=4,sd=.1|digits. A range, lr_g=1e-5..1e-2, is for an engine that chooses.
    """
    grid: dict[str, list[str]] = {}
    for part in _axes(text):
        name, equals, values = part.partition("=")
        found = [v.strip() for v in values.split(BAR if BAR in values and name in WITH_COLONS else ":") if v.strip()]
        if not equals or not found:
            raise UsageError(f"--over reads lr_g=1e-4:1e-3,seed=0:1:2 (values apart by a colon), not {part!r}")
        if name == "recipe":
            raise UsageError(
                "--over takes settings, and a recipe is many: sweep each --recipe by itself, and compare the folders"
            )
        if known_field(name, "--over") in grid:
            raise UsageError(f"--over gives {name} twice")
        if name == "data" and BAR not in values:
            _refuse_halves(found, values)
        grid[name] = [v.replace("+", ",") for v in found] if isinstance(FIELDS[name].default, tuple) else found
        read = [tuple(read_value(name, end) for end in ends(name, value)) for value in grid[name]]
        twice = [value for number, value in enumerate(grid[name]) if read[number] in read[:number]]
        if twice:
            raise UsageError(f"--over gives {name} the value {twice[0]} twice: each cell is trained once")
    if not grid:
        raise UsageError("--over names no setting: give lr_g=1e-4:1e-3,seed=0:1:2")
    return grid


def ends(name: str, value: str) -> list[str]:
    """Returns the two ends of a range of numbers, else the value alone; in a path, two dots are no range."""
    return [value] if name in WITH_COLONS else value.split(RANGE)


def _axes(text: str) -> list[str]:
    """Splits a grid at its commas, but not at those between the options of a source of data (ring:modes=4,sd=.1)."""
    parts: list[str] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        inside = bool(parts) and parts[-1].partition("=")[0] in WITH_COLONS and ":" in parts[-1].rpartition(BAR)[2]
        if inside and part.partition("=")[0] not in FIELDS:
            parts[-1] += f",{part}"
        else:
            parts.append(part)
    return parts


def _refuse_halves(found: Sequence[str], values: str) -> None:
    """Raises UsageError where a colon between two values of data stands within one of them."""
    from gandiag.training.data import SOURCES

    half = next((v for v in found if v not in SOURCES and not Path(v).exists()), None)
    if half is not None:
        raise UsageError(
            f"--over: {half!r} in data={values} is no source of data, file or folder by itself; values that hold a colon are "
            "apart by a bar, in quotes: --over 'data=mnist:DIR|digits'"
        )


def cells(grid: Mapping[str, Sequence[str]], out: Path) -> list[Cell]:
    """Returns every combination of the grid's values, each with a folder that says what it is."""
    combinations = itertools.product(*grid.values())
    return [
        Cell(dict(zip(grid, values)), out / SEPARATOR.join(f"{n}={_in_a_name(v)}" for n, v in zip(grid, values)))
        for values in combinations
    ]


def _in_a_name(value: str) -> str:
    """Returns a value as it stands in the name of a folder, where a slash or a colon may not."""
    return quote(value.replace(",", "+"), safe=PLAIN)


def train_cell(
    config: Config,
    *,
    out: Path,
    about: Mapping[str, Any] | None = None,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> CellResult:
    """Trains one cell and judges it. `report` gets the scores of each evaluation with its step; `should_stop` is asked after each."""
    from gandiag.run import load_run
    from gandiag.training.loop import Progress, train

    told = 0

    def tell() -> None:
        nonlocal told
        for record in load_run(out).records("evaluations"):
            if report is not None and record["step"] >= told:
                report(record["scores"], record["step"])
                told = record["step"] + 1

    def watch(progress: Progress) -> bool:
        if config.evaluate_every == 0 or (progress.step - 1) % config.evaluate_every != 0:
            return False  # an evaluation is made before the step that follows it
        tell()
        return should_stop() if should_stop is not None else False

    outcome = train(config, out=out, about=about, watch=watch)
    tell()
    return replace(judged(out), step=outcome.step, ended=outcome.ended)


def judged(path: Path) -> CellResult:
    """Judges the run in a folder, and says with which score it ended: a known mixture's mode_kl, else a Frechet distance."""
    from gandiag.diagnosis import diagnose
    from gandiag.run import load_run

    run = load_run(path)
    diagnosis = diagnose(run)
    name = next((n for n in ("mode_kl", "frechet_distance") if n in run), "")
    first = diagnosis.illnesses[0].check if diagnosis.illnesses else ""
    ended = str(run.about.get("status"))
    result = CellResult(Cell({}, path), run.steps, ended, diagnosis.verdict.value, first)
    return replace(result, score=float(run[name].iloc[-1]), score_name=name) if name else result


def refuse_other_settings(path: Path, config: Config) -> None:
    """Raises UsageError where the run in a folder was trained with other settings than are asked for now: its verdict is not theirs."""
    from gandiag.run import load_run
    from gandiag.training.checkpoint import config_from

    saved = load_run(path).about.get("config")
    if not isinstance(saved, dict):
        raise UsageError(f"{path} was not trained by `gandiag run`: give another --out")
    before = config_from(saved)
    other = [n for n in FIELDS if n not in OF_THE_MACHINE and getattr(before, n) != getattr(config, n)]
    if other:
        listed = ", ".join(f"{n}={getattr(before, n)!r}, now {getattr(config, n)!r}" for n in other[:3])
        raise UsageError(f"{path} was trained with other settings ({listed}): give another --out, or delete it")


def play_cell(cell: Cell, recipe: str, settings: Mapping[str, str]) -> CellResult:
    """Trains a cell, goes on with one that was cut off, or judges one that is there; a mistake of the user's is its error."""
    from gandiag.run import load_run
    from gandiag.training.checkpoint import named_step
    from gandiag.training.loop import train

    try:
        config, sources = effective_config(recipe, settings={**settings, **cell.settings})
        if not (cell.path / "run.json").exists():
            about = {"recipe": recipe, "config_sources": sources, "cell": cell.settings}
            return replace(train_cell(config, out=cell.path, about=about), cell=cell)
        refuse_other_settings(cell.path, config)
        if load_run(cell.path).about.get("status") != "finished" and named_step(cell.path, "last") is not None:
            train(config, out=cell.path, resume=True)
        return replace(judged(cell.path), cell=cell)
    except GandiagError as error:
        return CellResult(cell, 0, "failed", "inconclusive", "", str(error))

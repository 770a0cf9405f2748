"""Sweeps: a grid of settings, each cell a run of its own, in a pool of processes on this machine; and the contract for other engines.

An engine that has a pool, a pruner or a cluster of its own (Optuna, Ray, submitit) needs no more than `train_cell`: it trains one cell,
calls `report(scores, step)` as evaluations are made, and stops where `should_stop()` says so or where a check in `stop_on` fails.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gandiag.errors import GandiagError, UsageError
from gandiag.training.config import Config, effective_config, known_field, read_value

Report = Callable[[Mapping[str, Any], int], None]
SEPARATOR = "_"


@dataclass(frozen=True)
class Cell:
    """One point of the grid: its settings as texts, and the folder of its run."""

    settings: dict[str, str]
    path: Path


@dataclass(frozen=True)
class CellResult:
    """How one cell ended: the verdict and its first finding, or the error that kept it from being trained."""

    cell: Cell
    step: int
    ended: str
    verdict: str
    first_finding: str
    error: str = ""


def parse_grid(text: str) -> dict[str, list[str]]:
    """Reads "lr_g=1e-4:1e-3,lr_d=1e-4:1e-3,seed=0:1:2" (values apart by ':'); raises UsageError for what is no such text.

    The values of a list-valued setting are joined by '+': penalties=r1:r1+r2.
    """
    grid: dict[str, list[str]] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, values = part.partition("=")
        found = [v for v in values.split(":") if v]
        if not equals or not found:
            raise UsageError(f"--over reads lr_g=1e-4:1e-3,seed=0:1:2, not {part!r}")
        if known_field(name) in grid:
            raise UsageError(f"--over gives {name} twice")
        grid[name] = [v.replace("+", ",") for v in found]
        for value in grid[name]:
            read_value(name, value)
    if not grid:
        raise UsageError("--over names no setting: give lr_g=1e-4:1e-3,seed=0:1:2")
    return grid


def cells(grid: Mapping[str, Sequence[str]], out: Path) -> list[Cell]:
    """Returns every combination of the grid's values, each with a folder that says what it is."""
    combinations = itertools.product(*grid.values())
    return [
        Cell(dict(zip(grid, values)), out / SEPARATOR.join(f"{n}={v.replace(',', '+')}" for n, v in zip(grid, values)))
        for values in combinations
    ]


def train_cell(
    config: Config,
    *,
    out: Path,
    about: Mapping[str, Any] | None = None,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> CellResult:
    """Trains one cell and judges it. `report` gets the scores of each evaluation with its step; `should_stop` is asked after each."""
    from gandiag.diagnosis import diagnose
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
        if config.evaluate_every == 0 or progress.step % config.evaluate_every != 1:
            return False  # an evaluation is made before the step that follows it
        tell()
        return should_stop() if should_stop is not None else False

    outcome = train(config, out=out, about=about, watch=watch)
    tell()
    diagnosis = diagnose(out)
    first = diagnosis.illnesses[0].check if diagnosis.illnesses else ""
    return CellResult(Cell({}, out), outcome.step, outcome.ended, diagnosis.verdict.value, first)


def sweep(
    grid: Mapping[str, Sequence[str]], *, recipe: str, settings: Mapping[str, str], out: Path, jobs: int
) -> Iterator[CellResult]:
    """Trains every cell of the grid, `jobs` at a time, and yields each as it is done; a cell that fails does not stop the others."""
    todo = cells(grid, out)
    for cell in todo:
        effective_config(
            recipe, settings={**settings, **cell.settings}
        )  # what cannot be is said before anything is trained
    with ProcessPoolExecutor(
        max_workers=jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread
    ) as pool:
        waiting: dict[Future[CellResult], Cell] = {
            pool.submit(_play, cell, recipe, dict(settings)): cell for cell in todo
        }
        for done in as_completed(waiting):
            yield done.result()


def _judged(cell: Cell, config: Config) -> CellResult:
    """Judges a cell that was trained before; one that was cut off goes on from its last checkpoint."""
    from gandiag.diagnosis import diagnose
    from gandiag.run import load_run
    from gandiag.training.checkpoint import named_step
    from gandiag.training.loop import train

    run = load_run(cell.path)
    if run.about.get("status") != "finished" and named_step(cell.path, "last") is not None:
        train(config, out=cell.path, resume=True)
        run = load_run(cell.path)
    diagnosis = diagnose(run)
    return CellResult(
        cell,
        run.steps,
        str(run.about.get("status")),
        diagnosis.verdict.value,
        diagnosis.illnesses[0].check if diagnosis.illnesses else "",
    )


def _one_thread() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the cells share the cores between them


def _play(cell: Cell, recipe: str, settings: dict[str, str]) -> CellResult:
    config, sources = effective_config(recipe, settings={**settings, **cell.settings})
    try:
        if (cell.path / "run.json").exists():
            return _judged(cell, config)
        found = train_cell(
            config, out=cell.path, about={"recipe": recipe, "config_sources": sources, "cell": cell.settings}
        )
    except GandiagError as error:
        return CellResult(cell, 0, "failed", "inconclusive", "", str(error))
    return CellResult(cell, found.step, found.ended, found.verdict, found.first_finding)

"""ENGINES: who trains the cells of a sweep. A pool of processes on this machine, Ray on a cluster, or Optuna, which chooses the cells itself.

All of them end a cell where a check that `stop_on` names has failed: pruning goes by findings, and needs no message between processes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from math import log10
from pathlib import Path
from typing import Any

from gandiag.errors import UsageError, did_you_mean
from gandiag.training.config import FIELDS, effective_config, read_value
from gandiag.training.sweep import Cell, CellResult, cells, ends, play_cell

Grid = Mapping[str, Sequence[str]]
DIGITS = 2  # significant ones of a chosen value: folders and maps stay readable
LOG_FROM = 10.0  # a range whose ends are this far apart is searched by factors
UNSTABLE = 1e9  # what Optuna is told of a cell that ended without a score: worse than any


def sweep(
    grid: Grid,
    *,
    recipe: str,
    settings: Mapping[str, str],
    out: Path,
    jobs: int,
    engine: str = "pool",
    trials: int = 20,
) -> Iterator[CellResult]:
    """Trains cells, `jobs` at a time, and yields each as it is done; a cell that fails does not stop the others.

    `pool` and `ray` train every combination of the grid's values, `optuna` so many `trials` that it chooses out of them and of ranges.
    Raises UsageError before anything is trained where a cell cannot be, or the engine's package is not installed.
    """
    if engine not in ENGINES:
        raise UsageError(
            f"there is no engine {engine!r}{did_you_mean(engine, list(ENGINES))}; there are {', '.join(ENGINES)}"
        )
    ranges = [name for name, values in grid.items() if any(len(ends(name, value)) > 1 for value in values)]
    if ranges and engine != "optuna":
        raise UsageError(
            f"{ranges[0]} is a range, and {engine} trains a grid: list its values ({ranges[0]}=A:B:C), or --engine optuna"
        )
    both = [name for name in grid if name in settings]
    if both:
        raise UsageError(f"{', '.join(both)} is swept over and given a single value too: give it once")
    for cell in cells({name: [ends(name, v)[0] for v in values] for name, values in grid.items()}, out):
        effective_config(recipe, settings={**settings, **cell.settings})
    return ENGINES[engine](grid, recipe, dict(settings), out, jobs, trials)


def in_pool(
    grid: Grid, recipe: str, settings: dict[str, str], out: Path, jobs: int, trials: int
) -> Iterator[CellResult]:
    """Trains the grid in processes of this machine."""
    with _pool(jobs) as pool:
        for done in as_completed([pool.submit(play_cell, cell, recipe, settings) for cell in cells(grid, out)]):
            yield done.result()


def on_ray(
    grid: Grid, recipe: str, settings: dict[str, str], out: Path, jobs: int, trials: int
) -> Iterator[CellResult]:
    """Trains the grid on a Ray cluster (the one of RAY_ADDRESS, else one on this machine); `out` must lie where all its machines see it."""
    ray = _package("ray")
    if not ray.is_initialized():
        ray.init(num_cpus=None if os.environ.get("RAY_ADDRESS") else jobs, include_dashboard=False, log_to_driver=False)
    play = ray.remote(num_cpus=1)(play_cell)
    waiting = [play.remote(Cell(cell.settings, cell.path.absolute()), recipe, settings) for cell in cells(grid, out)]
    while waiting:
        done, waiting = ray.wait(waiting, num_returns=1)
        yield ray.get(done[0])


def by_optuna(
    grid: Grid, recipe: str, settings: dict[str, str], out: Path, jobs: int, trials: int
) -> Iterator[CellResult]:
    """Lets Optuna choose `trials` cells, each in the light of those before; a cell that a finding has ended counts as pruned.

    What is there from an interrupted sweep is chosen again by the same seed, and then only judged. A cell that is chosen anew while it is
    trained is not begun twice: both trials get its result.
    """
    optuna = _package("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=0))
    running: dict[Future[CellResult], tuple[Path, list[Any]]] = {}
    asked = 0
    with _pool(jobs) as pool:
        while asked < trials or running:
            while asked < trials and len(running) < jobs:
                trial = study.ask()
                cell = cells({name: [_chosen(trial, name, values)] for name, values in grid.items()}, out)[0]
                asked += 1
                future = next((f for f, (path, _) in running.items() if path == cell.path), None)
                future = future or pool.submit(play_cell, cell, recipe, settings)
                running.setdefault(future, (cell.path, []))[1].append(trial)
            done = wait(running, return_when=FIRST_COMPLETED).done
            for future in done:
                result = future.result()
                for trial in running.pop(future)[1]:
                    _tell(optuna, study, trial, result)
                    yield result


ENGINES: dict[str, Callable[[Grid, str, dict[str, str], Path, int, int], Iterator[CellResult]]] = {
    "pool": in_pool,
    "ray": on_ray,
    "optuna": by_optuna,
}


def _tell(optuna: Any, study: Any, trial: Any, result: CellResult) -> None:
    """Tells Optuna the score of a healthy cell; of a sick one that it was pruned, and how far it was off at its end."""
    if result.error:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return
    score = UNSTABLE if result.score is None or result.score != result.score else result.score
    if result.verdict == "unstable":
        trial.report(score, result.step)
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, score)


def _chosen(trial: Any, name: str, values: Sequence[str]) -> str:
    """Returns the value that Optuna chooses, as a text: one of the list, or a number of the range."""
    found = ends(name, values[0])
    if len(values) > 1 or len(found) != 2:
        return str(trial.suggest_categorical(name, list(values)))
    low, high = (read_value(name, end) for end in found)
    if not isinstance(low, int | float) or not isinstance(high, int | float) or isinstance(low, bool) or low >= high:
        raise UsageError(f"--over: {name}={values[0]} is no range of numbers, the smaller one first")
    far = low > 0 and high / low >= LOG_FROM
    if isinstance(FIELDS[name].default, int):
        return str(trial.suggest_int(name, low, high, log=far))
    value = trial.suggest_float(name, low, high, log=far)
    return f"{round(value, DIGITS - 1 - int(log10(abs(value)) // 1)):g}" if value else "0"


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread
    )


def _one_thread() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the cells share the cores between them


def _package(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise UsageError(f"--engine {name} needs the package {name}: pip install gandiag[{name}]") from None

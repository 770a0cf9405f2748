"""gandiag sweep: trains over a grid of settings, several runs at a time, and ends with a map of their verdicts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from gandiag.cli.run import CommandOfSettings


@click.command(
    "sweep",
    cls=CommandOfSettings,
    epilog="""\b
Examples:
  gandiag sweep --recipe ring-r1 --over lr_g=1e-4:1e-3:1e-2,lr_d=1e-4:1e-3:1e-2,seed=0:1 --set steps=1000
  gandiag sweep --engine optuna --trials 30 --over lr_g=1e-5..1e-2,lr_d=1e-5..1e-2 --stop-on any
  gandiag sweep --over "data=digits|ring:modes=4|mnist:DIR,seed=0:1"
""",
)
@click.option(
    "--over",
    required=True,
    metavar="GRID",
    help="Settings and their values: lr_g=1e-4:1e-3,lr_d=1e-4:1e-3,seed=0:1:2; for optuna also ranges: lr_g=1e-5..1e-2. "
    "Values that hold a colon are apart by a bar: 'data=mnist:DIR|digits'.",
)
@click.option("--recipe", metavar="NAME", help="The recipe that every cell starts from.  [default: mlp]")
@click.option("--data", metavar="URI", help="What to train on.")
@click.option("--steps", metavar="N", help="Updates of the game in each cell.")
@click.option(
    "--stop-on",
    metavar="CHECKS",
    help="Checks whose failure ends a cell early, separated by commas, or any: pruning by findings.",
)
@click.option(
    "--engine",
    type=click.Choice(["pool", "optuna", "ray"]),
    default="pool",
    show_default=True,
    help="Who trains: processes of this machine; Optuna, which chooses the cells; Ray, on the cluster of RAY_ADDRESS.",
)
@click.option("--trials", type=click.IntRange(min=1), default=20, show_default=True, help="Cells that optuna chooses.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of all cells; may be repeated.")
@click.option(
    "--out", type=click.Path(path_type=Path), default="sweep", show_default=True, help="The folder of the runs."
)
@click.option("--jobs", type=click.IntRange(min=1), help="How many cells are trained at a time.  [default: one a core]")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; everything else goes to stderr."
)
def command(
    over: str,
    recipe: str | None,
    data: str | None,
    steps: str | None,
    stop_on: str | None,
    engine: str,
    trials: int,
    settings: tuple[str, ...],
    out: Path,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Train over settings, one run a cell, and draw the map of their verdicts.

    A cell whose folder is there already is not trained again: the same command goes on where it was interrupted. One that has failed a
    check of --stop-on ends there, and its verdict is on the map like any other.
    """
    from dataclasses import asdict

    from gandiag.errors import UsageError
    from gandiag.training.config import split_settings
    from gandiag.training.idle import idle_everywhere
    from gandiag.training.recipes import DEFAULT_RECIPE
    from gandiag.training.sweep import parse_grid
    from gandiag.training.sweep_engines import sweep

    given = {
        name: value for name, value in (("data", data), ("steps", steps), ("stop_on", stop_on)) if value is not None
    }
    chosen = split_settings(settings)
    for name in given.keys() & chosen.keys():
        raise UsageError(f"{name} is given by a flag and by --set: give it once")
    grid = parse_grid(over)
    for sentence in idle_everywhere(grid, recipe or DEFAULT_RECIPE, {**chosen, **given}):
        click.echo(f"Note: {sentence}", err=True)
    results = []
    for result in sweep(
        grid,
        recipe=recipe or DEFAULT_RECIPE,
        settings={**chosen, **given},
        out=out,
        jobs=jobs or os.cpu_count() or 1,
        engine=engine,
        trials=trials,
    ):
        results.append(result)
        what = (
            result.error
            or f"{result.verdict}{f' ({result.first_finding})' if result.first_finding else ''} after {result.step} steps"
        )
        click.echo(f"{' '.join(f'{n}={v}' for n, v in result.cell.settings.items())}: {what}", err=True)
    page = _map(list(dict.fromkeys(r.cell.path for r in results if not r.error)), list(grid), out)
    facts: dict[str, Any] = {
        "cells": [{**asdict(r), "cell": {"settings": r.cell.settings, "path": str(r.cell.path)}} for r in results],
        "map": page,
    }
    click.echo(json.dumps(facts, indent=1) if as_json else f"Map: {page}" if page else f"{len(results)} cells in {out}")
    return 3 if results and all(r.error for r in results) else 0


def _map(runs: list[Path], names: list[str], out: Path) -> str | None:
    """Draws the comparison, as a map where the grid has two settings besides the seed; returns the page's path."""
    from gandiag.reporting import compare_runs, write_comparison

    if len(runs) < 2:
        return None
    axes = [name for name in names if name != "seed"]
    over = (axes[0], axes[1]) if len(axes) >= 2 else None
    page = write_comparison(compare_runs(runs), out / "comparison.html", align="step", over=over, plotlyjs="inline")
    return str(page)

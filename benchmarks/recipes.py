"""What every recipe reaches with several seeds: healthy ones a quality, sick ones an illness; and PacGAN's table beside its published rows.

    python -m benchmarks.recipes record benchmarks/recipes.jsonl --seeds 0,1,2     (hours of one core; rows that are there are kept)
    python -m benchmarks.recipes record benchmarks/recipes.jsonl pacgan-1@ring ... (single plays: a recipe's name, @data)
    python -m benchmarks.recipes table benchmarks/recipes.jsonl                    (seconds; writes docs/recipes.md's tables)

Quality is that of the last step's samples: on a mixture against its known modes, on images by a classifier of digits. Illness is what
`gandiag.diagnose` says. Nothing is chosen after the fact: neither checkpoint nor seed.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gandiag.diagnosis import diagnose
from gandiag.run import Run, load_run
from gandiag.training import RECIPES, effective_config, train

SCORES = (
    "modes_covered",
    "modes_hit",
    "modes_total",
    "high_quality_share",
    "mode_kl",
    "frechet_distance",
    "frechet_distance_floor",
)
# Steps of a play where the recipe's own would take the table beyond an evening of one core.
STEPS = {
    **dict.fromkeys(("text-mlp", "text-mlp-minimax", "text-mlp-norm", "text-leaky", "text-dense"), 3000),
    **dict.fromkeys(("text-conv", "text-attention"), 2000),
    **dict.fromkeys(("sngan", "r3gan", "wgan-gp"), 1000),
    **dict.fromkeys(("conv",), 1500),
    **dict.fromkeys(("sagan", "dragan", "r1-resnet"), 2000),
    **dict.fromkeys(("dcgan", "lsgan"), 3000),
    "wgan": 4000,
    **dict.fromkeys(("pacgan-1", "pacgan-2", "pacgan-4"), 8000),
}
PAPER = tuple(
    f"{method}@{data}" for data in ("ring:sd=0.01", "grid:sd=0.05") for method in ("pacgan-1", "pacgan-2", "pacgan-4")
)
PLAYS = (*(name for name in RECIPES if not name.startswith("pacgan")), *PAPER)


def play(name: str, seed: int, folder: Path, steps: int | None = None) -> dict[str, Any]:
    """Trains one recipe (`name` or `name@data`) with one seed and returns its row."""
    recipe, _, data = name.partition("@")
    config, _ = effective_config(recipe, flags={"data": data} if data else None)
    config = replace(config, seed=seed, steps=steps or STEPS.get(recipe, config.steps), diagnose_every=0, threads=1)
    began, burned = time.perf_counter(), time.process_time()
    train(config, out=folder, about={"recipe": recipe})
    run = load_run(folder)
    diagnosis = diagnose(run)
    return {
        "play": name,
        "seed": seed,
        "steps": config.steps,
        "seconds": round(time.perf_counter() - began, 1),
        "core_seconds": round(time.process_time() - burned, 1),
        "machine": f"{platform.machine()}, torch {torch.__version__}",
        "verdict": diagnosis.verdict.value,
        "findings": [finding.check for finding in diagnosis.illnesses],
        "first": {score: at(run, score, 0) for score in SCORES},
        "last": {score: at(run, score, -1) for score in SCORES},
        "course": [round(float(v), 3) for v in run["modes_covered"]] if "modes_covered" in run else [],
    }


def at(run: Run, name: str, place: int) -> float | None:
    """Returns a score's value at a place of its course, None where the run has none."""
    return float(run[name].iloc[place]) if name in run else None


def record(sink: Path, names: list[str], seeds: list[int], steps: int | None) -> None:
    """Plays what the file does not hold yet, and appends a row as soon as it is known."""
    rows = read(sink) if sink.exists() else []
    there = {(row["play"], row["seed"]) for row in rows}
    for seed in seeds:
        for name in names or PLAYS:
            if (name, seed) in there:
                continue
            with tempfile.TemporaryDirectory() as scratch:
                row = play(name, seed, Path(scratch) / "run", steps)
            with sink.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            last = {k: None if v is None else round(v, 4) for k, v in row["last"].items()}
            print(
                name,
                seed,
                row["steps"],
                f"{row['core_seconds']} s",
                row["verdict"],
                row["findings"],
                last,
                row["first"]["frechet_distance"],
                flush=True,
            )


def read(source: Path) -> list[dict[str, Any]]:
    """Returns the rows of a results file."""
    return [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Plays and records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "table"))
    parser.add_argument("file", type=Path)
    parser.add_argument("names", nargs="*", help="plays; all where none is named")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    record(options.file, options.names, [int(seed) for seed in options.seeds.split(",")], options.steps)


if __name__ == "__main__":
    main()

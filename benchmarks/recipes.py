"""Trains recipes with several seeds and prints what each reaches: `python benchmarks/recipes.py [NAME ...] [--seeds 3] [--share 1.0]`.

Healthy recipes must reach the quality that their row states, sick ones must fall ill. Quality is judged by evaluation samples of the last
checkpoint; illness by `gandiag.diagnose`. `--share` shortens every run to that share of its steps, and the table says so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from gandiag.diagnosis import diagnose
from gandiag.run import Run, load_run
from gandiag.training import RECIPES, effective_config, train

SCORES = ("modes_covered", "modes_total", "high_quality_share", "mode_kl", "frechet_distance", "frechet_distance_floor")


def last(run: Run, name: str) -> float | None:
    """Returns the last value of a score, None where the run has none."""
    return float(run[name].iloc[-1]) if name in run else None


def play(name: str, seed: int, share: float, folder: Path) -> dict[str, object]:
    """Trains one recipe with one seed and returns its row."""
    config, _ = effective_config(name)
    config = replace(config, seed=seed, steps=max(1, int(config.steps * share)), diagnose_every=0)
    began = time.perf_counter()
    train(config, out=folder / f"{name}-{seed}", about={"recipe": name})
    seconds = time.perf_counter() - began
    run = load_run(folder / f"{name}-{seed}")
    diagnosis = diagnose(run)
    return {
        "recipe": name,
        "seed": seed,
        "steps": config.steps,
        "seconds": round(seconds, 1),
        "verdict": diagnosis.verdict.value,
        "first_finding": diagnosis.illnesses[0].check if diagnosis.illnesses else None,
        **{score: last(run, score) for score in SCORES},
    }


def summary(rows: list[dict[str, object]]) -> str:
    """Returns one Markdown row over the seeds of a recipe: medians, and the verdicts one by one."""

    def median(key: str) -> str:
        values = [float(r[key]) for r in rows if r[key] is not None]  # type: ignore[arg-type]
        return f"{statistics.median(values):.3g}" if values else "-"

    name = str(rows[0]["recipe"])
    verdicts = ", ".join(f"{r['verdict']}" + (f" ({r['first_finding']})" if r["first_finding"] else "") for r in rows)
    return (
        f"| {name} | {RECIPES[name].health} | {rows[0]['steps']} | {median('seconds')} | {median('modes_covered')}/{median('modes_total')} | "
        f"{median('high_quality_share')} | {median('mode_kl')} | {median('frechet_distance')} | {median('frechet_distance_floor')} | {verdicts} |"
    )


def main() -> None:
    """Prints the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="recipes; all but those that need data of their own where none is named"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--out", type=Path, help="where the runs are kept; a temporary folder where it is not given")
    parser.add_argument("--json", type=Path, help="append each run's row to this file")
    options = parser.parse_args()
    print(
        "| recipe | meant to be | steps | seconds | modes | high quality | KL | Fréchet distance | its floor | verdicts by seed |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.names or RECIPES:
            rows = [play(name, seed, options.share, options.out or Path(scratch)) for seed in range(options.seeds)]
            print(summary(rows), flush=True)
            if options.json:
                with options.json.open("a", encoding="utf-8") as sink:
                    sink.writelines(json.dumps(row) + "\n" for row in rows)


if __name__ == "__main__":
    main()

"""How long a diagnosis takes: a whole run of a million steps, and the next look at a run that is going on, by its length. CPU seconds.

    python -m benchmarks.diagnosis_speed [--scratch DIR]        (a minute; the recordings are made once and kept in DIR)

The recordings have the form of the default tier: what is seen at each step, what is seen every tenth, per-layer tables, and evaluations.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gandiag.diagnosis import diagnose
from gandiag.diagnosis.watching import Watch
from gandiag.quantities import PLAYERS, QUANTITIES, Quantity
from gandiag.run import RunWriter

ROWS = 200  # a flush's worth: what a recorder appends at a time on small networks
LAYERS = [f"{i}.{kind}" for i in range(4) for kind in ("weight", "bias")]
SLOW_GROUPS = ("diversity", "ranges")


def scalars(fast: bool) -> list[Quantity]:
    """The scalar series of the default tier that are seen at each step (`fast`) or every tenth."""
    seen = ("losses", "gradients", "discriminator outputs", "force on the score", "diversity", "ranges")
    return [q for q in QUANTITIES.values() if q.shape == "scalar" and q.group in seen and _slow(q) != fast]


def _slow(q: Quantity) -> bool:
    return q.group in SLOW_GROUPS or q.name.endswith(("cosine", "update_ratio", "learning_rate", "calibration_error"))


def make(path: Path, steps: int, *, every: int = 10, evaluations: int = 40) -> None:
    """Writes a recording of a healthy-looking run."""
    chance = np.random.default_rng(0)
    fast, slow = scalars(fast=True), scalars(fast=False)
    about = {
        "status": "running",
        "steps_planned": steps,
        "players": {who: {"parameters": 20_000, "layers": LAYERS} for who in PLAYERS},
        "optimizers": {who: {"learning_rate": 1e-3} for who in PLAYERS},
        "data": {"kind": "points"},
    }
    due = {steps * (i + 1) // evaluations for i in range(evaluations)}
    with RunWriter(path, about) as writer:
        for begin in range(0, steps, ROWS):
            at = np.arange(begin, min(begin + ROWS, steps))
            writer.append("every-1", at, {q.name: _values(q, len(at), chance) for q in fast})
            tens = at[at % every == 0]
            columns: dict[str, Any] = {q.name: _values(q, len(tens), chance) for q in slow}
            tables = {f"{who}_layer_{what}": LAYERS for who in PLAYERS for what in ("gradient_norm", "update_ratio")}
            columns |= {n: np.exp(0.1 * chance.standard_normal((len(tens), len(v)))) for n, v in tables.items()}
            columns |= {
                f"{who}_channel_mean": 0.02 * chance.standard_normal((len(tens), 2)) for who in ("real", "fake")
            }
            writer.append(
                "every-10",
                tens,
                columns,
                labels=tables | {f"{who}_channel_mean": ["0", "1"] for who in ("real", "fake")},
            )
            for step in sorted(due & set(range(begin, begin + ROWS))):
                scores = {
                    "frechet_distance[points]": 1.0 + 0.1 * chance.random(),
                    "modes_covered": 8,
                    "modes_total": 8,
                    "high_quality_share": 0.9,
                }
                writer.record("evaluations", {"step": step, "scores": scores, "labels": {}, "protocol": {}})


def _values(q: Quantity, count: int, chance: np.random.Generator) -> np.ndarray:
    level = {
        "discriminator_auc": 0.6,
        "diversity_ratio": 1.0,
        "real_sd": 1.0,
        "fake_sd": 1.0,
        "real_min": -2.0,
        "fake_min": -2.0,
    }.get(q.name, 0.5)
    return (level * np.exp(0.02 * chance.standard_normal(count))).astype(np.float32)


def measure(look: Callable[[], object], looks: int = 5) -> tuple[float, float]:
    """Returns the median CPU and wall seconds of a look."""
    cpu, wall = [], []
    for _ in range(looks):
        began, clock = time.process_time(), time.perf_counter()
        look()
        cpu.append(time.process_time() - began)
        wall.append(time.perf_counter() - clock)
    return float(np.median(cpu)), float(np.median(wall))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--scratch", type=Path, help="where the recordings are made and kept; by default they are thrown away"
    )
    parser.add_argument("--steps", default="1000,10000,100000,1000000")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        print(
            "| steps | whole run, CPU s (wall) | the next look at it while it goes on, CPU s (wall) | held to |\n|---|---|---|---|"
        )
        for steps in (int(s) for s in args.steps.split(",")):
            path = (args.scratch or Path(passing)) / f"run-{steps}"
            if not path.exists():
                make(path, steps)
            watch = Watch(path)
            watch.look()  # imports, caches of the operating system, and all that was written before
            looked = [
                f"{cpu:.3f} ({wall:.3f})" for cpu, wall in (measure(lambda p=path: diagnose(p)), measure(watch.look))
            ]
            print(f"| {steps} | {looked[0]} | {looked[1]} | whole 3 s, live .05 s |", flush=True)


if __name__ == "__main__":
    main()

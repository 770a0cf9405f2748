"""What attach costs: python -m benchmarks.attach prints it beside the bare Recorder's; with --scripts FOLDER, what it leaves behind.

`--scripts FOLDER` runs each training script there twice, bare and attached, and prints whether weights, random streams, standard
output and exit code are the same, whom attach found, and the verdict.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import softplus

import gandiag
from benchmarks.attach_scripts import compare_all, table

# the players are found and the first evaluations (50, 100, 200) lie partly beyond the warm-up
STEPS, WARM, TURNS = 400, 60, 3


def train(folder: Path, how: str) -> float:
    """Trains a small MLP GAN and returns the median seconds of a step after the warm-up."""
    torch.manual_seed(0)
    g = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
    d = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    og, od = torch.optim.Adam(g.parameters(), 1e-4), torch.optim.Adam(d.parameters(), 1e-4)
    recorder = None
    if how == "attach":
        gandiag.attach(folder, say=lambda line: None)
    else:
        recorder = gandiag.Recorder(
            folder, generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od, automatic=True
        )
    seconds = []
    for _ in range(STEPS):
        began = time.perf_counter()
        fake = g(torch.randn(256, 16))
        od.zero_grad()
        (softplus(-d(torch.randn(256, 2))).mean() + softplus(d(fake.detach())).mean()).backward()
        od.step()
        og.zero_grad()
        softplus(-d(fake)).mean().backward()
        og.step()
        seconds.append(time.perf_counter() - began)
    gandiag.detach() if recorder is None else recorder.close()
    return statistics.median(seconds[WARM:])


def main() -> None:
    """Measures what attach costs, or compares the scripts of a folder with and without it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--scripts", type=Path, help="a folder with scripts, or with commands.txt: a script and its arguments a line"
    )
    parser.add_argument(
        "--updates", type=int, default=400, help="of all optimizers together, after which a script is ended"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=120,
        help="after which a bare script is ended; attached it gets as many updates",
    )
    parser.add_argument("--only", default="", help="commands that contain this text")
    wishes = parser.parse_args()
    if wishes.scripts is None:
        measure()
        return
    found = compare_all(
        wishes.scripts.absolute(),
        updates=wishes.updates,
        seconds=wishes.seconds,
        only=wishes.only,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(table(found))
    raise SystemExit(0 if all(one.is_the_same for one in found) else 1)


def measure() -> None:
    """Measures by turns: recorder, attach, recorder, attach …"""
    torch.set_num_threads(1)
    found: dict[str, list[float]] = {"recorder": [], "attach": []}
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(TURNS):
            for how, times in found.items():
                times.append(train(Path(scratch) / f"{how}-{turn}", how))
    best = {how: min(times) for how, times in found.items()}
    print(
        f"recorder {best['recorder'] * 1e3:.3f} ms a step, attach {best['attach'] * 1e3:.3f} ms: x{best['attach'] / best['recorder']:.3f}"
    )


if __name__ == "__main__":
    main()

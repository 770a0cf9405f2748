"""What a crash costs the record: kill -9 at random moments of a training, over and over in one run directory; and how large a record grows.

    python -m benchmarks.crash                    50 kills, each followed by a resume of the same run
    python -m benchmarks.crash --size             a run of 1 000 000 steps x 60 series: bytes on disk, time to open it and read one series

Each child notes, in a pipe, which steps it has finished and when; what the run holds after the kill is held against that.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandiag.run import RunWriter, load_run

CHILD = """
import sys, time, torch
from torch import nn
from torch.nn.functional import softplus
from gandiag.recording import Recorder
torch.set_num_threads(1)
torch.manual_seed(0)
G, D = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, resume=True)
print("begins", recorder.index, flush=True)
while True:
    real, fake = torch.randn(16, 2), G(torch.randn(16, 3))
    d_loss = softplus(-D(real)).mean() + softplus(D(fake.detach())).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = softplus(-D(fake)).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    recorder.step(d_loss=d_loss, g_loss=g_loss)
    print(recorder.index, time.monotonic(), flush=True)
"""


@dataclass(frozen=True)
class Kill:
    """One crash: after how many seconds of training, how many steps it had finished, how many the record holds."""

    after: float
    began: int
    finished: int
    kept: int
    seconds_lost: float
    doubles: int
    expected_start: bool


def crash(path: Path, delay: float, held_before: int) -> Kill:
    """Trains until `delay` seconds after the first step, kills, and looks at what is left."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines: list[str] = []
    until: float | None = None
    while until is None or time.monotonic() < until:
        line = child.stdout.readline()
        if not line:
            raise RuntimeError(f"the training ended by itself: {child.wait()}")
        lines.append(line)
        if until is None and len(lines) == 2:
            until = time.monotonic() + delay
    os.kill(child.pid, signal.SIGKILL)
    killed = time.monotonic()
    lines += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    began = int(lines[0].split()[1])
    told = {int(parts[0]): float(parts[1]) for line in lines[1:] if len(parts := line.split()) == 2}
    run = load_run(path)
    steps = run["discriminator_loss"].index.to_numpy() if "discriminator_loss" in run else np.empty(0, np.int64)
    finished = max(told, default=began)
    kept = len(steps)
    first_lost = min((at for step, at in told.items() if step > kept), default=None)
    lost = 0.0 if first_lost is None else killed - first_lost
    doubles = kept - len(np.unique(steps)) + int((np.sort(steps) != np.arange(kept)).any())
    return Kill(delay, began, finished, kept, lost, doubles, began == held_before)


def crashes(count: int, longest: float, seed: int) -> list[Kill]:
    """Kills one run so often, each time at another moment, and resumes it."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    kills: list[Kill] = []
    try:
        for _ in range(count):
            kills.append(crash(folder / "run", chance.uniform(0.0, longest), kills[-1].kept if kills else 0))
            print(f"\r{len(kills)} of {count}", end="", file=sys.stderr)
    finally:
        shutil.rmtree(folder)
        print(file=sys.stderr)
    return kills


def size(steps: int = 1_000_000, series: int = 60, rows: int = 500) -> str:
    """Writes such a run, and returns a row of a table: its bytes, and the seconds to open it and read one series."""
    folder = Path(tempfile.mkdtemp(prefix="size-"))
    chance = np.random.default_rng(0)
    try:
        with RunWriter(folder / "run", {}) as writer:
            for at in range(0, steps, rows):
                writer.append(
                    "every-1",
                    np.arange(at, at + rows),
                    {f"series_{i}": v for i, v in enumerate(chance.standard_normal((series, rows), np.float32))},
                )
        whole = sum(f.stat().st_size for f in (folder / "run").rglob("*") if f.is_file())
        import pandas  # noqa: F401  # its import is no part of the measure

        taken = []
        for _ in range(5):
            began = time.perf_counter()
            assert len(load_run(folder / "run")["series_7"]) == steps
            taken.append(time.perf_counter() - began)
        return f"| {steps} | {series} | {rows} | {whole / 1e6:.0f} | {statistics.median(taken):.3f} ({min(taken):.3f} .. {max(taken):.3f}) |"
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--longest", type=float, default=2.0, help="seconds of training before a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", action="store_true")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {', '.join(f'{x:.1f}' for x in os.getloadavg())}\n")
    if asked.size:
        print("| steps | series | rows a batch | MB | load_run and one series, s |\n|---|---|---|---|---|")
        print(size())
        return
    kills = crashes(asked.kills, asked.longest, asked.seed)
    lost = sorted(k.seconds_lost for k in kills)
    print(
        "| kills | loaded | steps trained | steps kept at last | seconds lost, median | most | over 1 s | rows twice or missing "
        "| resumed where the record ended |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {len(kills)} | {len(kills)} | {sum(k.finished - k.began for k in kills)} | {kills[-1].kept} "
        f"| {statistics.median(lost):.2f} | {lost[-1]:.2f} "
        f"| {sum(s > 1 for s in lost)} | {sum(k.doubles for k in kills)} | {sum(k.expected_start for k in kills)} |"
    )


if __name__ == "__main__":
    main()

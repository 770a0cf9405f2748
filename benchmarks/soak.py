"""A soak: a recorder that watches millions of tiny steps. Memory, file handles, threads and the time of a step must stay flat.

    python -m benchmarks.soak                      2 000 000 steps
    python -m benchmarks.soak --steps 200000

The game is as small as a game can be (two linear layers, plain SGD), so that nearly all of a step is the recorder's. Rows are printed as they
come; the verdict compares the last quarter with the second one (the first holds the imports and the first buffers).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from benchmarks.plain_gan import one_step
from gandiag.recording import Recorder
from gandiag.run import load_run

ROWS = 40  # of the table
FLAT_SHARE = 0.05  # growth of memory or step time from the second to the last quarter that still counts as flat


@dataclass(frozen=True)
class Sample:
    """The process after so many steps: resident memory, open files, threads, CPU microseconds of the training's thread a step."""

    step: int
    memory_mb: float
    handles: int
    threads: int
    cpu_us: float


def look(step: int, cpu_seconds: float, steps: int) -> Sample:
    """Measures this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    handles = len(os.listdir("/proc/self/fd"))
    return Sample(step, memory, handles, threading.active_count(), cpu_seconds / steps * 1e6)


def soak(steps: int, folder: Path) -> list[Sample]:
    """Plays so many steps under a recorder and measures now and then."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator, discriminator = nn.Linear(2, 2), nn.Linear(2, 1)
    g_opt = torch.optim.SGD(generator.parameters(), 1e-6)
    d_opt = torch.optim.SGD(discriminator.parameters(), 1e-6)
    real, latent = torch.randn(4, 2), torch.randn(4, 2)
    samples: list[Sample] = []
    every = max(steps // ROWS, 1)
    with Recorder(
        folder / "run",
        generator=generator,
        discriminator=discriminator,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
    ) as recorder:
        began = time.thread_time()
        for step in range(1, steps + 1):
            d_loss, g_loss = one_step(generator, discriminator, g_opt, d_opt, real, latent)
            recorder.step(d_loss=d_loss, g_loss=g_loss)
            if step % every == 0:
                now = time.thread_time()
                samples.append(look(step, now - began, every))
                print(row(samples[-1]), flush=True)
                began = time.thread_time()
    return samples


def row(sample: Sample) -> str:
    """Returns one line of the table."""
    return f"| {sample.step} | {sample.memory_mb:.1f} | {sample.handles} | {sample.threads} | {sample.cpu_us:.0f} |"


def verdict(samples: list[Sample]) -> list[str]:
    """Compares the last quarter with the second one; one sentence for each thing that must be flat."""
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    said = []
    for name, unit in (("memory_mb", "MB"), ("cpu_us", "us a step"), ("handles", ""), ("threads", "")):
        before, after = (statistics.median(getattr(s, name) for s in part) for part in (early, late))
        flat = after <= before * (1 + FLAT_SHARE) if unit else after <= before
        said.append(
            f"{name}: {before:.1f} {unit} in the second quarter, {after:.1f} in the last: {'flat' if flat else 'GROWS'}"
        )
    return said


def main() -> None:
    """Measures and prints the table and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2_000_000)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    began = time.monotonic()
    print(
        "| steps | memory, MB | open files | threads | CPU of the training's thread, us a step |\n|---|---|---|---|---|"
    )
    try:
        samples = soak(asked.steps, folder)
        run = load_run(folder / "run")
        kept = len(run["discriminator_loss"])
        size = sum(f.stat().st_size for f in (folder / "run").rglob("*") if f.is_file()) / 1e6
        print(
            f"\n{kept} of {asked.steps} steps are in the record, {size:.0f} MB on disk, {time.monotonic() - began:.0f} s"
        )
        print("\n".join(verdict(samples)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

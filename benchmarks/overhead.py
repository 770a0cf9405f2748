"""What recording costs: the same training with and without a Recorder, in turns within one process; medians and ranges.

    python -m benchmarks.overhead --threads 1         both workloads, default tier, recorded every step
    python -m benchmarks.overhead --workload mlp --probes full --pairs 20
    python -m benchmarks.overhead --workload mlp --parts      what each of the recorder's entries costs the training's thread

On the CPU the recorder's arithmetic is done by the compiled accelerator, where there is a compiler, and by torch, side by side.
Beside the wall clock stands the CPU time of the training's thread: on a machine with other work to do the first also measures that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.recording import Recorder
from gandiag.recording.accelerator import SWITCH, find_accelerator
from gandiag.recording.capture import Capture
from gandiag.recording.updates import Updates


@dataclass(frozen=True)
class Seconds:
    """What one step took: on the wall clock, and of the training thread's CPU time."""

    wall: float
    cpu: float

    def mean(self, other: Seconds) -> Seconds:
        """Returns what a step took in two turns."""
        return Seconds((self.wall + other.wall) / 2, (self.cpu + other.cpu) / 2)


@dataclass(frozen=True)
class Workload:
    """A training: how its networks are made, its batch, and how many steps make one turn of the comparison."""

    name: str
    pair: Callable[[], tuple[nn.Module, nn.Module]]
    real: Callable[[], Tensor]
    latent: Callable[[], Tensor]
    steps: int
    target: float


def mlp(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, outputs))


def dcgan_generator() -> nn.Module:
    return nn.Sequential(
        nn.ConvTranspose2d(100, 256, 4),
        nn.BatchNorm2d(256),
        nn.ReLU(True),
        nn.ConvTranspose2d(256, 128, 4, 2, 1),
        nn.BatchNorm2d(128),
        nn.ReLU(True),
        nn.ConvTranspose2d(128, 64, 4, 2, 1),
        nn.BatchNorm2d(64),
        nn.ReLU(True),
        nn.ConvTranspose2d(64, 3, 4, 2, 1),
        nn.Tanh(),
    )


def dcgan_discriminator() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 64, 4, 2, 1),
        nn.LeakyReLU(0.2, True),
        nn.Conv2d(64, 128, 4, 2, 1),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2, True),
        nn.Conv2d(128, 256, 4, 2, 1),
        nn.BatchNorm2d(256),
        nn.LeakyReLU(0.2, True),
        nn.Conv2d(256, 1, 4),
        nn.Flatten(0),
    )


WORKLOADS = (
    Workload(
        "mlp", lambda: (mlp(8, 2), mlp(2, 1)), lambda: torch.randn(256, 2), lambda: torch.randn(256, 8), 400, 1.10
    ),
    Workload(
        "dcgan",
        lambda: (dcgan_generator(), dcgan_discriminator()),
        lambda: torch.rand(64, 3, 32, 32) * 2 - 1,
        lambda: torch.randn(64, 100, 1, 1),
        4,
        1.02,
    ),
)


class Training:
    """One plain training loop, with a recorder or without."""

    def __init__(self, workload: Workload, device: str, recorder: Callable[..., Recorder] | None) -> None:
        torch.manual_seed(0)
        self.workload = workload
        self.G, self.D = (net.to(device) for net in workload.pair())
        self.g_opt = torch.optim.Adam(self.G.parameters(), 2e-4, (0.5, 0.999))
        self.d_opt = torch.optim.Adam(self.D.parameters(), 2e-4, (0.5, 0.999))
        self.data, self.latents = workload.real().to(device), workload.latent().to(device)
        self.recorder = recorder and recorder(
            generator=self.G, discriminator=self.D, generator_optimizer=self.g_opt, discriminator_optimizer=self.d_opt
        )

    def step(self) -> None:
        """One step of the game."""
        fake = self.G(self.latents)
        real_logits, fake_logits = self.D(self.data), self.D(fake.detach())
        d_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
        self.d_opt.zero_grad()
        d_loss.backward()
        self.d_opt.step()
        g_loss = F.softplus(-self.D(fake)).mean()
        self.g_opt.zero_grad()
        g_loss.backward()
        self.g_opt.step()
        if self.recorder:
            self.recorder.step(
                real_logits=real_logits,
                fake_logits=fake_logits,
                d_loss=d_loss,
                g_loss=g_loss,
                real=self.data,
                fake=fake,
            )

    def turn(self, device: str) -> Seconds:
        """Returns what a step took, over one turn."""
        wall, cpu = time.perf_counter(), time.thread_time()
        for _ in range(self.workload.steps):
            self.step()
        if device == "cuda":
            torch.cuda.synchronize()
        return Seconds(
            (time.perf_counter() - wall) / self.workload.steps, (time.thread_time() - cpu) / self.workload.steps
        )


def compare(workload: Workload, device: str, pairs: int, probes: str, way: str) -> list[tuple[Seconds, Seconds]]:
    """Returns what a step took, bare and recorded, in turns there and back: A B B A.

    So what drifts while they last (other work, the processor's clock) falls on both alike. A turn is long beside the 0.4 s after which
    a recorder writes: short ones would have it write more often than it does.
    """
    found = []
    with trainings(workload, device, probes, way) as (bare, recorded):
        for _ in range(pairs):
            first, second, third, fourth = (t.turn(device) for t in (bare, recorded, recorded, bare))
            found.append((first.mean(fourth), second.mean(third)))
    return found


def ways_on(device: str) -> tuple[str, ...]:
    """Returns by which ways a recorder can compute here."""
    return ("compiled", "torch") if device == "cpu" and find_accelerator().accelerator else ("torch",)


@contextmanager
def trainings(workload: Workload, device: str, probes: str, way: str) -> Iterator[tuple[Training, Training]]:
    """Yields the training bare, and recorded by one of the ways; both warm."""
    folder = Path(tempfile.mkdtemp(prefix="overhead-"))
    bare = Training(workload, device, None)
    with switched(way):
        recorded = Training(workload, device, partial(Recorder, folder / way, probes=probes))
    try:
        for training in (bare, recorded):
            training.turn(device)
        yield bare, recorded
    finally:
        if recorded.recorder:
            recorded.recorder.close()
        shutil.rmtree(folder)


@contextmanager
def switched(way: str) -> Iterator[None]:
    """Makes recorders of one way: `compiled` or `torch`."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "off" if way == "torch" else "on"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


def line(workload: Workload, device: str, way: str, pairs: list[tuple[Seconds, Seconds]]) -> str:
    """Returns a row of the table: medians of the pairs' ratios with their middle half, and the ratio of the fastest turns."""
    ratios = sorted(b.wall / a.wall for a, b in pairs)
    cpu = sorted(b.cpu / a.cpu for a, b in pairs)
    fastest = min(b.cpu for _, b in pairs) / min(a.cpu for a, _ in pairs)
    return (
        f"| {workload.name} | {device} | {way} | {1e3 * statistics.median(a.wall for a, _ in pairs):.2f} | {shown(ratios)} "
        f"| {1e3 * statistics.median(a.cpu for a, _ in pairs):.2f} | {shown(cpu)} | {fastest:.3f} | {workload.target:.2f} |"
    )


def shown(ratios: list[float]) -> str:
    """Returns the median and the middle half."""
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.3f} ({low:.3f} .. {high:.3f})"


PART_STEPS = {"mlp": 2000, "dcgan": 40}
# what the training's thread enters the recorder by: where, method
PARTS: tuple[tuple[type, str], ...] = (
    (Capture, "_generator_called"),
    (Capture, "_discriminator_called"),
    (Capture, "_pushed"),
    (Capture, "_at_image"),
    (Updates, "_one_steps"),
    (Recorder, "step"),
)


def parts(workload: Workload, device: str, probes: str, steps: int) -> list[str]:
    """Returns rows of a table: the median of what each entry costs in a step, on the wall clock; preemption falls out of a median."""
    spent: dict[str, float] = {}
    found: dict[str, list[float]] = {name: [] for _, name in PARTS}

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(self, *given, **named)
            finally:
                spent[name] = spent.get(name, 0.0) + time.perf_counter() - began

        return call

    kept = [(owner, name, getattr(owner, name)) for owner, name in PARTS]
    for owner, name, function in kept:
        setattr(owner, name, timed(name, function))
    try:
        with trainings(workload, device, probes, ways_on(device)[0]) as (_, recorded):
            for _ in range(steps):
                spent.clear()
                recorded.step()
                for name, times in found.items():
                    times.append(spent.get(name, 0.0))
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)
    rows = [
        f"| {name} | {1e6 * statistics.median(times):.0f} | {1e6 * statistics.fmean(times):.0f} |"
        for name, times in found.items()
    ]
    whole = [sum(times) for times in zip(*found.values())]
    return [*rows, f"| together | {1e6 * statistics.median(whole):.0f} | {1e6 * statistics.fmean(whole):.0f} |"]


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", choices=[w.name for w in WORKLOADS])
    parser.add_argument("--probes", default="default")
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    chosen = [w for w in WORKLOADS if asked.workload in (None, w.name)]
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {asked.pairs} pairs of turns, "
        f"probes {asked.probes}, {os.cpu_count()} cores, load {load}\n"
    )
    if asked.parts:
        for workload in chosen:
            print(f"{workload.name}, us a step | median | mean |\n|---|---|---|")
            print(*parts(workload, asked.device, asked.probes, PART_STEPS[workload.name]), sep="\n", flush=True)
        return
    print(
        "| workload | device | way | bare, wall ms | recorded / bare, wall | bare, CPU ms | recorded / bare, CPU of the training's thread "
        "| fastest turns, CPU | target |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for workload in chosen:
        for way in ways_on(asked.device):
            pairs = compare(workload, asked.device, asked.pairs, asked.probes, way)
            print(line(workload, asked.device, way, pairs), flush=True)


if __name__ == "__main__":
    main()

"""What recording costs: the same training with and without a Recorder, in turns within one process; medians and ranges.

    python benchmarks/overhead.py                     both workloads, default tier, recorded every step
    python benchmarks/overhead.py --workload mlp --probes full --pairs 30
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.recording import Recorder


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
    return nn.Sequential(nn.ConvTranspose2d(100, 256, 4), nn.BatchNorm2d(256), nn.ReLU(True),
                         nn.ConvTranspose2d(256, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.ReLU(True),
                         nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(True),
                         nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh())


def dcgan_discriminator() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Conv2d(64, 128, 4, 2, 1), nn.BatchNorm2d(128),
                         nn.LeakyReLU(0.2, True), nn.Conv2d(128, 256, 4, 2, 1), nn.BatchNorm2d(256), nn.LeakyReLU(0.2, True),
                         nn.Conv2d(256, 1, 4), nn.Flatten(0))


WORKLOADS = (
    Workload("mlp", lambda: (mlp(8, 2), mlp(2, 1)), lambda: torch.randn(256, 2), lambda: torch.randn(256, 8), 200, 1.10),
    Workload("dcgan", lambda: (dcgan_generator(), dcgan_discriminator()), lambda: torch.rand(64, 3, 32, 32) * 2 - 1,
             lambda: torch.randn(64, 100, 1, 1), 4, 1.02),
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
        self.recorder = recorder and recorder(generator=self.G, discriminator=self.D, generator_optimizer=self.g_opt,
                                              discriminator_optimizer=self.d_opt)

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
            self.recorder.step(real_logits=real_logits, fake_logits=fake_logits, d_loss=d_loss, g_loss=g_loss, real=self.data, fake=fake)

    def turn(self, device: str) -> float:
        """Returns the seconds of a step, over one turn."""
        began = time.perf_counter()
        for _ in range(self.workload.steps):
            self.step()
        if device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - began) / self.workload.steps


def compare(workload: Workload, device: str, pairs: int, probes: str) -> tuple[list[float], list[float]]:
    """Returns the seconds of a step, bare and recorded, in turns."""
    folder = Path(tempfile.mkdtemp(prefix="overhead-"))
    bare = Training(workload, device, None)
    recorded = Training(workload, device, lambda **nets: Recorder(folder / "run", probes=probes, **nets))
    try:
        for training in (bare, recorded):
            training.turn(device)
        times = [(bare.turn(device), recorded.turn(device)) for _ in range(pairs)]
    finally:
        if recorded.recorder:
            recorded.recorder.close()
        shutil.rmtree(folder)
    return [a for a, _ in times], [b for _, b in times]


def line(workload: Workload, device: str, probes: str, bare: list[float], recorded: list[float]) -> str:
    """Returns a row of the table: the median of the pairs' ratios, the middle half of them, and the ratio of the fastest turns."""
    ratios = sorted(b / a for a, b in zip(bare, recorded))
    low, _, high = statistics.quantiles(ratios, n=4)
    return (f"| {workload.name} | {device} | {probes} | {1e3 * statistics.median(bare):.2f} | {statistics.median(ratios):.3f} | {low:.3f} .. {high:.3f} "
            f"| {min(recorded) / min(bare):.3f} | {workload.target:.2f} |")


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", choices=[w.name for w in WORKLOADS])
    parser.add_argument("--probes", default="default")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {asked.pairs} pairs\n")
    print("| workload | device | probes | bare, ms a step | recorded / bare, median | middle half | fastest turns | target |")
    print("|---|---|---|---|---|---|---|---|")
    for workload in WORKLOADS:
        if asked.workload in (None, workload.name):
            print(line(workload, asked.device, asked.probes, *compare(workload, asked.device, asked.pairs, asked.probes)), flush=True)


if __name__ == "__main__":
    main()

"""Generators and bundles for the tests of export: tiny nets, and one bundle that is exported once and only read."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import torch
from torch import nn

from gandiag.export import Bundle, export_generator

FACTS = {
    "run": "00007-default-digits",
    "step": 4000,
    "ema": True,
    "verdict": "stable",
    "data": {"name": "digits", "hash": "ab12"},
}


class TinyGenerator(nn.Module):
    """8 numbers, and a class if there are any, to an 8 x 8 image in [-1, 1]; batch norm in the middle."""

    def __init__(self, classes: int = 0) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, 4) if classes else None
        self.body = nn.Sequential(
            nn.Linear(12 if classes else 8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 64), nn.Tanh()
        )

    def forward(self, z: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(label)], 1)
        return self.body(z).view(-1, 1, 8, 8)


def tiny(classes: int = 0, seed: int = 0) -> TinyGenerator:
    """A generator in train mode whose batch norm has statistics of its own."""
    torch.manual_seed(seed)
    net = TinyGenerator(classes)
    with torch.no_grad():
        net(torch.randn(64, 8), torch.arange(64) % classes if classes else None)
    return net


@functools.lru_cache(maxsize=1)
def exported_once() -> Bundle:
    """The bundle of tiny() with FACTS, a Triton and an MLServer folder; exported once a process. Copy it before changing a byte."""
    folder = Path(tempfile.mkdtemp(prefix="gandiag-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return export_generator(tiny(), 8, folder / "bundle", facts=FACTS, measure=False, triton=True, mlserver=True)

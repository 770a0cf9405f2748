"""The world of the diagnosis benchmark: mixtures, digits and the nets that play on them."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis_cases import Case

SHAPES = {"digits": (1, 8, 8), "digits28": (1, 28, 28), "colour": (3, 8, 8), "line": (1,)}
TINT = (1.0, 0.6, 0.25)  # of the three channels of coloured digits: red is the brightest


# ------------------------------------------------------------------------------------------------------------------- data


@cache
def centres(name: str) -> np.ndarray:
    """Returns the modes of a mixture: ring of 8, radius 1; grid of 25 on {-2 .. 2}^2; five on a line; five of unequal weights."""
    if name == "line":
        return np.array([[-4.0], [-1.5], [0.0], [2.0], [5.0]])
    if name == "lopsided":
        return 2.0 * np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [0.0, 0.0]])
    if name == "ring":
        angle = 2 * np.pi * np.arange(8) / 8
        return np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.stack(np.meshgrid(np.arange(-2.0, 3), np.arange(-2.0, 3)), -1).reshape(-1, 2)


def mode_sd(name: str) -> float:
    """Returns the standard deviation of each mode."""
    return {"ring": 0.05, "line": 0.2, "lopsided": 0.15}.get(name, 0.1)


def weights(name: str) -> np.ndarray:
    """Returns how often each mode comes in the data."""
    if name == "lopsided":
        return np.array([0.5, 0.25, 0.13, 0.07, 0.05])
    return np.full(len(centres(name)), 1 / len(centres(name)))


@cache
def digits(size: int) -> tuple[Tensor, Tensor, np.ndarray, np.ndarray]:
    """Returns training and held-out images in [-1, 1] (n, 1, size, size) and their classes, of the 1797 real digits."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32)[:, None] / 8 - 1
    if size != 8:
        images = F.interpolate(images, size=(size, size), mode="bilinear").clamp(-1, 1)
    order = np.random.default_rng(0).permutation(len(images))
    train, held = order[:1437], order[1437:]
    return images[train], images[held], bunch.target[train], bunch.target[held]


class Source:
    """Draws batches of reals."""

    def __init__(self, case: Case, generator: torch.Generator) -> None:
        self.case, self.generator = case, generator
        self.kept: Tensor | None = None
        self.pool: Tensor | None = None
        if case.data.startswith("digits"):
            self.pool = digits(28 if case.data == "digits28" else 8)[0]
        if case.data == "colour":
            grey = digits(8)[0]
            self.pool = (grey + 1) * torch.tensor(TINT)[:, None, None] - 1
        if case.samples:
            self.pool = self.fresh(case.samples)
        if case.scale == "constant":
            self.pool = torch.full_like(self.fresh(64), -1.0)
        if case.scale == "01" and self.pool is not None:
            self.pool = (self.pool + 1) / 2

    def fresh(self, count: int) -> Tensor:
        """Draws from the data itself."""
        if self.pool is not None:
            return self.pool[torch.randint(len(self.pool), (count,), generator=self.generator)]
        at = torch.tensor(centres(self.case.data), dtype=torch.float32)
        share = torch.tensor(weights(self.case.data), dtype=torch.float32)
        even = bool((share == share[0]).all())
        mode = (
            torch.randint(len(at), (count,), generator=self.generator)
            if even
            else torch.multinomial(share, count, replacement=True, generator=self.generator)
        )
        noise = torch.randn(count, at.shape[1], generator=self.generator)
        return at[mode] + mode_sd(self.case.data) * noise + self.case.shift

    def batch(self) -> Tensor:
        """Draws the next batch."""
        if self.case.scale == "same":
            if self.kept is None:
                self.kept = self.fresh(self.case.batch)
            return self.kept
        batch = self.fresh(self.case.batch)
        if self.case.scale == "bgr":
            return batch.flip(1)
        if self.case.scale == "channels-last":
            return batch.permute(0, 2, 3, 1).contiguous()
        return batch


# ---------------------------------------------------------------------------------------------------------------- players


def players(case: Case) -> tuple[nn.Module, nn.Module]:
    """Returns generator and discriminator."""
    shape = SHAPES.get(case.data, (2,))
    n, w, d = int(np.prod(shape)), case.width, abs(case.d_width)
    if case.nets == "conv":
        up = nn.Sequential(
            nn.Linear(case.latent, 4 * w * 4),
            nn.Unflatten(1, (4 * w, 2, 2)),
            nn.ReLU(),
            nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1),
            nn.BatchNorm2d(2 * w),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * w, 1, 4, 2, 1),
            nn.Tanh(),
        )
        down = nn.Sequential(
            nn.Conv2d(1, d, 3, 1, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(d, 2 * d, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * d, 4 * d, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(4 * d * 4, 1),
        )
        return up, down
    if case.nets == "residual":
        return residual(case.latent, n, w), residual(n, 1, d)
    if case.nets == "deep":
        return deep(case.latent, n, w, nn.SiLU), deep(n, 1, d, nn.SiLU)
    g: list[nn.Module] = [nn.Linear(case.latent, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU(), nn.Linear(w, n)]
    g += [nn.Tanh(), nn.Unflatten(1, shape)] if len(shape) == 3 else []
    hidden: list[nn.Module] = (
        [] if case.d_width < 0 else [nn.Linear(d, d), nn.LeakyReLU(0.2)]
    )  # a negative width: one hidden layer only
    down = [nn.Flatten(), nn.Linear(n, d), nn.LeakyReLU(0.2), *hidden, nn.Linear(d, 1)]
    if case.loss == "fault-cooperative":
        down = [*down, nn.BatchNorm1d(1)]
    if case.sigmoid or (case.loss.startswith("fault") and case.loss != "fault-shared"):
        down = [*down, nn.Sigmoid()]
    return nn.Sequential(*g), nn.Sequential(*down)


class Block(nn.Module):
    """x + f(x)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def residual(inputs: int, outputs: int, width: int) -> nn.Module:
    """A residual MLP of three blocks."""
    return nn.Sequential(
        nn.Linear(inputs, width), *(Block(width) for _ in range(3)), nn.ReLU(), nn.Linear(width, outputs)
    )


def deep(inputs: int, outputs: int, width: int, activation: type[nn.Module]) -> nn.Module:
    """An MLP of four hidden layers."""
    layers: list[nn.Module] = [nn.Linear(inputs, width), activation()]
    for _ in range(3):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))

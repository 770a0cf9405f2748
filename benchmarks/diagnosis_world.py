"""The world of the diagnosis benchmark: who draws the reals, and the nets that play on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis_case import Case
from benchmarks.diagnosis_mixtures import mixture

SHAPES = {"digits": (1, 8, 8), "digits28": (1, 28, 28), "colour": (3, 8, 8)}
CLASSES = 10
TINT = (1.0, 0.6, 0.25)  # of the three channels of coloured digits: red is the brightest


# ------------------------------------------------------------------------------------------------------------------- data


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


def shape_of(case: Case) -> tuple[int, ...]:
    """Returns the shape of a sample."""
    return SHAPES[case.data] if case.data in SHAPES else (mixture(case.data).dimensions,)


class Source:
    """Draws batches of reals; `classes` are those of the last batch, as the players are told them (conditional cases only)."""

    def __init__(self, case: Case, generator: torch.Generator) -> None:
        self.case, self.generator = case, generator
        self.kept: Tensor | None = None
        self.pool: Tensor | None = None
        self.classes: Tensor | None = None
        self.labels: Tensor | None = None
        if case.data.startswith("digits"):
            images, _, labels, _ = digits(28 if case.data == "digits28" else 8)
            self.pool, self.labels = images, torch.as_tensor(labels)
        if case.fault == "labels-file" and self.labels is not None:
            self.labels = self.labels[torch.randperm(len(self.labels), generator=generator)]
        if case.data == "colour":
            grey = digits(8)[0]
            self.pool = (grey + 1) * torch.tensor(TINT)[:, None, None] - 1
        if case.samples:
            self.pool = self.fresh(case.samples)
        if case.scale == "constant":
            self.pool = torch.full_like(self.fresh(64), -1.0)

    def fresh(self, count: int) -> Tensor:
        """Draws from the data itself."""
        if self.pool is not None:
            at = torch.randint(len(self.pool), (count,), generator=self.generator)
            if self.case.conditional and self.labels is not None:
                self.classes = self.labels[at]
            return self.pool[at]
        return mixture(self.case.data).draw(count, self.generator) + self.case.shift

    def batch(self) -> Tensor:
        """Draws the next batch."""
        if self.case.scale == "same":
            if self.kept is None:
                self.kept = self.fresh(self.case.batch)
            return self.kept
        batch = self.fresh(self.case.batch)
        if self.case.fault == "labels-batch" and self.classes is not None:
            self.classes = self.classes[torch.randperm(len(self.classes), generator=self.generator)]
        if self.case.scale == "01":
            return (batch + 1) / 2
        if self.case.scale == "bgr":
            return batch.flip(1)
        if self.case.scale == "channels-last":
            return batch.permute(0, 2, 3, 1).contiguous()
        return batch


# ---------------------------------------------------------------------------------------------------------------- players


def squashed(case: Case) -> bool:
    """Whether D ends in a sigmoid."""
    return case.sigmoid or (case.loss.startswith("fault") and case.loss != "fault-shared")


def players(case: Case) -> tuple[nn.Module, nn.Module]:
    """Returns generator and discriminator."""
    shape = shape_of(case)
    n, w, d = int(np.prod(shape)), case.width, abs(case.d_width)
    told = CLASSES if case.conditional else 0  # places that each player's input has for the class
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
    if case.nets == "layer-norm":
        return deep(case.latent, n, w, nn.ReLU, nn.LayerNorm), deep(n, 1, d, nn.ReLU, nn.LayerNorm)
    g: list[nn.Module] = [nn.Linear(case.latent + told, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU(), nn.Linear(w, n)]
    g += [nn.Tanh(), nn.Unflatten(1, shape)] if len(shape) == 3 else []
    if case.nets == "attention":
        g = [TokenGenerator(case.latent, shape, w)]
    first: nn.Module = nn.Linear(n + told, d)
    rest: list[nn.Module] = (
        [nn.LeakyReLU(0.2), nn.Linear(d, d)] if case.d_width > 0 else []
    )  # negative: one hidden layer
    down: list[nn.Module] = [nn.Flatten(), first, *rest, nn.LeakyReLU(0.2), nn.Linear(d, 1)]
    if case.nets == "spectral":
        down = [nn.utils.parametrizations.spectral_norm(m) if isinstance(m, nn.Linear) else m for m in down]
    if case.nets == "dropout":
        down = [x for m in down for x in ((m, nn.Dropout(case.dropout)) if isinstance(m, nn.LeakyReLU) else (m,))]
    if case.loss == "fault-cooperative":
        down = [*down, nn.BatchNorm1d(1)]
    if squashed(case):
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


def deep(
    inputs: int, outputs: int, width: int, activation: type[nn.Module], norm: Callable[[int], nn.Module] | None = None
) -> nn.Module:
    """An MLP of four hidden layers."""
    layers: list[nn.Module] = []
    for i in range(4):
        layers += [nn.Linear(width if i else inputs, width), *([norm(width)] if norm else []), activation()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


class TokenGenerator(nn.Module):
    """A small transformer: the latent becomes one token for each row of the image, two layers of attention, then each token its row."""

    def __init__(self, latent: int, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.shape, self.width = shape, width
        self.tokens = nn.Linear(latent, shape[1] * width)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.rows = nn.Linear(width, shape[0] * shape[2])

    def forward(self, z: Tensor) -> Tensor:
        tokens = self.body(self.tokens(z).unflatten(1, (self.shape[1], self.width)))
        return torch.tanh(self.rows(tokens)).reshape(len(z), *self.shape)

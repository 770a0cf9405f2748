"""What the random games of `benchmarks/random_games.py` are drawn from: data with a measure of their own, and networks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

Sampler = Callable[[int], Tensor]
Measure = Callable[[Tensor], float]  # 0: as good as reals; below WELL it is well, above BAD it is not
WELL, BAD = 1.0, 2.0


@dataclass(frozen=True)
class Data:
    """A law: draws of it, how far fakes are from it, and the form of a sample."""

    name: str
    draw: Sampler
    measure: Measure
    shape: tuple[int, ...]
    bounded: bool  # within [-1, 1]


def _flat(x: Tensor) -> Tensor:
    return x.detach().reshape(len(x), -1).double()


def _projected(fake: Tensor, real: Tensor, *, axes: bool = True) -> float:
    """Returns the mean Kolmogorov-Smirnov distance over the axes and 64 fixed random directions, or that of the worst three."""
    f, r = _flat(fake), _flat(real)
    if not torch.isfinite(f).all():
        return 9.0
    ways = torch.randn(f.shape[1], 64, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    both = [(torch.cat([x, x @ ways], 1) if axes else x @ ways).numpy() for x in (f, r)]
    from scipy.stats import ks_2samp

    found = np.array([ks_2samp(both[0][:, i], both[1][:, i]).statistic for i in range(both[0].shape[1])])
    return float(max(found.mean(), 0.6 * np.sort(found)[-3:].mean()))


def _nearest(fake: Tensor, real: Tensor, other: Tensor) -> float:
    """Returns how far fakes are from their nearest reals, in units of what other reals are, at least a sixteenth of their deviation."""
    f, r, o = _flat(fake), _flat(real), _flat(other)
    if not torch.isfinite(f).all():
        return 99.0
    usual = max(float(torch.cdist(o, r).amin(1).mean()), float(r.std(0).mean()) / 16)
    return float(torch.cdist(f, r).amin(1).mean()) / usual


def by_projections(draw: Sampler) -> Measure:
    """A continuous law's measure: projections, and nearest neighbours, each in units of what is still well."""

    def measure(fake: Tensor) -> float:
        real, other = draw(2000), draw(2000)
        return max(_projected(fake, real) / 0.12, _nearest(fake, real, other) / 1.8)

    return measure


def mixture(chance: random.Random) -> Data:
    """Some clusters, of equal weight or not."""
    torch.manual_seed(chance.randrange(2**31))
    count, dimensions = chance.choice([3, 4, 6, 8, 12, 16, 25]), chance.choice([2, 2, 2, 3, 5])
    centres = torch.empty(0, dimensions)
    while len(centres) < count:  # none too near another
        one = torch.rand(1, dimensions) * 2 - 1
        if not len(centres) or float(torch.cdist(one, centres).min()) > 1.1 / count ** (1 / dimensions):
            centres = torch.cat([centres, one])
    apart = float((torch.cdist(centres, centres) + 9 * torch.eye(count)).min())
    sd = apart * chance.choice([0.08, 0.12, 0.16])
    weights = torch.ones(count) if chance.random() < 0.75 else torch.rand(count) + 0.2
    scale = chance.choice([1.0, 1.0, 2.0, 4.0])

    def draw(n: int) -> Tensor:
        which = torch.multinomial(weights, n, replacement=True)
        return scale * (centres[which] + sd * torch.randn(n, dimensions))

    def measure(fake: Tensor) -> float:
        if not torch.isfinite(fake).all():
            return 99.0
        away = torch.cdist(_flat(fake), scale * centres.double())
        near, at = away.min(1)
        good = near < 4 * sd * scale * max(1.0, (dimensions / 2) ** 0.5)
        hit = torch.bincount(at[good], minlength=count) > 0.2 * len(fake) * weights / weights.sum()
        lost, poor = 1 - float(hit.float().mean()), 1 - float(good.float().mean())
        return max(lost / 0.13, poor / 0.4)

    return Data(f"{count} clusters in {dimensions} dimensions", draw, measure, (dimensions,), False)


def curve(chance: random.Random) -> Data:
    """A curve in the plane."""
    kind, noise = chance.choice(["moons", "circles", "spiral", "eight", "line"]), chance.choice([0.02, 0.05, 0.1])

    def draw(n: int) -> Tensor:
        u, side = torch.rand(n), torch.randint(0, 2, (n,)).float()
        if kind == "moons":
            x, y = torch.cos(np.pi * u) * (1 - 2 * side) + side, torch.sin(np.pi * u) * (1 - 2 * side) + side / 2
        elif kind == "circles":
            x, y = (1 - side / 2) * torch.cos(2 * np.pi * u), (1 - side / 2) * torch.sin(2 * np.pi * u)
        elif kind == "spiral":
            x, y = (0.2 + u) * torch.cos(4 * np.pi * u), (0.2 + u) * torch.sin(4 * np.pi * u)
        elif kind == "eight":
            x, y = torch.sin(2 * np.pi * u), torch.sin(4 * np.pi * u)
        else:
            x, y = 2 * u - 1, torch.sin(6 * u)
        return torch.stack([x, y], 1) + noise * torch.randn(n, 2)

    return Data(kind, draw, by_projections(draw), (2,), False)


def table(chance: random.Random) -> Data:
    """Rows of a table: dependent columns of several forms."""
    torch.manual_seed(chance.randrange(2**31))
    columns = chance.choice([4, 6, 10, 16])
    mix = torch.randn(columns, columns) / columns**0.5 + 0.5 * torch.eye(columns)
    forms = [chance.choice(["normal", "skewed", "bounded", "two"]) for _ in range(columns)]

    def draw(n: int) -> Tensor:
        x = torch.randn(n, columns) @ mix
        x = x / mix.pow(2).sum(0).sqrt()
        parts = []
        for column, form in zip(x.T, forms):
            if form == "skewed":
                column = (torch.exp(0.5 * column) - 1.13) / 0.6
            elif form == "bounded":
                column = torch.erf(column) * 1.5
            elif form == "two":
                column = torch.where(column > 0.3, 1.0, -0.6) + 0.1 * torch.randn(n)
            parts.append(column)
        return torch.stack(parts, 1)

    return Data(f"a table of {columns} columns", draw, by_projections(draw), (columns,), False)


def waves(chance: random.Random) -> Data:
    """Short series: a wave of random phase, frequency and height."""
    length, noise = chance.choice([16, 24, 32]), chance.choice([0.02, 0.05])

    def draw(n: int) -> Tensor:
        t = torch.linspace(0, 1, length)
        turns, phase, height = 1 + 1.5 * torch.rand(n, 1), 2 * np.pi * torch.rand(n, 1), 0.4 + 0.5 * torch.rand(n, 1)
        return (height * torch.sin(2 * np.pi * turns * t + phase) + noise * torch.randn(n, length)).clamp(-1, 1)

    return Data(f"waves of {length}", draw, by_projections(draw), (length,), True)


def digits(chance: random.Random) -> Data:
    """The 1797 real digits, 8x8, in [-1, 1]."""
    from sklearn.datasets import load_digits
    from sklearn.neighbors import KNeighborsClassifier

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    images = torch.tensor(x[order] / 8 - 1, dtype=torch.float32)
    judge = KNeighborsClassifier(3).fit(images[:1400].numpy(), y[order][:1400])
    pool = images[:1400].view(-1, 1, 8, 8)

    def draw(n: int) -> Tensor:
        return pool[torch.randint(0, len(pool), (n,))]

    def measure(fake: Tensor) -> float:
        if not torch.isfinite(fake).all():
            return 99.0
        share = np.bincount(judge.predict(_flat(fake).numpy()), minlength=10) / len(fake)
        lost = (share < 0.015).sum()
        return max(lost / 1.5, _nearest(fake, images[:1400], images[1400:]) / 1.5)

    return Data("digits", draw, measure, (1, 8, 8), True)


def shapes(chance: random.Random) -> Data:
    """Discs and squares of random place, size and grey, 12x12."""
    side = 12

    def draw(n: int) -> Tensor:
        at = torch.arange(side) + 0.5
        cx, cy, r = (low + (high - low) * torch.rand(n, 1, 1) for low, high in ((4, 8), (4, 8), (2, 4)))
        dx, dy = (at[None, None, :] - cx).abs(), (at[None, :, None] - cy).abs()
        away = torch.where(torch.rand(n, 1, 1) < 0.5, torch.maximum(dx, dy) * 1.0, (dx**2 + dy**2).sqrt())
        grey = 0.4 + 0.6 * torch.rand(n, 1, 1)
        return (2 * grey * torch.sigmoid(3 * (r - away)) - 1).unsqueeze(1)

    def measure(fake: Tensor) -> float:
        real, some = draw(6000), fake[:500]
        if not torch.isfinite(fake).all():
            return 99.0
        left = torch.cdist(_flat(some), _flat(real)).amin(1).pow(2).mean() / _flat(real).var(0).sum()
        return max(float(left) / 0.15, _projected(fake, real[:2000], axes=False) / 0.15)  # of reals a thirtieth is left

    return Data("shapes", draw, measure, (1, side, side), True)


DATA: tuple[Callable[[random.Random], Data], ...] = (mixture, mixture, curve, table, waves, digits, shapes)

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "elu": nn.ELU,
}


class Residual(nn.Module):
    """A layer that adds to what it is given."""

    def __init__(self, width: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.inner = nn.Sequential(activation(), nn.Linear(width, width), activation(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.5 * self.inner(x)


class Reshape(nn.Module):
    """Brings each sample into a form."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), *self.shape)


def _body(
    chance: random.Random, inputs: int, outputs: int, *, norm: str, spectral: bool, dropout: float
) -> list[nn.Module]:
    width, depth = chance.choice([48, 64, 96, 128, 192]), chance.choice([1, 2, 2, 3])
    activation = ACTIVATIONS[chance.choice(list(ACTIVATIONS))]

    def linear(a: int, b: int) -> nn.Module:
        made = nn.Linear(a, b)
        return nn.utils.parametrizations.spectral_norm(made) if spectral else made

    parts: list[nn.Module] = [linear(inputs, width)]
    for _ in range(depth):
        if norm == "residual":
            parts.append(Residual(width, activation))
            continue
        if norm == "batch":
            parts.append(nn.BatchNorm1d(width))
        elif norm == "layer":
            parts.append(nn.LayerNorm(width))
        parts.append(activation())
        if dropout:
            parts.append(nn.Dropout(dropout))
        parts.append(linear(width, width))
    return [*parts, activation(), linear(width, outputs)]


def generator(chance: random.Random, data: Data, latent: int) -> nn.Module:
    """Draws a generator: dense, or of convolutions where the data are images."""
    values = int(np.prod(data.shape))
    last: list[nn.Module] = [nn.Tanh()] if data.bounded else []
    if len(data.shape) == 3 and chance.random() < 0.5:
        base, width = data.shape[-1] // 4, chance.choice([16, 32])
        return nn.Sequential(
            nn.Linear(latent, 2 * width * base * base),
            Reshape(2 * width, base, base),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, 1, 4, 2, 1),
            *last,
        )
    norm = chance.choice(["", "", "batch", "layer", "residual"])
    return nn.Sequential(
        *_body(chance, latent, values, norm=norm, spectral=False, dropout=0.0), *last, Reshape(*data.shape)
    )


def discriminator(chance: random.Random, data: Data, *, batch_norm: bool) -> nn.Module:
    """Draws a discriminator that returns logits (n, 1)."""
    values, spectral = int(np.prod(data.shape)), chance.random() < 0.2
    if len(data.shape) == 3 and chance.random() < 0.5:
        width, side = chance.choice([16, 32]), data.shape[-1] // 4
        wrap = nn.utils.parametrizations.spectral_norm if spectral else (lambda m: m)
        return nn.Sequential(
            wrap(nn.Conv2d(1, width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            wrap(nn.Conv2d(width, 2 * width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            wrap(nn.Linear(2 * width * side * side, 1)),
        )
    norm = chance.choice(["", "", "", "layer", "residual", "batch" if batch_norm else ""])
    dropout = chance.choice([0.0, 0.0, 0.0, 0.2])
    return nn.Sequential(nn.Flatten(), *_body(chance, values, 1, norm=norm, spectral=spectral, dropout=dropout))

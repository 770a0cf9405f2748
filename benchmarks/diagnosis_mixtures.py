"""The known distributions of the diagnosis benchmark: mixtures, curves and a Gaussian, each cut into modes of known shares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

WITHIN = 3.0  # sd of its mode that a good sample keeps to, in one and two dimensions: .9973 and .9889 of the reals do


@dataclass(frozen=True)
class Mixture:
    """Normal components with shares; several may make up one mode (a stretch of a curve), or one be cut into several (cells of equal share)."""

    centres: np.ndarray  # (k, d)
    roots: np.ndarray  # (k, d, d): a component is its centre + root @ N(0, 1)
    parts: np.ndarray  # (k,) shares of the components
    groups: np.ndarray  # (k,) the mode to which each belongs
    # (2, d) in units of sd: the two directions whose terciles cut a single component into nine modes
    cells: np.ndarray | None = None

    @property
    def dimensions(self) -> int:
        """How many numbers a sample has."""
        return int(self.centres.shape[1])

    @property
    def shares(self) -> np.ndarray:
        """How often each mode comes in the data (modes,)."""
        if self.cells is not None:
            return np.full(9, 1 / 9)
        return np.bincount(self.groups, weights=self.parts)

    @property
    def within(self) -> float:
        """The distance in sd from its mode that 98.9 % of the reals keep (99.7 % in one dimension)."""
        from scipy.stats import chi2

        return WITHIN if self.dimensions <= 2 else float(np.sqrt(chi2.ppf(0.9889, self.dimensions)))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draws samples (count, d)."""
        even = bool((self.parts == self.parts[0]).all())
        share = torch.tensor(self.parts, dtype=torch.float32)
        which = (
            torch.randint(len(share), (count,), generator=generator)
            if even
            else torch.multinomial(share, count, replacement=True, generator=generator)
        )
        noise = torch.randn(count, self.dimensions, generator=generator)
        roots, centres = (torch.tensor(a, dtype=torch.float32) for a in (self.roots, self.centres))
        return centres[which] + (roots[which] @ noise[:, :, None])[:, :, 0]

    def numpy(self, count: int, seed: int) -> np.ndarray:
        """Draws samples (count, d) for the labels and evaluations."""
        rng = np.random.default_rng(seed)
        which = rng.choice(len(self.parts), size=count, p=self.parts / self.parts.sum())
        noise = rng.standard_normal((count, self.dimensions))
        return np.asarray(self.centres[which] + np.einsum("nij,nj->ni", self.roots[which], noise))

    def counts(self, samples: np.ndarray) -> tuple[np.ndarray, float]:
        """Returns the good samples in each mode (modes,), and the share of samples that are good: within reach of a component."""
        offsets = samples[:, None] - self.centres[None]
        scaled = np.einsum("kij,nkj->nki", np.linalg.inv(self.roots), offsets)
        distance = np.linalg.norm(scaled, axis=2)
        nearest = distance.argmin(axis=1)
        good = distance.min(axis=1) < self.within
        mode = self.groups[nearest] if self.cells is None else self._cell(samples - self.centres[0])
        return np.bincount(mode[good], minlength=len(self.shares)), float(good.mean())

    def _cell(self, offsets: np.ndarray) -> np.ndarray:
        assert self.cells is not None
        tercile = 0.430727  # of the standard normal law
        part = np.digitize(offsets @ self.cells.T, [-tercile, tercile])
        return np.asarray(3 * part[:, 0] + part[:, 1])


@cache
def mixture(name: str) -> Mixture:
    """Returns a distribution by name."""
    if name == "gauss10":
        return _gaussian()
    if name == "moons":
        t = np.pi * (np.arange(40) + 0.5) / 40
        upper = np.stack([np.cos(t), np.sin(t)], 1)
        lower = np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1)
        return _curve(np.concatenate([upper, lower]), 0.08, 8)
    if name == "spiral":
        t = np.linspace(0.5, 3.0, 4000) * np.pi
        path = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 6
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
        return _curve(path[np.searchsorted(length, length[-1] * (np.arange(120) + 0.5) / 120)], 0.06, 10)
    if name == "circles":
        return _curve(np.concatenate([_circle(30), 2.5 * _circle(75)]), 0.06, 7)
    if name == "cube":
        corners = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
        return _apart(corners, np.full((8, 3), 0.1))
    if name == "unequal":
        sds = np.array([0.05, 0.1, 0.15, 0.25, 0.35, 0.5])
        return _apart(2 * _circle(6), sds[:, None] * np.ones(2))
    if name == "tabular":
        columns = np.array([0.2, 1.0, 3.0, 0.5, 2.0])  # their scales
        corners = np.array([[1.0, 1, 1, 1, 1], [-1, 1, -1, 1, -1], [1, -1, -1, -1, 1], [-1, -1, 1, -1, -1]])
        return _apart(corners * columns, np.tile(0.4 * columns, (4, 1)), np.array([0.4, 0.3, 0.2, 0.1]))
    if name == "line":
        return _apart(np.array([[-4.0], [-1.5], [0.0], [2.0], [5.0]]), np.full((5, 1), 0.2))
    if name == "lopsided":
        at = 2.0 * np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [0.0, 0.0]])
        return _apart(at, np.full((5, 2), 0.15), np.array([0.5, 0.25, 0.13, 0.07, 0.05]))
    if name == "ring":
        return _apart(_circle(8), np.full((8, 2), 0.05))
    if name == "grid":
        at = np.stack(np.meshgrid(np.arange(-2.0, 3), np.arange(-2.0, 3)), -1).reshape(-1, 2)
        return _apart(at, np.full((25, 2), 0.1))
    raise ValueError(name)


def _circle(count: int) -> np.ndarray:
    angle = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def _apart(centres: np.ndarray, sds: np.ndarray, shares: np.ndarray | None = None) -> Mixture:
    """Components that are a mode each, with a standard deviation for each coordinate (k, d)."""
    count = len(centres)
    shares = np.full(count, 1 / count) if shares is None else shares
    return Mixture(centres, np.stack([np.diag(s) for s in sds]), shares, np.arange(count))


def _curve(path: np.ndarray, sd: float, modes: int) -> Mixture:
    """A curve as many equal components, cut into stretches of equal share."""
    count, d = path.shape
    return Mixture(
        path, np.tile(sd * np.eye(d), (count, 1, 1)), np.full(count, 1 / count), np.arange(count) * modes // count
    )


def _gaussian() -> Mixture:
    """Ten correlated columns: sds from 1.5 down to .3 along directions that are none of the columns."""
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((10, 10)))[0]
    sds = np.geomspace(1.5, 0.3, 10)
    return Mixture(
        np.full((1, 10), 0.5),
        (turn * sds)[None],
        np.ones(1),
        np.zeros(1, dtype=int),
        cells=(turn / sds).T[:2],
    )

"""Which clusters of the reals lie apart: pieces of one cloud never do, whatever its shape; modes do, also rare ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from gandiag.recording.sides import groups_of, make_side

Draw = Callable[[np.random.Generator, int], np.ndarray]
CLOUDS: dict[str, Draw] = {
    "gaussian": lambda r, n: r.normal(size=(n, 2)),
    "six dimensions": lambda r, n: r.normal(size=(n, 6)),
    "many dimensions": lambda r, n: r.normal(size=(n, 100)),
    "uniform": lambda r, n: r.uniform(size=(n, 3)),
    "heavy tails": lambda r, n: r.standard_t(2, size=(n, 2)),
    "skewed": lambda r, n: np.exp(r.normal(size=(n, 3))),
    "tokens": lambda r, n: np.eye(5)[r.integers(0, 5, (n, 8))].reshape(n, -1),
    "digits": lambda r, n: load_digits().data[r.permutation(1797)[:n]] / 8 - 1,
}


def side(points: np.ndarray, seed: int) -> np.ndarray:
    return make_side(torch.from_numpy(points).float(), seed).groups


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("count", [256, 1024])
@pytest.mark.parametrize("seed", [0, 1])
def test_pieces_of_one_cloud_touch(cloud: str, count: int, seed: int) -> None:
    assert len(set(side(CLOUDS[cloud](np.random.default_rng(seed), count), seed))) == 1


@pytest.mark.parametrize("seed", range(4))
def test_eight_modes_on_a_ring_are_eight_groups(seed: int) -> None:
    r = np.random.default_rng(seed)
    angle = r.integers(0, 8, 512) * np.pi / 4
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.05 * r.normal(size=(512, 2))
    assert len(set(side(points, seed))) == 8


@pytest.mark.parametrize("seed", range(4))
def test_a_rare_mode_is_a_group_of_its_own(seed: int) -> None:
    r = np.random.default_rng(seed)
    rare = r.uniform(size=1024) < 0.05
    points = 0.5 * r.normal(size=(1024, 4)) + 5 * rare[:, None] * np.array([1.0, 0, 0, 0])
    made = make_side(torch.from_numpy(points).float(), seed)
    shares = sorted(made.shares[made.groups == g].sum() for g in set(made.groups))
    assert len(shares) == 2
    assert shares[0] == pytest.approx(rare.mean(), abs=0.002)


def test_a_single_point_is_one_group_and_two_that_blur_are_two() -> None:
    assert groups_of(np.zeros((30, 2)), np.arange(30) % 3).tolist() == [0, 0, 0]
    points = np.repeat([[0.0, 0], [9, 0]], 15, axis=0)
    points += 1e-3 * np.random.default_rng(0).normal(size=points.shape)
    assert groups_of(points, np.repeat([0, 1], 15)).tolist() == [0, 1]

"""Random scenes against obvious twins: odd shapes, precisions, layouts, copies, ties, as few samples as can be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from gandiag.metrics import (
    FrechetDistance,
    frechet_distance,
    kernel_distance,
    kernel_distance_interval,
    prdc,
    precision_recall,
    vendi_score,
)

KINDS = (
    "normal",
    "copies",
    "lattice",
    "offset",
    "half",
    "collapsed",
    "tiny",
    "columns first",
    "strided",
    "heavy tails",
)


def scene(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Real and fake features and a k, of sizes that begin at k + 1 samples of one feature."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    k = int(random.integers(1, 6))
    n, m, d = (int(random.choice(sizes)) for sizes in ((k + 1, 20, 61), (k + 1, 33, 80), (1, 2, 17, 64, 600)))
    x, y = random.normal(size=(max(n, 3), d)), 0.7 * random.normal(size=(max(m, 3), d)) + random.choice([0, 1])
    x, y = (a if len(a) > k else random.normal(size=(k + 1, d)) for a in (x, y))
    if kind == "copies":
        x = x[random.integers(len(x), size=len(x))]
        y[: len(y) // 2] = x[random.integers(len(x), size=len(y) // 2)]
    elif kind == "lattice":
        x, y = np.round(x), np.round(y)
    elif kind == "offset":
        x, y = x + 1e4, y + 1e4
    elif kind == "half":
        x, y = x.astype(np.float16), y.astype(np.float16)
    elif kind == "collapsed":
        y[:] = y[0]
    elif kind == "tiny":
        x, y = x * 1e-8, y * 1e-8
    elif kind == "columns first":
        x, y = np.asfortranarray(x), np.asfortranarray(y)
    elif kind == "strided":
        x, y = np.repeat(x, 2, axis=0)[::2], np.repeat(y, 2, axis=1)[:, ::2]
    elif kind == "heavy tails":
        x, y = random.standard_cauchy(size=x.shape), random.standard_cauchy(size=y.shape)
    return x, y, k


@pytest.mark.parametrize("kind", KINDS)
def test_any_scene_equals_the_obvious_twins(kind: str) -> None:
    for seed in range(12):
        x, y, k = scene(kind, seed)
        a, b = x.astype(np.float64), y.astype(np.float64)
        assert prdc(x, y, k) == pytest.approx(neighbours_twin(a, b, k), abs=1e-12), (seed, k)
        scale, exact = frechet_twin(a, b)
        assert frechet_distance(x, y) == pytest.approx(exact, rel=1e-9, abs=3e-9 * scale), seed
        if kind != "heavy tails":
            scale, exact = kernel_twin(a, b)
            assert kernel_distance(x, y) == pytest.approx(exact, abs=1e-10 * scale), seed
        assert vendi_score(y) == pytest.approx(vendi_twin(b), rel=1e-7), seed


def test_tensors_arrays_and_streams_give_one_number() -> None:
    x, y, _ = scene("normal", 3)
    for kind in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        real, fake = (torch.from_numpy(np.ascontiguousarray(a)).to(kind) for a in (x, y))
        expected = frechet_distance(real.double().numpy(), fake.double().numpy())
        assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-12)
        assert frechet_distance(real.T.contiguous().T, fake) == pytest.approx(expected, rel=1e-12)
        stream = FrechetDistance("pixels")
        for part in real.split(5):
            stream.update_features(part, real=True)
        stream.update_features(fake.requires_grad_(), real=False)
        assert stream.compute() == pytest.approx(expected, rel=1e-9)


def test_the_order_of_samples_and_of_features_changes_nothing() -> None:
    x, y, k = scene("normal", 5)
    random = np.random.default_rng(0)
    rows, columns = random.permutation(len(x)), random.permutation(x.shape[1])
    assert prdc(x[rows][:, columns], y[:, columns], k) == prdc(x, y, k)
    assert frechet_distance(x[rows][:, columns], y[:, columns]) == pytest.approx(frechet_distance(x, y), rel=1e-9)
    assert kernel_distance(x[rows][:, columns], y[:, columns]) == pytest.approx(kernel_distance(x, y), rel=1e-9)


def test_wide_and_narrow_kernels_agree_with_their_intervals() -> None:
    for n, m, d in ((40, 31, 3), (700, 650, 20), (12, 15, 300)):
        random = np.random.default_rng(d)
        x, y = random.normal(size=(n, d)), random.normal(size=(m, d)) + 0.2
        assert kernel_distance_interval(x, y).value == pytest.approx(kernel_distance(x, y), rel=1e-9, abs=1e-12)


def test_swapping_the_sides_swaps_precision_and_recall() -> None:
    x, y, k = scene("normal", 7)
    assert precision_recall(x, y, k) == precision_recall(y, x, k)[::-1]


def neighbours_twin(x: np.ndarray, y: np.ndarray, k: int) -> tuple[float, float, float, float]:
    between = cdist(x, y)
    of_x, of_y = (np.sort(cdist(a, a), axis=1)[:, k] for a in (x, y))
    near = between < of_x[:, None]
    recall = (between < of_y[None]).any(axis=1).mean()
    return near.any(axis=0).mean(), recall, near.sum(axis=0).mean() / k, (between.min(axis=1) < of_x).mean()


def frechet_twin(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    rows = [(a - a.mean(0)) / np.sqrt(len(a) - 1) for a in (x, y)]
    scale = float(((x.mean(0) - y.mean(0)) ** 2).sum() + sum((r**2).sum() for r in rows))
    return scale, max(scale - 2 * float(np.linalg.svd(rows[0] @ rows[1].T, compute_uv=False).sum()), 0.0)


def kernel_twin(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    def within(a: np.ndarray) -> float:
        k = (a @ a.T / a.shape[1] + 1) ** 3
        return float((k.sum() - np.trace(k)) / (len(a) * (len(a) - 1)))

    between = float(((x @ y.T / x.shape[1] + 1) ** 3).mean())
    return abs(within(x)) + abs(within(y)) + abs(between), within(x) + within(y) - 2 * between


def vendi_twin(x: np.ndarray) -> float:
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    unit = x / np.where(norms > 0, norms, 1)
    kernel = unit @ unit.T + (norms == 0) * (norms == 0).T  # zeros are like each other
    p = np.linalg.eigvalsh(kernel / len(x)).clip(0)
    return float(np.exp(-(p[p > 0] * np.log(p[p > 0])).sum()))

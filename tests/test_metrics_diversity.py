"""Vendi, RKE, NDB, birthday paradox, MS-SSIM, fractal dimension: each against the value that its paper or its algebra gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from metrics_peers import import_peer

from gandiag.metrics import (
    bin_differences,
    birthday_paradox,
    birthday_probability,
    birthday_support,
    compare_bins,
    fractal_dimension,
    ms_ssim,
    pair_similarity,
    rke_score,
    vendi_of_kernel,
    vendi_score,
)

RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
GRID = np.array([[x, y] for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], dtype=float)


def test_vendi_of_the_readmes_kernels() -> None:
    samples = np.array([0.0, 0, 10, 10, 20, 20])
    assert vendi_of_kernel(np.exp(-np.abs(samples[:, None] - samples))) == pytest.approx(2.999999996, abs=1e-8)
    assert vendi_of_kernel([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]]) == pytest.approx(2.1573, abs=5e-5)
    blocks = np.repeat([0, 1, 2, 3], [4, 2, 1, 1])
    assert vendi_of_kernel((blocks[:, None] == blocks).astype(float)) == pytest.approx(3.363586, abs=5e-7)


@pytest.mark.parametrize("q", [0.5, 1.0, 2.0, math.inf])
def test_vendi_is_the_same_by_either_matrix(q: float) -> None:
    x = np.random.default_rng(0).normal(size=(60, 9))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    # at q below one, roots of what rounding leaves of the kernel's 51 zero eigenvalues are the trap: the smaller matrix has none
    assert vendi_score(x, q) == pytest.approx(vendi_of_kernel(unit @ unit.T, q), rel=1e-9)


def test_vendi_equals_its_package() -> None:
    package = import_peer("vendi_score.vendi")
    x = np.random.default_rng(0).normal(size=(200, 16))
    assert vendi_score(x) == pytest.approx(float(package.score_dual(x)), rel=1e-9)
    assert vendi_score(x[:10]) == pytest.approx(float(package.score_X(x[:10])), rel=1e-9)


@pytest.mark.parametrize("m", [1, 3, 8])
def test_m_orthogonal_modes_count_m(m: int) -> None:
    assert vendi_score(np.eye(8)[np.arange(m * 10) % m]) == pytest.approx(m, rel=1e-9)
    assert rke_score(100 * np.eye(8)[np.arange(m * 10) % m], 1.0) == pytest.approx(m, rel=1e-9)


@pytest.mark.parametrize(
    ("centres", "sd", "bandwidth", "expected"),
    [(RING, 0.01, 0.1, 8.320), (RING, 0.01, 0.3, 8.011), (GRID, 0.05, 1.0, 23.778), (GRID, 0.05, 0.2, 31.25)],
)
def test_rke_of_a_mixture_has_its_closed_form(
    centres: np.ndarray, sd: float, bandwidth: float, expected: float
) -> None:
    squares = ((centres[:, None] - centres) ** 2).sum(-1)
    narrow = (1 + 4 * sd**2 / bandwidth**2) ** -(centres.shape[1] / 2)
    exact = 1 / (narrow * np.exp(-squares / (bandwidth**2 + 4 * sd**2)).mean())
    assert exact == pytest.approx(expected, abs=6e-3)
    random = np.random.default_rng(0)
    x = np.repeat(centres, 3000 // len(centres), axis=0)
    x = x + sd * random.normal(size=x.shape)
    within = len(x) // len(centres)
    stratified = (within - 1) / within  # equal counts: pairs of one mode are a little rarer than in independent draws
    found = 1 / ((1 / rke_score(x, bandwidth, unbiased=True)) * (len(x) - 1) / len(x))
    assert found == pytest.approx(exact / stratified, rel=0.01)


def test_rke_with_and_without_the_diagonal() -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    k2 = np.exp(-((x[:, None] - x) ** 2).sum(-1) / 0.7**2)
    assert rke_score(x, 0.7) == pytest.approx(1 / k2.mean(), rel=1e-10)
    assert rke_score(x, 0.7, unbiased=True) == pytest.approx(1 / ((k2.sum() - 40) / (40 * 39)), rel=1e-10)


def test_bins_under_the_null_have_the_expected_divergence_and_share() -> None:
    random, bins, n, m = np.random.default_rng(0), 100, 45_000, 10_000
    shares = random.dirichlet(np.full(bins, 20.0))
    found = [compare_bins(random.multinomial(n, shares), random.multinomial(m, shares)) for _ in range(200)]
    assert (bins - 1) / 8 * (1 / n + 1 / m) == pytest.approx(0.001513, abs=1e-6)
    assert np.mean([f.jensen_shannon for f in found]) == pytest.approx(0.001513, rel=0.04)
    assert np.mean([f.share_different for f in found]) == pytest.approx(0.05, abs=0.006)


def test_bins_far_apart_differ_and_reach_the_logarithm_of_two() -> None:
    found = compare_bins([100, 0], [0, 100])
    assert found.jensen_shannon == pytest.approx(math.log(2))
    assert found.different == 2
    random = np.random.default_rng(0)
    real = random.normal(size=(3000, 4))
    same = bin_differences(real, random.normal(size=(1000, 4)), bins=20)
    narrow = bin_differences(real, 0.3 * random.normal(size=(1000, 4)), bins=20)
    assert same.share_different < 0.35
    assert narrow.share_different > 0.7
    with pytest.raises(ValueError, match="too few for 100 bins"):
        bin_differences(real[:50], real)


@pytest.mark.parametrize(
    ("n", "s", "p"), [(365, 20, 0.4114), (365, 23, 0.5073), (365, 50, 0.9704), (25, 10, 0.8756), (1000, 50, 0.7123)]
)
def test_birthdays(n: int, s: int, p: float) -> None:
    assert birthday_probability(n, s) == pytest.approx(p, abs=6e-5)
    assert birthday_support(p, s) == pytest.approx(n, rel=0.2)


def test_the_support_of_a_generator_that_repeats_itself_is_found() -> None:
    random = np.random.default_rng(0)
    real, few = random.normal(size=(500, 6)), random.normal(size=(200, 6))
    fake = few[random.integers(200, size=2000)]
    found = birthday_paradox(real, fake, batch=20, repeats=400)
    assert found.probability == pytest.approx(birthday_probability(200, 20), abs=0.08)
    assert found.support == pytest.approx(200, rel=0.25)
    assert birthday_paradox(real, real).support == math.inf
    assert birthday_support(0.5, 100) == pytest.approx(0.72 * 100**2, rel=0.01)


def test_similarity_of_three_flat_images_is_their_luminance_at_the_last_scale() -> None:
    images = torch.stack([torch.full((3, 64, 64), v) for v in (1.0, 0.7, 0.0)]).double()
    c1 = (0.01 * 255) ** 2
    pairs = [((2 * a * b + c1) / (a * a + b * b + c1)) ** 0.1333 for a, b in ((1, 0.7), (1, 0), (0.7, 0))]
    assert pair_similarity(images) == pytest.approx(0.98998868, abs=5e-9)
    assert pair_similarity(images) == pytest.approx(sum(pairs) / 3, rel=1e-9)


def test_similarity_is_one_for_copies_and_low_for_noise() -> None:
    random = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (6, 1, 37, 45), generator=random, dtype=torch.uint8)
    assert float(ms_ssim(noise[:1].double(), noise[:1].double())) == pytest.approx(1, abs=1e-12)
    assert pair_similarity(noise) < 0.3
    assert pair_similarity(noise[:1].repeat(4, 1, 1, 1)) == pytest.approx(1, abs=1e-9)
    with pytest.raises(ValueError, match="at least two"):
        pair_similarity(noise[:1])


@pytest.mark.parametrize(("d", "expected", "reach"), [(1, 1.0, 0.05), (2, 2.0, 0.1)])
def test_fractal_dimensions_of_a_line_and_of_a_square(d: int, expected: float, reach: float) -> None:
    x = np.random.default_rng(0).uniform(size=(10_000, d))
    placed = np.concatenate([x, np.zeros((10_000, 3 - d))], axis=1)
    assert fractal_dimension(placed) == pytest.approx(expected, abs=reach)

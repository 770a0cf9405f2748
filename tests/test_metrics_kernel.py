"""KID: closed forms between Gaussians, the obvious twin, the reference's own draw, the variance; and the Gaussian kernel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from metrics_peers import import_peer

from gandiag.metrics import gaussian_kernel_distance, kernel_distance, kernel_distance_interval, kernel_distance_subsets


def twin(x: np.ndarray, y: np.ndarray) -> float:
    """All pairs at once, as the formula stands."""

    def cubes(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    n, m = len(x), len(y)
    within = [(cubes(a, a).sum() - np.trace(cubes(a, a))) / (len(a) * (len(a) - 1)) for a in (x, y)]
    return float(within[0] + within[1] - 2 * cubes(x, y).sum() / (n * m))


def reference_subsets(x: np.ndarray, y: np.ndarray, subsets: int, size: int, seed: int) -> tuple[float, float]:
    """torch-fidelity's draw and estimate, in words."""
    random, values = np.random.RandomState(seed), []
    for _ in range(subsets):
        a = x[random.choice(len(x), size, replace=False)]
        values.append(twin(a, y[random.choice(len(y), size, replace=False)]))
    return float(np.mean(values)), float(np.std(values))


def population(a: np.ndarray, b: np.ndarray, d: int) -> float:
    """The exact squared MMD between N(a, I) and N(b, I)."""

    def expected(p: np.ndarray, q: np.ndarray) -> float:
        dot, p2, q2 = p @ q, p @ p, q @ q
        second = dot**2 + p2 + q2 + d
        third = dot**3 + 3 * dot * q2 + 3 * dot * (p2 + d + 2)
        return float(third / d**3 + 3 * second / d**2 + 3 * dot / d + 1)

    return expected(a, a) + expected(b, b) - 2 * expected(a, b)


@pytest.mark.parametrize(("n", "m", "d"), [(40, 60, 7), (300, 200, 6), (30, 25, 200), (400, 500, 20), (2, 2, 3)])
def test_all_pairs_equal_the_obvious_twin_by_moments_and_by_blocks(n: int, m: int, d: int) -> None:
    random = np.random.default_rng(n)
    x, y = random.normal(size=(n, d)), random.normal(size=(m, d)) + 0.4
    assert kernel_distance(x, y) == pytest.approx(twin(x, y), rel=1e-10, abs=1e-13)


@pytest.mark.parametrize(("shift_a", "shift_b", "expected"), [(0.3, 0.0, 0.312309), (0.5, 0.3, 0.218884)])
def test_shifted_gaussians_have_the_exact_population_value(shift_a: float, shift_b: float, expected: float) -> None:
    d, random = 20, np.random.default_rng(0)
    a, b = np.full(d, shift_a), np.full(d, shift_b)
    assert population(a, b, d) == pytest.approx(expected, abs=1e-6)
    values = [kernel_distance(random.normal(size=(500, d)) + a, random.normal(size=(500, d)) + b) for _ in range(60)]
    assert np.mean(values) == pytest.approx(expected, abs=3.5 * np.std(values) / math.sqrt(len(values)))


def test_scaled_gaussians_have_the_exact_population_value() -> None:
    d, random = 20, np.random.default_rng(1)
    values = [kernel_distance(random.normal(size=(500, d)), 1.5 * random.normal(size=(500, d))) for _ in range(60)]
    assert np.mean(values) == pytest.approx(
        3 * (1.5**2 - 1) ** 2 / d, abs=3.5 * np.std(values) / math.sqrt(len(values))
    )


@pytest.mark.parametrize(("n", "m", "shift"), [(300, 300, 0.0), (300, 150, 0.0), (300, 300, 0.3), (200, 400, 0.15)])
def test_the_standard_error_is_the_spread_that_repetitions_show(n: int, m: int, shift: float) -> None:
    d, random, values, errors = 20, np.random.default_rng(2), [], []
    for _ in range(120):
        found = kernel_distance_interval(random.normal(size=(n, d)), random.normal(size=(m, d)) + shift)
        values.append(found.value)
        errors.append(found.standard_error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)
    truth = population(np.zeros(d), np.full(d, shift), d)
    covered = np.mean([abs(v - truth) <= 1.96 * e for v, e in zip(values, errors)])
    assert covered >= 0.9


def test_the_null_spread_is_the_predicted_one() -> None:
    d, random, values = 20, np.random.default_rng(3), []
    for _ in range(300):
        values.append(kernel_distance(random.normal(size=(300, d)), random.normal(size=(300, d))))
    assert np.std(values) == pytest.approx(0.00702, rel=0.12)


def test_the_intervals_value_is_the_distance_itself() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(90, 6)), random.normal(size=(70, 6))
    assert kernel_distance_interval(x, y).value == pytest.approx(kernel_distance(x, y), rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("d", [8, 300])
def test_subsets_are_drawn_and_averaged_as_the_reference_does(d: int) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(150, d)), 1.1 * random.normal(size=(120, d)) + 0.1
    found = kernel_distance_subsets(x, y, subsets=7, subset_size=50, seed=2020)
    assert (found.mean, found.sd) == pytest.approx(reference_subsets(x, y, 7, 50, 2020), rel=1e-10)


def test_subsets_equal_torch_fidelity() -> None:
    reference = import_peer("torch_fidelity.metric_kid")
    import torch

    random = np.random.default_rng(0)
    x, y = random.normal(size=(300, 32)), random.normal(size=(300, 32)) + 0.1
    theirs = reference.kid_features_to_metric(
        torch.from_numpy(x),
        torch.from_numpy(y),
        kid_subsets=10,
        kid_subset_size=100,
        kid_kernel="poly",
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1.0,
        rng_seed=2020,
        verbose=False,
    )
    ours = kernel_distance_subsets(x, y, subsets=10, subset_size=100)
    assert ours.mean == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-9)
    assert ours.sd == pytest.approx(theirs["kernel_inception_distance_std"], rel=1e-9)


def test_a_subset_larger_than_a_side_is_refused_and_says_what_would_do() -> None:
    with pytest.raises(ValueError, match="2 to 50"):
        kernel_distance_subsets(np.zeros((50, 3)), np.zeros((80, 3)))


def test_the_gaussian_kernel_has_its_closed_form_between_gaussians() -> None:
    d, sigma, shift, n = 5, 2.0, np.full(5, 0.6), 3000
    random = np.random.default_rng(0)
    wide = (1 + 2 / sigma**2) ** (-d / 2)
    expected = 2 * wide * (1 - math.exp(-float(shift @ shift) / (2 * (sigma**2 + 2))))
    diagonal = 2 * (1 - wide) / n  # the estimator counts each sample with itself
    found = gaussian_kernel_distance(
        random.normal(size=(n, d)), random.normal(size=(n, d)) + shift, bandwidth=sigma, scale=1
    )
    assert found == pytest.approx(expected + diagonal, rel=0.1)
    same = random.normal(size=(50, d))
    assert gaussian_kernel_distance(same, same) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="above zero"):
        gaussian_kernel_distance(same, same, bandwidth=0)

"""Intervals of the scores that are neither Frechet's nor the cubic kernel's: each covers what it is said to cover."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gandiag.metrics import (
    gaussian_kernel_distance,
    gaussian_kernel_distance_interval,
    inception_score_interval,
    inception_score_of_probabilities,
    jackknife_interval,
    sliced_wasserstein,
    vendi_interval,
    vendi_score,
)
from gandiag.metrics.intervals import Interval, mean_interval

Draw = Callable[[np.random.Generator], Interval]


def vendi(random: np.random.Generator) -> Interval:
    return vendi_interval(random.normal(size=(300, 6)) * np.linspace(1, 0.2, 6))


def inception(random: np.random.Generator) -> Interval:
    return inception_score_interval(random.dirichlet([0.3, 0.2, 0.5, 0.1], size=300), splits=1)


def mean(random: np.random.Generator) -> Interval:
    return mean_interval(random.exponential(size=200))


@pytest.mark.parametrize("draw", [vendi, inception, mean])
def test_the_standard_error_is_the_spread_that_repetitions_show(draw: Draw) -> None:
    random = np.random.default_rng(0)
    found = [draw(random) for _ in range(200)]
    values = np.array([f.value for f in found])
    assert np.median([f.standard_error for f in found]) == pytest.approx(values.std(ddof=1), rel=0.15)
    assert np.mean([f.low <= values.mean() <= f.high for f in found]) > 0.9


def test_the_value_is_the_score_itself() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(50, 4))
    assert vendi_interval(x).value == pytest.approx(vendi_score(x), rel=1e-9)
    assert vendi_interval(x[:6].repeat(3, axis=0)).value == pytest.approx(vendi_score(x[:6]), rel=1e-9)
    p = random.dirichlet(np.ones(5), size=60)
    assert inception_score_interval(p).value == inception_score_of_probabilities(p).mean
    y = random.normal(size=(40, 4)) + 0.3
    found = gaussian_kernel_distance_interval(x, y, bandwidth=2.0)
    assert found.value == pytest.approx(gaussian_kernel_distance(x, y, bandwidth=2.0), rel=1e-12)


def test_the_kernels_jackknife_from_block_sums_is_the_obvious_one() -> None:
    random = np.random.default_rng(2)
    x, y = random.normal(size=(61, 3)), random.normal(size=(47, 3)) + 0.5

    def score(a: np.ndarray, b: np.ndarray) -> float:
        return gaussian_kernel_distance(a, b, bandwidth=1.5)

    quick = gaussian_kernel_distance_interval(x, y, bandwidth=1.5, blocks=7)
    slow = jackknife_interval(score, x, y, blocks=7, lowest=0.0)
    for part in ("value", "low", "high", "standard_error", "bias"):
        assert getattr(quick, part) == pytest.approx(getattr(slow, part), rel=1e-7), part


def test_the_jackknife_holds_the_true_sliced_distance() -> None:
    shift, inside = np.array([0.6, 0.0, 0.0]), 0
    truth = 0.6 / np.sqrt(3)  # |shift| sqrt(E cos^2) between shifted equals
    for seed in range(25):
        random = np.random.default_rng(seed)
        x, y = random.normal(size=(200, 3)), random.normal(size=(200, 3)) + shift
        found = jackknife_interval(lambda a, b: sliced_wasserstein(a, b, projections=64), x, y, blocks=10, lowest=0.0)
        inside += found.low <= truth <= found.high
    assert inside >= 21  # 95 % of 25 are 24


def test_too_few_for_an_interval_are_refused_or_have_none() -> None:
    one = np.zeros((1, 2))
    assert np.isnan(gaussian_kernel_distance_interval(one, one, bandwidth=1.0).low)
    with pytest.raises(ValueError, match="at least 4"):
        jackknife_interval(sliced_wasserstein, one, one)
    with pytest.raises(ValueError, match="at least 2"):
        vendi_interval(one)

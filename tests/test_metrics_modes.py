"""Modes covered: the exact values of a perfect sampler, of a partial one, and the invariants that every table must obey."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gandiag.metrics import class_coverage, histogram_kl, mode_coverage, stacked_class_coverage

RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
GRID = np.array([[x, y] for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], dtype=float)


def sample(centres: np.ndarray, sd: float, n: int, seed: int = 0, modes: int | None = None) -> np.ndarray:
    random = np.random.default_rng(seed)
    return centres[random.integers(modes or len(centres), size=n)] + sd * random.normal(size=(n, centres.shape[1]))


@pytest.mark.parametrize(("centres", "sd"), [(RING, 0.01), (GRID, 0.05)])
def test_a_perfect_sampler_reads_its_ceilings(centres: np.ndarray, sd: float) -> None:
    n = 100_000
    found = mode_coverage(sample(centres, sd, n), centres, sd)
    assert (found.covered, found.hit, found.total) == (len(centres),) * 3
    assert found.high_quality_share == pytest.approx(1 - math.exp(-4.5), abs=4 * math.sqrt(0.0111 / n))
    assert found.sd_ratio == pytest.approx(1, abs=0.01)
    assert found.kl == pytest.approx((len(centres) - 1) / (2 * n), abs=4 * math.sqrt(len(centres) / 2) / n)


def test_the_one_dimensional_ceiling() -> None:
    found = mode_coverage(np.random.default_rng(0).normal(size=(200_000, 1)), np.zeros((1, 1)), 1.0)
    assert found.high_quality_share == pytest.approx(0.997300, abs=4e-4)


@pytest.mark.parametrize(("modes", "n", "expected"), [(8, 2500, 0.0014), (25, 2500, 0.0048), (1000, 26_000, 0.0194)])
def test_the_floor_of_the_divergence_at_finite_n(modes: int, n: int, expected: float) -> None:
    random = np.random.default_rng(0)
    values = [histogram_kl(random.multinomial(n, np.full(modes, 1 / modes))) for _ in range(200)]
    assert np.mean(values) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("m", [1, 2, 5, 8])
def test_m_equal_modes_of_k_give_the_logarithm_of_k_over_m(m: int) -> None:
    counts = np.zeros(8, dtype=int)
    counts[:m] = 100
    assert histogram_kl(counts) == pytest.approx(math.log(8 / m), abs=1e-15)


def test_the_divergence_is_bounded_by_the_modes_that_are_hit() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        m = int(random.integers(1, 9))
        found = mode_coverage(
            sample(RING, 0.01 * random.uniform(0.2, 3), 300, seed=int(random.integers(1e6)), modes=m), RING, 0.01
        )
        assert math.log(8 / found.hit) - 1e-12 <= found.kl <= math.log(8) + 1e-12


def test_shrunken_and_swollen_modes_show_in_the_spread() -> None:
    assert mode_coverage(sample(RING, 0.004, 5000), RING, 0.01).sd_ratio == pytest.approx(0.4, abs=0.02)
    assert mode_coverage(sample(RING, 0.05, 5000), RING, 0.01).sd_ratio > 1.3


def test_one_stray_sample_a_mode_is_a_hit_and_no_coverage() -> None:
    points = np.concatenate([sample(RING, 0.01, 2493, modes=1), RING[1:]])
    found = mode_coverage(points, RING, 0.01)
    assert (found.hit, found.covered) == (8, 1)


def test_just_outside_of_three_sd_is_not_high_quality() -> None:
    found = mode_coverage(np.array([[3.001, 0.0], [2.999, 0.0], [0.0, np.nan]]), np.zeros((1, 2)), 1.0)
    assert found.high_quality_share == pytest.approx(1 / 3)


def test_samples_on_no_mode_have_no_histogram() -> None:
    found = mode_coverage(np.full((10, 2), 50.0), RING, 0.01)
    assert (found.covered, found.hit, found.high_quality_share) == (0, 0, 0.0)
    assert math.isnan(found.kl)
    assert math.isnan(found.sd_ratio)


def test_against_an_imbalanced_histogram_the_datas_own_shares_are_perfect() -> None:
    real = np.repeat([0, 1, 2], [900, 95, 5])
    right = class_coverage(np.repeat([0, 1, 2], [1800, 190, 10]), real, classes=3)
    assert right.kl == pytest.approx(0, abs=1e-15)
    assert right.covered == 3
    dropped = class_coverage(np.repeat([0, 1], [1810, 190]), real, classes=3)
    assert dropped.covered == 2
    assert dropped.kl > 0
    uniform = class_coverage(np.repeat([0, 1, 2], [600, 600, 600]), real, classes=3)
    assert uniform.kl == pytest.approx(sum(math.log((1 / 3) / p) / 3 for p in (0.9, 0.095, 0.005)), rel=1e-12)


def test_a_class_that_the_data_lacks_is_no_mode_and_making_it_is_infinitely_far() -> None:
    assert class_coverage([0, 1], [0, 0, 1], classes=4).total == 2
    assert class_coverage([0, 3], [0, 0, 1], classes=4).kl == math.inf


def test_high_dimensional_modes_keep_even_true_samples_outside() -> None:
    """VEEGAN's 1200-D set: a true sample sits about sqrt(700) sd from its mode."""
    random = np.random.default_rng(0)
    assert mode_coverage(random.normal(size=(50, 700)), np.zeros((1, 700)), 1.0, radius=10).high_quality_share == 0.0


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: mode_coverage(np.zeros((0, 2)), RING, 0.01), "no fake samples"),
        (lambda: mode_coverage(np.zeros((5, 3)), RING, 0.01), "do not fit"),
        (lambda: mode_coverage(np.zeros((5, 2)), RING, 0.0), "above zero"),
        (lambda: class_coverage([0, 5], None, classes=3), "0 to 2 were expected"),
        (lambda: histogram_kl([1, 2], [0, 0]), "not all zero"),
    ],
)
def test_what_makes_no_sense_is_refused(call: object, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        call()  # type: ignore[operator]  # each is a function


def test_stacked_classes_are_counted_as_the_product() -> None:
    random = np.random.default_rng(0)
    perfect = stacked_class_coverage(random.integers(10, size=(26_000, 3)))
    assert (perfect.hit, perfect.total) == (1000, 1000)
    assert perfect.kl == pytest.approx(0.0194, abs=0.003)
    one = stacked_class_coverage(np.tile([[3, 1, 4]], (50, 1)))
    assert (one.hit, one.kl) == (1, pytest.approx(math.log(1000)))
    assert one.counts[314] == 50
    with pytest.raises(ValueError, match="0 to 9"):
        stacked_class_coverage([[10, 0, 0]])


def test_one_sample_covers_a_mode_where_hardly_more_were_drawn_than_there_are_modes() -> None:
    assert class_coverage(np.arange(8), classes=8).covered == 8

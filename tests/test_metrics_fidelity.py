"""Inception Score, PRD, FD-infinity, sliced Wasserstein, path length, and the tests for copies: closed forms and constants."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from metrics_peers import import_peer

from gandiag.metrics import (
    authenticity,
    copying_z,
    frechet_distance,
    frechet_distance_infinity,
    inception_score,
    inception_score_of_probabilities,
    mann_whitney_z,
    memorisation_distance,
    memorisation_informed_frechet_distance,
    path_length,
    prd_of_histograms,
    precision_recall_curve,
    sliced_wasserstein,
)


def test_sure_and_even_classes_score_exactly_their_number() -> None:
    assert inception_score_of_probabilities(np.eye(10)[np.arange(1000) % 10], splits=1).mean == pytest.approx(
        10, rel=1e-13
    )
    assert inception_score_of_probabilities(np.full((100, 10), 0.1)).mean == pytest.approx(1, rel=1e-13)


def test_a_confidence_of_nine_tenths_has_its_closed_form() -> None:
    p = np.full((1000, 10), 0.1 / 9)
    p[np.arange(1000), np.arange(1000) % 10] = 0.9
    entropy = -0.9 * math.log(0.9) - 0.1 * math.log(0.1 / 9)
    assert 10 * math.exp(-entropy) == pytest.approx(5.79955, abs=1e-5)
    assert inception_score_of_probabilities(p, splits=1).mean == pytest.approx(10 * math.exp(-entropy), rel=1e-12)
    assert inception_score(np.log(p), splits=1).mean == pytest.approx(10 * math.exp(-entropy), rel=1e-12)


@pytest.mark.parametrize("n", [100, 500])
def test_the_plug_in_bias_of_the_splits_is_the_predicted_one(n: int) -> None:
    labels = np.random.default_rng(0).integers(10, size=200 * n)
    found = inception_score_of_probabilities(np.eye(10)[labels], splits=200)
    assert found.mean == pytest.approx(10 * math.exp(-9 / (2 * n)), rel=0.004)


def test_the_score_equals_torch_fidelity() -> None:
    reference = import_peer("torch_fidelity.metric_isc")
    logits = np.random.default_rng(0).normal(size=(333, 20)) * 2
    theirs = reference.isc_features_to_metric(torch.from_numpy(logits))
    assert inception_score(logits).mean == pytest.approx(theirs["inception_score_mean"], rel=1e-9)
    assert inception_score(logits).sd == pytest.approx(theirs["inception_score_std"], rel=1e-9)


@pytest.mark.parametrize(("m", "f8", "f_eighth"), [(4, 0.50388, 0.98485), (2, 0.25292, 0.95588)])
def test_uniform_on_m_of_8_bins_has_the_closed_form(m: int, f8: float, f_eighth: float) -> None:
    r = m / 8
    found = prd_of_histograms(np.ones(8), np.arange(8) < m)
    assert found.f8 == pytest.approx(65 * r / (64 + r), rel=1e-12)
    assert found.f_eighth == pytest.approx(65 * r / (1 + 64 * r), rel=1e-12)
    assert (found.f8, found.f_eighth) == pytest.approx((f8, f_eighth), abs=6e-6)


def test_the_references_own_cases() -> None:
    apart = prd_of_histograms([1, 0], [0, 1])
    assert (apart.f8, apart.f_eighth, apart.precision.max(), apart.recall.max()) == (0, 0, 0, 0)
    half = prd_of_histograms([0.5, 0.5], [1, 0], angles=11)
    assert (half.precision[5], half.recall[5]) == pytest.approx((0.5, 0.5))
    same = prd_of_histograms([3, 1, 2], [3, 1, 2])
    assert (same.f8, same.f_eighth) == pytest.approx((1, 1))


def test_the_curve_of_samples_sees_collapse_as_lost_recall() -> None:
    random = np.random.default_rng(0)
    centres = 50 * random.normal(size=(8, 3))
    real = centres[np.arange(800) % 8] + random.normal(size=(800, 3))
    collapsed = centres[np.arange(900) % 2] + random.normal(size=(900, 3))
    found = precision_recall_curve(real, collapsed, runs=2)
    assert found.f8 < 0.35
    assert found.f_eighth > 0.85
    assert precision_recall_curve(real, real[::-1], runs=2).f8 > 0.98


def test_infinity_takes_the_bias_out() -> None:
    random, d = np.random.default_rng(0), 16
    shift = np.full(d, math.sqrt(1.28 / d))
    reals = random.normal(size=(200_000, d))
    values = [
        frechet_distance_infinity(reals, random.normal(size=(4000, d)) + shift, start=400, seed=s).value
        for s in range(4)
    ]
    raw = frechet_distance(reals, random.normal(size=(500, d)) + shift)
    assert np.mean(values) == pytest.approx(1.28, abs=0.06)
    assert raw > 1.38
    many = frechet_distance_infinity(reals, random.normal(size=(20_000, d)) + shift)
    assert many.start == 5000
    assert many.value == pytest.approx(1.28, abs=0.04)  # 15 points from 5000: mean 1.2805, sd .009
    with pytest.raises(ValueError, match="smallest subset"):
        frechet_distance_infinity(reals[:50], reals[:50], start=50)


def test_sliced_wasserstein_has_its_closed_forms() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 6))
    shift = np.arange(6) / 3
    assert sliced_wasserstein(x, x) == 0.0
    assert sliced_wasserstein(x, x + shift, projections=20_000) == pytest.approx(math.sqrt(shift @ shift / 6), rel=0.02)
    assert sliced_wasserstein(np.array([[0.0], [0.0]]), np.array([[1.0], [2.0], [3.0]]), order=1) == pytest.approx(2.0)
    assert sliced_wasserstein(np.array([[0.0], [1.0]]), np.array([[0.0], [0.0], [1.0]]), order=1) == pytest.approx(
        1 / 6
    )


def test_the_path_length_of_a_linear_generator() -> None:
    """d = squared distance, straight lines: E |A (b - a)|^2 = 2 |A|^2, whatever the step."""
    a = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = path_length(
        lambda z: z.double() @ a.T,
        lambda p, q: ((p - q) ** 2).sum(1),
        (4,),
        samples=20_000,
        batch=1000,
        step=0.1,
        spherical=False,
    )
    assert found == pytest.approx(2 * float((a**2).sum()), rel=0.03)
    round_trip = path_length(lambda z: z, lambda p, q: ((p - q) ** 2).sum(1), (2,), samples=4000, batch=1000, step=1e-2)
    assert round_trip == pytest.approx(
        2 * math.pi**2 / 3, rel=0.06
    )  # on the circle of radius sqrt(2), angles uniform on 0..pi


def test_copies_reach_the_minimum_of_the_copying_test() -> None:
    m = n = 500
    minimum = -(m * n / 2 - 0.5) / math.sqrt(m * n * (m + n + 1) / 12)
    assert minimum == pytest.approx(-27.372, abs=1e-3)
    assert mann_whitney_z(np.zeros(m), np.ones(n)) == pytest.approx(minimum, rel=1e-12)
    random = np.random.default_rng(0)
    train, heldout = random.normal(size=(2000, 2)), random.normal(size=(500, 2))
    copies = train[:500] + 1e-3 * random.normal(size=(500, 2))
    assert copying_z(train, heldout, copies, cells=1) == pytest.approx(-27.35, abs=0.6)
    assert copying_z(train, heldout, 2 * random.normal(size=(500, 2)), cells=1) == pytest.approx(13.7, abs=2.5)
    assert copying_z(train, heldout, copies) < -12


def test_the_copying_test_is_standard_normal_for_new_samples() -> None:
    random = np.random.default_rng(1)
    values = [
        copying_z(random.normal(size=(400, 3)), random.normal(size=(150, 3)), random.normal(size=(150, 3)), cells=1)
        for _ in range(150)
    ]
    assert np.mean(values) == pytest.approx(0, abs=0.3)
    assert np.std(values) == pytest.approx(1, abs=0.15)
    assert math.isnan(copying_z(np.eye(9), np.eye(9), np.eye(9)))  # too few fakes in every cell


def test_authenticity_of_copies_and_of_new_samples() -> None:
    random = np.random.default_rng(0)
    for d, expected in ((2, 0.398), (64, 0.803)):
        real, fake = random.normal(size=(1500, d)), random.normal(size=(1500, d))
        assert authenticity(real, fake) == pytest.approx(expected, abs=0.05)
    assert authenticity(real, real[:100]) == 0.0


def test_memorised_sets_pay_for_it() -> None:
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(200, 30)), random.normal(size=(150, 30))
    angles = np.abs(
        (fake / np.linalg.norm(fake, axis=1, keepdims=True)) @ (real / np.linalg.norm(real, axis=1, keepdims=True)).T
    )
    assert memorisation_distance(real, fake) == pytest.approx(float((1 - angles.max(1)).mean()), rel=1e-12)
    assert memorisation_informed_frechet_distance(real, fake) == pytest.approx(frechet_distance(real, fake), rel=1e-9)
    near = real[:150] + 0.05 * random.normal(size=(150, 30))
    distance = memorisation_distance(real, near)
    assert distance < 0.1
    assert memorisation_informed_frechet_distance(real, near) == pytest.approx(
        frechet_distance(real, near) / distance, rel=1e-6
    )


@pytest.mark.parametrize(("count", "start"), [(100, 50), (99, 19), (14, 2), (10, 2)])
def test_infinity_begins_at_the_usual_size_or_a_fifth_of_what_there_is(
    count: int, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gandiag.metrics.fidelity.INFINITY_START", 50)
    x = np.random.default_rng(0).normal(size=(200, 2))
    assert frechet_distance_infinity(x, x[:count]).start == start

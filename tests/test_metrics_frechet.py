"""The Frechet distance: closed forms, four ways to the same number, fewer samples than features, bias laws, intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from metrics_peers import import_peer
from scipy import linalg, special

from gandiag.metrics import (
    FrechetStatistics,
    basic_bootstrap,
    binomial_interval,
    frechet_distance,
    frechet_interval,
    frechet_statistics,
    merge_all,
    statistics_of_gaussian,
)
from gandiag.metrics.frechet import summed_where_they_are


def by_singular_values(x: np.ndarray, y: np.ndarray) -> float:
    """The slow obvious twin: nuclear norm of the product of centred samples, never a covariance."""
    a = (x - x.mean(0)) / math.sqrt(len(x) - 1)
    b = (y - y.mean(0)) / math.sqrt(len(y) - 1)
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2 * cross)


def gaussians(n: int, m: int, d: int, seed: int = 0, power: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scale = np.arange(1, d + 1.0) ** -power
    return random.normal(size=(n, d)) * scale, 1.1 * random.normal(size=(m, d)) * scale + 0.1


def test_unit_covariances_a_unit_apart_in_2048_dimensions_are_exactly_2048_apart() -> None:
    zero, one, identity = np.zeros(2048), np.ones(2048), np.eye(2048)
    assert frechet_distance(statistics_of_gaussian(zero, identity), statistics_of_gaussian(one, identity)) == 2048.0


def test_diagonal_covariances_have_a_closed_form() -> None:
    random = np.random.default_rng(1)
    a, b, shift = random.uniform(0.1, 4, 30), random.uniform(0.1, 4, 30), random.normal(size=30)
    expected = float((shift**2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum())
    found = frechet_distance(
        statistics_of_gaussian(np.zeros(30), np.diag(a)), statistics_of_gaussian(shift, np.diag(b))
    )
    assert found == pytest.approx(expected, rel=1e-13)


def test_a_singular_covariance_as_in_compare_gan() -> None:
    real, fake = np.ones((100, 2)), np.full((100, 2), 9.0)
    real[:50, 0], fake[50:, 0] = 2.0, 2.0
    assert frechet_distance(real, fake) == pytest.approx(
        80 + (math.sqrt(25 / 99) - 7 * math.sqrt(25 / 99)) ** 2, rel=1e-12
    )
    assert frechet_distance(real, fake) == pytest.approx(89.0909, abs=1e-4)


@pytest.mark.parametrize(
    ("n", "m", "d", "power"),
    [
        (600, 700, 48, 0),
        (600, 700, 48, 2),
        (48, 49, 48, 0),
        (49, 300, 48, 0),
        (20, 30, 48, 0),
        (20, 600, 48, 0),
        (600, 20, 48, 0),
        (2, 2, 48, 0),
    ],
)
def test_every_route_equals_the_singular_values(n: int, m: int, d: int, power: float) -> None:
    x, y = gaussians(n, m, d, power=power)
    expected = by_singular_values(x, y)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-10)
    assert frechet_distance(y, x) == pytest.approx(expected, rel=1e-10)


def test_four_algorithms_agree_where_the_covariance_has_full_rank() -> None:
    x, y = gaussians(2000, 1500, 32)
    s, t, shift = np.cov(x.T), np.cov(y.T), x.mean(0) - y.mean(0)
    outside = shift @ shift + np.trace(s) + np.trace(t)
    root = linalg.sqrtm(s)
    ways = [
        np.trace(linalg.sqrtm(s @ t)).real,
        np.sqrt(linalg.eigvals(s @ t).real.clip(0)).sum(),
        np.sqrt(linalg.eigvalsh(root @ t @ root).clip(0)).sum(),
    ]
    for trace in ways:
        assert frechet_distance(x, y) == pytest.approx(float(outside - 2 * trace), rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(500, 20), (20, 64), (64, 64), (65, 64)])
def test_identical_sets_are_zero_apart_and_never_below(n: int, d: int) -> None:
    x, _ = gaussians(n, n, d)
    assert 0 <= frechet_distance(x, x[::-1]) < 1e-11


def test_dead_features_change_nothing() -> None:
    x, y = gaussians(500, 400, 40)
    expected = frechet_distance(x[:, :30], y[:, :30])
    x[:, 30:], y[:, 30:] = 7.0, 7.0
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-11)
    y[:, 30] = 5.0
    assert frechet_distance(x, y) == pytest.approx(expected + 4, rel=1e-11)


def test_linearly_dependent_features_are_exact_too() -> None:
    x, y = gaussians(500, 400, 12)
    mix = np.random.default_rng(3).normal(size=(12, 30))
    a, b = x @ mix, y @ mix
    assert frechet_distance(a, b) == pytest.approx(by_singular_values(a, b), rel=1e-8)


def test_constant_features_on_both_sides_leave_the_means() -> None:
    assert frechet_distance(np.full((10, 3), 1.0), np.full((12, 3), 3.0)) == pytest.approx(12.0, abs=1e-12)


@pytest.mark.parametrize(("n", "d"), [(300, 20), (15, 40), (50, 40)])
def test_statistics_merge_to_those_of_all(n: int, d: int) -> None:
    x, y = gaussians(n, 200, d)
    x += 100.0
    parts = merge_all(frechet_statistics(part) for part in np.array_split(x, 4))
    whole = frechet_statistics(x)
    assert parts.count == whole.count
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-13)
    np.testing.assert_allclose(parts.covariance, np.cov(x.T), rtol=1e-9, atol=1e-11)
    assert frechet_distance(parts, y) == pytest.approx(frechet_distance(x, y), rel=1e-11)


def test_a_large_offset_costs_no_accuracy_and_float32_features_are_summed_in_float64() -> None:
    x, y = gaussians(1000, 1000, 10)
    near = frechet_distance(x, y)
    assert frechet_distance(x + 1000, y + 1000) == pytest.approx(near, rel=1e-9)
    assert frechet_distance(torch.tensor(x).float(), torch.tensor(y).float()) == pytest.approx(near, rel=1e-5)


def test_sums_made_where_features_lie_are_those_of_the_host() -> None:
    """CUDA features take this way; here it is walked on the CPU."""
    x = torch.from_numpy(gaussians(80, 20, 6)[0].astype(np.float32) + 50)
    there, here = summed_where_they_are(x), frechet_statistics(x)
    np.testing.assert_allclose(there.mean, here.mean, rtol=1e-14)
    np.testing.assert_allclose(there.covariance, here.covariance, rtol=1e-11, atol=1e-13)
    with pytest.raises(ValueError, match="NaN"):
        summed_where_they_are(torch.full((9, 2), math.nan), "fake")


def test_dividing_by_n_is_a_protocol_of_its_own() -> None:
    x, _ = gaussians(11, 11, 4)
    np.testing.assert_allclose(frechet_statistics(x, biased=True).covariance, np.cov(x.T, bias=True), rtol=1e-12)
    with pytest.raises(ValueError, match="divide by N"):
        frechet_statistics(x).merge(frechet_statistics(x, biased=True))


@pytest.mark.parametrize(
    ("n", "one_sided", "two_sided"), [(5, 0.32003, 0.63285), (20, 0.076131, 0.151922), (100, 0.015044, 0.030075)]
)
def test_the_bias_in_one_dimension_is_the_exact_one(n: int, one_sided: float, two_sided: float) -> None:
    c4 = math.sqrt(2 / (n - 1)) * math.exp(special.gammaln(n / 2) - special.gammaln((n - 1) / 2))
    assert 1 / n + 2 * (1 - c4) == pytest.approx(one_sided, rel=1e-4)
    assert 2 / n + 2 * (1 - c4**2) == pytest.approx(two_sided, rel=1e-4)
    random, truth = np.random.default_rng(0), statistics_of_gaussian(np.zeros(1), np.eye(1))
    draws = [frechet_distance(truth, random.normal(size=(n, 1))) for _ in range(1500)]
    pairs = [frechet_distance(random.normal(size=(n, 1)), random.normal(size=(n, 1))) for _ in range(1500)]
    for values, expected in ((draws, one_sided), (pairs, two_sided)):
        assert np.mean(values) == pytest.approx(expected, abs=4 * np.std(values) / math.sqrt(len(values)))


@pytest.mark.parametrize(
    ("d", "n", "power", "expected"), [(16, 500, 0, 0.16827), (64, 2000, 0, 0.55226), (32, 1000, 1.5, 0.00913)]
)
def test_the_bias_in_many_dimensions_follows_the_law(d: int, n: int, power: float, expected: float) -> None:
    spectrum = np.arange(1, d + 1.0) ** -power
    pairs = spectrum[:, None] * spectrum / (spectrum[:, None] + spectrum)
    law = spectrum.sum() / n + (pairs.sum() + spectrum.sum() / 2) / (2 * (n - 1))
    assert law == pytest.approx(expected, rel=2e-3)
    random, truth = np.random.default_rng(0), statistics_of_gaussian(np.zeros(d), np.diag(spectrum))
    values = [frechet_distance(truth, random.normal(size=(n, d)) * np.sqrt(spectrum)) for _ in range(100)]
    assert np.mean(values) == pytest.approx(law, rel=0.04)


def test_the_reference_implementations_give_the_same_number() -> None:
    fidelity, score = import_peer("torch_fidelity.metric_fid"), import_peer("pytorch_fid.fid_score")
    x, y = gaussians(400, 300, 24)
    statistics = [fidelity.fid_features_to_statistics(torch.from_numpy(a)) for a in (x, y)]
    assert frechet_distance(x, y) == pytest.approx(
        fidelity.fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"], rel=1e-8
    )
    theirs = score.calculate_frechet_distance(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))
    assert frechet_distance(x, y) == pytest.approx(float(theirs), rel=1e-8)


def test_the_interval_holds_the_truth_where_the_percentile_bootstrap_fails() -> None:
    """d = 8, N = 500: the percentile bootstrap covered 7.5 % of the time (ground truth)."""
    random, shift, covered, trials = np.random.default_rng(5), np.full(8, 0.2 / math.sqrt(2)), 0, 80
    for _ in range(trials):
        interval = frechet_interval(random.normal(size=(500, 8)), random.normal(size=(500, 8)) + shift)
        covered += interval.low <= 0.16 <= interval.high
    assert covered >= 0.9 * trials


def test_the_basic_bootstrap_holds_the_truth_and_the_percentile_one_does_not() -> None:
    random, shift, trials = np.random.default_rng(3), np.full(8, 0.2 / math.sqrt(2)), 30
    basic = percentile = 0
    for seed in range(trials):
        real, fake = random.normal(size=(500, 8)), random.normal(size=(500, 8)) + shift
        found = basic_bootstrap(frechet_distance, real, fake, replicates=80, seed=seed)
        basic += found.low <= 0.16 <= found.high
        percentile += 2 * found.value - found.high <= 0.16 <= 2 * found.value - found.low
    assert basic >= 0.85 * trials  # 94 % expected: 28 of 30
    assert percentile <= 0.3 * trials  # 7.5 % expected: it doubles the bias


def test_leaving_blocks_out_by_subtraction_equals_leaving_them_out() -> None:
    from gandiag.metrics.intervals import statistics_without_blocks

    x, y = gaussians(200, 150, 6)
    rows = np.array_split(np.arange(200), 20)
    for left, out in zip(statistics_without_blocks(x, 20), rows):
        assert frechet_distance(left, y) == pytest.approx(frechet_distance(np.delete(x, out, axis=0), y), rel=1e-11)


def test_exact_binomial_interval() -> None:
    interval = binomial_interval(0, 10)
    assert (interval.low, interval.high) == (0.0, pytest.approx(1 - 0.025**0.1, rel=1e-9))
    assert binomial_interval(10, 10).high == 1.0
    with pytest.raises(ValueError, match="no share"):
        binomial_interval(3, 2)


@pytest.mark.parametrize(
    ("real", "fake", "word"),
    [
        (np.zeros((0, 3)), np.zeros((5, 3)), "0 real samples"),
        (np.zeros((1, 3)), np.zeros((5, 3)), "at least 2"),
        (np.zeros((5, 3)), np.full((5, 3), np.nan), "NaN or infinite"),
        (np.zeros((5, 3)), np.zeros((5, 4)), "same extractor"),
        (np.zeros(5), np.zeros((5, 3)), "samples, features"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_words(real: np.ndarray, fake: np.ndarray, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        frechet_distance(real, fake)


def test_given_gaussians_are_checked() -> None:
    with pytest.raises(ValueError, match="not symmetric"):
        statistics_of_gaussian(np.zeros(2), np.array([[1.0, 2.0], [0.0, 1.0]]))
    with pytest.raises(ValueError, match="shapes"):
        statistics_of_gaussian(np.zeros(3), np.eye(2))
    with pytest.raises(TypeError, match="numbers"):
        frechet_distance(np.array([["a", "b"]]), np.zeros((2, 2)))


def test_the_real_sides_factor_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = gaussians(100, 100, 8)
    side, calls, original = frechet_statistics(x), [], linalg.cholesky
    monkeypatch.setattr(linalg, "cholesky", lambda *a, **k: calls.append(1) or original(*a, **k))
    for _ in range(3):
        frechet_distance(side, y)
    assert len(calls) == 1
    assert isinstance(side, FrechetStatistics)


@pytest.mark.parametrize("seed", range(12))
def test_repeated_and_dependent_samples_are_exact_in_few_dimensions_too(seed: int) -> None:
    random = np.random.default_rng(seed)
    d = int(random.integers(2, 8))
    real, fake = random.normal(size=(d + 9, d)), random.normal(size=(d + 17, d)) + 0.5
    real = real[random.integers(d, size=len(real))]  # of rank below d, although there are more samples than features
    fake = fake @ random.normal(size=(d, d - 1)) @ random.normal(size=(d - 1, d))
    rows = [(x - x.mean(0)) / math.sqrt(len(x) - 1) for x in (real, fake)]
    outside = ((real.mean(0) - fake.mean(0)) ** 2).sum() + sum((r**2).sum() for r in rows)
    exact = outside - 2 * np.linalg.svd(rows[0] @ rows[1].T, compute_uv=False).sum()
    assert frechet_distance(real, fake) == pytest.approx(exact, abs=3e-9 * outside)

"""Numbers about one series: medians of stretches against a slow twin, what lasts, since when, and whether it rises."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gandiag.diagnosis import trends


@pytest.mark.parametrize(("rows", "blocks"), [(2500, 200), (7, 3), (1, 1), (100, 50), (300, 7)])
def test_block_medians_equal_the_slow_twin(rows: int, blocks: int) -> None:
    rng = np.random.default_rng(rows)
    at = np.sort(rng.choice(rows * 3, rows, replace=False))
    values = rng.standard_normal(rows)
    values[rng.random(rows) < 0.1] = np.nan
    values[rng.random(rows) < 0.05] = np.inf
    edges = trends.block_edges(rows * 3, blocks=blocks, rows=2)
    slow = []
    for start, end in itertools.pairwise(edges):
        part = values[(at >= start) & (at < end)]
        part = part[np.isfinite(part)]
        slow.append(np.median(part) if len(part) else np.nan)
    np.testing.assert_allclose(trends.block_medians(at, values, edges), trends.filled(np.array(slow)))


def test_a_long_series_is_thinned_evenly_and_its_median_kept() -> None:
    at = np.arange(1_000_000)
    values = np.where(at % 2 == 0, 1.0, 3.0) + (at >= 500_000) * 10.0
    edges = trends.block_edges(len(at), blocks=200, rows=5)
    levels = trends.block_medians(at, values, edges)
    assert len(levels) == 200
    assert set(np.unique(levels[:100])) <= {1.0, 2.0, 3.0}
    assert levels[100:].min() >= 11.0


def test_a_gap_keeps_the_level_before_it_and_nothing_stands_before_the_first() -> None:
    edges = np.array([0, 10, 20, 30])
    levels = trends.block_medians(np.array([12]), np.array([5.0]), edges)
    assert np.isnan(levels[0])
    assert levels[1:].tolist() == [5.0, 5.0]


def test_edges_cover_every_step_once() -> None:
    assert trends.block_edges(0, blocks=200, rows=5).tolist() == [0, 1]
    assert trends.block_edges(4, blocks=200, rows=5).tolist() == [0, 4]
    edges = trends.block_edges(1999, blocks=200, rows=5)
    assert (edges[0], edges[-1], len(edges)) == (0, 1999, 201)
    assert (np.diff(edges) > 0).all()


def test_onset_bridges_short_gaps_and_takes_the_last_lasting_stretch() -> None:
    state = np.zeros(100, bool)
    assert trends.onset(state) is None
    state[10:20] = True
    state[60:] = True
    state[70:73] = False
    assert trends.onset(state) == 60


def test_longest_stretch() -> None:
    state = np.zeros(50, bool)
    state[[3, 4, 20, 21, 23, 24]] = True
    assert trends.longest(state) == (20, 24)
    assert trends.longest(np.zeros(5, bool)) is None


def test_a_state_holds_when_most_of_the_end_shows_it() -> None:
    state = np.zeros(100, bool)
    state[85:] = True
    assert trends.holds(state, 0.2)
    assert not trends.holds(state, 0.5)


def test_kendall_z_has_the_published_variance_and_sign() -> None:
    n = 10
    assert trends.kendall_z(np.arange(n, dtype=float)) == pytest.approx(
        (45 - 1) / np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    )
    assert trends.kendall_z(-np.arange(n, dtype=float)) < -trends.RISE_Z
    assert trends.kendall_z(np.ones(50)) == 0
    assert trends.kendall_z(np.array([1.0, 2.0, 3.0])) == 0
    long = np.arange(100_000.0)  # of many values 100 are compared, evenly taken: the same z as of those
    assert trends.kendall_z(long) == trends.kendall_z(long[:100])
    assert trends.kendall_z(np.where(long % 2, np.nan, -long)) == -trends.kendall_z(long)


def test_medians_of_nothing_are_nan() -> None:
    nothing = trends.block_medians(np.empty(0, int), np.empty(0), np.array([0, 10, 20]))
    assert np.isnan(nothing).tolist() == [True, True]


def test_kendall_z_of_noise_is_standard_normal() -> None:
    rng = np.random.default_rng(0)
    z = [trends.kendall_z(rng.standard_normal(60)) for _ in range(400)]
    assert np.mean(z) == pytest.approx(0, abs=0.15)
    assert np.std(z) == pytest.approx(1, abs=0.12)


def test_robust_sd_is_the_standard_deviation_of_normal_values_and_forgives_outliers() -> None:
    values = np.random.default_rng(1).standard_normal(20_000)
    assert trends.robust_sd(values) == pytest.approx(1, abs=0.03)
    values[:100] = 1e9
    assert trends.robust_sd(values) == pytest.approx(1, abs=0.05)


def test_usual_level_leaves_the_very_start_out() -> None:
    levels = np.ones(100)
    levels[:2] = 1e6
    levels[50:] = 1e9
    assert trends.usual_level(levels) == 1.0


def test_a_latched_state_begins_when_sure_and_ends_when_gone() -> None:
    enters = np.array([0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0], dtype=bool)
    stays = np.array([1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1], dtype=bool)
    assert trends.latched(enters, stays, least=3).tolist() == [False] * 3 + [True] * 5 + [False] * 3
    assert trends.latched(enters, stays, least=1).tolist() == [False] + [True] * 7 + [False] + [True] * 2
    assert not trends.latched(enters, stays, least=4).any()

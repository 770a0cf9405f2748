"""Precision, recall, density, coverage: exact laws, the obvious twin, and the scenes that fix which is which."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from metrics_peers import import_peer

from gandiag.metrics import density_coverage, expected_coverage, nearest, prdc, precision_recall
from gandiag.metrics.neighbours import manifold_members


def twin(real: np.ndarray, fake: np.ndarray, k: int, *, inclusive: bool = False) -> tuple[float, float, float, float]:
    """The package prdc in words: all distances at once."""

    def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))

    below = np.less_equal if inclusive else np.less
    real_radii = np.sort(distances(real, real), axis=1)[:, k]
    fake_radii = np.sort(distances(fake, fake), axis=1)[:, k]
    cross = distances(real, fake)
    inside = below(cross, real_radii[:, None])
    return (
        float(inside.any(0).mean()),
        float(below(cross, fake_radii[None]).any(1).mean()),
        float((1.0 / k) * inside.sum(0).mean()),
        float(inside.any(1).mean()),
    )


@pytest.mark.parametrize("d", [1, 2, 16, 300])
@pytest.mark.parametrize(("n", "m", "k"), [(60, 90, 5), (90, 60, 3), (40, 40, 1)])
def test_equals_the_obvious_twin_exactly(n: int, m: int, d: int, k: int) -> None:
    random = np.random.default_rng(d + n)
    real, fake = random.normal(size=(n, d)) + 5, 0.9 * random.normal(size=(m, d)) + 5.1
    assert prdc(real, fake, k) == twin(real, fake, k)
    assert precision_recall(real, fake, k) == twin(real, fake, k, inclusive=True)[:2]


def test_equals_the_package_exactly() -> None:
    package = import_peer("prdc")
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(300, 64)), 0.9 * random.normal(size=(250, 64)) + 0.1
    theirs = package.compute_prdc(real, fake, nearest_k=5)
    assert prdc(real, fake)._asdict() == theirs


def test_tight_fakes_inside_wide_reals_are_precise_and_recall_nothing() -> None:
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(400, 4)), 0.01 * random.normal(size=(400, 4))
    narrow, wide = precision_recall(real, fake), precision_recall(fake, real)
    assert narrow.precision > 0.95
    assert narrow.recall < 0.05
    assert (wide.precision, wide.recall) == (narrow.recall, narrow.precision)


def test_a_generator_of_one_point_keeps_precision_and_loses_recall() -> None:
    real = np.random.default_rng(0).normal(size=(300, 8)) + 1000
    fake = np.repeat(real[:1], 200, axis=0)
    found = precision_recall(real, fake)
    assert found.precision == 1.0
    assert found.recall == pytest.approx(1 / 300)  # a ball of radius zero holds the point itself, edges included ...
    assert prdc(real, fake).recall == 0.0  # ... and nothing where they are not


@pytest.mark.parametrize(
    ("n", "m", "k", "expected"),
    [
        (200, 200, 5, 0.96992),
        (200, 500, 3, 0.97717),
        (200, 50, 5, 0.67728),
        (1000, 1000, 5, 0.96898),
        (10_000, 10_000, 5, 0.96877),
    ],
)
def test_expected_coverage_is_the_closed_form(n: int, m: int, k: int, expected: float) -> None:
    assert expected_coverage(n, m, k) == pytest.approx(expected, abs=6e-6)
    assert expected_coverage(n, m, k) == pytest.approx(1 - comb(n - 1, k) / comb(n + m - 1, k), rel=1e-12)


@pytest.mark.parametrize("d", [2, 40])
def test_equal_distributions_have_density_one_and_the_expected_coverage_in_any_dimension(d: int) -> None:
    random, found = np.random.default_rng(d), []
    for _ in range(40):
        found.append(density_coverage(random.normal(size=(200, d)), random.normal(size=(200, d)), 5))
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert abs(np.mean(found, axis=0)[0] - 1) < 3.5 * error[0]
    assert abs(np.mean(found, axis=0)[1] - expected_coverage(200, 200, 5)) < 3.5 * error[1]


@pytest.mark.parametrize("m", [1, 4])
def test_collapse_onto_m_of_8_modes_shows_in_recall_and_coverage_and_not_in_density(m: int) -> None:
    random = np.random.default_rng(m)
    centres = 100 * random.normal(size=(8, 2))
    real = np.repeat(centres, 250, axis=0) + random.normal(size=(2000, 2))
    fake = centres[random.integers(m, size=2000)] + random.normal(size=(2000, 2))
    density, coverage = density_coverage(real, fake)
    precision, recall = precision_recall(real, fake)
    assert density == pytest.approx(1, abs=0.05)
    assert precision > 0.95
    assert recall == pytest.approx(m / 8, abs=0.01)
    assert coverage == pytest.approx(m / 8 * expected_coverage(250, 2000 // m), abs=0.01)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    import gandiag.metrics.near_pairs as module

    random = np.random.default_rng(0)
    real, fake = random.normal(size=(100, 3)), random.normal(size=(80, 3))
    whole = prdc(real, fake)
    monkeypatch.setattr(module, "BLOCK_ELEMENTS", 300)
    assert prdc(real, fake) == whole
    monkeypatch.setattr("gandiag.metrics.threads.thread_count", lambda: 3)
    assert prdc(real, fake) == whole
    for name, value in (("WIDE", 2), ("WIDE_BLOCK_ELEMENTS", 300), ("TILE_ELEMENTS", 50)):
        monkeypatch.setattr(module, name, value)
    assert prdc(real, fake) == whole


@pytest.mark.parametrize("scene", ["one far sample", "many copies", "float32", "lattice"])
def test_hard_scenes_equal_the_obvious_twin(scene: str) -> None:
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(300, 20)), random.normal(size=(250, 20))
    if scene == "one far sample":
        real[0] = 1e6  # the rounding of all its pairs is larger than the distances of the others
    elif scene == "many copies":
        fake[50:] = fake[0]
        real[10:40] = fake[0]
    elif scene == "float32":
        real, fake = real.astype(np.float32) + np.float32(30), fake.astype(np.float32) + np.float32(30)
    else:
        real, fake = np.round(real[:, :3]), np.round(fake[:, :3])
    twins = real.astype(np.float64), fake.astype(np.float64)
    assert prdc(real, fake) == twin(*twins, 5)
    assert precision_recall(real, fake) == twin(*twins, 3, inclusive=True)[:2]


def test_nearest_is_the_obvious_one_and_copies_are_at_zero() -> None:
    random = np.random.default_rng(0)
    points, queries = random.normal(size=(50, 6)) + 300, random.normal(size=(20, 6)) + 300
    queries[3] = points[7]
    distance, index = nearest(queries, points)
    every = np.sqrt(((queries[:, None] - points[None]) ** 2).sum(-1))
    np.testing.assert_array_equal(index, every.argmin(1))
    np.testing.assert_allclose(distance, every.min(1), rtol=1e-9, atol=1e-12)
    assert distance[3] == 0.0
    own, _ = nearest(points, points, leave_one_out=True)
    assert (own > 0).all()


def test_members_of_a_manifold() -> None:
    points = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    assert manifold_members(points, np.array([[-1.0], [-2.5], [4.5], [30.0]]), k=1).tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_fewer_samples_than_neighbours_are_refused() -> None:
    with pytest.raises(ValueError, match="too few for the k = 5"):
        prdc(np.zeros((5, 2)), np.zeros((9, 2)))
    with pytest.raises(ValueError, match="at least one neighbour"):
        precision_recall(np.zeros((5, 2)), np.zeros((9, 2)), k=0)


def test_sets_of_other_widths_are_named_by_us_and_not_by_a_product_of_matrices() -> None:
    with pytest.raises(ValueError, match="features") as caught:
        precision_recall(np.zeros((10, 3)), np.ones((10, 4)))
    assert "matmul" not in str(caught.value)

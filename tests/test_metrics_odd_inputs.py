"""Inputs that nobody meant to give: each has a clear error, or a meaning that is held here."""

import math

import numpy as np
import pytest
import torch

from gandiag import metrics
from gandiag.metrics.neighbours import distance_blocks


def normal(*shape, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1.0, size=shape)


@pytest.mark.parametrize("scale", [1e19, 1e22])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_points_whose_squares_leave_single_precision_have_the_same_neighbours(scale, kind):
    real, fake = (normal(60, 6) * scale).astype(kind), (normal(50, 6, seed=1, shift=0.2) * scale).astype(kind)
    small = real.astype(np.float64) / scale, fake.astype(np.float64) / scale
    assert metrics.prdc(real, fake) == metrics.prdc(*small)
    assert metrics.precision_recall(real, fake) == metrics.precision_recall(*small)
    assert (metrics.manifold_members(real, fake) == metrics.manifold_members(*small)).all()


@pytest.mark.parametrize("scale", [1e20, 1e30, 1e60, 1e200])
def test_a_diverged_generator_of_points_is_scored_and_breaks_nothing(scale):
    found = metrics.evaluate_points(normal(50, 2), normal(50, 2, seed=1) * scale, [[0.0, 0.0]], 1.0)
    assert found.scores["modes_covered"] == 0
    assert found.scores["high_quality_share"] == 0
    assert all(np.isfinite(value).all() for value in found.scores.values())


def test_features_beyond_what_scores_can_hold_are_refused_in_words():
    with pytest.raises(ValueError, match=r"1 of 9 fake samples have features beyond 1e\+24"):
        metrics.kernel_distance(normal(9, 2), np.vstack([normal(8, 2), [[1e40, 0]]]))


@pytest.mark.parametrize("score", [metrics.precision_recall, metrics.prdc, metrics.density_coverage])
def test_features_without_columns_are_refused_by_neighbours_too(score):
    with pytest.raises(ValueError, match="no columns"):
        score(np.empty((9, 0)), np.empty((9, 0)))


def test_subsets_of_large_features_in_single_precision_do_not_overflow():
    real, fake = (normal(40, 6) * 1e8).astype(np.float32), (normal(40, 6, seed=1) * 1e8).astype(np.float32)
    single = metrics.kernel_distance_subsets(real, fake, subset_size=20)
    double = metrics.kernel_distance_subsets(real.astype(np.float64), fake.astype(np.float64), subset_size=20)
    assert single == double
    assert math.isfinite(single.mean)


def test_views_that_negate_and_tensors_with_gradients_are_read():
    real, fake = torch.from_numpy(normal(30, 3)), torch.from_numpy(normal(30, 3, seed=1))
    view = torch._neg_view(-real)
    assert metrics.frechet_distance(view, fake) == metrics.frechet_distance(real, fake)
    line = torch.rand(300, 1, generator=torch.Generator().manual_seed(0)) * torch.ones(1, 3)
    assert metrics.fractal_dimension(line.requires_grad_()) == metrics.fractal_dimension(line.detach().numpy())


def test_no_samples_at_all_have_no_fractal_dimension():
    with pytest.raises(ValueError, match="0 given samples"):
        metrics.fractal_dimension(np.empty((0, 3)))


@pytest.mark.parametrize("q", [0.0, 0.1, 0.5])
def test_the_vendi_score_of_low_orders_does_not_count_rounding(q):
    labels = np.repeat(np.arange(4), [80, 40, 20, 20])
    shares = np.array([0.5, 0.25, 0.125, 0.125])
    exact = float((shares**q).sum() ** (1 / (1 - q)))
    directions = np.linalg.qr(normal(300, 300))[0][:4]
    assert metrics.vendi_score(directions[labels], q) == pytest.approx(exact, rel=1e-9)
    assert metrics.vendi_of_kernel(labels[:, None] == labels, q) == pytest.approx(exact, rel=1e-9)


def test_samples_of_zeros_are_like_each_other_and_unlike_all_else():
    zeros, ones = np.zeros((5, 3)), np.ones((5, 3))
    assert metrics.vendi_score(zeros) == pytest.approx(1.0)
    assert metrics.vendi_score(np.vstack([zeros, ones])) == pytest.approx(2.0)
    assert metrics.vendi_interval(np.vstack([zeros, ones])).value == pytest.approx(2.0)


@pytest.mark.parametrize("kernel", [[[2.0, 0.0], [0.0, 2.0]], [[1.0, 0.5], [0.0, 1.0]]])
def test_a_matrix_that_is_no_similarity_has_no_vendi_score(kernel):
    with pytest.raises(ValueError, match="ones on its diagonal"):
        metrics.vendi_of_kernel(kernel)


def test_a_sample_is_at_distance_zero_from_itself_at_any_scale():
    x = normal(40, 5) * 1e10
    for rows, block in distance_blocks(x, x):
        assert (block[np.arange(len(block)), np.arange(rows.start, rows.stop)] == 0).all()
    assert metrics.rke_score(x, 1.0) == pytest.approx(40)  # at a scale far below the distances all of them are distinct


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_a_level_that_is_no_share_is_refused(level):
    x, y = normal(20, 2), normal(20, 2, seed=1)
    for make in (
        lambda: metrics.frechet_interval(x, y, level=level),
        lambda: metrics.kernel_distance_interval(x, y, level=level),
        lambda: metrics.basic_bootstrap(metrics.frechet_distance, x, y, replicates=3, level=level),
        lambda: metrics.binomial_interval(1, 2, level=level),
        lambda: metrics.vendi_interval(x, level=level),
    ):
        with pytest.raises(ValueError, match=r"0\.95"):
            make()


def test_one_block_and_one_replicate_make_no_interval():
    x, y = normal(20, 2), normal(20, 2, seed=1)
    with pytest.raises(ValueError, match="at least 2"):
        metrics.frechet_interval(x, y, blocks=1)
    with pytest.raises(ValueError, match="at least 2"):
        metrics.basic_bootstrap(metrics.frechet_distance, x, y, replicates=1)


@pytest.mark.parametrize("labels", [[-1] * 20, [0.5] * 20, [math.nan] * 20])
def test_labels_that_are_no_classes_are_refused(labels):
    images = torch.zeros(20, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(ValueError, match="whole numbers"):
        metrics.evaluate_images(images, images, metrics.load_features("pixels"), real_labels=labels)
    with pytest.raises(ValueError, match="whole numbers"):
        metrics.stacked_class_coverage(np.repeat(np.asarray(labels)[:, None], 3, axis=1))


def test_a_streaming_distance_says_at_once_what_does_not_fit_and_goes_on():
    distance = metrics.FrechetDistance("pixels")
    distance.update_features(normal(9, 4), real=True)  # arrays will do
    distance.update_features(normal(9, 4, seed=1), real=False)
    before = distance.compute()
    with pytest.raises(ValueError, match="real features were 4 wide so far, these are 3"):
        distance.update_features(normal(9, 3), real=True)
    with pytest.raises(ValueError, match="samples, features"):
        distance.update_features(np.zeros(4), real=True)
    assert distance.compute() == before
    distance.update_features(np.full((2, 4), np.nan), real=False)
    with pytest.raises(ValueError, match="2 of 2 fake samples"):
        distance.compute()


def test_pairs_of_images_need_batches_of_two_and_numbers():
    images = torch.zeros(5, 1, 8, 8)
    with pytest.raises(ValueError, match="no pair"):
        metrics.pair_similarity(images, batch=1)
    with pytest.raises(ValueError, match="NaN"):
        metrics.pair_similarity(images * math.nan)
    grey = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8)
    assert metrics.ms_ssim(grey, grey).tolist() == pytest.approx([1.0])


def test_one_sample_has_no_variance():
    assert math.isnan(metrics.frechet_statistics(np.ones((1, 3))).trace)

"""All scores at once: names from the vocabulary, the digits-cnn, scenes of collapse, and the same numbers to the bit."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from gandiag.errors import UsageError
from gandiag.metrics import (
    evaluate_images,
    evaluate_points,
    evaluate_stacked,
    load_features,
    make_reference,
    to_uint8,
)
from gandiag.metrics.digits_cnn import WEIGHTS
from gandiag.metrics.train_digits_cnn import digits_split, main
from gandiag.quantities import quantity

MNIST = Path(__file__).parents[2] / "shared" / "data" / "mnist"
DIGITS = digits_split()


def predicted(images: torch.Tensor) -> torch.Tensor:
    features = load_features("digits-cnn")
    assert features.probabilities is not None
    return features.probabilities(features.extract(images)).argmax(1)


def test_the_digits_cnn_is_small_and_knows_held_out_digits() -> None:
    images, labels = DIGITS[1]
    assert WEIGHTS.stat().st_size <= 400_000
    assert float((predicted(images) == labels).float().mean()) >= 0.97


def test_the_digits_cnn_takes_any_image() -> None:
    images = DIGITS[1][0]
    large = images.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert (predicted(large) == predicted(images)).all()
    coloured = images.expand(-1, 3, -1, -1)
    assert (predicted(coloured) == predicted(images)).float().mean() > 0.99
    assert load_features("digits-cnn").extract(torch.zeros(3, 2, 5, 7, dtype=torch.uint8)).shape == (3, 64)


@pytest.mark.skipif(
    not MNIST.exists(), reason="no MNIST files here: that the digits-cnn reads 28x28 digits is not seen"
)
def test_the_digits_cnn_reads_mnist() -> None:
    images = np.frombuffer(
        gzip.decompress((MNIST / "t10k-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16
    ).reshape(-1, 1, 28, 28)
    labels = np.frombuffer(gzip.decompress((MNIST / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    assert float((predicted(torch.from_numpy(images[:2000].copy())).numpy() == labels[:2000]).mean()) > 0.7


def test_the_training_of_the_digits_cnn_runs_and_repeats_itself(tmp_path: Path) -> None:
    accuracy = main(tmp_path / "a.safetensors", epochs=1)
    assert accuracy == main(tmp_path / "b.safetensors", epochs=1)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize("name", ["digits-cnn", "pixels", "random-conv"])
def test_held_out_reals_read_the_floor_and_half_the_classes_do_not(name: str) -> None:
    (train, labels), (heldout, _) = DIGITS
    features = load_features(name)
    reference = make_reference(train, features, real_labels=labels)
    good = evaluate_images(reference, heldout, features)
    half = evaluate_images(reference, train[labels < 5][:450], features)
    distance, floor = good.scores[f"frechet_distance[{name}]"], good.scores[f"frechet_distance_floor[{name}]"]
    assert isinstance(distance, float)
    assert isinstance(floor, float)
    assert floor * 0.6 < distance < floor * 1.6
    assert half.scores[f"frechet_distance[{name}]"] > 3 * distance  # type: ignore[operator]  # a number it is
    low, high = (good.scores[f"kernel_distance_{end}[{name}]"] for end in ("low", "high"))
    assert low <= good.scores[f"kernel_distance[{name}]"] <= high  # type: ignore[operator]
    assert low < 0 < high  # type: ignore[operator]  # reals against reals: 0 lies within the interval
    assert half.scores[f"kernel_distance_low[{name}]"] > high  # type: ignore[operator]
    assert (good.scores["modes_covered"], half.scores["modes_covered"]) == (10, 5)
    assert good.scores["mode_kl"] < 0.05  # type: ignore[operator]
    assert half.scores["mode_kl"] == pytest.approx(math.log(2), abs=0.05)
    recall = half.scores["class_recall"]
    assert isinstance(recall, list)
    assert min(recall[:5]) > 0.6
    assert np.mean(recall[5:]) < 0.5 * np.mean(recall[:5])
    assert half.scores[f"authenticity[{name}]"] == 0.0
    assert half.scores[f"nearest_real_distance[{name}]"] == 0.0


def test_every_score_has_its_entry_in_the_vocabulary_and_every_vector_its_labels() -> None:
    (train, labels), (heldout, _) = DIGITS
    images = evaluate_images(train, heldout, load_features("digits-cnn"), real_labels=labels)
    points = evaluate_points(np.zeros((50, 2)) + np.arange(50)[:, None], np.ones((30, 2)), [[1.0, 1.0]], 0.1)
    for evaluation in (images, points):
        for name, value in evaluation.scores.items():
            assert quantity(name) is not None, name
            if isinstance(value, list):
                assert len(evaluation.labels[name]) == len(value)
            else:
                assert isinstance(value, float)
    assert images.protocol["weights"] == load_features("digits-cnn").fingerprint["weights"]


def test_the_same_call_gives_the_same_numbers_to_the_bit() -> None:
    (train, labels), (heldout, _) = DIGITS
    features = load_features("digits-cnn")
    assert (
        evaluate_images(train[:300], heldout[:200], features, real_labels=labels[:300]).scores
        == evaluate_images(train[:300], heldout[:200], features, real_labels=labels[:300]).scores
    )


def test_features_do_not_depend_on_the_batch() -> None:
    images = DIGITS[1][0][:40]
    for name in ("digits-cnn", "random-conv"):
        extract = load_features(name).extract
        torch.testing.assert_close(
            extract(images), torch.cat([extract(images[:7]), extract(images[7:])]), rtol=1e-5, atol=1e-6
        )


def test_a_perfect_mixture_and_a_collapsed_one() -> None:
    random = np.random.default_rng(0)
    centres = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)

    def draw(n: int, modes: int) -> np.ndarray:
        return centres[random.integers(modes, size=n)] + 0.01 * random.normal(size=(n, 2))

    good = evaluate_points(draw(2500, 8), draw(2500, 8), centres, 0.01).scores
    bad = evaluate_points(draw(2500, 8), draw(2500, 2), centres, 0.01).scores
    assert (good["modes_covered"], bad["modes_covered"]) == (8, 2)
    assert good["high_quality_share"] == pytest.approx(0.9889, abs=0.01)
    assert bad["recall[points]"] == pytest.approx(0.25, abs=0.05)
    assert bad["precision[points]"] > 0.9  # type: ignore[operator]


def test_points_that_are_not_finite_are_still_judged_by_their_modes() -> None:
    fake = np.full((100, 2), np.nan)
    scores = evaluate_points(np.random.default_rng(0).normal(size=(100, 2)), fake, [[0.0, 0.0]], 1.0).scores
    assert scores["high_quality_share"] == 0.0
    assert not any(name.startswith("frechet") for name in scores)


def test_few_samples_are_said_in_words() -> None:
    (train, _), (heldout, _) = DIGITS
    assert (
        "fewer than the 64 features"
        in evaluate_images(train, heldout[:20], load_features("digits-cnn")).protocol["note"]
    )


def test_to_uint8_rounds_as_stylegan_does() -> None:
    assert to_uint8(torch.tensor([-1.0, 0.0, 1.0, 2.0, -0.004])).tolist() == [0, 128, 255, 255, 127]
    with pytest.raises(ValueError, match="NaN"):
        to_uint8(torch.tensor([math.nan]))


def test_wrong_images_and_names_are_refused() -> None:
    extract = load_features("digits-cnn").extract
    with pytest.raises(TypeError, match="uint8"):
        extract(torch.zeros(2, 1, 8, 8))
    with pytest.raises(ValueError, match="shape"):
        extract(torch.zeros(8, 8, dtype=torch.uint8))
    with pytest.raises(UsageError, match="did you mean 'digits-cnn'"):
        load_features("digit-cnn")
    with pytest.raises(ValueError, match="one label an image"):
        make_reference(DIGITS[0][0], load_features("pixels"), real_labels=[1, 2])


def test_stacked_digits_are_told_by_a_classifier_a_channel() -> None:
    images, labels = DIGITS[1]
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    stacked = torch.cat([images, images[order], images[order.flip(0)]], dim=1)
    truth = {(int(labels[i]), int(labels[order[i]]), int(labels[order.flip(0)[i]])) for i in range(len(images))}
    found = evaluate_stacked(stacked, load_features("digits-cnn")).scores
    assert found["modes_total"] == 1000
    assert found["modes_hit"] == pytest.approx(len(truth), abs=4)
    with pytest.raises(ValueError, match="no classifier"):
        evaluate_stacked(stacked, load_features("pixels"))


def test_unlabelled_reals_have_classes_only_where_the_classifier_is_sure_of_them() -> None:
    features = load_features("digits-cnn")
    assert "modes_covered" in evaluate_images(DIGITS[0][0][:300], DIGITS[1][0][:200], features).scores
    noise = torch.randint(256, (200, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert "modes_covered" not in evaluate_images(noise, noise[:100], features).scores


def test_a_class_that_the_classifier_does_not_know_is_told_by_neighbours() -> None:
    images, labels = DIGITS[0]
    swapped = torch.where(labels == 9, 8, labels)
    swapped[(labels == 8)] = 9  # a fifth of the labels disagree with the classifier, whole classes of them
    found = evaluate_images(images, images[labels != 8][:400], load_features("digits-cnn"), real_labels=swapped)
    assert found.protocol["classes"] == "5 nearest reals"
    assert found.scores["mode_histogram"][9] < 0.02  # type: ignore[index]

"""Evaluation during a training: whose features the scores stand on, and the modes of stacked digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gandiag.errors import UsageError
from gandiag.metrics import classifier
from gandiag.metrics.train_digits_cnn import digits_split
from gandiag.training.data import Dataset, load_data
from gandiag.training.data_arrays import stacked_mnist
from gandiag.training.dataset import make_dataset, to_model
from gandiag.training.evaluation import Score, best_score, make_evaluation

(DIGITS, LABELS), _ = digits_split()


@pytest.fixture(autouse=True)
def quick_and_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cache of its own, and a classifier that is trained for less long than a user's."""
    monkeypatch.setenv("GANDIAG_CACHE", str(tmp_path / "cache"))
    settings = classifier.classifier_features.__kwdefaults__
    monkeypatch.setattr(classifier.classifier_features, "__kwdefaults__", {**settings, "steps": 60})


def test_labelled_data_that_is_no_digits_is_scored_by_a_classifier_of_its_own(tmp_path: Path) -> None:
    images, labels = _quarters(600)
    data = make_dataset("quarters", images, labels=labels, classes=["a", "b", "c", "d"])
    evaluate = make_evaluation(data, features="auto", count=100)
    found = evaluate(data.batch(slice(0, 300)))
    assert "frechet_distance[classifier]" in found.scores
    assert found.scores["modes_covered"] == found.scores["modes_total"] == 4
    assert found.protocol["heldout_accuracy"] > 0.95
    lost = evaluate(data.batch(torch.nonzero(data.labels < 3).flatten()))
    assert lost.scores["modes_covered"] == 3
    assert lost.scores["frechet_distance[classifier]"] > 10 * found.scores["frechet_distance[classifier]"]
    kept = list((tmp_path / "cache" / "classifiers").iterdir())
    again = make_evaluation(data, features="classifier", count=100)(data.batch(slice(0, 300)))
    assert (again.scores, again.protocol) == (found.scores, found.protocol)  # read, not trained again
    assert list((tmp_path / "cache" / "classifiers").iterdir()) == kept


def test_digits_keep_the_shipped_classifier_whatever_their_order() -> None:
    order = LABELS.argsort()  # a folder of folders comes sorted by class
    data = make_dataset("digits", DIGITS[order], labels=LABELS[order])
    assert (
        "frechet_distance[digits-cnn]"
        in make_evaluation(data, features="auto", count=50)(data.batch(slice(0, 60))).scores
    )


@pytest.mark.parametrize("labels", [None, "one a class", "noise"])
def test_data_that_teaches_no_classifier_is_scored_by_random_convolutions(labels: str | None) -> None:
    images, _ = _quarters(120)
    given = {None: None, "one a class": np.arange(120), "noise": np.random.default_rng(1).integers(4, size=120)}[labels]
    data = make_dataset("quarters", images, labels=given)
    scores = make_evaluation(data, features="auto", count=50)(data.batch(slice(0, 60))).scores
    assert "frechet_distance[random-conv]" in scores


def test_a_classifier_asked_for_needs_labels() -> None:
    with pytest.raises(UsageError, match="no labels"):
        make_evaluation(make_dataset("quarters", _quarters(50)[0]), features="classifier", count=10)


def test_stacked_digits_are_told_apart_a_channel_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _stacked(monkeypatch, count=2000)
    evaluate = make_evaluation(data, features="auto", count=100)
    found = evaluate(data.batch(slice(0, None)))
    assert found.scores["modes_total"] == 1000
    assert found.scores["modes_hit"] == pytest.approx(len(data.labels.unique()), abs=15)  # of 2000 draws, 865 are seen
    assert found.scores["frechet_distance[digits-cnn-of-channels]"] == pytest.approx(0, abs=1e-6)
    few = evaluate(to_model(data.samples[:1].repeat(300, 1, 1, 1)))
    assert few.scores["modes_hit"] == 1
    assert few.scores["mode_kl"] == pytest.approx(np.log(1000))
    assert few.protocol["classes"] == "digits-cnn on each channel"
    assert "modes_hit" not in make_evaluation(data, features="pixels", count=100)(data.batch(slice(0, 50))).scores


def _stacked(monkeypatch: pytest.MonkeyPatch, count: int) -> Dataset:
    read = "gandiag.training.data_arrays._idx_pair"
    monkeypatch.setattr(read, lambda *_: (DIGITS[:, 0].numpy(), LABELS.numpy(), {}))
    return stacked_mnist("nowhere", count=count)


def _quarters(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise (n, 1, 12, 12) with one bright quarter, whose place is the class."""
    random = np.random.default_rng(0)
    labels = random.integers(4, size=count)
    images = random.integers(0, 120, size=(count, 1, 12, 12), dtype=np.uint8)
    for image, label in zip(images, labels):
        image[:, 6 * (label // 2) : 6 * (label // 2 + 1), 6 * (label % 2) : 6 * (label % 2 + 1)] += 100
    return images, labels


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("frechet_distance", "lower"),
        ("sliced_wasserstein", "lower"),
        ("bin_jensen_shannon", "lower"),
        ("recall", "higher"),
    ],
)
def test_the_best_score_has_the_direction_of_its_quantity(name: str, better: str) -> None:
    score = best_score(name, load_data("digits"), {f"{name}[pixels]": 0.5})
    assert score == Score(f"{name}[pixels]", 0.5, better)  # type: ignore[arg-type]

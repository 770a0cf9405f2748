"""data_mismatch by the kept samples: channels in another order, another layout, labels that belong to other samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandiag.diagnosis import CHECKS, Finding, Verdict, diagnose, judge
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.inputs import data_mismatch
from gandiag.diagnosis.pictures import agreement_of_fakes, agreement_of_reals
from gandiag.run import RunWriter, load_run

STEPS, KEPT = 400, 64


def coloured(seed: int, count: int = KEPT) -> np.ndarray:
    """Images (n, 8, 8, 3) of warm colours, as bytes."""
    chance = np.random.default_rng(seed)
    return np.clip(chance.normal((200, 120, 60), 40, size=(count, 8, 8, 3)), 0, 255).astype(np.uint8)


def recorded(
    path: Path,
    shown: list[float],
    *,
    fake: int = 3,
    samples: dict[str, dict[str, np.ndarray]] | None = None,
    about: dict[str, Any] | None = None,
) -> Finding:
    """Judges a recording of reals with these channel means, scaled to [-1, 1]."""
    at = np.arange(0, STEPS, 10)
    chance, n = np.random.default_rng(0), len(at)
    means = np.array(shown) + 0.02 * chance.standard_normal((n, len(shown)))
    flat = {"real_min": -1.0, "real_max": 1.0, "fake_min": -0.99, "fake_max": 0.99, "real_sd": 0.5, "fake_sd": 0.5}
    flat |= {"real_mean": 0.0, "fake_mean": 0.0, "diversity_ratio": 0.97}
    with RunWriter(path, {"data": {"kind": "images"}, **(about or {})}) as writer:
        columns: dict[str, np.ndarray] = {k: np.full(n, v) for k, v in flat.items()}
        columns |= {"real_channel_mean": means, "fake_channel_mean": np.zeros((n, fake))}
        names = {
            "real_channel_mean": [str(i) for i in range(len(shown))],
            "fake_channel_mean": [str(i) for i in range(fake)],
        }
        writer.append("every-10", at, columns, labels=names)
        for kind, arrays in (samples or {}).items():
            writer.samples(0, arrays, kind)
    return judge(data_mismatch, load_run(path))


def in_model_range(order: tuple[int, int, int]) -> list[float]:
    return [(200 / 127.5 - 1, 120 / 127.5 - 1, 60 / 127.5 - 1)[i] for i in order]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_channels_is_compared_with_the_kept_reals(order: tuple[int, int, int], tmp_path: Path) -> None:
    found = recorded(tmp_path / "run", in_model_range(order), samples={"real": {"images": coloured(1)}})
    if order == (0, 1, 2):
        assert found.verdict is Verdict.HEALTHY, found.claim
    else:
        assert (found.verdict, found.kind) == (Verdict.FAILED, "channel order"), found.claim
        assert ", ".join(map(str, order)) in found.claim
        assert "limit" in found.claim


def test_the_order_is_found_in_any_range_and_not_told_where_channels_are_alike(tmp_path: Path) -> None:
    bytes_ = [127.5 * (m + 1) for m in in_model_range((2, 1, 0))]
    grey = np.repeat(np.random.default_rng(2).integers(0, 255, (KEPT, 8, 8, 1)), 3, axis=3).astype(np.uint8)
    assert recorded(tmp_path / "a", bytes_, samples={"real": {"images": coloured(1)}}).verdict is Verdict.FAILED
    assert recorded(tmp_path / "b", [0.01, 0.0, -0.01], samples={"real": {"images": grey}}).verdict is Verdict.HEALTHY


def test_what_could_not_be_told_is_said(tmp_path: Path) -> None:
    found = recorded(tmp_path / "run", in_model_range((2, 1, 0)))
    assert found.verdict is Verdict.HEALTHY
    assert "order of channels was not checked" in found.claim


@pytest.mark.parametrize(("real", "ill"), [(8, True), (28, True), (3, False), (192, False)])
def test_channels_last_against_channels_first(real: int, ill: bool, tmp_path: Path) -> None:
    """Flattened reals (a multiple of the channels) are somebody's style and no fault."""
    found = recorded(tmp_path / "run", [0.0] * real)
    assert (found.kind == "layout") is ill, found.claim
    assert len(diagnose(tmp_path / "run").findings) == len(CHECKS)  # no other check stumbles over it


# --------------------------------------------------------------------------------------------------------------------- labels


def classes(seed: int, shuffled: bool, count: int = KEPT) -> dict[str, np.ndarray]:
    """Grey images of four brightnesses with their labels, right or shuffled."""
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, 4, count)
    images = np.clip(chance.normal(40 + 50 * labels[:, None, None, None], 10, size=(count, 8, 8, 1)), 0, 255)
    return {"images": images.astype(np.uint8), "labels": chance.permutation(labels) if shuffled else labels}


def test_fakes_of_other_classes_than_were_asked_for(tmp_path: Path) -> None:
    for shuffled in (False, True):
        found = recorded(
            tmp_path / str(shuffled), [0.0], fake=1, samples={"real": classes(1, False), "fake": classes(2, shuffled)}
        )
        assert (found.verdict, found.kind) == ((Verdict.FAILED, "labels") if shuffled else (Verdict.HEALTHY, "")), (
            found.claim
        )


def test_nothing_is_said_of_fakes_where_nearness_tells_no_classes(tmp_path: Path) -> None:
    found = recorded(tmp_path / "run", [0.0], fake=1, samples={"real": classes(1, True), "fake": classes(2, True)})
    assert found.verdict is Verdict.HEALTHY, found.claim
    agreement = agreement_of_reals(Evidence(load_run(tmp_path / "run")))
    assert agreement is not None
    assert not agreement.seen


@pytest.mark.parametrize(("share", "count", "ill"), [(0.105, 2000, True), (0.3, 2000, False), (0.105, 100, False)])
def test_labels_that_say_no_more_than_chance(share: float, count: int, ill: bool, tmp_path: Path) -> None:
    data = {"kind": "images", "label_agreement": {"share": share, "chance": 0.1, "count": count}}
    found = recorded(tmp_path / "run", [0.0], fake=1, about={"data": data, "config": {"conditional": True}})
    assert (found.verdict is Verdict.FAILED) is ill, found.claim


@pytest.mark.parametrize(("count", "shuffled", "ill"), [(1000, True, True), (1000, False, False), (200, True, False)])
def test_labels_of_a_thousand_kept_reals_tell_without_run_json(
    count: int, shuffled: bool, ill: bool, tmp_path: Path
) -> None:
    """In a loop of the user's own nobody writes the agreement down: a thousand kept reals with their labels show it."""
    samples = {"real": classes(1, shuffled, count), "fake": classes(2, False)}
    found = recorded(tmp_path / "run", [0.0], fake=1, samples=samples)
    assert (found.kind == "labels" and found.verdict is Verdict.FAILED) is ill, found.claim


def test_shuffled_labels_that_no_player_is_given_are_a_suspicion(tmp_path: Path) -> None:
    found = recorded(tmp_path / "run", [0.0], fake=1, samples={"real": classes(1, True, 1000)})
    assert (found.verdict, found.kind) == (Verdict.SUSPECT, "labels"), found.claim


@pytest.mark.parametrize(
    ("about", "batches", "ill"),
    [
        ({"status": "running", "steps_planned": 3 * STEPS}, 1, False),
        ({"status": "running", "steps_planned": STEPS}, 1, True),
        ({"status": "running"}, 2, False),
        ({"status": "running"}, 3, True),
        ({"status": "finished", "steps_planned": 3 * STEPS}, 1, True),
    ],
)
def test_classes_are_asked_of_a_young_generator_only_later(
    about: dict[str, Any], batches: int, ill: bool, tmp_path: Path
) -> None:
    """While it goes on: from half of the plan, or from the third kept batch of fakes on where no plan is known."""
    with RunWriter(tmp_path / "run", about) as writer:
        n = STEPS // 10
        flat = {"real_min": -1.0, "real_max": 1.0, "fake_min": -0.99, "fake_max": 0.99, "real_sd": 0.5}
        writer.append("every-10", 10 * np.arange(n), {k: np.full(n, v) for k, v in flat.items()})
        writer.samples(0, classes(1, False), "real")
        for step in range(batches):
            writer.samples(step, classes(2, True), "fake")
        e = Evidence(load_run(tmp_path / "run"))
        assert e.going_on is (about["status"] == "running")
        assert (judge(data_mismatch, e).kind == "labels") is ill


@pytest.mark.parametrize(("status", "ill"), [("running", False), ("finished", True)])
def test_fakes_that_begin_to_heed_their_classes_are_waited_for(status: str, ill: bool, tmp_path: Path) -> None:
    """A quarter of them right among shuffled ones: more than chance would, and too few to say so."""
    fakes, right = classes(2, True), classes(2, False)
    some = len(fakes["labels"]) // 4
    fakes["labels"][:some] = right["labels"][:some]
    with RunWriter(tmp_path / "run", {"status": status}) as writer:
        n = STEPS // 10
        flat = {"real_min": -1.0, "real_max": 1.0, "fake_min": -0.99, "fake_max": 0.99, "real_sd": 0.5}
        writer.append("every-10", 10 * np.arange(n), {k: np.full(n, v) for k, v in flat.items()})
        writer.samples(0, classes(1, False), "real")
        for step in range(4):
            writer.samples(step, fakes, "fake")
        e = Evidence(load_run(tmp_path / "run"))
        agreement = agreement_of_fakes(e)
        assert agreement is not None
        assert 2 < (agreement.share - agreement.chance) / agreement.sd < 4
        assert (judge(data_mismatch, e).kind == "labels") is ill

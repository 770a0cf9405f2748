"""What the eleventh exam taught: both players thrown by their first updates, and labels of one class alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Verdict, diagnose
from tests.made_runs import made
from tests.test_diagnosis_ninth import NARROW, STEPS, TENS, WIDE


@pytest.mark.parametrize(
    ("generator", "discriminator", "left", "named"),
    [(0.37, 0.26, 1e-6, True), (0.37, 0.01, 1e-6, False), (0.37, 0.26, 0.5, False), (0.01, 0.01, 1e-6, False)],
    ids=["both thrown, no gradient left", "only one", "a gradient is left", "neither"],
)
def test_first_updates_of_both_that_end_without_a_gradient_are_too_large(
    generator: float, discriminator: float, left: float, named: bool, tmp_path: Path
) -> None:
    gradient = np.geomspace(1.0, left, STEPS)  # it takes its time: nothing was silenced at once
    gradient[STEPS // 2 :] = left
    slow = dict(NARROW)
    for who, first in (("generator", generator), ("discriminator", discriminator)):
        ratio = np.full(TENS, 1e-3)
        ratio[0] = first
        slow |= {f"{who}_update_ratio": ratio, f"{who}_parameter_norm": np.full(TENS, 13.0)}
    path = made(tmp_path / "run", steps=STEPS, columns={"generator_gradient_norm": gradient}, slow=slow, without=WIDE)
    found = diagnose(path).finding("learning_rate")
    assert (found.verdict is Verdict.FAILED and "stuck where no gradient is" in found.claim) is named, found.claim


@pytest.mark.parametrize(("chance", "named"), [(0.1, True), (1.0, False)])
def test_labels_that_never_differ_cannot_be_strange(chance: float, named: bool, tmp_path: Path) -> None:
    labels = {"agreement": {"share": chance, "chance": chance, "count": 1024.0}, "counts": {"real": {"0": 1024}}}
    found = diagnose(made(tmp_path / "run", facts={"labels": labels})).finding("data_mismatch")
    assert (found.kind == "labels") is named, found.claim


@pytest.mark.parametrize(
    ("swing", "level", "blind"), [(0.03, 0.62, True), (0.4, 0.58, False), (0.03, 0.8, False), (0.03, 0.3, False)]
)
def test_a_discriminator_that_never_tells_apart_what_is_plainly_different_is_blind(
    swing: float, level: float, blind: bool, tmp_path: Path
) -> None:
    """One half on the average is but a trap: of a generator that hops the steps swing, and one that outruns D lies below."""
    auc = np.clip(level + swing * np.sin(np.arange(STEPS) / 9), 0, 1)
    path = made(tmp_path / "run", steps=STEPS, columns={"discriminator_auc": auc}, slow=NARROW, without=WIDE)
    found = diagnose(path).finding("discriminator_weakness")
    assert (found.verdict is Verdict.FAILED and found.kind == "blind") is blind, found.claim


@pytest.mark.parametrize(
    ("last", "attached", "verdict"),
    [(100, True, Verdict.FAILED), (100, False, Verdict.SUSPECT), (800, True, Verdict.HEALTHY)],
)
def test_players_whom_nothing_moves_any_more_are_others_than_those_that_are_trained(
    last: int, attached: bool, verdict: Verdict, tmp_path: Path
) -> None:
    """Where attach has not seen the optimizers being called on, it may be the recorder that watches the wrong networks."""
    updates = np.where(np.arange(STEPS) <= last, 1.0, 0.0)
    columns = {"generator_updates": updates, "discriminator_updates": updates}
    facts = {"attached": {"generator": "G", "discriminator": "D"}} if attached else {}
    found = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns, facts=facts)).finding("objective_fault")
    assert found.verdict is verdict, found.claim
    assert (found.kind, found.onset) == (("", None) if verdict is Verdict.HEALTHY else ("both stand still", last + 1))


def test_weights_that_decay_has_eaten_are_no_rate_too_high(tmp_path: Path) -> None:
    """Next to nothing is left of D's weights: each update is twice as large as they are."""
    left = np.geomspace(10.0, 0.02, TENS)
    left[TENS // 3 :] = 0.02
    slow = {
        **NARROW,
        "discriminator_parameter_norm": left,
        "discriminator_update_ratio": np.where(left < 1, 1.9, 0.01),
    }
    adam = {"class": "Adam", "learning_rate": 1e-3, "weight_decay": 0.3}
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns={"discriminator_gradient_norm": np.full(STEPS, 1e-3)},
        slow=slow,
        facts={"optimizers": {"discriminator": adam, "generator": {**adam, "weight_decay": 0}}},
        without=WIDE,
    )
    told = diagnose(path)
    assert told.finding("learning_rate").kind != "too high"
    assert told.finding("discriminator_weakness").kind == "weight decay"

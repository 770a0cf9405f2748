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

"""learning_rate by its leap: a rate raised beyond all it had been, upon which what had been learned is gone; not by the leap alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Diagnosis, Verdict, diagnose
from tests import made_runs
from tests.made_runs import made

STEPS, RAISE = 1000, 600
AT = np.arange(STEPS)
EVALUATIONS = ("modes", "mode", "data_mode", "high_quality", "frechet", "precision", "recall")


def told(path: Path, rates: np.ndarray, *, ill_from: int | None) -> Diagnosis:
    """A run with these rates, whose fakes are a third as wide as the reals from a step on."""
    ratio = np.ones(STEPS) if ill_from is None else np.where(ill_from <= AT, 0.3, 1.0)
    columns = {f"{who}_learning_rate": rates for who in ("generator", "discriminator")}
    slow = made_runs.batches(STEPS, 0, ratio, 9.0)
    return diagnose(made(path, steps=STEPS, columns=columns, slow=slow, without=EVALUATIONS))


def leap(fold: float) -> np.ndarray:
    return np.where(AT >= RAISE, fold * 1e-3, 1e-3)


def test_a_leap_that_did_harm_is_the_root(tmp_path: Path) -> None:
    diagnosis = told(tmp_path / "run", leap(300.0), ill_from=620)
    root = diagnosis.illnesses[0]
    assert (root.check, root.verdict, root.kind, root.because_of) == ("learning_rate", Verdict.FAILED, "raised", "")
    assert root.onset == pytest.approx(RAISE, abs=0.01 * STEPS)
    assert "300-fold" in root.claim
    assert root.remedies


CASES = {
    "no harm": (leap(300.0), None),
    "harm long before": (leap(300.0), 300),
    "harm long after": (leap(300.0), 850),
    "threefold": (leap(3.0), 620),
    "back to the first rate": (np.where((AT > 300) & (AT < RAISE), 1e-5, 1e-3), 620),
    "warm-up": (1e-3 * np.minimum(1, (AT + 1) / 700), 620),
    "lowered": (leap(1e-3), 620),
}


@pytest.mark.parametrize("name", CASES)
def test_neither_a_leap_nor_harm_alone(name: str, tmp_path: Path) -> None:
    rates, ill_from = CASES[name]
    assert told(tmp_path / "run", rates, ill_from=ill_from).finding("learning_rate").kind != "raised"


RISING = 1e-3 * (AT + 1) / 100
CLIMBS = {
    "to the end, and lost": (RISING, 0.8, True),
    "to the end, not lost": (RISING, None, False),
    "capped": (np.minimum(RISING, 4e-3), 0.8, False),
    "never learned": (RISING, 0.0, False),
    "falls again": (np.where(AT < 900, RISING, 1e-3), 0.8, False),
}


@pytest.mark.parametrize("name", CLIMBS)
def test_a_warm_up_that_is_never_capped_is_named_where_what_was_learned_is_lost(name: str, tmp_path: Path) -> None:
    rates, ill, named = CLIMBS[name]
    found = told(tmp_path / "run", rates, ill_from=None if ill is None else int(ill * STEPS)).finding("learning_rate")
    assert (found.kind == "climbing") is named, found.claim
    if named:
        assert found.verdict is Verdict.FAILED
        assert found.onset == pytest.approx(800, abs=15)


@pytest.mark.parametrize(
    ("rates", "update", "named"),
    [
        (RISING, 0.05, True),
        (RISING, 0.01, False),
        (np.minimum(RISING, 4e-3), 0.05, False),
        (1e-3 * (1 + 3 * AT / STEPS), 0.05, False),
    ],
    ids=["runs away", "small updates", "capped", "fourfold"],
)
def test_a_rate_that_rises_tenfold_to_the_end_is_named_once_its_updates_are_large(
    rates: np.ndarray, update: float, named: bool, tmp_path: Path
) -> None:
    columns = {"generator_learning_rate": rates}
    tens = len(np.arange(0, STEPS, 10))
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns=columns,
        slow={"generator_update_ratio": np.full(tens, update)},
        without=EVALUATIONS,
    )
    found = diagnose(path).finding("learning_rate")
    assert (found.kind == "climbing") is named, found.claim
    assert not named or found.verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("betas", "ill", "named"),
    [
        ((0.999, 0.5), True, True),
        ((0.999, 0.5), False, False),
        ((0.9, 0.999), True, False),
        ((0.5, 0.9), True, False),
        ((0.0, 0.0), True, False),
        ("both", True, False),
    ],
)
def test_betas_the_wrong_way_round_are_named_where_the_fakes_are_no_reals(
    betas: object, ill: bool, named: bool, tmp_path: Path
) -> None:
    slow = made_runs.batches(STEPS, 0, np.full(STEPS, 0.3 if ill else 1.0), 9.0)
    facts = {"optimizers": {"generator": {"class": "Adam", "betas": betas}}}
    path = made(tmp_path / "run", steps=STEPS, slow=slow, facts=facts, without=EVALUATIONS)
    found = diagnose(path).finding("learning_rate")
    assert (found.kind == "betas") is named, found.claim
    assert not named or found.remedies[0].startswith("betas=(0.5, 0.999)")

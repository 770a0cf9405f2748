"""A generator that had learned and has lost it: told within dozens of steps, and not of one that was never good, or that is back again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Evidence, Finding, Verdict, diagnose
from gandiag.diagnosis.collapse import poor_batches
from gandiag.diagnosis.fakes import LAPSE, LAPSE_STEPS, lapse
from gandiag.run import load_run
from tests import made_runs
from tests.made_runs import made

STEPS = 1000
AT = np.arange(STEPS)


def recorded(path: Path, ratio: np.ndarray, rank: np.ndarray, *, evaluated: bool = False) -> Evidence:
    """A run whose fakes have these distances and effective ranks (the reals' rank is 10) at each step."""
    without = () if evaluated else ("modes", "mode", "data_mode", "high_quality", "frechet", "precision", "recall")
    return Evidence(load_run(made(path, steps=STEPS, slow=made_runs.batches(STEPS, 0, ratio, rank), without=without)))


def collapse(e: Evidence) -> Finding:
    return diagnose(e).finding("mode_collapse")


@pytest.mark.parametrize(("lost", "ill"), [(50, True), (20, False)])
def test_a_collapse_of_the_last_moment(lost: int, ill: bool, tmp_path: Path) -> None:
    """For the last 50 of 1000 steps the fakes are a fifth as wide and have lost their directions: a fifth of the run need not pass."""
    late = STEPS - lost <= AT
    e = recorded(tmp_path / "run", np.where(late, 0.2, 0.95), np.where(late, 1.2, 9.0))
    found = collapse(e)
    assert (found.verdict is Verdict.FAILED) is ill, found.claim
    if ill:
        assert found.onset == pytest.approx(STEPS - lost, abs=10)
        assert "limit" in found.claim
        assert found.remedies


def test_one_that_was_never_good_for_long_is_not_told_by_a_moment(tmp_path: Path) -> None:
    """It hops: good for 60 steps, bad for 60, and the end falls into a bad stretch."""
    bad = (STEPS - 1 - AT) // 60 % 2 == 0
    e = recorded(tmp_path / "run", np.where(bad, 0.2, 0.95), np.where(bad, 1.2, 9.0))
    poor = poor_batches(e)
    assert poor is not None
    assert poor[-3:].all()
    assert lapse(e, poor) is None


def test_one_that_is_back_is_no_lapse(tmp_path: Path) -> None:
    bad = (AT >= 700) & (AT < 760)
    e = recorded(tmp_path / "run", np.where(bad, 0.2, 0.95), np.where(bad, 1.2, 9.0))
    assert collapse(e).verdict is not Verdict.FAILED


def test_a_later_evaluation_that_finds_every_mode_denies_it(tmp_path: Path) -> None:
    """The last evaluation is of step 999, within the lapse, and finds all ten classes: the batches are only narrow."""
    late = AT >= STEPS - 50
    e = recorded(tmp_path / "run", np.where(late, 0.2, 0.95), np.where(late, 1.2, 9.0), evaluated=True)
    assert int(e["modes_covered"].index[-1]) > STEPS - 50
    assert collapse(e).verdict is not Verdict.FAILED


@pytest.mark.parametrize("seed", range(6))
def test_the_stretch_is_that_of_a_slow_search(seed: int, tmp_path: Path) -> None:
    """Step by step from the end: the first stretch of the last unbroken ill part, if long enough and if a tenth of the run was good before."""
    chance = np.random.default_rng(seed)
    place = int(chance.integers(100, 990))
    late = place <= AT
    e = recorded(tmp_path / "run", np.where(late, 0.2, 0.95), np.where(late, 1.2, 9.0))
    poor = poor_batches(e)
    assert poor is not None
    first = len(poor)
    while first > 0 and poor[first - 1]:
        first -= 1
    long_enough = len(poor) - first >= LAPSE and e.steps - e.edges[first] >= LAPSE_STEPS if first < len(poor) else False
    assert lapse(e, poor) == (first if long_enough else None)

"""The diagnosis benchmark's own yardstick: which generators its labels call ill, and that its known distributions are what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.diagnosis import as_good
from benchmarks.diagnosis_cases import CASES
from benchmarks.diagnosis_mixtures import mixture
from benchmarks.diagnosis_truth import lost_modes, truth

SHARES = [0.5, 0.25, 0.13, 0.07, 0.05]


def label(counts: list[list[int]], causes: tuple[str, ...] = (), injected_at: int | None = None) -> dict[str, Any]:
    """A label with ten looks: the last ones as given, the first ones as the data."""
    before = [[round(2000 * s) for s in SHARES]] * (10 - len(counts))
    seen = [
        {"step": 50 * i + 49, "covered": sum(c >= 20 for c in row), "modes": 5, "counts": row, "good": sum(row) / 2500}
        for i, row in enumerate([*before, *counts])
    ]
    return {"causes": causes, "injected_at": injected_at, "shares": SHARES, "seen": seen}


def test_a_control_that_keeps_its_modes_is_well() -> None:
    found = truth(label([]))
    assert found.ill is False
    assert found.onset is None


def test_a_control_that_loses_a_minority_is_sick_by_its_outcome() -> None:
    """One of five modes below a tenth of its 5 %: 2 of 2002 samples, where 10 are a tenth."""
    found = truth(label([[1050, 560, 250, 140, 2]] * 3))
    assert found.ill is True
    assert found.causes == ("mode_dropping",)
    assert found.onset == 349, "the last look at which every mode was there"


def test_a_minority_near_the_limit_is_left_out() -> None:
    """10 of 2010 are a tenth of 5 % almost to the sample: chance decides on which side a look falls."""
    assert truth(label([[1050, 560, 250, 140, 10]] * 2)).ill is None


def test_a_collapse_is_ill_whatever_was_injected_and_a_contradiction_is_left_out() -> None:
    gone = label([[2000, 0, 0, 0, 0]] * 4)
    assert truth(gone).causes == ("mode_collapse", "mode_dropping")
    assert truth({**gone, "causes": ("mode_collapse",)}).causes == ("mode_collapse",)
    assert truth(label([], causes=("mode_collapse",))).ill is None


def test_an_injected_illness_that_only_drops_modes_may_be_called_so() -> None:
    found = truth(label([[1050, 560, 250, 140, 0]] * 3, causes=("mode_collapse",), injected_at=300))
    assert found.causes == ("mode_collapse", "mode_dropping")
    assert found.onset == 300


def test_a_control_without_good_samples_says_nothing() -> None:
    assert truth(label([[30, 15, 8, 4, 3]] * 3)).ill is None


def test_a_run_at_which_nobody_looked_is_neither_well_nor_ill() -> None:
    assert truth({"causes": (), "injected_at": None, "shares": SHARES, "seen": []}).ill is None


def test_few_samples_are_not_sure() -> None:
    """Of 100 samples 5 are due from the rarest mode, and none at all comes by chance in 60 % of the looks at a tenth of that."""
    few = {"step": 0, "covered": 0, "modes": 5, "counts": [50, 25, 18, 7, 0], "good": 0.04}
    assert lost_modes([few], SHARES) == (0.0, True)


@pytest.mark.parametrize(
    "name", ["ring", "grid", "line", "lopsided", "moons", "spiral", "gauss10", "unequal", "tabular"]
)
def test_reals_fall_into_the_modes_of_a_distribution_by_their_shares(name: str) -> None:
    known = mixture(name)
    for drawn in (known.numpy(4_000, 0), known.draw(4_000, torch.Generator().manual_seed(0)).numpy()):
        counts, good = known.counts(drawn)
        assert good > 0.985
        np.testing.assert_allclose(counts / counts.sum(), known.shares, atol=0.03)
        assert known.counts(drawn + 50)[1] == 0.0
        blob = np.repeat(drawn[:1], 1000, axis=0)
        assert (known.counts(blob)[0] > 0).sum() <= 1, "one point is one mode at most"


def test_controls_and_sick_configurations_are_about_as_many() -> None:
    fresh = [case for case in CASES.values() if case.fresh]
    healthy = sum(not case.causes for case in fresh)
    assert len(fresh) >= 40
    assert 0.4 < healthy / len(fresh) < 0.6
    assert sum(bool(c.causes) for c in CASES.values()) >= 24
    assert sum(not c.causes for c in CASES.values()) >= 10


@pytest.mark.parametrize(("count", "most"), [(12, 0.10), (16, 0.07), (24, 0.05)])
def test_looks_that_are_equally_good_are_seldom_called_worse(count: int, most: float) -> None:
    """Nor is a look that is ten times the noise worse ever called as good."""
    chance = np.random.default_rng(0)
    runs = [chance.standard_normal(count) for _ in range(2000)]
    assert np.mean([~as_good(run) for run in runs]) < most
    falling = np.r_[np.full(4, 100.0), np.zeros(count)]
    assert not any(as_good(falling + np.r_[np.zeros(4), run])[:3].any() for run in runs[:200])

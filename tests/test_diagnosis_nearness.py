"""What the two-sample statistics of the batches decide: fakes that stay away, weights cut off, outliers, colours viewed as pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandiag.diagnosis import Finding, Verdict, diagnose
from gandiag.diagnosis.fakes import energy_falls
from tests import made_runs
from tests.made_runs import made

STEPS = 1000
TENS = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
AT = np.arange(TENS) / TENS
BARE = (
    "frechet",
    "kernel",
    "precision",
    "recall",
    "mode",
    "class",
    "auc_gap",
    "copying",
    "nearest",
    "authenticity",
    "density",
    "coverage",
)


def noise(size: float, seed: int = 0) -> np.ndarray:
    return size * np.random.default_rng(seed).standard_normal(TENS)


def found(path: Path, check: str, facts: dict[str, Any] | None = None, **slow: np.ndarray) -> Finding:
    return diagnose(made(path, steps=STEPS, slow=slow, without=BARE, facts=facts)).finding(check)


def test_an_energy_coefficient_falls_where_it_does_so_steadily_and_by_enough() -> None:
    assert energy_falls(np.linspace(0.6, 0.2, 40))
    assert not energy_falls(np.full(40, 0.3) + noise(0.01)[:40])
    assert not energy_falls(np.linspace(0.30, 0.28, 40))
    assert not energy_falls(np.linspace(0.2, 0.6, 40))
    assert not energy_falls(np.full(3, np.nan))


@pytest.mark.parametrize(
    ("energy", "verdict"),
    [
        (0.3 + noise(0.02), Verdict.FAILED),  # flat
        (0.9 - 0.7 * AT + noise(0.02), Verdict.HEALTHY),  # on its way
        (0.03 + noise(0.02), Verdict.HEALTHY),
        (np.where(AT < 0.4, 0.5, 0.02), Verdict.HEALTHY),
    ],
    ids=["flat", "falling", "near", "learned"],
)
def test_fakes_that_stay_away_and_come_no_nearer_have_stopped_learning(
    tmp_path: Path, energy: np.ndarray, verdict: Verdict
) -> None:
    finding = found(tmp_path / "run", "stagnation", energy_coefficient=energy)
    assert finding.verdict is verdict
    if verdict is Verdict.FAILED:
        assert finding.kind == "unlike"
        assert "their energy coefficient is 0." in finding.claim


@pytest.mark.parametrize(("energy", "fails"), [(0.4, True), (0.02, False)])
def test_a_weight_that_no_gradient_reaches_counts_where_the_fakes_are_no_reals(
    tmp_path: Path, energy: float, fails: bool
) -> None:
    path = made(tmp_path / "run", steps=STEPS, slow={"energy_coefficient": energy + noise(0.01)}, without=BARE)
    file = path / "run.json"
    about = json.loads(file.read_text())
    about["players"]["generator"]["layers"] = [*about["players"]["generator"]["layers"], "head.weight", "head.bias"]
    file.write_text(json.dumps(about))
    finding = diagnose(path).finding("objective_fault")
    assert (finding.kind == "partly detached generator") is fails
    assert not fails or "1 of the generator's weights never got a gradient: head.weight" in finding.claim


@pytest.mark.parametrize(
    ("share", "energy", "fails"),
    [(0.6, 0.4, True), (0.6, 0.02, False), (0.2, 0.4, False)],
    ids=["outliers", "outliers that are learned", "no outliers"],
)
def test_outliers_that_outweigh_their_batch_are_named_where_the_fakes_are_no_reals(
    tmp_path: Path, share: float, energy: float, fails: bool
) -> None:
    slow = {"real_peak_share": np.full(TENS, share), "energy_coefficient": energy + noise(0.01)}
    finding = found(tmp_path / "run", "data_mismatch", **slow)
    assert (finding.kind == "outliers") is fails


@pytest.mark.parametrize(("ratio", "fails"), [(0.3, True), (1.0, False), (1.8, False)])
def test_colours_viewed_as_pixels_are_a_layout_that_is_wrong(tmp_path: Path, ratio: float, fails: bool) -> None:
    finding = found(tmp_path / "run", "data_mismatch", real_interleaving=np.full(TENS, ratio))
    assert (finding.kind == "layout") is fails
    assert not fails or finding.onset == 0


@pytest.mark.parametrize(("means", "fails"), [(1e-7, True), (0.05, False)], ids=["exactly 0", "0 by chance"])
def test_a_table_that_each_batch_standardises_by_itself_is_named(tmp_path: Path, means: float, fails: bool) -> None:
    columns = [f"{i}" for i in range(3)]
    layers = {
        f"{who}_channel_mean": (means * np.random.default_rng(i).standard_normal((TENS, 3)), columns)
        for i, who in enumerate(("real", "fake"))
    }
    path = made(tmp_path / "run", steps=STEPS, slow={"real_sd": np.ones(TENS), "fake_sd": np.ones(TENS)}, layers=layers)
    finding = diagnose(path).finding("data_mismatch")
    assert (finding.kind == "standardised by batch") is fails


@pytest.mark.parametrize(
    ("far", "near", "fails"),
    [(8.0, 1.2, True), (8.0, 5.0, False), (2.0, 0.4, False)],
    ids=["a part is left out", "narrow data", "copies"],
)
def test_reals_that_no_fake_comes_near_are_modes_left_out(tmp_path: Path, far: float, near: float, fails: bool) -> None:
    slow = {"real_nearest_fake": far + noise(0.1), "fake_nearest_real": near + noise(0.02)}
    run = made(tmp_path / "run", steps=STEPS, slow=slow, without=BARE)
    if not fails:
        assert diagnose(run).finding("mode_dropping").verdict is not Verdict.FAILED
        return
    finding = diagnose(run).finding("mode_dropping")
    assert (finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, "modes", 0)
    assert "reals lie 8 times as far from the nearest fake" in finding.claim

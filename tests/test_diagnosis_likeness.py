"""What single columns, roughness and the game's share in G's gradient decide: fakes that are wrong from near, and a loss that outweighs the game."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Finding, Verdict, diagnose
from tests.made_runs import made
from tests.test_diagnosis_nearness import AT, BARE, STEPS, TENS, noise

NAMES = ["0", "1", "2"]


def judged(path: Path, check: str, column: np.ndarray | None = None, **slow: np.ndarray) -> Finding:
    """Judges a healthy run but for these series; `column` is that of the second of three columns."""
    layers = {}
    if column is not None:
        each = np.stack([noise(0.02, 1), column, noise(0.02, 2)], axis=1)
        layers["marginal_energy"] = each, NAMES
    return diagnose(made(path, steps=STEPS, slow=slow, without=BARE, layers=layers)).finding(check)


@pytest.mark.parametrize(
    ("column", "verdict"),
    [
        (0.3 + noise(0.02), Verdict.FAILED),
        (0.02 + noise(0.02), Verdict.HEALTHY),
        (noise(0.2), Verdict.HEALTHY),
        (0.9 - 0.8 * AT + noise(0.02), Verdict.HEALTHY),
        (np.where(AT < 0.4, 0.5, 0.01), Verdict.HEALTHY),
    ],
    ids=["flat", "near", "small batches", "falling", "learned"],
)
def test_one_column_that_stays_away_is_enough(tmp_path: Path, column: np.ndarray, verdict: Verdict) -> None:
    finding = judged(tmp_path / "run", "stagnation", column)
    assert finding.verdict is verdict
    if verdict is Verdict.FAILED:
        assert finding.kind == "unlike"
        assert "column 1 of the fakes has an energy coefficient of 0." in finding.claim


@pytest.mark.parametrize(
    ("ratio", "says"),
    [(0.3, "(blurred)"), (3.0, "3 times as rough"), (0.8, ""), (1.2, "")],
    ids=["blurred", "noisy", "a little smoother", "a little rougher"],
)
def test_fakes_far_smoother_or_rougher_than_reals_are_none(tmp_path: Path, ratio: float, says: str) -> None:
    real = 0.5 + noise(0.01)
    finding = judged(tmp_path / "run", "stagnation", real_roughness=real, fake_roughness=ratio * real)
    assert finding.verdict is (Verdict.FAILED if says else Verdict.HEALTHY)
    assert says in finding.claim


@pytest.mark.parametrize(
    ("share", "ratio", "fails"),
    [(0.005, 0.3, True), (0.005, 1.0, False), (0.4, 0.3, False)],
    ids=["outweighed and blurred", "outweighed and good", "blurred by itself"],
)
def test_a_loss_that_outweighs_the_game_is_named_where_the_fakes_are_no_reals(
    tmp_path: Path, share: float, ratio: float, fails: bool
) -> None:
    real = 0.5 + noise(0.01)
    slow = {"generator_game_share": np.full(TENS, share), "real_roughness": real, "fake_roughness": ratio * real}
    finding = judged(tmp_path / "run", "objective_fault", None, **slow)
    assert (finding.kind == "outweighed game") is fails
    assert not fails or (
        finding.verdict is Verdict.FAILED and "divide the weight of the other loss by 100" in finding.remedies[0]
    )

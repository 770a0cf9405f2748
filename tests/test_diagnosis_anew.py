"""A generator that is started anew in mid-run is named at that step; one whose weights only change, or whose rate is raised, is not accused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Finding, Verdict, diagnose
from tests import made_runs
from tests.made_runs import made, noisy

STEPS, AT = 1000, 800
LATE = np.arange(STEPS) >= AT


def told(
    path: Path, *, leap: float = 0.06, diversity: float = 0.5, optimizer: str = "Adam", faster: float = 1.0
) -> Finding:
    grown = 10.0 + np.log1p(np.arange(STEPS))
    norm = noisy(grown, 1, 1e-4) * np.where(LATE, 1 - leap, 1.0)
    columns = {
        "generator_parameter_norm": norm,
        "generator_learning_rate": np.where(LATE, 1e-3 * faster, 1e-3),
    }
    slow = made_runs.batches(STEPS, 0, np.where(LATE, diversity, 1.0), 8.0)
    facts = {"optimizers": {who: {"class": optimizer} for who in ("discriminator", "generator")}}
    return diagnose(made(path, steps=STEPS, columns=columns, slow=slow, facts=facts)).finding("objective_fault")


def test_a_generator_that_is_started_anew_is_named_at_that_step(tmp_path: Path) -> None:
    found = told(tmp_path / "run")
    assert (found.verdict, found.kind, found.onset) == (Verdict.FAILED, "generator started anew", AT), found.claim
    assert "diversity is 0.49 of the reals', and was 1" in found.claim


@pytest.mark.parametrize(
    "sound",
    [{"diversity": 1.0}, {"leap": 0.0}, {"optimizer": "SGD"}, {"faster": 10.0}],
    ids=["a checkpoint as good", "no leap", "an optimizer whose steps have no bound", "a rate that is raised"],
)
def test_what_is_no_new_start_is_not_called_one(sound: dict[str, float | str], tmp_path: Path) -> None:
    assert told(tmp_path / "run", **sound).kind != "generator started anew"  # type: ignore[arg-type]

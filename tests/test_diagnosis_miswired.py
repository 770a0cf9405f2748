"""Loops that are wired wrongly: two sigmoids, gradients that are never cleared; and the sound games that look like them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandiag.diagnosis import Finding, Verdict, judge
from gandiag.diagnosis.objective import objective_fault
from gandiag.run import load_run
from tests import made_runs
from tests.made_runs import made, sigmoid

STEPS = 400
BATCH = made_runs.BATCH
SEEN = {
    "step": 0,
    "event": "discriminator_output",
    "claim": "only scores in [0, 1], which come out of a sigmoid: give probability",
}


def judged(path: Path) -> Finding:
    return judge(objective_fault, load_run(path))


def scores(real: np.ndarray, fake: np.ndarray, real_force: np.ndarray, fake_force: np.ndarray) -> dict[str, np.ndarray]:
    """What a recorder keeps of scores and of D's forces on them, (steps, batch) each."""
    return {
        "real_logit_mean": real.mean(1),
        "fake_logit_mean": fake.mean(1),
        "discriminator_force_on_real": real_force.sum(1) / BATCH,
        "discriminator_force_size_on_real": np.abs(real_force).sum(1) / BATCH,
        "discriminator_force_on_fake": fake_force.sum(1) / BATCH,
        "discriminator_force_size_on_fake": np.abs(fake_force).sum(1) / BATCH,
    }


def probabilities(seed: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    return sigmoid(0.6 + 0.5 * chance.standard_normal((STEPS, BATCH))), sigmoid(
        -0.4 + 0.5 * chance.standard_normal((STEPS, BATCH))
    )


def with_event(path: Path, columns: dict[str, np.ndarray]) -> Path:
    made(path, steps=STEPS, columns=columns)
    (path / "events.jsonl").write_text(str(SEEN).replace("'", '"') + "\n")
    return path


@pytest.mark.parametrize("target", [0.9, 0.7])
def test_it_is_named_where_the_labels_of_reals_are_smoothed_too(target: float, tmp_path: Path) -> None:
    real, fake = probabilities(0)
    found = judged(with_event(tmp_path / "run", scores(real, fake, target - sigmoid(real), -sigmoid(fake))))
    assert (found.verdict, found.kind) == (Verdict.FAILED, "double sigmoid")


@pytest.mark.parametrize(("target", "twice"), [(0.9, True), (0.9, False), (0.8, False)])
def test_of_a_d_that_is_known_to_give_probabilities_smoothed_labels_are_told_apart(
    target: float, twice: bool, tmp_path: Path
) -> None:
    """Recorded as logits, of which only the mean is known, through the sigmoid that D ends in."""
    chance = np.random.default_rng(0)
    learning = np.linspace(0, 1, STEPS)[:, None]
    real, fake = (side * learning + 0.2 * chance.standard_normal((STEPS, BATCH)) for side in (1.2, -1.2))
    p, q = sigmoid(real), sigmoid(fake)
    if twice:
        columns = scores(real, fake, (target - sigmoid(p)) * p * (1 - p), -sigmoid(q) * q * (1 - q))
    else:
        columns = scores(real, fake, target - p, -q)
    players = {"discriminator": {"output": "probability"}}
    found = judged(made(tmp_path / "run", steps=STEPS, columns=columns, facts={"players": players}))
    assert (found.kind == "double sigmoid") is twice, found.claim


def test_a_loss_on_logits_applied_to_probabilities_is_named(tmp_path: Path) -> None:
    real, fake = probabilities(0)
    found = judged(with_event(tmp_path / "run", scores(real, fake, 1 - sigmoid(real), -sigmoid(fake))))
    assert (found.verdict, found.kind) == (Verdict.FAILED, "double sigmoid")
    assert "limit" in found.claim
    assert any("BCELoss" in r for r in found.remedies)


@pytest.mark.parametrize(
    ("name", "forces"),
    [
        ("least squares", lambda r, f: (1 - r, -f)),
        ("cross-entropy", lambda r, f: (1 / r, -1 / (1 - f))),
        ("hinge", lambda r, f: ((r < 1) * 1.0, -1.0 * (f > -1))),
    ],
)
def test_other_losses_of_squashed_scores_are_not_accused(name: str, forces: Any, tmp_path: Path) -> None:
    real, fake = probabilities(1)
    found = judged(with_event(tmp_path / "run", scores(real, fake, *forces(real, fake))))
    assert found.verdict is Verdict.HEALTHY, f"{name}: {found.claim}"


def test_small_positive_logits_of_a_weak_discriminator_are_no_probabilities(tmp_path: Path) -> None:
    real, fake = probabilities(2)
    found = judged(made(tmp_path / "run", steps=STEPS, columns=scores(real, fake, 1 - sigmoid(real), -sigmoid(fake))))
    assert found.verdict is Verdict.HEALTHY, found.claim


@pytest.mark.parametrize("double", [True, False])
def test_where_probabilities_were_told_the_forces_in_logits_decide(double: bool, tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    real, fake = (m + 0.3 * chance.standard_normal((STEPS, BATCH)) for m in (0.8, -0.5))
    p, q = sigmoid(real), sigmoid(fake)
    up, down = (1 - p, -q) if not double else ((1 - sigmoid(p)) * p * (1 - p), -sigmoid(q) * q * (1 - q))
    facts = {"players": {"discriminator": {"output": "probability"}}}
    found = judged(made(tmp_path / "run", steps=STEPS, columns=scores(real, fake, up, down), facts=facts))
    assert (found.verdict is Verdict.FAILED) is double, found.claim


# ------------------------------------------------------------------------------------------------------ gradients never cleared


def gradients(clear: bool, seed: int, turn: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Norms and cosines of a drifting random gradient, each by itself or added up; one row a step."""
    chance = np.random.default_rng(seed)
    way = np.cumsum(0.05 * chance.standard_normal((STEPS, 40)), axis=0) + chance.standard_normal(40)
    fresh = way / np.linalg.norm(way, axis=1, keepdims=True) + turn / 6 * chance.standard_normal((STEPS, 40))
    used = fresh if clear else np.cumsum(fresh, axis=0)
    norm = np.linalg.norm(used, axis=1)
    cosine = np.concatenate([[1.0], (used[1:] * used[:-1]).sum(1) / (norm[1:] * norm[:-1])])
    return norm, cosine


@pytest.mark.parametrize("who", ["generator", "discriminator"])
@pytest.mark.parametrize("seed", range(3))
def test_gradients_that_add_up_are_named_and_cleared_ones_are_not(who: str, seed: int, tmp_path: Path) -> None:
    for clear in (False, True):
        norm, cosine = gradients(clear, seed, turn=0.1)
        columns = {
            f"{who}_gradient_norm": norm,
            f"{who}_gradient_cosine": cosine,
            "generator_gradient_at_image": np.full(STEPS, 0.01),
        }
        found = judged(made(tmp_path / str(clear), steps=STEPS, columns=columns))
        if clear:
            assert found.verdict is Verdict.HEALTHY, found.claim
        else:
            assert (found.verdict, found.kind) == (Verdict.FAILED, "gradients never cleared"), found.claim
            assert "zero_grad" in found.remedies[0]


def test_a_gradient_that_only_drifts_and_grows_is_not_accused(tmp_path: Path) -> None:
    """A D that stands still while the fakes run away: cosines of one, and a gradient that grows sixtyfold, but not from its first steps."""
    norm = 0.5 * np.exp(np.linspace(0, np.log(60), STEPS))
    columns = {"discriminator_gradient_norm": norm, "discriminator_gradient_cosine": np.full(STEPS, 0.9999)}
    assert judged(made(tmp_path / "run", steps=STEPS, columns=columns)).kind != "gradients never cleared"

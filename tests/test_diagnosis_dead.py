"""Players that cannot learn any more: dead units, one latent for a whole batch, a loader that has run dry, a D that was outrun at the start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Diagnosis, Verdict, diagnose
from tests import made_runs
from tests.made_runs import DISCRIMINATOR_LAYERS, GENERATOR_LAYERS, made

STEPS = 1000
TENS = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
AT = made_runs.DIVERSITY_EVERY * np.arange(TENS)
WIDE = ("modes", "mode", "data_mode", "high_quality", "frechet", "precision", "recall", "kernel")
LAYERS = {"generator": GENERATOR_LAYERS, "discriminator": DISCRIMINATOR_LAYERS}


def layers(
    who: str, *, dead_from: int, biases: float = 0.1, one_alive: bool = False
) -> dict[str, tuple[np.ndarray, list[str]]]:
    names = LAYERS[who]
    norms = np.full((TENS, len(names)), 0.1)
    for i, name in enumerate(names):
        norms[dead_from <= AT, i] = biases if name.endswith("bias") else 0.0
    if one_alive:
        norms[:, -2] = 0.1
    return {f"{who}_layer_gradient_norm": (norms, names)}


def told(path: Path, **more: object) -> Diagnosis:
    return diagnose(made(path, steps=STEPS, without=WIDE, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("since", [0, 400])
@pytest.mark.parametrize("who", ["generator", "discriminator"])
def test_a_player_of_whose_weights_none_is_reached_is_the_root(who: str, since: int, tmp_path: Path) -> None:
    slow = made_runs.batches(STEPS, 0, np.where(np.arange(STEPS) < since, 1.0, 0.001), 1.0)
    diagnosis = told(tmp_path / "run", layers=layers(who, dead_from=since), slow=slow)
    root = diagnosis.illnesses[0]
    assert (root.check, root.verdict, root.kind, root.onset) == ("dead_layers", Verdict.FAILED, f"dead {who}", since)
    assert "LeakyReLU" in root.remedies[0]
    assert diagnosis.finding("mode_collapse").because_of == "dead_layers"


def test_a_dead_generator_whose_last_bias_alone_moves_is_not_put_back(tmp_path: Path) -> None:
    """Adam's steps on all of its weights would come to far more than what one bias of them moves."""
    facts = {
        "optimizers": {"generator": {"class": "Adam", "betas": [0.5, 0.999], "eps": 1e-8}},
        "players": {"generator": {"parameters": 20_000}, "discriminator": {"parameters": 9000, "output": "logit"}},
    }
    slow = {
        "generator_update_ratio": np.full(TENS, 1e-5),
        "generator_parameter_norm": np.full(TENS, 10.0),
        "diversity_ratio": np.full(TENS, 0.01),
    }
    for dead_from, kind in ((0, ""), (STEPS, "generator put back")):
        path = tmp_path / f"{dead_from}"
        made(path, steps=STEPS, slow=slow, layers=layers("generator", dead_from=dead_from), without=WIDE, facts=facts)
        diagnosis = diagnose(path)
        assert diagnosis.finding("objective_fault").kind == kind
        assert (diagnosis.illnesses[0].check == "dead_layers") is (not kind), diagnosis.story


def test_a_generator_behind_a_dead_discriminator_is_not_the_one_that_is_accused(tmp_path: Path) -> None:
    """Nothing comes back through D: G's weights never move although its loss pushes the score."""
    nothing = np.zeros(STEPS)
    columns = {"generator_gradient_norm": nothing, "generator_gradient_at_image": nothing}
    diagnosis = told(
        tmp_path / "run",
        columns=columns,
        layers=layers("discriminator", dead_from=0, biases=0.0) | layers("generator", dead_from=0, biases=0.0),
        slow={"generator_update_ratio": np.zeros(TENS)},
    )
    assert diagnosis.illnesses[0].kind == "dead discriminator"
    assert diagnosis.finding("objective_fault").verdict is not Verdict.FAILED


ALIVE = {
    "one weight is reached": {"layers": layers("generator", dead_from=0, one_alive=True)},
    "a loss that falls silent": {
        "layers": layers("discriminator", dead_from=400, biases=0.0),
        "columns": {
            f"discriminator_force{size}_on_{side}": np.where(np.arange(STEPS) < 400, 1.0, 0.0)
            for size in ("", "_size")
            for side in ("real", "fake")
        },
    },
    "for the last steps": {"layers": layers("generator", dead_from=960)},
}


@pytest.mark.parametrize("name", ALIVE)
def test_neither_some_dead_weights_nor_a_loss_that_pushes_nothing_are_a_dead_player(name: str, tmp_path: Path) -> None:
    found = told(tmp_path / "run", **ALIVE[name]).finding("dead_layers")
    assert found.verdict is not Verdict.FAILED, found.claim


@pytest.mark.parametrize(("distance", "same"), [(0.0, True), (0.005, False)])
def test_fakes_of_a_batch_that_never_differed_come_from_one_latent(distance: float, same: bool, tmp_path: Path) -> None:
    slow = made_runs.batches(STEPS, 0, distance, 1.0)
    found = told(tmp_path / "run", slow=slow).finding("mode_collapse")
    assert found.verdict is Verdict.FAILED
    assert ("one latent" in found.cause) is same, found.cause


# -------------------------------------------------------------------------------------------------- a loader that runs dry


@pytest.mark.parametrize(("since", "ill"), [(600, True), (990, False)])
def test_reals_that_become_constant_are_named_with_their_step(since: int, ill: bool, tmp_path: Path) -> None:
    slow = made_runs.batches(STEPS, 0, 1.0, 9.0)
    blank = since <= AT
    slow["real_sd"] = np.where(blank, 0.0, slow["real_sd"])
    slow["real_mean"] = np.where(blank, 0.0, slow["real_mean"])
    diagnosis = told(tmp_path / "run", slow=slow)
    found = diagnosis.finding("data_mismatch")
    assert (found.kind == "constant") is ill, found.claim
    if ill:
        assert found.onset == since
        assert f"since step {since}" in found.claim
        assert diagnosis.illnesses[0].check == "data_mismatch"


# -------------------------------------------------------------------------------------- a D that was outrun at the start


@pytest.mark.parametrize(
    ("slow_until", "ill_from", "weak"),
    [(700, 0, True), (300, 0, False), (700, 800, False)],
    ids=["most", "few", "after"],
)
def test_a_d_that_was_outrun_when_the_fakes_went_astray_is_the_cause(
    slow_until: int, ill_from: int, weak: bool, tmp_path: Path
) -> None:
    """A generator that has run away has large weights and a flat loss: in the end D's updates are no smaller beside its own."""
    ratio = np.where(np.arange(STEPS) >= ill_from, 8.0, 1.0)
    slow = made_runs.batches(STEPS, 0, ratio, 9.0)
    slow["discriminator_update_ratio"] = np.full(TENS, 1e-6)
    slow["generator_update_ratio"] = np.where(slow_until > AT, 1e-3, 2e-5)
    found = told(tmp_path / "run", slow=slow).finding("discriminator_weakness")
    assert (found.kind == "slow") is weak, found.claim
    if weak:
        assert found.verdict is Verdict.FAILED
        assert found.onset == ill_from

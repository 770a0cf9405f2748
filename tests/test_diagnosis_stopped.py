"""objective_fault in mid-run: a player that stops while the other goes on, and one that pushes the wrong way from some step on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Finding, Verdict, diagnose
from gandiag.run import RunWriter
from tests import made_runs
from tests.made_runs import made

STEPS, TURN = 1000, 600
AT = np.arange(STEPS)
LATER = AT >= TURN


def fault(path: Path, columns: dict[str, np.ndarray], without: tuple[str, ...] = ()) -> Finding:
    return diagnose(made(path, steps=STEPS, columns=columns, without=without)).finding("objective_fault")


# ------------------------------------------------------------------------------------------------------- players who stop

PLAYERS = ("generator", "discriminator")


@pytest.mark.parametrize("who", PLAYERS)
def test_a_rate_that_becomes_0_for_good_is_named_with_its_step(who: str, tmp_path: Path) -> None:
    finding = fault(tmp_path / "run", {f"{who}_learning_rate": np.where(LATER, 0.0, 1e-3)})
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, f"frozen {who}"), finding.claim
    assert finding.onset == TURN
    assert "0.001" in finding.remedies[0]


def test_a_discriminator_that_is_still_to_begin_is_suspected_while_the_run_goes_on_and_failed_at_its_end(
    tmp_path: Path,
) -> None:
    silent = {
        f"discriminator_force{size}_on_{on}": np.zeros(STEPS) for size in ("", "_size") for on in ("real", "fake")
    }
    columns = {**silent, "discriminator_update_ratio": np.zeros(STEPS)}
    for status, verdict in (("running", Verdict.SUSPECT), ("finished", Verdict.FAILED)):
        path = made(tmp_path / status, steps=STEPS, columns=columns)
        with RunWriter(path, {}, resume_at=STEPS) as writer:
            writer.update_about(status=status)
            writer.close(status)
        diagnosis = diagnose(path)
        finding = diagnosis.finding("objective_fault")
        assert (finding.verdict, finding.kind) == (verdict, "frozen discriminator"), finding.claim
        assert "pushes no score" in finding.claim
        assert diagnosis.finding("discriminator_weakness").verdict is not Verdict.FAILED or status == "finished"


@pytest.mark.parametrize("who", PLAYERS)
def test_a_rate_that_a_schedule_has_brought_to_nothing_is_named(who: str, tmp_path: Path) -> None:
    rate = 1e-3 * 0.05 ** (AT // 100)  # a step schedule that was meant for epochs
    finding = fault(tmp_path / "run", {f"{who}_learning_rate": rate})
    assert (finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, f"frozen {who}", 400), finding.claim
    assert "was 0.001 and is 2e-15" in finding.claim
    assert "0.001" in finding.remedies[0]


def test_a_generator_whose_gradient_comes_no_more_is_detached_since_then(tmp_path: Path) -> None:
    finding = fault(tmp_path / "run", {"generator_updates": np.where(LATER, 0.0, 1.0)})
    assert (finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, "detached generator", TURN)


def test_a_discriminator_that_is_stepped_no_more_is_frozen_since_then(tmp_path: Path) -> None:
    finding = fault(tmp_path / "run", {"discriminator_updates": np.where(LATER, 0.0, 1.0)})
    assert (finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, "frozen discriminator", TURN)


def test_without_rates_the_updates_tell(tmp_path: Path) -> None:
    finding = fault(tmp_path / "run", {"discriminator_updates": np.where(LATER, 0.0, 1.0)}, ("discriminator_learning",))
    assert finding.kind == "frozen discriminator"


PAUSES = {
    "both players at the end of a schedule": {f"{who}_learning_rate": np.where(LATER, 0.0, 1e-3) for who in PLAYERS},
    "both players at the end of a decay": {f"{who}_learning_rate": 1e-3 * 0.05 ** (AT // 100) for who in PLAYERS},
    "a hundredth of its rate": {"generator_learning_rate": np.where(LATER, 1e-5, 1e-3)},
    "the last steps of a schedule": {"generator_learning_rate": np.where(AT >= 950, 0.0, 1e-3)},
    "one update in fifty": {"generator_updates": (AT % 50 == 0).astype(float)},
    "a pause that was made before": {"discriminator_updates": np.where((AT < 400) | (AT == 600), 1.0, 0.0)},
    "a pause in the middle": {"discriminator_updates": np.where((AT > 300) & (AT < 800), 0.0, 1.0)},
    "updates that a loss scale skips at first": {"generator_updates": np.where(AT < 500, 0.0, 1.0)},
}


def test_updates_of_nothing_at_a_rate_above_0_are_another_illness(tmp_path: Path) -> None:
    """Weights that have blown up take in no update, and a dead gradient makes none: neither is an end that somebody set."""
    tens = made_runs.batches(STEPS, 0)
    still = {
        "generator_update_ratio": np.where(
            made_runs.DIVERSITY_EVERY * np.arange(len(tens["real_sd"])) >= TURN, 0.0, 3e-3
        )
    }
    found = diagnose(made(tmp_path / "run", steps=STEPS, slow=still)).finding("objective_fault")
    assert found.verdict is Verdict.HEALTHY, found.claim


@pytest.mark.parametrize("name", PAUSES)
def test_a_pause_is_no_end(name: str, tmp_path: Path) -> None:
    finding = fault(tmp_path / "run", PAUSES[name])
    assert finding.verdict is Verdict.HEALTHY, finding.claim


# ------------------------------------------------------------------------------------------------- players who turn round


def forces(real: np.ndarray, fake: np.ndarray, generator: np.ndarray) -> dict[str, np.ndarray]:
    columns = {}
    for name, force in (
        ("discriminator_force{}_on_real", real),
        ("discriminator_force{}_on_fake", fake),
        ("generator_force{}_on_fake", generator),
    ):
        columns[name.format("")], columns[name.format("_size")] = force.mean(1), np.abs(force).mean(1)
    return columns


def logits(seed: int, middle: float) -> np.ndarray:
    return middle + np.random.default_rng(seed).standard_normal((STEPS, 64))


SIGMOID = made_runs.sigmoid
REAL, FAKE = logits(0, 0.5), logits(1, -0.5)
TURNED = LATER[:, None]


def test_labels_of_d_that_are_swapped_halfway_are_named_at_their_step(tmp_path: Path) -> None:
    columns = forces(
        np.where(TURNED, -SIGMOID(REAL), SIGMOID(-REAL)),
        np.where(TURNED, SIGMOID(-FAKE), -SIGMOID(FAKE)),
        SIGMOID(-FAKE),
    )
    finding = fault(tmp_path / "run", columns)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "cooperative players"), finding.claim
    assert finding.onset == TURN
    assert str(TURN) in finding.remedies[0]


# Least squares: D is at its new targets ten steps after its labels were swapped, and falls silent there.
SWAPPED = forces(
    np.where((TURN <= AT) & (AT < TURN + 10), -1.0, np.where(AT < TURN, 0.5, 0.01))[:, None] * np.ones(64),
    np.where((TURN <= AT) & (AT < TURN + 10), 1.0, np.where(AT < TURN, -0.5, -0.01))[:, None] * np.ones(64),
    np.full((STEPS, 64), 0.5),
)
RANKS = np.where(LATER, 0.01, 0.9)


def test_swapped_labels_of_a_loss_that_falls_silent_at_its_targets_are_named_at_their_step(tmp_path: Path) -> None:
    finding = fault(tmp_path / "run", {**SWAPPED, "discriminator_auc": RANKS})
    assert (finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, "swapped labels", TURN), finding.claim
    assert str(TURN) in finding.remedies[0]


@pytest.mark.parametrize(
    "columns",
    [
        {"discriminator_auc": np.full(STEPS, 0.9)},  # one batch that pushed hard
        {"discriminator_auc": np.where(LATER, 0.4, 0.9)},  # fakes that outrun D
        {"discriminator_auc": np.full(STEPS, 0.01)},  # turned round on purpose, from the start
        {"discriminator_auc": RANKS, **{"generator_force_on_fake": np.where(LATER, -0.5, 0.5)}},  # and G with it
    ],
)
def test_other_ranks_and_pushes_are_no_swap(columns: dict[str, np.ndarray], tmp_path: Path) -> None:
    assert fault(tmp_path / "run", {**SWAPPED, **columns}).kind != "swapped labels"


def test_a_sign_of_g_that_is_turned_halfway_is_named_at_its_step(tmp_path: Path) -> None:
    columns = forces(np.ones_like(REAL), -np.ones_like(FAKE), np.where(TURNED, -1.0, np.ones_like(FAKE)))
    finding = fault(tmp_path / "run", columns)
    assert (finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, "shared objective", TURN)


def test_fakes_that_d_is_shown_as_reals_from_some_step_on_are_an_unbounded_discriminator(tmp_path: Path) -> None:
    columns = forces(SIGMOID(-REAL), np.where(TURNED, SIGMOID(-FAKE), -SIGMOID(FAKE)), SIGMOID(-FAKE))
    finding = fault(tmp_path / "run", columns)
    assert (finding.kind, finding.onset) == ("unbounded discriminator", TURN)


SOUND = {
    # D has won by least squares: reals stay a trifle past their target, where the force is next to nothing and turned
    "least squares past their targets": forces(
        np.where(TURNED, -0.02, 1 - REAL), np.where(TURNED, -0.02, -FAKE), np.where(TURNED, 1.0, 1 - FAKE)
    ),
    "both players turned round": forces(
        np.where(TURNED, -SIGMOID(REAL), SIGMOID(-REAL)),
        np.where(TURNED, SIGMOID(-FAKE), -SIGMOID(FAKE)),
        np.where(TURNED, -SIGMOID(FAKE), SIGMOID(-FAKE)),
    ),
    "turned for a while": forces(
        SIGMOID(-REAL),
        -SIGMOID(FAKE),
        np.where(((AT > 500) & (AT < 560))[:, None], -SIGMOID(FAKE), SIGMOID(-FAKE)),
    ),
    "a hinge that falls silent": forces(
        np.where(TURNED, 0.0, np.ones_like(REAL)), np.where(TURNED, 0.0, -np.ones_like(FAKE)), np.ones_like(FAKE)
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_game_that_stays_sound_is_not_accused(name: str, tmp_path: Path) -> None:
    finding = fault(tmp_path / "run", SOUND[name])
    assert finding.verdict is Verdict.HEALTHY, finding.claim


# ------------------------------------------------------------------------------------------- a target that is changed


def pulling(path: Path, after: float, auc: float, until: int = STEPS) -> Finding:
    """Least squares: D's force swings about its target, G's was the way to its own, and is `after` from TURN on."""
    chance = np.random.default_rng(5)
    swing = chance.normal(0, 0.4, STEPS)
    columns = {
        "generator_force_on_fake": np.where(LATER & (until > AT), after, 1.2) + 0.5 * chance.normal(0, 1, STEPS),
        "generator_force_size_on_fake": np.full(STEPS, 1.3),
        "discriminator_force_on_fake": -0.6 + swing,
        "discriminator_force_size_on_fake": np.full(STEPS, 0.9),
        "discriminator_auc": np.where(LATER, auc, 0.8),
    }
    return fault(path, columns)


def test_a_generator_that_is_given_ds_target_in_mid_run_is_named_at_that_step(tmp_path: Path) -> None:
    finding = pulling(tmp_path / "run", -0.5, 0.99)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "shared objective"), finding.claim
    assert finding.onset == pytest.approx(TURN, abs=15)


@pytest.mark.parametrize(
    ("after", "auc", "until"), [(-0.5, 0.3, STEPS), (0.4, 0.99, STEPS), (-0.5, 0.99, 850), (-0.02, 0.99, STEPS)]
)
def test_one_that_has_fooled_d_or_turns_back_or_hardly_pulls_is_not(
    after: float, auc: float, until: int, tmp_path: Path
) -> None:
    finding = pulling(tmp_path / "run", after, auc, until)
    assert finding.verdict is Verdict.HEALTHY, finding.claim

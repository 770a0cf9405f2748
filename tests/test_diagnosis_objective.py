"""objective_fault: the four faulty listings by the force on the score, and the sound games with the traps that look like them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Finding, Verdict, diagnose, judge
from gandiag.diagnosis.objective import objective_fault
from gandiag.run import load_run
from tests.made_runs import made

STEPS = 200


def played(
    path: Path,
    d_real: np.ndarray,
    d_fake: np.ndarray,
    g_fake: np.ndarray | None,
    facts: dict[str, object] | None = None,
) -> Finding:
    """Judges a run with these forces per sample (steps, batch), summed over the batch as the recorder does."""
    columns = {}
    for name, force in (
        ("discriminator_force{}_on_real", d_real),
        ("discriminator_force{}_on_fake", d_fake),
        ("generator_force{}_on_fake", g_fake),
    ):
        if force is not None:
            columns[name.format("")] = force.sum(1)
            columns[name.format("_size")] = np.abs(force).sum(1)
    without = () if g_fake is not None else ("generator_force",)
    return judge(
        objective_fault, load_run(made(path, steps=len(d_real), columns=columns, without=without, facts=facts))
    )


def draws(seed: int = 0, shift: float = 0.0, steps: int = STEPS) -> np.ndarray:
    return shift + np.random.default_rng(seed).standard_normal((steps, 64))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


REAL, FAKE = draws(0, 0.5), draws(1, -0.5)
# Where each player pushes a score: -d(loss)/d(logit), per sample, for real and fake logits.
SOUND = {
    "non-saturating": (sigmoid(-REAL), -sigmoid(FAKE), sigmoid(-FAKE)),
    "minimax": (sigmoid(-REAL), -sigmoid(FAKE), sigmoid(FAKE)),
    "least squares": (1 - REAL, -FAKE, 1 - FAKE),
    "hinge": ((REAL < 1).astype(float), -(FAKE > -1).astype(float), np.ones_like(FAKE)),
    "wasserstein": (np.ones_like(REAL), -np.ones_like(FAKE), np.ones_like(FAKE)),
    "relativistic": (sigmoid(FAKE - REAL), -sigmoid(FAKE - REAL), sigmoid(REAL - FAKE)),
    "smoothed labels": (0.9 - sigmoid(REAL + 2), -sigmoid(FAKE), sigmoid(-FAKE)),
    "labels turned round": (-sigmoid(REAL), sigmoid(-FAKE), -sigmoid(FAKE)),
}
P_REAL, P_FAKE = sigmoid(REAL), sigmoid(FAKE)
FAULTY = {
    "unbounded discriminator": (P_REAL * (1 - P_REAL) / (2 - P_REAL), P_FAKE, P_FAKE * (1 - P_FAKE) / (2 - P_FAKE)),
    "cooperative players": (-(1 - P_REAL), P_FAKE, P_FAKE * (1 - P_FAKE)),
    "shared objective": (sigmoid(-P_REAL), -sigmoid(P_FAKE), -sigmoid(P_FAKE)),
    "saturated discriminator": (-P_REAL * (1 - P_REAL), -P_FAKE * (1 - P_FAKE), P_FAKE * (1 - P_FAKE)),
}


@pytest.mark.parametrize("loss", SOUND)
def test_a_sound_game_is_not_accused(loss: str, tmp_path: Path) -> None:
    finding = played(tmp_path / "run", *SOUND[loss])
    assert finding.verdict is Verdict.HEALTHY, finding.claim


@pytest.mark.parametrize("fault", FAULTY)
def test_each_fault_is_named_within_200_steps(fault: str, tmp_path: Path) -> None:
    finding = played(tmp_path / "run", *(f[:100] for f in FAULTY[fault]))
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, fault), finding.claim
    assert finding.onset == 0
    assert finding.remedies


@pytest.mark.parametrize("fault", FAULTY)
def test_the_fault_is_the_root_of_the_story(fault: str, tmp_path: Path) -> None:
    d_real, d_fake, g_fake = FAULTY[fault]
    columns = {}
    for name, force in (
        ("discriminator_force{}_on_real", d_real),
        ("discriminator_force{}_on_fake", d_fake),
        ("generator_force{}_on_fake", g_fake),
    ):
        columns[name.format("")], columns[name.format("_size")] = force.sum(1), np.abs(force).sum(1)
    columns["generator_gradient_norm"] = np.geomspace(1e-2, 1e-12, STEPS)
    diagnosis = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns))
    assert diagnosis.findings[0].check == "objective_fault"
    assert diagnosis.verdict == "unstable"


def test_least_squares_past_its_target_for_a_while_is_not_accused(tmp_path: Path) -> None:
    """Past the target every force turns its sign; D soon corrects itself."""
    real, fake = draws(0, 1.0), draws(1, 0.0)
    real[:40] += 3
    finding = played(tmp_path / "run", 1 - real, -fake, 1 - fake)
    assert finding.verdict is Verdict.HEALTHY, finding.claim


def least_squares(generator_target: float, fake_target: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forces of least squares on fakes whose scores drift about 0, each player on a batch of its own."""
    middle = 0.6 * np.sin(np.arange(STEPS) / 9)[:, None]
    seen_by_d, seen_by_g = draws(2, middle), draws(3, middle)  # type: ignore[arg-type]
    return 1 - draws(0, 1.0), fake_target - seen_by_d, generator_target - seen_by_g


def test_a_generator_that_is_given_the_target_of_fakes_shares_ds_objective(tmp_path: Path) -> None:
    """Past the target both turn round: neither force points one way, and each is the other many times over."""
    finding = played(tmp_path / "run", *least_squares(0.0))
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "shared objective"), finding.claim
    assert "target" in finding.remedies[0]


@pytest.mark.parametrize(("generator_target", "fake_target"), [(1.0, 0.0), (0.5, 0.0), (0.0, -1.0)])
def test_a_target_of_its_own_is_sound(generator_target: float, fake_target: float, tmp_path: Path) -> None:
    finding = played(tmp_path / "run", *least_squares(generator_target, fake_target))
    assert finding.verdict is Verdict.HEALTHY, finding.claim


def test_scores_that_begin_far_beyond_both_targets_are_sound(tmp_path: Path) -> None:
    """An untrained D may score fakes 40 where the targets are 0 and 1: at first both players push them down alike."""
    middle = 40 * np.exp(-np.arange(STEPS) / 6)[:, None]
    seen_by_d, seen_by_g = 0.4 * draws(2) + middle, 0.4 * draws(3) + middle
    finding = played(tmp_path / "run", 1 - draws(0, 1.0), -seen_by_d, 1 - seen_by_g)
    assert finding.verdict is Verdict.HEALTHY, finding.claim


def test_scores_that_a_softmax_ties_together_push_to_nothing(tmp_path: Path) -> None:
    """Forces on the classes of one sample sum to 0: what is left of them is rounding, the same for both players perhaps."""
    rounding = 1e-9 * draws(4)
    tied = np.tile([1.0, -1.0], (STEPS, 32))
    finding = played(tmp_path / "run", tied + rounding, tied + rounding, tied + rounding)
    assert finding.verdict is Verdict.HEALTHY, finding.claim


def test_a_hinge_that_falls_silent_is_not_accused(tmp_path: Path) -> None:
    real, fake = draws(0, 6.0), draws(1, -6.0)
    real[:40], fake[:40] = REAL[:40], FAKE[:40]
    finding = played(tmp_path / "run", (real < 1).astype(float), -(fake > -1).astype(float), np.ones_like(fake))
    assert finding.verdict is Verdict.HEALTHY, finding.claim


@pytest.mark.parametrize(("first", "steps"), [(0, 31), (0, 37), (3, 31), (12, 200)])
def test_a_generator_that_moves_later_and_stops_earlier_is_compared_step_by_step(
    first: int, steps: int, tmp_path: Path
) -> None:
    """Several D updates a step, cut off in the middle of one: G's forces begin and end at other steps than D's."""
    d_real, d_fake, g_fake = (force[:steps].copy() for force in SOUND["non-saturating"])
    g_fake[:first], g_fake[steps - 1 :] = np.nan, np.nan
    finding = played(tmp_path / "run", d_real, d_fake, g_fake)
    assert finding.verdict is not Verdict.FAILED, finding.claim
    d_real, d_fake, g_fake = (force[:steps].copy() for force in FAULTY["cooperative players"])
    g_fake[:first], g_fake[steps - 1 :] = np.nan, np.nan
    assert played(tmp_path / "fault", d_real, d_fake, g_fake).kind == "cooperative players"


def test_two_of_the_faults_show_without_the_generators_force(tmp_path: Path) -> None:
    d_real, d_fake, _ = FAULTY["saturated discriminator"]
    assert played(tmp_path / "fault", d_real, d_fake, None).kind == "saturated discriminator"
    d_real, d_fake, _ = SOUND["non-saturating"]
    sound = played(tmp_path / "sound", d_real, d_fake, None)
    assert sound.verdict is Verdict.NOT_CHECKED
    assert "generator_force_on_fake" in sound.claim


@pytest.mark.parametrize("who", ["generator", "discriminator"])
def test_a_learning_rate_of_zero_is_named(who: str, tmp_path: Path) -> None:
    run = load_run(made(tmp_path / "run", steps=STEPS, columns={f"{who}_learning_rate": np.zeros(STEPS)}))
    finding = judge(objective_fault, run)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, f"frozen {who}")
    assert any(f"lr_{who[0]}" in r for r in finding.remedies)


@pytest.mark.parametrize(("steps", "kind"), [(2, ""), (3, "frozen discriminator")])
def test_updates_that_a_loss_scaler_has_skipped_at_first_are_no_fault_yet(
    steps: int, kind: str, tmp_path: Path
) -> None:
    run = load_run(made(tmp_path / "run", steps=steps, columns={"discriminator_update_ratio": np.zeros(steps)}))
    assert judge(objective_fault, run).kind == kind


def test_a_warmup_from_zero_is_no_fault(tmp_path: Path) -> None:
    run = load_run(
        made(tmp_path / "run", steps=STEPS, columns={"generator_learning_rate": np.linspace(0, 1e-3, STEPS)})
    )
    assert judge(objective_fault, run).verdict is Verdict.HEALTHY


def test_a_detached_generator_is_named(tmp_path: Path) -> None:
    for name, columns, without in (
        ("zero", {"generator_gradient_norm": np.zeros(STEPS)}, ()),
        ("absent", {}, ("generator_gradient_norm",)),
    ):
        finding = judge(objective_fault, load_run(made(tmp_path / name, steps=STEPS, columns=columns, without=without)))
        assert (finding.verdict, finding.kind) == (Verdict.FAILED, "detached generator"), name


def test_a_discriminator_that_is_never_updated_is_named(tmp_path: Path) -> None:
    """Its optimizer is known and is never called: of its losses and reals nothing is seen at all."""
    columns = {"discriminator_updates": np.zeros(STEPS)}
    without = (
        "discriminator_gradient",
        "discriminator_force",
        "discriminator_update_ratio",
        "discriminator_auc",
        "real_",
    )
    run = load_run(made(tmp_path / "run", steps=STEPS, columns=columns, without=without))
    finding = judge(objective_fault, run)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "frozen discriminator"), finding.claim


def test_a_generator_that_is_never_updated_is_named(tmp_path: Path) -> None:
    """What a recorder sees of a detached generator: its optimizer never finds a gradient, and no force of it is seen."""
    without = ("generator_force", "generator_gradient", "generator_update_ratio", "generator_parameter")
    run = load_run(made(tmp_path / "run", steps=STEPS, columns={"generator_updates": np.zeros(STEPS)}, without=without))
    finding = judge(objective_fault, run)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "detached generator")


def test_one_optimizer_for_both_is_a_fault_only_where_it_steps_them_on_either_loss(tmp_path: Path) -> None:
    def facts(shared: bool, generator: int, discriminator: int) -> dict[str, object]:
        return {
            "optimizers": {
                "generator": {"steps_other_player": generator, "shared": shared},
                "discriminator": {"steps_other_player": discriminator, "shared": shared},
            }
        }

    cases = (
        (facts(True, 6, 6), 2.0, Verdict.FAILED),
        (facts(True, 6, 6), 1.0, Verdict.HEALTHY),  # one optimizer with two groups, each stepped in its own turn
        (facts(False, 4, 0), 1.0, Verdict.FAILED),
        (facts(False, 0, 0), 1.0, Verdict.HEALTHY),
    )
    for i, (about, updates, verdict) in enumerate(cases):
        columns = {f"{who}_updates": np.full(STEPS, updates) for who in ("generator", "discriminator")}
        finding = judge(objective_fault, load_run(made(tmp_path / str(i), steps=STEPS, columns=columns, facts=about)))
        assert finding.verdict is verdict, i

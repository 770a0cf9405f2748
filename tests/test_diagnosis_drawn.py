"""What trainings drawn at random have taught: a G that flees the reals' scores, a constant output, raw data, a D that is slow but for a while."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Verdict, diagnose
from tests import made_runs
from tests.made_runs import made

STEPS = 1000
TENS = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
NARROW = {"diversity_ratio": np.full(TENS, 0.2)}
WIDE = ("modes", "mode", "data_mode", "high_quality", "frechet", "precision", "recall")  # evaluations, left out


def targets(seed: int, force: np.ndarray, *, real: float = 1.0, fake: float = 0.0) -> dict[str, np.ndarray]:
    """Scores at the targets that least squares gives them, where D pushes both ways, and G's force on fakes."""
    chance = np.random.default_rng(seed)
    noise = 0.02 * chance.standard_normal((2, STEPS))
    return {
        "real_logit_mean": real + noise[0],
        "fake_logit_mean": fake + noise[1],
        "discriminator_auc": np.full(STEPS, 1.0 if real > fake else 0.0),
        "discriminator_force_on_real": -2 * noise[0],
        "discriminator_force_size_on_real": np.full(STEPS, 0.05),
        "discriminator_force_on_fake": -2 * noise[1],
        "discriminator_force_size_on_fake": np.full(STEPS, 0.05),
        "generator_force_on_fake": force,
        "generator_force_size_on_fake": np.abs(force),
    }


@pytest.mark.parametrize(
    ("force", "real", "fake", "ill"),
    [(-2.0, 1.0, 0.0, True), (2.0, 1.0, 0.0, False), (-2.0, 0.0, 1.0, False), (2.0, 0.0, 1.0, False)],
    ids=["flees", "follows", "follows an energy", "has outrun D"],
)
def test_a_generator_that_pushes_its_scores_away_from_the_reals_is_named(
    force: float, real: float, fake: float, ill: bool, tmp_path: Path
) -> None:
    """Of a D that scores fakes above reals nobody knows whether it gives energies, or was outrun by a G that is right."""
    columns = targets(0, np.full(STEPS, force), real=real, fake=fake)
    found = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns, slow=NARROW)).finding("objective_fault")
    assert (found.verdict is Verdict.FAILED and found.kind == "shared objective") is ill, found.claim


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_an_output_that_is_one_constant_is_dead_and_no_gradient_was_cleared(spread: float, tmp_path: Path) -> None:
    """At the end of its tanh nothing comes through to any weight or bias: as where gradients are cleared, but there the fakes vary."""
    names = [f"{i}.{what}" for i in (0, 2, 4) for what in ("weight", "bias")]
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns={"generator_gradient_norm": np.zeros(STEPS)},
        slow={
            "diversity_ratio": np.full(TENS, spread),
            "fake_pairwise_distance": np.full(TENS, spread),
            "generator_update_ratio": np.zeros(TENS),
        },
        layers={"generator_layer_gradient_norm": (np.zeros((TENS, 6)), names)},
    )
    first = diagnose(path).illnesses[0]
    expected = ("objective_fault", "gradients cleared too late") if spread else ("dead_layers", "dead generator")
    assert (first.check, first.kind) == expected, first.claim


@pytest.mark.parametrize(
    ("scale", "begun", "ratio", "ill"),
    [(100.0, 0.1, 0.2, True), (1.0, 0.1, 0.2, False), (100.0, 60.0, 0.2, False), (100.0, 0.1, 1.0, False)],
    ids=["raw", "standardised", "begins there", "well all the same"],
)
def test_data_of_a_raw_scale_are_named_where_the_fakes_are_no_reals(
    scale: float, begun: float, ratio: float, ill: bool, tmp_path: Path
) -> None:
    slow = {
        "real_mean": np.full(TENS, scale),
        "real_sd": np.full(TENS, 0.4 * scale),
        "fake_mean": np.linspace(begun, 0.9 * scale, TENS),
        "fake_sd": np.linspace(begun, 0.3 * scale, TENS),
        "real_min": np.full(TENS, -scale),
        "real_max": np.full(TENS, 3 * scale),
        "fake_min": np.full(TENS, -scale),
        "fake_max": np.linspace(begun, 2 * scale, TENS),
        "diversity_ratio": np.full(TENS, ratio),
    }
    if ratio == 1.0:
        slow |= {"fake_mean": slow["real_mean"], "fake_sd": slow["real_sd"]}
    found = diagnose(made(tmp_path / "run", steps=STEPS, slow=slow, without=WIDE)).finding("data_mismatch")
    assert (found.kind == "raw") is ill, found.claim


@pytest.mark.parametrize("paused", [False, True])
def test_a_slow_discriminator_is_slow_since_the_fakes_went_astray_whatever_happened_between(
    paused: bool, tmp_path: Path
) -> None:
    """For a tenth of the run G's own updates faltered: the discriminator was the slower one all the same before and after."""
    generator = np.full(TENS, 1e-2)
    if paused:
        generator[TENS // 3 : TENS // 2] = 1e-3
    slow = {**NARROW, "generator_update_ratio": generator, "discriminator_update_ratio": np.full(TENS, 5e-5)}
    found = diagnose(made(tmp_path / "run", steps=STEPS, slow=slow, without=WIDE)).finding("discriminator_weakness")
    assert (found.verdict, found.kind) == (Verdict.FAILED, "slow"), found.claim
    assert found.onset is not None
    assert found.onset < STEPS // 10


@pytest.mark.parametrize(("series", "by_data"), [("real_mean", True), ("generator_loss", False)])
def test_numbers_that_break_are_put_down_to_the_data_where_these_hold_them(
    series: str, by_data: bool, tmp_path: Path
) -> None:
    """Weights that are NaN since a row of the data was stay as they are: nothing has put them back."""
    broken = np.full(TENS if series == "real_mean" else STEPS, np.nan)
    weights = np.full(TENS, np.nan)
    weights[0] = 10.0
    slow = {**NARROW, "generator_parameter_norm": weights, "generator_update_ratio": np.full(TENS, 5e-3)}
    given = {"slow": {**slow, series: broken}} if series == "real_mean" else {"slow": slow, "columns": {series: broken}}
    told = diagnose(made(tmp_path / "run", steps=STEPS, without=WIDE, **given))  # type: ignore[arg-type]
    first = told.illnesses[0]
    assert first.check == "numerical_failure", told.story
    assert ("isfinite" in first.remedies[0]) is by_data


@pytest.mark.parametrize(("before", "named"), [(1.0, True), (400.0, False)], ids=["fresh", "pretrained"])
def test_a_discriminator_that_was_trained_before_takes_small_steps_and_is_not_put_back(
    before: float, named: bool, tmp_path: Path
) -> None:
    """Adam divides by the gradients of the pretraining, of which nothing is in the record."""
    updates = np.ones(STEPS)
    updates[0] = before
    facts = {"learning_rate": 1e-3, "class": "Adam", "betas": [0.9, 0.999], "eps": 1e-8}
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns={"discriminator_updates": updates},
        slow={
            **NARROW,
            "discriminator_update_ratio": np.full(TENS, 1e-5),
            "discriminator_parameter_norm": np.full(TENS, 10.0),
        },
        facts={
            "optimizers": {"generator": facts, "discriminator": facts},
            "players": {
                "generator": {"parameters": 20_000},
                "discriminator": {"parameters": 20_000, "output": "logit"},
            },
        },
    )
    found = diagnose(path).finding("objective_fault")
    assert (found.kind == "discriminator put back") is named, found.claim


@pytest.mark.parametrize("groups", [(0, 0, 0, 1, 1, 1, 2, 2, 2, 2), (0,) * 10, tuple(range(10))], ids=["3", "1", "10"])
def test_pieces_that_are_thin_are_no_lost_modes_where_each_part_that_lies_apart_is_made(
    groups: tuple[int, ...], tmp_path: Path
) -> None:
    """Four of ten clusters, of which each cloud that lies apart has one: k-means has cut the clouds, and the generator is narrow in each."""
    shares = np.array([0.3, 0, 0, 0.3, 0, 0, 0.2, 0.2, 0, 0])

    def scores(step: int) -> dict[str, object]:
        return {
            "modes_covered": 4.0,
            "modes_total": 10.0,
            "mode_histogram": shares.tolist(),
            "data_mode_histogram": [0.1] * 10,
            "mode_group": list(groups),
        }

    found = diagnose(made(tmp_path / "run", steps=STEPS, scores=scores)).finding("mode_collapse")
    assert (found.kind == "narrow") is (len(set(groups)) == 3), found.claim
    assert (found.verdict is Verdict.FAILED) is (len(set(groups)) != 3), found.claim


@pytest.mark.parametrize(
    ("force", "chance", "ill"),
    [(1e-4, 1e-4, True), (1.0, 1e-4, False), (0.2, 0.2, False), (1e-4, 0.3, False)],
    ids=["saturated", "non-saturating", "D is unsure", "a small weight"],
)
def test_a_loss_that_is_saturated_from_the_first_step_is_named(
    force: float, chance: float, ill: bool, tmp_path: Path
) -> None:
    """G was never told where to go: neither its rate nor the early level of its gradient tells that."""
    columns = {
        "generator_force_size_on_fake": np.full(STEPS, force),
        "generator_saturation": np.full(STEPS, chance),
        "discriminator_auc": np.ones(STEPS),
    }
    slow = {**NARROW, "generator_update_ratio": np.full(TENS, 1e-6)}
    diagnosis = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns, slow=slow, without=WIDE))
    found = diagnosis.finding("vanishing_generator_gradient")
    assert (found.verdict is Verdict.FAILED and found.kind == "logit") is ill, found.claim
    assert (diagnosis.finding("learning_rate").kind == "too low") is not ill


@pytest.mark.parametrize(("to", "named"), [(1.0, True), (0.1, False)], ids=["as ever", "falling"])
def test_small_steps_under_gradients_that_fall_are_no_weights_put_back(to: float, named: bool, tmp_path: Path) -> None:
    facts = {"learning_rate": 1e-3, "class": "Adam", "betas": [0.9, 0.999], "eps": 1e-8}
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns={"discriminator_gradient_norm": 0.3 * to ** (np.arange(STEPS) / STEPS)},
        slow={
            **NARROW,
            "discriminator_update_ratio": np.full(TENS, 1e-5),
            "discriminator_parameter_norm": np.full(TENS, 10.0),
        },
        facts={
            "optimizers": {"generator": facts, "discriminator": facts},
            "players": {
                "generator": {"parameters": 20_000},
                "discriminator": {"parameters": 20_000, "output": "logit"},
            },
        },
    )
    assert (diagnose(path).finding("objective_fault").kind == "discriminator put back") is named


@pytest.mark.parametrize(
    ("ratio", "hop", "named"),
    [(0.6, 0.0, True), (0.05, 0.0, False), (0.6, 0.8, False)],
    ids=["stale", "narrow", "hops"],
)
def test_fakes_that_leave_themselves_within_an_update_are_not_stale(
    ratio: float, hop: float, named: bool, tmp_path: Path
) -> None:
    """What D was shown a moment ago lies apart from what G makes now, without any buffer."""
    swing = hop * 0.7 * np.where(np.random.default_rng(3).random(STEPS) < 0.5, -1.0, 1.0)
    slow = {**made_runs.batches(STEPS, 0, ratio, 8.0, hop=swing), "shown_fake_energy": np.full(TENS, 0.8)}
    found = diagnose(made(tmp_path / "run", steps=STEPS, slow=slow, without=WIDE)).finding("objective_fault")
    assert (found.kind == "stale fakes") is named, found.claim

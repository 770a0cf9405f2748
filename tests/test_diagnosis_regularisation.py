"""What is added to the losses, or holds the players: weight decay, penalties, an unconstrained critic, a flat D, first steps that are too large."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandiag.diagnosis import Diagnosis, Finding, Verdict, diagnose
from gandiag.run import load_run
from tests.made_runs import made

STEPS = 1000
TENS = STEPS // 10
AT = np.arange(STEPS)


def optimizers(**of_generator: Any) -> dict[str, Any]:
    return {
        who: {"class": "Adam", "learning_rate": 1e-3, "steps_other_player": 0, "shared": False, **facts}
        for who, facts in (("generator", of_generator), ("discriminator", {}))
    }


NARROW = {"diversity_ratio": np.full(TENS, 0.2)}


def shrinking(path: Path, to: float, slow: dict[str, np.ndarray] = NARROW, **facts: Any) -> Finding:
    norms = {"generator_parameter_norm": 10 * to ** (np.arange(TENS) / TENS)}
    return diagnose(made(path, steps=STEPS, slow={**slow, **norms}, facts={"optimizers": optimizers(**facts)})).finding(
        "objective_fault"
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"weight_decay": 1.0},  # divided by Adam: ten times the gradient at first
        {"weight_decay": 2.0, "class": "AdamW"},  # decoupled: two in sum
        {"weight_decay": 2.0, "decoupled_weight_decay": True},
        {"weight_decay": 2.0, "class": "SGD"},
    ],
)
def test_a_player_that_its_decay_shrinks_is_named(facts: dict[str, Any], tmp_path: Path) -> None:
    finding = shrinking(tmp_path / "run", 0.1, **facts)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "weight decay"), finding.claim
    assert "generator's weight_decay" in finding.remedies[0]


@pytest.mark.parametrize(
    ("to", "slow", "facts"),
    [
        (0.1, {}, {"weight_decay": 1.0}),  # the fakes are like the reals: what shrinks does no harm
        (0.9, NARROW, {"weight_decay": 1.0}),  # nothing has shrunk
        (0.1, NARROW, {"weight_decay": 1e-4}),  # too weak to have done it
        (0.1, NARROW, {"weight_decay": 0.01, "class": "AdamW"}),
        (0.1, NARROW, {"weight_decay": 0}),
    ],
)
def test_decay_that_did_not_do_it_is_not_accused(
    to: float, slow: dict[str, np.ndarray], facts: dict[str, Any], tmp_path: Path
) -> None:
    assert shrinking(tmp_path / "run", to, slow, **facts).kind != "weight decay"


# ---------------------------------------------------------------------------------------------------------------- a critic

LINEAR = {
    name: np.full(STEPS, value)
    for name, value in (
        ("discriminator_force_on_real", 1.0),
        ("discriminator_force_size_on_real", 1.0),
        ("discriminator_force_on_fake", -1.0),
        ("discriminator_force_size_on_fake", 1.0),
        ("generator_force_on_fake", 1.0),
        ("generator_force_size_on_fake", 1.0),
    )
}
FREE = {"gradient_penalty": False, "normalised_weights": False, "clipped_share": 0.0}
STEEP = {"generator_gradient_at_image": 0.01 * np.linspace(1, 50, STEPS)}
LEVEL = {"generator_gradient_at_image": np.full(STEPS, 0.01)}


def critic(
    path: Path, columns: dict[str, np.ndarray], held: dict[str, Any] | None, slow: dict[str, np.ndarray]
) -> Finding:
    facts = {} if held is None else {"discriminator_constraint": held}
    return diagnose(made(path, steps=STEPS, columns=columns, slow=slow, facts=facts)).finding("objective_fault")


def test_a_critic_that_nothing_holds_fails_where_its_fakes_are_no_reals(tmp_path: Path) -> None:
    finding = critic(tmp_path / "run", {**LINEAR, **STEEP}, FREE, NARROW)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "unconstrained critic"), finding.claim


def test_it_is_suspect_where_its_slope_grows_and_nothing_is_ill_yet(tmp_path: Path) -> None:
    assert critic(tmp_path / "run", {**LINEAR, **STEEP}, FREE, {}).verdict is Verdict.SUSPECT


@pytest.mark.parametrize(
    ("weights", "verdict"),
    [
        (np.linspace(8, 80, STEPS), Verdict.FAILED),
        (np.linspace(8, 12, STEPS), Verdict.SUSPECT),
        (np.minimum(np.linspace(8, 80, STEPS), 30), Verdict.SUSPECT),  # they have come to rest
    ],
    ids=["away", "by half", "at rest"],
)
def test_it_fails_where_its_weights_run_away(weights: np.ndarray, verdict: Verdict, tmp_path: Path) -> None:
    columns = {**LINEAR, **STEEP, "discriminator_parameter_norm": weights}
    finding = critic(tmp_path / "run", columns, FREE, {})
    assert (finding.kind, finding.verdict) == ("unconstrained critic", verdict), finding.claim


@pytest.mark.parametrize(("steps", "named"), [(STEPS // 2, True), (5, False)], ids=["each other step", "looked at"])
def test_a_penalty_that_no_loss_can_feel_is_named(steps: int, named: bool, tmp_path: Path) -> None:
    finding = critic(tmp_path / "run", {**LINEAR, **STEEP}, {**FREE, "slopes_alone": steps}, {})
    assert (finding.kind, finding.verdict) == (
        ("detached penalty", Verdict.FAILED) if named else ("unconstrained critic", Verdict.SUSPECT)
    ), finding.claim
    assert any("create_graph" in remedy for remedy in finding.remedies) is named


@pytest.mark.parametrize(
    ("columns", "held", "slow"),
    [
        ({**LINEAR, **STEEP}, {**FREE, "gradient_penalty": True}, NARROW),
        ({**LINEAR, **STEEP}, {**FREE, "clipped_share": 0.4}, NARROW),
        ({**LINEAR, **STEEP}, {**FREE, "normalised_weights": True}, NARROW),
        ({**LINEAR, **STEEP}, {**FREE, "clipped_share": None}, NARROW),
        ({**LINEAR, **STEEP}, None, NARROW),  # an older record, or one that was cut off
        ({**LINEAR, **LEVEL}, FREE, {}),
        (STEEP, FREE, NARROW),  # a loss with a bend holds its critic by itself
    ],
)
def test_a_critic_that_is_held_is_not_accused(
    columns: dict[str, np.ndarray], held: dict[str, Any] | None, slow: dict[str, np.ndarray], tmp_path: Path
) -> None:
    assert critic(tmp_path / "run", columns, held, slow).kind != "unconstrained critic"


# ---------------------------------------------------------------------------------------------- penalties that are subtracted


@pytest.mark.parametrize("ascends", [None, ["generator"], ["discriminator", "generator"], "discriminator"])
def test_of_a_loss_that_d_maximises_a_penalty_is_rightly_subtracted(ascends: Any, tmp_path: Path) -> None:
    value = load_run(made(tmp_path / "first", steps=STEPS))["value_function"].to_numpy()
    facts = {"discriminator_constraint": {**FREE, "gradient_penalty": True}, "ascends": ascends}
    path = made(tmp_path / "run", steps=STEPS, columns={"discriminator_loss": -value - 0.5}, facts=facts)
    kind = diagnose(path).finding("objective_fault").kind
    assert (kind == "penalty of the wrong sign") is (not isinstance(ascends, list) or "discriminator" not in ascends)


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("beside", [-0.5, 0.0, 0.5])
def test_a_logistic_loss_below_its_scores_part_is_named(beside: float, scale: float, tmp_path: Path) -> None:
    path = made(tmp_path / "first", steps=STEPS)
    run = load_run(path)
    columns = {"discriminator_loss": -scale * run["value_function"].to_numpy() + beside}
    for name in ("discriminator_force_on_real", "discriminator_force_on_fake"):
        for one in (name, name.replace("_on_", "_size_on_")):
            columns[one] = scale * run[one].to_numpy()
    finding = critic(tmp_path / "run", columns, {**FREE, "gradient_penalty": True}, {})
    assert (finding.kind == "penalty of the wrong sign") is (beside < 0), finding.claim
    if beside < 0:
        assert "0.5 below" in finding.claim
        assert critic(tmp_path / "bare", columns, FREE, {}).kind == "", "no penalty was seen: something else is below"


@pytest.mark.parametrize(("since", "named"), [(0.4, True), (0.95, False)])
def test_a_penalty_whose_weight_falls_below_nothing_is_named_since_then(
    since: float, named: bool, tmp_path: Path
) -> None:
    path = made(tmp_path / "first", steps=STEPS)
    beside = np.where(np.arange(STEPS) >= since * STEPS, -0.5, 0.5)
    columns = {"discriminator_loss": -load_run(path)["value_function"].to_numpy() + beside}
    finding = critic(tmp_path / "run", columns, {**FREE, "gradient_penalty": True}, {})
    assert (finding.kind == "penalty of the wrong sign") is named, finding.claim
    if named:
        assert finding.onset is not None
        assert finding.onset <= since * STEPS, "eight in ten rows from there on"
        assert finding.onset > 0.2 * STEPS


# ------------------------------------------------------------------------------------------------------------- a flat D


def flat(path: Path, at_image: np.ndarray, slow: dict[str, np.ndarray], auc: float = 0.5) -> Finding:
    columns = {"generator_gradient_at_image": at_image, "discriminator_auc": np.full(STEPS, auc)}
    return diagnose(made(path, steps=STEPS, columns=columns, slow=slow)).finding("discriminator_weakness")


FLATTENED = 0.01 * np.maximum(0.01, 0.5 ** (AT / 20))


def test_a_discriminator_that_is_held_flat_is_named(tmp_path: Path) -> None:
    finding = flat(tmp_path / "run", FLATTENED, NARROW)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "flat"), finding.claim


@pytest.mark.parametrize("held", [True, False])
def test_fakes_that_leap_under_a_flat_discriminator_are_no_matter_of_the_rates(held: bool, tmp_path: Path) -> None:
    leaps = np.exp(np.where(np.random.default_rng(1).random(TENS) < 0.5, -1.9, -0.8))
    slow = {"diversity_ratio": leaps, "fake_pairwise_distance": leaps, "real_pairwise_distance": np.ones(TENS)}
    columns = {
        "generator_gradient_at_image": FLATTENED if held else np.full(STEPS, 0.01),
        "discriminator_auc": np.full(STEPS, 0.5),
    }
    found = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns, slow=slow)).finding("learning_rate")
    assert (found.kind == "restless") is not held, found.claim


@pytest.mark.parametrize(
    ("at_image", "slow", "auc"),
    [(FLATTENED, {}, 0.5), (np.full(STEPS, 0.01), NARROW, 0.5), (FLATTENED, NARROW, 0.99)],
    ids=["at rest", "steep", "sees them"],
)
def test_one_at_rest_or_one_that_sees_the_fakes_is_not(
    at_image: np.ndarray, slow: dict[str, np.ndarray], auc: float, tmp_path: Path
) -> None:
    assert flat(tmp_path / "run", at_image, slow, auc).kind != "flat"


# --------------------------------------------------------------------------------------------------- steps that are too large


def thrown(path: Path, first: float, grown: float, slow: dict[str, np.ndarray]) -> Diagnosis:
    course = np.linspace(0, 1, TENS)
    slow = {
        **slow,
        "generator_update_ratio": 0.01 + (first - 0.01) * np.exp(-30 * course),
        "generator_parameter_norm": 10 * grown**course,
    }
    return diagnose(made(path, steps=STEPS, slow=slow, facts={"optimizers": optimizers()}))


def test_first_steps_that_blew_the_weights_up_are_named(tmp_path: Path) -> None:
    finding = thrown(tmp_path / "run", 0.7, 20.0, NARROW).finding("learning_rate")
    assert (finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, "too high", 0), finding.claim


@pytest.mark.parametrize(("first", "grown", "slow"), [(0.7, 20.0, {}), (0.05, 20.0, NARROW), (0.7, 2.0, NARROW)])
def test_small_first_steps_and_weights_that_stay_are_not(
    first: float, grown: float, slow: dict[str, np.ndarray], tmp_path: Path
) -> None:
    assert thrown(tmp_path / "run", first, grown, slow).finding("learning_rate").verdict is not Verdict.FAILED


def test_a_heavy_momentum_is_named_where_the_game_runs_away(tmp_path: Path) -> None:
    away = {"fake_mean": np.linspace(0, 60, TENS) ** 2, "diversity_ratio": np.full(TENS, 0.2)}
    facts = {"optimizers": optimizers(momentum=0.99)}
    finding = diagnose(made(tmp_path / "run", steps=STEPS, slow=away, facts=facts)).finding("divergence")
    assert finding.verdict is Verdict.FAILED
    assert "momentum 0.99 makes each rate 100 times" in finding.cause
    assert "momentum" in finding.remedies[0]


@pytest.mark.parametrize("auc", [0.5, 1.0])
def test_ranks_that_tell_by_a_hair_are_flat_as_well(auc: float, tmp_path: Path) -> None:
    near = {name: np.full(STEPS, value) for name, value in (("real_logit_mean", 0.01), ("fake_logit_mean", 0.0))}
    columns = {**near, "generator_gradient_at_image": FLATTENED, "discriminator_auc": np.full(STEPS, auc)}
    finding = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns, slow=NARROW)).finding(
        "discriminator_weakness"
    )
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "flat"), finding.claim
    assert ("logits apart" in finding.claim) is (auc == 1.0)


# ------------------------------------------------------------------------------------------------------ steps that are nothing


def test_both_rates_taken_away_early_are_named(tmp_path: Path) -> None:
    rate = 1e-3 * 0.97**AT
    columns = {f"{who}_learning_rate": rate for who in ("generator", "discriminator")}
    finding = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns, slow=NARROW)).finding("learning_rate")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "faded"), finding.claim
    learned = diagnose(made(tmp_path / "well", steps=STEPS, columns=columns)).finding("learning_rate")
    assert learned.verdict is Verdict.HEALTHY, "whoever has learned by then may rest"
    late = {name: np.where(AT < 700, 1e-3, 1e-9) for name in columns}
    assert (
        diagnose(made(tmp_path / "late", steps=STEPS, columns=late, slow=NARROW)).finding("learning_rate").kind
        != "faded"
    )


def creeping(
    path: Path, ratio: np.ndarray | float, norm: np.ndarray | float, slow: dict[str, np.ndarray], **facts: Any
) -> Diagnosis:
    slow = {**slow, "generator_update_ratio": np.broadcast_to(ratio, TENS).astype(float)}
    columns = {"generator_gradient_norm": np.full(STEPS, norm)}
    return diagnose(made(path, steps=STEPS, columns=columns, slow=slow, facts={"optimizers": optimizers(**facts)}))


def test_a_generator_that_has_hardly_moved_is_named(tmp_path: Path) -> None:
    finding = creeping(tmp_path / "run", 1e-5, 0.3, NARROW, **{"class": "SGD"}).finding("learning_rate")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "too low"), finding.claim
    vanished = 0.3 * 0.98**AT
    fading = 1e-4 * 0.98 ** AT[::10]  # at its first pace it would have come far
    for i, (ratio, norm, slow) in enumerate(((1e-3, 0.3, NARROW), (1e-5, 0.3, {}), (fading, vanished, NARROW))):
        told = creeping(tmp_path / f"{i}", ratio, norm, slow, **{"class": "SGD"}).finding("learning_rate")
        assert told.verdict is not Verdict.FAILED, told.claim


def test_a_rate_too_low_is_the_cause_of_the_gradient_that_vanished(tmp_path: Path) -> None:
    """A discriminator wins against a generator that stands still; with Adam the first updates tell what the rate was worth."""
    told = creeping(tmp_path / "run", 1e-6 * 0.98 ** AT[::10], 0.3 * 0.98**AT, NARROW, **{"class": "Adam"})
    assert (told.illnesses[0].check, told.illnesses[0].kind) == ("learning_rate", "too low"), told.story
    assert not any("SGD" in remedy for remedy in told.illnesses[0].remedies)


def test_weights_that_are_put_back_after_each_update_are_named(tmp_path: Path) -> None:
    """Adam's steps of 1e-3 on 20 000 weights of norm 10 are .014 of them at most, and .0033 where gradients are noise."""
    facts = {"betas": [0.9, 0.999], "eps": 1e-8}
    for ratio, named in ((1e-5, True), (1e-3, False)):
        path = made(
            tmp_path / f"{named}",
            steps=STEPS,
            slow={
                **NARROW,
                "generator_update_ratio": np.full(TENS, ratio),
                "generator_parameter_norm": np.full(TENS, 10.0),
            },
            facts={
                "optimizers": optimizers(**facts),
                "players": {
                    "generator": {"parameters": 20_000},
                    "discriminator": {"parameters": 9000, "output": "logit"},
                },
            },
        )
        finding = diagnose(path).finding("objective_fault")
        assert (finding.kind == "generator put back") is named, finding.claim


def test_a_gradient_too_small_for_any_digit_has_vanished_from_the_start(tmp_path: Path) -> None:
    diagnosis = creeping(tmp_path / "run", 0.0, 1e-11, NARROW, **{"class": "SGD"})
    finding = diagnosis.finding("vanishing_generator_gradient")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "image"), finding.claim
    assert diagnosis.finding("objective_fault").verdict is not Verdict.FAILED
    frozen = creeping(tmp_path / "frozen", 0.0, 0.3, NARROW, **{"class": "SGD"}).finding("objective_fault")
    assert frozen.kind == "frozen generator"


# ---------------------------------------------------------------------------------------------------------- what D is given


def labelled(path: Path, real: np.ndarray, fake: np.ndarray) -> Finding:
    """A logistic D of scores near 0, whose labels are these at every step."""
    columns = {f"real_logit_q{q:02d}": np.full(STEPS, 0.0) for q in (5, 25, 50, 75, 95)}
    columns |= {"generator_saturation": np.full(STEPS, 0.5)}
    columns |= {"discriminator_force_on_real": real - 0.5, "discriminator_force_on_fake": fake - 0.5}
    columns |= {f"discriminator_force_size_on_{what}": np.full(STEPS, 0.5) for what in ("real", "fake")}
    return diagnose(made(path, steps=STEPS, columns=columns)).finding("objective_fault")


def test_labels_that_do_not_differ_are_named(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    lots = chance.normal(0.5, 0.06, (2, STEPS))
    drawn = labelled(tmp_path / "drawn", *lots)
    assert (drawn.verdict, drawn.kind) == (Verdict.FAILED, "same labels"), drawn.claim
    assert "drawn anew" in drawn.cause
    one = labelled(tmp_path / "one", np.full(STEPS, 0.9), np.full(STEPS, 0.9))
    assert one.kind == "same labels"
    assert "one label" in one.cause


def test_a_loss_of_little_weight_has_labels_all_the_same(tmp_path: Path) -> None:
    """A twentieth of least squares or of the logistic loss looks like labels near D's own scores: reals are pushed up, fakes down, all the same."""
    little = 0.05 * np.full(STEPS, 0.5)
    columns = {
        "discriminator_force_on_real": little,
        "discriminator_force_on_fake": -little,
        "generator_saturation": np.full(STEPS, 0.5),
    }
    columns |= {f"discriminator_force_size_on_{what}": little for what in ("real", "fake")}
    columns |= {f"real_logit_q{q:02d}": np.full(STEPS, 0.0) for q in (5, 25, 50, 75, 95)}
    assert (
        diagnose(made(tmp_path / "run", steps=STEPS, columns=columns)).finding("objective_fault").kind != "same labels"
    )


def test_smoothed_labels_of_reals_are_no_subtracted_penalty(tmp_path: Path) -> None:
    import gandiag

    run = gandiag.load_run(made(tmp_path / "first", steps=STEPS))
    columns = {
        "discriminator_loss": -run["value_function"].to_numpy() - 0.2
    }  # label .9 adds a tenth of the logit, below 0 here
    for one in ("discriminator_force_on_real", "discriminator_force_size_on_real"):
        columns[one] = run[one].to_numpy() - 0.1
    assert critic(tmp_path / "run", columns, {**FREE, "gradient_penalty": True}, {}).kind == ""


@pytest.mark.parametrize(("real", "fake"), [(1.0, 0.0), (0.9, 0.1), (0.7, 0.3), (1.5, 1.5), (-0.5, -0.4)])
def test_smoothed_labels_and_other_losses_are_not(real: float, fake: float, tmp_path: Path) -> None:
    assert labelled(tmp_path / "run", np.full(STEPS, real), np.full(STEPS, fake)).kind != "same labels"


def test_a_discriminator_that_is_never_shown_a_real_is_named(tmp_path: Path) -> None:
    without = (
        "real_",
        "discriminator_force_on_real",
        "discriminator_force_size_on_real",
        "discriminator_auc",
        "value_",
        "data_",
    )
    force = {
        "discriminator_force_on_fake": np.full(STEPS, -0.4),
        "discriminator_force_size_on_fake": np.full(STEPS, 0.4),
    }
    finding = diagnose(made(tmp_path / "run", steps=STEPS, columns=force, without=without)).finding("objective_fault")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "no reals"), finding.claim
    mixed = {
        **force,
        "discriminator_force_on_fake": np.full(STEPS, -0.1),
    }  # reals in the same call are pulled the other way
    assert (
        diagnose(made(tmp_path / "mixed", steps=STEPS, columns=mixed, without=without)).finding("objective_fault").kind
        != "no reals"
    )


def test_labels_whose_noise_grows_are_named_with_their_step(tmp_path: Path) -> None:
    flipped = np.where(AT < 600, 0.05, 0.5)
    finding = labelled(tmp_path / "run", 1 - flipped, flipped)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "same labels"), finding.claim
    assert finding.onset == pytest.approx(600, abs=15)
    less = labelled(tmp_path / "less", 1 - np.where(AT < 600, 0.05, 0.2), np.where(AT < 600, 0.05, 0.2))
    assert less.kind != "same labels"


def test_one_latent_for_a_whole_batch_is_a_fault_of_the_loop(tmp_path: Path) -> None:
    none = {"diversity_ratio": np.zeros(TENS), "fake_pairwise_distance": np.zeros(TENS)}
    diagnosis = diagnose(made(tmp_path / "run", steps=STEPS, slow=none))
    assert diagnosis.illnesses[0].kind == "one latent", diagnosis.story
    collapsed = {"diversity_ratio": np.where(np.arange(TENS) < 3, 0.5, 0.0)}
    assert (
        diagnose(made(tmp_path / "later", steps=STEPS, slow=collapsed)).finding("objective_fault").kind != "one latent"
    )


def test_a_generator_that_stays_where_it_was_for_all_its_steps_is_put_back(tmp_path: Path) -> None:
    slow = {**NARROW, "generator_update_ratio": np.full(TENS, 7e-3)}
    for norm, named in ((np.full(TENS, 6.88), True), (np.linspace(6.88, 7.5, TENS), False)):
        facts = {"optimizers": optimizers(betas=[0.5, 0.9]), "players": {"generator": {"parameters": 4000}}}
        path = made(tmp_path / f"{named}", steps=STEPS, slow={**slow, "generator_parameter_norm": norm}, facts=facts)
        assert (diagnose(path).finding("objective_fault").kind == "generator put back") is named


def test_weights_that_have_blown_up_are_not_put_back(tmp_path: Path) -> None:
    slow = {
        **NARROW,
        "generator_update_ratio": np.full(TENS, 1e-5),
        "generator_parameter_norm": np.where(np.arange(TENS) < 70, 10.0, 1e4),
    }
    facts = {"optimizers": optimizers(betas=[0.5, 0.9]), "players": {"generator": {"parameters": 20_000}}}
    finding = diagnose(made(tmp_path / "run", steps=STEPS, slow=slow, facts=facts)).finding("objective_fault")
    assert finding.kind != "generator put back", finding.claim


LAYERS = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]


@pytest.mark.parametrize("last_bias", [0.0, 0.3])
def test_gradients_cleared_before_the_step_are_told_from_dead_units(last_bias: float, tmp_path: Path) -> None:
    table = np.zeros((TENS, 6))
    table[:, 5] = last_bias
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns={"generator_gradient_norm": np.full(STEPS, last_bias)},
        slow={**NARROW, "generator_update_ratio": np.zeros(TENS)},
        layers={"generator_layer_gradient_norm": (table, LAYERS)},
    )
    first = diagnose(path).illnesses[0]
    assert (first.check, first.kind) == (
        ("dead_layers", "dead generator") if last_bias else ("objective_fault", "gradients cleared too late")
    ), first.claim


def test_decay_that_holds_d_is_a_weakness_of_d(tmp_path: Path) -> None:
    facts = {
        "optimizers": {w: {**o, "weight_decay": 1.0} if w == "discriminator" else o for w, o in optimizers().items()}
    }
    norm = {"discriminator_parameter_norm": 10 * 0.1 ** (np.arange(TENS) / TENS)}
    finding = diagnose(made(tmp_path / "run", steps=STEPS, slow={**NARROW, **norm}, facts=facts)).finding(
        "discriminator_weakness"
    )
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "weight decay"), finding.claim


# ---------------------------------------------------------------------------------------------------------- what the data are


@pytest.mark.parametrize(("share", "many", "named"), [(0.5, True, True), (0.5, False, False), (0.1, True, False)])
def test_a_sample_that_stands_for_half_of_the_reals_is_named(
    share: float, many: bool, named: bool, tmp_path: Path
) -> None:
    chance = np.random.default_rng(2)
    lows = chance.uniform(-0.99, -0.9, TENS) if many else np.tile([-0.95, -0.9], TENS // 2)
    slow = {"real_batch_collision": np.full(TENS, share**2), "real_min": lows, "real_max": -lows}
    slow |= {} if many else {"real_effective_rank": np.full(TENS, 1.2)}
    finding = diagnose(made(tmp_path / "run", steps=STEPS, slow=slow)).finding("data_mismatch")
    assert (finding.kind == "repeated sample") is named, finding.claim


@pytest.mark.parametrize(("between", "slow", "named"), [(1.5, NARROW, True), (1.5, {}, False), (0.2, NARROW, False)])
def test_batches_of_sorted_data_are_named_where_the_game_is_ill(
    between: float, slow: dict[str, np.ndarray], named: bool, tmp_path: Path
) -> None:
    means = between * np.sin(np.arange(TENS)[:, None] + np.arange(2))
    path = made(
        tmp_path / "run",
        steps=STEPS,
        slow={**slow, "real_sd": np.full(TENS, 1.0), "fake_sd": np.full(TENS, 1.0)},
        layers={"real_channel_mean": (means, ["0", "1"]), "fake_channel_mean": (np.zeros((TENS, 2)), ["0", "1"])},
    )
    assert (diagnose(path).finding("data_mismatch").kind == "not shuffled") is named


@pytest.mark.parametrize(
    ("passes", "slow", "named"),
    [(5, NARROW, True), (5, {}, False), (1, NARROW, False), (TENS, NARROW, False)],
    ids=["again", "while the fakes are good", "never again", "one batch"],
)
def test_batches_that_come_again_in_each_pass_are_not_shuffled(
    passes: int, slow: dict[str, np.ndarray], named: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    once = rng.standard_normal((3, -(-TENS // passes))) * 0.01
    mean, sd, far = (np.tile(one, passes)[:TENS] for one in once)
    held = {"real_mean": mean, "real_sd": 1 + sd, "real_pairwise_distance": 1 + far}
    finding = diagnose(made(tmp_path / "run", steps=STEPS, slow={**slow, **held})).finding("data_mismatch")
    assert (finding.kind == "not shuffled") is named, finding.claim
    if named:
        assert f"{len(once[0])} differ" in finding.claim


def test_small_batches_whose_directions_come_and_go_by_chance_are_no_misfits(tmp_path: Path) -> None:
    from gandiag.diagnosis import evidence
    from gandiag.diagnosis.fakes import misfits

    chance = np.random.default_rng(4)
    ranks = 1 + chance.exponential(0.5, (2, TENS))
    slow = {"real_effective_rank": ranks[0], "fake_effective_rank": ranks[1], "diversity_ratio": np.full(TENS, 1.0)}
    import gandiag

    off = misfits(evidence(gandiag.load_run(made(tmp_path / "run", steps=STEPS, slow=slow))))
    assert off is not None
    assert not off.any()


@pytest.mark.parametrize(
    "facts",
    [
        {"optimizers": ["Adam"], "players": 3},
        {"optimizers": {"generator": {"class": "Adam", "betas": "ab", "eps": "x", "weight_decay": "much"}}},
        {"labels": {"counts": {"real": {"1": "many"}, "fake": {"0": 5}}, "agreement": "none"}},
        {"labels": {"counts": {"real": {"1": 0}, "fake": {"0": 5}}}},
        {"labels": {"agreement": {"share": 0.9, "chance": 0.1, "count": 1024}, "later_agreement": 3}},
        {"labels": {"agreement": {"share": 0.9, "chance": 0.1, "count": 1024}, "later_agreement": {"share": 0.1}}},
        {"ascends": 3},
        {"discriminator_constraint": "tight", "same_latents": [1]},
    ],
)
def test_a_damaged_run_json_is_no_fault_of_the_training(facts: dict[str, Any], tmp_path: Path) -> None:
    diagnosis = diagnose(made(tmp_path / "run", steps=STEPS, slow=NARROW, facts=facts))
    assert diagnosis.finding("objective_fault").verdict is Verdict.HEALTHY


@pytest.mark.parametrize(("size", "named"), [(0.8, False), (5.0, True)])
def test_scores_that_stay_within_the_hinges_margin_may_be_a_hinges(size: float, named: bool, tmp_path: Path) -> None:
    """There the hinge loss is as straight as a critic's, and holds its scores all the same."""
    scores = {"real_logit_q95": np.full(STEPS, size), "fake_logit_q05": np.full(STEPS, -size)}
    finding = critic(tmp_path / "run", {**LINEAR, **STEEP, **scores}, FREE, NARROW)
    assert (finding.kind == "unconstrained critic") is named, finding.claim


QUANTILE_NAMES = ("q05", "q25", "q50", "q75", "q95")


def test_a_relativistic_game_that_hardly_moves_is_no_logistic_loss(tmp_path: Path) -> None:
    """Its forces cancel at every step, and are a steady multiple of a probability that stays where it is."""
    same = {"generator_saturation": np.full(STEPS, 0.51), "value_function": np.full(STEPS, -1.39)}
    for name in ("discriminator_force_on_real", "discriminator_force_size_on_real", "discriminator_force_size_on_fake"):
        same[name] = 1 + 0.01 * np.linspace(1, -1, STEPS)
    same |= {"discriminator_force_on_fake": -same["discriminator_force_on_real"]}
    same |= {f"{who}_logit_{q}": np.full(STEPS, 0.02) for who in ("real", "fake") for q in ("mean", *QUANTILE_NAMES)}
    columns = {**same, "discriminator_loss": np.full(STEPS, 1.39)}
    facts = {"loss": "mine", "discriminator_constraint": {**FREE, "gradient_penalty": True}}
    finding = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns, facts=facts)).finding("objective_fault")
    assert finding.kind != "penalty of the wrong sign", finding.claim

"""Balance judged by signs that agree: fakes that D takes for reals, a generator that stands still, a D that is blind; none of them by one alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Finding, Verdict, diagnose
from tests import made_runs
from tests.made_runs import made

STEPS = 1000
TENS = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
WIDE = ("modes", "mode", "data_mode", "high_quality", "frechet", "precision", "recall")  # evaluations, left out


def scores_apart(gap: float) -> made_runs.Columns:
    """D's scores with reals above fakes by this many of their standard deviations: AUC is Phi(gap / sqrt 2)."""
    full = np.full(STEPS, gap)
    return made_runs.from_logits(*made_runs.drawn_logits(full, np.zeros(STEPS), np.ones(STEPS), 0))


@pytest.mark.parametrize(
    ("ratio", "gap", "ill"), [(0.3, -2.0, True), (0.3, 1.0, False), (0.7, -2.0, False)], ids=["both", "wins", "wide"]
)
def test_narrow_fakes_that_are_taken_for_reals_have_collapsed(
    ratio: float, gap: float, ill: bool, tmp_path: Path
) -> None:
    """Distances of .3 alone may be a young generator, AUC of .08 alone a slow D: together they are few samples that satisfy D."""
    slow = made_runs.batches(STEPS, 0, ratio, 8.0)
    path = made(tmp_path / "run", steps=STEPS, columns=scores_apart(gap), slow=slow, without=WIDE)
    found = diagnose(path).finding("mode_collapse")
    assert (found.verdict is Verdict.FAILED) is ill, found.claim
    if ill:
        assert "takes them for reals" in found.claim
        assert "limit" in found.claim


@pytest.mark.parametrize(
    ("update", "away", "ill"),
    [(1e-6, 0.5, True), (3e-3, 0.5, False), (1e-6, 0.0, False)],
    ids=["still", "moves", "in place"],
)
def test_a_generator_that_stands_still_elsewhere_is_dominated(
    update: float, away: float, ill: bool, tmp_path: Path
) -> None:
    """AUC of .975 with fakes half a standard deviation away: a verdict only where G is hardly updated beside D (4e-3)."""
    slow = made_runs.batches(STEPS, 0, 0.8, 9.0, hop=0.7 * away) | {"generator_update_ratio": np.full(TENS, update)}
    path = made(tmp_path / "run", steps=STEPS, columns=scores_apart(2.8), slow=slow, without=WIDE)
    found = diagnose(path).finding("discriminator_dominance")
    assert (found.verdict is Verdict.FAILED) is ill, found.claim


@pytest.mark.parametrize(
    ("ratio", "rank", "away", "gap", "ill"),
    [
        (0.75, 7.0, 0.25, 5.0, True),
        (0.97, 7.0, 0.25, 5.0, False),
        (0.75, 9.0, 0.25, 5.0, False),
        (0.75, 7.0, 0.0, 5.0, False),
    ],
    ids=["all three", "as wide", "all directions", "in place"],
)
def test_fakes_that_fall_short_by_little_of_each_fail_against_a_d_that_is_never_wrong(
    ratio: float, rank: float, away: float, gap: float, ill: bool, tmp_path: Path
) -> None:
    slow = made_runs.batches(STEPS, 0, ratio, rank, hop=0.7 * away)
    path = made(tmp_path / "run", steps=STEPS, columns=scores_apart(gap), slow=slow, without=WIDE)
    found = diagnose(path).finding("discriminator_dominance")
    assert (found.verdict is Verdict.FAILED) is ill, found.claim


def blind(path: Path, *, good: float = 0.05, rise: float = 0.0, hop: float = 0.28, gap: float = 0.0) -> Finding:
    """A run whose D sees this much, whose fakes swing this far every 16 steps and of which so many are good."""
    swing = hop * 0.7 * np.sign(np.sin(np.arange(STEPS) / 5))
    path = made(
        path,
        steps=STEPS,
        columns=scores_apart(gap),
        slow=made_runs.batches(STEPS, 0, 0.9, 8.0, hop=swing),
        scores=lambda step: {"precision": good + rise * (step / STEPS) ** 2},
        without=("high_quality",),
    )
    return diagnose(path).finding("discriminator_weakness")


def test_a_blind_discriminator_is_told_by_three_signs(tmp_path: Path) -> None:
    found = blind(tmp_path / "run")
    assert (found.verdict, found.kind) == (Verdict.FAILED, "blind"), found.claim
    assert found.remedies


@pytest.mark.parametrize("change", [{"good": 0.4}, {"good": 0.0, "rise": 0.09}, {"hop": 0.0}, {"gap": 2.0}], ids=str)
def test_it_is_not_by_two(change: dict[str, float], tmp_path: Path) -> None:
    """Good samples, samples that become better, a mean at rest, or a D that does tell: any of them, and D is not blind."""
    assert blind(tmp_path / "run", **change).kind != "blind"


def test_a_generator_that_hops_between_modes_has_collapsed_and_d_is_not_blamed(tmp_path: Path) -> None:
    """AUC near one half and no good sample are the signs of a rotating collapse too: its fakes are narrow."""
    swing = 0.35 * np.sign(np.sin(np.arange(STEPS) / 5))
    slow = made_runs.batches(STEPS, 0, 0.2, 1.5, hop=swing)
    columns, without = scores_apart(0.0), ("modes", "mode", "data_mode", "high_quality")
    path = tmp_path / "run"
    made(path, steps=STEPS, columns=columns, slow=slow, scores=lambda step: {"precision": 0.0}, without=without)
    diagnosis = diagnose(path)
    assert diagnosis.illnesses[0].check == "mode_collapse", diagnosis.story
    assert diagnosis.finding("discriminator_weakness").kind != "blind"


@pytest.mark.parametrize(("first", "ill"), [(0.998, True), (0.97, False)])
def test_a_discriminator_that_has_won_stays_the_winner_until_the_generator_comes_near(
    tmp_path: Path, first: float, ill: bool
) -> None:
    """AUC .97 at the end of a run in which it was .998 before, of narrow fakes; at .97 all along D never dominated."""
    auc = np.where(np.arange(STEPS) < STEPS // 2, first, 0.97)
    slow = made_runs.batches(STEPS, 0, 0.3, 8.0)
    path = made(tmp_path / "run", steps=STEPS, columns={"discriminator_auc": auc}, slow=slow, without=WIDE)
    found = diagnose(path).finding("discriminator_dominance")
    assert (found.verdict is Verdict.FAILED) is ill, found.claim
    assert not ill or found.onset == 0


def test_a_discriminator_that_is_slowed_in_mid_run_is_slow_since_then(tmp_path: Path) -> None:
    half = np.arange(TENS) >= TENS // 2
    slow = made_runs.batches(STEPS, 0, 0.3, 8.0) | {
        "generator_update_ratio": np.full(TENS, 1e-2),
        "discriminator_update_ratio": np.where(half, 1e-5, 1e-2),
    }
    found = diagnose(made(tmp_path / "run", steps=STEPS, columns=scores_apart(1.0), slow=slow, without=WIDE))
    weak = found.finding("discriminator_weakness")
    assert (weak.verdict, weak.kind) == (Verdict.FAILED, "slow")
    assert weak.onset is not None
    assert abs(weak.onset - STEPS // 2) <= 0.03 * STEPS


@pytest.mark.parametrize(
    ("share", "classes", "ill"),
    [(1e-3, ("Adam", "Adam"), True), (0.02, ("Adam", "Adam"), False), (1e-3, ("SGD", "Adam"), False)],
)
def test_a_rate_a_thousandth_of_the_generators_is_slow_from_the_start_whatever_the_updates_look_like(
    share: float, classes: tuple[str, str], ill: bool, tmp_path: Path
) -> None:
    slow = made_runs.batches(STEPS, 0, 0.3, 8.0) | {
        "generator_update_ratio": np.full(TENS, 1e-3),
        "discriminator_update_ratio": np.where(
            np.arange(TENS) % 2, 8e-6, 1.2e-5
        ),  # beside the limit: its weights are small
    }
    columns = scores_apart(0.0) | {
        "generator_learning_rate": np.full(STEPS, 1e-3),
        "discriminator_learning_rate": np.full(STEPS, 1e-3 * share),
    }
    facts = {"optimizers": {who: {"class": c} for who, c in zip(("discriminator", "generator"), classes)}}
    path = made(tmp_path / "run", steps=STEPS, columns=columns, slow=slow, without=WIDE, facts=facts)
    found = diagnose(path).finding("discriminator_weakness")
    assert ((found.verdict, found.kind, found.onset) == (Verdict.FAILED, "slow", 0)) is ill, found.claim


@pytest.mark.parametrize(
    ("g", "d", "first"),
    [
        (1e-4, 1e-3, "--set lr_g=0.001"),  # a D that is faster: its pace for both
        (3e-4, 0.3, "--set lr_d=0.0003"),  # a typing mistake is not copied to the other player
        (2e-3, 1e-4, "--set lr_g=0.0001"),  # a G that is thrown about: a slower D would widen the gap
    ],
)
def test_the_first_remedy_of_dominance_brings_the_rates_together_at_a_usual_one(
    g: float, d: float, first: str, tmp_path: Path
) -> None:
    slow = made_runs.batches(STEPS, 0, 0.3, 3.0)
    facts = {"config": {"lr_g": g, "lr_d": d}}
    path = made(tmp_path / "run", steps=STEPS, columns=scores_apart(5.0), slow=slow, without=WIDE, facts=facts)
    found = diagnose(path).finding("discriminator_dominance")
    assert found.verdict is Verdict.FAILED
    assert found.remedies[0] == first


def test_an_update_of_nothing_asks_for_the_schedule_and_for_no_absurd_rate(tmp_path: Path) -> None:
    slow = {"generator_update_ratio": np.full(TENS, 1e-12)}
    facts = {"config": {"lr_g": 1e-4, "lr_d": 1e-4}}
    found = diagnose(made(tmp_path / "run", steps=STEPS, slow=slow, facts=facts)).finding("learning_rate")
    assert (found.verdict, found.kind) == (Verdict.SUSPECT, "too low")
    assert "schedule" in found.remedies[0]
    assert "0.0001" in found.remedies[0]

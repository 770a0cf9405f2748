"""What is read off the fakes' batches: restlessness, relapses, lost modes, data along a line; and samples that D knows by heart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandiag.diagnosis import Evidence, Verdict, diagnose
from gandiag.diagnosis.fakes import bursts, rank_ratio, relapses, restlessness
from gandiag.run import RunWriter, load_run
from tests import made_runs
from tests.made_runs import made

STEPS = 1000
TENS = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
AT = np.arange(TENS) / TENS


def spread(ratio: np.ndarray) -> dict[str, np.ndarray]:
    real = 4.0 * np.exp(0.02 * np.random.default_rng(0).standard_normal(TENS))
    return {"real_pairwise_distance": real, "fake_pairwise_distance": real * ratio, "diversity_ratio": ratio}


def evidence(path: Path, ratio: np.ndarray, **more: Any) -> Evidence:
    return Evidence(load_run(made(path, steps=STEPS, slow={**spread(ratio), **more})))


def test_restlessness_is_the_spread_beyond_that_of_the_reals(tmp_path: Path) -> None:
    still = restlessness(evidence(tmp_path / "still", np.ones(TENS)))
    assert still is not None
    assert np.max(still) < 0.02
    leaping = restlessness(evidence(tmp_path / "leaps", np.where(np.arange(TENS) % 2, np.exp(0.3), np.exp(-0.3))))
    assert leaping is not None
    assert np.median(leaping) == pytest.approx(0.3, rel=0.1)
    rising = restlessness(
        evidence(tmp_path / "rises", np.exp(2 * AT - 2))
    )  # two nepers in all, .1 within a twentieth of the run
    assert rising is not None
    assert np.median(rising) < 0.05


@pytest.mark.parametrize(("more", "rests"), [(1.0, True), (3.0, False)])
def test_the_chance_of_small_batches_is_no_restlessness(more: float, rests: bool, tmp_path: Path) -> None:
    """Distances within batches of two scatter by more than their size, those of the reals alike."""
    rng = np.random.default_rng(2)
    real, fake = np.exp(0.5 * rng.standard_normal(TENS)), np.exp(0.5 * more * rng.standard_normal(TENS))
    slow = {"real_pairwise_distance": real, "fake_pairwise_distance": fake, "diversity_ratio": fake / real}
    assert (bursts(evidence(tmp_path / "run", np.ones(TENS), **slow)) < 0.25) is rests


def test_a_game_that_never_rests_is_put_down_to_its_steps(tmp_path: Path) -> None:
    leaps = np.exp(np.where(np.random.default_rng(1).random(TENS) < 0.5, -1.1, 0.3))
    e = evidence(tmp_path / "run", leaps)
    assert bursts(e) > 0.9
    found = diagnose(e).finding("learning_rate")
    assert (found.verdict, found.kind) == (Verdict.FAILED, "restless")
    assert "limit" in found.claim
    assert found.remedies


@pytest.mark.parametrize(
    ("average", "low", "verdict"),
    [(False, 0.3, Verdict.FAILED), (True, 0.3, Verdict.SUSPECT), (True, 0.65, Verdict.FAILED)],
    ids=["no average", "an average", "an average that rests nowhere either"],
)
def test_of_a_generator_whose_average_is_kept_restlessness_alone_is_a_suspicion(
    average: bool, low: float, verdict: Verdict, tmp_path: Path
) -> None:
    """The fakes are narrow in a third of the stretches, or in two thirds."""
    leaps = np.exp(np.where(np.random.default_rng(1).random(TENS) < low, -1.1, 0.3))
    path = made(tmp_path / "run", steps=STEPS, slow=spread(leaps), facts={"keeps_average": average, "config": {}})
    found = diagnose(path).finding("learning_rate")
    assert (found.verdict, found.kind) == (verdict, "restless"), found.claim


@pytest.mark.parametrize(
    ("scored", "precision", "covered", "well"),
    [
        ("its moving average", 0.7, 10, True),
        ("its moving average", 0.3, 10, False),
        ("its moving average", 0.7, 6, False),
        ("", 0.7, 10, False),
    ],
)
def test_a_moving_average_that_was_scored_and_is_good_rests_for_its_generator(
    scored: str, precision: float, covered: int, well: bool, tmp_path: Path
) -> None:
    leaps = np.exp(np.where(np.random.default_rng(1).random(TENS) < 0.65, -1.1, 0.3))
    path = made(tmp_path / "run", steps=STEPS, slow=spread(leaps), facts={"config": {}})
    with RunWriter(path, {}, resume_at=STEPS) as writer:
        scores = {"precision[values]": precision, "modes_covered": covered, "modes_total": 10}
        protocol = {"features": "values"} | ({"generator": scored} if scored else {})
        writer.record("evaluations", {"step": STEPS - 1, "scores": scores, "labels": {}, "protocol": protocol})
    assert Evidence(load_run(path)).average_is_well is well
    found = diagnose(path).finding("learning_rate")
    assert (found.verdict, found.kind) == (Verdict.SUSPECT if well else Verdict.FAILED, "restless"), found.claim


def test_it_is_not_where_the_generator_outruns_the_discriminator(tmp_path: Path) -> None:
    leaps = np.exp(np.where(np.random.default_rng(1).random(TENS) < 0.5, -1.1, 0.3))
    slow = {"generator_update_ratio": np.full(TENS, 1e-2), "discriminator_update_ratio": np.full(TENS, 5e-4)}
    assert diagnose(evidence(tmp_path / "run", leaps, **slow)).finding("learning_rate").kind != "restless"


def test_a_relapse_counts_only_after_the_fakes_have_been_like_the_reals(tmp_path: Path) -> None:
    before = relapses(evidence(tmp_path / "young", np.where(AT < 0.5, 0.2, 1.0)))
    after = relapses(evidence(tmp_path / "lost", np.where(AT < 0.5, 1.0, 0.2)))
    assert before is not None
    assert not before.any()
    assert after is not None
    assert after.mean() == pytest.approx(0.5, abs=0.05)


def test_data_along_a_line_have_no_directions_to_lose(tmp_path: Path) -> None:
    line = {"real_effective_rank": np.ones(TENS), "fake_effective_rank": np.ones(TENS)}
    e = evidence(tmp_path / "run", np.full(TENS, 0.85), **line)
    assert rank_ratio(e) is None
    assert diagnose(e).finding("mode_collapse").verdict is Verdict.HEALTHY


def test_modes_that_were_had_and_are_lost_are_no_smear(tmp_path: Path) -> None:
    def scores(lost: bool) -> Any:
        def at(step: int) -> dict[str, Any]:
            covered = 8 if lost and 200 < step < 700 else 0
            return {
                "modes_total": 8,
                "modes_covered": covered,
                "precision[digits-cnn]": 0.05,
                "high_quality_share": 0.05,
            }

        return at

    for lost in (True, False):
        found = diagnose(made(tmp_path / str(lost), steps=STEPS, scores=scores(lost))).finding("mode_collapse")
        assert (found.verdict, found.kind) == ((Verdict.FAILED, "lost") if lost else (Verdict.SUSPECT, "smeared")), (
            found.claim
        )


# ------------------------------------------------------------------------------------------------------ samples known by heart


def few(
    path: Path, collision: float, auc: float, batch: float = 128.0, more: Mapping[str, np.ndarray] | None = None
) -> Path:
    facts = {"data": {"name": "mine", "kind": "images"}, "players": {}}
    return made(
        path,
        steps=STEPS,
        facts=facts,
        slow={"real_batch_collision": np.full(TENS, collision), **(more or {})},
        columns={"discriminator_auc": np.full(STEPS, auc), "images_seen": batch * np.arange(1, STEPS + 1)},
        without=("auc_gap", "heldout"),
        scores=None,
    )


@pytest.mark.parametrize(
    ("collision", "auc", "said"),
    [
        (1 / 32, 0.98, Verdict.FAILED),
        (1 / 32, 0.8, Verdict.FAILED),  # shown 4000 times each, and values that coincide no more often than samples do
        (1 / 32, 0.55, Verdict.NOT_CHECKED),
        (1 / 2000, 0.98, Verdict.NOT_CHECKED),
        (0.0, 0.98, Verdict.NOT_CHECKED),
    ],
)
def test_few_samples_are_counted_by_their_collisions(
    collision: float, auc: float, said: Verdict, tmp_path: Path
) -> None:
    """32 different samples alone are no illness: D must also tell them from the fakes."""
    found = diagnose(few(tmp_path / "run", collision, auc)).finding("discriminator_overfitting")
    assert found.verdict is said, found.claim
    if said is Verdict.FAILED:
        assert "32 different samples" in found.claim


@pytest.mark.parametrize(("repeat", "said"), [(1 / 32, Verdict.FAILED), (0.5, Verdict.SUSPECT)])
def test_of_continuous_data_a_few_samples_are_no_law_of_theirs(repeat: float, said: Verdict, tmp_path: Path) -> None:
    """Values of one-hot rows coincide far more often than rows do: there a few different ones may be all that there are."""
    path = few(tmp_path / "run", 1 / 32, 0.8, more={"real_batch_repeat": np.full(TENS, repeat)})
    assert diagnose(path).finding("discriminator_overfitting").verdict is said


@pytest.mark.parametrize(
    ("times", "auc", "ill"), [(400, 0.95, True), (400, 0.85, False), (250, 0.95, False), (300, 0.995, True)]
)
def test_a_d_that_is_hardly_ever_wrong_about_a_few_counted_samples_knows_them_sooner(
    times: float, auc: float, ill: bool, tmp_path: Path
) -> None:
    path = few(tmp_path / "run", 1 / 30, auc, batch=times * 30 / STEPS)
    found = diagnose(path).finding("discriminator_overfitting")
    assert (found.verdict is Verdict.FAILED) is ill, found.claim

"""The story: root cause first, consequences under it, the overall verdict, and what was not checked never reads as healthy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gandiag
from gandiag.diagnosis import (
    CHECKS,
    BrokenCheck,
    Diagnosis,
    Finding,
    Limits,
    Overall,
    Recorded,
    Verdict,
    diagnose,
    load_limits,
    make_limits,
)
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.story import CAUSES, tell
from gandiag.errors import UsageError
from gandiag.run import load_run
from tests import made_runs


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return Evidence(load_run(made_runs.healthy(tmp_path_factory.mktemp("story") / "run", steps=1000)))


def ill(check: str, onset: int | None = None, verdict: Verdict = Verdict.FAILED, kind: str = "") -> Finding:
    return Finding(check, verdict, f"{check} is 1 (limit: 0)", onset=onset, series=("x",), kind=kind)


def well(check: str) -> Finding:
    return Finding(check, Verdict.HEALTHY, "0 (limit: 1)")


def test_a_rate_too_high_then_divergence_then_nan_is_one_illness(run: Evidence) -> None:
    told = tell(run, [ill("numerical_failure", 700), ill("divergence", 500), ill("learning_rate", 480)])
    assert [f.check for f in told.findings] == ["learning_rate", "divergence", "numerical_failure"]
    assert [f.because_of for f in told.findings] == ["", "learning_rate", "learning_rate"]
    assert told.story.count("failure") == 1
    assert "it brings divergence and numerical failure" in told.story


def test_a_cause_cannot_come_long_after_its_effect(run: Evidence) -> None:
    told = tell(run, [ill("divergence", 900), ill("numerical_failure", 200)])
    assert not told.finding("numerical_failure").because_of


def test_a_collapse_makes_the_discriminator_win_and_not_the_other_way_round(run: Evidence) -> None:
    told = tell(run, [ill("discriminator_dominance", 500), ill("mode_collapse", 500)])
    assert [f.check for f in told.findings] == ["mode_collapse", "discriminator_dominance"]
    early = tell(run, [ill("discriminator_dominance", 10), ill("mode_collapse", 500)])
    assert [f.check for f in early.findings] == ["discriminator_dominance", "mode_collapse"]


def test_a_saturated_loss_is_the_cause_whenever_its_gradient_dies(run: Evidence) -> None:
    died = ill("vanishing_generator_gradient", 300, kind="logit")
    told = tell(run, [ill("discriminator_dominance", 0), died, ill("mode_collapse", 0)])
    assert told.findings[0].check == "vanishing_generator_gradient"
    assert all(f.because_of == "vanishing_generator_gradient" for f in told.findings[1:])


def test_a_gradient_that_dies_behind_the_logit_after_a_collapse_is_its_consequence(run: Evidence) -> None:
    died = ill("vanishing_generator_gradient", 480, kind="image")
    told = tell(run, [ill("discriminator_dominance", 375), died, ill("mode_collapse", 390)])
    assert told.findings[0].check == "mode_collapse"
    assert all(f.because_of == "mode_collapse" for f in told.findings[1:])
    before = ill("vanishing_generator_gradient", 100, kind="image")
    told = tell(run, [before, ill("mode_collapse", 390)])
    assert [f.check for f in told.findings] == ["vanishing_generator_gradient", "mode_collapse"]


def test_illnesses_that_lead_to_each_other_do_not_lose_themselves(run: Evidence) -> None:
    """Each of the three may cause the next: a flat D by a collapse, that by a dead gradient, this by the flat D."""
    given = [
        ill("mode_collapse", 0),
        ill("discriminator_weakness", 90),
        ill("vanishing_generator_gradient", 97),
        ill("learning_rate", 800, Verdict.SUSPECT),
    ]
    told = tell(run, given)
    assert told.verdict is Overall.UNSTABLE
    assert [f.check for f in told.findings if not f.because_of] == ["discriminator_weakness"]
    assert len(told.findings) == 4


def test_every_finding_is_told_once(run: Evidence) -> None:
    chance = np.random.default_rng(0)
    names = np.array([*CAUSES])
    for _ in range(2000):
        chosen = chance.permutation(names)[: chance.integers(1, 9)]
        verdicts = chance.choice(
            np.array([Verdict.FAILED, Verdict.SUSPECT, Verdict.HEALTHY], dtype=object), len(chosen)
        )
        onsets = [None if chance.random() < 0.2 else int(chance.integers(0, 1000)) for _ in chosen]
        given = [ill(str(c), onset, v) for c, onset, v in zip(chosen, onsets, verdicts)]
        told = tell(run, given)
        assert sorted(f.check for f in told.findings) == sorted(f.check for f in given)
        roots = {f.check for f in told.findings if not f.because_of}
        assert all(f.because_of in roots for f in told.findings if f.because_of)


def test_a_suspicion_explains_no_failure(run: Evidence) -> None:
    told = tell(run, [ill("learning_rate", 0, Verdict.SUSPECT), ill("divergence", 100)])
    assert [f.check for f in told.findings] == ["divergence", "learning_rate"]
    assert not told.findings[0].because_of


def test_overall_verdicts(run: Evidence) -> None:
    fine = [well("divergence"), well("mode_collapse")]
    assert tell(run, fine).verdict is Overall.STABLE
    assert tell(run, [*fine, ill("stagnation", None, Verdict.SUSPECT)]).verdict is Overall.SUSPECT
    assert tell(run, [*fine, ill("divergence")]).verdict is Overall.UNSTABLE
    unseen = Finding("mode_collapse", Verdict.NOT_CHECKED, "diversity_ratio was not recorded")
    assert tell(run, [well("divergence"), unseen]).verdict is Overall.INCONCLUSIVE
    assert "mode collapse" in tell(run, [well("divergence"), unseen]).story


def test_a_broken_score_alone_does_not_make_the_training_unstable(run: Evidence) -> None:
    told = tell(run, [well("divergence"), ill("metric_fault")])
    assert told.verdict is Overall.SUSPECT
    assert told.findings[0].check == "metric_fault"
    assert told.story.startswith("Metric fault")


def test_causes_name_checks_that_exist_and_make_no_root_of_everything() -> None:
    known = {check.__name__ for check in CHECKS}
    assert set(CAUSES) == known
    assert all(effect in known or effect == "*" for effects in CAUSES.values() for effect in effects)


@pytest.mark.parametrize("maker", sorted(made_runs.MADE))
def test_every_made_run_gets_one_finding_a_check_and_a_story(maker: str, tmp_path: Path) -> None:
    told = diagnose(made_runs.MADE[maker](tmp_path / "run", steps=600))
    assert sorted(f.check for f in told.findings) == sorted(check.__name__ for check in CHECKS)
    assert told.story.endswith(".")
    assert isinstance(told, Diagnosis)


@pytest.mark.parametrize(
    ("maker", "verdict", "first"),
    [
        ("healthy", Overall.STABLE, None),
        ("cut_off", Overall.STABLE, None),
        ("rotating_collapse", Overall.UNSTABLE, "mode_collapse"),
        ("total_collapse", Overall.UNSTABLE, "mode_collapse"),
        ("divergence_with_nan", Overall.UNSTABLE, "divergence"),
        ("discriminator_dominance", Overall.UNSTABLE, "discriminator_dominance"),
        ("vanishing_gradient", Overall.UNSTABLE, "vanishing_generator_gradient"),
        ("range_mismatch", Overall.UNSTABLE, "data_mismatch"),
        ("only_losses", Overall.INCONCLUSIVE, None),
        ("one_step", Overall.INCONCLUSIVE, None),
        ("empty", Overall.INCONCLUSIVE, None),
    ],
)
def test_made_runs_are_judged_as_they_were_made(
    maker: str, verdict: Overall, first: str | None, tmp_path: Path
) -> None:
    told = gandiag.diagnose(made_runs.MADE[maker](tmp_path / "run", steps=1000))
    assert told.verdict is verdict, told.story
    assert (told.illnesses[0].check if told.illnesses else None) == first


def test_a_check_of_the_users_own_is_made_like_the_others(run: Evidence) -> None:
    def fast_enough(run: Recorded) -> Finding:
        seconds = run["step_seconds"].median()
        return Finding(
            "fast_enough", Verdict.FAILED if seconds > 1e-6 else Verdict.HEALTHY, f"{seconds} s a step (limit: 1e-6)"
        )

    told = diagnose(run.run, checks=(*CHECKS, fast_enough))
    assert told.finding("fast_enough").verdict is Verdict.FAILED
    assert told.verdict is Overall.UNSTABLE
    with pytest.raises(KeyError):
        told.finding("nothing")


def test_limits_change_the_judgement(tmp_path: Path) -> None:
    path = made_runs.made(tmp_path / "run", steps=1000, slow={"generator_update_ratio": np.full(100, 0.05)})
    assert diagnose(path).finding("learning_rate").verdict is Verdict.HEALTHY
    strict = diagnose(path, limits=Limits(update_ratio_high=0.01, update_ratio_suspect=0.005))
    assert strict.finding("learning_rate").verdict is Verdict.FAILED
    assert "0.01" in strict.finding("learning_rate").claim


def test_limits_are_read_from_toml_and_mistakes_are_named(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("[limits]\ndominance_auc = 0.95\nsteps_needed = 100\n")
    assert load_limits(file) == Limits(dominance_auc=0.95, steps_needed=100)
    file.write_text("dominance_auk = 0.95\n")
    with pytest.raises(UsageError, match="did you mean 'dominance_auc'"):
        load_limits(file)
    file.write_text("dominance_auc = 'high'\n")
    with pytest.raises(UsageError, match="a number was expected"):
        load_limits(file)
    file.write_text("dominance_auc = [\n")
    with pytest.raises(UsageError, match="no TOML"):
        load_limits(file)
    for text in ("dominance_auc = inf\n", f"steps_needed = {2**63}\n"):
        file.write_text(text)
        with pytest.raises(UsageError, match="a finite number was expected"):
            load_limits(file)
    file.write_text("limits = 3\n")
    with pytest.raises(UsageError, match="must be a table"):
        load_limits(file)
    with pytest.raises(UsageError, match="cannot be read"):
        load_limits(tmp_path / "absent.toml")
    with pytest.raises(UsageError, match="a number was expected"):
        make_limits({"steps_needed": True})


def test_a_check_that_breaks_takes_no_other_along(tmp_path: Path) -> None:
    def broken(run: Recorded) -> Finding:
        return Finding("broken", Verdict.HEALTHY, str(np.zeros(3) + np.zeros(4)))

    with pytest.warns(BrokenCheck, match="broken"):
        diagnosis = diagnose(load_run(made_runs.healthy(tmp_path / "run", steps=300)), checks=(broken, *CHECKS))
    assert diagnosis.finding("broken").verdict is Verdict.NOT_CHECKED
    assert "report it" in diagnosis.finding("broken").claim
    assert len(diagnosis.findings) == len(CHECKS) + 1


@pytest.mark.parametrize("judged", [False, True])
def test_stable_says_where_nobody_judged_the_samples(judged: bool, run: Evidence) -> None:
    rest = [well("divergence"), well("mode_collapse"), Finding("mode_dropping", Verdict.NOT_CHECKED, "no evaluation")]
    told = tell(
        run, [*rest, well("convergence") if judged else Finding("convergence", Verdict.NOT_CHECKED, "no score")]
    )
    assert told.verdict is Overall.STABLE
    assert ("how good the samples are was not judged" in told.story) is not judged

"""Runs that hold little, or something odd: what is missing is said and never taken for health, what is there is still judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gandiag.diagnosis import CHECKS, Evidence, Finding, Verdict, judge, remedies, render
from gandiag.diagnosis.baseline import Change
from gandiag.diagnosis.fakes import coverage, fakes_path, getting_nearer, lapse, restlessness, samples_hit
from gandiag.diagnosis.gate import Judged, judge_runs
from gandiag.diagnosis.motion import _spectrum, read_game
from gandiag.diagnosis.weakness import Handicap, handicap
from gandiag.errors import NotRecorded, RunError
from gandiag.logs.log import Log
from gandiag.run import RunWriter

STEPS = 600
AT = np.arange(STEPS)
BY_NAME = {check.__name__: check for check in CHECKS}


@dataclass(frozen=True)
class Held(Log):
    """A run in memory: scalars, vectors and records."""

    vectors: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    lines: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)

    def layers(self, name: str) -> pd.DataFrame:
        if name not in self.vectors:
            raise NotRecorded(name)
        return self.vectors[name]

    def records(self, kind: str) -> list[dict[str, Any]]:
        return self.lines.get(kind, [])


def held(about: Mapping[str, Any] | None = None, *, every: int = 1, **series: Any) -> Held:
    """A run of STEPS steps with these series, each a number or a curve on one cadence."""
    at = AT[::every]
    curves = {
        name: pd.Series(np.broadcast_to(np.asarray(v, float), len(at)).copy(), index=at) for name, v in series.items()
    }
    return Held(Path("held"), dict(about or {}), curves)


def found(check: str, run: Held) -> Finding:
    return judge(BY_NAME[check], run)


def evaluated(values: Mapping[str, list[Any]], every: int = 50) -> dict[str, pd.Series]:
    return {name: pd.Series(v, index=np.arange(len(v)) * every, dtype=float) for name, v in values.items()}


# ------------------------------------------------------------------------------------------------- what cannot be judged

NAN = np.nan
UNTOLD: dict[str, tuple[str, Held, str]] = {
    "no gradient from the start": (
        "vanishing_generator_gradient", held(generator_gradient_norm=0.0), "the generator's gradient is 0 from the start"),
    "a gap that was never finite": (
        "discriminator_overfitting", held(auc_gap=NAN), "the AUC gap was never finite"),
    "ranges that were never finite": (
        "data_mismatch", held(real_min=NAN, real_max=1.0, fake_min=-1.0, fake_max=1.0), "real_min was never finite"),
    "no trace": (
        "oscillation", held(generator_loss=1.0), "not recorded"),
    "few spectra": (
        "spectral_collapse",
        Held(Path("x"), {}, {"generator_loss": pd.Series(np.ones(STEPS))},
             vectors={"discriminator_layer_effective_rank": pd.DataFrame({"a": [9.0, 8.0, NAN]}, index=[0, 100, 200])}),
        "2 finite spectra were recorded, 4 are needed"),
    "one evaluation of the modes": (
        "mode_dropping",
        Held(Path("x"), {}, {"generator_loss": pd.Series(np.ones(STEPS))},
             vectors={"mode_histogram": pd.DataFrame([[0.5, 0.5]], index=[0])}),
        "1 evaluations of the modes were recorded, 2 that hit any mode are needed"),
    "modes that a young run has not had yet": (
        "mode_dropping",
        Held(Path("x"), {"status": "running"}, {"generator_loss": pd.Series(np.ones(STEPS))},
             vectors={"mode_histogram": pd.DataFrame([[1.0, 0.0, 0.0]] * 4, index=[0, 100, 200, 300])}),
        "they never were there, and the run is young"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNTOLD)
def test_what_cannot_be_judged_says_why(case: str) -> None:
    check, run, why = UNTOLD[case]
    finding = found(check, run)
    assert finding.verdict is Verdict.NOT_CHECKED
    assert why in finding.claim


def test_what_was_not_recorded_is_no_sign_of_anything() -> None:
    bare = Evidence(held(generator_loss=1.0))
    assert coverage(bare) is None
    assert fakes_path(bare) is None
    assert restlessness(bare) is None
    assert lapse(bare, np.ones(len(bare.edges) - 1, dtype=bool)) is None
    assert not getting_nearer(bare)
    assert handicap(bare) == Handicap()
    assert coverage(Evidence(held(modes_covered=1.0, modes_total=1.0))) is None  # data of one mode have none to lose
    assert restlessness(Evidence(held(fake_pairwise_distance=0.0, real_pairwise_distance=1.0))) is None
    with pytest.raises(NotRecorded):
        read_game(bare)


def test_a_baseline_that_holds_nothing_to_compare_is_refused(tmp_path: Path) -> None:
    (tmp_path / "now.csv").write_text("step,fid\n0,9\n100,8\n")
    RunWriter(tmp_path / "then", {}).close()
    with pytest.raises(RunError, match="the baseline holds nothing that could be compared"):
        judge_runs([tmp_path / "now.csv"], [tmp_path / "then"])


def test_a_score_that_cannot_be_compared_is_left_out(tmp_path: Path) -> None:
    """A distance is compared by its logarithm: one of 0 or below has none."""
    for name, distance in (("now", 9.0), ("then", 0.0)):
        rows = [f"{i},{distance},{0.5 + 0.01 * i}" for i in range(6)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["step,fid,recall", *rows]))
    judged = judge_runs([tmp_path / "now.csv"], [tmp_path / "then.csv"])
    assert [change.score for change in judged.changes] == ["recall"]


@pytest.mark.parametrize(
    ("distances", "hit"),
    [
        (None, True),
        ([90.0], True),
        ([90.0, NAN, 50.0], True),
        ([90.0, 50.0, 40.0, 40.0], True),
        ([90.0, 80.0, 70.0, 60.0], False),
    ],
    ids=str,
)
def test_samples_count_as_good_where_nothing_or_a_halved_distance_says_so(
    distances: list[float] | None, hit: bool
) -> None:
    scores = {} if distances is None else evaluated({"frechet_distance[points]": distances})
    assert samples_hit(Evidence(Held(Path("x"), {}, {"generator_loss": pd.Series(np.ones(STEPS)), **scores}))) is hit


# ----------------------------------------------------------------------------------------------- what little is enough for

RISING = np.geomspace(0.02, 0.45, STEPS)
TOLD: dict[str, tuple[str, Held, Verdict, str, str]] = {
    "D wins, the fakes come nearer": (
        "discriminator_dominance", held(discriminator_auc=1.0, diversity_ratio=RISING), Verdict.SUSPECT, "learning", "but the fakes come nearer"),
    "D wins, and all that is known of the fakes is their score": (
        "discriminator_dominance",
        held({"loss": "bce"}, discriminator_auc=1.0, real_logit_mean=np.linspace(2, 9, STEPS), fake_logit_mean=-np.linspace(2, 9, STEPS)),
        Verdict.FAILED, "", "16.6 logits apart and not nearer than ever"),
    "D has no learning rate": (
        "discriminator_weakness",
        held(discriminator_auc=0.5, diversity_ratio=0.2, discriminator_learning_rate=0.0),
        Verdict.FAILED, "frozen", "discriminator learning rate is 0"),
    "D is tiny": (
        "discriminator_weakness",
        held({"players": {"discriminator": {"parameters": 17}, "generator": {"parameters": 18_000}}, "config": {"discriminator_width": 4}},
             discriminator_auc=0.5, diversity_ratio=0.2),
        Verdict.FAILED, "too small", "D has 17 parameters"),
    "a saturating loss whose gradient is faint": (
        "vanishing_generator_gradient",
        held({"loss": "minimax"}, generator_gradient_norm=np.where(AT < 60, 1.0, 0.01), generator_saturation=1e-5, discriminator_auc=0.999),
        Verdict.SUSPECT, "logit", "and the loss saturates"),
    "modes are still being won": (
        "mode_collapse",
        held(modes_covered=np.minimum(AT // 150, 3), modes_total=8.0), Verdict.SUSPECT, "learning",
        "3 of 8 modes are covered (limit: more than 50%), and rising"),
    "half the modes were lost for a while": (
        "mode_collapse",
        held(every=20, modes_covered=np.where((AT[::20] > 150) & (AT[::20] < 350), 3, 8), modes_total=8.0),
        Verdict.SUSPECT, "passing", "but half or fewer were between steps 160 and 340"),
    "the batches were poor for a while": (
        "mode_collapse",
        held(diversity_ratio=np.where((AT > 150) & (AT < 350), 0.05, 0.95)), Verdict.SUSPECT, "passing", "but far less between steps"),
    "the fakes have lost their directions": (
        "mode_collapse",
        held(diversity_ratio=0.85, fake_effective_rank=1.1, real_effective_rank=10.0), Verdict.FAILED, "partial",
        "the fakes' directions are 0.01 of the reals'"),
    "the fakes lie elsewhere with half the directions": (
        "mode_collapse",
        held(diversity_ratio=0.85, fake_effective_rank=4.6, real_effective_rank=10.0, fake_mean=1.2, fake_sd=1.0, real_mean=0.0, real_sd=1.0),
        Verdict.FAILED, "partial", "the fakes lie elsewhere"),
    "gradients and loss ran away for a while": (
        "divergence",
        held(generator_gradient_norm=np.where((AT > 150) & (AT < 400), 1e4, 1.0), discriminator_loss=np.where((AT > 150) & (AT < 400), 1e4, 1.0)),
        Verdict.SUSPECT, "", "for a while"),
    "the fakes' diversity stays where it began": (
        "stagnation", held(diversity_ratio=0.2), Verdict.SUSPECT, "", "the fakes' diversity is 0.2 of the reals'"),
    "precision without recall": (
        "mode_dropping", held(precision=0.9, recall=0.1), Verdict.SUSPECT, "", "recall is 0.10 at precision 0.90"),
    "constant reals": (
        "data_mismatch",
        held(real_sd=0.0, fake_sd=0.5, real_mean=0.25, real_min=0.25, real_max=0.25, fake_min=-0.9, fake_max=0.9),
        Verdict.FAILED, "constant", "all values of the real batches are 0.25"),
    "reals beyond a tanh": (
        "data_mismatch",
        held(real_min=-3.0, real_max=3.0, fake_min=-1.0, fake_max=1.0), Verdict.FAILED, "range", "values beyond what the generator can give"),
    "reals in bytes": (
        "data_mismatch",
        held(real_min=0.0, real_max=255.0, fake_min=-1.0, fake_max=1.0), Verdict.FAILED, "range", "a range of bytes"),
    "fakes of a sigmoid, reals of both signs": (
        "data_mismatch",
        held(real_min=-1.0, real_max=1.0, fake_min=0.0, fake_max=1.0), Verdict.FAILED, "range", "a range of [-1, 1]"),
    "updates that are next to nothing": (
        "learning_rate",
        held(generator_update_ratio=1e-9, discriminator_update_ratio=1e-3), Verdict.SUSPECT, "too low",
        "each update changes the generator's weights by 1e-09"),
    "fewer samples than features, by the protocol": (
        "metric_fault",
        Held(Path("x"), {}, {"generator_loss": pd.Series(np.ones(STEPS)), **evaluated({"frechet_distance[mine]": [9.0, 8.0, 7.0]})},
             lines={"evaluations": [{"step": 0, "protocol": {"count": 500, "dimensions": 2048}}]}),
        Verdict.SUSPECT, "few samples", "500 samples, fewer than the 2048 features"),
    "as many samples as features": (
        "metric_fault",
        Held(Path("x"), {}, {"generator_loss": pd.Series(np.ones(STEPS)), **evaluated({"frechet_distance[mine]": [9.0, 8.0, 7.0]})},
             lines={"evaluations": [{"step": 0, "protocol": {"count": 5000, "dimensions": 2048}}]}),
        Verdict.HEALTHY, "", "all 1 scores stay within what they can be"),
    "matrices too narrow to lose anything": (
        "spectral_collapse",
        Held(Path("x"), {}, {"generator_loss": pd.Series(np.ones(STEPS))},
             vectors={"discriminator_layer_effective_rank": pd.DataFrame({"a": [3.0, 3.0, 1.0, 1.0, 1.0]}, index=np.arange(5) * 100)}),
        Verdict.HEALTHY, "", "no weight matrix has more than 4 directions to lose"),
    "a mode at a seventh of its even share is not left out": (
        "mode_dropping",
        Held(Path("x"), {}, {"generator_loss": pd.Series(np.ones(STEPS))},
             vectors={"mode_histogram": pd.DataFrame([[0.4, 0.4, 0.1643, 0.0357]] * 8, index=np.arange(8) * 70)}),
        Verdict.HEALTHY, "", "0 of 4 modes have less than 10% of their share"),
    "modes are left out, and no distance says whether it gets better": (
        "mode_dropping",
        Held(Path("x"), {}, {"generator_loss": pd.Series(np.ones(STEPS))},
             vectors={"mode_histogram": pd.DataFrame([[0.5, 0.5, 0.0, 0.0]] * 8, index=np.arange(8) * 70)}),
        Verdict.FAILED, "modes", "2 of 4 modes have less than"),
    "modes are left out, and a single distance says nothing more": (
        "mode_dropping",
        Held(Path("x"), {}, {"generator_loss": pd.Series(np.ones(STEPS)), **evaluated({"frechet_distance[mine]": [9.0]})},
             vectors={"mode_histogram": pd.DataFrame([[0.5, 0.5, 0.0, 0.0]] * 8, index=np.arange(8) * 70)}),
        Verdict.FAILED, "modes", "2 of 4 modes have less than"),
}  # fmt: skip


@pytest.mark.parametrize("case", TOLD)
def test_what_little_there_is_is_judged(case: str) -> None:
    check, run, verdict, kind, words = TOLD[case]
    finding = found(check, run)
    assert words in finding.claim
    assert (finding.verdict, finding.kind) == (verdict, kind)


RANGES = {
    "frechet_distance": (0, None), "precision": (0, 1), "recall": (0, 1), "coverage": (0, 1), "density": (0, None), "inception_score": (1, None),
    "vendi_score": (1, None), "authenticity": (0, 1), "high_quality_share": (0, 1), "mode_kl": (0, None), "modes_covered": (0, None),
    "nearest_real_distance": (0, None),
}  # fmt: skip


@pytest.mark.parametrize("name", RANGES)
def test_a_score_is_impossible_beyond_its_range_and_not_within_it(name: str) -> None:
    low, high = RANGES[name]
    steady = {"generator_loss": pd.Series(np.ones(STEPS))}

    def judged(value: float) -> Finding:
        values = [value + 0.001 * i for i in range(3)]  # a score that never moves would be another fault
        return found("metric_fault", Held(Path("x"), {}, {**steady, **evaluated({f"{name}[mine]": values})}))

    for value in (low + 0.01, 0.5 if high == 1 else 40.0):
        assert judged(value).verdict is Verdict.HEALTHY, judged(value).claim
    for value in (low - 0.5, *((1.5,) if high == 1 else ())):
        assert (judged(value).verdict, judged(value).kind) == (Verdict.FAILED, "impossible")


@pytest.mark.parametrize(
    ("real", "words"),
    [
        ([-0.2, -0.1], "locally stable"),
        ([-0.2, 0.1], "locally unstable"),
        ([-0.2, 0.0], "neither attracting nor repelling"),
    ],
)
def test_the_games_spectrum_is_named_by_its_rightmost_eigenvalue(real: list[float], words: str) -> None:
    vectors = {"game_eigenvalues_real": pd.DataFrame([real]), "game_eigenvalues_imaginary": pd.DataFrame([[0.5, -2.0]])}
    said = _spectrum(Evidence(Held(Path("x"), {}, {}, vectors=vectors)))
    assert f"are {words} (largest real part {max(real):.3g}, most rotating {real[1]:.3g} +- 2i)" in said
    vectors["game_eigenvalues_real"] = pd.DataFrame([[np.nan, 0.0]])
    assert _spectrum(Evidence(Held(Path("x"), {}, {}, vectors=vectors))) == ""


def test_what_hops_from_mode_to_mode_rotates_and_what_stays_at_one_does_not() -> None:
    modes = {"modes_covered": 1.0, "modes_total": 8.0, "generator_loss": 1.0}
    for places, kind in (([0] * 8, "partial"), (list(range(8)), "rotating")):
        histogram = pd.DataFrame(np.eye(8)[places], index=np.arange(8) * 70)
        run = Held(Path("x"), {}, held(**modes).series, vectors={"mode_histogram": histogram})
        finding = found("mode_collapse", run)
        assert (finding.verdict, finding.kind) == (Verdict.FAILED, kind)


def test_a_diversity_that_changes_is_not_one_that_stays() -> None:
    moving = found("stagnation", held(diversity_ratio=np.linspace(0.2, 0.45, STEPS)))
    assert moving.verdict is Verdict.HEALTHY


def test_the_learning_rate_to_take_is_that_of_a_usual_update() -> None:
    """Updates of .7 of the weights at 1e-3, where 1e-2 is usual for small nets: 1.4e-5, in one digit."""
    run = held({"config": {"lr_g": 1e-3}}, generator_update_ratio=0.7, discriminator_update_ratio=1e-3)
    assert found("learning_rate", run).remedies == ("--set lr_g=1e-05",)


def test_a_gradient_that_died_at_the_logit_is_cured_by_another_loss_and_one_that_died_behind_it_by_a_penalty() -> None:
    dead = {"generator_gradient_norm": np.where(AT < 60, 1.0, 1e-5), "discriminator_auc": 0.999, "diversity_ratio": 0.2}
    config = {"config": {"loss": "minimax", "gamma": 0.5, "penalties": ["r1"]}}
    for at_logit, kind, cure in (
        (np.where(AT < 60, 1.0, 1e-5), "logit", "--set loss=non-saturating"),
        (1.0, "image", "--set gamma=1"),
    ):
        finding = found("vanishing_generator_gradient", held(config, **dead, generator_gradient_at_logit=at_logit))
        assert (finding.verdict, finding.kind) == (Verdict.FAILED, kind)
        assert finding.remedies[0] == cure


def test_nothing_but_the_wandering_of_its_fakes_makes_no_generator_bad_for_good() -> None:
    """Fakes that wander, with neither the share of good ones nor precision: whether D is to blame is not known."""
    wandering = np.where(AT // 10 % 2, 1.0, -1.0)
    run = held(fake_mean=wandering, real_mean=0.0, real_sd=1.0, fake_sd=0.3, discriminator_auc=0.5)
    assert found("discriminator_weakness", run).verdict is Verdict.HEALTHY


@pytest.mark.parametrize(
    ("loss", "free"), [("wgan-gp", True), ("relativistic", True), ("hinge", False), ("mine", True), (None, True)]
)
def test_a_critic_is_known_by_its_loss_or_by_its_forces(loss: str | None, free: bool) -> None:
    forces = {
        "discriminator_force_on_real": 0.4,
        "discriminator_force_on_fake": -0.4,
        "discriminator_force_size_on_real": 0.4,
    }
    about = {} if loss is None else {"loss": loss}
    assert Evidence(held(about, **forces)).free_offset is free
    assert Evidence(held(about, generator_loss=1.0)).free_offset is (free and loss in ("wgan-gp", "relativistic"))


# ------------------------------------------------------------------------------------------------------------- what is said

CONFIGS: dict[str, tuple[dict[str, Any], Callable[[Evidence], Any], Any]] = {
    "our rate": ({"lr_g": 1e-3}, lambda e: remedies.set_rate(e, "generator", 2e-4), "--set lr_g=0.0002"),
    "their rate": ({}, lambda e: remedies.set_rate(e, "generator", 2e-4), "set the generator's learning rate to 0.0002"),
    "no penalty": ({"gamma": 0, "penalties": []}, remedies.regularise, ("--set penalties=r1 --set gamma=0.5",)),
    "a penalty": ({"gamma": 0.5, "penalties": ["r1"]}, remedies.regularise, ("--set gamma=1",)),
    "no options": ({}, remedies.regularise, ("add an R1 penalty on D (gamma about 0.1 to 1)",)),
    "five D steps": ({"n_critic": 5}, remedies.fewer_discriminator_steps, ("--set n_critic=1",)),
    "one D step": ({"n_critic": 1}, remedies.fewer_discriminator_steps, ("make one D update a step",)),  # as two were recorded
    "a width": ({"discriminator_width": 4}, remedies.larger_discriminator, "--set discriminator_width=64"),
    "no width": ({}, remedies.larger_discriminator, "give D about as many parameters as G has"),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFIGS)
def test_a_remedy_is_in_the_words_of_the_runs_configuration(case: str) -> None:
    config, remedy, said = CONFIGS[case]
    assert remedy(Evidence(held({"config": config}, discriminator_updates=2.0))) == said


def test_changes_against_a_baseline_stand_in_markdown_and_junit() -> None:
    worse = Change("frechet_distance[points]", 9.0, 3.0, True, 0.001, "9 against 3")
    same = Change("recall[points]", 0.5, 0.5, False, None, "as it was")
    judged = Judged((), (worse, same), ())
    page, tests = render.as_markdown(judged), render.as_junit(judged)
    assert "### Against the baseline" in page
    assert "| frechet\\_distance\\[points\\] | 9 | 3 | **worse** |" in page
    assert "| recall\\[points\\] | 0.5 | 0.5 | no worse |" in page
    assert '<testsuite name="baseline" tests="2" failures="1"' in tests
    none = render.as_markdown(Judged((), (), ())) + render.as_junit(Judged((), (), ()))
    assert "baseline" not in none

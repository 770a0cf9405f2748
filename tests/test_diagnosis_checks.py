"""Each check: a run made by hand on which it fires, one on which it stays quiet, and one that it cannot judge."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandiag.diagnosis import CHECKS, Finding, Verdict, diagnose, judge
from gandiag.run import load_run
from tests import made_runs
from tests.made_runs import made, noisy, settled

STEPS = 1000
TENS = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
LATE = np.arange(STEPS) >= 600
BY_NAME = {check.__name__: check for check in CHECKS}


def found(path: Path, check: str) -> Finding:
    return judge(BY_NAME[check], load_run(path))


def rising(after: int, factor: float) -> np.ndarray:
    """1 up to a step, then up to `factor` at the end, exponentially."""
    at = np.arange(STEPS)
    return np.where(at < after, 1.0, factor ** ((at - after) / (STEPS - after)))


def few_classes(step: int, kept: int) -> Mapping[str, Any]:
    share = np.full(10, 1e-5)
    share[:kept] = 1.0
    share /= share.sum()
    return {"modes_covered": kept, "mode_histogram": share.tolist()}


# For each check: what makes it fire and the verdict it must give, and what it cannot do without.
SICK: dict[str, tuple[Verdict, Callable[[Path], Path]]] = {
    "numerical_failure": (Verdict.FAILED, lambda p: made_runs.divergence_with_nan(p, steps=STEPS)),
    "divergence": (
        Verdict.FAILED,
        lambda p: made(
            p,
            steps=STEPS,
            columns={
                "generator_gradient_norm": noisy(0.3 * rising(500, 1e4), 1),
                "discriminator_loss": noisy(1.3 * rising(500, 1e3), 2),
            },
        ),
    ),
    "learning_rate": (
        Verdict.FAILED,
        lambda p: made(p, steps=STEPS, slow={"generator_update_ratio": np.full(TENS, 0.6)}),
    ),
    "mode_collapse": (Verdict.FAILED, lambda p: made_runs.rotating_collapse(p, steps=STEPS)),
    "mode_dropping": (Verdict.FAILED, lambda p: made(p, steps=STEPS, scores=lambda s: few_classes(s, 7))),
    "discriminator_dominance": (Verdict.FAILED, lambda p: made_runs.discriminator_dominance(p, steps=STEPS)),
    "discriminator_weakness": (
        Verdict.FAILED,
        lambda p: made(
            p,
            steps=STEPS,
            slow={"discriminator_update_ratio": np.full(TENS, 1e-6), "diversity_ratio": np.full(TENS, 0.2)},
        ),
    ),
    "vanishing_generator_gradient": (Verdict.FAILED, lambda p: made_runs.vanishing_gradient(p, steps=STEPS)),
    "discriminator_overfitting": (
        Verdict.FAILED,
        lambda p: made(p, steps=STEPS, scores=lambda s: {"auc_gap": min(0.4, s / 1000), "nearest_real_distance": 0.5}),
    ),
    "memorisation": (
        Verdict.FAILED,
        lambda p: made(
            p,
            steps=STEPS,
            scores=lambda s: {"copying_z": -s / 40, "nearest_real_distance": 1 - 0.9 * s / STEPS, "authenticity": 0.1},
        ),
    ),
    "oscillation": (
        Verdict.FAILED,
        lambda p: made(p, steps=STEPS, slow={"fake_mean": 1.2 * np.sin(2 * np.pi * np.arange(TENS) / 15)}),
    ),
    "objective_fault": (
        Verdict.FAILED,
        lambda p: made(
            p,
            steps=STEPS,
            columns={
                "discriminator_force_on_fake": np.full(STEPS, 0.5),
                "discriminator_force_size_on_fake": np.full(STEPS, 0.5),
            },
        ),
    ),
    "data_mismatch": (Verdict.FAILED, lambda p: made_runs.range_mismatch(p, steps=STEPS)),
    "metric_fault": (
        Verdict.FAILED,
        lambda p: made(p, steps=STEPS, scores=lambda s: {"frechet_distance[digits-cnn]": -3e68}),
    ),
    "spectral_collapse": (
        Verdict.SUSPECT,
        lambda p: made(
            p,
            steps=STEPS,
            spectrum={
                "discriminator_layer_effective_rank": (
                    np.linspace(60, 6, STEPS // 100)[:, None] * np.ones(2),
                    ["0.weight", "2.weight"],
                )
            },
        ),
    ),
    "dead_layers": (
        Verdict.SUSPECT,
        lambda p: made(
            p,
            steps=STEPS,
            layers={
                "generator_layer_gradient_norm": (
                    np.array([0.0, 0.1, 0.3, 0.1, 0.3, 0.1]) * np.ones((TENS, 1)),
                    made_runs.GENERATOR_LAYERS,
                ),
                "generator_layer_update_ratio": (
                    np.array([0.0, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3]) * np.ones((TENS, 1)),
                    made_runs.GENERATOR_LAYERS,
                ),
            },
        ),
    ),
    "stagnation": (
        Verdict.SUSPECT,
        lambda p: made(p, steps=STEPS, scores=lambda s: {"frechet_distance[digits-cnn]": 800.0, **few_classes(s, 2)}),
    ),
    "convergence": (
        Verdict.SUSPECT,
        lambda p: made(p, steps=STEPS, scores=lambda s: {"frechet_distance[digits-cnn]": 50.0 if s < 400 else 300.0}),
    ),
}
NEEDS: dict[str, tuple[str, ...]] = {
    "numerical_failure": ("discriminator_", "generator_", "real_", "fake_"),
    "divergence": ("discriminator_", "generator_", "real_", "fake_"),
    "learning_rate": ("generator_update_ratio", "discriminator_update_ratio"),
    "mode_collapse": ("diversity_ratio", "modes_"),
    "mode_dropping": ("mode_histogram", "precision", "recall"),
    "discriminator_dominance": ("discriminator_auc", "real_logit"),
    "discriminator_weakness": ("discriminator_auc", "real_logit"),
    "vanishing_generator_gradient": ("generator_gradient_norm",),
    "discriminator_overfitting": ("auc_gap",),
    "memorisation": ("copying_z", "nearest_real", "authenticity"),
    "oscillation": ("fake_mean", "fake_channel", "parameter_trace"),
    "objective_fault": ("generator_force", "discriminator_force"),
    "data_mismatch": ("real_min",),
    "metric_fault": (
        "frechet",
        "kernel",
        "precision",
        "recall",
        "density",
        "coverage",
        "modes_",
        "mode_",
        "authenticity",
        "nearest",
    ),
    "spectral_collapse": ("discriminator_layer_effective_rank",),
    "dead_layers": ("generator_layer", "discriminator_layer"),
    "stagnation": ("frechet", "kernel", "diversity_ratio"),
    "convergence": ("frechet", "kernel"),
}


def test_every_check_has_its_three_runs() -> None:
    assert set(SICK) == set(NEEDS) == set(BY_NAME)


@pytest.mark.parametrize("check", sorted(BY_NAME))
def test_it_fires_on_its_illness_with_number_limit_series_and_a_remedy(check: str, tmp_path: Path) -> None:
    verdict, make = SICK[check]
    finding = found(make(tmp_path / "run"), check)
    assert finding.verdict is verdict, finding.claim
    assert finding.check == check
    assert any(c.isdigit() for c in finding.claim)
    assert "limit" in finding.claim
    assert finding.series
    assert finding.remedies
    assert finding.cause


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_runs.healthy(tmp_path_factory.mktemp("healthy") / "run", steps=STEPS)


@pytest.mark.parametrize("check", sorted(BY_NAME))
def test_it_stays_quiet_on_a_healthy_run(check: str, healthy: Path) -> None:
    finding = found(healthy, check)
    assert finding.verdict is Verdict.HEALTHY, finding.claim
    assert "limit" in finding.claim


@pytest.mark.parametrize("check", sorted(BY_NAME))
def test_it_says_what_was_not_recorded(check: str, tmp_path: Path) -> None:
    finding = found(made(tmp_path / "run", steps=STEPS, without=NEEDS[check]), check)
    assert finding.verdict is Verdict.NOT_CHECKED, finding.claim
    assert finding.claim


@pytest.mark.parametrize("seed", range(4))
def test_other_seeds_of_the_healthy_run_are_stable(seed: int, tmp_path: Path) -> None:
    diagnosis = diagnose(made_runs.healthy(tmp_path / "run", steps=STEPS, seed=seed))
    assert diagnosis.verdict == "stable", diagnosis.story


# -------------------------------------------------------------------------------------------------- the traps, one by one


def test_auc_of_one_half_hides_no_rotating_collapse(tmp_path: Path) -> None:
    """P1: AUC .49 to .63 and a loss near ln 4 while the generator hops."""
    run = load_run(made_runs.rotating_collapse(tmp_path / "run", steps=STEPS))
    assert 0.45 < run["discriminator_auc"].iloc[-200:].median() < 0.75
    finding = judge(BY_NAME["mode_collapse"], run)
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "rotating")
    assert finding.onset == pytest.approx(STEPS // 5, abs=0.03 * STEPS)


def test_rotation_shows_without_any_evaluation(tmp_path: Path) -> None:
    sick = np.arange(STEPS) >= 300
    slow = made_runs.batches(
        STEPS,
        0,
        np.where(sick, 0.4, 0.95),
        np.where(sick, 4.0, 9.0),
        hop=np.where(sick, 0.6 * np.sin(np.arange(STEPS) / 30), 0.0),
    )
    path = made(tmp_path / "run", steps=STEPS, slow=slow, without=NEEDS["metric_fault"])
    finding = found(path, "mode_collapse")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "rotating")
    assert finding.onset == pytest.approx(300, abs=0.05 * STEPS)


def test_a_sure_discriminator_alone_is_no_dominance(tmp_path: Path) -> None:
    """AUC of 1 beside good fakes: suspect at most."""
    real, fake = made_runs.drawn_logits(np.full(STEPS, 9.0), np.zeros(STEPS), np.ones(STEPS), 0)
    finding = found(
        made(tmp_path / "run", steps=STEPS, columns=made_runs.from_logits(real, fake)), "discriminator_dominance"
    )
    assert finding.verdict is Verdict.SUSPECT


def test_dominance_is_seen_although_the_generators_gradient_is_large(tmp_path: Path) -> None:
    """P5: the non-saturating loss does not vanish."""
    run = load_run(made_runs.discriminator_dominance(tmp_path / "run", steps=STEPS))
    assert run["generator_gradient_norm"].median() > 10
    assert judge(BY_NAME["discriminator_dominance"], run).verdict is Verdict.FAILED
    assert judge(BY_NAME["vanishing_generator_gradient"], run).verdict is Verdict.HEALTHY


def test_critics_are_not_judged_by_the_sign_of_their_scores(tmp_path: Path) -> None:
    """H4: r_t of -1 and logits all below zero, in a healthy WGAN-GP."""
    real, fake = made_runs.drawn_logits(settled(STEPS, 3.0, 0.5), np.full(STEPS, -40.0), np.ones(STEPS), 0)
    columns = made_runs.from_logits(real, fake)
    columns.update(discriminator_loss=fake.mean(1) - real.mean(1), generator_loss=-fake.mean(1))
    columns.update(
        {
            f"discriminator_force{size}_on_{what}": np.full(STEPS, sign)
            for what, sign, size in (
                ("real", 1.0, ""),
                ("fake", -1.0, ""),
                ("real", 1.0, "_size"),
                ("fake", 1.0, "_size"),
            )
        }
    )
    columns.update(generator_force_on_fake=np.ones(STEPS), generator_force_size_on_fake=np.ones(STEPS))
    assert columns["real_sign_mean"].max() == -1
    diagnosis = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns))
    assert not diagnosis.illnesses, diagnosis.story


def test_labels_turned_round_on_purpose_are_no_fault(tmp_path: Path) -> None:
    """Reals scored low and fakes high by both players is a sound game in a mirror: AUC near 0 means that D wins."""
    real, fake = made_runs.drawn_logits(settled(STEPS, -3.0, -0.5), np.zeros(STEPS), np.ones(STEPS), 0)
    columns = made_runs.from_logits(real, fake)
    columns = {k: -v if "_force_on_" in k else v for k, v in columns.items()}
    diagnosis = diagnose(made(tmp_path / "run", steps=STEPS, columns=columns))
    assert not diagnosis.illnesses, diagnosis.story


def test_large_gradients_from_the_start_are_no_divergence(tmp_path: Path) -> None:
    """H3: healthy without a penalty, at 23 times the gradient norm of the penalised run."""
    columns = made_runs.players(STEPS, 0, 30.0, 50.0)
    assert found(made(tmp_path / "run", steps=STEPS, columns=columns), "divergence").verdict is Verdict.HEALTHY


def test_one_kind_of_series_that_grows_thirtyfold_is_no_divergence(tmp_path: Path) -> None:
    columns = {"generator_gradient_norm": noisy(0.3 * rising(500, 100.0), 1)}
    assert found(made(tmp_path / "run", steps=STEPS, columns=columns), "divergence").verdict is Verdict.HEALTHY


@pytest.mark.parametrize(
    ("start", "end", "unit", "ill"),
    [(40.0, 45.0, 1.0, True), (40.0, 1.0, 1.0, False), (4.0, 4.5, 1.0, False), (40.0, 45.0, 0.01, False)],
    ids=["stays", "finds back", "near", "narrow reals"],
)
def test_fakes_that_begin_far_too_wide_and_stay_so_tell_of_the_first_weights(
    start: float, end: float, unit: float, ill: bool, tmp_path: Path
) -> None:
    columns = {
        "fake_sd": noisy(unit * settled(STEPS, start, end), 1, 0.02),
        "real_sd": noisy(np.full(STEPS, unit), 2, 0.02),
    }
    finding = found(made(tmp_path / "run", steps=STEPS, columns=columns), "divergence")
    assert ((finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, "wide start", 0)) is ill, finding.claim


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_discriminator_that_enters_the_game_late_has_not_diverged(tmp_path: Path, share: float) -> None:
    """VQGAN: its loss counts nothing for the first part, and its gradients are exactly 0; what begins has outgrown no past."""
    columns = made_runs.players(STEPS, 0, 1.0, 1.0)
    idle = np.arange(STEPS) < share * STEPS
    columns["discriminator_gradient_norm"] = np.where(idle, 0.0, columns["discriminator_gradient_norm"])
    run = made(tmp_path / "run", steps=STEPS, columns=columns)
    assert found(run, "divergence").verdict is Verdict.HEALTHY
    columns["discriminator_gradient_norm"] *= np.where(np.arange(STEPS) > 0.8 * STEPS, 1e4, 1.0)
    run = made(tmp_path / "away", steps=STEPS, columns=columns)
    assert found(run, "divergence").verdict is Verdict.FAILED


def test_divergence_names_the_step_at_which_it_began(tmp_path: Path) -> None:
    grow = np.where(LATE, 1e3, 1.0)
    columns = {
        "generator_gradient_norm": noisy(0.3 * grow, 1),
        "discriminator_gradient_norm": noisy(0.3 * grow, 2),
        "discriminator_loss": 1.3 * grow,
    }
    finding = found(made(tmp_path / "run", steps=STEPS, columns=columns), "divergence")
    assert finding.verdict is Verdict.FAILED
    assert finding.onset == pytest.approx(600, abs=0.01 * STEPS)


@pytest.mark.parametrize(
    ("fold", "steps", "ill"), [(1e4, 40, True), (1e4, 10, False), (100.0, 40, False)], ids=["far", "spike", "near"]
)
def test_a_game_far_beyond_the_limits_is_told_within_dozens_of_steps(
    fold: float, steps: int, ill: bool, tmp_path: Path
) -> None:
    """Ten times beyond the limit of 30 for 40 steps; what is nearer to it must last a fifth of the run, and a spike counts for nothing."""
    grow = np.where(np.arange(STEPS) >= STEPS - steps, fold, 1.0)
    columns = {f"{who}_gradient_norm": noisy(0.3 * grow, i) for i, who in enumerate(("generator", "discriminator"))}
    columns |= {"discriminator_loss": 1.3 * grow}
    finding = found(made(tmp_path / "run", steps=STEPS, columns=columns), "divergence")
    assert (finding.verdict is Verdict.FAILED) is ill, finding.claim
    if ill:
        assert finding.onset == pytest.approx(STEPS - steps, abs=0.01 * STEPS)


def test_a_gradient_that_dies_at_the_equilibrium_has_not_vanished(tmp_path: Path) -> None:
    """D cannot tell, the fakes are as diverse as the reals: the game has come to rest."""
    real, fake = made_runs.drawn_logits(settled(STEPS, 3.0, 0.0), np.zeros(STEPS), np.full(STEPS, 0.5), 0)
    columns = {**made_runs.from_logits(real, fake), "generator_gradient_norm": noisy(settled(STEPS, 1.0, 1e-8, 0.2), 3)}
    finding = found(made(tmp_path / "run", steps=STEPS, columns=columns), "vanishing_generator_gradient")
    assert finding.verdict is Verdict.HEALTHY
    assert "rest" in finding.claim


def test_a_gradient_that_dies_while_d_still_wins_has_vanished_though_the_fakes_look_well(tmp_path: Path) -> None:
    """The twin of the scene above: as diverse as the reals, in their place, and yet D tells nearly all of them apart."""
    real, fake = made_runs.drawn_logits(settled(STEPS, 2.0, 3.0), np.zeros(STEPS), np.full(STEPS, 1.0), 0)
    columns = {**made_runs.from_logits(real, fake), "generator_gradient_norm": noisy(settled(STEPS, 1.0, 1e-8, 0.2), 3)}
    path = made(tmp_path / "run", steps=STEPS, columns=columns)
    auc = load_run(path)["discriminator_auc"]
    assert 0.95 < auc.iloc[-200:].median() < 1
    assert found(path, "vanishing_generator_gradient").verdict is Verdict.FAILED


def test_a_young_run_is_learning_and_has_not_collapsed(tmp_path: Path) -> None:
    """Slow healthy networks were seen at diversity ratios of .13 and more, rising (ground truth)."""
    ratio = np.linspace(0.02, 0.3, STEPS)
    slow = made_runs.batches(STEPS, 0, ratio, np.linspace(1.5, 5.0, STEPS))
    path = made(tmp_path / "run", steps=STEPS, slow=slow, without=NEEDS["metric_fault"])
    assert found(path, "mode_collapse").verdict is not Verdict.FAILED


def test_a_backdrop_that_repeats_is_no_repeated_batch(tmp_path: Path) -> None:
    for share, verdict in ((0.75, Verdict.HEALTHY), (1.0, Verdict.FAILED)):
        path = made(tmp_path / f"run-{share}", steps=STEPS, slow={"real_batch_repeat": np.full(TENS, share)})
        assert found(path, "data_mismatch").verdict is verdict


def test_a_full_batch_may_repeat(tmp_path: Path) -> None:
    facts = {"data": {"name": "few", "kind": "images", "count": 64}, "config": {"batch": 64}}
    path = made(tmp_path / "run", steps=STEPS, slow={"real_batch_repeat": np.ones(TENS)}, facts=facts)
    assert found(path, "data_mismatch").verdict is Verdict.HEALTHY


def test_points_within_one_are_no_bounded_images(tmp_path: Path) -> None:
    """A small network's fakes near zero, reals elsewhere: what a failed generator looks like, and no fault of the data."""
    slow = {
        "real_min": np.full(TENS, 2.0),
        "real_max": np.full(TENS, 4.0),
        "fake_min": np.full(TENS, -0.3),
        "fake_max": np.full(TENS, 0.4),
    }
    path = made(tmp_path / "run", steps=STEPS, slow=slow, facts={"data": {"kind": "points"}})
    assert found(path, "data_mismatch").verdict is Verdict.HEALTHY


def test_an_overflow_that_a_loss_scaler_skips_is_no_failure(tmp_path: Path) -> None:
    norm = np.full(STEPS, 0.3)
    norm[[100, 400]] = np.inf
    with_scale = made(
        tmp_path / "amp",
        steps=STEPS,
        columns={"generator_gradient_norm": norm, "gradient_scale": np.full(STEPS, 1024.0)},
    )
    without = made(tmp_path / "plain", steps=STEPS, columns={"generator_gradient_norm": norm})
    assert found(with_scale, "numerical_failure").verdict is Verdict.HEALTHY
    assert found(without, "numerical_failure").verdict is Verdict.SUSPECT


def test_the_first_bad_tensor_layer_and_step_are_named(tmp_path: Path) -> None:
    finding = found(made_runs.divergence_with_nan(tmp_path / "run", steps=STEPS), "numerical_failure")
    assert finding.onset == 700
    assert "0.weight" in finding.claim
    assert "discriminator_gradient" in finding.claim


def test_a_weight_that_another_loss_moves_is_not_dead(tmp_path: Path) -> None:
    silent = np.array([0.0, 0.1, 0.3, 0.1, 0.3, 0.1]) * np.ones(
        (TENS, 1)
    )  # a head whose gradient is zeroed and kept at 0 in this player's turn
    path = made(tmp_path, steps=STEPS, layers={"generator_layer_gradient_norm": (silent, made_runs.GENERATOR_LAYERS)})
    assert found(path, "dead_layers").verdict is Verdict.HEALTHY


@pytest.mark.parametrize(
    ("auc", "late", "verdict"),
    [(0.99, False, Verdict.FAILED), (0.7, False, Verdict.SUSPECT), (0.99, True, Verdict.SUSPECT)],
)
def test_a_weight_of_the_generator_that_never_had_a_gradient_has_failed_where_d_wins(
    auc: float, late: bool, verdict: Verdict, tmp_path: Path
) -> None:
    norms = np.array([0.0, 0.1, 0.3, 0.1, 0.3, 0.1]) * np.ones((TENS, 1))
    if late:  # its units died
        norms[: TENS // 3, 0] = 0.2
    path = made(
        tmp_path,
        steps=STEPS,
        columns={"discriminator_auc": np.full(STEPS, auc)},
        layers={"generator_layer_gradient_norm": (norms, made_runs.GENERATOR_LAYERS)},
        without=("generator_layer_update_ratio",),
    )
    assert found(path, "dead_layers").verdict is verdict


def test_a_bias_before_a_normalisation_is_not_dead(tmp_path: Path) -> None:
    norms = np.array([0.3, 1e-14, 0.3, 1e-14, 0.3, 0.1]) * np.ones((TENS, 1))
    path = made(
        tmp_path / "run", steps=STEPS, layers={"generator_layer_gradient_norm": (norms, made_runs.GENERATOR_LAYERS)}
    )
    assert found(path, "dead_layers").verdict is Verdict.HEALTHY


def test_one_sign_of_copying_is_no_memorisation(tmp_path: Path) -> None:
    path = made(tmp_path / "run", steps=STEPS, scores=lambda s: {"nearest_real_distance": 0.3})
    assert found(path, "memorisation").verdict is Verdict.SUSPECT


def test_a_discriminator_that_remembers_while_the_samples_still_get_better_is_not_ill(tmp_path: Path) -> None:
    """The default run on 1617 digits: a gap of .16, held-out AUC near one half, fakes no nearer to training samples than held-out reals."""
    path = made(tmp_path / "run", steps=STEPS, scores=lambda s: {"auc_gap": 0.16 * s / STEPS, "auc_gap_sd": 0.02})
    assert found(path, "discriminator_overfitting").verdict is Verdict.HEALTHY


@pytest.mark.parametrize(
    ("count", "verdict"), [(32, Verdict.FAILED), (200, Verdict.SUSPECT), (1797, Verdict.NOT_CHECKED)]
)
def test_a_handful_of_samples_shown_a_thousand_times_is_known_by_heart(
    count: int, verdict: Verdict, tmp_path: Path
) -> None:
    """P8: 32 points, no held-out scores."""
    facts = {"data": {"name": "few", "kind": "points", "count": count}}
    path = made(
        tmp_path / "run",
        steps=STEPS,
        facts=facts,
        without=("auc_gap",),
        columns={"images_seen": 250.0 * np.arange(1, STEPS + 1)},
    )
    assert found(path, "discriminator_overfitting").verdict is verdict


def test_a_gap_within_its_noise_is_no_overfitting(tmp_path: Path) -> None:
    path = made(tmp_path / "run", steps=STEPS, scores=lambda s: {"auc_gap": 0.12, "auc_gap_sd": 0.2})
    assert found(path, "discriminator_overfitting").verdict is Verdict.HEALTHY


def test_minorities_are_measured_against_the_datas_own_shares(tmp_path: Path) -> None:
    """A rare class that is as rare as in the data is not missing; one that is gone is."""
    due = np.array([0.3, 0.3, 0.3, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01, 0.01])
    lost = np.array([0.31, 0.31, 0.31, 0.03, 0.02, 0.02, 0, 0, 0, 0])
    kept = made(
        tmp_path / "kept",
        steps=STEPS,
        scores=lambda s: {"data_mode_histogram": due.tolist(), "mode_histogram": due.tolist()},
    )
    gone = made(
        tmp_path / "gone",
        steps=STEPS,
        scores=lambda s: {"data_mode_histogram": due.tolist(), "mode_histogram": lost.tolist()},
    )
    assert found(kept, "mode_dropping").verdict is Verdict.HEALTHY
    finding = found(gone, "mode_dropping")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "minorities")


@pytest.mark.parametrize(
    ("groups", "verdict"),
    [([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], Verdict.FAILED), ([0] * 10, Verdict.SUSPECT)],
    ids=["lies apart", "a piece of a cloud"],
)
def test_one_cluster_that_is_never_made_counts_where_it_lies_apart(
    tmp_path: Path, groups: list[int], verdict: Verdict
) -> None:
    due = np.array([*([0.104] * 9), 0.064])
    path = made(
        tmp_path / "run",
        steps=STEPS,
        scores=lambda s: {
            "data_mode_histogram": due.tolist(),
            "mode_histogram": [*([1 / 9] * 9), 0.0],
            "mode_group": groups,
        },
    )
    assert found(path, "mode_dropping").verdict is verdict


@pytest.mark.parametrize(
    ("groups", "thin", "verdict"),
    [
        ([0] * 10, 1, Verdict.HEALTHY),
        (None, 1, Verdict.SUSPECT),  # modes that somebody has named
        ([0] * 10, 4, Verdict.FAILED),
        ([*[0] * 9, 1], 1, Verdict.FAILED),
    ],
    ids=["a thin piece", "a mode", "four pieces", "lies apart"],
)
def test_a_piece_of_a_cloud_that_is_thin_is_no_lost_mode(
    tmp_path: Path, groups: list[int] | None, thin: int, verdict: Verdict
) -> None:
    due, fakes = np.full(10, 0.1), np.full(10, 1.0)
    fakes[-thin:] = 0.05
    scores: dict[str, list[float] | list[int]] = {
        "data_mode_histogram": due.tolist(),
        "mode_histogram": (fakes / fakes.sum()).tolist(),
    }
    if groups is not None:
        scores["mode_group"] = groups
    path = made(tmp_path / "run", steps=STEPS, scores=lambda s: scores)
    assert found(path, "mode_dropping").verdict is verdict


def test_fewer_reals_than_features_are_named_as_the_cause(tmp_path: Path) -> None:
    facts = {"data": {"name": "few", "kind": "images", "count": 912}}
    path = made(
        tmp_path / "run",
        steps=STEPS,
        facts=facts,
        without=("frechet",),
        scores=lambda s: {"kernel_distance[digits-cnn]": 0.1},
    )
    assert found(path, "metric_fault").verdict is Verdict.HEALTHY
    # and where the score itself is absurd, the finding says why
    sick = made(
        tmp_path / "sick", steps=STEPS, facts=facts, scores=lambda s: {"frechet_distance[inception-tf]": 1.2e57}
    )
    finding = found(sick, "metric_fault")
    assert "912" in finding.cause
    assert "2048" in finding.cause


def test_a_generator_that_stands_still_leaves_its_score_where_it_was(tmp_path: Path) -> None:
    frozen = {"frechet_distance[digits-cnn]": 700.0, "kernel_distance[digits-cnn]": 3.0}

    for ratio, verdict in ((1e-9, Verdict.HEALTHY), (1e-3, Verdict.FAILED)):
        path = tmp_path / f"run-{ratio}"
        made(path, steps=STEPS, slow={"generator_update_ratio": np.full(TENS, ratio)}, without=("frechet", "kernel"))
        lines = (path / "evaluations.jsonl").read_text().splitlines()
        rewritten = [
            line.replace('"scores": {', '"scores": {' + ", ".join(f'"{k}": {v}' for k, v in frozen.items()) + ", ", 1)
            for line in lines
        ]
        (path / "evaluations.jsonl").write_text("\n".join(rewritten) + "\n")
        assert found(path, "metric_fault").verdict is verdict


def test_the_best_step_is_named_with_its_interval(tmp_path: Path) -> None:
    path = made(
        tmp_path / "run", steps=STEPS, scores=lambda s: {"frechet_distance[digits-cnn]": 50.0 + abs(s - 400) / 2}
    )
    finding = found(path, "convergence")
    assert finding.kind == "past its best"
    assert "ship step 400" in finding.claim or "ship step 500" in finding.claim or "ship step 300" in finding.claim
    assert "[" in finding.claim


def test_of_checkpoints_that_cannot_be_told_apart_the_latest_is_named(tmp_path: Path) -> None:
    path = made(
        tmp_path / "run",
        steps=STEPS,
        scores=lambda s: {"frechet_distance[digits-cnn]": 10.0 + 40.0 * math.exp(-s / 100) + 0.5 * math.cos(s)},
    )
    finding = found(path, "convergence")
    last = load_run(path)["frechet_distance[digits-cnn]"].index[-1]
    assert f"ship step {last}" in finding.claim, finding.claim
    assert f"to {last}" in finding.claim


def test_fakes_narrower_than_the_reals_are_no_better_checkpoint(tmp_path: Path) -> None:
    def scores(step: int) -> dict[str, float]:
        share = 1.0 if step == 200 else 0.99 if step > 200 else 0.5
        return {"high_quality_share": share, "modes_covered": 8.0, "modes_total": 8.0}

    finding = found(made(tmp_path / "run", steps=STEPS, scores=scores), "convergence")
    assert finding.kind != "past its best", finding.claim
    assert "ship step 200" not in finding.claim, finding.claim


def test_what_was_measured_as_nan_never_reads_as_healthy(tmp_path: Path) -> None:
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns={"discriminator_auc": np.full(STEPS, np.nan)},
        slow={"generator_update_ratio": np.full(TENS, np.nan)},
    )
    for check in ("discriminator_dominance", "discriminator_weakness"):
        finding = found(path, check)
        assert finding.verdict is not Verdict.HEALTHY, finding.claim


@pytest.mark.parametrize("value", [2.3e17, math.nan, math.inf])
@pytest.mark.parametrize("away", [False, True])
def test_a_score_of_fakes_that_ran_away_may_have_any_size(tmp_path: Path, value: float, away: bool) -> None:
    """The same number of fakes within the reals' range cannot be."""
    reach = np.where(10 * np.arange(TENS) >= 500, 700.0 if away else 1.0, 1.0)
    path = made(
        tmp_path / "run",
        steps=STEPS,
        slow={"fake_max": reach, "real_max": np.ones(TENS), "real_min": -np.ones(TENS), "fake_min": -np.ones(TENS)},
        scores=lambda s: {"kernel_distance[points]": value if s >= 600 else 0.01 + s / 1e6},
    )
    assert found(path, "metric_fault").verdict is (Verdict.HEALTHY if away else Verdict.FAILED)


def test_a_negative_frechet_distance_is_a_fault_wherever_the_fakes_are(tmp_path: Path) -> None:
    path = made(
        tmp_path / "run",
        steps=STEPS,
        slow={"fake_max": np.full(TENS, 700.0), "real_max": np.ones(TENS)},
        scores=lambda s: {"frechet_distance[points]": -5.0},
    )
    assert found(path, "metric_fault").verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("fake_low", "real_low", "ill"),
    [(0.0, -3.0, True), (2e-8, -1.0, True), (0.2, -1.0, False), (-0.01, -3.0, False), (0.0, -0.05, False)],
    ids=["relu", "sigmoid", "never near 0", "crosses 0", "reals hardly below"],
)
def test_a_generator_that_comes_down_to_0_and_never_crosses_it_cannot_give_what_lies_below(
    fake_low: float, real_low: float, ill: bool, tmp_path: Path
) -> None:
    tens = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
    slow = {
        "fake_min": np.linspace(0.3, fake_low, tens),
        "fake_max": np.full(tens, 0.8),
        "real_min": np.full(tens, real_low),
        "real_max": np.ones(tens),
    }
    finding = found(made_runs.made(tmp_path / "run", steps=STEPS, slow=slow), "data_mismatch")
    assert (finding.verdict is Verdict.FAILED) is ill, finding.claim
    if ill:
        assert "never goes below" in finding.claim
        assert "sigmoid or ReLU" in finding.remedies[0]


def test_no_line_that_says_healthy_breaks_the_limit_beside_it_without_saying_why(tmp_path: Path) -> None:
    """D that ranks all fakes above the reals, of a generator that nothing else speaks against."""
    apart = np.full(STEPS, -6.0)
    logits = made_runs.from_logits(*made_runs.drawn_logits(apart, np.zeros(STEPS), np.ones(STEPS), 0))
    weakness = found(made_runs.made(tmp_path / "run", steps=STEPS, columns=logits), "discriminator_weakness")
    assert weakness.verdict is Verdict.HEALTHY
    assert "AUC is 0.00" in weakness.claim
    assert "nothing beside it shows" in weakness.claim
    alone = np.where(np.arange(STEPS) > 900, 80.0, 1.0)
    grown = found(made_runs.made(tmp_path / "alone", steps=STEPS, columns={"generator_loss": alone}), "divergence")
    assert grown.verdict is Verdict.HEALTHY
    assert "no second sign went with it" in grown.claim


@pytest.mark.parametrize(
    ("real", "fake", "ill"),
    [
        ({"0": 1000}, {"0": 100, "1": 100, "2": 100}, True),  # one label for all reals
        ({"1": 500}, {"0": 500, "1": 500}, True),  # another count
        ({"0": 999, "1": 1}, {"0": 500, "1": 500}, False),
        ({"0": 900, "1": 124}, {"0": 350, "1": 350, "2": 100}, False),  # a rare class that was not met yet
        ({"0": 8, "1": 8}, {"0": 8, "2": 8}, False),  # by chance
        ({"0": "many"}, {"1": 100}, False),
    ],
)
def test_classes_that_are_asked_for_and_never_shown_are_told(real: Any, fake: Any, ill: bool, tmp_path: Path) -> None:
    path = made(tmp_path, steps=STEPS, facts={"labels": {"counts": {"real": real, "fake": fake}}})
    claim = found(path, "data_mismatch").claim
    assert ("labels that the generator is asked for" in claim) is ill


@pytest.mark.parametrize(
    ("high", "reals", "ill"),
    [
        (np.full(TENS, 0.2), 1.0, True),
        (0.2 + 0.1 * np.sin(np.arange(TENS)), 1.0, False),  # no bound
        (np.full(TENS, 0.9), 1.0, False),  # hardly beyond
    ],
)
def test_fakes_that_stand_at_a_bound_far_within_the_reals_are_told(
    high: np.ndarray, reals: float, ill: bool, tmp_path: Path
) -> None:
    slow = {
        "real_min": np.full(TENS, -0.7),
        "real_max": np.full(TENS, reals),
        "fake_min": np.full(TENS, -0.7) + 0.01 * np.cos(np.arange(TENS)),
        "fake_max": high,
        "diversity_ratio": np.full(TENS, 0.3),
    }
    finding = found(made(tmp_path, steps=STEPS, slow=slow), "data_mismatch")
    assert ("values beyond a bound" in finding.claim) is ill
    assert (finding.verdict is Verdict.FAILED) is ill


@pytest.mark.parametrize(("auc", "weak"), [(0.6, True), (1.0, False)])
def test_a_discriminator_that_has_won_and_rests_is_not_slow(auc: float, weak: bool, tmp_path: Path) -> None:
    path = made(
        tmp_path,
        steps=STEPS,
        columns={"discriminator_auc": np.full(STEPS, auc)},
        slow={
            "discriminator_update_ratio": np.full(TENS, 1e-6),
            "generator_update_ratio": np.full(TENS, 1e-3),
            "diversity_ratio": np.full(TENS, 0.3),
        },
    )
    finding = found(path, "discriminator_weakness")
    assert (finding.kind == "slow") is weak

"""data_mismatch by reals that become others in mid-run: told where they leap and stay, and not where they drift, turn or merely scatter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis import Finding, Verdict, diagnose, judge
from gandiag.diagnosis.data_change import EACH_SIDE, _leap
from gandiag.diagnosis.inputs import data_mismatch
from gandiag.run import RunWriter, load_run

STEPS, EVERY, CHANGE = 2000, 10, 1200


def recorded(path: Path, mean: np.ndarray, sd: np.ndarray, columns: np.ndarray | None = None) -> Finding:
    """Judges a recording of reals with these batch means and standard deviations (steps / EVERY,)."""
    n = len(mean)
    flat = {"real_min": -4.0, "real_max": 4.0, "fake_min": -4.1, "fake_max": 4.1, "fake_sd": 1.0, "fake_mean": 0.0}
    table: dict[str, np.ndarray] = {k: np.full(n, v) for k, v in flat.items()} | {"real_mean": mean, "real_sd": sd}
    labels = {}
    if columns is not None:
        table |= {"real_channel_mean": columns, "fake_channel_mean": np.zeros_like(columns)}
        labels = {k: [str(i) for i in range(columns.shape[1])] for k in ("real_channel_mean", "fake_channel_mean")}
    with RunWriter(path, {}) as writer:
        writer.append(f"every-{EVERY}", np.arange(n) * EVERY, table, labels=labels)
    return judge(data_mismatch, load_run(path))


def scattered(seed: int, size: float = 0.05) -> np.ndarray:
    return size * np.random.default_rng(seed).standard_normal(STEPS // EVERY)


AFTER = np.arange(STEPS // EVERY) * EVERY >= CHANGE


@pytest.mark.parametrize(("leap", "ill"), [(1.0, True), (-0.4, True), (0.2, False), (0.0, False)])
def test_a_leap_of_the_mean_beyond_a_third_of_a_standard_deviation(leap: float, ill: bool, tmp_path: Path) -> None:
    found = recorded(tmp_path / "run", leap * AFTER + scattered(0), 1 + scattered(1, 0.02))
    assert (found.kind == "changed") is ill, found.claim
    if ill:
        assert found.verdict is Verdict.FAILED
        assert found.onset == pytest.approx(CHANGE, abs=EVERY), "to one stretch"
        assert "leaps by" in found.claim


@pytest.mark.parametrize(("fold", "ill"), [(0.5, True), (2.0, True), (1.3, False)])
def test_a_leap_of_the_spread_by_more_than_half(fold: float, ill: bool, tmp_path: Path) -> None:
    found = recorded(tmp_path / "run", scattered(2), np.where(AFTER, fold, 1.0) + scattered(3, 0.02))
    assert (found.kind == "changed") is ill, found.claim


def test_one_column_of_several_is_enough(tmp_path: Path) -> None:
    columns = np.stack([scattered(4), 0.8 * AFTER + scattered(5), scattered(6)], axis=1)
    assert recorded(tmp_path / "run", scattered(7), np.ones(STEPS // EVERY), columns).onset == pytest.approx(
        CHANGE, abs=EVERY
    )


def test_a_drift_a_turn_of_the_classes_and_small_batches_are_no_change(tmp_path: Path) -> None:
    """A curriculum that drifts by 2 sd; data sorted by class, whose mean turns all the while; batches of few samples, 40 times."""
    at, one = np.arange(STEPS // EVERY), np.ones(STEPS // EVERY)
    assert recorded(tmp_path / "drift", 2 * at / at[-1] + scattered(0), one).kind != "changed"
    assert recorded(tmp_path / "turn", np.sign(np.sin(at / 7)) + scattered(0), one).kind != "changed"
    for seed in range(40):
        found = recorded(tmp_path / str(seed), scattered(seed, 0.3), 1 + scattered(99 + seed, 0.15))
        assert found.kind != "changed", found.claim


def test_a_moment_elsewhere_is_no_other_data_set(tmp_path: Path) -> None:
    """One stretch of reals from elsewhere, then the old ones again."""
    mean = scattered(0)
    mean[100:103] += 3
    assert recorded(tmp_path / "run", mean, np.ones(STEPS // EVERY)).kind != "changed"


@pytest.mark.parametrize("seed", range(5))
def test_the_split_is_that_of_a_slow_search(seed: int) -> None:
    """Every split tried by hand: the one whose halves differ most in the sum of squares between them."""
    chance = np.random.default_rng(seed)
    place = int(chance.integers(20, 80))
    column = 0.05 * chance.standard_normal(100) + (np.arange(100) >= place)
    slow = max(
        range(EACH_SIDE, 101 - EACH_SIDE),
        key=lambda k: k * (100 - k) * (column[:k].mean() - column[k:].mean()) ** 2,
    )
    found = _leap(column[:, None])
    assert found is not None
    assert found[0] == slow == place
    assert found[1] == pytest.approx(abs(np.median(column[place:]) - np.median(column[:place])))


def test_a_column_with_a_gap_is_passed_over_and_the_others_are_looked_at() -> None:
    leaping = np.where(np.arange(60) < 30, 0.0, 5.0) + 0.01 * np.sin(np.arange(60.0))
    hollow = np.where(np.arange(60) == 3, np.nan, 9.0 * leaping)
    assert _leap(hollow[:, None]) is None
    both = _leap(np.stack([hollow, leaping], axis=1))
    assert both is not None
    assert both == _leap(leaping[:, None])
    assert both[0] == 30


def test_what_follows_a_change_is_told_as_its_consequence(tmp_path: Path) -> None:
    """The reals move by 5 sd: the fakes lie elsewhere then, and that is no illness of its own."""
    n = STEPS // EVERY
    with RunWriter(tmp_path / "run", {}) as writer:
        table = {
            "real_mean": 5.0 * AFTER + scattered(0),
            "fake_mean": scattered(1),
            "diversity_ratio": np.where(AFTER, 0.05, 1.0),
            "real_batch_repeat": np.zeros(n),
        }
        flat = {"real_min": -4.0, "real_max": 9.0, "fake_min": -4.0, "fake_max": 4.0, "real_sd": 1.0, "fake_sd": 1.0}
        writer.append("every-10", np.arange(n) * EVERY, table | {k: np.full(n, v) for k, v in flat.items()})
    told = diagnose(tmp_path / "run")
    roots = [f.check for f in told.illnesses if not f.because_of]
    assert roots == ["data_mismatch"], told.story
    assert "mode_collapse" in [f.check for f in told.illnesses]


def test_without_means_the_spread_alone_is_judged_and_the_check_is_made(tmp_path: Path) -> None:
    n = STEPS // EVERY
    flat = {"real_min": -4.0, "real_max": 4.0, "fake_min": -4.0, "fake_max": 4.0}
    for name, sd in (("still", np.ones(n)), ("scaled", np.where(AFTER, 2.0, 1.0))):
        with RunWriter(tmp_path / name, {}) as writer:
            table = {"real_sd": sd + scattered(0, 0.01)} | {k: np.full(n, v) for k, v in flat.items()}
            writer.append("every-10", np.arange(n) * EVERY, table)
        found = judge(data_mismatch, load_run(tmp_path / name))
        assert found.verdict is (Verdict.HEALTHY if name == "still" else Verdict.FAILED), found.claim


PART = np.arange(STEPS // EVERY) * EVERY / STEPS


@pytest.mark.parametrize(
    ("sd", "ill"),
    [
        (1 + 1.5 * PART, True),
        (np.exp(PART), True),
        (1 + 0.6 * PART, False),  # hardly
        (1 + 1.5 * np.minimum(1, 2 * PART), False),  # a curriculum that has arrived
        (2.5 - 1.5 * PART, False),  # noise that fades
        (1 + np.floor(4 * PART) / 2, False),  # stairs: it rests at the end
    ],
    ids=["steady", "ever faster", "hardly", "arrived", "fading", "stairs"],
)
def test_reals_that_widen_to_the_end_are_told(sd: np.ndarray, ill: bool, tmp_path: Path) -> None:
    found = recorded(tmp_path / "run", scattered(8), sd + scattered(9, 0.02))
    assert (found.kind == "widening") is ill, found.claim
    if ill:
        assert found.verdict is Verdict.FAILED
        assert found.onset is not None


@pytest.mark.parametrize(
    ("mean", "ill"),
    [
        (0.8 * PART, True),
        (-1.5 * PART, True),
        (PART**2, True),
        (0.3 * PART, False),  # hardly
        (np.minimum(1, 3 * PART), False),  # a curriculum that has arrived
        (np.sin(6 * PART), False),  # to and fro
    ],
    ids=["up", "down", "ever faster", "hardly", "arrived", "to and fro"],
)
def test_reals_whose_mean_drifts_one_way_to_the_end_are_told(mean: np.ndarray, ill: bool, tmp_path: Path) -> None:
    found = recorded(tmp_path / "run", mean + scattered(8, 0.05), 1 + scattered(9, 0.02))
    assert (found.kind == "drifting") is ill, found.claim
    if ill:
        assert found.verdict is Verdict.FAILED
        assert found.onset is not None
        assert 0 < found.onset < STEPS * 0.75


@pytest.mark.parametrize(
    ("rate", "frozen", "fold", "followed", "verdict"),
    [
        (3.0, False, 1.0, True, Verdict.SUSPECT),
        (1.0, True, 1.0, True, Verdict.SUSPECT),
        (1.0, False, 1.0, True, Verdict.FAILED),
        (3.0, True, 1.0, False, Verdict.FAILED),
        (3.0, True, 0.5, True, Verdict.FAILED),
    ],
    ids=["a schedule begun anew", "frozen layers", "nothing else", "fakes that do not follow", "another scale"],
)
def test_other_data_in_a_new_phase_are_a_suspicion_where_the_fakes_follow(
    rate: float, frozen: bool, fold: float, followed: bool, verdict: Verdict, tmp_path: Path
) -> None:
    """Who tunes a generator on other data restarts the schedule, or freezes layers; the same data in another scale are an accident all the same."""
    n = len(AFTER)
    table = {
        "real_mean": 0.8 * AFTER + scattered(0),
        "real_sd": np.where(AFTER, fold, 1.0) + scattered(1, 0.02),
        "fake_mean": 0.8 * AFTER + scattered(2),
        "diversity_ratio": np.where(AFTER & (not followed), 0.3, 1.0),
        "generator_learning_rate": np.where(AFTER, 1e-3 * rate, 1e-3),
    }
    flat = {"real_min": -4.0, "real_max": 4.0, "fake_min": -4.1, "fake_max": 4.1, "fake_sd": 1.0}
    norms = np.ones((n, 3))
    norms[AFTER, :1] = 0.0 if frozen else 1.0
    labels = {"generator_layer_gradient_norm": ["0.weight", "2.weight", "4.weight"]}
    with RunWriter(tmp_path / "run", {}) as writer:
        columns = table | {k: np.full(n, v) for k, v in flat.items()} | {"generator_layer_gradient_norm": norms}
        writer.append(f"every-{EVERY}", np.arange(n) * EVERY, columns, labels=labels)
    found = judge(data_mismatch, load_run(tmp_path / "run"))
    assert (found.verdict, found.kind) == (verdict, "changed"), found.claim

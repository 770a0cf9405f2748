"""Random habits: every habit can be played, a game is the same for the same seed, and only a well one's alarm counts."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import random_habits, random_habits_play
from benchmarks.random_games import FAULTS
from benchmarks.random_habits import DRAWN, HABITS, draw, judge, play
from benchmarks.random_habits_play import Training
from gandiag.run import load_run

LOGISTIC = next(seed for seed in range(100) if draw(seed)[0].loss == "logistic" and draw(seed)[0].remedy == "r1")


@pytest.mark.parametrize("habit", [h for line in HABITS for h in line])
def test_every_habit_can_be_played_and_is_recorded(habit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_habits_play, "SAMPLES", 16)
    random.seed(0)
    game, data, g, d = draw(LOGISTIC)
    remedy = "none" if habit == "joined batch" else game.remedy
    game = replace(game, steps=9, batch=32, habits=[habit], remedy=remedy, record="lines")
    samples = Training(game, data, g, d, tmp_path / "run").play()
    assert samples.shape == (16, *data.shape)
    assert torch.isfinite(samples).all()
    run = load_run(tmp_path / "run")
    assert run.steps == 9
    assert run["discriminator_loss"].notna().all()


@pytest.mark.parametrize("fault", DRAWN)
def test_every_fault_can_be_brought_in(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_habits_play, "SAMPLES", 16)
    assert fault in FAULTS
    random.seed(0)
    game, data, g, d = draw(LOGISTIC)
    game = replace(game, steps=10, batch=32, habits=["accumulation"], fault=fault, record="lines")
    assert Training(game, data, g, d, tmp_path / "run").play().shape == (16, *data.shape)
    assert load_run(tmp_path / "run").steps == 10


def test_a_fault_changes_nothing_else_of_a_game() -> None:
    for seed in range(30):
        with_fault, without = draw(seed, 1.0)[0], draw(seed)[0]
        assert with_fault.fault in DRAWN
        assert (with_fault.habits, with_fault.data, with_fault.steps) == (without.habits, without.data, without.steps)


def test_a_game_is_the_same_for_the_same_seed_and_has_habits_that_go_together() -> None:
    games = [draw(seed)[0] for seed in range(60)]
    assert games == [draw(seed)[0] for seed in range(60)]
    for game in games:
        assert len(game.habits) <= 6
        assert sum(h in line for line in HABITS for h in game.habits) == len(game.habits)
        assert "probabilities" not in game.habits or game.loss == "logistic"
    assert {h for game in games for h in game.habits} >= {"average of G", "accumulation", "own units"}


def test_only_a_game_that_came_out_well_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_habits_play, "SAMPLES", 200)

    def short(seed: int, faults: float) -> tuple[Any, ...]:
        game, *rest = draw(seed, faults)
        return replace(game, steps=12), *rest

    monkeypatch.setattr(random_habits, "draw", short)
    play(tmp_path / "0", LOGISTIC)
    assert judge(tmp_path / "0") is None  # after twelve steps nothing is well
    told = json.loads((tmp_path / "0" / "game.json").read_text())
    (tmp_path / "0" / "game.json").write_text(json.dumps({**told, "badness": 0.2}))
    found = judge(tmp_path / "0")
    assert found is not None
    assert found[0] in ("well", "suspect", "ALARM")
    (tmp_path / "0" / "game.json").write_text(json.dumps({**told, "badness": 9.0, "fault": "detached fakes"}))
    found = judge(tmp_path / "0")
    assert found is not None
    assert found[0] in ("right", "wrong", "MISSED")

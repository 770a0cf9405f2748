"""Random games: drawn alike by the same seed, playable with every fault, measured by laws that know good samples from bad ones, and counted."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks import random_games, random_world
from benchmarks.random_games import FAULTS, Game, draw, judge, play, train
from benchmarks.random_world import BAD, DATA, WELL
from gandiag.diagnosis import CHECKS


def test_a_seed_draws_the_same_game_again() -> None:
    (one, _, g, _, _), (again, _, same, _, _), (other, *_) = draw(7), draw(7), draw(8)
    assert one == again
    assert one != other
    assert all(torch.equal(a, b) for a, b in zip(g.parameters(), same.parameters()))


def test_every_fault_names_checks_that_there_are() -> None:
    known = {check.__name__ for check in CHECKS}
    assert all(set(causes) <= known for causes in FAULTS.values())


@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_every_fault_can_be_played(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_games, "SAMPLES", 16)
    game, data, g, d, _ = draw(5)
    game.fault, game.steps = fault, 6
    assert train(game, data, g, d, tmp_path / "run").shape == (16, *data.shape)


@pytest.mark.parametrize("law", dict.fromkeys(DATA), ids=lambda law: law.__name__)
def test_a_law_takes_its_own_draws_for_well_and_one_point_for_bad(law: object) -> None:
    assert callable(law)
    data: random_world.Data = law(random.Random(3))
    torch.manual_seed(0)
    reals: Tensor = data.draw(2000)
    assert data.measure(reals) < WELL
    assert data.measure(reals[:1].expand(reals.shape)) > BAD
    assert data.measure(torch.full_like(reals, torch.nan)) > BAD


def test_a_game_is_judged_by_its_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_games, "SAMPLES", 200)

    def short(seed: int) -> tuple[Game, random_world.Data, torch.nn.Module, torch.nn.Module, random.Random]:
        drawn = draw(seed)
        drawn[0].fault, drawn[0].steps = "detached fakes", 320
        return drawn

    monkeypatch.setattr(random_games, "draw", short)
    play(tmp_path / "11", 11)
    file = tmp_path / "11" / "game.json"
    told = json.loads(file.read_text())
    for badness, kind in ((9.0, "right"), (0.1, None), (1.5, None)):
        file.write_text(json.dumps({**told, "badness": badness}))
        judged = judge(tmp_path / "11")
        assert (None if judged is None else judged[0]) == kind
    file.write_text(json.dumps({**told, "badness": 9.0, "fault": "one latent"}))
    judged = judge(tmp_path / "11")
    assert judged is not None
    assert judged[0] == "wrong" or "objective_fault" in FAULTS["one latent"]

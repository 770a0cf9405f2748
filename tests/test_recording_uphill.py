"""Loops that ascend: the force is where a player pushes, whichever way its loop writes the sign."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from gandiag.diagnosis import Verdict, diagnose
from gandiag.recording import Recorder
from gandiag.recording.uphill import UPDATES
from gandiag.run import load_run

STEPS = 2 * UPDATES


def down(objective: Tensor, parameters: list[nn.Parameter]) -> None:
    (-objective).backward()


def up(objective: Tensor, parameters: list[nn.Parameter]) -> None:
    objective.backward()


def turned_round(objective: Tensor, parameters: list[nn.Parameter]) -> None:
    objective.backward()
    for parameter in parameters:
        parameter.grad = -parameter.grad


def turned_in_place_and_clipped(objective: Tensor, parameters: list[nn.Parameter]) -> None:
    objective.backward()
    for parameter in parameters:
        parameter.grad.neg_()
    nn.utils.clip_grad_norm_(parameters, 0.01)


def returned(objective: Tensor, parameters: list[nn.Parameter]) -> None:
    for parameter, gradient in zip(parameters, torch.autograd.grad(objective, parameters)):
        parameter.grad = -gradient


class Ascent:
    """An optimizer of the user's own."""

    def __init__(self, parameters: Any, rate: float) -> None:
        self.parameters, self.rate = list(parameters), rate

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        with torch.no_grad():
            for parameter in self.parameters:
                if parameter.grad is not None:
                    parameter.add_(self.rate * parameter.grad)


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, 1e-3, betas=(0.5, 0.999))


def adam_up(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, 1e-3, betas=(0.5, 0.999), maximize=True)


def own(parameters: Any) -> Ascent:
    return Ascent(parameters, 1e-2)


Way = Callable[[Tensor, list[nn.Parameter]], None]


def trained(path: Path, d_way: tuple[Way, Any], g_way: tuple[Way, Any], d_updates: int = 1) -> dict[str, np.ndarray]:
    """Plays the non-saturating game, each player moved its own way; returns the forces as the loop itself computes them for one that does right."""
    torch.manual_seed(0)
    g = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2))
    d = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    ours, theirs = list(g.parameters()), list(d.parameters())
    og, od = g_way[1](ours), d_way[1](theirs)
    on_real, on_fake, of_g = [], [], []
    with Recorder(path, generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od) as recorder:
        for _ in range(STEPS):
            for _ in range(d_updates):
                od.zero_grad()
                real, fake = d(torch.randn(32, 2) + 2), d(g(torch.randn(32, 3)).detach())
                d_way[0](logsigmoid(real).mean() + logsigmoid(-fake).mean(), theirs)
                od.step()
            on_real.append(float(torch.sigmoid(-real).mean()))
            on_fake.append(-float(torch.sigmoid(fake).mean()))
            og.zero_grad()
            verdict = d(g(torch.randn(32, 3)))
            of_g.append(float(torch.sigmoid(-verdict).mean()))
            g_way[0](logsigmoid(verdict).mean(), ours)
            og.step()
            recorder.step()
            if len(of_g) == 3:  # while it is still looked: copies and pickles are as ever
                twins = copy.deepcopy(d), pickle.loads(pickle.dumps(d))
                assert not any(p._backward_hooks for twin in twins for p in twin.parameters())
        assert not any(p._backward_hooks for p in (*ours, *theirs))  # it is looked in the first updates only
    return {
        "discriminator_force_on_real": np.array(on_real),
        "discriminator_force_on_fake": np.array(on_fake),
        "generator_force_on_fake": np.array(of_g),
    }


@pytest.mark.parametrize("d_updates", [1, 3])
@pytest.mark.parametrize(
    "way",
    [
        (down, adam),
        (up, adam_up),
        (turned_round, adam),
        (turned_in_place_and_clipped, adam),
        (up, own),
        (returned, adam),
    ],
    ids=["descent", "maximize", "turned round", "in place, clipped", "own optimizer", "by autograd.grad"],
)
@pytest.mark.parametrize("who", ["discriminator", "generator"])
def test_the_force_is_where_the_player_pushes(tmp_path: Path, way: tuple[Way, Any], who: str, d_updates: int) -> None:
    if way[0] is returned:  # where others fill gradients, it is a penalty's
        ways = (way, way)
    else:
        ways = (way, (down, adam)) if who == "discriminator" else ((down, adam), way)
    expected = trained(tmp_path / "run", *ways, d_updates=d_updates)
    run = load_run(tmp_path / "run")
    for name, values in expected.items():
        assert run[name].to_numpy() == pytest.approx(values, abs=1e-5), name
    ups = ["discriminator", "generator"] if way[0] is returned else [who] if way[0] is not down else None
    assert run.about.get("ascends") == ups
    assert diagnose(run).finding("objective_fault").verdict is not Verdict.FAILED


@pytest.mark.parametrize(
    ("d_way", "g_way", "force"),
    [
        ((up, adam), (down, adam), "discriminator_force_on_real"),  # the sign was forgotten
        ((down, adam_up), (down, adam), "discriminator_force_on_real"),  # or is there twice
        ((down, adam), (turned_round, adam_up), "generator_force_on_fake"),
    ],
    ids=["forgotten", "twice", "G, twice"],
)
def test_a_player_that_goes_the_wrong_way_is_seen_to(
    tmp_path: Path, d_way: tuple[Way, Any], g_way: tuple[Way, Any], force: str
) -> None:
    right = trained(tmp_path / "run", d_way, g_way)[force]
    assert load_run(tmp_path / "run")[force].to_numpy() == pytest.approx(-right, abs=1e-5)

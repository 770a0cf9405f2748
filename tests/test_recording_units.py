"""Layers whose units began alike and never part: told with their names; those that only look so are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gandiag import Recorder, load_run
from gandiag.diagnosis import Verdict, diagnose
from gandiag.recording.units import identical_units


def play(path: Path, g: nn.Module, d: nn.Module, steps: int = 60) -> None:
    g_opt, d_opt = (torch.optim.Adam(net.parameters(), 1e-3) for net in (g, d))
    with Recorder(
        path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(steps):
            fake, real = g(torch.randn(32, 4)), torch.randn(32, 2) + 1
            d_loss = F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()
            d_opt.zero_grad()
            d_loss.backward()
            d_opt.step()
            g_loss = F.softplus(-d(fake)).mean()
            g_opt.zero_grad()
            g_loss.backward()
            g_opt.step()
            recorder.step(d_loss=d_loss, g_loss=g_loss)


def nets() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return (
        nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2)),
        nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1)),
    )


@pytest.mark.parametrize("who", ["generator", "discriminator"])
def test_a_player_that_begins_with_constants_is_told(tmp_path: Path, who: str) -> None:
    g, d = nets()
    for p in (g if who == "generator" else d).parameters():
        nn.init.constant_(p, 0.05)
    play(tmp_path / "run", g, d)
    assert load_run(tmp_path / "run").about["identical_units"] == {
        who: ["0.weight"]
    }  # layers behind it are one constant
    finding = diagnose(tmp_path / "run").finding("dead_layers")
    assert finding.verdict is Verdict.FAILED
    assert finding.kind == "identical units"
    assert "0.weight" in finding.claim
    assert diagnose(tmp_path / "run").finding("learning_rate").verdict is not Verdict.FAILED


def test_networks_that_begin_at_random_are_not(tmp_path: Path) -> None:
    g, d = nets()
    play(tmp_path / "run", g, d)
    assert "identical_units" not in load_run(tmp_path / "run").about
    (tmp_path / "run" / "run.json").write_text(
        json.dumps(load_run(tmp_path / "run").about | {"identical_units": {"generator": 3, "discriminator": None}})
    )
    assert diagnose(tmp_path / "run").finding("dead_layers").kind != "identical units"


def layer(weight: Any, *, trained: bool = True) -> nn.Module:
    found = nn.Linear(3, len(weight), bias=False)
    found.weight = nn.Parameter(torch.tensor(weight), requires_grad=trained)
    return found


def test_units_are_one_only_where_all_agree_and_something_has_moved_them() -> None:
    rows = [[1.0, 2.0, 3.0]] * 4
    assert identical_units(layer(rows)) == ["weight"]
    assert identical_units(layer([[2.0, 2.0, 2.0]] * 4)) == []  # as they began: never used
    assert identical_units(layer([[0.0] * 3] * 4)) == []
    assert identical_units(layer([*rows[:3], [1.0, 2.0, 3.001]])) == []
    assert identical_units(layer(rows[:3])) == []
    assert identical_units(layer(rows, trained=False)) == []
    assert identical_units(nn.LayerNorm(8)) == []

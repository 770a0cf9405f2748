"""Attach and a game of which one player never moves: the two copy-and-paste faults, and trainings that only look like them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, softplus

import gandiag
from gandiag.diagnosis import Verdict
from gandiag.recording.attachment import Attachment


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    yield
    gandiag.detach()


def pair() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return (
        nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)),
        nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1)),
    )


def play(g: nn.Module, d: nn.Module, g_step: torch.optim.Optimizer, d_step: torch.optim.Optimizer, steps: int) -> None:
    """The usual loop, in which each turn's update is by the optimizer that is given for it."""
    for _ in range(steps):
        d.zero_grad()
        (softplus(-d(torch.randn(16, 2))).mean() + softplus(d(g(torch.randn(16, 3)).detach())).mean()).backward()
        d_step.step()
        g.zero_grad()
        softplus(-d(g(torch.randn(16, 3)))).mean().backward()
        g_step.step()


def attached(path: Path) -> Attachment:
    return gandiag.attach(path, say=lambda line: None)


@pytest.mark.parametrize("fault", ["d steps twice", "d's holds g"])
def test_the_player_that_never_moves_is_named(fault: str, tmp_path: Path) -> None:
    said: list[str] = []
    attachment = gandiag.attach(tmp_path / "run", say=said.append)
    g, d = pair()
    g_opt = torch.optim.Adam(g.parameters(), 1e-3)
    d_opt = torch.optim.Adam((d if fault == "d steps twice" else g).parameters(), 1e-3)
    play(g, d, d_opt if fault == "d steps twice" else g_opt, d_opt, 60)
    gandiag.detach()
    assert attachment.paths == [tmp_path / "run"]
    who = "generator" if fault == "d steps twice" else "discriminator"
    assert any(f"the {who} never moves" in line for line in said)
    diagnosis = gandiag.diagnose(tmp_path / "run")
    assert diagnosis.illnesses[0].check == "objective_fault"
    assert diagnosis.illnesses[0].verdict is Verdict.FAILED
    assert diagnosis.illnesses[0].kind == f"frozen {who}"
    assert (
        len(gandiag.load_run(tmp_path / "run")["generator_updates"]) >= 119
    )  # the other optimizer was new at the second
    gandiag.write_report(gandiag.load_run(tmp_path / "run"), tmp_path / "report.html")


def test_a_generator_that_never_moves_is_named_where_both_batches_are_judged_in_one(tmp_path: Path) -> None:
    said: list[str] = []
    gandiag.attach(tmp_path / "run", say=said.append)
    g, d = pair()
    d_opt, g_opt = torch.optim.Adam(d.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    for _ in range(60):
        d.zero_grad()
        verdicts = d(torch.cat([torch.randn(16, 2), g(torch.randn(16, 3))]))
        softplus(verdicts * torch.cat([-torch.ones(16, 1), torch.ones(16, 1)])).mean().backward()
        d_opt.step()
        g.zero_grad()
        softplus(-d(g(torch.randn(16, 3)))).mean().backward()
        g_opt.step()
    gandiag.detach()
    assert any("the generator never moves" in line for line in said)
    assert gandiag.diagnose(tmp_path / "run").illnesses[0].kind == "frozen generator"


@pytest.mark.parametrize("set_free", [True, False])
def test_a_discriminator_that_is_frozen_for_the_generator_and_never_set_free_is_recorded(
    set_free: bool, tmp_path: Path
) -> None:
    attachment = attached(tmp_path / "run")
    g, d = pair()
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    for step in range(60):
        if set_free or not step:
            d.requires_grad_(True)
        d_opt.zero_grad()
        (softplus(-d(torch.randn(16, 2))).mean() + softplus(d(g(torch.randn(16, 3)))).mean()).backward()
        d_opt.step()
        d.requires_grad_(False)
        g_opt.zero_grad()
        softplus(-d(g(torch.randn(16, 3)))).mean().backward()
        g_opt.step()
    gandiag.detach()
    assert attachment.players is not None
    found = gandiag.diagnose(tmp_path / "run").finding("objective_fault")
    assert (found.verdict is Verdict.FAILED and found.kind == "frozen discriminator") is not set_free, found.claim


def test_fakes_that_go_by_way_of_numpy_in_either_turn_are_a_game_that_is_cut(tmp_path: Path) -> None:
    said: list[str] = []
    gandiag.attach(tmp_path / "run", say=said.append)
    g, d = pair()
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)

    def jitter(batch: Tensor) -> Tensor:
        return torch.from_numpy(batch.detach().numpy() + 0.1)

    for _ in range(60):
        d.zero_grad()
        fake = g(torch.randn(16, 3))
        (softplus(-d(jitter(torch.randn(16, 2)))).mean() + softplus(d(jitter(fake))).mean()).backward()
        d_opt.step()
        g.zero_grad()
        softplus(-d(jitter(fake))).mean().backward()
        g_opt.step()
    gandiag.detach()
    assert any("the generator never moves: no gradient comes to what it makes" in line for line in said)
    assert gandiag.diagnose(tmp_path / "run").illnesses[0].kind == "frozen generator"


def test_a_network_that_is_stepped_and_never_used_is_no_generator_of_other_forms(tmp_path: Path) -> None:
    attachment = attached(tmp_path / "run")
    torch.manual_seed(0)
    idle, regressor = nn.Linear(3, 7), nn.Linear(2, 1)
    optimizers = [torch.optim.Adam(net.parameters(), 1e-3) for net in (idle, regressor)]
    for _ in range(60):
        idle(torch.randn(16, 3))
        optimizers[0].step()
        optimizers[1].zero_grad()
        regressor(torch.randn(16, 2)).square().mean().backward()
        optimizers[1].step()
    gandiag.detach()
    assert not attachment.paths


def test_a_long_training_is_told_by_its_first_updates(tmp_path: Path) -> None:
    attached(tmp_path / "run")
    g, d = pair()
    torch.optim.Adam(g.parameters(), 1e-3)  # nobody keeps it
    g_opt = torch.optim.Adam(g.parameters(), 1e-3)
    d_opt = torch.optim.Adam(d.parameters(), 1e-3)
    play(g, d, d_opt, d_opt, 600)
    gandiag.detach()
    assert 1000 <= len(gandiag.load_run(tmp_path / "run")["generator_updates"]) < 1010
    assert g_opt.param_groups


def test_a_network_that_nobody_meant_to_train_is_no_player(tmp_path: Path) -> None:
    """An autoencoder whose loss looks through a feature network that somebody forgot to freeze."""
    attachment = attached(tmp_path / "run")
    torch.manual_seed(0)
    coder, features = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2)), nn.Linear(2, 4)
    optimizer = torch.optim.Adam(coder.parameters(), 1e-3)
    for _ in range(60):
        data = torch.randn(16, 2)
        optimizer.zero_grad()
        mse_loss(features(coder(data)), features(data)).backward()
        optimizer.step()
    gandiag.detach()
    assert not attachment.paths
    assert "only one network was trained" in attachment.why_not
    assert not (tmp_path / "run").exists()


def test_a_backbone_under_a_head_is_no_player_either(tmp_path: Path) -> None:
    """Its optimizer waits until the head has learned; the head is never shown data from outside."""
    attachment = attached(tmp_path / "run")
    torch.manual_seed(0)
    backbone, head = nn.Linear(2, 4), nn.Linear(4, 3)
    later = torch.optim.Adam(backbone.parameters(), 1e-4)
    optimizer = torch.optim.Adam(head.parameters(), 1e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss: Tensor = nn.functional.cross_entropy(head(backbone(torch.randn(16, 2))), torch.randint(3, (16,)))
        loss.backward()
        optimizer.step()
    gandiag.detach()
    assert later.param_groups
    assert not attachment.paths


def test_a_sound_game_is_recorded_as_ever(tmp_path: Path) -> None:
    attachment = attached(tmp_path / "run")
    g, d = pair()
    play(g, d, torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3), 40)
    gandiag.detach()
    assert attachment.players is not None
    assert "stands_still" not in gandiag.load_run(tmp_path / "run").about["attached"]

"""Copies and pickles of a network that is being recorded: an average of the generator, a checkpoint of the whole object."""

from __future__ import annotations

import copy
import io
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import softplus

import gandiag


def players() -> tuple[nn.Module, nn.Module, torch.optim.Optimizer, torch.optim.Optimizer]:
    torch.manual_seed(0)
    generator, discriminator = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)), nn.Linear(2, 1)
    return (
        generator,
        discriminator,
        torch.optim.Adam(generator.parameters()),
        torch.optim.Adam(discriminator.parameters()),
    )


def step(g: nn.Module, d: nn.Module, g_opt: torch.optim.Optimizer, d_opt: torch.optim.Optimizer) -> None:
    fake, real = g(torch.randn(8, 4)), torch.randn(8, 2)
    d_opt.zero_grad()
    (softplus(-d(real)).mean() + softplus(d(fake.detach())).mean()).backward()
    d_opt.step()
    g_opt.zero_grad()
    softplus(-d(fake)).mean().backward()
    g_opt.step()


def test_copies_and_pickles_are_free_of_the_recorder(tmp_path: Path) -> None:
    g, d, g_opt, d_opt = players()
    recorder = gandiag.Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    )
    for i in range(12):
        step(g, d, g_opt, d_opt)
        if i == 5:
            average, optimizer, saved = copy.deepcopy(g), copy.deepcopy(d_opt), io.BytesIO()
            torch.save(g, saved)
            wanted = {name: value.clone() for name, value in g.state_dict().items()}
    recorder.close()
    z = torch.randn(3, 4)
    assert average(z).shape == (3, 2)
    assert optimizer.state_dict()["param_groups"] == d_opt.state_dict()["param_groups"]
    saved.seek(0)
    read = torch.load(saved, weights_only=False)
    assert all(torch.equal(value, wanted[name]) for name, value in read.state_dict().items())
    assert read(z).shape == (3, 2)
    assert gandiag.load_run(tmp_path / "run").steps == 12
    assert not g._forward_hooks


def test_a_pickle_needs_no_gandiag_to_be_read(tmp_path: Path) -> None:
    g, d, g_opt, d_opt = players()
    with gandiag.Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        step(g, d, g_opt, d_opt)
        recorder.step()
        torch.save(g, tmp_path / "g.pt")
    load = f"torch.load({str(tmp_path / 'g.pt')!r}, weights_only=False)"
    code = f"import sys; sys.modules['gandiag'] = None; import torch; print({load}(torch.ones(2, 4)).shape)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "torch.Size([2, 2])", done.stderr

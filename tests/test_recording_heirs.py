"""Optimizers that take the place of a player's own in mid-run, or before each update: they are followed, and nothing of them is kept alive."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import Adam, Optimizer
from torch.optim import optimizer as optimizers

from gandiag import Recorder, load_run
from gandiag.diagnosis import Verdict, diagnose

STEPS, LONG = 60, 310  # the latter long enough to be judged
Choose = Callable[[int], tuple[Optimizer, Optimizer]]


def nets() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return (
        nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)),
        nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1)),
    )


def play(
    path: Path, g: nn.Module, d: nn.Module, choose: Choose, *, automatic: bool, steps: int = STEPS
) -> list[tuple[float, float]]:
    """Trains by the optimizers that are chosen for each step; returns the norms of both players' gradients as they were used."""
    g_opt, d_opt = choose(0)
    norms = []
    with Recorder(
        path,
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=automatic,
    ) as recorder:
        for step in range(steps):
            g_opt, d_opt = choose(step)
            fake, real = g(torch.randn(32, 4)), torch.randn(32, 2) + 1
            d_loss = F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()
            d_opt.zero_grad()
            d_loss.backward()
            used = norm(d)
            d_opt.step()
            g_loss = F.softplus(-d(fake)).mean()
            g_opt.zero_grad()
            g_loss.backward()
            norms.append((norm(g), used))
            g_opt.step()
            del g_opt, d_opt
            if not automatic:
                recorder.step(d_loss=d_loss, g_loss=g_loss)
    return norms


def norm(net: nn.Module) -> float:
    return float(torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]).norm())


@pytest.mark.parametrize("automatic", [True, False])
def test_optimizers_of_a_second_phase_are_followed(tmp_path: Path, automatic: bool) -> None:
    g, d = nets()
    both = [(Adam(g.parameters(), rate), Adam(d.parameters(), rate)) for rate in (1e-3, 1e-4)]
    hooks = dict(optimizers._global_optimizer_pre_hooks)
    norms = play(tmp_path / "run", g, d, lambda step: both[step >= 20], automatic=automatic)
    assert dict(optimizers._global_optimizer_pre_hooks) == hooks
    run = load_run(tmp_path / "run")
    rates = run["generator_learning_rate"].dropna()
    assert sorted({round(float(r), 6) for r in rates}) == [1e-4, 1e-3]
    for who, which in (("generator", 0), ("discriminator", 1)):
        seen = run[f"{who}_gradient_norm"].dropna()
        assert len(seen) >= run.steps - 4
        for back in range(1, 30):  # the last steps of both are the same ones, whatever was missed as the new ones came
            assert float(seen.iloc[-back]) == pytest.approx(norms[-back][which], rel=1e-4)
    assert sum("a new optimizer steps the" in line for line in run.about["could_not_tell"]) == 2
    assert "made_anew" not in run.about


@pytest.mark.parametrize("automatic", [True, False])
def test_an_optimizer_that_is_made_anew_for_each_update_is_told_and_none_is_kept(
    tmp_path: Path, automatic: bool
) -> None:
    g, d = nets()
    d_opt = Adam(d.parameters(), 1e-3)
    made: list[weakref.ref[Optimizer]] = []

    def choose(step: int) -> tuple[Optimizer, Optimizer]:
        new = Adam(g.parameters(), 1e-3)
        made.append(weakref.ref(new))
        return new, d_opt

    norms = play(tmp_path / "run", g, d, choose, automatic=automatic, steps=LONG)
    gc.collect()
    assert sum(ref() is not None for ref in made) <= 4
    run = load_run(tmp_path / "run")
    seen = run["generator_gradient_norm"].dropna()
    assert len(seen) >= LONG - 6
    assert [float(seen.iloc[-k]) for k in range(1, 30)] == pytest.approx([norms[-k][0] for k in range(1, 30)], rel=1e-4)
    assert float(run["generator_updates"].dropna().max()) == 1
    assert run.about["made_anew"] == ["generator"]
    finding = diagnose(tmp_path / "run").finding("learning_rate")
    assert (finding.kind, finding.verdict in (Verdict.SUSPECT, Verdict.FAILED)) == ("made anew", True)


def test_two_optimizers_that_take_turns_are_counted_once_each(tmp_path: Path) -> None:
    g, d = nets()
    both = [(Adam(g.parameters(), 1e-3), Adam(d.parameters(), 1e-3)) for _ in range(3)]
    play(tmp_path / "run", g, d, lambda step: both[step // 10 % 3], automatic=False)
    run = load_run(tmp_path / "run")
    for who in ("generator", "discriminator"):
        assert float(run[f"{who}_updates"].dropna().max()) == 1
        assert int(run[f"{who}_gradient_norm"].notna().sum()) >= STEPS - 2 * 6

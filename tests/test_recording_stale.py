"""What gradients still hold as a player's own backward pass begins: nothing, the last update's, or what the other player's pass has left."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gandiag import Recorder, diagnose, load_run
from gandiag.diagnosis import Verdict
from gandiag.run import Run

STEPS = 330
LATE = ("together", "frozen")  # D steps only after G's backward pass, in which its parameters take part, or not


def players() -> tuple[nn.Module, nn.Module, torch.optim.Optimizer, torch.optim.Optimizer]:
    torch.manual_seed(3)
    g = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    d = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    return g, d, torch.optim.SGD(g.parameters(), 0.01), torch.optim.SGD(d.parameters(), 0.01)


def trained(
    path: Path, way: str, *, to_none: bool = True, steps: int = 40, automatic: bool = True
) -> tuple[Run, list[float]]:
    """Trains wired in one way; returns the record and, by autograd.grad, the norm of what the one's loss leaves in the other's gradients."""
    g, d, g_opt, d_opt = players()
    recorder = Recorder(
        path,
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=automatic,
    )
    left = []
    for _ in range(steps):
        if way in ("no detach", *LATE):
            g_opt.zero_grad(to_none)
        for part in range(2 if way == "accumulated" else 1):
            fake = g(torch.randn(16, 4))
            shown = fake if way in ("harmless", "no detach") else fake.detach()
            if way != "discriminator never" and not part:
                d_opt.zero_grad(to_none)
            d_loss = F.softplus(-d(torch.randn(16, 2) + 1)).mean() + F.softplus(d(shown)).mean()
            if way == "no detach":
                parts = torch.autograd.grad(d_loss, list(g.parameters()), retain_graph=True)
                left.append(float(torch.stack([p.norm() for p in parts]).norm()))
            d_loss.backward()
        if way not in LATE:
            d_opt.step()
        if way not in ("no detach", "generator never", *LATE):
            g_opt.zero_grad(to_none)
        d.requires_grad_(way != "frozen")
        for _ in range(2 if way == "accumulated" else 1):
            g_loss = F.softplus(-d(g(torch.randn(16, 4)))).mean()
            if way == "together":
                parts = torch.autograd.grad(g_loss, list(d.parameters()), retain_graph=True)
                left.append(float(torch.stack([p.norm() for p in parts]).norm()))
            g_loss.backward()
        d.requires_grad_(True)
        if way in LATE:
            d_opt.step()
        g_opt.step()
        if not automatic:
            recorder.step()
    recorder.close()
    return load_run(path), left


@pytest.mark.parametrize("to_none", [True, False])
@pytest.mark.parametrize("way", ["cleared", "harmless", "accumulated", "frozen"])
def test_cleared_gradients_hold_nothing(tmp_path: Path, way: str, to_none: bool) -> None:
    run, _ = trained(tmp_path / "run", way, to_none=to_none)
    held = run["generator_stale_gradient_norm"]
    assert len(held) >= 30
    assert (held == 0).all()
    if way != "harmless":  # there D's passes are looked at for what they bring to G
        assert (run["discriminator_stale_gradient_norm"] == 0).all()


@pytest.mark.parametrize("automatic", [True, False])
@pytest.mark.parametrize("to_none", [True, False])
def test_what_the_discriminators_loss_leaves_in_the_generator_is_recorded_exactly(
    tmp_path: Path, to_none: bool, automatic: bool
) -> None:
    run, left = trained(tmp_path / "run", "no detach", to_none=to_none, automatic=automatic)
    held = run["generator_stale_gradient_norm"]
    assert len(held) >= 30
    assert held.to_list() == pytest.approx([left[step] for step in held.index], rel=1e-5)


def both_late(
    path: Path, *, g_first: bool, detached: bool, shared_fakes: bool = True, relativistic: bool = False
) -> Run:
    """Both players' gradients are cleared, both losses go backward, and only then both step."""
    g, d, g_opt, d_opt = players()
    recorder = Recorder(path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
    for _ in range(40):
        g_opt.zero_grad()
        d_opt.zero_grad()
        fake, real = g(torch.randn(16, 4)), torch.randn(16, 2) + 1
        d_loss = F.softplus(-d(real)).mean() + F.softplus(d(fake.detach() if detached else fake)).mean()
        d_loss.backward(retain_graph=True)
        again = fake if shared_fakes else g(torch.randn(16, 4))
        g_loss = F.softplus(-(d(again) - (d(real).mean() if relativistic else 0))).mean()
        g_loss.backward()
        for optimizer in (g_opt, d_opt) if g_first else (d_opt, g_opt):
            optimizer.step()
        recorder.step(d_loss=d_loss, g_loss=g_loss)
    recorder.close()
    return load_run(path)


@pytest.mark.parametrize("g_first", [True, False])
@pytest.mark.parametrize("shared_fakes", [True, False])
def test_undetached_fakes_are_told_also_where_both_losses_go_backward_before_either_steps(
    tmp_path: Path, g_first: bool, shared_fakes: bool
) -> None:
    run = both_late(tmp_path / "run", g_first=g_first, detached=False, shared_fakes=shared_fakes)
    assert (run["discriminator_force_on_fake"] < 0).all()
    assert (run["generator_force_on_fake"] > 0).all()
    assert (run["generator_stale_gradient_norm"] > 0).mean() > 0.9
    found = diagnose(run).finding("objective_fault")
    assert (found.verdict, found.kind) == (Verdict.FAILED, "gradients of the other player"), found.claim
    assert "times as large as the whole" in found.claim  # two pulls that all but cancel


@pytest.mark.parametrize("g_first", [True, False])
def test_detached_ones_leave_nothing_in_the_generator(tmp_path: Path, g_first: bool) -> None:
    run = both_late(tmp_path / "run", g_first=g_first, detached=True)
    assert (run["generator_stale_gradient_norm"] == 0).all()


@pytest.mark.parametrize("to_none", [True, False])
def test_what_the_generators_pass_adds_before_the_discriminator_steps_is_recorded_exactly(
    tmp_path: Path, to_none: bool
) -> None:
    run, left = trained(tmp_path / "run", "together", to_none=to_none)
    added = run["discriminator_stale_gradient_norm"]
    assert len(added) >= 30
    assert added.to_list() == pytest.approx([left[step] for step in added.index], rel=1e-4)
    assert (run["generator_stale_gradient_norm"] == 0).all()


def test_a_generator_that_is_never_cleared_still_holds_its_last_update(tmp_path: Path) -> None:
    run, _ = trained(tmp_path / "run", "generator never")
    held, norm = run["generator_stale_gradient_norm"], run["generator_gradient_norm"]
    later = held.loc[1:]
    assert later.to_list() == pytest.approx([norm[step - 1] for step in later.index], rel=1e-5)
    assert (run["discriminator_stale_gradient_norm"] == 0).all()


def test_a_discriminator_that_is_never_cleared_holds_what_the_generators_pass_added(tmp_path: Path) -> None:
    run, _ = trained(tmp_path / "run", "discriminator never")
    assert (run["discriminator_stale_gradient_norm"].loc[1:] > 0).all()
    assert (run["generator_stale_gradient_norm"] == 0).all()


def test_gradients_are_looked_at_in_the_first_steps_and_then_in_every_tenth(tmp_path: Path) -> None:
    run, _ = trained(tmp_path / "run", "cleared", steps=80)
    steps = run["generator_stale_gradient_norm"].index.to_list()
    assert [s for s in steps if s > 40] == [50, 60, 70]
    assert set(range(1, 30)) <= set(steps)


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ("no detach", "gradients of the other player"),
        ("generator never", "gradients never cleared"),
        ("discriminator never", "gradients of the other player"),
        ("together", "gradients of the other player"),
    ],
)
def test_the_diagnosis_names_gradients_that_are_not_cleared(tmp_path: Path, way: str, kind: str) -> None:
    run, _ = trained(tmp_path / "run", way, steps=STEPS)
    first = diagnose(run).findings[0]
    assert (first.check, first.verdict, first.kind) == ("objective_fault", Verdict.FAILED, kind)
    assert "zero_grad() right before" in first.remedies[0] or "step() before" in first.remedies[0]


@pytest.mark.parametrize("way", ["cleared", "harmless", "accumulated", "frozen"])
def test_the_diagnosis_accuses_no_loop_that_clears_them(tmp_path: Path, way: str) -> None:
    run, _ = trained(tmp_path / "run", way, steps=STEPS)
    fault = next(f for f in diagnose(run).findings if f.check == "objective_fault")
    assert fault.verdict is Verdict.HEALTHY


class TwoHeads(nn.Module):
    """A discriminator with a head beside its verdict, whose part of the pass runs first: its nodes are the younger ones."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.verdict, self.beside = nn.Linear(2, 8), nn.Linear(8, 1), nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        body = torch.tanh(self.body(x))
        return self.verdict(body), self.beside(body)


@pytest.mark.parametrize("way", ["a head beside the verdict", "a penalty on the weights", "never cleared"])
def test_what_a_pass_has_added_before_it_comes_through_the_verdict_is_its_own(tmp_path: Path, way: str) -> None:
    torch.manual_seed(3)
    g, d = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), TwoHeads()
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 0.01), torch.optim.SGD(d.parameters(), 0.01)
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for step in range(60):
            real = torch.randn(16, 2) + 1
            if way != "never cleared" or not step:
                d_opt.zero_grad()
            score, beside = d(real)
            loss = F.softplus(-score).mean() + F.softplus(d(g(torch.randn(16, 4)).detach())[0]).mean()
            if way == "a penalty on the weights":
                loss = loss + sum(p.square().sum() for p in d.parameters())
            else:
                loss = loss + F.mse_loss(beside, real)
            loss.backward()
            d_opt.step()
            g_opt.zero_grad()
            d.requires_grad_(False)
            F.softplus(-d(g(torch.randn(16, 4)))[0]).mean().backward()
            d.requires_grad_(True)
            g_opt.step()
    run = load_run(tmp_path / "run")
    held = run["discriminator_stale_gradient_norm"]
    found = diagnose(run).finding("objective_fault")
    if way == "never cleared":
        assert (held.iloc[1:] > 0).all()
        assert found.verdict is Verdict.FAILED
    else:
        assert (held == 0).all()
        assert found.verdict is Verdict.HEALTHY

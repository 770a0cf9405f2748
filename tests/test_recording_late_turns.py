"""Players whose turn comes late, or goes another way later: their passes are known all the same."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.diagnosis import diagnose
from gandiag.recording import Recorder
from gandiag.run import load_run


class Growing(nn.Module):
    """A generator that draws through another branch after a while, as progressive growing does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 2), nn.Linear(3, 2)
        self.grown = False

    def forward(self, z: Tensor) -> Tensor:
        drawn: Tensor = self.second(z) if self.grown else self.first(z)
        return drawn


def trained(path: Path, g: nn.Module, critic_steps: list[int], *, automatic: bool, grows_at: int = -1) -> None:
    torch.manual_seed(0)
    d = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 0.05), torch.optim.SGD(d.parameters(), 0.05)
    with Recorder(
        path,
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=automatic,
    ) as recorder:
        for step, updates in enumerate(critic_steps):
            g.grown = step >= grows_at >= 0  # type: ignore[assignment]  # of Growing alone
            for _ in range(updates):
                d_opt.zero_grad()
                d_loss = F.softplus(-d(torch.randn(8, 2))).mean() + F.softplus(d(g(torch.randn(8, 3)).detach())).mean()
                d_loss.backward()
                d_opt.step()
            g_opt.zero_grad()
            F.softplus(-d(g(torch.randn(8, 3)))).mean().backward()
            g_opt.step()
            if not automatic:
                recorder.step()


@pytest.mark.parametrize("automatic", [True, False])
def test_a_generator_that_is_first_updated_after_a_hundred_critic_steps_is_seen(
    tmp_path: Path, automatic: bool
) -> None:
    """As the authors' WGAN does in its first iterations."""
    trained(tmp_path / "run", nn.Linear(3, 2), [100, 100, 5, 5], automatic=automatic)
    run = load_run(tmp_path / "run")
    for name in ("generator_force_on_fake", "generator_gradient_at_image", "discriminator_force_on_real"):
        assert len(run[name]) == 4, name
        assert (run[name] != 0).all(), name
    assert (run["discriminator_stale_gradient_norm"] == 0).all()


@pytest.mark.parametrize("automatic", [True, False])
def test_a_generator_that_goes_another_way_later_is_missed_for_one_step_at_most(
    tmp_path: Path, automatic: bool
) -> None:
    trained(tmp_path / "run", Growing(), [1] * 60, automatic=automatic, grows_at=45)
    seen = load_run(tmp_path / "run")["generator_force_on_fake"].index
    assert len(seen) >= 59
    assert set(range(47, 60)) <= set(seen)


@pytest.mark.parametrize("by", ["another optimizer", "hand"])
@pytest.mark.parametrize("automatic", [True, False])
def test_of_weights_that_something_nobody_named_moves_the_updates_are_not_known(
    tmp_path: Path, automatic: bool, by: str
) -> None:
    """An optimizer made anew in mid-run is followed from its second update on; by hand the recorder sees no update of D any more. It must not
    say that D stands still."""
    torch.manual_seed(0)
    g, d = nn.Linear(4, 2), nn.Linear(2, 1)
    g_opt, d_opt = (torch.optim.SGD(net.parameters(), 0.01) for net in (g, d))
    recorder = Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=automatic,
    )
    for step in range(400):
        if step == 100 and by == "another optimizer":
            d_opt = torch.optim.SGD(d.parameters(), 0.01)
        fake = g(torch.randn(16, 4))
        d_opt.zero_grad()
        (F.softplus(d(fake.detach())).mean() + F.softplus(-d(torch.randn(16, 2))).mean()).backward()
        if by == "hand" and step >= 100:
            with torch.no_grad():
                for p in d.parameters():
                    assert p.grad is not None
                    p.sub_(0.01 * p.grad)
        elif step != 50:
            d_opt.step()
        g_opt.zero_grad()
        F.softplus(-d(fake)).mean().backward()
        g_opt.step()
        if not automatic:
            recorder.step()
    recorder.close()
    run = load_run(tmp_path / "run")
    updates = run["discriminator_updates"]
    assert updates[50] == 0
    late = updates.loc[100:]
    if by == "hand":
        assert len(late) <= 2
    else:
        assert (late.loc[104:] == 1).all()
        assert len(late) >= 296
    assert len(run["generator_updates"]) == 400
    assert "frozen" not in diagnose(run).finding("objective_fault").kind

"""Of several things that D is given at once the sample is found: what G made, and the real that stands where that stood."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, one_hot, softplus

from gandiag.errors import NotRecorded
from gandiag.recording import Recorder
from gandiag.run import load_run

STEPS = 12


class Judge(nn.Module):
    """Judges a sample beside something else, a code or a source, in either order."""

    def __init__(self, values: int, *, sample_first: bool) -> None:
        super().__init__()
        self.net, self.sample_first = nn.Linear(values, 1), sample_first

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        score: Tensor = self.net(torch.cat([one, other], 1))
        return score

    def of(self, sample: Tensor, beside: Tensor) -> Tensor:
        score: Tensor = self(sample, beside) if self.sample_first else self(beside, sample)
        return score


@pytest.mark.parametrize("sample_first", [True, False])
@pytest.mark.parametrize("wide", [3, 2], ids=["another form", "the same form"])
def test_the_real_is_what_stands_where_the_fake_stood(tmp_path: Path, sample_first: bool, wide: int) -> None:
    torch.manual_seed(0)
    g, d, code = nn.Linear(wide, 2), Judge(2 + wide, sample_first=sample_first), nn.Linear(2, wide)
    g_opt, d_opt = torch.optim.SGD([*g.parameters(), *code.parameters()], 1e-2), torch.optim.SGD(d.parameters(), 1e-2)
    means: list[float] = []
    with Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(STEPS):
            real, latent = torch.randn(16, 2) + 5, torch.randn(16, wide)
            fake = g(latent)
            means.append(float(real.mean()))
            d_opt.zero_grad()
            (softplus(d.of(fake.detach(), latent)) + softplus(-d.of(real, code(real).detach()))).mean().backward()
            d_opt.step()
            g_opt.zero_grad()
            (softplus(-d.of(fake, latent)) + softplus(d.of(real, code(real)))).mean().backward()
            g_opt.step()
            recorder.step()
    recorded = load_run(tmp_path / "run")["real_mean"]
    assert recorded.to_list() == pytest.approx([means[i] for i in recorded.index], rel=1e-5)


class ReadsTokens(nn.Module):
    """Judges whole numbers, of which nothing leads back to a generator."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Parameter(torch.randn(5, 4)), nn.Linear(4, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        score: Tensor = self.head(embedding(tokens, self.table))
        return score


@pytest.mark.parametrize("draws_between", [True, False])
def test_tokens_that_nothing_traces_are_no_reals_for_that(tmp_path: Path, draws_between: bool) -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(3, 5), ReadsTokens()
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-2), torch.optim.SGD(d.parameters(), 1e-2)
    means: list[float] = []
    with Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(STEPS):
            on_real = d(torch.randint(5, (16,))) if draws_between else None
            chances = g(torch.randn(16, 3)).log_softmax(1)
            on_real = d(torch.randint(5, (16,))) if on_real is None else on_real
            drawn = torch.multinomial(chances.detach().exp(), 1)
            on_fake = d(drawn[:, 0])
            means.append(on_real.mean().item())
            d_opt.zero_grad()
            (softplus(-on_real) + softplus(on_fake)).mean().backward()
            d_opt.step()
            with torch.no_grad():
                reward = d(drawn[:, 0])
            g_opt.zero_grad()
            (-reward * chances.gather(1, drawn)).mean().backward()
            g_opt.step()
            recorder.step()
    run = load_run(tmp_path / "run")
    if draws_between:
        assert run["real_logit_mean"].to_list() == pytest.approx(means, rel=1e-4, abs=1e-6)
        assert len(run["discriminator_auc"]) == STEPS
    else:
        with pytest.raises(NotRecorded):
            run["real_logit_mean"]
        assert any("neither is known to come from the generator" in said for said in run.about["could_not_tell"])


def test_of_two_batches_as_near_to_what_g_returned_the_second_is_the_fake(tmp_path: Path) -> None:
    """Codes that were drawn by probabilities whose logarithms G returns: each code is as far from those as any other."""
    torch.manual_seed(0)
    g, d = nn.Sequential(nn.Linear(3, 5), nn.LogSoftmax(1)), nn.Linear(5, 1)
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-2), torch.optim.SGD(d.parameters(), 1e-2)
    means: list[float] = []
    with Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(2 * STEPS):
            chances = g(torch.randn(16, 3))
            drawn = torch.multinomial(chances.detach().exp(), 1)
            code = one_hot(drawn[:, 0], 5).float()
            on_real, on_fake = d(one_hot(torch.randint(5, (16,)), 5).float()), d(code)
            means.append(on_real.mean().item())
            d_opt.zero_grad()
            (softplus(-on_real) + softplus(on_fake)).mean().backward()
            d_opt.step()
            with torch.no_grad():
                reward = d(code)
            g_opt.zero_grad()
            (-reward * chances.gather(1, drawn)).mean().backward()
            g_opt.step()
            recorder.step()
    run = load_run(tmp_path / "run")
    assert run["real_logit_mean"].to_list() == pytest.approx(means, rel=1e-4, abs=1e-6)

"""Of several things that D is given at once the sample is found: what G made, and the real that stands where that stood."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

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

"""Scores that lie in [0, 1]: probabilities where nothing tells otherwise, no sign of anything where a linear layer returned them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gandiag import Recorder, load_run


class Scaled(nn.Module):
    """Ends in an affine layer whose scores lie near 0.5, or in a clamp of them."""

    def __init__(self, clamped: bool) -> None:
        super().__init__()
        self.layer, self.clamped = nn.Linear(2, 1), clamped
        nn.init.constant_(self.layer.bias, 0.5)
        nn.init.constant_(self.layer.weight, 1e-3)

    def forward(self, x: Tensor) -> Tensor:
        score = self.layer(x)
        return score.clamp(0, 1) if self.clamped else score


@pytest.mark.parametrize("clamped", [True, False])
def test_small_scores_of_a_linear_layer_are_not_called_probabilities(tmp_path: Path, clamped: bool) -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(2, 2), Scaled(clamped)
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-4), torch.optim.SGD(d.parameters(), 1e-4)
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for _ in range(40):
            fake = g(torch.randn(8, 2))
            d_opt.zero_grad()
            (softplus(-d(torch.randn(8, 2))).mean() + softplus(d(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-d(fake)).mean().backward()
            g_opt.step()
    told = load_run(tmp_path / "run").about.get("could_not_tell", [])
    assert any("saw only scores in [0, 1]" in sentence for sentence in told) == clamped

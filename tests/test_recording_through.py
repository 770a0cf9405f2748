"""The discriminator's part of what moves the generator: held to autograd's own answer, in the forms that such loops have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, softplus

import gandiag
from gandiag.recording.through import EVERY, both_norms, share

STEPS = 2 * EVERY + 1


class TwoHeads(nn.Module):
    """A discriminator that returns a verdict by each of two heads, which read the same features."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2))
        self.first, self.second = nn.Linear(16, 1), nn.Linear(18, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        features = self.features(x)
        return [self.first(features), self.second(torch.cat([features, x * 0.5], 1))]


def record(
    path: Path,
    weight: float,
    shown: Callable[[Tensor], Tensor] = lambda x: x,
    critic: Callable[[], nn.Module] = lambda: nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)),
) -> tuple[gandiag.RunData, list[float]]:
    """Trains with a reconstruction loss of this weight beside the game; returns the recording, and the share as autograd tells it."""
    torch.manual_seed(0)
    G, D = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)), critic()
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
    expected = []

    def verdicts(x: Tensor) -> Tensor:
        found = D(shown(x))
        return torch.cat(found) if isinstance(found, list) else found

    with gandiag.Recorder(
        path, generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True
    ):
        for _ in range(STEPS):
            real, fake = torch.randn(32, 2), G(torch.randn(32, 4))
            d_opt.zero_grad()
            (softplus(-verdicts(real)).mean() + softplus(verdicts(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            game, beside = softplus(-verdicts(fake)).mean(), weight * mse_loss(fake, real)
            parts = [torch.autograd.grad(x, fake, retain_graph=True)[0] for x in (game, beside)]
            expected.append(float(parts[0].norm() / sum(parts).norm()))  # type: ignore[union-attr]  # a sum of tensors
            (game + beside).backward()
            g_opt.step()
    return gandiag.load_run(path), expected


@pytest.mark.parametrize(
    ("weight", "more"),
    [
        (0.0, {}),
        (1.0, {}),
        (100.0, {}),
        (1.0, {"shown": lambda x: x + 0.1 * torch.ones_like(x) * x.detach()}),
        (1.0, {"critic": TwoHeads}),
        (1.0, {"critic": lambda: nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1), nn.Sigmoid())}),
    ],
    ids=["the game alone", "both", "outweighed", "augmented", "two verdicts", "probability"],
)
def test_the_games_share_is_what_autograd_says(tmp_path: Path, weight: float, more: dict[str, Any]) -> None:
    run, expected = record(tmp_path / "run", weight, **more)
    told = run["generator_game_share"].dropna()
    assert told.index.to_list() == [0, EVERY, 2 * EVERY]
    assert told.to_list() == pytest.approx([expected[i] for i in told.index], rel=1e-4)


def test_nothing_at_all_is_no_imbalance_and_what_is_missing_is_absent() -> None:
    assert share(torch.zeros(1), torch.zeros(1)) == 1
    assert both_norms([], [torch.ones(3)]) is None
    assert both_norms([(0, torch.ones(3))], []) is None
    found = both_norms([(0, torch.ones(4)), (0, torch.ones(4)), (1, torch.zeros(4))], [torch.tensor(8.0)])
    assert found == (torch.tensor(4.0), torch.tensor(8.0))

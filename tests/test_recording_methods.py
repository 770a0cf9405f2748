"""Players that a loop calls by their own methods, past torch's hooks: recorded from the step on at which that is noticed."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gandiag.recording import Recorder
from gandiag.recording.methods import Methods, method_names
from gandiag.recording.updates import UNSEEN_STEPS
from gandiag.run import load_run

STEPS = 12


class Maker(nn.Module):
    """A generator with ways of its own to be asked."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 16), nn.Linear(16, 2)

    def forward(self, latents: Tensor) -> Tensor:
        return self.decode(self.map(latents))

    def map(self, latents: Tensor) -> Tensor:
        return torch.tanh(self.first(latents))

    def decode(self, code: Tensor) -> Tensor:
        made: Tensor = self.last(code)
        return made

    def sample(self, count: int) -> Tensor:
        return 2 * torch.tanh(self.last(torch.tanh(self.first(torch.randn(count, 3)))))

    def decay(self) -> Tensor:
        return self.last.weight.square().sum()


class Judge(nn.Module):
    """A discriminator with ways of its own to be asked."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(2, 16), nn.Tanh()), nn.Linear(16, 1)

    def features(self, batch: Tensor) -> Tensor:
        found: Tensor = self.body(batch)
        return found

    def score(self, batch: Tensor) -> Tensor:
        verdict: Tensor = self.head(self.features(batch))
        return verdict.squeeze(1)

    def loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-self.score(real)).mean() + softplus(self.score(fake)).mean()

    def forward(self, batch: Tensor) -> Tensor:
        return self.score(batch)


Ask = Callable[[Maker, Judge, int], Tensor]
WAYS: dict[str, tuple[Ask, bool]] = {
    "G.sample": (lambda g, d, n: g.sample(n), False),
    "G.forward": (lambda g, d, n: g.forward(torch.randn(n, 3)), False),
    "G.decode(G.map)": (lambda g, d, n: g.decode(g.map(torch.randn(n, 3))), False),
    "G.sample, D.loss": (lambda g, d, n: g.sample(n), True),
}


@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_called_by_methods_is_recorded_once_that_is_noticed(way: str, automatic: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    ask, by_loss = WAYS[way]
    g, d = Maker(), Judge()
    og, od = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    on_fake, of_g = [], []
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=og,
        discriminator_optimizer=od,
        automatic=automatic,
    ) as recorder:
        for _ in range(STEPS):
            fake, real = ask(g, d, 16).detach(), torch.randn(16, 2) + 3
            with torch.no_grad():
                on_fake.append(float((d.head(d.body(fake))).mean()))
            od.zero_grad()
            loss = d.loss(real, fake) if by_loss else softplus(-d.score(real)).mean() + softplus(d.score(fake)).mean()
            (loss + 0.0 * d.features(real).mean()).backward()
            od.step()
            og.zero_grad()
            verdict = d.score(ask(g, d, 16))
            of_g.append(float(torch.sigmoid(-verdict.detach()).mean()))
            (softplus(-verdict).mean() + 0.0 * g.decay()).backward()
            og.step()
            if not automatic:
                recorder.step()
    run = load_run(tmp_path / "run")
    since = run["generator_force_on_fake"]
    assert since.index[0] <= UNSEEN_STEPS
    assert since.index[-1] >= STEPS - 1
    assert since.to_numpy() == pytest.approx(np.array(of_g)[since.index], abs=1e-5)
    seen = run["fake_logit_mean"].iloc[int(automatic) :]  # the first fakes were made before it was noticed
    assert seen.to_numpy() == pytest.approx(np.array(on_fake)[seen.index], abs=1e-5)
    assert any("its own methods are watched from step" in sentence for sentence in run.about["could_not_tell"])
    for player in (g, d):  # and they are left as they were
        assert not {"forward", "sample", "score", "loss", "map", "decode"} & set(vars(player))


def test_a_player_whose_methods_are_watched_is_copied_and_pickled_as_it_was() -> None:
    judge = Judge()
    told: list[object] = []
    watch = Methods(judge, lambda *seen: told.append(seen[0]), verdicts=True)
    twin, batch = copy.deepcopy(judge), torch.randn(4, 2)
    assert torch.equal(twin.score(batch), judge.head(judge.body(batch)).squeeze(1))
    assert torch.equal(pickle.loads(pickle.dumps(judge)).score(batch), twin.score(batch))
    assert not told, "the copy is not watched"
    judge.score(batch)
    judge.features(batch)
    judge.loss(batch, batch)
    assert told == [judge] * 3, "a verdict, none of the features, and both verdicts within the loss"
    watch.remove()
    judge.score(batch)
    assert len(told) == 3


def test_a_method_that_fails_is_none_that_has_been_called() -> None:
    class Fragile(Maker):
        def sample(self, count: int) -> Tensor:
            raise RuntimeError("no sample")

    maker, told = Fragile(), []
    Methods(maker, lambda *seen: told.append(seen[3].shape), verdicts=False)
    with pytest.raises(RuntimeError, match="no sample"):
        maker.sample(3)
    maker.forward(torch.randn(5, 3))
    assert told == [(5, 16), (5, 2)], "the code as well: what is made of it is G's"
    assert method_names(maker) == ["sample", "forward", "map", "decode", "decay"]

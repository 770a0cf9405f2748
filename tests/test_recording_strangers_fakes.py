"""Loops of strangers whose fakes leave no trace: they are told by what the loop does alike in all its steps, or left out, and that is said."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.recording import Recorder
from gandiag.run import Run, load_run
from tests.test_recording_strangers import BATCH, Pair, Told, Words, d_loss_of, d_update, g_update, reals, told, z

STEPS = 8


def g_turn(p: Pair, shown: Tensor) -> float:
    return g_update(p, F.softplus(-p.d(shown)).mean())


def noised(p: Pair) -> Iterator[Told]:
    """Fakes first, and so much noise on both that which are nearer to G's output is chance in single steps."""
    for _ in range(STEPS):
        fakes = p.g(z()).detach()
        fake = p.d(fakes + 2 * torch.randn_like(fakes))
        x = reals()
        real = p.d(x + 2 * torch.randn_like(x))
        d_update(p, real, fake)
        g_turn(p, p.g(z()))
        yield told(real, fake)


def shuffled(p: Pair) -> Iterator[Told]:
    """Reals and fakes in one batch, in an order that is drawn."""
    for _ in range(STEPS):
        fakes, order = p.g(z()), torch.randperm(2 * BATCH)
        scores = p.d(torch.cat([reals(), fakes.detach()])[order])
        real, fake = scores[order < BATCH], scores[order >= BATCH]
        d_update(p, real, fake)
        g_turn(p, fakes)
        yield told(real, fake)


class LikelyWords(Words):
    """Returns the logarithms of the tokens' probabilities."""

    def forward(self, noise: Tensor) -> Tensor:
        return super().forward(noise).log_softmax(-1).flatten(1)


def drawn_tokens_first(p: Pair) -> Iterator[Told]:
    """Tokens drawn by the logarithms of their probabilities: all tokens are as far from those, but by the square. Fakes first."""
    with torch.no_grad():
        p.g.net.weight.mul_(8)
    for _ in range(STEPS):
        likely = p.g(z())
        words = torch.distributions.Categorical(logits=likely.view(-1, 4, 6)).sample()
        fake = p.d(F.one_hot(words, 6).float().flatten(1))
        real = p.d(F.one_hot(torch.randint(0, 3, (BATCH, 4)), 6).float().flatten(1))
        d_update(p, real, fake)
        g_turn(p, likely.exp())
        yield told(real, fake)


def mixed(p: Pair) -> Iterator[Told]:
    """D is shown nothing but mixtures, each sample with its share of a real as label."""
    for _ in range(STEPS):
        fakes, share = p.g(z()), torch.rand(BATCH, 1)
        loss = F.binary_cross_entropy_with_logits(p.d(share * reals() + (1 - share) * fakes.detach()), share)
        p.d_opt.zero_grad()
        loss.backward()
        p.d_opt.step()
        g_turn(p, fakes)
        yield {}


def copied_in_pieces(p: Pair) -> Iterator[Told]:
    """Micro-batches of what went by way of numpy, fakes first."""
    for _ in range(STEPS):
        fakes = p.g(z())
        copies = torch.tensor(fakes.detach().numpy().copy())
        p.d_opt.zero_grad()
        for x, copy in zip(reals().chunk(2), copies.chunk(2)):
            fake, real = p.d(copy), p.d(x)
            (d_loss_of(real, fake) / 2).backward()
        p.d_opt.step()
        g_turn(p, fakes)
        yield {}


def recorded(path: Path, p: Pair, loop: Any, **named: Any) -> tuple[Run, list[Told]]:
    recorder = Recorder(
        path,
        generator=p.g,
        discriminator=p.d,
        generator_optimizer=p.g_opt,
        discriminator_optimizer=p.d_opt,
        **named,
    )
    steps = []
    for step in loop(p):
        steps.append(step)
        if not named.get("automatic"):
            recorder.step()
    recorder.close()
    return load_run(path), steps


def judge_of_words() -> nn.Module:
    return nn.Sequential(nn.Linear(24, 8), nn.Tanh(), nn.Linear(8, 1))


@pytest.mark.parametrize("automatic", [True, False], ids=["automatic", "by hand"])
@pytest.mark.parametrize("loop", [noised, shuffled, drawn_tokens_first], ids=lambda loop: loop.__name__)
def test_fakes_without_a_trace_are_told_from_reals(tmp_path: Path, loop: Any, automatic: bool) -> None:
    torch.manual_seed(0)
    p = Pair(g=LikelyWords(), d=judge_of_words()) if loop is drawn_tokens_first else Pair()
    run, steps = recorded(tmp_path / "run", p, loop, automatic=automatic)
    for short, series in (("real", "real_logit_mean"), ("fake", "fake_logit_mean")):
        assert run[series].to_list() == pytest.approx([step[short] for step in steps], rel=1e-4)
    for short, series in (("push_real", "discriminator_force_on_real"), ("push_fake", "discriminator_force_on_fake")):
        assert run[series].to_list() == pytest.approx([step[short] for step in steps], rel=1e-4)
    assert any("nearer to the generator" in said for said in run.about["could_not_tell"])


@pytest.mark.parametrize("automatic", [True, False], ids=["automatic", "by hand"])
@pytest.mark.parametrize("loop", [mixed, copied_in_pieces], ids=lambda loop: loop.__name__)
def test_what_may_hold_fakes_is_not_recorded_as_reals(tmp_path: Path, loop: Any, automatic: bool) -> None:
    torch.manual_seed(0)
    run, _ = recorded(tmp_path / "run", Pair(), loop, automatic=automatic)
    assert run.steps == STEPS
    for series in ("real_logit_mean", "discriminator_auc", "discriminator_force_on_real", "real_min"):
        assert series not in run, series
    assert len(run["generator_force_on_fake"]) == STEPS
    assert any("nothing that is known to come from the generator" in said for said in run.about["could_not_tell"])


# ----------------------------------------------------------------------------------------------------- players out of hooks' sight


class Outer(nn.Module):
    """A network that is one other network."""

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, x: Tensor) -> Tensor:
        judged: Tensor = self.inside(x)
        return judged


def usual(p: Pair, g: Any, d: Any, steps: int) -> Iterator[Told]:
    for _ in range(steps):
        fakes = g(z())
        real, fake = d(reals()), d(fakes.detach())
        d_update(p, real, fake)
        judged = d(fakes)
        g_update(p, F.softplus(-judged).mean())
        yield told(real, fake, judged)


@pytest.mark.parametrize("automatic", [True, False], ids=["automatic", "by hand"])
def test_players_called_by_methods_taken_before_are_looked_into(tmp_path: Path, automatic: bool) -> None:
    torch.manual_seed(0)
    plain = Pair()
    p = Pair(g=Outer(plain.g), d=Outer(plain.d))
    g, d = p.g.forward, p.d.forward
    run, steps = recorded(tmp_path / "run", p, lambda p: usual(p, g, d, 13), automatic=automatic)
    assert run.steps == 13
    for short, series in (
        ("real", "real_logit_mean"),
        ("fake", "fake_logit_mean"),
        ("pull", "generator_force_on_fake"),
    ):
        seen = run[series]
        assert set(range(9, 13)) <= set(seen.index)
        assert seen.to_list() == pytest.approx([steps[i][short] for i in seen.index], rel=1e-4)
    assert any("the network inside it" in said for said in run.about["could_not_tell"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_networks_are_recorded_and_left_as_they_were(tmp_path: Path) -> None:
    torch.manual_seed(0)
    plain = Pair()
    p = Pair(g=torch.jit.script(Outer(plain.g)), d=torch.jit.script(Outer(plain.d)))
    before = set(vars(p.d))
    run, steps = recorded(tmp_path / "run", p, lambda p: usual(p, p.g, p.d, 4), automatic=True)
    assert run["real_logit_mean"].to_list() == pytest.approx([step["real"] for step in steps], rel=1e-4)
    assert run["generator_force_on_fake"].to_list() == pytest.approx([step["pull"] for step in steps], rel=1e-4)
    assert set(vars(p.d)) == before


def moved_by_hand(p: Pair) -> Iterator[Told]:
    """No optimizer: the weights are moved by the loop."""
    for _ in range(STEPS):
        fakes = p.g(z())
        for net in (p.d, p.g):
            net.zero_grad()
            (d_loss_of(p.d(reals()), p.d(fakes.detach())) if net is p.d else F.softplus(-p.d(fakes)).mean()).backward()
            with torch.no_grad():
                for parameter in net.parameters():
                    parameter -= 0.05 * parameter.grad
        yield {}


def test_an_automatic_recording_of_players_that_nothing_steps_says_that_it_is_empty(tmp_path: Path) -> None:
    torch.manual_seed(0)
    p = Pair()
    p.g_opt = p.d_opt = None
    run, _ = recorded(tmp_path / "run", p, moved_by_hand, automatic=True)
    assert run.steps == 0
    assert any("nothing is in the record" in said for said in run.about["could_not_tell"])
    again, _ = recorded(tmp_path / "again", p, moved_by_hand)
    assert len(again["real_logit_mean"]) == STEPS
    assert not again.about["could_not_tell"]


def imitated(p: Pair, *, expert_first: bool, joined: bool) -> Iterator[Told]:
    """GAIL: actions are drawn and leave no trace, and the expert's are nearer to the policy's means than its own are."""
    judge = (lambda s, a: p.d(torch.cat([s, a], 1))) if joined else p.d
    for _ in range(STEPS):
        states = z()
        with torch.no_grad():
            actions = p.g(states) + 2 * torch.randn(BATCH, 2)
        expert = z(), 0.3 * torch.randn(BATCH, 2)
        if expert_first:
            real, fake = judge(*expert), judge(states, actions)
        else:
            fake, real = judge(states, actions), judge(*expert)
        d_update(p, real, fake)
        reward = F.softplus(judge(states, actions)).detach()
        unlikely = (p.g(states) - actions).square().sum(1, keepdim=True)
        g_update(p, (unlikely * (reward - reward.mean())).mean())
        yield told(real, fake)


class OfPairs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(5, 1)

    def forward(self, states: Tensor, actions: Tensor) -> Tensor:
        judged: Tensor = self.net(torch.cat([states, actions], 1))
        return judged


@pytest.mark.parametrize("joined", [True, False], ids=["joined", "two arguments"])
@pytest.mark.parametrize("expert_first", [True, False], ids=["expert first", "policy first"])
def test_of_states_and_actions_those_whose_states_the_policy_was_given_are_its_own(
    tmp_path: Path, expert_first: bool, joined: bool
) -> None:
    torch.manual_seed(0)
    p = Pair(d=nn.Linear(5, 1) if joined else OfPairs())
    loop = partial(imitated, expert_first=expert_first, joined=joined)
    run, steps = recorded(tmp_path / "run", p, loop, automatic=True)
    for short, series in (("real", "real_logit_mean"), ("fake", "fake_logit_mean")):
        seen = run[series].iloc[1:]  # that it has to be asked for is learnt in the first step
        assert len(seen) == STEPS - 1
        assert seen.to_list() == pytest.approx([step[short] for step in steps[1:]], rel=1e-4, abs=1e-5)
    assert any("what the generator was given" in said for said in run.about["could_not_tell"])


def completed(p: Pair) -> Iterator[Told]:
    """G is given a part of each real, which that real holds: what D is shown as fake is a copy of what G made all the same."""
    for _ in range(STEPS):
        x = reals()
        fakes = p.g(x[:, :1])
        real, fake = p.d(x), p.d(torch.from_numpy(fakes.detach().numpy().copy()))
        d_update(p, real, fake)
        g_turn(p, p.g(x[:, :1]))
        yield told(real, fake)


def test_a_copy_of_a_fake_is_fake_also_where_the_reals_hold_what_the_generator_was_given(tmp_path: Path) -> None:
    torch.manual_seed(0)
    run, steps = recorded(tmp_path / "run", Pair(g=nn.Linear(1, 2)), completed, automatic=True)
    assert run["real_logit_mean"].to_list() == pytest.approx([step["real"] for step in steps], rel=1e-4, abs=1e-5)
    assert run["fake_logit_mean"].to_list() == pytest.approx([step["fake"] for step in steps], rel=1e-4, abs=1e-5)

"""Loops as strangers write them: in each step the record holds what the loop itself computes, and the weights are those of a loop left alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.utils.checkpoint import checkpoint

from gandiag.recording import Recorder
from gandiag.run import load_run

BATCH, STEPS = 8, 6
SERIES = {
    "real": "real_logit_mean",
    "fake": "fake_logit_mean",
    "d_norm": "discriminator_gradient_norm",
    "g_norm": "generator_gradient_norm",
    "push_real": "discriminator_force_on_real",
    "push_fake": "discriminator_force_on_fake",
    "pull": "generator_force_on_fake",
}
Told = dict[str, float]  # what a step of the loop computed, by these names


class Pair:
    """Two networks and what steps them."""

    def __init__(self, optimizer: Callable[..., Any] = torch.optim.Adam, g: Any = None, d: Any = None) -> None:
        self.g = g or nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
        self.d = d or nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        self.g_opt, self.d_opt = optimizer(self.g.parameters(), 1e-2), optimizer(self.d.parameters(), 1e-2)


def norm(net: nn.Module) -> float:
    return math.sqrt(sum(float(p.grad.double().square().sum()) for p in net.parameters() if p.grad is not None))


def reals(n: int = BATCH) -> Tensor:
    return torch.randn(n, 2) * 0.5 + 1.5


def z(n: int = BATCH) -> Tensor:
    return torch.randn(n, 3)


def told(real: Tensor, fake: Tensor, judged: Tensor | None = None) -> Told:
    """Returns the means and forces of a game of softplus losses."""
    real, fake = real.detach(), fake.detach()
    found = {"real": real.mean(), "fake": fake.mean()}
    found |= {"push_real": torch.sigmoid(-real).mean(), "push_fake": -torch.sigmoid(fake).mean()}
    if judged is not None:
        found["pull"] = torch.sigmoid(-judged.detach()).mean()
    return {name: float(value) for name, value in found.items()}


def d_loss_of(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(fake).mean()


def d_update(p: Pair, real: Tensor, fake: Tensor) -> float:
    p.d_opt.zero_grad()
    d_loss_of(real, fake).backward()
    held = norm(p.d)
    p.d_opt.step()
    return held


def g_update(p: Pair, loss: Tensor) -> float:
    p.g_opt.zero_grad()
    loss.backward()
    held = norm(p.g)
    p.g_opt.step()
    return held


# ------------------------------------------------------------------------------------------------ updates that are not the game's


class Words(nn.Module):
    """A generator of logits of four tokens out of six."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 24)

    def forward(self, noise: Tensor) -> Tensor:
        return self.net(noise).view(-1, 4, 6)


def reinforced(p: Pair) -> Iterator[Told]:
    """Tokens are drawn, D's verdict is the reward: no gradient of G's ever comes through D."""
    for _ in range(STEPS):
        said = torch.distributions.Categorical(logits=p.g(z()))
        words = said.sample()
        shown = F.one_hot(words, 6).float().flatten(1)
        real = p.d(F.one_hot(torch.randint(0, 3, (BATCH, 4)), 6).float().flatten(1))
        fake = p.d(shown)
        d_norm = d_update(p, real, fake)
        reward = torch.sigmoid(p.d(shown)).detach().squeeze(1)
        g_norm = g_update(p, -(said.log_prob(words).sum(1) * (reward - reward.mean())).mean())
        yield {**told(real, fake), "d_norm": d_norm, "g_norm": g_norm}


def stylegan2(p: Pair) -> Iterator[Told]:
    """G goes first; R1 and the path length's penalty have updates of their own in every third step."""
    for step in range(STEPS):
        p.d.requires_grad_(False)
        judged = p.d(p.g(z()))
        g_norm = g_update(p, softplus(-judged).mean())
        if step % 3 == 0:
            noise = z(4).requires_grad_()
            made = p.g(noise)
            (slope,) = torch.autograd.grad((made * torch.randn_like(made)).sum(), noise, create_graph=True)
            g_update(p, (slope.square().sum(1).sqrt() - 1).square().mean())
        p.d.requires_grad_(True)
        x = reals()
        real, fake = p.d(x), p.d(p.g(z()).detach())
        d_norm = d_update(p, real, fake)
        if step % 3 == 0:
            x.requires_grad_()
            score = p.d(x)
            (slope,) = torch.autograd.grad(score.sum(), x, create_graph=True)
            p.d_opt.zero_grad()
            (slope.square().sum(1).mean() + 0 * score[0, 0]).backward()
            p.d_opt.step()
        yield {**told(real, fake, judged), "d_norm": d_norm, "g_norm": g_norm}


def skipped_by_the_scaler(p: Pair) -> Iterator[Told]:
    """D's gradients overflow in the third step, and its update is left out."""
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for step in range(STEPS):
        scale = scaler.get_scale()
        fakes = p.g(z())
        real, fake = p.d(reals()), p.d(fakes.detach())
        p.d_opt.zero_grad()
        scaler.scale(d_loss_of(real, fake)).backward()
        found = {"d_norm": norm(p.d) / scale, **told(real, fake)}
        if step == 2:
            p.d[0].weight.grad[0, 0] = math.inf
            found = {}
        scaler.step(p.d_opt)
        judged = p.d(fakes)
        p.g_opt.zero_grad()
        scaler.scale(softplus(-judged).mean()).backward()
        found |= {"g_norm": norm(p.g) / scale, "pull": float(torch.sigmoid(-judged.detach()).mean())}
        scaler.step(p.g_opt)
        scaler.update()
        yield found


class Sharp(torch.optim.Optimizer):
    """Sharpness-aware minimisation, as it is copied from repository to repository: a step up, then the inner optimizer's from there."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr})
        self.base_optimizer = torch.optim.SGD(self.param_groups, lr)

    @torch.no_grad()
    def first_step(self) -> None:
        for parameter in self.param_groups[0]["params"]:
            self.state[parameter]["old"] = parameter.data.clone()
            parameter.add_(parameter.grad, alpha=0.05)
        self.zero_grad()

    @torch.no_grad()
    def second_step(self) -> None:
        for parameter in self.param_groups[0]["params"]:
            parameter.data = self.state[parameter]["old"]
        self.base_optimizer.step()
        self.zero_grad()

    def step(self, closure: Any = None) -> None:
        with torch.enable_grad():
            closure()
            self.first_step()
            closure()
        self.second_step()


def sharpness_aware(p: Pair, *, in_one_step: bool = False) -> Iterator[Told]:
    """Each player's loss is computed twice an update; what counts is the second time."""
    for _ in range(STEPS):
        x, fakes, noise, found = reals(), p.g(z()).detach(), z(), {}

        def of_d(x: Tensor = x, fakes: Tensor = fakes, found: Told = found) -> None:
            p.d_opt.zero_grad()
            real, fake = p.d(x), p.d(fakes)
            d_loss_of(real, fake).backward()
            found.update(told(real, fake), d_norm=norm(p.d))

        def of_g(noise: Tensor = noise, found: Told = found) -> None:
            p.g_opt.zero_grad()
            judged = p.d(p.g(noise))
            softplus(-judged).mean().backward()
            found.update(pull=float(torch.sigmoid(-judged.detach()).mean()), g_norm=norm(p.g))

        for evaluate, optimizer in ((of_d, p.d_opt), (of_g, p.g_opt)):
            if in_one_step:
                optimizer.step(evaluate)
            else:
                evaluate()
                optimizer.first_step()
                evaluate()
                optimizer.second_step()
        yield found


def sharpness_aware_in_one_step(p: Pair) -> Iterator[Told]:
    """The same by closures."""
    yield from sharpness_aware(p, in_one_step=True)


# ------------------------------------------------------------------------------------------------------------- gradient reversal


class Reversed(torch.autograd.Function):
    """Passes values on, and gradients times -strength."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return -ctx.strength * gradients[0], None


def turned_by(how: str, fakes: Tensor, strength: float) -> Tensor:
    if how == "layer":
        turned: Tensor = Reversed.apply(fakes, strength)
        return turned
    if how == "arithmetic":
        return (1 + strength) * fakes.detach() - strength * fakes
    if how == "hook":
        fakes.register_hook(lambda gradient: -strength * gradient)
    return fakes


def one_loss_for_both(p: Pair, how: str, *, joined: bool = False, noise: float = 0.0) -> Iterator[Told]:
    for step in range(STEPS):
        strength = 1.0 if how == "gradients" else (step + 1) / STEPS  # it is raised in the course of the training
        shown = turned_by(how, p.g(z()), strength)
        if noise:
            shown = shown + noise * torch.randn_like(shown)
        if joined:
            real, fake = p.d(torch.cat([reals(), shown])).chunk(2)
        else:
            real, fake = p.d(reals()), p.d(shown)
        p.d_opt.zero_grad()
        p.g_opt.zero_grad()
        d_loss_of(real, fake).backward()
        if how == "gradients":
            for parameter in p.g.parameters():
                parameter.grad.neg_()
        found = {**told(real, fake), "d_norm": norm(p.d), "g_norm": norm(p.g)}
        p.d_opt.step()
        p.g_opt.step()
        yield {**found, "pull": -strength * found["push_fake"]}


def reversal(how: str, **named: Any) -> Callable[[Pair], Iterator[Told]]:
    return lambda p: one_loss_for_both(p, how, **named)


def negatives(p: Pair) -> Iterator[Told]:
    """D is shown negatives: the gradient changes its sign on the way to G, and so do the values, which is no reversal."""
    for _ in range(STEPS):
        fakes = p.g(z())
        real, fake = p.d(-reals()), p.d(-fakes.detach())
        d_update(p, real, fake)
        g_update(p, softplus(-(judged := p.d(-fakes))).mean())
        yield told(real, fake, judged)


# ------------------------------------------------------------------------------------------- networks that are computed anew


def checkpointed(p: Pair, *, whole: str) -> Iterator[Told]:
    """Networks are called through reentrant checkpoints: their graphs are made, and gone through, within the backward pass."""
    g, d = (
        (lambda x, net=net: checkpoint(net, x, use_reentrant=True)) if n in whole else net
        for n, net in zip("gd", (p.g, p.d))
    )
    for _ in range(STEPS):
        fakes = g(z().requires_grad_())
        real, fake = d(reals().requires_grad_()), d(fakes.detach().requires_grad_())
        d_norm = d_update(p, real, fake)
        g_norm = g_update(p, softplus(-(judged := d(fakes))).mean())
        yield {**told(real, fake, judged), "d_norm": d_norm, "g_norm": g_norm}


LOOPS: dict[str, tuple[Callable[[], Pair], Callable[[Pair], Iterator[Told]]]] = {
    "reinforced": (lambda: Pair(g=Words(), d=nn.Sequential(nn.Linear(24, 8), nn.Tanh(), nn.Linear(8, 1))), reinforced),
    "stylegan2": (Pair, stylegan2),
    "skipped by the scaler": (Pair, skipped_by_the_scaler),
    "sharpness-aware": (lambda: Pair(Sharp), sharpness_aware),
    "sharpness-aware in one step": (lambda: Pair(Sharp), sharpness_aware_in_one_step),
    "reversal by a layer": (Pair, reversal("layer")),
    "reversal by a layer, joined": (Pair, reversal("layer", joined=True)),
    "reversal by a layer, under noise": (Pair, reversal("layer", noise=0.3)),
    "reversal by arithmetic": (Pair, reversal("arithmetic")),
    "reversal by a hook": (Pair, reversal("hook")),
    "gradients turned round": (Pair, reversal("gradients")),
    "negatives": (Pair, negatives),
    "generator checkpointed": (Pair, partial(checkpointed, whole="g")),
    "discriminator checkpointed": (Pair, partial(checkpointed, whole="d")),
    "both checkpointed": (Pair, partial(checkpointed, whole="gd")),
}


def play(path: Path | None, name: str, *, automatic: bool) -> tuple[list[Told], list[Tensor]]:
    """Returns what the loop computed, and the weights and random state that it ended with."""
    make, loop = LOOPS[name]
    torch.manual_seed(0)
    p, steps = make(), []
    players = {"generator": p.g, "discriminator": p.d}
    optimizers = {"generator_optimizer": p.g_opt, "discriminator_optimizer": p.d_opt}
    recorder = None if path is None else Recorder(path, **players, **optimizers, automatic=automatic)
    for step in loop(p):
        steps.append(step)
        if recorder is not None and not automatic:
            recorder.step()
    if recorder is not None:
        recorder.close()
    return steps, [*p.g.state_dict().values(), *p.d.state_dict().values(), torch.get_rng_state()]


@pytest.mark.parametrize("automatic", [True, False], ids=["automatic", "by hand"])
@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_every_step_is_recorded_as_the_loop_computed_it(tmp_path: Path, name: str, automatic: bool) -> None:
    _, alone = play(None, name, automatic=automatic)
    steps, watched = play(tmp_path / "run", name, automatic=automatic)
    assert all(torch.equal(one, other) for one, other in zip(alone, watched))
    run = load_run(tmp_path / "run")
    assert run.steps == len(steps)
    for short, series in SERIES.items():
        wanted = {i: step[short] for i, step in enumerate(steps) if short in step}
        if wanted:
            recorded = run[series]
            assert {i: float(recorded[i]) for i in wanted} == pytest.approx(wanted, rel=1e-3, abs=1e-5), series

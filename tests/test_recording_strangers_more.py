"""Released trainings in small: each is recorded by attach as its own loop computes it, and ends with the weights of a training left alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus
from torch.optim import Optimizer

import gandiag
from gandiag.recording.attachment import attach
from gandiag.recording.watched_game import Game

BATCH, STEPS = 8, 8
Told = dict[str, Any]  # of one update of the generator, and of the discriminator's updates before it
Nets = dict[str, nn.Module]
Loop = Callable[[Nets], Iterator[Told]]


def mlp(*widths: int) -> nn.Sequential:
    layers = [layer for a, b in itertools.pairwise(widths) for layer in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers[:-1])


def adam(*nets: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam([p for net in nets for p in net.parameters()], 1e-3)


def points() -> Tensor:
    return torch.randn(BATCH, 2) * 0.5 + 1.5


def z() -> Tensor:
    return torch.randn(BATCH, 3)


def held(*optimizers: Optimizer) -> dict[int, float]:
    """The squared norms of the gradients that the optimizers are about to use, by parameter."""
    owned = [p for one in optimizers for group in one.param_groups for p in group["params"]]
    return {id(p): float(p.grad.double().square().sum()) for p in owned if p.grad is not None}


def mean(scores: Any) -> float:
    """The mean of all verdicts, of several scales or batches as well."""
    maps = scores if isinstance(scores, (list, tuple)) else [scores]
    return float(torch.cat([m.detach().flatten() for m in maps]).mean())


def told(real: Any, fake: Any, judged: Any, d: dict[int, float], g: dict[int, float]) -> Told:
    return {"real": mean(real), "fake": mean(fake), "judged": mean(judged), "d": d, "g": g}


def d_loss_of(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(fake).mean()


def update(loss: Any, *optimizers: Optimizer) -> dict[int, float]:
    """One update, of several optimizers together; returns the gradients that it was made by."""
    for one in optimizers:
        one.zero_grad()
    loss.backward()
    found = held(*optimizers)
    for one in optimizers:
        one.step()
    return found


# ------------------------------------------------------------------------------------------------------------ how losses are sent back


def by_closures(nets: Nets) -> Iterator[Told]:
    """LBFGS evaluates the generator's loss several times within one update; what counts is the last time."""
    g, d = nets["g"], nets["d"] = mlp(3, 8, 2), mlp(2, 8, 1)
    g_opt, d_opt = torch.optim.LBFGS(g.parameters(), 0.01, max_iter=2), adam(d)
    for _ in range(STEPS):
        noise, found = z(), {}
        found["real"], found["fake"] = d(points()), d(g(noise).detach())
        found["d"] = update(d_loss_of(found["real"], found["fake"]), d_opt)

        def of_g(noise: Tensor = noise, found: Told = found) -> Tensor:
            g_opt.zero_grad()
            found["judged"] = d(g(noise))
            loss = softplus(-found["judged"]).mean()
            loss.backward()
            found["g"] = held(g_opt)
            return loss

        g_opt.step(of_g)
        yield told(**found)


def kept_for_both(nets: Nets) -> Iterator[Told]:
    """One graph for both losses of WGAN-GP: G's pass adds to D's gradients before either optimizer steps."""
    g, d = nets["g"], nets["d"] = mlp(3, 8, 2), mlp(2, 8, 1)
    g_opt, d_opt = adam(g), adam(d)
    for _ in range(STEPS):
        x, fakes = points(), g(z())
        real, fake = d(x), d(fakes)
        d_opt.zero_grad()
        (fake.mean() - real.mean() + 10 * penalty(d, x, fakes.detach())).backward(retain_graph=True)
        g_opt.zero_grad()
        (-fake.mean()).backward()
        found = told(real, fake, fake, held(d_opt), held(g_opt))
        d_opt.step()
        g_opt.step()
        yield found


def penalty(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    share = torch.rand(len(real), 1)
    between = (share * real + (1 - share) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(d(between).sum(), between, create_graph=True)
    return (slope.norm(dim=1) - 1).square().mean()


def unrolled(nets: Nets) -> Iterator[Told]:
    """Unrolled GAN by functional calls: G's loss goes through steps of D that were taken on reals and fakes, and reads one verdict."""
    g, d = nets["g"], nets["d"] = mlp(3, 8, 2), mlp(2, 8, 1)
    g_opt, d_opt = adam(g), adam(d)
    for _ in range(STEPS):
        x, fakes = points(), g(z())
        real, fake = d(x), d(fakes.detach())
        of_d = update(d_loss_of(real, fake), d_opt)
        ahead = dict(d.named_parameters())
        for _ in range(2):
            loss = d_loss_of(functional_call(d, ahead, (x,)), functional_call(d, ahead, (fakes,)))
            slopes = torch.autograd.grad(loss, [*ahead.values()], create_graph=True)
            ahead = {name: value - 0.1 * slope for (name, value), slope in zip(ahead.items(), slopes)}
        judged = functional_call(d, ahead, (fakes,))
        yield told(real, fake, judged, of_d, update(softplus(-judged).mean(), g_opt))


def in_phases(nets: Nets) -> Iterator[Told]:
    """Diffusion-GAN: D is shown noised samples and their times, fakes that never had a graph, in two passes of its phase; G goes first."""
    g, d = nets["g"], nets["d"] = mlp(3, 8, 2), Timed()
    g_opt, d_opt = adam(g), adam(d)

    def noised(x: Tensor) -> tuple[Tensor, Tensor]:
        times = torch.randint(0, 8, (BATCH,))
        share = torch.cos(times / 8 * 1.2).unsqueeze(1)
        return share * x + (1 - share.square()).sqrt() * torch.randn_like(x), times

    for _ in range(STEPS):
        d.requires_grad_(False)
        judged = d(*noised(g(z())))
        of_g = update(softplus(-judged).mean(), g_opt)
        g.requires_grad_(False)
        d.requires_grad_(True)
        d_opt.zero_grad()
        fake = d(*noised(g(z())))
        softplus(fake).mean().backward()
        real = d(*noised(points()))
        softplus(-real).mean().backward()
        of_d = held(d_opt)
        d_opt.step()
        g.requires_grad_(True)
        yield told(real, fake, judged, of_d, of_g)


class Timed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.of_time, self.of_x, self.head = nn.Linear(1, 8), nn.Linear(2, 8), nn.Linear(8, 1)

    def forward(self, x: Tensor, times: Tensor) -> Tensor:
        score: Tensor = self.head(torch.relu(self.of_x(x) + self.of_time(times.unsqueeze(1) / 8)))
        return score


# ---------------------------------------------------------------------------------------------------- several networks and phases


class Layers(nn.Module):
    """A generator that returns its features when asked to, as CUT's."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = mlp(2, 8, 8, 2)

    def forward(self, x: Tensor, *, features: bool = False) -> Tensor:
        made: Tensor = self.layers[:3](x) if features else self.layers(x)
        return made


def contrastive(nets: Nets) -> Iterator[Told]:
    """CUT: a loss on G's own features, by a network that comes, with its optimizer, after a first pass for which no one steps."""
    g, d = nets["g"], nets["d"] = Layers(), mlp(2, 8, 1)
    g_opt, d_opt = adam(g), adam(d)
    f_opt = None
    for step in range(STEPS + 2):
        a, b = points() - 3, points()
        while True:
            fakes, same = g(torch.cat([a, b])).chunk(2)
            d.requires_grad_(True)
            d_opt.zero_grad()
            fake, real = d(fakes.detach()), d(b)
            (fake.square().mean() + (real - 1).square().mean()).backward()
            of_d = held(d_opt)
            if step:
                d_opt.step()
            d.requires_grad_(False)
            judged = d(fakes)
            head = nets.setdefault("head", mlp(8, 4))
            pairs = ((a, fakes), (b, same))
            loss = (judged - 1).square().mean() + sum(
                (head(g(x, features=True)).detach() @ head(g(y, features=True)).T).logsumexp(1).mean() for x, y in pairs
            )
            if f_opt is not None:
                break
            loss.backward()
            f_opt = adam(head)
        of_g = update(loss, g_opt, f_opt)
        if step:
            yield told(real, fake, judged, of_d, of_g)


def supervised(nets: Nets) -> Iterator[Told]:
    """TimeGAN: codes are D's reals, a supervisor hands G's codes on, G has two updates for D's one, and others are trained between."""
    e, r, g, s, d = (mlp(3, 6, 4), mlp(4, 6, 3), mlp(3, 6, 4), mlp(4, 6, 4), mlp(4, 6, 1))
    nets.update(e=e, r=r, g=g, s=s, d=d)
    er_opt, g_opt, s_opt, d_opt = adam(e, r), adam(g), adam(s), adam(d)
    for _ in range(3):
        x = z()
        update((r(e(x)) - x).square().mean(), er_opt)
        update((s(e(x)) - e(x)).square().mean(), s_opt)
    for _ in range(STEPS):
        for turn in range(2):
            x, made = z(), g(torch.rand(BATCH, 3))
            code = e(x)
            judged = [d(s(made)), d(made)]
            loss = (
                sum(softplus(-j).mean() for j in judged) + (s(code) - code).square().mean() + r(s(made)).square().mean()
            )
            of_g = update(loss, g_opt, s_opt)
            if not turn:
                yield {"judged": mean(judged), "g": of_g}
            update((r(e(x)) - x).square().mean(), er_opt)
        made = g(torch.rand(BATCH, 3))
        real, fake = d(e(z())), [d(s(made)), d(made)]
        of_d = update(softplus(-real).mean() + sum(softplus(f).mean() for f in fake), d_opt)
        yield told(real, fake, judged, of_d, of_g)


def graph_kept_thrice(nets: Nets) -> Iterator[Told]:
    """VAE-GAN (Larsen): D is shown a reconstruction and a sample, its features are a loss, and three updates go through one graph."""
    e, g = nets["e"], nets["g"] = mlp(2, 8, 6), mlp(3, 8, 2)
    body, head = mlp(2, 8, 8), mlp(8, 1)
    d = nets["d"] = nn.Sequential(body, nn.Tanh(), head)
    e_opt, g_opt, d_opt = adam(e), adam(g), adam(d)

    def code(x: Tensor) -> Tensor:
        centre, spread = e(x).chunk(2, 1)
        return centre + torch.randn(BATCH, 3) * spread.exp()

    for _ in range(STEPS):
        x = points()
        again, sample = g(code(x)), g(z())
        real, fake = d(x), [d(again), d(sample)]
        d_opt.zero_grad()
        (softplus(-real).mean() + sum(softplus(f).mean() for f in fake)).backward(retain_graph=True)
        of_d = held(d_opt)
        d_opt.step()
        judged = [d(again), d(sample)]
        g_opt.zero_grad()
        loss = (body(again) - body(x)).square().mean() + sum(softplus(-j).mean() for j in judged)
        loss.backward(retain_graph=True)
        of_g = held(g_opt)
        g_opt.step()
        update((body(g(code(x))) - body(x)).square().mean(), e_opt)
        yield told(real, fake, judged, of_d, of_g)


def then_an_encoder(nets: Nets) -> Iterator[Told]:
    """f-AnoGAN: after a WGAN-GP an encoder is trained through both players, which get gradients and never move."""
    g, d, e = nets["g"], nets["d"], nets["e"] = mlp(3, 8, 2), mlp(2, 8, 1), mlp(2, 8, 3)
    g_opt, d_opt = adam(g), adam(d)
    for _ in range(STEPS):
        for _ in range(2):
            x, fakes = points(), g(z())
            real, fake = d(x), d(fakes.detach())
            of_d = update(fake.mean() - real.mean() + 10 * penalty(d, x, fakes.detach()), d_opt)
        judged = d(g(z()))
        of_g = update(-judged.mean(), g_opt)
        yield told(real, fake, judged, of_d, of_g)
    e_opt = adam(e)
    for _ in range(12):
        x = points()
        again = g(e(x))
        update((again - x).square().mean() + (d[:1](again) - d[:1](x)).square().mean(), e_opt)


class Encoder(nn.Module):
    """Returns a code's mean and the logarithm of its variance, from heads of their own or as two halves."""

    def __init__(self, *, halves: bool) -> None:
        super().__init__()
        self.mean, self.spread, self.both = nn.Linear(2, 3), nn.Linear(2, 3), nn.Linear(2, 6)
        self.halves = halves

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        centre, spread = self.both(x).chunk(2, 1) if self.halves else (self.mean(x), self.spread(x))
        return centre, spread


def with_an_encoder(nets: Nets, *, halves: bool = False) -> Iterator[Told]:
    """BicycleGAN: an encoder is shown data and what G makes, and is stepped with G, to which its codes go: it judges nothing."""
    g, e, d = nets["g"], nets["e"], nets["d"] = mlp(3, 8, 2), Encoder(halves=halves), mlp(2, 8, 1)
    g_opt, e_opt, d_opt = adam(g), adam(e), adam(d)
    for _ in range(STEPS):
        x, noise = points(), z()
        centre, spread = e(x)
        again, sample = g(torch.cat([centre + torch.randn(BATCH, 3) * (0.5 * spread).exp(), noise])).chunk(2)
        found, _ = e(sample)
        judged = [d(again), d(sample)]
        loss = sum(softplus(-j).mean() for j in judged) + (found - noise).abs().mean() + (again - x).abs().mean()
        of_g = update(loss, g_opt, e_opt)
        real, fake = d(x), [d(again.detach()), d(sample.detach())]
        of_d = update(softplus(-real).mean() + sum(softplus(f).mean() for f in fake), d_opt)
        yield told(real, fake, judged, of_d, of_g)


def with_an_encoder_of_halves(nets: Nets) -> Iterator[Told]:
    yield from with_an_encoder(nets, halves=True)


class Translator(nn.Module):
    """MUNIT's half: content and style by methods that the loop calls, the networks inside by their own."""

    def __init__(self) -> None:
        super().__init__()
        self.content, self.style, self.dec = mlp(2, 6, 4), mlp(2, 6, 2), mlp(6, 6, 2)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.content(x), self.style(x)

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        made: Tensor = self.dec(torch.cat([content, style], 1))
        return made


class TwoScales(nn.Module):
    """Judges patches by two networks, and is called by its own `forward`."""

    def __init__(self) -> None:
        super().__init__()
        self.nets = nn.ModuleList([mlp(2, 6, 4), mlp(2, 6, 4)])

    def forward(self, x: Tensor) -> list[Tensor]:
        return [net(x / (1 + i)).view(-1, 1, 2, 2) for i, net in enumerate(self.nets)]


def swapped(nets: Nets) -> Iterator[dict[str, Told]]:
    """MUNIT: contents are swapped, one optimizer steps both judges and one both translators."""
    g_a, g_b, d_a, d_b = Translator(), Translator(), TwoScales(), TwoScales()
    nets.update(g_a=g_a, g_b=g_b, d_a=d_a, d_b=d_b)
    g_opt, d_opt = adam(g_a, g_b), adam(d_a, d_b)
    for _ in range(STEPS):
        a, b = points(), points() - 3
        (c_a, s_a), (c_b, s_b) = g_a.encode(a), g_b.encode(b)
        made = {"d_a": g_a.decode(c_b, torch.randn(BATCH, 2)), "d_b": g_b.decode(c_a, torch.randn(BATCH, 2))}
        found = {n: (d.forward(x), d.forward(made[n].detach())) for n, d, x in (("d_a", d_a, a), ("d_b", d_b, b))}
        losses = [(r - 1).square().mean() + f.square().mean() for pair in found.values() for r, f in zip(*pair)]
        of_d = update(sum(losses), d_opt)
        judged = {"d_a": d_a.forward(made["d_a"]), "d_b": d_b.forward(made["d_b"])}
        (c_ba, s_ba), (c_ab, s_ab) = g_a.encode(made["d_a"]), g_b.encode(made["d_b"])
        same = (g_a.decode(c_a, s_a) - a, g_b.decode(c_b, s_b) - b, c_ba - c_b, c_ab - c_a, s_ba, s_ab)
        loss = sum(x.abs().mean() for x in same) + sum((j - 1).square().mean() for js in judged.values() for j in js)
        of_g = update(loss, g_opt)
        yield {n: told(*found[n], judged[n], of_d, of_g) for n in found}


# ------------------------------------------------------------------------------------------------------------------------- the tests

LOOPS: list[Loop] = [
    by_closures,
    kept_for_both,
    unrolled,
    in_phases,
    contrastive,
    supervised,
    graph_kept_thrice,
    then_an_encoder,
    with_an_encoder,
    with_an_encoder_of_halves,
    swapped,
]


def play(loop: Loop, path: Path | None) -> tuple[list[Told], list[Tensor], list[Game]]:
    """Returns what the loop computed, the weights and the random state that it ended with, and what was recorded."""
    torch.manual_seed(0)
    nets: Nets = {}
    games: list[Game] = []
    if path is not None:
        attach(path, say=lambda line: None, on_recording=lambda attachment: games.extend(attachment.games))
    try:
        steps = list(loop(nets))
    finally:
        gandiag.detach()
    state = [t for net in nets.values() for t in net.state_dict().values()]
    return steps, [*state, torch.get_rng_state()], games


def is_end_of(recorded: list[float], true: list[float]) -> bool:
    """Whether these are the last of the true values; one that came after the last update of the generator may be missing."""
    ends = [
        true[len(true) - cut - len(recorded) : len(true) - cut] for cut in (0, 1) if len(recorded) + cut <= len(true)
    ]
    return any(recorded == pytest.approx(end, rel=1e-3, abs=1e-4) for end in ends)


def norm(found: dict[int, float], player: nn.Module) -> float:
    mine = {id(p) for p in player.parameters()}
    return math.sqrt(sum(value for at, value in found.items() if at in mine))


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_every_step_is_recorded_as_the_loop_computed_it(loop: Loop, tmp_path: Path) -> None:
    _, alone, _ = play(loop, None)
    steps, watched, games = play(loop, tmp_path / "run")
    assert all(torch.equal(one, other) for one, other in zip(alone, watched))
    names = {key for key in steps[0] if isinstance(steps[0][key], dict)} - {"d", "g"}
    assert len(games) == max(1, len(names))
    for game in games:
        g, d = game.players.generator, game.players.discriminator
        judge = str(game.players.facts["discriminator"]).split()[0]
        mine = [step[judge] for step in steps] if names else steps
        run = gandiag.load_run(game.path)
        of_d, of_g = [s for s in mine if "d" in s], [s for s in mine if "g" in s]
        assert len(of_g) - 2 >= run.steps >= len(of_g) - 5
        assert set(run["generator_updates"].iloc[:-1]) == {1}
        real = run["real_logit_mean"]
        assert len(real) >= len(of_d) - 4
        assert is_end_of(real.to_list(), [s["real"] for s in of_d])
        assert is_end_of(run["fake_logit_mean"][real.index].to_list(), [s["fake"] for s in of_d])
        assert is_end_of(run["discriminator_gradient_norm"].to_list(), [norm(s["d"], d) for s in of_d])
        assert not any("more batches that look real" in said for said in run.about["could_not_tell"])
        norms = run["generator_gradient_norm"]
        assert is_end_of(norms.to_list(), [norm(s["g"], g) for s in of_g])
        begun = len(of_g) - 1 - norms.index[-1]
        judged = {i: of_g[i + begun]["judged"] for i in run["generator_turn_verdict"].index}
        assert judged == pytest.approx(run["generator_turn_verdict"].to_dict(), rel=1e-3, abs=1e-4)

"""Further kinds of published trainings in small: what ends its steps by itself records each as the loop computed it, and changes nothing."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import softplus

import gandiag
from gandiag.recording import Recorder
from gandiag.recording.attachment import attach
from gandiag.run import Run, load_run

BATCH, STEPS = 8, 8
SERIES = {
    "real": "real_logit_mean",
    "fake": "fake_logit_mean",
    "d_norm": "discriminator_gradient_norm",
    "g_norm": "generator_gradient_norm",
    "push_real": "discriminator_force_on_real",
    "push_fake": "discriminator_force_on_fake",
    "pull": "generator_force_on_fake",
    "d_updates": "discriminator_updates",
    "g_updates": "generator_updates",
}
OF_G, COUNTS = ("g_norm", "pull", "g_updates"), ("d_updates", "g_updates")
Told = dict[str, float]  # what a step of the loop computed, by these names


class Scene:
    """What a loop tells of itself: its players, and what each of its updates went by."""

    def __init__(self, begin: Callable[[Scene], None] = lambda scene: None) -> None:
        self._begin = begin
        self.nets: list[nn.Module] = []
        self.step: Told = {}

    def play(self, g: nn.Module, d: nn.Module, g_opt: Any = None, d_opt: Any = None) -> None:
        """Names the players; the recording begins."""
        self.g, self.d, self.nets = g, d, [g, d]
        self.g_opt, self.d_opt = g_opt or adam(g), d_opt or adam(d)
        self._begin(self)

    def d_turn(self, loss: Any, real: Any, fake: Any) -> None:
        """One update of D; what it went by is told."""
        self.d_opt.zero_grad()
        loss.backward()
        self.d_steps(real, fake)

    def d_steps(self, real: Any, fake: Any) -> None:
        self.step |= {"real": mean(real), "fake": mean(fake), "push_real": force(real), "push_fake": force(fake)}
        self.d_moves()

    def d_moves(self, **told: float) -> None:
        self.step |= {"d_norm": norm(self.d), "d_updates": self.step.get("d_updates", 0) + 1, **told}
        self.d_opt.step()

    def g_turn(self, loss: Any, judged: Any = None) -> None:
        """One update of G; without `judged` none of D's verdicts is known to take part."""
        self.g_opt.zero_grad()
        loss.backward()
        self.g_steps(judged)

    def g_steps(self, judged: Any = None) -> None:
        self.g_moves(**({} if judged is None else {"pull": force(judged)}))

    def g_moves(self, **told: float) -> None:
        self.step |= {"g_norm": norm(self.g), "g_updates": self.step.get("g_updates", 0) + 1, **told}
        self.g_opt.step()

    def d_usual(self, x: Tensor, fakes: Tensor) -> None:
        real, fake = kept(self.d(x)), kept(self.d(fakes.detach()))
        self.d_turn(d_loss_of(real, fake), real, fake)

    def g_usual(self, fakes: Tensor, *beside: Tensor) -> None:
        judged = kept(self.d(fakes))
        self.g_turn(softplus(-judged).mean() + sum(beside), judged)

    def ended(self) -> Told:
        """What was told since the step before."""
        told, self.step = self.step, {}
        return told


Loop = Callable[[Scene], Iterator[Told]]


def mlp(*widths: int) -> nn.Sequential:
    layers = [layer for a, b in itertools.pairwise(widths) for layer in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers[:-1])


def adam(*nets: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam([p for net in nets for p in net.parameters()], 1e-3)


def points(n: int = BATCH) -> Tensor:
    return torch.randn(n, 2) * 0.5 + 1.5


def z(n: int = BATCH) -> Tensor:
    return torch.randn(n, 3)


def pieces(scores: Any) -> list[Tensor]:
    return list(scores) if isinstance(scores, (list, tuple)) else [scores]


def kept(score: Tensor) -> Tensor:
    """Lets a score keep its gradient, so that the force on it can be told."""
    score.retain_grad()
    return score


def mean(scores: Any) -> float:
    return float(torch.cat([s.detach().flatten() for s in pieces(scores)]).mean())


def force(scores: Any) -> float:
    return -sum(float(s.grad.sum()) for s in pieces(scores) if s.grad is not None)


def norm(net: nn.Module) -> float:
    return math.sqrt(sum(float(p.grad.double().square().sum()) for p in net.parameters() if p.grad is not None))


def d_loss_of(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(fake).mean()


# -------------------------------------------------------------------------------------------------------- G alone before the game


def reconstructs_before_d_comes(s: Scene) -> Iterator[Told]:
    """G is trained by L1 alone at first; then D goes first in every step."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for step in range(STEPS):
        x, fakes = points(), s.g(z())
        if step < 3:
            s.g_turn((fakes - x).abs().mean())
        else:
            s.d_usual(x, fakes)
            s.g_usual(fakes, (fakes - x).abs().mean())
        yield s.ended()


def reconstructs_and_then_goes_first(s: Scene) -> Iterator[Told]:
    """ESRGAN: L1 alone, then relativistic losses; G goes first, D in two passes, and each reads both verdicts."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for step in range(STEPS):
        x, fakes = points(), s.g(z())
        if step < 3:
            s.g_turn((fakes - x).abs().mean())
            yield s.ended()
            continue
        s.d.requires_grad_(False)
        real, judged = s.d(x).detach(), kept(s.d(fakes))
        loss = softplus(-(judged - real.mean())).mean() + softplus(real - judged.mean()).mean()
        s.g_turn(loss / 2 + (fakes - x).abs().mean(), judged)
        s.d.requires_grad_(True)
        s.d_opt.zero_grad()
        before = s.d(fakes.detach()).mean().detach()
        real = kept(s.d(x))
        (softplus(-(real - before)).mean() / 2).backward()
        fake = kept(s.d(fakes.detach()))
        (softplus(fake - real.mean().detach()).mean() / 2).backward()
        s.d_steps(real, fake)
        yield s.ended()


def starts_at_zero(s: Scene) -> Iterator[Told]:
    """VQGAN: the game counts for nothing at first, and D is stepped by zeros."""
    s.play(mlp(2, 8, 2), mlp(2, 8, 1))
    for step in range(STEPS):
        factor = float(step > 3)
        x = points()
        again = s.g(x)
        judged = kept(s.d(again))
        s.g_turn((x - again).abs().mean() - factor * judged.mean(), judged)
        real, fake = kept(s.d(x)), kept(s.d(again.detach()))
        s.d_turn(factor * (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2, real, fake)
        yield s.ended()


class Words(nn.Module):
    """Says the next of six words, having heard the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.hear, self.cell, self.say = nn.Linear(6, 5), nn.GRUCell(5, 8), nn.Linear(8, 6)

    def forward(self, word: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        state = self.cell(self.hear(word), state)
        return self.say(state), state


def rolled_out(s: Scene) -> Iterator[Told]:
    """SeqGAN: likelihood first, then D's verdicts on sentences that are spoken to their end as the reward of each word; G goes first."""
    s.play(Words(), mlp(24, 8, 1))

    def spoken(heard: Tensor | None = None, upto: int = 0) -> tuple[Tensor, Tensor]:
        word, state, likely, said = torch.zeros(BATCH, 6), torch.zeros(BATCH, 8), [], []
        for at in range(4):
            logits, state = s.g(word, state)
            drawn = torch.distributions.Categorical(logits=logits)
            index = heard[:, at] if heard is not None and at < upto else drawn.sample()
            word = F.one_hot(index, 6).float()
            likely.append(drawn.log_prob(index))
            said.append(index)
        return torch.stack(said, 1), torch.stack(likely, 1)

    def shown(said: Tensor) -> Tensor:
        return F.one_hot(said, 6).float().flatten(1)

    for step in range(STEPS):
        if step < 2:
            _, likely = spoken(torch.randint(0, 3, (BATCH, 4)), 4)
            s.g_turn(-likely.mean())
            yield s.ended()
            continue
        said, likely = spoken()
        with torch.no_grad():
            rewards = [torch.sigmoid(s.d(shown(spoken(said, upto)[0]))) for upto in range(1, 5)]
        s.g_turn(-(likely * torch.cat(rewards, 1)).sum(1).mean())
        for _ in range(2):
            with torch.no_grad():
                said, _ = spoken()
            s.d_usual(shown(torch.randint(0, 3, (BATCH, 4))), shown(said))
        yield s.ended()


# ------------------------------------------------------------------------------------------------------------ how often, and by what


def accumulated_by_both(s: Scene) -> Iterator[Told]:
    """A Trainer's accumulation: both losses of each micro-batch, and both optimizers at every third."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        reals, fakes_, verdicts = [], [], []
        for _ in range(3):
            s.d.requires_grad_(False)
            fakes = s.g(z())
            verdicts.append(kept(s.d(fakes)))
            (softplus(-verdicts[-1]).mean() / 3).backward()
            s.d.requires_grad_(True)
            reals.append(kept(s.d(points())))
            fakes_.append(kept(s.d(fakes.detach())))
            (d_loss_of(reals[-1], fakes_[-1]) / 3).backward()
        s.g_steps(verdicts)
        s.g_opt.zero_grad()
        s.d_steps(reals, fakes_)
        s.d_opt.zero_grad()
        yield s.ended()


def updated_when_it_must(s: Scene) -> Iterator[Told]:
    """D's gradients are computed in every step, and it is updated only where it was not good enough."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for step in range(STEPS):
        fakes = s.g(z())
        real, fake = kept(s.d(points())), kept(s.d(fakes.detach()))
        s.d_opt.zero_grad()
        d_loss_of(real, fake).backward()
        if step % 3 != 1:
            s.d_steps(real, fake)
        judged = kept(s.d(fakes))
        s.g_turn(softplus(-judged).mean(), judged)
        yield {"fake": mean(judged), **s.ended()}  # of a step without D's update G's verdicts are recorded


def many_at_first(s: Scene) -> Iterator[Told]:
    """WGAN's first code: many updates of the critic at first, then few; its fakes are made without a graph."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for step in range(STEPS):
        s.d.requires_grad_(True)
        for _ in range(6 if step < 3 else 2):
            with torch.no_grad():
                fakes = s.g(z())
                for p in s.d.parameters():
                    p.clamp_(-0.3, 0.3)
            real, fake = kept(s.d(points())), kept(s.d(fakes))
            s.d_turn(fake.mean() - real.mean(), real, fake)
        s.d.requires_grad_(False)
        judged = kept(s.d(s.g(z())))
        s.g_turn(-judged.mean(), judged)
        yield s.ended()


def put_back(s: Scene) -> Iterator[Told]:
    """An unrolled game by a backup: D runs ahead, G is updated, and D's weights are put back."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        s.d_usual(points(), s.g(z()).detach())
        backup = copy.deepcopy(s.d.state_dict())
        for _ in range(2):
            s.d_usual(points(), s.g(z()).detach())
        s.g_usual(s.g(z()))
        s.d.load_state_dict(backup)
        yield s.ended()


class Extrapolating(torch.optim.SGD):
    """ExtraSGD: a look ahead, and a step from where it was."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__(net.parameters(), 1e-2)
        self.start: list[Tensor] = []

    def extrapolation(self) -> None:
        with torch.no_grad():
            for p in self.param_groups[0]["params"]:
                self.start.append(p.clone())
                p -= 1e-2 * p.grad

    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # torch's own stub has overloads
        for p, start in zip(self.param_groups[0]["params"], self.start):
            p.data = start - 1e-2 * p.grad
        self.start = []


def extrapolated(s: Scene) -> Iterator[Told]:
    """Extragradient: every second pair of gradients is a look ahead by a method of the optimizers' own."""
    g, d = mlp(3, 8, 2), mlp(2, 8, 1)
    s.play(g, d, Extrapolating(g), Extrapolating(d))
    for i in range(2 * STEPS):
        fakes = s.g(z())
        real, fake = kept(s.d(points())), kept(s.d(fakes.detach()))
        s.d_opt.zero_grad()
        d_loss_of(real, fake).backward()
        if i % 2:
            s.d_steps(real, fake)
        else:
            s.d_opt.extrapolation()
        judged = kept(s.d(fakes))
        s.g_opt.zero_grad()
        softplus(-judged).mean().backward()
        if i % 2:
            s.g_steps(judged)
            yield s.ended()
        else:
            s.g_opt.extrapolation()


def two_optimizers_for_one(s: Scene) -> Iterator[Told]:
    """An adversarial autoencoder with three optimizers: the encoder has one for reconstructions and one for the game."""
    decoder = mlp(3, 8, 2)
    s.play(mlp(2, 8, 3), mlp(3, 8, 1))
    both = adam(s.g, decoder)
    for _ in range(STEPS):
        x = points()
        both.zero_grad()
        (decoder(s.g(x)) - x).square().mean().backward()
        both.step()
        s.d_usual(z(), s.g(x))
        s.g_usual(s.g(x))
        yield s.ended()


# --------------------------------------------------------------------------------------------------------------------- the tests

LOOPS: list[Loop] = [
    reconstructs_before_d_comes,
    reconstructs_and_then_goes_first,
    starts_at_zero,
    rolled_out,
    accumulated_by_both,
    updated_when_it_must,
    many_at_first,
    put_back,
    extrapolated,
    two_optimizers_for_one,
]


def play(loop: Loop, path: Path | None, how: str) -> tuple[list[Told], list[Tensor], Any]:
    """Returns what the loop computed, the weights and the random state that it ended with, and what recorded it."""
    torch.manual_seed(0)
    watched: list[Any] = []

    def begin(s: Scene) -> None:
        if path is not None and how == "automatic":
            optimizers = {"generator_optimizer": s.g_opt, "discriminator_optimizer": s.d_opt}
            watched.append(Recorder(path, generator=s.g, discriminator=s.d, **optimizers, automatic=True))

    scene = Scene(begin)
    if path is not None and how == "attach":
        watched.append(attach(path, say=lambda line: None))
    try:
        steps = list(loop(scene))
    finally:
        gandiag.detach()
        if watched and how == "automatic":
            watched[0].close()
    state = [t for net in scene.nets for t in net.state_dict().values()]
    return steps, [*state, torch.get_rng_state()], watched[0] if watched else None


def differing(run: Run, steps: list[Told], lead: int, ahead: int) -> dict[str, Any]:
    """What of a run, whose first row is the loop's step `lead`, is not as the loop computed it; G's updates may be so many steps `ahead`."""
    wrong = {}
    for short, series in SERIES.items():
        begin = lead + ahead * (short in OF_G)
        true = {i - begin: step[short] for i, step in enumerate(steps) if short in step and i >= begin}
        found = {i: v for i, v in run[series].items() if v or short not in COUNTS} if series in run else {}
        for i, value in true.items():
            if i < run.steps - 1 and not (i in found and math.isclose(found[i], value, rel_tol=1e-3, abs_tol=1e-5)):
                wrong[f"{series}[{i}]"] = (found.get(i), value)
        wrong |= {f"{series}[{i}]": (value, None) for i, value in found.items() if i not in true}
    return wrong


def recorded(loop: Loop, how: str, path: Path) -> Run:
    """Plays a loop alone and recorded, holds the one against the other and each step against the loop's own; returns the run."""
    _, alone, _ = play(loop, None, how)
    steps, watched, _ = play(loop, path, how)
    assert all(torch.equal(one, other) for one, other in zip(alone, watched))
    run = load_run(path)
    lead = len(steps) - run.steps
    assert 0 <= lead <= (5 if how == "attach" else 0)
    found = [differing(run, steps, lead, ahead) for ahead in ((0, 1) if how == "attach" else (0,))]
    assert not min(found, key=len)
    return run


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_every_step_is_recorded_as_the_loop_computed_it(loop: Loop, tmp_path: Path) -> None:
    recorded(loop, "automatic", tmp_path / "run")


@pytest.mark.parametrize("loop", [rolled_out, reconstructs_and_then_goes_first], ids=lambda loop: loop.__name__)
def test_attach_finds_the_game_after_what_came_before_it(loop: Loop, tmp_path: Path) -> None:
    recorded(loop, "attach", tmp_path / "run")

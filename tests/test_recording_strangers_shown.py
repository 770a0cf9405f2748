"""What else D is shown, and what G is pushed by, in published trainings in small: packs, windows, copies, old fakes, steps of a diffusion."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import softplus

from gandiag.run import load_run
from tests.test_recording_strangers_kinds import (
    BATCH,
    STEPS,
    Loop,
    Scene,
    Told,
    adam,
    d_loss_of,
    differing,
    kept,
    mlp,
    play,
    points,
    recorded,
    z,
)


def slope_of(score: Tensor, x: Tensor) -> Tensor:
    """The gradient of a verdict at what D was shown; what the verdict has kept of it is forgotten."""
    (slope,) = torch.autograd.grad(score.sum(), x, create_graph=True)
    score.grad = None
    return slope


# ------------------------------------------------------------------------------------------------------- what is made of the samples


def packed(s: Scene) -> Iterator[Told]:
    """PacGAN: D is shown two samples side by side."""
    s.play(mlp(3, 8, 2), mlp(4, 8, 1))
    for _ in range(STEPS):
        fakes = s.g(z())
        s.d_usual(points().view(-1, 4), fakes.view(-1, 4))
        s.g_usual(fakes.view(-1, 4))
        yield s.ended()


def in_windows(s: Scene) -> Iterator[Told]:
    """GAN-TTS: D hears windows of the sounds, drawn anew for each call."""
    s.play(mlp(3, 8, 6), mlp(2, 8, 1))

    def window(sound: Tensor) -> Tensor:
        begin = int(torch.randint(0, 5, ()))
        return sound[:, begin : begin + 2]

    for _ in range(STEPS):
        fakes = s.g(z())
        s.d_usual(window(torch.randn(BATCH, 6) + 1), window(fakes))
        s.g_usual(window(fakes))
        yield s.ended()


class Step(nn.Module):
    """One step in time of a recurrent generator."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.GRUCell(3, 8), nn.Linear(8, 2)

    def forward(self, noise: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        state = self.cell(noise, state)
        return self.out(state), state


def step_by_step(s: Scene) -> Iterator[Told]:
    """RCGAN: G is called for each step in time, and D is shown all of them."""
    s.play(Step(), mlp(8, 8, 1))
    for _ in range(STEPS):
        state, made = torch.zeros(BATCH, 8), []
        for _ in range(4):
            one, state = s.g(z(), state)
            made.append(one)
        s.d_usual(torch.randn(BATCH, 8) + 1, torch.cat(made, 1))
        s.g_usual(torch.cat(made, 1))
        yield s.ended()


def perturbed(s: Scene) -> Iterator[Told]:
    """AdvGAN: the fake is a sample and what G adds to it."""
    s.play(mlp(2, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        x = points()
        added = s.g(x).clamp(-0.3, 0.3)
        fakes = (x + added).clamp(-9, 9)
        s.d_usual(x, fakes)
        s.g_usual(fakes, added.square().mean())
        yield s.ended()


def filled_in(s: Scene) -> Iterator[Told]:
    """Inpainting: G fills in what a mask hides, and each turn puts both together anew."""
    s.play(mlp(2, 8, 2), mlp(2, 8, 1))
    hidden = torch.tensor([[0.0, 1.0]])
    for _ in range(STEPS):
        x = points()
        seen = (1 - hidden) * x
        with torch.no_grad():
            fakes = seen + hidden * s.g(seen)
        s.d_usual(x, fakes)
        s.g_usual(seen + hidden * s.g(seen))
        yield s.ended()


class Scales(nn.Module):
    """Makes samples of two sizes, or judges them."""

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large, self.head = nn.Linear(2, 8), nn.Linear(4, 8), nn.Linear(8, 1)

    def forward(self, both: list[Tensor]) -> Tensor:
        score: Tensor = self.head(torch.relu(self.small(both[0]) + self.large(both[1])))
        return score


class MakesScales(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.small, self.large = mlp(3, 8), nn.Linear(8, 2), nn.Linear(8, 4)

    def forward(self, noise: Tensor) -> list[Tensor]:
        code = torch.relu(self.body(noise))
        return [self.small(code), self.large(code)]


def of_two_sizes(s: Scene) -> Iterator[Told]:
    """MSG-GAN: G makes, and D is shown, lists of samples of all sizes."""
    s.play(MakesScales(), Scales())
    for _ in range(STEPS):
        x, fakes = points(), s.g(z())
        real, fake = kept(s.d([x, torch.cat([x, x], 1)])), kept(s.d([one.detach() for one in fakes]))
        s.d_turn((F.relu(1 - real) + F.relu(1 + fake)).mean(), real, fake)
        judged = kept(s.d(s.g(z())))
        s.g_turn(-judged.mean(), judged)
        yield s.ended()


class OfSteps(nn.Module):
    """Judges, or makes, a sample at a time of a diffusion, having been given a later one."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.net = mlp(6 if values > 1 else 5, 8, values)

    def forward(self, x: Tensor, time: Tensor, later: Tensor) -> Tensor:
        found: Tensor = self.net(torch.cat([x, later, time.float().unsqueeze(1)], 1))
        return found


def denoised(s: Scene) -> Iterator[Told]:
    """DDGAN: D is shown two steps of a diffusion, the fakes' nearer one drawn around what G makes; D's passes are taken one by one."""
    s.play(OfSteps(2), OfSteps(1))

    def drawn(far: Tensor, time: Tensor) -> Tensor:
        return 0.6 * s.g(far, time, z()) + 0.4 * far + 0.1 * torch.randn_like(far)

    for _ in range(STEPS):
        x, time = points(), torch.randint(0, 4, (BATCH,))
        near, far = x + 0.1 * torch.randn_like(x), x + 0.5 * torch.randn_like(x)
        s.d.requires_grad_(True)
        s.d_opt.zero_grad()
        real = kept(s.d(near, time, far))
        softplus(-real).mean().backward()
        fake = kept(s.d(drawn(far, time), time, far))
        softplus(fake).mean().backward()
        s.d_steps(real, fake)
        s.d.requires_grad_(False)
        judged = kept(s.d(drawn(far, time), time, far))
        s.g_turn(softplus(-judged).mean(), judged)
        yield s.ended()


# ------------------------------------------------------------------------------------------------------------------ old fakes, old D


def half_of_them_old(s: Scene) -> Iterator[Told]:
    """SimGAN: G goes first, and half of D's fakes are of a buffer."""
    s.play(mlp(2, 8, 2), mlp(2, 8, 1))
    old: Tensor | None = None
    for _ in range(STEPS):
        a = points() - 3
        fakes = s.g(a)
        s.g_usual(fakes, (fakes - a).abs().mean())
        new, half = fakes.detach(), BATCH // 2
        shown = new if old is None else torch.cat([new[:half], old[torch.randperm(len(old))[:half]]])
        old = new.clone() if old is None else torch.cat([old, new[:half]])
        s.d_usual(points(), shown)
        yield s.ended()


def against_old_ones(s: Scene) -> Iterator[Told]:
    """Fictitious play: G's loss reads old copies of D as well."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    old: list[nn.Module] = []
    for _ in range(STEPS):
        fakes = s.g(z())
        s.d_usual(points(), fakes)
        s.g_usual(fakes, *(softplus(-d(fakes)).mean() for d in old))
        old = [*old, copy.deepcopy(s.d).requires_grad_(False)][-2:]
        yield s.ended()


# --------------------------------------------------------------------------------------------------------------- what the losses read


def twice_with_dropout(s: Scene) -> Iterator[Told]:
    """CT-GAN: D judges the reals twice, each time without other values, and is to agree with itself."""
    s.play(mlp(3, 8, 2), nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(8, 1)))
    for _ in range(STEPS):
        x, fakes = points(), s.g(z())
        real, again, fake = kept(s.d(x)), s.d(x), kept(s.d(fakes.detach()))
        s.d_turn(fake.mean() - real.mean() + 2 * (real - again).square().mean(), real, fake)
        s.g_usual(fakes)
        yield s.ended()


def near_latents(s: Scene) -> Iterator[Told]:
    """zCR: D is to agree on what two near latents become, and G to make them differ."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        noise = z()
        fakes, near = s.g(noise), s.g(noise + 0.1 * z())
        real, fake, beside = kept(s.d(points())), kept(s.d(fakes.detach())), kept(s.d(near.detach()))
        s.d_turn(d_loss_of(real, fake) + 5 * (fake - beside).square().mean(), real, [fake, beside])
        s.g_usual(fakes, -0.5 * (fakes - near).square().mean())
        yield s.ended()


def three_sided(s: Scene) -> Iterator[Told]:
    """Cramér GAN: two batches of fakes, from one of which the others' distance is taken, in both turns."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        x, fakes, others = points(), s.g(z()), s.g(z())
        real, fake, other = kept(s.d(x)), kept(s.d(fakes.detach())), kept(s.d(others.detach()))
        s.d_turn(((fake - other).abs() - (real - other).abs()).mean(), real, [fake, other])
        real, fake, other = s.d(x), kept(s.d(fakes)), kept(s.d(others))
        s.g_turn(((real - other).abs() - (fake - other).abs()).mean(), [fake, other])
        yield s.ended()


def slopes_on_both(s: Scene) -> Iterator[Told]:
    """R3GAN: paired verdicts, and D's slope taken on the very calls that the loss reads; G goes first."""
    s.play(mlp(3, 8, 2), nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)))
    for _ in range(STEPS):
        s.d.requires_grad_(False)
        judged, real = kept(s.d(s.g(z()))), s.d(points())
        s.g_turn(softplus(real - judged).mean(), judged)
        s.d.requires_grad_(True)
        x, fakes = points().requires_grad_(), s.g(z()).detach().requires_grad_()
        real, fake = kept(s.d(x)), kept(s.d(fakes))
        slopes = slope_of(real, x).square().sum(1) + slope_of(fake, fakes).square().sum(1)
        s.d_turn(softplus(fake - real).mean() + 0.05 * slopes.mean(), real, fake)
        yield s.ended()


def better_latents(s: Scene) -> Iterator[Told]:
    """LOGAN: latents are moved along the verdict's slope before they are used, in both turns."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))

    def made() -> Tensor:
        noise = z().requires_grad_()
        (slope,) = torch.autograd.grad(s.d(s.g(noise)).sum(), noise)
        fakes: Tensor = s.g((noise + 0.5 * slope).detach())
        return fakes

    for _ in range(STEPS):
        s.d_usual(points(), made())
        s.g_usual(made())
        yield s.ended()


def by_the_best(s: Scene) -> Iterator[Told]:
    """Top-k training: G follows the best of its verdicts alone."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        fakes = s.g(z())
        s.d_usual(points(), fakes)
        judged = kept(s.d(fakes))
        s.g_turn(softplus(-judged.squeeze(1).topk(5).values).mean(), judged)
        yield s.ended()


class Features(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = mlp(2, 8), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        found = torch.tanh(self.body(x))
        return self.head(found), found


def by_features_alone(s: Scene) -> Iterator[Told]:
    """G is to match the mean of D's features, and reads no verdict."""
    s.play(mlp(3, 8, 2), Features())
    for _ in range(STEPS):
        x, fakes = points(), s.g(z())
        real, fake = kept(s.d(x)[0]), kept(s.d(fakes.detach())[0])
        s.d_turn(d_loss_of(real, fake), real, fake)
        s.g_turn((s.d(fakes)[1].mean(0) - s.d(x)[1].mean(0).detach()).square().sum())
        yield s.ended()


def gradients_put_in_place(s: Scene, who: str = "g") -> Iterator[Told]:
    """Each loss's gradients are taken by autograd.grad, brought together by the loop (PCGrad, say) and put in place: of one player alone."""
    s.play(mlp(2, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        x = points()
        fakes = s.g(x)
        if who == "g":
            s.d_usual(x, fakes)
            judged = kept(s.d(fakes))
            put_in_place(s.g, softplus(-judged).mean(), (fakes - x).abs().mean())
            s.g_steps(judged)
        else:
            for _ in range(2):
                real, fake = kept(s.d(x)), kept(s.d(fakes.detach()))
                put_in_place(s.d, softplus(-real).mean(), softplus(fake).mean())
                s.d_steps(real, fake)
            s.g_usual(fakes)
        yield s.ended()


def put_in_place(net: nn.Module, *losses: Tensor) -> None:
    own = list(net.parameters())
    found = [torch.autograd.grad(loss, own, retain_graph=True) for loss in losses]
    for p, *slopes in zip(own, *found):
        p.grad = torch.stack(slopes).sum(0)


LOOPS: list[Loop] = [
    gradients_put_in_place,
    packed,
    in_windows,
    step_by_step,
    perturbed,
    filled_in,
    of_two_sizes,
    denoised,
    half_of_them_old,
    against_old_ones,
    twice_with_dropout,
    near_latents,
    three_sided,
    slopes_on_both,
    better_latents,
    by_the_best,
    by_features_alone,
]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_every_step_is_recorded_as_the_loop_computed_it(loop: Loop, tmp_path: Path) -> None:
    recorded(loop, "automatic", tmp_path / "run")


@pytest.mark.parametrize(
    "loop", [step_by_step, denoised, half_of_them_old, gradients_put_in_place], ids=lambda loop: loop.__name__
)
def test_attach_finds_the_game_in_what_is_made_of_the_samples(loop: Loop, tmp_path: Path) -> None:
    recorded(loop, "attach", tmp_path / "run")


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return -gradient


def domains_reversed(s: Scene, *, joined: bool) -> Iterator[Told]:
    """DANN: one loss, through a gradient reversal, on features of two domains, all of which G makes."""
    s.play(mlp(2, 8, 4), mlp(4, 8, 1))
    for _ in range(STEPS):
        features = s.g(points()), s.g(points() - 3)
        if joined:
            one, other = s.d(Reversed.apply(torch.cat(features))).chunk(2)
        else:
            one, other = (s.d(Reversed.apply(x)) for x in features)
        s.g_opt.zero_grad()
        s.d_opt.zero_grad()
        d_loss_of(one, other).backward()
        s.d_moves()
        s.g_moves()
        yield s.ended()


@pytest.mark.parametrize("joined", [False, True])
def test_verdicts_on_two_domains_that_g_makes_are_nobodys(joined: bool, tmp_path: Path) -> None:
    run = recorded(partial(domains_reversed, joined=joined), "automatic", tmp_path / "run")
    assert any("nothing but what the generator makes" in said for said in run.about["could_not_tell"])


def test_gradients_of_d_put_in_place_are_read_once_the_other_player_has_been_seen(tmp_path: Path) -> None:
    steps, _, _ = play(partial(gradients_put_in_place, who="d"), tmp_path / "run", "automatic")
    run = load_run(tmp_path / "run")
    wrong = [name for name in differing(run, steps, 0, 0) if not name.endswith("[0]")]
    assert not wrong
    assert "real_logit_mean" in run
    assert any("puts them in place itself" in said for said in run.about["could_not_tell"])


def grown(s: Scene) -> Iterator[Told]:
    """Both optimizers are made anew in mid-run, as a game that grows does."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for step in range(STEPS + 6):
        if step == STEPS:
            s.g_opt, s.d_opt = adam(s.g), adam(s.d)
        fakes = s.g(z())
        s.d_usual(points(), fakes)
        s.g_usual(fakes)
        yield s.ended()


def test_of_optimizers_that_are_made_anew_the_first_step_is_missing_and_it_is_said(tmp_path: Path) -> None:
    steps, _, _ = play(grown, tmp_path / "run", "attach")
    run = load_run(tmp_path / "run")
    assert run.steps == len(steps) - 3
    assert not differing(run, [*steps[:STEPS], *steps[STEPS + 1 :]], 2, 0)
    said = [line for line in run.about["could_not_tell"] if "a new optimizer steps the" in line]
    assert len(said) == 2

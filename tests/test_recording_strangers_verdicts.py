"""Verdicts of other forms: on every pixel, on the whole beside patches, on two batches that D joins itself; and images that are no verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from test_recording_strangers_kept import in_three_lines
from test_recording_strangers_kinds import (
    BATCH,
    STEPS,
    Loop,
    Scene,
    Told,
    d_loss_of,
    force,
    kept,
    mean,
    mlp,
    pieces,
    points,
    recorded,
    z,
)
from torch import Tensor, nn
from torch.nn.functional import softplus

WAYS = ("three lines", "automatic", "attach")


def by(how: str, loop: Loop, path: Path) -> list[str]:
    """Returns what could not be told of a loop, which is recorded as it computes itself."""
    run = in_three_lines(loop, path) if how == "three lines" else recorded(loop, how, path)
    told: list[str] = run.about["could_not_tell"]
    return told


def images(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 64 * width), nn.Unflatten(1, (width, 8, 8)), nn.Tanh())


class Unet(nn.Module):
    """Judges each pixel of a grey image, and the whole of it at the bottom."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.first, self.down, self.deep = nn.Conv2d(1, 4, 3, 1, 1), nn.Conv2d(4, 8, 4, 2, 1), nn.Conv2d(8, 8, 4, 2, 1)
        self.up, self.last_up = nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ConvTranspose2d(16, 4, 4, 2, 1)
        self.each, self.whole = nn.Conv2d(4 if form == "added" else 8, 1, 3, 1, 1), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Any:
        first = F.leaky_relu(self.first(x), 0.2)
        down = F.leaky_relu(self.down(first), 0.2)
        deep = F.leaky_relu(self.deep(down), 0.2)
        up = F.relu(self.last_up(torch.cat([F.relu(self.up(deep)), down], 1)))
        each = self.each(up + first if self.form == "added" else torch.cat([up, first], 1))
        whole = self.whole(deep.sum((2, 3)))
        if self.form in ("map", "added"):
            return each + 0 * whole.mean()
        return {"tuple": (each, whole), "whole first": (whole, each), "list": [whole, each]}[self.form]


class Patches(nn.Module):
    """Judges a colour image as a whole, and patches of it."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.patches, self.whole = nn.Conv2d(3, 4, 4, 2, 1), nn.Conv2d(4, 1, 3, 1, 1), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = F.leaky_relu(self.body(x), 0.2)
        return self.whole(hidden.mean((2, 3))), self.patches(hidden)


def of_each_part(s: Scene, d: nn.Module, width: int = 1) -> Iterator[Told]:
    """U-Net GAN: every part of the verdict has its own loss."""
    s.play(images(width), d)
    for _ in range(STEPS):
        x, fakes = torch.rand(BATCH, width, 8, 8), s.g(z())
        real, fake = ([kept(v) for v in pieces(s.d(shown))] for shown in (x, fakes.detach()))
        s.d_turn(sum(d_loss_of(r, f) for r, f in zip(real, fake)), real, fake)
        judged = [kept(v) for v in pieces(s.d(fakes))]
        s.g_turn(sum(softplus(-v).mean() for v in judged), judged)
        yield s.ended()


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("form", ["map", "added", "tuple", "whole first", "list"])
def test_verdicts_on_single_pixels_are_no_restored_image(form: str, how: str, tmp_path: Path) -> None:
    assert not by(how, lambda s: of_each_part(s, Unet(form)), tmp_path / "run")


@pytest.mark.parametrize("how", WAYS)
def test_a_verdict_on_the_whole_is_read_with_those_on_patches(how: str, tmp_path: Path) -> None:
    assert not by(how, lambda s: of_each_part(s, Patches(), 3), tmp_path / "run")


class Restoring(nn.Module):
    """Judges a grey image, and restores it beside."""

    def __init__(self, *, verdict_first: bool) -> None:
        super().__init__()
        self.down, self.up, self.head = nn.Conv2d(1, 4, 4, 2, 1), nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Linear(4, 1)
        self.verdict_first = verdict_first

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = F.leaky_relu(self.down(x), 0.2)
        verdict, again = self.head(hidden.mean((2, 3))), self.up(hidden)
        return (verdict, again) if self.verdict_first else (again, verdict)


def restored(s: Scene, *, verdict_first: bool) -> Iterator[Told]:
    s.play(images(1), Restoring(verdict_first=verdict_first))
    which = int(not verdict_first)
    for _ in range(STEPS):
        x, fakes = torch.rand(BATCH, 1, 8, 8), s.g(z())
        output = s.d(x)
        real, fake = kept(output[which]), kept(s.d(fakes.detach())[which])
        s.d_turn(d_loss_of(real, fake) + (output[1 - which] - x).square().mean(), real, fake)
        judged = kept(s.d(fakes)[which])
        s.g_turn(softplus(-judged).mean(), judged)
        yield s.ended()


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("verdict_first", [True, False])
def test_an_image_that_is_restored_beside_the_verdict_is_none(verdict_first: bool, how: str, tmp_path: Path) -> None:
    assert not by(how, partial(restored, verdict_first=verdict_first), tmp_path / "run")


def energies(s: Scene) -> Iterator[Told]:
    """EBGAN: an autoencoder's error is the energy, and what it returns is an image."""
    s.play(images(1), nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.ConvTranspose2d(4, 1, 4, 2, 1)))
    for _ in range(STEPS):
        x, fakes = torch.rand(BATCH, 1, 8, 8), s.g(z())
        s.d_opt.zero_grad()
        energy = (s.d(x) - x).square().mean()
        (energy + F.relu(1 - (s.d(fakes.detach()) - fakes.detach()).square().mean())).backward()
        s.d_moves()
        s.g_turn((s.d(fakes) - fakes).square().mean())
        yield s.ended()


@pytest.mark.parametrize("how", WAYS)
def test_a_restored_image_alone_is_no_verdict(how: str, tmp_path: Path) -> None:
    told = by(how, energies, tmp_path / "run")
    assert any("an energy-based game" in line for line in told)


class Joins(nn.Module):
    """Is given one batch or two, which it joins itself, and returns all verdicts in one tensor."""

    def __init__(self, *, turned: bool) -> None:
        super().__init__()
        self.net, self.turned = (
            nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Linear(8, 1)),
            turned,
        )

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        verdicts: Tensor = self.net(torch.cat([other, one] if self.turned else [one, other]))
        return verdicts


def joined(s: Scene, *, fakes_first: bool, turned: bool) -> Iterator[Told]:
    s.play(mlp(3, 8, 2), Joins(turned=turned))
    for _ in range(STEPS):
        x, fakes = points(), s.g(z())

        def judged(shown: Tensor, x: Tensor = x) -> tuple[Tensor, ...]:
            output = s.d(shown, x) if fakes_first else s.d(x, shown)
            output.retain_grad()
            halves = output.chunk(2)
            return output, *(halves if fakes_first != turned else halves[::-1])

        output, fake, real = judged(fakes.detach())
        s.d_opt.zero_grad()
        d_loss_of(real, fake).backward()
        pushed = output.grad.chunk(2)
        on_fake, on_real = pushed if fakes_first != turned else pushed[::-1]
        s.d_moves(real=mean(real), fake=mean(fake), push_real=-float(on_real.sum()), push_fake=-float(on_fake.sum()))
        output, fake, _ = judged(fakes)
        s.g_opt.zero_grad()
        softplus(-fake).mean().backward()
        s.g_moves(pull=force(output))
        yield s.ended()


@pytest.mark.parametrize("how", ["three lines", "automatic"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("fakes_first", [False, True])
def test_batches_that_d_joins_itself_are_told_by_the_joint(
    fakes_first: bool, turned: bool, how: str, tmp_path: Path
) -> None:
    assert not by(how, partial(joined, fakes_first=fakes_first, turned=turned), tmp_path / "run")


class Sliced(nn.Module):
    """Joins two batches, and returns the verdicts on each as slices."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(2, 8, 1)

    def forward(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        verdicts = self.net(torch.cat([other, one]))
        return verdicts[len(other) :], verdicts[: len(other)]


def sliced(s: Scene) -> Iterator[Told]:
    s.play(mlp(3, 8, 2), Sliced())
    for _ in range(STEPS):
        x, fakes = points(), s.g(z())
        real, fake = map(kept, s.d(x, fakes.detach()))
        s.d_turn(d_loss_of(real, fake), real, fake)
        judged = kept(s.d(x, fakes)[1])
        s.g_turn(softplus(-judged).mean(), judged)
        yield s.ended()


@pytest.mark.parametrize("how", ["three lines", "automatic"])
def test_slices_of_verdicts_on_both_are_told_by_the_joint(how: str, tmp_path: Path) -> None:
    assert not by(how, sliced, tmp_path / "run")


def consistent(s: Scene) -> Iterator[Told]:
    """CR-GAN: D's verdicts on reals are held near those on augmented ones, which have no loss of their own."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        x, fakes = points(), s.g(z())
        real, again, fake = kept(s.d(x)), s.d(x + 0.1 * torch.randn_like(x)), kept(s.d(fakes.detach()))
        s.d_turn(d_loss_of(real, fake) + 10 * (real - again).square().mean(), real, fake)
        s.g_usual(fakes)
        yield s.ended()


@pytest.mark.parametrize("how", WAYS)
def test_of_reals_that_are_judged_twice_the_first_are_read(how: str, tmp_path: Path) -> None:
    told = by(how, consistent, tmp_path / "run")
    assert len(told) == 1
    assert "more batches that look real than fakes" in told[0]

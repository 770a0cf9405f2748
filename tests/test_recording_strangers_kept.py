"""Gradients that a loop computes and throws away, or keeps and puts in place together: every step is recorded as it went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from test_recording_strangers_kinds import (
    BATCH,
    STEPS,
    Loop,
    Scene,
    Told,
    d_loss_of,
    differing,
    kept,
    mlp,
    norm,
    play,
    points,
    recorded,
    z,
)
from torch.nn.functional import softplus

from gandiag.recording import Recorder
from gandiag.run import Run, load_run

KEPT = "keeps the {}'s gradients of several backward passes"


def in_three_lines(loop: Loop, path: Path) -> Run:
    """Plays a loop alone and with a recorder whose steps it ends; holds the one against the other and each step against the loop's own."""
    _, alone, _ = play(loop, None, "by itself")
    watched: list[Recorder] = []

    def begin(s: Scene) -> None:
        optimizers = {"generator_optimizer": s.g_opt, "discriminator_optimizer": s.d_opt}
        watched.append(Recorder(path, generator=s.g, discriminator=s.d, **optimizers))

    torch.manual_seed(0)
    scene, steps = Scene(begin), []
    for told in loop(scene):
        watched[0].step()
        steps.append(told)
    watched[0].close()
    state = [t for net in scene.nets for t in net.state_dict().values()]
    assert all(torch.equal(one, other) for one, other in zip(alone, [*state, torch.get_rng_state()]))
    run = load_run(path)
    assert run.steps == len(steps)
    assert not differing(run, steps, 0, 0)
    return run


def by(how: str, loop: Loop, path: Path) -> Run:
    return in_three_lines(loop, path) if how == "three lines" else recorded(loop, how, path)


WAYS = ("three lines", "automatic", "attach")


# ------------------------------------------------------------------------------------------------- computed, and cleared before a step


def in_phases(s: Scene) -> Iterator[Told]:
    """StyleGAN2-ADA: four phases, each of two rounds; strong lazy penalties, whose momentum stays with Adam for long."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for step in range(12):
        for net, opt, every, phase in (
            (s.g, s.g_opt, 1, "g"),
            (s.d, s.d_opt, 1, "d"),
            (s.d, s.d_opt, 3, "r1"),
        ):
            if step % every:
                continue
            opt.zero_grad(set_to_none=True)
            net.requires_grad_(True)
            reals, fakes, judged = [], [], []
            for _ in range(2):
                if phase == "g":
                    judged.append(kept(s.d(s.g(z()))))
                    (softplus(-judged[-1]).mean() / 2).backward()
                elif phase == "d":
                    fakes.append(kept(s.d(s.g(z()))))
                    (softplus(fakes[-1]).mean() / 2).backward()
                    reals.append(kept(s.d(points())))
                    (softplus(-reals[-1]).mean() / 2).backward()
                else:
                    x = points().requires_grad_()
                    verdict = s.d(x)
                    (slope,) = torch.autograd.grad(verdict.sum(), x, create_graph=True)
                    (15 * slope.square().sum(1).mean() + (0 * verdict).mean()).backward()
            net.requires_grad_(False)
            for p in net.parameters():
                torch.nan_to_num(p.grad, nan=0, posinf=1e5, neginf=-1e5, out=p.grad)
            if phase == "g":
                s.g_steps(judged)
            elif phase == "d":
                s.d_steps(reals, fakes)
            else:
                s.step["d_updates"] += 1
                s.d_opt.step()
        yield s.ended()


def tried_again(s: Scene) -> Iterator[Told]:
    """Now and then an update is not made after its backward pass: gradients are zeroed in place, and it is tried on other samples."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for step in range(STEPS):
        for attempt in range(2):
            real, fake = kept(s.d(points())), kept(s.d(s.g(z()).detach()))
            s.d_opt.zero_grad(set_to_none=False)
            d_loss_of(real, fake).backward()
            if step % 3 != 1 or attempt:
                s.d_steps(real, fake)
                break
        for attempt in range(2):
            judged = kept(s.d(s.g(z())))
            s.g_opt.zero_grad(set_to_none=False)
            softplus(-judged).mean().backward()
            if step % 3 != 1 or attempt:
                s.g_steps(judged)
                break
        yield s.ended()


def met_by_all_reals(s: Scene) -> Iterator[Told]:
    """A hinge that all reals have met leaves zeros, in gradients that were zeroed in place: its pass is D's all the same."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    with torch.no_grad():
        s.d[2].bias += 3
    for _ in range(STEPS):
        s.d_opt.zero_grad(set_to_none=False)
        real = kept(s.d(points()))
        F.relu(1 - real).mean().backward()
        fake = kept(s.d(s.g(z()).detach()))
        F.relu(1 + fake).mean().backward()
        s.d_steps(real, fake)
        s.g_usual(s.g(z()))
        yield s.ended()


def with_half(s: Scene) -> Iterator[Told]:
    """A step that fails in the middle of D's turn (out of memory) is made again with half the batch."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for step in range(STEPS):
        for batch in (BATCH, BATCH // 2):
            try:
                x, fakes = points(batch), s.g(z(batch)).detach()
                real = kept(s.d(x))
                if step % 3 == 1 and batch == BATCH:
                    raise RuntimeError("out of memory")
                fake = kept(s.d(fakes))
                s.d_turn(d_loss_of(real, fake), real, fake)
                break
            except RuntimeError:
                continue
        s.g_usual(s.g(z(batch)))
        yield s.ended()


# ------------------------------------------------------------------------------------------------- computed, kept, and put in place


def each_sample(s: Scene, *, to_none: bool = True) -> Iterator[Told]:
    """DP-GAN: D's gradients on each sample are clipped; their sum, with noise, is put in place."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        x, fakes = points(), s.g(z()).detach()
        total = [torch.zeros_like(p) for p in s.d.parameters()]
        reals, verdicts = [], []
        for one, other in zip(x.split(1), fakes.split(1)):
            s.d.zero_grad(set_to_none=to_none)
            reals.append(kept(s.d(one)))
            verdicts.append(kept(s.d(other)))
            (d_loss_of(reals[-1], verdicts[-1]) / BATCH).backward()
            scale = min(1, 0.05 / norm(s.d))
            for held, p in zip(total, s.d.parameters()):
                held += scale * p.grad
        for held, p in zip(total, s.d.parameters()):
            if to_none:
                p.grad = held + 1e-3 * torch.randn_like(held)
            else:
                p.grad.copy_(held)
        s.d_steps(reals, verdicts)
        s.g_usual(s.g(z()))
        yield s.ended()


def each_sample_in_place(s: Scene) -> Iterator[Told]:
    yield from each_sample(s, to_none=False)


def in_halves_later(s: Scene) -> Iterator[Told]:
    """After its first updates, in which it was looked, the loop begins to keep gradients: what was computed last is read, and it is said."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for step in range(22):
        if step < 20:
            s.d_usual(points(), s.g(z()))
        else:
            aside = [torch.zeros_like(p) for p in s.d.parameters()]
            for _ in range(2):
                s.d_opt.zero_grad()
                real, fake = kept(s.d(points())), kept(s.d(s.g(z()).detach()))
                d_loss_of(real, fake).backward()
                for held, p in zip(aside, s.d.parameters()):
                    held += p.grad
            for p, held in zip(s.d.parameters(), aside):
                p.grad = held
            s.d_steps(real, fake)
        s.g_usual(s.g(z()))
        yield s.ended()


def projected(s: Scene) -> Iterator[Told]:
    """PCGrad: each of G's two losses goes backward by itself, and its gradient is projected away from the other's."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        x = points()
        s.d_usual(x, s.g(z()))
        fakes = s.g(z())
        judged = kept(s.d(fakes))
        slopes = []
        for loss in (softplus(-judged).mean(), (fakes - x).abs().mean()):
            s.g_opt.zero_grad()
            loss.backward(retain_graph=True)
            slopes.append([p.grad.clone() for p in s.g.parameters()])
        along = min(sum(float((a * b).sum()) for a, b in zip(*slopes)), 0)
        for p, a, b in zip(s.g.parameters(), *slopes):
            p.grad = a + b - along * b
        s.g_steps(judged)
        yield s.ended()


def added_up_by_hand(s: Scene) -> Iterator[Told]:
    """D's gradient on reals is set aside, and added to that on fakes."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        s.d_opt.zero_grad()
        real = kept(s.d(points()))
        softplus(-real).mean().backward()
        aside = [p.grad.clone() for p in s.d.parameters()]
        s.d_opt.zero_grad()
        fake = kept(s.d(s.g(z()).detach()))
        softplus(fake).mean().backward()
        for p, held in zip(s.d.parameters(), aside):
            p.grad += held
        s.d_steps(real, fake)
        s.g_usual(s.g(z()))
        yield s.ended()


# --------------------------------------------------------------------------------------------------------------------- the tests

LOOPS: list[tuple[Loop, str]] = [
    (tried_again, ""),
    (met_by_all_reals, ""),
    (with_half, ""),
    (each_sample, KEPT.format("discriminator")),
    (each_sample_in_place, KEPT.format("discriminator")),
    (projected, KEPT.format("generator")),
    (added_up_by_hand, KEPT.format("discriminator")),
    (in_halves_later, "what was computed last was taken for its"),
]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("loop", "said"), LOOPS, ids=[loop.__name__ for loop, _ in LOOPS])
def test_every_step_is_recorded_as_the_loop_computed_it(loop: Loop, said: str, how: str, tmp_path: Path) -> None:
    told = by(how, loop, tmp_path / "run").about["could_not_tell"]
    assert [said in line for line in told] == [True] * bool(said)


@pytest.mark.parametrize("how", ["three lines", "automatic"])
def test_the_momentum_of_a_lazy_penalty_turns_no_force_round(how: str, tmp_path: Path) -> None:
    run = by(how, in_phases, tmp_path / "run")
    assert sum("stepped by a penalty alone" in line for line in run.about["could_not_tell"]) == 1
    assert "ascends" not in run.about

"""Players that move past their optimizers, and turns of other kinds: threads, coroutines, datasets, minibatches of what was rolled out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from test_recording_strangers_kept import WAYS, by
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
    play,
    points,
    recorded,
    z,
)
from torch import Tensor, nn
from torch.nn.functional import softplus

from gandiag.run import load_run

MOVED = "moves although its optimizer was not seen to step"


# ------------------------------------------------------------------------------------------------------ moved past the optimizer


def d_told(real: Tensor, fake: Tensor) -> Told:
    return {"real": mean(real), "fake": mean(fake), "push_real": force(real), "push_fake": force(fake)}


def by_an_optimizer_for_each(s: Scene) -> Iterator[Told]:
    """Each of D's parameters is stepped by an optimizer of its own as soon as its gradient is there."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    own = {p: torch.optim.SGD([p], 1e-2) for p in s.d.parameters()}

    def stepped(p: Tensor) -> None:
        own[p].step()
        own[p].zero_grad()

    for _ in range(STEPS):
        hooks = [p.register_post_accumulate_grad_hook(stepped) for p in s.d.parameters()]
        real, fake = kept(s.d(points())), kept(s.d(s.g(z()).detach()))
        d_loss_of(real, fake).backward()
        for hook in hooks:
            hook.remove()
        s.d.requires_grad_(False)
        s.g_usual(s.g(z()))
        s.d.requires_grad_(True)
        yield s.ended() | d_told(real, fake)


def moved_at_once(s: Scene) -> Iterator[Told]:
    """D is moved by hand, and its gradients cleared at once."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        fakes = s.g(z())
        real, fake = kept(s.d(points())), kept(s.d(fakes.detach()))
        d_loss_of(real, fake).backward()
        with torch.no_grad():
            for p in s.d.parameters():
                p -= 1e-2 * p.grad
                p.grad = None
        s.step |= d_told(real, fake)
        s.g_usual(fakes)
        yield s.ended()


def moved_through_data(s: Scene) -> Iterator[Told]:
    """D is moved by hand through `.data`, of which nothing tells."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        fakes = s.g(z())
        s.d.zero_grad()
        d_loss_of(s.d(points()), s.d(fakes.detach())).backward()
        for p in s.d.parameters():
            p.data -= 1e-2 * p.grad
        judged = kept(s.d(fakes))
        s.g_turn(softplus(-judged).mean(), judged)
        yield {**s.ended(), "fake": mean(judged)}


# --------------------------------------------------------------------------------------------------------- in turns of another kind


def in_two_threads(s: Scene) -> Iterator[Told]:
    """Each player is trained in a thread of its own; they take turns."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    turns, told = {"d": threading.Semaphore(1), "g": threading.Semaphore(0)}, []

    def train(mine: str, other: str, turn: Callable[[], None]) -> None:
        for _ in range(STEPS):
            turns[mine].acquire()
            turn()
            turns[other].release()

    def g_turn() -> None:
        s.g_usual(s.g(z()))
        told.append(s.ended())

    both = [
        threading.Thread(target=train, args=("d", "g", lambda: s.d_usual(points(), s.g(z())))),
        threading.Thread(target=train, args=("g", "d", g_turn)),
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    yield from told


def by_coroutines(s: Scene) -> Iterator[Told]:
    """Each player's turn is a coroutine, which stops between its forward and its backward pass."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))

    def d_turns() -> Iterator[None]:
        while True:
            real, fake = kept(s.d(points())), kept(s.d(s.g(z()).detach()))
            yield
            s.d_turn(d_loss_of(real, fake), real, fake)
            yield

    def g_turns() -> Iterator[None]:
        while True:
            fakes = s.g(z())
            yield
            s.g_usual(fakes)
            yield

    d, g = d_turns(), g_turns()
    for _ in range(STEPS):
        for turn in (d, g, d, g):
            next(turn)
        yield s.ended()


class Fakes(torch.utils.data.Dataset[Any]):
    """Pairs of a real and a fake that is made as it is asked for."""

    def __init__(self, g: nn.Module) -> None:
        self.g = g

    def __len__(self) -> int:
        return BATCH

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            return points(1)[0], self.g(z(1))[0]


def made_one_by_one(s: Scene) -> Iterator[Told]:
    """Fakes come out of a dataset, made one by one and collated."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    for _ in range(STEPS):
        for x, fakes in torch.utils.data.DataLoader(Fakes(s.g), batch_size=BATCH):
            s.d_usual(x, fakes)
        s.g_usual(s.g(z()))
        yield s.ended()


def imitated_by_minibatches(s: Scene) -> Iterator[Told]:
    """GAIL: a rollout is kept in a buffer, and D is shown a few of its states and actions, drawn at random, beside the expert's."""
    s.play(mlp(3, 8, 2), mlp(5, 8, 1))
    for _ in range(2 * STEPS):
        states, actions = z(32), points(32)
        with torch.no_grad():
            mine = torch.distributions.Normal(s.g(states), 0.3).sample()
        drawn = torch.randperm(32)[:16]
        fake = kept(s.d(torch.cat([states[drawn], mine[drawn]], 1)))
        real = kept(s.d(torch.cat([z(16), actions[:16]], 1)))
        s.d_turn(d_loss_of(real, fake), real, fake)
        with torch.no_grad():
            reward = softplus(s.d(torch.cat([states, mine], 1)))
        drawn = torch.randperm(32)[:16]
        likely = torch.distributions.Normal(s.g(states[drawn]), 0.3).log_prob(mine[drawn]).sum(1, keepdim=True)
        s.g_turn(-(likely * (reward - reward.mean())[drawn]).mean())
        yield s.ended()


# --------------------------------------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("how", WAYS)
def test_turns_that_are_coroutines_are_recorded(how: str, tmp_path: Path) -> None:
    assert not by(how, by_coroutines, tmp_path / "run").about["could_not_tell"]


@pytest.mark.parametrize("how", ["automatic", "attach"])
def test_turns_in_two_threads_are_recorded(how: str, tmp_path: Path) -> None:
    assert not recorded(in_two_threads, how, tmp_path / "run").about["could_not_tell"]


@pytest.mark.parametrize("how", ["three lines", "automatic"])
@pytest.mark.parametrize(
    ("loop", "said"),
    [
        (by_an_optimizer_for_each, MOVED),
        (moved_at_once, MOVED),
        (moved_through_data, "its optimizer was not seen to step: where the loop moves"),
    ],
    ids=["an optimizer for each", "moved at once", "moved through data"],
)
def test_what_is_not_the_optimizers_alone_is_said(loop: Loop, said: str, how: str, tmp_path: Path) -> None:
    run = by(how, loop, tmp_path / "run")
    assert sum(said in line for line in run.about["could_not_tell"]) == 1


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("loop", [made_one_by_one, imitated_by_minibatches], ids=lambda loop: loop.__name__)
def test_fakes_that_leave_no_trace_are_known_by_what_they_are_like(loop: Loop, how: str, tmp_path: Path) -> None:
    said = by(how, loop, tmp_path / "run").about["could_not_tell"]
    assert any("nearer to the generator's last output" in line for line in said)


def test_a_player_that_is_compiled_in_place_later_is_seen_again(tmp_path: Path) -> None:
    torch.manual_seed(0)
    seen: list[float] = []

    def compiled(s: Scene) -> Iterator[Told]:
        s.play(mlp(3, 8, 2), mlp(2, 8, 1))
        for net in (s.g, s.d):
            net.compile(backend="eager")
        for _ in range(STEPS):
            fakes = s.g(z())
            s.d_usual(points(), fakes)
            seen.append(s.step["real"])
            s.g_usual(fakes)
            yield s.ended()

    play(compiled, tmp_path / "run", "automatic")
    run = load_run(tmp_path / "run")
    real = run["real_logit_mean"]
    assert real.index[0] <= STEPS - 3
    assert real.to_list() == pytest.approx([seen[i] for i in real.index], abs=1e-5)
    assert sum("compiled in place after" in line for line in run.about["could_not_tell"]) == 2

"""Loops that do one odd thing each: the record goes on, holds what the loop computed, and the weights are those of a loop left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gandiag.recording import Recorder, passes
from gandiag.recording.passes import MOST_OPEN
from gandiag.run import load_run

STEPS = 6


@dataclass
class Loop:
    """The usual loop; each case changes one of its parts."""

    size: int = 2
    batch: int = 8
    recorder: Any = None
    reals: list[float] = field(default_factory=list)  # the mean score on reals, as the loop itself sees it

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.g = nn.Linear(3, self.size)
        self.d = nn.Sequential(nn.Linear(self.size, 8), nn.Tanh(), nn.Linear(8, 1))
        self.g_opt = torch.optim.SGD(self.g.parameters(), 0.05)
        self.d_opt = torch.optim.SGD(self.d.parameters(), 0.05)

    def watched_by(self, path: Path, **named: Any) -> Recorder:
        self.recorder = Recorder(
            path,
            generator=self.g,
            discriminator=self.d,
            generator_optimizer=self.g_opt,
            discriminator_optimizer=self.d_opt,
            **named,
        )
        return self.recorder

    def real(self) -> Tensor:
        return torch.randn(self.batch, self.size)

    def fake(self) -> Tensor:
        made: Tensor = self.g(torch.randn(self.batch, 3))
        return made

    def discriminate(self, real: Tensor, fake: Tensor) -> Tensor:
        score = self.d(real)
        self.reals.append(float(score.mean()))
        return softplus(-score).mean() + softplus(self.d(fake)).mean()

    def step(self) -> tuple[Tensor, Tensor]:
        fake = self.fake()
        self.d_opt.zero_grad()
        d_loss = self.discriminate(self.real(), fake.detach())
        d_loss.backward()
        self.d_opt.step()
        self.g_opt.zero_grad()
        g_loss = softplus(-self.d(fake)).mean()
        g_loss.backward()
        self.g_opt.step()
        return d_loss, g_loss

    def play(self) -> None:
        for _ in range(STEPS):
            d_loss, g_loss = self.step()
            if self.recorder is not None:
                self.recorder.step(d_loss=d_loss, g_loss=g_loss)


class EvaluatesBetween(Loop):
    """Looks at D's scores on fresh fakes without gradients after each step, for its own log."""

    def play(self) -> None:
        for _ in range(STEPS):
            d_loss, g_loss = self.step()
            with torch.no_grad():
                self.d(self.fake())
            if self.recorder is not None:
                self.recorder.step(d_loss=d_loss, g_loss=g_loss)


class HooksItsFakes(Loop):
    """Clips the gradient at the fakes by a hook of its own."""

    def fake(self) -> Tensor:
        made = super().fake()
        made.register_hook(lambda gradient: gradient.clamp(-0.01, 0.01))
        return made


class DifferentiatesItsGradients(Loop):
    """Keeps the graph of its gradients (create_graph), as second-order methods do."""

    def step(self) -> tuple[Tensor, Tensor]:
        fake = self.fake()
        self.d_opt.zero_grad()
        d_loss = self.discriminate(self.real(), fake.detach())
        d_loss.backward(create_graph=True)
        self.d_opt.step()
        self.g_opt.zero_grad()
        g_loss = softplus(-self.d(fake)).mean()
        g_loss.backward(create_graph=True)
        self.g_opt.step()
        return d_loss.detach(), g_loss.detach()


class AccumulatesForLong(Loop):
    """Sums the gradients of more batches than the recorder keeps in mind before it steps."""

    def step(self) -> tuple[Tensor, Tensor]:
        self.d_opt.zero_grad()
        for _ in range(MOST_OPEN + 20):
            d_loss = self.discriminate(self.real(), self.fake().detach()) / (MOST_OPEN + 20)
            d_loss.backward()
        self.d_opt.step()
        self.g_opt.zero_grad()
        g_loss = softplus(-self.d(self.fake())).mean()
        g_loss.backward()
        self.g_opt.step()
        return d_loss, g_loss


class TouchesItsScores(Loop):
    """Changes D's scores in place (label smoothing gone wrong, say) after D gave them."""

    def discriminate(self, real: Tensor, fake: Tensor) -> Tensor:
        score = self.d(real) + 0.0
        self.reals.append(float(score.mean()))
        with torch.no_grad():
            score.mul_(0.9)
        return softplus(-score).mean() + softplus(self.d(fake)).mean()


class OneOptimizerOnly(Loop):
    """One optimizer holds both players; D is frozen while G learns, so that each step moves one of them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.g_opt = self.d_opt = torch.optim.SGD([*self.g.parameters(), *self.d.parameters()], 0.05)

    def step(self) -> tuple[Tensor, Tensor]:
        fake = self.fake()
        self.d_opt.zero_grad()
        d_loss = self.discriminate(self.real(), fake.detach())
        d_loss.backward()
        self.d_opt.step()
        self.d_opt.zero_grad()
        self.d.requires_grad_(False)
        g_loss = softplus(-self.d(fake)).mean()
        g_loss.backward()
        self.d_opt.step()
        self.d.requires_grad_(True)
        return d_loss, g_loss


class LargeImages(Loop):
    """Batches of more values than are copied whole."""

    def __init__(self) -> None:
        super().__init__(size=700)


LOOPS: dict[str, Callable[[], Loop]] = {
    "the usual one": Loop,
    "evaluates between": EvaluatesBetween,
    "hooks its fakes": HooksItsFakes,
    "differentiates its gradients": DifferentiatesItsGradients,
    "accumulates for long": AccumulatesForLong,
    "touches its scores": TouchesItsScores,
    "one optimizer": OneOptimizerOnly,
    "large images": LargeImages,
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True")
def test_the_loop_is_recorded_and_left_as_it_was(name: str, tmp_path: Path) -> None:
    alone = LOOPS[name]()
    alone.play()
    watched = LOOPS[name]()
    with watched.watched_by(tmp_path / "run"):
        watched.play()
    for one, other in ((alone.g, watched.g), (alone.d, watched.d)):
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters()))
    run = load_run(tmp_path / "run")
    assert run.about["status"] == "finished"
    assert run["discriminator_loss"].index.to_list() == list(range(STEPS))
    assert run["discriminator_gradient_norm"].index.to_list() == list(range(STEPS))
    assert np.isfinite(run["generator_gradient_norm"].to_numpy()).all()
    if name not in ("touches its scores", "accumulates for long"):  # what D said of the one batch of the step
        np.testing.assert_allclose(run["real_logit_mean"].to_numpy(), watched.reals, rtol=1e-5, atol=1e-6)


def test_a_loop_that_ends_its_steps_itself_is_believed_although_the_recorder_was_to_find_them(tmp_path: Path) -> None:
    loop = Loop()
    with loop.watched_by(tmp_path / "run", automatic=True):
        loop.play()
    assert load_run(tmp_path / "run")["discriminator_loss"].index.to_list() == list(range(STEPS))


def test_losses_are_taken_in_every_form(tmp_path: Path) -> None:
    loop = Loop()
    forms: list[Any] = [0.5, torch.tensor(0.5), torch.tensor([0.5]), torch.tensor([0.25, 0.75])]
    with loop.watched_by(tmp_path / "run") as recorder:
        for form in forms:
            loop.step()
            recorder.step(d_loss=form, g_loss=form)
    run = load_run(tmp_path / "run")
    assert run["discriminator_loss"].to_list() == run["generator_loss"].to_list() == [0.5] * 4


@pytest.mark.parametrize("given", [None, (), "words"], ids=str)
def test_a_discriminator_that_returns_no_score_is_left_alone(given: Any, tmp_path: Path) -> None:
    class Silent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, x: Tensor) -> Any:
            return given

    loop = Loop()
    loop.d = Silent()  # type: ignore[assignment]  # as odd as somebody's may be
    loop.d_opt = torch.optim.SGD(loop.d.parameters(), 0.1)
    with loop.watched_by(tmp_path / "run") as recorder:
        for _ in range(3):
            assert loop.d(loop.real()) == given
            recorder.step(d_loss=torch.tensor(1.0))
    run = load_run(tmp_path / "run")
    assert run["discriminator_loss"].to_list() == [1.0] * 3
    assert "real_logit_mean" not in run


def test_detaching_twice_and_flushing_after_it_is_no_mistake(tmp_path: Path) -> None:
    loop = Loop()
    with loop.watched_by(tmp_path / "run") as recorder:
        loop.play()
        recorder.detach()
        recorder.detach()
        recorder.flush()
    loop.recorder = None
    loop.play()
    assert load_run(tmp_path / "run").steps == STEPS
    assert not loop.d._forward_hooks


def test_a_penaltys_passes_are_not_looked_through_each_time_and_moved_parameters_are_found_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered: list[int] = []
    leaves = passes._leaves
    monkeypatch.setattr(passes, "_leaves", lambda parameters: gathered.append(1) or leaves(parameters))
    torch.manual_seed(0)
    G, D = nn.Linear(3, 2), nn.Linear(2, 1)
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    moved = 53  # no step in which parameters are looked for anyway
    with Recorder(
        tmp_path / "run", generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for step in range(70):
            if step == 41:
                gathered.clear()
            if step == moved:
                assert len(gathered) <= 2, (
                    "the parameters of both are gathered again where they may be others, and not each step"
                )
                G.double()
                D.double()
            kind = D.weight.dtype
            real = torch.randn(5, 2, dtype=kind, requires_grad=True)
            score = D(real)
            (gradient,) = torch.autograd.grad(score.sum(), real, create_graph=True)
            loss = softplus(-score).mean() + softplus(D(G(torch.randn(5, 3, dtype=kind)).detach())).mean()
            d_opt.zero_grad()
            (loss + gradient.square().sum(1).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-D(G(torch.randn(5, 3, dtype=kind)))).mean().backward()
            g_opt.step()
            recorder.step()
    run = load_run(tmp_path / "run")
    for name in (
        "real_logit_mean",
        "discriminator_force_on_real",
        "generator_force_on_fake",
        "generator_gradient_norm",
    ):
        assert list(run[name].index) == list(range(70)), name


@pytest.mark.parametrize("apart", [True, False], ids=["one pass a player", "one pass for both"])
def test_a_consensus_by_hand_is_read_off_its_losses_and_not_off_the_regulariser(tmp_path: Path, apart: bool) -> None:
    """Mescheder et al. 2017: both losses' gradients with their graph, then that of half their squared norm, put in place by the loop."""
    loop = Loop()
    ours, theirs = list(loop.g.parameters()), list(loop.d.parameters())
    pushed: list[float] = []
    with loop.watched_by(tmp_path / "run", automatic=True):
        for _ in range(STEPS):
            fake = loop.fake()
            verdict = loop.d(fake)
            pushed.append(float(torch.sigmoid(-verdict).mean()))
            d_loss = softplus(-loop.d(loop.real())).mean() + softplus(verdict).mean()
            d_own = torch.autograd.grad(d_loss, theirs, create_graph=True)
            g_own = torch.autograd.grad(softplus(-verdict).mean(), ours, create_graph=True)
            regulariser = 0.5 * sum(p.square().sum() for p in (*d_own, *g_own))
            if apart:
                more = (
                    *torch.autograd.grad(regulariser, theirs, retain_graph=True),
                    *torch.autograd.grad(regulariser, ours),
                )
            else:
                more = torch.autograd.grad(regulariser, [*theirs, *ours])
            for parameter, own, added in zip([*theirs, *ours], [*d_own, *g_own], more):
                parameter.grad = (own + added).detach()
            loop.d_opt.step()
            loop.g_opt.step()
    run = load_run(tmp_path / "run")
    seen = np.array(pushed)
    assert run["generator_force_on_fake"].to_numpy() == pytest.approx(seen, abs=1e-5)
    assert run["discriminator_force_on_fake"].to_numpy() == pytest.approx(seen - 1, abs=1e-5)

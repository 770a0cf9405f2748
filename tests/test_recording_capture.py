"""Anybody's loop, without a line in it: what is recorded equals what the loop itself computes, and the weights stay the same bits.

Each scene is a training step in another style. It returns what it knows: D's scores and the gradients at them in each player's
update, and the gradients that the optimizers used.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.recording import Recorder
from gandiag.run import load_run

BATCH = 12
STEPS = 4


class Scene:
    """Two small networks, their optimizers, and a notebook of what the loop itself saw in each step."""

    def __init__(self, seed: int = 0, *, sigmoid: bool = False, shared: bool = False) -> None:
        torch.manual_seed(seed)
        self.G = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2))
        tail: list[nn.Module] = [nn.Sigmoid()] if sigmoid else []
        self.D = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), *tail)
        if shared:
            both = torch.optim.Adam(
                [{"params": self.D.parameters(), "lr": 2e-3}, {"params": self.G.parameters(), "lr": 1e-3}]
            )
            self.d_opt = self.g_opt = both
        else:
            self.d_opt, self.g_opt = (
                torch.optim.Adam(self.D.parameters(), 2e-3),
                torch.optim.Adam(self.G.parameters(), 1e-3),
            )
        self.chance = torch.Generator().manual_seed(seed + 1)
        self.notes: dict[str, Any] = {}

    def real(self) -> Tensor:
        return torch.randn(BATCH, 2, generator=self.chance) + 2

    def latent(self) -> Tensor:
        return torch.randn(BATCH, 3, generator=self.chance)

    def keep(self, name: str, score: Tensor) -> Tensor:
        score.retain_grad()
        self.notes[name] = score
        return score

    def use(self, who: str) -> None:
        module, optimizer = (self.D, self.d_opt) if who == "discriminator" else (self.G, self.g_opt)
        self.notes[f"{who}_gradient"] = [None if p.grad is None else p.grad.clone() for p in module.parameters()]
        optimizer.step()


def d_loss(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def plain(s: Scene) -> None:
    fake = s.G(s.latent())
    s.d_opt.zero_grad()
    d_loss(s.keep("d_real", s.D(s.real())), s.keep("d_fake", s.D(fake.detach()))).backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(fake))).mean().backward()
    s.use("generator")


def fake_before_real_and_under_no_grad(s: Scene) -> None:
    with torch.no_grad():
        fake = s.G(s.latent())
    s.d_opt.zero_grad()
    wrong = s.keep("d_fake", s.D(fake.view(-1, 2)))
    d_loss(s.keep("d_real", s.D(s.real())), wrong).backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(s.G(s.latent())))).mean().backward()
    s.use("generator")


def generator_first(s: Scene) -> None:
    s.g_opt.zero_grad()
    fake = s.G(s.latent())
    F.softplus(-s.keep("g_fake", s.D(fake))).mean().backward()
    s.use("generator")
    s.d_opt.zero_grad()
    d_loss(s.keep("d_real", s.D(s.real())), s.keep("d_fake", s.D(fake.data))).backward()
    s.use("discriminator")


def several_discriminator_updates(s: Scene) -> None:
    for _ in range(3):
        s.d_opt.zero_grad()
        d_loss(s.keep("d_real", s.D(s.real())), s.keep("d_fake", s.D(s.G(s.latent()).detach()))).backward()
        s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(s.G(s.latent())))).mean().backward()
    s.use("generator")


def separate_backward_passes(s: Scene) -> None:
    s.d_opt.zero_grad()
    F.softplus(-s.keep("d_real", s.D(s.real()))).mean().backward()
    fake = s.G(s.latent())
    F.softplus(s.keep("d_fake", s.D(fake.detach()))).mean().backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(fake))).mean().backward()
    s.use("generator")


def forgotten_detach(s: Scene) -> None:
    s.d_opt.zero_grad()
    d_loss(s.keep("d_real", s.D(s.real())), s.keep("d_fake", s.D(s.G(s.latent())))).backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(s.G(s.latent())))).mean().backward()
    s.use("generator")


def simultaneous(s: Scene) -> None:
    fake = s.G(s.latent())
    s.d_opt.zero_grad()
    s.g_opt.zero_grad()
    s.D.requires_grad_(False)
    F.softplus(-s.keep("g_fake", s.D(fake))).mean().backward()
    s.D.requires_grad_(True)
    d_loss(s.keep("d_real", s.D(s.real())), s.keep("d_fake", s.D(fake.detach()))).backward()
    s.use("discriminator")
    s.use("generator")


def both_backward_before_both_steps(s: Scene) -> None:
    fake = s.G(s.latent())
    s.d_opt.zero_grad()
    d_loss(s.keep("d_real", s.D(s.real())), s.keep("d_fake", s.D(fake.detach()))).backward()
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(fake))).mean().backward()
    s.use("discriminator")
    s.use("generator")


def one_optimizer_for_both(s: Scene) -> None:
    fake = s.G(s.latent())
    s.d_opt.zero_grad()
    loss = d_loss(s.keep("d_real", s.D(s.real())), s.keep("d_fake", s.D(fake.detach())))
    s.D.requires_grad_(False)
    loss = loss + F.softplus(-s.keep("g_fake", s.D(fake))).mean()
    s.D.requires_grad_(True)
    loss.backward()
    s.notes["discriminator_gradient"] = [p.grad.clone() for p in s.D.parameters() if p.grad is not None]
    s.use("generator")


def gradient_penalty_on_interpolates(s: Scene) -> None:
    real, fake = s.real(), s.G(s.latent())
    s.d_opt.zero_grad()
    mixed = (0.4 * real + 0.6 * fake.detach()).requires_grad_()
    slope = torch.autograd.grad(s.D(mixed).sum(), mixed, create_graph=True)[0]
    penalty = (slope.norm(dim=1) - 1).square().mean()
    (d_loss(s.keep("d_real", s.D(real)), s.keep("d_fake", s.D(fake.detach()))) + penalty).backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(fake))).mean().backward()
    s.use("generator")


def r1_on_the_same_call(s: Scene) -> None:
    real, fake = s.real().requires_grad_(), s.G(s.latent())
    s.d_opt.zero_grad()
    score = s.keep("d_real", s.D(real))
    slope = torch.autograd.grad(score.sum(), real, create_graph=True)[0]
    score.grad = None  # the penalty's own pass is not the loss's push
    (d_loss(score, s.keep("d_fake", s.D(fake.detach()))) + slope.square().sum(1).mean()).backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(fake))).mean().backward()
    s.use("generator")


def relativistic(s: Scene) -> None:
    real, fake = s.real(), s.G(s.latent())
    s.d_opt.zero_grad()
    F.softplus(s.keep("d_fake", s.D(fake.detach())) - s.keep("d_real", s.D(real))).mean().backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(s.keep("g_real", s.D(real)) - s.keep("g_fake", s.D(fake))).mean().backward()
    s.use("generator")


def concatenated(s: Scene) -> None:
    fake = s.G(s.latent())
    s.d_opt.zero_grad()
    score = s.keep("d_both", s.D(torch.cat([s.real(), fake.detach()])))
    d_loss(score[:BATCH], score[BATCH:]).backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(fake))).mean().backward()
    s.use("generator")


def instance_noise(s: Scene) -> None:
    real, fake = s.real(), s.G(s.latent())
    s.d_opt.zero_grad()
    noise = 0.01 * torch.randn(BATCH, 2, generator=s.chance)
    d_loss(s.keep("d_real", s.D(real + noise)), s.keep("d_fake", s.D(fake.detach() + noise))).backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(fake + noise))).mean().backward()
    s.use("generator")


def evaluation_in_between(s: Scene) -> None:
    s.D(s.real())  # with a graph, but no loss uses it
    with torch.no_grad():
        s.D(s.real())
        s.G(torch.randn(50, 3, generator=s.chance))
    plain(s)
    s.G.eval()
    with torch.no_grad():
        s.D(s.G(torch.randn(50, 3, generator=s.chance)))
    s.G.train()


def accumulated(s: Scene) -> None:
    s.d_opt.zero_grad()
    reals, fakes = [], []
    for i in range(2):
        reals.append(s.keep(f"d_real_{i}", s.D(s.real())))
        fakes.append(s.keep(f"d_fake_{i}", s.D(s.G(s.latent()).detach())))
        (d_loss(reals[-1], fakes[-1]) / 2).backward()
    s.use("discriminator")
    s.g_opt.zero_grad()
    F.softplus(-s.keep("g_fake", s.D(s.G(s.latent())))).mean().backward()
    s.use("generator")


SCENES: dict[str, tuple[Callable[[Scene], None], dict[str, bool]]] = {
    f.__name__: (f, {})
    for f in (
        plain,
        fake_before_real_and_under_no_grad,
        generator_first,
        several_discriminator_updates,
        separate_backward_passes,
        forgotten_detach,
        simultaneous,
        both_backward_before_both_steps,
        gradient_penalty_on_interpolates,
        r1_on_the_same_call,
        relativistic,
        concatenated,
        instance_noise,
        evaluation_in_between,
        accumulated,
    )
}
SCENES["one_optimizer_for_both"] = (one_optimizer_for_both, {"shared": True})


def scores_and_slopes(notes: dict[str, Any], name: str) -> tuple[Tensor, Tensor] | None:
    """What the loop knows of D's scores on one side in one player's update, and of the gradient at them."""
    who, what = name.split("_")
    if f"{who}_both" in notes:
        both = notes[f"{who}_both"]
        half = slice(0, BATCH) if what == "real" else slice(BATCH, None)
        return both.detach()[half], both.grad[half]
    found = [notes[k] for k in sorted(notes) if k == name or k.startswith(f"{name}_")]
    return (torch.cat([f.detach() for f in found]), torch.cat([f.grad for f in found])) if found else None


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("automatic", [True, False])
def test_the_record_holds_what_the_loop_itself_computed(tmp_path: Path, name: str, automatic: bool) -> None:
    step, options = SCENES[name]
    scene = Scene(**options)
    told: list[dict[str, Any]] = []
    with Recorder(
        tmp_path / "run",
        generator=scene.G,
        discriminator=scene.D,
        generator_optimizer=scene.g_opt,
        discriminator_optimizer=scene.d_opt,
        automatic=automatic,
    ) as recorder:
        for _ in range(STEPS):
            scene.notes = {}
            step(scene)
            if not automatic:
                recorder.step()
            told.append(scene.notes)
    run = load_run(tmp_path / "run")
    assert run.steps == STEPS
    for i, notes in enumerate(told):
        for player, side in (("d", "real"), ("d", "fake"), ("g", "fake"), ("g", "real")):
            who = "discriminator" if player == "d" else "generator"
            known = scores_and_slopes(notes, f"{player}_{side}")
            series = f"{who}_force_on_{side}"
            if known is None:
                assert series not in run
                continue
            scores, slope = known
            assert run[series][i] == pytest.approx(float(-slope.sum()), rel=1e-4, abs=1e-7), (series, i)
            assert run[f"{who}_force_size_on_{side}"][i] == pytest.approx(float(slope.abs().sum()), rel=1e-4, abs=1e-7)
            if player == "d":
                assert run[f"{side}_logit_mean"][i] == pytest.approx(float(scores.mean()), rel=1e-4, abs=1e-6), (
                    side,
                    i,
                )
        for who in ("discriminator", "generator"):
            gradients = notes[f"{who}_gradient"]
            norm = torch.cat([g.reshape(-1) for g in gradients]).norm()
            assert run[f"{who}_gradient_norm"][i] == pytest.approx(float(norm), rel=1e-4), (who, i)
            layers = run.layers(f"{who}_layer_gradient_norm").loc[i]
            assert layers.to_list() == pytest.approx([float(g.norm()) for g in gradients], rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", SCENES)
def test_watching_changes_no_bit_of_the_weights(tmp_path: Path, name: str) -> None:
    step, options = SCENES[name]
    bare, watched = Scene(**options), Scene(**options)
    before = copy.deepcopy(torch.get_rng_state())
    for _ in range(12):
        step(bare)
    torch.set_rng_state(before)
    with Recorder(
        tmp_path / "run",
        generator=watched.G,
        discriminator=watched.D,
        generator_optimizer=watched.g_opt,
        discriminator_optimizer=watched.d_opt,
        automatic=True,
        probes="full",
    ):
        for _ in range(12):
            step(watched)
    assert torch.equal(torch.get_rng_state(), before)
    for a, b in zip([*bare.G.parameters(), *bare.D.parameters()], [*watched.G.parameters(), *watched.D.parameters()]):
        assert torch.equal(a, b)


class Matching(nn.Module):
    """A discriminator that returns its features beside its class scores when it is asked to, as feature matching does."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(2, 7), nn.Linear(7, 3)

    def forward(self, x: Tensor, feature: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        features = torch.relu(self.body(x))
        return (features, self.head(features)) if feature else self.head(features)


def test_features_beside_the_verdict_are_no_scores(tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(3, 2), Matching()
    g_opt, d_opt = torch.optim.Adam(g.parameters()), torch.optim.Adam(d.parameters())
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for _ in range(5):
            x, fake = torch.randn(8, 2), g(torch.randn(8, 3))
            d_opt.zero_grad()
            (F.softplus(-d(x).logsumexp(1)) + F.softplus(d(fake.detach()).logsumexp(1))).mean().backward()
            d_opt.step()
            g_opt.zero_grad()
            (d(fake, feature=True)[0].mean(0) - d(x, feature=True)[0].mean(0)).square().mean().backward()
            g_opt.step()
    run = load_run(tmp_path / "run")
    assert len(run["discriminator_force_on_fake"]) == 5
    assert (run["generator_gradient_norm"] > 0).all()
    assert "generator_force_on_fake" not in run  # the loss reads the features, and no verdict

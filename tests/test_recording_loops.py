"""Loops of other people that nobody had in mind: what they record is held against what they compute themselves."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gandiag.recording import Recorder
from gandiag.run import Run, load_run

BATCH, STEPS = 8, 4


def generator() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))


def discriminator() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


@dataclass
class Players:
    """Two networks and their optimizers."""

    G: nn.Module
    D: nn.Module
    g_opt: Any
    d_opt: Any

    @property
    def named(self) -> dict[str, Any]:
        return {
            "generator": self.G,
            "discriminator": self.D,
            "generator_optimizer": self.g_opt,
            "discriminator_optimizer": self.d_opt,
        }


def players(G: nn.Module | None = None, D: nn.Module | None = None) -> Players:
    torch.manual_seed(0)
    G, D = G or generator(), D or discriminator()
    return Players(G, D, torch.optim.Adam(G.parameters(), 1e-2), torch.optim.Adam(D.parameters(), 1e-2))


@dataclass
class Told:
    """What a loop's own code knows of a step; `given` is what it hands to `step()`."""

    real: Tensor
    fake: Tensor
    given: dict[str, Any]


Loop = Callable[[Players], Iterator[Told]]


def d_loss_of(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def update(loss: Tensor, optimizer: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def g_update(p: Players, fake: Tensor) -> None:
    update(F.softplus(-p.D(fake)).mean(), p.g_opt)


def one_call_on_both(p: Players) -> Iterator[Told]:
    """D sees reals and fakes in one batch, and the loop cuts its scores in halves."""
    for _ in range(STEPS):
        x, fake = torch.randn(BATCH, 2), p.G(torch.randn(BATCH, 3))
        real_score, fake_score = p.D(torch.cat([x, fake.detach()])).chunk(2)
        update(d_loss_of(real_score, fake_score), p.d_opt)
        g_update(p, fake)
        yield Told(real_score, fake_score, {"real_logits": real_score, "fake_logits": fake_score})


def one_call_fakes_first(p: Players) -> Iterator[Told]:
    """The same with the fakes in front, and unequal halves of the loss."""
    for _ in range(STEPS):
        x, fake = torch.randn(BATCH, 2), p.G(torch.randn(BATCH, 3))
        scores = p.D(torch.cat([fake.detach(), x]))
        update(d_loss_of(scores[BATCH:], scores[:BATCH]), p.d_opt)
        g_update(p, fake)
        yield Told(scores[BATCH:], scores[:BATCH], {"real_logits": scores[BATCH:], "fake_logits": scores[:BATCH]})


def last_batch_is_smaller(p: Players) -> Iterator[Told]:
    """Batches of 8, 8, 3, 8, 8, 3: the last of an epoch is what was left."""
    for n in (8, 8, 3, 8, 8, 3):
        x, fake = torch.randn(n, 2), p.G(torch.randn(n, 3))
        real_score, fake_score = p.D(x), p.D(fake.detach())
        update(d_loss_of(real_score, fake_score), p.d_opt)
        g_update(p, fake)
        yield Told(real_score, fake_score, {})


def micro_batches(p: Players) -> Iterator[Told]:
    """Gradients of three micro-batches are gathered before each update."""
    for _ in range(STEPS):
        p.d_opt.zero_grad()
        reals, fakes = [], []
        for _ in range(3):
            real_score, fake_score = p.D(torch.randn(BATCH, 2)), p.D(p.G(torch.randn(BATCH, 3)).detach())
            (d_loss_of(real_score, fake_score) / 3).backward()
            reals.append(real_score)
            fakes.append(fake_score)
        p.d_opt.step()
        p.g_opt.zero_grad()
        for _ in range(3):
            (F.softplus(-p.D(p.G(torch.randn(BATCH, 3)))).mean() / 3).backward()
        p.g_opt.step()
        yield Told(torch.cat(reals), torch.cat(fakes), {})


def gradients_by_inputs(p: Players) -> Iterator[Told]:
    """`backward(inputs=...)`: each pass fills one player only, though it goes through both."""
    for _ in range(STEPS):
        x, fake = torch.randn(BATCH, 2), p.G(torch.randn(BATCH, 3))
        real_score, fake_score = p.D(x), p.D(fake.detach())
        p.d_opt.zero_grad()
        d_loss_of(real_score, fake_score).backward(inputs=list(p.D.parameters()))
        p.d_opt.step()
        p.g_opt.zero_grad()
        F.softplus(-p.D(fake)).mean().backward(inputs=list(p.G.parameters()))
        p.g_opt.step()
        yield Told(real_score, fake_score, {})


def gradients_by_hand(p: Players) -> Iterator[Told]:
    """`autograd.grad`, and the gradients put into their places by the loop: consensus and extragradient codes do so."""
    for _ in range(STEPS):
        x, fake = torch.randn(BATCH, 2), p.G(torch.randn(BATCH, 3))
        real_score, fake_score = p.D(x), p.D(fake)
        g_grads = torch.autograd.grad(F.softplus(-fake_score).mean(), list(p.G.parameters()), retain_graph=True)
        d_grads = torch.autograd.grad(d_loss_of(real_score, fake_score), list(p.D.parameters()))
        for net, grads in ((p.D, d_grads), (p.G, g_grads)):
            for parameter, gradient in zip(net.parameters(), grads):
                parameter.grad = gradient
        p.d_opt.step()
        p.g_opt.step()
        yield Told(real_score, fake_score, {"real_logits": real_score, "fake_logits": fake_score})


def checkpointed(p: Players) -> Iterator[Told]:
    """D's activations are computed anew in the backward pass."""
    for _ in range(STEPS):
        x, fake = torch.randn(BATCH, 2), p.G(torch.randn(BATCH, 3))
        real_score = checkpoint(p.D, x, use_reentrant=False)
        fake_score = checkpoint(p.D, fake.detach(), use_reentrant=False)
        update(d_loss_of(real_score, fake_score), p.d_opt)
        update(F.softplus(-checkpoint(p.D, fake, use_reentrant=False)).mean(), p.g_opt)
        yield Told(real_score, fake_score, {})


def samples_in_between(p: Players) -> Iterator[Told]:
    """G is called for samples, D for an accuracy, in other modes, between the calls that count."""
    for _ in range(STEPS):
        x, fake = torch.randn(BATCH, 2), p.G(torch.randn(BATCH, 3))
        with torch.inference_mode():
            p.D(p.G(torch.randn(5, 3)))
        real_score, fake_score = p.D(x), p.D(fake.detach())
        with torch.no_grad():
            p.D(x)
            p.D(fake)
        update(d_loss_of(real_score, fake_score), p.d_opt)
        p.G(torch.randn(2, 3))  # builds a graph that nobody uses
        g_update(p, fake)
        yield Told(real_score, fake_score, {})


def fakes_by_way_of_numpy(p: Players) -> Iterator[Told]:
    """A replay buffer holds fakes as arrays: neither storage nor graph leads back to G."""
    for _ in range(STEPS):
        x, fake = torch.randn(BATCH, 2), p.G(torch.randn(BATCH, 3))
        real_score, fake_score = p.D(x), p.D(torch.tensor(fake.detach().numpy().copy()))
        update(d_loss_of(real_score, fake_score), p.d_opt)
        g_update(p, fake)
        yield Told(real_score, fake_score, {})


def losses_of_signs(p: Players) -> Iterator[Told]:
    """WGAN's first code: `backward(one)` and `backward(minus_one)` apart, on the mean."""
    one = torch.ones(())
    for _ in range(STEPS):
        x, fake = torch.randn(BATCH, 2), p.G(torch.randn(BATCH, 3))
        p.d_opt.zero_grad()
        real_score = p.D(x)
        real_score.mean().backward(-one)
        fake_score = p.D(fake.detach())
        fake_score.mean().backward(one)
        p.d_opt.step()
        p.g_opt.zero_grad()
        p.D(fake).mean().backward(-one)
        p.g_opt.step()
        yield Told(real_score, fake_score, {})


LOOPS: tuple[Loop, ...] = (
    one_call_on_both,
    one_call_fakes_first,
    last_batch_is_smaller,
    micro_batches,
    gradients_by_inputs,
    checkpointed,
    samples_in_between,
    fakes_by_way_of_numpy,
    losses_of_signs,
)


def record(path: Path, loop: Loop, p: Players, *, by_hand: bool) -> tuple[Run, list[tuple[float, float, float]]]:
    told = []
    with Recorder(path, automatic=not by_hand, **p.named) as recorder:
        for step in loop(p):
            told.append((step.real.mean().item(), step.fake.mean().item(), torch.sigmoid(step.fake).mean().item()))
            if by_hand:
                recorder.step(**step.given)
    return load_run(path), told


@pytest.mark.parametrize("by_hand", [False, True], ids=["automatic", "by hand"])
@pytest.mark.parametrize("loop", LOOPS, ids=lambda f: f.__name__)
def test_scores_and_forces_are_those_of_the_loop(tmp_path: Path, loop: Loop, by_hand: bool) -> None:
    run, told = record(tmp_path / "run", loop, players(), by_hand=by_hand)
    assert run.steps == len(told)
    for i, (real, fake, saturation) in enumerate(told):
        assert run["real_logit_mean"][i] == pytest.approx(real, rel=1e-4, abs=1e-6)
        assert run["fake_logit_mean"][i] == pytest.approx(fake, rel=1e-4, abs=1e-6)
        assert run["generator_saturation"][i] == pytest.approx(saturation, rel=1e-4)
    if loop is losses_of_signs:
        assert run["discriminator_force_on_real"].to_list() == pytest.approx([1.0] * len(told))
        assert run["discriminator_force_on_fake"].to_list() == pytest.approx([-1.0] * len(told))
        assert run["generator_force_on_fake"].to_list() == pytest.approx([1.0] * len(told))
    else:
        assert run["discriminator_force_on_fake"].to_list() == pytest.approx([-s for _, _, s in told], rel=1e-4)
        assert (run["discriminator_force_on_real"] > 0).all()
        assert (run["generator_force_on_fake"] > 0).all()
    assert len(run["generator_gradient_at_image"]) == len(told)
    assert (run["generator_gradient_norm"] > 0).all()


@pytest.mark.parametrize("by_hand", [False, True], ids=["automatic", "by hand"])
def test_gradients_put_in_place_by_the_loop_are_read_and_said(tmp_path: Path, by_hand: bool) -> None:
    run, told = record(tmp_path / "run", gradients_by_hand, players(), by_hand=by_hand)
    assert run["real_logit_mean"].to_list() == pytest.approx([real for real, _, _ in told], rel=1e-4)
    assert run["fake_logit_mean"].to_list() == pytest.approx([fake for _, fake, _ in told], rel=1e-4)
    assert run["discriminator_force_on_fake"].to_list() == pytest.approx([-s for _, _, s in told], rel=1e-4)
    assert run["generator_force_on_fake"].to_list() == pytest.approx([1 - s for _, _, s in told], rel=1e-4)
    assert (run["generator_gradient_norm"] > 0).all()
    assert (run["discriminator_gradient_norm"] > 0).all()
    assert any("autograd.grad" in sentence for sentence in run.about["could_not_tell"])


class Verdicts(NamedTuple):
    validity: Tensor
    classes: Tensor


@dataclass
class Judged:
    features: list[Tensor]
    logits: Tensor


class Pyramid(nn.Module):
    """A discriminator of several scales in a ModuleList, each with its features: [[features, score], ...]."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.scales = nn.ModuleList(nn.ModuleList([nn.Linear(2, 8), nn.Linear(8, 1)]) for _ in range(2))

    def forward(self, x: Tensor) -> Any:
        found = []
        for scale in self.scales:
            features, score = scale.children()
            inner = F.leaky_relu(features(x), 0.2)
            found.append([inner, score(inner)])
        if self.form == "named tuple":
            return Verdicts(found[0][1], found[0][0])
        if self.form == "dataclass":
            return Judged([f for f, _ in found], found[0][1])
        if self.form == "tuple of lists":
            return tuple(found)
        return {"scale0": found[0][1], "scale1": found[1][1]}


def flat_scores(output: Any, form: str) -> Tensor:
    if form == "named tuple":
        return output.validity.flatten()
    if form == "dataclass":
        return output.logits.flatten()
    if form == "tuple of lists":
        return torch.cat([o[-1].flatten() for o in output])
    return output["scale0"].flatten()


@pytest.mark.parametrize("form", ["named tuple", "dataclass", "tuple of lists"])
def test_structured_outputs_of_d(tmp_path: Path, form: str) -> None:
    p = players(D=Pyramid(form))

    def loop(p: Players) -> Iterator[Told]:
        for _ in range(STEPS):
            fake = p.G(torch.randn(BATCH, 3))
            real_score, fake_score = (
                flat_scores(p.D(torch.randn(BATCH, 2)), form),
                flat_scores(p.D(fake.detach()), form),
            )
            update(d_loss_of(real_score, fake_score), p.d_opt)
            update(F.softplus(-flat_scores(p.D(fake), form)).mean(), p.g_opt)
            yield Told(real_score, fake_score, {})

    run, told = record(tmp_path / "run", loop, p, by_hand=False)
    assert run["real_logit_mean"].to_list() == pytest.approx([r for r, _, _ in told], rel=1e-4)
    assert run["fake_logit_mean"].to_list() == pytest.approx([f for _, f, _ in told], rel=1e-4)


class Several(nn.Module):
    """A generator of several outputs: the images, and what it made them from."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.body, self.head = nn.Linear(3, 8), nn.Linear(8, 2)

    def forward(self, z: Tensor) -> Any:
        inner = torch.tanh(self.body(z))
        image = self.head(inner)
        return {"tuple": (image, inner), "features first": [inner, image], "dict": {"image": image, "w": inner}}[
            self.form
        ]


@pytest.mark.parametrize("form", ["tuple", "features first", "dict"])
def test_generators_of_several_outputs(tmp_path: Path, form: str) -> None:
    p = players(G=Several(form))
    at_image = []

    def image_of(output: Any) -> Tensor:
        return output["image"] if form == "dict" else output[0 if form == "tuple" else 1]

    def loop(p: Players) -> Iterator[Told]:
        for _ in range(STEPS):
            fake = image_of(p.G(torch.randn(BATCH, 3)))
            fake.register_hook(lambda g: at_image.append(g.norm().item()))
            real_score, fake_score = p.D(torch.randn(BATCH, 2)), p.D(fake.detach())
            update(d_loss_of(real_score, fake_score), p.d_opt)
            g_update(p, fake)
            yield Told(real_score, fake_score, {})

    run, told = record(tmp_path / "run", loop, p, by_hand=False)
    assert run["fake_logit_mean"].to_list() == pytest.approx([f for _, f, _ in told], rel=1e-4)
    assert run["generator_gradient_at_image"].to_list() == pytest.approx(at_image, rel=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_networks_of_other_precisions(tmp_path: Path, dtype: torch.dtype) -> None:
    p = players(generator().to(dtype), discriminator().to(dtype))
    p.g_opt, p.d_opt = (torch.optim.SGD(m.parameters(), 1e-2) for m in (p.G, p.D))
    norms = []

    def loop(p: Players) -> Iterator[Told]:
        for _ in range(11):
            fake = p.G(torch.randn(BATCH, 3, dtype=dtype))
            real_score, fake_score = p.D(torch.randn(BATCH, 2, dtype=dtype)), p.D(fake.detach())
            p.d_opt.zero_grad()
            d_loss_of(real_score, fake_score).backward()
            norms.append(torch.cat([q.grad.flatten().double() for q in p.D.parameters() if q.grad is not None]).norm())
            p.d_opt.step()
            g_update(p, fake)
            yield Told(real_score.double(), fake_score.double(), {})

    run, told = record(tmp_path / "run", loop, p, by_hand=False)
    assert run["real_logit_mean"].to_list() == pytest.approx([r for r, _, _ in told], rel=1e-4, abs=1e-6)
    assert run["discriminator_gradient_norm"].to_list() == pytest.approx([float(n) for n in norms], rel=1e-4)
    assert run["generator_update_ratio"].index.to_list() == [0, 10]
    assert run["discriminator_gradient_cosine"].index.to_list() == [10]


def test_a_recorder_made_in_the_middle_of_a_training_and_of_a_step(tmp_path: Path) -> None:
    p = players()
    told = []
    loop = samples_in_between(p)
    next(loop)
    x, fake = torch.randn(BATCH, 2), p.G(torch.randn(BATCH, 3))
    with Recorder(tmp_path / "run", automatic=True, **p.named) as recorder:
        recorder.remember_fakes(fake)
        real_score, fake_score = p.D(x), p.D(fake.detach())
        update(d_loss_of(real_score, fake_score), p.d_opt)
        g_update(p, fake)
        told.append((real_score.mean().item(), fake_score.mean().item()))
        told += [(step.real.mean().item(), step.fake.mean().item()) for step in loop]
    run = load_run(tmp_path / "run")
    assert run["real_logit_mean"].to_list() == pytest.approx([r for r, _ in told], rel=1e-4)
    assert run["fake_logit_mean"].to_list() == pytest.approx([f for _, f in told], rel=1e-4)


def test_an_average_of_g_copied_while_it_is_recorded_stays_out_of_the_record(tmp_path: Path) -> None:
    p = players()
    average: list[nn.Module] = []

    def loop(p: Players) -> Iterator[Told]:
        for told in samples_in_between(p):
            if not average:
                average.append(copy.deepcopy(p.G))
            for mine, theirs in zip(average[0].parameters(), p.G.parameters()):
                mine.data.lerp_(theirs.data, 0.1)
            p.D(average[0](torch.randn(BATCH, 3)))  # a score for the average, with a graph that nobody follows
            yield told

    run, told = record(tmp_path / "run", loop, p, by_hand=False)
    assert run["fake_logit_mean"].to_list() == pytest.approx([f for _, f, _ in told], rel=1e-4)
    assert not average[0]._forward_hooks or all("gandiag" not in repr(h) for h in average[0]._forward_hooks.values())


def test_what_a_loop_saves_while_it_is_recorded_holds_nothing_of_ours(tmp_path: Path) -> None:
    p = players()
    with Recorder(tmp_path / "run", automatic=True, **p.named):
        for told in last_batch_is_smaller(p):
            del told
        fake = p.G(torch.randn(BATCH, 3))
        file = io.BytesIO()
        torch.save({"G": p.G, "samples": fake.detach(), "state": p.G.state_dict()}, file)
        with pytest.warns(UserWarning, match="backward hook"):
            torch.save(fake, io.BytesIO())
    assert b"gandiag" not in file.getvalue()
    file.seek(0)
    again = torch.load(file, weights_only=False)
    z = torch.randn(2, 3)
    assert torch.equal(again["G"](z), p.G(z))


class HandMade:
    """An optimizer that is none of torch's, evaluates its closure twice, and steps by what the second call left."""

    def __init__(self, parameters: Any, rate: float) -> None:
        self.parameters, self.rate = list(parameters), rate

    def zero_grad(self) -> None:
        for q in self.parameters:
            q.grad = None

    def step(self, closure: Callable[[], Tensor]) -> None:
        closure()
        closure()
        with torch.no_grad():
            for q in self.parameters:
                q -= self.rate * q.grad


@pytest.mark.parametrize("kind", ["LBFGS", "hand-made"])
def test_optimizers_that_evaluate_their_closure_several_times(tmp_path: Path, kind: str) -> None:
    p = players()
    if kind == "LBFGS":
        p.g_opt = torch.optim.LBFGS(p.G.parameters(), lr=0.01, max_iter=3)
        p.d_opt = torch.optim.LBFGS(p.D.parameters(), lr=0.01, max_iter=3)
    else:
        p.g_opt, p.d_opt = HandMade(p.G.parameters(), 0.01), HandMade(p.D.parameters(), 0.01)

    def loop(p: Players) -> Iterator[Told]:
        for _ in range(STEPS):
            x, z = torch.randn(BATCH, 2), torch.randn(BATCH, 3)
            kept: list[tuple[Tensor, Tensor]] = []

            def d_closure(x: Tensor = x, z: Tensor = z, kept: list[tuple[Tensor, Tensor]] = kept) -> Tensor:
                p.d_opt.zero_grad()
                real_score, fake_score = p.D(x), p.D(p.G(z).detach())
                loss = d_loss_of(real_score, fake_score)
                loss.backward()
                kept.append((real_score, fake_score))
                return loss

            def g_closure(z: Tensor = z) -> Tensor:
                p.g_opt.zero_grad()
                loss = F.softplus(-p.D(p.G(z))).mean()
                loss.backward()
                return loss

            p.d_opt.step(d_closure)
            p.g_opt.step(g_closure)
            yield Told(*kept[-1], {})

    run, told = record(tmp_path / "run", loop, p, by_hand=True)
    assert run.steps == STEPS
    assert (run["generator_gradient_norm"] > 0).all()
    assert (run["discriminator_gradient_norm"] > 0).all()
    if kind == "LBFGS":
        assert run["real_logit_mean"].to_list() == pytest.approx([r for r, _, _ in told], rel=1e-4)


def test_learning_rates_that_are_tensors_beside_ones_that_are_numbers(tmp_path: Path) -> None:
    g, d = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), nn.Linear(2, 1)
    groups = [{"params": g[0].parameters(), "lr": torch.tensor(0.25)}, {"params": g[2].parameters(), "lr": 0.125}]
    g_opt, d_opt = torch.optim.SGD(groups, lr=0.5), torch.optim.SGD(d.parameters(), lr=torch.tensor(0.0625))
    with Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(12):
            fake = g(torch.randn(8, 3))
            d_loss = F.softplus(-d(torch.randn(8, 2))).mean() + F.softplus(d(fake.detach())).mean()
            d_opt.zero_grad()
            d_loss.backward()
            d_opt.step()
            g_loss = F.softplus(-d(fake)).mean()
            g_opt.zero_grad()
            g_loss.backward()
            g_opt.step()
            recorder.step(d_loss=d_loss, g_loss=g_loss)
    run = load_run(tmp_path / "run")
    assert run["generator_learning_rate"].tolist() == [0.25, 0.25]
    assert run["discriminator_learning_rate"].tolist() == [0.0625, 0.0625]

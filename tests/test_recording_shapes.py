"""Discriminators, optimizers and precisions of other shapes: probabilities, patches, heads, conditions, closures, scalers, compiled nets."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.errors import UsageError
from gandiag.recording import Recorder
from gandiag.recording.updates import UNSEEN_STEPS
from gandiag.run import Run, load_run

BATCH = 8


def latent() -> Tensor:
    return torch.randn(BATCH, 3)


def small_generator() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))


class Images(nn.Module):
    """A generator of 1x8x8 images from latents (n, 3, 1, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 1, 8)

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.up(z))


class Heads(nn.Module):
    """A discriminator whose form of output is chosen."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.one, self.patch, self.classes, self.coarse = (
            nn.Linear(64, 1),
            nn.Conv2d(1, 1, 5),
            nn.Linear(64, 4),
            nn.Conv2d(1, 1, 7),
        )
        self.decode = nn.Linear(64, 64)

    def forward(self, x: Tensor) -> Any:
        flat = x.flatten(1)
        forms = {
            "validity and classes": lambda: (self.one(flat), self.classes(flat)),
            "classes first": lambda: (self.classes(flat), self.one(flat)),
            "patches": lambda: self.patch(x),
            "patches, a logit, a heat map": lambda: (self.patch(x), self.one(flat), x.relu()),
            "scales": lambda: [self.patch(x), self.coarse(x)],
            "scales of one value": lambda: [self.one(flat), self.one(flat / 2)],
            "features": lambda: [[x, self.patch(x)], [x, self.coarse(x)]],
            "dict": lambda: {"features": flat, "logits": self.one(flat)},
            "squeezed": lambda: self.one(flat).squeeze(1),
            "map": lambda: self.one(flat)[:, :, None, None],
            "energy": lambda: self.decode(flat).view_as(x),
        }
        return forms[self.form]()


def score(output: Any, form: str) -> Tensor:
    """The scores that the loss uses, flat."""
    if form in ("validity and classes", "patches, a logit, a heat map"):
        return output[0].flatten()
    if form == "classes first":
        return output[1].flatten()
    if form.startswith("scales"):
        return torch.cat([o.flatten() for o in output])
    if form == "features":
        return torch.cat([o[-1].flatten() for o in output])
    return (output["logits"] if form == "dict" else output).flatten()


@pytest.mark.parametrize(
    "form",
    [
        "validity and classes",
        "classes first",
        "patches",
        "patches, a logit, a heat map",
        "scales",
        "scales of one value",
        "features",
        "dict",
        "squeezed",
        "map",
    ],
)
def test_the_score_is_found_in_every_form_of_output(tmp_path: Path, form: str) -> None:
    torch.manual_seed(0)
    G, D = Images(), Heads(form)
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    means = []
    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for _ in range(3):
            fake = G(torch.randn(BATCH, 3, 1, 1))
            d_opt.zero_grad()
            real_score, fake_score = score(D(torch.rand(BATCH, 1, 8, 8)), form), score(D(fake.detach()), form)
            (F.softplus(-real_score).mean() + F.softplus(fake_score).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            F.softplus(-score(D(fake), form)).mean().backward()
            g_opt.step()
            means.append(
                (real_score.mean().item(), fake_score.mean().item(), (1 - torch.sigmoid(real_score)).mean().item())
            )
    run = load_run(tmp_path / "run")
    for i, (real, fake, force) in enumerate(means):
        assert run["real_logit_mean"][i] == pytest.approx(real, rel=1e-4, abs=1e-6)
        assert run["fake_logit_mean"][i] == pytest.approx(fake, rel=1e-4, abs=1e-6)
        assert run["discriminator_force_on_real"][i] == pytest.approx(force, rel=1e-4)


def test_an_energy_based_discriminator_is_told_apart_and_said(tmp_path: Path) -> None:
    torch.manual_seed(0)
    G, D = Images(), Heads("energy")
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for _ in range(2):
            real, fake = torch.rand(BATCH, 1, 8, 8), G(torch.randn(BATCH, 3, 1, 1))
            d_opt.zero_grad()
            ((D(real) - real).square().mean() - (D(fake.detach()) - fake.detach()).square().mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            (D(fake) - fake).square().mean().backward()
            g_opt.step()
    run = load_run(tmp_path / "run")
    assert "real_logit_mean" not in run
    assert any("energy" in sentence for sentence in run.about["could_not_tell"])
    assert len(run["generator_gradient_norm"]) == 2


class Conditional(nn.Module):
    """Takes the label before the sample, and both by name."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.embed, self.net = nn.Embedding(4, 5), nn.Linear(inputs + 5, outputs)

    def forward(self, label: Tensor, sample: Tensor) -> Tensor:
        return self.net(torch.cat([sample, self.embed(label)], 1))


@pytest.mark.parametrize("by_name", [False, True])
def test_conditional_networks_with_several_inputs(tmp_path: Path, by_name: bool) -> None:
    torch.manual_seed(0)
    G, D = Conditional(3, 2), Conditional(2, 1)
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)

    def call(net: nn.Module, label: Tensor, sample: Tensor) -> Tensor:
        return net(label=label, sample=sample) if by_name else net(label, sample)

    ranges = []
    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for _ in range(2):
            label, real = torch.randint(0, 4, (BATCH,)), torch.randn(BATCH, 2) + 5
            fake = call(G, label, latent())
            d_opt.zero_grad()
            (F.softplus(-call(D, label, real)).mean() + F.softplus(call(D, label, fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            F.softplus(-call(D, label, fake)).mean().backward()
            g_opt.step()
            ranges.append((real.mean().item(), fake.mean().item()))
    run = load_run(tmp_path / "run")
    assert run["real_mean"][0] == pytest.approx(ranges[0][0], rel=1e-5)
    assert run["fake_mean"][0] == pytest.approx(ranges[0][1], rel=1e-4)


def trained(path: Path, **options: Any) -> tuple[Run, list[dict[str, float]]]:
    """A plain loop with a discriminator that ends in a sigmoid; returns the run and what the loop knows."""
    torch.manual_seed(0)
    G, D = small_generator(), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    known = []
    with Recorder(
        path,
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
        **options,
    ):
        for _ in range(30):
            fake = G(latent())
            d_opt.zero_grad()
            real_p, fake_p = D(torch.randn(BATCH, 2) + 1), D(fake.detach())
            ((F.binary_cross_entropy(real_p, ones) + F.binary_cross_entropy(fake_p, zeros)) / 2).backward()
            d_opt.step()
            g_opt.zero_grad()
            wrong = D(fake)
            F.binary_cross_entropy(wrong, ones).backward()
            g_opt.step()
            known.append(
                {
                    "real_logit_mean": float(torch.logit(real_p).mean()),
                    "fake_logit_mean": float(torch.logit(fake_p).mean()),
                    "discriminator_force_on_real": float((1 - real_p).mean() / 2),
                    "discriminator_force_on_fake": float(-fake_p.mean() / 2),
                    "generator_force_on_fake": float((1 - wrong).mean()),
                }
            )
    return load_run(path), known


def test_probabilities_are_turned_into_logits_and_forces_into_logit_space(tmp_path: Path) -> None:
    run, known = trained(tmp_path / "run", discriminator_output="probability")
    for i, expected in enumerate(known):
        for name, value in expected.items():
            assert run[name][i] == pytest.approx(value, rel=1e-3, abs=1e-5), (name, i)
    assert run.about["could_not_tell"] == []


def test_a_recorder_told_logits_that_sees_probabilities_says_so(tmp_path: Path) -> None:
    run, _ = trained(tmp_path / "run")
    assert any("probability" in sentence for sentence in run.about["could_not_tell"])
    assert [e["event"] for e in run.records("events")] == ["discriminator_output"]


def step_of(G: nn.Module, D: nn.Module, g_opt: Any, d_opt: Any, use: Any = None) -> tuple[Tensor, Tensor]:
    """One step of a plain loop; returns the scores on reals and fakes."""
    fake = G(latent())
    d_opt.zero_grad()
    real_score, fake_score = D(torch.randn(BATCH, 2)), D(fake.detach())
    (F.softplus(-real_score).mean() + F.softplus(fake_score).mean()).backward()
    d_opt.step()
    g_opt.zero_grad()
    F.softplus(-D(fake)).mean().backward()
    g_opt.step()
    return real_score, fake_score


def pair() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return small_generator(), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))


class Plain(nn.Module):
    """A network of one's own: torch does not compile its own containers in place as full graphs."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@pytest.mark.parametrize("style", ["wrapper", "wrapper, hooked inside", "in place", "in place, fullgraph"])
def test_compiled_networks_train_and_are_seen(tmp_path: Path, style: str) -> None:
    G, D = map(Plain, pair())
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    if style.startswith("wrapper"):
        g, d = torch.compile(G, backend="eager", fullgraph=True), torch.compile(D, backend="eager", fullgraph=True)
    else:
        G.compile(backend="eager", fullgraph="fullgraph" in style)
        D.compile(backend="eager", fullgraph="fullgraph" in style)
        g, d = G, D
    watched = (G, D) if "inside" in style else (g, d)
    with Recorder(
        tmp_path / "run",
        generator=watched[0],
        discriminator=watched[1],
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
    ) as recorder:
        told = []
        for _ in range(3):
            real, fake = step_of(g, d, g_opt, d_opt)
            recorder.step(real_logits=real, fake_logits=fake)
            told.append((float(real.mean()), float((1 - real.sigmoid()).mean())))
    run = load_run(tmp_path / "run")
    assert run["real_logit_mean"].to_list() == pytest.approx([m for m, _ in told], rel=1e-4, abs=1e-6)
    assert len(run["generator_gradient_norm"]) == 3
    assert run.about["players"]["generator"]["layers"][0] == "net.0.weight"
    if "inside" not in style:
        assert run["discriminator_force_on_real"].to_list() == pytest.approx([f for _, f in told], rel=1e-4)
    assert getattr(D, "_compiled_call_impl", None) is None or not style.startswith("wrapper")


def test_a_network_given_bare_and_called_through_its_compiled_wrapper_is_followed(tmp_path: Path) -> None:
    G, D = map(Plain, pair())
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    g, d = torch.compile(G, backend="eager", fullgraph=True), torch.compile(D, backend="eager", fullgraph=True)
    step_of(g, d, g_opt, d_opt)  # traced before anybody watches: the graphs hold no hooks
    before = dict(d._forward_hooks)
    with Recorder(
        tmp_path / "run", generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        means = []
        for _ in range(8):
            real, _ = step_of(g, d, g_opt, d_opt)
            recorder.step()
            means.append(float(real.mean()))
    run = load_run(tmp_path / "run")
    seen = run["real_logit_mean"]
    assert seen.index[-1] == 7
    assert seen.to_list() == pytest.approx([means[i] for i in seen.index], rel=1e-4, abs=1e-6)
    if len(seen) < 8:
        assert any(
            "the discriminator is called through torch.compile's wrapper" in s for s in run.about["could_not_tell"]
        )
    assert dict(d._forward_hooks) == before


@pytest.mark.parametrize("past", [False, True], ids=["by forward", "past every hook"])
def test_a_network_that_is_never_seen_called_is_said(past: bool, tmp_path: Path) -> None:
    G, D = pair()
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    with Recorder(
        tmp_path / "run", generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(8):
            called = partial(type(D).forward, D) if past else D.forward
            step_of(G, called, g_opt, d_opt)  # type: ignore[arg-type]  # a loop that calls `forward` by hand passes torch's hooks by
            recorder.step()
    run = load_run(tmp_path / "run")
    assert [s for s in run.about["could_not_tell"] if "discriminator was updated and no call of it was seen" in s]
    assert not [s for s in run.about["could_not_tell"] if "generator was updated" in s]
    assert len(run["discriminator_gradient_norm"]) == 8
    if past:
        assert "real_logit_mean" not in run
    else:
        assert run["real_logit_mean"].index.tolist() == [*range(UNSEEN_STEPS, 8)]


def test_an_update_of_g_that_the_scaler_skipped_is_not_taken_for_ds_where_g_goes_first(tmp_path: Path) -> None:
    G, D = pair()
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.01), torch.optim.SGD(D.parameters(), 0.01)
    told: list[tuple[float, float]] = []
    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for i in range(6):
            g_opt.zero_grad()
            fake = G(latent())
            F.softplus(-D(fake)).mean().backward()
            if i != 3:  # what GradScaler does with an overflow: the optimizer is never asked
                g_opt.step()
            d_opt.zero_grad()
            real_score, fake_score = D(torch.randn(BATCH, 2)), D(fake.detach())
            (F.softplus(-real_score).mean() + F.softplus(fake_score).mean()).backward()
            d_opt.step()
            told.append((float(fake_score.mean()), float(fake_score.sigmoid().mean())))
    run = load_run(tmp_path / "run")
    last_of_each = [told[i] for i in (0, 1, 3, 4, 5)]  # step 2 goes on over the skipped update
    assert run["discriminator_updates"].to_list() == [1, 1, 2, 1, 1]
    assert run["fake_logit_mean"].to_list() == pytest.approx([m for m, _ in last_of_each], rel=1e-4, abs=1e-6)
    assert run["discriminator_force_on_fake"].to_list() == pytest.approx([-f for _, f in last_of_each], rel=1e-4)
    assert run["generator_force_size_on_fake"].max() < 1.0


def test_gradients_computed_in_a_closure_are_read_after_it(tmp_path: Path) -> None:
    G, D = pair()
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    norms = []
    with Recorder(
        tmp_path / "run", generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(3):

            def of_d() -> Tensor:
                d_opt.zero_grad()
                loss = F.softplus(-D(torch.randn(BATCH, 2))).mean() + F.softplus(D(G(latent()).detach())).mean()
                loss.backward()
                norms.append(
                    float(torch.cat([p.grad.reshape(-1) for p in D.parameters() if p.grad is not None]).norm())
                )
                return loss

            d_opt.step(of_d)
            g_opt.zero_grad()
            F.softplus(-D(G(latent()))).mean().backward()
            g_opt.step()
            recorder.step()
    assert load_run(tmp_path / "run")["discriminator_gradient_norm"].to_list() == pytest.approx(norms, rel=1e-5)


class Descent:
    """An optimizer of somebody's own, which is no torch optimizer."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters

    def zero_grad(self) -> None:
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self) -> None:
        for p in self.parameters:
            if p.grad is not None:
                p -= 0.1 * p.grad


def test_optimizers_of_the_users_own_are_watched_and_let_go(tmp_path: Path) -> None:
    G, D = pair()
    g_opt, d_opt = Descent(list(G.parameters())), Descent(list(D.parameters()))
    recorder = Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    )
    for _ in range(3):
        step_of(G, D, g_opt, d_opt)
    recorder.close()
    run = load_run(tmp_path / "run")
    assert len(run["discriminator_gradient_norm"]) == len(run["generator_gradient_norm"]) == 3
    assert not load_run(tmp_path / "run").about.get("could_not_tell")
    assert "step" not in vars(g_opt)
    assert not G._forward_hooks
    assert not D._forward_hooks


@pytest.mark.parametrize("fused", [False, True])
def test_a_scalers_scale_is_taken_out_and_a_skipped_step_is_absent(tmp_path: Path, fused: bool) -> None:
    G, D = pair()
    d_opt = torch.optim.Adam(D.parameters(), 1e-3, fused=fused)
    g_opt = torch.optim.Adam(G.parameters(), 1e-3, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=1000)
    norms, forces = [], []
    with Recorder(
        tmp_path / "run", generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for i in range(4):
            fake = G(latent())
            d_opt.zero_grad()
            real_score = D(torch.randn(BATCH, 2))
            loss = F.softplus(-real_score).mean() + F.softplus(D(fake.detach())).mean()
            if i == 2:
                loss = loss * float("inf")
            scale = scaler.get_scale()
            scaler.scale(loss).backward()
            norms.append(
                float(torch.cat([p.grad.reshape(-1) for p in D.parameters() if p.grad is not None]).norm()) / scale
            )
            forces.append(float((1 - real_score.sigmoid()).mean()))
            scaler.step(d_opt)
            g_opt.zero_grad()
            scaler.scale(F.softplus(-D(fake)).mean()).backward()
            scaler.step(g_opt)
            scaler.update()
            recorder.step(d_loss=loss)
    run = load_run(tmp_path / "run")
    assert run["discriminator_gradient_norm"].index.to_list() == [0, 1, 3]
    assert run["discriminator_gradient_norm"].to_list() == pytest.approx([norms[0], norms[1], norms[3]], rel=1e-4)
    assert run["discriminator_force_on_real"][[0, 1, 3]].to_list() == pytest.approx(
        [forces[0], forces[1], forces[3]], rel=1e-3
    )
    assert run["gradient_scale"][0] == 1024
    assert run["gradient_scale"][3] == 512
    assert run["discriminator_updates"][2] == 0


def test_autocast_to_bfloat16_is_recorded_in_float32(tmp_path: Path) -> None:
    G, D = pair()
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        means = []
        for _ in range(3):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                real, _ = step_of(G, D, g_opt, d_opt)
            assert real.dtype == torch.bfloat16
            means.append(float(real.float().mean()))
    run = load_run(tmp_path / "run")
    assert run["real_logit_mean"].to_list() == pytest.approx(means, rel=1e-5)
    assert len(run["generator_force_on_fake"]) == 3


def test_frozen_layers_and_parameters_without_a_gradient(tmp_path: Path) -> None:
    G, D = pair()
    G[0].requires_grad_(False)
    D.register_parameter("unused", nn.Parameter(torch.ones(3)))
    g_opt, d_opt = torch.optim.Adam([p for p in G.parameters() if p.requires_grad]), torch.optim.Adam(D.parameters())
    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for _ in range(3):
            step_of(G, D, g_opt, d_opt)
    run = load_run(tmp_path / "run")
    assert list(run.layers("generator_layer_gradient_norm").columns) == ["2.weight", "2.bias"]
    assert any("unused" in sentence for sentence in run.about["could_not_tell"])
    assert len(run["generator_force_on_fake"]) == 3


def test_generator_every_third_step_and_twice(tmp_path: Path) -> None:
    G, D = pair()
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)

    def of_d() -> None:
        d_opt.zero_grad()
        (F.softplus(-D(torch.randn(BATCH, 2))).mean() + F.softplus(D(G(latent()).detach())).mean()).backward()
        d_opt.step()

    def of_g() -> None:
        g_opt.zero_grad()
        F.softplus(-D(G(latent()))).mean().backward()
        g_opt.step()

    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for i in range(9):
            of_d()
            if i % 3 == 2:
                of_g()
                of_g()
    run = load_run(tmp_path / "run")
    assert run.steps == 6
    assert run["discriminator_updates"].to_list() == [3, 0, 3, 0, 3, 0]
    assert run["generator_updates"].to_list() == [1] * 6
    assert run["real_logit_mean"].index.to_list() == [0, 2, 4]
    assert run["fake_logit_mean"].index.to_list() == [0, 1, 2, 3, 4, 5]


def played(path: Path, give: Any, steps: int = 4) -> Run:
    """Records a loop that gives D's outputs in some form: give(real scores, fake scores)."""
    torch.manual_seed(0)
    G, D = small_generator(), nn.Linear(2, 1)
    g_opt, d_opt = torch.optim.Adam(G.parameters()), torch.optim.Adam(D.parameters())
    with Recorder(
        path, generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(steps):
            fake = G(latent())
            real_scores, fake_scores = D(torch.randn(BATCH, 2)), D(fake.detach())
            d_opt.zero_grad()
            (F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            F.softplus(-D(fake)).mean().backward()
            g_opt.step()
            real_logits, fake_logits = give(real_scores, fake_scores)
            recorder.step(real_logits=real_logits, fake_logits=fake_logits)
    return load_run(path)


def test_a_step_of_no_sample_leaves_its_series_out(tmp_path: Path) -> None:
    """The compiled twin read beyond an empty row, and took the user's training with it."""
    run = played(tmp_path / "run", lambda real, fake: (real[:0], fake[:0]))
    assert run.about["status"] == "finished"
    assert "real_logit_mean" not in run
    assert "discriminator_auc" not in run
    assert len(run["generator_gradient_norm"]) == 4


def test_a_batch_of_no_sample_ends_no_probe(tmp_path: Path) -> None:
    G, D = small_generator(), nn.Linear(2, 1)
    g_opt, d_opt = torch.optim.Adam(G.parameters()), torch.optim.Adam(D.parameters())
    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
        probes="full",
    ):
        for count in (8, 0, 8, 8):
            fake = G(torch.randn(count, 3))
            d_opt.zero_grad()
            (F.softplus(-D(torch.randn(count, 2))).sum() + F.softplus(D(fake.detach())).sum()).backward()
            d_opt.step()
            g_opt.zero_grad()
            F.softplus(-D(fake)).sum().backward()
            g_opt.step()
    run = load_run(tmp_path / "run")
    assert run.about["could_not_tell"] == []
    for name in ("real_mean", "fake_mean", "diversity_ratio", "real_logit_mean"):
        assert list(run[name].index) == [0, 2, 3], name


def test_logits_may_be_arrays_or_lists_of_several_scales(tmp_path: Path) -> None:
    forms = {
        "tensor": lambda real, fake: (torch.cat([real, real[:2]]), fake),
        "list": lambda real, fake: ([real, real[:2]], (fake,)),
        "array": lambda real, fake: (torch.cat([real, real[:2]]).detach().numpy(), fake.detach().numpy()),
    }
    runs = {name: played(tmp_path / name, give) for name, give in forms.items()}
    for name in ("real_logit_mean", "real_logit_q05", "discriminator_auc"):
        assert runs["list"][name].equals(runs["tensor"][name])
        assert runs["array"][name].equals(runs["tensor"][name])
    with pytest.raises(UsageError, match="logits are a tensor"):
        played(tmp_path / "text", lambda real, fake: ("real", fake))

"""Loops that do what few do: what is recorded is what the loop itself computed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import gandiag
from gandiag.recording import PROBES, buffer
from gandiag.recording.finder import watch_compiled
from gandiag.recording.hooks import hook_on
from gandiag.run import Run

Losses = tuple[Tensor, Tensor]


class Pair:
    """A generator and a discriminator of points with their optimizers, and a recorder that `play` plays steps into."""

    def __init__(self, generator: nn.Module | None = None, discriminator: nn.Module | None = None, **adam: Any) -> None:
        torch.manual_seed(1)
        self.G, self.D = generator or nn.Linear(3, 2), discriminator or nn.Linear(2, 1)
        self.g_opt, self.d_opt = (torch.optim.Adam(m.parameters(), 1e-2, **adam) for m in (self.G, self.D))

    def record(self, path: Path, steps: int, play: Callable[[int], None], **options: Any) -> Run:
        recorder = gandiag.Recorder(
            path,
            generator=self.G,
            discriminator=self.D,
            generator_optimizer=self.g_opt,
            discriminator_optimizer=self.d_opt,
            **options,
        )
        with recorder:
            for step in range(steps):
                play(step)
                recorder.step()
        return gandiag.load_run(path)


def on(scores: Tensor, *, real: bool) -> Tensor:
    return F.softplus(-scores if real else scores).mean()


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def mean(scores: list[Tensor]) -> list[float]:
    return [float(s.detach().mean()) for s in scores]


class Showing(nn.Module):
    """A discriminator that gives its features beside its verdict where it is asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(2, 5), nn.Linear(5, 1)

    def forward(self, x: Tensor, features: bool = False) -> Any:
        inside = self.body(x).tanh()
        return (self.head(inside), inside) if features else self.head(inside)


def test_a_verdict_that_comes_with_features_now_and_then_is_the_score_all_the_same(tmp_path: Path) -> None:
    pair, reals, fakes = Pair(discriminator=Showing()), [], []

    def play(step: int) -> None:
        fake = pair.G(torch.randn(6, 3))
        reals.append(pair.D(torch.randn(6, 2)))
        fakes.append(pair.D(fake.detach(), features=True)[0])
        update(pair.d_opt, on(reals[-1], real=True) + on(fakes[-1], real=False))
        update(pair.g_opt, on(pair.D(fake), real=True))

    run = pair.record(tmp_path / "run", 4, play)
    assert run["real_logit_mean"].to_list() == pytest.approx(mean(reals), rel=1e-5)
    assert run["fake_logit_mean"].to_list() == pytest.approx(mean(fakes), rel=1e-5)


class TwoScales(nn.Module):
    """A discriminator of pictures whose coarse verdict is for show only."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(1, 1, 3)

    def forward(self, x: Tensor) -> list[Tensor]:
        fine = self.fine(x)
        return [fine, F.avg_pool2d(fine, 2).detach()]


def test_a_scale_that_no_gradient_goes_through_is_no_score_of_the_game(tmp_path: Path) -> None:
    generator = nn.Sequential(nn.Linear(3, 36), nn.Unflatten(1, (1, 6, 6)))
    pair, reals = Pair(generator, TwoScales()), []

    def play(step: int) -> None:
        fake = pair.G(torch.randn(6, 3))
        reals.append(pair.D(torch.randn(6, 1, 6, 6))[0])
        update(pair.d_opt, on(reals[-1], real=True) + on(pair.D(fake.detach())[0], real=False))
        update(pair.g_opt, on(pair.D(fake)[0], real=True))

    run = pair.record(tmp_path / "run", 3, play)
    assert run["real_logit_mean"].to_list() == pytest.approx(mean(reals), rel=1e-5)


class Beside(nn.Module):
    """A generator that returns its style beside the sample."""

    def __init__(self) -> None:
        super().__init__()
        self.style, self.sample = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        style = self.style(z).tanh()
        return self.sample(style), style


def test_a_path_length_penalty_is_no_part_of_the_gradient_at_the_image(tmp_path: Path) -> None:
    pair, at_image = Pair(Beside()), []

    def play(step: int) -> None:
        with torch.no_grad():
            fake = pair.G(torch.randn(6, 3))[0]
        update(pair.d_opt, on(pair.D(torch.randn(6, 2)), real=True) + on(pair.D(fake), real=False))
        made, style = pair.G(torch.randn(6, 3))
        (slope,) = torch.autograd.grad((made * torch.randn(6, 2)).sum(), style, create_graph=True)
        loss = on(pair.D(made), real=True)
        at_image.append(float(torch.autograd.grad(loss, made, retain_graph=True)[0].norm()))
        update(pair.g_opt, loss + 0.1 * (slope.norm(dim=1) - 1).square().mean())

    run = pair.record(tmp_path / "run", 4, play)
    assert run["generator_gradient_at_image"].to_list() == pytest.approx(at_image, rel=1e-5)


def test_a_transform_over_the_generator_leaves_no_trace_in_the_record(tmp_path: Path) -> None:
    def played(path: Path, transformed: bool) -> Run:
        pair = Pair()

        def play(step: int) -> None:
            fake = pair.G(torch.randn(6, 3))
            if transformed:  # somebody looks at the generator's Jacobian
                torch.func.vmap(torch.func.jacrev(pair.G))(torch.ones(4, 3))
            update(pair.d_opt, on(pair.D(torch.randn(6, 2)), real=True) + on(pair.D(fake.detach()), real=False))
            update(pair.g_opt, on(pair.D(fake), real=True))

        return pair.record(path, 4, play)

    plain, looked_at = played(tmp_path / "plain", False), played(tmp_path / "looked at", True)
    for name in ("fake_logit_mean", "generator_gradient_at_image", "discriminator_force_on_fake"):
        assert looked_at[name].to_list() == plain[name].to_list()


def test_the_largest_of_several_scaled_updates_is_told_without_the_scale(tmp_path: Path) -> None:
    pair, largest = Pair(fused=True), []
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=1000)

    def play(step: int) -> None:
        norms = []
        for size in (3.0, 1.0):  # the first of both updates is the larger
            fake = pair.G(torch.randn(6, 3)).detach()
            pair.d_opt.zero_grad()
            loss = size * (on(pair.D(torch.randn(6, 2)), real=True) + on(pair.D(fake), real=False))
            scaler.scale(loss).backward()
            norms.append(float(torch.cat([p.grad.reshape(-1) for p in pair.D.parameters()]).norm()) / 1024)
            scaler.step(pair.d_opt)
            scaler.update()
        largest.append(max(norms))
        pair.g_opt.zero_grad()
        scaler.scale(on(pair.D(pair.G(torch.randn(6, 3))), real=True)).backward()
        scaler.step(pair.g_opt)
        scaler.update()

    run = pair.record(tmp_path / "run", 4, play)
    assert run["discriminator_gradient_norm_max"].to_list() == pytest.approx(largest, rel=1e-4)


@pytest.mark.parametrize("accelerated", ["on", "off"])
def test_batches_that_grow_in_mid_run_lose_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accelerated: str
) -> None:
    monkeypatch.setenv("GANDIAG_ACCELERATOR", accelerated)
    monkeypatch.setattr(buffer, "BLOCK_VALUES", 640)  # that one entry of all rows may take: ten rows of 64, two of 300
    pair, reals = Pair(), []

    def play(step: int) -> None:
        size = (4, 64, 300, 4)[step // 10]
        fake = pair.G(torch.randn(size, 3))
        reals.append(pair.D(torch.randn(size, 2)))
        update(pair.d_opt, on(reals[-1], real=True) + on(pair.D(fake.detach()), real=False))
        update(pair.g_opt, on(pair.D(fake), real=True))

    run = pair.record(tmp_path / "run", 40, play)
    assert run["real_logit_mean"].index.to_list() == list(range(40))
    assert run["real_logit_mean"].to_list() == pytest.approx(mean(reals), rel=1e-4, abs=1e-6)


def test_a_gradient_that_is_taken_away_before_the_update_leaves_no_number_of_the_other_players(tmp_path: Path) -> None:
    pair, left = Pair(discriminator=nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))), []

    def play(step: int) -> None:  # both go backward before either steps
        pair.d_opt.zero_grad()
        pair.g_opt.zero_grad()
        fake = pair.G(torch.randn(6, 3))
        (on(pair.D(torch.randn(6, 2)), real=True) + on(pair.D(fake.detach()), real=False)).backward()
        loss = on(pair.D(fake), real=True)
        parts = torch.autograd.grad(loss, list(pair.D.parameters()), retain_graph=True)
        left.append(float(torch.stack([p.norm() for p in parts]).norm()))
        loss.backward()
        if step == 2:
            pair.D[0].bias.grad = None  # type: ignore[index]  # a layer that is left out of this update
        pair.d_opt.step()
        pair.g_opt.step()

    added = pair.record(tmp_path / "run", 5, play)["discriminator_stale_gradient_norm"]
    assert added.index.to_list() == [0, 1, 3, 4]
    assert added.to_list() == pytest.approx([left[s] for s in added.index], rel=1e-4)


class Compiled(nn.Linear):
    """A layer that says that it was compiled in place, by a compiler that changes nothing."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self._compiled_call_impl = self._call_impl


def test_a_network_that_is_compiled_again_while_it_is_watched_keeps_its_new_form() -> None:
    seen: list[Any] = []
    for watching in (
        lambda module: [hook_on(module, lambda *_: seen.append("called"))],
        lambda module: watch_compiled(lambda *_: None, lambda *_: seen.append("called")),
    ):
        module, left = Compiled(2, 1), Compiled(2, 1)
        before = left._compiled_call_impl
        undo = [*watching(module), *(watching(left) if not seen else [])]
        module(torch.ones(1, 2))
        assert seen
        again = module._compiled_call_impl = module._call_impl  # compiled once more
        for take_away in undo:
            take_away()
        assert module._compiled_call_impl is again
        assert left._compiled_call_impl == before


@pytest.mark.parametrize("fused", [False, True])
def test_updates_that_the_scaler_skips_within_a_step_count_for_nothing(tmp_path: Path, fused: bool) -> None:
    pair, told = Pair(fused=fused), []
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0, growth_interval=1000)

    def play(step: int) -> None:
        norms, ratios = [], []
        for update in range(3):
            bad = step == 3 or (step == 4 and not update)
            pair.d_opt.zero_grad()
            loss = on(pair.D(torch.randn(6, 2)), real=True) + on(pair.D(pair.G(torch.randn(6, 3)).detach()), real=False)
            scale = scaler.get_scale()
            scaler.scale(loss * (float("inf") if bad else 1.0)).backward()
            norm = float(torch.cat([p.grad.reshape(-1) for p in pair.D.parameters()]).norm()) / scale
            before = [p.detach().clone() for p in pair.D.parameters()]
            scaler.step(pair.d_opt)
            scaler.update()
            if not bad:
                norms.append(norm)
                moved = torch.cat([(p.detach() - was).reshape(-1) for p, was in zip(pair.D.parameters(), before)])
                ratios.append(
                    float(moved.norm() / torch.cat([p.detach().reshape(-1) for p in pair.D.parameters()]).norm())
                )
        told.append((norms, ratios))
        pair.g_opt.zero_grad()
        scaler.scale(on(pair.D(pair.G(torch.randn(6, 3))), real=True)).backward()
        scaler.step(pair.g_opt)
        scaler.update()

    run = pair.record(tmp_path / "run", 6, play, probes=dict.fromkeys(PROBES, 1))
    assert run["discriminator_updates"].to_list() == [len(norms) for norms, _ in told] == [3, 3, 3, 0, 2, 3]
    seen = [step for step in range(6) if step != 3]
    for name, wanted in (
        ("discriminator_gradient_norm", [norms[-1] for norms, _ in told if norms]),
        ("discriminator_gradient_norm_max", [max(norms) for norms, _ in told if norms]),
        ("discriminator_update_ratio", [ratios[-1] for _, ratios in told if ratios]),
    ):
        assert run[name].index.to_list() == seen
        assert run[name].to_list() == pytest.approx(wanted, rel=1e-3)
    assert 3 not in run.layers("discriminator_layer_update_ratio").index
    assert run["discriminator_gradient_cosine"].between(-1, 1).all()


def _of_all(optimizer: torch.optim.Optimizer) -> float:
    return float(
        torch.cat(
            [p.grad.reshape(-1) for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
        ).norm()
    )


@pytest.mark.parametrize("accelerated", ["on", "off"])
@pytest.mark.parametrize("how", ["a layer is added", "a layer is set free"])
def test_parameters_that_the_optimizer_is_given_later_are_in_the_gradient(
    how: str, accelerated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if accelerated == "off":
        monkeypatch.setenv("GANDIAG_ACCELERATOR", "off")
    pair, told = Pair(discriminator=nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))), []
    assert isinstance(pair.D, nn.Sequential)
    if how == "a layer is set free":
        pair.d_opt = torch.optim.Adam(pair.D[1].parameters(), 1e-2)

    def play(step: int) -> None:
        if step == 3:
            if how == "a layer is added":
                pair.D.append(nn.Linear(1, 1))
            pair.d_opt.add_param_group({"params": pair.D[2 if how == "a layer is added" else 0].parameters()})
        fake = pair.G(torch.randn(6, 3))
        pair.d_opt.zero_grad()
        (on(pair.D(torch.randn(6, 2)), real=True) + on(pair.D(fake.detach()), real=False)).backward()
        told.append(_of_all(pair.d_opt))
        pair.d_opt.step()
        update(pair.g_opt, on(pair.D(fake), real=True))

    run = pair.record(tmp_path / "run", 6, play, probes=dict.fromkeys(PROBES, 1))
    assert run["discriminator_gradient_norm"].to_list() == pytest.approx(told, rel=1e-5)
    layers = run.layers("discriminator_layer_gradient_norm")
    assert (layers[["2.weight" if how == "a layer is added" else "0.weight"]].dropna().index == [3, 4, 5]).all()
    assert run["discriminator_update_ratio"].index.to_list() == list(range(6))


@pytest.mark.timeout(120)  # torch.compile once made its graphs of the recorder's own code, for minutes
@pytest.mark.parametrize("automatic", [True, False])
def test_a_step_that_is_compiled_whole_is_not_compiled_with_the_recorder_in_it(automatic: bool, tmp_path: Path) -> None:
    def played(path: Path, compiled: bool) -> Run:
        pair = Pair()
        chance = torch.Generator().manual_seed(2)

        def step(real: Tensor, latent: Tensor) -> None:
            fake = pair.G(latent)
            update(pair.d_opt, on(pair.D(real), real=True) + on(pair.D(fake.detach()), real=False))
            update(pair.g_opt, on(pair.D(fake), real=True))

        once = torch.compile(step, backend="eager") if compiled else step
        players = {
            "generator": pair.G,
            "discriminator": pair.D,
            "generator_optimizer": pair.g_opt,
            "discriminator_optimizer": pair.d_opt,
        }
        with gandiag.Recorder(path, automatic=automatic, probes=dict.fromkeys(PROBES, 1), **players) as recorder:
            for _ in range(4):
                once(torch.randn(6, 2, generator=chance), torch.randn(6, 3, generator=chance))
                if not automatic:
                    recorder.step()
        return gandiag.load_run(path)

    torch._dynamo.reset()
    plain, compiled = played(tmp_path / "plain", False), played(tmp_path / "compiled", True)
    for name in (
        "discriminator_gradient_norm",
        "generator_gradient_norm",
        "discriminator_update_ratio",
        "generator_updates",
    ):
        assert compiled[name].to_list() == pytest.approx(plain[name].to_list(), rel=1e-4)
    assert any("no call of it was seen" in said for said in compiled.about["could_not_tell"])
    torch._dynamo.reset()

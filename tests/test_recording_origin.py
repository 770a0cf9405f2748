"""What D is shown is known as a copy of G's output also joined, flattened or resized; what nothing tells is left out and said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, softplus

from gandiag.errors import NotRecorded
from gandiag.recording import Recorder
from gandiag.recording.origin import distance
from gandiag.run import Run, load_run

IMAGES = torch.rand(4, 2, 8, 8, generator=torch.Generator().manual_seed(0))
OTHER = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("shown", "made"),
    [
        (IMAGES.clone(), IMAGES),
        (IMAGES.reshape(4, -1), IMAGES),
        (IMAGES, IMAGES.reshape(4, -1)),
        (torch.cat([IMAGES, OTHER], 1), IMAGES),
        (torch.cat([OTHER, IMAGES], 1), IMAGES),
        (torch.cat([OTHER[:, :2], IMAGES], 3), IMAGES),
        (torch.cat([IMAGES.flatten(1), torch.eye(4)], 1), IMAGES),
        (interpolate(IMAGES, scale_factor=2), IMAGES),
        (IMAGES[:1, 0, 0], IMAGES[0, 0, 0]),
    ],
    ids=["copy", "flattened", "unflattened", "in front", "behind", "beside", "with labels", "resized", "one sample"],
)
def test_a_copy_is_at_distance_zero_however_it_was_joined(shown: Tensor, made: Tensor) -> None:
    found = distance(shown, made)
    assert found is not None
    assert float(found) == pytest.approx(0, abs=1e-6)
    other = distance(1 - shown, made)
    assert other is not None
    assert float(other) > 0.02


@pytest.mark.parametrize(
    "shown", [torch.rand(3, 2, 8, 8), torch.rand(4, 7), torch.rand(4, 3, 9, 9), torch.rand(5), torch.rand(4, 9, 9)]
)
def test_what_cannot_be_compared_has_no_distance(shown: Tensor) -> None:
    assert distance(shown, IMAGES) is None


def moments(batch: Tensor) -> Tensor:
    return torch.stack([batch.mean(), batch.std(), batch.pow(3).mean()]).unsqueeze(0)


def play(path: Path, update: Callable[[nn.Module, nn.Module, torch.optim.Optimizer], tuple[float, float]]) -> Run:
    """Plays twelve steps of a game whose D sees the moments of a batch; leaves the last scores in the run's configuration."""
    torch.manual_seed(0)
    g, d = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)), nn.Linear(3, 1)
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-2), torch.optim.Adam(d.parameters(), 1e-2)
    last = (0.0, 0.0)
    with Recorder(
        path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True
    ) as recorder:
        for _ in range(12):
            last = update(g, d, d_opt)
            g_opt.zero_grad()
            softplus(-d(moments(g(torch.randn(16, 3))))).mean().backward()
            g_opt.step()
        recorder.update_about(last=list(last))
    return load_run(path)


def real_then_generator(g: nn.Module, d: nn.Module, d_opt: torch.optim.Optimizer) -> tuple[float, float]:
    d_opt.zero_grad()
    on_real = d(moments(torch.randn(16, 2) + 1))
    softplus(-on_real).mean().backward()
    on_fake = d(moments(g(torch.randn(16, 3)).detach()))
    softplus(on_fake).mean().backward()
    d_opt.step()
    return on_real.item(), on_fake.item()


def generator_first(g: nn.Module, d: nn.Module, d_opt: torch.optim.Optimizer) -> tuple[float, float]:
    fake = g(torch.randn(16, 3)).detach()
    d_opt.zero_grad()
    on_real, on_fake = d(moments(torch.randn(16, 2) + 1)), d(moments(fake))
    (softplus(-on_real) + softplus(on_fake)).mean().backward()
    d_opt.step()
    return on_real.item(), on_fake.item()


def test_fakes_that_cannot_be_traced_are_those_before_which_the_generator_was_called(tmp_path: Path) -> None:
    run = play(tmp_path / "run", real_then_generator)
    on_real, on_fake = run.about["last"]
    assert run["real_logit_mean"].iloc[-1] == pytest.approx(on_real, rel=1e-5)
    assert run["fake_logit_mean"].iloc[-1] == pytest.approx(on_fake, rel=1e-5)
    assert (run["discriminator_force_on_fake"] < 0).all()
    assert any("before which the generator was called" in said for said in run.about["could_not_tell"])


def test_where_nothing_tells_reals_from_fakes_neither_is_recorded_and_the_run_says_so(tmp_path: Path) -> None:
    run = play(tmp_path / "run", generator_first)
    for name in ("real_logit_mean", "discriminator_force_on_real", "discriminator_auc"):
        with pytest.raises(NotRecorded):
            run[name]
    assert any("neither is known to come from the generator" in said for said in run.about["could_not_tell"])


def plain(g: nn.Module, d: nn.Module, d_opt: torch.optim.Optimizer, *, real_first: bool, cut: bool) -> list[float]:
    scores = {}
    for real in (real_first, not real_first):
        batch = torch.randn(16, 2) + 1 if real else g(torch.randn(16, 3)).detach()
        score = d(batch.clone() if cut else batch)
        d_opt.zero_grad()
        softplus(-score if real else score).mean().backward()
        d_opt.step()
        scores[real] = score.mean().item()
    return [scores[True], scores[False]]


@pytest.mark.parametrize("cut", [False, True], ids=["detached", "copied"])
@pytest.mark.parametrize("real_first", [True, False], ids=["real first", "fake first"])
def test_an_update_on_reals_and_one_on_fakes_make_one_step(tmp_path: Path, real_first: bool, cut: bool) -> None:
    torch.manual_seed(0)
    g, d = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)), nn.Linear(2, 1)
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-2), torch.optim.Adam(d.parameters(), 1e-2)
    own = []
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for _ in range(8):
            for _ in range(2):
                last = plain(g, d, d_opt, real_first=real_first, cut=cut)
            own.append(last)
            g_opt.zero_grad()
            softplus(-d(g(torch.randn(16, 3)))).mean().backward()
            g_opt.step()
    run = load_run(tmp_path / "run")
    assert run["real_logit_mean"].to_list() == pytest.approx([real for real, _ in own], rel=1e-4, abs=1e-6)
    assert run["fake_logit_mean"].to_list() == pytest.approx([fake for _, fake in own], rel=1e-4, abs=1e-6)
    assert (run["discriminator_force_on_real"] > 0).all()
    assert (run["discriminator_force_on_fake"] < 0).all()
    assert set(run["discriminator_updates"]) == {4}


@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("fakes_first", [False, True])
def test_reconstructions_are_no_fakes_to_compare_with(tmp_path: Path, fakes_first: bool, automatic: bool) -> None:
    """G's last output is what it makes of a real (an identity loss, a cycle's end), which resembles that real as nothing else does."""
    torch.manual_seed(0)
    g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    nn.init.eye_(g.weight)
    nn.init.zeros_(g.bias)
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-3), torch.optim.SGD(d.parameters(), 1e-2)
    means: list[tuple[float, float]] = []
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=automatic,
    ) as recorder:
        for _ in range(12):
            source, real = torch.randn(16, 2), torch.randn(16, 2) + 2
            fake = g(source)
            g_opt.zero_grad()
            (softplus(-d(fake)).mean() + (g(real) - real).abs().mean()).backward()
            g_opt.step()
            pooled = torch.cat([fake.detach()[:8], torch.randn(8, 2)])  # of a pool of images: half of them older
            if fakes_first:
                on_fake, on_real = d(pooled), d(real)
            else:
                on_real, on_fake = d(real), d(pooled)
            d_opt.zero_grad()
            (softplus(-on_real) + softplus(on_fake)).mean().backward()
            d_opt.step()
            means.append((on_real.mean().item(), on_fake.mean().item()))
            if not automatic:
                recorder.step()
    run = load_run(tmp_path / "run")
    assert run["real_logit_mean"].to_list() == pytest.approx([real for real, _ in means], rel=1e-4, abs=1e-6)
    assert run["fake_logit_mean"].to_list() == pytest.approx([fake for _, fake in means], rel=1e-4, abs=1e-6)


def test_what_was_doubted_before_the_recording_is_told_beside_what_it_finds(tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(3, 2), nn.Linear(3, 1)
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-2), torch.optim.SGD(d.parameters(), 1e-2)
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        about={"could_not_tell": ["whom attach was not sure of"]},
    ) as recorder:
        for _ in range(3):
            generator_first(g, d, d_opt)
            g_opt.zero_grad()
            softplus(-d(moments(g(torch.randn(16, 3))))).mean().backward()
            g_opt.step()
            recorder.step()
    said = load_run(tmp_path / "run").about["could_not_tell"]
    assert said[0] == "whom attach was not sure of"
    assert any("neither is known to come from the generator" in one for one in said[1:])

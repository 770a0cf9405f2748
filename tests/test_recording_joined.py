"""What D is shown beside samples (codes, labels), or returns in the place of a score (images): the samples are recorded, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import gandiag
from gandiag.recording.outputs import judges_place_by_place


def players(d: nn.Module) -> dict[str, Any]:
    g = nn.Sequential(nn.Linear(3, 12), nn.Sigmoid())
    return {
        "generator": g,
        "discriminator": d,
        "generator_optimizer": torch.optim.SGD(g.parameters(), 1e-3),
        "discriminator_optimizer": torch.optim.SGD(d.parameters(), 1e-3),
    }


@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("code_first", [False, True])
def test_codes_joined_to_samples_are_no_part_of_their_range(code_first: bool, axis: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    playing = players(nn.Linear(15, 1))
    g, d, g_opt, d_opt = playing.values()
    seen = []

    def judge(sample: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        return d(torch.cat([code, sample] if code_first else [sample, code], axis))

    with gandiag.Recorder(tmp_path / "run", **playing, automatic=True) as recorder:
        for _ in range(30):
            code, real = 5 * torch.randn(16, 3), torch.rand(16, 12)
            seen.append(real.max().item())
            d_opt.zero_grad()
            (softplus(-judge(real, code)).mean() + softplus(judge(g(code).detach(), code)).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-judge(g(code), code)).mean().backward()
            g_opt.step()
    run = gandiag.load_run(recorder.path)
    assert run["real_max"].to_numpy() == pytest.approx([seen[i] for i in run["real_max"].index], abs=1e-6)
    assert run["real_min"].min() >= 0
    assert 0 <= run["fake_min"].min() <= run["fake_max"].max() <= 1
    assert not [e for e in run.records("events") if e["event"] == "data_mismatch"]


def test_a_discriminator_that_returns_images_is_shown_reals_and_fakes_all_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    playing = players(nn.Sequential(nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 12)))
    g, d, g_opt, d_opt = playing.values()
    means = []
    with gandiag.Recorder(tmp_path / "run", **playing, automatic=True) as recorder:
        for _ in range(30):
            real, fake = torch.rand(16, 12) + 3, g(torch.randn(16, 3))
            means.append(real.mean().item())
            d_opt.zero_grad()
            energy = (d(real) - real).square().mean() - 0.3 * (d(fake.detach()) - fake.detach()).square().mean()
            energy.backward()
            d_opt.step()
            g_opt.zero_grad()
            (d(fake) - fake).square().mean().backward()
            g_opt.step()
    run = gandiag.load_run(recorder.path)
    assert run["real_mean"].to_numpy() == pytest.approx([means[i] for i in run["real_mean"].index], abs=1e-5)
    assert run["fake_max"].max() < 1
    assert "real_logit_mean" not in run
    assert any("energy-based" in said for said in run.about["could_not_tell"])


def test_a_map_of_verdicts_on_single_pixels_is_no_image(tmp_path: Path) -> None:
    """pix2pix's pixel discriminator of grey images: its map has their form, and its places are verdicts all the same."""
    torch.manual_seed(0)
    g = nn.Sequential(nn.Linear(3, 16), nn.Unflatten(1, (1, 4, 4)))
    d = nn.Sequential(nn.Conv2d(1, 8, 1), nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 1))
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-2), torch.optim.SGD(d.parameters(), 1e-2)
    told = []
    with gandiag.Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(12):
            on_real, on_fake = d(torch.rand(8, 1, 4, 4)), d((fake := g(torch.randn(8, 3))).detach())
            told.append((on_real.mean().item(), on_fake.mean().item()))
            d_opt.zero_grad()
            (softplus(-on_real).mean() + softplus(on_fake).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-d(fake)).mean().backward()
            g_opt.step()
            recorder.step()
    run = gandiag.load_run(recorder.path)
    assert run["real_logit_mean"].to_numpy() == pytest.approx([real for real, _ in told], abs=1e-5)
    assert run["fake_logit_mean"].to_numpy() == pytest.approx([fake for _, fake in told], abs=1e-5)
    assert not any("energy-based" in said for said in run.about.get("could_not_tell", []))


@pytest.mark.parametrize(
    ("layers", "by_place"),
    [
        ([nn.Conv2d(1, 4, 1), nn.LeakyReLU(), nn.Conv2d(4, 1, 1)], True),
        ([nn.Conv2d(1, 4, 3, 1, 1), nn.InstanceNorm2d(4, affine=True), nn.Conv2d(4, 1, 3, 1, 1)], True),
        ([nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1)], False),
        ([nn.Conv2d(1, 4, 3, 1, 1), nn.MaxPool2d(2), nn.Conv2d(4, 1, 3, 1, 1), nn.Upsample(scale_factor=2)], False),
        ([nn.Conv2d(1, 4, 1), nn.Flatten(), nn.Linear(64, 16)], False),
        ([nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 12)], False),
    ],
)
def test_what_keeps_its_grid_is_told_from_what_restores_it(layers: list[nn.Module], by_place: bool) -> None:
    assert judges_place_by_place(nn.Sequential(*layers)) is by_place


@pytest.mark.parametrize("log_softmax", [False, True])
def test_two_classes_that_a_softmax_joins_are_read_as_one_score_and_its_force(
    log_softmax: bool, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    last: list[nn.Module] = [nn.LogSoftmax(dim=1)] if log_softmax else []
    playing = players(nn.Sequential(nn.Linear(12, 2), *last))
    g, d, g_opt, d_opt = playing.values()
    real_class, fake_class = torch.ones(16, dtype=torch.long), torch.zeros(16, dtype=torch.long)
    cross_entropy = nn.CrossEntropyLoss()
    forces = []
    with gandiag.Recorder(tmp_path / "run", **playing, automatic=True) as recorder:
        if not log_softmax:  # which is seen
            recorder.read_two_classes()
        for _ in range(20):
            fake, on_real = g(torch.randn(16, 3)), d(torch.rand(16, 12))
            share = (on_real[:, 1] - on_real[:, 0]).sigmoid()
            forces.append((1 - share).mean().item())  # -d/ds of softplus(-s), as of one logit
            d_opt.zero_grad()
            (cross_entropy(on_real, real_class) + cross_entropy(d(fake.detach()), fake_class)).backward()
            d_opt.step()
            g_opt.zero_grad()
            cross_entropy(d(fake), real_class).backward()
            g_opt.step()
    run = gandiag.load_run(recorder.path)
    assert run["discriminator_force_on_real"].to_numpy() == pytest.approx(forces, rel=1e-4)
    assert (run["generator_force_on_fake"] > 0).all()
    assert len(run["real_logit_mean"]) == 20


class Features(nn.Module):
    """A judge that gives its features beside its verdict."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(12, 8), nn.Linear(8, 1)

    def forward(self, shown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.body(shown).relu()
        return self.head(features), features


def test_a_generator_that_only_follows_the_judges_features_is_in_the_game_and_one_that_reconstructs_is_not(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    playing = players(Features())
    g, d, g_opt, d_opt = playing.values()
    with gandiag.Recorder(tmp_path / "run", **playing, automatic=True) as recorder:
        for _ in range(20):
            real, fake = torch.rand(16, 12), g(torch.randn(16, 3))
            d_opt.zero_grad()
            (softplus(-d(real)[0]).mean() + softplus(d(fake.detach())[0]).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            (d(fake)[1].mean(0) - d(real)[1].mean(0).detach()).square().sum().backward()
            g_opt.step()
            g_opt.zero_grad()
            (g(torch.randn(16, 3)) - real).square().mean().backward()
            g_opt.step()
    run = gandiag.load_run(recorder.path)
    assert run.steps == 20
    assert (run["generator_updates"] == 1).all()
    assert any("stepped without the discriminator" in said for said in run.about["could_not_tell"])


class Pairwise(nn.Module):
    """A judge that takes a real and a made batch, and returns lists of verdicts on both, features beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(12, 8), nn.Linear(8, 1)

    def forward(self, real: torch.Tensor, made: torch.Tensor) -> tuple[list[torch.Tensor], ...]:
        features = [self.body(x).relu() for x in (real, made)]
        return [self.head(features[0])], [self.head(features[1])], [features[0]], [features[1]]


class Comparing(Pairwise):
    """One whose verdict on each batch depends on the other as well: nothing tells whose it is."""

    def forward(self, real: torch.Tensor, made: torch.Tensor) -> tuple[list[torch.Tensor], ...]:
        on_real, on_made, *features = super().forward(real, made)
        return [on_real[0] - on_made[0].mean()], [on_made[0] - on_real[0].mean()], *features


@pytest.mark.parametrize("fakes_first", [False, True])
def test_verdicts_on_reals_and_fakes_of_one_call_are_read_once_gs_turn_has_told_whose_is_whose(
    fakes_first: bool, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    playing = players(Pairwise())
    g, d, g_opt, d_opt = playing.values()

    def judged(real: torch.Tensor, fake: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if fakes_first:
            (on_fake,), (on_real,), *_ = d(fake, real)
        else:
            (on_real,), (on_fake,), *_ = d(real, fake)
        return on_real, on_fake

    told = []
    with gandiag.Recorder(tmp_path / "run", **playing, automatic=True) as recorder:
        for _ in range(6):
            real, fake = torch.rand(16, 12) + 3, g(torch.randn(16, 3))
            d_opt.zero_grad()
            on_real, on_fake = judged(real, fake.detach())
            (softplus(-on_real).mean() + softplus(on_fake).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            pushed = judged(real, fake)[1]
            softplus(-pushed).mean().backward()
            g_opt.step()
            told.append([float(x) for x in (on_real.mean(), on_fake.mean(), torch.sigmoid(-pushed).mean())])
    run = gandiag.load_run(recorder.path)
    assert run["real_logit_mean"].to_list() == pytest.approx([real for real, _, _ in told], abs=1e-5)
    assert run["fake_logit_mean"].to_list() == pytest.approx([fake for _, fake, _ in told], abs=1e-5)
    assert run["generator_force_on_fake"].to_list() == pytest.approx([force for *_, force in told], abs=1e-5)
    assert not run.about.get("could_not_tell")


def test_verdicts_that_hang_on_both_batches_are_left_out_and_what_was_shown_is_not(tmp_path: Path) -> None:
    torch.manual_seed(0)
    playing = players(Comparing())
    g, d, g_opt, d_opt = playing.values()
    means = []
    with gandiag.Recorder(tmp_path / "run", **playing, automatic=True) as recorder:
        for _ in range(20):
            real, fake = torch.rand(16, 12) + 3, g(torch.randn(16, 3))
            means.append(real.mean().item())
            d_opt.zero_grad()
            (on_real,), (on_fake,), *_ = d(real, fake.detach())
            (softplus(-on_real).mean() + softplus(on_fake).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-d(real, fake)[1][0]).mean().backward()
            g_opt.step()
    run = gandiag.load_run(recorder.path)
    assert run["real_mean"].to_numpy() == pytest.approx([means[i] for i in run["real_mean"].index], abs=1e-5)
    assert run["fake_max"].max() < 1
    assert "fake_logit_mean" not in run
    assert any("reals and fakes in one call" in said for said in run.about["could_not_tell"])

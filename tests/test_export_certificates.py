"""Tests of the certificates' arithmetic: known answers, slow twins, and scenes in which each must fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from gandiag.export import export_generator, latency
from gandiag.export.contract import Contract
from gandiag.export.latents import draw_labels, draw_latents, extreme_latents
from gandiag.export.parity import differences, torch_reference
from gandiag.export.quality import Draws, coarse_features, frechet, quality_certificate, torch_free_scales
from gandiag.export.served import Served, evaluate, evaluate_double, evaluate_half, frozen_copy, to_bytes
from tests.made_bundles import tiny

IMAGES = Contract(latent_shape=(8,), output_shape=(1, 8, 8))
POINTS = Contract(latent_shape=(2,), output_shape=(2,), kind="points")


# ------------------------------------------------------------------------------------------------------------ parity


def test_a_byte_is_right_where_the_exact_level_is_cut_to_it() -> None:
    contract = replace(IMAGES, uint8=True, output_shape=(1, 1, 1))
    exact = np.array([7.0, 7.999, 8.0, 6.5, 255.0, 0.0]).reshape(-1, 1, 1, 1)
    made = np.array([7, 7, 7, 7, 255, 0], np.uint8).reshape(-1, 1, 1, 1)
    found = differences(made, exact, contract).ravel() * 127.5
    assert found == pytest.approx([0, 0, 0, 0.5, 0, 0])
    assert differences(np.uint8([[[[9]]]]), np.array([[[[7.0]]]]), contract).item() * 127.5 == pytest.approx(2.0)


def test_infinities_and_nans_agree_only_with_themselves() -> None:
    exact = np.array([np.inf, np.nan, 1.0, 1.0, -np.inf])
    assert list(differences(exact.astype(np.float32), exact, POINTS)) == [0, 0, 0, 0, 0]
    for wrong in (
        np.array([-np.inf, np.nan, 1, 1, -np.inf]),
        np.array([np.inf, 0, 1, 1, -np.inf]),
        np.array([np.inf, np.nan, np.nan, 1, -np.inf]),
    ):
        assert differences(wrong, exact, POINTS).max() == np.inf
    assert differences(np.zeros((2, 3)), np.zeros((3, 2)), POINTS).min() == np.inf


def test_float64_is_float64_all_the_way() -> None:
    class Casts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([1.0, 3.0]))
            self.plain = torch.tensor([1e-9])  # neither parameter nor buffer

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return (z.float() / self.weight + self.plain + torch.full((1,), 1e-9, dtype=torch.float32)).to(
                torch.float32
            )

    served = Served(frozen_copy(Casts()), POINTS, quantise=False)
    z = np.float32([[1, 1]])
    small = 2 * np.float64(np.float32(1e-9))
    assert evaluate_double(served, z, None)[0] == pytest.approx([1 + small, 1 / 3 + small], rel=0, abs=1e-12)
    assert evaluate(served, z, None)[0, 1] == np.float32(1) / np.float32(3)
    assert served.generator.weight.dtype == torch.float32


def test_half_rounds_each_operation_to_eleven_bits() -> None:
    class Sum(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return (z * 1.0 + 2048.0) - 2048.0

    made = evaluate_half(Served(frozen_copy(Sum()), POINTS, quantise=False), np.float32([[1.0, 3.0]]), None)
    assert list(made[0]) == [0.0, 4.0]  # 2049 and 2051 are no half-precision numbers: ties go to even


def test_the_floor_is_what_rounding_does_and_no_less_than_one_rounding() -> None:
    class Identity(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return z * 1.0

    exact = torch_reference(Identity(), POINTS)
    largest = np.abs(exact.exact[: -exact.extremes]).max()
    assert exact.floor == pytest.approx(largest * 2**-24)
    assert exact.extreme_floor == pytest.approx(6 * 2**-24, rel=0.2)
    net = frozen_copy(tiny())
    ours = torch_reference(net, IMAGES, 64)
    z = torch.from_numpy(ours.latents[:64])
    with torch.no_grad():
        twin = (net(z).double() - net.double()(z.double())).abs().max().item()
    assert twin <= ours.floor <= 3 * twin


def test_bytes_follow_the_rule_of_stylegan() -> None:
    levels = torch.tensor([-2.0, -1.0, -1 + 1 / 127.5, 0.0, 126.9 / 127.5, 1.0, 2.0]).view(-1, 1, 1, 1)
    assert to_bytes(levels, (-1.0, 1.0)).flatten().tolist() == [0, 0, 1, 128, 254, 255, 255]
    assert to_bytes(torch.tensor([0.0, 0.5, 1.0]).view(-1, 1, 1, 1), (0.0, 1.0)).flatten().tolist() == [0, 128, 255]
    assert to_bytes(torch.zeros(2, 3, 4, 5), (-1.0, 1.0)).shape == (2, 4, 5, 3)


# ----------------------------------------------------------------------------------------------------------- latents


def test_latents_are_drawn_as_the_contract_says_and_begin_alike() -> None:
    normal = draw_latents(IMAGES, 4000)
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02
    uniform = draw_latents(replace(IMAGES, latent="uniform"), 4000)
    assert -1 <= uniform.min() < -0.99
    assert abs(uniform.var() - 1 / 3) < 0.01
    assert np.array_equal(draw_latents(IMAGES, 5), normal[:5])
    labels = draw_labels(replace(IMAGES, num_classes=7), 50)
    assert labels is not None
    assert np.array_equal(labels[:10], draw_labels(replace(IMAGES, num_classes=7), 10))
    assert set(labels[:7]) == set(range(7))


def test_extreme_latents_leave_the_uniform_range_only_where_it_is_normal() -> None:
    assert np.abs(extreme_latents(IMAGES)).max() >= 6
    assert np.abs(extreme_latents(replace(IMAGES, latent="uniform"))[:-1]).max() == 1


# ----------------------------------------------------------------------------------------------------------- quality


def draws(change: float = 0.0, count: int = 512) -> Draws:
    random = np.random.default_rng(0)
    same, other = random.standard_normal((count, 2)), random.standard_normal((count, 2))
    return Draws(same, other, same * (1 + change), other * (1 + change))


def test_frechet_is_that_of_metrics_and_of_the_closed_form() -> None:
    from gandiag.metrics import frechet_distance

    random = np.random.default_rng(0)
    first, second = random.standard_normal((300, 5)), random.standard_normal((200, 5)) @ np.diag([1, 2, 3, 0, 1]) + 1
    assert frechet(first, second) == pytest.approx(frechet_distance(first, second), rel=1e-9)
    assert frechet(first, first + 2) == pytest.approx(20.0)
    assert frechet(first, first) == pytest.approx(0, abs=1e-12)


def test_quality_passes_the_same_samples_and_refuses_a_changed_distribution() -> None:
    scales = torch_free_scales(POINTS)
    assert quality_certificate(draws(), scales, 1e-6).passed
    assert quality_certificate(
        draws(1e-4), scales, 1e-6
    ).passed  # ten thousand times rounding, and nobody could tell by samples
    assert quality_certificate(draws(0.3), scales, 1e-6).passed is False


def test_quality_refuses_a_lost_mode() -> None:
    random = np.random.default_rng(0)
    modes = np.array([[0, 0], [5, 0], [0, 5], [5, 5]])
    same, other = (modes[random.integers(0, 4, 600)] + 0.1 * random.standard_normal((600, 2)) for _ in range(2))
    lost = np.where((same.round() == [5, 5]).all(1, keepdims=True), same - 5, same)
    found = quality_certificate(
        Draws(same, other, lost, other),
        torch_free_scales(POINTS),
        1e-6,
        lambda x: len(np.unique((x / 5).round(), axis=0)),
    )
    assert found.passed is False
    assert found.facts["modes_covered"] == {"torch": 4, "file": 3}


def test_a_collapsed_generator_is_exported_as_it_is(tmp_path: Path) -> None:
    class One(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return torch.tanh(z.sum(1, keepdim=True) * 0 + 0.3).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)

    bundle = export_generator(One(), 4, tmp_path / "b", measure=False)
    assert bundle.certificate("quality").passed


def test_coarse_features_are_block_means() -> None:
    images = np.arange(2 * 1 * 16 * 16, dtype=np.float64).reshape(2, 1, 16, 16)
    slow = images.reshape(2, 8, 2, 8, 2).mean((2, 4)).reshape(2, 64)
    projection = np.random.default_rng(7).standard_normal((64, 32)) / 8
    assert coarse_features(images) == pytest.approx(slow @ projection)
    assert coarse_features(np.zeros((3, 3, 20, 9))).shape == (3, 32)
    assert np.array_equal(coarse_features(np.ones((4, 2), np.float32)), np.ones((4, 2)))


# ----------------------------------------------------------------------------------------------------------- options


def test_truncation_pulls_the_latent_in_the_graph(tmp_path: Path) -> None:
    net = tiny()
    bundle = export_generator(net, 8, tmp_path / "b", truncation=0.5, measure=False)
    z = draw_latents(IMAGES, 3)
    with torch.no_grad():
        expected = net.eval()(torch.from_numpy(z) * 0.5).numpy()
    assert np.abs(bundle.session("cpu")(z) - expected).max() < 1e-6
    assert "Truncation 0.5 is part of the graph" in (bundle.path / "MODEL_CARD.md").read_text()


def test_a_generator_with_its_own_truncation_is_given_it() -> None:
    class Style(nn.Module):
        def forward(self, z: torch.Tensor, truncation_psi: float = 1.0) -> torch.Tensor:
            return 10 + truncation_psi * z

    served = Served(frozen_copy(Style()), replace(POINTS, truncation=0.5), quantise=False)
    assert evaluate(served, np.float32([[4, 8]]), None).tolist() == [[12, 14]]


def test_half_precision_halves_the_file_and_passes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 512), nn.LeakyReLU(0.2), nn.Linear(512, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
    whole = export_generator(net, 8, tmp_path / "whole", measure=False)
    half = export_generator(net, 8, tmp_path / "half", fp16=True, measure=False)
    assert half.certified
    assert half.model.stat().st_size / whole.model.stat().st_size == pytest.approx(0.5, abs=0.05)
    session = half.session("cpu")
    assert (session.runtime.get_inputs()[0].type, session.runtime.get_outputs()[0].type) == (
        "tensor(float)",
        "tensor(float)",
    )
    assert 1e-5 < half.certificate("parity").facts["largest"] < 1e-2
    assert half.certificate("quality").facts["features"]["coarse-pixels"]["passed"]


# ----------------------------------------------------------------------------------------------------------- latency


def test_a_ratio_is_never_rounded_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is a thousand times quicker (torch was held up by other work, say) reads x0.001, and not x0.00."""
    clock = iter(np.cumsum([0.0, *[0.0, 1e-6, 0.0, 1e-3] * 20]))
    monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
    contenders = {"file": lambda z, labels: z, "torch eager": lambda z, labels: z}
    said = latency.latency_certificate(contenders, replace(POINTS, batch=4), "cpu", 1, seconds=0.0)
    assert said.facts["ratio_to"]["torch eager"]["4"] == pytest.approx(1e-3)
    assert said.claim == "batch 4 0.001 ms on cpu, 1 threads; x0.001 of torch eager"

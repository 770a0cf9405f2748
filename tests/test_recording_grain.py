"""What a batch looks like from near: outliers by the law of their tails, colours viewed as pixels against permuted ones, roughness by its law."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from gandiag.recording.grain import real_grain, roughness
from gandiag.recording.step import Step


def read(batch: torch.Tensor) -> dict[str, float]:
    return {name: float(torch.as_tensor(value)) for name, value in real_grain(Step(0, real=batch)).items()}


def test_one_outlier_is_all_and_two_alike_are_half() -> None:
    batch = torch.zeros(1000, 1)
    batch[3] = 7.0
    assert read(batch)["real_peak_share"] == pytest.approx(1, abs=2e-3)
    batch[5] = -7.0
    assert read(batch)["real_peak_share"] == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize(
    ("law", "low", "high"),
    [
        (lambda: torch.randn(128, 2), 0.02, 0.06),
        (lambda: torch.randn(128, 2).exp(), 0.05, 0.4),
        (lambda: torch.distributions.Cauchy(0.0, 1.0).sample((128, 2)), 0.5, 0.7),
    ],
    ids=["normal", "lognormal", "cauchy"],
)
def test_the_heavier_the_tails_the_more_one_value_is(law: Callable[[], torch.Tensor], low: float, high: float) -> None:
    torch.manual_seed(0)
    assert low < np.median([read(law())["real_peak_share"] for _ in range(300)]) < high


def pictures(kind: str, seed: int) -> np.ndarray:
    """Colour images (n, h, w, 3), channels last."""
    r = np.random.default_rng(seed)
    if kind == "noise":
        return r.uniform(-1, 1, (16, 12, 16, 3))
    if kind == "photographs":
        return gaussian_filter(r.normal(size=(16, 24, 24, 3)), (0, 2, 2, 0)) * 4
    found = np.full((16, 12, 12, 3), -0.7)
    for image in found:
        y, x = r.integers(1, 6, 2)
        image[y : y + 5, x : x + 5] = r.uniform(-1, 1, 3)
    return found


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", ["squares", "photographs"])
def test_colours_viewed_as_pixels_show_and_permuted_ones_do_not(kind: str, seed: int) -> None:
    last = torch.from_numpy(pictures(kind, seed)).float()
    n, h, w, c = last.shape
    assert read(last.permute(0, 3, 1, 2))["real_interleaving"] > 1
    assert read(last.reshape(n, c, h, w))["real_interleaving"] < 0.6


def test_noise_and_grey_images_are_no_fault() -> None:
    last = torch.from_numpy(pictures("noise", 0)).float()
    assert read(last.reshape(16, 3, 12, 16))["real_interleaving"] == pytest.approx(1, abs=0.1)
    grey = torch.from_numpy(pictures("photographs", 0)[..., :1]).float().expand(-1, -1, -1, 3)
    assert read(grey.permute(0, 3, 1, 2))["real_interleaving"] > 1
    assert "real_interleaving" not in read(torch.randn(8, 1, 28, 28))


def test_what_is_no_batch_says_nothing() -> None:
    assert (
        real_grain(Step(0))
        == real_grain(Step(0, real=torch.randn(1, 4)))
        == real_grain(Step(0, real=torch.randn(9)))
        == {}
    )
    assert np.isnan(read(torch.zeros(4, 2))["real_peak_share"])  # one point has no scatter


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_the_roughness_of_an_autoregression_is_known(rho: float) -> None:
    r = np.random.default_rng(0)
    values = np.empty((400, 60))
    values[:, 0] = r.normal(size=400)
    for i in range(1, 60):
        values[:, i] = rho * values[:, i - 1] + np.sqrt(1 - rho**2) * r.normal(size=400)
    found = roughness(Step(0, real=torch.from_numpy(values), fake=torch.from_numpy(5 + 3 * values[:, None])))
    assert float(torch.as_tensor(found["real_roughness"])) == pytest.approx(2 * (1 - rho), abs=0.05)
    assert float(torch.as_tensor(found["fake_roughness"])) == pytest.approx(2 * (1 - rho), abs=0.05)


def test_of_images_both_axes_count_and_blur_makes_them_smoother() -> None:
    stripes = torch.randn(200, 1, 1, 16).expand(-1, -1, 16, -1)  # noise along one axis, constant along the other
    assert float(torch.as_tensor(roughness(Step(0, real=stripes))["real_roughness"])) == pytest.approx(1, abs=0.1)
    sharp = torch.from_numpy(pictures("squares", 0)).permute(0, 3, 1, 2).float()
    blurred = torch.from_numpy(gaussian_filter(sharp.numpy(), (0, 0, 1, 1)))
    found = {k: float(torch.as_tensor(v)) for k, v in roughness(Step(0, real=sharp, fake=blurred)).items()}
    assert found["fake_roughness"] < 0.6 * found["real_roughness"]


def test_points_have_no_roughness() -> None:
    assert roughness(Step(0, real=torch.randn(64, 2), fake=torch.randn(64))) == {}
    assert roughness(Step(0, real=torch.randn(0, 16))) == {}

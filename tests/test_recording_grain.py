"""What a real batch looks like from near: outliers by the law of their tails, and colours viewed as pixels against permuted ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from gandiag.recording.grain import real_grain
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

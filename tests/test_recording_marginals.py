"""The energy coefficient of single columns: against all pairs, against the law of shifted normals, and where one column of many is wrong."""

from __future__ import annotations

import math

import pytest
import torch

from gandiag.recording.marginals import MOST, energy_by_column, marginals
from gandiag.recording.step import Step


def read(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(marginals(Step(0, real=real, fake=fake))["marginal_energy"])


def by_pairs(real: torch.Tensor, fake: torch.Tensor) -> float:
    n = len(real)
    own = sum(float((x[:, None] - x).abs().sum()) / (n * (n - 1)) for x in (real, fake))
    return 1 - own / (2 * float((real[:, None] - fake).abs().mean()))


def test_ranks_give_what_all_pairs_give() -> None:
    torch.manual_seed(0)
    real, fake = torch.randn(40, 3) + 1000, torch.rand(40, 3) * 3 + 1000
    expected = [by_pairs(real[:, i].double(), fake[:, i].double()) for i in range(3)]
    assert read(real, fake).tolist() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_shifted_normals_lie_as_far_apart_as_their_law_says(shift: float) -> None:
    torch.manual_seed(1)
    looks = torch.stack([read(torch.randn(200, 1), torch.randn(200, 1) + shift) for _ in range(60)])
    # |x - y| of a normal with mean `shift` and variance 2
    across = 2 / math.sqrt(math.pi) * math.exp(-(shift**2) / 4) + shift * math.erf(shift / 2)
    assert float(looks.mean()) == pytest.approx(
        1 - 2 / math.sqrt(math.pi) / across, abs=4 * float(looks.std()) / 60**0.5
    )


def test_one_wrong_column_of_many_shows_in_its_own_place() -> None:
    torch.manual_seed(2)
    real, fake = torch.randn(128, 20), torch.randn(128, 20)
    fake[:, 7] = fake[:, 7].sign() * 3
    found = read(real, fake)
    assert int(found.argmax()) == 7
    assert found[7] > 0.15
    assert found.abs().sum() - found[7] < 19 * 0.03


def test_channels_are_columns_and_wide_samples_are_one() -> None:
    torch.manual_seed(3)
    assert read(torch.rand(64, 3, 8, 8), torch.rand(64, 3, 8, 8)).shape == (3,)
    assert read(torch.rand(64, 784), torch.rand(64, 784)).shape == (1,)
    assert read(torch.rand(64), torch.rand(64)).shape == (1,)
    assert MOST < 64 * 784  # only so many values of each are read


def test_what_cannot_be_compared_says_nothing_and_what_is_no_number_is_told() -> None:
    assert marginals(Step(0, real=torch.randn(64, 2))) == {}
    assert marginals(Step(0, real=torch.randn(64, 2), fake=torch.randn(64, 3))) == {}
    assert marginals(Step(0, real=torch.randn(4, 2), fake=torch.randn(4, 2))) == {}
    assert energy_by_column(torch.ones(1, 9), torch.ones(1, 9)).tolist() == [0]
    assert energy_by_column(torch.ones(1, 9), torch.zeros(1, 9)).tolist() == [1]
    assert energy_by_column(torch.ones(1, 9), torch.full((1, 9), math.nan)).isnan().all()


def test_noise_on_a_column_that_is_always_the_same_counts_little() -> None:
    torch.manual_seed(4)
    real, fake = torch.randn(128, 4), torch.randn(128, 4)
    real[:, 2], fake[:, 2] = 0, fake[:, 2] * 1e-3
    assert read(real, fake)[2] < 0.01
    assert read(real[:, 2:3], fake[:, 2:3])[0] > 0.2  # alone it is all that there is

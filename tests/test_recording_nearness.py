"""How near the fakes lie to the reals: two points, copies, equal and lost distributions have known answers; compiled equals torch."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.spatial.distance import cdist, pdist

from gandiag.recording.diversity import all_over, fake_batch, real_batch
from gandiag.recording.nearness import nearness
from gandiag.recording.probes import PROBES
from gandiag.recording.step import Step


def read(real: torch.Tensor, fake: torch.Tensor) -> dict[str, float]:
    return {name: float(torch.as_tensor(v)) for name, v in nearness(Step(0, real=real, fake=fake)).items()}


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_two_points_have_an_energy_coefficient_of_one_and_the_reals_no_neighbour() -> None:
    found = read(torch.zeros(5, 2), torch.ones(5, 2))
    assert found["energy_coefficient"] == 1
    assert math.isnan(found["fake_nearest_real"])  # no real has a different real for a neighbour
    assert math.isnan(found["real_nearest_fake"])


@pytest.mark.parametrize("dimensions", [1, 2, 9])
def test_its_numbers_are_those_of_scipy(dimensions: int) -> None:
    real, fake = draw(31, dimensions, seed=1), 0.3 + 2 * draw(44, dimensions, seed=2)
    found = read(real, fake)
    x, y = real.double().numpy(), all_over(fake, 31).double().numpy()
    across = cdist(y, x)
    own = cdist(x, x) + 1e9 * torch.eye(31).numpy()
    assert found["energy_coefficient"] == pytest.approx(
        1 - (pdist(x).mean() + pdist(y).mean()) / (2 * across.mean()), rel=1e-5, abs=1e-6
    )
    assert found["fake_nearest_real"] == pytest.approx(across.min(1).mean() / own.min(1).mean(), rel=1e-5)
    assert found["real_nearest_fake"] == pytest.approx(across.min(0).mean() / own.min(1).mean(), rel=1e-5)


def test_of_one_distribution_the_coefficient_is_zero_on_average_and_neighbours_are_as_near() -> None:
    each = [read(draw(64, 2, seed=2 * i), draw(64, 2, seed=2 * i + 1)) for i in range(200)]
    mean = {name: sum(e[name] for e in each) / len(each) for name in each[0]}
    assert abs(mean["energy_coefficient"]) < 0.001  # a single batch: sd .008
    assert mean["fake_nearest_real"] == pytest.approx(1, abs=0.03)
    assert mean["real_nearest_fake"] == pytest.approx(1, abs=0.03)


def test_of_two_normals_the_coefficient_is_the_law() -> None:
    # means a apart in one dimension, sd 1: E|X - Y| = 2/sqrt(pi) exp(-a^2/4) + a erf(a/2), within 2/sqrt(pi)
    a = 1.5
    across = 2 / math.sqrt(math.pi) * math.exp(-a * a / 4) + a * math.erf(a / 2)
    law = 1 - 2 / math.sqrt(math.pi) / across
    pairs = draw(400, 2, 200, 1, seed=0)
    each = [read(real, a + fake)["energy_coefficient"] for real, fake in pairs]
    assert sum(each) / len(each) == pytest.approx(law, rel=0.02)  # a single batch: sd .05


def test_half_of_the_modes_lost_shows_where_moments_are_equal() -> None:
    corners = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    chance = torch.Generator().manual_seed(0)
    real = corners[torch.arange(64) % 4] + 0.05 * torch.randn(64, 2, generator=chance)
    fake = corners[torch.arange(64) % 2] + 0.05 * torch.randn(64, 2, generator=chance)
    found = read(real, fake)
    assert found["energy_coefficient"] > 0.05
    assert found["real_nearest_fake"] > 10
    assert found["fake_nearest_real"] < 2


def test_copies_of_few_samples_lie_on_them_even_where_a_batch_holds_one_twice() -> None:
    pool = draw(12, 6, seed=4)
    real, fake = pool[torch.arange(40) % 12], pool[torch.arange(40) % 7] + 1e-4
    found = read(real, fake)
    assert found["fake_nearest_real"] < 1e-3
    assert found["real_nearest_fake"] > 0.2


def test_what_has_not_both_sides_or_is_not_finite_says_nothing() -> None:
    some = draw(8, 2, seed=0)
    assert (
        nearness(Step(0)) == nearness(Step(0, real=some)) == nearness(Step(0, real=some, fake=draw(8, 3, seed=1))) == {}
    )
    assert nearness(Step(0, real=some[:1], fake=some[:1])) == nearness(Step(0, real=some[:0], fake=some)) == {}
    assert all(math.isnan(v) for v in read(some, some.clone().fill_(math.inf)).values())


def test_mixed_precision_around_the_step_does_not_reach_it() -> None:
    real, fake = draw(64, 3, 8, 8, seed=3), 1e-3 * draw(64, 3, 8, 8, seed=4)
    plain = nearness(Step(0, real=real, fake=fake))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = nearness(Step(0, real=real, fake=fake))
    assert plain == mixed


def test_it_is_due_as_often_as_what_else_is_read_off_the_batches() -> None:
    assert PROBES[nearness] == PROBES[real_batch] == PROBES[fake_batch]

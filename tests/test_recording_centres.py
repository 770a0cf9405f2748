"""The centres of batches: their scatter against the chance of it, of shuffled and of sorted data; and what the diagnosis makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gandiag.diagnosis import Verdict, diagnose
from gandiag.recording.centres import DIRECTIONS, along, centres
from gandiag.recording.diversity import projected
from gandiag.recording.step import Step
from tests import made_runs
from tests.made_runs import made

STEPS = 1000
TENS = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
NARROW = {"diversity_ratio": np.full(TENS, 0.2)}


def over_chance(batches: list[torch.Tensor]) -> float:
    """The variance of the centres over that which chance gives them."""
    looks = [centres(Step(0, real=batch)) for batch in batches]
    where = torch.stack([torch.as_tensor(look["real_centre"]) for look in looks])
    error = torch.stack([torch.as_tensor(look["real_centre_error"]) for look in looks])
    return float(where.var(0).mean() / error.square().mean())


@pytest.mark.parametrize("shape", [(2,), (20,), (3, 8, 8), (400,)])
def test_shuffled_batches_scatter_by_chance_whatever_the_data(shape: tuple[int, ...]) -> None:
    chance = torch.Generator().manual_seed(0)
    scale = torch.rand(shape, generator=chance) * 5
    batches = [scale * torch.randn(64, *shape, generator=chance).abs() + 3 for _ in range(200)]
    assert over_chance(batches) == pytest.approx(1, abs=0.25)


def test_the_centres_are_those_of_the_projected_samples() -> None:
    batch = torch.randn(40, 5, generator=torch.Generator().manual_seed(1))
    found, moved = (centres(Step(0, real=one)) for one in (batch, batch + 1))
    points = along(projected(batch)).double()
    assert points.shape == (40, DIRECTIONS)
    assert torch.as_tensor(found["real_centre"]).double().numpy() == pytest.approx(points.mean(0).numpy(), abs=1e-6)
    expected = float((points.var(0).mean() / 40).sqrt())
    assert float(torch.as_tensor(found["real_centre_error"])) == pytest.approx(expected, rel=1e-5)
    way = torch.as_tensor(moved["real_centre"]) - torch.as_tensor(found["real_centre"])
    assert way.numpy() == pytest.approx(along(torch.ones(1, 5))[0].numpy(), abs=1e-5)
    assert centres(Step(0, real=batch[:1])) == {}


def test_classes_that_come_one_after_the_other_scatter_by_their_distance() -> None:
    """Of k classes at distance s, each alone in its batches of n, the centres vary by about n times as much as chance would have it."""
    chance = torch.Generator().manual_seed(2)
    middles = 2 * torch.randn(6, 10, generator=chance)
    batches = [middles[i // 5 % 6] + torch.randn(64, 10, generator=chance) for i in range(60)]
    between = float(along(middles).var(0, correction=0).mean()) / float(along(torch.eye(10)).square().sum(0).mean())
    assert over_chance(batches) == pytest.approx(1 + 64 * between, rel=0.2)


def table(scatter: float, seed: int) -> tuple[np.ndarray, list[str]]:
    values = scatter * np.random.default_rng(seed).standard_normal((TENS, DIRECTIONS))
    return values, [f"{i}" for i in range(DIRECTIONS)]


@pytest.mark.parametrize(
    ("scatter", "ill", "named"),
    [(0.6, True, True), (0.6, False, False), (0.1, True, False)],
    ids=["sorted and ill", "sorted and well", "shuffled"],
)
def test_sorted_data_are_named_by_the_scatter_of_their_batches(
    scatter: float, ill: bool, named: bool, tmp_path: Path
) -> None:
    slow = {"real_centre_error": np.full(TENS, 0.1), **(NARROW if ill else {})}
    path = made(tmp_path / "run", steps=STEPS, slow=slow, layers={"real_centre": table(scatter, 0)})
    found = diagnose(path).finding("data_mismatch")
    assert (found.kind == "not shuffled" and found.verdict is Verdict.FAILED) is named, found.claim

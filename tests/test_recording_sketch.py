"""The sketch of batches: the points that are kept of them, and what those of many steps tell together, against known laws."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gandiag.diagnosis import Verdict, diagnose
from gandiag.diagnosis.pooled import NEIGHBOUR, compared, parts
from gandiag.quantities import SKETCHED
from gandiag.recording.centres import DIRECTIONS, along
from gandiag.recording.diversity import projected
from gandiag.recording.sketch import OFTEN, SELDOM, sketch
from gandiag.recording.step import Step
from tests import made_runs
from tests.made_runs import made

STEPS = 2000
RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)


def batch(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_points_of_few_coordinates_are_kept_as_they_are_and_others_along_fixed_directions() -> None:
    found = sketch(Step(0, real=batch(32, 3), fake=batch(10, 3, seed=1)))
    real, fake = (torch.as_tensor(found[f"{what}_sketch"]).view(SKETCHED, 3) for what in ("real", "fake"))
    assert torch.equal(real, batch(32, 3))
    assert torch.equal(fake[:10], batch(10, 3, seed=1))
    assert fake[10:].isnan().all()
    images = batch(32, 3, 16, 16)
    found = sketch(Step(0, real=images, fake=images.clone()))
    points = torch.as_tensor(found["real_sketch"]).view(SKETCHED, DIRECTIONS)
    assert torch.allclose(points, along(projected(images, SKETCHED)))
    assert torch.equal(points, torch.as_tensor(found["fake_sketch"]).view(SKETCHED, DIRECTIONS))


@pytest.mark.parametrize("count", [33, 64, 128, 500, 4096])
@pytest.mark.parametrize("kinds", [2, 4, 8])
@pytest.mark.parametrize("sort", [True, False], ids=["sorted", "in turns"])
def test_a_batch_in_which_kinds_follow_each_other_is_sketched_in_all_its_kinds(
    count: int, kinds: int, sort: bool
) -> None:
    kind = torch.arange(count) % kinds
    kind = kind.sort().values if sort else kind
    found = sketch(Step(0, real=kind[:, None].float(), fake=torch.arange(count)[:, None].float()))
    shares = torch.bincount(torch.as_tensor(found["real_sketch"]).long(), minlength=kinds) / SKETCHED
    assert shares.tolist() == pytest.approx([1 / kinds] * kinds, abs=0.11)
    taken = torch.as_tensor(found["fake_sketch"])
    assert len(taken.unique()) == SKETCHED
    assert (taken.max(), taken.min()) < (count, 0.02 * count + 1)


def test_a_long_run_is_sketched_seldom_and_what_is_no_pair_of_batches_not_at_all() -> None:
    both = {"real": batch(8, 2), "fake": batch(8, 2, seed=1)}
    assert sketch(Step(OFTEN - 20, **both))
    assert not sketch(Step(OFTEN + 20, **both))
    assert sketch(Step(OFTEN + SELDOM, **both))
    assert not sketch(Step(0, real=batch(8, 2)))
    assert not sketch(Step(0, real=batch(8, 2), fake=batch(8, 3)))
    assert not sketch(Step(0, real=batch(0, 2), fake=batch(8, 2)))


def test_of_one_law_the_coverage_is_what_chance_gives() -> None:
    """Of n reals and n fakes of one law a neighbourhood of k stays empty with chance (n-1)...(n-k) / (2n-1)...(2n-k) (Naeem et al. 2020)."""
    n = 400
    expected = 1 - math.prod((n - i) / (2 * n - i) for i in range(1, NEIGHBOUR + 1))
    chance = np.random.default_rng(0)
    for d in (1, 2, 8):
        looks = [compared(chance.standard_normal((n, d)), chance.standard_normal((n, d))) for _ in range(5)]
        assert np.mean([look.coverage for look in looks]) == pytest.approx(expected, abs=0.015)
        assert np.mean([look.precision for look in looks]) > 0.9


def test_fakes_beside_the_data_have_neither_and_those_of_half_the_data_half() -> None:
    chance = np.random.default_rng(1)
    real = RING[np.arange(400) % 8] + 0.01 * chance.standard_normal((400, 2))
    smeared = chance.uniform(-1, 1, (400, 2))
    found = compared(real, smeared)
    assert (found.precision, found.coverage) == pytest.approx((0, 0), abs=0.05)
    half = RING[np.arange(400) % 4] + 0.01 * chance.standard_normal((400, 2))
    found = compared(real, half)
    assert found.precision > 0.9
    assert found.coverage == pytest.approx(0.5, abs=0.03)


def test_parts_that_lie_apart_are_counted_and_one_cloud_is_one_part() -> None:
    chance = np.random.default_rng(2)
    real = RING[np.arange(400) % 8] + 0.02 * chance.standard_normal((400, 2))
    fake = RING[np.arange(400) % 6] + 0.02 * chance.standard_normal((400, 2))
    found = parts(real, fake)
    assert found is not None
    assert found.due == pytest.approx(np.full(8, 1 / 8), abs=0.006)  # a stray point is no part
    assert sorted(found.made) == pytest.approx([0, 0, *np.full(6, 1 / 6)], abs=0.02)
    far = parts(real, fake + 10)
    assert far is not None
    assert far.made.sum() == 0
    for d in (1, 2, 8):
        assert parts(chance.standard_normal((400, d)), chance.standard_normal((400, d))) is None


UNEVALUATED = (
    "frechet",
    "kernel",
    "precision",
    "recall",
    "density",
    "coverage",
    "mode",
    "class",
    "heldout",
    "auc_gap",
    "authen",
    "copying",
    "nearest",
)


def run_with(path: Path, fakes: Callable[[np.random.Generator, int], np.ndarray]) -> Path:
    """A run without evaluations, healthy by all else, whose reals are the ring, and its fakes these."""
    chance = np.random.default_rng(0)
    looks = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
    names = [str(i) for i in range(2 * SKETCHED)]
    reals = ring(chance, looks * SKETCHED, 8).reshape(looks, -1)
    drawn = fakes(chance, looks * SKETCHED).reshape(looks, -1)
    layers = {"real_sketch": (reals, names), "fake_sketch": (drawn, names)}
    return made(path, steps=STEPS, layers=layers, without=UNEVALUATED)


def ring(chance: np.random.Generator, count: int, modes: int) -> np.ndarray:
    return RING[chance.integers(modes, size=count)] + 0.02 * chance.standard_normal((count, 2))


def test_a_run_whose_fakes_fill_the_data_is_well(tmp_path: Path) -> None:
    told = diagnose(run_with(tmp_path / "run", lambda chance, n: ring(chance, n, 8)))
    assert told.finding("stagnation").verdict is Verdict.HEALTHY
    assert told.finding("mode_dropping").verdict is not Verdict.FAILED
    assert not told.illnesses


def test_fakes_that_lie_beside_the_data_are_named_where_no_batch_tells(tmp_path: Path) -> None:
    told = diagnose(run_with(tmp_path / "run", lambda chance, n: chance.uniform(-1, 1, (n, 2))))
    found = told.finding("stagnation")
    assert (found.verdict, found.kind) == (Verdict.FAILED, "beside the data")
    assert "neighbour" in found.claim


@pytest.mark.parametrize(("away", "verdict"), [(0.1, Verdict.SUSPECT), (1.0, Verdict.FAILED)])
def test_slight_noise_on_samples_of_many_values_is_suspected_only(
    away: float, verdict: Verdict, tmp_path: Path
) -> None:
    """Reals that a rule has drawn lie in a plane of the sketch's eight coordinates, and no fake lies in it."""
    chance = np.random.default_rng(0)
    looks = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
    plane = np.linalg.qr(chance.standard_normal((8, 2)))[0].T
    reals, fakes = (chance.standard_normal((looks * SKETCHED, 2)) @ plane for _ in range(2))
    fakes = fakes + away * chance.standard_normal(fakes.shape)
    names = [str(i) for i in range(8 * SKETCHED)]
    layers = {f"{what}_sketch": (x.reshape(looks, -1), names) for what, x in (("real", reals), ("fake", fakes))}
    told = diagnose(made(tmp_path / "run", steps=STEPS, layers=layers, without=UNEVALUATED)).finding("stagnation")
    assert (told.verdict, told.kind) == (verdict, "beside the data"), told.claim


def test_a_part_of_the_data_that_is_never_made_is_named_without_evaluations(tmp_path: Path) -> None:
    told = diagnose(run_with(tmp_path / "run", lambda chance, n: ring(chance, n, 7)))
    found = told.finding("mode_dropping")
    assert (found.verdict, found.kind) == (Verdict.FAILED, "modes")
    assert found.claim.startswith("1 of 8 parts of the data that lie apart")

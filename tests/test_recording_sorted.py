"""A batch may be sorted: what is read of a part of its samples is read of some from all over it, by C and by torch alike."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gandiag.recording import accelerated_steps
from gandiag.recording.accelerator import find_accelerator
from gandiag.recording.centres import centres
from gandiag.recording.diversity import PAIRED, all_over, fake_batch, real_batch
from gandiag.recording.nearness import nearness
from gandiag.recording.step import Step, Value

COUNT = 600
NAMES = ("real_pairwise_distance", "fake_pairwise_distance", "diversity_ratio", "energy_coefficient")


def clusters(seed: int, *, ordered: bool, width: int) -> Tensor:
    """Two clusters, one after the other or shuffled."""
    chance = torch.Generator().manual_seed(seed)
    which = torch.arange(COUNT) * 2 // COUNT
    which = which if ordered else which[torch.randperm(COUNT, generator=chance)]
    return 4.0 * which[:, None].float() + torch.randn(COUNT, width, generator=chance)


def read(real: Tensor, fake: Tensor, *, compiled: bool) -> dict[str, Value]:
    """What the probes of single steps tell of both batches."""
    step = Step(0, real=real, fake=fake)
    if not compiled:
        return real_batch(step) | fake_batch(step) | nearness(step)
    found = find_accelerator().accelerator
    if found is None:
        pytest.skip("no C compiler here: the accelerator's way stays untested")
    parts = [probe(found, step) for probe in (accelerated_steps.real_batch, accelerated_steps.fake_batch)]
    parts.append(accelerated_steps.near(found, step))
    return {name: value for part in parts if part is not None for name, value in part.items()}


@pytest.mark.parametrize("compiled", [False, True], ids=["torch", "compiled"])
@pytest.mark.parametrize("width", [2, 64])
def test_sorted_reals_beside_shuffled_fakes_are_as_diverse_and_as_near(width: int, compiled: bool) -> None:
    fake = clusters(1, ordered=False, width=width)
    found = read(clusters(2, ordered=True, width=width), fake, compiled=compiled)
    shuffled = read(clusters(3, ordered=False, width=width), fake, compiled=compiled)
    for name in NAMES:
        assert float(found[name]) == pytest.approx(float(shuffled[name]), abs=0.05, rel=0.05), name
    assert float(found["diversity_ratio"]) == pytest.approx(1, abs=0.05)
    assert float(found["energy_coefficient"]) < 0.02


def test_the_centre_of_a_sorted_batch_is_that_of_all_of_it() -> None:
    real = clusters(0, ordered=True, width=2)
    found = torch.as_tensor(centres(Step(0, real=real))["real_centre"])
    whole = torch.as_tensor(centres(Step(0, real=real[torch.randperm(COUNT)][:PAIRED]))["real_centre"])
    assert torch.allclose(found, whole, atol=1.0)
    assert float((found - whole).norm()) < 0.2 * float(found.norm())


@pytest.mark.parametrize("count", [PAIRED, PAIRED + 1, 3 * PAIRED, 1000])
def test_each_sample_is_taken_once_and_in_order_and_all_of_a_small_batch(count: int) -> None:
    taken = all_over(torch.arange(count), PAIRED)
    assert len(taken) == PAIRED
    assert (taken.diff() > 0).all()
    assert torch.equal(all_over(torch.arange(5), PAIRED), torch.arange(5))

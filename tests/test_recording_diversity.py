"""How few different samples the reals are: the collision of consecutive batches, by exact answers and by the birthday law."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import gandiag
from gandiag.recording import PROBES
from gandiag.recording.diversity import collision, fake_batch, real_batch
from gandiag.recording.step import Step


def samples(count: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))


def test_batches_without_a_common_sample_never_collide_and_a_batch_with_itself_does_once_a_row() -> None:
    rows = samples(40, 7)
    assert float(collision(rows[:20], rows[20:])) == 0
    assert float(collision(rows[:20], rows[:20])) == pytest.approx(1 / 20)
    assert float(collision(rows[:20], rows[:20].flip(0))) == pytest.approx(1 / 20)  # the order is nothing to it


def test_a_row_that_differs_in_the_last_bit_of_one_value_is_another_sample() -> None:
    row = torch.full((1, 64), -1.0)
    other = row.clone()
    other[0, 17] = torch.nextafter(other[0, 17], torch.tensor(0.0))
    assert float(collision(row, other)) == 0
    assert float(collision(row, row.clone())) == 1


@pytest.mark.parametrize("count", [8, 32, 500])
def test_samples_drawn_evenly_collide_once_in_their_number(count: int) -> None:
    pool, chance = samples(count, 3), torch.Generator().manual_seed(1)
    seen = [
        float(collision(*(pool[torch.randint(count, (64,), generator=chance)] for _ in range(2)))) for _ in range(300)
    ]
    assert sum(seen) / len(seen) == pytest.approx(1 / count, rel=0.15)


def test_mixed_precision_around_the_step_does_not_reach_the_diversity() -> None:
    chance = torch.Generator().manual_seed(3)
    real, fake = (torch.randn(64, 3, 8, 8, generator=chance) * size + 5 for size in (1.0, 1e-3))
    step = Step(index=0, real=real, fake=fake)
    plain = {**real_batch(step), **fake_batch(step)}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = {**real_batch(step), **fake_batch(step)}
    for name, value in plain.items():
        torch.testing.assert_close(mixed[name], value, rtol=0, atol=0)


@pytest.mark.parametrize("accelerated", ["on", "off"])
def test_a_batch_of_one_sample_has_no_pair_and_so_no_diversity(
    accelerated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if accelerated == "off":
        monkeypatch.setenv("GANDIAG_ACCELERATOR", "off")
    G, D = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)
    with gandiag.Recorder(tmp_path / "run", generator=G, discriminator=D, probes=dict.fromkeys(PROBES, 1)) as recorder:
        for size in (4, 1, 4):
            recorder.step(real=torch.randn(size, 3), fake=torch.randn(size, 3))
    run = gandiag.load_run(tmp_path / "run")
    for name in ("real_pairwise_distance", "fake_effective_rank", "diversity_ratio"):
        assert run[name].index.to_list() == [0, 2]
    assert run["fake_mean"].index.to_list() == [0, 1, 2]

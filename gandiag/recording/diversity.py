"""What a batch looks like: its range, its channels, whether it repeats, and how diverse the fakes are beside the reals.

Diversity is read under a fixed random projection (own generator, fixed seed: the run's random numbers are never touched).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from gandiag.recording.step import Step, Value, on_device

PROJECTED = 32  # dimensions of the random projection; data of fewer are taken as they are
PAIRED = 256  # samples of a batch whose pairs are measured: the cost of a step must not grow with the batch
COMPARED = 65_536  # values of a batch that are compared with the batch before
REAL_SPREAD = "the reals' pairwise distance"  # as the probe of the reals leaves it for that of the fakes
GOLDEN = 0.6180339887498949  # whose multiples fall most evenly into the unit interval
SEED = 20_260  # of the projection, the same in every run so that runs can be compared


def real_batch(step: Step) -> dict[str, Value]:
    """Range, mean, spread and channel means of the real batch, its diversity, and the share of values that repeat the last one's.

    A batch of one sample has no diversity: those are absent.
    """
    if not _has_samples(step.real):
        return {}
    assert step.real is not None
    found = _batch(step.real, step.previous_real, "real")
    step.shared[REAL_SPREAD] = found.get("real_pairwise_distance")
    return found


def fake_batch(step: Step) -> dict[str, Value]:
    """The same of the fake batch, and its pairwise distance over that of the reals: 1 = as diverse, 0 = one point."""
    if not _has_samples(step.fake):
        return {}
    assert step.fake is not None
    found = _batch(step.fake, step.previous_fake, "fake")
    if has_pairs(step.fake) and has_pairs(step.real):
        assert step.real is not None
        own, others = torch.as_tensor(found["fake_pairwise_distance"]), step.shared.get(REAL_SPREAD)
        found["diversity_ratio"] = own / (pairwise_distance(projected(step.real)) if others is None else others)
    return found


def _has_samples(batch: Tensor | None) -> bool:
    """Whether there is anything to measure: a step may come without a batch, and a batch without a sample."""
    return batch is not None and batch.numel() > 0


def has_pairs(batch: Tensor | None) -> bool:
    """Whether a batch has samples to compare: of a single one a distance of 0 would be no measurement."""
    return batch is not None and batch.dim() > 0 and batch.numel() > 0 and len(batch) > 1


def projected(batch: Tensor, samples: int = PAIRED) -> Tensor:
    """Returns samples from all over a batch (n, ...) as points (n, <= PROJECTED); distances are kept in expectation."""
    flat = all_over(batch, samples).reshape(min(len(batch), samples), -1).float()
    if flat.shape[1] <= PROJECTED:
        return flat
    with full_precision(flat.device):
        return flat @ _projection(flat.shape[1], flat.device)


def all_over(batch: Tensor, samples: int) -> Tensor:
    """Returns a batch, or so many samples from all over it where it has more: a batch may be sorted, by class or by which of several generators
    made it.
    """
    return batch if len(batch) <= samples else batch[_rows(len(batch), samples, batch.device)]


def pairwise_distance(points: Tensor) -> Tensor:
    """Returns the mean Euclidean distance over all pairs of different points of (n, d)."""
    n = len(points)
    centred = points - points.mean(0)
    squares = centred.square().sum(1)
    with full_precision(points.device):
        products = centred @ centred.T
    distance = (squares[:, None] + squares - 2 * products).clamp(min=0).fill_diagonal_(0).sqrt()
    return distance.sum() / max(n * (n - 1), 1)


def effective_rank(points: Tensor) -> Tensor:
    """Returns the participation ratio (tr C)^2 / tr C^2 of the points' covariance: 1 for a line, d for a ball; 1 for one point."""
    centred = points - points.mean(0)
    with full_precision(points.device):
        covariance = centred.T @ centred
    spread = covariance.diagonal().sum().square()
    whole = covariance.square().sum()
    return torch.where(whole == 0, torch.ones_like(whole), spread / whole)


@lru_cache(maxsize=32)
def _rows(count: int, samples: int, device: torch.device) -> Tensor:
    """Returns which of so many samples are taken: one of each stretch of equal length, at another place in each, so that no period is met."""
    ends = [i * count // samples for i in range(samples + 1)]
    rows = [a + int(i * GOLDEN % 1.0 * (b - a)) for i, (a, b) in enumerate(pairwise(ends))]
    return on_device(torch.tensor(rows), device)


@lru_cache(maxsize=8)
def _projection(features: int, device: torch.device) -> Tensor:
    chance = torch.Generator().manual_seed(SEED)
    return on_device(torch.randn(features, PROJECTED, generator=chance) / PROJECTED**0.5, device)


def _batch(batch: Tensor, previous: Tensor | None, what: str) -> dict[str, Value]:
    batch = batch if batch.is_floating_point() else batch.float()
    spread, centre = torch.std_mean(batch.float(), correction=0)
    low, high = torch.aminmax(batch)
    found: dict[str, Value] = {
        f"{what}_mean": centre,
        f"{what}_sd": spread,
        f"{what}_min": low.float(),
        f"{what}_max": high.float(),
    }
    if has_pairs(batch):
        points = projected(batch)
        found |= {
            f"{what}_pairwise_distance": pairwise_distance(points),
            f"{what}_effective_rank": effective_rank(points),
        }
    if batch.dim() > 1 and batch.shape[1] <= PROJECTED:
        found[f"{what}_channel_mean"] = batch.float().transpose(0, 1).reshape(batch.shape[1], -1).mean(1)
    if previous is not None:
        now = batch.reshape(-1)[:COMPARED]
        if now.shape == previous.shape:
            found[f"{what}_batch_repeat"] = (now == previous).float().mean()
            if what == "real":
                found |= collisions(batch, previous)
    return found


def collisions(batch: Tensor, previous: Tensor) -> dict[str, Value]:
    """Returns the real batch's collisions with the one before, whose first values are given flat; nothing of a single sample."""
    rows, each = paired(batch, previous)
    if rows < 2:
        return {}
    now = batch.reshape(-1)[: rows * each]
    return {"real_batch_collision": collision(now.view(rows, -1), previous[: rows * each].view(rows, -1))}


def paired(batch: Tensor, previous: Tensor) -> tuple[int, int]:
    """Returns how many samples of two batches are compared, and how many values each has; the second is flat."""
    each = max(1, batch[0].numel())
    return min(len(previous) // each, PAIRED), each


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Takes matrix products out of a mixed precision in which the training may have called us: half precision overflows on squares."""
    return torch.autocast(device.type, enabled=False) if torch.is_autocast_enabled(device.type) else nullcontext()


def collision(now: Tensor, previous: Tensor) -> Tensor:
    """Returns the share of pairs (one row of `now`, one of `previous`) that are the same sample to the last bit.

    Samples drawn evenly from N different ones collide with probability 1/N, whatever the batch: a small data set shows itself.
    """
    mine, theirs = (_fingerprints(x) for x in (now, previous))
    return (mine[:, None] == theirs).float().mean()


def _fingerprints(rows: Tensor) -> Tensor:
    """One whole number a row, the same for the same bits: integer arithmetic has no rounding that could depend on the row's place."""
    bits = rows.float().contiguous().view(torch.int32).to(torch.int64)
    return (bits * odd_numbers(bits.shape[1], bits.device)).sum(1)


@lru_cache(maxsize=8)
def odd_numbers(features: int, device: torch.device) -> Tensor:
    """Returns the fixed odd whole numbers (features,) that a sample's bits are weighed with."""
    chance = torch.Generator().manual_seed(SEED)
    return on_device(torch.randint(-(2**62), 2**62, (features,), generator=chance) * 2 + 1, device)

"""The probes of single steps that have a compiled twin: the same numbers, with few calls that other threads could come between.

They run in the writer thread. Each time that it lets go of the interpreter's lock the training may have to wait until it gets it
back, which costs more than the call itself: short calls keep the lock, and nothing small is left to torch, which lets go of it
in every operation.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gandiag.recording import diversity, gradients, nearness
from gandiag.recording.accelerated import room
from gandiag.recording.accelerator import Accelerator
from gandiag.recording.step import Probe, Step, Value

MOST_VALUES = 2**21  # of a batch or a network: beyond, torch's threads are as fast


def real_batch(accelerator: Accelerator, step: Step) -> dict[str, Value] | None:
    """`diversity.real_batch`; None where only torch can."""
    if step.real is None:
        return {}
    found = _batch(accelerator, step.real, step.previous_real, "real")
    if found is not None:
        step.shared[diversity.REAL_SPREAD] = found.get("real_pairwise_distance")
    return found


def fake_batch(accelerator: Accelerator, step: Step) -> dict[str, Value] | None:
    """`diversity.fake_batch`; None where only torch can."""
    if step.fake is None:
        return {}
    found = _batch(accelerator, step.fake, step.previous_fake, "fake")
    if found is None or (step.real is not None and not _plain(step.real)):
        return None
    if diversity.has_pairs(step.fake) and diversity.has_pairs(step.real):
        assert step.real is not None
        own, others = found["fake_pairwise_distance"], step.shared.get(diversity.REAL_SPREAD)
        if others is None:
            others = _spread(accelerator, step.real)[0]
        assert isinstance(own, float)
        found["diversity_ratio"] = _ratio(own, others)
    return found


def near(accelerator: Accelerator, step: Step) -> dict[str, Value] | None:
    """`nearness.nearness`; None where only torch can."""
    sides = nearness.both_sides(step)
    if sides is None:
        return {}
    if not all(_plain(side) for side in sides):
        return None
    count, width = len(sides[0]), sides[0][0].numel()
    real, fake = (_points(side, width) for side in sides)
    out, at = room(3)
    if accelerator.free.nearness(real.data_ptr(), fake.data_ptr(), count, min(width, diversity.PROJECTED), at):
        raise ValueError(f"{count} pairs are more than the accelerator takes")
    return dict(zip(("energy_coefficient", "fake_nearest_real", "real_nearest_fake"), out.tolist()))


def update_ratios(accelerator: Accelerator, step: Step) -> dict[str, Value] | None:
    """`gradients.update_ratios`; None where only torch can."""
    found: dict[str, Value] = {}
    for who, change in (
        ("discriminator", step.discriminator_layer_updates),
        ("generator", step.generator_layer_updates),
    ):
        if change is not None:
            if not all(values.dtype is torch.float32 and values.is_cpu for values in change):
                return None
            updates, parameters = (values.tolist() for values in change)
            moved, whole = math.hypot(*updates), math.hypot(*parameters)
            found |= {
                f"{who}_layer_update_ratio": [_ratio(u, p) for u, p in zip(updates, parameters)],
                f"{who}_parameter_norm": whole,
                f"{who}_update_ratio": _ratio(moved, whole),
            }
    return found


# probes of one step and their compiled twins
STEPWISE: dict[Probe, Callable[[Accelerator, Step], dict[str, Value] | None]] = {
    diversity.real_batch: real_batch,
    diversity.fake_batch: fake_batch,
    nearness.nearness: near,
    gradients.update_ratios: update_ratios,
}


def _ratio(one: float, other: float) -> float:
    """Returns the quotient of two numbers that are not negative, as torch has it."""
    return one / other if other else math.nan if one == 0 or one != one else math.inf


def _plain(values: Tensor) -> bool:
    """Tells whether C may read a tensor as it lies in memory: float32, on the CPU, in one piece, not too large."""
    return (
        values.dtype is torch.float32
        and values.layout is torch.strided
        and values.device.type == "cpu"
        and values.is_contiguous()
        and 0 < values.numel() <= MOST_VALUES
        and not values.is_neg()
    )


def _batch(accelerator: Accelerator, batch: Tensor, previous: Tensor | None, what: str) -> dict[str, Value] | None:
    if not _plain(batch) or (previous is not None and not _plain(previous)):
        return None
    count = batch.numel()
    samples = batch.shape[0] if batch.dim() else 1
    pairs, dimensions = min(samples, diversity.PAIRED), min(count // samples, diversity.PROJECTED)
    points = _points(batch, count // samples)
    channels = batch.shape[1] if batch.dim() > 1 and batch.shape[1] <= diversity.PROJECTED else 0
    compared = min(count, diversity.COMPARED)
    before, rows, width, odd = 0, 0, 0, 0
    if previous is not None and previous.numel() == compared:
        before = previous.data_ptr()
        if what == "real":
            rows, width = diversity.paired(batch, previous)
            rows = rows if rows > 1 else 0
            odd = diversity.odd_numbers(width, batch.device).data_ptr()
    out, at = room(8 + channels)
    # one call, and one return to Python's lock
    if accelerator.free.batch_facts(
        batch.data_ptr(),
        count,
        points.data_ptr(),
        pairs,
        dimensions,
        before,
        compared,
        rows,
        width,
        odd,
        samples,
        channels,
        at,
    ):
        raise ValueError(f"points of {dimensions} dimensions are more than the accelerator takes")
    mean, sd, low, high, distance, rank, repeat, collision, *means = out.tolist()
    found: dict[str, Value] = {
        f"{what}_mean": mean,
        f"{what}_sd": sd,
        f"{what}_min": low,
        f"{what}_max": high,
    }
    if samples > 1:
        found |= {f"{what}_pairwise_distance": distance, f"{what}_effective_rank": rank}
    if channels:
        found[f"{what}_channel_mean"] = means
    if before:
        found[f"{what}_batch_repeat"] = repeat
    if rows:
        found["real_batch_collision"] = collision
    return found


def _points(batch: Tensor, width: int) -> Tensor:
    """Returns a batch as `diversity` projects it."""
    few = diversity.all_over(batch, diversity.PAIRED)
    return few if width <= diversity.PROJECTED else diversity.projected(few).contiguous()


def _spread(accelerator: Accelerator, batch: Tensor) -> tuple[float, float]:
    """Returns the pairwise distance and the effective rank of a batch as `diversity` projects it."""
    count, width = min(len(batch), diversity.PAIRED), batch.numel() // len(batch)
    points = _points(batch, width)
    out, at = room(2)
    if accelerator.free.spread(points.data_ptr(), count, min(width, diversity.PROJECTED), at):
        raise ValueError(f"points of {width} dimensions are more than the accelerator takes")
    distance, rank = out.tolist()
    return distance, rank

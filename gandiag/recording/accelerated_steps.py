"""The probes of single steps that have a compiled twin: the same numbers, with few calls that other threads could come between.

They run in the writer thread. Each time that it lets go of the interpreter's lock the training may have to wait until it gets it
back, which costs more than the call itself: short calls keep the lock, and nothing small is left to torch, which lets go of it
in every operation.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gandiag.recording import diversity, gradients
from gandiag.recording.accelerated import room
from gandiag.recording.accelerator import Accelerator
from gandiag.recording.step import Probe, Step, Value

MOST_VALUES = 2**21  # of a batch or a network: beyond, torch's threads are as fast
SHORT_VALUES = 4096  # up to so many values are read without letting go of the interpreter's lock: microseconds


def real_batch(accelerator: Accelerator, step: Step) -> dict[str, Value] | None:
    """`diversity.real_batch`; None where only torch can."""
    if step.real is None:
        return {}
    found = _batch(accelerator, step.real, step.previous_real, "real")
    if found is not None:
        step.shared[diversity.REAL_SPREAD] = found["real_pairwise_distance"]
    return found


def fake_batch(accelerator: Accelerator, step: Step) -> dict[str, Value] | None:
    """`diversity.fake_batch`; None where only torch can."""
    if step.fake is None:
        return {}
    found = _batch(accelerator, step.fake, step.previous_fake, "fake")
    if found is None or (step.real is not None and not _plain(step.real)):
        return None
    if step.real is not None:
        own, others = found["fake_pairwise_distance"], step.shared.get(diversity.REAL_SPREAD)
        if others is None:
            others = _spread(accelerator, step.real)[0]
        assert isinstance(own, float)
        found["diversity_ratio"] = own / others if others else math.nan if own == 0 or own != own else math.inf
    return found


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
            updates, parameters = (values.numpy() for values in change)
            moved, whole = (np.sqrt(np.square(values, dtype=np.float64).sum()) for values in (updates, parameters))
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                found |= {
                    f"{who}_layer_update_ratio": (updates / parameters).tolist(),
                    f"{who}_parameter_norm": float(np.float32(whole)),
                    f"{who}_update_ratio": float(np.float32(moved / whole)),
                }
    return found


# probes of one step and their compiled twins
STEPWISE: dict[Probe, Callable[[Accelerator, Step], dict[str, Value] | None]] = {
    diversity.real_batch: real_batch,
    diversity.fake_batch: fake_batch,
    gradients.update_ratios: update_ratios,
}


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
    library = accelerator.held if batch.numel() <= SHORT_VALUES else accelerator.free
    out, at = room(4)
    library.range(batch.data_ptr(), batch.numel(), at)
    distance, rank = _spread(accelerator, batch)
    found: dict[str, Value] = dict(zip((f"{what}_mean", f"{what}_sd", f"{what}_min", f"{what}_max"), out.tolist()))
    found |= {f"{what}_pairwise_distance": distance, f"{what}_effective_rank": rank}
    if batch.dim() > 1 and batch.shape[1] <= diversity.PROJECTED:
        means, at = room(batch.shape[1])
        each = batch.numel() // (batch.shape[0] * batch.shape[1])
        library.channel_means(batch.data_ptr(), batch.shape[0], batch.shape[1], each, at)
        found[f"{what}_channel_mean"] = means.tolist()
    count = min(batch.numel(), diversity.COMPARED)
    if previous is not None and previous.numel() == count:
        found[f"{what}_batch_repeat"] = library.equal_share(batch.data_ptr(), previous.data_ptr(), count)
        if what == "real":
            rows, each = diversity.paired(batch, previous)
            if rows > 1:
                odd = diversity.odd_numbers(each, batch.device)
                same = library.equal_pairs(batch.data_ptr(), previous.data_ptr(), rows, each, odd.data_ptr())
                found["real_batch_collision"] = same / rows**2
    return found


def _spread(accelerator: Accelerator, batch: Tensor) -> tuple[float, float]:
    """Returns the pairwise distance and the effective rank of a batch as `diversity` projects it."""
    count = min(len(batch), diversity.PAIRED)
    width = batch.numel() // len(batch)
    points = batch if width <= diversity.PROJECTED else diversity.projected(batch).contiguous()
    out, at = room(2)
    if accelerator.free.spread(points.data_ptr(), count, min(width, diversity.PROJECTED), at):
        raise ValueError(f"points of {width} dimensions are more than the accelerator takes")
    distance, rank = out.tolist()
    return distance, rank

"""Several processes, one record: rows are gathered when a block is reduced, so that they equal those of one process with the global batch.

All ranks compute, rank 0 writes. Blocks end after the same number of rows everywhere, which the ranks agree on block by block:
a rank's clock alone must never decide on a collective call. Each rank must see batches of the same size.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gandiag.recording.buffer import SCALARS, Block
from gandiag.recording.step import Probe, Step

FIRST_ROWS = 8  # of the first block, before the steps' duration is known
GATHERED = ("real_logits", "fake_logits")
FORCES = ("discriminator_force_real", "discriminator_force_fake", "generator_force_real", "generator_force_fake")
SUMS = ("real_sum", "fake_sum")


@dataclass(frozen=True)
class Ranks:
    """The processes that train together."""

    rank: int
    world: int


def ranks() -> Ranks | None:
    """Returns this process's place among those that train together, None where it trains alone."""
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() < 2:
        return None
    return Ranks(dist.get_rank(), dist.get_world_size())


def agree(
    block: Block, later: Sequence[tuple[Probe, int, Step]], step_seconds: float, world: int
) -> tuple[bool, float]:
    """Returns whether all ranks hold rows of the same form, and the duration of a step on the slowest."""
    mine = (
        block.steps,
        block.masks,
        {n: tuple(v.shape) for n, v in block.vectors.items()},
        [(step.index, _shape(step.real), _shape(step.fake)) for _, _, step in later],
    )
    found: list[Any] = [None] * world
    dist.all_gather_object(found, (mine, step_seconds))
    return all(other == found[0][0] for other, _ in found), max(seconds for _, seconds in found)


def gathered(block: Block, world: int) -> Block:
    """Returns the rows of the global batch: scores side by side, losses averaged, forces those of the averaged loss."""
    whole = copy.copy(block)
    whole.vectors = dict(block.vectors)
    for name in (*GATHERED, *FORCES):
        if name in block.vectors:
            side_by_side = torch.cat(_all(block.vectors[name], world), dim=1)
            whole.vectors[name] = side_by_side / world if name in FORCES else side_by_side
    at_image = SCALARS.index("generator_gradient_at_image")
    scalars = block.scalars.clone()
    scalars[:, at_image].square_()
    dist.all_reduce(scalars)
    scalars[:, at_image].sqrt_()
    kept = [SCALARS.index(name) for name in SUMS]
    sums = scalars[:, kept].clone()
    whole.scalars = scalars / world
    whole.scalars[:, kept] = sums
    return whole


def gathered_batches(later: Sequence[tuple[Probe, int, Step]], world: int) -> list[tuple[Probe, int, Step]]:
    """Returns the probes of batches with the batches of all ranks."""
    whole: dict[int, Step] = {}
    for _, _, step in later:
        if step.index not in whole:
            whole[step.index] = replace(
                step,
                real=_joined(step.real, world),
                fake=_joined(step.fake, world),
                previous_real=_joined(step.previous_real, world),
                previous_fake=_joined(step.previous_fake, world),
            )
    return [(probe, every, whole[step.index]) for probe, every, step in later]


def _all(value: Tensor, world: int) -> list[Tensor]:
    parts = [torch.empty_like(value) for _ in range(world)]
    dist.all_gather(parts, value)
    return parts


def _joined(batch: Tensor | None, world: int) -> Tensor | None:
    return None if batch is None else torch.cat(_all(batch.contiguous(), world))


def _shape(batch: Tensor | None) -> tuple[int, ...] | None:
    return None if batch is None else tuple(batch.shape)

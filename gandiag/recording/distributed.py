"""Several processes, one record: rows are gathered when a block is reduced, so that they equal those of one process with the global batch.

All ranks compute, rank 0 writes. The ranks meet after the same number of rows everywhere, which they agree on each time: neither a
rank's clock nor the sizes of its batches may decide alone on a collective call. Batches may differ in size from rank to rank.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gandiag.recording.buffer import BIT, SCALARS, VECTORS, WHOLE, Block
from gandiag.recording.reduce import HostRow
from gandiag.recording.step import Probe, Step

FIRST_ROWS = 8  # of the first block, before the steps' duration is known
GATHERED = ("real_logits", "fake_logits")
SIGNS = ("discriminator_sign", "generator_sign")
FORCES = ("discriminator_force_real", "discriminator_force_fake", "generator_force_real", "generator_force_fake")
SIDE_BY_SIDE = (*GATHERED, *FORCES)  # their widths follow the batch's
NORMS = ("generator_gradient_at_image", "generator_game_gradient", "generator_whole_gradient")  # over all samples
SUMS = ("real_sum", "fake_sum", "generator_turn_verdict_sum", "generator_turn_verdicts")
# of a step that probes of batches will read
BATCHES = ("real", "fake", "previous_real", "previous_fake", "shown", "made")


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


@dataclass(frozen=True)
class Form:
    """What one rank holds when the ranks meet, without the values."""

    blocks: list[tuple[list[int], list[int], list[str]]]  # steps, masks, names of the vectors
    widths: list[dict[str, int]]  # of the vectors
    batches: list[tuple[int, list[tuple[int, ...] | None]]]  # step, shapes of its batches and of the ones before
    hosts: list[HostRow]

    def like(self, other: Form) -> bool:
        """Tells whether the rows of two ranks belong to each other: the same steps showed the same things, of whatever batch size."""
        return (
            self.blocks == other.blocks
            and all(
                a[n] == b[n] for a, b in zip(self.widths, other.widths) for n in a if n not in (*SIDE_BY_SIDE, *WHOLE)
            )
            and [(step, [s and s[1:] for s in shapes]) for step, shapes in self.batches]
            == [(step, [s and s[1:] for s in shapes]) for step, shapes in other.batches]
        )


def agree(
    blocks: Sequence[Block], later: Sequence[tuple[Probe, int, Step]], hosts: list[HostRow], world: int
) -> tuple[list[Form] | None, float]:
    """Returns what each rank holds, None where their rows do not belong to each other, and the duration of a step on the slowest."""
    mine = Form(
        [(b.steps, b.masks, _names(b)) for b in blocks],
        [{name: b.vectors[name].shape[1] for name in _names(b)} for b in blocks],
        [(step.index, [_shape(getattr(step, name)) for name in BATCHES]) for _, _, step in later],
        hosts,
    )
    forms: list[Any] = [None] * world
    dist.all_gather_object(forms, mine)
    slowest = max(sum(row.step_seconds or 0.0 for row in form.hosts) / max(len(form.hosts), 1) for form in forms)
    return (forms if all(form.like(forms[0]) for form in forms) else None), slowest


def averaged(hosts: Sequence[HostRow], forms: Sequence[Form]) -> list[HostRow]:
    """Returns the rows of this rank with the images of all: each rank counts its own as if all ranks' batches were as large."""
    return [
        mine._replace(
            images_seen=_mean([row.images_seen for row in rows]),
            images_per_second=_mean([row.images_per_second for row in rows]),
        )
        for mine, *rows in zip(hosts, *(form.hosts for form in forms))
    ]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _names(block: Block) -> list[str]:
    """Returns the vectors that the block's rows hold, in a fixed order; a block that was used before has others, too."""
    some = 0
    for mask in block.masks:
        some |= mask
    return [name for name in VECTORS if some & BIT[name] and name in block.vectors]


def gathered(block: Block, which: int, forms: Sequence[Form]) -> Block:
    """Returns the rows of the global batch: scores side by side, losses averaged, forces those of the averaged loss.

    The ranks' losses count alike, whatever their batches' sizes: so does DDP average their gradients.
    """
    world = len(forms)
    rows = len(block.steps)
    whole = copy.copy(block)
    whole.vectors = {name: block.vectors[name][:rows] for name in _names(block)}
    for name in SIDE_BY_SIDE:
        if name in whole.vectors:
            parts = _all(whole.vectors[name].T, [form.widths[which][name] for form in forms])
            side_by_side = torch.cat(parts).T.contiguous()
            whole.vectors[name] = side_by_side / world if name in FORCES else side_by_side
    whole.capacity = rows
    norms = [SCALARS.index(name) for name in NORMS]
    scalars = block.scalars[:rows].clone()
    scalars[:, norms] = scalars[:, norms].square()
    dist.all_reduce(scalars)
    scalars[:, norms] = scalars[:, norms].sqrt()
    kept = [SCALARS.index(name) for name in SUMS]
    sums = scalars[:, kept].clone()
    whole.scalars = scalars / world
    whole.scalars[:, kept] = sums
    for sign in (SCALARS.index(name) for name in SIGNS):  # by one rank's gradient the step of all may seem to go up
        whole.scalars[:, sign] = torch.where(whole.scalars[:, sign] < 0, -1.0, 1.0)
    return whole


def gathered_batches(later: Sequence[tuple[Probe, int, Step]], forms: Sequence[Form]) -> list[tuple[Probe, int, Step]]:
    """Returns the probes of batches with the batches of all ranks."""
    whole: dict[int, Step] = {}
    for i, (_, _, step) in enumerate(later):
        if step.index not in whole:
            joined = {
                name: _joined(getattr(step, name), [form.batches[i][1][j] for form in forms])
                for j, name in enumerate(BATCHES)
            }
            whole[step.index] = replace(step, **joined)  # type: ignore[arg-type]  # the names are the fields'
    return [(probe, every, whole[step.index]) for probe, every, step in later]


def _all(value: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """Returns the values of all ranks, which have so many entries along the first axis."""
    most = max(sizes)
    padded = value.new_zeros(most, *value.shape[1:])
    padded[: len(value)] = value
    parts = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(parts, padded)
    return [part[:size] for part, size in zip(parts, sizes)]


def _joined(batch: Tensor | None, shapes: Sequence[tuple[int, ...] | None]) -> Tensor | None:
    return None if batch is None else torch.cat(_all(batch, [s[0] for s in shapes if s is not None]))


def _shape(batch: Tensor | None) -> tuple[int, ...] | None:
    return None if batch is None else tuple(batch.shape)

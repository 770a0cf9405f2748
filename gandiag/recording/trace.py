"""The trace: where both players' parameters are in a fixed random plane of each, so that a page can draw the way they take."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from gandiag.recording.step import Step, Value, on_device

SEED = 20_261  # of the planes, the same in every run
PLANE = 2  # directions a player


def parameter_trace(step: Step) -> dict[str, Value]:
    """Two coordinates of the generator's parameters and two of the discriminator's, along fixed random directions of unit length on average;
    the parameters themselves where there are no more than two.
    """
    if step.generator is None or step.discriminator is None:
        return {}
    placed = [_placed(player.parameters, seed) for seed, player in enumerate((step.generator, step.discriminator))]
    return {"parameter_trace": torch.cat(placed)}


def _placed(parameters: Sequence[Tensor], seed: int) -> Tensor:
    values = [p.detach() for p in parameters]
    planes = _directions(tuple(p.numel() for p in values), values[0].device, seed)
    return torch.stack([plane @ p.reshape(-1).float() for p, plane in zip(values, planes)]).sum(dim=0)


@lru_cache(maxsize=8)
def _directions(sizes: tuple[int, ...], device: torch.device, seed: int) -> list[Tensor]:
    if sum(sizes) <= PLANE:  # the parameters themselves
        return [on_device(piece, device) for piece in torch.eye(PLANE, sum(sizes)).split(sizes, dim=1)]
    chance = torch.Generator().manual_seed(SEED + seed)
    return [on_device(torch.randn(PLANE, size, generator=chance) / sum(sizes) ** 0.5, device) for size in sizes]

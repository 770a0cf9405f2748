"""Processes: one training on several devices under torchrun. Every process computes, the first one writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, distributed, nn

Made = TypeVar("Made")


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this one is. Gradients are averaged by hand, in one message a player and update.

    DistributedDataParallel expects one forward and one backward pass an update; a GAN makes several of each, and differentiates
    through gradients for its penalties. Averaging what an optimizer is about to use is exact for all of them.
    """

    rank: int = 0
    world: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """Returns this process's part of what all drew alike."""
        part = len(batch) // self.world
        return batch[self.rank * part : (self.rank + 1) * part]

    def average_gradients(self, player: nn.Module) -> None:
        """Replaces a player's gradients by their mean over all processes."""
        if self.world == 1:
            return
        gradients = [p.grad for p in player.parameters() if p.grad is not None]
        message = torch.cat([g.reshape(-1) for g in gradients])
        distributed.all_reduce(message)
        message /= self.world
        for gradient, mean in zip(gradients, message.split([g.numel() for g in gradients])):
            gradient.copy_(mean.view_as(gradient))

    def gathered(self, batch: Tensor) -> Tensor:
        """Returns what all processes hold, in the order of their ranks."""
        if self.world == 1:
            return batch
        parts = [torch.empty_like(batch) for _ in range(self.world)]
        distributed.all_gather(parts, batch.contiguous())
        return torch.cat(parts)

    def joined(self, rows: np.ndarray) -> np.ndarray:
        """Returns on the first process what all hold, in the order of their ranks, however many rows each has; on others their own."""
        if self.world == 1:
            return rows
        parts: list[Any] | None = [None] * self.world if self.writes else None
        distributed.gather_object(rows, parts)
        return rows if parts is None else np.concatenate([part for part in parts if len(part)])

    def first_then_all(self, make: Callable[[], Made]) -> Made:
        """Returns what `make` makes, on the first process before the others begin, which then find what it keeps in caches."""
        if self.writes:
            made = make()
        if self.world > 1:
            distributed.barrier()
        return made if self.writes else make()

    def mean(self, value: Tensor | None) -> Tensor | None:
        """Returns the mean of a number over all processes."""
        if value is None or self.world == 1:
            return value
        value = value.clone()
        distributed.all_reduce(value)
        return value / self.world

    def agreed(self, number: int) -> int:
        """Returns the largest of a small number over all processes: what one has seen, all act on."""
        if self.world == 1:
            return number
        message = torch.tensor([number], device="cuda" if distributed.get_backend() == "nccl" else "cpu")
        distributed.all_reduce(message, op=distributed.ReduceOp.MAX)
        return int(message.item())


def join_processes(device: torch.device) -> tuple[Processes, torch.device]:
    """Joins the processes that torchrun started (NCCL on CUDA, gloo on the CPU); alone where it started none."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return Processes(), device
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(minutes=10))
    return Processes(distributed.get_rank(), world), device


def leave_processes(processes: Processes) -> None:
    """Waits for all and leaves; without the barrier gloo aborts now and then. Not for use after an exception."""
    if processes.world > 1:
        distributed.barrier()
        distributed.destroy_process_group()

"""Sampler: an endless stream of batches whose whole state is one number, how many samples it has given."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from gandiag.errors import GandiagError, UsageError
from gandiag.training.data_mixtures import draw_mixture
from gandiag.training.dataset import Dataset, seeded, to_model

BLOCK = 65536  # points of an endless mixture that are drawn at once: a batch is then a slice
READY_LIMIT = (
    2**28
)  # bytes: a smaller set is kept as the networks see it, a larger one as uint8, converted batch by batch


AHEAD = 2  # batches that each worker keeps ready


class Sampler:
    """Gives batches of a data set for ever: each epoch is a permutation of its own, seeded by (seed, epoch).

    A batch that reaches over the end of an epoch goes on in the next, so that every sample is used equally often. With several
    processes each takes its own slice of the same global batch: `batch` is the global size. The samples lie on `device`; with `workers`
    they stay in the computer's memory, and so many threads lay out the next batches (pinned, for CUDA). A batch depends on its place
    alone, so that workers change neither what is drawn nor what a resume goes on with.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch: int,
        *,
        seed: int = 0,
        device: str | torch.device = "cpu",
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
    ) -> None:
        if batch < 1 or batch % world != 0:
            raise UsageError(f"a batch of {batch} cannot be shared by {world} processes; choose a multiple of {world}")
        if not dataset.endless and batch > len(dataset):
            raise UsageError(
                f"a batch of {batch} is larger than the data: {dataset.name} has {len(dataset)} samples; "
                f"choose --batch {len(dataset)} or less"
            )
        self.dataset, self.batch, self.seed = dataset, batch, seed
        self.rank, self.world, self.device = rank, world, torch.device(device)
        self.position = 0
        self._length = BLOCK if dataset.endless else len(dataset)
        self._home = torch.device("cpu") if workers else self.device
        self._samples = None if dataset.endless else _ready(dataset.samples.to(self._home))
        self._labels = None if dataset.endless or dataset.labels is None else dataset.labels.to(self._home)
        self._epochs: dict[int, tuple[Tensor, Tensor | None]] = {}
        self._drawing = threading.Lock()  # one epoch is drawn once
        self._pool = ThreadPoolExecutor(workers, "gandiag-data") if workers else None
        self._ahead: dict[int, Future[tuple[Tensor, Tensor | None]]] = {}
        self._depth = AHEAD * workers

    @property
    def epoch(self) -> float:
        """How often the data has been gone through, in parts."""
        return self.position / self._length

    def next(self) -> tuple[Tensor, Tensor | None]:
        """Returns this process's share of the next global batch, as the networks see it, and its labels (None where there are none)."""
        start = self.position
        self.position += self.batch
        if self._pool is None:
            return self._batch(start)
        for place in range(start, start + self.batch * (self._depth + 1), self.batch):
            if place not in self._ahead:
                self._ahead[place] = self._pool.submit(self._pinned, place)
        samples, labels = self._ahead.pop(start).result()
        there = None if labels is None else labels.to(self.device, non_blocking=True)
        return to_model(samples.to(self.device, non_blocking=True)), there

    def _batch(self, position: int) -> tuple[Tensor, Tensor | None]:
        samples, labels = self._laid_out(position)
        return to_model(samples), labels

    def _pinned(self, position: int) -> tuple[Tensor, Tensor | None]:
        samples, labels = self._laid_out(position)
        if self.device.type != "cuda":
            return to_model(samples), labels
        return samples.pin_memory(), None if labels is None else labels.pin_memory()

    def _laid_out(self, position: int) -> tuple[Tensor, Tensor | None]:
        """This process's share of the global batch that begins at a position: samples as they are kept, and their labels."""
        share = self.batch // self.world
        start = position + self.rank * share
        pieces = [self._piece(place, place_end) for place, place_end in self._spans(start, start + share)]
        samples = pieces[0][0] if len(pieces) == 1 else torch.cat([samples for samples, _ in pieces])
        labels = [label for _, label in pieces if label is not None]
        return samples, None if not labels else labels[0] if len(labels) == 1 else torch.cat(labels)

    def _spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """Cuts [start, end) at the ends of the epochs."""
        spans = []
        while start < end:
            stop = min(end, (start // self._length + 1) * self._length)
            spans.append((start, stop))
            start = stop
        return spans

    def _piece(self, start: int, end: int) -> tuple[Tensor, Tensor | None]:
        epoch, offset = divmod(start, self._length)
        first, labels = self._epoch(epoch)
        span = slice(offset, offset + end - start)
        if self._samples is None:
            return first[span], None if labels is None else labels[span]
        chosen = first[span]
        return self._samples.index_select(0, chosen), None if self._labels is None else self._labels.index_select(
            0, chosen
        )

    def _epoch(self, epoch: int) -> tuple[Tensor, Tensor | None]:
        """Returns the epoch's permutation, or of an endless mixture its points and their modes; keeps those of the epochs around."""
        with self._drawing:
            if epoch not in self._epochs:
                generator = seeded(self.seed, epoch)
                if self.dataset.endless:
                    points, modes = draw_mixture(self.dataset, self._length, generator)
                    entry: tuple[Tensor, Tensor | None] = (points.to(self._home), modes.to(self._home))
                else:
                    entry = (torch.randperm(self._length, generator=generator).to(self._home), None)
                around = range(epoch - 1 - self._depth * self.batch // self._length, epoch)
                self._epochs = {kept: value for kept, value in self._epochs.items() if kept in around} | {epoch: entry}
            return self._epochs[epoch]

    def state_dict(self) -> dict[str, Any]:
        """Returns the position and what it is a position in."""
        return {"position": self.position, "seed": self.seed, "batch": self.batch, "data": self.dataset.hash}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes to a saved position, exactly; other data than it was saved on raises."""
        if state["data"] != self.dataset.hash:
            raise GandiagError(
                f"the data is not what the checkpoint was trained on: {self.dataset.name} has the hash {self.dataset.hash[:12]}, "
                f"the checkpoint says {state['data'][:12]}; give the same data, or start a new run"
            )
        self.position, self.seed = int(state["position"]), int(state["seed"])
        self._epochs, self._ahead = {}, {}


def _ready(samples: Tensor) -> Tensor:
    return to_model(samples) if samples.dtype == torch.uint8 and 4 * samples.numel() <= READY_LIMIT else samples

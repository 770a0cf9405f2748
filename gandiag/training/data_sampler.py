"""Sampler: an endless stream of batches whose whole state is one number, how many samples it has given."""

from __future__ import annotations

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


class Sampler:
    """Gives batches of a data set for ever: each epoch is a permutation of its own, seeded by (seed, epoch).

    A batch that reaches over the end of an epoch goes on in the next, so that every sample is used equally often. With several
    processes each takes its own slice of the same global batch: `batch` is the global size. The samples lie on `device`.
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
        self._samples = None if dataset.endless else _ready(dataset.samples.to(self.device))
        self._labels = None if dataset.endless or dataset.labels is None else dataset.labels.to(self.device)
        self._epochs: dict[int, tuple[Tensor, Tensor | None]] = {}

    @property
    def epoch(self) -> float:
        """How often the data has been gone through, in parts."""
        return self.position / self._length

    def next(self) -> tuple[Tensor, Tensor | None]:
        """Returns this process's share of the next global batch, as the networks see it, and its labels (None where there are none)."""
        share = self.batch // self.world
        start = self.position + self.rank * share
        self.position += self.batch
        pieces = [self._piece(place, place_end) for place, place_end in self._spans(start, start + share)]
        samples = pieces[0][0] if len(pieces) == 1 else torch.cat([samples for samples, _ in pieces])
        labels = [label for _, label in pieces if label is not None]
        return to_model(samples), None if not labels else labels[0] if len(labels) == 1 else torch.cat(labels)

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
        """Returns the epoch's permutation, or of an endless mixture its points and their modes; keeps the last two."""
        if epoch not in self._epochs:
            generator = seeded(self.seed, epoch)
            if self.dataset.endless:
                points, modes = draw_mixture(self.dataset, self._length, generator)
                entry: tuple[Tensor, Tensor | None] = (points.to(self.device), modes.to(self.device))
            else:
                entry = (torch.randperm(self._length, generator=generator).to(self.device), None)
            self._epochs = {kept: value for kept, value in self._epochs.items() if kept == epoch - 1} | {epoch: entry}
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
        self._epochs = {}


def _ready(samples: Tensor) -> Tensor:
    return to_model(samples) if samples.dtype == torch.uint8 and 4 * samples.numel() <= READY_LIMIT else samples

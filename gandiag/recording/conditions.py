"""The labels that a conditional discriminator is given: whether they belong to the reals beside them, and which are asked of the fakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

SAMPLES = 1024  # of the first reals and of the first fakes: hard classes show among a thousand
FIRST_LATER = 128  # the step from which on it is looked again, and then each time that the run is half as long again
LATER_SAMPLES = 512  # of which it can be told then
MOST_VALUES = 4_096  # of a sample; of a larger one so many, evenly spaced: three looks are kept
COMPARED = 64  # values of a sample, evenly spaced, by which it is known as the generator's
NEIGHBOUR, MANY = 6, 256  # which neighbour's label is asked for, of so many samples
COPY = 0.25  # of the squared distance of strangers
MOST_CLASSES = 128  # beyond, whole numbers are places in the data or points in time rather than classes
MOST_ROWS = 2_000  # of a look, after which nothing more is kept


class Pairs:
    """Reals with their labels, from one step on."""

    def __init__(self, begin: int) -> None:
        self.begin, self.count = begin, 0
        self._images: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._real: list[Tensor] = []  # which of them are no fakes

    def keep(self, image: Tensor, labels: Tensor, real: Tensor) -> None:
        """Takes a batch, of which some may be fakes that the loop has joined to the reals."""
        flat = image.detach().reshape(len(image), -1)
        self._images.append(flat[:, :: -(-flat.shape[1] // MOST_VALUES)].clone())
        self._labels.append(labels)
        self._real.append(real)
        self.count += len(labels)

    @property
    def labels(self) -> Tensor:
        """The reals' labels, on the host; waits for the device."""
        return torch.cat(self._labels)[torch.cat(self._real)].cpu()

    def agreement(self) -> dict[str, float] | None:
        """How far the labels belong to the samples; None where they are too many, or the samples of several sizes. Waits for the device."""
        labels = self.labels
        if len(torch.unique(labels)) > MOST_CLASSES or len({image.shape[1] for image in self._images}) > 1:
            return None
        return same_class(torch.cat(self._images)[torch.cat(self._real)].float().cpu(), labels)


class Conditions:
    """Keeps the first reals with their labels, some from each time that the run has grown by a half, and the labels of the first fakes."""

    def __init__(self) -> None:
        self._first = Pairs(0)
        self._later: list[Pairs] = []  # the last one, which may be short yet, after the one before it
        self._next = FIRST_LATER
        self._of_fakes: list[Tensor] = []
        self._fakes = 0

    def wants(self, row: int) -> bool:
        """Tells whether more is kept of calls with several arguments; begins another look where one is due."""
        if row >= self._next and self._first.count >= SAMPLES:
            while self._next <= row:
                self._next += self._next // 2
            self._later = [*self._later[-1:], Pairs(row)]
        if self._later and self._later[-1].count < SAMPLES:
            return row < self._later[-1].begin + MOST_ROWS
        return row < MOST_ROWS and min(self._first.count, self._fakes) < SAMPLES

    def note(
        self,
        image: Tensor | None,
        fake: bool,
        arguments: tuple[Any, ...],
        named: Mapping[str, Any],
        made: Tensor | None = None,
    ) -> None:
        """Keeps what the discriminator is given beside a batch, where that is a class for each sample; `made` is the generator's last output."""
        wanting = next((p for p in (self._first, *self._later) if p.count < SAMPLES), None)
        if image is None or image.dim() < 2 or (self._fakes >= SAMPLES if fake else wanting is None):
            return
        beside = (t for t in tree_leaves((arguments, dict(named))) if isinstance(t, Tensor) and t is not image)
        given = next((found for t in beside if (found := classes(t, len(image))) is not None), None)
        if given is None:
            return
        if fake:
            self._fakes += len(given)
            self._of_fakes.append(given)
        elif wanting is not None:
            wanting.keep(image, given, ~_copies(image, made))

    def told(self) -> dict[str, Any] | None:
        """Returns the entry of run.json, None where no labels were seen. Waits for the device."""
        if not self._first.count:
            return None
        found: dict[str, Any] = {"counts": {"real": counts(self._first.labels)}}
        if self._of_fakes:
            found["counts"]["fake"] = counts(torch.cat(self._of_fakes).cpu())
        if (agreement := self._first.agreement()) is not None:
            found["agreement"] = agreement
        later = next((p for p in reversed(self._later) if p.count >= LATER_SAMPLES), None)
        if later is not None and (agreement := later.agreement()) is not None:
            found["later_agreement"] = {**agreement, "since": later.begin}
        return found


def classes(tensor: Tensor, batch: int) -> Tensor | None:
    """Returns the class of each sample (batch,) as a tensor of its own, where a tensor is that by its form: whole numbers, one a sample."""
    whole = not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)
    if not whole or not tensor.dim() or len(tensor) != batch or tensor.numel() != batch:
        return None
    return tensor.detach().reshape(-1).clone()


def _copies(image: Tensor, made: Tensor | None) -> Tensor:
    """Returns which samples of a batch (n,) are the generator's: to the last bit where it is larger than its output, else all or none.

    A batch as large as the output is that where sample and output of one place lie far nearer than those of two: a copy with noise, say.
    """
    none = torch.zeros(len(image), dtype=torch.bool, device=image.device)
    if made is None or made.shape[1:] != image.shape[1:] or not 0 < len(made) <= len(image):
        return none
    every = -(-made[0].numel() // COMPARED)
    shown, mine = (x.detach().reshape(len(x), -1)[:, ::every] for x in (image, made))
    if len(made) < len(image):
        return (shown[:, None] == mine[None]).all(-1).any(1)
    return is_copy(shown, mine).expand(len(image))


def is_copy(shown: Tensor, made: Tensor) -> Tensor:
    """Tells whether a batch (n, ...) is another one, perhaps with noise: a 0-d flag."""
    one, other = ((shown - x).float().square().sum() for x in (made, made.roll(1, 0)))
    return (one < COPY * other) | (one == 0)


def counts(labels: Tensor) -> dict[str, int]:
    """How often each class comes."""
    values, times = np.unique(labels.numpy(), return_counts=True)
    return {str(int(v)): int(n) for v, n in zip(values, times)}


def same_class(samples: Tensor, labels: Tensor) -> dict[str, float]:
    """How often a near other sample has the same label, how often that were by chance, and of how many samples.

    A sample that was drawn twice counts once: it is its own nearest neighbour, and has its own label. Of many samples it is not the nearest that
    is asked but the sixth: the nearest may be the sample itself, drawn again with other noise.
    """
    _, once = np.unique(samples.numpy(), axis=0, return_index=True)
    samples, labels = samples[once], labels[once]
    apart = torch.cdist(samples, samples).fill_diagonal_(torch.inf)
    near = apart.kthvalue(NEIGHBOUR if len(samples) >= MANY else 1, dim=1).indices
    _, counts = np.unique(labels.numpy(), return_counts=True)
    shares = counts / len(labels)
    same = float((labels[near] == labels).double().mean())
    return {"share": same, "chance": float((shares**2).sum()), "count": float(len(labels))}

"""The labels that a conditional discriminator is given: whether they belong to the reals beside them, and which are asked of the fakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

SAMPLES = 1024  # of the first reals and of the first fakes: hard classes show among a thousand
MOST_VALUES = 16_384  # of a sample; of a larger one so many, evenly spaced
MOST_CLASSES = 128  # beyond, whole numbers are places in the data or points in time rather than classes
MOST_ROWS = 2_000  # after which nothing more is kept


class Conditions:
    """Keeps the first reals with their labels, and the labels of the first fakes, on their device."""

    def __init__(self) -> None:
        self._images: list[Tensor] = []
        self._labels: dict[bool, list[Tensor]] = {False: [], True: []}
        self._count = {False: 0, True: 0}

    def wants(self, row: int) -> bool:
        """Tells whether more is kept of calls with several arguments."""
        return row < MOST_ROWS and min(self._count.values()) < SAMPLES

    def note(self, image: Tensor | None, fake: bool, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Keeps what the discriminator is given beside a batch, where that is a class for each sample."""
        if image is None or image.dim() < 2 or self._count[fake] >= SAMPLES:
            return
        beside = (t for t in tree_leaves((arguments, dict(named))) if isinstance(t, Tensor) and t is not image)
        given = next((found for t in beside if (found := classes(t, len(image))) is not None), None)
        if given is None:
            return
        self._count[fake] += len(given)
        self._labels[fake].append(given)
        if not fake:
            flat = image.detach().reshape(len(image), -1)
            self._images.append(flat[:, :: -(-flat.shape[1] // MOST_VALUES)].clone())

    def told(self) -> dict[str, Any] | None:
        """Returns the entry of run.json, None where no labels were seen. Waits for the device."""
        if not self._labels[False]:
            return None
        found: dict[str, Any] = {}
        labels = {
            who: torch.cat(self._labels[fake]).cpu()
            for who, fake in (("real", False), ("fake", True))
            if self._labels[fake]
        }
        found["counts"] = {who: _counts(seen) for who, seen in labels.items()}
        few = len(found["counts"]["real"]) <= MOST_CLASSES
        if few and len({image.shape[1] for image in self._images}) == 1:
            found["agreement"] = _agreement(torch.cat(self._images).float().cpu(), labels["real"])
        return found


def classes(tensor: Tensor, batch: int) -> Tensor | None:
    """Returns the class of each sample (batch,) as a tensor of its own, where a tensor is that by its form: whole numbers, one a sample."""
    whole = not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)
    if not whole or not tensor.dim() or len(tensor) != batch or tensor.numel() != batch:
        return None
    return tensor.detach().reshape(-1).clone()


def _counts(labels: Tensor) -> dict[str, int]:
    values, counts = np.unique(labels.numpy(), return_counts=True)
    return {str(int(v)): int(c) for v, c in zip(values, counts)}


def _agreement(samples: Tensor, labels: Tensor) -> dict[str, float]:
    """How often the nearest other sample has the same label, how often that were by chance, and of how many samples."""
    same = labels[torch.cdist(samples, samples).fill_diagonal_(torch.inf).argmin(dim=1)] == labels
    _, counts = np.unique(labels.numpy(), return_counts=True)
    shares = counts / len(labels)
    return {"share": float(same.double().mean()), "chance": float((shares**2).sum()), "count": float(len(labels))}

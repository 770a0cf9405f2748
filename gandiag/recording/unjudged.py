"""Whether a class that the generator is told is judged by anybody: D is shown the bare sample, and gives one score for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from gandiag.recording.conditions import classes

LOOKS = 16  # of D's calls, none of which may hold anything beside the sample
KEPT = 3  # of the generator's inputs
MOST_VALUES = 1024  # of a sample's input
FEWEST_CLASSES = 2


class Unjudged:
    """Keeps a few of the generator's inputs, and looks whether D is ever given more than samples, or returns more than a score."""

    def __init__(self) -> None:
        self._given: list[list[Tensor]] = []  # by call
        self._bare = 0  # calls of D on nothing but a sample
        self._more = False

    @property
    def looks(self) -> bool:
        """Whether D's calls are still of interest."""
        return not self._more and self._bare < LOOKS

    def given(self, arguments: tuple[Any, ...], named: Mapping[str, Any], output: Tensor) -> None:
        """Notes what the generator is given for an output."""
        if len(self._given) >= KEPT or self._more or not output.dim():
            return
        count = len(output)
        if count < 2 * FEWEST_CLASSES:
            return
        kept = []
        for tensor in (t for t in tree_leaves((arguments, dict(named))) if isinstance(t, Tensor)):
            if (labels := classes(tensor, count)) is not None:
                kept.append(labels)
            elif tensor.dim() == 2 and len(tensor) == count and tensor.shape[1] <= MOST_VALUES:
                kept.append(tensor.detach().clone())
        self._given.append(kept)

    def judged(self, only: Tensor | None, made: Tensor | None, output: Any) -> None:
        """Notes a call of D: its only argument where it has but one, the generator's last output, and all that D returns."""
        returned = sum(t.numel() for t in tree_leaves(output) if isinstance(t, Tensor))
        if only is None or returned != len(only) or (made is not None and only.shape[1:] != made.shape[1:]):
            self._more = True
        elif made is not None:
            self._bare += 1

    def told(self) -> dict[str, Any] | None:
        """Returns the entry of run.json, None where G is told no class or D may judge it. Waits for the device."""
        if self._more or self._bare < LOOKS:
            return None
        found = [max((_classes_in(given.cpu()) for given in call), default=0) for call in self._given]
        return {"classes": max(found), "calls": self._bare} if found and min(found) >= FEWEST_CLASSES else None


def _classes_in(given: Tensor) -> int:
    """How many classes the generator is told: of whole numbers the different ones, of rows the columns of a one-hot block at either end; 0 = none."""
    if given.dim() == 1:
        return len(torch.unique(given))
    binary = ((given == 0) | (given == 1)).all(0)
    width = given.shape[1]
    for ends in (binary, binary.flip(0)):
        block = width if bool(ends.all()) else int((~ends).int().argmax())
        rows = given[:, :block] if ends is binary else given[:, width - block :]
        if (
            block >= FEWEST_CLASSES
            and bool((rows.sum(1) == 1).all())
            and int((rows.sum(0) > 0).sum()) >= FEWEST_CLASSES
        ):
            return block
    return 0

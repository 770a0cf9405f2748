"""Whether fakes are judged under the conditions that they were made for: what G was given beside its latents, and D beside those very fakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

LOOKS = 200  # calls of D on the generator's last output, in either turn
FEWEST = 20
MOST_CALLS = 2_000  # of the generator, after which no condition is looked for any more
MOST_VALUES = 1024  # of a sample's condition


class Asked:
    """Compares what both players are given for the same samples, row by row, without waiting for the device."""

    def __init__(self) -> None:
        self._given: list[Tensor] = []  # to the generator, at its last call
        self._batch = self._calls = 0
        self._looks: dict[str, list[tuple[Tensor, Tensor]]] = {"discriminator": [], "generator": []}

    def given(self, arguments: tuple[Any, ...], named: Mapping[str, Any], output: Tensor) -> None:
        """Notes what the generator is given for an output."""
        self._batch = len(output) if output.dim() else 0
        self._calls += 1
        if len(arguments) + len(named) < 2 or self._calls > MOST_CALLS:
            self._given = []
            return
        self._given = _conditions(arguments, named, self._batch)

    @property
    def looks(self) -> bool:
        """Whether the generator was given anything that may be a condition."""
        return bool(self._given)

    def judged(self, turn: str, image: Tensor, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Notes what the discriminator is given beside the generator's last output, in whose turn."""
        looks = self._looks[turn]
        if not self._given or len(looks) >= LOOKS or not image.dim() or len(image) != self._batch:
            return
        shown = image.data_ptr()
        pairs = [
            (mine, theirs)
            for theirs in _conditions(arguments, named, self._batch)
            for mine in self._given
            if theirs.data_ptr() != shown
            and mine.shape == theirs.shape
            and mine.dtype is theirs.dtype
            and mine.device == theirs.device
        ]
        if pairs:
            shares = [_same(mine, theirs) for mine, theirs in pairs]
            chances = [_same(mine.roll(1, 0), theirs) for mine, theirs in pairs]
            looks.append((torch.stack(shares).amax(), torch.stack(chances).amax()))

    def told(self) -> dict[str, dict[str, float]] | None:
        """Returns, by turn, the share of the samples whose conditions are the same, that of their neighbours', and of how many batches.

        None where nothing was seen. Waits for the device.
        """
        found = {}
        for turn, looks in self._looks.items():
            if len(looks) >= FEWEST:
                share, chance = torch.stack([torch.stack(one) for one in looks]).mean(0).tolist()
                found[turn] = {"share": share, "chance": chance, "batches": float(len(looks))}
        return found or None


def _conditions(arguments: tuple[Any, ...], named: Mapping[str, Any], batch: int) -> list[Tensor]:
    """Returns what may be a condition among what a network is given: anything small with a row for each sample."""
    leaves = (t for t in tree_leaves((arguments, dict(named))) if isinstance(t, Tensor))
    return [t.detach() for t in leaves if t.dim() and len(t) == batch and 0 < t.numel() <= MOST_VALUES * batch]


def _same(mine: Tensor, theirs: Tensor) -> Tensor:
    return (mine == theirs).reshape(len(mine), -1).all(1).float().mean()

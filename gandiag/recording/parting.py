"""One batch that holds several: its scores, their gradients and its samples cut into parts as large as the generator's batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gandiag.recording.origin import MOST_PARTS
from gandiag.recording.passes import Call

COMPARED = 4_000_000  # values at most that are compared to find single copies

Piece = tuple[Tensor, Tensor, Tensor]  # scores, the gradients at them, what D was shown


def parted(call: tuple[Call, Tensor, Tensor], batches: list[int]) -> list[Piece]:
    """Cuts a call on twice the generator's batch into halves, on several times that into parts as large as G's batch.

    Every scale's scores must have as many values for each sample.
    """
    one, score, gradient = call
    image = one.image
    if image is None or not len(image):
        return []
    if one.origin.fake:
        batches = [] if one.origin.whole else [one.origin.batch or 0]
    fitting = [size for size in batches if size and len(image) % (2 * size) == 0 and len(image) // size <= MOST_PARTS]
    if not fitting:
        return []
    parts = len(image) // max(fitting)
    sizes = [s.numel() for s in one.scores]
    if (len(sizes) > 1 or parts > 2) and (sum(sizes) != len(score) or any(size % len(image) for size in sizes)):
        return []
    cut = len(image) // parts
    return [
        (_part(score, sizes, which, parts), _part(gradient, sizes, which, parts), image[which * cut :][:cut])
        for which in range(parts)
    ]


def _part(values: Tensor, sizes: list[int], which: int, parts: int) -> Tensor:
    """Returns one of so many equal parts of the batch, of each scale's values."""
    if len(sizes) < 2:
        size = len(values) // parts
        return values[which * size :] if which == parts - 1 else values[which * size :][:size]
    return torch.cat([scale[which * (len(scale) // parts) :][: len(scale) // parts] for scale in values.split(sizes)])


@dataclass(frozen=True, slots=True)
class Copies:
    """Which samples of a batch of two halves are copies of the generator's: exactly as many as a half has, or their order tells nothing."""

    order: Tensor  # the samples, those that are no copies first
    exactly: Tensor  # 0-d, whether half of all are copies

    def pick(self, first: Tensor, second: Tensor, which: int, otherwise: Tensor) -> Tensor:
        """Returns of what belongs to both halves' samples that of the copies (`which` is 1) or of the others (0), where they are known."""
        half = len(self.order) // 2
        each = torch.cat([first, second]).reshape(len(self.order), -1)
        mine = each[self.order[half:] if which else self.order[:half]]
        return torch.where(self.exactly, mine.reshape(otherwise.shape), otherwise)


def copies_among(first: Tensor, second: Tensor, made: Tensor) -> Copies | None:
    """Looks for the generator's samples among those of a batch, which a loop may have shuffled; None where they cannot be compared.

    Of large samples a few values stand for all: a copy is one to the last bit. Nothing is read from the device.
    """
    count = len(made) if made.dim() > 1 else 0
    if not count or len(first) != count or len(second) != count or first[0].numel() != made[0].numel():
        return None
    values = max(1, COMPARED // (2 * count * count))
    shown, mine = (x.reshape(len(x), -1)[:, :values] for x in (torch.cat([first, second]), made))
    copied = (shown[:, None] == mine[None]).all(-1).any(1)
    return Copies(copied.int().argsort(stable=True), copied.sum() == count)

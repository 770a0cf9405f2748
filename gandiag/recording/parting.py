"""One batch that holds several: its scores, their gradients and its samples cut into parts as large as the generator's batch."""

from __future__ import annotations

import torch
from torch import Tensor

from gandiag.recording.origin import MOST_PARTS
from gandiag.recording.passes import Call

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

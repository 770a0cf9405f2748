"""ImageSource: a set of images of one size, read in batches of uint8 wherever they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

BATCH = 256


@dataclass(frozen=True)
class ImageSource:
    """An image set: `read(indices)` gives those images as uint8 (n, c, h, w); labels (count,) where the set has them."""

    name: str
    count: int
    shape: tuple[int, int, int]
    read: Callable[[Sequence[int]], Tensor]
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()

    def batches(self, size: int = BATCH) -> Iterator[Tensor]:
        """Yields all images in order, `size` at a time."""
        for start in range(0, self.count, size):
            yield self.read(range(start, min(start + size, self.count)))

    def images(self) -> Tensor:
        """Returns all images at once."""
        return torch.cat(list(self.batches()))

    def part(self, rank: int, world: int) -> ImageSource:
        """Returns the rank's share of as many stretches of about the same length, in order."""
        if world == 1:
            return self
        begin, end = rank * self.count // world, (rank + 1) * self.count // world
        return replace(
            self,
            count=end - begin,
            read=lambda at: self.read([begin + i for i in at]),
            labels=None if self.labels is None else self.labels[begin:end],
        )

    def thinned(self, count: int, seed: int = 0) -> ImageSource:
        """Returns `count` of the images, drawn by the seed without replacement; all of them where there are no more."""
        if count >= self.count:
            return self
        chosen = np.sort(np.random.default_rng(seed).permutation(self.count)[:count])
        return replace(
            self,
            count=count,
            read=lambda at: self.read([int(chosen[i]) for i in at]),
            labels=None if self.labels is None else self.labels[chosen],
        )


def sized_to(source: ImageSource, size: int | None) -> ImageSource:
    if size is None or source.shape[1:] == (size, size):
        return source
    from PIL import Image

    def read(indices: Sequence[int]) -> Tensor:
        planes = source.read(indices).flatten(0, 1).numpy()
        resized = [np.asarray(Image.fromarray(p).resize((size, size), Image.Resampling.BICUBIC)) for p in planes]
        return torch.from_numpy(np.stack(resized)).unflatten(0, (len(indices), source.shape[0]))

    return replace(source, shape=(source.shape[0], size, size), read=read)

"""FrechetDistance: images in as they come, memory that does not grow with them, and one number out, also under torchrun."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from gandiag.metrics.feature_space import Features, check_images
from gandiag.metrics.features import load_features
from gandiag.metrics.frechet import FrechetStatistics, frechet_distance, frechet_statistics, merge_all

ROWS_KEPT = 4096  # features wait in a buffer until they are this many, so that a small batch costs no d x d sum


class FrechetDistance:
    """A streaming Frechet distance with the shape of torchmetrics: update(images, real=...), compute(), reset().

    `features` is a Features, or a name for load_features. Sums are float64. In a group of processes each is given its own
    images, and compute() gives all of them the distance of all images. The same images in the same batches give the same bits.
    """

    def __init__(self, features: Features | str = "digits-cnn", *, biased: bool = False) -> None:
        self.features = load_features(features) if isinstance(features, str) else features
        self._biased = biased
        self._sides: dict[bool, _Side] = {}
        self.reset()

    def update(self, images: Any, *, real: bool) -> None:
        """Adds uint8 images (n, c, h, w) to the real or the fake side."""
        self.update_features(self.features.extract(check_images(images)), real=real)

    def update_features(self, features: Any, *, real: bool) -> None:
        """Adds features (n, d) that were extracted already; raises ValueError where they do not fit those given before."""
        rows = torch.as_tensor(features).detach()
        if rows.ndim != 2:
            raise ValueError(f"features have shape {tuple(rows.shape)}; (samples, features) was expected")
        self._sides[bool(real)].add(rows)

    def statistics(self, *, real: bool) -> FrechetStatistics:
        """Returns one side's statistics, of all processes together; raises ValueError where no process has seen a sample."""
        return reduce_statistics(self._sides[real].statistics(), "real" if real else "fake", biased=self._biased)

    def compute(self) -> float:
        """Returns the distance of what was given so far; raises ValueError where a side has fewer than two samples."""
        return frechet_distance(self.statistics(real=True), self.statistics(real=False))

    def reset(self, *, real: bool | None = None) -> None:
        """Forgets both sides, or one: `reset(real=False)` keeps the reals and their factor for the next fakes."""
        for side in (True, False) if real is None else (real,):
            self._sides[side] = _Side("real" if side else "fake", self._biased)


class _Side:
    """Merged statistics and a buffer of rows that are not in them yet."""

    def __init__(self, who: str, biased: bool) -> None:
        self._who, self._biased = who, biased
        self._width: int | None = None
        self._merged: FrechetStatistics | None = None
        self._rows: list[Tensor] = []  # where they were made

    def add(self, rows: Tensor) -> None:
        if self._width not in (None, rows.shape[1]):
            raise ValueError(
                f"the {self._who} features were {self._width} wide so far, these are {rows.shape[1]}: give images of one size"
            )
        if len(rows):
            self._width = rows.shape[1]
            self._rows.append(rows)
        if sum(len(r) for r in self._rows) >= ROWS_KEPT:
            self._merge()

    def statistics(self) -> FrechetStatistics | None:
        self._merge()
        return self._merged

    def _merge(self) -> None:
        if self._rows:
            fresh = frechet_statistics(torch.cat(self._rows), who=self._who, biased=self._biased)
            self._merged = fresh if self._merged is None else self._merged.merge(fresh)
            self._rows = []


def reduce_statistics(own: FrechetStatistics | None, who: str = "given", *, biased: bool = False) -> FrechetStatistics:
    """Returns the statistics of all processes' samples together, on every process: moments all-reduced in float64.

    Outside of a process group it returns what it was given. Raises ValueError where nobody has any sample.
    """
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        if own is None:
            raise ValueError(f"there are no {who} samples yet: call update first")
        return own
    device = torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
    shape = torch.tensor([own.count if own else 0, own.width if own else 0], dtype=torch.int64, device=device)
    count, width = shape.clone(), shape.clone()
    dist.all_reduce(count, op=dist.ReduceOp.SUM)
    dist.all_reduce(width, op=dist.ReduceOp.MAX)
    if not int(count[0]):
        raise ValueError(f"there are no {who} samples yet on any process: call update first")
    if int(count[0]) <= int(width[1]):
        return _gathered(own)
    return _summed(own, int(count[0]), int(width[1]), device, biased=biased)


def _summed(
    own: FrechetStatistics | None, count: int, width: int, device: torch.device, *, biased: bool
) -> FrechetStatistics:
    total = torch.zeros(width, dtype=torch.float64) if own is None else torch.from_numpy(own.mean * own.count)
    total = total.to(device)
    dist.all_reduce(total)
    mean = total.cpu().numpy() / count
    scatter = np.zeros((width, width))
    if own is not None:
        shift = own.mean - mean
        scatter = own.covariance * own.divisor if own.divisor > 0 else scatter
        scatter = scatter + own.count * np.outer(shift, shift)
    summed = torch.from_numpy(scatter).to(device)
    dist.all_reduce(summed)
    return FrechetStatistics(count, mean, summed.cpu().numpy(), None, biased)


def _gathered(own: FrechetStatistics | None) -> FrechetStatistics:
    """With fewer samples than features the rows themselves are gathered: only they keep the distance exact."""
    parts: list[FrechetStatistics | None] = [None] * dist.get_world_size()
    dist.all_gather_object(parts, own)
    return merge_all(part for part in parts if part is not None)

"""A sketch of the batches: a few points of each, kept as they are. What a batch is too small to show, those of many steps show together."""

from __future__ import annotations

import torch
from torch import Tensor

from gandiag.quantities import SKETCHED
from gandiag.recording.centres import DIRECTIONS, along
from gandiag.recording.diversity import projected
from gandiag.recording.step import Step, Value

OFTEN = 4000  # steps, from which on
SELDOM = 200  # steps lie between two sketches: a long recording is not to grow by them


def sketch(step: Step) -> dict[str, Value]:
    """Samples from all over both batches as points of at most eight coordinates, one after the other (256,), NaN where there are fewer.

    A batch may be sorted: by class, or by which of several generators made it. Samples of more values than eight are taken along fixed random
    directions, which keep distances in expectation.
    """
    if step.index >= OFTEN and step.index % SELDOM:
        return {}
    real, fake = step.real, step.fake
    if real is None or fake is None or real.shape[1:] != fake.shape[1:] or not real[:1].numel() or not len(fake):
        return {}
    return {"real_sketch": _points(real), "fake_sketch": _points(fake)}


def _points(batch: Tensor) -> Tensor:
    points = projected(batch.detach(), SKETCHED)
    points = along(points) if points.shape[1] > DIRECTIONS else points
    room = torch.full((SKETCHED, points.shape[1]), torch.nan, device=points.device)
    room[: len(points)] = points
    return room.flatten()

"""What the loop's own arguments say, and the small tensor work around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandiag.recording.capture import Call
from gandiag.recording.diversity import COMPARED
from gandiag.recording.turns import Side


def says(given: Sequence[tuple[Tensor | None, bool]]) -> Callable[[Call], bool | None]:
    """Returns what the loop's own arguments say of a captured call: on reals, on fakes, or nothing."""
    there = [(t, is_real) for t, is_real in given if t is not None]
    if not there:
        return _nothing_said
    places = {(t.data_ptr(), t.numel()): is_real for t, is_real in there}
    known: dict[int, bool] = {}

    def said(call: Call) -> bool | None:
        if len(call.scores) == 1:  # the usual case: the very output, whose memory begins where the given tensor's does
            found = places.get((call.scores[0].data_ptr(), call.scores[0].numel()))
            if found is not None:
                return found
        if not known:
            known.update({t.untyped_storage()._cdata: is_real for t, is_real in there})
        for score in call.scores:
            found = known.get(score.untyped_storage()._cdata)
            if found is not None:
                return found
        return None if call.image is None else known.get(call.image.untyped_storage()._cdata)

    return said


def _nothing_said(call: Call) -> bool | None:
    return None


def first_shown(preferred: Side, otherwise: Side) -> Side:
    """Returns what one player saw, or else what the other did."""
    return preferred if preferred.scores else otherwise


def joined(images: list[Tensor]) -> Tensor | None:
    """Returns batches of one shape as one batch; the first where their shapes differ."""
    if not images:
        return None
    if len(images) == 1 or any(i.shape[1:] != images[0].shape[1:] for i in images):
        return images[0]
    return torch.cat(images)


def head(batch: Tensor | None) -> Tensor | None:
    """Returns a copy of a batch's first values, flat, for comparison with the next batch."""
    return None if batch is None else batch.detach().reshape(-1)[:COMPARED].clone()


def copied(batch: Tensor | None) -> Tensor | None:
    """Returns a copy that no in-place change reaches."""
    return None if batch is None else batch.clone()


def flat_or_none(values: Tensor | None) -> Tensor | None:
    """Returns scores as probes read them."""
    return None if values is None else values.detach().reshape(-1).float()


def listed(value: Any) -> Any:
    """Returns a score as JSON can hold it."""
    if isinstance(value, (Tensor, np.ndarray)):
        return value.tolist()
    return list(value) if isinstance(value, (list, tuple)) else value

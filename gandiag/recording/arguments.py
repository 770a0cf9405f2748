"""What the loop's own arguments say, and the small tensor work around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandiag.errors import UsageError
from gandiag.recording.diversity import COMPARED
from gandiag.recording.passes import Call

Scores = Tensor | np.ndarray | Sequence[Tensor] | None


def says(
    real_logits: Tensor | None, fake_logits: Tensor | None, real: Tensor | None, fake: Tensor | None
) -> Callable[[Call], bool | None]:
    """Returns what the loop's own arguments say of a captured call: on reals, on fakes, or nothing."""
    if real_logits is None and fake_logits is None and real is None and fake is None:
        return _nothing_said
    given = ((real_logits, True), (fake_logits, False), (real, True), (fake, False))
    scores_at = _by_address(real_logits, fake_logits)
    images_at: dict[int, tuple[int, bool]] | None = None  # most calls are known by their scores
    known: dict[int, bool] = {}

    def said(call: Call) -> bool | None:
        nonlocal images_at
        # the usual case: the very tensor, whose memory begins where the given one's does
        image = call.image
        if len(call.scores) == 1:
            score = call.scores[0]
            found = scores_at.get(score.data_ptr())
            if found is not None and found[0] == score.numel():
                return found[1]
        if images_at is None:
            images_at = _by_address(real, fake)
        found = None if image is None else images_at.get(image.data_ptr())
        if found is not None and image is not None and found[0] == image.numel():
            return found[1]
        if not known:
            known.update(_by_storage(given))
        for tensor in (*call.scores, *(() if image is None else (image,))):
            found_by_storage = known.get(tensor.untyped_storage()._cdata)
            if found_by_storage is not None:
                return found_by_storage
        return None

    return said


def _by_address(real: Tensor | None, fake: Tensor | None) -> dict[int, tuple[int, bool]]:
    """Returns where these begin in memory, with their sizes and whether they are real."""
    found = {}
    if real is not None:
        found[real.data_ptr()] = real.numel(), True
    if fake is not None:
        found[fake.data_ptr()] = fake.numel(), False
    return found


def _by_storage(given: Sequence[tuple[Tensor | None, bool]]) -> dict[int, bool]:
    """Returns what storage holds what; of one that holds both, halves of one call say, this tells nothing."""
    found: dict[int, bool] = {}
    both = set()
    for tensor, is_real in given:
        if tensor is not None:
            storage = tensor.untyped_storage()._cdata
            if found.setdefault(storage, is_real) != is_real:
                both.add(storage)
    return {storage: is_real for storage, is_real in found.items() if storage not in both}


def _nothing_said(call: Call) -> bool | None:
    return None


def as_scores(given: Any) -> Tensor | None:
    """Returns what a loop gives as D's outputs as one tensor: arrays as they are, the outputs of several scales one after the other."""
    if given is None or isinstance(given, Tensor):
        return given
    try:
        parts = [as_scores(part) for part in given] if isinstance(given, (list, tuple)) else [torch.as_tensor(given)]
    except (TypeError, ValueError, RuntimeError):
        parts = []
    scores = [part.detach().reshape(-1) for part in parts if part is not None]
    if not scores:
        raise UsageError(
            f"logits are a tensor, or a list of those of several scales, not {type(given).__name__}: give what the discriminator returned"
        )
    return torch.cat(scores)


def joined(images: Sequence[Tensor]) -> Tensor | None:
    """Returns batches of one shape as one batch; the first where their shapes differ."""
    if len(images) < 2:
        return images[0] if images else None
    if any(i.shape[1:] != images[0].shape[1:] for i in images):
        return images[0]
    return torch.cat(list(images))


def head(batch: Tensor | None) -> Tensor | None:
    """Returns a copy of a batch's first values, flat, for comparison with the next batch; called without grad."""
    if batch is None:
        return None
    flat = batch.reshape(-1)
    return (flat if flat.numel() <= COMPARED else flat[:COMPARED]).clone()


def listed(value: Any) -> Any:
    """Returns a score as JSON can hold it."""
    if isinstance(value, (Tensor, np.ndarray)):
        return value.tolist()
    return list(value) if isinstance(value, (list, tuple)) else value

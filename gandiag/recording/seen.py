"""What one player's update saw of reals and of fakes, and how a call of the discriminator is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gandiag.recording.force import in_logit_space
from gandiag.recording.passes import Call


@dataclass(slots=True)
class Side:
    """What one player's last update saw of reals, or of fakes."""

    scores: list[Tensor]  # one tensor a call
    gradients: list[Tensor]  # d(loss)/d(score), of the scores' shapes
    images: list[Tensor]

    def add(self, call: Call, score: Tensor, gradient: Tensor) -> None:
        """Takes a whole call for one of this side's."""
        self.scores.append(score)
        self.gradients.append(gradient)
        if call.image is not None:
            self.images.append(call.image)


@dataclass(slots=True)
class Seen:
    """What one player's last update saw."""

    real: Side
    fake: Side
    image_gradients: list[Tensor]  # as they are, or their norms
    guessed: bool = False  # which batch was the fakes was told by nearness alone


def nothing_seen() -> Seen:
    """Returns what a player saw of which nothing is known."""
    return Seen(_none(), _none(), [])


def _none() -> Side:
    return Side([], [], [])


def is_real_call(call: Call, is_real: Callable[[Call], bool | None]) -> bool | None:
    """Tells whether a call was on reals; None where a batch may be a mixed one, or the graph and the shapes do not agree."""
    said = is_real(call)
    if said is not None:
        return said
    origin = call.origin
    if origin.batch is not None and call.image is not None and origin.batch != len(call.image):
        return None
    return not origin.fake


def whole_call(push: tuple[Call, int, Tensor], probability: bool, *, penalised: bool = False) -> Side | None:
    """Reads a whole call on one kind of batch; None where it has several scores or changed ones, or a penalty went through it that may not."""
    call, _, gradient = push
    scores = call.scores
    if (call.penalised and not penalised) or len(scores) != 1 or scores[0]._version != call.versions[0]:
        return None
    score = scores[0]
    if probability:
        score = score.float()
        gradient = in_logit_space(gradient.float(), score)
    return Side([score], [gradient], [] if call.image is None else [call.image])


def add_images(shown: list[Call], is_real: Callable[[Call], bool | None], found: Seen) -> None:
    """Adds what a discriminator without scores was shown; nothing where several batches all look real: one of them may be fakes."""
    labels = [either(is_real(call), not call.origin.fake) for call in shown]
    if labels.count(True) > 1:
        return
    for call, real in zip(shown, labels):
        if call.image is not None:
            (found.real if real else found.fake).images.append(call.image)


def either(said: bool | None, otherwise: bool) -> bool:
    return otherwise if said is None else said


def flat(call: Call, parts: dict[int, Tensor], probability: bool) -> tuple[Tensor, Tensor]:
    """Returns a call's scores and the gradients at them, flat and float32; the gradients with respect to logits."""
    chosen = sorted(parts)
    score = (
        torch.cat([call.scores[i].reshape(-1) for i in chosen])
        if len(chosen) > 1
        else call.scores[chosen[0]].reshape(-1)
    )
    gradient = torch.cat([parts[i].reshape(-1) for i in chosen]) if len(chosen) > 1 else parts[chosen[0]].reshape(-1)
    score, gradient = score.float(), gradient.float()
    return score, in_logit_space(gradient, score) if probability else gradient

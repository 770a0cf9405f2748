"""Whether players fit the data and each other, tried on two samples before anything is trained: a user's own networks are strangers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gandiag.errors import UsageError
from gandiag.recording.untouched import bare, own_randomness, untouched
from gandiag.training.config import Config
from gandiag.training.dataset import Dataset
from gandiag.training.players import pack_samples
from gandiag.training.plugins import looks_like_function
from gandiag.training.step import Players

Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor | None]]


def require_fit(players: Players, config: Config, *, data: Dataset, draw: Draw) -> None:
    """Raises UsageError where a network of the user's own does not make samples of the data's shape, or does not score them.

    Both are called in eval mode on a couple of samples; buffers, modes and random streams are put back.
    """
    if not (looks_like_function(config.generator) or looks_like_function(config.discriminator)):
        return
    device = next(players.generator.parameters(), torch.empty(0)).device
    latents, labels = draw(2 * config.pack, torch.Generator(device).manual_seed(0))
    generator, discriminator = bare(players.generator), bare(players.discriminator)
    with torch.no_grad(), own_randomness(0), untouched(generator, discriminator):
        fakes = _called(generator.eval(), config.generator, latents, labels)
        if tuple(fakes.shape) != (len(latents), *data.shape):
            raise UsageError(
                f"the generator {config.generator} makes {_shape(fakes)} out of latents {_shape(latents)}, and the data's samples "
                f"are {'x'.join(map(str, data.shape))}: build it for `sample_shape`, or bring images to its size with --set resolution=N"
            )
        packed = pack_samples(fakes, config.pack)
        classes = None if labels is None else labels[:: config.pack]
        scores = _called(discriminator.eval(), config.discriminator, packed, classes)
        if len(scores) != len(packed):
            raise UsageError(
                f"the discriminator {config.discriminator} makes {_shape(scores)} out of samples {_shape(packed)}: it must return "
                "a logit a sample, (n,) or (n, 1), or several, (n, ...)"
            )


def _called(player: nn.Module, name: str, inputs: Tensor, labels: Tensor | None) -> Tensor:
    """Calls a player as the training will."""
    try:
        made: Any = player(inputs) if labels is None else player(inputs, labels)
    except Exception as error:  # it is the user's network, whatever it does
        given = _shape(inputs) + ("" if labels is None else f" and labels {_shape(labels)}")
        raise UsageError(
            f"{name} cannot be called with {given}: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        ) from error
    if not isinstance(made, Tensor) or made.ndim < 1:
        raise UsageError(
            f"{name} returned a {type(made).__name__} and no tensor (n, ...): wrap it so that it returns one"
        )
    return made


def _shape(tensor: Tensor) -> str:
    return f"({', '.join(map(str, tensor.shape))})"

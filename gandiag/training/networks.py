"""GENERATORS and DISCRIMINATORS: the networks that recipes name, and the door for a user's own (package.module:function)."""

from __future__ import annotations

from typing import Protocol

from torch import nn

from gandiag.errors import UsageError, did_you_mean
from gandiag.training.networks_convolutional import small_convolutional_discriminator, small_convolutional_generator
from gandiag.training.networks_dense import mlp_discriminator, mlp_generator

Shape = tuple[int, ...]


class Builder(Protocol):
    """Builds a network: a generator maps latents (n, *latent_shape) to samples (n, *sample_shape), a discriminator samples to logits (n,)."""

    def __call__(self, sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None) -> nn.Module: ...


GENERATORS: dict[str, Builder] = {"mlp": mlp_generator, "conv": small_convolutional_generator}
DISCRIMINATORS: dict[str, Builder] = {"mlp": mlp_discriminator, "conv": small_convolutional_discriminator}


def build_generator(name: str, sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None) -> nn.Module:
    """Builds the generator of this name: forward(z) or, with `num_classes`, forward(z, labels), to samples (n, *sample_shape)."""
    return _builder(name, GENERATORS, "generator")(sample_shape, latent_shape, num_classes=num_classes, width=width)


def build_discriminator(name: str, sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None,
                        width: int | None = None) -> nn.Module:
    """Builds the discriminator of this name: forward(x) or, with `num_classes`, forward(x, labels), to logits (n,)."""
    return _builder(name, DISCRIMINATORS, "discriminator")(sample_shape, latent_shape, num_classes=num_classes, width=width)


def _builder(name: str, known: dict[str, Builder], player: str) -> Builder:
    if name in known:
        return known[name]
    raise UsageError(f"unknown {player} {name!r}{did_you_mean(name, tuple(known))}; known: {', '.join(known)}")

"""GENERATORS and DISCRIMINATORS: the networks that recipes name, and the door for a user's own (package.module:function)."""

from __future__ import annotations

from typing import Protocol

from torch import nn

from gandiag.errors import UsageError, did_you_mean
from gandiag.training import networks_convolutional as convolutional
from gandiag.training import networks_dense as dense
from gandiag.training import networks_r3gan as r3gan
from gandiag.training import networks_residual as residual
from gandiag.training.plugins import called, load_function, looks_like_function

Shape = tuple[int, ...]


class Builder(Protocol):
    """Builds a network: a generator maps latents (n, *latent_shape) to samples (n, *sample_shape), a discriminator samples to logits (n,).

    With `num_classes` it is called with labels, int64 (n,), as its second argument. `width` scales it; None is its own size.
    """

    def __call__(
        self, sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
    ) -> nn.Module:
        """Builds it."""


GENERATORS: dict[str, Builder] = {
    "mlp": dense.mlp_generator,
    "conv": convolutional.small_convolutional_generator,
    "text-mlp": dense.text_mlp_generator,
    "text-mlp-norm": dense.text_mlp_norm_generator,
    "text-leaky": dense.text_leaky_generator,
    "text-dense": dense.text_dense_generator,
    "text-conv": convolutional.text_convolutional_generator,
    "text-attention": convolutional.text_attention_generator,
    "dcgan": convolutional.dcgan_generator,
    "sngan": residual.sngan_generator,
    "sagan": residual.sagan_generator,
    "pac": dense.pac_generator,
    "r1-resnet": residual.r1_generator,
    "r3gan": r3gan.r3gan_generator,
}
DISCRIMINATORS: dict[str, Builder] = {
    "mlp": dense.mlp_discriminator,
    "conv": convolutional.small_convolutional_discriminator,
    "text-mlp": dense.text_mlp_discriminator,
    "text-norm": dense.text_norm_discriminator,
    "text-norm-out": dense.text_norm_out_discriminator,
    "text-leaky": dense.text_leaky_discriminator,
    "text-dense": dense.text_dense_discriminator,
    "text-attention": convolutional.text_attention_discriminator,
    "dcgan": convolutional.dcgan_discriminator,
    "sngan": residual.sngan_discriminator,
    "sagan": residual.sagan_discriminator,
    "pac": dense.pac_discriminator,
    "r1-resnet": residual.r1_discriminator,
    "r3gan": r3gan.r3gan_discriminator,
}


def build_generator(
    name: str, sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """Builds the generator of this name: forward(z) or, with `num_classes`, forward(z, labels), to samples (n, *sample_shape)."""
    return _built(name, GENERATORS, "generator")(
        tuple(sample_shape), tuple(latent_shape), num_classes=num_classes, width=width
    )


def build_discriminator(
    name: str,
    sample_shape: Shape,
    latent_shape: Shape = (),
    *,
    num_classes: int | None = None,
    width: int | None = None,
) -> nn.Module:
    """Builds the discriminator of this name: forward(x) or, with `num_classes`, forward(x, labels), to logits (n,)."""
    return _built(name, DISCRIMINATORS, "discriminator")(
        tuple(sample_shape), tuple(latent_shape), num_classes=num_classes, width=width
    )


def _built(name: str, known: dict[str, Builder], player: str) -> Builder:
    if name in known:
        return known[name]
    if not looks_like_function(name):
        raise UsageError(
            f"unknown {player} {name!r}{did_you_mean(name, tuple(known))}; known: {', '.join(known)}, or package.module:function"
        )
    function = load_function(name)

    def build(
        sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
    ) -> nn.Module:
        given = {"sample_shape": sample_shape, "latent_shape": latent_shape, "num_classes": num_classes, "width": width}
        network = called(function, name, given)
        if not isinstance(network, nn.Module):
            raise UsageError(f"{name} returned a {type(network).__name__}; it must return a torch.nn.Module")
        return network

    return build

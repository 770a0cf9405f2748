"""Convolutional networks: the small pair, DCGAN's, and the textbooks' generator and self-attention pair."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from gandiag.training.networks_blocks import (
    LabelledLatent,
    Scored,
    SelfAttention,
    doublings,
    image_shape,
    latent_size,
    normal_initialised,
)

Shape = tuple[int, ...]


def small_convolutional_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """A dense layer to a quarter of the side, twice doubled with a 3x3 convolution, batch normalisation and ReLU; tanh at the end."""
    channels, side = image_shape(sample_shape, "conv", multiple=4)
    width = width or 64
    body = nn.Sequential(
        *_spread(latent_size(latent_shape, num_classes), 2 * width, side // 4),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(2 * width, width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(width, width // 2, 3, padding=1),
        nn.BatchNorm2d(width // 2),
        nn.ReLU(),
        nn.Conv2d(width // 2, channels, 3, padding=1),
        nn.Tanh(),
    )
    return LabelledLatent(body, num_classes)


def small_convolutional_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """Three convolutions with LeakyReLU(0.2), two of them of stride 2, then one score; no normalisation."""
    channels, side = image_shape(sample_shape, "conv", multiple=4)
    width = width or 64
    features = nn.Sequential(
        nn.Conv2d(channels, width // 2, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width // 2, width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
    )
    return Scored(features, 2 * width * (side // 4) ** 2, num_classes)


def dcgan_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """Transposed convolutions of stride 2 from 4x4 (7x7 for 28x28, 2x2 for 8x8) on, normalised, ReLU, tanh; N(0, .02^2) (Radford et al. 2016).

    `width` (64) is the number of channels before the last doubling of the side; it doubles towards the latent.
    """
    channels, side = image_shape(sample_shape, "dcgan")
    count, width = doublings(side), width or 64
    widths = [width * 2 ** (count - 1 - level) for level in range(count)]
    layers: list[nn.Module] = [
        *_spread(latent_size(latent_shape, num_classes), widths[0], side // 2**count, bias=False),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(),
    ]
    for one, other in pairwise(widths):
        layers += [nn.ConvTranspose2d(one, other, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(other), nn.ReLU()]
    layers += [nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1), nn.Tanh()]
    return normal_initialised(LabelledLatent(nn.Sequential(*layers), num_classes))


def dcgan_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """Convolutions of stride 2 down to 4x4 (7x7, 2x2), normalised but for the first, LeakyReLU(0.2); N(0, .02^2) (Radford et al. 2016)."""
    channels, side = image_shape(sample_shape, "dcgan")
    count, width = doublings(side), width or 64
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    for level in range(count - 1):
        one, other = width * 2**level, width * 2 ** (level + 1)
        layers += [nn.Conv2d(one, other, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(other), nn.LeakyReLU(0.2)]
    return normal_initialised(
        Scored(nn.Sequential(*layers), width * 2 ** (count - 1) * (side // 2**count) ** 2, num_classes)
    )


def text_convolutional_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """7x7x256 up to 28x28 (2x2x256 up to 8x8) by 5x5 transposed convolutions with batch normalisation and LeakyReLU, as textbooks have it.

    `width` (256) is the number of channels that the dense layer makes; it is halved twice.
    """
    channels, side = image_shape(sample_shape, "text-conv", multiple=4)
    width = width or 256
    body = nn.Sequential(
        *_spread(latent_size(latent_shape, num_classes), width, side // 4, bias=False),
        nn.BatchNorm2d(width),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(width, width // 2, 5, padding=2, bias=False),
        nn.BatchNorm2d(width // 2),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(width // 2, width // 4, 5, stride=2, padding=2, output_padding=1, bias=False),
        nn.BatchNorm2d(width // 4),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(width // 4, channels, 5, stride=2, padding=2, output_padding=1, bias=False),
        nn.Tanh(),
    )
    return LabelledLatent(body, num_classes)


def text_attention_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """A quarter of the side twice doubled by transposed convolutions with batch normalisation, with self-attention before the last doubling."""
    channels, side = image_shape(sample_shape, "text-attention", multiple=4)
    width = width or 64
    body = nn.Sequential(
        *_spread(latent_size(latent_shape, num_classes), 2 * width, side // 4),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        SelfAttention(width),
        nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
        nn.Tanh(),
    )
    return LabelledLatent(body, num_classes)


def text_attention_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """Two convolutions of stride 2 with LeakyReLU(0.2) and self-attention between them."""
    channels, side = image_shape(sample_shape, "text-attention", multiple=4)
    width = width or 64
    features = nn.Sequential(
        nn.Conv2d(channels, width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        SelfAttention(width),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
    )
    return Scored(features, 2 * width * (side // 4) ** 2, num_classes)


def _spread(inputs: int, channels: int, side: int, *, bias: bool = True) -> list[nn.Module]:
    """A dense layer whose outputs are laid out as an image."""
    return [nn.Linear(inputs, channels * side * side, bias=bias), nn.Unflatten(1, (channels, side, side))]

"""Convolutional networks: the small pair for 8x8 to 64x64 images."""

from __future__ import annotations

from torch import nn

from gandiag.training.networks_blocks import LabelledLatent, Scored, image_shape, latent_size

Shape = tuple[int, ...]


def small_convolutional_generator(sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None) -> nn.Module:
    """A dense layer to side/4, then twice upsampling and a 3x3 convolution, batch normalisation and ReLU; tanh at the end."""
    channels, side, _ = image_shape(sample_shape, "conv", multiple=4)
    width = width or 64
    body = nn.Sequential(
        nn.Linear(latent_size(latent_shape, num_classes), 2 * width * (side // 4) ** 2), nn.Unflatten(1, (2 * width, side // 4, side // 4)),
        nn.BatchNorm2d(2 * width), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(2 * width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(width, width // 2, 3, padding=1), nn.BatchNorm2d(width // 2), nn.ReLU(),
        nn.Conv2d(width // 2, channels, 3, padding=1), nn.Tanh(),
    )
    return LabelledLatent(body, num_classes)


def small_convolutional_discriminator(sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None,
                                      width: int | None = None) -> nn.Module:
    """Three 3x3 convolutions with LeakyReLU(0.2), two of them of stride 2, then one score; no normalisation."""
    channels, side, _ = image_shape(sample_shape, "conv", multiple=4)
    width = width or 64
    features = nn.Sequential(
        nn.Conv2d(channels, width // 2, 3, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(width // 2, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
    )
    return Scored(features, 2 * width * (side // 4) ** 2, num_classes)

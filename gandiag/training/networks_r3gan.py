"""R3GAN's networks: residual, grouped, without any normalisation, so that the relativistic loss with R1 and R2 must do alone (Huang et al. 2024)."""

from __future__ import annotations

from itertools import pairwise
from math import prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, pad

from gandiag.training.networks_blocks import halvings, image_shape, one_hot

Shape = tuple[int, ...]
BLOCKS_PER_STAGE = 2
EXPANSION = 2
CHANNELS_PER_GROUP = 16  # of the expanded channels: 96 groups of 1536 in their CIFAR-10 configuration
EMBEDDING = 128  # numbers that stand for a class
LEAKY_GAIN = sqrt(2 / (1 + 0.2**2))


class Biased(nn.Module):
    """A bias a channel and LeakyReLU(0.2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x + self.bias[:, None, None], 0.2)


class GroupedResidual(nn.Module):
    """x + 1x1 (3x3 in groups (1x1 x)): the last layer begins at 0 and the others small, so that depth does not blow up (Fixup)."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        inner = channels * EXPANSION
        groups = max(1, inner // CHANNELS_PER_GROUP)
        gain = LEAKY_GAIN * blocks ** (-1 / 4)  # three layers in a block: -1 / (2 * 3 - 2)
        self.body = nn.Sequential(
            _convolution(channels, inner, 1, gain=gain),
            Biased(inner),
            _convolution(inner, inner, 3, gain=gain, groups=groups),
            Biased(inner),
            _convolution(inner, channels, 1, gain=0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Resampled(nn.Module):
    """Doubles or halves the side with the smoothing filter (1, 2, 1), then fits the channels by a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int, *, up: bool) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0])
        kernel = torch.outer(line, line) / 16 * (4 if up else 1)
        self.register_buffer("kernel", kernel.expand(inputs if up else outputs, 1, 3, 3).contiguous(), persistent=False)
        self.kernel: Tensor
        self.fit = nn.Identity() if inputs == outputs else _convolution(inputs, outputs, 1)
        self.up = up

    def forward(self, x: Tensor) -> Tensor:
        if self.up:
            spread = conv_transpose2d(x, self.kernel.to(x.dtype), stride=2, groups=x.shape[1])
            return self.fit(spread[:, :, :-1, :-1])
        return conv2d(pad(self.fit(x), (1, 0, 1, 0)), self.kernel.to(x.dtype), stride=2, groups=len(self.kernel))


class R3Generator(nn.Module):
    """A learned pattern whose channels the latent scales, residual stages with doublings between, a 1x1 convolution; no tanh."""

    def __init__(self, latent: int, width: int, shape: tuple[int, int], num_classes: int | None) -> None:
        super().__init__()
        channels, side = shape
        count = halvings(side)
        base = side // 2**count
        self.embedding = _dense(num_classes, EMBEDDING) if num_classes is not None else None
        self.num_classes = num_classes
        self.pattern = nn.Parameter(torch.randn(width, base, base))
        self.scale = _dense(latent + (EMBEDDING if num_classes is not None else 0), width)
        self.body = nn.Sequential(*_stages([width] * (count + 1), up=True), _convolution(width, channels, 1))

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        latent = latent.flatten(1)
        if self.embedding is not None and self.num_classes is not None:
            latent = torch.cat([latent, self.embedding(one_hot(labels, self.num_classes, latent))], dim=1)
        return self.body(self.pattern * self.scale(latent)[:, :, None, None])


class R3Discriminator(nn.Module):
    """A 1x1 convolution, residual stages with halvings between, one value a channel; a linear score, or the product with the class's embedding."""

    def __init__(self, width: int, shape: tuple[int, int], num_classes: int | None) -> None:
        super().__init__()
        channels, side = shape
        count = halvings(side)
        self.body = nn.Sequential(_convolution(channels, width, 1), *_stages([width] * (count + 1), up=False))
        self.gather = _convolution(width, width, side // 2**count, groups=width, padding=0)
        self.head = _dense(width, 1 if num_classes is None else EMBEDDING)
        self.embedding = _dense(num_classes, EMBEDDING) if num_classes is not None else None
        self.num_classes = num_classes

    def forward(self, sample: Tensor, labels: Tensor | None = None) -> Tensor:
        scores = self.head(self.gather(self.body(sample)).flatten(1))
        if self.embedding is None or self.num_classes is None:
            return scores.squeeze(1)
        return (scores * self.embedding(one_hot(labels, self.num_classes, scores))).sum(1)


def r3gan_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """R3GAN's generator (Huang et al. 2024), `width` (128) channels in every stage, two blocks each (768 in their CIFAR-10 configuration)."""
    return R3Generator(prod(latent_shape), width or 128, image_shape(sample_shape, "r3gan"), num_classes)


def r3gan_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """R3GAN's discriminator (Huang et al. 2024), `width` (128) channels in every stage, two blocks each."""
    return R3Discriminator(width or 128, image_shape(sample_shape, "r3gan"), num_classes)


def _stages(widths: list[int], *, up: bool) -> list[nn.Module]:
    """Residual blocks of every stage, with a change of size between the stages."""
    total = BLOCKS_PER_STAGE * len(widths)
    layers: list[nn.Module] = [GroupedResidual(widths[0], total) for _ in range(BLOCKS_PER_STAGE)]
    for one, other in pairwise(widths):
        layers += [Resampled(one, other, up=up), *(GroupedResidual(other, total) for _ in range(BLOCKS_PER_STAGE))]
    return layers


def _convolution(
    inputs: int, outputs: int, kernel: int, *, gain: float = 1.0, groups: int = 1, padding: int | None = None
) -> nn.Conv2d:
    layer = nn.Conv2d(
        inputs, outputs, kernel, padding=kernel // 2 if padding is None else padding, groups=groups, bias=False
    )
    nn.init.normal_(layer.weight, 0.0, gain / sqrt(layer.weight[0].numel()))
    return layer


def _dense(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, 0.0, 1 / sqrt(inputs))
    return layer

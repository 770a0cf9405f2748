"""Residual networks: SNGAN's and SAGAN's with spectral normalisation, and the unnormalised one of the R1 paper."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu, normalize, relu
from torch.nn.utils.parametrizations import spectral_norm

from gandiag.training.networks_blocks import (
    ConditionalBatchNorm,
    Scored,
    SelfAttention,
    Wrap,
    doublings,
    halvings,
    image_shape,
    plain,
    required,
)

Shape = tuple[int, ...]


class NormalisedUp(nn.Module):
    """A residual block of a generator: (conditional) batch normalisation, ReLU, doubling, two 3x3 convolutions."""

    def __init__(self, inputs: int, outputs: int, num_classes: int | None, wrap: Wrap) -> None:
        super().__init__()
        self.norm1, self.norm2 = ConditionalBatchNorm(inputs, num_classes), ConditionalBatchNorm(outputs, num_classes)
        self.conv1, self.conv2 = (wrap(_convolution(one, outputs, 3, gain=sqrt(2))) for one in (inputs, outputs))
        self.shortcut = wrap(_convolution(inputs, outputs, 1))

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        change = self.conv1(_doubled(relu(self.norm1(x, labels))))
        return self.conv2(relu(self.norm2(change, labels))) + self.shortcut(_doubled(x))


class ResidualDown(nn.Module):
    """A residual block of a discriminator: ReLU and two 3x3 convolutions, halved by averaging where `down`; the first block begins without ReLU."""

    def __init__(self, inputs: int, outputs: int, wrap: Wrap, *, down: bool, first: bool = False) -> None:
        super().__init__()
        self.conv1, self.conv2 = (wrap(_convolution(one, outputs, 3, gain=sqrt(2))) for one in (inputs, outputs))
        self.shortcut = wrap(_convolution(inputs, outputs, 1)) if down or inputs != outputs else nn.Identity()
        self.down, self.first = down, first

    def forward(self, x: Tensor) -> Tensor:
        change = self.conv2(relu(self.conv1(x if self.first else relu(x))))
        total = change + self.shortcut(x)
        return avg_pool2d(total, 2) if self.down else total  # a 1x1 shortcut and averaging commute


class ResidualGenerator(nn.Module):
    """A dense layer, doubling residual blocks, normalisation, ReLU, a 3x3 convolution and tanh; `attention` comes before the last doubling."""

    def __init__(
        self, latent: int, width: int, shape: tuple[int, int], num_classes: int | None, *, wrap: Wrap, attention: bool
    ) -> None:
        super().__init__()
        channels, side = shape
        count = halvings(side)
        self.base = side // 2**count
        self.dense = wrap(_dense(latent, width * self.base**2))
        self.blocks = nn.ModuleList(NormalisedUp(width, width, num_classes, wrap) for _ in range(count))
        self.attention = SelfAttention(width, wrap=wrap) if attention else nn.Identity()
        self.norm = nn.BatchNorm2d(width)
        self.output = wrap(_convolution(width, channels, 3))

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        x = self.dense(latent.flatten(1)).unflatten(1, (-1, self.base, self.base))
        for block in self.blocks[:-1]:
            x = block(x, labels)
        x = self.blocks[-1](self.attention(x), labels)
        return torch.tanh(self.output(relu(self.norm(x))))


class SumOfPlaces(nn.Module):
    """ReLU, then the sum over all places: (n, c, h, w) -> (n, c)."""

    def forward(self, x: Tensor) -> Tensor:
        return relu(x).sum((2, 3))


def sngan_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """SNGAN's residual generator (Miyato et al. 2018), `width` (256) channels all along; with classes, conditional batch normalisation."""
    shape = image_shape(sample_shape, "sngan")
    return ResidualGenerator(
        torch.Size(latent_shape).numel(), width or 256, shape, num_classes, wrap=plain, attention=False
    )


def sngan_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """SNGAN's residual discriminator (Miyato et al. 2018): `width` (128), spectral norm on all, sum over places; with classes, projection."""
    return _spectral_discriminator(image_shape(sample_shape, "sngan"), width or 128, num_classes, attention=False)


def sagan_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """SNGAN's generator with self-attention and spectral norm also here (SAGAN, Zhang et al. 2019)."""
    shape = image_shape(sample_shape, "sagan")
    return ResidualGenerator(
        torch.Size(latent_shape).numel(), width or 256, shape, num_classes, wrap=spectral_norm, attention=True
    )


def sagan_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """SNGAN's discriminator with self-attention after the first block (SAGAN, Zhang et al. 2019)."""
    return _spectral_discriminator(image_shape(sample_shape, "sagan"), width or 128, num_classes, attention=True)


def _spectral_discriminator(
    shape: tuple[int, int], width: int, num_classes: int | None, *, attention: bool
) -> nn.Module:
    channels, side = shape
    downs = max(1, halvings(side, smallest=7))  # 28, 32, 64 end at 7, 8, 8
    blocks: list[nn.Module] = [ResidualDown(channels, width, spectral_norm, down=True, first=True)]
    blocks += [SelfAttention(width, wrap=spectral_norm)] if attention else []
    blocks += [ResidualDown(width, width, spectral_norm, down=level < downs - 1) for level in range(downs + 1)]
    scored = Scored(nn.Sequential(*blocks, SumOfPlaces()), width, num_classes)
    for layer in (scored.head, scored.embedding):
        if layer is not None:
            nn.init.xavier_uniform_(next(layer.parameters()))
            spectral_norm(layer)
    return scored


class LeakyResidual(nn.Module):
    """x + .1 * change(x) with two leaky 3x3 convolutions and no normalisation (Mescheder et al. 2018)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        inner = min(inputs, outputs)
        self.conv1, self.conv2 = nn.Conv2d(inputs, inner, 3, padding=1), nn.Conv2d(inner, outputs, 3, padding=1)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        change = self.conv2(leaky_relu(self.conv1(leaky_relu(x, 0.2)), 0.2))
        return self.shortcut(x) + 0.1 * change


class LeakyOutput(nn.Module):
    """LeakyReLU before the layer that follows."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(leaky_relu(x, 0.2))


class R1ResidualGenerator(nn.Module):
    """The latent, with a class embedding of length 1 beside it, spread out and doubled between leaky residual blocks (Mescheder et al. 2018)."""

    def __init__(self, latent: int, width: int, shape: tuple[int, int], num_classes: int | None) -> None:
        super().__init__()
        channels, side = shape
        count = doublings(side)
        widths = [min(width * 2 ** (count - level), 8 * width) for level in range(count + 1)]
        self.base = side // 2**count
        self.embedding = nn.Embedding(num_classes, 256) if num_classes is not None else None
        self.dense = nn.Linear(latent + (256 if num_classes is not None else 0), widths[0] * self.base**2)
        blocks = [
            layer
            for one, other in pairwise(widths)
            for layer in (LeakyResidual(one, other), nn.Upsample(scale_factor=2))
        ]
        self.body = nn.Sequential(
            *blocks, LeakyResidual(width, width), LeakyOutput(nn.Conv2d(width, channels, 3, padding=1)), nn.Tanh()
        )

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        latent = latent.flatten(1)
        if self.embedding is not None:
            latent = torch.cat([latent, normalize(self.embedding(required(labels)), dim=1)], dim=1)
        return self.body(self.dense(latent).unflatten(1, (-1, self.base, self.base)))


class R1ResidualDiscriminator(nn.Module):
    """Leaky residual blocks halved by averaging between them; one output a class, of which the sample's own counts (Mescheder et al. 2018)."""

    def __init__(self, width: int, shape: tuple[int, int], num_classes: int | None) -> None:
        super().__init__()
        channels, side = shape
        count = doublings(side)
        widths = [min(width * 2**level, 16 * width) for level in range(count + 1)]
        blocks = [
            layer
            for one, other in pairwise(widths)
            for layer in (nn.AvgPool2d(3, stride=2, padding=1), LeakyResidual(one, other))
        ]
        self.features = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), LeakyResidual(width, width), *blocks)
        self.head = LeakyOutput(nn.Linear(widths[-1] * (side // 2**count) ** 2, num_classes or 1))
        self.conditional = num_classes is not None

    def forward(self, sample: Tensor, labels: Tensor | None = None) -> Tensor:
        scores = self.head(self.features(sample).flatten(1))
        return scores.gather(1, required(labels).unsqueeze(1)).squeeze(1) if self.conditional else scores.squeeze(1)


def r1_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """The R1 paper's residual generator (Mescheder et al. 2018): `width` (64) channels at full size, no normalisation anywhere."""
    return R1ResidualGenerator(
        torch.Size(latent_shape).numel(), width or 64, image_shape(sample_shape, "r1-resnet"), num_classes
    )


def r1_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """The R1 paper's residual discriminator (Mescheder et al. 2018): `width` (64) channels at full size, no normalisation anywhere."""
    return R1ResidualDiscriminator(width or 64, image_shape(sample_shape, "r1-resnet"), num_classes)


def _doubled(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2.0, mode="nearest")


def _convolution(inputs: int, outputs: int, kernel: int, *, gain: float = 1.0) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    nn.init.xavier_uniform_(layer.weight, gain)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # it has one
    return layer


def _dense(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer

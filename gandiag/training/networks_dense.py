"""Dense networks: the MLP pair of the default recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod

from torch import nn

from gandiag.training.networks_blocks import LabelledLatent, Scored, latent_size, output_activation

Shape = tuple[int, ...]


def mlp_generator(sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None, depth: int = 3) -> nn.Module:
    """Three hidden layers of 256 with ReLU and no normalisation; tanh for images, linear for points."""
    sizes = [latent_size(latent_shape, num_classes)] + [width or 256] * depth
    return dense_generator(sample_shape, sizes, num_classes, nn.ReLU)


def mlp_discriminator(sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None,
                      depth: int = 2) -> nn.Module:
    """Two hidden layers of 256 with LeakyReLU(0.2)."""
    sizes = [prod(sample_shape)] + [width or 256] * depth
    return dense_discriminator(sizes, num_classes, lambda: nn.LeakyReLU(0.2))


def dense_generator(sample_shape: Shape, sizes: Sequence[int], num_classes: int | None, activation: Callable[[], nn.Module]) -> nn.Module:
    """A dense generator with these layer sizes (the latent's first) before its output."""
    layers = [layer for one, other in pairwise(sizes) for layer in (nn.Linear(one, other), activation())]
    output = [nn.Linear(sizes[-1], prod(sample_shape)), output_activation(sample_shape), nn.Unflatten(1, sample_shape)]
    return LabelledLatent(nn.Sequential(*layers, *output), num_classes)


def dense_discriminator(sizes: Sequence[int], num_classes: int | None, activation: Callable[[], nn.Module]) -> nn.Module:
    """A dense discriminator with these layer sizes (the sample's first) before its score."""
    layers = [layer for one, other in pairwise(sizes) for layer in (nn.Linear(one, other), activation())]
    return Scored(nn.Sequential(nn.Flatten(), *layers), sizes[-1], num_classes)

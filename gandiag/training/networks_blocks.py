"""Parts that several networks share: label inputs, output heads, initialisation."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor, nn

from gandiag.errors import UsageError


class LabelledLatent(nn.Module):
    """A generator on latents that carry their label: a one-hot code is appended to the flattened latent."""

    def __init__(self, body: nn.Module, num_classes: int | None) -> None:
        super().__init__()
        self.body, self.num_classes = body, num_classes

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        latent = latent.flatten(1)
        if self.num_classes is None:
            return self.body(latent)
        return self.body(torch.cat([latent, one_hot(labels, self.num_classes, latent)], dim=1))


class Scored(nn.Module):
    """A discriminator: features of a sample, a linear score of them and, with classes, the projection on the class's embedding.

    score = head(h) + <embedding(y), h> (Miyato and Koyama 2018). Logits have shape (n,).
    """

    def __init__(self, features: nn.Module, width: int, num_classes: int | None, *, wrap: Callable[[nn.Module], nn.Module] = lambda m: m) -> None:
        super().__init__()
        self.features = features
        self.head = wrap(nn.Linear(width, 1))
        self.embedding = wrap(nn.Embedding(num_classes, width)) if num_classes is not None else None

    def forward(self, sample: Tensor, labels: Tensor | None = None) -> Tensor:
        features = self.features(sample).flatten(1)
        score = self.head(features).squeeze(1)
        if self.embedding is None:
            return score
        if labels is None:
            raise TypeError("this discriminator is conditional: call it with (samples, labels)")
        return score + (self.embedding(labels) * features).sum(1)


def one_hot(labels: Tensor | None, num_classes: int, like: Tensor) -> Tensor:
    """Returns labels (n,) as one-hot rows (n, num_classes) of the dtype and device of `like`."""
    if labels is None:
        raise TypeError("this network is conditional: call it with (inputs, labels)")
    # comparison instead of scatter: it exports to ONNX with any batch
    return (labels.unsqueeze(1) == torch.arange(num_classes, device=like.device)).to(like.dtype)


def latent_size(latent_shape: tuple[int, ...], num_classes: int | None) -> int:
    """How many numbers a generator's first layer takes: the latent's and one a class."""
    return prod(latent_shape) + (num_classes or 0)


def output_activation(sample_shape: tuple[int, ...]) -> nn.Module:
    """tanh for images (c, h, w), whose range is [-1, 1]; nothing for points (d,)."""
    return nn.Tanh() if len(sample_shape) == 3 else nn.Identity()


def image_shape(sample_shape: tuple[int, ...], name: str, *, multiple: int = 1) -> tuple[int, int, int]:
    """Returns (c, h, w), or raises UsageError where the samples are no square images of a size that this network can make."""
    if len(sample_shape) != 3 or sample_shape[1] != sample_shape[2] or sample_shape[1] % multiple:
        what = f"square images whose side is a multiple of {multiple}" if multiple > 1 else "square images"
        raise UsageError(f"{name} works on {what}; the data's samples have the shape {tuple(sample_shape)}: choose another network or --resolution")
    channels, height, width = sample_shape
    return channels, height, width

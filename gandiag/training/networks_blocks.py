"""Parts that several networks share: label inputs, scores, conditional normalisation, self-attention, maxout, initialisation."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from gandiag.errors import UsageError

Shape = tuple[int, ...]
Wrap = Callable[[nn.Module], nn.Module]  # spectral normalisation, or nothing


def plain(layer: nn.Module) -> nn.Module:
    """Leaves a layer as it is: the counterpart of spectral_norm."""
    return layer


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

    def __init__(self, features: nn.Module, width: int, num_classes: int | None) -> None:
        super().__init__()
        self.features = features
        self.head: nn.Module = nn.Linear(width, 1)
        self.embedding = nn.Embedding(num_classes, width) if num_classes is not None else None

    def forward(self, sample: Tensor, labels: Tensor | None = None) -> Tensor:
        features = self.features(sample).flatten(1)
        score = self.head(features).squeeze(1)
        return score if self.embedding is None else score + (self.embedding(required(labels)) * features).sum(1)


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose scale and shift belong to the class (Dumoulin et al. 2017); without classes, the ordinary one."""

    def __init__(self, channels: int, num_classes: int | None) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm2d(channels, affine=num_classes is None)
        self.scale = self.shift = None
        if num_classes is not None:
            self.scale, self.shift = nn.Embedding(num_classes, channels), nn.Embedding(num_classes, channels)
            nn.init.ones_(self.scale.weight)
            nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        x = self.normalise(x)
        if self.scale is None or self.shift is None:
            return x
        labels = required(labels)
        return x * self.scale(labels)[:, :, None, None] + self.shift(labels)[:, :, None, None]


class SelfAttention(nn.Module):
    """Self-attention over places, x + gate * attention(x), with a gate that begins at 0 (SAGAN, Zhang et al. 2019)."""

    def __init__(self, channels: int, *, wrap: Wrap = plain) -> None:
        super().__init__()
        inner = max(1, channels // 8)
        self.query = wrap(nn.Conv2d(channels, inner, 1, bias=False))
        self.key = wrap(nn.Conv2d(channels, inner, 1, bias=False))
        self.value = wrap(nn.Conv2d(channels, max(1, channels // 2), 1, bias=False))
        self.output = wrap(nn.Conv2d(max(1, channels // 2), channels, 1, bias=False))
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        queries = self.query(x).flatten(2)
        keys, values = (max_pool2d(part, 2, ceil_mode=True).flatten(2) for part in (self.key(x), self.value(x)))
        weights = torch.softmax(queries.transpose(1, 2) @ keys, dim=-1)
        found = (values @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        return x + self.gate * self.output(found)


class Maxout(nn.Module):
    """The largest of `pieces` linear functions, unit by unit (Goodfellow et al. 2013)."""

    def __init__(self, inputs: int, outputs: int, pieces: int) -> None:
        super().__init__()
        self.linear, self.pieces = nn.Linear(inputs, outputs * pieces), pieces

    def forward(self, x: Tensor) -> Tensor:
        return (
            self.linear(x).unflatten(1, (-1, self.pieces)).max(2).values
        )  # a third faster than amax, which shares gradients of ties


def required(labels: Tensor | None) -> Tensor:
    """Returns the labels; a conditional network that was called without them says so."""
    if labels is None:
        raise TypeError("this network is conditional: call it with (inputs, labels)")
    return labels


def one_hot(labels: Tensor | None, num_classes: int, like: Tensor) -> Tensor:
    """Returns labels (n,) as one-hot rows (n, num_classes) of the dtype and device of `like`."""
    # a comparison and no scatter: it exports to ONNX with any batch
    return (required(labels).unsqueeze(1) == torch.arange(num_classes, device=like.device)).to(like.dtype)


def latent_size(latent_shape: Shape, num_classes: int | None) -> int:
    """How many numbers a generator's first layer takes: the latent's and one a class."""
    return prod(latent_shape) + (num_classes or 0)


def output_activation(sample_shape: Shape) -> nn.Module:
    """tanh for images (c, h, w), whose range is [-1, 1]; nothing for points (d,)."""
    return nn.Tanh() if len(sample_shape) == 3 else nn.Identity()


def image_shape(sample_shape: Shape, name: str, *, multiple: int = 2) -> tuple[int, int]:
    """Returns channels and side, or raises UsageError where the samples are no square images of a size that this network can make."""
    if (
        len(sample_shape) != 3
        or sample_shape[1] != sample_shape[2]
        or sample_shape[1] % multiple
        or sample_shape[1] < 8
    ):
        raise UsageError(
            f"the network {name} works on square images of at least 8x8 whose side is a multiple of {multiple}; the data's samples "
            f"have the shape {tuple(sample_shape)}: choose another network (mlp takes any), or --set resolution=32"
        )
    return sample_shape[0], sample_shape[1]


def halvings(side: int, smallest: int = 4) -> int:
    """How often a side can be halved exactly without falling below the smallest: 8, 28, 32, 64 -> 1, 2, 3, 4."""
    count = 0
    while side % 2 == 0 and side // 2 >= smallest:
        side, count = side // 2, count + 1
    return count


def doublings(side: int) -> int:
    """How often networks that are drawn from 4x4 on double: 8, 16, 28, 64 -> 2, 2, 2, 4.

    Sides below 16 are reached from 2x2: with 4x4 for 8x8 a discriminator would be one convolution, which sees patches and never the whole.
    """
    return halvings(side, smallest=4 if side >= 16 else 2)


def normal_initialised(network: nn.Module, sd: float = 0.02) -> nn.Module:
    """Draws weights from N(0, sd^2) and normalisation scales from N(1, sd^2), biases 0 (DCGAN, Radford et al. 2016)."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, sd)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, sd)
        if getattr(layer, "bias", None) is not None and isinstance(layer.bias, Tensor):
            nn.init.zeros_(layer.bias)
    return network

"""Dense networks: the MLP pair of the default recipe, the textbooks' dense pairs, and PacGAN's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from math import prod

from torch import nn

from gandiag.training.networks_blocks import (
    LabelledLatent,
    Maxout,
    Scored,
    latent_size,
    normal_initialised,
    output_activation,
)

Shape = tuple[int, ...]
Activation = Callable[[], nn.Module]
LEAKY: Activation = partial(nn.LeakyReLU, 0.2)
TEXT_GENERATOR = (128, 256, 512, 1024)
TEXT_DISCRIMINATOR = (512, 256, 128)
PAC_PIECES = 5


def mlp_generator(
    sample_shape: Shape,
    latent_shape: Shape,
    *,
    num_classes: int | None = None,
    width: int | None = None,
    depth: int = 3,
) -> nn.Module:
    """`depth` (3) hidden layers of `width` (256) with ReLU and no normalisation; tanh for images, linear for points."""
    return dense_generator(sample_shape, latent_shape, [width or 256] * depth, num_classes, nn.ReLU)


def mlp_discriminator(
    sample_shape: Shape,
    latent_shape: Shape = (),
    *,
    num_classes: int | None = None,
    width: int | None = None,
    depth: int = 2,
) -> nn.Module:
    """`depth` (2) hidden layers of `width` (256) with LeakyReLU(0.2)."""
    return dense_discriminator(sample_shape, [width or 256] * depth, num_classes, LEAKY)


def text_mlp_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """Latent-128-256-512-1024-out with LeakyReLU(0.2), as textbooks have it; `width` is the first hidden layer's.

    With ReLU instead it hardly leaves the one image that it begins with: diversity ratio .08 after 1500 steps on digits, against .88.
    """
    return dense_generator(sample_shape, latent_shape, _scaled(TEXT_GENERATOR, width), num_classes, LEAKY)


def text_mlp_norm_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """Latent-128-256-512-1024-out with LeakyReLU(0.2), batch-normalised from the second hidden layer on."""
    return dense_generator(sample_shape, latent_shape, _scaled(TEXT_GENERATOR, width), num_classes, LEAKY, norm_from=1)


def text_mlp_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """In-512-256-128-1 with LeakyReLU(0.2); `width` is the last hidden layer's."""
    return dense_discriminator(sample_shape, _scaled(TEXT_DISCRIMINATOR, width), num_classes, LEAKY)


def text_leaky_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """Latent-256-512-1024-out with LeakyReLU(0.2) and no normalisation: the textbooks' pair on uniform noise."""
    return dense_generator(sample_shape, latent_shape, _scaled((256, 512, 1024), width), num_classes, LEAKY)


def text_leaky_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """In-1024-512-256-1 with LeakyReLU(0.2)."""
    return dense_discriminator(sample_shape, _scaled((1024, 512, 256), width), num_classes, LEAKY)


def text_dense_generator(
    sample_shape: Shape, latent_shape: Shape, *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """Latent-128-out with ReLU: the smallest of the textbooks' generators, played against five updates of the discriminator."""
    return dense_generator(sample_shape, latent_shape, [width or 128], num_classes, nn.ReLU)


def text_dense_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """In-128-1 with ReLU."""
    return dense_discriminator(sample_shape, [width or 128], num_classes, nn.ReLU)


def text_norm_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """In-512-256-128-1 with LeakyReLU(0.2), its hidden layers batch-normalised: what textbooks set against a convolutional generator."""
    return dense_discriminator(sample_shape, _scaled(TEXT_DISCRIMINATOR, width), num_classes, LEAKY, norm=True)


def text_norm_out_discriminator(
    sample_shape: Shape, latent_shape: Shape = (), *, num_classes: int | None = None, width: int | None = None
) -> nn.Module:
    """The same with its score batch-normalised too, which is a fault: real and fake batches then have the same mean score."""
    discriminator = dense_discriminator(sample_shape, _scaled(TEXT_DISCRIMINATOR, width), num_classes, LEAKY, norm=True)
    discriminator.head = nn.Sequential(discriminator.head, nn.BatchNorm1d(1))
    return discriminator


def pac_generator(
    sample_shape: Shape,
    latent_shape: Shape,
    *,
    num_classes: int | None = None,
    width: int | None = None,
    depth: int = 4,
) -> nn.Module:
    """`depth` (4) hidden layers of `width` (400), batch-normalised, ReLU; weights from N(0, .02^2) (PacGAN, Lin et al. 2018).

    What is added to variances is 1e-4, as in the library of the authors' code: the first layer's are near 1e-3 at the start.
    """
    widths = [width or 400] * depth
    return normal_initialised(
        dense_generator(sample_shape, latent_shape, widths, num_classes, nn.ReLU, norm_from=0, norm_eps=1e-4)
    )


def pac_discriminator(
    sample_shape: Shape,
    latent_shape: Shape = (),
    *,
    num_classes: int | None = None,
    width: int | None = None,
    depth: int = 3,
) -> nn.Module:
    """`depth` (3) hidden layers of `width` (200), each unit the largest of 5 linear functions; weights from N(0, .02^2) (PacGAN).

    It is packed by its input: m samples joined to one (their shape times m) make PacGANm.
    """
    sizes = [prod(sample_shape)] + [width or 200] * depth
    features = nn.Sequential(nn.Flatten(), *(Maxout(one, other, PAC_PIECES) for one, other in pairwise(sizes)))
    return normal_initialised(Scored(features, sizes[-1], num_classes))


def dense_generator(
    sample_shape: Shape,
    latent_shape: Shape,
    widths: Sequence[int],
    num_classes: int | None,
    activation: Activation,
    *,
    norm_from: int | None = None,
    norm_eps: float = 1e-5,
) -> nn.Module:
    """A dense generator with these hidden layers, batch-normalised from number `norm_from` on (None: none of them)."""
    sizes = [latent_size(latent_shape, num_classes), *widths]
    layers: list[nn.Module] = []
    for number, (one, other) in enumerate(pairwise(sizes)):
        norm = [nn.BatchNorm1d(other, norm_eps)] if norm_from is not None and number >= norm_from else []
        layers += [nn.Linear(one, other, bias=not norm), *norm, activation()]
    output = [nn.Linear(sizes[-1], prod(sample_shape)), output_activation(sample_shape), nn.Unflatten(1, sample_shape)]
    return LabelledLatent(nn.Sequential(*layers, *output), num_classes)


def dense_discriminator(
    sample_shape: Shape, widths: Sequence[int], num_classes: int | None, activation: Activation, *, norm: bool = False
) -> Scored:
    """A dense discriminator with these hidden layers."""
    layers: list[nn.Module] = [nn.Flatten()]
    for one, other in pairwise([prod(sample_shape), *widths]):
        layers += [nn.Linear(one, other, bias=not norm), *([nn.BatchNorm1d(other)] if norm else []), activation()]
    return Scored(nn.Sequential(*layers), widths[-1], num_classes)


def _scaled(sizes: Sequence[int], width: int | None) -> list[int]:
    """Scales layer sizes so that the smallest of them is `width`."""
    return list(sizes) if width is None else [max(1, size * width // min(sizes)) for size in sizes]

"""PENALTIES: what is added to the discriminator's loss to keep the game stable, each to be multiplied with its weight gamma."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from gandiag.errors import UsageError
from gandiag.training.other_names import meant

DRAGAN_SPREAD = 0.5  # the perturbation's size in standard deviations of the batch (Kodali et al. 2017, their code)
LECAM_DECAY = 0.99  # of the averaged outputs (Tseng et al. 2021)


@dataclass(frozen=True)
class Shown:
    """What the discriminator was shown in this update, and what the penalties need besides.

    `real` and `fake` (n, ...) are its inputs, without graph. Logits that are given for an input that requires a gradient are used again
    instead of a second forward pass. `memory` is what a penalty remembers between updates (a checkpoint keeps it). `gather` joins what the
    processes hold of a batch.
    """

    discriminator: Callable[..., Any]
    real: Tensor
    fake: Tensor
    real_labels: Tensor | None = None
    fake_labels: Tensor | None = None
    real_logits: Tensor | None = None
    fake_logits: Tensor | None = None
    random: torch.Generator | None = None
    memory: dict[str, Tensor] = field(default_factory=dict)
    gather: Callable[[Tensor], Tensor] = field(default=lambda batch: batch)


@dataclass(frozen=True)
class Penalty:
    """A penalty's value without its weight: a 0-d tensor from what was shown. `inputs` are those whose gradient it takes as they are."""

    name: str
    value: Callable[[Shown], Tensor]
    summary: str
    inputs: tuple[str, ...] = ()


def r1(shown: Shown) -> Tensor:
    """E |grad D(x)|^2 / 2 on reals, summed over channels and places (Mescheder et al. 2018; gamma / 2 as in StyleGAN)."""
    return 0.5 * _squared_norms(shown, "real").mean()


def r2(shown: Shown) -> Tensor:
    """E |grad D(G(z))|^2 / 2 on fakes (Mescheder et al. 2018)."""
    return 0.5 * _squared_norms(shown, "fake").mean()


def wgan_gp(shown: Shown, *, target: float = 1.0) -> Tensor:
    """E (|grad D| - target)^2 on random points between reals and fakes (Gulrajani et al. 2017)."""
    return (_norms_between(shown) - target).square().mean()


def zero_centred(shown: Shown) -> Tensor:
    """E |grad D|^2 on random points between reals and fakes (Thanh-Tung et al. 2019)."""
    points = interpolates(shown.real, shown.fake, shown.random)
    return squared_gradient_norms(_judge(shown, points, shown.real_labels), points).mean()


def dragan(shown: Shown, *, target: float = 1.0, spread: float = DRAGAN_SPREAD) -> Tensor:
    """E (|grad D| - target)^2 around the reals, which are pushed by uniform noise of `spread` standard deviations (Kodali et al. 2017)."""
    real = shown.real.detach()
    noise = torch.rand(real.shape, generator=shown.random, device=real.device, dtype=real.dtype)
    points = interpolates(real, real + spread * real.std() * noise, shown.random)
    return (
        (_safe_root(squared_gradient_norms(_judge(shown, points, shown.real_labels), points)) - target).square().mean()
    )


def lecam(shown: Shown, *, decay: float = LECAM_DECAY) -> Tensor:
    """E (D(x) - a_fake)^2 + E (D(G(z)) - a_real)^2, where a are moving averages of D's outputs (Tseng et al. 2021)."""
    real = _judge(shown, shown.real, shown.real_labels) if shown.real_logits is None else shown.real_logits
    fake = _judge(shown, shown.fake, shown.fake_labels) if shown.fake_logits is None else shown.fake_logits
    for name, logits in (("lecam_real", real), ("lecam_fake", fake)):
        mean = shown.gather(logits.detach().float()).mean()  # of all processes, so that they remember the same
        shown.memory[name] = shown.memory[name].lerp(mean, 1 - decay) if name in shown.memory else mean
    return (real - shown.memory["lecam_fake"]).square().mean() + (fake - shown.memory["lecam_real"]).square().mean()


def orthogonal(shown: Shown) -> Tensor:
    """The orthogonality penalty of the discriminator's weights."""
    if not isinstance(shown.discriminator, nn.Module):
        raise TypeError("the orthogonal penalty is on a module's weights: give the discriminator itself")
    return orthogonality(shown.discriminator)


def orthogonality(module: nn.Module) -> Tensor:
    """Sum over weight matrices of |W W^T - diag(W W^T)|^2: rows at right angles, their lengths left free (Brock et al. 2019)."""
    terms = []
    for weight in module.parameters():
        if weight.ndim >= 2:
            rows = weight.flatten(1)
            products = rows @ rows.T
            terms.append((products - torch.diag(products.diagonal())).square().sum())
    if not terms:
        raise ValueError(f"{type(module).__name__} has no weight matrix")
    return torch.stack(terms).sum()


PENALTIES: dict[str, Penalty] = {
    penalty.name: penalty
    for penalty in (
        Penalty("r1", r1, "half the squared gradient on reals", ("real",)),
        Penalty("r2", r2, "half the squared gradient on fakes", ("fake",)),
        Penalty("wgan-gp", wgan_gp, "gradient norm 1 between reals and fakes"),
        Penalty("zero-centred", zero_centred, "squared gradient between reals and fakes"),
        Penalty("dragan", dragan, "gradient norm 1 around the reals"),
        Penalty("lecam", lecam, "outputs near the averaged outputs of the other side"),
        Penalty("orthogonal", orthogonal, "rows of the weights at right angles"),
    )
}


def penalty_named(name: str) -> Penalty:
    """Returns the penalty of this name; an unknown one raises UsageError with the nearest that is known."""
    if name not in PENALTIES:
        raise UsageError(f"unknown penalty {name!r}{meant(name, tuple(PENALTIES))}; known: {', '.join(PENALTIES)}")
    return PENALTIES[name]


def interpolates(real: Tensor, fake: Tensor, random: torch.Generator | None = None) -> Tensor:
    """Returns one uniformly random point on the line between each real and its fake (n, ...), as a leaf that requires a gradient."""
    if real.shape != fake.shape:
        raise ValueError(
            f"interpolation is between pairs: found shapes {tuple(real.shape)} and {tuple(fake.shape)}; show equally many"
        )
    weight = torch.rand([len(real)] + [1] * (real.ndim - 1), generator=random, device=real.device, dtype=real.dtype)
    return torch.lerp(real.detach(), fake.detach(), weight).requires_grad_()


def squared_gradient_norms(logits: Tensor, inputs: Tensor) -> Tensor:
    """|gradient of each sample's score by that sample|^2, (n,), differentiable once more; several scores of a sample are added up."""
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    precise = torch.promote_types(gradient.dtype, torch.float32)  # half precision overflows on squares
    return gradient.to(precise).square().flatten(1).sum(1)


def _squared_norms(shown: Shown, what: str) -> Tensor:
    inputs, logits, labels = getattr(shown, what), getattr(shown, f"{what}_logits"), getattr(shown, f"{what}_labels")
    if logits is None or not inputs.requires_grad:
        inputs = inputs.detach().requires_grad_()
        logits = _judge(shown, inputs, labels)
    return squared_gradient_norms(logits, inputs)


def _norms_between(shown: Shown) -> Tensor:
    points = interpolates(shown.real, shown.fake, shown.random)
    return _safe_root(squared_gradient_norms(_judge(shown, points, shown.real_labels), points))


def _judge(shown: Shown, samples: Tensor, labels: Tensor | None) -> Tensor:
    return shown.discriminator(samples) if labels is None else shown.discriminator(samples, labels)


def _safe_root(squares: Tensor) -> Tensor:
    """Square root whose gradient at exactly 0 is 0 and not NaN."""
    zero = squares == 0
    return torch.where(zero, 0.0, torch.where(zero, 1.0, squares).sqrt())


def lazy_rates(learning_rate: float, betas: tuple[float, float], every: int) -> tuple[float, tuple[float, float]]:
    """Returns Adam's rate and betas for a penalty that comes every `every` updates, `every` times as strong (StyleGAN2).

    With r = every / (every + 1): rate * r and betas ** r, as if the penalty's own update still took place.
    """
    if every < 1:
        raise UsageError(f"a penalty comes every 1, 2, ... updates, not every {every}")
    if every == 1:
        return learning_rate, betas
    ratio = every / (every + 1)
    return learning_rate * ratio, (betas[0] ** ratio, betas[1] ** ratio)


def add_instance_noise(samples: Tensor, sd: float, random: torch.Generator | None = None) -> Tensor:
    """Returns the samples with Gaussian noise of this standard deviation on each value (Sonderby et al. 2017); at 0 the samples themselves."""
    if sd == 0:
        return samples
    return samples + sd * torch.randn(samples.shape, generator=random, device=samples.device, dtype=samples.dtype)


@torch.no_grad()
def clip_weights(module: nn.Module, limit: float) -> None:
    """Clamps every parameter to [-limit, limit] (Arjovsky et al. 2017)."""
    if limit <= 0:
        raise UsageError(f"weights are clipped to a limit above 0, not {limit}")
    for parameter in module.parameters():
        parameter.clamp_(-limit, limit)


def spectrally_normalised(module: nn.Module) -> nn.Module:
    """Divides each weight matrix of the module by its largest singular value (Miyato et al. 2018).

    One power iteration a forward pass in training finds that value.
    """
    from torch.nn.utils import parametrizations, parametrize

    for layer in module.modules():
        weight = getattr(layer, "weight", None)
        matrix = isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding)
        if matrix and isinstance(weight, Tensor) and not parametrize.is_parametrized(layer, "weight"):
            parametrizations.spectral_norm(layer)
    return module

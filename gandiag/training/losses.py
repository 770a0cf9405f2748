"""LOSSES: the objectives of both players as functions of logits, numerically stable; and four faulty ones, as they are printed in textbooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from gandiag.errors import UsageError
from gandiag.training.other_names import meant

Objective = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Loss:
    """What each player minimises: functions of (real_logits, fake_logits), both (n,), to a 0-d tensor.

    Where `generator_uses_real` is false the generator's objective does not look at the real logits, and anything may be given for them.
    """

    name: str
    discriminator: Objective
    generator: Objective
    summary: str
    generator_uses_real: bool = False


def cross_entropy_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-E log D(x) - E log(1 - D(G(z))) with D = sigmoid(logit); 2 ln 2 where D cannot tell (Goodfellow et al. 2014)."""
    return softplus(-real).mean() + softplus(fake).mean()


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:
    """E log(1 - D(G(z))): the game's own value for G, whose gradient dies where D is sure (Goodfellow et al. 2014)."""
    return -softplus(fake).mean()


def non_saturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-E log D(G(z)) (Goodfellow et al. 2014)."""
    return softplus(-fake).mean()


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E (D(x) - 1)^2 / 2 + E D(G(z))^2 / 2 on the raw output (Mao et al. 2017, a = 0, b = c = 1)."""
    return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()


def least_squares_generator(real: Tensor, fake: Tensor) -> Tensor:
    """E (D(G(z)) - 1)^2 / 2 (Mao et al. 2017)."""
    return 0.5 * (fake - 1).square().mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E D(G(z)) - E D(x) (Arjovsky et al. 2017)."""
    return fake.mean() - real.mean()


def wasserstein_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-E D(G(z)) (Arjovsky et al. 2017)."""
    return -fake.mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))) (Lim and Ye 2017; Miyato et al. 2018)."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E softplus(-(D(x) - D(G(z)))) over pairs (Jolicoeur-Martineau 2018; R3GAN, Huang et al. 2024)."""
    return softplus(_paired(fake, real) - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """E softplus(-(D(G(z)) - D(x))) over pairs (Jolicoeur-Martineau 2018; R3GAN, Huang et al. 2024)."""
    return softplus(_paired(real, fake) - fake).mean()


def _paired(one: Tensor, other: Tensor) -> Tensor:
    if one.shape != other.shape:
        raise ValueError(
            f"a relativistic loss is over pairs: found logits of shapes {tuple(one.shape)} and {tuple(other.shape)}; show equally many"
        )
    return one


# The four faulty listings (ground truth of the field's textbooks): written through the sigmoid as they are printed, overflow and all.


def unbounded_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Faulty: log(2 - D(x)) + log(1 - D(G(z))): D is paid without bound for D(G(z)) -> 1."""
    return (torch.log(2 - torch.sigmoid(real)) + torch.log(1 - torch.sigmoid(fake))).mean()


def unbounded_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Faulty game's other side: log(2 - D(G(z)))."""
    return torch.log(2 - torch.sigmoid(fake)).mean()


def cooperative_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Faulty: log D(x) + log(1 - D(G(z))), minimised: D pushes reals down and fakes up, and so helps G."""
    return (torch.log(torch.sigmoid(real)) + torch.log(1 - torch.sigmoid(fake))).mean()


def probability_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-E D(G(z)) through the sigmoid: the generator's side of two faulty games."""
    return -torch.sigmoid(fake).mean()


def shared_objective(real: Tensor, fake: Tensor) -> Tensor:
    """Faulty: one sum of cross-entropies for both players, applied to values that a sigmoid has squashed already."""
    return softplus(-torch.sigmoid(real)).mean() + softplus(torch.sigmoid(fake)).mean()


def saturated_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Faulty: D(x) + D(G(z)): D is paid for calling everything fake."""
    return (torch.sigmoid(real) + torch.sigmoid(fake)).mean()


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss(
            "non-saturating",
            cross_entropy_discriminator,
            non_saturating_generator,
            "cross-entropy; G maximises log D(G(z))",
        ),
        Loss(
            "minimax",
            cross_entropy_discriminator,
            minimax_generator,
            "cross-entropy; G minimises log(1 - D(G(z))), which saturates",
        ),
        Loss(
            "least-squares",
            least_squares_discriminator,
            least_squares_generator,
            "squared distance of the output to 1 and 0 (LSGAN)",
        ),
        Loss(
            "wasserstein",
            wasserstein_discriminator,
            wasserstein_generator,
            "difference of means; D must be kept Lipschitz (WGAN)",
        ),
        Loss("hinge", hinge_discriminator, wasserstein_generator, "margin loss for D, mean score for G (SNGAN, SAGAN)"),
        Loss(
            "relativistic",
            relativistic_discriminator,
            relativistic_generator,
            "cross-entropy of paired differences (RpGAN, R3GAN)",
            generator_uses_real=True,
        ),
        Loss(
            "fault-unbounded",
            unbounded_discriminator,
            unbounded_generator,
            "faulty on purpose: D is paid without bound",
        ),
        Loss("fault-cooperative", cooperative_discriminator, probability_generator, "faulty on purpose: D helps G"),
        Loss(
            "fault-shared",
            shared_objective,
            shared_objective,
            "faulty on purpose: one objective for both, through two sigmoids",
            generator_uses_real=True,
        ),
        Loss(
            "fault-saturated",
            saturated_discriminator,
            probability_generator,
            "faulty on purpose: D calls everything fake",
        ),
    )
}


def loss_named(name: str) -> Loss:
    """Returns the loss of this name; an unknown one raises UsageError with the nearest that is known."""
    if name not in LOSSES:
        raise UsageError(f"unknown loss {name!r}{meant(name, tuple(LOSSES))}; known: {', '.join(LOSSES)}")
    return LOSSES[name]

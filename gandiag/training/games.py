"""Small games whose behaviour theory knows exactly: Dirac-GAN and its cures, bilinear, linear-quadratic and 1-D Gaussian games.

Each is a `SmallGame`: two tiny modules and two losses (generator, discriminator, latents, reals) -> 0-d, everything in float64.
D scores reals up here, as everywhere in gandiag; Mescheder et al. 2018 write the same game with the sign of psi turned round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

Loss = Callable[[nn.Module, nn.Module, Tensor, Tensor], Tensor]
Objective = Literal["minimax", "non-saturating", "wasserstein"]
Penalty = Literal["none", "r1", "wgan-gp"]
# Gauss-Hermite nodes: expectations over a Gaussian of these smooth losses are then exact to 1e-12
QUADRATURE_POINTS = 80


@dataclass(frozen=True)
class SmallGame:
    """A game of two players: modules, their losses, and the batch on which the losses are exact."""

    generator: nn.Module
    discriminator: nn.Module
    generator_loss: Loss
    discriminator_loss: Loss
    latents: Tensor
    reals: Tensor


class Point(nn.Module):
    """A generator that puts all mass at one point theta, whatever the latents (n, any); parameter theta (d,)."""

    def __init__(self, theta: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(theta)

    def forward(self, latents: Tensor) -> Tensor:
        return self.theta.expand(len(latents), -1)


class Linear(nn.Module):
    """A discriminator D(x) = psi . x; samples (n, d), logits (n, 1), parameter psi (d,)."""

    def __init__(self, psi: Tensor) -> None:
        super().__init__()
        self.psi = nn.Parameter(psi)

    def forward(self, samples: Tensor) -> Tensor:
        return samples @ self.psi[:, None]


class Scale(nn.Module):
    """A generator G(z) = a z; latents (n, 1), parameter a (1,)."""

    def __init__(self, a: Tensor) -> None:
        super().__init__()
        self.a = nn.Parameter(a)

    def forward(self, latents: Tensor) -> Tensor:
        return latents * self.a


class Square(nn.Module):
    """A discriminator D(x) = w x^2; samples (n, 1), logits (n, 1), parameter w (1,)."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = nn.Parameter(w)

    def forward(self, samples: Tensor) -> Tensor:
        return samples.square() * self.w


def dirac_gan(
    objective: Objective = "minimax",
    *,
    theta: float = 0.0,
    psi: float = 0.0,
    penalty: Penalty = "none",
    gamma: float = 1.0,
    target: float = 1.0,
    noise: float = 0.0,
) -> SmallGame:
    """Returns the Dirac-GAN: G puts all mass at theta, D(x) = psi x, the data lie at 0 (Mescheder et al. 2018).

    `penalty` is "none", "r1" (gamma/2 |dD/dx|^2) or "wgan-gp" (gamma/2 (|dD/dx| - target)^2); `noise` is the standard deviation of
    instance noise, whose expectation is taken by quadrature.
    """
    nodes, weights = _gauss_hermite(QUADRATURE_POINTS if noise else 1)
    data = noise * nodes[:, None]

    def penalised(discriminator: nn.Module) -> Tensor:
        at = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
        slope = torch.autograd.grad(discriminator(at).sum(), at, create_graph=True)[0]
        if penalty == "r1":
            return 0.5 * gamma * slope.square().sum()
        return 0.5 * gamma * (slope.abs() - target).square().sum() if penalty == "wgan-gp" else slope.new_zeros(())

    def scores(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> tuple[Tensor, Tensor]:
        return discriminator(reals)[:, 0], discriminator(generator(latents) + noise * latents)[:, 0]

    generator_loss, discriminator_loss = _objectives(objective, scores, weights)
    return SmallGame(
        Point(_vector(theta)),
        Linear(_vector(psi)),
        generator_loss,
        lambda g, d, z, x: discriminator_loss(g, d, z, x) + penalised(d),
        nodes[:, None],
        data,
    )


def bilinear_game(omega: float = 1.0, *, x: float = 1.0, y: float = 1.0, dimensions: int = 1) -> SmallGame:
    """Returns min over x, max over y of omega x.y, x the generator's point and y the discriminator's slope."""

    def value(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> Tensor:
        return omega * discriminator(generator(latents)).sum()

    batch = torch.zeros(1, 1, dtype=torch.float64)
    return SmallGame(
        Point(_vector(x, dimensions)),
        Linear(_vector(y, dimensions)),
        value,
        lambda g, d, z, r: -value(g, d, z, r),
        batch,
        batch,
    )


def linear_quadratic_game(
    p: Tensor | float, b: Tensor | float, q: Tensor | float, *, x: Tensor | float = 1.0, y: Tensor | float = 1.0
) -> SmallGame:
    """Returns min over x, max over y of x.P x / 2 + x.B y - y.Q y / 2; P (m, m), B (m, n), Q (n, n) or numbers for m = n = 1.

    The field's Jacobian is [[-P, -B], [B^T, -Q]].
    """
    p, b, q = (
        torch.as_tensor(t, dtype=torch.float64).reshape(t.shape if isinstance(t, Tensor) else (1, 1)) for t in (p, b, q)
    )
    starts = [torch.as_tensor(t, dtype=torch.float64).expand(n).clone() for t, n in ((x, p.shape[0]), (y, q.shape[0]))]

    def value(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> Tensor:
        at, against = generator(latents)[0], next(iter(discriminator.parameters()))
        return 0.5 * at @ p @ at + discriminator((at @ b)[None])[0, 0] - 0.5 * against @ q @ against

    batch = torch.zeros(1, 1, dtype=torch.float64)
    return SmallGame(Point(starts[0]), Linear(starts[1]), value, lambda g, d, z, r: -value(g, d, z, r), batch, batch)


def gaussian_gan(
    objective: Objective = "minimax", *, sd: float = 1.0, a: float | None = None, w: float = 0.0, gamma: float = 0.0
) -> SmallGame:
    """Returns the 1-D Gaussian GAN: data N(0, sd^2), G(z) = a z, D(x) = w x^2, R1 with weight gamma; the equilibrium is (sd, 0).

    Its data are absolutely continuous: the healthy control that needs no regularisation (Nagarajan and Kolter 2017).
    """
    nodes, weights = _gauss_hermite(QUADRATURE_POINTS)
    generator_loss, discriminator_loss = _objectives(objective, lambda g, d, z, x: (d(x)[:, 0], d(g(z))[:, 0]), weights)

    def with_penalty(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> Tensor:
        at = reals.detach().requires_grad_(True)
        slope = torch.autograd.grad(discriminator(at).sum(), at, create_graph=True)[0]
        return (
            discriminator_loss(generator, discriminator, latents, reals)
            + 0.5 * gamma * (weights * slope[:, 0].square()).sum()
        )

    return SmallGame(
        Scale(_vector(sd if a is None else a)),
        Square(_vector(w)),
        generator_loss,
        with_penalty,
        nodes[:, None],
        sd * nodes[:, None],
    )


def _objectives(
    objective: Objective,
    scores: Callable[[nn.Module, nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]],
    weights: Tensor,
) -> tuple[Loss, Loss]:
    """Both players' losses from logits on weighted samples; an unknown objective raises ValueError."""
    if objective not in ("minimax", "non-saturating", "wasserstein"):
        raise ValueError(f"unknown objective {objective!r}: minimax, non-saturating or wasserstein was expected")

    def generator_loss(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> Tensor:
        fake = scores(generator, discriminator, latents, reals)[1]
        each = {
            "minimax": lambda: -softplus(fake),
            "non-saturating": lambda: softplus(-fake),
            "wasserstein": lambda: -fake,
        }[objective]()
        return (weights * each).sum()

    def discriminator_loss(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> Tensor:
        real, fake = scores(generator, discriminator, latents, reals)
        each = fake - real if objective == "wasserstein" else softplus(-real) + softplus(fake)
        return (weights * each).sum()

    return generator_loss, discriminator_loss


def _gauss_hermite(points: int) -> tuple[Tensor, Tensor]:
    """Nodes and weights of E f(z), z ~ N(0, 1)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    return torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())


def _vector(value: float, dimensions: int = 1) -> Tensor:
    return torch.full((dimensions,), float(value), dtype=torch.float64)

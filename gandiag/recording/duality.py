"""How far a GAN is from an equilibrium: the duality gap by a few optimizer steps on held-out data, and the extragradient residual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from gandiag.recording.game import GAME_SEED, Batch, GanLoss, Player, vector_field
from gandiag.recording.paths import place, point_of
from gandiag.recording.untouched import copied, frozen_buffers, own_randomness, untouched

GAP_STEPS = 50
GAP_LEARNING_RATE = 5e-4  # Perturbed-DG's own: Adam 5e-4, there for 249 steps
MakeOptimizer = Callable[[Iterable[Tensor]], torch.optim.Optimizer]
Project = Callable[[nn.Module, nn.Module], None]


@dataclass(frozen=True)
class DualityGap:
    """best_discriminator - best_generator >= 0, a lower bound on the true gap; 0 at a Nash equilibrium."""

    gap: float
    best_discriminator: float  # largest value that D reached against the present G
    best_generator: float  # smallest value that G reached against the present D
    gradient_evaluations: int


def minimax_value(generator: nn.Module, discriminator: nn.Module, latents: Batch, reals: Batch) -> Tensor:
    """E log D(x) + E log(1 - D(G(z))) from logits: the value that D maximises and G minimises (Goodfellow et al. 2014)."""
    latent = latents if isinstance(latents, tuple) else (latents,)
    real = reals if isinstance(reals, tuple) else (reals,)
    fake = discriminator(generator(*latent), *latent[1:])
    return logsigmoid(discriminator(*real)).mean() + logsigmoid(-fake).mean()


def duality_gap(
    generator: nn.Module,
    discriminator: nn.Module,
    value: GanLoss,
    latents: Batch,
    reals: Batch,
    *,
    steps: int = GAP_STEPS,
    optimizer: MakeOptimizer | None = None,
    project: Project | None = None,
) -> DualityGap:
    """Returns max over D of value(G, D) minus min over G of value(G, D), each by `steps` optimizer steps from the present point.

    Grnarova et al. 2019, on copies: first D's copy climbs against the present G, then G's copy descends against the present D. `value`
    is (generator, discriminator, latents, reals) -> 0-d, on a fixed batch that should be held out from training. The best value on the
    way counts, the start included, so that the gap is never negative; few steps under-estimate it. `optimizer` makes an optimizer of
    parameters (Adam 5e-4, betas .5 and .999, if none is given); `project(generator, discriminator)` is called after each step, to keep
    weights in their box. At least 2 x JSD of data and fakes where `value` is `minimax_value` and G can reach the data.
    """
    make = optimizer or (lambda parameters: torch.optim.Adam(parameters, GAP_LEARNING_RATE, betas=(0.5, 0.999)))
    highest = _best_response(
        generator, discriminator, value, latents, reals, mover=1, steps=steps, make=make, project=project
    )
    lowest = _best_response(
        generator, discriminator, value, latents, reals, mover=0, steps=steps, make=make, project=project
    )
    return DualityGap(highest - lowest, highest, lowest, 2 * (steps + 1))


def _best_response(
    generator: nn.Module,
    discriminator: nn.Module,
    value: GanLoss,
    latents: Batch,
    reals: Batch,
    *,
    mover: int,
    steps: int,
    make: MakeOptimizer,
    project: Project | None,
) -> float:
    players = copied(generator, discriminator)
    sign = -1.0 if mover == 1 else 1.0
    moving = [p for p in players[mover].parameters() if p.requires_grad]
    mine = make(moving)
    values = []
    while True:
        with own_randomness(GAME_SEED), frozen_buffers(players), torch.enable_grad():
            reached = value(players[0], players[1], latents, reals)
            values.append(reached.detach())
            if len(values) > steps or not reached.requires_grad:
                break
            slopes = torch.autograd.grad(sign * reached, moving, allow_unused=True, materialize_grads=True)
        for parameter, slope in zip(moving, slopes):
            parameter.grad = slope
        mine.step()
        if project is not None:
            project(players[0], players[1])
    reached_values = torch.stack(values)
    finite = reached_values[torch.isfinite(reached_values)]
    if not len(finite) or not bool(torch.isfinite(reached_values[0])):
        return float("nan")
    return float(finite.max() if mover == 1 else finite.min())


def extragradient_residual(players: Sequence[Player], step: float | Sequence[float]) -> tuple[float, float]:
    """Returns |v(w)| and |v(w + h v(w))|, the field here and one step ahead; both are 0 if and only if w is stationary (Gidel et al. 2019).

    `step` is h, one for all or one for each player. The players' parameters are moved and put back: give copies (`gan_players`).
    """
    here = vector_field(players)
    sizes = [sum(p.numel() for p in q.parameters) for q in players]
    steps = [step] * len(players) if isinstance(step, (int, float)) else list(step)
    scale = torch.cat([torch.full((n,), float(h), dtype=here.dtype, device=here.device) for n, h in zip(sizes, steps)])
    start = point_of(players)
    with untouched(*[m for q in players for m in q.modules]):
        try:
            place(players, start + scale * here)
            ahead = vector_field(players)
        finally:
            place(players, start)
    return float(here.norm()), float(ahead.norm())

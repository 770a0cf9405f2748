"""The way between two parameter points: path-angle and path-norm, which tell attraction from rotation (Berard et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from gandiag.recording.game import Batch, GanLoss, Player, gan_players, vector_field
from gandiag.recording.untouched import bare

ALPHA_RANGE = (-0.1, 1.1)
PATH_POINTS = 100
BUMP = 0.1  # how far the angle must rise over both ends of the way for a bump: smaller ones are seen on straight ways with noise
Field = Callable[[Tensor], Tensor]
Way = Literal["attraction", "repulsion", "rotation", "attraction and rotation", "neither"]


@dataclass(frozen=True)
class Path:
    """The game's field v along omega(alpha) = start + alpha (end - start)."""

    alphas: np.ndarray  # (k,)
    angles: np.ndarray  # (k,) cosine between v and end - start; NaN where v is zero
    norms: np.ndarray  # (k,) |v|


def path_angle(
    field: Field, start: Tensor, end: Tensor, *, points: int = PATH_POINTS, alphas: Sequence[float] | None = None
) -> Path:
    """Returns cos(v(omega_alpha), end - start) and |v(omega_alpha)| along the way between two flat parameter points (n,).

    `field` maps a flat point to the field v there, the way in which the players move (minus the gradients). One evaluation a point.
    """
    way = (end - start).double()
    length = float(way.norm())
    if length == 0:
        raise ValueError("start and end are the same point: there is no way between them")
    at = np.linspace(*ALPHA_RANGE, points) if alphas is None else np.asarray(alphas, dtype=float)
    angles, norms = [], []
    for alpha in at:
        v = field(start + float(alpha) * (end - start)).double()
        norms.append(float(v.norm()))
        angles.append(float(v @ way) / (norms[-1] * length) if norms[-1] > 0 else float("nan"))
    return Path(at, np.array(angles), np.array(norms))


def gan_path(
    generator: nn.Module,
    discriminator: nn.Module,
    generator_loss: GanLoss,
    discriminator_loss: GanLoss,
    latents: Batch,
    reals: Batch,
    *,
    start: tuple[Mapping[str, Tensor], Mapping[str, Tensor]],
    end: tuple[Mapping[str, Tensor], Mapping[str, Tensor]],
    points: int = PATH_POINTS,
) -> Path:
    """Returns the path between two checkpoints of a GAN: `start` and `end` are (generator, discriminator) state dicts.

    Works on copies; only parameters are moved along the way, buffers stay those of the modules given.
    """
    players = gan_players(generator, discriminator, generator_loss, discriminator_loss, latents, reals)
    names = [[n for n, p in bare(m).named_parameters() if p.requires_grad] for m in (generator, discriminator)]
    ends = [
        torch.cat([state[n].reshape(-1) for state, own in zip(states, names) for n in own]).to(
            players[0].parameters[0].device
        )
        for states in (start, end)
    ]
    return path_angle(field_of(players), ends[0], ends[1], points=points)


def field_of(players: Sequence[Player]) -> Field:
    """Returns the game's field as a function of one flat point; the players' own parameters are put back after each evaluation."""

    def field(point: Tensor) -> Tensor:
        with ExitStack() as stack:
            stack.callback(place, players, point_of(players))
            place(players, point)
            return vector_field(players)

    return field


def point_of(players: Sequence[Player]) -> Tensor:
    """Returns all players' parameters as one flat vector, a copy."""
    return torch.cat([p.detach().reshape(-1) for q in players for p in q.parameters])


def place(players: Sequence[Player], point: Tensor) -> None:
    """Writes a flat point into the players' parameters."""
    parameters = [p for q in players for p in q.parameters]
    with torch.no_grad():
        for parameter, piece in zip(parameters, point.split([p.numel() for p in parameters])):
            parameter.copy_(piece.view_as(parameter))


def read_path(path: Path) -> Way:
    """Says what a path shows: a switch of the angle from + to - is attraction, a bump is rotation, both is a spiral (Berard et al. 2020)."""
    angles = path.angles[np.isfinite(path.angles)]
    if len(angles) < 5:
        return "neither"
    first, last = np.median(angles[: max(len(angles) // 12, 1)]), np.median(angles[-max(len(angles) // 12, 1) :])
    inner = angles[1:-1]
    up, down = float(inner.max() - max(first, last)), float(min(first, last) - inner.min())
    bump = max(up, down) > BUMP
    if first > 0 > last:
        return "attraction and rotation" if bump else "attraction"
    if first < 0 < last and not bump:
        return "repulsion"
    return "rotation" if bump else "neither"

"""The game's vector field, its Jacobian's leading eigenvalues and each player's Hessian extremes, on vector-Jacobian products.

The field is v = (-dL_G/dG, -dL_D/dD): where each player pushes its own parameters. Eigenvalues of v' with negative real parts draw
back to the point, imaginary parts rotate about it (Mescheder et al. 2017; Berard et al. 2020, whose sign this is). What a module
computes without gradients (a spectral norm's singular vectors, running statistics) counts as constant, as it does in training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gandiag.errors import GandiagError
from gandiag.recording.arnoldi import Eigenvalues, eigenvalues
from gandiag.recording.plain import PlainAndCoupled, graph
from gandiag.recording.untouched import copied, frozen_buffers, own_randomness, untouched

PlayerLoss = Callable[[], Tensor]
GanLoss = Callable[
    [nn.Module, nn.Module, "Batch", "Batch"], Tensor
]  # (generator, discriminator, latents, reals) -> 0-d
Batch = Tensor | tuple[Tensor, ...]  # latents or reals, with their labels where the players take any

EXACT_PARAMETERS = 128  # up to here the whole Jacobian takes milliseconds, and a search would find most of it anyway
# gradient evaluations that one vector-Jacobian product is counted as: a backward pass through a backward pass
PRODUCT_COST = 2
FIELD_COST = 1
GAME_SEED = 20260


@dataclass(frozen=True)
class Player:
    """One side of a game: the parameters that it moves and the loss that it minimises, a function of no arguments."""

    parameters: tuple[Tensor, ...]
    loss: PlayerLoss
    modules: tuple[nn.Module, ...] = ()  # whose buffers and modes an evaluation of the loss may move


@dataclass(frozen=True)
class GameSpectrum:
    """Eigenvalues of the game's Jacobian: `found.leading("rightmost", 6)`, also "largest" and "rotating"."""

    found: Eigenvalues
    gradient_evaluations: int
    exact: bool  # all eigenvalues of the full Jacobian, not a search


@dataclass(frozen=True)
class HessianExtremes:
    """Smallest and largest eigenvalue of one player's own Hessian, each with the residual that bounds its distance to a true one.

    The smallest is a Rayleigh quotient: where it is negative the Hessian certainly has a negative direction, and the player's loss
    is not at a local minimum, so that the point is no Nash equilibrium even if the game is stable there.
    """

    smallest: float
    largest: float
    smallest_residual: float
    largest_residual: float
    gradient_evaluations: int


class NoSecondDerivative(GandiagError):
    """An operation of a network or loss cannot be differentiated twice, so that the game's Jacobian cannot be had."""


def player(who: nn.Module | Iterable[Tensor], loss: PlayerLoss) -> Player:
    """Returns a player of the parameters of `who` (a module or tensors) that ask for gradients; at least one must."""
    modules = (who,) if isinstance(who, nn.Module) else ()
    parameters = tuple(p for p in (who.parameters() if isinstance(who, nn.Module) else who) if p.requires_grad)
    if not parameters:
        raise ValueError("a player has no parameter that asks for a gradient: nothing of it can move")
    return Player(parameters, loss, modules)


def gan_players(
    generator: nn.Module,
    discriminator: nn.Module,
    generator_loss: GanLoss,
    discriminator_loss: GanLoss,
    latents: Batch,
    reals: Batch,
) -> tuple[Player, Player]:
    """Returns both players of a GAN as copies, on one fixed batch: nothing that is done to them reaches the training.

    The losses are functions of (generator, discriminator, latents, reals) to a 0-d tensor, penalties included; they must use the
    modules that they are given. The copies are in the mode (train or eval) of the originals.
    """
    g, d = copied(generator, discriminator)
    return players_on(g, d, generator_loss, discriminator_loss, latents, reals)


def players_on(
    generator: nn.Module,
    discriminator: nn.Module,
    generator_loss: GanLoss,
    discriminator_loss: GanLoss,
    latents: Batch,
    reals: Batch,
) -> tuple[Player, Player]:
    """Returns both players of a GAN on the modules that are given: what moves the players' parameters moves theirs."""
    both = (generator, discriminator)
    return (
        Player(_moving(generator, "generator"), lambda: generator_loss(*both, latents, reals), both),
        Player(_moving(discriminator, "discriminator"), lambda: discriminator_loss(*both, latents, reals), both),
    )


def losses_on_logits(
    generator_objective: Callable[[Tensor, Tensor], Tensor],
    discriminator_objective: Callable[[Tensor, Tensor], Tensor],
    penalty: GanLoss | None = None,
) -> tuple[GanLoss, GanLoss]:
    """Makes both losses of a GAN from objectives (real_logits, fake_logits) -> 0-d, and a penalty that D pays besides."""

    def on_generator(generator: nn.Module, discriminator: nn.Module, latents: Batch, reals: Batch) -> Tensor:
        return generator_objective(*_logits(generator, discriminator, latents, reals))

    def on_discriminator(generator: nn.Module, discriminator: nn.Module, latents: Batch, reals: Batch) -> Tensor:
        loss = discriminator_objective(*_logits(generator, discriminator, latents, reals))
        return loss if penalty is None else loss + penalty(generator, discriminator, latents, reals)

    return on_generator, on_discriminator


def game_spectrum(
    players: Sequence[Player],
    *,
    count: int = 6,
    gradient_evaluations: int = 60,
    tolerance: float = 1e-6,
    kinds: tuple[str, ...] = ("largest", "rightmost", "rotating"),
    scales: Sequence[float] | None = None,
) -> GameSpectrum:
    """Returns the leading eigenvalues of the game's Jacobian v' for at most `gradient_evaluations` (a product counts as two).

    Games of up to 128 parameters are solved whole, at two evaluations a parameter. `scales` multiplies each player's field, by its
    learning rate say. Stops early when the `count` leaders of each kind are known to `tolerance`. Raises NoSecondDerivative where an
    operation has none, FloatingPointError where the Jacobian is not finite.
    """
    size = sum(p.numel() for q in players for p in q.parameters)
    with linearised(players, scales) as game:
        if size <= EXACT_PARAMETERS:
            return _exact(_dense(game.transposed, size, game.like), game.like)
        budget = max((gradient_evaluations - FIELD_COST) // PRODUCT_COST, 1)
        found = eigenvalues(
            game.transposed, _start(game.like), kinds=kinds, count=count, products=budget, tolerance=tolerance
        )
    return GameSpectrum(found, FIELD_COST + PRODUCT_COST * found.products, exact=False)


def game_jacobian(players: Sequence[Player]) -> np.ndarray:
    """Returns the whole Jacobian v' (n, n) in float64, rows and columns in the order of the players' parameters; for small games."""
    size = sum(p.numel() for q in players for p in q.parameters)
    with linearised(players) as game:
        return _dense(game.transposed, size, game.like)


def alternating_spectrum(
    players: Sequence[Player],
    *,
    steps: Sequence[float],
    count: int = 6,
    gradient_evaluations: int = 60,
    tolerance: float = 1e-6,
) -> GameSpectrum:
    """Returns the leading multipliers of alternating gradient steps (first player first), each player with its own step size.

    The update's Jacobian is (I + h2 P2 v')(I + h1 P1 v'), which the eigenvalues of v' alone do not determine; its products cost as much
    as those of v' do, since each player needs its own rows only. |multiplier| < 1 converges.
    """

    def multiply(vector: Tensor) -> Tensor:
        for row in reversed(range(len(players))):
            vector = vector + steps[row] * game.transposed(vector, row)
        return vector

    with linearised(players) as game:
        size = game.like.numel()
        if size <= EXACT_PARAMETERS:
            return _exact(_dense(multiply, size, game.like), game.like)
        budget = max((gradient_evaluations - FIELD_COST) // PRODUCT_COST, 1)
        found = eigenvalues(
            multiply, _start(game.like), kinds=("largest",), count=count, products=budget, tolerance=tolerance
        )
    return GameSpectrum(found, FIELD_COST + PRODUCT_COST * found.products, exact=False)


def hessian_extremes(who: Player, *, gradient_evaluations: int = 30, tolerance: float = 1e-4) -> HessianExtremes:
    """Returns the extremes of one player's own Hessian by Lanczos with full orthogonalisation; NoSecondDerivative where there is none."""
    with linearised([who]) as game:
        size = game.like.numel()
        if size <= EXACT_PARAMETERS:
            values = np.linalg.eigvalsh(-_dense(game.transposed, size, game.like))
            return HessianExtremes(float(values[0]), float(values[-1]), 0.0, 0.0, FIELD_COST + PRODUCT_COST * size)
        budget = max((gradient_evaluations - FIELD_COST) // PRODUCT_COST, 2)
        found = eigenvalues(
            lambda w: -game.transposed(w),
            _start(game.like),
            kinds=("leftmost", "rightmost"),
            count=1,
            products=budget,
            tolerance=tolerance,
        )
    low, high = found.leading("leftmost", 1), found.leading("rightmost", 1)
    return HessianExtremes(
        float(low.values[0].real),
        float(high.values[0].real),
        float(low.residuals[0]),
        float(high.residuals[0]),
        FIELD_COST + PRODUCT_COST * found.products,
    )


@dataclass(frozen=True)
class Linearised:
    """The game at one point, its graph kept: `transposed(w)` is v'^T w, or P_row only of it, for flat vectors (n,)."""

    transposed: Callable[..., Tensor]
    field: Tensor  # v, flat and detached
    like: Tensor  # a flat vector of the game's dtype and device


@contextmanager
def linearised(players: Sequence[Player], scales: Sequence[float] | None = None) -> Iterator[Linearised]:
    """Evaluates the field once with its graph, and offers products with the transposed Jacobian until the block ends.

    The parameters' `.grad`, the modules' buffers and modes, and all random streams are afterwards what they were.
    """
    inputs = [p for q in players for p in q.parameters]
    like = torch.zeros(sum(p.numel() for p in inputs), dtype=_dtype(inputs), device=inputs[0].device)
    with ExitStack() as stack:
        stack.enter_context(untouched(*unique_modules(players)))
        stack.enter_context(_twice_differentiable())
        field = [
            [s * g for g in own] for s, own in zip(scales or [1.0] * len(players), _field(players, create_graph=True))
        ]
        _refuse_dead_ends([g for own in field for g in own])
        _refuse_cut_couplings(players, field)

        def transposed(vector: Tensor, row: int | None = None) -> Tensor:
            pieces = [piece for own in _split(vector, players) for piece in own]
            rows = [i for i, own in enumerate(field) for _ in own]
            pairs = [
                (v, w)
                for v, w, i in zip((v for own in field for v in own), pieces, rows)
                if v.requires_grad and row in (None, i)
            ]
            if not pairs:
                return torch.zeros_like(like)
            outputs, weights = zip(*pairs)
            with _named_double_backward():
                products = torch.autograd.grad(
                    outputs, inputs, weights, retain_graph=True, allow_unused=True, materialize_grads=True
                )
            return _flat(products).to(like.dtype)

        yield Linearised(transposed, _flat([g.detach() for own in field for g in own]).to(like.dtype), like)


def vector_field(players: Sequence[Player]) -> Tensor:
    """Returns the game's field v = (-dL_1/dx_1, -dL_2/dx_2, ...) as one flat vector, detached; nothing else is moved."""
    with untouched(*unique_modules(players)), torch.enable_grad():
        return _flat([g.detach() for own in _field(players, create_graph=False) for g in own])


def unique_modules(players: Sequence[Player]) -> list[nn.Module]:
    """Returns the modules of all players, each once."""
    return list({id(m): m for q in players for m in q.modules}.values())


def _field(players: Sequence[Player], *, create_graph: bool) -> list[list[Tensor]]:
    field = []
    for q in players:
        with own_randomness(GAME_SEED), frozen_buffers(unique_modules(players)), torch.enable_grad():
            with PlainAndCoupled(q.parameters) if create_graph else nullcontext():
                loss = q.loss()
            if loss.numel() != 1:
                raise ValueError(f"a player's loss has shape {tuple(loss.shape)}: one number was expected")
            if not loss.requires_grad:
                raise GandiagError(
                    "a player's loss does not depend on anything that moves: it is detached, or does not use the players "
                    "that it is given"
                )
            with _named_double_backward():
                slopes = torch.autograd.grad(
                    loss.reshape(()), q.parameters, create_graph=create_graph, allow_unused=True, materialize_grads=True
                )
        field.append([-g for g in slopes])
    return field


def _logits(generator: nn.Module, discriminator: nn.Module, latents: Batch, reals: Batch) -> tuple[Tensor, Tensor]:
    latent = latents if isinstance(latents, tuple) else (latents,)
    real = reals if isinstance(reals, tuple) else (reals,)
    return discriminator(*real), discriminator(generator(*latent), *latent[1:])


def _moving(module: nn.Module, who: str) -> tuple[Tensor, ...]:
    parameters = tuple(p for p in module.parameters() if p.requires_grad)
    if not parameters:
        raise GandiagError(
            f"no parameter of the {who} asks for a gradient: it is frozen, so there is no game to measure"
        )
    return parameters


@contextmanager
def _twice_differentiable() -> Iterator[None]:
    """Chooses attention's plain formula: its fused kernels have no second derivative."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
        yield


@contextmanager
def _named_double_backward() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, NotImplementedError) as error:
        text = str(error)
        if any(
            sign in text
            for sign in ("is not implemented", "once_differentiable", "double backward", "does not currently support")
        ):
            raise NoSecondDerivative(
                "the game's Jacobian needs second derivatives, and an operation of a network or loss has none: "
                f"{text.splitlines()[0]}; use its plain form for this measurement, or leave the game's probe out"
            ) from error
        raise


def _refuse_dead_ends(tensors: Sequence[Tensor]) -> None:
    """A function marked as differentiable once leaves an `Error` node off every path to the parameters: autograd would pass it over in
    silence, and its share of the Jacobian would be missing."""
    if any(type(node).__name__ == "Error" for node in graph(tensors)):
        raise NoSecondDerivative(
            "the game's Jacobian needs second derivatives, and a function of a network or loss is marked as differentiable "
            "once only (once_differentiable); use its plain form for this measurement, or leave the game's probe out"
        )


def _refuse_cut_couplings(players: Sequence[Player], field: Sequence[Sequence[Tensor]]) -> None:
    """A GAN's loss that runs the other player under no_grad hides that player's part of the Jacobian: say so, instead of half a spectrum."""
    if len(players) != 2 or not all(q.modules for q in players):
        return
    for mine, other, who in ((0, 1, ("generator", "discriminator")), (1, 0, ("discriminator", "generator"))):
        behind = {id(getattr(node, "variable", None)) for node in graph(field[mine])}
        if not behind & {id(p) for p in players[other].parameters}:
            raise GandiagError(
                f"the {who[0]}'s loss runs the {who[1]} without gradients (no_grad, or its values are copied), or does not use it: "
                f"how the {who[0]}'s gradient changes with the {who[1]} cannot be seen; give a loss without no_grad here"
            )


def _dtype(tensors: Sequence[Tensor]) -> torch.dtype:
    kinds = {t.dtype for t in tensors}
    return torch.float64 if torch.float64 in kinds else torch.float32


def _flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([t.reshape(-1) for t in tensors])


def _split(vector: Tensor, players: Sequence[Player]) -> list[list[Tensor]]:
    pieces = iter(vector.split([p.numel() for q in players for p in q.parameters]))
    return [[next(pieces).view_as(p).to(p.dtype) for p in q.parameters] for q in players]


def _dense(multiply: Callable[[Tensor], Tensor], size: int, like: Tensor) -> np.ndarray:
    """Returns the matrix whose rows are what `multiply` makes of the unit vectors: of products with v'^T, v' itself."""
    rows = []
    for i in range(size):
        unit = torch.zeros_like(like)
        unit[i] = 1
        rows.append(multiply(unit))
    return torch.stack(rows).double().cpu().numpy()


def _exact(matrix: np.ndarray, like: Tensor) -> GameSpectrum:
    """All eigenvalues of a small matrix; their backward error is the rounding of the game's own precision."""
    size = len(matrix)
    residual = size * torch.finfo(like.dtype).eps * float(np.linalg.norm(matrix, 2))
    return GameSpectrum(
        Eigenvalues(np.linalg.eigvals(matrix).astype(complex), np.full(size, residual), size),
        FIELD_COST + PRODUCT_COST * size,
        exact=True,
    )


def _start(like: Tensor) -> Tensor:
    return torch.randn(like.numel(), generator=torch.Generator().manual_seed(GAME_SEED), dtype=torch.float64).to(like)

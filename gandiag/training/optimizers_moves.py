"""How the two players move by first-order steps: by turns, at once, looking ahead, with a memory of the last move.

An update drives real torch optimizers and calls `step()` once for each real move of a player, so that whoever hooks the optimizers sees
the game as it is played. What an update remembers lies in the optimizers' own state: their state_dict is all that a resume needs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import torch
from torch import Tensor, nn

from gandiag.errors import UsageError

Seen = TypeVar("Seen")
First = Literal["discriminator", "generator"]


@dataclass(frozen=True)
class Player(Generic[Seen]):
    """One side of the game, as an update drives it.

    `gradient()` leaves the true gradient (averaged, unscaled, clipped) on this player's parameters, touches nothing else, and returns what
    it saw. `apply()` makes the move: one `optimizer.step()`, by way of a loss scaler where there is one. `project()` brings the parameters
    back to where they may be (weight clipping); it is called after every real move. `loss()` and `finish()` are asked for by consensus
    and unrolled updates only: this player's loss, 0-d, as a function of both players' parameters, nothing detached; and what
    `gradient()` does last (average, unscale, clip), done again on a gradient that the update itself has changed.
    """

    module: nn.Module
    optimizer: torch.optim.Optimizer
    gradient: Callable[[], Seen]
    apply: Callable[[], Any]
    project: Callable[[], None] = lambda: None
    loss: Callable[[], Tensor] | None = None
    finish: Callable[[], None] = lambda: None


Update = Callable[..., tuple[Any, Any]]  # (discriminator, generator, *, options) -> what each saw in its last gradient


def alternating(
    discriminator: Player[Seen],
    generator: Player[Seen],
    *,
    d_steps: int = 1,
    g_steps: int = 1,
    first: First = "discriminator",
) -> tuple[Seen, Seen]:
    """Moves by turns: the second player already answers the first one's move (Goodfellow et al. 2014)."""
    turns = {"discriminator": (discriminator, d_steps), "generator": (generator, g_steps)}
    seen = {name: _moves(*turns[name]) for name in sorted(turns, key=lambda name: name != first)}
    return seen["discriminator"], seen["generator"]


def simultaneous(discriminator: Player[Seen], generator: Player[Seen]) -> tuple[Seen, Seen]:
    """Moves at once: both gradients are taken where both players stand now."""
    seen = discriminator.gradient(), generator.gradient()
    move(discriminator)
    move(generator)
    return seen


def extragradient(discriminator: Player[Seen], generator: Player[Seen]) -> tuple[Seen, Seen]:
    """Looks one step ahead, and moves from here by the gradient found there; with Adam this is ExtraAdam (Gidel et al. 2019)."""
    players = discriminator, generator
    here = [_values(player) for player in players]
    for player in players:
        player.gradient()
    for player in players:
        # a copy shares the state and the groups, and leaves the hooks behind: looking ahead is no move of the game
        copy.copy(player.optimizer).step()
    seen = discriminator.gradient(), generator.gradient()
    for player, values in zip(players, here):
        _put_back(player, values)
        move(player)
    return seen


def past_extragradient(discriminator: Player[Seen], generator: Player[Seen]) -> tuple[Seen, Seen]:
    """Looks one step ahead by the last gradient and moves from here by the one found there: one gradient a step (Popov 1980; Gidel et al. 2019).

    The first step has no last gradient and takes today's. What looks ahead is projected too.
    """
    players = discriminator, generator
    here = [_values(player) for player in players]
    for player in players:
        if not _recall_gradients(player):
            player.gradient()
    for player in players:
        copy.copy(player.optimizer).step()
        player.project()
    seen = discriminator.gradient(), generator.gradient()
    for player, values in zip(players, here):
        found = {p: p.grad.detach().clone() for p in parameters(player) if p.grad is not None}
        _put_back(player, values)
        move(player)
        _remember(player, "past_gradient", found)
    return seen


def optimistic(discriminator: Player[Seen], generator: Player[Seen]) -> tuple[Seen, Seen]:
    """Moves at once by twice the optimizer's step less the last one: OGDA with SGD, optimistic Adam with Adam (Daskalakis et al. 2018)."""
    players = discriminator, generator
    seen = discriminator.gradient(), generator.gradient()
    for player in players:
        before = _values(player)
        player.apply()
        _repeat_less_last(player, before)
        player.project()
    return seen


def lookahead(
    discriminator: Player[Seen],
    generator: Player[Seen],
    *,
    inner: Update = alternating,
    every: int = 5,
    share: float = 0.5,
    **options: Any,
) -> tuple[Seen, Seen]:
    """Plays `inner` (to which the options go), and every so many steps takes both players back to `share` of the way since the last time.

    Both come back together, after both have moved (Chavdarova et al. 2021; Zhang et al. 2019 for one player).
    """
    if every < 1 or not 0 < share <= 1:
        raise UsageError(
            f"lookahead comes every 1, 2, ... steps and keeps a share in (0, 1] of the way, not every {every} with {share}"
        )
    players = discriminator, generator
    starts = [
        {p: p.detach().clone() for p in parameters(player) if "slow" not in player.optimizer.state[p]}
        for player in players
    ]
    seen: tuple[Seen, Seen] = inner(discriminator, generator, **options)
    for player, start in zip(players, starts):
        _remember(player, "slow", start)
        group = player.optimizer.param_groups[0]
        group["lookahead_steps"] = group.get("lookahead_steps", 0) + 1
        if group["lookahead_steps"] % every == 0:
            _go_back(player, share)
    return seen


def parameters(player: Player[Any]) -> list[Tensor]:
    """Returns the tensors that the player's optimizer moves."""
    return [p for group in player.optimizer.param_groups for p in group["params"]]


def _moves(player: Player[Seen], count: int) -> Seen:
    if count < 1:
        raise UsageError(f"each player moves at least once a step, not {count} times")
    for _ in range(count):
        seen = player.gradient()
        move(player)
    return seen


def move(player: Player[Any]) -> None:
    player.apply()
    player.project()


def _values(player: Player[Any]) -> list[Tensor]:
    return [p.detach().clone() for p in parameters(player)]


@torch.no_grad()
def _put_back(player: Player[Any], values: list[Tensor]) -> None:
    torch._foreach_copy_(parameters(player), values)


@torch.no_grad()
def _repeat_less_last(player: Player[Any], before: list[Tensor]) -> None:
    """Turns a move u into 2u - u_last, and keeps u for the next time."""
    for parameter, old in zip(parameters(player), before):
        if parameter.grad is not None:
            state = player.optimizer.state[parameter]
            move = parameter - old
            parameter.add_(move)
            if "last_move" in state:
                parameter.sub_(state["last_move"])
            state["last_move"] = move


def _recall_gradients(player: Player[Any]) -> bool:
    """Puts the last step's gradients back on the parameters; false where there are none."""
    found = {
        p: player.optimizer.state[p]["past_gradient"]
        for p in parameters(player)
        if "past_gradient" in player.optimizer.state.get(p, {})
    }
    for parameter, gradient in found.items():
        parameter.grad = gradient.clone()
    return bool(found)


def _remember(player: Player[Any], name: str, values: dict[Tensor, Tensor]) -> None:
    """Keeps a tensor a parameter in the optimizer's state; only once it has moved, for Adam takes an empty state for a new one."""
    for parameter, value in values.items():
        if parameter.grad is not None:
            player.optimizer.state[parameter][name] = value


@torch.no_grad()
def _go_back(player: Player[Any], share: float) -> None:
    for parameter in parameters(player):
        state = player.optimizer.state.get(parameter, {})
        if "slow" in state:
            parameter.copy_(state["slow"].lerp(parameter, share))
            state["slow"] = parameter.detach().clone()
    player.project()

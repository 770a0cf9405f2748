"""A generator whose parts have an optimizer each is one player to attach; networks that only step at one time are not joined."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import Adam

from gandiag.recording.finder import Watch
from gandiag.recording.naming import Players
from gandiag.recording.pieces import bodies_and_heads


class Labelled(nn.Module):
    """A generator with an embedding of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(3, 4)
        self.dense = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return self.dense(torch.cat([z, self.label(c)], 1))


class Both(nn.Module):
    """A wrapper around both players, which makes samples when it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.g = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        self.d = judge()

    def forward(self, z: Tensor) -> Tensor:
        return self.g(z)


def judge() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))


def seen(play: Callable[[], None], times: int = 12) -> list[Players]:
    """Whom the watch names while a game is played."""
    torch.manual_seed(0)
    named: list[Players] = []
    watch = Watch(named.extend)
    try:
        for _ in range(times):
            play()
    finally:
        watch.stop()
    return named


def test_a_generator_whose_parts_have_an_optimizer_each_is_found_whole() -> None:
    g, d = Labelled(), judge()
    optimizers = [[Adam(d.parameters())], [Adam(g.dense.parameters()), Adam(g.label.parameters())]]

    def play() -> None:
        z, c = torch.randn(16, 4), torch.randint(3, (16,))
        fake, real = g(z, c), torch.randn(16, 2)
        for loss, mine in (
            (lambda: softplus(-d(real)).mean() + softplus(d(fake.detach())).mean(), optimizers[0]),
            (lambda: softplus(-d(fake)).mean(), optimizers[1]),
        ):
            for optimizer in mine:
                optimizer.zero_grad()
            loss().backward()
            for optimizer in mine:
                optimizer.step()

    (players,) = seen(play)
    assert players.generator is g
    assert players.discriminator is d
    assert players.generator_optimizer is optimizers[1][0]  # the one that holds most
    assert players.discriminator_optimizer is optimizers[0][0]


def test_players_that_step_at_one_time_within_a_wrapper_that_is_called_are_two() -> None:
    both, other = Both(), nn.Linear(2, 1)
    g_opt, d_opt, third = Adam(both.g.parameters()), Adam(both.d.parameters()), Adam(other.parameters())

    def play() -> None:
        fake, real = both(torch.randn(16, 4)), torch.randn(16, 2)
        d_loss = softplus(-both.d(real)).mean() + softplus(both.d(fake.detach())).mean()
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()
        g_loss = softplus(-both.d(fake)).mean()
        g_opt.zero_grad()
        g_loss.backward()
        g_opt.step()
        third.zero_grad()
        other(real).square().mean().backward()
        third.step()

    (players,) = seen(play)
    assert (players.generator, players.discriminator) == (both.g, both.d)


def test_a_head_whose_body_was_called_in_a_turn_that_is_not_kept_is_no_pair_of_pieces() -> None:
    """It had ended the watch: nothing of the script would have been recorded."""
    body, head = frozenset({1, 2}), frozenset({3})
    called = SimpleNamespace(owned=head, sources=frozenset({body}), from_outside=False)
    turn = SimpleNamespace(calls=[called])
    assert bodies_and_heads([turn], {body | head}) == []  # type: ignore[list-item]
    turn.calls.append(SimpleNamespace(owned=body, sources=frozenset(), from_outside=True))
    assert bodies_and_heads([turn], {body | head}) == [(body, head)]  # type: ignore[list-item]

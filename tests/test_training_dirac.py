"""The harness itself on the Dirac-GAN: configuration, players and step play each update as its law says, and not only the updates alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gandiag.training.config import Config
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import prepare
from gandiag.training.step import play

START = np.array([1.0, 0.5])  # theta, psi
HERE = "tests.test_training_dirac"
DIRAC = Config(
    data=f"{HERE}:origin", generator=f"{HERE}:point", discriminator=f"{HERE}:slope", latent_size=1, batch=4, heldout=0.0,
    loss="wasserstein", penalties=(), optimizer_g="sgd", optimizer_d="sgd", beta1=0.0, threads=1,
)  # fmt: skip


class Point(nn.Module):
    """All mass at theta."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(START[0], dtype=torch.float32))

    def forward(self, latents: Tensor) -> Tensor:
        return self.theta.expand(len(latents), 1)


class Slope(nn.Module):
    """D(x) = psi x."""

    def __init__(self) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(START[1], dtype=torch.float32))

    def forward(self, samples: Tensor) -> Tensor:
        return samples * self.psi


def origin() -> Tensor:
    return torch.zeros(8, 1)


def point() -> nn.Module:
    return Point()


def slope() -> nn.Module:
    return Slope()


def way(steps: int, **changes: object) -> np.ndarray:
    """Plays the harness's own step so often, and returns (theta, psi) before the first and after each."""
    config = dataclasses.replace(DIRAC, **changes)  # type: ignore[arg-type]
    training = prepare(config)
    generator, discriminator = training.players.generator, training.players.discriminator
    places = [START]
    for training.players.step in range(steps):
        play(training.players, training.rules, as_settings(initial_settings(config)), training.update)
        places.append(np.array([p.detach().item() for p in (*generator.parameters(), *discriminator.parameters())]))
    return np.array(places)


TURN = np.array([[0.0, 1.0], [-1.0, 0.0]])  # the game's field: G goes up psi, D goes down theta


def by_matrix(matrix: np.ndarray, steps: int) -> np.ndarray:
    places = [START]
    for _ in range(steps):
        places.append(matrix @ places[-1])
    return np.array(places)


def by_turns(rate: float) -> np.ndarray:
    """D moves first, G answers the new slope."""
    return np.array([[1.0, rate], [0.0, 1.0]]) @ np.array([[1.0, 0.0], [-rate, 1.0]])


def optimistic(rate: float, steps: int) -> np.ndarray:
    places, last = [START], np.zeros(2)
    for _ in range(steps):
        now = rate * TURN @ places[-1]
        places.append(places[-1] + 2 * now - last)
        last = now
    return np.array(places)


def negative_momentum(rate: float, steps: int, beta: float) -> np.ndarray:
    (theta, psi), places, of_theta, of_psi = START, [START], 0.0, 0.0
    for _ in range(steps):
        of_psi = beta * of_psi - theta
        psi = psi + rate * of_psi
        of_theta = beta * of_theta + psi
        theta = theta + rate * of_theta
        places.append(np.array([theta, psi]))
    return np.array(places)


def lookahead(rate: float, steps: int, every: int, share: float) -> np.ndarray:
    places, slow = [START], START
    for step in range(1, steps + 1):
        place = by_turns(rate) @ places[-1]
        if step % every == 0:
            slow = place = slow + share * (place - slow)
        places.append(place)
    return np.array(places)


def at_once(rate: float) -> np.ndarray:
    return np.eye(2) + rate * TURN


@pytest.mark.parametrize(
    ("changes", "law"),
    [
        ({"update": "simultaneous"}, lambda h, n: by_matrix(at_once(h), n)),
        ({"update": "alternating"}, lambda h, n: by_matrix(by_turns(h), n)),
        ({"update": "extragradient"}, lambda h, n: by_matrix(np.eye(2) + h * TURN @ at_once(h), n)),
        ({"update": "optimistic"}, optimistic),
        ({"update": "consensus", "consensus": 0.5}, lambda h, n: by_matrix(at_once(h) - 0.5 * h * np.eye(2), n)),
        ({"update": "lookahead", "lookahead_every": 3, "lookahead_share": 0.6}, lambda h, n: lookahead(h, n, 3, 0.6)),
        ({"beta1": -0.3}, lambda h, n: negative_momentum(h, n, -0.3)),
        ({"accumulate": 2, "clip_gradient": 9.0, "precision": "bfloat16"}, lambda h, n: by_matrix(by_turns(h), n)),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "law",
)
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_each_update_goes_the_way_of_its_law(
    changes: dict[str, object], law: Callable[[float, int], np.ndarray], rate: float
) -> None:
    tolerance = 0.05 if "precision" in changes else 1e-4
    assert way(20, lr_g=rate, lr_d=rate, **changes) == pytest.approx(law(rate, 20), rel=tolerance, abs=tolerance)


def radii(places: np.ndarray) -> np.ndarray:
    return np.hypot(*places.T)


def test_optimism_converges_below_one_over_root_three_and_not_above() -> None:
    below, above = (radii(way(400, update="optimistic", lr_g=h, lr_d=h)) for h in (0.56, 0.59))
    assert below[-1] < 0.05
    assert above[-1] > 10


@pytest.mark.parametrize("penalty", ["r1", "r2"])
def test_gradient_penalties_converge_at_the_predicted_rate(penalty: str) -> None:
    """By turns |mu|^2 = 1 - h gamma, in the non-saturating game at its equilibrium too."""
    changes = {"loss": "non-saturating", "penalties": (penalty,), "gamma": 0.3, "lr_g": 0.2, "lr_d": 0.2}
    found = radii(way(400, **changes))
    periods = 150 * 2  # far from the start, where the game is linear
    assert (found[-1] / found[-1 - periods]) ** (1 / periods) == pytest.approx(math.sqrt(1 - 0.2 * 0.3), abs=1e-3)


def test_the_non_saturating_game_is_drawn_to_its_cycle_at_once() -> None:
    found = radii(way(900, loss="non-saturating", update="simultaneous", lr_g=0.2, lr_d=0.2))
    assert found[-200:].mean() == pytest.approx(math.sqrt(0.4), rel=0.02)


def test_a_one_centred_penalty_ends_in_the_cycle_that_theory_gives() -> None:
    """|theta| where psi changes its sign is c coth(pi c / (4 b)), b = sqrt(1 - c^2 / 4), c twice the weight: ours has no half in it."""
    places = way(600, penalties=("wgan-gp",), gamma=0.25, lr_g=0.05, lr_d=0.05)
    crossing = np.flatnonzero(np.diff(np.sign(places[:, 1])))[-2:]
    wanted = 0.5 / math.tanh(math.pi * 0.5 / (4 * math.sqrt(1 - 0.25**2)))
    assert abs(places[crossing, 0]) == pytest.approx(wanted, rel=0.03)

"""Optimizers for games: each converges, cycles or diverges on the Dirac-GAN and the bilinear game exactly as theory says."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gandiag.errors import UsageError
from gandiag.training.optimizers import OPTIMIZERS, UPDATES, Player, make_optimizer, update_named


class Scalar(nn.Module):
    """A player that is one number."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value, dtype=torch.float64))


def two_players(
    game: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    start: tuple[float, float],
    *,
    optimizer: str = "sgd",
    rate: float = 0.1,
    beta1: float = 0.0,
    beta2: float = 0.99,
    project: Callable[[Scalar], None] | None = None,
) -> tuple[Player[float], Player[float]]:
    """A discriminator (psi) and a generator (theta) that are one number each; game(theta, psi) -> (loss of D, loss of G)."""
    theta, psi = Scalar(start[0]), Scalar(start[1])

    def player(own: Scalar, side: int) -> Player[float]:
        mover = make_optimizer(optimizer, own.parameters(), learning_rate=rate, beta1=beta1, beta2=beta2)

        def loss() -> Tensor:
            return game(theta.value, psi.value)[side]

        def gradient() -> float:
            value = loss()
            (own.value.grad,) = torch.autograd.grad(value, [own.value])
            return value.item()

        return Player(
            own, mover, gradient, mover.step, (lambda: project(own)) if project and side == 0 else (lambda: None), loss
        )

    return player(psi, 0), player(theta, 1)


def position(players: tuple[Player[float], Player[float]]) -> tuple[float, float]:
    """(theta, psi)."""
    return players[1].module.value.item(), players[0].module.value.item()


def radius(players: tuple[Player[float], Player[float]]) -> float:
    return math.hypot(*position(players))


def bilinear(theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
    """min over theta, max over psi of theta * psi."""
    return -theta * psi, theta * psi


def dirac(
    theta: Tensor, psi: Tensor, *, gamma: float = 0.0, saturating: bool = True, wasserstein: bool = False
) -> tuple[Tensor, Tensor]:
    """The Dirac-GAN of Mescheder et al. 2018 in their sign: D pushes psi * theta up; R1 weighs gamma / 2 * psi^2."""
    score = psi * theta
    if wasserstein:
        return -score + 0.5 * gamma * psi**2, score
    d_loss = softplus(-score) + 0.5 * gamma * psi**2
    return d_loss, -softplus(-score) if saturating else softplus(score)


def jacobian(update: Callable, players: tuple[Player[float], Player[float]]) -> np.ndarray:
    """The matrix of a linear update on its whole state: both parameters, and what both optimizers remember of them."""
    for _ in range(2):
        update(*players)  # so that the memories are there
    names = [
        [key for key, value in player.optimizer.state[player.module.value].items() if torch.is_tensor(value)]
        for player in players
    ]
    columns = []
    for basis in np.eye(2 + sum(map(len, names))):
        with torch.no_grad():
            places = [player.module.value for player in players]
            places += [
                player.optimizer.state[player.module.value][key] for player, keys in zip(players, names) for key in keys
            ]
            for place, value in zip(places, basis):
                place.fill_(value)
        update(*players)
        after = [player.module.value.item() for player in players]
        after += [
            player.optimizer.state[player.module.value][key].item()
            for player, keys in zip(players, names)
            for key in keys
        ]
        columns.append(after)
    return np.array(columns).T


def multiplier(update: Callable, *, rate: float, game: Callable = bilinear, momentum: float = 0.0) -> float:
    """The spectral radius of an update of a linear game."""
    return float(
        np.abs(np.linalg.eigvals(jacobian(update, two_players(game, (1.0, 0.3), rate=rate, beta1=momentum)))).max()
    )


@pytest.mark.parametrize(
    ("rate", "sim", "alternating", "extra", "optimistic"),
    [
        (0.1, 1.00499, 1.0, 0.99504, 0.99494),
        (0.5, 1.11803, 1.0, 0.90139, 0.70711),
        (0.58, 1.15603, 1.0, 0.88134, 1.00686),
        (1.1, 1.48661, 1.0, 1.11987, 2.139),
    ],
)
def test_the_bilinear_game_has_the_published_spectral_radii(
    rate: float, sim: float, alternating: float, extra: float, optimistic: float
) -> None:
    expected = {"simultaneous": sim, "alternating": alternating, "extragradient": extra, "optimistic": optimistic}
    for name, value in expected.items():
        assert multiplier(update_named(name), rate=rate) == pytest.approx(value, abs=2e-5 if value < 2 else 6e-4), name


def test_optimism_converges_on_the_bilinear_game_below_one_over_root_three_and_not_above() -> None:
    threshold = 1 / math.sqrt(3)
    assert (
        multiplier(update_named("optimistic"), rate=threshold - 1e-6)
        < 1
        < multiplier(update_named("optimistic"), rate=threshold + 1e-6)
    )


@pytest.mark.parametrize("rate", [0.1, 0.45, 0.5, 0.58])
def test_extrapolating_from_the_past_is_optimism_by_another_name(rate: float) -> None:
    """Without constraints both have the same spectrum (Gidel et al. 2019).

    Held as characteristic polynomials: at a rate of 0.5 optimism has a double eigenvalue, and those of a matrix that is off by
    the last bit are off by its root, differently on every machine; its polynomial's coefficients are off by the last bit.
    """
    past, optimistic = (
        np.poly(jacobian(update_named(name), two_players(bilinear, (1.0, 0.3), rate=rate, beta1=0.0)))
        for name in ("past-extragradient", "optimistic")
    )
    size = max(len(past), len(optimistic))  # what one keeps besides is an eigenvalue of zero: a factor of x
    assert np.pad(past, (0, size - len(past))) == pytest.approx(
        np.pad(optimistic, (0, size - len(optimistic))), abs=1e-9
    )


def test_extragradient_converges_below_one_best_at_root_half_and_not_above_one() -> None:
    extra = update_named("extragradient")
    assert multiplier(extra, rate=1 - 1e-6) < 1 < multiplier(extra, rate=1 + 1e-6)
    assert multiplier(extra, rate=math.sqrt(0.5)) == pytest.approx(math.sqrt(0.75), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "momentum", "rate", "value"),
    [
        ("simultaneous", -0.3, 0.1, 1.0016),
        ("alternating", -0.3, 0.1, 0.99863),
        ("alternating", -0.3, 0.5, 0.96485),
        ("alternating", 0.5, 0.1, 1.0323),
    ],
)
def test_negative_momentum_calms_only_players_who_take_turns(
    name: str, momentum: float, rate: float, value: float
) -> None:
    assert multiplier(update_named(name), rate=rate, momentum=momentum) == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize(
    ("d_steps", "rate", "value"), [(1, 1.95, 1.0), (1, 2.05, 1.5625), (5, 1.7 / 2, 1.0), (5, 1.85 / 2, 1.684)]
)
def test_turns_stay_neutral_up_to_the_step_that_theory_allows(d_steps: int, rate: float, value: float) -> None:
    """|mu| = 1 if and only if sqrt(n_g n_d) * rate <= 2 on the bilinear game."""
    update = update_named("alternating", d_steps=d_steps)
    assert multiplier(update, rate=rate) == pytest.approx(value, abs=6e-4)


def played(
    update: Callable,
    game: Callable,
    *,
    start: tuple[float, float] = (1.0, 1.0),
    rate: float = 0.2,
    steps: int = 500,
    project: Callable | None = None,
) -> list[float]:
    players = two_players(game, start, rate=rate, project=project)
    radii = []
    for _ in range(steps):
        update(*players)
        radii.append(radius(players))
    return radii


def with_(**options: float) -> Callable:
    return lambda theta, psi: dirac(theta, psi, **options)


SIMULTANEOUS = update_named("simultaneous")
BY_TURNS = update_named("alternating", first="generator")  # the order of the authors' notebook


@pytest.mark.parametrize(
    ("update", "game", "end"),
    [
        (SIMULTANEOUS, with_(gamma=0.3), 2.64e-6),
        (SIMULTANEOUS, with_(gamma=1.0), 9.5e-22),
        (SIMULTANEOUS, with_(gamma=0.3, saturating=False), 2.2e-6),
        (BY_TURNS, with_(gamma=0.3), 2.3e-7),
        (BY_TURNS, with_(gamma=1.0), 7.5e-17),
        (BY_TURNS, with_(gamma=0.3, saturating=False), 1.5e-7),
        (update_named("consensus", weight=1.0), dirac, 2.58e-10),
        (update_named("consensus", weight=1.0, first="generator"), dirac, 1.7e-11),
    ],
)
def test_regularised_dirac_gans_end_where_they_were_computed_to_end(
    update: Callable, game: Callable, end: float
) -> None:
    assert played(update, game)[-1] == pytest.approx(end, rel=0.03)


def test_the_unregularised_dirac_gan_spirals_out_at_once_and_keeps_its_orbit_by_turns() -> None:
    outwards = played(SIMULTANEOUS, dirac)
    assert outwards[-1] == pytest.approx(3.097, abs=2e-3)
    orbit = played(BY_TURNS, dirac)
    assert min(orbit) == pytest.approx(1.344, abs=2e-3)
    assert max(orbit) == pytest.approx(1.422, abs=2e-3)


@pytest.mark.parametrize("rate", [0.1, 0.2])
def test_growth_near_the_equilibrium_is_the_predicted_one(rate: float) -> None:
    radii = played(SIMULTANEOUS, dirac, start=(1e-4, 0.0), rate=rate, steps=200)
    growth = (radii[-1] / radii[0]) ** (1 / (len(radii) - 1))
    assert growth == pytest.approx(math.sqrt(1 + rate**2 / 4), abs=1e-7)


@pytest.mark.parametrize("rate", [0.1, 0.2])
def test_the_non_saturating_game_is_drawn_to_a_cycle_of_root_twice_the_rate(rate: float) -> None:
    radii = played(SIMULTANEOUS, with_(saturating=False), start=(1.0, 0.0), rate=rate, steps=int(500 / rate))
    assert np.mean(radii[-1000:]) == pytest.approx(math.sqrt(2 * rate), rel=0.01)


@pytest.mark.parametrize(("rate", "low", "high"), [(0.2, 1.0, 1.272), (0.05, 1.0, 1.071)])
def test_a_clipped_wasserstein_game_cycles_just_outside_the_clip(rate: float, low: float, high: float) -> None:
    def clip(player: Scalar) -> None:
        player.value.data.clamp_(-1, 1)

    for start in ((0.3, 0.3), (2.0, 0.5)):
        radii = played(
            SIMULTANEOUS, with_(wasserstein=True), start=start, rate=rate, steps=int(400 / rate), project=clip
        )[int(-200 / rate) :]
        assert min(radii) == pytest.approx(low, abs=2e-3)
        assert max(radii) == pytest.approx(high, abs=2e-3)


@pytest.mark.parametrize(
    ("name", "rate", "end"),
    [
        ("simultaneous", 0.1, 1.07759),
        ("alternating", 0.1, 0.99587),
        ("extragradient", 0.6, 2.674e-6),
        ("past-extragradient", 0.5, 1.231e-13),
    ],
)
def test_the_bilinear_wgan_notebook_is_reproduced(name: str, rate: float, end: float) -> None:
    """x from 2, y from .5 and clipped to [-1, 1], 100 steps (Gidel et al. 2019, bilinear_wgan.ipynb)."""

    def clip(player: Scalar) -> None:
        player.value.data.clamp_(-1, 1)

    radii = played(update_named(name), bilinear, start=(2.0, 0.5), rate=rate, steps=100, project=clip)
    assert radii[-1] == pytest.approx(end, rel=2e-4)


def test_looking_ahead_and_stepping_fire_the_step_hooks_once_a_move() -> None:
    for name in UPDATES:
        players = two_players(dirac, (1.0, 1.0), optimizer="adam")
        calls: list[torch.optim.Optimizer] = []
        for player in players:
            player.optimizer.register_step_pre_hook(lambda optimizer, *_, calls=calls: calls.append(optimizer))
        for _ in range(3):
            update_named(name)(*players)
        assert [calls.count(player.optimizer) for player in players] == [3, 3], name


def test_d_steps_are_hooked_each() -> None:
    players = two_players(dirac, (1.0, 1.0))
    calls = []
    players[0].optimizer.register_step_pre_hook(lambda *_: calls.append("d"))
    players[1].optimizer.register_step_pre_hook(lambda *_: calls.append("g"))
    update_named("alternating", d_steps=3)(*players)
    assert calls == ["d", "d", "d", "g"]


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("name", list(UPDATES))
def test_a_resumed_update_goes_on_to_the_bit(name: str, optimizer: str) -> None:
    if (name, optimizer) == ("unrolled", "rmsprop"):
        with pytest.raises(UsageError, match="RMSprop"):
            update_named(name)(*two_players(dirac, (1.0, 0.5), optimizer=optimizer))
        return
    whole = two_players(dirac, (1.0, 0.5), optimizer=optimizer, beta1=0.5)
    update = update_named(name)
    for _ in range(7):
        update(*whole)
    resumed = two_players(dirac, (9.0, 9.0), optimizer=optimizer, beta1=0.5)
    for ours, theirs in zip(resumed, whole):
        ours.module.load_state_dict(theirs.module.state_dict())
        ours.optimizer.load_state_dict(copy.deepcopy(theirs.optimizer.state_dict()))
    for _ in range(7):
        update(*whole)
        update(*resumed)
    assert position(resumed) == position(whole)


def test_extra_adam_is_the_published_algorithm() -> None:
    """Gidel et al. 2019, algorithm 4: both gradients go into the same moments, the second step starts from where the first did."""
    players = two_players(dirac, (1.0, 0.5), optimizer="adam", rate=0.05, beta1=0.5, beta2=0.9)
    update = update_named("extragradient")
    w, m, v, t = np.array([0.5, 1.0]), np.zeros(2), np.zeros(2), 0  # psi, theta

    def field(w: np.ndarray) -> np.ndarray:
        slope = 1 / (1 + math.exp(w[0] * w[1]))
        return np.array([-slope * w[1], slope * w[0]])

    for _ in range(6):
        place = w
        for _ in range(2):
            g, t = field(place), t + 1
            m, v = 0.5 * m + 0.5 * g, 0.9 * v + 0.1 * g**2
            place = w - 0.05 * (m / (1 - 0.5**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8)
        w = place
        update(*players)
    assert position(players) == pytest.approx((w[1], w[0]), abs=1e-12)


def test_optimistic_adam_is_the_published_algorithm() -> None:
    """Daskalakis et al. 2018, algorithm 1: w - 2 step_t + step_{t-1}, the first of them against nothing."""
    players = two_players(dirac, (1.0, 0.5), optimizer="adam", rate=0.05, beta1=0.5, beta2=0.9)
    update = update_named("optimistic")
    w, m, v, last = np.array([0.5, 1.0]), np.zeros(2), np.zeros(2), np.zeros(2)
    for t in range(1, 8):
        slope = 1 / (1 + math.exp(w[0] * w[1]))
        g = np.array([-slope * w[1], slope * w[0]])
        m, v = 0.5 * m + 0.5 * g, 0.9 * v + 0.1 * g**2
        move = 0.05 * (m / (1 - 0.5**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8)
        w, last = w - 2 * move + last, move
        update(*players)
    assert position(players) == pytest.approx((w[1], w[0]), abs=1e-12)


def test_lookahead_calms_the_bilinear_game_that_its_inner_steps_leave_unstable() -> None:
    """One sync after k steps: eigenvalue 1 - share + share * mu^k with mu = 1 + i h (Chavdarova et al. 2021)."""
    for every, share, rate in ((5, 0.5, 0.3), (6, 0.3, 0.4)):
        players = two_players(bilinear, (1.0, 0.3), rate=rate)
        update = update_named("lookahead", inner=UPDATES["simultaneous"], every=every, share=share)
        start = complex(*position(players))
        for _ in range(3 * every):
            update(*players)
        expected = (
            start * (1 - share + share * (1 + 1j * rate) ** every) ** 3
        )  # theta - h psi, psi + h theta is a turn by 1 + ih
        assert complex(*position(players)) == pytest.approx(expected, abs=1e-12)
        assert abs(1 - share + share * (1 + 1j * rate) ** every) < 1 < abs(1 + 1j * rate)


def test_unrolling_adds_the_answer_of_the_other_player() -> None:
    """Bilinear game: psi answers psi + k h theta, so theta minimises theta psi + k h theta^2 and its gradient is psi + 2 k h theta."""
    players = two_players(bilinear, (0.7, -0.4), rate=0.1)
    psi_after = -0.4 + 0.1 * 0.7
    update_named("unrolled", unroll=4)(*players)
    gradient = players[1].module.value.grad.item()
    assert gradient == pytest.approx(psi_after + 2 * 4 * 0.1 * 0.7, abs=1e-12)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_unrolled_gradient_is_that_of_the_steps_which_the_optimizer_would_make(optimizer: str) -> None:
    """The slow obvious twin: let the real optimizer of D make k steps for two nearby generators and take the difference."""

    def build(theta: float) -> tuple[Player[float], Player[float]]:
        players = two_players(
            lambda t, p: dirac(t, p, gamma=0.3), (1.0, 0.5), optimizer=optimizer, rate=0.05, beta1=0.5
        )
        for _ in range(3):
            update_named("alternating")(*players)
        players[1].module.value.data.fill_(theta)
        return players

    def loss_ahead(theta: float) -> float:
        discriminator, generator = build(theta)
        for _ in range(4):
            discriminator.gradient()
            discriminator.apply()
        assert generator.loss is not None
        return generator.loss().item()

    players = build(0.8)
    from gandiag.training.optimizers_through import _unrolled_gradient

    _unrolled_gradient(*players, 4)
    difference = (loss_ahead(0.8 + 1e-5) - loss_ahead(0.8 - 1e-5)) / 2e-5
    assert players[1].module.value.grad.item() == pytest.approx(difference, rel=1e-6)


def test_thinking_ahead_leaves_no_trace_in_the_networks() -> None:
    torch.manual_seed(0)
    discriminator, generator = (
        nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1)),
        nn.Linear(3, 2),
    )
    real, latent = torch.randn(16, 2), torch.randn(16, 3)

    def d_loss() -> Tensor:
        return softplus(-discriminator(real)).mean() + softplus(discriminator(generator(latent))).mean()

    def g_loss() -> Tensor:
        return softplus(-discriminator(generator(latent))).mean()

    def player(module: nn.Module, loss: Callable[[], Tensor]) -> Player[None]:
        optimizer = make_optimizer("adam", module.parameters(), learning_rate=1e-2)

        def gradient() -> None:
            found = torch.autograd.grad(loss(), list(module.parameters()))
            for parameter, value in zip(module.parameters(), found):
                parameter.grad = value

        return Player(module, optimizer, gradient, lambda: None, loss=loss)

    players = player(discriminator, d_loss), player(generator, g_loss)
    before = copy.deepcopy(discriminator.state_dict())
    players[0].gradient()
    ran = copy.deepcopy(discriminator.state_dict())
    players[1].gradient()
    plain = copy.deepcopy(discriminator.state_dict())
    discriminator.load_state_dict(before)
    update_named("unrolled", unroll=3)(*players)  # apply does nothing here: only gradients are taken
    for name, value in discriminator.state_dict().items():
        assert torch.equal(value, plain[name]), name
    assert not torch.equal(ran["1.running_mean"], plain["1.running_mean"])  # the buffers do move when D is called
    assert all(bool(p.grad.isfinite().all()) for p in generator.parameters())


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(UsageError, match="did you mean 'extragradient'"):
        update_named("extragradent")
    with pytest.raises(UsageError, match="simultaneous has no d_steps"):
        update_named("simultaneous", d_steps=2)
    with pytest.raises(UsageError, match="did you mean 'adam'"):
        make_optimizer("adm", [torch.zeros(1, requires_grad=True)], learning_rate=0.1)
    with pytest.raises(UsageError, match="beta1"):
        make_optimizer("adam", [torch.zeros(1, requires_grad=True)], learning_rate=0.1, beta1=1.0)
    with pytest.raises(UsageError, match="lookahead"):
        update_named("lookahead", every=0)(*two_players(dirac, (1.0, 1.0)))
    players = two_players(dirac, (1.0, 1.0))
    with pytest.raises(TypeError, match="loss"):
        update_named("consensus")(
            players[0], Player(players[1].module, players[1].optimizer, players[1].gradient, players[1].apply)
        )

"""The game's field and spectrum: exact on solvable games, bounded on a search, and without a trace in the training."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gandiag.diagnosis.local_dynamics import update_matrix
from gandiag.errors import GandiagError
from gandiag.recording.arnoldi import eigenvalues
from gandiag.recording.game import (
    EXACT_PARAMETERS,
    NoSecondDerivative,
    Player,
    alternating_spectrum,
    game_jacobian,
    game_spectrum,
    gan_players,
    hessian_extremes,
    linearised,
    losses_on_logits,
    player,
    vector_field,
)
from gandiag.training.games import SmallGame, bilinear_game, dirac_gan, gaussian_gan, linear_quadratic_game


def players_of(game: SmallGame) -> tuple[Player, Player]:
    return gan_players(
        game.generator, game.discriminator, game.generator_loss, game.discriminator_loss, game.latents, game.reals
    )


def spectrum_of(game: SmallGame) -> np.ndarray:
    return np.sort_complex(game_spectrum(players_of(game)).found.values)


def pair(middle: complex, square: complex) -> np.ndarray:
    """middle +- sqrt(square), as every 2 x 2 game's eigenvalues come."""
    root = np.sqrt(complex(square))
    return np.sort_complex(np.array([middle - root, middle + root]))


@pytest.mark.parametrize(
    ("game", "expected"),
    [
        (dirac_gan("minimax"), pair(0, -0.25)),
        (dirac_gan("non-saturating"), pair(0, -0.25)),
        (dirac_gan("wasserstein"), pair(0, -1)),
        *[(dirac_gan("minimax", noise=s), pair(-(s**2) / 4, s**4 / 16 - 0.25)) for s in (0.7, 1.0, 2.0)],
        *[
            (dirac_gan(loss, penalty="r1", gamma=g), pair(-g / 2, g**2 / 4 - 0.25))
            for g in (0.3, 0.9, 2.0)
            for loss in ("minimax", "non-saturating")
        ],
        (bilinear_game(1.3), pair(0, -1.69)),
        *[
            (linear_quadratic_game(a, b, c), pair(-(a + c) / 2, (a - c) ** 2 / 4 - b**2))
            for a, b, c in ((1.0, 2.0, 0.5), (3.0, 0.4, 0.1), (-0.2, 1.0, 0.6))
        ],
        *[(gaussian_gan("minimax", sd=s), pair(-0.75 * s**4, 9 / 16 * s**8 - s**2)) for s in (0.5, 1.0, 2.0)],
        *[(gaussian_gan("non-saturating", sd=s), pair(-0.75 * s**4, 9 / 16 * s**8 - s**2)) for s in (0.5, 1.0)],
        *[(gaussian_gan("wasserstein", sd=s), pair(0, -4 * s**2)) for s in (0.5, 1.0, 2.0)],
        (gaussian_gan("wasserstein", sd=1.5, gamma=0.2), pair(-2 * 0.2 * 2.25, 4 * 0.04 * 1.5**4 - 9)),
    ],
)
def test_the_eigenvalues_of_solvable_games_are_those_of_theory(game: SmallGame, expected: np.ndarray) -> None:
    assert np.abs(spectrum_of(game) - expected).max() < 1e-8


@pytest.mark.parametrize("game", [dirac_gan("minimax", penalty="r1", gamma=1.0), dirac_gan("minimax", noise=2**0.5)])
def test_a_double_root_is_found_to_the_root_of_rounding(game: SmallGame) -> None:
    assert np.abs(spectrum_of(game) + 0.5).max() < 1e-6


def big_quadratic(seed: int = 0, m: int = 40, n: int = 30) -> tuple[SmallGame, np.ndarray]:
    random_ = torch.Generator().manual_seed(seed)
    p, q = (torch.randn(k, k, dtype=torch.float64, generator=random_) for k in (m, n))
    p, q = p @ p.T / m, q @ q.T / n
    b = torch.randn(m, n, dtype=torch.float64, generator=random_) / 3
    jacobian = np.block([[-p.numpy(), -b.numpy()], [b.numpy().T, -q.numpy()]])
    return linear_quadratic_game(p, b, q), jacobian


def test_the_seventy_dimensional_quadratic_game_is_solved_whole() -> None:
    game, jacobian = big_quadratic()
    assert np.abs(game_jacobian(players_of(game)) - jacobian).max() < 1e-12
    found = game_spectrum(players_of(game))
    truth = np.linalg.eigvals(jacobian)
    assert found.exact
    for kind, score in (("largest", np.abs(truth)), ("rightmost", truth.real), ("rotating", np.abs(truth.imag))):
        leaders = found.found.leading(kind, 6).values
        assert max(np.abs(truth - v).min() for v in leaders) < 1e-9
        assert np.allclose(
            np.sort({"largest": np.abs, "rightmost": np.real, "rotating": lambda v: np.abs(np.imag(v))}[kind](leaders)),
            np.sort(score)[-6:],
            atol=1e-9,
        )


def test_the_search_finds_the_leaders_of_a_game_beyond_the_exact_limit_and_bounds_its_error() -> None:
    game, jacobian = big_quadratic(seed=1, m=100, n=80)
    assert EXACT_PARAMETERS < 180
    truth = np.linalg.eigvals(jacobian)
    found = game_spectrum(players_of(game), gradient_evaluations=260, tolerance=1e-9, kinds=("largest",))
    assert not found.exact
    assert found.gradient_evaluations == 1 + 2 * found.found.products <= 260
    leaders = found.found.leading("largest", 6)
    assert leaders.residuals.max() < 1e-8 * np.abs(truth).max()
    assert max(np.abs(truth - v).min() for v in leaders.values) < 1e-6


def test_each_residual_is_the_distance_to_a_matrix_that_has_the_value() -> None:
    """Backward error: the smallest singular value of A - value I is at most the residual, for searches stopped at any time."""
    a = torch.randn(150, 150, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    start = torch.randn(150, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    for products in (10, 25, 60):
        found = eigenvalues(lambda v: a @ v, start, products=products, basis=30, kinds=("largest", "rightmost"))
        assert found.products == products
        for value, residual in zip(found.values[:8], found.residuals[:8]):
            smallest = np.linalg.svd(a.numpy() - value * np.eye(150), compute_uv=False)[-1]
            assert smallest <= residual * (1 + 1e-6) + 1e-9


@pytest.mark.parametrize("kind", ["largest", "rightmost", "rotating"])
def test_a_restarted_search_agrees_with_the_whole_decomposition(kind: str) -> None:
    a = torch.randn(300, 300, dtype=torch.float64, generator=torch.Generator().manual_seed(5)) / 300**0.5
    truth = np.linalg.eigvals(a.numpy())
    start = torch.ones(300, dtype=torch.float64)
    found = eigenvalues(lambda v: a @ v, start, kinds=(kind,), products=4000, basis=48, tolerance=1e-9).leading(kind, 6)
    assert found.products < 4000
    assert max(np.abs(truth - v).min() for v in found.values) < 1e-6
    score = {"largest": np.abs, "rightmost": np.real, "rotating": lambda v: np.abs(np.imag(v))}[kind]
    assert np.allclose(np.sort(score(found.values)), np.sort(score(truth))[-6:], atol=1e-6)


def test_multiple_eigenvalues_are_found_as_often_as_they_occur() -> None:
    found = spectrum_of(bilinear_game(2.0, dimensions=3))
    assert np.allclose(found, [-2j, -2j, -2j, 2j, 2j, 2j])
    twice = torch.diag(torch.tensor([3.0, 3.0, 3.0] + [1.0] * 197, dtype=torch.float64))
    leaders = eigenvalues(lambda v: twice @ v, torch.ones(200, dtype=torch.float64), count=4, products=50).leading(
        "largest", 4
    )
    assert np.allclose(leaders.values, [3, 3, 3, 1])


def test_a_stable_point_that_is_no_nash_equilibrium_is_told_by_the_players_own_hessians() -> None:
    game = linear_quadratic_game(-0.2, 1.0, 0.6, x=0.0, y=0.0)
    assert spectrum_of(game).real.max() < 0
    on_generator, on_discriminator = (hessian_extremes(p) for p in players_of(game))
    assert on_generator.smallest == pytest.approx(-0.2)
    assert on_discriminator.smallest == pytest.approx(0.6)


def test_hessian_extremes_of_a_large_player_equal_the_whole_hessian() -> None:
    p = torch.randn(200, 200, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    p = (p + p.T) / 2
    x = torch.zeros(200, dtype=torch.float64, requires_grad=True)
    found = hessian_extremes(player([x], lambda: 0.5 * x @ p @ x), gradient_evaluations=200)
    truth = np.linalg.eigvalsh(p.numpy())
    assert found.smallest == pytest.approx(truth[0], abs=1e-3)
    assert found.largest == pytest.approx(truth[-1], abs=1e-3)
    assert found.smallest >= truth[0] - 1e-9  # a Rayleigh quotient: below zero is proof


def test_the_alternating_spectrum_is_that_of_the_update_matrix() -> None:
    game, jacobian = big_quadratic(seed=2, m=90, n=60)
    steps = (0.1, 0.25)
    truth = np.linalg.eigvals(update_matrix(jacobian, "alternating", steps, first=90))
    found = alternating_spectrum(players_of(game), steps=steps, gradient_evaluations=400, tolerance=1e-10)
    leader = found.found.leading("largest", 1).values[0]
    assert abs(abs(leader) - np.abs(truth).max()) < 1e-6
    tiny = alternating_spectrum(players_of(dirac_gan()), steps=(0.2, 0.2))
    assert np.abs(tiny.found.values) == pytest.approx([1, 1])


# -- networks


class SelfAttention(nn.Module):
    """Attention through torch's fused function, which has no second derivative by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(x, x, x)


def small_networks(kind: str) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    torch.manual_seed(7)
    z, x = torch.randn(12, 3), torch.randn(12, 2)
    if kind == "batch norm":
        return (
            nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2)),
            nn.Sequential(nn.Linear(2, 5), nn.BatchNorm1d(5), nn.Softplus(), nn.Dropout(0.3), nn.Linear(5, 1)),
            z,
            x,
        )
    if kind == "spectral norm":
        return (
            nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)),
            nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(2, 5)), nn.Tanh(), nn.Linear(5, 1)),
            z,
            x,
        )
    if kind == "old spectral norm":
        return (
            nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)),
            nn.Sequential(nn.utils.spectral_norm(nn.Linear(2, 5)), nn.Tanh(), nn.Linear(5, 1)),
            z,
            x,
        )
    if kind in ("layer norm", "instance norm", "attention"):
        inner = {
            "layer norm": nn.LayerNorm(2),
            "instance norm": nn.InstanceNorm1d(2, affine=True),
            "attention": SelfAttention(),
        }[kind]
        layer = nn.Sequential(nn.Unflatten(1, (2, 2)), inner, nn.Flatten())
        return (
            nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)),
            nn.Sequential(nn.Linear(2, 4), layer, nn.Tanh(), nn.Linear(4, 1)),
            z,
            x,
        )
    return (
        nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)),
        nn.Sequential(nn.Linear(2, 6), nn.LeakyReLU(0.2), nn.Linear(6, 1)),
        z,
        x,
    )


def gradient_penalty(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> Tensor:
    mix = torch.rand(len(reals), 1)  # drawn anew at each call: the measurement must freeze it
    between = (mix * reals + (1 - mix) * generator(latents)).detach().requires_grad_(True)
    slope = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)[0]
    return 0.5 * (slope.norm(dim=1) - 1).square().mean()


LOSSES = losses_on_logits(
    lambda real, fake: softplus(-fake).mean(),
    lambda real, fake: softplus(-real).mean() + softplus(fake).mean(),
    gradient_penalty,
)


@pytest.mark.parametrize(
    "kind", ["plain", "batch norm", "layer norm", "instance norm", "attention", "spectral norm", "old spectral norm"]
)
def test_products_equal_finite_differences_of_the_field(kind: str) -> None:
    generator, discriminator, z, x = small_networks(kind)
    generator, discriminator = generator.double(), discriminator.double()
    if "spectral" in kind:
        discriminator.eval()  # in train mode the power iteration moves with the weights, which no gradient sees
    z, x = z.double(), x.double()
    LOSSES[1](generator, discriminator, z, x).backward()  # leaves what a training leaves: gradients, non-leaf weights
    players = gan_players(generator, discriminator, *LOSSES, z, x)
    n = sum(p.numel() for q in players for p in q.parameters)
    w = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(8))
    with linearised(players) as game:
        product = game.transposed(w)
    slow = torch.zeros(n, dtype=torch.float64)
    flat = [(p, i) for q in players for p in q.parameters for i in range(p.numel())]
    for k, (parameter, i) in enumerate(flat):
        values = []
        for h in (1e-5, -1e-5):
            with torch.no_grad():
                parameter.view(-1)[i] += h
            values.append(vector_field(players) @ w)
            with torch.no_grad():
                parameter.view(-1)[i] -= h
        slow[k] = (values[0] - values[1]) / 2e-5
    assert float((product - slow).norm() / slow.norm()) < 1e-5


@pytest.mark.parametrize("kind", ["plain", "batch norm", "spectral norm", "old spectral norm"])
def test_measuring_leaves_no_trace(kind: str) -> None:
    generator, discriminator, z, x = small_networks(kind)
    LOSSES[1](generator, discriminator, z, x).backward()
    discriminator[0].eval()
    before = [copy.deepcopy(m.state_dict()) for m in (generator, discriminator)]
    gradients = [
        (p, None if p.grad is None else p.grad.clone()) for m in (generator, discriminator) for p in m.parameters()
    ]
    modes = [part.training for m in (generator, discriminator) for part in m.modules()]
    streams = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002 - the global stream is what is checked
    game_spectrum(gan_players(generator, discriminator, *LOSSES, z, x))
    latents_loss = [
        lambda: LOSSES[0](generator, discriminator, z, x),
        lambda: LOSSES[1](generator, discriminator, z, x),
    ]
    game_spectrum(
        [player(generator, latents_loss[0]), player(discriminator, latents_loss[1])]
    )  # on the modules themselves
    after = [m.state_dict() for m in (generator, discriminator)]
    assert all(torch.equal(a[k], b[k]) for a, b in zip(before, after) for k in a)
    assert all(p.grad is None if g is None else torch.equal(p.grad, g) for p, g in gradients)
    assert modes == [part.training for m in (generator, discriminator) for part in m.modules()]
    assert torch.equal(streams[0], torch.get_rng_state())
    assert streams[1] == random.getstate()
    assert (streams[2] == np.random.get_state()[1]).all()  # noqa: NPY002 - as above


def test_the_same_moment_is_measured_alike_twice() -> None:
    generator, discriminator, z, x = small_networks("batch norm")
    first, second = (game_spectrum(gan_players(generator, discriminator, *LOSSES, z, x)).found.values for _ in range(2))
    assert (first == second).all()


def test_a_gan_of_a_hundred_thousand_parameters_costs_sixty_gradient_evaluations() -> None:
    torch.manual_seed(9)
    generator = nn.Sequential(
        nn.Linear(8, 220), nn.LeakyReLU(0.2), nn.Linear(220, 220), nn.LeakyReLU(0.2), nn.Linear(220, 2)
    )
    discriminator = nn.Sequential(
        nn.Linear(2, 220), nn.LeakyReLU(0.2), nn.Linear(220, 220), nn.LeakyReLU(0.2), nn.Linear(220, 1)
    )
    angle = torch.arange(64) * torch.pi / 4
    reals = torch.stack([angle.cos(), angle.sin()], 1)
    losses = losses_on_logits(
        lambda real, fake: softplus(-fake).mean(), lambda real, fake: softplus(-real).mean() + softplus(fake).mean()
    )
    players = gan_players(generator, discriminator, *losses, torch.randn(64, 8), reals)
    assert sum(p.numel() for q in players for p in q.parameters) > 100_000
    quick = game_spectrum(players)
    assert quick.gradient_evaluations <= 60
    leaders = quick.found.leading("largest", 6)
    truth = game_spectrum(players, gradient_evaluations=110).found.leading("largest", 6)
    assert leaders.residuals.max() < 1e-2 * abs(leaders.values[0])
    assert np.abs(np.abs(leaders.values) - np.abs(truth.values)).max() <= 2 * leaders.residuals.max()


class WithoutSecondDerivative(torch.autograd.Function):
    """A function whose derivative may be taken once only."""

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):  # type: ignore[no-untyped-def]
        return 2 * g * ctx.saved_tensors[0]


def test_an_operation_without_a_second_derivative_is_said_in_words() -> None:
    x = torch.ones(3, requires_grad=True)
    y = torch.ones(3, requires_grad=True)

    def first() -> Tensor:
        return (WithoutSecondDerivative.apply(x) * y).sum()

    def second() -> Tensor:
        return (y.square() * x).sum()

    with pytest.raises(NoSecondDerivative, match="second derivatives"):
        game_spectrum([player([x], first), player([y], second)])


@pytest.mark.parametrize("cut", ["detach", "torch.detach", "detached leaf"])
def test_a_loss_that_detaches_the_fakes_still_shows_the_rotation(cut: str) -> None:
    game = dirac_gan("wasserstein")
    stop = {
        "detach": lambda t: t.detach(),
        "torch.detach": torch.detach,
        "detached leaf": lambda t: t.detach().requires_grad_(True),
    }[cut]

    def discriminator_loss(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> Tensor:
        fake = stop(generator(latents))
        assert float(fake.detach().numpy().sum()) == 0.0  # what a loop logs in passing
        return discriminator(fake).mean() - discriminator(reals).mean()

    players = gan_players(
        game.generator, game.discriminator, game.generator_loss, discriminator_loss, game.latents, game.reals
    )
    assert np.abs(np.sort_complex(game_spectrum(players).found.values) - pair(0, -1)).max() < 1e-12


def test_a_stop_in_a_players_own_gradient_stays_a_stop() -> None:
    x = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)

    def loss() -> Tensor:
        return (x * x.detach()).sum()

    assert game_jacobian([player([x], loss)])[0, 0] == 0.0  # v = -x, with this x a constant
    assert float(vector_field([player([x], loss)])) == -2.0


def test_a_loss_that_hides_the_other_player_is_refused_with_the_reason() -> None:
    game = dirac_gan("wasserstein")

    def discriminator_loss(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> Tensor:
        with torch.no_grad():
            fake = generator(latents)
        return discriminator(fake).mean() - discriminator(reals).mean()

    players = gan_players(
        game.generator, game.discriminator, game.generator_loss, discriminator_loss, game.latents, game.reals
    )
    with pytest.raises(GandiagError, match="the discriminator's loss runs the generator without gradients"):
        game_spectrum(players)
    assert hessian_extremes(players[1]).smallest == 0.0  # what needs no coupling is still measured


def test_players_that_cannot_move_or_do_not_matter_are_refused() -> None:
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match="nothing of it can move"):
        player([torch.ones(3)], x.sum)
    with pytest.raises(GandiagError, match="detached"):
        game_spectrum([player([x], lambda: torch.ones(()))])
    with pytest.raises(ValueError, match="one number"):
        game_spectrum([player([x], lambda: x)])
    frozen = nn.Linear(2, 1).requires_grad_(False)
    with pytest.raises(GandiagError, match="frozen"):
        gan_players(nn.Linear(2, 2), frozen, *LOSSES, torch.ones(2, 2), torch.ones(2, 2))


def test_a_jacobian_that_is_not_finite_is_an_error_and_not_a_number() -> None:
    x = torch.zeros(200, requires_grad=True)
    with pytest.raises(FloatingPointError, match="NaN or infinite"):
        game_spectrum([player([x], lambda: x.abs().sqrt().sum())])

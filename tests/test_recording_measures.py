"""The scheduled instruments beside the spectrum: held-out scores, weight spectra, noise, conditioning, paths, gap; exact answers first."""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gandiag.quantities import QUANTITIES
from gandiag.recording import weights
from gandiag.recording.duality import duality_gap, extragradient_residual, minimax_value
from gandiag.recording.game import gan_players, losses_on_logits, vector_field
from gandiag.recording.heldout import heldout_scores, one_score_a_sample, placements
from gandiag.recording.jacobian import generator_jacobians, jacobian_conditioning, log_condition
from gandiag.recording.measure import PARTS, NotMeasurable, measure_game, measured_labels
from gandiag.recording.noise import NoiseEstimate, gradient_noise, noise_from_chunks, pooled
from gandiag.recording.paths import Path, field_of, gan_path, path_angle, point_of, read_path
from gandiag.recording.weights import spectrum_summary, weight_matrices, weight_names, weight_spectra
from gandiag.training.games import SmallGame, bilinear_game, linear_quadratic_game

DOUBLE = torch.float64


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = DOUBLE) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# -- held out


def test_placements_count_ties_half_and_average_to_the_auc_of_all_pairs() -> None:
    scores, against = torch.tensor([0.0, 1.0, 1.0, 5.0]), torch.tensor([1.0, 0.0, 2.0])
    slow = (scores[:, None] > against).double() + 0.5 * (scores[:, None] == against)
    assert placements(scores, against).tolist() == pytest.approx(slow.mean(dim=1).tolist())


def test_the_null_spread_of_the_auc_gap_is_the_exact_one_and_less_than_two_independent_aucs() -> None:
    n, k, m, repeats = 40, 25, 30, 2000
    gaps, variances = [], []
    for seed in range(repeats):
        draw = normal(n + k + m, seed=seed)
        scores = heldout_scores(draw[:n], draw[n : n + k], draw[n + k :])
        gaps.append(scores["auc_gap"])
        variances.append(scores["auc_gap_sd"] ** 2)
    exact = (m + 1) / (12 * m) * (1 / n + 1 / k)
    assert np.mean(variances) == pytest.approx(exact, rel=0.02)  # unbiased
    assert np.var(gaps) == pytest.approx(exact, rel=0.1)  # 3 standard errors of a variance of 2000
    assert exact < (n + m + 1) / (12 * n * m) + (k + m + 1) / (12 * k * m)
    assert abs(np.mean(gaps)) < 4 * math.sqrt(exact / repeats)


@pytest.mark.parametrize("shift", [2.0, -1.0])
def test_the_spread_also_holds_where_the_fakes_are_told_apart(shift: float) -> None:
    z = []
    for seed in range(1000):
        draw = normal(120, seed=seed)
        scores = heldout_scores(draw[:40], draw[40:80], draw[80:] - shift)
        z.append(scores["auc_gap"] / scores["auc_gap_sd"])
    assert np.std(z) == pytest.approx(1, abs=0.08)


def test_a_discriminator_that_memorises_shows_a_gap_and_a_ratio_near_one() -> None:
    scores = heldout_scores(normal(500, seed=1) + 4, normal(500, seed=2), normal(500, seed=3))
    assert scores["heldout_auc"] == pytest.approx(0.5, abs=0.05)
    assert scores["auc_gap"] > 20 * scores["auc_gap_sd"]
    assert scores["discriminator_overfitting"] == pytest.approx(1, abs=0.1)


def test_the_overfitting_ratio_is_absent_in_a_healthy_run_and_zero_where_nothing_is_memorised() -> None:
    absent = sum(
        "discriminator_overfitting" not in heldout_scores(*(normal(128, seed=3 * s + i) for i in range(3)))
        for s in range(300)
    )
    assert absent >= 299  # beyond four standard errors by chance: 1 in 30 000, and 1 in 300 allowed
    for seed in range(100):  # a small true denominator must not give a wild ratio either
        scores = heldout_scores(
            normal(128, seed=seed) + 0.2, normal(128, seed=seed + 1000) + 0.2, normal(128, seed=seed + 2000)
        )
        assert abs(scores.get("discriminator_overfitting", 0.0)) < 1.5
    clear = heldout_scores(normal(500, seed=1) + 3, normal(500, seed=2) + 3, normal(500, seed=3))
    assert clear["discriminator_overfitting"] == pytest.approx(0, abs=0.1)


def test_held_out_scores_of_too_few_or_broken_logits() -> None:
    with pytest.raises(ValueError, match="1 logits of held-out reals"):
        heldout_scores(torch.ones(4), torch.ones(1), torch.ones(4))
    broken = heldout_scores(torch.ones(4), torch.tensor([1.0, math.nan]), torch.ones(4))
    assert all(math.isnan(v) for v in broken.values())
    constant = heldout_scores(torch.ones(4), torch.ones(4), torch.ones(4))
    assert (constant["auc_gap"], constant["auc_gap_sd"], constant["heldout_auc"]) == (0, 0, 0.5)


def test_one_score_a_sample_averages_patches_and_scales_and_takes_the_first_head() -> None:
    patches = torch.arange(24.0).reshape(2, 1, 3, 4)
    assert one_score_a_sample(patches).tolist() == [5.5, 17.5]
    assert one_score_a_sample([patches, patches + 1]).tolist() == [6.0, 18.0]
    assert one_score_a_sample((torch.ones(2, 1), torch.zeros(2, 10))).tolist() == [1.0, 1.0]


# -- weights


def test_spectra_of_known_matrices() -> None:
    assert spectrum_summary(3 * torch.eye(5)) == pytest.approx((3, 5, 0))
    assert spectrum_summary(torch.outer(normal(6), normal(9)))[1:] == pytest.approx((1, 5 / 6), abs=1e-6)
    assert spectrum_summary(torch.zeros(3, 4)) == (0.0, 0.0, 1.0)
    assert spectrum_summary(torch.diag(torch.tensor([1.0, 0.5, 0.05, 0.01])))[2] == 0.5
    assert all(math.isnan(v) for v in spectrum_summary(torch.full((2, 2), math.nan)))
    assert spectrum_summary(1e-30 * torch.eye(4, dtype=DOUBLE)) == pytest.approx((1e-30, 4, 0))


def test_large_matrices_are_summarised_within_a_few_per_cent_and_their_norm_exactly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weights, "EXACT_SIDE", 64)
    matrix = normal(300, 340) @ torch.diag(torch.linspace(0.01, 1, 340, dtype=DOUBLE))
    values = torch.linalg.svdvals(matrix)
    shares = values / values.sum()
    norm, rank, small = spectrum_summary(matrix)
    assert norm == pytest.approx(float(values[0]), rel=1e-6)
    assert rank == pytest.approx(float((-(shares * shares.log()).sum()).exp()), rel=0.02)
    assert small == pytest.approx(float((values < 0.1 * values[0]).double().mean()), abs=0.02)


def test_convolutions_are_reshaped_by_outputs_and_transposed_ones_turned() -> None:
    net = nn.Sequential(nn.Conv2d(3, 5, 4), nn.ConvTranspose2d(5, 2, 4), nn.BatchNorm2d(2), nn.Linear(7, 4, bias=False))
    shapes = {name: tuple(m.shape) for name, m in weight_matrices(net)}
    assert shapes == {"0.weight": (5, 48), "1.weight": (2, 80), "3.weight": (4, 7)}
    assert weight_names(net) == list(shapes)


@pytest.mark.parametrize(
    "wrap", [nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm, nn.utils.parametrizations.weight_norm]
)
def test_parametrised_weights_are_measured_as_used_and_left_as_they_are(wrap) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    layer = wrap(nn.Linear(6, 6))
    for _ in range(200):
        layer(torch.ones(1, 6))
    before = copy.deepcopy({k: v.clone() for k, v in layer.state_dict().items()})
    spectra = weight_spectra(layer, "discriminator")
    assert weight_names(layer) == ["weight"]
    if "spectral" in wrap.__name__:
        assert spectra["discriminator_layer_spectral_norm"][0] == pytest.approx(1, abs=1e-3)
    assert all(torch.equal(before[k], v) for k, v in layer.state_dict().items())
    assert layer.training


# -- noise


class Shift(nn.Module):
    """G(z) = z + theta and D(x) = psi . x: per-sample gradients of known mean and covariance."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.at = nn.Parameter(torch.zeros(size, dtype=DOUBLE))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.at[:, None]


def test_the_noise_scale_is_unbiased_as_a_ratio_of_means() -> None:
    mean, size, chunks, b = 0.3, 4, 8, 4
    draws = (
        5**0.5 * normal(20_000, chunks, size) / b**0.5 + mean
    )  # gradients of chunks of b samples, each of covariance 5 I
    estimates = [
        noise_from_chunks(row, middle, b) for row, middle in zip(draws.square().sum(2), draws.mean(1).square().sum(1))
    ]
    combined = pooled(estimates)
    assert combined.trace == pytest.approx(size * 5, rel=0.01)
    assert combined.squared_norm == pytest.approx(size * mean**2, rel=0.04)  # 3 standard errors
    assert combined.scale == pytest.approx(5 / mean**2, rel=0.05)
    assert any(
        e.scale is None for e in estimates
    )  # a single batch may have none: the ratio is of means, not a mean of ratios


def test_the_noise_of_a_gan_is_that_of_its_chunks_gradients() -> None:
    """D(x) = psi . x under E D(G(z)) - E D(x): a chunk's gradient for D is mean z - mean x."""
    z, x, generator, discriminator = normal(32, 4), 2 * normal(32, 4, seed=1), nn.Identity(), Shift(4)
    generator.weight = nn.Parameter(torch.ones(1, dtype=DOUBLE))
    on_g, on_d = gradient_noise(
        generator,
        discriminator,
        lambda g, d, z, x: (g.weight * z.mean(dim=0).sum()).sum(),
        lambda g, d, z, x: d(z).mean() - d(x).mean(),
        z,
        x,
        chunks=8,
    )
    gradients = (z - x).reshape(8, 4, 4).mean(dim=1)
    assert on_d == noise_from_chunks(gradients.square().sum(1), gradients.mean(0).square().sum(), 4)
    sums = z.sum(dim=1).reshape(8, 4).mean(dim=1)
    assert on_g.trace == pytest.approx(float(4 * sums.var()))
    with pytest.raises(ValueError, match="at least 2 chunks"):
        gradient_noise(
            generator, discriminator, lambda g, d, z, x: z.sum(), lambda g, d, z, x: x.sum(), z[:4], x[:4], chunks=8
        )


def test_noise_from_chunks_equals_the_textbook_formulas() -> None:
    gradients = normal(6, 10)
    estimate = noise_from_chunks(gradients.square().sum(1), gradients.mean(0).square().sum(), 16)
    small, big = gradients.square().sum(1).mean(), gradients.mean(0).square().sum()
    assert estimate.trace == pytest.approx(float((small - big) / (1 / 16 - 1 / 96)))
    assert estimate.squared_norm == pytest.approx(float((96 * big - 16 * small) / (96 - 16)))
    assert NoiseEstimate(1.0, -0.1).scale is None


# -- conditioning


def test_the_conditioning_of_a_linear_generator_is_exact() -> None:
    layer = nn.Linear(2, 2, bias=False)
    layer.weight.data = torch.tensor([[2.0, -1.0], [1.5, 1.0]])
    mean, sd = jacobian_conditioning(layer, torch.randn(5, 2))
    assert mean == pytest.approx(1.178121, abs=1e-5)
    assert sd == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("outputs", [3, 40])
def test_jacobians_by_rows_and_by_columns_equal_autograd(outputs: int) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, outputs)).double()
    z = normal(3, 4)
    slow = torch.stack([torch.autograd.functional.jacobian(net, row) for row in z])
    assert torch.allclose(generator_jacobians(net, z), slow, atol=1e-10)


def test_a_latent_map_batch_norm_and_a_dead_direction() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.ConvTranspose2d(5, 4, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Tanh()
    )
    before = copy.deepcopy(net.state_dict())
    mean, sd = jacobian_conditioning(net, torch.randn(6, 5, 1, 1))
    assert math.isfinite(mean)
    assert sd > 0
    assert net.training
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    dead = torch.diag(torch.tensor([1.0, 0.0]))[None]
    assert float(log_condition(dead)[0]) == math.inf


# -- paths


def test_path_angles_of_pure_rotation_and_pure_attraction_are_those_of_theory() -> None:
    start, end = torch.tensor([1.0, 0.2], dtype=DOUBLE), torch.tensor([-0.8, 0.1], dtype=DOUBLE)
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=DOUBLE)
    rotation = path_angle(lambda w: turn @ w, start, end, alphas=[0.3, 0.5, 0.7])
    way = end - start
    assert np.abs(rotation.angles) == pytest.approx([0.294086, 0.8, 0.496139], abs=1e-5)
    attraction = path_angle(lambda w: -w, start, end)
    peak = -float(start @ way) / float(way @ way)
    assert peak == pytest.approx(0.56, abs=0.005)
    at = path_angle(lambda w: -w, start, end, alphas=[peak - 1e-3, peak, peak + 1e-3])
    assert at.angles[0] > 0 > at.angles[2]
    assert abs(at.angles[1]) < 1e-9
    assert abs(path_angle(lambda w: turn @ w, start, end, alphas=[peak]).angles[0]) == pytest.approx(1)
    assert read_path(attraction) == "attraction"
    assert read_path(path_angle(lambda w: turn @ w, start, end)) == "rotation"
    assert read_path(path_angle(lambda w: w, start, end)) == "repulsion"
    assert read_path(path_angle(lambda w: turn @ w - 0.5 * w, start, end)) in (
        "attraction and rotation",
        "attraction",
        "rotation",
    )
    assert len(attraction.alphas) == 100
    assert (attraction.alphas[0], attraction.alphas[-1]) == (-0.1, 1.1)


def test_a_path_between_the_same_point_is_refused_and_flat_fields_read_as_neither() -> None:
    with pytest.raises(ValueError, match="same point"):
        path_angle(lambda w: w, torch.ones(2), torch.ones(2))
    assert read_path(Path(np.arange(9.0), np.full(9, 0.5), np.ones(9))) == "neither"


def players_of(game: SmallGame):  # type: ignore[no-untyped-def]
    return gan_players(
        game.generator, game.discriminator, game.generator_loss, game.discriminator_loss, game.latents, game.reals
    )


def test_the_path_of_a_gan_between_checkpoints_is_that_of_its_field_and_leaves_it_alone() -> None:
    game = bilinear_game(1.0, x=1.0, y=0.2)
    ends = [
        ({"theta": torch.tensor([x], dtype=DOUBLE)}, {"psi": torch.tensor([y], dtype=DOUBLE)})
        for x, y in ((1.0, 0.2), (-0.8, 0.1))
    ]
    path = gan_path(
        game.generator,
        game.discriminator,
        game.generator_loss,
        game.discriminator_loss,
        game.latents,
        game.reals,
        start=ends[0],
        end=ends[1],
    )
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=DOUBLE)
    exact = path_angle(
        lambda w: turn @ w, torch.tensor([1.0, 0.2], dtype=DOUBLE), torch.tensor([-0.8, 0.1], dtype=DOUBLE)
    )
    assert np.allclose(path.angles, exact.angles)
    assert np.allclose(path.norms, exact.norms)
    assert game.generator.theta.item() == 1.0


# -- gap and residual


def value_of(game: SmallGame):  # type: ignore[no-untyped-def]
    return game.generator_loss  # of a zero-sum game: what G minimises is what D maximises


@pytest.mark.parametrize(("a", "b", "c", "x", "y"), [(1.0, 2.0, 0.5, 0.7, -0.4), (0.5, 1.0, 2.0, -1.0, 0.3)])
def test_the_duality_gap_of_linear_quadratic_games_is_the_closed_form(
    a: float, b: float, c: float, x: float, y: float
) -> None:
    game = linear_quadratic_game(a, b, c, x=x, y=y)
    expected = x**2 * (a / 2 + b**2 / (2 * c)) + y**2 * (c / 2 + b**2 / (2 * a))
    found = duality_gap(
        game.generator,
        game.discriminator,
        value_of(game),
        game.latents,
        game.reals,
        steps=150,
        optimizer=lambda p: torch.optim.SGD(p, lr=0.2),
    )
    assert found.gap == pytest.approx(expected, rel=1e-6)
    assert game.generator.theta.item() == x
    assert game.discriminator.psi.item() == y
    few = duality_gap(game.generator, game.discriminator, value_of(game), game.latents, game.reals, steps=3)
    assert 0 <= few.gap <= expected


def test_the_duality_gap_of_the_bilinear_game_in_a_box_is_the_closed_form() -> None:
    game, box = bilinear_game(1.0, x=0.5, y=-0.3), (2.0, 3.0)

    def project(generator: nn.Module, discriminator: nn.Module) -> None:
        for module, limit in zip((generator, discriminator), box):
            for parameter in module.parameters():
                parameter.data.clamp_(-limit, limit)

    found = duality_gap(
        game.generator,
        game.discriminator,
        value_of(game),
        game.latents,
        game.reals,
        steps=200,
        optimizer=lambda p: torch.optim.SGD(p, lr=0.5),
        project=project,
    )
    assert found.gap == pytest.approx(3.0 * 0.5 + 2.0 * 0.3)


def test_the_gap_is_zero_at_an_equilibrium_and_never_negative() -> None:
    game = linear_quadratic_game(1.0, 2.0, 0.5, x=0.0, y=0.0)
    assert (
        duality_gap(game.generator, game.discriminator, value_of(game), game.latents, game.reals, steps=20).gap == 0.0
    )


def test_the_extragradient_residual_is_the_field_one_step_ahead() -> None:
    game = bilinear_game(1.0, x=0.6, y=0.8)
    players = players_of(game)
    here, ahead = extragradient_residual(players, 0.5)
    assert here == pytest.approx(1.0)
    assert ahead == pytest.approx(math.sqrt(1.25))
    assert torch.equal(point_of(players), torch.tensor([0.6, 0.8], dtype=DOUBLE))
    still = players_of(bilinear_game(1.0, x=0.0, y=0.0))
    assert extragradient_residual(still, 0.5) == (0.0, 0.0)


def test_field_of_puts_the_parameters_back() -> None:
    players = players_of(bilinear_game(2.0, x=0.6, y=0.8))
    field = field_of(players)
    assert field(torch.tensor([1.0, 0.0], dtype=DOUBLE)).tolist() == pytest.approx([0.0, 2.0])
    assert torch.equal(vector_field(players), field(point_of(players)))


# -- all at once


def little_gan() -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    torch.manual_seed(3)
    generator = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    discriminator = nn.Sequential(
        nn.utils.parametrizations.spectral_norm(nn.Linear(2, 16)), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(16, 1)
    )
    return generator, discriminator, torch.randn(32, 4), torch.randn(96, 2)


LOSSES = losses_on_logits(
    lambda real, fake: softplus(-fake).mean(), lambda real, fake: softplus(-real).mean() + softplus(fake).mean()
)


def test_everything_is_measured_at_once_under_known_names_and_the_training_goes_on_bit_for_bit() -> None:
    def train(measuring: bool) -> tuple[list[Tensor], Tensor]:
        generator, discriminator, z, x = little_gan()
        optimizers = [torch.optim.Adam(m.parameters(), 1e-3) for m in (generator, discriminator)]
        for _ in range(6):
            for optimizer, loss in zip(optimizers, LOSSES):
                optimizer.zero_grad()
                loss(generator, discriminator, torch.randn(32, 4), x[:32]).backward()
                optimizer.step()
            if measuring:
                measure_game(generator, discriminator, *LOSSES, z, x[:32], heldout=x[32:], gap_steps=3)
        state = [v for m in (generator, discriminator) for v in m.state_dict().values()]
        return state + [
            p.grad for m in (generator, discriminator) for p in m.parameters() if p.grad is not None
        ], torch.get_rng_state()

    (bare, bare_stream), (watched, watched_stream) = train(False), train(True)
    assert all(torch.equal(a, b) for a, b in zip(bare, watched))
    assert torch.equal(bare_stream, watched_stream)

    generator, discriminator, z, x = little_gan()
    series = measure_game(generator, discriminator, *LOSSES, z, x[:32], heldout=x[32:], gap_steps=3)
    labels = measured_labels(generator, discriminator)
    for name, value in series.items():
        assert name in QUANTITIES, name
        wanted = QUANTITIES[name].shape
        assert (wanted == "scalar") == isinstance(value, float), name
        if isinstance(value, list):
            assert len(value) == len(labels[name]), name
    assert {
        "game_eigenvalues_real",
        "generator_hessian_min",
        "duality_gap",
        "extragradient_residual",
        "auc_gap",
        "jacobian_log_condition",
        "discriminator_layer_spectral_norm",
        "generator_gradient_noise_trace",
    } <= set(series)
    assert 1 <= series["game_gradient_evaluations"] <= 60
    assert series == measure_game(generator, discriminator, *LOSSES, z, x[:32], heldout=x[32:], gap_steps=3)


def test_what_cannot_be_measured_is_said_and_the_rest_is_measured() -> None:
    generator, discriminator, z, x = little_gan()

    def blind(generator: nn.Module, discriminator: nn.Module, latents: Tensor, reals: Tensor) -> Tensor:
        with torch.no_grad():
            fake = generator(latents)
        return softplus(-discriminator(reals)).mean() + softplus(discriminator(fake)).mean()

    with pytest.warns(NotMeasurable, match="spectrum was not measured"):
        series = measure_game(
            generator, discriminator, LOSSES[0], blind, z, x[:32], parts=("spectrum", "hessians", "weights")
        )
    assert "game_eigenvalues_real" not in series
    assert "discriminator_hessian_max" in series
    with pytest.raises(ValueError, match="unknown parts"):
        measure_game(generator, discriminator, *LOSSES, z, x, parts=("spectra",))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "heldout_auc" not in measure_game(generator, discriminator, *LOSSES, z, x[:32], parts=("heldout",))
    assert set(PARTS) > {"spectrum", "gap"}


def test_conditional_players_take_their_labels_along() -> None:
    class Conditional(nn.Module):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.embed, self.body = (
                nn.Embedding(3, 4),
                nn.Sequential(nn.Linear(inputs + 4, 8), nn.Tanh(), nn.Linear(8, outputs)),
            )

        def forward(self, x: Tensor, labels: Tensor) -> Tensor:
            return self.body(torch.cat([x, self.embed(labels)], dim=1))

    torch.manual_seed(0)
    labels = torch.arange(24) % 3
    series = measure_game(
        Conditional(4, 2),
        Conditional(2, 1),
        *LOSSES,
        (torch.randn(24, 4), labels),
        (torch.randn(24, 2), labels),
        heldout=(torch.randn(30, 2), torch.arange(30) % 3),
        value=minimax_value,
        gap_steps=2,
    )
    assert {"duality_gap", "auc_gap", "jacobian_log_condition", "game_eigenvalues_real"} <= set(series)

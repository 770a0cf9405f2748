"""Penalties: exact on linear and quadratic discriminators, where every gradient is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from gandiag.errors import UsageError
from gandiag.training.penalties import (
    PENALTIES,
    Shown,
    add_instance_noise,
    clip_weights,
    dragan,
    interpolates,
    lazy_rates,
    lecam,
    orthogonality,
    penalty_named,
    spectrally_normalised,
    squared_gradient_norms,
    wgan_gp,
)

WEIGHT = torch.tensor([3.0, -4.0], dtype=torch.float64)  # |gradient| = 5 everywhere
REAL = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]], dtype=torch.float64)
FAKE = torch.tensor([[2.0, 0.0], [1.0, 1.0], [-2.0, 0.5]], dtype=torch.float64)


def linear(x: Tensor) -> Tensor:
    return x @ WEIGHT


def quadratic(x: Tensor) -> Tensor:
    return x.square().sum(1)  # |gradient|^2 = 4 |x|^2


def shown(discriminator: Callable[[Tensor], Tensor], **options: Tensor) -> Shown:
    return Shown(discriminator, REAL, FAKE, random=torch.Generator().manual_seed(0), **options)


@pytest.mark.parametrize(
    ("name", "value"), [("r1", 12.5), ("r2", 12.5), ("wgan-gp", 16.0), ("zero-centred", 25.0), ("dragan", 16.0)]
)
def test_on_a_linear_discriminator_every_gradient_penalty_is_known(name: str, value: float) -> None:
    assert PENALTIES[name].value(shown(linear)).item() == pytest.approx(value, abs=1e-12)


def test_a_penalty_keeps_the_precision_of_the_game() -> None:
    """Also where the weights are no whole numbers: in float32 this would be off by 1e-8."""
    weight = torch.tensor([0.1, 0.7], dtype=torch.float64)
    assert PENALTIES["r1"].value(shown(lambda x: x @ weight)).item() == pytest.approx(0.25, abs=1e-15)
    half = Shown(lambda x: x @ weight.bfloat16() * 1e4, REAL.bfloat16(), FAKE.bfloat16())
    assert PENALTIES["r1"].value(half).dtype == torch.float32


def test_the_dirac_gan_pays_half_gamma_psi_squared() -> None:
    """D(x) = psi x: R1 = R2 = psi^2 / 2, and d/dpsi of gamma times it is gamma psi."""
    psi, gamma = torch.tensor(1.7, dtype=torch.float64, requires_grad=True), 0.3
    both = Shown(
        lambda x: (psi * x).flatten(),
        torch.zeros(4, 1, dtype=torch.float64),
        torch.full((4, 1), 0.8, dtype=torch.float64),
    )
    for name in ("r1", "r2"):
        value = gamma * PENALTIES[name].value(both)
        assert value.item() == pytest.approx(0.5 * gamma * 1.7**2)
        assert torch.autograd.grad(value, psi)[0].item() == pytest.approx(gamma * 1.7)
    value = PENALTIES["wgan-gp"].value(both)
    assert value.item() == pytest.approx((1.7 - 1) ** 2)
    assert torch.autograd.grad(value, psi)[0].item() == pytest.approx(2 * (1.7 - 1))


def test_r1_looks_at_reals_and_r2_at_fakes() -> None:
    assert PENALTIES["r1"].value(shown(quadratic)).item() == pytest.approx(
        0.5 * (4 * REAL.square().sum(1)).mean().item()
    )
    assert PENALTIES["r2"].value(shown(quadratic)).item() == pytest.approx(
        0.5 * (4 * FAKE.square().sum(1)).mean().item()
    )


def test_gradients_are_summed_over_channels_and_places() -> None:
    images = torch.randn(5, 3, 4, 4)
    value = PENALTIES["r1"].value(Shown(lambda x: 2 * x.flatten(1).sum(1), images, images))
    assert value.item() == pytest.approx(0.5 * 4 * 3 * 4 * 4)


def test_several_scores_of_a_sample_are_added_up() -> None:
    value = PENALTIES["r1"].value(Shown(lambda x: torch.stack([x @ WEIGHT, x @ WEIGHT], 1), REAL, FAKE))
    assert value.item() == pytest.approx(0.5 * 100)


def test_logits_that_are_given_are_used_again() -> None:
    calls = []

    def counted(x: Tensor) -> Tensor:
        calls.append(len(x))
        return quadratic(x)

    real = REAL.clone().requires_grad_()
    logits = counted(real)
    again = Shown(counted, real, FAKE, real_logits=logits)
    assert PENALTIES["r1"].value(again).item() == pytest.approx(PENALTIES["r1"].value(shown(quadratic)).item())
    assert calls == [3]
    PENALTIES["r1"].value(
        Shown(counted, REAL, FAKE, real_logits=quadratic(REAL))
    )  # no graph to the input: a pass of its own
    assert calls == [3, 3]


def test_labels_are_handed_on() -> None:
    seen = []

    def conditional(x: Tensor, labels: Tensor) -> Tensor:
        seen.append(labels.tolist())
        return linear(x) * labels

    both = Shown(
        conditional,
        REAL,
        FAKE,
        real_labels=torch.tensor([1, 1, 2]),
        fake_labels=torch.tensor([2, 2, 2]),
        random=torch.Generator(),
    )
    assert PENALTIES["r1"].value(both).item() == pytest.approx(0.5 * 25 * (1 + 1 + 4) / 3)
    assert PENALTIES["r2"].value(both).item() == pytest.approx(0.5 * 25 * 4)
    PENALTIES["wgan-gp"].value(both)
    assert seen == [[1, 1, 2], [2, 2, 2], [1, 1, 2]]


def test_interpolates_lie_on_the_lines_between_pairs_and_come_from_their_own_generator() -> None:
    state = torch.random.get_rng_state()
    points = interpolates(REAL, FAKE, torch.Generator().manual_seed(1))
    assert torch.equal(state, torch.random.get_rng_state())
    share = (points - REAL) / (FAKE - REAL)
    share = torch.where(torch.isfinite(share), share, share[:, :1])
    assert torch.allclose(share[:, 0], share[:, 1])
    assert bool(((share >= 0) & (share <= 1)).all())
    assert torch.equal(points, interpolates(REAL, FAKE, torch.Generator().manual_seed(1)))
    many = interpolates(torch.zeros(20_000, 1), torch.ones(20_000, 1), torch.Generator().manual_seed(2))
    assert many.mean().item() == pytest.approx(0.5, abs=0.01)
    assert many.var().item() == pytest.approx(1 / 12, abs=0.002)
    with pytest.raises(ValueError, match="pairs"):
        interpolates(REAL, FAKE[:2])


def test_dragan_stays_near_the_reals() -> None:
    seen = []

    def watch(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return linear(x)

    dragan(Shown(watch, REAL, FAKE + 100, random=torch.Generator().manual_seed(0)), spread=0.5)
    push = seen[0] - REAL
    assert bool((push >= 0).all())
    assert push.max().item() <= 0.5 * REAL.std().item()


def test_the_one_centred_norm_has_a_gradient_where_d_is_flat() -> None:
    psi = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    value = wgan_gp(Shown(lambda x: x @ psi, REAL, FAKE, random=torch.Generator()))
    assert value.item() == 1.0
    assert torch.autograd.grad(value, psi)[0].tolist() == [0, 0]  # and not NaN


def test_lecam_draws_towards_the_moving_averages_of_the_other_side() -> None:
    memory: dict[str, Tensor] = {}
    real_logits, fake_logits = torch.tensor([2.0, 4.0]), torch.tensor([-1.0, 0.0])

    def step(real: Tensor, fake: Tensor) -> float:
        return lecam(Shown(linear, REAL, FAKE, real_logits=real, fake_logits=fake, memory=memory), decay=0.9).item()

    assert step(real_logits, fake_logits) == pytest.approx((2.5**2 + 4.5**2) / 2 + (4**2 + 3**2) / 2)
    assert {name: value.item() for name, value in memory.items()} == {"lecam_real": 3.0, "lecam_fake": -0.5}
    step(real_logits + 10, fake_logits)
    assert memory["lecam_real"].item() == pytest.approx(0.9 * 3 + 0.1 * 13)


def test_lecam_remembers_what_all_processes_saw() -> None:
    """Two processes of half a batch each remember and weigh as one does with the whole of it."""
    torch.manual_seed(0)
    real, fake = torch.randn(8), torch.randn(8)
    whole: dict[str, Tensor] = {}
    value = lecam(Shown(linear, REAL, FAKE, real_logits=real, fake_logits=fake, memory=whole))
    parts = []
    for half in (slice(0, 4), slice(4, 8)):
        memory: dict[str, Tensor] = {}

        def gather(batch: Tensor, half: slice = half) -> Tensor:
            return real if torch.equal(batch, real[half]) else fake

        shown = Shown(linear, REAL, FAKE, real_logits=real[half], fake_logits=fake[half], memory=memory, gather=gather)
        parts.append(lecam(shown))
        assert memory == whole
    assert torch.stack(parts).mean().item() == pytest.approx(value.item())


def test_orthogonal_rows_cost_nothing_whatever_their_length() -> None:
    layer = nn.Linear(2, 2, bias=False)
    layer.weight.data = torch.tensor([[3.0, 0.0], [0.0, 5.0]])
    assert orthogonality(layer).item() == 0
    layer.weight.data = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert orthogonality(layer).item() == 2 * 11**2
    assert PENALTIES["orthogonal"].value(Shown(layer, REAL, FAKE)).item() == 2 * 11**2
    with pytest.raises(TypeError, match="module's weights"):
        PENALTIES["orthogonal"].value(shown(linear))


def test_penalties_train_d_and_leave_the_samples_alone() -> None:
    torch.manual_seed(0)
    discriminator = nn.Sequential(nn.Linear(2, 16), nn.Softplus(), nn.Linear(16, 1), nn.Flatten(0))
    for name, penalty in PENALTIES.items():
        fake = FAKE.float().requires_grad_()
        value = penalty.value(
            Shown(discriminator, REAL.float(), fake.detach(), random=torch.Generator().manual_seed(0))
        )
        assert value.shape == ()
        gradients = torch.autograd.grad(value, list(discriminator.parameters()), allow_unused=True)
        assert any(gradient is not None and bool((gradient != 0).any()) for gradient in gradients), name
        assert all(gradient is None or bool(torch.isfinite(gradient).all()) for gradient in gradients), name


def test_squared_gradient_norms_are_by_sample() -> None:
    x = REAL.clone().requires_grad_()
    assert squared_gradient_norms(quadratic(x), x).tolist() == pytest.approx((4 * REAL.square().sum(1)).tolist())


def test_a_lazy_penalty_scales_rate_and_betas_by_k_over_k_plus_one() -> None:
    rate, betas = lazy_rates(1e-3, (0.5, 0.99), 16)
    assert rate == pytest.approx(1e-3 * 16 / 17)
    assert betas == pytest.approx((0.5 ** (16 / 17), 0.99 ** (16 / 17)))
    assert lazy_rates(1e-3, (0.0, 0.99), 1) == (1e-3, (0.0, 0.99))  # a penalty at every step is no lazy one
    with pytest.raises(UsageError, match="every"):
        lazy_rates(1e-3, (0, 0.9), 0)


def test_instance_noise_has_the_sd_that_was_asked_for() -> None:
    noisy = add_instance_noise(torch.zeros(20_000), 0.3, torch.Generator().manual_seed(0))
    assert noisy.std().item() == pytest.approx(0.3, rel=0.02)
    samples = torch.zeros(3)
    assert add_instance_noise(samples, 0) is samples


def test_clipping_holds_every_parameter() -> None:
    layer = nn.Linear(3, 3)
    layer.weight.data.fill_(5)
    layer.bias.data.fill_(-0.005)
    clip_weights(layer, 0.01)
    assert layer.weight.data.unique().tolist() == pytest.approx([0.01])
    assert layer.bias.data.unique().tolist() == pytest.approx([-0.005])
    with pytest.raises(UsageError, match="above 0"):
        clip_weights(layer, 0)


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    torch.manual_seed(1)
    network = spectrally_normalised(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8, 4), nn.BatchNorm1d(4)))
    for _ in range(200):
        network(torch.randn(2, 3, 3, 3))
    for layer in (network[0], network[2]):
        assert torch.linalg.svdvals(layer.weight.detach().flatten(1))[0].item() == pytest.approx(1, abs=1e-4)
    count = len(network.state_dict())
    assert len(spectrally_normalised(network).state_dict()) == count  # a second time changes nothing


def test_half_of_gamma_is_in_r1_and_not_in_the_one_centred_penalty() -> None:
    """The conventions: R1 = gamma / 2 E |grad|^2; WGAN-GP = lambda E (|grad| - 1)^2."""
    scaled = partial(lambda x, scale: scale * linear(x), scale=2 / 5)  # |gradient| = 2
    assert PENALTIES["r1"].value(shown(scaled)).item() == pytest.approx(2.0)
    assert PENALTIES["wgan-gp"].value(shown(scaled)).item() == pytest.approx(1.0)
    assert math.isclose(PENALTIES["zero-centred"].value(shown(scaled)).item(), 4.0)


def test_an_unknown_penalty_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'wgan-gp'"):
        penalty_named("wgangp")

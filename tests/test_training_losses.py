"""Losses: exact values at given logits, stable far out, and each player pushes the scores where its game says."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gandiag.errors import UsageError
from gandiag.training.losses import LOSSES, loss_named

SOUND = [name for name in LOSSES if not name.startswith("fault-")]
REAL, FAKE = (torch.tensor(values, dtype=torch.float64) for values in ([2.0, -1.0], [0.5, -3.0]))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def mean(function, logits: Tensor) -> float:
    return sum(function(x) for x in logits.tolist()) / len(logits)


EXPECTED = {
    "non-saturating": (
        mean(lambda x: -math.log(sigmoid(x)), REAL) + mean(lambda x: -math.log(1 - sigmoid(x)), FAKE),
        mean(lambda x: -math.log(sigmoid(x)), FAKE),
    ),
    "minimax": (
        mean(lambda x: -math.log(sigmoid(x)), REAL) + mean(lambda x: -math.log(1 - sigmoid(x)), FAKE),
        mean(lambda x: math.log(1 - sigmoid(x)), FAKE),
    ),
    "least-squares": ((1 + 4) / 4 + (0.25 + 9) / 4, (0.25 + 16) / 4),
    "wasserstein": (-1.25 - 0.5, 1.25),
    "hinge": (1.0 + 0.75, 1.25),
    "relativistic": (
        mean(lambda x: math.log(1 + math.exp(-x)), REAL - FAKE),
        mean(lambda x: math.log(1 + math.exp(-x)), FAKE - REAL),
    ),
    "fault-unbounded": (
        mean(lambda x: math.log(2 - sigmoid(x)), REAL) + mean(lambda x: math.log(1 - sigmoid(x)), FAKE),
        mean(lambda x: math.log(2 - sigmoid(x)), FAKE),
    ),
    "fault-cooperative": (
        mean(lambda x: math.log(sigmoid(x)), REAL) + mean(lambda x: math.log(1 - sigmoid(x)), FAKE),
        -mean(sigmoid, FAKE),
    ),
    "fault-shared": (
        mean(lambda x: -math.log(sigmoid(sigmoid(x))), REAL) + mean(lambda x: -math.log(1 - sigmoid(sigmoid(x))), FAKE),
    )
    * 2,
    "fault-saturated": (mean(sigmoid, REAL) + mean(sigmoid, FAKE), -mean(sigmoid, FAKE)),
}


@pytest.mark.parametrize("name", list(LOSSES))
def test_values_at_given_logits(name: str) -> None:
    loss = LOSSES[name]
    values = loss.discriminator(REAL, FAKE), loss.generator(REAL, FAKE)
    assert all(value.shape == () for value in values)
    assert [value.item() for value in values] == pytest.approx(EXPECTED[name], abs=1e-12)


def forces(name: str, real: float, fake: float) -> dict[str, float]:
    """Where each player pushes a score: minus the derivative of what it minimises."""
    found = {}
    for player in ("discriminator", "generator"):
        scores = [torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (real, fake)]
        gradients = torch.autograd.grad(getattr(LOSSES[name], player)(*scores), scores, allow_unused=True)
        for what, gradient in zip(("real", "fake"), gradients):
            found[f"{player[0]}_{what}"] = 0.0 if gradient is None else -gradient.item()
    return found


@pytest.mark.parametrize("name", SOUND)
def test_in_a_sound_game_d_pushes_reals_up_and_fakes_down_and_g_pushes_fakes_up(name: str) -> None:
    for real, fake in ((0.3, 0.1), (0.2, 0.2), (-0.5, 0.5)):  # least squares turns round at its targets 0 and 1
        force = forces(name, real, fake)
        assert force["d_real"] > 0 > force["d_fake"], (real, fake)
        assert force["g_fake"] > 0


def test_the_four_faults_push_as_the_listings_do() -> None:
    unbounded, cooperative, shared, saturated = (
        forces(f"fault-{name}", 0.3, -0.2) for name in ("unbounded", "cooperative", "shared", "saturated")
    )
    assert unbounded["d_fake"] > 0
    assert unbounded["d_real"] > 0
    assert cooperative["d_real"] < 0 < cooperative["d_fake"]
    assert cooperative["g_fake"] > 0
    assert (shared["d_real"], shared["d_fake"]) == (shared["g_real"], shared["g_fake"])
    assert shared["g_fake"] < 0
    assert saturated["d_real"] < 0
    assert saturated["g_fake"] > 0


def test_the_saturating_force_is_e_to_the_logit_times_the_non_saturating_one() -> None:
    for logit in (-10.0, -2.0, 0.0, 3.0):
        ratio = forces("minimax", 0.0, logit)["g_fake"] / forces("non-saturating", 0.0, logit)["g_fake"]
        assert ratio == pytest.approx(math.exp(logit), rel=1e-9)
    assert forces("minimax", 0.0, -10.0)["g_fake"] == pytest.approx(4.5e-5, rel=0.01)


def test_d_that_cannot_tell_reads_two_ln_two() -> None:
    zero = torch.zeros(5)
    for name in ("non-saturating", "minimax"):
        assert LOSSES[name].discriminator(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert LOSSES["relativistic"].discriminator(zero, zero).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("far", [80.0, 1e4])
def test_sound_losses_stay_finite_with_their_gradients_far_out(name: str, far: float) -> None:
    for real, fake in ((far, -far), (-far, far), (far, far)):
        force = forces(name, real, fake)
        assert all(math.isfinite(value) for value in force.values())
        assert torch.isfinite(LOSSES[name].discriminator(torch.tensor([real]), torch.tensor([fake])))


def test_the_unbounded_listing_overflows_as_it_did_in_print() -> None:
    score = torch.tensor([40.0], requires_grad=True)
    value = LOSSES["fault-unbounded"].discriminator(torch.zeros(1), score)
    assert value.item() == -math.inf
    (gradient,) = torch.autograd.grad(value, score)
    assert not torch.isfinite(gradient).all()


def test_losses_that_need_the_reals_say_so() -> None:
    assert {name for name, loss in LOSSES.items() if loss.generator_uses_real} == {"relativistic", "fault-shared"}
    for name, loss in LOSSES.items():
        if not loss.generator_uses_real:
            assert torch.equal(loss.generator(FAKE, FAKE), loss.generator(REAL, FAKE)), name
    with pytest.raises(ValueError, match="pairs"):
        LOSSES["relativistic"].discriminator(torch.zeros(3), torch.zeros(4))
    with pytest.raises(ValueError, match="pairs"):
        LOSSES["relativistic"].generator(torch.zeros(3), torch.zeros(4))


def test_an_unknown_loss_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'hinge'"):
        loss_named("hing")
    assert all(loss_named(name).name == name and loss.summary for name, loss in LOSSES.items())

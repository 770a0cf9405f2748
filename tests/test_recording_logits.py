"""The discriminator's outputs against exact answers of two Gaussians, slow obvious twins, and ties."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from gandiag.quantities import LOGIT_BINS, QUANTITIES
from gandiag.recording import logits
from gandiag.recording.step import Step


def value(found: dict, name: str) -> float:
    return float(found[name])


def step_of(real: Tensor, fake: Tensor) -> Step:
    return Step(index=0, real_logits=real, fake_logits=fake)


@pytest.mark.parametrize(
    ("delta", "auc", "ks", "accuracy", "divergence"),
    [
        (1.0, 0.76025, 0.38292, 0.69146, 0.111421),
        (2.0, 0.92135, 0.68269, 0.84134, 0.336831),
        (3.0, 0.98305, 0.86639, 0.93319, 0.526777),
    ],
)
def test_two_gaussians_with_the_optimal_logit_give_the_exact_values(
    delta: float, auc: float, ks: float, accuracy: float, divergence: float
) -> None:
    chance = torch.Generator().manual_seed(1)
    real = delta**2 / 2 + delta * torch.randn(200_000, generator=chance)
    fake = -(delta**2) / 2 + delta * torch.randn(200_000, generator=chance)
    step = step_of(real, fake)
    apart = logits.separation(step)
    assert value(apart, "discriminator_auc") == pytest.approx(auc, abs=0.003)
    assert value(apart, "discriminator_ks") == pytest.approx(ks, abs=0.005)
    assert value(apart, "discriminator_accuracy") == pytest.approx(accuracy, abs=0.003)
    assert value(apart, "discriminator_wasserstein") == pytest.approx(delta**2, rel=0.01)
    assert value(logits.real_outputs(step), "real_sign_mean") == pytest.approx(2 * accuracy - 1, abs=0.005)
    assert value(logits.value_function(step), "jensen_shannon_bound") == pytest.approx(divergence, abs=0.003)


def test_a_discriminator_that_cannot_tell_has_the_value_minus_ln_4() -> None:
    found = logits.value_function(step_of(torch.zeros(7), torch.zeros(5)))
    assert value(found, "value_function") == pytest.approx(-math.log(4), rel=1e-6)
    assert value(found, "jensen_shannon_bound") == pytest.approx(0, abs=1e-6)
    assert value(
        logits.calibration(step_of(torch.zeros(6), torch.zeros(6))), "discriminator_calibration_error"
    ) == pytest.approx(0, abs=1e-6)


def slow_auc(real: Tensor, fake: Tensor) -> float:
    return float(np.mean([[1.0 if r > f else 0.5 if r == f else 0.0 for f in fake.tolist()] for r in real.tolist()]))


def slow_ks(real: Tensor, fake: Tensor) -> float:
    points = torch.cat([real, fake])
    return max(abs(float((real <= p).float().mean() - (fake <= p).float().mean())) for p in points)


def slow_wasserstein(real: Tensor, fake: Tensor) -> float:
    points = torch.cat([real, fake]).sort().values.double()
    return sum(
        float(b - a) * abs(float((real <= a).double().mean() - (fake <= a).double().mean()))
        for a, b in itertools.pairwise(points)
    )


@pytest.mark.parametrize(("n", "m"), [(1, 1), (5, 5), (7, 3), (3, 7), (64, 48)])
@pytest.mark.parametrize("ties", [False, True])
def test_ranks_and_distances_equal_their_slow_twins(n: int, m: int, ties: bool) -> None:
    chance = torch.Generator().manual_seed(n * 100 + m)
    real, fake = torch.randn(n, generator=chance) + 0.3, torch.randn(m, generator=chance)
    if ties:
        real, fake = (real * 2).round() / 2, (fake * 2).round() / 2
    found = logits.separation(step_of(real, fake))
    assert value(found, "discriminator_auc") == pytest.approx(slow_auc(real, fake), abs=1e-6)
    assert value(found, "discriminator_ks") == pytest.approx(slow_ks(real, fake), abs=1e-6)
    assert value(found, "discriminator_wasserstein") == pytest.approx(slow_wasserstein(real, fake), abs=1e-5)


def test_quantiles_and_histograms_equal_numpys() -> None:
    chance = torch.Generator().manual_seed(3)
    values = 8 * torch.randn(101, generator=chance)
    found = logits.real_outputs(step_of(values, values))
    for percent in (5, 25, 50, 75, 95):
        assert value(found, f"real_logit_q{percent:02d}") == pytest.approx(
            float(np.percentile(values.numpy(), percent)), abs=1e-4
        )
    counts = logits.real_histogram(step_of(values, values))["real_logit_histogram"]
    edges = np.concatenate([[-np.inf], np.linspace(-10, 10, LOGIT_BINS + 1), [np.inf]])
    assert isinstance(counts, Tensor)
    np.testing.assert_array_equal(counts.numpy(), np.histogram(values.numpy(), edges)[0])
    assert counts.sum() == 101


def test_calibration_error_equals_its_slow_twin() -> None:
    chance = torch.Generator().manual_seed(4)
    real, fake = 2 * torch.randn(90, generator=chance) + 1, 2 * torch.randn(60, generator=chance)
    p = torch.cat([real, fake]).sigmoid().double()
    is_real = torch.cat([torch.ones(90), torch.zeros(60)]).double()
    weight = torch.cat([torch.full((90,), 0.5 / 90), torch.full((60,), 0.5 / 60)]).double()
    bins = (p * 10).long().clamp(max=9)
    expected = sum(abs(float((weight * (p - is_real))[bins == b].sum())) for b in range(10))
    assert value(logits.calibration(step_of(real, fake)), "discriminator_calibration_error") == pytest.approx(
        expected, abs=1e-6
    )


@pytest.mark.parametrize(
    "probe",
    [
        logits.real_outputs,
        logits.fake_outputs,
        logits.separation,
        logits.value_function,
        logits.real_histogram,
        logits.fake_histogram,
        logits.calibration,
    ],
)
def test_a_block_of_steps_gives_each_step_its_own_values(probe) -> None:
    chance = torch.Generator().manual_seed(5)
    real, fake = torch.randn(6, 33, generator=chance), torch.randn(6, 20, generator=chance)
    together = probe(step_of(real, fake))
    for i in range(6):
        for name, alone in probe(step_of(real[i], fake[i])).items():
            torch.testing.assert_close(together[name][i], alone, rtol=1e-5, atol=1e-6)
            assert name in QUANTITIES


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_comes_through_and_is_no_perfect_score(bad: float) -> None:
    real, fake = torch.tensor([1.0, 2.0, bad]), torch.tensor([0.0, 1.0])
    found = {
        **logits.separation(step_of(real, fake)),
        **logits.real_outputs(step_of(real, fake)),
        **logits.calibration(step_of(real, fake)),
    }
    for name in (
        "discriminator_auc",
        "discriminator_ks",
        "discriminator_wasserstein",
        "real_logit_mean",
        "discriminator_calibration_error",
    ):
        assert not math.isfinite(value(found, name)), name


def test_probabilities_become_logits_and_certainty_stays_finite() -> None:
    torch.testing.assert_close(logits.to_logits(torch.tensor([0.5, 0.9])), torch.tensor([0.0, math.log(9)]))
    ends = logits.to_logits(torch.tensor([0.0, 1.0]))
    assert torch.isfinite(ends).all()
    assert ends[0] < -80
    assert ends[1] > 15


@pytest.mark.parametrize("batch", [5, 8, 16])
def test_a_rows_values_do_not_depend_on_how_many_rows_are_read_with_it(batch: int) -> None:
    torch.manual_seed(0)
    probes = (logits.real_outputs, logits.fake_outputs, logits.separation, logits.value_function, logits.calibration)
    for _ in range(10):
        real, fake = torch.randn(64, batch), torch.randn(64, batch)
        for probe in probes:
            whole = probe(step_of(real, fake))
            for rows in (2, 3, 6, 7):
                for name, values in probe(step_of(real[:rows].clone(), fake[:rows].clone())).items():
                    assert torch.equal(torch.as_tensor(values), torch.as_tensor(whole[name])[:rows]), (name, rows)


@pytest.mark.parametrize("count", [1, 2, 3, 64, 100])
def test_the_sum_that_never_changes_its_order_is_the_cumulative_sum(count: int) -> None:
    values = torch.rand(5, count, generator=torch.Generator().manual_seed(count), dtype=torch.float64)
    torch.testing.assert_close(logits.doubling_sum(values), values.cumsum(-1), rtol=1e-14, atol=1e-14)

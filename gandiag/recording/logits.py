"""What the discriminator's outputs tell: their distribution on reals and on fakes, and how well it tells them apart.

Every function takes a Step and reduces over the last axis, so that a block of many steps costs as much Python as one.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandiag.quantities import LOGIT_BIN_LIMIT, LOGIT_BINS, QUANTILES
from gandiag.recording.step import Step, Value, on_device

CALIBRATION_BINS = 10  # the usual count for the expected calibration error


def real_outputs(step: Step) -> dict[str, Value]:
    """Mean, standard deviation and quantiles of the logits on reals, and E[sign D(real)] (ADA's r_t, range -1 .. 1)."""
    assert step.real_logits is not None
    return {
        **_moments(step.real_logits, step.sorted_real_logits, "real"),
        "real_sign_mean": torch.sign(step.real_logits).mean(-1),
    }


def fake_outputs(step: Step) -> dict[str, Value]:
    """Mean, standard deviation and quantiles of the logits on fakes, and the generator's saturation E[sigmoid(logit)]."""
    assert step.fake_logits is not None
    return {
        **_moments(step.fake_logits, step.sorted_fake_logits, "fake"),
        "generator_saturation": _sigmoid(step.fake_logits).mean(-1),
    }


def separation(step: Step) -> dict[str, Value]:
    """How far apart the logits on reals and fakes are: AUC, accuracy, Kolmogorov-Smirnov, Wasserstein-1."""
    assert step.real_logits is not None
    assert step.fake_logits is not None
    real, fake = step.sorted_real_logits, step.sorted_fake_logits
    auc, ks = ranks(real, fake)
    right = (step.real_logits > 0).float().mean(-1) * real.shape[-1] + (step.fake_logits < 0).float().mean(
        -1
    ) * fake.shape[-1]
    broken = (real.sum(-1) + fake.sum(-1)) * 0  # NaN and infinities come through
    return {
        "discriminator_auc": auc + broken,
        "discriminator_accuracy": right / (real.shape[-1] + fake.shape[-1]) + broken,
        "discriminator_ks": ks + broken,
        "discriminator_wasserstein": wasserstein(real, fake) + broken,
    }


def value_function(step: Step) -> dict[str, Value]:
    """The minimax game's value E log D(x) + E log(1 - D(G(z))) in nats, and the bound on the divergence that it implies.

    The value is -ln 4 where D cannot tell; (value + ln 4) / 2 bounds the Jensen-Shannon divergence from below (Goodfellow et
    al. 2014), and is clipped at 0.
    """
    assert step.real_logits is not None
    assert step.fake_logits is not None
    value = F.logsigmoid(step.real_logits).mean(-1) + F.logsigmoid(-step.fake_logits).mean(-1)
    return {"value_function": value, "jensen_shannon_bound": ((value + math.log(4)) / 2).clamp(min=0)}


def real_histogram(step: Step) -> dict[str, Value]:
    """Counts of the logits on reals on the fixed bins of `quantities`: one below, LOGIT_BINS between, one above."""
    return {"real_logit_histogram": _histogram(step.sorted_real_logits)}


def fake_histogram(step: Step) -> dict[str, Value]:
    """Counts of the logits on fakes on the fixed bins of `quantities`."""
    return {"fake_logit_histogram": _histogram(step.sorted_fake_logits)}


def calibration(step: Step) -> dict[str, Value]:
    """Expected calibration error of sigmoid(logit) as the probability of being real, on ten equal bins, range 0 .. 1.

    Both sides count alike whatever their batch sizes, as in the game.
    """
    real_share, real_mass = _binned(step.sorted_real_logits)
    fake_mass = _binned(step.sorted_fake_logits)[1]
    error = (real_mass + fake_mass - real_share).abs().sum(-1) / 2
    broken = (step.sorted_real_logits.sum(-1) + step.sorted_fake_logits.sum(-1)) * 0
    return {"discriminator_calibration_error": error + broken}


def quantiles(ordered: Tensor, percents: tuple[int, ...] = QUANTILES) -> list[Tensor]:
    """Returns quantiles along the last axis of sorted values, linear between neighbours as numpy and torch do by default."""
    last = ordered.shape[-1] - 1
    found = []
    for percent in percents:
        place = percent / 100 * last
        low = math.floor(place)
        share = place - low
        at = ordered[..., low]
        found.append(at if share == 0 else torch.lerp(at, ordered[..., low + 1], share))
    return found


def ranks(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the AUC P(real > fake), ties half, and the Kolmogorov-Smirnov distance, of values sorted along the last axis."""
    n, m = real.shape[-1], fake.shape[-1]
    small = n * m < 2**31 // 2
    real, fake = real.contiguous(), fake.contiguous()
    below = torch.searchsorted(fake, real, out_int32=small)  # fakes below each real
    up_to = torch.searchsorted(fake, real, right=True, out_int32=small)
    auc = (below + up_to).sum(-1).double() / (2 * n * m)
    place = torch.arange(n, device=real.device, dtype=below.dtype) * m
    # the empirical distributions differ most at a real's value, or just before one; counted in whole numbers, times n m
    above = ((place + m) - up_to * n).amax(-1)
    under = (below * n - place).amax(-1)
    return auc.float(), (torch.maximum(above, under).double() / (n * m)).float()


def wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    """Returns the Wasserstein-1 distance of two samples sorted along the last axis; exact also for unequal sizes."""
    n, m = real.shape[-1], fake.shape[-1]
    if n == m:
        return (real - fake).abs().mean(-1)
    of_real, of_fake, weights = _overlaps(n, m, real.device)
    return ((real[..., of_real] - fake[..., of_fake]).abs() * weights).sum(-1)


def to_logits(outputs: Tensor) -> Tensor:
    """Returns the logits of probabilities; 0 and 1 become the last finite logits of their type, not infinities."""
    tiny = torch.finfo(outputs.dtype).tiny
    largest = 1 - torch.finfo(outputs.dtype).eps / 2
    return torch.logit(outputs.clamp(tiny, largest))


def _moments(values: Tensor, ordered: Tensor, what: str) -> dict[str, Value]:
    centre = values.mean(-1)
    spread = (values - centre.unsqueeze(-1)).square().mean(-1).sqrt()
    found: dict[str, Value] = {f"{what}_logit_mean": centre, f"{what}_logit_sd": spread}
    for percent, at in zip(QUANTILES, quantiles(ordered)):
        found[f"{what}_logit_q{percent:02d}"] = at
    return found


def _sigmoid(values: Tensor) -> Tensor:
    """Rounded once, from double: in float32 torch's last digit depends on where in a tensor a value stands, and so on when a block ends."""
    return torch.sigmoid(values.double()).to(values.dtype)


def _histogram(ordered: Tensor) -> Tensor:
    edges = torch.linspace(-LOGIT_BIN_LIMIT, LOGIT_BIN_LIMIT, LOGIT_BINS + 1, device=ordered.device)
    edges = edges.expand(*ordered.shape[:-1], LOGIT_BINS + 1).contiguous()
    unknown = torch.isnan(ordered)  # among which a binary search would lose its way
    below = torch.searchsorted(ordered.masked_fill(unknown, math.inf), edges.to(ordered.dtype))
    whole = torch.full_like(below[..., :1], ordered.shape[-1]) - unknown.sum(-1, keepdim=True)
    return torch.diff(torch.cat([torch.zeros_like(whole), below, whole], -1), dim=-1).float()


def _binned(ordered: Tensor) -> tuple[Tensor, Tensor]:
    """Returns, for each bin of sigmoid(logit), the share of the sample in it and the sum of its probabilities over n."""
    count = ordered.shape[-1]
    edges = torch.linspace(0, 1, CALIBRATION_BINS + 1, device=ordered.device, dtype=ordered.dtype)[1:-1].logit()
    edges = edges.expand(*ordered.shape[:-1], CALIBRATION_BINS - 1).contiguous()
    below = F.pad(torch.searchsorted(ordered.contiguous(), edges), (1, 0))
    below = torch.cat([below, torch.full_like(below[..., :1], count)], -1)
    mass = F.pad(running_sum(_sigmoid(ordered)), (1, 0)).gather(-1, below)
    return torch.diff(below, dim=-1) / count, torch.diff(mass, dim=-1) / count


def running_sum(values: Tensor) -> Tensor:
    """Returns the cumulative sum along the last axis. On CUDA torch's own raises where deterministic algorithms are asked for."""
    if values.device.type != "cuda" or not torch.are_deterministic_algorithms_enabled():
        return values.cumsum(-1)
    return doubling_sum(values)


def doubling_sum(values: Tensor) -> Tensor:
    """The same by log2(n) shifted additions, whose order never changes."""
    shift = 1
    while shift < values.shape[-1]:
        values = values + F.pad(values[..., :-shift], (shift, 0))
        shift *= 2
    return values


@lru_cache(maxsize=16)
def _overlaps(n: int, m: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Returns which of n and which of m sorted values face each other, and over what share of the probability."""
    cuts = np.union1d(np.arange(n + 1, dtype=np.int64) * m, np.arange(m + 1, dtype=np.int64) * n)
    shares = torch.from_numpy(np.diff(cuts) / (n * m)).float()
    return (
        on_device(torch.from_numpy(cuts[:-1] // m), device),
        on_device(torch.from_numpy(cuts[:-1] // n), device),
        on_device(shares, device),
    )

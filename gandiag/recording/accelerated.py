"""The probes that have a compiled twin: the same numbers from `accelerated.c`, for float32 on the CPU; the rest is torch's.

A twin gets the Step that the probe gets and how many of its rows count, and returns numpy arrays (rows,) or (rows, k). Nothing
is handed to C but the address of a tensor that is held here until C has returned, with the size that it has at that moment.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gandiag.quantities import LOGIT_BIN_LIMIT, LOGIT_BINS, QUANTILES
from gandiag.recording import force, gradients, logits, numerics
from gandiag.recording.logits import CALIBRATION_BINS
from gandiag.recording.step import Probe, Step

Columns = dict[str, np.ndarray]
Rows = Callable[[ctypes.CDLL, Step, int], Columns]


def real_outputs(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`logits.real_outputs`."""
    values = _there(step.real_logits)
    signs, at = room(rows)
    library.sign_means(values.data_ptr(), values.stride(0), rows, values.shape[1], at)
    return {**_moments(library, values, step.sorted_real_logits, rows, "real"), "real_sign_mean": signs}


def fake_outputs(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`logits.fake_outputs`."""
    values = _there(step.fake_logits)
    saturation, at = room(rows)
    library.sigmoid_means(values.data_ptr(), values.stride(0), rows, values.shape[1], at)
    return {**_moments(library, values, step.sorted_fake_logits, rows, "fake"), "generator_saturation": saturation}


def separation(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`logits.separation`."""
    real, fake = step.sorted_real_logits, step.sorted_fake_logits
    out, at = room(4, rows)
    library.separation(*_sides(real, fake), rows, at)
    names = ("discriminator_auc", "discriminator_accuracy", "discriminator_ks", "discriminator_wasserstein")
    return dict(zip(names, out))


def value_function(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`logits.value_function`."""
    out, at = room(2, rows)
    for i, (side, direction) in enumerate(((_there(step.real_logits), 1.0), (_there(step.fake_logits), -1.0))):
        library.log_sigmoid_means(side.data_ptr(), side.stride(0), rows, side.shape[1], direction, at + 4 * i * rows)
    value = out.sum(0)
    return {"value_function": value, "jensen_shannon_bound": np.maximum((value + np.float32(math.log(4))) / 2, 0)}


def real_histogram(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`logits.real_histogram`."""
    return {"real_logit_histogram": _histogram(library, step.sorted_real_logits, rows)}


def fake_histogram(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`logits.fake_histogram`."""
    return {"fake_logit_histogram": _histogram(library, step.sorted_fake_logits, rows)}


def calibration(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`logits.calibration`."""
    edges = _calibration_edges()
    out, at = room(rows)
    sides = _sides(step.sorted_real_logits, step.sorted_fake_logits)
    library.calibration(*sides, rows, edges.data_ptr(), len(edges), at)
    return {"discriminator_calibration_error": out}


def discriminator_force_on_real(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`force.discriminator_force_on_real`."""
    return _force(library, step.discriminator_force_real, rows, "discriminator", "real")


def discriminator_force_on_fake(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`force.discriminator_force_on_fake`."""
    return _force(library, step.discriminator_force_fake, rows, "discriminator", "fake")


def generator_force_on_real(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`force.generator_force_on_real`."""
    return _force(library, step.generator_force_real, rows, "generator", "real")


def generator_force_on_fake(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`force.generator_force_on_fake`."""
    found, size = _totals(library, step.generator_force_fake, rows, "generator", "fake")
    return {**found, "generator_gradient_at_logit": size}


def gradient_at_image(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`force.gradient_at_image`."""
    return {"generator_gradient_at_image": _there(step.generator_gradient_at_image).numpy()[:rows].copy()}


def discriminator_gradient_norms(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`gradients.discriminator_gradient_norms`."""
    return _norms(step.discriminator_layer_gradients, step.discriminator_gradient_max, rows, "discriminator")


def generator_gradient_norms(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
    """`gradients.generator_gradient_norms`."""
    return _norms(step.generator_layer_gradients, step.generator_gradient_max, rows, "generator")


def _loss(field: str, name: str) -> Rows:
    def read(library: ctypes.CDLL, step: Step, rows: int) -> Columns:
        return {name: _there(getattr(step, field)).numpy()[:rows].copy()}

    return read


# probes of `probes.BLOCKWISE` and their compiled twins
BLOCKWISE: dict[Probe, Rows] = {
    numerics.discriminator_loss: _loss("d_loss", "discriminator_loss"),
    numerics.generator_loss: _loss("g_loss", "generator_loss"),
    numerics.discriminator_penalty: _loss("d_penalty", "discriminator_penalty"),
    numerics.generator_penalty: _loss("g_penalty", "generator_penalty"),
    gradients.discriminator_gradient_norms: discriminator_gradient_norms,
    gradients.generator_gradient_norms: generator_gradient_norms,
    logits.real_outputs: real_outputs,
    logits.fake_outputs: fake_outputs,
    logits.separation: separation,
    logits.value_function: value_function,
    logits.real_histogram: real_histogram,
    logits.fake_histogram: fake_histogram,
    logits.calibration: calibration,
    force.discriminator_force_on_real: discriminator_force_on_real,
    force.discriminator_force_on_fake: discriminator_force_on_fake,
    force.generator_force_on_real: generator_force_on_real,
    force.generator_force_on_fake: generator_force_on_fake,
    force.gradient_at_image: gradient_at_image,
}


def row_totals(library: ctypes.CDLL, values: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the sums of rows, and their L2 norms, (rows,) each."""
    out, at = room(3, len(values))
    library.totals(values.data_ptr(), values.stride(0), len(values), values.shape[1], at)
    return torch.from_numpy(out[0]), torch.from_numpy(out[2])


def room(*shape: int) -> tuple[np.ndarray, int]:
    """Returns an array to be filled, and its address; by numpy, which lets no other thread in between as torch does."""
    held = np.empty(shape, dtype=np.float32)
    return held, held.__array_interface__["data"][0]


def _there(values: Tensor | None) -> Tensor:
    if values is None:
        raise ValueError("this step holds no such values: a probe runs only where what it needs is there")
    return values


def _sides(real: Tensor, fake: Tensor) -> tuple[int, int, int, int, int, int]:
    return real.data_ptr(), real.stride(0), real.shape[1], fake.data_ptr(), fake.stride(0), fake.shape[1]


def _moments(library: ctypes.CDLL, values: Tensor, ordered: Tensor, rows: int, what: str) -> Columns:
    width = values.shape[1]
    places, shares = _places(width)
    out, at = room(2 + len(QUANTILES), rows)
    library.moments(
        values.data_ptr(),
        values.stride(0),
        ordered.data_ptr(),
        ordered.stride(0),
        rows,
        width,
        places.data_ptr(),
        shares.data_ptr(),
        len(QUANTILES),
        at,
    )
    names = (f"{what}_logit_mean", f"{what}_logit_sd", *(f"{what}_logit_q{percent:02d}" for percent in QUANTILES))
    return dict(zip(names, out))


@lru_cache(maxsize=16)
def _places(width: int) -> tuple[Tensor, Tensor]:
    """Returns for each quantile the index below it, and the share of the way to the next."""
    exact = [percent / 100 * (width - 1) for percent in QUANTILES]
    below = [math.floor(place) for place in exact]
    shares = [place - low for place, low in zip(exact, below)]
    return torch.tensor(below, dtype=torch.int64, device="cpu"), torch.tensor(shares, dtype=torch.float64, device="cpu")


@lru_cache(maxsize=1)
def _histogram_edges() -> Tensor:
    return torch.linspace(-LOGIT_BIN_LIMIT, LOGIT_BIN_LIMIT, LOGIT_BINS + 1, dtype=torch.float32, device="cpu")


@lru_cache(maxsize=1)
def _calibration_edges() -> Tensor:
    return torch.linspace(0, 1, CALIBRATION_BINS + 1, dtype=torch.float32, device="cpu")[1:-1].logit()


def _histogram(library: ctypes.CDLL, ordered: Tensor, rows: int) -> np.ndarray:
    edges = _histogram_edges()
    out, at = room(rows, len(edges) + 1)
    library.histogram(ordered.data_ptr(), ordered.stride(0), rows, ordered.shape[1], edges.data_ptr(), len(edges), at)
    return out


def _force(library: ctypes.CDLL, values: Tensor | None, rows: int, who: str, what: str) -> Columns:
    return _totals(library, values, rows, who, what)[0]


def _totals(library: ctypes.CDLL, values: Tensor | None, rows: int, who: str, what: str) -> tuple[Columns, np.ndarray]:
    values = _there(values)
    out, at = room(3, rows)
    library.totals(values.data_ptr(), values.stride(0), rows, values.shape[1], at)
    return {f"{who}_force_on_{what}": out[0], f"{who}_force_size_on_{what}": out[1]}, out[2]


def _norms(layers: Tensor | None, largest: Tensor | None, rows: int, who: str) -> Columns:
    each = _there(layers).numpy()[:rows].copy()  # the block's memory is used again
    with np.errstate(over="ignore", invalid="ignore"):
        whole = np.sqrt(np.square(each, dtype=np.float64).sum(-1)).astype(np.float32)
    return {
        f"{who}_gradient_norm": whole,
        f"{who}_layer_gradient_norm": each,
        f"{who}_gradient_norm_max": whole if largest is None else np.maximum(whole, largest.numpy()[:rows]),
    }

"""measure_game: all scheduled measurements of one moment of a GAN, as series, on copies: the training is left as it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gandiag.errors import GandiagError
from gandiag.recording.duality import GAP_STEPS, duality_gap, extragradient_residual
from gandiag.recording.game import Batch, GanLoss, Player, game_spectrum, gan_players, hessian_extremes
from gandiag.recording.heldout import heldout_scores, one_score_a_sample
from gandiag.recording.jacobian import jacobian_conditioning
from gandiag.recording.noise import gradient_noise
from gandiag.recording.paths import ALPHA_RANGE, gan_path
from gandiag.recording.untouched import copied, own_randomness, to_eval_mode
from gandiag.recording.weights import weight_names, weight_spectra

Series = dict[str, "float | list[float]"]
EIGENVALUES = 6
GRADIENT_EVALUATIONS = 60
HESSIAN_EVALUATIONS = 30
CONDITIONING_LATENTS = 16
WAY_POINTS = 49  # of the way between two checkpoints: both ends are among them, one point every 2.5 %
KINDS = ("largest", "rightmost", "rotating")
PARTS = ("spectrum", "hessians", "residual", "gap", "noise", "conditioning", "weights", "heldout", "path")
States = tuple[Mapping[str, Tensor], Mapping[str, Tensor]]  # the generator's and the discriminator's weights


class NotMeasurable(UserWarning):
    """A part of the scheduled measurement could not be had for these networks or losses; the others were."""


def measure_game(
    generator: nn.Module,
    discriminator: nn.Module,
    generator_loss: GanLoss,
    discriminator_loss: GanLoss,
    latents: Batch,
    reals: Batch,
    *,
    heldout: Batch | None = None,
    value: GanLoss | None = None,
    parts: Sequence[str] = PARTS,
    step: float = 1e-3,
    count: int = EIGENVALUES,
    gradient_evaluations: int = GRADIENT_EVALUATIONS,
    gap_steps: int = GAP_STEPS,
    since: States | None = None,
) -> Series:
    """Returns {series: number or list} of the group "game" and its neighbours; labels of the lists come from `measured_labels`.

    Losses are functions of (generator, discriminator, latents, reals) to a 0-d tensor, penalties included (see `losses_on_logits`);
    `latents` and `reals` are one fixed batch (with labels: tuples). `heldout` are reals that were never trained on: the duality gap and
    D's scores on them are measured with those. `value` is what D maximises and G minimises in the duality gap, minus D's loss if none
    is given. `step` is the step ahead of the extragradient residual, the learning rate say. `since` are the weights of an earlier
    moment, from which the path goes to the present ones. `parts` chooses among PARTS.

    Everything runs on copies with random streams of its own: parameters, gradients, buffers, modes and random state of the training
    stay bit for bit. What cannot be measured is left out and said in a `NotMeasurable` warning.
    """
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise ValueError(f"unknown parts {sorted(unknown)}; known: {', '.join(PARTS)}")
    players = gan_players(generator, discriminator, generator_loss, discriminator_loss, latents, reals)
    unseen = reals if heldout is None else _first(heldout, _size(latents))
    worth = value or (lambda g, d, z, x: -discriminator_loss(g, d, z, x))
    measurements: Mapping[str, Callable[[], Series]] = {
        "spectrum": lambda: _spectrum(players, count, gradient_evaluations),
        "hessians": lambda: _hessians(players),
        "residual": lambda: dict(
            zip(("game_field_norm", "extragradient_residual"), extragradient_residual(players, step))
        ),
        "gap": lambda: {
            "duality_gap": duality_gap(
                generator, discriminator, worth, _first(latents, _size(unseen)), unseen, steps=gap_steps
            ).gap
        },
        "noise": lambda: _noise(generator, discriminator, generator_loss, discriminator_loss, latents, reals),
        "conditioning": lambda: _conditioning(generator, latents),
        "weights": lambda: {**weight_spectra(generator, "generator"), **weight_spectra(discriminator, "discriminator")},
        "heldout": lambda: {} if heldout is None else _heldout(generator, discriminator, latents, reals, heldout),
        "path": lambda: (
            {}
            if since is None
            else _path(generator, discriminator, (generator_loss, discriminator_loss), latents, reals, since)
        ),
    }
    series: Series = {}
    for part in parts:
        try:
            series |= measurements[part]()
        except (GandiagError, FloatingPointError, NotImplementedError) as error:
            warnings.warn(f"{part} was not measured: {error}", NotMeasurable, stacklevel=2)
    return series


def measured_labels(
    generator: nn.Module, discriminator: nn.Module, *, count: int = EIGENVALUES
) -> dict[str, list[str]]:
    """Returns the labels of the lists that `measure_game` returns."""
    leaders = [f"{kind} {i + 1}" for kind in KINDS for i in range(count)]
    way = [f"{a:.3f}" for a in np.linspace(*ALPHA_RANGE, WAY_POINTS)]
    labels = dict.fromkeys(("path_angle", "path_norm"), way)
    labels |= dict.fromkeys(
        ("game_eigenvalues_real", "game_eigenvalues_imaginary", "game_eigenvalue_residuals"), leaders
    )
    for who, module in (("generator", generator), ("discriminator", discriminator)):
        labels |= dict.fromkeys(
            (f"{who}_layer_{name}" for name in ("spectral_norm", "effective_rank", "small_share")), weight_names(module)
        )
    return labels


def _spectrum(players: Sequence[Player], count: int, gradient_evaluations: int) -> Series:
    spectrum = game_spectrum(players, count=count, gradient_evaluations=gradient_evaluations)
    leaders = [spectrum.found.leading(kind, count) for kind in KINDS]
    values = [complex(v) for kind in leaders for v in _padded(list(kind.values), count)]
    residuals = [float(r) for kind in leaders for r in _padded(list(kind.residuals), count)]
    return {
        "game_eigenvalues_real": [v.real for v in values],
        "game_eigenvalues_imaginary": [v.imag for v in values],
        "game_eigenvalue_residuals": residuals,
        "game_eigenvalue_residual": float(leaders[0].residuals.max(initial=0.0)),
        "game_gradient_evaluations": float(spectrum.gradient_evaluations),
    }


def _hessians(players: Sequence[Player]) -> Series:
    found = [hessian_extremes(player, gradient_evaluations=HESSIAN_EVALUATIONS) for player in players]
    series: Series = {"hessian_gradient_evaluations": float(sum(f.gradient_evaluations for f in found))}
    for who, extremes in zip(("generator", "discriminator"), found):
        series |= {f"{who}_hessian_min": extremes.smallest, f"{who}_hessian_max": extremes.largest}
    return series


def _noise(
    generator: nn.Module,
    discriminator: nn.Module,
    generator_loss: GanLoss,
    discriminator_loss: GanLoss,
    latents: Batch,
    reals: Batch,
) -> Series:
    size = min(_size(latents), _size(reals))
    chunks = min(8, size)
    if chunks < 2:
        return {}
    estimates = gradient_noise(
        generator,
        discriminator,
        generator_loss,
        discriminator_loss,
        _first(latents, size),
        _first(reals, size),
        chunks=chunks,
    )
    series: Series = {}
    for who, estimate in zip(("generator", "discriminator"), estimates):
        series |= {f"{who}_gradient_noise_trace": estimate.trace, f"{who}_gradient_signal": estimate.squared_norm}
        if estimate.scale is not None:
            series[f"{who}_gradient_noise_scale"] = estimate.scale
    return series


def _conditioning(generator: nn.Module, latents: Batch) -> Series:
    z, *labels = (
        _first(latents, CONDITIONING_LATENTS) if isinstance(latents, tuple) else (latents[:CONDITIONING_LATENTS],)
    )
    mean, sd = jacobian_conditioning(generator, z, *labels)
    return {"jacobian_log_condition": mean, "jacobian_log_condition_sd": sd}


def _heldout(generator: nn.Module, discriminator: nn.Module, latents: Batch, reals: Batch, heldout: Batch) -> Series:
    if min(_size(reals), _size(heldout)) < 2:
        raise GandiagError(
            f"a spread takes at least 2 reals of each kind, and there are {_size(reals)} and, held out, {_size(heldout)}"
        )
    g, d = copied(generator, discriminator)
    to_eval_mode(d)  # a batch norm would let D tell a batch by its company
    z = latents if isinstance(latents, tuple) else (latents,)

    def judged(batch: Batch) -> Tensor:
        return one_score_a_sample(d(*batch) if isinstance(batch, tuple) else d(batch))

    with own_randomness(0), torch.no_grad():
        return dict(heldout_scores(judged(reals), judged(heldout), judged((g(*z), *z[1:]))))


def _path(
    generator: nn.Module,
    discriminator: nn.Module,
    losses: tuple[GanLoss, GanLoss],
    latents: Batch,
    reals: Batch,
    since: States,
) -> Series:
    now = (generator.state_dict(), discriminator.state_dict())
    way = gan_path(generator, discriminator, *losses, latents, reals, start=since, end=now, points=WAY_POINTS)
    return {"path_angle": way.angles.tolist(), "path_norm": way.norms.tolist()}


def _padded(values: list[float], count: int) -> list[float]:
    """A game of fewer eigenvalues than asked for repeats its last: a list's length must not change from moment to moment."""
    return values + [values[-1]] * (count - len(values))


def _size(batch: Batch) -> int:
    return len(batch[0]) if isinstance(batch, tuple) else len(batch)


def _first(batch: Batch, count: int) -> Batch:
    return tuple(t[:count] for t in batch) if isinstance(batch, tuple) else batch[:count]

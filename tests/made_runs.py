"""Runs made by hand with RunWriter: each has a known state of health, so that checks and the report can be held to it.

Every maker is `maker(path, *, steps, seed) -> Path` and stands in MADE. The discriminator's outputs are drawn batch by batch, and
losses, forces, accuracy and AUC are computed from those same draws: the series of a made run never contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gandiag.quantities import LOGIT_BIN_LIMIT, LOGIT_BINS, QUANTILES, logit_bin_labels
from gandiag.run import RunWriter

BATCH = 64
DIVERSITY_EVERY = 10
LAYERS_EVERY = 10
SPECTRA_EVERY = 100
EVALUATE_EVERY = 100
CLASSES = [str(i) for i in range(10)]
GENERATOR_LAYERS = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
DISCRIMINATOR_LAYERS = ["0.weight", "0.bias", "2.weight", "2.bias"]
FEATURES = "digits-cnn"
NOISY_SCORES = ("frechet_distance[", "kernel_distance[")

Columns = dict[str, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Returns 1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(x / 2))


def softplus(x: np.ndarray) -> np.ndarray:
    """Returns log(1 + exp(x)), without overflow."""
    return np.logaddexp(0, x)


def noisy(curve: np.ndarray, seed: int, relative: float = 0.1) -> np.ndarray:
    """Multiplies a positive curve by log-normal noise."""
    return curve * np.exp(relative * np.random.default_rng(seed).standard_normal(len(curve)))


def settled(steps: int, start: float, end: float, share: float = 0.1) -> np.ndarray:
    """A curve that goes exponentially from `start` to `end` within about `share` of the run."""
    return end + (start - end) * np.exp(-np.arange(steps) / max(1.0, share * steps / 3))


def from_logits(real: np.ndarray, fake: np.ndarray) -> Columns:
    """Everything that a recorder reads off D's outputs, (steps, batch) each, under the non-saturating loss."""
    columns: Columns = {
        "discriminator_loss": softplus(-real).mean(1) + softplus(fake).mean(1),
        "generator_loss": softplus(-fake).mean(1),
        "value_function": -softplus(-real).mean(1) - softplus(fake).mean(1),
        "discriminator_accuracy": ((real > 0).mean(1) + (fake < 0).mean(1)) / 2,
        "discriminator_auc": np.array(
            [(r[:, None] > f[None]).mean() + 0.5 * (r[:, None] == f[None]).mean() for r, f in zip(real, fake)]
        ),
        "discriminator_wasserstein": np.abs(np.sort(real, 1) - np.sort(fake, 1)).mean(1),
        "discriminator_ks": np.array([_ks(r, f) for r, f in zip(real, fake)]),
        "real_sign_mean": np.sign(real).mean(1),
        "generator_saturation": sigmoid(fake).mean(1),
        "discriminator_force_on_real": sigmoid(-real).mean(1),
        "discriminator_force_size_on_real": sigmoid(-real).mean(1),
        "discriminator_force_on_fake": -sigmoid(fake).mean(1),
        "discriminator_force_size_on_fake": sigmoid(fake).mean(1),
        "generator_force_on_fake": sigmoid(-fake).mean(1),
        "generator_force_size_on_fake": sigmoid(-fake).mean(1),
        "generator_gradient_at_logit": np.sqrt((sigmoid(-fake) ** 2).sum(1)) / real.shape[1],
    }
    columns["jensen_shannon_bound"] = np.clip((columns["value_function"] + np.log(4)) / 2, 0, None)
    for what, logits in (("real", real), ("fake", fake)):
        columns[f"{what}_logit_mean"], columns[f"{what}_logit_sd"] = logits.mean(1), logits.std(1)
        for q, values in zip(QUANTILES, np.quantile(logits, np.array(QUANTILES) / 100, axis=1)):
            columns[f"{what}_logit_q{q:02d}"] = values
        edges = np.concatenate([[-np.inf], np.linspace(-LOGIT_BIN_LIMIT, LOGIT_BIN_LIMIT, LOGIT_BINS + 1), [np.inf]])
        columns[f"{what}_logit_histogram"] = np.array([np.histogram(row, edges)[0] for row in logits], dtype=np.float32)
    return columns


def _ks(real: np.ndarray, fake: np.ndarray) -> float:
    at = np.concatenate([real, fake])
    return float(np.abs((real[:, None] <= at).mean(0) - (fake[:, None] <= at).mean(0)).max())


def drawn_logits(gap: np.ndarray, middle: np.ndarray, sd: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws (steps, BATCH) logits on reals and fakes: normal around middle +- gap / 2."""
    rng = np.random.default_rng(seed)
    shape = (len(gap), BATCH)
    real = (middle + gap / 2)[:, None] + sd[:, None] * rng.standard_normal(shape)
    fake = (middle - gap / 2)[:, None] + sd[:, None] * rng.standard_normal(shape)
    return real, fake


def players(
    steps: int,
    seed: int,
    generator: np.ndarray | float = 0.3,
    discriminator: np.ndarray | float = 0.5,
    rate: float = 1e-3,
) -> Columns:
    """Gradient norms, update ratios, rates and counts of both players."""
    columns: Columns = {}
    for i, (who, level) in enumerate((("generator", generator), ("discriminator", discriminator))):
        norm = noisy(np.broadcast_to(np.asarray(level, float), steps), seed + 10 + i, 0.25)
        columns[f"{who}_gradient_norm"] = norm
        columns[f"{who}_gradient_norm_max"] = norm
        columns[f"{who}_gradient_cosine"] = 0.2 + 0.1 * np.random.default_rng(seed + 20 + i).standard_normal(steps)
        columns[f"{who}_learning_rate"] = np.full(steps, rate)
        columns[f"{who}_updates"] = np.ones(steps)
    columns["generator_gradient_at_image"] = columns["generator_gradient_norm"] / 30
    return columns


def upkeep(steps: int, seed: int) -> Columns:
    """What the steps cost, and the count of numbers that are not finite."""
    seconds = noisy(np.full(steps, 4e-3), seed + 30)
    return {
        "step_seconds": seconds,
        "wall_time": np.cumsum(seconds),
        "images_per_second": BATCH / seconds,
        "images_seen": BATCH * np.arange(1.0, steps + 1),
        "nonfinite": np.zeros(steps),
    }


def batches(
    steps: int,
    seed: int,
    ratio: np.ndarray | float = 0.95,
    rank: np.ndarray | float = 9.0,
    *,
    shift: float = 0.0,
    hop: np.ndarray | float = 0.0,
) -> Columns:
    """Diversity and ranges of the batches, on the diversity cadence; `ratio` and `rank` may be curves over all steps."""
    at = np.arange(0, steps, DIVERSITY_EVERY)
    n = len(at)

    def on_cadence(value: np.ndarray | float) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, float), steps)[at].copy()

    real_distance = noisy(np.full(n, 4.0), seed + 40, 0.02)
    ratio = noisy(on_cadence(ratio), seed + 41, 0.03)
    return {
        "real_pairwise_distance": real_distance,
        "fake_pairwise_distance": real_distance * ratio,
        "diversity_ratio": ratio,
        "real_effective_rank": noisy(np.full(n, 10.0), seed + 42, 0.03),
        "fake_effective_rank": np.maximum(1.0, noisy(on_cadence(rank), seed + 43, 0.04)),
        "real_mean": noisy(np.full(n, 0.4), seed + 44, 0.02) - 0.8 + shift,
        "real_sd": noisy(np.full(n, 0.7), seed + 45, 0.02),
        "real_min": np.full(n, -1.0 + shift),
        "real_max": np.full(n, 1.0),
        "fake_mean": noisy(np.full(n, 0.4), seed + 46, 0.03) - 0.8 + on_cadence(hop),
        "fake_sd": noisy(np.full(n, 0.68), seed + 47, 0.03),
        "fake_min": np.full(n, -0.999),
        "fake_max": np.full(n, 0.999),
        "real_batch_repeat": np.zeros(n),
        "fake_batch_repeat": np.zeros(n),
        "generator_update_ratio": noisy(np.full(n, 3e-3), seed + 48, 0.1),
        "discriminator_update_ratio": noisy(np.full(n, 4e-3), seed + 49, 0.1),
        "generator_parameter_norm": np.linspace(9.0, 11.0, n),
        "discriminator_parameter_norm": np.linspace(8.0, 11.0, n),
    }


def per_layer(columns: Columns, steps: int, seed: int) -> dict[str, tuple[np.ndarray, list[str]]]:
    """Splits the players' gradient norms over their layers, and adds update ratios."""
    at = np.arange(0, steps, LAYERS_EVERY)
    out: dict[str, tuple[np.ndarray, list[str]]] = {}
    for i, (who, layers) in enumerate((("generator", GENERATOR_LAYERS), ("discriminator", DISCRIMINATOR_LAYERS))):
        rng = np.random.default_rng(seed + 50 + i)
        shares = rng.dirichlet(np.full(len(layers), 5.0), size=len(at))
        out[f"{who}_layer_gradient_norm"] = (columns[f"{who}_gradient_norm"][at, None] * np.sqrt(shares), layers)
        out[f"{who}_layer_update_ratio"] = (1e-3 * np.exp(0.2 * rng.standard_normal((len(at), len(layers)))), layers)
    return out


def spectra(steps: int, seed: int) -> dict[str, tuple[np.ndarray, list[str]]]:
    """Spectral norms, effective ranks and small shares of the weight matrices, on their own cadence."""
    n = len(np.arange(0, steps, SPECTRA_EVERY))
    out: dict[str, tuple[np.ndarray, list[str]]] = {}
    for i, (who, layers) in enumerate((("generator", GENERATOR_LAYERS), ("discriminator", DISCRIMINATOR_LAYERS))):
        rng = np.random.default_rng(seed + 60 + i)
        names = [layer for layer in layers if layer.endswith("weight")]
        grow = np.linspace(1.0, 1.6, n)[:, None]
        out[f"{who}_layer_spectral_norm"] = (2.0 * grow * np.exp(0.02 * rng.standard_normal((n, len(names)))), names)
        out[f"{who}_layer_effective_rank"] = (60 / grow * np.exp(0.02 * rng.standard_normal((n, len(names)))), names)
        out[f"{who}_layer_small_share"] = (0.1 + 0.01 * rng.random((n, len(names))), names)
    return out


def evaluation(
    distance: float,
    histogram: np.ndarray,
    *,
    recall: float = 0.8,
    precision: float = 0.75,
    floor: float = 1.0,
    copying: float = 1.0,
) -> dict[str, Any]:
    """One evaluation's scores, as the harness records them."""
    histogram = np.asarray(histogram, float) / np.sum(histogram)
    total = len(histogram)
    kl = float(np.sum(np.where(histogram > 0, histogram * np.log(np.maximum(histogram, 1e-12) * total), 0)))
    return {
        f"frechet_distance[{FEATURES}]": distance,
        f"frechet_distance_low[{FEATURES}]": distance * 0.94,
        f"frechet_distance_high[{FEATURES}]": distance * 1.06,
        f"frechet_distance_floor[{FEATURES}]": floor,
        f"kernel_distance[{FEATURES}]": distance / 200,
        f"precision[{FEATURES}]": precision,
        f"recall[{FEATURES}]": recall,
        f"density[{FEATURES}]": precision * 1.1,
        f"coverage[{FEATURES}]": recall * 1.05,
        "modes_covered": int((histogram >= 20 / 2500).sum()),
        "modes_total": total,
        "mode_kl": kl,
        "mode_histogram": histogram.tolist(),
        "data_mode_histogram": np.full(total, 1 / total).tolist(),
        "class_recall": np.clip(histogram * total, 0, 1).tolist(),
        "heldout_auc": 0.6,
        "auc_gap": 0.01,
        "auc_gap_sd": 0.03,
        "authenticity": 0.6,
        "copying_z": copying,
        "nearest_real_distance": 1.1,
    }


def about(name: str, steps: int, seed: int, **more: Any) -> dict[str, Any]:
    """run.json as the harness writes it."""
    config = {
        "recipe": "mlp",
        "data": "digits",
        "loss": "non-saturating",
        "steps": steps,
        "batch": BATCH,
        "lr_g": 1e-3,
        "lr_d": 1e-3,
        "penalties": ["r1"],
        "gamma": 0.5,
        "d_steps": 1,
        "pack": 1,
        "update": "alternating",
        "augmentation": "none",
        "seed": seed,
    }
    return {
        "name": name,
        "created": "2026-11-20T08:00:00+00:00",
        "command": ["gandiag", "run", "--seed", str(seed)],
        "config": config,
        "config_sources": dict.fromkeys(config, "default"),
        "seed": seed,
        "versions": {"python": "3.11", "torch": "2.13.0", "gandiag": "0.1.0"},
        "device": {"type": "cpu", "name": "made by hand"},
        "commit": None,
        "steps_planned": steps,
        "recipe": "mlp",
        "loss": "non-saturating",
        "data": {
            "name": "digits",
            "kind": "images",
            "shape": [1, 8, 8],
            "count": 1797,
            "classes": CLASSES,
            "modes": None,
            "range": [-1, 1],
        },
        "players": {
            "generator": {"class": "Sequential", "parameters": 100_000, "layers": GENERATOR_LAYERS},
            "discriminator": {
                "class": "Sequential",
                "parameters": 60_000,
                "layers": DISCRIMINATOR_LAYERS,
                "output": "logit",
            },
        },
        "optimizers": {
            "generator": {"class": "Adam", "learning_rate": 1e-3, "betas": [0.0, 0.99]},
            "discriminator": {"class": "Adam", "learning_rate": 1e-3, "betas": [0.0, 0.99]},
        },
        "probes": {
            "losses": 1,
            "gradients": 1,
            "logits": 1,
            "force": 1,
            "diversity": DIVERSITY_EVERY,
            "spectra": SPECTRA_EVERY,
        },
        "could_not_tell": [],
        **more,
    }


def write(
    path: Path,
    columns: Mapping[str, np.ndarray],
    steps: int,
    *,
    facts: Mapping[str, Any],
    slow: Mapping[str, np.ndarray] | None = None,
    layers: Mapping[str, tuple[np.ndarray, list[str]]] | None = None,
    spectrum: Mapping[str, tuple[np.ndarray, list[str]]] | None = None,
    evaluations: Mapping[int, Mapping[str, Any]] | None = None,
    pictures: bool = True,
    status: str = "finished",
) -> Path:
    """Writes a made run, in several record batches as a recorder does."""
    layers, spectrum = layers or {}, spectrum or {}
    with RunWriter(path, facts) as writer:
        names = {f"{what}_logit_histogram": logit_bin_labels() for what in ("real", "fake")}
        for start in range(0, steps, 500):
            part = slice(start, min(steps, start + 500))
            writer.append(
                "every-1",
                np.arange(part.start, part.stop),
                {k: np.asarray(v)[part] for k, v in columns.items()},
                labels=names,
            )
        tens = {**(slow or {}), **{k: v for k, (v, _) in layers.items()}}
        if tens:
            writer.append(
                f"every-{DIVERSITY_EVERY}",
                np.arange(0, steps, DIVERSITY_EVERY),
                tens,
                labels={k: names for k, (_, names) in layers.items()},
            )
        if spectrum:
            writer.append(
                f"every-{SPECTRA_EVERY}",
                np.arange(0, steps, SPECTRA_EVERY),
                {k: v for k, (v, _) in spectrum.items()},
                labels={k: names for k, (_, names) in spectrum.items()},
            )
        protocol = {
            "features": FEATURES,
            "features_sha256": "0" * 64,
            "count": 2500,
            "split": "test",
            "seed": 0,
            "ema": True,
        }
        for step, clean in (evaluations or {}).items():
            luck = np.random.default_rng(step)  # no two evaluations draw the same samples
            scores = {
                k: v * float(np.exp(0.01 * luck.standard_normal())) if k.startswith(NOISY_SCORES) else v
                for k, v in clean.items()
            }
            writer.record(
                "evaluations",
                {
                    "step": step,
                    "scores": scores,
                    "protocol": protocol,
                    "labels": {
                        k: CLASSES for k in ("mode_histogram", "data_mode_histogram", "class_recall") if k in scores
                    },
                },
            )
            if pictures and "mode_histogram" in scores:
                writer.samples(
                    step, {"images": digits_like(16, step + facts.get("seed", 0), np.asarray(scores["mode_histogram"]))}
                )
        if pictures and evaluations:
            writer.samples(0, {"images": digits_like(16, 1, np.ones(10))}, kind="real")
        writer.close(status)
    return Path(path)


def digits_like(count: int, seed: int, histogram: np.ndarray) -> np.ndarray:
    """Returns (count, 8, 8, 1) uint8 pictures: one blob each, whose place is the class."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(len(histogram), size=count, p=histogram / histogram.sum())
    yy, xx = np.mgrid[0:8, 0:8]
    angle = 2 * np.pi * classes / len(histogram)
    cx, cy = (
        3.5 + 2.2 * np.cos(angle) + 0.2 * rng.standard_normal(count),
        3.5 + 2.2 * np.sin(angle) + 0.2 * rng.standard_normal(count),
    )
    blob = np.exp(-((xx - cx[:, None, None]) ** 2 + (yy - cy[:, None, None]) ** 2) / 3)
    return np.clip(255 * blob + 8 * rng.standard_normal(blob.shape), 0, 255).astype(np.uint8)[..., None]


def evaluated_steps(steps: int) -> list[int]:
    """The steps at which a made run is evaluated: every EVALUATE_EVERY and the last."""
    return sorted({*range(EVALUATE_EVERY, steps, EVALUATE_EVERY), steps - 1})


# ------------------------------------------------------------------------------------------------------- the runs themselves


def healthy(path: Path, *, steps: int = 2000, seed: int = 0) -> Path:
    """Learns in its first tenth, then stays: all ten classes, AUC near .6, gradients of one size."""
    return made(path, steps=steps, seed=seed)


def made(
    path: Path,
    *,
    steps: int = 2000,
    seed: int = 0,
    columns: Mapping[str, np.ndarray] | None = None,
    slow: Mapping[str, np.ndarray] | None = None,
    layers: Mapping[str, tuple[np.ndarray, list[str]]] | None = None,
    spectrum: Mapping[str, tuple[np.ndarray, list[str]]] | None = None,
    scores: Callable[[int], Mapping[str, Any]] | None = None,
    facts: Mapping[str, Any] | None = None,
    without: tuple[str, ...] = (),
) -> Path:
    """A healthy run in which some series are others, or are left out: whatever begins with a word of `without`.

    `columns` are (steps,), `slow` and `layers` are on the cadence of DIVERSITY_EVERY, `scores` gives an evaluation's changes at a step.
    """
    fast: Columns = {
        **from_logits(*drawn_logits(settled(steps, 3.0, 0.5), np.zeros(steps), np.full(steps, 1.0), seed)),
        **players(steps, seed),
        **upkeep(steps, seed),
    }
    fast["discriminator_penalty"] = noisy(np.full(steps, 0.02), seed + 31)
    tens = batches(steps, seed, settled(steps, 0.3, 0.97), settled(steps, 3.0, 9.6))
    evaluations = {
        s: {
            **evaluation(
                20 + 400 * np.exp(-8 * s / steps) * np.exp(0.03 * np.random.default_rng(seed + s).standard_normal()),
                np.random.default_rng(seed + s).dirichlet(np.full(10, 300.0)),
            ),
            **(scores(s) if scores else {}),
        }
        for s in evaluated_steps(steps)
    }

    def kept(series: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values for name, values in series.items() if not name.startswith(without or ("\0",))}

    return write(
        path,
        kept({**fast, **(columns or {})}),
        steps,
        facts={**about(path.name, steps, seed), **(facts or {})},
        slow=kept({**tens, **(slow or {})}),
        layers=kept({**per_layer(fast, steps, seed), **(layers or {})}),
        spectrum=kept({**spectra(steps, seed), **(spectrum or {})}),
        evaluations={s: e for s, e in ((s, kept(e)) for s, e in evaluations.items()) if e},
    )


def rotating_collapse(path: Path, *, steps: int = 2000, seed: int = 0, onset: int | None = None) -> Path:
    """From `onset` (default: a fifth of the run) the generator sits on one class and hops; losses and AUC look ideal all the while."""
    onset = steps // 5 if onset is None else onset
    sick = np.arange(steps) >= onset
    hop = np.where(sick, 0.6 * np.sin(2 * np.pi * np.arange(steps) / 120), 0.0)
    columns = {
        **from_logits(*drawn_logits(settled(steps, 2.0, 0.3), hop, np.full(steps, 0.7), seed)),
        **players(steps, seed, np.where(sick, 0.6, 0.3)),
        **upkeep(steps, seed),
    }
    evaluations = {}
    for s in evaluated_steps(steps):
        share = np.random.default_rng(seed + s).dirichlet(np.full(10, 300.0))
        if s >= onset:
            share = np.full(10, 1e-4)
            share[(s // 100) % 10] = 1.0
        evaluations[s] = evaluation(
            420.0 if s >= onset else 80.0, share, recall=0.05 if s >= onset else 0.7, precision=0.8
        )
    return write(
        path,
        columns,
        steps,
        facts=about(path.name, steps, seed, recipe="rotating-collapse"),
        slow=batches(
            steps,
            seed,
            np.where(sick, 0.06, 0.9),
            np.where(sick, 1.6, 9.0),
            hop=np.where(sick, 0.5 * np.sin(np.arange(steps) / 40), 0.0),
        ),
        layers=per_layer(columns, steps, seed),
        spectrum=spectra(steps, seed),
        evaluations=evaluations,
    )


def total_collapse(path: Path, *, steps: int = 2000, seed: int = 0) -> Path:
    """From the middle on the generator gives one and the same sample."""
    onset = steps // 2
    sick = np.arange(steps) >= onset
    columns = {
        **from_logits(
            *drawn_logits(np.where(sick, 4.0, settled(steps, 3.0, 0.5)), np.zeros(steps), np.full(steps, 1.0), seed)
        ),
        **players(steps, seed),
        **upkeep(steps, seed),
    }
    one = np.full(10, 1e-5)
    one[3] = 1.0
    evaluations = {
        s: evaluation(
            900.0 if s >= onset else 60.0, one if s >= onset else np.ones(10), recall=0.0 if s >= onset else 0.75
        )
        for s in evaluated_steps(steps)
    }
    return write(
        path,
        columns,
        steps,
        facts=about(path.name, steps, seed),
        slow=batches(steps, seed, np.where(sick, 0.003, 0.95), np.where(sick, 1.1, 9.3)),
        layers=per_layer(columns, steps, seed),
        spectrum=spectra(steps, seed),
        evaluations=evaluations,
    )


def divergence_with_nan(path: Path, *, steps: int = 2000, seed: int = 0) -> Path:
    """Healthy up to the middle; then gradients and losses grow a hundredfold every fortieth of the run, and end in NaN at 7/10."""
    start, end = steps // 2, 7 * steps // 10
    growth = np.where(np.arange(steps) < start, 1.0, 100.0 ** ((np.arange(steps) - start) / (steps / 40)))
    growth = np.minimum(growth, 1e15)
    columns = {
        **from_logits(
            *drawn_logits(
                settled(steps, 3.0, 0.5) * np.minimum(growth, 1e12), np.zeros(steps), np.minimum(growth, 1e12), seed
            )
        ),
        **players(steps, seed, 0.3 * growth, 0.5 * growth),
        **upkeep(steps, seed),
    }
    scalars = [
        k
        for k, v in columns.items()
        if v.ndim == 1 and k.endswith(("_loss", "_norm", "_logit_mean", "_logit_sd", "value_function", "norm_max"))
    ]
    for name in scalars:
        columns[name] = columns[name].copy()
        columns[name][end:] = np.nan
    columns["nonfinite"] = np.where(np.arange(steps) >= end, len(scalars), 0.0)
    evaluations = {
        s: evaluation(60.0 if s < start else 5000.0, np.ones(10), recall=0.7 if s < start else 0.0)
        for s in evaluated_steps(steps)
        if s < end
    }
    run = write(
        path,
        columns,
        steps,
        facts=about(path.name, steps, seed),
        slow=batches(steps, seed, np.where(np.arange(steps) < start, 0.95, 0.3)),
        layers=per_layer(columns, steps, seed),
        spectrum=spectra(steps, seed),
        evaluations=evaluations,
        status="failed",
    )
    with RunWriter(run, {}, resume_at=steps) as writer:
        writer.record(
            "events", {"step": end, "event": "nonfinite", "tensor": "discriminator_gradient", "layer": "0.weight"}
        )
        writer.close("failed")
    return run


def discriminator_dominance(path: Path, *, steps: int = 2000, seed: int = 0) -> Path:
    """D tells reals from fakes at once and for ever; G's gradient stays large (non-saturating) and its samples stay poor."""
    columns = {
        **from_logits(*drawn_logits(settled(steps, 4.0, 14.0), np.zeros(steps), np.full(steps, 1.5), seed)),
        **players(steps, seed, 15.0, 0.05),
        **upkeep(steps, seed),
    }
    share = np.array([0.6, 0.35, 0.02, 0.01, 0.01, 0.01, 0, 0, 0, 0])
    evaluations = {s: evaluation(700.0, share, recall=0.02, precision=0.15) for s in evaluated_steps(steps)}
    return write(
        path,
        columns,
        steps,
        facts=about(path.name, steps, seed),
        slow=batches(steps, seed, 0.35, 3.0),
        layers=per_layer(columns, steps, seed),
        spectrum=spectra(steps, seed),
        evaluations=evaluations,
    )


def vanishing_gradient(path: Path, *, steps: int = 2000, seed: int = 0) -> Path:
    """The saturating loss against a sure D: G's gradient decays by seven decades and the samples stay noise."""
    real, fake = drawn_logits(settled(steps, 2.0, 34.0, 0.4), np.zeros(steps), np.full(steps, 1.0), seed)
    columns = {**from_logits(real, fake), **players(steps, seed), **upkeep(steps, seed)}
    weight = sigmoid(fake).mean(1)
    columns["generator_loss"] = -softplus(fake).mean(1)
    columns["generator_force_on_fake"] = columns["generator_force_size_on_fake"] = weight
    columns["generator_gradient_at_logit"] = np.sqrt((sigmoid(fake) ** 2).sum(1)) / BATCH
    for name in ("generator_gradient_norm", "generator_gradient_norm_max"):
        columns[name] = noisy(weight, seed + 10, 0.1)
    columns["generator_gradient_at_image"] = columns["generator_gradient_norm"] / 30
    evaluations = {
        s: evaluation(1500.0, np.array([1.0] + 9 * [1e-5]), recall=0.0, precision=0.0) for s in evaluated_steps(steps)
    }
    facts = about(path.name, steps, seed, loss="minimax")
    facts["config"] = {**facts["config"], "loss": "minimax"}
    return write(
        path,
        columns,
        steps,
        facts=facts,
        slow=batches(steps, seed, 0.08, 2.0),
        layers=per_layer(columns, steps, seed),
        spectrum=spectra(steps, seed),
        evaluations=evaluations,
    )


def range_mismatch(path: Path, *, steps: int = 2000, seed: int = 0) -> Path:
    """Reals in [0, 1] against fakes in [-1, 1]: D needs no more than that."""
    columns = {
        **from_logits(*drawn_logits(settled(steps, 3.0, 9.0), np.zeros(steps), np.full(steps, 1.5), seed)),
        **players(steps, seed, 2.0, 0.1),
        **upkeep(steps, seed),
    }
    slow = batches(steps, seed, 1.4, 8.0)
    n = len(slow["real_min"])
    slow.update(
        real_min=np.zeros(n),
        real_max=np.ones(n),
        real_mean=noisy(np.full(n, 0.3), seed, 0.02),
        real_sd=noisy(np.full(n, 0.35), seed + 1, 0.02),
    )
    return write(
        path,
        columns,
        steps,
        facts=about(path.name, steps, seed),
        slow=slow,
        layers=per_layer(columns, steps, seed),
        pictures=False,
    )


def only_losses(path: Path, *, steps: int = 2000, seed: int = 0) -> Path:
    """A run of which nothing but the two losses is known."""
    columns = from_logits(*drawn_logits(settled(steps, 3.0, 0.5), np.zeros(steps), np.full(steps, 1.0), seed))
    columns = {k: columns[k] for k in ("discriminator_loss", "generator_loss")}
    return write(
        path, columns, steps, facts={"name": path.name, "created": "2026-11-20T08:00:00+00:00"}, pictures=False
    )


def one_step(path: Path, *, steps: int = 1, seed: int = 0) -> Path:
    """A run that ended after its first step."""
    columns = {
        **from_logits(*drawn_logits(np.full(1, 1.0), np.zeros(1), np.ones(1), seed)),
        **players(1, seed),
        **upkeep(1, seed),
    }
    return write(
        path,
        columns,
        1,
        facts=about(path.name, 1, seed),
        slow=batches(1, seed),
        layers=per_layer(columns, 1, seed),
        pictures=False,
    )


def empty(path: Path, *, steps: int = 0, seed: int = 0) -> Path:
    """A run that was opened and ended before its first step."""
    with RunWriter(path, about(path.name, 0, seed)):
        pass
    return Path(path)


def cut_off(path: Path, *, steps: int = 2000, seed: int = 0) -> Path:
    """A healthy run whose process was killed: status still `running`, the last table torn in the middle of a batch."""
    healthy(path, steps=steps, seed=seed)
    with RunWriter(path, {}, resume_at=steps) as writer:
        writer.update_about(status="running")
        writer.close("running")
    file = sorted((Path(path) / "tables").glob("every-1.0000.arrow"))[0]
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * 0.8)])
    return Path(path)


MADE: dict[str, Callable[..., Path]] = {
    f.__name__: f
    for f in (
        healthy,
        rotating_collapse,
        total_collapse,
        divergence_with_nan,
        discriminator_dominance,
        vanishing_gradient,
        range_mismatch,
        only_losses,
        one_step,
        empty,
        cut_off,
    )
}

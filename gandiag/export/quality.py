"""Quality: the file's samples are distributed as torch's are. The distance on coarse pixels needs no torch, so verify repeats it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandiag.export.contract import Certificate, Contract
from gandiag.export.latents import draw_labels, draw_latents
from gandiag.export.session import Session, run_in_batches

SEEDS = (1_001, 1_002)  # the same latents for torch and the file; others, for what independent samples score
MOST, LEAST = 1024, 128  # samples a side
OUTPUT_VALUES = 2**21  # numbers a side: large samples are slow to make, so fewer are drawn
SPLITS = 40  # random halves of torch's own samples: the range of what equal distributions score at this count
COARSE, WIDTH = 8, 32  # images are averaged to at most 8 x 8 a channel, then projected to at most 32 features
PROJECTION_SEED = 7
NEGLIGIBLE = 1e-7  # of the features' mean square: below what one byte level changes


@dataclass(frozen=True)
class Draws:
    """Samples of torch and of the file, from the same latents and from independent ones, as float images or points."""

    torch_same: np.ndarray
    torch_other: np.ndarray
    file_same: np.ndarray
    file_other: np.ndarray


@dataclass(frozen=True)
class Scale:
    """A feature space: samples (n, ...) to features (n, d), the Frechet distance there, and how many random halves set its range."""

    extract: Callable[[np.ndarray], np.ndarray]
    distance: Callable[[np.ndarray, np.ndarray], float]
    splits: int


def quality_certificate(draws: Draws, scales: Mapping[str, Scale], rounding: float, modes: Any = None) -> Certificate:
    """Scores the file against torch on each feature space in `scales`; passes where the export changed less than sampling does.

    From the same latents the Frechet distance of the file to torch must be below all that random halves of torch's own samples
    score against each other; from independent latents it must be no worse than theirs. `rounding` is the parity tolerance.
    `modes` maps samples to how many modes or classes they cover, and is compared too.
    """
    facts: dict[str, Any] = {"samples": len(draws.torch_same), "features": {}}
    passed = True
    for name, scale in scales.items():
        row = _score(draws, scale, rounding)
        facts["features"][name] = row
        passed = passed and row["passed"]
    if modes is not None:
        facts["modes_covered"] = {"torch": modes(draws.torch_same), "file": modes(draws.file_same)}
        passed = passed and abs(facts["modes_covered"]["torch"] - facts["modes_covered"]["file"]) <= 0.02 * max(
            1, facts["modes_covered"]["torch"]
        )
    return Certificate("quality", bool(passed), _claim(facts), facts)


def torch_free_scales(contract: Contract) -> dict[str, Scale]:
    """The feature space that needs no torch: `coarse-pixels` for images, `points` for points."""
    return {"points" if contract.kind == "points" else "coarse-pixels": Scale(coarse_features, frechet, SPLITS)}


def coarse_features(samples: np.ndarray) -> np.ndarray:
    """Returns (n, at most 32) float64 features: images (n, c, h, w) averaged over blocks and projected at random, points as they are."""
    if samples.ndim == 4:
        rows, columns = (-(-side // COARSE) for side in samples.shape[2:])
        sums = np.add.reduceat(samples.astype(np.float64), np.arange(0, samples.shape[2], rows), axis=2)
        sums = np.add.reduceat(sums, np.arange(0, samples.shape[3], columns), axis=3)
        samples = sums.reshape(len(samples), -1) / (rows * columns)
    flat = samples.astype(np.float64)
    if flat.shape[1] <= WIDTH:
        return flat
    projection = np.random.default_rng(PROJECTION_SEED).standard_normal((flat.shape[1], WIDTH)) / np.sqrt(flat.shape[1])
    return np.asarray(flat @ projection)


def sample_count(contract: Contract) -> int:
    """How many samples a side: MOST, or as many as OUTPUT_VALUES numbers hold, at least LEAST."""
    return int(np.clip(OUTPUT_VALUES // max(1, int(np.prod(contract.output_shape))), LEAST, MOST))


def inputs(contract: Contract, count: int, which: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the latents and labels of one side: which = 0 for the same ones, 1 for the independent ones."""
    return draw_latents(contract, count, SEEDS[which]), draw_labels(contract, count, SEEDS[which])


def file_samples(session: Session, contract: Contract, count: int, which: int) -> np.ndarray:
    """Returns the file's samples as float images (n, c, h, w) or points (n, d)."""
    made = run_in_batches(session, *inputs(contract, count, which), contract.batch or 64)
    return as_float(made, contract)


def as_float(made: np.ndarray, contract: Contract) -> np.ndarray:
    """Returns bytes (n, h, w, c) as float images (n, c, h, w) in the value range; other outputs as they are."""
    if not contract.uint8:
        return made
    low, high = contract.value_range
    return (made.transpose(0, 3, 1, 2).astype(np.float32) + 0.5) * np.float32((high - low) / 256) + np.float32(low)


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """The Frechet distance of features (n, d), d small: the formula of gandiag.metrics, without torch."""
    return frechet_of(moments(first), moments(second))


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean (d,) and covariance (d, d) of features (n, d)."""
    return features.mean(0), np.atleast_2d(np.cov(features, rowvar=False))


def frechet_of(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> float:
    """The Frechet distance of two Gaussians, each (mean, covariance)."""
    (mean_a, cov_a), (mean_b, cov_b) = first, second
    root_a, root_b = _root(cov_a), _root(cov_b)
    overlap = np.linalg.svd(root_a @ root_b, compute_uv=False).sum()
    return max(0.0, float(((mean_a - mean_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * overlap))


def digest(array: np.ndarray) -> str:
    """A short fingerprint of latents: another numpy that draws others is then told, not mistaken for a changed model."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def record(draws: Draws, contract: Contract, certificate: Certificate) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Returns what verify needs to repeat the distance without torch: arrays for the reference file, facts for the manifest."""
    ((name, scale),) = torch_free_scales(contract).items()
    mean, covariance = moments(scale.extract(draws.torch_same))
    count = len(draws.torch_same)
    row = certificate.facts["features"][name]
    latents = [digest(inputs(contract, count, which)[0]) for which in (0, 1)]
    facts = {key: row[key] for key in ("low", "high", "limit", "independent_torch")}
    return {"quality_mean": mean, "quality_covariance": covariance}, {
        "count": count,
        "features": name,
        "latents": latents,
        **facts,
    }


def repeated_certificate(
    session: Session, contract: Contract, of_torch: tuple[np.ndarray, np.ndarray], facts: Mapping[str, Any]
) -> Certificate:
    """Compares the file's samples with torch's recorded moments, by the rule of quality_certificate. No torch."""
    count, extract = int(facts["count"]), torch_free_scales(contract)[facts["features"]].extract
    if [digest(inputs(contract, count, which)[0]) for which in (0, 1)] != list(facts["latents"]):
        return Certificate(
            "quality", None, "not repeated: this numpy draws other latents than the one that exported", {}
        )
    same = frechet_of(of_torch, moments(extract(file_samples(session, contract, count, 0))))
    other = frechet_of(of_torch, moments(extract(file_samples(session, contract, count, 1))))
    row = {
        "same_latents": same,
        "independent": other,
        **{key: facts[key] for key in ("low", "high", "limit", "independent_torch")},
    }
    row["passed"] = _passes(row)
    found = {"samples": count, "features": {facts["features"]: row}}
    return Certificate("quality", bool(row["passed"]), _claim(found), found)


def _score(draws: Draws, scale: Scale, rounding: float) -> dict[str, Any]:
    sides = (draws.torch_same, draws.torch_other, draws.file_same, draws.file_other)
    same, other, file_same, file_other = (scale.extract(one) for one in sides)
    pool, random = np.concatenate([same, other]), np.random.default_rng(PROJECTION_SEED)
    scores = [scale.distance(*_split(pool, random)) for _ in range(scale.splits)]
    row: dict[str, Any] = {
        "same_latents": scale.distance(same, file_same),
        "independent": scale.distance(same, file_other),
        "independent_torch": scale.distance(same, other),
        "low": min(scores),
        "high": max(scores),
    }
    collapsed = max(same.shape[1] * rounding**2, NEGLIGIBLE * float(np.mean(np.sum(same**2, axis=1))))
    row["limit"] = max(row["low"], collapsed)  # a generator that makes one sample has no spread of its own
    return {**row, "passed": _passes(row)}


def _passes(row: Mapping[str, Any]) -> bool:
    """The export changed less than sampling does, and independent samples score as torch's own do."""
    independent = max(row["high"], row["independent_torch"] * 1.001) + row["limit"]
    return bool(row["same_latents"] <= row["limit"] and row["independent"] <= independent)


def _split(pool: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = random.permutation(len(pool))
    return pool[order[: len(pool) // 2]], pool[order[len(pool) // 2 :]]


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T)


def _claim(facts: Mapping[str, Any]) -> str:
    parts = [
        f"Frechet distance[{name}] of the file to torch {row['same_latents']:.2e} from the same latents, "
        f"{row['independent']:.3g} from independent ones (torch's own halves: {row['low']:.3g} to {row['high']:.3g})"
        for name, row in facts["features"].items()
    ]
    if "modes_covered" in facts:
        parts.append(f"modes covered {facts['modes_covered']['file']}, torch {facts['modes_covered']['torch']}")
    return f"{'; '.join(parts)}; {facts['samples']} samples"

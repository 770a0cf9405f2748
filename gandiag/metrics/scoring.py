"""METRICS: the scores that `gandiag evaluate` knows, by name, computed from features alone, with intervals, floors and protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gandiag.errors import UsageError, did_you_mean
from gandiag.metrics.diversity import NDB_BINS, bin_differences, birthday_paradox, rke_score, vendi_interval
from gandiag.metrics.feature_space import Features
from gandiag.metrics.fidelity import (
    frechet_distance_infinity,
    inception_score_interval,
    inception_score_of_probabilities,
    precision_recall_curve,
    sliced_wasserstein,
)
from gandiag.metrics.frechet import FrechetStatistics, frechet_distance
from gandiag.metrics.intervals import Interval, binomial_interval, frechet_interval, jackknife_interval
from gandiag.metrics.kernel import (
    CMMD_BANDWIDTH,
    SUBSET_SIZE,
    gaussian_kernel_distance_interval,
    kernel_distance_interval,
    kernel_distance_subsets,
    median_bandwidth,
)
from gandiag.metrics.memorisation import authenticity, copying_z, memorisation_informed_frechet_distance
from gandiag.metrics.neighbours import density_coverage, precision_recall
from gandiag.metrics.quality import Evaluation, Reference, class_recall, class_scores, make_protocol, thin

NEIGHBOURS_OF = 10_000  # neighbours cost N^2: both sides are thinned to it, by seed
PAIRS_OF = 10_000
FLOOR_STREAM = 0xF100
FEW_BLOCKS = 10  # of a side, for a score that costs seconds


@dataclass(frozen=True, eq=False)
class Sides:
    """What a metric may look at: both sides' features, the seed, held-out reals' features and the extractor where there are some."""

    reference: Reference
    fakes: np.ndarray
    seed: int
    features: Features | None = None
    heldout: np.ndarray | None = None

    @property
    def real(self) -> np.ndarray:
        return self.reference.features

    def few(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Both sides, thinned to at most `count`."""
        return thin(self.real, count, self.seed), thin(self.fakes, count, self.seed + 1)


Scores = dict[str, float]
Metric = Callable[[Sides], Scores]


def frechet(sides: Sides) -> Scores:
    """Frechet distance with its jackknife interval (FID on Inception's features)."""
    scores = {"frechet_distance": frechet_distance(sides.reference.statistics, sides.fakes)}
    if min(len(sides.real), len(sides.fakes)) >= 4:
        interval = frechet_interval(
            thin(sides.real, len(sides.real), sides.seed), thin(sides.fakes, len(sides.fakes), sides.seed)
        )
        scores |= {
            "frechet_distance_low": interval.low,
            "frechet_distance_high": interval.high,
            "frechet_distance_error": interval.standard_error,
        }
    return scores


def frechet_infinity(sides: Sides) -> Scores:
    """Frechet distance carried to infinitely many fakes."""
    return {
        "frechet_distance_infinity": frechet_distance_infinity(
            sides.reference.statistics, sides.fakes, seed=sides.seed
        ).value
    }


def kernel(sides: Sides) -> Scores:
    """KID over all pairs with its standard error, and over 100 subsets of 1000 as torch-fidelity draws them."""
    x, y = sides.few(PAIRS_OF)
    interval = kernel_distance_interval(x, y)
    scores = {
        "kernel_distance": interval.value,
        "kernel_distance_low": interval.low,
        "kernel_distance_high": interval.high,
        "kernel_distance_error": interval.standard_error,
    }
    if min(len(sides.real), len(sides.fakes)) >= SUBSET_SIZE:
        subsets = kernel_distance_subsets(sides.real, sides.fakes)
        scores |= {"kernel_distance_subsets": subsets.mean, "kernel_distance_subsets_sd": subsets.sd}
    return scores


def precision_and_recall(sides: Sides) -> Scores:
    """Improved precision and recall, k = 3, with binomial intervals: of the share, given the other side's balls."""
    x, y = sides.few(NEIGHBOURS_OF)
    found = precision_recall(x, y)
    return {**_share("precision", found.precision, len(y)), **_share("recall", found.recall, len(x))}


def density_and_coverage(sides: Sides) -> Scores:
    """Density and coverage, k = 5, coverage with its binomial interval."""
    x, y = sides.few(NEIGHBOURS_OF)
    found = density_coverage(x, y)
    return {"density": found.density, **_share("coverage", found.coverage, len(x))}


def histogram_precision_recall(sides: Sides) -> Scores:
    """PRD: F8 (recall) and F1/8 (precision) of clusters' histograms."""
    curve = precision_recall_curve(*sides.few(NEIGHBOURS_OF), seed=sides.seed)
    return {"prd_f8": curve.f8, "prd_f_eighth": curve.f_eighth}


def inception(sides: Sides) -> Scores:
    """Inception Score by the features' own classifier."""
    import torch

    if sides.features is None or sides.features.probabilities is None:
        raise UsageError(
            "the Inception Score needs features that are a classifier: inception-tf, digits-cnn or classifier"
        )
    p = sides.features.probabilities(torch.from_numpy(sides.fakes).to(torch.float32)).double().cpu().numpy()
    p, splits = p / p.sum(axis=1, keepdims=True), min(10, max(1, len(p) // 2))
    interval = inception_score_interval(p, splits=splits)
    score = inception_score_of_probabilities(p, splits=splits)
    return {"inception_score": score.mean, "inception_score_sd": score.sd, **_ends("inception_score", interval)}


def vendi(sides: Sides) -> Scores:
    """Vendi score of the fakes: the effective number of distinct samples; and RKE at the reals' median distance."""
    x, y = sides.few(PAIRS_OF)
    interval, bandwidth = vendi_interval(y), median_bandwidth(x)
    scores = {"vendi_score": interval.value, **_ends("vendi_score", interval)}
    return scores | ({"rke_score": rke_score(y, bandwidth)} if bandwidth > 0 else {})


def bins(sides: Sides) -> Scores:
    """NDB and the divergence of 100 bins' shares."""
    found = bin_differences(sides.real, sides.fakes, bins=min(NDB_BINS, max(2, len(sides.real) // 10)), seed=sides.seed)
    return {"bin_share_different": found.share_different, "bin_jensen_shannon": found.jensen_shannon}


def birthday(sides: Sides) -> Scores:
    """Support size by the birthday paradox; absent where no duplicate was seen."""
    found = birthday_paradox(*sides.few(NEIGHBOURS_OF), seed=sides.seed)
    return {"birthday_support": found.support if math.isfinite(found.support) else math.nan}


def wasserstein(sides: Sides) -> Scores:
    """Sliced 2-Wasserstein distance."""
    x, y = sides.few(PAIRS_OF)
    if min(len(x), len(y)) < 4:
        return {"sliced_wasserstein": sliced_wasserstein(x, y, seed=sides.seed)}
    interval = jackknife_interval(partial(sliced_wasserstein, seed=sides.seed), x, y, blocks=FEW_BLOCKS, lowest=0.0)
    return {"sliced_wasserstein": interval.value, **_ends("sliced_wasserstein", interval)}


def gaussian(sides: Sides) -> Scores:
    """Squared MMD with a Gaussian kernel, times 1000: CMMD on CLIP's unit embeddings, elsewhere with the reals' median distance."""
    x, y = sides.few(PAIRS_OF)
    of_unit_length = sides.features is not None and sides.features.fingerprint.get("length") == "one"
    bandwidth = CMMD_BANDWIDTH if of_unit_length else median_bandwidth(x)
    if not bandwidth > 0:
        return {}
    interval = gaussian_kernel_distance_interval(x, y, bandwidth=bandwidth)
    return {"gaussian_kernel_distance": interval.value, **_ends("gaussian_kernel_distance", interval)}


def memorisation(sides: Sides) -> Scores:
    """Authenticity and MIFID; C_T where held-out reals were given."""
    x, y = sides.few(NEIGHBOURS_OF)
    scores = {
        **_share("authenticity", authenticity(x, y), len(y)),
        "memorisation_informed_frechet_distance": memorisation_informed_frechet_distance(sides.real, sides.fakes),
    }
    if sides.heldout is not None:
        scores["copying_z"] = copying_z(sides.real, sides.heldout, sides.fakes, seed=sides.seed)
    return scores


def _share(name: str, share: float, of: int) -> Scores:
    return {name: share, **_ends(name, binomial_interval(round(share * of), of))}


def _ends(name: str, interval: Interval) -> Scores:
    return {f"{name}_low": interval.low, f"{name}_high": interval.high}


METRICS: dict[str, Metric] = {
    "fd": frechet,
    "fd-infinity": frechet_infinity,
    "kid": kernel,
    "pr": precision_and_recall,
    "dc": density_and_coverage,
    "prd": histogram_precision_recall,
    "is": inception,
    "vendi": vendi,
    "ndb": bins,
    "birthday": birthday,
    "sw": wasserstein,
    "mmd": gaussian,
    "memorisation": memorisation,
}
DEFAULT = ("fd", "kid", "pr", "dc", "vendi", "memorisation")
BY_STATISTICS = ("fd",)  # what a file of mu and sigma can give


def chosen_metrics(names: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of METRICS that were asked for, all of them for `all`; raises UsageError on an unknown one."""
    if list(names) == ["all"]:
        return tuple(METRICS)
    if not names:
        raise UsageError(f"no metric is named; known: {', '.join(METRICS)}, all")
    for name in names:
        if name not in METRICS:
            raise UsageError(
                f"there is no metric {name!r}{did_you_mean(name, tuple(METRICS))}; known: {', '.join(METRICS)}, all"
            )
    return tuple(dict.fromkeys(names))


def score_features(
    reference: Reference,
    fakes: np.ndarray,
    features: Features,
    metrics: Sequence[str] = DEFAULT,
    *,
    seed: int = 0,
    heldout: np.ndarray | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Scores features of fakes (n, d) by the named metrics, with class coverage where classes are known; see Evaluation.

    `say` is told each metric's name before it begins. `Evaluation.floors` has the same scores of half the reals against the other
    half, at most as many as there are fakes.
    """
    sides = Sides(reference, fakes, seed, features, heldout)
    scores = _compute(sides, metrics, say)
    labels: dict[str, list[str]] = {}
    named: dict[str, float | list[float]] = {f"{k}[{features.name}]": v for k, v in scores.items()}
    found = class_scores(reference, fakes, features)
    protocol = make_protocol(features.fingerprint, reference, len(fakes), seed=seed)
    protocol |= {
        "neighbours_of": NEIGHBOURS_OF,
        "kernel_distance": f"cubic, all pairs of at most {PAIRS_OF}; subsets 100 x 1000 from seed 2020",
    }
    if found is not None:
        class_values, names, how = found
        named |= class_values
        labels = {k: names for k, v in class_values.items() if isinstance(v, list)}
        recall = class_recall(reference, fakes, len(names))
        if recall is not None:
            named["class_recall"], labels["class_recall"] = recall, names
        protocol["classes"] = how
    floors, at = _floors(reference, len(fakes), features, metrics, seed)
    protocol["floor"] = f"reals against other reals, {at} a side"
    return Evaluation(named, labels, protocol, {f"{k}[{features.name}]": v for k, v in floors.items()})


def score_statistics(real: FrechetStatistics, fake: FrechetStatistics, features: str) -> Evaluation:
    """Returns the Frechet distance of two files of statistics, or of one and features' own; nothing else can be known from them."""
    protocol = {
        "features": features,
        "real_count": real.count,
        "fake_count": fake.count,
        "width": real.width,
        "dtype": "float64",
    }
    return Evaluation({f"frechet_distance[{features}]": frechet_distance(real, fake)}, {}, protocol)


def _compute(sides: Sides, metrics: Sequence[str], say: Callable[[str], None]) -> Scores:
    scores: Scores = {}
    for name in metrics:
        say(name)
        scores.update(METRICS[name](sides))
    return {k: float(v) for k, v in scores.items() if not math.isnan(v)}


def _floors(
    reference: Reference, fakes: int, features: Features, metrics: Sequence[str], seed: int
) -> tuple[Scores, int]:
    """The same scores of reals against other reals; those that are about one set or about copies have no such floor."""
    half = min(len(reference.features) // 2, fakes)
    asked = [m for m in metrics if m not in ("memorisation", "birthday")]
    if half < 10 or not asked:
        return {}, half
    order = np.random.default_rng([seed, FLOOR_STREAM]).permutation(len(reference.features))
    sides = Sides(
        Reference(reference.features[order[:half]], seed=seed),
        reference.features[order[half : 2 * half]],
        seed,
        features,
    )
    found = _compute(sides, asked, lambda _: None)
    return {k: v for k, v in found.items() if not k.endswith(("_low", "_high", "_error", "_sd"))}, half

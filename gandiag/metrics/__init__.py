"""The scores that papers report, as plain functions (real, fake) on features (n, d), real always first."""

from gandiag.metrics.features import FEATURES, Features, load_features, to_uint8
from gandiag.metrics.frechet import (
    FrechetStatistics,
    frechet_distance,
    frechet_statistics,
    merge_all,
    statistics_of_gaussian,
)
from gandiag.metrics.intervals import Interval, basic_bootstrap, binomial_interval, frechet_interval
from gandiag.metrics.modes import ModeCoverage, class_coverage, histogram_kl, mode_coverage
from gandiag.metrics.neighbours import (
    DensityCoverage,
    Prdc,
    PrecisionRecall,
    density_coverage,
    expected_coverage,
    manifold_members,
    nearest,
    prdc,
    precision_recall,
)
from gandiag.metrics.quality import Evaluation, Reference, evaluate_images, evaluate_points, make_reference

__all__ = [
    "FEATURES",
    "DensityCoverage",
    "Evaluation",
    "Features",
    "FrechetStatistics",
    "Interval",
    "ModeCoverage",
    "Prdc",
    "PrecisionRecall",
    "Reference",
    "basic_bootstrap",
    "binomial_interval",
    "class_coverage",
    "density_coverage",
    "evaluate_images",
    "evaluate_points",
    "expected_coverage",
    "frechet_distance",
    "frechet_interval",
    "frechet_statistics",
    "histogram_kl",
    "load_features",
    "make_reference",
    "manifold_members",
    "merge_all",
    "mode_coverage",
    "nearest",
    "prdc",
    "precision_recall",
    "statistics_of_gaussian",
    "to_uint8",
]

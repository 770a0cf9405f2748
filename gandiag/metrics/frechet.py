"""Frechet distance between Gaussians fitted to features: float64, full covariance, exact also with fewer samples than features."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy import linalg
from torch import Tensor

from gandiag.metrics.inputs import feature_matrix

ACCURACY = 1e-9  # of the distance: where the fast route's bound is above, the slower exact one is taken; errors seen are a thousandth of the bound
SMALL_WIDTH = 128  # below, rounding is that of the sums over samples, not of the factorisation
SURE = 1e3  # times the noise: an eigenvalue above has a root that rounding hardly moves
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class FrechetStatistics:
    """What the Frechet distance needs of one side: mergeable, so that parts can be counted apart and added.

    `count` samples with `mean` (d,); the scatter about the mean is held either as `scatter` (d, d) or, while there are
    fewer samples than features, exactly as `rows` (m, d) with scatter = rows^T rows. One of the two is None.
    `divisor` turns scatter into covariance: count - 1, or count for the protocols that divide by N.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray | None
    rows: np.ndarray | None
    biased: bool = False

    @property
    def width(self) -> int:
        """How many features the statistics are of."""
        return len(self.mean)

    @property
    def divisor(self) -> float:
        """What the sum of squares was divided by: N, or N - 1."""
        return float(self.count if self.biased else self.count - 1)

    @cached_property
    def covariance(self) -> np.ndarray:
        """(d, d) float64."""
        if self.divisor <= 0:
            return np.full((self.width, self.width), np.nan)
        scatter = self.scatter if self.scatter is not None else _gram(self._rows)
        return scatter / self.divisor

    @property
    def _rows(self) -> np.ndarray:
        assert self.rows is not None
        return self.rows

    @cached_property
    def trace(self) -> float:
        """The covariance's trace."""
        if self.divisor <= 0:
            return math.nan
        return (
            float(np.trace(self.scatter) if self.scatter is not None else np.einsum("ij,ij->", self._rows, self._rows))
            / self.divisor
        )

    @cached_property
    def factor(self) -> np.ndarray:
        """F (r, d) with covariance = F^T F, of r <= d independent rows: kept, so that a real side pays for it once."""
        if self.rows is not None:
            return self.rows / math.sqrt(self.divisor)
        triangle = self.triangle
        return triangle if triangle is not None else _eigenvector_factor(self.covariance)

    @cached_property
    def triangle(self) -> np.ndarray | None:
        """The upper Cholesky factor U (d, d), covariance = U^T U, or None where the covariance is singular."""
        if self.rows is not None:
            return None
        try:
            upper = linalg.cholesky(self.covariance, lower=False, check_finite=False)
        except linalg.LinAlgError:
            return None
        pivots = np.diag(upper) ** 2
        return upper if (pivots > rank_noise(self.width) * np.diag(self.covariance)).all() else None

    def merge(self, other: FrechetStatistics) -> FrechetStatistics:
        """Returns the statistics of both sets of samples together (Chan et al. 1983)."""
        if self.width != other.width:
            raise ValueError(f"statistics of {self.width} and of {other.width} features cannot be merged")
        if self.biased != other.biased:
            raise ValueError("statistics that divide by N and by N - 1 cannot be merged")
        if not self.count or not other.count:
            return other if not self.count else self
        count = self.count + other.count
        shift = other.mean - self.mean
        mean = self.mean + shift * (other.count / count)
        between = shift * math.sqrt(self.count * other.count / count)
        if self.rows is not None and other.rows is not None and count <= self.width:
            return FrechetStatistics(count, mean, None, np.vstack([self.rows, other.rows, between[None]]), self.biased)
        return FrechetStatistics(
            count, mean, self._full() + other._full() + np.outer(between, between), None, self.biased
        )

    def _full(self) -> np.ndarray:
        return self.scatter if self.scatter is not None else _gram(self._rows)


def frechet_statistics(features: Any, *, who: str = "", biased: bool = False) -> FrechetStatistics:
    """Returns the mergeable statistics of features (n, d); float64 sums about the mean, whatever the input's type.

    `biased` divides the covariance by N, as stylegan2/3 and R3GAN do, in place of N - 1. Features on a CUDA device are summed
    there, and only the sums leave it. Raises ValueError on NaN.
    """
    if str(getattr(features, "device", "")).startswith("cuda") and len(features) > features.shape[-1]:
        return summed_where_they_are(features, who, biased=biased)
    x = feature_matrix(features, who or "given")
    count, width = x.shape
    mean = x.mean(axis=0)
    centred = x - mean
    if count <= width:
        return FrechetStatistics(count, mean, None, _independent_rows(centred), biased)
    correction = centred.mean(axis=0)  # the mean's own rounding
    return FrechetStatistics(
        count, mean + correction, _gram(centred) - count * np.outer(correction, correction), None, biased
    )


def summed_where_they_are(features: Tensor, who: str = "", *, biased: bool = False) -> FrechetStatistics:
    """Returns the statistics of a tensor (n, d), n > d, summed in float64 on the device that it lies on."""
    x = features.detach().double()
    if x.ndim != 2 or not bool(x.isfinite().all()):
        feature_matrix(features, who or "given")  # says what is wrong
    mean = x.mean(dim=0)
    centred = x - mean
    correction = centred.mean(dim=0)
    scatter = centred.T @ centred - len(x) * torch.outer(correction, correction)
    return FrechetStatistics(len(x), (mean + correction).cpu().numpy(), scatter.cpu().numpy(), None, biased)


def statistics_of_gaussian(mean: Any, covariance: Any, count: int = 0) -> FrechetStatistics:
    """Returns the statistics of a given Gaussian, such as pytorch-fid's `mu` and `sigma`; `count` 0 where N is not known.

    Raises ValueError where the shapes do not fit, a value is not finite, or the covariance is not symmetric.
    """
    m, s = np.asarray(mean, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if m.ndim != 1 or s.shape != (len(m), len(m)):
        raise ValueError(f"a mean (d,) and a covariance (d, d) were expected, found shapes {m.shape} and {s.shape}")
    if not (np.isfinite(m).all() and np.isfinite(s).all()):
        raise ValueError("the given mean or covariance holds NaN or infinity")
    if not np.allclose(s, s.T, rtol=1e-5, atol=1e-8 * max(1.0, float(np.abs(s).max()))):
        raise ValueError("the given covariance is not symmetric")
    if (np.diag(s) < 0).any():
        raise ValueError("the given covariance has negative variances")
    divisor = count - 1 if count > 1 else 1
    return FrechetStatistics(divisor + 1, m, (s + s.T) * (0.5 * divisor), None)


def frechet_distance(real: Any, fake: Any) -> float:
    """Returns |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2), the squared 2-Wasserstein distance of fitted Gaussians.

    `real` and `fake` are features (n, d), or FrechetStatistics of them (the real side's factor is then kept between calls).
    Lower is better; 0 for equal moments; biased upwards by about d(d+1)/2N. It is the FID only on Inception's features.
    With fewer samples than features it is exact too, through the factors and never through a singular product's root.
    Heusel et al. 2017; tr (S1 S2)^(1/2) is the nuclear norm of F1 F2^T for any factors S = F^T F. Raises ValueError on
    fewer than two samples or on values that are not finite.
    """
    a, b = _side(real, "real"), _side(fake, "fake")
    if a.width != b.width:
        raise ValueError(
            f"real features are {a.width} wide, fake ones {b.width}: both must come from the same extractor"
        )
    shift = a.mean - b.mean
    outside = float(shift @ shift) + a.trace + b.trace
    return max(outside - 2 * nuclear_norm_of_product(a, b, scale=outside), 0.0)


def nuclear_norm_of_product(a: FrechetStatistics, b: FrechetStatistics, *, scale: float = 0.0) -> float:
    """Returns tr (S1 S2)^(1/2) >= 0; `scale` is what it is subtracted from, which sets how exact it must be."""
    if b.rows is None and a.rows is not None:
        a, b = b, a  # the trace is symmetric; the low-rank side second
    if a.rows is not None:  # both low-rank
        return float(linalg.svdvals(_cross(a.factor, b.factor), check_finite=False).sum())
    upper = a.triangle
    if upper is None and b.triangle is not None:
        a, b, upper = b, a, b.triangle
    if upper is None:
        return _by_factors(a, b)
    if b.rows is None:
        product, _ = linalg.lapack.dsygst(b.covariance.T, upper.T, itype=3, lower=1, overwrite_a=0)
        squares = linalg.eigvalsh(product, lower=True, driver="evr", check_finite=False, overwrite_a=True)
    else:
        gram = _gram_rows(_times_triangle(b.factor, upper))
        squares = linalg.eigvalsh(gram, lower=True, check_finite=False, overwrite_a=True)
    total, bound = _roots_with_bound(squares)
    if bound > ACCURACY * max(scale - 2 * total, 0.0):
        return _by_factors(a, b)
    return total


def _side(given: Any, who: str) -> FrechetStatistics:
    side = given if isinstance(given, FrechetStatistics) else frechet_statistics(given, who=who)
    if side.count < 2:
        raise ValueError(
            f"there {'is' if side.count == 1 else 'are'} {side.count} {who} sample{'s' * (side.count != 1)}; "
            "a covariance needs at least 2"
        )
    return side


def _roots_with_bound(squares: np.ndarray) -> tuple[float, float]:
    """Returns the sum of roots of eigenvalues, and a bound on what their rounding does to it.

    Each eigenvalue is off by about the noise: the roots of large ones then by noise / 2 root, with either sign, those within
    the noise by their whole size, all upwards.
    """
    noise = 4 * EPSILON * max(float(squares[-1]) if len(squares) else 0.0, 0.0)
    sure = squares > SURE * noise
    roots = np.sqrt(np.clip(squares, 0, None))
    bound = noise * math.sqrt(float((0.25 / squares[sure]).sum())) + float(
        np.sqrt(np.maximum(np.abs(squares[~sure]), noise)).sum()
    )
    return float(roots.sum()), bound


def _by_factors(a: FrechetStatistics, b: FrechetStatistics) -> float:
    """The exact route: singular values of the product of factors, no squares taken."""
    return float(linalg.svdvals(_cross(a.factor, b.factor), check_finite=False).sum())


def _cross(f: np.ndarray, g: np.ndarray) -> np.ndarray:
    return f @ g.T


def _gram(x: np.ndarray) -> np.ndarray:
    """x^T x; numpy hands this to the symmetric kernel, at half the cost of a general product."""
    return x.T @ x


def _times_triangle(rows: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """rows @ upper^T at half the cost of a general product."""
    return linalg.blas.dtrmm(1.0, upper, rows.T).T


def _gram_rows(x: np.ndarray) -> np.ndarray:
    """x x^T, its lower triangle only; by scipy's BLAS as all around it, since numpy's own threads would still be spinning."""
    return linalg.blas.dsyrk(1.0, x.T, trans=1, lower=1)


def _independent_rows(centred: np.ndarray) -> np.ndarray:
    """Returns n - 1 rows with the scatter of n centred rows, whose sum is zero: a reflection that empties one row.

    Without it the product has one eigenvalue that is zero but for rounding, and its root is not small.
    """
    count = len(centred)
    if count < 2:
        return np.zeros((0, centred.shape[1]))
    axis = np.full(count, 1 / math.sqrt(count))
    axis[0] += 1.0
    along = (centred.sum(axis=0) / math.sqrt(count) + centred[0]) * (2 / float((axis**2).sum()))
    return centred[1:] - axis[1:, None] * along


def rank_noise(width: int) -> float:
    """Relative to the largest: what rounding may leave of an eigenvalue or a pivot that is zero, sums of a few features included."""
    return max(width, SMALL_WIDTH) * EPSILON


def _eigenvector_factor(covariance: np.ndarray) -> np.ndarray:
    """Returns F with covariance = F^T F from eigenvectors; eigenvalues within rounding of zero are zero."""
    values, vectors = linalg.eigh(covariance, check_finite=False)
    kept = values > rank_noise(len(values)) * max(float(values[-1]), 0.0)
    return np.sqrt(values[kept])[:, None] * vectors[:, kept].T


def merge_all(parts: Iterable[FrechetStatistics]) -> FrechetStatistics:
    """Returns the statistics of all parts together, in their order; raises ValueError where there are none."""
    total: FrechetStatistics | None = None
    for part in parts:
        total = part if total is None else total.merge(part)
    if total is None:
        raise ValueError("there are no statistics to merge")
    return total

"""Whether fakes are copies of the training set: authenticity, the data-copying test C_T, MIFID."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gandiag.metrics.frechet import frechet_distance
from gandiag.metrics.inputs import feature_matrix, feature_pair
from gandiag.metrics.neighbours import nearest

CELLS, CELL_SAMPLES, REDUCED_WIDTH = 3, 20, 64  # dgm-eval: 3 cells, tau = 20/m, PCA to 64 above 64 features
MEMORISED = 0.1  # MIFID's threshold on the mean cosine distance


def authenticity(real: Any, fake: Any) -> float:
    """Returns the share of fakes that are farther from their nearest training sample than that is from its own neighbour.

    0 to 1; 0 for copies. There is no neutral value: equal distributions read about .40 in two dimensions and .80 in 64.
    Alaa et al. 2022. Raises ValueError on fewer than two reals.
    """
    x, y = feature_pair(real, fake)
    own, _ = nearest(x, x, leave_one_out=True)
    distance, index = nearest(y, x)
    return float((distance > own[index]).mean())


def copying_z(train: Any, heldout: Any, fake: Any, *, cells: int = CELLS, seed: int = 0) -> float:
    """Returns C_T (Meehan et al. 2020): the z of the Mann-Whitney test that fakes lie nearer to the training set than held-out reals.

    Far below 0 = copies, far above 0 = underfitting. Cells are k-means on the training set, and the score is the mean of their
    z, weighted by the held-out share: 0 on average where fakes are as new as held-out reals, with a standard deviation of about
    1 / sqrt(cells), which is less than a single z has; cells with at most 20 fakes, or without held-out reals, are
    left out. NaN where no cell is left.
    """
    t, p = feature_pair(train, heldout, at_least=cells)
    _, q = feature_pair(train, fake)
    t, p, q = _reduced(t, p, q)
    labels = _cells(t, p, q, cells, seed)
    total = weight = 0.0
    for cell in range(cells):
        inside = [x[which == cell] for x, which in zip((t, p, q), labels)]
        if len(inside[0]) and len(inside[1]) and len(inside[2]) > CELL_SAMPLES:
            share = len(inside[1]) / len(p)
            total += share * mann_whitney_z(nearest(inside[2], inside[0])[0], nearest(inside[1], inside[0])[0])
            weight += share
    return total / weight if weight else math.nan


def mann_whitney_z(fake_distances: np.ndarray, heldout_distances: np.ndarray) -> float:
    """Returns the z of U of fakes' against held-out reals' distances, with the continuity correction of the reference.

    Its minimum, all fakes nearer, is -(mn/2 - 1/2) / sqrt(mn (m + n + 1) / 12).
    """
    from scipy.stats import rankdata

    m, n = len(fake_distances), len(heldout_distances)
    ranks = rankdata(np.concatenate([fake_distances, heldout_distances]))[:m]
    u = float(ranks.sum()) - m * (m + 1) / 2
    return (u - (m * n / 2 - 0.5)) / math.sqrt(m * n * (m + n + 1) / 12)


def memorisation_distance(real: Any, fake: Any) -> float:
    """Returns the mean over fakes of the smallest cosine distance 1 - |cos| to a real; rows of zeros are left out."""
    sides = []
    for x in feature_pair(real, fake):
        norms = np.linalg.norm(x, axis=1)
        sides.append(x[norms > 0] / norms[norms > 0, None])
    a, b = sides
    if not (len(a) and len(b)):
        raise ValueError("all features of one side are zero: there are no angles between them")
    step = max(1, 2**21 // len(a))
    return float(np.concatenate([1 - np.abs(b[i : i + step] @ a.T).max(axis=1) for i in range(0, len(b), step)]).mean())


def memorisation_informed_frechet_distance(real: Any, fake: Any, *, threshold: float = MEMORISED) -> float:
    """Returns MIFID (Bai et al. 2021): the Frechet distance over the memorisation distance where that is below the threshold.

    Lower is better; copies make it explode. MIFID proper is on Inception's features.
    """
    distance = memorisation_distance(real, fake)
    return frechet_distance(real, fake) / ((distance if distance < threshold else 1.0) + 1e-14)


def _reduced(t: np.ndarray, p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if t.shape[1] <= REDUCED_WIDTH or len(t) < REDUCED_WIDTH:
        return t, p, q
    from sklearn.decomposition import PCA

    axes = PCA(n_components=REDUCED_WIDTH, random_state=0).fit(t)
    return axes.transform(t), axes.transform(p), axes.transform(q)


def _cells(t: np.ndarray, p: np.ndarray, q: np.ndarray, cells: int, seed: int) -> list[np.ndarray]:
    from sklearn.cluster import KMeans

    fitted = KMeans(n_clusters=cells, n_init=10, random_state=seed).fit(feature_matrix(t, "training", at_least=cells))
    return [fitted.labels_, fitted.predict(p), fitted.predict(q)]

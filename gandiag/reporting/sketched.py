"""The sketches of a run's batches as pictures: what the reals and fakes of a stretch of steps looked like, where no samples were kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandiag.errors import NotRecorded
from gandiag.quantities import SKETCHED
from gandiag.run import Run

STRETCHES = 12  # of the run, one picture each
FEWEST = 32  # points of a stretch: fewer show nothing
WHAT = (
    f"No samples were kept; these are the {SKETCHED} points of each batch that the recorder itself keeps now and then"
)


@dataclass(frozen=True)
class Sketched:
    """Fakes (n, 2) by the last step of their stretch, reals (n, 2) of the whole run, and what the plane is, in words."""

    fakes: dict[int, np.ndarray]
    real: np.ndarray
    words: str
    as_they_are: bool  # the plane is that of the data itself


def sketched(run: Run) -> Sketched | None:
    """Collects the sketched points in the plane in which the reals vary most; None where there are too few, or of one coordinate."""
    tables = []
    for what in ("real", "fake"):
        try:
            table = run.layers(f"{what}_sketch")
        except NotRecorded:
            return None
        if table.shape[1] % SKETCHED or table.shape[1] < 2 * SKETCHED:
            return None
        rows = table.to_numpy(dtype=np.float64).reshape(len(table), SKETCHED, -1)
        tables.append((table.index.to_numpy(), rows))
    (_, reals), (steps, fakes) = tables
    if reals.shape[2] != fakes.shape[2]:
        return None
    real = _whole(reals)
    if len(real) < FEWEST:
        return None
    centre, axes, words = _plane(real)
    found = {}
    for part in np.array_split(np.arange(len(steps)), min(STRETCHES, len(steps))):
        points = _whole(fakes[part])
        if len(points) >= FEWEST:
            found[int(steps[part[-1]])] = ((points - centre) @ axes).astype(np.float32)
    return Sketched(found, ((real - centre) @ axes).astype(np.float32), words, real.shape[1] == 2) if found else None


def _whole(rows: np.ndarray) -> np.ndarray:
    points = rows.reshape(-1, rows.shape[2])
    return points[np.isfinite(points).all(axis=1)]


def _plane(real: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Returns the plane as a centre (d,) and two axes (d, 2), and what it is; points of two coordinates are shown as they are."""
    if real.shape[1] == 2:
        return np.zeros(2), np.eye(2), f"{WHAT}, taken together over stretches of the run"
    centre = real.mean(axis=0)
    _, spread, axes = np.linalg.svd(real - centre, full_matrices=False)
    share = float((spread[:2] ** 2).sum() / max((spread**2).sum(), np.finfo(float).tiny))
    return (
        centre,
        axes[:2].T,
        f"{WHAT}, taken together over stretches of the run, seen along the two directions in which the reals vary most "
        f"({share:.0%} of what the points kept of it)",
    )

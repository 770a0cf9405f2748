"""Checks of the measurement itself: metric_fault, a score that cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np

from gandiag.diagnosis.evidence import Evidence, Recorded, evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.errors import NotRecorded

BOUNDS: dict[str, tuple[float, float]] = {
    "frechet_distance": (0, np.inf),
    "kernel_distance": (-np.inf, np.inf),
    "precision": (0, 1),
    "recall": (0, 1),
    "coverage": (0, 1),
    "density": (0, np.inf),
    "inception_score": (1, np.inf),
    "vendi_score": (1, np.inf),
    "authenticity": (0, 1),
    "high_quality_share": (0, 1),
    "mode_kl": (0, np.inf),
    "modes_covered": (0, np.inf),
    "nearest_real_distance": (0, np.inf),
}
SQUARED = (
    "frechet_distance",
    "kernel_distance",
)  # scores whose size the features' scale bounds; that of raw values nothing does
MOVES = (
    "frechet_distance",
    "kernel_distance",
    "inception_score",
    "vendi_score",
)  # scores that no training leaves exactly where they were
BEYOND = 10.0  # times the largest value of the reals: images of a tanh or sigmoid never get there
STILL = 1e-6  # an update ratio below which the generator's samples need not change
FEATURE_COUNT = {"inception": 2048, "vgg16": 4096, "dinov2": 1024, "clip": 512}


def metric_fault(run: Recorded) -> Finding:
    """Finds scores that cannot be: out of their range, absurdly large, never moving, or made of fewer samples than features."""
    e = evidence(run)
    held = [n for n in e.names if n.split("[", 1)[0] in BOUNDS]
    if not held:
        raise NotRecorded("any score")
    for look in (_impossible, _frozen):
        for name in held:
            if (found := look(e, name)) is not None:
                return found
    few = [found for name in held if (found := _few(e, name)) is not None]
    if few:
        return few[0]
    return Finding(
        "metric_fault",
        Verdict.HEALTHY,
        f"all {len(held)} scores stay within what they can be (limit: their range, and {e.limits.absurd_score:g})",
        series=tuple(held[:4]),
    )


def _impossible(e: Evidence, name: str) -> Finding | None:
    base = name.split("[", 1)[0]
    series = e[name]
    values = series.to_numpy(dtype=float)
    low, high = BOUNDS[base]
    if base == "modes_covered" and "modes_total" in e:
        high = float(np.nanmax(e["modes_total"].to_numpy(dtype=float)))
    slack = e.limits.score_slack * max(
        1.0, float(np.nanmedian(np.abs(values[np.isfinite(values)]))) if np.isfinite(values).any() else 1.0
    )
    out = (values < low - slack) | (values > high + slack)
    unlikely = ~np.isfinite(values)
    if base in SQUARED and not name.endswith("[values]"):
        unlikely |= np.abs(values) > e.limits.absurd_score
    if unlikely.any():
        out |= unlikely & ~_ran_away(e, series.index.to_numpy())
    if not out.any():
        return None
    place = int(np.argmax(np.abs(np.nan_to_num(values[out], nan=np.inf))))
    limit = f"{low:g} to {e.limits.absurd_score if base in SQUARED else high:g}"
    few = _shortage(e, name)
    cause = few or (
        "the matrix square root of a singular covariance"
        if base == "frechet_distance"
        else "the score is computed wrongly"
    )
    remedies = (
        ("compute the score again with gandiag evaluate, which takes the route for fewer samples than features",)
        if base == "frechet_distance"
        else ("compute the score again with gandiag evaluate",)
    )
    return Finding(
        "metric_fault",
        Verdict.FAILED,
        f"{name} reads {values[out][place]:.3g} at step {series.index[out][place]} and is impossible in {out.sum()} of {len(out)} "
        f"evaluations (limit: {limit}): it says nothing about the samples",
        cause=cause,
        remedies=remedies,
        series=(name,),
        onset=int(series.index[out][0]),
        kind="impossible",
    )


def _ran_away(e: Evidence, at: np.ndarray) -> np.ndarray:
    """Whether, since the evaluation before (n,) bool, fakes lay so far beyond the reals that a score of them may have any size."""
    found = np.zeros(len(at), dtype=bool)
    for side in ("min", "max"):
        try:
            real, fake = e[f"real_{side}"].abs(), e[f"fake_{side}"].abs()
        except NotRecorded:
            continue
        usual = float(np.nanmax(real.to_numpy(dtype=float), initial=0.0))
        steps, beyond = fake.index.to_numpy(), ~(fake.to_numpy(dtype=float) <= BEYOND * usual)  # NaN is beyond as well
        ends = np.searchsorted(steps, at, side="right")
        begins = np.minimum(np.r_[0, ends[:-1]], np.maximum(ends - 1, 0))
        found |= np.array([bool(beyond[i:j].any()) for i, j in zip(begins, ends)], dtype=bool)
    return found


def _shortage(e: Evidence, name: str) -> str:
    """Says that there are fewer reals than features, where both are known; empty where not."""
    features = next((n for key, n in FEATURE_COUNT.items() if key in name), 0)
    count = (e.about.get("data") or {}).get("count")
    if features and isinstance(count, int) and count < features:
        return f"the data have {count} images, fewer than the {features} features: their covariance is singular, and its matrix square root is noise"
    return ""


def _frozen(e: Evidence, name: str) -> Finding | None:
    base = name.split("[", 1)[0]
    values = e[name].to_numpy(dtype=float)
    if base not in MOVES or len(values) < 4 or not np.isfinite(values).all() or np.ptp(values) > 0:
        return None
    moves = e.now_or_nan("generator_update_ratio")
    if (
        not moves > STILL
    ):  # a generator that stands still gives the same samples and the same score: that is no fault of the metric
        return None
    return Finding(
        "metric_fault",
        Verdict.FAILED,
        f"{name} is {values[0]:.6g} at all of {len(values)} evaluations while the generator moves by {moves:.2g} a step (limit: it must move)",
        cause="the evaluation sees the same samples again and again",
        remedies=("evaluate the generator that is being trained",),
        series=(name,),
        onset=int(e[name].index[0]),
        kind="frozen",
    )


def _few(e: Evidence, name: str) -> Finding | None:
    """Fewer samples than features: the score can be computed, but it measures the number of samples too."""
    if not name.startswith("frechet_distance") or name.split("[", 1)[0] != "frechet_distance":
        return None
    short = _shortage(e, name)
    protocol: dict[str, Any] = next(
        (r["protocol"] for r in reversed(e.records("evaluations")) if isinstance(r.get("protocol"), dict)), {}
    )
    count, width = protocol.get("count"), protocol.get("dimensions")
    if not short and isinstance(count, int) and isinstance(width, int) and count < width:
        short = f"{count} samples, fewer than the {width} features"
    if not short:
        return None
    return Finding(
        "metric_fault",
        Verdict.SUSPECT,
        f"{name} is made of {short} (limit: at least as many samples as features)",
        cause="its bias is larger than what it measures",
        remedies=("compare it only at the same number of samples, or use kernel_distance",),
        series=(name,),
        kind="few samples",
    )

"""Regression against known good runs: scores that are worse than a baseline's by more than seeds and evaluations explain, and new illnesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gandiag.diagnosis.evidence import Evidence, Recorded
from gandiag.diagnosis.finding import Diagnosis, Finding, Verdict
from gandiag.diagnosis.progress import noise_of
from gandiag.errors import NotRecorded, RunError

# Score -> the sign of better. Frechet distances are compared as logarithms: their noise is relative.
COMPARED = {
    "frechet_distance": -1,
    "kernel_distance": -1,
    "modes_covered": 1,
    "mode_kl": -1,
    "recall": 1,
    "precision": 1,
    "high_quality_share": 1,
    "diversity_ratio": 1,
}
LOGARITHMIC = ("frechet_distance",)
CAPPED = {"diversity_ratio": 1.0}  # more diverse than the reals is not better
SIGNIFICANCE = 0.05  # one-sided, Holm-corrected over the scores
WORTH_TELLING = 0.02  # a difference below 2 % is no regression, however sure
ALONE_NOISES = 3.0  # with one run on each side: standard deviations of an evaluation
# ... and of an evaluation whose own scatter is not known, since there are fewer than FEWEST_EVALUATIONS: relative
UNKNOWN_NOISE = 0.05
FEWEST_EVALUATIONS = 4


@dataclass(frozen=True)
class Change:
    """One score against the baseline's: `p` is one-sided for worse; None where one run on each side allows no test across seeds."""

    score: str
    value: float
    baseline: float
    worse: bool
    p: float | None
    claim: str


def regressions(
    runs: Sequence[tuple[Evidence, Diagnosis]], baselines: Sequence[tuple[Evidence, Diagnosis]]
) -> tuple[list[Change], list[Finding]]:
    """Compares runs (seeds of one configuration) with baselines: every shared score, and the checks that fail here and did not there."""
    names = [n for n in _scores(runs[0][0]) if all(n in e for e, _ in (*runs, *baselines))]
    rows = [_compare(n, [e for e, _ in runs], [e for e, _ in baselines]) for n in names]
    changes = _holm([row for row in rows if row is not None])
    known = {f.check for _, d in baselines for f in d.findings if f.verdict is Verdict.FAILED}
    new = {f.check: f for _, d in runs for f in d.findings if f.verdict is Verdict.FAILED and f.check not in known}
    if not changes and not any(
        f.verdict in (Verdict.HEALTHY, Verdict.FAILED) for _, d in baselines for f in d.findings
    ):
        raise RunError("the baseline holds nothing that could be compared: neither scores nor checks that were made")
    return changes, list(new.values())


def _scores(e: Evidence) -> list[str]:
    return [n for n in e.names if n.split("[", 1)[0] in COMPARED]


def _late(e: Recorded, name: str) -> tuple[float, float]:
    """The present value of a score (median of its last fifth) and the standard deviation of that value, logarithmic where the score is."""
    base = name.split("[", 1)[0]
    values = e[name].to_numpy(dtype=float)
    values = np.minimum(values[np.isfinite(values)], CAPPED.get(base, np.inf))
    if not len(values) or (base in LOGARITHMIC and not (values > 0).all()):
        raise NotRecorded(name, "it holds no value that can be compared")
    late = values[-max(1, round(0.2 * len(values))) :]
    few = len(values) < FEWEST_EVALUATIONS
    if base in LOGARITHMIC:
        return float(np.median(np.log(late))), UNKNOWN_NOISE if few else noise_of(values)
    if few:
        return float(np.median(late)), UNKNOWN_NOISE * abs(float(np.median(late)))
    spread = float(np.std(np.diff(values[-max(4, len(values) // 2) :])) / np.sqrt(2))
    return float(np.median(late)), spread


def _compare(name: str, runs: Sequence[Evidence], baselines: Sequence[Evidence]) -> Change | None:
    base = name.split("[", 1)[0]
    try:
        mine, theirs = ([_late(e, name) for e in group] for group in (runs, baselines))
    except NotRecorded:
        return None
    values, good = np.array([v for v, _ in mine]), np.array([v for v, _ in theirs])
    noise = float(np.mean([n for _, n in (*mine, *theirs)]))
    loss = -COMPARED[base] * (values.mean() - good.mean())
    back = np.exp if base in LOGARITHMIC else np.asarray
    value, baseline = float(back(values.mean())), float(back(good.mean()))
    scale = 1.0 if base in LOGARITHMIC else max(abs(good.mean()), 1e-12)
    telling = bool(loss > WORTH_TELLING * scale)
    p = _p_worse(values * -COMPARED[base], good * -COMPARED[base])
    if p is None:
        worse = telling and bool(loss > ALONE_NOISES * np.sqrt(2) * noise)
        claim = f"{name} is {value:.4g} and the baseline's {baseline:.4g} (limit: {ALONE_NOISES:g} sd of an evaluation; one run on each side)"
        return Change(name, value, baseline, worse, None, claim)
    return Change(name, value, baseline, telling, p, f"{name} is {value:.4g} and the baseline's {baseline:.4g}")


def _p_worse(values: np.ndarray, good: np.ndarray) -> float | None:
    """One-sided p of the two-sample t test with pooled variance that `values` are larger; None with one run on each side."""
    from scipy import stats

    n, m = len(values), len(good)
    if n + m < 3:
        return None
    pooled = (((values - values.mean()) ** 2).sum() + ((good - good.mean()) ** 2).sum()) / (n + m - 2)
    difference = float(values.mean() - good.mean())
    if pooled == 0:
        return 0.0 if difference > 0 else 1.0
    return float(stats.t.sf(difference / np.sqrt(pooled * (1 / n + 1 / m)), n + m - 2))


def _holm(changes: list[Change]) -> list[Change]:
    """Judges the tested changes together: the smallest p against SIGNIFICANCE / k, the next against SIGNIFICANCE / (k - 1) ..."""
    tested = sorted((c for c in changes if c.p is not None), key=lambda c: c.p if c.p is not None else 1.0)
    still, limits = True, {}
    for i, c in enumerate(tested):
        limit = SIGNIFICANCE / (len(tested) - i)
        still = still and c.p is not None and c.p < limit
        limits[c.score] = (limit, still)
    done = []
    for c in changes:
        if c.score in limits:
            limit, sure = limits[c.score]
            c = Change(
                c.score, c.value, c.baseline, c.worse and sure, c.p, f"{c.claim}, p = {c.p:.3g} (limit: {limit:.3g})"
            )
        done.append(c)
    return done

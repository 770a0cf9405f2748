"""Checks of diversity: mode_collapse, total, partial or rotating."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import Evidence, Recorded, evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import equal_rates, rate, regularise
from gandiag.errors import NotRecorded

BATCH_SERIES = ("diversity_ratio", "fake_effective_rank")
MODE_SERIES = ("modes_covered", "mode_kl")


@dataclass(frozen=True)
class _Coverage:
    """Evaluations of the modes: steps, share of the modes that are covered, KL where it was recorded."""

    at: np.ndarray
    share: np.ndarray
    total: int

    @property
    def low(self) -> np.ndarray:
        return np.asarray(self.share <= 0.5)


def mode_collapse(run: Recorded) -> Finding:
    """Finds a generator that gives a few of the data's modes only, for good (total, partial) or one after the other (rotating)."""
    e = evidence(run)
    covered, batch = coverage(e), _poor_batches(e)
    if covered is None and batch is None:
        raise NotRecorded("any measure of diversity", "diversity_ratio, effective ranks or covered modes were expected")
    e.need_steps()
    if covered is not None:
        return _by_modes(e, covered, batch)
    assert batch is not None
    return _by_batches(e, batch)


def coverage(e: Evidence) -> _Coverage | None:
    """Returns the evaluations of the modes, None where there are none or the data have one mode."""
    try:
        hit, total = e["modes_covered"], e["modes_total"]
    except NotRecorded:
        return None
    both = hit.index.intersection(total.index)
    count = int(total.loc[both].iloc[-1]) if len(both) else 0
    if count < 2:
        return None
    return _Coverage(both.to_numpy(), hit.loc[both].to_numpy(dtype=float) / count, count)


# ------------------------------------------------------------------------------------------------------ by the known modes


def _by_modes(e: Evidence, c: _Coverage, batch: np.ndarray | None) -> Finding:
    late = trends.tail(c.share, e.limits.tail_share)
    now = float(np.median(late))
    hit = f"{now * c.total:.0f} of {c.total} modes are covered"
    limit = f"limit: more than {e.limits.covered_share:.0%}"
    series = (*MODE_SERIES, *(s for s in BATCH_SERIES if s in e))
    low = np.asarray(c.share <= e.limits.covered_share)
    best = float(np.max(c.share))
    if now > e.limits.covered_share:
        span = trends.longest(low[np.argmax(~low) :]) if best > e.limits.covered_share else None
        if span and span[1] - span[0] + 1 >= max(2, e.limits.sustained_share * len(low)):
            first = int(np.argmax(~low))
            return Finding("mode_collapse", Verdict.SUSPECT, f"{hit} ({limit}), but fewer were between steps {c.at[first + span[0]]} and {c.at[first + span[1]]}",
                           series=series, onset=int(c.at[first + span[0]]), end=int(c.at[first + span[1]]), kind="passing")  # fmt: skip
        return Finding("mode_collapse", Verdict.HEALTHY, f"{hit} ({limit})", series=series)
    if _still_learning(c.share):
        return Finding("mode_collapse", Verdict.SUSPECT, f"{hit} so far, and rising ({limit})", cause="the generator is still learning",
                       remedy="train longer", remedies=("train longer",), series=series, kind="learning")  # fmt: skip
    onset = _mode_onset(c, low)
    kind = _kind(e, onset, now * c.total)
    return Finding("mode_collapse", Verdict.FAILED, f"{hit} ({limit}) since step {onset}", cause=_cause(e, kind), remedies=_remedies(e, kind),
                   series=series, onset=onset, kind=kind)  # fmt: skip


def _still_learning(share: np.ndarray) -> bool:
    """Whether coverage rises and is at its best: a young run, no collapsed one."""
    return len(share) >= 4 and trends.kendall_z(share) > trends.RISE_Z and share[-1] >= np.max(share) - 1e-9 and share[-1] > share[len(share) // 2]


def _mode_onset(c: _Coverage, low: np.ndarray) -> int:
    """The first evaluation of the last lasting low stretch, or the step between it and the good one before."""
    first = trends.onset(low, patience=2)
    return int(c.at[first if first is not None else 0])


# -------------------------------------------------------------------------------------------------------- by the batches


def _poor_batches(e: Evidence) -> np.ndarray | None:
    """Where the batches of fakes are far less diverse than those of the reals (n,) bool; None where nothing tells."""
    ratio = e.maybe("diversity_ratio")
    if ratio is None:
        return None
    state = np.nan_to_num(ratio, nan=1.0) < e.limits.diversity_ratio
    rank = _rank_ratio(e)
    if rank is not None:
        best = np.fmax.accumulate(np.nan_to_num(ratio, nan=0.0))
        fallen = (ratio < e.limits.diversity_fall * best) & (rank < e.limits.rank_ratio)
        state = state | fallen
    return np.asarray(state)


def _rank_ratio(e: Evidence) -> np.ndarray | None:
    """(fakes' effective rank - 1) over (reals' - 1): 0 = a line or a point, 1 = as many directions as the reals."""
    fake, real = e.maybe("fake_effective_rank"), e.maybe("real_effective_rank")
    if fake is None or real is None:
        return None
    return np.asarray((fake - 1) / np.maximum(real - 1, 0.1))


def _by_batches(e: Evidence, state: np.ndarray) -> Finding:
    ratio = e.level("diversity_ratio")
    now = trends.middle(trends.tail(ratio, e.limits.tail_share))
    claim = f"the fakes' pairwise distance is {now:.3g} of the reals' (limit: {e.limits.diversity_ratio:g})"
    if not e.holds(state):
        return Finding("mode_collapse", Verdict.HEALTHY, claim, series=BATCH_SERIES)
    late = ratio[-max(4, round(0.4 * len(ratio))) :]
    if trends.kendall_z(late) > trends.RISE_Z and now > 1.5 * trends.middle(ratio[: max(1, len(ratio) // 2)]):
        return Finding("mode_collapse", Verdict.SUSPECT, claim + ", and rising", cause="the generator is still learning", remedies=("train longer",),
                       series=BATCH_SERIES, kind="learning")  # fmt: skip
    onset = e.onset(state) or 0
    kind = _kind(e, onset, None)
    return Finding("mode_collapse", Verdict.FAILED, f"{claim} since step {onset}", cause=_cause(e, kind), remedies=_remedies(e, kind),
                   series=BATCH_SERIES, onset=onset, kind=kind)  # fmt: skip


# ------------------------------------------------------------------------------------------------------------------ kinds


def _kind(e: Evidence, onset: int, modes: float | None) -> str:
    if _hops(e, onset):
        return "rotating"
    ratio = e.now_or_nan("diversity_ratio")
    if (modes is not None and modes <= 1.5) or ratio < e.limits.diversity_ratio_total:
        return "total"
    return "partial"


def _hops(e: Evidence, onset: int) -> bool:
    """Whether the place of the fakes keeps changing: the fullest mode at the evaluations, or the mean of the batches."""
    try:
        histogram = e.layers("mode_histogram")
        fullest = histogram.loc[histogram.index >= onset].to_numpy().argmax(axis=1)
        if len(fullest) >= 3 and np.mean(fullest[1:] != fullest[:-1]) > 0.3:
            return True
    except NotRecorded:
        pass
    return wandering(e, onset) > e.limits.hop


def wandering(e: Evidence, since: int) -> float:
    """How far the mean of the fakes wanders between batches, beyond what reals' batches do, in standard deviations of the reals; 0 where unknown."""
    try:
        try:
            fake, real = e.layers("fake_channel_mean"), e.layers("real_channel_mean")
        except NotRecorded:
            fake, real = e["fake_mean"].to_frame(), e["real_mean"].to_frame()
        scale = e.now("real_sd")
    except NotRecorded:
        return 0.0
    fake, real = fake.loc[fake.index >= since], real.loc[real.index >= since]
    if len(fake) < 8 or not scale > 0:
        return 0.0
    spread = max(trends.robust_sd(column - trends.middle(column)) for column in fake.to_numpy().T)
    usual = max(trends.robust_sd(column) for column in real.to_numpy().T)
    return float(np.sqrt(max(0.0, spread**2 - usual**2)) / scale)


def _cause(e: Evidence, kind: str) -> str:
    faster = _generator_is_faster(e)
    if kind == "rotating":
        return "the generator outruns the discriminator: it moves to whatever mode D likes at the moment" + (faster and f" ({faster})")
    return "the generator found few samples that satisfy the discriminator" + (faster and f" ({faster})")


def _generator_is_faster(e: Evidence) -> str:
    g, d = rate(e, "generator"), rate(e, "discriminator")
    return f"its learning rate is {g / d:.3g} times the discriminator's" if g and d and g > 2 * d else ""


def _remedies(e: Evidence, kind: str) -> tuple[str, ...]:
    first = (equal_rates(e, "discriminator"),) if _generator_is_faster(e) else ()
    return (*first, *regularise(e), "let D see several samples at a time (PacGAN: --set pack=2)" if "pack" in e.config else "let D see two samples at a time (PacGAN)")

"""Where reals and fakes live: ranges that cannot meet, and data that were never brought to a scale."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import CannotTell, Evidence
from gandiag.diagnosis.fakes import misfits
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.errors import NotRecorded

RANGES = ("real_min", "real_max", "fake_min", "fake_max")
# Of the reals' range. A generator that is free to go below 0 does so in its first steps; one that comes as near as this and never crosses is held.
AT_THE_FLOOR, BELOW = 1e-3, 0.1
# looks that show a bound; of the reals' range, how wide fakes are at least, and how far reals go beyond
FEWEST_BOUNDS, ONE_POINT, FAR_BEYOND = 10, 0.02, 0.2
VANISHED = 0.1  # of the generator's first gradient
RAW = 10.0  # fold: standardised data have a size of 1, and untrained generators give a tenth of it to all of it


def bound(e: Evidence, name: str) -> float:
    values = e[name].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    if not len(values):
        raise CannotTell(f"{name} was never finite")
    return float(values.min() if name.endswith("min") else values.max())


def other_range(e: Evidence) -> Finding | None:
    """A range that the generator cannot leave against a range of the reals that is another."""
    low, high, fake_low, fake_high = (bound(e, n) for n in RANGES)
    slack = e.limits.range_slack
    bounded = max(abs(fake_low), abs(fake_high)) <= 1 + 1e-4
    touches = (
        bounded and max(abs(fake_low), abs(fake_high)) > e.limits.touches
    )  # a small network's fakes are within 1 without being held there
    tanh = bounded and fake_low < -0.5 and (touches or e.images)
    sigmoid = touches and fake_low >= -1e-6
    zero_one = low >= -1e-6 and high <= 1 + slack and high > 0.5
    found, cure = "", ""
    if tanh and zero_one and _never_negative(e):
        found, cure = "a range of [0, 1]", "scale the data to [-1, 1]: x * 2 - 1"
    elif bounded and (touches or e.images) and high > 10 and low >= -1e-6:
        found, cure = "a range of bytes", "scale the data to [-1, 1]: x / 127.5 - 1"
    elif touches and (high > 1.2 or low < -1.2):
        found, cure = (
            "values beyond what the generator can give",
            "scale the data to [-1, 1], or end the generator without its squashing function",
        )
    elif sigmoid and low < -0.5 and high <= 1 + slack:
        found, cure = "a range of [-1, 1]", "end the generator in tanh, or scale the data to [0, 1]"
    elif (
        0 <= fake_low <= AT_THE_FLOOR * (high - low)
        and low < -BELOW * (high - low)
        and e.steps >= e.limits.sustained_steps
    ):
        found = "values below 0, which the generator cannot give: it comes down to 0 and never goes below"
        cure = "end the generator without its sigmoid or ReLU, or in tanh for data in [-1, 1]"
    elif e.steps >= e.limits.sustained_steps and _stands_at_a_bound(e):
        found = "values beyond a bound at which the fakes stand in nearly every batch"
        cure = "take out what clamps the fakes, or scale the data to what the generator can give"
    if not found:
        return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"reals lie in [{low:.3g}, {high:.3g}], {found}, and fakes in [{fake_low:.3g}, {fake_high:.3g}] "
        f"(limit: one standard range, to {slack:.0%})",
        cause="reals and fakes are scaled differently: D needs nothing else to tell them apart",
        remedies=(cure,),
        series=RANGES,
        onset=int(e["real_min"].index[0]),
        kind="range",
    )


def _stands_at_a_bound(e: Evidence) -> bool:
    """Whether the largest or the smallest value of the fakes is one and the same in nearly every batch, the reals go far beyond it in all, and
    the fakes are plainly no reals."""
    off = misfits(e)
    if off is None or not e.holds(off):
        return False
    try:
        ends = {who: [e[f"{who}_{end}"].to_numpy(dtype=float) for end in ("min", "max")] for who in ("real", "fake")}
    except NotRecorded:
        return False
    half = [x[len(x) // 2 :] for x in (*ends["real"], *ends["fake"])]
    if min(map(len, half)) < FEWEST_BOUNDS or not all(np.all(np.isfinite(x)) for x in half):
        return False
    low, high, fake_low, fake_high = half
    width = float(np.median(high) - np.median(low))
    if not width > 0 or not np.median(fake_high - fake_low) > ONE_POINT * width:
        return False  # one point is another illness
    for beyond, at in ((high, fake_high), (-low, -fake_low)):
        bound = float(np.median(at))
        stands = (
            np.mean(np.abs(at - bound) <= 1e-4 * width) >= e.limits.force_share and np.max(at) <= bound + 1e-4 * width
        )
        if stands and np.quantile(beyond, 0.1) > bound + FAR_BEYOND * width:
            return True
    return False


def _never_negative(e: Evidence) -> bool:
    return bool(np.all(e["real_min"].to_numpy() >= -1e-6))


def raw(e: Evidence) -> Finding | None:
    """Reals as they were measured, many times as large as what an untrained generator gives, which it has not come to since."""
    off = misfits(e)
    size, first = (_size(e, who) for who in ("real", "fake"))
    if size is None or first is None or off is None or np.mean(off) < 1 - e.limits.sustained_share:
        return None
    usual, begun = trends.middle(size), float(first[0])
    if not (usual > RAW and begun < usual / RAW) or _vanished(e) or not np.isfinite(e["fake_mean"].iloc[-1]):
        return None  # what broke or was silenced did not fail by the scale
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"the reals' values are {usual:.3g} in size (limit: {RAW:g}), the fakes' were {begun:.2g} at first, and the fakes have been no reals since",
        cause="the data are not standardised: the generator's weights have to grow to their scale first, and what D feels is their size alone",
        remedies=(
            "bring each column of the data to mean 0 and deviation 1 before the game, and the samples back after it",
        ),
        series=("real_mean", "real_sd", "fake_mean", "fake_sd"),
        onset=int(e["real_sd"].index[0]),
        kind="raw",
    )


def _vanished(e: Evidence) -> bool:
    """Whether the generator was not told for long where to go: it could have gone there, whatever the scale."""
    slope = e.maybe("generator_gradient_norm")
    return slope is not None and trends.tail_middle(slope, e.limits.tail_share) < VANISHED * np.nanmax(
        slope[:3], initial=0.0
    )


def _size(e: Evidence, who: str) -> np.ndarray | None:
    """The root mean square of a batch's values in each stretch (n,); None where it was not recorded."""
    mean, sd = e.maybe(f"{who}_mean"), e.maybe(f"{who}_sd")
    return None if mean is None or sd is None else np.hypot(mean, sd)

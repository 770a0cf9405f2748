"""Checks of what goes into the game: data_mismatch."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import labels, trends
from gandiag.diagnosis.data_change import changed
from gandiag.diagnosis.evidence import Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import misfits
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.memory import one_too_often
from gandiag.diagnosis.pictures import channels_swapped, kept
from gandiag.diagnosis.ranges import RANGES, bound, other_range, raw
from gandiag.errors import NotRecorded

PADDED = 0.3  # of the reals that are one sample: sparse data have a default, too
# spread of the batches' means over that within a batch, and its square times their size: 1 / sqrt(n) and 1 of shuffled batches of n
SORTED, BEYOND_CHANCE, FEWEST_MEANS = 0.8, 10.0, 30
# of batches that come again in each pass: how many differ at least (one alone is told as such), and at most of those that were looked at
FEWEST_DIFFERENT, SEEN_AGAIN = 3, 0.5
# Of a Cauchy's batch the largest value makes half of the scatter, whatever the batch's size; of 64 normal values a tenth, of Student's t(2) and
# lognormal ones .2 to .4
OUTWEIGHED, FEWEST_TAILS, FEWEST_GRAINS = 0.45, 32, 5
ROUNDING = 1e-4  # of the spread: means of n samples lie 1 / sqrt(n) apart by chance
INTERLEAVED = 0.6  # of the neighbours' difference; photographs, drawings and noise have 1 and more
CHOSEN = (8, 10)  # of which sizes of batches are multiples
FEWEST_CONSTANT = 5  # stretches at the end: no run of blank samples fills whole batches for so long by chance


def data_mismatch(run: Recorded) -> Finding:
    """Finds reals and fakes that live in different ranges, constant or repeated batches, and data that are not what run.json says."""
    e = evidence(run)
    if "real_min" not in e or "fake_min" not in e:
        raise NotRecorded("the range of the reals or of the fakes")
    for look in (
        _constant,
        _repeated,
        _layout,
        other_range,
        changed,
        _interleaved,
        _outweighed,
        raw,
        _standardised_by_batch,
        _one_sample_too_often,
        _not_shuffled,
        _channel_order,
        *labels.LOOKS,
    ):
        if (finding := look(e)) is not None:
            return finding
    low, high, fake_low, fake_high = (bound(e, n) for n in RANGES)
    unseen = _not_told(e)
    return Finding(
        "data_mismatch",
        Verdict.HEALTHY,
        f"reals lie in [{low:.3g}, {high:.3g}] and fakes reached [{fake_low:.3g}, {fake_high:.3g}] "
        f"(limit: one standard range, to {e.limits.range_slack:.0%})" + (f"; {unseen}" if unseen else ""),
        series=RANGES,
    )


def _not_told(e: Evidence) -> str:
    """What was not checked, and why; empty where all was."""
    reals = kept(e, "real")
    gaps = []
    if e.images and (reals is None or "images" not in reals):
        gaps.append("the order of channels was not checked: no real images were kept")
    if e.config.get("conditional") and (reals is None or "labels" not in reals):
        gaps.append("labels were not checked: no real samples were kept with theirs")
    return "; ".join(gaps)


def _constant(e: Evidence) -> Finding | None:
    """Reals that are all one value; a game of two points (Dirac-GAN) has constant fakes too, and is meant so."""
    real_sd, fake_sd = e.maybe("real_sd"), e.maybe("fake_sd")
    if real_sd is None or fake_sd is None or np.nanmax(fake_sd) <= 1e-12:
        return None
    spread = np.flatnonzero(~(real_sd == 0))  # a loader may run dry, or lose its scale, in the middle of the run
    first = int(spread[-1]) + 1 if len(spread) else 0
    if len(real_sd) - first < min(FEWEST_CONSTANT, len(real_sd)):
        return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"all values of the real batches are {trends.middle(e.level('real_mean')[first:]):.3g}"
        + (f" since step {e.edges[first]}" if first else "")
        + " (standard deviation 0; limit: above 0)",
        cause="the loader gives constant samples",
        remedies=("look at a batch of the loader",),
        series=("real_sd", "real_min", "real_max"),
        onset=int(e.edges[first]),
        kind="constant",
    )


def _repeated(e: Evidence) -> Finding | None:
    """The same real batch again and again, where the data hold more than one batch."""
    repeat = e.maybe("real_batch_repeat")
    if repeat is None or not e.holds(np.nan_to_num(repeat, nan=0.0) >= e.limits.repeated_batch):
        return None
    count, batch = (e.about.get("data") or {}).get("count"), e.config.get("batch")
    if (isinstance(count, int) and isinstance(batch, int) and count <= batch) or not e.now_or_nan("real_sd") > 0:
        return None
    size = _batch_size(e)
    # nobody chooses batches of 178: that is a table whole, and so may be a large batch
    whole = size is not None and (size > e.limits.few_samples or all(size % step for step in CHOSEN))
    return Finding(
        "data_mismatch",
        Verdict.SUSPECT if whole else Verdict.FAILED,
        f"{e.now('real_batch_repeat'):.0%} of the values of consecutive real batches are equal "
        f"(limit: {e.limits.repeated_batch:.1%})" + (f"; the batch has {size:.0f} samples" if whole else ""),
        cause="the loop trains on one and the same batch" + (", unless these are all the data" if whole else ""),
        remedies=("draw the batch inside the loop (next(iter(loader)) begins anew each time)",),
        series=("real_batch_repeat",),
        onset=e.onset(np.nan_to_num(repeat, nan=0.0) >= e.limits.repeated_batch),
        kind="repeated",
    )


def _one_sample_too_often(e: Evidence) -> Finding | None:
    """One and the same sample makes up a large part of the reals: rows of a buffer that were never filled, a default for what is missing."""
    share = one_too_often(e)
    if share is None or share < PADDED:
        return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"one and the same sample makes up {share:.0%} of the reals, whose others differ (limit: {PADDED:.0%})",
        cause="a part of each batch is filled with one sample: a buffer that is not full, or a default for what could not be read",
        remedies=("look at the rows of a batch that are equal to each other",),
        series=("real_batch_collision", "real_min", "real_max"),
        onset=int(e["real_batch_collision"].index[0]),
        kind="repeated sample",
    )


def _not_shuffled(e: Evidence) -> Finding | None:
    """A loader that goes through sorted data, whose batches lie apart, or the same batches pass after pass; while the fakes are no reals."""
    off = misfits(e)
    if off is None or not e.holds(off):
        return None
    found = _far_apart(e) or _again(e)
    if found is None:
        return None
    claim, series = found
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"{claim}, and the fakes are no reals",
        cause="the data are not shuffled: batch after batch shows one part of them, and the generator runs after it",
        remedies=("DataLoader(..., shuffle=True), or draw the indices by torch.randint",),
        series=series,
        onset=int(e[series[-1]].index[0]),
        kind="not shuffled",
    )


def _scatter(e: Evidence) -> float | None:
    """The variance of the reals' centres from look to look, in the second half, over that by chance (1 = drawn alike); None of too few looks."""
    try:
        centres, error = e.layers("real_centre"), e["real_centre_error"].dropna()
    except NotRecorded:
        return None
    values, chance = centres.to_numpy(dtype=float), error.to_numpy(dtype=float)
    values, chance = values[len(values) // 2 :], chance[len(chance) // 2 :]
    if len(values) < FEWEST_MEANS // 2 or not np.isfinite(values).all() or not np.median(chance) > 0:
        return None
    # from look to look: what drifts in the course of the run is no matter of the order
    return float(np.mean(np.diff(values, axis=0) ** 2) / 2 / np.mean(chance**2))


def _far_apart(e: Evidence) -> tuple[str, tuple[str, ...]] | None:
    """Batches that lie much farther apart than chance has it, or where that was not recorded than samples within one do."""
    if (scatter := _scatter(e)) is not None:
        if scatter < BEYOND_CHANCE:
            return None
        return (
            f"the centres of the real batches scatter by {scatter:.3g} times the variance that chance gives them (limit: {BEYOND_CHANCE:g})",
            ("real_centre", "real_centre_error"),
        )
    try:
        means, sd = e.layers("real_channel_mean"), e["real_sd"].dropna()
    except NotRecorded:
        return None
    batch = _batch_size(e)
    if batch is None or len(means) < FEWEST_MEANS or not np.nanmedian(sd) > 0:
        return None
    between = float(np.sqrt(np.nanmean(np.nanvar(means.to_numpy(dtype=float), axis=0))))
    within = float(np.nanmedian(sd))
    if between < SORTED * within or batch * (between / within) ** 2 < BEYOND_CHANCE:
        return None
    claim = f"the means of the real batches lie {between / within:.2g} of the spread within one apart (limit: {SORTED:g}; shuffled ones a root of "
    return claim + "their number less)", ("real_channel_mean", "real_sd")


def _again(e: Evidence) -> tuple[str, tuple[str, ...]] | None:
    """Batches that come again whole: every pass over the data shows the same ones."""
    names = ("real_mean", "real_sd", "real_pairwise_distance")
    if any(name not in e for name in names):
        return None
    rows = np.stack(e.at_the_same_steps(names), axis=1)
    different = len(np.unique(rows, axis=0))
    if len(rows) < FEWEST_MEANS or not FEWEST_DIFFERENT <= different < SEEN_AGAIN * len(rows):
        return None
    return (
        f"of {len(rows)} real batches that were looked at {different} differ (limit: {SEEN_AGAIN:.0%}): each pass over the data shows the same",
        names,
    )


def _batch_size(e: Evidence) -> float | None:
    """How many reals a step shows D in each of its updates; None where that was not recorded."""
    if "images_seen" not in e or len(e["images_seen"]) < 2:
        return None
    seen = float(np.median(np.diff(e["images_seen"].to_numpy(dtype=float))))
    updates = e.now_or_nan("discriminator_updates")
    return seen / updates if updates > 0 else seen


def _layout(e: Evidence) -> Finding | None:
    """Reals whose second axis is not that of the fakes: channels last against channels first. Flattened images are a multiple, and no fault."""
    try:
        real, fake = (int(e.layers(f"{who}_channel_mean").shape[1]) for who in ("real", "fake"))
    except NotRecorded:
        return None
    if max(real, fake) % min(real, fake) == 0:
        return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"the second axis of the reals has {real} places, that of the fakes {fake} (limit: as many)",
        cause="reals and fakes are laid out differently: channels last against channels first",
        remedies=("bring the reals to (n, channels, height, width): x.permute(0, 3, 1, 2)",),
        series=("real_channel_mean", "fake_channel_mean"),
        onset=int(e["real_min"].index[0]),
        kind="layout",
    )


def _interleaved(e: Evidence) -> Finding | None:
    """Colours that lie where pixels should: in a row every third value is like the next of its colour, and unlike its neighbour."""
    try:
        ratio = e["real_interleaving"].dropna()
    except NotRecorded:
        return None
    if len(ratio) < FEWEST_GRAINS or np.mean(ratio < INTERLEAVED) < e.limits.force_share:
        return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"in a row of the reals, values as far apart as there are channels differ {trends.middle(ratio.to_numpy(dtype=float)):.2g} times as much as "
        f"neighbours (limit: {INTERLEAVED:g}; images have 1 and more)",
        cause="channels-last images were viewed as channels first: colours lie beside each other as if they were pixels",
        remedies=("permute, do not reshape: x.view(n, height, width, channels).permute(0, 3, 1, 2)",),
        series=("real_interleaving",),
        onset=int(ratio.index[0]),
        kind="layout",
    )


def _outweighed(e: Evidence) -> Finding | None:
    """Tails so heavy that one value outweighs the rest of a batch, in most batches: no batch shows where the data lie, and no fake fits."""
    try:
        share = e["real_peak_share"].dropna()
    except NotRecorded:
        return None
    batch, off = _batch_size(e), misfits(e)
    if batch is None or batch < FEWEST_TAILS or len(share) < FEWEST_GRAINS or off is None or not e.holds(off):
        return None
    usual = trends.middle(share.to_numpy(dtype=float))
    if usual < OUTWEIGHED:
        return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"in most batches of the reals a single value makes {usual:.0%} of all their scatter (limit: {OUTWEIGHED:.0%}), and the fakes are "
        "plainly no reals",
        cause="the data have tails as heavy as a Cauchy's: whichever outlier is in the batch decides the gradient",
        remedies=(
            "transform the data before the game (asinh, log, ranks, quantiles) and the samples back after it",
            "look whether the outliers are faults of the data, and clip them",
        ),
        series=("real_peak_share", "real_max", "real_min"),
        onset=int(share.index[0]),
        kind="outliers",
    )


def _standardised_by_batch(e: Evidence) -> Finding | None:
    """Reals and fakes of a table whose columns have, in every single batch, the mean 0 exactly: each batch is standardised by itself."""
    try:
        tables = [e.layers(f"{who}_channel_mean").to_numpy(dtype=float) for who in ("real", "fake")]
        spreads = [e[f"{who}_sd"].dropna().to_numpy(dtype=float) for who in ("real", "fake")]
    except NotRecorded:
        return None
    for means, sd in zip(tables, spreads):
        known = means[np.isfinite(means).all(axis=1)]
        if len(known) < FEWEST_MEANS // 2 or known.shape[1] < 2 or not len(sd) or not np.median(sd) > 0:
            return None
        if np.mean(np.abs(known).max(axis=1) < ROUNDING * np.median(sd)) < e.limits.force_share:
            return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"each of {tables[0].shape[1]} columns has the mean 0 to {ROUNDING:g} of its spread in every batch of reals and of fakes (limit: chance)",
        cause="reals and fakes are each standardised by their own batch before D sees them: where they lie, and how wide, is lost",
        remedies=(
            "standardise once, by the training set's means and deviations, the reals alone; G learns to give standardised samples",
        ),
        series=("real_channel_mean", "fake_channel_mean"),
        onset=int(e["real_min"].index[0]),
        kind="standardised by batch",
    )


def _channel_order(e: Evidence) -> Finding | None:
    """Reals that D was shown with their channels in another order than those that were kept for the eye and for scoring."""
    found = channels_swapped(e)
    if found is None:
        return None
    order, as_is, best = found
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"the channels of the reals that D sees are {as_is:.2g} of their spread away from those of the kept reals, and {best:.2g} in the order "
        f"{', '.join(map(str, order))} (limit: 0.5)",
        cause="D is shown the channels in another order than samples are displayed and scored in: BGR against RGB",
        remedies=(f"bring the channels of the reals to one order where they are read: x[:, {list(order)}]",),
        series=("real_channel_mean",),
        onset=int(e["real_min"].index[0]),
        kind="channel order",
    )

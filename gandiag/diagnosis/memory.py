"""Checks of learning by heart: discriminator_overfitting and memorisation."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.pooled import different_reals
from gandiag.diagnosis.progress import quality
from gandiag.diagnosis.remedies import augment
from gandiag.errors import NotRecorded

MEMORY_SHARE = 0.5  # of D's advantage over chance that held-out reals do not show
FEWEST_BATCHES = 30  # pairs of consecutive batches before their collisions tell how many samples there are
VALUES_MEET = 3.0  # times as often as samples do, that values of continuous data coincide at most
TOLD_AUC = 0.6  # below it D does not tell its few reals from the fakes: then they are what the data are, and the generator has learned them
KNOWN_AUC = 0.9  # of a D that knows its few reals by heart; 32 digits read .97 to .99 (benchmark)


def discriminator_overfitting(run: Recorded) -> Finding:
    """Finds a discriminator that knows its training reals: its AUC falls on held-out reals. r_t and r_v never decide (critics, 0/0)."""
    e = evidence(run)
    if "auc_gap" not in e and (few := few_data(e)) is not None:
        return few
    gap = e["auc_gap"]
    e.need_steps()
    gap = gap[np.isfinite(gap.to_numpy(dtype=float))]
    if not len(gap):
        raise CannotTell("the AUC gap was never finite")
    at, values = gap.index.to_numpy(), gap.to_numpy(dtype=float)
    sd = e["auc_gap_sd"].reindex(gap.index).to_numpy(dtype=float) if "auc_gap_sd" in e else np.full(len(values), np.nan)
    late = slice(-max(3, round(e.limits.tail_share * len(values))), None)
    now = float(np.nanmedian(values[late]))
    noise = (
        float(np.nanmedian(sd[late])) / np.sqrt(len(values[late]))
        if np.isfinite(sd[late]).any()
        else trends.robust_sd(values[late])
    )
    harm = _harm(e)
    limit = f"limits: {e.limits.overfit_gap:g}, {e.limits.overfit_gap_alone:g} alone, and {e.limits.overfit_sds:g} sd of {noise:.2g}"
    claim = f"AUC is {now:.3f} higher on training reals than on held-out ones ({limit})" + (
        f", and {harm}" if harm else ""
    )
    series = tuple(s for s in ("auc_gap", "heldout_auc", "discriminator_auc", "nearest_real_distance") if s in e)
    sure = now > e.limits.overfit_sds * noise
    if not sure or now < (e.limits.overfit_gap if harm else e.limits.overfit_gap_alone):
        return Finding("discriminator_overfitting", Verdict.HEALTHY, claim, series=series)
    first = trends.onset(values > e.limits.overfit_gap)
    failed = now > e.limits.overfit_gap_alone and (harm != "" or _mostly_memory(e, now))
    return Finding(
        "discriminator_overfitting",
        Verdict.FAILED if failed else Verdict.SUSPECT,
        claim,
        cause="the data are too few for this discriminator",
        remedies=_more_data(e),
        series=series,
        onset=None if first is None else int(at[first]),
    )


def few_data(e: Evidence) -> Finding | None:
    """Without held-out scores: data so few, shown so often, that D can only know them by heart."""
    count, known = (e.about.get("data") or {}).get("count"), True
    if counted := not isinstance(count, int) or count < 2:
        count = _count_by_collisions(e)
        known = count is not None and trends.tail_middle(e.auc(), e.limits.tail_share) >= KNOWN_AUC
    if count is None or "images_seen" not in e or e.single_point:
        return None
    e.need_steps()
    times = float(e["images_seen"].iloc[-1]) / count
    often = e.limits.shown_often / _sooner(e, counted=counted) if known else e.limits.shown_often
    if count > e.limits.few_samples or times < often or one_too_often(e) is not None:
        return None
    limit = f"limits: {e.limits.few_samples} samples, {often:g} times"
    return Finding(
        "discriminator_overfitting",
        Verdict.FAILED
        if (known or (counted and not _discrete(e, count))) and 4 * count <= e.limits.few_samples
        else Verdict.SUSPECT,
        f"the data are {count} different samples, and D has seen each {times:.0f} times ({limit}); no held-out scores were recorded",
        cause="the data are too few for this discriminator",
        remedies=_more_data(e),
        series=("images_seen",),
        onset=0,
        kind="few samples",
    )


def _discrete(e: Evidence, count: int) -> bool:
    """Whether values coincide far more often than samples do: of one-hot rows, graphs or letters few different samples may be all that there are."""
    repeat = e.now_or_nan("real_batch_repeat")
    return not repeat < VALUES_MEET / count


def _sooner(e: Evidence, *, counted: bool) -> float:
    """How many times sooner than by their number alone D knows a few samples: it is never wrong about them, or hardly ever about counted ones."""
    if trends.tail_middle(e.auc(), e.limits.tail_share) > e.limits.dominance_auc:
        return 4.0
    return 3.0 if counted else 1.0


def one_too_often(e: Evidence) -> float | None:
    """The share of the reals that are one and the same sample, where few different ones cannot explain how often samples meet; None elsewhere.

    N points span N - 1 directions at most, and batches of them have at most N smallest and N largest values, and N points in their sketches: reals
    that show more are many, of which one comes again and again.
    """
    if "real_batch_collision" not in e or e.single_point:
        return None
    share = e["real_batch_collision"].dropna().to_numpy(dtype=float)
    met = float(np.median(share)) if len(share) >= FEWEST_BATCHES else 0.0
    if not met > 0:
        return None
    seen = [len(np.unique(e[name].dropna().to_numpy())) / 2 for name in ("real_min", "real_max") if name in e]
    rank = e.maybe("real_effective_rank")
    most = max([*seen, 0.0 if rank is None else trends.middle(rank) + 1, different_reals(e) / 2])
    return float(np.sqrt(met)) if most > 1 / met else None


def _mostly_memory(e: Evidence, gap: float) -> bool:
    """Whether more than half of D's advantage on its training reals is gone on held-out ones: it knows them, and not what makes them real."""
    try:
        advantage = e.now("heldout_auc") + gap - 0.5
    except NotRecorded:
        return False
    return gap > MEMORY_SHARE * advantage


def _count_by_collisions(e: Evidence) -> int | None:
    """How many different samples the reals are, where consecutive batches share so many that D knows them well; None where that is not seen.

    Samples drawn evenly from N collide with probability 1/N; a loader that shuffles shows them only across the ends of its epochs,
    so that the tenth of the batches with the most decides. Few different samples alone are no illness (a data set may be discrete):
    D must also tell them from the fakes, and nearly all of them for a FAILED.
    """
    if "real_batch_collision" not in e:
        return None
    share = e["real_batch_collision"].to_numpy(dtype=float)
    share = np.sort(share[np.isfinite(share)])
    most = float(np.mean(share[-max(1, len(share) // 10) :])) if len(share) >= FEWEST_BATCHES else 0.0
    count = round(1 / most) if most > 0 else 0
    if not 2 <= count <= e.limits.few_samples // 4 or trends.tail_middle(e.auc(), e.limits.tail_share) < TOLD_AUC:
        return None
    return count


def _harm(e: Evidence) -> str:
    """What the discriminator's memory has done to the samples so far; empty where nothing shows."""
    for name, limit, words in (
        (
            "nearest_real_distance",
            e.limits.near_training,
            "the fakes lie {:.2f} as far from training samples as held-out reals do",
        ),
        ("authenticity", e.limits.authentic, "only {:.0%} of the fakes are authentic"),
    ):
        if name in e:
            values = e[name].to_numpy(dtype=float)
            now = trends.middle(values[-max(2, round(e.limits.tail_share * len(values))) :])
            if now < limit:
                return words.format(now)
    try:
        name, _, scores = quality(e)
    except (NotRecorded, CannotTell):
        return ""
    late = float(np.median(scores[-max(3, round(e.limits.tail_share * len(scores))) :]))
    best = float(np.min(scores))
    return f"{name} is {late:.3g} after a best of {best:.3g}" if best > 0 and late > e.limits.past_best * best else ""


def _more_data(e: Evidence) -> tuple[str, ...]:
    return (*augment(e), "train on more samples", "stop at the best held-out score")


def memorisation(run: Recorded) -> Finding:
    """Finds a generator that copies its training samples: two of the C_T test, authenticity and nearest distances must agree."""
    e = evidence(run)
    signs: list[tuple[bool, str, str]] = []
    for name, limit, word in (
        ("copying_z", e.limits.copying_z, "C_T"),
        ("nearest_real_distance", e.limits.copying_distance, "nearest-training-sample distance"),
    ):
        if name in e:
            values = e[name].to_numpy(dtype=float)
            now = trends.middle(values[-max(2, round(e.limits.tail_share * len(values))) :])
            signs.append((now < limit, f"{word} is {now:.3g} (limit: {limit:g})", name))
    if "authenticity" in e:
        values = e["authenticity"].to_numpy(dtype=float)
        now = trends.middle(values[-max(2, round(e.limits.tail_share * len(values))) :])
        signs.append((now < e.limits.copied, f"authenticity is {now:.2f} (limit: {e.limits.copied:g})", "authenticity"))
    if not signs:
        raise NotRecorded("copying_z, nearest_real_distance or authenticity")
    e.need_steps()
    claim = ", ".join(text for _, text, _ in signs)
    series = tuple(name for _, _, name in signs)
    yes = sum(bad for bad, _, _ in signs)
    if not yes:
        return Finding("memorisation", Verdict.HEALTHY, claim, series=series)
    verdict = Verdict.FAILED if yes >= 2 else Verdict.SUSPECT
    first = next(name for bad, _, name in signs if bad)
    return Finding(
        "memorisation",
        verdict,
        claim,
        cause="the generator gives its training samples back",
        remedies=_more_data(e),
        series=series,
        onset=_onset(e, first),
    )


def _onset(e: Evidence, name: str) -> int | None:
    limit = {
        "copying_z": e.limits.copying_z,
        "nearest_real_distance": e.limits.copying_distance,
        "authenticity": e.limits.copied,
    }[name]
    series = e[name]
    first = trends.onset(series.to_numpy(dtype=float) < limit)
    return None if first is None else int(series.index[first])

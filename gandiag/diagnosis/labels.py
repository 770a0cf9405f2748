"""Labels that do not match: of reals that they do not belong to, classes that are never asked for, fakes that do not heed theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.fakes import misfits
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.pictures import agreement_of_fakes, agreement_of_reals, kept

CLASSES_NEED, KEPT_NEEDED = 0.5, 3  # of the planned steps; kept batches of fakes where no plan is known
# sd above chance from which on the fakes may already heed their classes; 4 are needed to say that they do
PERHAPS = 2.0
UNRELATED = 3.0  # sd above chance, up to which labels say nothing: of a thousand shuffles one lies beyond
PAIRS_NEEDED = 250  # of one half by chance: of two classes and more labels need twice as many
OWN = 0.9  # of the way from half by chance to all: some drop a condition now and then on purpose
CLASSES = 0.005  # of the pairs of neighbours, that must have the same condition: what never comes twice may be another thing in either net
NEVER_SHOWN = 0.25  # of the labels asked for: rare classes of long tails may be asked for as often as others
NEVER = 15.0  # times that a class was due and never came: by chance once in three million


def _labels_of_reals(e: Evidence) -> Finding | None:
    """Labels that say no more of their samples than chance, by five hundred samples, of which most classes show something."""
    looks = _looks(e)
    for since, (share, chance, count) in looks:
        limit = _beyond(chance, count, e.limits.label_sds)
        if count < e.limits.label_samples or share > limit or limit >= 1:
            continue
        at_first = f" from step {since} on, after {looks[0][1][0]:.1%} at first" if since else ""
        return Finding(
            "data_mismatch",
            # classes that hardly show in the samples are above chance, by little
            Verdict.FAILED if _uses_labels(e) and share <= _beyond(chance, count, UNRELATED) else Verdict.SUSPECT,
            f"a near neighbour of a real has its label in {share:.1%} of {count:.0f} samples{at_first}, by chance it were {chance:.1%} "
            f"(limit: above {limit:.1%})",
            cause="the labels do not belong to the samples: they were shuffled or shifted on the way",
            remedies=(
                "look at a few samples beside their labels; shuffle both with the same permutation, at each pass",
            ),
            onset=since,
            kind="labels",
        )
    return None


def _beyond(chance: float, count: float, sds: float) -> float:
    """The share of so many that lies this many standard deviations above chance."""
    return chance + sds * float(np.sqrt(chance * (1 - chance) / max(count, 1)))


def _looks(e: Evidence) -> list[tuple[int, tuple[float, float, float]]]:
    """Returns from which step on it was looked whether labels belong to their reals, and what was seen: at first, and late in the run."""
    first = _label_agreement(e)
    if first is None:
        return []
    told = _shown_labels(e).get("later_agreement")
    later, since = _read(told), told.get("since") if isinstance(told, dict) else None
    return [(0, first)] + ([(since, later)] if later is not None and isinstance(since, int) else [])


def _label_agreement(e: Evidence) -> tuple[float, float, float] | None:
    """Returns how often a real has the label of its nearest neighbour, that by chance, and of how many: as run.json or the kept reals tell."""
    data = e.about.get("data")
    for told in (data.get("label_agreement") if isinstance(data, dict) else None, _shown_labels(e).get("agreement")):
        if (found := _read(told)) is not None:
            return found
    seen = agreement_of_reals(e)
    return None if seen is None else (seen.share, seen.chance, float(seen.count))


def _read(told: Any) -> tuple[float, float, float] | None:
    """Reads an agreement as run.json has it: share, chance, count."""
    if isinstance(told, dict) and all(isinstance(told.get(k), int | float) for k in ("share", "chance", "count")):
        return float(told["share"]), float(told["chance"]), float(told["count"])
    return None


def _uses_labels(e: Evidence) -> bool:
    """Whether the players are given labels: run.json says so, or fakes were kept with those that were asked for."""
    fakes = kept(e, "fake")
    return bool(e.config.get("conditional") or _shown_labels(e) or (fakes is not None and "labels" in fakes))


def _shown_labels(e: Evidence) -> dict[str, Any]:
    """What the recorder kept of the labels that D was given beside its batches."""
    given = e.about.get("labels")
    return given if isinstance(given, dict) else {}


def _counts(e: Evidence) -> tuple[dict[str, int], dict[str, int]] | None:
    """How often each class came among the first reals, and was asked of the first fakes; None where that was not seen."""
    told = _shown_labels(e).get("counts")
    found = []
    for who in ("real", "fake"):
        table = told.get(who) if isinstance(told, dict) else None
        counted = {k: n for k, n in table.items() if isinstance(n, int) and n > 0} if isinstance(table, dict) else {}
        found.append(counted)
    return (found[0], found[1]) if all(found) else None


def _classes_never_asked(e: Evidence) -> Finding | None:
    """Classes that D is shown reals of, and that are never asked of the generator."""
    if (counts := _counts(e)) is None:
        return None
    real, fake = counts
    of_reals, of_fakes = sum(real.values()), sum(fake.values())
    due = {name: of_fakes * count / of_reals for name, count in real.items() if name not in fake}
    never = {name: n for name, n in due.items() if n > NEVER}
    if not never:
        return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"of {len(real)} classes of the reals {len(never)} are never asked of the generator in {of_fakes} labels: class "
        f"{', '.join(sorted(never)[:5])}, due {min(never.values()):.0f} times at least (limit: {NEVER:g})",
        cause="the labels of the fakes are drawn from fewer classes than the data have: an end that is left out (randint), say",
        remedies=("draw the labels of the fakes from all classes: torch.randint leaves out its end by itself",),
        onset=0,
        kind="labels",
    )


def _classes_never_shown(e: Evidence) -> Finding | None:
    """Classes that are asked of the generator, a good part of all that is asked, and that D is never shown a real of."""
    if (counts := _counts(e)) is None:
        return None
    real, fake = counts
    of_reals, of_fakes = sum(real.values()), sum(fake.values())
    never = {name: n for name, n in fake.items() if name not in real and of_reals * n / of_fakes > NEVER}
    share = sum(never.values()) / of_fakes
    if share < NEVER_SHOWN:
        return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"{share:.0%} of {of_fakes} labels that the generator is asked for are classes of which D was shown none in {of_reals} reals: class "
        f"{', '.join(sorted(never)[:5])} (limit: {NEVER_SHOWN:.0%})",
        cause="the labels beside the reals are not theirs: one for all, or counted otherwise than the fakes'",
        remedies=("look at a few reals beside their labels, and at how the labels of the fakes are drawn",),
        onset=0,
        kind="labels",
    )


def _labels_of_fakes(e: Evidence) -> Finding | None:
    """Fakes that are not of the class that was asked for, although the reals' labels do belong to them."""
    if _classes_may_come(e):
        return None
    reals, fakes = agreement_of_reals(e), agreement_of_fakes(e)
    if reals is None or fakes is None or not reals.seen or fakes.seen or poor_samples(e):
        return None
    if e.going_on and fakes.share > fakes.chance + PERHAPS * fakes.sd:
        return None  # it begins to heed them
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"{fakes.share:.0%} of {fakes.count} fakes are nearest to a real of the class that was asked for, {reals.share:.0%} of the reals to one of "
        f"their own (limit: above {fakes.chance + 4 * fakes.sd:.0%}, chance is {fakes.chance:.0%})",
        cause="the labels that the players are given do not belong to the reals beside them, or D does not look at them",
        remedies=("look whether D is given the labels of the very batch that it is shown",),
        onset=0,
        kind="labels",
    )


def _classes_may_come(e: Evidence) -> bool:
    """Whether a run that is going on is too young: a generator heeds its classes well after its samples look like reals.

    A healthy one of digits was at chance after two fifths of its run. Judged from half of the plan on, or of the third kept batch without one.
    """
    if not e.going_on:
        return False
    planned = e.about.get("steps_planned")
    if isinstance(planned, int):
        return e.steps < CLASSES_NEED * planned
    run: Any = e.run
    return len(run.sample_steps("fake")) < KEPT_NEEDED if hasattr(run, "sample_steps") else True


def poor_samples(e: Evidence) -> bool:
    """Whether the fakes are plainly no reals at the end: then nothing can be said of their classes."""
    off = misfits(e)
    return off is not None and e.holds(off)


def _judged_as_others(e: Evidence) -> Finding | None:
    """Fakes that D judges under other conditions than they were made for, in either turn."""
    told = e.about.get("conditions")
    for turn in ("generator", "discriminator"):
        found = told.get(turn) if isinstance(told, dict) else None
        if not isinstance(found, dict) or not all(isinstance(found.get(k), int | float) for k in ("share", "chance")):
            continue
        share, chance = float(found["share"]), float(found["chance"])
        limit = OWN * (1 + chance) / 2
        if share >= limit or chance < CLASSES:
            continue
        return Finding(
            "data_mismatch",
            Verdict.FAILED if turn == "generator" else Verdict.SUSPECT,
            f"in the {turn}'s turn {share:.1%} of the fakes are judged under the condition that they were made for, {chance:.1%} under another's "
            f"(limit: {limit:.0%})",
            cause="the condition (label, code) that D is given beside a fake is not the one that G made it for: the batch's own, say, or drawn anew",
            remedies=("give D, beside the fakes, the very tensor that G was given: fake = G(z, y); D(fake, y)",),
            onset=0,
            kind="conditions",
        )
    return None


def _pairs_apart(e: Evidence) -> Finding | None:
    """What D is given beside the reals (source images, measurements) that tells nothing of them, while the fakes are plainly no reals."""
    told = _read(e.about.get("beside"))
    if told is None or not poor_samples(e):
        return None  # of a condition that means little the game may do without
    share, chance, count = told
    limit = _beyond(chance, count, UNRELATED)
    if count < PAIRS_NEEDED or share > limit:
        return None
    return Finding(
        "data_mismatch",
        Verdict.FAILED,
        f"of {count:.0f} reals {share:.1%} lie nearer to the one with the nearest condition than to one drawn blindly, by chance {chance:.0%} "
        f"(limit: above {limit:.1%}), and the fakes are plainly no reals",
        cause="what D is given beside a real (source image, measurement) does not belong to it: pairs were taken apart on the way",
        remedies=("look at a few pairs side by side; read and shuffle both halves of a pair together, by one loader",),
        onset=0,
        kind="pairs",
    )


LOOKS: tuple[Callable[[Evidence], Finding | None], ...] = (
    _labels_of_reals,
    _pairs_apart,
    _judged_as_others,
    _classes_never_asked,
    _classes_never_shown,
    _labels_of_fakes,
)

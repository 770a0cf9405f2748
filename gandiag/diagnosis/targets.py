"""What the players are given: D's labels, read off the forces on its scores, reals at all, and new latents for G in every step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.deadness import dead_player
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.fakes import SAME_FAKES, never_differ, wander
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.forces import WHOLE
from gandiag.errors import NotRecorded
from gandiag.quantities import QUANTILES

FEWEST = 50  # steps that must show it
FEWEST_BATCHES = 10  # looks at the fakes
POINTS = 0.1  # of the reals' diversity
STALE = 0.3  # energy coefficient: fakes of a few steps ago, or with noise, are one distribution
ALL_OF_IT = 0.99  # of the generator's gradient
FEW_LATENTS = 128  # so many and fewer are a batch; more may be a small training's whole population, on purpose
# Between D's two labels: 1 where they are hard, .8 smoothed on both sides, .4 with three in ten turned round by chance.
APART = 0.15
FELT = 0.01  # a force: noise on labels pushes by its share
DRIFTED = 0.3  # of labels that were hard: a third of them turned round leaves .34
OUTSIDE = 0.05  # by which a label may lie outside [0, 1]: what lies farther is that of another loss
ON_THE_WHOLE = 0.3  # of their size, that the forces sum up to: labels by lot leave a tenth
ONE_WAY = 0.999  # of a force's size: a batch with a real in it is pulled both ways


def same_labels(e: Evidence) -> Finding | None:
    """A logistic D whose labels of reals and of fakes are the same, or are drawn by lot: it cannot learn to tell them.

    The force of this loss on a score l is t - sigmoid(l): with the mean probability, the label t is known at every step.
    """
    if any(r.get("event") == "vector_verdicts" for r in e.records("events")):
        return None  # several numbers for a sample are features, which a logistic loss does not read
    real, fake = labels_of_loss(e)
    known = np.isfinite(real) & np.isfinite(fake)
    real, fake = real[known], fake[known]
    if len(real) < FEWEST:
        return None
    steps = e["discriminator_force_on_real"].index.to_numpy()
    both = np.stack([real, fake])
    logistic = np.asarray(((both > -OUTSIDE) & (both < 1 + OUTSIDE)).all(axis=0))
    if not _pushes(e):
        return None
    alike = logistic & (np.abs(real - fake) < APART)
    if not np.mean(alike) >= e.limits.force_share or _apart(e):
        return _labels_that_drift(e, steps, real, fake, logistic) if len(steps) == len(known) and known.all() else None
    up, down = float(np.median(real)), float(np.median(fake))
    by_lot = float(np.std(real)) > APART / 5
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"D's loss pulls reals to {up:.2f} and fakes to {down:.2f} (limit: {APART:g} apart), in {np.mean(logistic):.0%} of {len(real)} steps",
        cause="D's labels are drawn anew for each batch, and say nothing of what it is shown"
        if by_lot
        else "D's loss has one label for reals and fakes: it is not asked to tell them apart",
        remedies=("give D's loss the label 1 (or .9) for reals and 0 for its fakes",),
        series=("discriminator_force_on_real", "discriminator_force_on_fake", "generator_saturation"),
        onset=0,
        kind="same labels",
    )


def _labels_that_drift(
    e: Evidence, steps: np.ndarray, real: np.ndarray, fake: np.ndarray, logistic: np.ndarray
) -> Finding | None:
    """Labels that differed and come together, or change sides, from some step on till the end: noise on labels that grows, a swap by degrees."""
    window = np.clip(np.searchsorted(e.edges, steps, side="right") - 1, 0, len(e.edges) - 2)
    count = np.bincount(window, minlength=len(e.edges) - 1)
    apart = np.where(count > 0, np.bincount(window, real - fake, len(e.edges) - 1) / np.maximum(count, 1), np.nan)
    state = np.nan_to_num(apart, nan=1.0) < DRIFTED
    first = trends.onset(state)
    if np.mean(logistic) < e.limits.force_share or first is None or not e.holds(state):
        return None
    if first < max(2, round(e.limits.sustained_share * len(state))) or not trends.middle(apart[:first]) > 2 * DRIFTED:
        return None
    sizes = [
        trends.tail_middle(e.level(f"discriminator_force_size_on_{side}"), e.limits.tail_share)
        for side in ("real", "fake")
    ]
    if not max(sizes) > FELT:
        return None  # a loss whose logarithm is kept from 0 by a small number pushes nothing where D is sure: no label is to be read off that
    at = int(e.edges[first])
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"D's labels of reals and fakes were {trends.middle(apart[:first]):.2f} apart, are less than {DRIFTED:g} apart since step {at} (the limit), "
        f"and {trends.tail_middle(apart, e.limits.tail_share):.2f} now",
        cause="the noise on D's labels grows until they say little or the opposite",
        remedies=("keep the share of labels that are turned round below a tenth, and let it fall",),
        series=("discriminator_force_on_real", "discriminator_force_on_fake", "generator_saturation"),
        onset=at,
        kind="same labels",
    )


def _pushes(e: Evidence) -> bool:
    """Whether D's forces are more than rounding: scores that a softmax ties together push to nothing in sum."""
    for what in ("real", "fake"):
        force, size = (e[f"discriminator_force{s}_on_{what}"].to_numpy(dtype=float) for s in ("", "_size"))
        if not np.nanmedian(np.abs(force)) > WHOLE * np.nanmedian(size):
            return False
    return True


def _apart(e: Evidence) -> bool:
    """Whether D pushes reals and fakes apart on the whole: then its labels differ, however small a weight its loss has."""
    shares = []
    for what in ("real", "fake"):
        force, size = (e[f"discriminator_force{s}_on_{what}"].to_numpy(dtype=float) for s in ("", "_size"))
        shares.append(float(np.nansum(force) / max(np.nansum(size), 1e-300)))
    return shares[0] * shares[1] < 0 and min(map(abs, shares)) > ON_THE_WHOLE


def labels_of_loss(e: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """The label that D's loss has for reals and for fakes at every step, as if it were logistic and counted each sample once."""
    names = ("discriminator_force_on_real", "discriminator_force_on_fake", "generator_saturation")
    quantiles = [f"real_logit_q{q:02d}" for q in QUANTILES]
    series = [e[name] for name in (*names, *quantiles)]
    steps = series[0].index
    for one in series[1:]:
        steps = steps.intersection(one.index)
    up, down, fakes, *levels = (one.loc[steps].to_numpy(dtype=float) for one in series)
    at = np.array(QUANTILES) / 100
    edges = np.concatenate([[0.0], (at[1:] + at[:-1]) / 2, [1.0]])
    with np.errstate(over="ignore"):
        reals = sum(share / (1 + np.exp(-level)) for share, level in zip(np.diff(edges), levels))
    return np.asarray(up + reals), np.asarray(down + fakes)


def never_shown_reals(e: Evidence) -> Finding | None:
    """A discriminator whose every verdict is on fakes: no batch of reals takes part in any of its updates."""
    if any(n in e for n in ("real_logit_mean", "discriminator_force_on_real", "real_mean")):
        return None
    force, size = e["discriminator_force_on_fake"].dropna(), e["discriminator_force_size_on_fake"].dropna()
    both = force.index.intersection(size.index)
    pushed = size.loc[both].to_numpy(dtype=float)
    one_way = np.abs(force.loc[both].to_numpy(dtype=float)) >= ONE_WAY * pushed
    if len(both) < FEWEST or not np.any(pushed > 0) or np.mean(one_way) < e.limits.force_share:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"all that D was shown in {len(both)} steps came from the generator, and was pushed one way in {np.mean(one_way):.0%} of them "
        f"(limit: reals in every step)",
        cause="D is trained without reals: what is like the data does not come into the game",
        remedies=(
            "give D's loss a batch of reals in each of its updates",
            "look whether the reals are replaced by fakes",
        ),
        series=("discriminator_force_on_fake", "discriminator_updates"),
        onset=int(both[0]),
        kind="no reals",
    )


def same_latents(e: Evidence) -> Finding | None:
    """A generator that is fed one and the same batch at every step of its training."""
    fed = e.about.get("same_latents")
    if e.single_point:
        return None  # of a Dirac-GAN all samples are one
    if not isinstance(fed, dict) or not isinstance(count := fed.get("samples"), int):
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED if count <= FEW_LATENTS else Verdict.SUSPECT,
        f"the generator was fed the same {count} latents in each of the first {fed.get('steps')} steps (limit: others in every step)",
        cause="the latents are drawn once, outside the loop: the generator learns these samples, and nothing in between",
        remedies=("draw new latents in every step of both players",),
        series=tuple(n for n in ("fake_batch_repeat", "diversity_ratio") if n in e),
        onset=0,
        kind="same latents",
    )


def stale_fakes(e: Evidence) -> Finding | None:
    """A discriminator that is shown others than the generator's present fakes: a buffer that nobody refreshes, or another network's."""
    try:
        energy = e["shown_fake_energy"].dropna()
    except NotRecorded:
        return None
    values, fewest = energy.to_numpy(dtype=float), FEWEST_BATCHES // 2
    late = values[-max(fewest, len(values) // 3) :]
    first = trends.onset(values > STALE, patience=1)
    if len(values) < fewest or not (late > STALE).all() or first is None or _leaves_itself(e):
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"the fakes that D was shown and those that G makes have an energy coefficient of {np.median(late):.2g} (limit: {STALE:g}) since step "
        f"{int(energy.index[first])}",
        cause="D is trained on other fakes than G makes: a replay buffer that is never refreshed, a file of old samples, another generator",
        remedies=(
            "give D the generator's present fakes, at least in half of its batch",
            "let each new fake take a place in the buffer, and draw the place by chance",
        ),
        series=("shown_fake_energy",),
        onset=int(energy.index[first]),
        kind="stale fakes",
    )


def _leaves_itself(e: Evidence) -> bool:
    """Whether G's fakes are so narrow, or hop so far beside their own spread, that an update parts them from those that D was shown just before."""
    ratio, hops = e.maybe("diversity_ratio"), wander(e)
    if ratio is None:
        return False
    spread = trends.tail_middle(ratio, e.limits.tail_share)
    return spread < POINTS or (
        hops is not None and trends.tail_middle(hops, e.limits.tail_share) > max(spread, e.limits.hop)
    )


def one_latent(e: Evidence) -> Finding | None:
    """Fakes of a batch that are one and the same from the first step on: a generator that has not learned anything draws different ones."""
    ratio = e["diversity_ratio"].dropna()
    if len(ratio) < FEWEST_BATCHES or e.single_point or dead_player(e) is not None:
        return None
    if not (never_differ(e) and e.now_or_nan("real_pairwise_distance") > 0):
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"the fakes of a batch are one and the same in all of {len(ratio)} looks, from step {int(ratio.index[0])} on (limit: {SAME_FAKES:g} of the "
        "reals' distance)",
        cause="all fakes of a batch are drawn from one latent, or G does not pass its latent on",
        remedies=("draw a latent for each sample: torch.randn(n, dim), and look whether it is thrown away",),
        series=("diversity_ratio",),
        onset=int(ratio.index[0]),
        kind="one latent",
    )


def unjudged_class(e: Evidence) -> Finding | None:
    """Classes that the generator is told, and that neither the discriminator nor another loss holds it to."""
    told = e.about.get("unjudged")
    count = told.get("classes") if isinstance(told, dict) else None
    share = e["generator_game_share"].dropna().to_numpy(dtype=float)
    if not isinstance(count, int | float) or not len(share) or trends.tail_middle(share, 0.5) < ALL_OF_IT:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"the generator is told one of {count:.0f} classes for each sample; the discriminator is given the sample alone and returns one score, and "
        f"{trends.tail_middle(share, 0.5):.2g} of the generator's gradient comes through it (limit: {ALL_OF_IT:g})",
        cause="nothing tells the generator whether a sample is of its class: it learns to pass the condition over",
        remedies=(
            "give D the label beside the sample, of reals and of fakes: D(x, y) with an embedding, a projection or one more channel",
            "add a loss on the class (ACGAN)",
        ),
        series=("generator_game_share",),
        onset=0,
        kind="unjudged condition",
    )


LOOKS: tuple[Callable[[Evidence], Finding | None], ...] = (
    same_labels,
    never_shown_reals,
    same_latents,
    stale_fakes,
    one_latent,
    unjudged_class,
)

"""Limits: every threshold of the checks, by name, with its source; a TOML file may change any of them."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gandiag.errors import UsageError, did_you_mean

# "benchmark" = set on the calibration seeds of benchmarks/diagnosis.py; "ground truth" = published and derived numbers, cited in docs/diagnosis.md.


@dataclass(frozen=True)
class Limits:
    """Every threshold of the checks; names begin with what they limit."""

    # how much of a run must be there
    steps_needed: int = 300  # below, only what is certain at once (NaN, forces, ranges) is judged: healthy GANs need ~250 to cover a ring (H1)
    planned_needed: float = 0.2  # ... and, while a run is going on, this share of the steps that were planned
    # while a run is going on, modes that were never there are missed only after so many evaluations: judged by two, of which one
    # is of the untrained generator, healthy runs of digits were suspected at step 499 (seeds 0 and 2) or failed (seed 1)
    young_evaluations: int = 6
    sustained_steps: int = 100  # "now" is at least so many steps
    blocks: int = 200  # a run is judged on this many stretches: 0.5 % of the run each, well below the 3 % that an onset may be off
    block_rows: int = 5  # fewest rows in a stretch whose median is taken
    tail_share: float = 0.2  # "now" is the last fifth of the run
    sustained_share: float = 0.1  # a state counts when it lasts a tenth of the run or longer

    # divergence, relative to the run's own usual level
    # of two kinds of series at once, over their own past (H3's gradients are large, but always were)
    divergence_growth: float = 30.0
    divergence_growth_alone: float = 1000.0  # of one kind alone: E3's D loss went from 1 to 1280
    # (|fake mean - real mean| or fake sd) over real sd: P9 ran to |x| = 612 on a ring of radius 1
    fake_range: float = 4.0

    # mode collapse and dropping
    covered_share: float = 0.5  # at most half of the modes with 20 samples each: the label of ground truth
    covered_surely: float = 0.8  # of the modes, above which narrow batches alone are no collapse
    samples_near: float = 0.3  # of the samples near a mode, or precision, below which a count of modes says little
    # fakes' pairwise distance over the reals'; slow healthy MLPs were seen at .13 to .60 (ground truth)
    diversity_ratio: float = 0.1
    diversity_ratio_total: float = 0.02  # one point: fault 4 stays at .016
    rank_ratio: float = 0.35  # (fakes' effective rank - 1) over (reals' - 1)
    # of the diversity ratio, and its inverse above: healthy runs ended at .95 to 1.02 (benchmark)
    misfit_ratio: float = 0.5
    misfit_energy: float = 0.2  # energy coefficient: healthy strangers ended below .18, sick ones mostly at .2 to 1
    # energy coefficient of a single column, less what chance may add, and roughness of the fakes over the reals', or its inverse: healthy
    # strangers ended below .06 and at .66 to 1.81 (benchmarks.ends); of a column that holds all values of an image, whose grey levels no tanh
    # gives exactly, digits ended at up to .40, of convolutional pairs after 500 steps at up to .59
    misfit_column: float = 0.12
    misfit_channel: float = 0.65
    misfit_roughness: float = 2.2
    misfit_distance: float = 0.3  # sd of the reals between the means: healthy runs ended below .1 (benchmark)
    # a generator that hops also lacks directions or distance; healthy runs ended above .8 (benchmark)
    hop_rank: float = 0.75
    # sd of the logarithm of the fakes' spread within a twentieth of the run: healthy runs ended at .02 to .03, slow learners at .08,
    # ones at fifty times their rate at .19 to .31 (benchmark)
    restless: float = 0.15
    hop: float = 0.25  # how far the fakes' mean wanders between batches, in sd of the reals: rotation

    # balance of the players
    dominance_auc: float = 0.99  # AUC above .99 with a failing G = overpowering (ground truth); never judged alone
    # ... or above this, where the fakes also lie far from the reals and lack diversity (P5 read .990 to .993)
    near_dominance_auc: float = 0.95
    dominance_gap: float = 8.0  # logits between reals and fakes: sigmoid(-4) = .018 on each side
    vanished_gradient: float = 1e-3  # of the generator's own early gradient norm: P6 fell to 4.6e-8
    faint_gradient: float = 3e-2
    saturated: float = 1e-3  # the weight sigma(l) that the saturating loss leaves to G
    weak_auc: float = 0.45  # below one half for long: D is inverted or stands still (P10 read .10)
    blind_auc: float = 0.65  # D cannot tell fakes that are plainly different (P1 and P9 read .49 to .63)
    hardly_good: float = 0.1  # of the samples near a mode, or precision: the label of ground truth; healthy runs ended above .3 (benchmark)
    # of the generator's update ratio; the healthy pairs were at .6 to 2, the rotating ones at .017 to .1 (benchmark)
    slow_discriminator: float = 0.01
    standing_generator: float = 0.02  # of D's update ratio, below which the generator stands still beside it
    outrun: float = 0.1  # of the generator's update ratio, below which what goes wrong is put down to the imbalance
    small_discriminator: float = 0.03  # of the generator's parameters: P9's 17 against 18 000 are .001
    overfit_gap: float = 0.1  # AUC on training reals minus AUC on held-out reals, where the samples show harm too
    # ... and where they do not: the healthy default run ends at .09 to .16 while its scores still improve
    overfit_gap_alone: float = 0.25
    near_training: float = 0.7  # median distance of fakes to the nearest training sample over that of held-out reals; healthy runs end above 1
    # share of authentic fakes; healthy: .4 in 2-D to .8 in 64-D (ground truth), .66 in the default run
    authentic: float = 0.35
    copied: float = 0.2  # share of authentic fakes below which they are copies; 32 memorised digits read .07
    overfit_sds: float = 4.0  # ... and so many standard deviations of the gap under the null
    few_samples: int = 256  # training samples that any discriminator knows by heart, shown often enough; failed at a quarter of it (P8 had 32)
    shown_often: float = 1000.0  # times that each was shown
    copying_z: float = -5.0  # C_T: null sd is 1.02 (ground truth); copies reach -27
    copying_distance: float = 0.5  # median distance of fakes to the nearest training sample over that of held-out reals
    missing_share: float = 0.1  # a mode with less than a tenth of its due share is missing
    missing_modes: float = 0.15  # of the modes missing: more than one of ten classes
    # ... of clusters that were made of the reals that passed by: some are but corners of the noise that D was shown at first (exam)
    missing_clusters: float = 0.25
    # distance of a real to the nearest fake, over that to the nearest real, and over that of a fake to the nearest real: 57 controls of
    # seed 10 ended at up to 3.9 (the next 2.8) and 2.2, but for one that had lost modes, at 16 and 11 (benchmarks.ends)
    lonely_reals: float = 5.0
    lonely_ratio: float = 4.0
    # precision and coverage, by five neighbours, of the fakes of many batches together; of one law both are near 1 (tests), and both must be below
    beside_precision: float = 0.2
    beside_coverage: float = 0.25
    lost_apart: float = 0.04  # of the data, in groups that lie apart from all others and are never made

    # the objective
    force_sign: float = 0.9  # |sum of forces| / sum of |forces|: every score is pushed the same way; least squares and smoothed labels stay below
    force_window: int = 10  # steps over which forces are summed
    force_share: float = 0.8  # of the windows that must show the fault
    force_first: int = 200  # steps within which the fault must show and be named

    # steps and weights
    # a step as large as a third of the weights; 1e-3 is usual, .02 healthy on small nets with Adam 1e-3
    update_ratio_high: float = 0.3
    update_ratio_suspect: float = 0.1
    update_ratio_low: float = 1e-7
    dead_gradient: float = 1e-10  # of the player's largest layer
    rank_fall: float = 0.4  # of a weight matrix' own early effective rank
    oscillation: float = 0.5  # amplitude of the fakes' mean in sd of the reals, or of the scores in their own sd
    turns: float = 3.0  # fewer turns are no oscillation

    # scores
    absurd_score: float = 1e7  # no Frechet distance of finite features of usual size comes near
    score_slack: float = 1e-3  # a score may leave its range by rounding, relative to its size

    # data
    range_slack: float = 0.02  # of a standard range such as [-1, 1] or [0, 1]
    touches: float = 0.95  # fakes that reach this near to +-1, and never past it, are held there by a tanh or a sigmoid
    # share of equal values in consecutive real batches; backgrounds of digits alone reach .7
    repeated_batch: float = 0.999

    # no augmentation or sampling that was seen moves the reals so far at one step; [-1, 1] read as [0, 1] moves digits by .9 sd
    data_moved: float = 0.3  # sd of the reals by which their mean leaps
    data_spread: float = 1.5  # fold, by which their sd changes at once

    # with labels: even the classes of small photographs are told by nearness then, by dozens of sds
    label_samples: int = 500
    label_sds: float = 4.0  # above chance, that the labels of nearest neighbours must agree

    # convergence
    past_best: float = 1.5  # the present score over the best one
    stagnant: float = 0.9  # the present score over the first one
    improving: float = 0.05  # a score that still falls by 5 % a fifth of the run is still improving


DEFAULT = Limits()


def load_limits(path: str | os.PathLike[str]) -> Limits:
    """Reads limits from a TOML file of `name = number` lines (a [limits] table is allowed); UsageError on an unknown name or a wrong type."""
    file = Path(path)
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file} is no TOML: {error}") from None
    table = given.get("limits", given)
    if not isinstance(table, dict):
        raise UsageError(f"{file}: `limits` must be a table of name = number")
    return make_limits(table, where=str(file))


def make_limits(given: Mapping[str, Any], *, where: str = "limits") -> Limits:
    """Builds Limits from a mapping of some of its fields; UsageError on an unknown name or a value that is no number."""
    known = {f.name: type(getattr(DEFAULT, f.name)) for f in fields(Limits)}
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"{where}: there is no limit {name!r}{did_you_mean(name, list(known))}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(f"{where}: {name} is {value!r}, a number was expected")
        if not math.isfinite(value) if isinstance(value, float) else abs(value) >= 2**63:
            raise UsageError(f"{where}: {name} is {str(value)[:40]}, a finite number was expected")
        if known[name] is int and (value != int(value) or value < 1):
            raise UsageError(f"{where}: {name} is {value}, a whole number of at least 1 was expected")
        if value * getattr(DEFAULT, name) < 0:
            raise UsageError(
                f"{where}: {name} is {value}, a number of the sign of {getattr(DEFAULT, name):g} was expected"
            )
    return Limits(**{name: known[name](value) for name, value in given.items()})

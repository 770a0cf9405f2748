"""Whether D is the same function in the generator's turn as in its own: batch statistics, modes or augmentations of one turn only make it another."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.fakes import getting_nearer, misfit
from gandiag.diagnosis.finding import Finding, Verdict

FEWEST = 20  # looks
OTHERS = 0.1  # energy coefficient between the fakes of both turns: a pool of recent ones stays below
NEARER_REALS = 0.5  # of the way from D's verdict on fakes to that on reals, in its own turn
APART = 2.0  # standard deviations of the verdicts, by which D must tell both apart in its own turn
USUALLY = 0.8  # of the looks in the run's second half


def another_in_its_turn(e: Evidence) -> Finding | None:
    """A D that is sure of fakes in its own turn and takes them for reals in the generator's, whose fakes are plainly no reals."""
    names = ("generator_turn_verdict", "fake_logit_mean", "real_logit_mean", "fake_logit_sd", "real_logit_sd")
    verdict, fake, real, fake_sd, real_sd = e.at_the_same_steps(names)
    if len(verdict) < FEWEST or e.now_or_nan("shown_fake_energy") > OTHERS:
        return None  # of other fakes D may well have another opinion
    half = slice(len(verdict) // 2, None)
    with np.errstate(all="ignore"):
        way = ((verdict - fake) / (real - fake))[half]
        sure = (np.abs(real - fake) > APART * (fake_sd + real_sd) / 2)[half]
    other = sure & np.isfinite(way) & (way > NEARER_REALS)
    if np.mean(other) < USUALLY or not (signs := misfit(e)) or getting_nearer(e):
        return None
    e.need_steps()
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"in the generator's turn D's verdict on fakes lies {np.median(way[other]):.0%} of the way to the reals', in its own turn at 0 (limit: "
        f"{NEARER_REALS:.0%}), in {np.mean(other):.0%} of the looks; {signs[0]}",
        cause="D is another function in the generator's turn: batch normalisation over reals and fakes joined in one turn and fakes alone in the "
        "other, train() in one and eval() in the other, or an augmentation of one turn only",
        remedies=(
            "call D on reals and on fakes apart in its own turn, or use a normalisation that does not look at the batch (instance, layer, spectral)",
            "look whether both turns call D in the same mode, on samples that are treated alike",
        ),
        series=("generator_turn_verdict", "fake_logit_mean", "real_logit_mean"),
        onset=0,
        kind="another discriminator",
    )

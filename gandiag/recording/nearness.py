"""How near the fakes of a batch lie to its reals: the energy coefficient, and nearest neighbours from either side.

No network, no classifier and no evaluation is asked: these are the two-sample statistics that any loop's own batches can tell.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from gandiag.recording.diversity import all_over, full_precision, pairwise_distance, projected
from gandiag.recording.step import Step, Value

MOST = 128  # samples of a side: all pairs are looked at, three times over
FEWEST = 2  # samples of a side: one has no neighbour of its own kind


def nearness(step: Step) -> dict[str, Value]:
    """The batch's energy coefficient, and how far each side's nearest neighbour on the other is, over the reals' from each other."""
    sides = both_sides(step)
    if sides is None:
        return {}
    real, fake = (projected(side) for side in sides)
    with full_precision(real.device):
        across = torch.cdist(fake, real, compute_mode="donot_use_mm_for_euclid_dist")
        own = torch.cdist(real, real, compute_mode="donot_use_mm_for_euclid_dist")
    own = torch.where(own > 0, own, torch.inf).amin(1)  # the same sample twice is no neighbour
    unit = torch.where(own.isfinite(), own, torch.nan).nanmean()
    middle = across.mean()
    energy = 1 - (pairwise_distance(real) + pairwise_distance(fake)) / (2 * middle)
    known = torch.isfinite(real).all() & torch.isfinite(fake).all()
    return {
        name: torch.where(known, value, torch.nan)
        for name, value in (
            ("energy_coefficient", energy),
            ("fake_nearest_real", across.amin(1).mean() / unit),
            ("real_nearest_fake", across.amin(0).mean() / unit),
        )
    }


def shown_fakes(step: Step) -> dict[str, Value]:
    """The energy coefficient between the fakes that D was shown in its turn and those that G made in its own."""
    shown, made = step.shown, step.made
    if shown is None or made is None:
        return {}
    found = nearness(replace(step, real=made, fake=shown))
    return {"shown_fake_energy": found["energy_coefficient"]} if found else {}


def both_sides(step: Step) -> tuple[Tensor, Tensor] | None:
    """Returns as many reals as fakes, at most MOST each; None where a step has not both, in one shape.

    The distance to the nearest of n falls with n, so that both sides have to be alike in number.
    """
    real, fake = step.real, step.fake
    if real is None or fake is None or real.shape[1:] != fake.shape[1:] or not real[:1].numel():
        return None
    count = min(len(real), len(fake), MOST)
    return None if count < FEWEST else (all_over(real, count), all_over(fake, count))

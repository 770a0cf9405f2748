"""What the outside view says of a training: ill or well, since when, and by which cause; nothing here reads a recording.

Ill is a generator that at the end covers half of the modes or fewer, gives hardly a good sample, or has lost more than LOST_MODES of the
modes: each below a tenth of its true share. Between ill and well, and where the outcome contradicts what was injected, the label says nothing.
A control that nothing was injected into and that has lost modes all the same is a sick run: its cause is its outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

FAULT_IS_LABEL = ("objective_fault", "data_mismatch", "numerical_failure", "memorisation", "discriminator_weakness")
MOSTLY, HARDLY = 0.8, 0.2  # share of the late looks that must agree
LATE = 0.2  # share of the looks that are late
POOR = 0.1  # share of good samples, below which a generator gives nothing
LOST_SHARE = 0.1  # of its true share, below which a mode is lost
LOST_MODES = 0.15  # of the modes, above which losing them is an illness: more than one of ten classes
SURE = 0.025  # one-sided: that a mode is below a tenth of its share must be this unlikely to be chance


@dataclass(frozen=True)
class Truth:
    """What is true of a run: `ill` is None where the label does not say, and `why` then says why not."""

    ill: bool | None
    causes: tuple[str, ...]
    onset: int | None
    why: str


def truth(label: dict[str, Any]) -> Truth:
    """Reads a label of the benchmark."""
    causes, seen = tuple(label["causes"]), label["seen"]
    onset = _onset(label)
    if causes and causes[0] in FAULT_IS_LABEL:
        return Truth(True, causes, onset, "the fault itself is the label")
    if not seen:
        return Truth(None, causes, onset, "nobody has looked at the generator")
    late = seen[-max(1, int(LATE * len(seen))) :]
    few = float(np.mean([_few(s) for s in late]))
    lost, perhaps = lost_modes(late, label.get("shares"))
    dropping = lost > LOST_MODES
    ill = True if few >= MOSTLY or dropping else False if few <= HARDLY and not perhaps else None
    if ill is None:
        return Truth(None, causes, onset, "between ill and well")
    if ill is False:
        return Truth(None if causes else False, causes, onset, "it ends well" if causes else "well")
    if causes:
        return Truth(True, (*causes, "mode_dropping") if dropping and few <= HARDLY else causes, onset, "ill")
    if not dropping:
        return Truth(None, causes, onset, "nothing was injected, and it ends with few good samples")
    by_outcome = ("mode_dropping",) if few <= HARDLY else ("mode_collapse", "mode_dropping")
    return Truth(True, by_outcome, onset, f"nothing was injected, and {lost:.0%} of the modes are lost")


def lost_modes(looks: Sequence[dict[str, Any]], shares: Sequence[float] | None) -> tuple[float, bool]:
    """Returns the share of the modes that are surely lost over these looks, and whether any mode may be, of those not surely lost or not.

    Lost is a mode below LOST_SHARE of its share among the good samples in MOSTLY of the looks and, all looks together, by more than chance.
    Labels without counts (of older recordings) say nothing: none is lost.
    """
    if shares is None or not all("counts" in s for s in looks):
        return 0.0, False
    counts, limit = np.array([s["counts"] for s in looks], dtype=float), LOST_SHARE * np.asarray(shares)
    totals = counts.sum(axis=1)
    if not totals.sum():
        return 1.0, True
    below = (counts < limit * totals[:, None]).mean(axis=0)
    surely = binom.cdf(counts.sum(axis=0), totals.sum(), limit) < SURE
    return float(np.mean((below >= MOSTLY) & surely)), bool(np.any(below > HARDLY))


def _few(look: dict[str, Any]) -> bool:
    return bool(look["covered"] <= look["modes"] / 2 or look["good"] < POOR)


def _onset(label: dict[str, Any]) -> int | None:
    """The injected onset; else, by the outside looks, where the last ill stretch began after a good one; else 0 for what is ill from the start."""
    if label["injected_at"] is not None:
        return int(label["injected_at"])
    shares = label.get("shares")
    ill = [_few(s) or lost_modes([s], shares)[0] > LOST_MODES for s in label["seen"]]
    good = [i for i, bad in enumerate(ill) if not bad]
    return 0 if not good else int(label["seen"][good[-1]]["step"]) if good[-1] + 1 < len(ill) else None

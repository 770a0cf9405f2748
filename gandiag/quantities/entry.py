"""Quantity: one recorded quantity; and the bins and quantiles that its series stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "neither"]
Shape = Literal["scalar", "layers", "vector"]


@dataclass(frozen=True)
class Quantity:
    """One recorded quantity: `name` is the series' public name, which stays stable."""

    name: str
    meaning: str
    unit: str = ""
    range: str = "any"
    better: Better = "neither"
    shape: Shape = "scalar"
    group: str = ""
    source: str = ""


PLAYERS = ("discriminator", "generator")
# Parameters of both players together, up to which the game is a known equation (Dirac-GAN, quadratic games) and its trace the whole truth.
TINY_GAME = 200
QUANTILES = (5, 25, 50, 75, 95)
LOGIT_BIN_LIMIT = 10.0  # logits beyond +-10 are certain to 5e-5: the outer bins hold them
SKETCHED = 32  # samples of a batch in its sketch
AVERAGE = "its moving average"  # what the protocol of an evaluation calls the generator where that was scored
LOGIT_BINS = 40  # fixed bins of width 0.5 between -10 and 10, plus one below and one above


def logit_bin_labels() -> list[str]:
    """Returns the left edges of the histogram's bins as text: '-inf', '-10', '-9.5' ... '10' (LOGIT_BINS + 2 bins)."""
    width = 2 * LOGIT_BIN_LIMIT / LOGIT_BINS
    return ["-inf"] + [f"{-LOGIT_BIN_LIMIT + width * i:g}" for i in range(LOGIT_BINS + 1)]

"""A generator that is started anew in mid-run: its weights leap at one step, and its fakes are worse from then on."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.fakes import misfits
from gandiag.diagnosis.finding import Finding, Verdict

BOUNDED = ("Adam", "RMS")  # optimizers whose single step is no larger than the rate allows, however large the gradient
LEAP = 0.02  # share of the weights' norm between two looks at it
TIMES = 10.0  # as far as between any other two: in one run without such an event the longest is twice the second
FEWEST, BEGINNING = 30, 10  # looks, and those at first, in which a network finds its size
BESIDE = 3  # looks after it that may still be settling
BEFORE = 10  # stretches that it is compared with
NARROWER, APART = 0.7, 0.1  # what is left of the fakes' spread, and by how much their energy coefficient rises


def started_anew(e: Evidence) -> Finding | None:
    """A generator whose weights leap once, tenfold beyond all other moves, with fakes that were good and do not become so again."""
    bounded = any(name in str(e.facts("optimizers", "generator").get("class", "")) for name in BOUNDED)
    if "generator_parameter_norm" not in e or not bounded:
        return None
    norms = e["generator_parameter_norm"].dropna()
    if len(norms) < FEWEST:
        return None
    values, steps = norms.to_numpy(dtype=float), norms.index.to_numpy()
    with np.errstate(all="ignore"):
        moves = np.abs(np.diff(values)) / np.maximum(values[:-1], 1e-30)
    if not np.isfinite(moves).all():
        return None
    moves[: max(BEGINNING, len(moves) // 20)] = 0.0
    at = int(np.argmax(moves))
    others = np.concatenate([moves[:at], moves[at + 1 + BESIDE :]])
    if moves[at] < LEAP or moves[at] < TIMES * np.max(others, initial=0.0):
        return None
    since = int(steps[at + 1])
    if _rate_changes(e, since):
        return None
    worse = _worse(e, since)
    if not worse:
        return None
    return Finding(
        "objective_fault",
        Verdict.FAILED,
        f"the generator's weights change by {moves[at]:.2g} of their norm at step {since}, {_times(moves[at], others)} between any other "
        f"two looks (limits: {LEAP:g} and {TIMES:g} times), and {worse}",
        cause="the generator's weights were replaced in mid-run: made anew, or loaded from another training or an earlier time",
        remedies=(
            "look at what runs at that step: reset_parameters, an init function, load_state_dict, a new generator",
            f"go on from a checkpoint before step {since}",
        ),
        series=("generator_parameter_norm", "diversity_ratio", "energy_coefficient"),
        onset=since,
        kind="generator started anew",
    )


def _stretch_of(e: Evidence, step: int) -> int:
    return int(np.searchsorted(e.edges, step, side="right")) - 1


def _rate_changes(e: Evidence, since: int) -> bool:
    """Whether the generator's rate is another after a step than before: then it is the rate that throws it."""
    rate = e.maybe("generator_learning_rate")
    if rate is None:
        return False
    place = _stretch_of(e, since)
    before, after = rate[max(0, place - 1)], rate[min(len(rate) - 1, place + 1)]
    return bool(after > 2 * before)


def _times(move: float, others: np.ndarray) -> str:
    most = float(np.max(others, initial=0.0))
    return f"{move / most:.3g} times as much as" if most > 0 else "and not at all"


def _worse(e: Evidence, since: int) -> str:
    """What is worse about the fakes in the second half of what came after a step than before it; empty where nothing is."""
    place = _stretch_of(e, since)
    before = slice(max(0, place - BEFORE), place)
    after = slice(place + (len(e.edges) - 1 - place) // 2, None)
    if place < BEFORE:
        return ""

    def change(name: str) -> tuple[float, float]:
        level = e.maybe(name)
        nothing = float("nan")
        return (nothing, nothing) if level is None else (trends.middle(level[before]), trends.middle(level[after]))

    was, now = change("diversity_ratio")
    if 1 / 1.5 < was < 1.5 and now < NARROWER * was:
        return f"the fakes' diversity is {now:.2g} of the reals', and was {was:.2g}"
    was, now = change("energy_coefficient")
    if now > was + APART:
        return f"the fakes' energy coefficient is {now:.2g}, and was {was:.2g}"
    off = misfits(e)
    if off is not None and off[after].mean() > e.limits.sustained_share and not off[before].any():
        return "its fakes have been plainly no reals since then"
    return ""

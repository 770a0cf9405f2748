"""Weight decay that eats a player: its weights shrink under it, and it outweighs what the loss asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.fakes import misfit
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.pooled import beside
from gandiag.errors import NotRecorded

# Weights of players that learn ended at .7 (clipped) to 1.7 times their first norm (benchmark): decay that takes more than that is no aside.
SHRUNK = 0.6
DECAYED = 0.5  # sum of rate times decay over the run: what that alone leaves of a weight is exp(-.5) = .61
OUTWEIGHS = 1.0  # decay times the weights' norm, over the norm of the loss's own gradient


def decayed(e: Evidence, who: str) -> Finding | None:
    """Finds a player that its decay holds at nothing while the fakes are plainly no reals; of D it is told as a weakness."""
    facts = e.facts("optimizers", who)
    decay, rate = _positive(facts.get("weight_decay")), _positive(facts.get("learning_rate"))
    if decay is None or rate is None:
        raise NotRecorded("the optimizers' weight decay")
    norm = e[f"{who}_parameter_norm"].dropna().to_numpy(dtype=float)
    if len(norm) < 3 or not norm[0] > 0:
        return None
    left = trends.tail_middle(norm, e.limits.tail_share) / norm[0]
    if not left < SHRUNK or not _outweighs(e, who, facts, decay, rate):
        return None
    e.need_steps()
    signs = misfit(e)
    if not signs and (off := beside(e)) is not None:
        signs = [f"{off.precision:.0%} of the last fakes lie near a real"]
    if not signs:
        return None
    return Finding(
        "objective_fault" if who == "generator" else "discriminator_weakness",
        Verdict.FAILED,
        f"weight decay of {decay:g} has left {left:.2g} of the {who}'s weights (limit: {SHRUNK:g}), and {signs[0]}",
        cause=f"the {who} is trained to have small weights rather than by its loss",
        remedies=(f"set the {who}'s weight_decay to 0",),
        series=(f"{who}_parameter_norm", f"{who}_gradient_norm"),
        onset=0,
        kind="weight decay",
    )


def _outweighs(e: Evidence, who: str, facts: dict[str, Any], decay: float, rate: float) -> bool:
    """Whether decay alone explains what the weights have lost: by its sum, or where Adam divides it by its own size, by its share."""
    name = str(facts.get("class", ""))
    divided = any(word in name for word in ("Adam", "RMSprop", "Adagrad", "Adadelta", "Rprop"))
    if not divided or name.endswith("W") or facts.get("decoupled_weight_decay"):
        return rate * decay * e.steps > DECAYED
    weights, gradients = e[f"{who}_parameter_norm"], e[f"{who}_gradient_norm"]
    both = weights.index.intersection(gradients.index)
    share = (decay * weights.loc[both] / gradients.loc[both].where(gradients.loc[both] > 0)).to_numpy(dtype=float)
    share = share[np.isfinite(share)]
    return bool(len(share) and np.median(share[: max(3, len(share) // 10)]) > OUTWEIGHS)


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None

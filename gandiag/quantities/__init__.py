"""QUANTITIES: what each recorded series means, its unit, its range, and which way is better. The vocabulary of every run."""

from __future__ import annotations

from gandiag.quantities.batches import cost, diversity, logits
from gandiag.quantities.entry import (
    AVERAGE,
    LOGIT_BIN_LIMIT,
    LOGIT_BINS,
    PLAYERS,
    QUANTILES,
    SKETCHED,
    TINY_GAME,
    Quantity,
    logit_bin_labels,
)
from gandiag.quantities.players import forces, gradients, losses
from gandiag.quantities.scheduled import game
from gandiag.quantities.scores import evaluation

__all__ = [
    "AVERAGE",
    "LOGIT_BINS",
    "LOGIT_BIN_LIMIT",
    "PLAYERS",
    "QUANTILES",
    "QUANTITIES",
    "SKETCHED",
    "TINY_GAME",
    "Quantity",
    "as_markdown",
    "logit_bin_labels",
    "quantity",
]

QUANTITIES: dict[str, Quantity] = {
    q.name: q for family in (losses, gradients, logits, forces, diversity, cost, game, evaluation) for q in family()
}


def quantity(name: str) -> Quantity | None:
    """Returns the entry for a series' name; features in brackets are ignored: frechet_distance[digits-cnn]."""
    return QUANTITIES.get(name.split("[", 1)[0])


def as_markdown() -> str:
    """Returns docs/metrics.md: every quantity, by group. `python -m gandiag.quantities > docs/metrics.md` remakes the page."""
    lines = [
        "# Every quantity that a run can hold",
        "",
        "Made from `gandiag/quantities/` by `python -m gandiag.quantities > docs/metrics.md`; a test holds the two equal.",
        'Read one with `gandiag.load_run("runs/mine")["generator_gradient_norm"]` (a pandas Series by step, measured steps only),',
        "a per-layer one or a histogram with `run.layers(name)`. Scores on features carry the features' name: `frechet_distance[digits-cnn]`.",
        "*Better* is empty where neither direction is: the diagnosis, not the sign, says what is healthy.",
    ]
    for group in dict.fromkeys(q.group for q in QUANTITIES.values()):
        lines += [
            "",
            f"## {group.capitalize()}",
            "",
            "| series | what it is | unit | range | better | source |",
            "|---|---|---|---|---|---|",
        ]
        for q in QUANTITIES.values():
            if q.group == group:
                form = {"scalar": "", "layers": " *(per layer)*", "vector": " *(vector)*"}[q.shape]
                better = "" if q.better == "neither" else q.better
                cells = (f"`{q.name}`{form}", q.meaning, q.unit, q.range, better, q.source)
                lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"

"""Checks of the weights layer by layer: dead_layers, spectral_collapse."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.deadness import dead_player, identical_units
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.errors import NotRecorded

PLAYERS = ("generator", "discriminator")
# an update ratio above which a weight is moved by some gradient; what is left of Adam's momentum is far below
STILL_WEIGHT = 1e-7
WINS = 0.95  # AUC of a D against which a generator that is cut off from something it is given does badly


def dead_layers(run: Recorded) -> Finding:
    """Finds weights that no gradient reaches while others are reached; a bias in front of a normalisation is meant so and does not count."""
    e = evidence(run)
    held = [n for who in PLAYERS if (n := f"{who}_layer_gradient_norm") in e]
    if not held:
        raise NotRecorded("the gradient norm of any layer")
    for who in PLAYERS:
        if same := identical_units(e, who):
            shown = ", ".join(same[:3]) + (" ..." if len(same) > 3 else "")
            return Finding(
                "dead_layers",
                Verdict.FAILED,
                f"{len(same)} of the {who}'s layers ({shown}) consist to the end of units that are one and the same (limit: none)",
                cause=f"units of the {who} began with the same weights: each gets the others' gradient, and a layer of them is no wider than one",
                remedies=(
                    f"draw the {who}'s first weights at random (nn.init.kaiming_normal_, say): constants and zeros never part",
                ),
                series=(f"{who}_layer_gradient_norm",),
                onset=0,
                kind="identical units",
            )
    if (found := dead_player(e)) is not None:
        return Finding(
            "dead_layers",
            Verdict.FAILED,
            f"not one of the {found.who}'s {found.weights} weights gets a gradient since step {found.since}, although its loss pushes (limit: "
            "one must)",
            cause=f"units of the {found.who} are dead: its output no longer depends on what goes in, and nothing can bring it back",
            remedies=(
                f"use LeakyReLU in place of ReLU in the {found.who}",
                "look at the first values of its weights and biases, and at its learning rate before that step",
            ),
            series=(f"{found.who}_layer_gradient_norm",),
            onset=found.since,
            kind=f"dead {found.who}",
        )
    dead: list[str] = []
    never: list[str] = []  # of the generator's: what they hold, a condition say, is cut off from the samples
    count = 0
    left_out = {r.get("player"): r.get("parameters", ()) for r in e.records("events") if r.get("event") == "left_out"}
    for name in held:
        table = e.layers(name)
        late = table.iloc[-max(3, round(e.limits.tail_share * len(table))) :]
        norms = late.to_numpy(dtype=float)
        most = np.nanmax(np.where(np.isfinite(norms), norms, 0), axis=1) if norms.size else np.zeros(0)
        weights = [i for i, layer in enumerate(table.columns) if not str(layer).endswith("bias")]
        count += len(weights)
        if len(late) < 3 or not (most > 0).all():
            continue
        moved = _moved(e, name.replace("gradient_norm", "update_ratio"))
        if name.startswith("generator"):
            all_norms = table.to_numpy(dtype=float)
            never += [f"generator {table.columns[i]}" for i in weights if np.all(all_norms[:, i] == 0)]
        dead += [
            f"{name.split('_', 1)[0]} {table.columns[i]}"
            for i in weights
            if np.all(np.nan_to_num(norms[:, i], nan=np.inf) <= e.limits.dead_gradient * most)
            and str(table.columns[i]) not in moved
            and str(table.columns[i]) not in left_out.get(name.split("_", 1)[0], ())  # used no more
        ]
    if dead:
        cut_off = [name for name in dead if name in never]
        wins = _wins(e) if cut_off else None
        return Finding(
            "dead_layers",
            Verdict.SUSPECT if wins is None else Verdict.FAILED,
            f"{len(dead)} of {count} weights get no gradient: {', '.join(dead[:3])}{' ...' if len(dead) > 3 else ''} "
            f"(limit: {e.limits.dead_gradient:g} of the largest layer's)"
            + (
                ""
                if wins is None
                else f", {', '.join(cut_off[:3])} not once since the first step, and D's AUC is {wins:.2f} (limit: {WINS:g})"
            ),
            cause="these layers are cut off, or their units are dead",
            remedies=("look whether the layer is used in forward()", "use LeakyReLU where a ReLU's units have died"),
            series=tuple(held),
        )
    return Finding(
        "dead_layers",
        Verdict.HEALTHY,
        f"0 of {count} weights get no gradient (limit: {e.limits.dead_gradient:g} of the largest layer's)",
        series=tuple(held),
    )


def _wins(e: Evidence) -> float | None:
    """Returns D's AUC late in a finished run where it tells nearly all fakes from reals; None elsewhere."""
    if e.going_on or e.short:
        return None
    try:
        auc = trends.tail_middle(e.auc(), e.limits.tail_share)
    except NotRecorded:
        return None
    return auc if auc > WINS else None


def _moved(e: Evidence, name: str) -> set[str]:
    """The weights that were moved late in the run, whatever the gradient at that moment: a head that another loss trains is not dead."""
    try:
        table = e.layers(name)
    except NotRecorded:
        return set()
    late = np.nan_to_num(table.iloc[-max(3, round(e.limits.tail_share * len(table))) :].to_numpy(dtype=float))
    return {str(c) for c, most in zip(table.columns, late.max(axis=0, initial=0.0)) if most > STILL_WEIGHT}


# ------------------------------------------------------------------------------------------------------- spectral collapse


def spectral_collapse(run: Recorded) -> Finding:
    """Finds weight matrices of the discriminator that lose most of their directions, against their own past."""
    e = evidence(run)
    table = e.layers("discriminator_layer_effective_rank")
    e.need_steps()
    values = table.to_numpy(dtype=float)
    values, at = values[np.isfinite(values).all(axis=1)], table.index.to_numpy()[np.isfinite(values).all(axis=1)]
    if len(values) < 4:
        raise CannotTell(f"{len(values)} finite spectra were recorded, 4 are needed")
    early = np.nanmedian(values[: max(2, len(values) // 5)], axis=0)
    fall = values / np.maximum(early, 1e-12)
    wide = early > 4  # a matrix with four directions or fewer has none to lose
    if not wide.any():
        return Finding(
            "spectral_collapse",
            Verdict.HEALTHY,
            f"no weight matrix has more than 4 directions to lose (limit: {e.limits.rank_fall:g} of its own past)",
            series=("discriminator_layer_effective_rank",),
        )
    worst = int(np.argmin(np.where(wide, np.nanmedian(fall[-max(2, len(fall) // 5) :], axis=0), np.inf)))
    now = float(np.nanmedian(fall[-max(2, len(fall) // 5) :, worst]))
    claim = f"the effective rank of D's {table.columns[worst]} is {now:.2f} of its early value (limit: {e.limits.rank_fall:g})"
    series = ("discriminator_layer_effective_rank", "discriminator_layer_small_share")
    if now >= e.limits.rank_fall:
        return Finding("spectral_collapse", Verdict.HEALTHY, claim, series=series)
    first = trends.onset(fall[:, worst] < e.limits.rank_fall)
    return Finding(
        "spectral_collapse",
        Verdict.SUSPECT,
        claim,
        cause="D reacts to few directions only: generators collapse in its blind spots",
        remedies=("add spectral normalisation to D",),
        series=series,
        onset=None if first is None else int(at[first]),
    )

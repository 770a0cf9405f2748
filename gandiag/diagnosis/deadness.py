"""A player whose units are dead: its loss pushes, and none of its weights hears of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gandiag.diagnosis.evidence import Evidence
from gandiag.errors import NotRecorded

FEWEST_LOOKS = 3
EQUAL = 1e-9  # means and scatters of reals and fakes that are as near are the same
PUSHES = {
    "discriminator": ("discriminator_force_size_on_real", "discriminator_force_size_on_fake"),
    # a generator behind a dead discriminator gets no gradient either: what must push is what comes back through D
    "generator": ("generator_gradient_at_image",),
}


class Dead(NamedTuple):
    """Whose weights are dead, how many there are, and since which step; whether its biases feel nothing either, from the first step on."""

    who: str
    weights: int
    since: int
    cleared: bool = False


def dead_player(e: Evidence) -> Dead | None:
    """Returns the player of whose weights not one gets a gradient, to the last digit, until the end, although its loss pushes.

    Biases do not count: behind a layer of dead units they still learn, and the output is one constant for every input. A gradient that dies
    because a loss is flat is no such thing: there nothing pushes. Nor is a D whose reals and fakes are one and the same: it feels nothing by right.
    """
    for who, pushes in PUSHES.items():
        try:
            table = e.layers(f"{who}_layer_gradient_norm")
            push = [e[name] for name in pushes]
        except NotRecorded:
            continue
        columns = [i for i, name in enumerate(table.columns) if not str(name).endswith("bias")]
        norms = table.to_numpy(dtype=float)[:, columns]
        if not columns:
            continue
        alive = np.flatnonzero(~(norms == 0).all(axis=1))
        first = int(alive[-1]) + 1 if len(alive) else 0
        at = table.index.to_numpy()[first:]
        if len(at) < FEWEST_LOOKS:
            continue
        if e.steps - int(at[0]) < e.limits.sustained_share * e.steps:
            continue
        pushed = [(s.loc[s.index >= at[0]].to_numpy(dtype=float) > 0).mean() for s in push]
        if max(pushed, default=0.0) >= e.limits.force_share and not (
            who == "discriminator" and _are_one(e, int(at[0]))
        ):
            beside = [i for i in range(table.shape[1]) if i not in columns]
            # behind dead units G's last bias still learns (D's feels reals and fakes, which may cancel); nothing at all is felt where gradients are
            # cleared before they are used
            # (an output that is one constant from the first on, at the end of its tanh say, lets nothing through either)
            cleared = bool(
                who == "generator"
                and first == 0
                and beside
                and (table.to_numpy(dtype=float)[:, beside] == 0).all()
                and e.now_or_nan("fake_pairwise_distance") != 0
            )
            return Dead(who, len(columns), int(at[0]), cleared)
    return None


def _are_one(e: Evidence, since: int) -> bool:
    """Whether reals and fakes have the same mean and scatter since a step, to rounding: a game of one point that has reached it."""
    if any(f"{who}_{what}" not in e for who in ("real", "fake") for what in ("mean", "sd")):
        return False
    near = EQUAL * (1 + float(e["real_sd"].max()))
    for what in ("mean", "sd"):
        apart = (e[f"real_{what}"] - e[f"fake_{what}"]).dropna().abs()
        late = apart[apart.index >= since]
        if late.empty or late.max() > near:
            return False
    return True


def cut_off(e: Evidence) -> list[str]:
    """Returns the weights of the generator that are there to be trained and got no gradient in any update, while others did.

    Not those of modules that were not even called: a stage that a growing network has yet to reach.
    """
    named = e.facts("players", "generator").get("layers")
    try:
        reached = {str(name) for name in e.layers("generator_layer_gradient_norm").columns}
    except NotRecorded:
        return []
    if not isinstance(named, list) or not reached:
        return []
    told = [r for r in e.records("events") if r.get("event") == "uncalled" and r.get("player") == "generator"]
    waiting = {str(name) for r in told if isinstance(names := r.get("parameters"), list) for name in names}
    return [n for n in map(str, named) if n not in reached | waiting and not n.endswith("bias")]


def identical_units(e: Evidence, who: str) -> list[str]:
    """Returns a player's layers of which all units were the same at the end of the run."""
    told = e.about.get("identical_units")
    return names_in(told.get(who) if isinstance(told, dict) else None)


def names_in(given: object) -> list[str]:
    """Returns the names that an entry of run.json lists, none where it is damaged."""
    return [str(name) for name in given] if isinstance(given, list) else []

"""A game of which one player never moves: its optimizer is never stepped, or holds the other's parameters. What was seen becomes a run."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from torch.optim import Optimizer

from gandiag.recording.evidence import is_double
from gandiag.recording.naming import module_of, parameters_of
from gandiag.recording.variables import name_of
from gandiag.recording.witnessed import Call, Network, Turn
from gandiag.run import RunWriter

MANY_CALLS = 8  # of a network, none of whose outputs a backward pass came to
CUT_OFF = "no gradient comes to what it makes: that is cut off on its way to the discriminator (by numpy, detach() or no_grad())"


@dataclass(frozen=True)
class Standing:
    """Who plays, and who of them never moved while the other was updated so often."""

    generator: str
    discriminator: str
    who: str
    updates: int
    why: str


def standing_player(turns: list[Turn], namespace: dict[str, Any] | None, updates: int) -> Standing | None:
    """Returns the game of which one player never moves, None where nothing was meant to be one.

    One network makes what another is shown beside data, one alone of them is stepped, and the other was meant to be: it has gradients, and an
    optimizer of its own that is never stepped, or there are two optimizers that step the one. A network that is frozen on purpose has neither.
    """
    calls = [c for t in turns for c in t.calls if c.with_grad]
    networks = {owned: module_of(owned, calls) for owned in dict.fromkeys(c.owned for c in calls)}
    stepped = {t.parameters for t in turns}
    for judge, module in networks.items():
        mine = [c for c in calls if c.owned == judge]
        for maker in {source for c in mine for source in c.sources if source in networks and source != judge}:
            if not (any(_is_of_data(c) for c in mine) or _is_of_both(judge, maker, turns)):
                continue
            moves = {who: any(n & s for s in stepped) for who, n in (("generator", maker), ("discriminator", judge))}
            if len(set(moves.values())) == 1 or maker & judge:
                continue
            who = next(w for w, it_does in moves.items() if not it_does)
            still = networks[maker] if who == "generator" else module
            why = _why_meant(still, turns)
            if why and any(p.grad is not None for p in still.parameters()):
                names = name_of(networks[maker], namespace), name_of(module, namespace)
                return Standing(*names, who, updates, why)
    for judge, module in networks.items():
        for maker, network in networks.items():
            if is_cut_off(maker, judge, turns, calls) and all(p.grad is None for p in network.parameters()):
                return Standing(name_of(network, namespace), name_of(module, namespace), "generator", updates, CUT_OFF)
    return None


def is_cut_off(maker: Network, judge: Network, turns: list[Turn], calls: list[Call]) -> bool:
    """Tells whether a network that is stepped makes what has the form of another's data, and no backward pass ever comes to what it made.

    The way between both is cut in the turns of either: fakes that are augmented by way of numpy, say.
    """
    made, judged = [c for c in calls if c.owned == maker], [c for c in calls if c.owned == judge]
    alone = [
        any(t.parameters & one and not t.parameters & other for t in turns)
        for one, other in ((maker, judge), (judge, maker))
    ]
    if maker == judge or not all(alone) or len(made) < MANY_CALLS or any(c.used for c in made):
        return False
    forms = {shape[1:] for c in judged if _is_of_data(c) for shape in c.shapes if len(shape) > 1}
    return any(shape[1:] in forms for c in made for shape in c.output_shapes)


def _is_of_data(call: Call) -> bool:
    return call.from_outside and not call.sources and call.used


def _is_of_both(judge: Network, maker: Network, turns: list[Turn]) -> bool:
    """Tells whether a judge was shown data and what the maker made in one batch."""
    return any(c.owned == judge and c.used and is_double(c, t.calls, maker) for t in turns for c in t.calls)


def _why_meant(still: nn.Module, turns: list[Turn]) -> str:
    """Says why a network was meant to move; empty where nothing tells that it was."""
    own = {id(p) for p in still.parameters()}
    for thing in gc.get_objects():
        if (
            issubclass(type(thing), Optimizer) and parameters_of(thing) & own
        ):  # isinstance would ask strange objects for their class
            return "its optimizer was never stepped"
    if len({id(t.optimizer) for t in turns}) > 1:
        return "no optimizer holds its parameters, and two hold the other player's"
    return ""


def record_standing(path: Path, about: Mapping[str, Any], found: Standing) -> None:
    """Writes a run of the updates that were seen, and nothing besides."""
    other = "discriminator" if found.who == "generator" else "generator"
    facts = {
        **about,
        "status": "running",
        "attached": {
            "generator": found.generator,
            "discriminator": found.discriminator,
            "stands_still": found.who,
            "why": found.why,
        },
        "could_not_tell": [
            f"of the first {found.updates} updates it was seen only whom they moved: a game of which one player never does is not followed further"
        ],
    }
    with RunWriter(path, facts) as writer:
        steps = np.arange(found.updates)
        moved = {f"{found.who}_updates": np.zeros(found.updates), f"{other}_updates": np.ones(found.updates)}
        writer.append("steps", steps, {name: values.astype(np.float32) for name, values in moved.items()})

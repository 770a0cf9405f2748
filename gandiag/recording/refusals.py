"""Why no pair of players can be named, in one true sentence."""

from __future__ import annotations

from torch import nn

from gandiag.recording.evidence import Evidence, Pair
from gandiag.recording.witnessed import Call, Network, Turn


def crossed(seen: dict[Pair, Evidence], called: dict[Network, str]) -> str:
    """Says where a maker is stepped through a judge that is only ever trained on what another makes; empty where none is."""
    for (maker, judge), of_pair in seen.items():
        others = [g for (g, d), e in seen.items() if d == judge and g != maker and e.discriminator_turns]
        if of_pair.generator_turns and not of_pair.discriminator_turns and others:
            return (
                f"{called[maker]} is stepped through {called[judge]}, but {called[judge]} is trained on what "
                f"{called[others[0]]} makes: no pair is each other's opponent"
            )
    return ""


def at_once(seen: dict[Pair, Evidence], turns: list[Turn], called: dict[Network, str]) -> str:
    """Says where a judge is given reals and fakes as two arguments of one call; empty where none is."""
    for (maker, judge), of_pair in seen.items():
        if not of_pair.generator_turns or of_pair.discriminator_turns:
            continue
        shown = [c for t in turns if t.parameters & judge for c in t.calls if c.owned == judge and c.used]
        both = [c for c in shown if maker in c.sources and c.is_double]
        if both and len(both) == len(shown):
            return (
                f"{called[judge]} is shown data and what {called[maker]} makes in one and the same call: hooks cannot tell its "
                "verdicts on them apart; gandiag.Recorder takes them by step(real_logits=, fake_logits=)"
            )
    return ""


def not_through(seen: dict[Pair, Evidence], called: dict[Network, str]) -> str:
    """Says where a judge is trained on data and on what a maker makes, through which that maker is never stepped; empty where none is."""
    for (maker, judge), of_pair in seen.items():
        if of_pair.discriminator_turns and not of_pair.generator_turns:
            return (
                f"{called[judge]} is shown data and what {called[maker]} makes, but no update of {called[maker]} goes through it (through another "
                "network in its place, an average of it say, or its verdicts are rewards): gandiag.Recorder takes both as the loop names them"
            )
    return ""


def in_pieces(pairs: list[Pair], calls: list[Call], called: dict[Network, str]) -> str:
    """Says where a judge is called in pieces that it shares with others: what one returns goes on into a head; empty where none is."""
    outside = {c.owned for c in calls if c.from_outside}
    for maker, judge in pairs:
        mine = [c for c in calls if c.owned == judge]
        fakes, reals = ([c for c in mine if (maker in c.sources) == made] for made in (True, False))
        heads = {n for c in mine for n in c.fed if n in called and n not in (maker, judge) and n not in outside}
        if heads and fakes and any(c.from_outside for c in reals):
            head = called[min(heads, key=lambda n: called[n])]
            return (
                f"{called[judge]} is shown both data and what {called[maker]} makes, and what it returns goes on into {head}: networks that "
                "share pieces which the loop calls one by one cannot be followed; give gandiag.Recorder a module that holds the pieces"
            )
    return ""


def why_no_pair(
    networks: dict[Network, nn.Module],
    called: dict[Network, str],
    names: tuple[str | None, str | None],
    optimizers_seen: int,
) -> str:
    """Says in one sentence why no GAN was seen."""
    seen = ", ".join(sorted(called.values())) or "none"
    if any(names):
        return f"no network named {' or '.join(n for n in names if n)} plays against another; networks seen: {seen}"
    if not optimizers_seen:
        return "no optimizer stepped"
    if not networks:
        return (
            "an optimizer steps parameters of no module that was called: networks that are written as plain functions, or called by "
            "methods of their own, cannot be watched; gandiag.Recorder takes what the loop gives it"
        )
    if len(networks) < 2:
        return (
            f"only one network was trained ({seen}); if this is a GAN, its other player never moves: look whether the optimizer holds that "
            "player's parameters, and whether its loss.backward() and step() are called"
        )
    return f"of the networks trained ({seen}) none is shown both what another makes and data from outside"

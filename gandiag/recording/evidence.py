"""What speaks for a game between two networks: how often each was seen to do what players do."""

from __future__ import annotations

from dataclasses import dataclass

from gandiag.recording.witnessed import Call, Network, Turn

GENERATOR_STEPS = 2  # how many updates of the generator are seen before the players are named

Pair = tuple[Network, Network]  # generator, discriminator


@dataclass(frozen=True)
class Evidence:
    """How often a pair was seen to do what players do."""

    generator_turns: int  # the maker was stepped through the judge
    discriminator_turns: int  # the judge was stepped, and shown both
    cycles: int  # the one after the other

    @property
    def is_enough(self) -> bool:
        """Whether the pair plays for sure."""
        return (
            self.generator_turns >= GENERATOR_STEPS and self.discriminator_turns >= 1 and self.cycles >= GENERATOR_STEPS
        )

    @property
    def is_some(self) -> bool:
        """Whether the pair may yet turn out to play."""
        return self.generator_turns >= 1 and self.discriminator_turns >= 1


def evidence(pair: Pair, turns: list[Turn], calls: list[Call]) -> Evidence:
    """Counts what speaks for a game: D is a sink, is stepped on reals and fakes, and G is stepped through D."""
    maker, judge = pair
    fed = {n for c in calls if c.owned == judge for n, i in c.handed_on if n != judge and i == c.score_is}
    if any(n & t.parameters for n in fed for t in turns):  # and no frozen one: a loss with a network in it
        # its judgement, not its features, goes on into another network: a decoder, or the other half of a cycle
        return Evidence(0, 0, 0)
    apart = any(t.fresh and t.parameters & judge and not t.parameters & maker for t in turns) and any(
        t.fresh and t.parameters & maker and not t.parameters & judge for t in turns
    )
    told_apart = any(c.tells_apart for c in calls if c.owned == judge and maker in c.sources)
    turn_of_g = turn_of_d = cycles = after_d = 0
    since: list[Call] = []  # the maker's last update
    for turn in turns:
        since = [*since, *turn.calls] if turn.fresh and not turn.parameters & maker else []
        mine = [c for c in turn.calls if c.owned == judge]
        if not mine:
            continue
        if turn.parameters & maker and any(maker in c.sources and c.with_grad for c in mine):
            turn_of_g += 1
            cycles += after_d
            after_d = 0
        if turn.parameters & judge and (
            shown_both(maker, turn.calls, judge, outside=not apart)
            or shown_in_turn(maker, since, judge)
            or (told_apart and any(c.is_double and c.used and maker in c.sources for c in mine))
        ):
            turn_of_d += 1
            after_d = 1
    return Evidence(turn_of_g, turn_of_d, cycles)


def evidence_by_what_was_given(pair: Pair, turns: list[Turn], calls: list[Call]) -> Evidence:
    """Counts what speaks for a game in which nothing leads from G's output to D: actions are drawn, and D's verdict is a reward.

    D, and no one else, is shown a batch that holds what G was given beside something else, and one that does not; G is stepped after D has judged
    such a batch without being trained on it. D pushes every sample of the one up and every sample of the other down, which a critic of states and
    actions, of other policies' as well, does not.
    """
    maker, judge = pair
    turn_of_g = turn_of_d = cycles = after_d = 0
    since: list[Call] = []  # the maker's last update
    for turn in turns:
        since = [*since, *turn.calls] if turn.fresh else since
        if turn.parameters & judge and not turn.parameters & maker:
            mine = [c for c in turn.calls if c.owned == judge and c.with_grad and c.used]
            shown = {(maker in c.holds, c.pushed) for c in mine if c.shapes == mine[-1].shapes}
            if shown in ({(True, 1), (False, -1)}, {(True, -1), (False, 1)}):
                turn_of_d += 1
                after_d = 1
        elif turn.parameters & maker:
            if any(c.owned == judge and maker in c.holds and not c.used for c in since):
                turn_of_g += 1
                cycles += after_d
                after_d = 0
            since = []
    return Evidence(turn_of_g, turn_of_d, cycles)


def shown_both(maker: Network, seen: list[Call], judge: Network, *, outside: bool) -> bool:
    """Tells whether D was trained on fakes and on reals in this turn; fakes that cannot be traced count where D was called twice.

    Reals come from outside; or from another network (an encoder's codes) unless `outside`: two branches with a common head are no
    game where one loss trains them all.
    A critic of states and actions is called twice as well, and never on what the actor makes: the network of its own kind
    that it is held against, a target, tells it.
    """
    mine = [c for c in seen if c.owned == judge and c.with_grad and c.used]
    fakes = [c for c in mine if maker in c.sources]
    others = [c for c in mine if maker not in c.sources and (c.from_outside or not outside)]
    others += [c for c in seen if c.owned == judge and is_frozen_on_data(c)] if fakes else []
    if not others or any(is_target_of(c, mine[-1]) for c in seen):
        return any(is_double(c, seen, maker) for c in mine)
    untraced = [c for c in mine if c.from_outside and not c.sources]  # what another network made is no fake of this one
    return bool(fakes) or len(untraced) >= 2 or any(is_double(c, seen, maker) for c in mine)


def shown_in_turn(maker: Network, since: list[Call], judge: Network) -> bool:
    """Tells whether D was trained on reals and on fakes in updates of their own, one after the other: only fakes that can be traced count."""
    mine = [c for c in since if c.owned == judge and c.with_grad and c.used]
    fakes = any(maker in c.sources for c in mine)
    reals = any(maker not in c.sources and c.from_outside for c in mine)
    return fakes and reals and not any(is_target_of(c, mine[-1]) for c in since)


def is_frozen_on_data(call: Call) -> bool:
    """Tells whether a call shows data to a network of which nothing is trained (any more): a judge that was frozen for G and never set free."""
    frozen = not call.with_grad and not any(p.requires_grad for p in call.module.parameters())
    return frozen and call.from_outside and not call.sources


def is_target_of(call: Call, judged: Call) -> bool:
    """Tells whether a call is one of a slow copy of the judge: the same class and shapes, called without gradient."""
    if call.with_grad or call.owned == judged.owned or type(call.module) is not type(judged.module):
        return False
    return [p.shape for p in call.module.parameters()] == [p.shape for p in judged.module.parameters()]


def is_double(call: Call, seen: list[Call], maker: Network) -> bool:
    """Tells whether one call holds reals and fakes in one concatenated batch: it is larger than what G made for it."""
    made = [c.output_shapes[0][0] for c in seen if c.owned == maker and c.output_shapes[0]]
    shown = [s[0] for s in call.shapes if s]
    return bool(made and shown) and max(shown) >= 2 * min(made) > 0

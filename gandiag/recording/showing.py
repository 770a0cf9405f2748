"""What backward passes show of the game: whether scores took part, on reals or on fakes, and whose a pass through both players is."""

from __future__ import annotations

from gandiag.recording.passes import Pass


def shows_the_game(passes: list[Pass]) -> bool:
    """Tells whether scores took part in these passes other than through a penalty."""
    for one in passes:
        for call, _, _ in one.pushes:
            if not call.penalised:
                return True
    return False


def sides_of(passes: list[Pass]) -> set[bool]:
    return {call.origin.fake for one in passes for call, _, _ in one.pushes if not call.penalised}


def shows_one_side(one: Pass) -> bool:
    """Tells whether all scores in a pass are on reals, or all on fakes, by where their batches came from."""
    first = one.pushes[0][0].origin.fake
    return all(call.origin.fake is first for call, _, _ in one.pushes)


def with_the_other_side(before: list[Pass], own: list[Pass], batches: list[int]) -> list[Pass]:
    """Adds to an update on reals alone, or on fakes alone, what the step's update before it showed of the other side.

    Two in a row on what looks real are taken together as well: one of them may be fakes that cannot be traced.
    """
    sides = sides_of(own)
    if len(sides) != 1:
        return own
    other = [one for one in before if sides_of([one]) == {not side for side in sides}]
    if not other and sides == {False} and is_one_call(own, batches) and is_one_call(before[-1:], batches):
        other = before[-1:]
    return other + own


def is_one_call(passes: list[Pass], batches: list[int]) -> bool:
    """Tells whether scores of one call alone took part, which was on no more samples than G makes: no batch of reals and fakes.

    A call of which the slope was taken is another one where the loss reads its scores too (R1 on the call itself).
    """
    every = {call for one in passes for call, _, _ in one.pushes}
    calls = {call for call in every if not call.penalised}
    image = next(iter(calls)).image if len(calls) == 1 else None
    if image is None or len(image) not in batches:
        return False
    return all(call.image is None or call.image.shape != image.shape for call in every - calls)


def shows_both(passes: list[Pass]) -> bool:
    """Tells whether scores on reals and on fakes took part in these passes, each known by where its batch came from."""
    return len(sides_of(passes)) == 2


def of_each(joint: list[Pass]) -> dict[str, list[Pass]]:
    """Tells passes that reached both players apart, where it can be told: D's showed reals and fakes, and those after them fakes alone."""
    sides = [sides_of([p]) for p in joint]
    first = next((i for i, s in enumerate(sides) if s == {True}), None)
    if first is None or not first or any(len(s) != 2 for s in sides[:first]) or any(s != {True} for s in sides[first:]):
        return {}
    return {"discriminator": joint[:first], "generator": joint[first:]}

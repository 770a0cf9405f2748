"""A player whose parts have an optimizer each (its label embedding one of its own, say): updates that belong together are taken for one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gandiag.recording.witnessed import Network, Turn


def put_together(turns: list[Turn]) -> list[Turn]:
    """Returns the turns, in which optimizers of the parts of one called network, which always step together, stand for one.

    The network was called as a whole and returned one tensor; nothing is called between its optimizers' steps; and another optimizer steps what
    is no part of it. So two players that are updated at one time are none, nor are networks that a wrapper of several holds.
    """
    sets = {t.parameters for t in turns}
    if len(sets) < 3:
        return turns
    for whole in dict.fromkeys(
        c.owned for t in turns for c in t.calls if len(c.output_shapes) == 1 and c.output_shapes[0]
    ):
        parts = {s for s in sets if s & whole}
        if (
            2 <= len(parts) < len(sets)
            and all(s < whole for s in parts)
            and _disjoint(parts)
            and _step_together(turns, parts)
        ):
            return _as_one(turns, parts)
    return turns


def _disjoint(parts: Iterable[Network]) -> bool:
    parts = list(parts)
    return sum(map(len, parts)) == len(frozenset().union(*parts))


def _step_together(turns: list[Turn], parts: set[Network]) -> bool:
    """Tells whether in every run of updates of the parts each was stepped once, and something was called before the first alone."""
    # what was seen first may lack its beginning
    begin = next((i for i, t in enumerate(turns) if t.parameters not in parts), 0)
    seen: set[Network] = set()
    for turn in turns[begin:]:
        ends = turn.parameters not in parts
        if ends or turn.parameters in seen:
            if seen and seen != parts:
                return False
            seen = set()
        if ends:
            continue
        if bool(seen) == turn.fresh:
            return False
        seen.add(turn.parameters)
    return True


def _as_one(turns: list[Turn], parts: set[Network]) -> list[Turn]:
    """Returns the turns with one for each run of the parts' updates: that of the optimizer which holds most."""
    main, whole = max(parts, key=len), frozenset().union(*parts)
    return [
        replace(t, parameters=whole) if t.parameters == main else t
        for t in turns
        if t.parameters == main or t.parameters not in parts
    ]

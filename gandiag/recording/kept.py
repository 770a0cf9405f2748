"""Gradients that a loop computes pass by pass, keeps, clears and puts in place together: per-sample ones, those of losses that are weighed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gandiag.recording.capture import Capture
from gandiag.recording.uphill import Way


class Kept:
    """Tells passes whose gradients a loop has kept beside it from those that it has thrown away, by what the optimizer is about to take.

    Where that is what the last pass has left there, those before were skipped, or first evaluations. Where it is something else, the loop has
    made it of all. In the first updates that is looked at, where looking waits for nothing; a loop that does so once does so always.
    """

    def __init__(self, capture: Capture, ways: Mapping[str, Way], say: Callable[[str, str], None]) -> None:
        self._passes, self._ways, self._say = capture.passes, ways, say
        self._keeps: dict[str, bool] = {}  # by player, once that was looked at

    def about_to_step(self, who: str) -> None:
        """Gives a player's update the passes back whose gradients the loop has kept; the others are nobody's."""
        passes = self._passes
        now = [p for p in (*passes.dropped, *passes.open) if p.was_cleared_of(who) and p.row == passes.row]
        left = [p for p in passes.open if p.serves(who)]
        if not now or not left:
            return
        differs = self._ways[who].differs_from(left)
        if differs is not None:
            self._keeps[who] = self._keeps.get(who, False) or differs
        passes.dropped = [p for p in passes.dropped if p not in now]
        if who not in self._keeps:
            self._say(
                f"{who} cleared",
                f"gradients of the {who} were computed, and cleared before its optimizer had used them: what was computed last was taken for its "
                "update; where the loop has kept the others and puts them in place as well, their scores and forces are not in the record",
            )
        if not self._keeps.get(who):
            return
        for one in now:
            one.cleared = tuple(other for other in one.cleared if other != who)
        passes.open = [*now, *(p for p in passes.open if p not in now)]
        self._say(
            f"{who} kept",
            f"the loop keeps the {who}'s gradients of several backward passes, clears them in between and puts in place what it makes of them (each "
            "sample's, say): what those passes show is the loss's, before the loop has changed anything of it",
        )

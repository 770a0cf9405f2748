"""Whether something else than its optimizer writes to the generator's weights between two updates: an average, a checkpoint, a roll-back.

Told by a weight's version, which each write in place raises: by as much at every update, and by more where there was another write. What that
did is the way that the weight went then, over its way between other updates: weights that were only lent to an evaluation are where they were.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gandiag.recording.player import Player

ALL, EVERY = 400, 5  # first updates, and every how many later, at which it is looked how far the weight went
MOST_LOOKS = 2_000  # of each kind
MOST_VALUES = 1_024  # of the weight that is looked at
FEWEST = 3
# times as far as three updates before and after it, that no update goes where no version tells of a write: Adam's steps change little
LEAP, NEIGHBOURS = 10.0, 3
ALIKE = 3.0  # fold, that those may differ


class Rewrites:
    """Watches one weight of a player from update to update, without waiting for the device."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._weight: Tensor | None = None
        self._state = 0, 0
        self._usual: int | None = None  # by how much an update raises the version
        self._start: Tensor | None = None
        self._updates = self._written = 0
        self._first = self._last = 0
        self._moved: dict[bool, list[Tensor]] = {False: [], True: []}
        self._stepped_aside = False  # since the last update of the game

    def aside(self) -> None:
        """Notes that the player's own optimizer is about to step it outside the game (a path-length penalty, a reconstruction): no other's write."""
        self._stepped_aside = True

    def about_to_step(self, row: int) -> None:
        """Looks at the weight as the optimizer is about to move it; `row` is the step."""
        weight = self._weight
        if weight is None:
            small = [p for p in self._player.parameters if p.numel() <= MOST_VALUES]
            if not small:
                return
            weight = self._weight = max(small, key=Tensor.numel)
            self._state = weight._version, weight.data_ptr()
            return
        version, place = weight._version, weight.data_ptr()
        raised, moved = version - self._state[0], place != self._state[1]
        self._state = version, place
        if self._stepped_aside:
            self._stepped_aside, self._start = False, weight.detach().clone()
            return
        self._updates += 1
        if raised and (self._usual is None or raised < self._usual):
            self._usual = raised
            self._written = self._first = 0  # what had seemed usual was not
        written = moved or (self._usual is not None and raised > self._usual)
        if written:
            self._written += 1
            self._first, self._last = self._first or row, row
        held, start = weight.detach(), self._start
        if start is None or start.shape != held.shape:
            self._start = held.clone()
            return
        if written or self._updates < ALL or not self._updates % EVERY:
            way = self._moved[written]
            if len(way) < MOST_LOOKS:
                way.append(torch.linalg.vector_norm(held - start))
        start.copy_(held)

    def told(self) -> dict[str, Any] | None:
        """Returns how often the weight was written to, and how far it went then over how far it goes by an update; None where it never was.

        `leaps` counts ways ten times as far as those around them among the `looks` at which no version told of a write. Waits for the device.
        """
        if len(self._moved[False]) < FEWEST:
            return None
        usual, written = (
            torch.stack(found).float().cpu() if found else torch.empty(0) for found in self._moved.values()
        )
        unit = float(usual.median())
        leaps = _leaps(usual)
        if max(len(written), leaps) < FEWEST or not unit > 0:
            return None
        return {
            "updates": self._updates,
            "written": self._written,
            "first": self._first,
            "last": self._last,
            "moved": float(written.median()) / unit if len(written) else 0.0,
            "looks": len(usual),
            "leaps": leaps,
        }


def _leaps(ways: Tensor) -> int:
    """Counts ways that are far longer than every one of their neighbours, which are alike.

    Sizes that fall or grow with the training are none, nor are the bursts of a network whose gradients come and go.
    """
    if len(ways) <= 2 * NEIGHBOURS:
        return 0
    around = ways.unfold(0, 2 * NEIGHBOURS + 1, 1)
    beside = torch.cat([around[:, :NEIGHBOURS], around[:, NEIGHBOURS + 1 :]], 1)
    least, most = beside.aminmax(dim=1)
    return int(((around[:, NEIGHBOURS] > LEAP * most) & (most < ALIKE * least)).sum())

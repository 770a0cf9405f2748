"""Optimizers that take the place of a player's own: made anew for another phase of a training, or before each update."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

from torch.optim import Optimizer
from torch.optim import optimizer as optimizers

from gandiag.recording.naming import parameters_of
from gandiag.recording.player import Player

MOST_OF_IT = 0.5  # of a player's parameters, of which an heir steps more
CEASED = 2  # updates by a new optimizer with none of the player's own between them
TOLD = 3  # of those that are followed, each with its step; of more it is said that there are


class Heirs:
    """Looks at which optimizers step the two players, and has those followed that come after the players' own.

    By itself it looks from `listen` on; attach, which looks at every optimizer anyway, tells it of each.
    """

    def __init__(
        self,
        players: Mapping[str, Player],
        *,
        follow: Callable[[str, Optimizer, bool], None],
        step: Callable[[], int],
        say: Callable[[str, str], None],
        give_up: Callable[[str, Exception], bool],
    ) -> None:
        self.count = dict.fromkeys(players, 0)  # how many were followed
        self._players, self._follow, self._step, self._say, self._give_up = players, follow, step, say, give_up
        self._own = {who: player.optimizer for who, player in players.items()}
        self._strange = dict.fromkeys(players, 0)  # updates by another since the player's own one
        self._others = dict.fromkeys(players, 0)  # updates of other networks since the player's last one
        # the players' own, and the latest that was followed of each
        self._hooked: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._latest: dict[str, weakref.ref[Optimizer]] = {}
        self._handle: Any = None
        self._over = False
        self._says_aloud: Callable[[str], None] | None = None  # attach, which tells of each optimizer
        for own in self._own.values():
            if isinstance(own, Optimizer):
                self._hooked.add(own)

    def listen(self) -> None:
        """Begins to look at every optimizer's updates, of players whose own are torch's and each one player's alone."""
        first, second = self._own.values()
        theirs = isinstance(first, Optimizer) and isinstance(second, Optimizer) and first is not second
        if theirs and self._handle is None and not self._over and self._says_aloud is None:
            self._handle = optimizers.register_optimizer_step_pre_hook(self._about_to_step)

    def leave_to_attach(self, say: Callable[[str], None]) -> None:
        """Looks at nothing by itself: attach tells of each optimizer that is about to step, and passes on what is said of it."""
        self._says_aloud = say
        self._let_go()

    def remove(self) -> None:
        """Looks at nothing any more."""
        self._over = True
        self._let_go()

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None

    def _about_to_step(self, optimizer: Optimizer, _arguments: Any, _named: Any) -> None:
        if self._over:
            return
        try:
            _ = self.owns(optimizer) or self.takes_over(optimizer)
        except Exception as error:  # a training must not fall because of what watches it
            self._over = True
            self._give_up("heirs", error)

    def owns(self, optimizer: Optimizer) -> bool:
        """Tells, at each update by it, whether an optimizer is one of the players' that is recorded."""
        mine = [who for who, own in self._own.items() if own is optimizer]
        for who in mine:
            self._strange[who] = self._others[who] = 0
        return bool(mine)

    def takes_over(self, optimizer: Optimizer) -> bool:
        """Tells whether an optimizer that is none of the players' own steps a player; it is followed where the player's own has ceased to."""
        stepped = parameters_of(optimizer)
        mine = [who for who, p in self._players.items() if not stepped.isdisjoint(map(id, p.module.parameters()))]
        for who in mine:
            self._others[who] = 0
            known = {id(p) for p in self._players[who].parameters}
            if len(stepped & known) <= MOST_OF_IT * len(known):
                continue  # one of several that share the player: a layer's own
            self._strange[who] += 1
            if self._strange[who] >= CEASED:
                self._own[who] = optimizer
                self._follow(who, optimizer, optimizer not in self._hooked)
                if optimizer not in self._hooked:
                    before, self._latest[who] = self._latest.get(who), weakref.ref(optimizer)
                    if before is not None and (old := before()) is not None:
                        self._hooked.discard(old)
                    self._hooked.add(optimizer)
                self._tell(who)
        return bool(mine)

    def another_steps(self) -> int:
        """Notes an update of other networks; returns how many there were since the player that has rested longest moved."""
        for who in self._others:
            self._others[who] += 1
        return max(self._others.values())

    def _tell(self, who: str) -> None:
        self.count[who] += 1
        at = self._step()
        if self.count[who] <= TOLD:
            if self._says_aloud is not None:
                self._says_aloud(f"a new optimizer steps the {who} from step {at} on: it is followed")
            self._say(
                f"{who} heir {self.count[who]}",
                f"a new optimizer steps the {who} from step {at} on: it is followed from its second update on, and the first is not "
                "in the record",
            )
        elif self.count[who] == TOLD + 1:
            self._say(
                f"{who} heirs", f"the {who}'s optimizer is made anew again and again: each that steps it is followed"
            )

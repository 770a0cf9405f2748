"""A discriminator that sorts samples into classes, of which one are the fakes (semi-supervised GANs): its verdict is the log-odds against that one.

Its several values for each sample are told from patches' verdicts and from features by the gradients of its own update at those of the fakes: behind
one softmax they cancel, and one class alone is pulled up, the same in every sample; where the fakes' class stands at 0 and is not returned, all are
pushed by their share in the softmax. Neither is so of values that a loss reads one by one. Nothing waits for the device: what it says is asked
for, and read once it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gandiag.recording.outputs import LOG_SOFTMAX, SOFTMAX, every_value_read
from gandiag.recording.seen import Seen, Side

LEARNT_IN = 64  # updates of D, after which values that have told nothing are read one by one
ALIKE = 1e-2  # of the gradients' size: rounding, also in half precision
UNEQUAL = 1.05  # a sample's largest share in its softmax by its smallest, from which on equal gradients say that no share counts
NONE, UNTOLD = -1, -2  # no classes; not to be told from this update


class Classes:
    """Of a discriminator that returns so many values for each sample, whether they are classes, and which of them is the fakes'."""

    def __init__(
        self,
        values: int,
        operation: str,
        *,
        say: Callable[[str, str], None],
        take_back: Callable[[str], None],
        note: Callable[..., None],
    ) -> None:
        self._values, self._operation = values, operation
        self._say, self._take_back, self._note = say, take_back, note
        # once it is known: its place, as many as there are where it is not returned, NONE
        self.fakes_class: int | None = None
        self._asked: Tensor | None = None  # the same, on the device
        # on its way to the host, and the event that tells when it is there
        self._answer: tuple[Tensor, Any] | None = None
        self._looked = 0

    def read(self, who: str, seen: Seen) -> Seen:
        """Returns what a player's update saw with the log-odds as scores, where the values are classes; as it was where they are not."""
        if self.fakes_class is None and (who == "discriminator" or self._answer is not None):
            self._learn(seen.fake)
        if self.fakes_class == NONE or (self.fakes_class is None and self._asked is None):
            return seen
        return Seen(self._odds_on(seen.real), self._odds_on(seen.fake), seen.image_gradients, seen.guessed)

    def _learn(self, fakes: Side) -> None:
        if self._answer is not None:
            value, ready = self._answer
            if ready.query():
                self._conclude(int(value))
            return
        if not fakes.scores or any(s.numel() % self._values for s in fakes.scores):
            return
        values, gradients = self._both(fakes.scores, fakes.gradients)
        self._looked += 1
        told = fakes_class_in(values, gradients)
        if told.device.type == "cpu":
            self._conclude(int(told))
        elif told.device.type == "cuda":
            self._asked = told
            ready = torch.cuda.Event()
            self._answer = told.to("cpu", non_blocking=True), ready
            ready.record()
        else:
            self._conclude(NONE)

    def _conclude(self, told: int) -> None:
        self._answer, self._asked = None, None
        if told == UNTOLD and self._looked < LEARNT_IN:
            self._say("values", every_value_read(self._values))
            return
        self.fakes_class = NONE if told == UNTOLD else told
        if self.fakes_class == NONE:
            self.read_each()
        else:
            for said in ("values", every_value_read(self._values)):
                self._take_back(said)
            self._say("values", classes_read(self._values, self.fakes_class))

    def read_each(self) -> None:
        """Reads every value as a score, and says so."""
        self.fakes_class = NONE
        self._note("vector_verdicts", values=self._values)
        self._say("values", every_value_read(self._values))

    def _both(self, scores: Sequence[Tensor], gradients: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Returns logits (n, k) and the gradients at them, also where D ends in a softmax."""
        values = torch.cat([s.detach().reshape(-1, self._values).float() for s in scores])
        pulled = torch.cat([g.reshape(-1, self._values).float() for g in gradients])
        if self._operation == LOG_SOFTMAX:
            return values, pulled - values.exp() * pulled.sum(1, keepdim=True)
        if self._operation == SOFTMAX:
            return values.log(), values * (pulled - (values * pulled).sum(1, keepdim=True))
        return values, pulled

    def _odds_on(self, side: Side) -> Side:
        """Returns one side with log-odds for scores; in the form of the values as long as the host does not know whether they are classes."""
        if not side.scores or any(s.numel() % self._values for s in side.scores):
            return side
        values, pulled = self._both(side.scores, side.gradients)
        place = self._asked if self.fakes_class is None else torch.full((), self.fakes_class, device=values.device)
        assert place is not None
        odds, force = log_odds(values, pulled, place)
        if self.fakes_class is None:
            raw = torch.cat([s.reshape(-1, self._values).float() for s in side.scores])
            drawn = torch.cat([g.reshape(-1, self._values).float() for g in side.gradients])
            first = torch.arange(self._values, device=values.device) == 0
            odds = torch.where(place >= 0, odds.unsqueeze(1).expand_as(raw), raw).flatten()
            force = torch.where(place >= 0, torch.where(first, force.unsqueeze(1), 0.0), drawn).flatten()
        return Side([odds], [force], side.images)


class Facing:
    """Of two classes read by their difference, whether it stands for the reals or for the fakes: D's own updates push it down on fakes, or up."""

    def __init__(self) -> None:
        self._pushed_down: Tensor | None = None  # by how many updates more than up, 0-d

    def read(self, who: str, seen: Seen, way: Tensor | None) -> Seen:
        """Returns what a player's update saw, turned round where the difference stands for the fakes; `way` is -1 where D ascends.

        Waits for nothing.
        """
        if who == "discriminator" and seen.fake.gradients:
            down = torch.stack([g.detach().float().sum() for g in seen.fake.gradients]).sum().sign()
            self._pushed_down = down if self._pushed_down is None else self._pushed_down + down
        if self._pushed_down is None:
            return seen
        down = self._pushed_down if way is None else self._pushed_down * way
        sign = torch.where(down < 0, -1.0, 1.0)
        real, fake = (
            Side([s * sign for s in x.scores], [g * sign for g in x.gradients], x.images)
            for x in (seen.real, seen.fake)
        )
        return Seen(real, fake, seen.image_gradients, seen.guessed)


def fakes_class_in(values: Tensor, gradients: Tensor) -> Tensor:
    """Returns which column of logits (n, k) of fakes is their class, by the gradients of D's loss at them: 0-d.

    `k` where the loss reads all of them as one sum of exponentials, whose other side is 0; NONE where it does neither, UNTOLD where nothing tells.
    """
    size = gradients.abs().sum(1)
    moved = size > 0
    still, count = ~moved, values.shape[1]
    # one class is pulled the other way than all others: up, or down where D ascends or has its labels swapped
    apart = gradients < 0
    apart = torch.where((apart.sum(1, keepdim=True) > 1) & (count > 2), gradients > 0, apart)
    place = (apart & moved.unsqueeze(1)).sum(0).argmax()
    mine = torch.arange(count, device=values.device) == place
    cancel = (gradients.sum(1).abs() <= ALIKE * size) | still
    one_alone = (apart == mine).all(1) | still
    shares = values.softmax(1)
    ratio = gradients / shares
    as_shares = (ratio.amax(1) - ratio.amin(1) <= ALIKE * ratio.abs().amax(1)) | still
    uneven = (shares.amax(1) > UNEQUAL * shares.amin(1)) & moved
    by_softmax = (cancel & one_alone).all()
    by_shares = as_shares.all()
    found = torch.where(by_softmax, place, torch.where(by_shares, count, NONE))
    unsure = (moved.sum() < 2) | (~by_softmax & by_shares & ~uneven.any())
    return torch.where(unsure, UNTOLD, found)


def log_odds(values: Tensor, gradients: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the log-odds (n,) of all other classes against the one at `place`, and the gradients at them; where that is no column, against 0."""
    mine = torch.arange(values.shape[1], device=values.device) == place
    others = values.masked_fill(mine, -torch.inf).logsumexp(1)
    odds = others - values.masked_fill(~mine, 0.0).sum(1)
    total = gradients.sum(1)
    # both ends of the difference take half of it each
    return odds, torch.where(mine.any(), total / 2 - gradients.masked_fill(~mine, 0.0).sum(1), total)


def classes_read(values: int, place: int) -> str:
    """Says how the classes were read."""
    if place == values:
        return (
            f"the discriminator returns {values} classes for each sample, and the loss reads them as one sum of exponentials against 1: its "
            "logarithm was read as the score"
        )
    return (
        f"the discriminator returns {values} classes for each sample, of which number {place} (from 0) is the fakes': the log-odds of all "
        "others against it were read as its score"
    )

"""What a loop does alike in all its steps: the order in which the discriminator is shown reals and fakes, as far as it is known or likely."""

from __future__ import annotations

import torch
from torch import Tensor

SEEN_OFTEN = 5  # updates in which reals and fakes were known, before their order is relied on where they are not
PLAIN = 0.5  # of two distances' sum, by which they differ where one batch is certainly the nearer: a copy of a fake differs by all of it


class Habits:
    """The order of D's two batches: counted where it is known, weighed where it is only likely."""

    def __init__(self) -> None:
        self._first_is_real = [
            0,
            0,
        ]  # updates of two calls, whose fakes were known, in which the first was on fakes, on reals
        self.shows_known_fakes = False  # whether D, in its own turn, was ever shown a batch that is known to be fake
        self._leads: dict[
            str, Tensor
        ] = {}  # by how much the first was nearer to the fakes so far, by the form of the update

    def learn(self, *, reals_first: bool) -> None:
        """Notes which of D's two calls of an update, in the order in which it was called, was on reals, where that is known."""
        self._first_is_real[reals_first] += 1
        self.shows_known_fakes = True

    @property
    def known(self) -> bool:
        """Whether the order was ever known."""
        return any(self._first_is_real)

    def reals_first(self) -> bool | None:
        """Whether the loop calls D on reals first: None where it was not seen to do so, or not to do so, in all of enough updates."""
        fakes_first, reals_first = self._first_is_real
        if min(fakes_first, reals_first) or max(fakes_first, reals_first) < SEEN_OFTEN:
            return None
        return reals_first > 0

    def first_is_fake(self, lead: Tensor, form: str) -> Tensor:
        """Tells by how much the first batch is nearer to the fakes (-1 .. 1, 0-d) whether it is them: a 0-d flag.

        Where this update's batches do not differ plainly, all updates so far are asked. Nothing is read from the device.
        """
        before = self._leads.get(form)
        known = self._leads[form] = lead if before is None else before + lead
        return torch.where(lead.abs() > PLAIN, lead > 0, known > 0)

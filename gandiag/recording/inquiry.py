"""Gradients that a loop asks for by `autograd.grad` through verdicts: of a penalty, or of the generator's own adversarial loss.

Codecs balance their losses so: each one's gradient at the generator's output is asked for, scaled, and their sum sent on; autoencoders weigh the
game by the ratio of two such gradients. A penalty's ends at what D is shown, and the loss's comes to an output of G.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from gandiag.recording.passes import Call

Push = tuple[Call, int, Tensor]
Known = tuple[bool, int, int]  # what was known of penalties before such a pass


@dataclass(slots=True)
class Inquiry:
    """The pass of `autograd.grad` that runs, and those of this step that came to an output of the generator."""

    row: int = -1  # the step
    told: list[tuple[Push, bool]] = field(default_factory=list)  # what those that came there showed
    _running: int = -1
    _pushes: list[tuple[Push, bool]] = field(
        default_factory=list
    )  # and whether a penalty was known to go through that call

    _before: Known = (False, -1, 0)

    def goes_through(self, push: Push, running: int, known: Known) -> None:
        """Notes a verdict that the running pass went through, and what is known of penalties by then."""
        if running != self._running:
            self._running, self._pushes, self._before = running, [], known
        self._pushes.append((push, push[0].penalised))

    def comes_to_output(self, running: int, row: int) -> Known | None:
        """Notes that the running pass came to an output of the generator; returns what was known before, where it went through verdicts.

        It is no penalty's then.
        """
        if running != self._running or not self._pushes:
            return None
        if row != self.row:
            self.row, self.told = row, []
        self.told += self._pushes
        self._pushes = []
        return self._before

    def told_in(self, row: int) -> bool:
        """Tells whether such a pass came to an output of the generator in this step."""
        return row == self.row and bool(self.told)

    def take(self, row: int) -> list[Push]:
        """Returns what was told in this step, once; what a penalty was taken for is none."""
        told, self.told = self.told if row == self.row else [], []
        for (call, _, _), penalised in told:
            call.penalised = penalised
        return [push for push, _ in told]

"""A discriminator that judges reals and fakes in one call and returns a verdict on each: whose verdict is whose a call in G's turn tells."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from torch import Tensor

from gandiag.recording.joints import halves_in_order, made_half
from gandiag.recording.origin import Origin, Outputs
from gandiag.recording.outputs import holds_two, last_operation, tensors
from gandiag.recording.passes import Call

UNKNOWN_CALLS = 4  # after which it is said that nothing told whose verdicts are whose
BOTH_AT_ONCE = (
    "the discriminator is given reals and fakes in one call: its outputs were not read as scores; "
    "step(real_logits=, fake_logits=) would tell"
)


class Noting(Protocol):
    """What notes the discriminator's calls."""

    generated: Outputs
    two_classes: bool
    score_operation: str

    def new_call(self, found: list[Tensor], image: Tensor | None, origin: Origin) -> Call:
        """Returns a call as it is noted."""

    def watch_verdict(self, call: Call, which: int, verdict: Tensor) -> None:
        """Has the gradient at a verdict noted as the call's."""

    def watch_halves(self, calls: list[Call], output: Tensor, axis: int) -> None:
        """Has the gradient at a tensor noted as two calls', half of it each."""


class AtOnce:
    """Notes such calls, with their scores as soon as it is known whose they are."""

    def __init__(self, capture: Noting, *, say: Callable[[str, str], None]) -> None:
        self._capture, self._say = capture, say
        self._in_turn: bool | None = None  # whether the verdicts come in the order of the batches
        self._calls = 0
        # the last calls, as one of each batch, whose scores are held back until that is known, and those scores
        self._held_back: deque[list[tuple[Call, list[Tensor]]]] = deque(maxlen=UNKNOWN_CALLS)

    def called(self, arguments: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> bool:
        """Notes a call that is given reals and fakes at once and returns a verdict on each; False for any other."""
        capture = self._capture
        shown = list(tensors((arguments, dict(named))))
        if len(shown) != 2 or shown[0].shape != shown[1].shape or not shown[0].dim():
            return False
        in_one = isinstance(output, Tensor) and holds_two(output, len(shown[0])) and not capture.two_classes
        if not in_one and not (isinstance(output, (tuple, list)) and len(output) > 1):
            return False
        origins = [capture.generated.origin(tensor) for tensor in shown]
        if in_one:
            return origins[0].fake != origins[1].fake and self._called_in_one(output, shown, origins)
        verdicts = [list(tensors(part)) for part in output[:2]]
        if (
            origins[0].fake == origins[1].fake
            or not verdicts[0]
            or [v.shape for v in verdicts[0]] != [v.shape for v in verdicts[1]]
        ):
            return False
        lead_back = [*map(capture.generated.leads_back, verdicts)]
        if all(lead_back) and self._in_turn is None:
            lead_back = self._of_halves(verdicts[0][0], verdicts[1][0])
        self._learn(lead_back, origins)
        if self._in_turn is not None and not capture.score_operation:
            capture.score_operation = last_operation(verdicts[0][0])
        pair = []
        for tensor, origin, found in zip(shown, origins, verdicts[::-1] if self._in_turn is False else verdicts):
            call = capture.new_call(found, tensor.detach(), origin)
            pair.append((call, call.scores))
            for i, verdict in enumerate(found):
                capture.watch_verdict(call, i, verdict)
        self._hold_back(pair)
        return True

    def _hold_back(self, pair: list[tuple[Call, list[Tensor]]]) -> None:
        if self._in_turn is None:
            for call, _ in pair:
                call.scores = []
            self._held_back.append(pair)

    def _of_halves(self, first: Tensor, second: Tensor) -> list[bool]:
        """Tells of two verdicts, halves of one tensor, which the joint of both batches leads back to G from."""
        in_order = halves_in_order(first, second)
        behind = self._capture.generated.batch_behind
        made = None if in_order is None else made_half(first, 0, behind, twice=True)
        return [True, True] if made is None else [(made == 0) is in_order, (made == 1) is in_order]

    def _learn(self, lead_back: list[bool], origins: list[Origin]) -> None:
        """Notes which of both verdicts is the fakes': the one whose graph leads back to G."""
        fakes = origins[1].fake
        if origins[fakes].attached and lead_back[0] != lead_back[1]:
            self._in_turn = lead_back[1] == fakes
            self._give_back()
        self._calls += 1
        if self._in_turn is None and self._calls == UNKNOWN_CALLS:
            self._say("both at once", BOTH_AT_ONCE)

    def _called_in_one(self, output: Tensor, shown: list[Tensor], origins: list[Origin]) -> bool:
        """Notes a call whose verdicts on both batches come in one tensor: half of it is each one's."""
        capture, axis = self._capture, int(output.shape[0] != 2 * shown[0].shape[0])
        made = None
        if self._in_turn is None:
            made = made_half(output, axis, capture.generated.batch_behind)
        self._learn([False, False] if made is None else [made == 0, made == 1], origins)
        if self._in_turn is not None and not capture.score_operation:
            capture.score_operation = last_operation(output)
        halves = output.detach().chunk(2, axis)
        pair = []
        for tensor, origin, half in zip(shown, origins, halves[::-1] if self._in_turn is False else halves):
            call = capture.new_call([half], tensor.detach(), origin)
            pair.append((call, call.scores))
        in_order = [call for call, _ in (pair[::-1] if self._in_turn is False else pair)]
        capture.watch_halves(in_order, output, axis)
        self._hold_back(pair)
        return True

    def _give_back(self) -> None:
        """Gives calls the scores that were held back, now that it is known whose each of both verdicts is."""
        for (one, first), (other, second) in self._held_back:
            one.scores, other.scores = first, second
            if not self._in_turn:
                one.image, one.origin, other.image, other.origin = other.image, other.origin, one.image, one.origin
        self._held_back.clear()

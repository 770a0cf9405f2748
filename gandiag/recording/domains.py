"""A discriminator that is shown nothing but what the generator makes: features of two domains, two views, of which one stands for the reals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from torch import Tensor

from gandiag.recording.passes import Call, Pass

SAID_AFTER = 4  # updates of D in a row on G's outputs alone, where nothing tells which are the reals

STANDS_FOR_REALS = (
    "the discriminator is shown nothing but what the generator makes (features of two domains, say): what the generator's own turn does not "
    "judge was taken for the reals"
)
NO_REALS = (
    "the discriminator is shown nothing but what the generator makes, in several batches (features of two domains, say), and nothing tells which of "
    "them stands for the reals: its scores are not in the record; step(real_logits=, fake_logits=) would tell"
)
ALL_FAKES = (
    "the discriminator is shown nothing but what the generator makes, in one batch (to tell an attribute from codes or predictions, say): its "
    "scores are recorded as those on fakes, and there are none on reals"
)
IsReal = Callable[[Call], bool | None]


class Domains:
    """Watches whether D is ever shown anything else than G's outputs; as long as it is not, tells which of them stand for the reals."""

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self._say = say
        self._shows_reals = False
        self._in_vain = 0
        self.untold = False  # of the step that ends: whether nothing told them apart

    def tell(self, calls: Collection[Call], of_g: Iterable[Pass], is_real: IsReal) -> IsReal:
        """Returns what is known of the calls of D's update: of several on G's outputs those that `of_g`, its own turn, judges are the fakes."""
        self.untold = False
        self._shows_reals = self._shows_reals or any(
            not c.origin.fake or not c.origin.whole or is_real(c) for c in calls
        )
        if self._shows_reals or not calls:
            return is_real
        judged = {_memory(call.image) for p in of_g for call, _, _ in p.pushes if call.origin.attached}
        fakes = {call for call in calls if _memory(call.image) in judged}
        if fakes and len(fakes) < len(calls):
            self._say("domains", STANDS_FOR_REALS)
            return lambda call: call not in fakes if call in calls else is_real(call)
        self.untold = len(calls) > 1 or any(map(_holds_several, calls))
        self._in_vain += 1
        if self._in_vain == SAID_AFTER:
            self._say("domains", NO_REALS if self.untold else ALL_FAKES)
        return is_real


def _holds_several(call: Call) -> bool:
    return call.image is not None and call.origin.batch is not None and len(call.image) > call.origin.batch


def _memory(image: Tensor | None) -> tuple[int, object]:
    return (0, None) if image is None else (image.data_ptr(), image.shape)

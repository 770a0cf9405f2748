"""Which of several tensors that a discriminator is given is the sample, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gandiag.recording.origin import REAL, Origin, Outputs
from gandiag.recording.outputs import tensors
from gandiag.recording.passes import Passes


class WhichArgument:
    """Learns where among D's arguments the fakes stand, and so where the reals do."""

    def __init__(self, generated: Outputs, passes: Passes) -> None:
        self._generated, self._passes = generated, passes
        self._place = 0, 0  # where the fakes stood, among how many
        self._unplaced: list[list[Tensor]] = []  # what D was given in the first step before that was known

    def look(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Tensor | None, Origin]:
        """Returns which argument is the image, and where it comes from."""
        values = (*arguments, *named.values())
        shown = [t for v in values for t in ((v,) if isinstance(v, Tensor) else tensors(v)) if t.is_floating_point()]
        for place, tensor in enumerate(shown):
            origin = self._generated.origin(tensor)
            if origin.fake:
                if self._unplaced:
                    self._put_right(place, len(shown))
                self._place = place, len(shown)
                return tensor, origin
        if self._passes.row:
            self._unplaced.clear()
        elif not self._place[1] and len(shown) > 1:
            self._unplaced.append(shown)
        return (self._real_among(shown) if shown else None), REAL

    def _put_right(self, place: int, count: int) -> None:
        """Gives D's calls on several tensors, before it was known where among them the sample stands, the image that was meant."""
        for call in self._passes.looked_real:
            for shown in self._unplaced:
                taken = call.image is not None and any(call.image.data_ptr() == t.data_ptr() for t in shown)
                if taken and len(shown) == count:
                    call.image = shown[place].detach()
        self._unplaced.clear()

    def _real_among(self, shown: list[Tensor]) -> Tensor:
        """Returns which of several tensors that D is given is the real: where G's output has stood, or what has its form, or the first."""
        place, count = self._place
        if count == len(shown):
            return shown[place]
        # of a G that returns several which is the image is not known
        forms = {made.shape[1:] for made in self._generated.held}
        alike = [t for t in shown if t.shape[1:] in forms] if len(forms) == 1 else []
        return next((t for t in (*alike, *shown) if t.dim() > 1), shown[0])

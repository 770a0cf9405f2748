"""One backward pass for both players: whether D's verdicts on fakes in it make each player follow the other's loss as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from gandiag.recording.passes import Pass

Mixture = Literal["undetached", "one pass", "one verdict"]


def mixture(shared: Sequence[Pass]) -> Mixture | None:
    """Returns how the losses of both players mix in passes that serve both; None where each keeps to its own.

    `undetached`: several verdicts on fakes lead back to the generator, so that D's loss pushes it as well. `one pass`: of D's verdicts on
    fakes some lead back and some do not, and those of G's loss fill D's gradients too; a discriminator whose parameters are frozen for G's
    verdict is sound. `one verdict`: both losses read the same one, or one loss does, whose sign is turned round on the way to G (a gradient
    reversal, which is sound): the force on it tells.
    """
    calls = {
        call for one in shared for call, _, _ in one.pushes if call.origin.fake and call.scores and not call.penalised
    }
    leading_back = [call for call in calls if call.origin.attached]
    if len(leading_back) > 1:
        return "undetached"
    if leading_back and len(calls) > 1 and all(call.trains for call in leading_back):
        return "one pass"
    if len(calls) == len(leading_back) == 1:
        return "one verdict"
    return None

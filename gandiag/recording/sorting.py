"""What an update's backward passes showed of the game: which scores and images were of reals, which of fakes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from gandiag.recording.capture import Capture
from gandiag.recording.given import lead_of
from gandiag.recording.habits import Habits
from gandiag.recording.origin import lead, nearest
from gandiag.recording.parting import Piece, copies_among, parted
from gandiag.recording.passes import Call
from gandiag.recording.seen import Seen, Side, add_images, either, flat

SURPLUS = (
    "an update shows the discriminator more batches that look real than fakes (mixtures, augmented copies, reals with wrong labels): "
    "the first for each batch of fakes were taken for the reals, the others are not in the record; step(real=, real_logits=) would tell"
)

UNTOLD = (
    "the discriminator is shown nothing that is known to come from the generator (pieces of a copy of its output, say, or a mixture with "
    "reals): its scores are not in the record; step(real_logits=, fake_logits=) would tell"
)

COPIED = 0.99  # of two distances' sum, by which they differ where one batch is a copy of a fake


class Sorting:
    """Tells reals from fakes among the calls that took part in an update, and says what it went by."""

    def __init__(self, capture: Capture, *, say: Callable[[str, str], None]) -> None:
        self._capture, self._say = capture, say
        self.habits = Habits()
        # updates of D whose loss has read no verdict on fakes, or on reals, although D was shown some on its own
        self.unread = {"fakes": 0, "reals": 0}
        self._shown = 0

    def sort_out(
        self,
        pushes: dict[Call, dict[int, Tensor]],
        is_real: Callable[[Call], bool | None],
        probability: bool,
        found: Seen,
        *,
        made_before: int,
        of_generator: bool,
    ) -> None:
        """Adds to `found` what each call's scores and images tell of reals and of fakes.

        `made_before` is how many outputs of G there were as the update before this one ended. In an update of G reals whose slope was taken
        are no part of its loss (D's own steps, unrolled), as long as a verdict on fakes is.
        """
        scored = {call: parts for call, parts in pushes.items() if call.scores}
        if len(scored) < len(pushes):
            add_images([call for call in pushes if not call.scores and not call.penalised], is_real, found)
        calls = [(call, *flat(call, parts, probability)) for call, parts in scored.items() if call.untouched]
        if len(calls) < len(scored):
            self._say(
                "in place",
                "the discriminator's outputs were changed in place after it returned them: those were left out",
            )
        said = {call: is_real(call) for call, _, _ in calls}
        labels = {call: either(said[call], not call.origin.fake) for call, _, _ in calls}
        # of two batches of one size, none of which is known to be fake, neither can be spared as an interpolate
        one_is_fake = len(calls) == 2 and all(labels.values()) and len(calls[0][1]) == len(calls[1][1])
        plain = {labels[c] for c, _, _ in calls if not c.penalised}
        kept = [
            (c, s, g)
            for c, s, g in calls
            if said[c] is not None
            or one_is_fake
            or not c.penalised
            or not (labels[c] in plain or (of_generator and False in plain))
        ]
        if self._capture.score_operation == "Sigmoid" and any(call.penalised for call, _, _ in kept):
            self._say(
                "penalised sigmoid",
                "the discriminator ends in a sigmoid and a penalty was taken on the very call that the loss reads (R1, say): the "
                "gradient at its probabilities, and so the force on those scores, holds the penalty's push as well",
            )
        kept = self._without_surplus(kept, labels, said)
        if len(calls) == 2 and len(set(labels.values())) == 2 and not any(c.penalised for c, _, _ in calls):
            first, _ = sorted(labels, key=lambda call: call.order)
            self.habits.learn(reals_first=labels[first])
        for call, score, gradient in self._halves(kept, labels, said, found, made_before):
            (found.real if labels[call] else found.fake).add(call, score, gradient)

    def _without_surplus(
        self,
        calls: list[tuple[Call, Tensor, Tensor]],
        labels: dict[Call, bool],
        said: dict[Call, bool | None],
    ) -> list[tuple[Call, Tensor, Tensor]]:
        """Leaves out, where an update shows more batches that look real than fakes, those that may be none.

        Mixtures of both, augmented copies of fakes, what another network made of fakes, reals with wrong labels: nothing leads from them to G.
        The reals are those that the loop has named, or the first of each fake batch's.
        """
        fakes = sum(not labels[c] for c, _, _ in calls)
        reals = sorted((c for c, _, _ in calls if labels[c]), key=lambda call: call.order)
        if not fakes or len(reals) <= fakes:
            return calls
        named = [c for c in reals if said[c]]
        every = len(reals) // fakes if len(reals) % fakes == 0 else 1
        kept = set(named or reals[::every][:fakes])
        if not named:
            self._say("surplus", SURPLUS)
        return [one for one in calls if not labels[one[0]] or one[0] in kept]

    def _halves(
        self,
        calls: list[tuple[Call, Tensor, Tensor]],
        labels: dict[Call, bool],
        said: dict[Call, bool | None],
        found: Seen,
        made_before: int,
    ) -> list[tuple[Call, Tensor, Tensor]]:
        """Tells reals from fakes by nearness to G's outputs where neither storage nor graph does; returns the other calls."""
        held = self._capture.generated.held
        open_ = [c for c in calls if said[c[0]] is None]
        if len(open_) != len(calls) or not calls:
            return calls
        # last what D's turn itself could see: G's own turn, and its next outputs, may have come since
        in_order = sorted(calls, key=lambda one: one[0].order)
        outputs = [*held, *(c.made for c, _, _ in in_order if c.made is not None)]
        if len(calls) == 1:
            halves = [parted(calls[0], [len(h) for h in held if h.dim()])]
            if not halves[0] and self._is_a_mixture(calls[0][0], labels):
                return []
        else:  # micro-batches of reals and fakes, each beside what G made for it
            halves = [parted(c, [len(c[0].made)] if c[0].made is not None and c[0].made.dim() else []) for c in calls]
        if all(halves):
            ends = [made_before, *sorted(c.after for c, _, _ in calls)]
            parts = [piece for pieces in halves for piece in pieces]
            apart = all(one < other for one, other in pairwise(ends))  # G was called before each: micro-batches
            if (
                len(calls) > 1
                and not apart
                and all(image.shape == parts[0][2].shape for _, _, image in parts)
                and self._by_parts(parts, outputs, found)
            ):
                return []
            single = all(len(c.scores) == 1 for c, _, _ in calls)
            told = [self._by_nearness(p, outputs, found, among=len(calls) > 1, joined=single) for p in halves]
            return [c for c, known in zip(calls, told) if not known]
        if not all(labels[c] for c, _, _ in calls):
            return calls
        if (
            len(calls) > 2 and not self.habits.known
        ):  # never were fakes known in D's turn: they are joined to a label, say
            return [] if self._one_of_several(in_order, outputs, found) else calls
        if len(calls) != 2:
            return calls
        if (reals_first := self.habits.reals_first()) is not None:
            return self._by_habit(calls, found, reals_first=reals_first)
        pieces = [(s, g, c.image) for c, s, g in in_order if c.image is not None]
        if len(pieces) != 2 or any(one.shape != other.shape for one, other in zip(*pieces)):
            return self._by_order(calls, found)
        self._capture.given.is_needed = True
        given = lead_of([c.holds_given for c, _, _ in in_order])
        return [] if self._by_nearness(pieces, outputs, found, given=given) else self._by_order(calls, found)

    def _by_nearness(
        self,
        pieces: list[Piece],
        outputs: Sequence[Tensor],
        found: Seen,
        *,
        among: bool = False,
        joined: bool = False,
        given: Tensor | None = None,
    ) -> bool:
        """Takes of two pieces the one for fake that alone holds what G was `given`, or that is nearer to an output of G; returns whether they
        can be compared with one.
        """
        if len(pieces) > 2:
            return self._by_parts(pieces, outputs, found)
        (_, _, image_a), (_, _, image_b) = pieces
        nearer = lead(image_a, image_b, outputs, among=among)
        if nearer is None:
            return False
        if given is not None:
            nearer = torch.where((given == 0) | (nearer.abs() > COPIED), nearer, given)
            self._say(
                "given",
                "where one alone of the two batches held what the generator was given (a state beside its action, a label), it was taken for fake",
            )
        first_is_fake = self.habits.first_is_fake(nearer, f"{tuple(image_a.shape[1:])}, {among}")
        self._say_nearness(found)
        shuffled = copies_among(image_a, image_b, outputs[-1]) if joined else None
        for side, flag, which in ((found.fake, first_is_fake, 1), (found.real, ~first_is_fake, 0)):
            for kept, one, other in zip((side.scores, side.gradients, side.images), *pieces):
                half = torch.where(flag, one, other)
                kept.append(half if shuffled is None else shuffled.pick(one, other, which, half))
        return True

    def _by_parts(self, pieces: list[Piece], outputs: Sequence[Tensor], found: Seen) -> bool:
        """Takes of a batch's parts (several crops of reals and of fakes, say) the half for fake that is nearer to outputs of G."""
        apart = [nearest(image, outputs) for _, _, image in pieces]
        known = [one for one in apart if one is not None]
        if len(known) < len(pieces):
            return False
        self._say_nearness(found)
        half = len(pieces) // 2
        ranked = torch.stack(known).argsort()
        for side, which in ((found.fake, ranked[:half].sort().values), (found.real, ranked[half:].sort().values)):
            for kept, values in zip((side.scores, side.gradients, side.images), zip(*pieces)):
                kept.append(torch.stack(values)[which].flatten(0, 1))
        return True

    def _one_of_several(self, calls: list[tuple[Call, Tensor, Tensor]], outputs: Sequence[Tensor], found: Seen) -> bool:
        """Takes of several batches, all of which look real, the nearest to G's output for fake and the first other one for the reals."""
        pieces = [(s, g, c.image) for c, s, g in calls if c.image is not None]
        apart = [a for _, _, image in pieces if (a := nearest(image, outputs[-1:])) is not None]
        forms = {(s.shape, image.shape) for s, _, image in pieces}
        if len(apart) < len(calls) or len(forms) > 1:
            return False
        self._say_nearness(found)
        self._say("surplus", SURPLUS)
        fake = torch.stack(apart).argmin()
        for side, which in ((found.fake, fake), (found.real, (fake == 0).long())):
            for kept, values in zip((side.scores, side.gradients, side.images), zip(*pieces)):
                kept.append(torch.stack(values)[which])
        return True

    def leave_out_what_may_be_none(
        self, calls: Collection[Call], is_real: Callable[[Call], bool | None], found: Seen
    ) -> None:
        """Leaves out, of an update of D in which nothing is known as fake, what looks real, as long as D has never been shown known fakes.

        It may be a mixture of both, or fakes that were copied in pieces; not where fakes were judged beside it, and their verdict not used.
        """
        if any(call.origin.fake for call in calls):
            self.habits.shows_known_fakes = True
        nothing = not found.fake.scores and not found.fake.images
        shown, self._shown = self._capture.fakes_shown - self._shown, self._capture.fakes_shown
        if shown and nothing and found.real.scores and not self.habits.shows_known_fakes:
            self.unread["fakes"] += 1
            return  # what they were not among is real
        if found.fake.scores and not found.real.scores and self._capture.passes.looked_real:
            self.unread["reals"] += 1
        if self.habits.shows_known_fakes or not nothing or any(is_real(call) for call in calls):
            return
        if found.real.scores:
            self._say("untold", UNTOLD)
        found.real = Side([], [], [])

    def _say_nearness(self, found: Seen) -> None:
        self._say(
            "nearness",
            "neither storage nor graph tells what the discriminator was shown as fake: it was taken to be what is "
            "nearer to the generator's last output",
        )
        found.guessed = True

    def _is_a_mixture(self, call: Call, labels: dict[Call, bool]) -> bool:
        """Tells whether the one batch of an update must hold fakes as well, which ones not being known: it is larger than what G made."""
        made = call.made
        if not labels[call] or made is None or not made.dim() or call.image is None or len(call.image) <= len(made):
            return False
        self._say(
            "mixture",
            "the discriminator is shown reals and fakes in one batch, and which of its samples are which is not known: its scores are not in the "
            "record; step(real_logits=, fake_logits=) would tell",
        )
        return True

    def _by_habit(
        self, calls: list[tuple[Call, Tensor, Tensor]], found: Seen, *, reals_first: bool
    ) -> list[tuple[Call, Tensor, Tensor]]:
        """Of two batches that nothing tells apart takes for fake the one that stands where the fakes of all earlier updates stood."""
        first, second = sorted(calls, key=lambda one: one[0].order)
        real, (fake, score, gradient) = (first, second) if reals_first else (second, first)
        self._say(
            "habit",
            "what the discriminator was shown as fake could not be traced to the generator in every step: there it was taken to be the batch that "
            "stands, of the two, where the fakes stood in all steps in which they could be traced",
        )
        found.fake.add(fake, score, gradient)
        return [real]

    def _by_order(self, calls: list[tuple[Call, Tensor, Tensor]], found: Seen) -> list[tuple[Call, Tensor, Tensor]]:
        """Of two batches that nothing tells apart takes the one for fake before which, and not before the other, G was called."""
        real, (second, score, gradient) = sorted(calls, key=lambda one: one[0].order)
        first = real[0]
        if first.after == second.after:
            self._say(
                "untold",
                "the discriminator is shown two batches of which neither is known to come from the generator (a copy of its output "
                "that was changed, say): their scores are not in the record; step(real_logits=, fake_logits=) would tell",
            )
            return []
        self._say(
            "order",
            "what the discriminator was shown as fake cannot be traced to the generator: it was taken to be the batch before which "
            "the generator was called",
        )
        found.fake.add(second, score, gradient)
        return [real]

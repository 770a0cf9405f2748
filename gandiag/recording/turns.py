"""Whose update a backward pass served, and what the game showed in it: scores on reals and fakes, forces, images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gandiag.recording.capture import Capture
from gandiag.recording.classes import Classes, Facing
from gandiag.recording.domains import Domains
from gandiag.recording.joint import mixture
from gandiag.recording.passes import Call, Pass, norm
from gandiag.recording.seen import Seen, Side, is_real_call, whole_call
from gandiag.recording.showing import of_each, shows_both, shows_one_side, shows_the_game, with_the_other_side
from gandiag.recording.sorting import Sorting

PLAYERS = ("discriminator", "generator")
# turns of a player, before its loss is said to read no verdicts of a kind: on what leads back to G, on fakes, on reals
UNREACHED = 50


class Turns:
    """Assigns backward passes to the players as their optimizers step."""

    def __init__(
        self,
        capture: Capture,
        *,
        say: Callable[[str, str], None],
        note: Callable[..., None] = lambda kind, **facts: None,
        take_back: Callable[[str], None] = lambda key: None,
    ) -> None:
        self._capture = capture
        self._say, self.note, self._take_back = say, note, take_back
        self._classes: Classes | None = None  # of a discriminator that returns several values for each sample
        self.way_of_d: Callable[[], Tensor | None] = lambda: None  # -1 where D was seen to ascend
        self._facing = Facing()  # of one that returns two, of which it is known that one softmax joins them
        self._noted: set[str] = set()
        self._led_back, self._unreached, self._verdict_seen = False, 0, False
        self._unheard: int | None = (
            0  # turns of G in which D was asked for it and took no part; None once it has, or that is said
        )
        self._sorting, self._domains = Sorting(capture, say=say), Domains(say)
        self._last: dict[str, list[Pass]] = {who: [] for who in PLAYERS}
        self._joint: list[Pass] = []  # reached both players, claimed by the last step, which may not be whose they are
        # what of a player's gradients came from elsewhere than the passes of its first update of the step
        self.stale: dict[str, Tensor | float] = {}
        # how many passes of `autograd.grad` there were in this step as each player was stepped last, and the time before
        self._returned_by = dict.fromkeys(PLAYERS, (0, 0))
        # how many outputs of G there were at the last update, and as each player's began
        self._made, self._made_before = 0, dict.fromkeys(PLAYERS, 0)

    def stepped(self, who: str) -> bool:
        """Notes that this player's optimizer is about to step: it claims the passes that can only be, or are likely, its own.

        Returns False where it is the discriminator's and only pays a penalty (lazy R1, say), after one that showed the game.
        """
        by_hand = self._put_in_place(who)
        penalty_alone = who == "discriminator" and not by_hand and self._pays_a_penalty_alone()
        self._made_before[who], self._made = self._made, self._capture.generated.count
        self._returned_by[who] = self._returned_by[who][1], len(self._capture.passes.returned)
        if by_hand:
            self._last[who], self._joint = by_hand, []
        else:
            self._claim(who)
        own = self._last[who]
        if who == "generator":
            self._add_what_was_asked_for(own)
        if not own and self._capture.passes.open:
            self._capture.passes.relearn(who)
        if own and own[0].stale is not None and own[0].stale_of == who:
            self.stale.setdefault(who, own[0].stale)
        if who == "discriminator":
            self._note_what_the_generator_added(own)
        else:
            for call in (call for one in own for call, _, _ in one.pushes if call.origin.attached):
                if call.image is not None:
                    self._capture.generated.note_whether_changed(call.image)
            self._capture.generated.keep_the_judged()
        self._capture.passes.stepped.add(who)
        if self._joint and who == "discriminator":  # what D's pass added to G's gradients is to be cleared as well
            self._capture.passes.stepped.add("generator")
        return not penalty_alone

    def _put_in_place(self, who: str) -> list[Pass]:
        """Returns the passes of `autograd.grad` by which this player is about to be stepped, their gradients put in place by the loop itself."""
        passes = self._capture.passes
        if not passes.by_hand:
            return []
        if any(p.serves(who) for p in passes.open):  # those were for something else: a weight, a norm that is looked at
            passes.by_hand = {at: found for at, found in passes.by_hand.items() if not found[0].serves(who)}
            return []
        found = passes.taken_by_hand(who)
        if found:
            passes.penalty = False
            self._say(
                f"{who} by hand",
                f"the loop takes the {who}'s gradients by autograd.grad and puts them in place itself: what those passes show is the loss's, before "
                "the loop has changed anything of it",
            )
        return found

    def _add_what_was_asked_for(self, own: list[Pass]) -> None:
        """Adds to an update of the generator, none of whose passes went through a verdict, those that `autograd.grad` went through for it."""
        told = self._capture.inquiry.take(self._capture.passes.row)
        if own and told and not any(p.pushes for p in own):
            own[-1].pushes.extend(told)
            self._say(
                "balanced",
                "the loop asks for the gradient of the generator's adversarial loss by autograd.grad and sends on what it makes of it (a "
                "balancer of losses): the generator's force on the score is that of the loss itself, before it was scaled",
            )

    def _pays_a_penalty_alone(self) -> bool:
        """Tells whether the discriminator, which has shown the game in this step, is about to be stepped by a penalty alone.

        Through a piecewise linear network the penalty's own pass comes through no verdict: then `autograd.grad` has told of it.
        """
        passes = self._capture.passes
        paid, passes.penalty = passes.penalty, False
        if not shows_the_game(self._last["discriminator"]):
            return False
        own = [p for p in passes.open if p.reached_discriminator and p.row == passes.row]
        return paid and passes.fills and not shows_the_game(own)

    def _note_what_the_generator_added(self, own: list[Pass]) -> None:
        """Notes the norm of what the generator's pass has added to D's gradients since D's own, where one ran in between."""
        for one in (*self._capture.passes.open, *own):
            if one.beneath is not None and one.row == self._capture.passes.row:
                held = self._capture.passes.held_by("discriminator")
                if held is None or [g.shape for g in held] != [g.shape for g in one.beneath]:
                    self.stale.pop(
                        "discriminator", None
                    )  # it was more than they held at first, and nobody can tell how much
                else:
                    apart = [norm(now - was) for now, was in zip(held, one.beneath)]
                    self.stale["discriminator"] = norm(torch.stack(apart))
                return

    def _claim(self, who: str) -> None:
        waiting = self._capture.passes.open
        if len(waiting) == 1:  # the usual update, of one backward pass: the general rule below, in short
            only = waiting[0]
            if (
                only.serves(who)
                and only.row == self._capture.passes.row
                and shows_the_game(waiting)
                and not (who == "discriminator" and self._last[who] and shows_one_side(only))
            ):
                self._last[who], self._capture.passes.open = waiting, []
                self._joint = waiting if only.reached_discriminator and only.reached_generator else []
                return
        self._drop_stale()
        waiting = self._capture.passes.open
        own = [p for p in waiting if p.serves(who)]
        joint = [p for p in own if p.reached_discriminator and p.reached_generator]
        if who == "discriminator" and joint:
            alone = [p for p in own if p not in joint]
            if shows_both(
                alone
            ):  # then the passes through both are the generator's: yet to be used, or of an update that was skipped
                first = waiting.index(alone[0])
                self._capture.passes.open = [
                    p for p in waiting if p not in alone and not (p in joint and waiting.index(p) < first)
                ]
                self._last[who], self._joint = alone, []
                return
        if (mine := of_each(joint).get(who)) and joint == own:  # nothing was detached, and neither has stepped yet
            self._last[who], self._joint = mine, []
            self._capture.passes.open = [p for p in waiting if p not in mine]
            return
        if (
            not own and self._joint
        ):  # both players went backward before either stepped: the passes through both are the generator's
            own = self._take_over(who)
        if shows_the_game(own) or not shows_the_game(self._last[who]):
            # an update that only pays a penalty (lazy R1) shows nothing of the game: the one before it stays
            self._last[who] = self._with_the_other_side(own) if who == "discriminator" else own
        self._joint = joint
        self._capture.passes.open = [p for p in waiting if p not in own]

    def _with_the_other_side(self, own: list[Pass]) -> list[Pass]:
        batches = [len(h) if h.dim() > 1 else 1 for h in self._capture.generated.held if h.dim()]
        return with_the_other_side(self._last["discriminator"], own, batches)

    def passes_of(self, who: str) -> list[Pass]:
        """Returns the backward passes of this player's last update."""
        return self._last[who]

    def in_game(self, who: str) -> bool | None:
        """Tells whether the discriminator took part in what this player's optimizer is about to step by; None where that is not known.

        Where passes fill gradients and none is waiting, what it steps by came through neither network's output: a penalty on itself.
        """
        passes = self._capture.passes
        own = [p for p in passes.open if p.serves(who)] or [p for p in self._joint if p.serves(who)]
        if own:
            return any(p.pushes or p.reached_discriminator for p in own) or self._capture.inquiry.told_in(passes.row)
        if any(p.serves(who) and p.pushes for p, _ in passes.by_hand.values()):
            return True
        return None if passes.open or not passes.fills else False

    def note_whether_heard(self, in_game: bool | None) -> None:
        """Notes, as G is about to step, a generator that has D judge what leads back to it in each of its first turns, and uses no verdict."""
        if self._unheard is None:
            return
        if in_game:
            self._unheard = None
        elif in_game is False and self._capture.asked_for_g == self._capture.passes.row:
            self._unheard += 1
            if self._unheard == UNREACHED:
                self._unheard = None
                self.note("discriminator_unheard", turns=UNREACHED)

    def aside(self, who: str) -> None:
        """Notes that this player is about to be stepped by what is no part of the game: those passes are nobody's."""
        self._capture.passes.open = [
            p for p in self._capture.passes.open if p.reached_discriminator or not p.serves(who)
        ]
        self._capture.passes.stepped.add(who)

    def stepped_together(self) -> None:
        """Notes that one optimizer is about to step both players."""
        self._drop_stale()
        passes, self._capture.passes.open = self._capture.passes.open, []
        self._last = {who: [p for p in passes if p.serves(who)] for who in PLAYERS}
        self._joint = []

    def sample(self, batch: Tensor | None) -> Tensor | None:
        """Returns the samples in what D was shown, without what the loop has joined to them."""
        return None if batch is None else self._capture.generated.sample_in(batch)

    def nobody_stepped(self) -> None:
        """Assigns what is left by the parameters that it reached, for loops whose optimizers cannot be watched."""
        passes = [*self._capture.passes.dropped, *self._capture.passes.open]
        self._capture.passes.open = []
        for one in passes:
            one.cleared = ()  # by a step that nobody saw, as far as is known
        for who in PLAYERS:
            alone = [p for p in passes if p.serves(who) and not (who == "discriminator" and p.reached_generator)]
            self._last[who] = alone or self._last[who]

    def moved_unseen(self, who: str) -> None:
        """Takes for an update of a player that nothing was seen to step, and that has moved, the passes of this step that can only be its own."""
        passes, own = self._capture.passes, self._waiting(who)
        if not shows_the_game(own):
            return
        passes.open = [p for p in passes.open if p not in own]
        self._last[who] = own[-1:] if shows_both(own[-1:]) else own
        self._say(
            f"{who} moved unseen",
            f"the {who} moves although its optimizer was not seen to step (by hand, by optimizers of its layers): what was computed for it in such a "
            "step was taken for one update; how many there were and their gradients are not in the record",
        )

    def waits_for(self, who: str) -> bool:
        """Tells whether a pass of this step that can only be this player's shows the game, and no optimizer has used it."""
        return shows_the_game(self._waiting(who))

    def _waiting(self, who: str) -> list[Pass]:
        passes = self._capture.passes
        return [
            p
            for p in (*passes.dropped, *passes.open)
            if p.row == passes.row
            and (p.reached_generator if who == "generator" else p.reached_discriminator and not p.reached_generator)
        ]

    def _drop_stale(self) -> None:
        """Forgets passes of earlier steps that no optimizer claimed: their update was skipped."""
        now = self._capture.passes.row
        self._capture.passes.open = [p for p in self._capture.passes.open if p.row >= now - 1]

    def forget(self, *, claimed: bool) -> None:
        """Begins a new step; where `claimed`, passes that nobody has claimed will be nobody's any more."""
        if claimed:
            self._capture.passes.open = []
        self._capture.passes.next_row()
        if self._last["discriminator"]:
            self._capture.given.is_asked = self._capture.given.is_needed
        self._returned_by = dict.fromkeys(PLAYERS, (0, 0))
        self._last = {"discriminator": [], "generator": []}
        self._joint = []
        self.stale.clear()
        self._domains.untold = False

    def seen(self, who: str, is_real: Callable[[Call], bool | None], probability: bool) -> Seen:
        """Returns what this player's last update saw; `is_real` knows what the loop has said about a call, None where nothing."""
        if self._capture.passes.returned and not self._last[who] and not self._capture.passes.fills:
            self._last[who] = self._taken_by_hand(who)
        passes = self._last[who]
        if not self._verdict_seen:
            self._look_at_a_verdict(passes, probability)
        if who == "generator" and not self._led_back:
            self._look_for_the_way_back(passes)
        found = self._usual(who, is_real, probability) or self._sorted(who, is_real, probability)
        if self._capture.two_classes and not probability:
            return self._facing.read(who, found, self.way_of_d())
        return found if self._classes is None else self._classes.read(who, found)

    def _sorted(self, who: str, is_real: Callable[[Call], bool | None], probability: bool) -> Seen:
        """Reads any update."""
        passes = self._last[who]
        shared = [p for p in passes if p in self._last[_other(who)]]
        mixed = mixture(shared) if shared else None
        if mixed and mixed not in self._noted:
            self._noted.add(mixed)
            self.note("joint_pass", mixture=mixed)
        pushes: dict[Call, dict[int, Tensor]] = {}
        for one in passes:
            for call, which, gradient in one.pushes:
                of_g = call.origin.attached
                if one in shared and of_g != (who == "generator") and not (of_g and mixed == "one verdict"):
                    continue  # one loss for both players: the calls through which the generator is reached are its own
                if who == "generator" and call.turned is not None and call.turned.factor is not None:
                    gradient = gradient * call.turned.factor
                parts = pushes.setdefault(call, {})
                parts[which] = parts[which] + gradient if which in parts else gradient
        found = Seen(
            Side([], [], []), Side([], [], []), [n for p in passes for n in p.at_images] if who == "generator" else []
        )
        if who == "discriminator":
            shown = {call for one in passes for call, _, _ in one.pushes}
            is_real = self._domains.tell(shown, self._last["generator"], is_real)
        if self._domains.untold:
            return found
        self._sorting.sort_out(
            pushes, is_real, probability, found, made_before=self._made_before[who], of_generator=who == "generator"
        )
        if who == "discriminator":
            calls = {call for one in passes for call, _, _ in one.pushes}
            self._sorting.leave_out_what_may_be_none(calls, is_real, found)
            for side, turns in self._sorting.unread.items():
                if turns == UNREACHED and side not in self._noted:
                    self._noted.add(side)
                    self.note("unread", which=side, turns=UNREACHED)
        return found

    def _look_at_a_verdict(self, passes: list[Pass], probability: bool) -> None:
        """Looks, where D returns several numbers for each sample, for classes among them; probabilities are read one by one."""
        scores = next((call.scores for p in passes for call, _, _ in p.pushes if call.scores), None)
        if scores is not None:
            self._verdict_seen = True
            if len(scores) == 1 and scores[0].dim() == 2 and scores[0].shape[1] > 1:
                self._classes = Classes(
                    scores[0].shape[1],
                    self._capture.score_operation,
                    say=self._say,
                    take_back=self._take_back,
                    note=self.note,
                )
                if probability:
                    self._classes.read_each()

    def _look_for_the_way_back(self, passes: list[Pass]) -> None:
        """Notes a generator whose loss reads verdicts on samples that do not lead back to it, in each of its first turns."""
        calls = [call for p in passes for call, _, _ in p.pushes]
        if not calls or not any(p.at_images for p in passes):
            return
        self._led_back = any(call.origin.attached or call.origin.untraced for call in calls)
        self._unreached += 1
        if self._unreached == UNREACHED and not self._led_back:
            self._led_back = True  # it is said once
            self.note("generator_unreached", turns=UNREACHED)

    def _taken_by_hand(self, who: str) -> list[Pass]:
        """Returns the passes of `autograd.grad` that look like this player's, where the loop puts all gradients in place itself."""
        # those that its last update can have used; all where no optimizer told of one
        first, end = self._returned_by[who]
        all_ = [*self._capture.passes.returned.values()][: end or None]
        since = all_[first:] or all_
        found = [p for p in since if p.pushes and bool(p.at_images) == (who == "generator")]
        if not found:
            return []
        self._say(
            "by hand",
            "the loop takes gradients by autograd.grad and puts them in place itself: a pass was taken for the generator's where it "
            "reached the generator's output, and for the discriminator's where it did not",
        )
        # losses whose gradients are then differentiated again (consensus optimisation); else a penalty's pass lies beneath the loss's
        return (
            [p for p in found if p.differentiable and p.curved] or [p for p in found if not p.differentiable] or found
        )

    def _usual(self, who: str, is_real: Callable[[Call], bool | None], probability: bool) -> Seen | None:
        """Reads the usual update quickly: one pass, in which D saw one real and one fake batch, and G one fake; None for any other."""
        passes = self._last[who]
        if len(passes) != 1 or passes[0] in self._last[_other(who)]:
            return None
        pushes = passes[0].pushes
        if who == "generator":
            if len(pushes) != 1 or pushes[0][0].turned or is_real_call(pushes[0][0], is_real) is not False:
                return None
            only = whole_call(pushes[0], probability)
            return None if only is None else Seen(Side([], [], []), only, passes[0].at_images)
        if len(pushes) != 2:
            return None
        real = is_real_call(pushes[0][0], is_real)
        if real is None or is_real_call(pushes[1][0], is_real) is not (not real):
            return None
        one, other = pushes[0][0], pushes[1][0]
        # R1's reals, say: with one batch of each kind neither can be an interpolate
        penalised = one.penalised or other.penalised
        if penalised and (probability or self._capture.score_operation == "Sigmoid"):
            return None
        first = whole_call(pushes[0], probability, penalised=penalised)
        second = whole_call(pushes[1], probability, penalised=penalised)
        if first is None or second is None:
            return None
        if not penalised:
            self._sorting.habits.learn(reals_first=real if one.order < other.order else not real)
        return Seen(first, second, []) if real else Seen(second, first, [])

    def _take_over(self, who: str) -> list[Pass]:
        taken = [p for p in self._joint if p.serves(who)]
        rest = [p for p in self._last[_other(who)] if p not in taken]
        if rest or (who == "discriminator" and mixture(taken) is None):
            self._last[_other(who)] = rest
        return taken


def _other(who: str) -> str:
    return "generator" if who == "discriminator" else "discriminator"

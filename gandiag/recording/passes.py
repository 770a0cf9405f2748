"""The backward passes that fill the players' gradients: which run, whom they reach, and what gradients held as they began.

Nothing here reads a value from the device.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import checkpoint

from gandiag.recording.buffer import WHOLE_VALUES
from gandiag.recording.origin import Origin
from gandiag.recording.reversal import Turned

MOST_OPEN = 256  # backward passes that wait for an optimizer step; beyond, the oldest are forgotten
# first steps, and every how many later, in which it is looked what gradients hold
STALE_FIRST, STALE_EVERY = 32, 10
# backward passes in which all of a player's parameters are looked for; later a few that were met stand for all
LEARNT_IN = 32
MOST_FRAMES = 40  # of the call stack, in which a checkpoint is looked for


@dataclass(eq=False, slots=True)
class Call:
    """One call of the discriminator that built a graph."""

    scores: list[Tensor]  # detached; several for a discriminator of several scales, none for one that returns images
    versions: list[int]
    image: Tensor | None  # detached
    origin: Origin
    after: int = 0  # how many outputs of G there were before it
    order: int = 0  # among D's calls: backward passes go through them the other way round
    made: Tensor | None = None  # the last of those, where what D was shown is not known to be fake alone; detached
    turned: Turned | None = None  # what the gradient is multiplied by on the way to G, where it may be turned round
    holds_given: Tensor | None = None  # whether D was shown what G was given beside the sample, where that is asked
    penalised: bool = False  # `autograd.grad` went through it: it may be an interpolate
    trains: bool = True  # whether D's parameters ask for gradients in calls on what leads back to G, and in others

    @property
    def untouched(self) -> bool:
        """False where the scores have been changed in place since."""
        return all(s._version == v for s, v in zip(self.scores, self.versions))


@dataclass(eq=False, slots=True)
class Pass:
    """One backward pass that filled gradients."""

    reached_discriminator: bool
    reached_generator: bool
    pushes: list[tuple[Call, int, Tensor]]  # call, which of its scores, d(loss)/d(score)
    image_gradients: list[Tensor]  # at each output of G: small ones as they are, norms of others
    row: int  # in which step it ran
    # at outputs of a G that returns several: form, the number of the node that made it, gradient
    beside: list[tuple[torch.Size, int, Tensor]] = field(default_factory=list)

    through: list[tuple[int, Tensor]] = field(
        default_factory=list
    )  # what came to G's outputs through D, where it is looked at
    differentiable: bool = False  # `create_graph=True`
    # the gradient at a verdict depends on the verdict: a loss's, where it is no mean of verdicts, and no penalty's, which sums them
    curved: bool = False
    # None where it was not looked at: the norm of what a player's gradients still held as it began, and D's gradients before this pass
    # through both, which D is yet to use
    stale: Tensor | float | None = None
    stale_of: str = ""  # the player
    beneath: list[Tensor] | None = None
    # of a player's first updates: the gradient of the parameter by which its way is told
    slopes: dict[str, Tensor] | None = None
    # of each player that it reaches: the gradient of one parameter as it began, and that one's version
    held: dict[str, tuple[weakref.ref[Tensor], int]] = field(default_factory=dict)
    cleared: tuple[str, ...] = ()  # the players whose gradients the loop has cleared since, before they were used

    def serves(self, who: str) -> bool:
        """Tells whether a player's gradients hold what this pass has added to them."""
        reached = self.reached_discriminator if who == "discriminator" else self.reached_generator
        return reached and who not in self.cleared

    def was_cleared_of(self, who: str) -> bool:
        """Tells whether what this pass has added to a player's gradients was cleared before it was used."""
        reached = self.reached_discriminator if who == "discriminator" else self.reached_generator
        return reached and who in self.cleared

    @property
    def at_images(self) -> list[Tensor]:
        """The gradients at what D was shown: of several outputs of G those of the images' form, all where none is."""
        if not self.beside:
            return self.image_gradients
        shown = {call.image.shape[1:] for call, _, _ in self.pushes if call.image is not None}
        known = [gradient for shape, _, gradient in self.beside if shape[1:] in shown]
        return self.image_gradients + (known or [gradient for _, _, gradient in self.beside])

    @property
    def at_judged(self) -> list[Tensor]:
        """The gradients at all that D read of G's outputs, where it was looked at."""
        read = {number for number, _ in self.through}
        return self.image_gradients + [gradient for _, number, gradient in self.beside if number in read]


PLAYERS_REACHED = {(d, g): ("discriminator",) * d + ("generator",) * g for d in (False, True) for g in (False, True)}
_UNKNOWN = object()
running_pass = _running = torch._C._current_graph_task_id
_will_run = torch._C._will_engine_execute_node


class Passes:
    """The backward passes of two networks, as hooks in the graph tell of them."""

    def __init__(self, players: Callable[[str], nn.Module]) -> None:
        self.open: list[Pass] = []  # passes that no optimizer step has claimed yet
        self.dropped: list[Pass] = []  # of this step: their gradients were cleared before a step was seen to use them
        # calls of D in this step on what looks real: a copy of what it is shown on the way to G may be among them
        self.looked_real: list[Call] = []
        self.returned: dict[int, Pass] = {}  # passes of `autograd.grad`, as long as none was seen that fills gradients
        self.row = 0
        self.cleared_some = False  # whether gradients were cleared in this step that no optimizer had used
        # whose gradients have been used since the last pass that adds to them
        self.stepped = {"discriminator", "generator"}
        # whose parameters are stepped, where that is known
        self.optimised: Mapping[str, Callable[[], Sequence[Tensor]]] = {}
        self.fills = False  # whether a backward pass was ever seen that fills a player's gradients
        self.penalty = False  # `autograd.grad` went through a verdict since the discriminator's last update
        self._module_of = players
        self._passes: dict[int, Any] = {}  # a Pass, or None
        self._all: dict[str, list[Any]] = {}
        self._trained: dict[str, list[Tensor]] = {}  # the parameters whose nodes those are
        # what they were as none of them was reached
        self._in_vain: list[tuple[torch.device, torch.dtype]] | None = None
        self._met: dict[str, list[Any]] = {"discriminator": [], "generator": []}
        self._looked = 0
        # passes of `autograd.grad` for one player's parameters, beside others that fill gradients, and what was known of their calls before
        self.by_hand: dict[int, tuple[Pass, list[tuple[Call, bool]]]] = {}
        self._asked_for: set[str] = set()  # whose parameters' gradients the pass that has just begun returns
        self._outer = -1  # the backward pass that has computed the network anew which was called last
        # the players' gradients and their versions at the last call of a network; None where a pass has begun since
        self._noted: dict[str, list[tuple[weakref.ref[Tensor] | None, int]]] | None = None

    def forget(self) -> None:
        """Lets go of everything."""
        self.open.clear()
        self.dropped.clear()
        self.looked_real.clear()
        self._passes.clear()
        self.returned.clear()
        self.by_hand.clear()
        self._all.clear()
        self._trained.clear()
        self._met = {"discriminator": [], "generator": []}

    def next_row(self) -> None:
        """Begins a new step: the backward passes of the last one are over, and nothing of what they saw is kept alive here."""
        self.row += 1
        self.cleared_some = False
        self.dropped.clear()
        self.looked_real.clear()
        self._passes.clear()
        self.returned.clear()
        # an update that ends the step before it is yet to use its own
        self.by_hand = {at: found for at, found in self.by_hand.items() if found[0].row >= self.row - 1}

    def current(self) -> Pass | None:
        """Returns the running backward pass, None where it fills no player's gradients (`autograd.grad`)."""
        running = _running()
        found = self._passes.get(running, _UNKNOWN)
        return self._new_pass(running) if found is _UNKNOWN else found

    def running(self) -> Pass | None:
        """Returns the running backward pass where it is known already, also one of `autograd.grad`; None for any other."""
        found: Pass | None = self._passes.get(_running())
        return found or self.returned.get(_running())

    def of_autograd_grad(self) -> Pass | None:
        """Returns the running pass of `autograd.grad`, None where others fill gradients: it is a penalty's then."""
        if self.fills:
            return None
        one = self.returned.setdefault(_running(), Pass(False, False, [], [], self.row))
        one.differentiable = torch.is_grad_enabled()
        return one

    def of_hand(self) -> tuple[Pass, list[tuple[Call, bool]]] | None:
        """Returns the running pass where it is one of `autograd.grad` for one player's parameters, while others fill gradients."""
        return self.by_hand.get(_running()) if self.by_hand else None

    def taken_by_hand(self, who: str) -> list[Pass]:
        """Returns, once, the passes whose gradients the loop has put in place for a player itself: its calls in them are no penalty's."""
        mine = {at: found for at, found in self.by_hand.items() if found[0].serves(who) and found[0].pushes}
        for at, (_, calls) in mine.items():
            del self.by_hand[at]
            for call, penalised in calls:
                call.penalised = penalised
        return [one for one, _ in mine.values()]

    def _new_pass(self, running: int) -> Pass | None:
        """Returns the backward pass that has just begun, None where it fills no player's gradients (`autograd.grad`)."""
        self._looked += 1
        self._asked_for.clear()
        thorough = self._looked <= LEARNT_IN
        reached = self._reaches("discriminator", thorough), self._reaches("generator", thorough)
        if not (reached[0] or reached[1]) and self._may_have_changed():
            self._all.clear()  # the nodes may be those of parameters that were moved to another device since
            reached = self._reaches("discriminator", True), self._reaches("generator", True)
            known, self._in_vain = self._in_vain, None
            if not (reached[0] or reached[1]):
                self._in_vain = self._kinds()
                if known is not None and known != self._in_vain:  # the nodes that were met are nobody's any more
                    self._all.clear()
                    self._met = {"discriminator": [], "generator": []}
        if self._outer >= 0 and (host := self._part_of_another(running, reached)) is not None:
            return host
        current = Pass(*reached, [], [], self.row) if reached[0] or reached[1] else None
        if current is not None and self._outer not in (-1, running) and _is_in_a_checkpoint():
            self._passes[self._outer] = current  # for the others that run within the same
        if len(self._passes) > MOST_OPEN:
            self._passes.clear()
        self._passes[running] = current
        if current is None and self.fills and len(self._asked_for) == 1 and not torch.is_grad_enabled():
            self.by_hand[running] = (
                Pass("discriminator" in self._asked_for, "generator" in self._asked_for, [], [], self.row),
                [],
            )
        if current is not None:
            for who in PLAYERS_REACHED[reached]:
                gradient = self._met[who][0].variable.grad
                if gradient is not None:
                    current.held[who] = weakref.ref(gradient), gradient._version
            if self.open:
                self._let_go_of_the_cleared(current)
            self.open.append(current)
            if len(self.open) > MOST_OPEN:
                del self.open[0]
            who = "generator" if reached[1] else "discriminator"
            if who in self.stepped:
                self.stepped.discard(who)
                if self._looks_at_gradients:
                    current.stale, current.stale_of = self._norm_held_by(who), who
            if reached[0] and reached[1] and len(self.open) > 1 and self._looks_at_gradients:
                before = self.open[-2]
                if before.reached_discriminator and before.reached_generator and current.stale is None:
                    # where that one turns out to be D's, of fakes that were not detached: what it left in G's gradients
                    current.stale, current.stale_of = self._norm_held_by("generator"), "generator"
                if before.reached_discriminator and not before.reached_generator and before.row == self.row:
                    held = self.held_by("discriminator")
                    current.beneath = None if held is None else [g.clone() for g in held]
            self._noted = None
        return current

    def is_recomputation(self) -> bool:
        """Tells, as a network is called, whether a backward pass computes it anew (checkpointing); notes, if not, what gradients there are."""
        self._outer = _running()
        if self._outer < 0:
            self.note_gradients()
            return False
        self.current()  # whom it reaches can only be asked while it is the one that runs
        return True

    def _part_of_another(self, running: int, reached: tuple[bool, bool]) -> Pass | None:
        """Returns the pass within which a reentrant checkpoint runs this one: both serve one loss."""
        if self._outer in (-1, running) or not _is_in_a_checkpoint():
            return None
        host = self._passes.get(self._outer)
        if host is not None:
            host.reached_discriminator |= reached[0]
            host.reached_generator |= reached[1]
            self._passes[running] = host
        return host

    def _let_go_of_the_cleared(self, begun: Pass) -> None:
        """Forgets, of the passes that wait for a step, those whose gradients were cleared before any optimizer has used them.

        Their update was skipped, or they were a first evaluation (SAM's, a line search's).
        """
        for who, known in self.optimised.items():
            if begun.serves(who) and (all(p.grad is None for p in known()) or self._was_zeroed(who, begun, known)):
                self.cleared_some = True
                for one in self.open:
                    if who not in one.cleared:
                        one.cleared = (*one.cleared, who)
        waiting, self.open = self.open, []
        for one in waiting:
            serves = one.serves("discriminator") or one.serves("generator")
            (self.open if serves else self.dropped).append(one)
        del self.dropped[:-MOST_OPEN]

    def _was_zeroed(self, who: str, begun: Pass, known: Callable[[], Sequence[Tensor]]) -> bool:
        """Tells whether a player's gradients were set to 0 in place since the last pass that waits: more than that has changed them, and all are 0.

        A pass alone may leave nothing but zeros as well: a hinge on the far side.
        """
        before = next((p.held[who] for p in reversed(self.open) if p.serves(who) and who in p.held), None)
        now = begun.held.get(who)
        if before is None or now is None or before[0]() is not now[0]():
            return False
        return now[1] > before[1] + 1 and all(_is_zero(p.grad) for p in known())

    def _may_have_changed(self) -> bool:
        """Tells whether other nodes may be the parameters' than those in which a pass like this one was looked for in vain (a penalty's).

        A parameter that is moved to another device or type gets another node; new parameters are looked for now and then.
        """
        return self._in_vain is None or self._looks_at_gradients or self._in_vain != self._kinds()

    def _kinds(self) -> list[tuple[torch.device, torch.dtype]]:
        return [(p.device, p.dtype) for parameters in self._trained.values() for p in parameters]

    @property
    def _looks_at_gradients(self) -> bool:
        """Whether this is one of the steps in which it is looked what gradients hold."""
        return self.row < STALE_FIRST or not self.row % STALE_EVERY

    def note_gradients(self) -> None:
        """Notes, as a network is called, which gradients there are.

        A pass is noticed as it comes through the verdict, and may have added to some of them by then: those of a head beside the
        verdict, those of a penalty on the weights. What has changed since the call is its own doing, and no remainder.
        """
        if self._looks_at_gradients:
            self._noted = {who: [_state(p) for p in known()] for who, known in self.optimised.items()}

    def _norm_held_by(self, who: str) -> Tensor | float | None:
        held = self.held_by(who)
        if held is None:
            return None
        noted = None if self._noted is None else self._noted.get(who)
        now = list(self.optimised[who]())
        if noted is not None and len(noted) == len(now):
            held = [p.grad.detach() for p, was in zip(now, noted) if p.grad is not None and _is_unchanged(p.grad, *was)]
        return norm(torch.stack([norm(g) for g in held])) if held else 0.0

    def held_by(self, who: str) -> list[Tensor] | None:
        """Returns the gradients that a player's parameters hold at this moment; None where that is not known."""
        known = self.optimised.get(who)
        if known is None:
            return None
        held = [p.grad.detach() for p in known() if p.grad is not None]
        return None if any(g.layout is not torch.strided for g in held) else held

    def relearn(self, who: str) -> None:
        """Forgets which parameters stand for a player: it was stepped, and no pass was seen to reach those that do."""
        self._all.pop(who, None)
        self._met[who] = []

    def _reaches(self, who: str, thorough: bool) -> bool:
        met = self._met[who]
        for node in met:
            try:  # as `_fills_one` does: this runs in every backward pass
                if _will_run(node):
                    return True
            except RuntimeError:
                self._asked_for.add(who)
                continue
        if not thorough and met:  # of a player that was never met all are looked for, however late its first turn comes
            return False
        if who not in self._all:
            self._trained[who] = [p for p in self._module_of(who).parameters() if p.requires_grad]
            self._all[who] = _leaves(self._trained[who])
        for node in self._all[who]:
            if self._fills_one(node, who):
                self._met[who] = [node, *(n for n in met if n in self._all[who])]
                self.fills = True
                return True
        return False

    def _fills_one(self, node: Any, who: str) -> bool:
        try:
            return bool(_will_run(node))
        except RuntimeError:  # torch's answer for a leaf that `autograd.grad` is asked for: its gradient is returned
            self._asked_for.add(who)
            return False


def _is_zero(gradient: Tensor | None) -> bool:
    """Tells whether a gradient is None, or, where asking waits for nothing, holds nothing but zeros."""
    return gradient is None or (gradient.device.type == "cpu" and not gradient.any())


def _state(parameter: Tensor) -> tuple[weakref.ref[Tensor] | None, int]:
    gradient = parameter.grad
    return (None, 0) if gradient is None else (weakref.ref(gradient), gradient._version)


def _is_unchanged(gradient: Tensor, was: weakref.ref[Tensor] | None, version: int) -> bool:
    return was is not None and was() is gradient and gradient._version == version


def _leaves(parameters: Sequence[Tensor]) -> list[Any]:
    """Returns the nodes at which the gradients of trainable parameters are accumulated, the last layer's first."""
    return [torch.autograd.graph.get_gradient_edge(p).node for p in parameters][::-1]


def _is_in_a_checkpoint() -> bool:
    """Tells whether this runs within the backward pass of a reentrant checkpoint."""
    frame = sys._getframe(1)
    for _ in range(MOST_FRAMES):
        if frame is None:
            return False
        if frame.f_code.co_name == "backward" and frame.f_code.co_filename == checkpoint.__file__:
            return True
        frame = frame.f_back  # type: ignore[assignment]  # None at the bottom of the stack
    return False


def small_or_norm(gradient: Tensor) -> Tensor:
    """Returns a gradient as it is where it is small enough to be copied whole, or else its norm."""
    if gradient.requires_grad:
        gradient = gradient.detach()
    return gradient if gradient.numel() <= WHOLE_VALUES else norm(gradient)


def norm(value: Tensor) -> Tensor:
    """Returns the L2 norm, 0-d and float32; half precision would overflow in its own type, and double is narrowed at the end."""
    if value.dtype is torch.float32:
        return torch.linalg.vector_norm(value)
    return torch.linalg.vector_norm(value, dtype=torch.promote_types(value.dtype, torch.float32)).float()

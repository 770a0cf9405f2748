"""Hooks on two modules: which calls of D belong to the game, on reals or on fakes, and in whose update their gradient took part.

A call is the game's when a backward pass that fills parameters' gradients goes through its output. So calls for evaluation
(no gradient), calls for a penalty (`autograd.grad`, which fills none) and interpolates drop out by themselves. Whose update a
pass served is told by the parameters that it reached, and where it reached both players' by the optimizer that steps next.
Nothing here reads a value from the device.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from gandiag.recording.around import Maps
from gandiag.recording.asked import Asked
from gandiag.recording.at_once import AtOnce
from gandiag.recording.averaged import AVERAGE_ROWS, Average
from gandiag.recording.beside import Beside
from gandiag.recording.conditions import Conditions
from gandiag.recording.feeding import LOOKS, Feeding
from gandiag.recording.given import WhatWasGiven
from gandiag.recording.guard import guarded
from gandiag.recording.hooks import hook_on, on_gradient
from gandiag.recording.inquiry import Inquiry
from gandiag.recording.methods import Methods, within
from gandiag.recording.origin import FAKE, Origin, Outputs, is_tracked
from gandiag.recording.outputs import TWO_CLASSES, last_operation, scores, tensors
from gandiag.recording.passes import STALE_FIRST, Call, Pass, Passes, running_pass, small_or_norm
from gandiag.recording.reversal import Turned, turned_on_the_way
from gandiag.recording.through import EVERY, Part, watch
from gandiag.recording.unjudged import Unjudged
from gandiag.recording.which import WhichArgument

_NO_FORCE = torch.zeros(0, device="cpu")  # at what is no score
_compiling = torch.compiler.is_compiling


class Capture:
    """Watches two modules through forward hooks and tensor hooks; `remove` leaves them as they were."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, *, say: Callable[[str, str], None]) -> None:
        self.muted = False
        self.generated = Outputs()
        self.on_call: Callable[[], None] | None = None  # told before each call is looked at
        # told what the generator is given in a call that builds a graph
        self.on_made: Callable[[tuple[Any, ...], Mapping[str, Any]], None] | None = None
        self.give_up: Callable[[str, Exception], bool] = lambda where, error: False  # told what a hook could not do
        self.called: set[str] = set()  # whose calls have been seen at all
        # what the discriminator's output came out of at its first call, where the graph tells
        self.score_operation = ""
        self.image_operation = ""  # and the generator's
        # of a batch's verdicts, where the discriminator has returned them alone
        self._score_form: torch.Size | None = None
        self.two_classes = False  # whether two values for each sample are a softmax's: their difference is the score
        self._maps = Maps()
        self._say = say
        self._discriminator, self._generator = discriminator, generator
        self.fakes_shown = 0  # calls on what is known to be fake, and leads back to G no more
        # the step of the last call on what leads back to G, by a D whose own parameters a backward pass would reach as well
        self.asked_for_g = -1
        self._trains = {False: True, True: True}  # by whether a call leads back to G; looked at in the first steps
        # whether D's slope was ever computed so that a loss could hold it (`create_graph=True`)
        self.penalty_seen = False
        self.slopes_alone, self._slope_at = 0, -1  # steps in which it was computed as a mere number
        self.feeding, self.conditions, self.asked, self.beside = Feeding(), Conditions(), Asked(), Beside()
        self.unjudged, self.average = Unjudged(), Average(generator)
        self.inquiry, self.given = Inquiry(), WhatWasGiven()
        self.at_once = AtOnce(self, say=say)
        self.passes = Passes(lambda who: self._generator if who == "generator" else self._discriminator)
        self._order = count()
        self._which = WhichArgument(self.generated, self.passes)
        self._undo = [hook_on(generator, self._generator_called), hook_on(discriminator, self._discriminator_called)]

    def follow_wrapper(self, who: str) -> bool:
        """Watches the `torch.compile` wrapper through which a network is called instead; returns whether there is one."""
        module = self._generator if who == "generator" else self._discriminator
        compiler = sys.modules.get(
            "torch._dynamo.eval_frame"
        )  # not loaded, nothing is compiled; loading it takes seconds
        kind = getattr(compiler, "OptimizedModule", None)
        wrapper = next(
            (o for o in gc.get_objects() if type(o) is kind and vars(o)["_modules"].get("_orig_mod") is module), None
        )
        return self._follow(who, wrapper)

    def follow_compiled(self, who: str) -> bool:
        """Watches a network that was compiled in place after the recorder was made, which traces hooks away; returns whether it was."""
        module = self._generator if who == "generator" else self._discriminator
        return getattr(module, "_compiled_call_impl", None) is not None and self._follow(who, module)

    def follow_inside(self, who: str) -> bool:
        """Watches the one network inside a player that holds all of its parameters; returns whether there is one."""
        return self._follow(who, within(self._generator if who == "generator" else self._discriminator))

    def _follow(self, who: str, module: nn.Module | None) -> bool:
        if module is None:
            return False
        if who == "generator":
            self._generator, called = module, self._generator_called
        else:
            self._discriminator, called = module, self._discriminator_called
        self._undo.append(hook_on(module, called))
        return True

    def follow_methods(self, who: str) -> None:
        """Watches a player's own methods, by which it is called past torch's hooks."""
        module = self._generator if who == "generator" else self._discriminator
        called = self._generator_called if who == "generator" else self._discriminator_called
        self._undo.append(Methods(module, called, verdicts=who == "discriminator").remove)

    def remove(self) -> None:
        """Takes every hook away."""
        self.muted = True
        for undo in self._undo:
            undo()
        self._undo = []
        self.passes.forget()
        self.generated = Outputs()
        self._which = WhichArgument(self.generated, self.passes)

    # -- hooks

    @guarded
    def _generator_called(
        self, module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], output: Any
    ) -> None:
        if self.muted or _compiling() or module is not self._generator:
            return
        self.called.add("generator")
        if self.on_call is not None:
            self.on_call()
        again = self.passes.is_recomputation()
        if self.on_made is not None and not again and torch.is_grad_enabled():
            self.on_made(arguments, named)
        if self.given.is_asked and not again and ("discriminator" in self.called or not self.passes.row):
            self.given.note(arguments, named)
        alone = type(output) is Tensor
        for tensor in (output,) if alone else tensors(output):
            if not is_tracked(tensor):
                return
            made_by = tensor.grad_fn if again else self.generated.remember(tensor)
            if alone and not again:
                self.asked.given(arguments, named, tensor)
                self.unjudged.given(arguments, named, tensor)
                if self.passes.row in AVERAGE_ROWS:
                    self.average.look_at(self.passes.row)
            if tensor.requires_grad:
                number = -1 if made_by is None else made_by._sequence_nr()
                if self.passes.row < LOOKS:
                    self.feeding.look(self.passes.row, arguments, named)
                on_gradient(
                    tensor,
                    made_by,
                    self._at_image if alone else partial(self._at_output, tensor.shape, number),
                )
                if not self.image_operation:
                    self.image_operation = last_operation(tensor)

    @guarded
    def _discriminator_called(
        self, module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], output: Any
    ) -> None:
        if self.muted or _compiling() or module is not self._discriminator:
            return
        self.called.add("discriminator")
        if type(output) is Tensor:
            found, self._score_form = [output], output.shape
        elif not (found := self._usual_score(scores(output), output)):
            return
        first = found[0]
        if not first.requires_grad or not is_tracked(first):
            return
        if self.on_call is not None:
            self.on_call()
        again = self.passes.is_recomputation()
        shown: Tensor | None
        image: Tensor | None
        only = arguments[0] if len(arguments) == 1 and not named else None
        if self.unjudged.looks:
            self.unjudged.judged(only if type(only) is Tensor else None, self.generated.last, output)
        if type(only) is Tensor and only.is_floating_point():
            shown, origin = only, self.generated.origin(only)
            image = only.detach() if only.requires_grad else only
            if self.generated.part is not None and not origin.fake and self.beside.wants(self.passes.row):
                self.beside.note_joined(only, self.generated.part, self.generated.held)
        else:
            shown, origin = self._which.look(arguments, named)
            image = None if shown is None else shown.detach()
            if self.conditions.wants(self.passes.row):
                self.conditions.note(image, origin.fake, arguments, named, self.generated.last)
            if not origin.fake and self.beside.wants(self.passes.row):
                self.beside.note(image, arguments, named, self.generated.held)
            if image is not None and origin.fake and self.asked.looks and self.generated.is_last(image):
                self.asked.judged("generator" if origin.attached else "discriminator", image, arguments, named)
        if shown is not None:
            origin = self._of_memory(shown, origin)
        if origin.attached and not self.passes.row % EVERY:
            watch(tensors(output), self.generated.nodes, self._came_through)
        if (
            not self.score_operation
            and first.dim() == 2
            and first.shape[1] == 2
            and last_operation(first) == "LogSoftmax"
        ):
            self.read_two_classes()
        if origin.fake and shown is not only and self.at_once.called(arguments, named, output):
            return
        if len(found) > 1 and len(found := self._maps.without_restored(found, module, shown)) == 1:
            first = found[0]
        if again:  # of a detached input: where the graph leads is not to be seen from here
            origin = replace(origin, untraced=True)
        if self.two_classes and len(found) == 1 and first.dim() == 2 and first.shape[1] == 2:
            self._two_classes_called(first, image, origin).turned = self._turned(shown, origin)
            return
        if (
            image is not None
            and len(found) == 1
            and first.numel() == image.numel()
            and first.shape == image.shape
            and first.dim() > 1
            and first.shape[1:].numel() > 1
            and not self._maps.are_verdicts(module, first, shown)
        ):
            self._say(
                "energy", "the discriminator returns images (an energy-based game): its outputs were not read as logits"
            )
            call = self.new_call([], image, origin)  # its images and whose turn it is are the game's all the same
            self.watch_use(call, first)
            return
        if image is not None and image.dim() == 1 and found[0].numel() == 1:
            image = image.unsqueeze(0)  # one sample without an axis for the batch
        if not self.score_operation:
            self.score_operation = last_operation(first)
        if len(found) == 1:  # spelt out: a comprehension is a call
            call = Call([first.detach()], [first._version], image, origin, self.generated.count, next(self._order))
            if self.passes.row < STALE_FIRST:
                self._trains[origin.attached] = any(p.requires_grad for p in module.parameters())
            call.trains = self._trains[origin.attached]
            if not origin.fake or origin.attached:
                call.made = self.generated.last
            else:
                self.fakes_shown += 1
            if self.given.is_asked and image is not None and not origin.fake:
                call.holds_given = self.given.is_held_by(arguments, named, image)
            if origin.attached:
                call.turned = self._turned(shown, origin)
                if call.trains:
                    self.asked_for_g = self.passes.row
            elif not origin.fake:
                self.passes.looked_real.append(call)
            on_gradient(first, first.grad_fn, partial(self._pushed, call, 0))
            return
        call = self.new_call(found, image, origin)
        call.turned = self._turned(shown, origin)
        if not origin.fake or origin.attached:
            call.made = self.generated.last
        if not origin.fake:
            self.passes.looked_real.append(call)
            if self.given.is_asked and image is not None:
                call.holds_given = self.given.is_held_by(arguments, named, image)
        for i, score in enumerate(found):
            self.watch_verdict(call, i, score)

    def new_call(self, found: list[Tensor], image: Tensor | None, origin: Origin) -> Call:
        """Returns a call of the discriminator as it is noted."""
        made, order = self.generated.count, next(self._order)
        return Call([t.detach() for t in found], [t._version for t in found], image, origin, made, order)

    def _of_memory(self, shown: Tensor, origin: Origin) -> Origin:
        """Returns where an input comes from; what was made of an output of G, augmented say, is known by its memory where it is detached.

        D may be shown it on the way to G before or after.
        """
        if not origin.attached:
            return FAKE if not origin.fake and self.generated.was_shown(shown) else origin
        if origin.whole and not self.generated.is_output(shown):
            self.generated.remember_shown(shown)
            for call in self.passes.looked_real:
                if call.image is not None and self.generated.was_shown(call.image):
                    call.origin = FAKE
        return origin

    def _turned(self, shown: Tensor | None, origin: Origin) -> Turned | None:
        """Returns what tells whether the gradient is turned round between what D was shown and G; None where nothing could."""
        if shown is None or not origin.attached:
            return None
        return turned_on_the_way(shown, self.generated, self._fills, self.give_up)

    def _fills(self) -> bool:
        return not self.muted and self.passes.current() is not None

    def _usual_score(self, found: list[Tensor], output: Any) -> list[Tensor]:
        """Returns, of a discriminator that gives its features beside its verdict when asked to, the one that has the usual form."""
        if self._score_form is None or len(found) != 1:
            return found
        usual = self._score_form[1:]
        if found[0].shape[1:] == usual:
            return found
        return next(([t] for t in tensors(output) if t.dim() and t.shape[1:] == usual), found)

    def read_two_classes(self) -> None:
        """Reads two values for each sample as a softmax's; also where D itself ends in one."""
        if not self.two_classes:
            self.two_classes = True
            self._say("two classes", TWO_CLASSES)

    def _two_classes_called(self, values: Tensor, image: Tensor | None, origin: Origin) -> Call:
        """Notes, and returns, a call whose verdict is two values that one softmax joins, as if D had returned their difference."""
        if not self.score_operation:
            self.score_operation = last_operation(values)
        with torch.no_grad():
            score = values[:, 1] - values[:, 0]
        call = self.new_call([score], image, origin)
        after_softmax = self.score_operation == "LogSoftmax"
        on_gradient(values, values.grad_fn, partial(self._pushed_apart, call, after_softmax))
        return call

    def watch_verdict(self, call: Call, which: int, verdict: Tensor) -> None:
        """Has the gradient at a verdict noted as the call's."""
        if verdict.requires_grad:
            on_gradient(verdict, verdict.grad_fn, partial(self._pushed, call, which))

    def watch_use(self, call: Call, output: Tensor) -> None:
        """Has it noted whether a backward pass goes through an output that holds no verdict of this call alone."""
        on_gradient(output, output.grad_fn, partial(self._shown, call))

    def watch_halves(self, calls: list[Call], output: Tensor, axis: int) -> None:
        """Has the gradient at a tensor noted as two calls', half of it each."""
        on_gradient(output, output.grad_fn, partial(self._pushed_halves, calls, axis))

    @guarded
    def _pushed_halves(self, calls: list[Call], axis: int, gradient: Tensor | None) -> None:
        for call, half in zip(calls, () if gradient is None else gradient.chunk(2, axis)):
            self._pushed(call, 0, half)

    @guarded
    def _pushed_apart(self, call: Call, after_softmax: bool, gradient: Tensor | None) -> None:
        if gradient is None:
            return
        first, second = gradient.detach().unbind(1)
        if after_softmax:  # the chain rule through both log-probabilities of the difference
            share = torch.sigmoid(call.scores[0])
            self._pushed(call, 0, second * (1 - share) - first * share)
        else:
            self._pushed(call, 0, (second - first) / 2)

    @guarded
    def _shown(self, call: Call, gradient: Tensor | None) -> None:
        if gradient is not None:
            self._pushed(call, 0, _NO_FORCE)

    @guarded
    def _pushed(self, call: Call, which: int, gradient: Tensor | None) -> None:
        if self.muted or gradient is None:  # a loss read another piece of what one operation returned
            return
        current = self.passes.current()
        if current is None:
            if (hand := self.passes.of_hand()) is not None:
                hand[0].pushes.append((call, which, gradient))
                hand[1].append((call, call.penalised))
            if not torch.is_grad_enabled():
                known = self.passes.penalty, self._slope_at, self.slopes_alone
                self.inquiry.goes_through((call, which, gradient.detach()), running_pass(), known)
            call.penalised = self.passes.penalty = True
            self.penalty_seen = self.penalty_seen or torch.is_grad_enabled()
            if not torch.is_grad_enabled() and self._slope_at != self.passes.row:
                self._slope_at = self.passes.row
                self.slopes_alone += 1
            current = self.passes.of_autograd_grad()
            if current is not None and gradient.requires_grad:
                current.curved = True
        if current is not None:
            current.pushes.append((call, which, gradient.detach() if gradient.requires_grad else gradient))

    @guarded
    def _at_image(self, gradient: Tensor | None) -> None:
        current = None if gradient is None else self._pass_of_images()
        if current is not None and gradient is not None:
            current.image_gradients.append(small_or_norm(gradient))

    @guarded
    def _came_through(self, part: Part) -> None:
        current = self._pass_of_images()
        if current is not None:
            current.through.append(part)

    @guarded
    def _at_output(self, shape: torch.Size, number: int, gradient: Tensor | None) -> None:
        current = None if gradient is None else self._pass_of_images()
        if current is not None and gradient is not None:
            current.beside.append((shape, number, small_or_norm(gradient)))

    def _pass_of_images(self) -> Pass | None:
        if self.muted:
            return None
        current = self.passes.current()
        if current is None:
            known = self.inquiry.comes_to_output(running_pass(), self.passes.row)
            if known is not None:
                self.passes.penalty, self._slope_at, self.slopes_alone = known
        if current is None and (hand := self.passes.of_hand()) is not None:
            return hand[0]
        return current or self.passes.of_autograd_grad()

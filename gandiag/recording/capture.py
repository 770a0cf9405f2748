"""Hooks on two modules: which calls of D belong to the game, on reals or on fakes, and in whose update their gradient took part.

A call is the game's when a backward pass that fills parameters' gradients goes through its output. So calls for evaluation
(no gradient), calls for a penalty (`autograd.grad`, which fills none) and interpolates drop out by themselves. Whose update a
pass served is told by the parameters that it reached, and where it reached both players' by the optimizer that steps next.
Nothing here reads a value from the device.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gandiag.recording.buffer import WHOLE_VALUES
from gandiag.recording.guard import guarded
from gandiag.recording.origin import REAL, Origin, Outputs, is_tracked
from gandiag.recording.outputs import last_operation, scores, tensors

MOST_OPEN = 256  # backward passes that wait for an optimizer step; beyond, the oldest are forgotten
# first steps, and every how many later, in which it is looked what gradients hold
STALE_FIRST, STALE_EVERY = 32, 10
# backward passes in which all of a player's parameters are looked for; later a few that were met stand for all
LEARNT_IN = 32


@dataclass(eq=False, slots=True)
class Call:
    """One call of the discriminator that built a graph."""

    scores: list[Tensor]  # detached; several for a discriminator of several scales, none for one that returns images
    versions: list[int]
    image: Tensor | None  # detached
    origin: Origin
    after: int = 0  # how many outputs of G there were before it
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
    beside: list[tuple[torch.Size, Tensor]] = field(default_factory=list)  # at outputs of a G that returns several

    differentiable: bool = False  # `create_graph=True`
    # None where it was not looked at: the norm of what a player's gradients still held as it began, and D's gradients before this pass
    # through both, which D is yet to use
    stale: Tensor | float | None = None
    stale_of: str = ""  # the player
    beneath: list[Tensor] | None = None

    @property
    def at_images(self) -> list[Tensor]:
        """The gradients at what D was shown: of several outputs of G those of the images' form, all where none is."""
        if not self.beside:
            return self.image_gradients
        shown = {call.image.shape[1:] for call, _, _ in self.pushes if call.image is not None}
        known = [gradient for shape, gradient in self.beside if shape[1:] in shown]
        return self.image_gradients + (known or [gradient for _, gradient in self.beside])


_UNKNOWN = object()
_NO_FORCE = torch.zeros(0, device="cpu")  # at what is no score
_compiling = torch.compiler.is_compiling
_running = torch._C._current_graph_task_id
_will_run = torch._C._will_engine_execute_node


class Capture:
    """Watches two modules through forward hooks and tensor hooks; `remove` leaves them as they were."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, *, say: Callable[[str, str], None]) -> None:
        self.muted = False
        self.generated = Outputs()
        self.open: list[Pass] = []  # passes that no optimizer step has claimed yet
        self.on_call: Callable[[], None] | None = None  # told before each call is looked at
        self.give_up: Callable[[str, Exception], bool] = lambda where, error: False  # told what a hook could not do
        self.returned: dict[int, Pass] = {}  # passes of `autograd.grad`, as long as none was seen that fills gradients
        self.called: set[str] = set()  # whose calls have been seen at all
        # what the discriminator's output came out of at its first call, where the graph tells
        self.score_operation = ""
        self.image_operation = ""  # and the generator's
        # of a batch's verdicts, where the discriminator has returned them alone
        self._score_form: torch.Size | None = None
        self.two_classes = False  # whether two values for each sample are a softmax's: their difference is the score
        self._say = say
        self._passes: dict[int, Any] = {}  # a Pass, or None
        self._discriminator, self._generator = discriminator, generator
        self._trains = {False: True, True: True}  # by whether a call leads back to G; looked at in the first steps
        self.row = 0
        # whose gradients have been used since the last pass that adds to them
        self.stepped = {"discriminator", "generator"}
        # whose parameters are stepped, where that is known
        self.optimised: Mapping[str, Callable[[], Sequence[Tensor]]] = {}
        self._all: dict[str, list[Any]] = {}
        self._trained: dict[str, list[Tensor]] = {}  # the parameters whose nodes those are
        # what they were as none of them was reached
        self._in_vain: list[tuple[torch.device, torch.dtype]] | None = None
        self._met: dict[str, list[Any]] = {"discriminator": [], "generator": []}
        self._looked = 0
        self.fills = False  # whether a backward pass was ever seen that fills a player's gradients
        self.penalty_seen = (
            False  # whether D's slope was ever computed so that a loss could hold it (`create_graph=True`)
        )
        self._undo = [_hook(generator, self._generator_called), _hook(discriminator, self._discriminator_called)]

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
        if wrapper is None:
            return False
        if who == "generator":
            self._generator = wrapper
            self._undo.append(_hook(wrapper, self._generator_called))
        else:
            self._discriminator = wrapper
            self._undo.append(_hook(wrapper, self._discriminator_called))
        return True

    def remove(self) -> None:
        """Takes every hook away."""
        self.muted = True
        for undo in self._undo:
            undo()
        self._undo = []
        self.open.clear()
        self._passes.clear()
        self.returned.clear()
        self._all.clear()
        self._trained.clear()
        self._met = {"discriminator": [], "generator": []}
        self.generated = Outputs()

    def next_row(self) -> None:
        """Begins a new step: the backward passes of the last one are over, and nothing of what they saw is kept alive here."""
        self.row += 1
        self._passes.clear()
        self.returned.clear()

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
        alone = type(output) is Tensor
        for tensor in (output,) if alone else tensors(output):
            if not is_tracked(tensor):
                return
            made_by = self.generated.remember(tensor)
            if tensor.requires_grad:
                on_gradient(tensor, made_by, self._at_image if alone else partial(self._at_output, tensor.shape))
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
        else:
            found = self._usual_score(scores(output), output)
        if not found:
            return
        first = found[0]
        if not first.requires_grad or not is_tracked(first):
            return
        if self.on_call is not None:
            self.on_call()
        image: Tensor | None
        only = arguments[0] if len(arguments) == 1 and not named else None
        if type(only) is Tensor and only.is_floating_point():
            image, origin = only.detach() if only.requires_grad else only, self.generated.origin(only)
        else:
            image, origin = self._look(arguments, named)
            if origin.fake and self._both_called(arguments, named, output):
                return
        if self.two_classes and len(found) == 1 and first.dim() == 2 and first.shape[1] == 2:
            self._two_classes_called(first, image, origin)
            return
        if (
            image is not None
            and first.numel() == image.numel()
            and first.shape == image.shape
            and first.dim() > 1
            and first.shape[1:].numel() > 1
        ):
            self._say(
                "energy", "the discriminator returns images (an energy-based game): its outputs were not read as logits"
            )
            shown = Call(
                [], [], image, origin, self.generated.count
            )  # its images and whose turn it is are the game's all the same
            on_gradient(first, first.grad_fn, partial(self._shown, shown))
            return
        if image is not None and image.dim() == 1 and found[0].numel() == 1:
            image = image.unsqueeze(0)  # one sample without an axis for the batch
        if not self.score_operation:
            self.score_operation = last_operation(first)
        if len(found) == 1:  # spelt out: a comprehension is a call
            call = Call([first.detach()], [first._version], image, origin, self.generated.count)
            if self.row < STALE_FIRST:
                self._trains[origin.attached] = any(p.requires_grad for p in module.parameters())
            call.trains = self._trains[origin.attached]
            on_gradient(first, first.grad_fn, partial(self._pushed, call, 0))
            return
        call = Call([t.detach() for t in found], [t._version for t in found], image, origin, self.generated.count)
        for i, score in enumerate(found):
            if score.requires_grad:
                on_gradient(score, score.grad_fn, partial(self._pushed, call, i))

    def _usual_score(self, found: list[Tensor], output: Any) -> list[Tensor]:
        """Returns, of a discriminator that gives its features beside its verdict when asked to, the one that has the usual form."""
        if self._score_form is None or len(found) != 1:
            return found
        usual = self._score_form[1:]
        if found[0].shape[1:] == usual:
            return found
        return next(([t] for t in tensors(output) if t.dim() and t.shape[1:] == usual), found)

    def _look(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Tensor | None, Origin]:
        """Returns which argument is the image, and where it comes from; the first tensor where none comes from G."""
        first: Tensor | None = None
        for value in (*arguments, *named.values()):
            for tensor in (value,) if isinstance(value, Tensor) else tensors(value):
                if not tensor.is_floating_point():
                    continue
                origin = self.generated.origin(tensor)
                if origin.fake:
                    return tensor.detach(), origin
                first = tensor if first is None or (first.dim() < 2 <= tensor.dim()) else first
        return (None if first is None else first.detach()), REAL

    def _both_called(self, arguments: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> bool:
        """Notes a call that is given reals and fakes at once and returns a verdict on each, and which is which is not told."""
        shown = list(tensors((arguments, dict(named))))
        if (
            len(shown) != 2
            or shown[0].shape != shown[1].shape
            or not isinstance(output, (tuple, list))
            or len(output) < 2
        ):
            return False
        origins = [self.generated.origin(tensor) for tensor in shown]
        verdicts = [list(tensors(part)) for part in output[:2]]
        if (
            origins[0].fake == origins[1].fake
            or not verdicts[0]
            or [*map(_shape, verdicts[0])] != [*map(_shape, verdicts[1])]
        ):
            return False
        self._say(
            "both at once",
            "the discriminator is given reals and fakes in one call: its outputs were not read as scores; "
            "step(real_logits=, fake_logits=) would tell",
        )
        for tensor, origin, (verdict, *_) in zip(shown, origins, verdicts):
            if verdict.requires_grad:
                call = Call([], [], tensor.detach(), origin, self.generated.count)
                on_gradient(verdict, verdict.grad_fn, partial(self._shown, call))
        return True

    def _two_classes_called(self, values: Tensor, image: Tensor | None, origin: Origin) -> None:
        """Notes a call whose verdict is two values that one softmax joins, as if D had returned their difference."""
        if not self.score_operation:
            self.score_operation = last_operation(values)
        with torch.no_grad():
            score = values[:, 1] - values[:, 0]
        call = Call([score], [score._version], image, origin, self.generated.count)
        after_softmax = self.score_operation == "LogSoftmax"
        on_gradient(values, values.grad_fn, partial(self._pushed_apart, call, after_softmax))

    @guarded
    def _pushed_apart(self, call: Call, after_softmax: bool, gradient: Tensor) -> None:
        first, second = gradient.detach().unbind(1)
        if after_softmax:  # the chain rule through both log-probabilities of the difference
            share = torch.sigmoid(call.scores[0])
            self._pushed(call, 0, second * (1 - share) - first * share)
        else:
            self._pushed(call, 0, (second - first) / 2)

    @guarded
    def _shown(self, call: Call, _gradient: Tensor) -> None:
        self._pushed(call, 0, _NO_FORCE)

    @guarded
    def _pushed(self, call: Call, which: int, gradient: Tensor) -> None:
        if self.muted:
            return
        running = _running()
        current = self._passes.get(running, _UNKNOWN)
        if current is _UNKNOWN:
            current = self._new_pass(running)
        if current is None:
            call.penalised = True
            self.penalty_seen = self.penalty_seen or torch.is_grad_enabled()
            current = self._returned_pass()
        if current is not None:
            current.pushes.append((call, which, gradient.detach() if gradient.requires_grad else gradient))

    def _returned_pass(self) -> Pass | None:
        """Returns the running pass of `autograd.grad`, None where others fill gradients: it is a penalty's then."""
        if self.fills:
            return None
        one = self.returned.setdefault(_running(), Pass(False, False, [], [], self.row))
        one.differentiable = torch.is_grad_enabled()
        return one

    @guarded
    def _at_image(self, gradient: Tensor) -> None:
        current = self._pass_of_images()
        if current is not None:
            current.image_gradients.append(_small_or_norm(gradient))

    @guarded
    def _at_output(self, shape: torch.Size, gradient: Tensor) -> None:
        current = self._pass_of_images()
        if current is not None:
            current.beside.append((shape, _small_or_norm(gradient)))

    def _pass_of_images(self) -> Pass | None:
        if self.muted:
            return None
        running = _running()
        current = self._passes.get(running, _UNKNOWN)
        if current is _UNKNOWN:
            current = self._new_pass(running)
        return self._returned_pass() if current is None else current

    # -- backward passes

    def _new_pass(self, running: int) -> Pass | None:
        """Returns the backward pass that has just begun, None where it fills no player's gradients (`autograd.grad`)."""
        self._looked += 1
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
        current = Pass(*reached, [], [], self.row) if reached[0] or reached[1] else None
        if len(self._passes) > MOST_OPEN:
            self._passes.clear()
        self._passes[running] = current
        if current is not None:
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
        return current

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

    def _norm_held_by(self, who: str) -> Tensor | float | None:
        held = self.held_by(who)
        if held is None:
            return None
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
            try:  # as `_fills` does: this runs in every backward pass
                if _will_run(node):
                    return True
            except RuntimeError:
                continue
        if not thorough and met:  # of a player that was never met all are looked for, however late its first turn comes
            return False
        if who not in self._all:
            module = self._discriminator if who == "discriminator" else self._generator
            self._trained[who] = [p for p in module.parameters() if p.requires_grad]
            self._all[who] = _leaves(self._trained[who])
        for node in self._all[who]:
            if _fills(node):
                self._met[who] = [node, *(n for n in met if n in self._all[who])]
                self.fills = True
                return True
        return False


def _shape(tensor: Tensor) -> torch.Size:
    return tensor.shape


def _leaves(parameters: Sequence[Tensor]) -> list[Any]:
    """Returns the nodes at which the gradients of trainable parameters are accumulated, the last layer's first."""
    return [torch.autograd.graph.get_gradient_edge(p).node for p in parameters][::-1]


def _fills(node: Any) -> bool:
    try:
        return bool(_will_run(node))
    except RuntimeError:  # torch's answer for a leaf under `autograd.grad`: the gradient is returned, not accumulated
        return False


def norm(value: Tensor) -> Tensor:
    """Returns the L2 norm, 0-d and float32; half precision would overflow in its own type, and double is narrowed at the end."""
    if value.dtype is torch.float32:
        return torch.linalg.vector_norm(value)
    return torch.linalg.vector_norm(value, dtype=torch.promote_types(value.dtype, torch.float32)).float()


def _small_or_norm(gradient: Tensor) -> Tensor:
    if gradient.requires_grad:
        gradient = gradient.detach()
    return gradient if gradient.numel() <= WHOLE_VALUES else norm(gradient)


def on_gradient(tensor: Tensor, made_by: Any, hook: Callable[[Tensor], None]) -> None:
    """Calls a hook with the gradient at a tensor, which a node of the graph has made, as `Tensor.register_hook` would, which takes
    four times as long to set up.
    """
    if made_by is None or tensor._backward_hooks is not None:
        tensor.register_hook(hook)
        return
    tensor._backward_hooks = hooks = OrderedDict()
    hooks["gandiag"] = hook
    made_by._register_hook_dict(tensor)


class Watching(partial[None]):
    """A hook that stays with the module that it watches: a copy or a pickle of the module (an average of the generator, a checkpoint
    of the whole object) holds in its place a standard-library function that does nothing, and needs no gandiag to be read.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (contextlib.nullcontext(), "__exit__")


def _hook(module: nn.Module, hook: Callable[..., None]) -> Callable[[], None]:
    """Registers a forward hook, also on a module that was compiled in place, whose compiled call would trace hooks into itself."""
    compiled = getattr(module, "_compiled_call_impl", None)
    if compiled is None:
        return module.register_forward_hook(Watching(hook), with_kwargs=True).remove

    def watched(*arguments: Any, **named: Any) -> Any:
        output = compiled(*arguments, **named)
        hook(module, arguments, named, output)
        return output

    module._compiled_call_impl = watched

    def undo() -> None:
        if module._compiled_call_impl is watched:
            module._compiled_call_impl = compiled

    return undo

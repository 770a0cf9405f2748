"""Watches the first updates of a stranger's script through torch's global hooks, until it is clear who plays against whom."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.modules import module as hooks
from torch.optim import Optimizer
from torch.optim import optimizer as optimizers
from torch.utils._pytree import tree_flatten

from gandiag.recording.direct import Direct, called_directly
from gandiag.recording.given import is_held
from gandiag.recording.guard import warn
from gandiag.recording.naming import MOST_PAIRS, NoPlayers, Players, name_players, parameters_of
from gandiag.recording.optimized_parts import put_together
from gandiag.recording.origin import is_tracked
from gandiag.recording.outputs import last_operation, scores, tensors
from gandiag.recording.standing import Standing, standing_player
from gandiag.recording.variables import name_of
from gandiag.recording.witnessed import Call, Network, Turn

OUTPUTS_KEPT = 512  # of the last network calls whose outputs are recognised; nothing of them is kept alive for that
CALLS_OF_A_TURN = 64  # the last ones before an optimizer steps
TURNS_KEPT = 64
SAME_TURNS_KEPT = 8  # of one optimizer in a row: a critic's hundred updates tell no more than eight
TENSORS_KEPT = 8  # newest calls whose large inputs and outputs are held; older ones keep what is small
SMALL = 65_536  # values
GRAPH_NODES = 2000  # how far back a discriminator's input is followed towards a generator's output
OPTIMIZER_STEPS = 1000  # after so many updates without a GAN the module hooks go; a new optimizer brings them back
CANCELS = 1e-3  # of the gradients' size: rounding, also in half precision
JUDGED_AT_FIRST, JUDGED_EVERY = 8, 16  # updates in a row by one optimizer
REMADE = 3  # optimizers of the same parameters, each of which has stepped once, before they are taken for one that is made anew


@dataclass
class Watch:
    """Watches module calls and optimizer steps through torch's global hooks until the players are known.

    `on_found` is called once, right after an update of a generator, with the Players: one, or each pair that plays. Nothing of the script is changed:
    the hooks only look. `names` are what the user calls the generator and the discriminator.
    """

    on_found: Callable[[list[Players]], None]
    names: tuple[str | None, str | None] = (None, None)
    namespace: Callable[[], dict[str, Any]] = dict
    verdict: NoPlayers = field(default_factory=lambda: NoPlayers("no optimizer stepped"))
    done: bool = False

    def __post_init__(self) -> None:
        self._here = threading.local()  # DataParallel's replicas are called in threads of their own
        self._order = 0
        self._storages: dict[int, tuple[StorageWeakRef, Call, int]] = {}
        self._nodes: dict[int, tuple[Call, int]] = {}
        self._turns: list[Turn] = []
        self._together: list[Turn] = []  # the same, where the optimizers of one player's parts stand for one
        self._remade: set[frozenset[int]] = set()  # parameters whose optimizer is made anew for each update
        self._since: list[Call] = []
        self._recent: list[Call] = []
        # modules that returned one number for reals and fakes together: a loss, with the discriminator in it
        self._losses: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        self._transformed: weakref.WeakSet[nn.Module] = weakref.WeakSet()  # called within a function transform
        self._owned: weakref.WeakKeyDictionary[nn.Module, frozenset[int]] = weakref.WeakKeyDictionary()
        self.seen: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._steps_without = 0
        self._standing: Standing | None = None
        self._module_hooks: list[Any] = []
        self._optimizer_hooks = [optimizers.register_optimizer_step_post_hook(self._after_step)]
        self._undo_compiled: list[Callable[[], None]] = []
        self.direct = Direct(self._enter, self._leave)
        self._listen()

    # -- hooks

    def _listen(self) -> None:
        if not self._module_hooks:
            self._module_hooks = [
                hooks.register_module_forward_pre_hook(self._enter),
                hooks.register_module_forward_hook(self._leave, with_kwargs=True, always_call=True),
            ]
            self._undo_compiled = watch_compiled(self._enter, self._leave)

    def _deafen(self) -> None:
        for handle in self._module_hooks:
            handle.remove()
        for undo in self._undo_compiled:
            undo()
        self._module_hooks, self._undo_compiled = [], []
        self.direct.remove()
        self._here = threading.local()

    def stop(self) -> None:
        """Takes every hook away and forgets what was seen; not to be called from within an optimizer's post-hook."""
        self._rest()
        for handle in self._optimizer_hooks:
            handle.remove()
        self._optimizer_hooks = []

    def _rest(self) -> None:
        """Ends the watch within the optimizer's hook, which torch is calling: its table must not change under it."""
        self.done = True
        self._deafen()
        self._forget()

    def _forget(self) -> None:
        for kept in (self._storages, self._nodes, self._turns, self._together, self._since, self._recent):
            kept.clear()

    @property
    def _stack(self) -> list[nn.Module]:
        if not hasattr(self._here, "stack"):
            self._here.stack = []
        return self._here.stack  # a thread's own attribute has no type

    def _enter(self, module: nn.Module, inputs: Any) -> None:
        if self.done or torch.compiler.is_compiling():
            return
        try:
            self._entered(module)
        except Exception as error:  # as in _after_step
            self._give_up(error)

    def _leave(self, module: nn.Module, inputs: Any, *rest: Any) -> None:
        if self.done or torch.compiler.is_compiling():
            return
        try:
            named, output = rest if len(rest) == 2 else ({}, None)  # after an exception torch gives no named arguments
            self._left(module, inputs, named, output)
        except Exception as error:  # as in _after_step
            self._give_up(error)

    def _entered(self, module: nn.Module) -> None:
        if not self._stack and self._owned_by(module) and module not in self.direct:
            root = called_directly()
            if root is not None and root is not module and root not in self.direct:
                self.direct.watch(root)  # from its next call on
        self._stack.append(module)

    def _left(self, module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        if not any(m is module for m in self._stack):
            return
        stack = self._stack
        while stack.pop() is not module:
            pass  # a call that left by an exception
        if output is None or not self._owned_by(module) or self._holds_players(module):
            return
        if not stack and any(self._owned_by(module) < self._owned_by(m) for m in self.direct.modules):
            return  # a layer of a call that was under way before it was watched
        if all(not self._owned_by(m) or self._holds_players(m) for m in stack):  # only outermost networks play
            self._note(module, inputs, named, output)

    def _holds_players(self, module: nn.Module) -> bool:
        """Tells whether a module is a wrapper around networks that different optimizers step, or a loss around one, and so no player itself."""
        if module in self._losses:
            return True
        owned = self._owned_by(module)
        stepped = {t.parameters for t in self._together}
        return len(stepped) > 1 and sum(bool(owned & s) and not owned <= s for s in stepped) >= 2

    def _owned_by(self, module: nn.Module) -> frozenset[int]:
        owned = self._owned.get(module)
        if not owned:  # a network may still get its parameters
            parameters = list(module.parameters())
            owned = frozenset(map(id, parameters))
            if all(is_tracked(p) for p in parameters):  # and not those that a function transform lends it for one call
                self._owned[module] = owned
        return owned

    def _note(self, module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        leaves, structure = tree_flatten((tuple(inputs), dict(named)))
        floating = list(tensors((tuple(inputs), dict(named))))
        outputs = list(tensors(output))
        if not outputs or not all(map(is_tracked, (*outputs, *floating))):
            if any(not is_tracked(t) for t in outputs):
                self._transformed.add(module)
            return  # within a function transform (per-sample gradients, say) tensors have neither storage nor graph
        origins = [self._origin(t) for t in floating]
        known = {id(t) for t, origin in zip(floating, origins) if origin is not None}
        read = scores(output)
        score = next(iter(read), outputs[0])
        self._order += 1
        call = Call(
            module=module,
            owned=self._owned_by(module),
            order=self._order,
            sources=frozenset(o[0].owned for o in origins if o is not None),
            parents=frozenset(o[0].order for o in origins if o is not None),
            with_grad=any(t.requires_grad for t in outputs),
            from_outside=None in origins or not floating,
            leaves=[t.detach() if isinstance(t, Tensor) else t for t in leaves],
            structure=structure,
            made=tuple(id(t) in known for t in leaves if isinstance(t, Tensor)),
            shapes=[tuple(t.shape) for t in leaves if isinstance(t, Tensor)],
            holds=frozenset() if known else self._given_before(module, floating),
            outputs=[t.detach() for t in outputs],
            output_shapes=[tuple(t.shape) for t in outputs],
            score=score.detach(),
            operation=last_operation(score),
            several_scores=len(read) > 1,
            score_is=next((i for i, t in enumerate(outputs) if t is score), 0),
        )
        if call.is_double:
            if not outputs[0].dim():
                self._losses.add(module)  # from its next call on it is looked inside
                return
            call.tells_apart = self._tells_apart(output, call.sources)
        for tensor, origin in zip(reversed(floating), reversed(origins)):
            if origin is not None:  # of several outputs that are passed on together the first is the sample
                origin[0].fed[call.owned] = origin[1]
                origin[0].handed_on |= {(call.owned, i) for i in (origin[1], *self._outputs_behind(tensor, origin[0]))}
        for output in outputs:
            if output.requires_grad:
                output.register_hook(partial(_was_used, weakref.ref(call), output is score))
        self._remember(call, outputs)

    def _remember(self, call: Call, outputs: list[Tensor]) -> None:
        for i, output in reversed([*enumerate(outputs)]):  # of pieces of one tensor the first stands for all
            reference = StorageWeakRef(output.untyped_storage())
            self._storages.pop(reference.cdata, None)
            self._storages[reference.cdata] = (reference, call, i)
            if output.grad_fn is not None:
                self._nodes[output.grad_fn._sequence_nr()] = (call, i)
        for kept in (self._storages, self._nodes):
            while len(kept) > OUTPUTS_KEPT:
                del kept[next(iter(kept))]
        self._since.append(call)
        del self._since[:-CALLS_OF_A_TURN]
        self._recent.append(call)
        while len(self._recent) > TENSORS_KEPT:
            self._recent.pop(0).let_go(SMALL)

    def _origin(self, tensor: Tensor) -> tuple[Call, int] | None:
        """Returns the call that made a tensor (by storage, else by the graph) and which of its outputs it is; None where none did."""
        try:
            kept = self._storages.get(tensor.untyped_storage()._cdata)
        except (RuntimeError, NotImplementedError):  # a tensor without storage
            kept = None
        if kept is not None and not kept[0].expired():
            return kept[1], kept[2]
        oldest = min(self._nodes, default=0)
        found = next((self._nodes[n] for n in ancestors(tensor.grad_fn, oldest) if n in self._nodes), None)
        return found or self._equal(tensor)

    def _tells_apart(self, output: Any, makers: frozenset[Network]) -> bool:
        """Tells whether the graph leads back to a maker from one alone of the two verdicts that a call on reals and fakes returned."""
        parts = [list(tensors(part)) for part in output[:2]] if isinstance(output, (tuple, list)) else []
        if len(parts) < 2 or not all(parts) or [t.shape for t in parts[0]] != [t.shape for t in parts[1]]:
            return False
        first, second = ({n for t in part for n in self._made_by(t)} & makers for part in parts)
        return bool(first) != bool(second)

    def _made_by(self, tensor: Tensor) -> set[Network]:
        """Returns the networks that a value descends from in the graph."""
        oldest = min(self._nodes, default=0)
        return {self._nodes[n][0].owned for n in ancestors(tensor.grad_fn, oldest) if n in self._nodes}

    def _outputs_behind(self, tensor: Tensor, call: Call) -> set[int]:
        """Returns which of a call's outputs a value descends from in the graph."""
        oldest = min(self._nodes, default=0)
        found = [self._nodes[n] for n in ancestors(tensor.grad_fn, oldest) if n in self._nodes]
        return {i for one, i in found if one is call}

    def _equal(self, tensor: Tensor) -> tuple[Call, int] | None:
        """Returns the recent call of whose output a tensor is a copy, by way of numpy say; None where it is one of none."""
        alike = (
            (call, i)
            for call in reversed(self._recent)
            for i, made in enumerate(call.outputs)
            if made.shape == tensor.shape and made.dtype == tensor.dtype and made.device == tensor.device
        )
        return next(((c, i) for c, i in alike if torch.equal(c.outputs[i], tensor) and _varies(tensor)), None)

    def _given_before(self, module: nn.Module, shown: list[Tensor]) -> frozenset[Network]:
        """Returns the networks of whose recent inputs one lies in what a call is shown, joined to something else or beside it."""
        mine, found = self._owned_by(module), set()
        for call in self._recent:
            if call.owned == mine or call.owned in found:
                continue
            given = [t for t in call.inputs if t.is_floating_point() and t.dim() > 1 and t.numel()]
            if any(is_held(one, shown) and _varies(one) for one in given):
                found.add(call.owned)
        return frozenset(found)

    def _after_step(self, optimizer: Optimizer, _args: Any, _named: Any) -> None:
        if not self.done:
            try:
                self._judge(optimizer)
            except Exception as error:  # a script must not fall because of what watches it
                self._give_up(error)
        if self.done and self._module_hooks:
            self._deafen()

    def _give_up(self, error: Exception) -> None:
        """Ends the watch, from whatever hook; the hooks go at the next update: torch may be going through their table just now."""
        self.done = True
        self._forget()
        why = f"the watch over its first updates failed ({type(error).__name__}: {error})"
        self.verdict = NoPlayers(why)
        warn(f"gandiag: {why}: nothing is recorded. The training is not touched; please report this.")

    def _judge(self, optimizer: Optimizer) -> None:
        """Looks whether the players are known after this update."""
        if optimizer not in self.seen:
            self.seen.add(optimizer)
            self._steps_without = 0
            self._listen()
        if not self._module_hooks:
            return
        if not self._is_worth_judging(self._take_turn(optimizer)):
            return
        found = name_players(self._together, names=self.names, namespace={**self.namespace(), **variables()})
        pairs = [found] if isinstance(found, Players) else list(found.pairs)
        if pairs and len(pairs) <= MOST_PAIRS:
            if any(optimizer is p.generator_optimizer for p in pairs):
                direct = tuple(self.direct.modules)
                self._rest()
                self.on_found([replace(p, called_directly=direct) for p in pairs])
            return
        if isinstance(found, NoPlayers):
            self.verdict = self._with_what_is_hidden(found)
        if self._steps_without > OPTIMIZER_STEPS:
            self._standing = self.standing()
            self._deafen()
            self._forget()

    def _with_what_is_hidden(self, found: NoPlayers) -> NoPlayers:
        """Adds which networks are called where nothing of them can be seen."""
        if not self._transformed or found.pairs:
            return found
        known = {**self.namespace(), **variables()}
        hidden = ", ".join(sorted(name_of(module, known) for module in self._transformed))
        unseen = f"what {hidden} is called with within a function transform (torch.func) is not seen"
        why = f"{found.why}; {unseen}: gandiag.Recorder takes what the loop gives it"
        return replace(found, why=why)

    def standing(self) -> Standing | None:
        """Returns the game that was seen of which one player never moved, None where there was none."""
        if self._standing is None and self._turns:
            self._standing = standing_player(self._turns, {**self.namespace(), **variables()}, self._steps_without)
        return self._standing

    def _take_turn(self, optimizer: Optimizer) -> Turn:
        """Notes that an optimizer stepped, and what was called since the step before."""
        repeats = 1
        if self._turns and self._turns[-1].optimizer is optimizer:
            repeats += self._turns[-1].repeats
            if repeats > SAME_TURNS_KEPT:
                del self._turns[-SAME_TURNS_KEPT]
        before = self._turns[-1].calls if self._turns else []
        calls = (
            self._since or before
        )  # where all losses are computed first, the second optimizer's calls lie before the first's step
        turn = Turn(optimizer, parameters_of(optimizer), calls, repeats, fresh=bool(self._since))
        self._turns.append(turn)
        self._take_for_one(turn)
        del self._turns[:-TURNS_KEPT]
        self._together = put_together(self._turns)
        self._since = []
        self._steps_without += 1
        return turn

    def _take_for_one(self, turn: Turn) -> None:
        """Takes optimizers that are made anew for each update of the same parameters for one: the latest."""
        same = [t for t in self._turns if t.parameters == turn.parameters]
        if len({id(t.optimizer) for t in same}) == len(same) >= REMADE:
            self._remade.add(turn.parameters)
        if turn.parameters in self._remade:
            self._turns = [
                replace(t, optimizer=turn.optimizer) if t.parameters == turn.parameters else t for t in self._turns
            ]

    @staticmethod
    def _is_worth_judging(turn: Turn) -> bool:
        return turn.repeats <= JUDGED_AT_FIRST or turn.repeats % JUDGED_EVERY == 0


def _was_used(call: weakref.ref[Call], is_score: bool, gradient: Tensor | None) -> None:
    found = call()
    if found is not None and gradient is not None:  # else the loss reads another piece of what one operation returned
        found.used = True
        found.balanced = is_score and is_balanced(gradient)
        if is_score and found.may_be_judged_by_what_was_given:
            found.pushed = int(bool((gradient > 0).all())) - int(bool((gradient < 0).all()))


def _varies(tensor: Tensor) -> bool:
    return bool((tensor != tensor.flatten()[0]).any())


def is_balanced(gradient: Tensor) -> bool:
    """Tells whether the gradients at the values of each sample cancel: a softmax does not feel what all have in common."""
    if gradient.dim() != 2 or gradient.shape[1] < 2:
        return False
    left, size = gradient.detach().sum(1).abs(), gradient.detach().abs().sum(1)
    return bool((left <= CANCELS * size).all()) and bool(size.any())


def watch_compiled(enter: Callable[..., None], leave: Callable[..., None]) -> list[Callable[[], None]]:
    """Looks at modules that are compiled in place, also those yet to be: their compiled call traces global hooks away."""
    undo: list[Callable[[], None]] = []

    def look_at(module: nn.Module) -> None:
        compiled = module._compiled_call_impl

        def watched(*arguments: Any, **named: Any) -> Any:
            enter(module, arguments)
            output = None
            try:
                output = compiled(*arguments, **named)  # type: ignore[misc]  # only ever called on compiled modules
                return output
            finally:
                leave(module, arguments, named, output)

        def restore() -> None:
            if module._compiled_call_impl is watched:
                module._compiled_call_impl = compiled

        module._compiled_call_impl = watched
        undo.append(restore)

    original = nn.Module.compile

    def compile(self: nn.Module, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        look_at(self)

    def put_back() -> None:
        if nn.Module.compile is compile:
            nn.Module.compile = original  # type: ignore[method-assign]  # what is put back is torch's own

    nn.Module.compile = compile  # type: ignore[method-assign]  # forwards to torch's own
    undo.append(put_back)
    for thing in gc.get_objects():
        if (
            type(thing).__call__ is nn.Module.__call__
            and isinstance(thing, nn.Module)
            and thing._compiled_call_impl is not None
        ):
            look_at(thing)
    return undo


def variables() -> dict[str, Any]:
    """Returns the local variables of the functions that are running, the innermost last: what a script calls its networks."""
    found: dict[str, Any] = {}
    frames = []
    frame = sys._getframe(1)
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back  # type: ignore[assignment]  # None at the bottom of the stack, which the loop looks for
    for frame in reversed(frames):
        package = str(frame.f_globals.get("__name__", "")).split(".")[0]
        if package not in ("torch", "gandiag", "runpy", "importlib") and frame.f_code.co_name != "<module>":
            found |= frame.f_locals
    return found


def ancestors(node: Any, oldest: int) -> Iterator[int]:
    """Yields the sequence numbers of the functions that a value descends from, newest branch first, none older than `oldest`."""
    waiting = [node]
    seen: set[Any] = set()
    while waiting and len(seen) < GRAPH_NODES:
        now = waiting.pop()
        if now is None or now in seen or now._sequence_nr() < oldest:
            continue
        seen.add(now)
        yield now._sequence_nr()
        waiting.extend(before for before, _ in now.next_functions)

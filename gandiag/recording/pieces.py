"""A discriminator that the script calls in two pieces, a body and a head: seen, and recorded, as the one network that it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

from gandiag.recording.guard import until_it_fails, warned
from gandiag.recording.hooks import Watching
from gandiag.recording.outputs import tensors
from gandiag.recording.witnessed import Call, Network, Turn

OPEN_CALLS = 8  # of the body, whose outputs the head may yet be given


class Together(nn.Module):
    """Body and head as one module. It is never called by the script: when the head is, its own forward hooks are told."""

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, *arguments: Any, **named: Any) -> Any:
        """Calls the head on what the body returns."""
        return self.head(self.body(*arguments, **named))

    def _tell_hooks(self, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        for key, hook in list(self._forward_hooks.items()):
            told: Any = hook
            if key in self._forward_hooks_with_kwargs:
                told(self, arguments, named, output)
            else:
                told(self, arguments, output)

    def link(self, told: Callable[[str, Exception], Any] = warned) -> Callable[[], None]:
        """Begins to pass each call through both on to this module's forward hooks; returns what ends that.

        A failure ends it as well, and `told` knows of it.
        """
        open_calls: OrderedDict[int, tuple[StorageWeakRef, tuple[Any, ...], dict[str, Any]]] = OrderedDict()

        def body_called(_body: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
            for tensor in tensors(output):
                reference = StorageWeakRef(tensor.untyped_storage())
                open_calls.pop(reference.cdata, None)
                open_calls[reference.cdata] = (reference, arguments, named)
            while len(open_calls) > OPEN_CALLS:
                open_calls.popitem(last=False)

        def head_called(_head: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
            given = next(tensors((arguments, named)), None)
            found = None if given is None else open_calls.get(given.untyped_storage()._cdata)
            if found is None or found[0].expired():
                found = next(
                    reversed(open_calls.values()), None
                )  # what was made of the body's output was made of its last
            if found is not None:
                self._tell_hooks(found[1], found[2], output)

        handles = [
            self.body.register_forward_hook(Watching(until_it_fails(body_called, told)), with_kwargs=True),
            self.head.register_forward_hook(Watching(until_it_fails(head_called, told)), with_kwargs=True),
        ]

        def end() -> None:
            for handle in handles:
                handle.remove()
            open_calls.clear()

        return end


def chains(calls: list[Call]) -> set[tuple[Network, Network]]:
    """Returns the pairs of networks of which the second takes nothing but what the first returns."""
    heads = {c.owned for c in calls}
    fed_by = {h: {s for c in calls if c.owned == h for s in c.sources} for h in heads}
    outside = {c.owned for c in calls if c.from_outside}
    return {(next(iter(s)), h) for h, s in fed_by.items() if len(s) == 1 and h not in outside and h not in s}


def joined(turns: list[Turn], body: Network, head: Network) -> list[Turn]:
    """Returns the turns as they would have been seen if the script called body and head as one network."""
    one = Together(*(next(c.module for t in turns for c in t.calls if c.owned == n) for n in (body, head)))
    return [replace(t, calls=_joined_calls(t.calls, body, head, one)) for t in turns]


def _joined_calls(calls: list[Call], body: Network, head: Network, one: nn.Module) -> list[Call]:
    found: list[Call] = []
    bodies = [c for c in calls if c.owned == body]
    for call in calls:
        if call.owned == head and bodies:
            below = next((b for b in reversed(bodies) if b.order in call.parents), bodies[-1])
            found.append(
                replace(
                    call,
                    module=one,
                    owned=body | head,
                    sources=below.sources,
                    from_outside=below.from_outside,
                    leaves=below.leaves,
                    structure=below.structure,
                    shapes=below.shapes,
                    made=below.made,
                )
            )
        elif call.owned not in (body, head):
            fed = {(body | head if n == body else n): i for n, i in call.fed.items()}
            found.append(replace(call, fed=fed))
    return found


def bodies_and_heads(turns: list[Turn], steps: set[frozenset[int]]) -> list[tuple[Network, Network]]:
    """Returns which networks may be a body and its head: stepped by one optimizer, the head fed by the body alone."""
    calls = [c for t in turns for c in t.calls]
    called = {c.owned for c in calls}  # what a head was fed may have been made in a turn that is no longer kept
    return [(b, h) for b, h in chains(calls) if b in called and any(s & b and s & h for s in steps)]

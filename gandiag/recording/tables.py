"""Tables of tensors that have the form of a generator's weights: lists, and dictionaries by name, in which scripts keep a moving average."""

from __future__ import annotations

import gc
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gandiag.recording.untouched import copied

KINDS = (list, tuple, dict, OrderedDict, defaultdict)
TENSORS = (Tensor, nn.Parameter)


class Table:
    """One such table: of the parameters alone, or of the whole state; its tensors may be put in place anew by the script."""

    def __init__(self, held: Any, places: Sequence[str], parameters: Mapping[str, torch.Size]) -> None:
        self._held, self._places, self._wanted = held, places, parameters

    @property
    def _state(self) -> dict[str, Tensor]:
        return dict(zip(self._places, _values(self._held)))

    def is_same(self, other: Table) -> bool:
        """Whether both look at one and the same list or dictionary."""
        return self._held is other._held

    @property
    def is_whole(self) -> bool:
        """Whether it still is what it was found as."""
        values = _values(self._held)
        if len(values) != len(self._places) or any(type(v) not in TENSORS for v in values):
            return False
        state = self._state
        return all(state[name].shape == shape for name, shape in self._wanted.items())

    @property
    def parameters(self) -> list[Tensor]:
        """The tensors that stand for the generator's parameters, in their order."""
        state = self._state
        return [state[name] for name in self._wanted]

    def as_module(self, generator: nn.Module) -> nn.Module:
        """Returns a copy of the generator with these weights."""
        (module,) = copied(generator)
        self.load_into(module)
        return module

    def load_into(self, module: nn.Module) -> None:
        """Puts these weights into a copy of the generator."""
        if self.is_whole:
            module.load_state_dict(self._state, strict=False)


def tables_of(generator: nn.Module, copies: Iterable[nn.Module]) -> list[Table]:
    """Returns the tables of the generator's form that hold none of its weights, none of its copies' and none that an optimizer steps."""
    state = generator.state_dict()
    wanted = {name: p.shape for name, p in generator.named_parameters()}
    forms = {tuple(wanted): list(wanted.values()), tuple(state): [t.shape for t in state.values()]}
    sizes = {len(shapes) for shapes in forms.values()}
    others = {t.data_ptr() for net in (generator, *copies) for t in net.state_dict().values()}
    things = gc.get_objects()
    for thing in things:
        if issubclass(type(thing), Optimizer):  # isinstance would ask strange objects for their class
            others |= {p.data_ptr() for group in thing.param_groups for p in group["params"] if type(p) in TENSORS}
    found: dict[tuple[int, ...], Table] = {}
    for thing in things:
        if type(thing) not in KINDS or len(thing) not in sizes:
            continue
        values = _values(thing)
        if any(type(v) not in TENSORS or v.layout is not torch.strided for v in values):
            continue
        shapes, at = [v.shape for v in values], tuple(v.data_ptr() for v in values)
        places = next((names for names, form in forms.items() if form == shapes), None)
        # views of one buffer are gradients' rows, say
        if places is not None and others.isdisjoint(at) and (len(at) == 1 or len({_memory(v) for v in values}) > 1):
            found.setdefault(at, Table(thing, places, wanted))
    return list(found.values())


def _values(held: Any) -> list[Any]:
    return list(held.values()) if isinstance(held, dict) else list(held)


def _memory(value: Tensor) -> int:
    return value.untyped_storage().data_ptr()

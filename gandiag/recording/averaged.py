"""The moving average of a generator's weights that many trainings keep, and ship: found among what the script has made, never touched."""

from __future__ import annotations

import gc
import itertools
import math
import weakref
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gandiag.recording.tables import Table, tables_of
from gandiag.recording.untouched import bare

SEARCHES = 4  # for a copy of the generator, while none is known; afterwards at every so often, each time twice as rarely: some begin late
LOOKS = 3  # in which a copy must have moved, each time, and been another than the generator: snapshots rest, and are equal at first
NEAR = 0.5  # of the generator's weights' norm: another generator of the same form, trained beside it, lies further away
TOWARDS = 0.8  # cosine of an average's way with where the generator is
PROBED = 256  # values that are compared
SEARCH_ROWS = frozenset(300 << k for k in range(14))  # steps: an average that begins late is found by a later search
AVERAGE_ROWS = frozenset(first + after for first in SEARCH_ROWS for after in (0, 30, 60, 100))

Found = nn.Module | Table


class Average:
    """Looks for the one copy of a generator that follows it step by step without an optimizer; `module` is that copy once it is sure.

    Of an average that is a table of tensors, `module` is a copy of the generator with those, as they were when it was settled last.
    """

    def __init__(self, generator: nn.Module) -> None:
        self.module: nn.Module | None = None
        self._generator = bare(generator)
        self._searches, self._row = 0, -1
        # modules by weak reference; tables, which take none, are held until it is seen that they rest
        self._copies: list[tuple[Callable[[], Found | None], list[Tensor]]] = []
        self._own: list[Tensor] = []  # the generator's values at the same looks
        self._rows: list[int] = []  # the steps of those
        # what the looks after the search before the last one have shown, with the generator's values
        self._before: list[tuple[Callable[[], Found | None], list[Tensor], list[Tensor]]] = []
        self._rows_before: list[int] = []
        self._table: Table | None = None

    def look(self) -> None:
        """Notes a few values of the copies that are known, on their device; waits for nothing."""
        if self.module is not None or not self._copies:
            return
        largest = _largest(self._generator)
        self._own = [*self._own, _probe(self._generator, largest)][-LOOKS:]
        for reference, values in self._copies:
            copy = reference()
            if copy is not None and (copy.is_whole if isinstance(copy, Table) else True):
                values.append(_probe(copy, largest))
                del values[:-LOOKS]

    def look_at(self, row: int) -> None:
        """Looks at the copies that there are at the first of the rows, once at each row; of modules alone, whose search is short."""
        if row == self._row:
            return
        self._row = row
        if row in SEARCH_ROWS:
            form = _form(self._generator)
            self._before, self._rows_before = [(*copy, self._own) for copy in self._copies], self._rows
            self._own, self._rows = [], []
            self._copies = [
                (weakref.ref(thing), [])
                for thing in gc.get_referrers(type(self._generator))
                if type(thing) is type(self._generator) and thing is not self._generator and _form(thing) == form
            ]
        self._rows = [*self._rows, row][-LOOKS:]
        self.look()

    def share_of_start(self, steps: int) -> float | None:
        """Returns how much of what a copy began with is left in it after so many steps, where it moves towards the generator as an average does.

        Of an exponential average with a constant decay: it moves by (1 - decay) of its distance from the generator in each step. Of
        several copies the smallest share, None where none moves so. Waits for the device.
        """
        seen = [(ref(), values, own, self._rows_before) for ref, values, own in self._before]
        seen += [(ref(), values, self._own, self._rows) for ref, values in self._copies]
        shares = []
        for copy, values, own, rows in seen:
            if not isinstance(copy, nn.Module) or not len(values) == len(own) == len(rows) == LOOKS:
                continue
            moved = (values[-1] - values[0]).double()
            apart = torch.stack([o.double() - v.to(o.device).double() for o, v in zip(own, values)]).mean(0)
            lengths = float(moved.norm()) * float(apart.norm())
            if not lengths > 0 or float(moved @ apart.to(moved.device)) < TOWARDS * lengths:
                continue
            per_step = float(moved.norm()) / float(apart.norm()) / max(rows[-1] - rows[0], 1)
            shares.append(math.exp(-per_step * steps))
        return min(shares, default=None)

    def was_seen(self) -> bool:
        """Whether one of the copies that were looked at follows the generator. Waits for the device."""
        seen = [(reference(), values, own) for reference, values, own in self._before]
        seen += [(reference(), values, self._own) for reference, values in self._copies]
        return any(isinstance(copy, nn.Module) and self._follows(copy, values, own) for copy, values, own in seen)

    def settle(self) -> nn.Module | None:
        """Returns the average where there is one, looking for it if need be. Waits for the device."""
        if self._table is not None and self.module is not None:
            self._table.load_into(self.module)
        if self.module is not None:
            return self.module
        self._searches += 1
        if self._searches.bit_count() == 1 or (not self._copies and self._searches <= SEARCHES):
            modules = copies_of(self._generator)
            known = [copy for reference, _ in self._copies if (copy := reference()) is not None]
            new = [copy for copy in modules if not any(copy is one for one in known)]
            self._copies += [(weakref.ref(copy), []) for copy in new]
            held = [one for one in known if isinstance(one, Table)]
            tables = [t for t in tables_of(self._generator, modules) if not any(t.is_same(one) for one in held)]
            self._copies += [(partial(_itself, table), []) for table in tables]
        sure = [
            copy
            for reference, values in self._copies
            if (copy := reference()) is not None and self._follows(copy, values, self._own)
        ]
        if len(sure) == 1:
            self._settle_on(sure[0])
        else:
            self._copies = [c for c in self._copies if not (isinstance(c[0](), Table) and _rests(c[1]))]
        return self.module

    def _settle_on(self, found: Found) -> None:
        self._copies = []
        if isinstance(found, Table):
            self._table, self.module = found, found.as_module(self._generator)
        else:
            self.module = found

    def _follows(self, copy: Found, values: list[Tensor], own: list[Tensor]) -> bool:
        if len(values) < LOOKS or len(own) < LOOKS:
            return False
        moved = all(not torch.equal(one, next_) for one, next_ in itertools.pairwise(values))
        lags = all(not torch.equal(mine, its) for mine, its in zip(own, values))
        return moved and lags and bool(_distance(copy, self._generator) < NEAR)


def copies_of(generator: nn.Module) -> list[nn.Module]:
    """Returns the modules of the generator's kind and form that share no parameter with it and that no optimizer holds."""
    kind, form = type(generator), _form(generator)
    own = {id(p) for p in generator.parameters()}
    found, trained = [], set()
    for thing in gc.get_objects():
        if type(thing) is kind and thing is not generator:
            if _form(thing) == form and own.isdisjoint(id(p) for p in thing.parameters()):
                found.append(thing)
        elif issubclass(type(thing), Optimizer):  # isinstance would ask strange objects for their class
            trained |= {id(p) for group in thing.param_groups for p in group["params"]}
    return [bare(copy) for copy in found if trained.isdisjoint(id(p) for p in copy.parameters())]


def _form(module: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, p.shape) for name, p in module.named_parameters()]


def _parameters(copy: Found) -> Sequence[Tensor]:
    return copy.parameters if isinstance(copy, Table) else list(copy.parameters())


def _largest(generator: nn.Module) -> int:
    """Which weight has the most values."""
    sizes = [p.numel() for p in generator.parameters()]
    return sizes.index(max(sizes))


def _probe(copy: Found, which: int) -> Tensor:
    """The first values of one weight."""
    return _parameters(copy)[which].detach().reshape(-1)[:PROBED].clone()


def _itself(table: Table) -> Table:
    return table


def _rests(values: list[Tensor]) -> bool:
    return len(values) == LOOKS and any(torch.equal(one, next_) for one, next_ in itertools.pairwise(values))


def _distance(copy: Found, generator: nn.Module) -> Tensor:
    pairs = [(a.detach().float(), b.detach().float()) for a, b in zip(_parameters(copy), generator.parameters())]
    apart = torch.stack([(a - b.to(a.device)).square().sum() for a, b in pairs]).sum()
    return (apart / torch.stack([b.to(a.device).square().sum() for a, b in pairs]).sum().clamp(min=1e-30)).sqrt()

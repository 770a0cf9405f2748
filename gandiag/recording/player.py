"""One network with its optimizer: its gradients are read as the optimizer uses them.

They are read in a pre-hook of the optimizer: at the end of a loop's body D's gradients also hold what G's backward pass added.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gandiag.recording.addresses import READ_VALUES, Parameters
from gandiag.recording.buffer import BIT, Block
from gandiag.recording.scaling import either, number, scaler_on_the_stack
from gandiag.recording.step import on_device

FLAT_VALUES = 32_768  # below so many parameters one copy into a row costs less than a norm for each; measured with benchmarks/overhead.py
LEFT_OUT_EVERY = 50  # updates, after which it is looked which parameters are used no more
SCALER_LOOKS = 3  # updates at which the call stack is searched for a GradScaler


_STRIDED = torch.strided


class Player:
    """One network with its optimizer: reads its gradients when they are used."""

    def __init__(self, who: str, module: nn.Module, optimizer: Any) -> None:
        self.who = who
        self.module = module
        self.optimizer = unwrapped(optimizer)
        self._held: ctypes.CDLL | None = None
        self._left_out: list[str] = []  # the parameters that had no gradient when that was looked at last
        self._own_what_is_stepped()
        self._adopt(self._owned)
        # of an optimizer that shows no parameters (one of the user's own) nothing else is known
        stepped = {id(p) for group in self._groups() for p in group["params"]}
        self.steps_it = not stepped or bool(stepped & {id(p) for p in module.parameters()})
        self._looks = 0
        self._scaler: Callable[[], Any] | None = None
        self.updates = 0  # within the step
        self.total_updates = 0
        # how often the parameters had been written to at first, or by the end of the last step without an update
        self._written: int | None = sum(p._version for p in self.parameters)
        # in the step that has ended something else than the optimizer that is watched has written to the parameters
        self.moved_unseen = False
        self.largest: Tensor | None = None
        self.scale: Tensor | None = None  # of the loss, in mixed precision
        self.gradient_scale: Tensor | None = None  # that the gradients still carried when the optimizer took them
        # where a fused optimizer leaves updates out: whether it does the last one, how many of the step's, and whether one of the two
        # whose gradients the cosine compares
        self.skipped: Tensor | None = None
        self.skips: Tensor | None = None
        self.turn_skipped: Tensor | None = None
        self._skipped_before: Tensor | None = None
        # the cosine with the gradient of the update before, to be computed
        self.turn: Callable[[], Tensor] | None = None
        self._before: list[Tensor] | None = None
        self._before_flat: Tensor | None = None
        self._change: Callable[[], tuple[Tensor, Tensor]] | None = None  # where it was taken before the step's end
        self._holds_another = False  # the row, the gradients of an update before in this step
        self.is_taken_back = (
            False  # the optimizer evaluates its closure once more: what is read next stands for the same update
        )
        self._counts = 0, 0  # of updates, before the one that is running
        self._previous_before: tuple[int, Tensor] | None = None

    def _own_what_is_stepped(self) -> None:
        """Finds the module's parameters that the optimizer holds now; all of them where it shows none of those."""
        stepped = {id(p) for group in self._groups() for p in group["params"]}
        named = [(strip(name), p) for name, p in self.module.named_parameters()]
        self._owned = [(name, p) for name, p in named if id(p) in stepped] or named
        self._stepped = self._count_stepped()

    def _count_stepped(self) -> int:
        return sum([len(group["params"]) for group in self._groups()])

    def accelerate(self, held: ctypes.CDLL) -> None:
        """Reads gradients and parameters by the compiled functions from now on, where they are what those can read."""
        self._held = held
        self._adopt(self._owned)

    def _adopt(self, owned: Sequence[tuple[str, nn.Parameter]]) -> None:
        self.names = [name for name, _ in owned]
        self.parameters = [p for _, p in owned]
        self.values = sum(p.numel() for p in self.parameters)
        self.flat = self.values <= FLAT_VALUES and self._held is None
        self._by_address = (
            Parameters(self._held, self.parameters) if self._held is not None and self.values <= READ_VALUES else None
        )
        self._flat_entry, self._norm_entry = f"{self.who}_gradient", f"{self.who}_layer_gradients"
        self.bits = BIT[f"{self.who}_layer_gradients"] | (
            BIT[f"{self.who}_gradient"] if self.flat else 0
        )  # in a row that holds an update
        self._zeros: dict[int, Tensor] = {}
        self._views: dict[int, list[Tensor]] = {}
        self._shapes = [p.shape for p in self.parameters]
        mine = {id(p) for p in self.parameters}
        self._idle = [(name, p) for name, p in self._owned if id(p) not in mine]
        self._previous: tuple[int, Tensor] | None = None
        self._room: Tensor | None = None  # for the parameters as they were
        # the groups' form, and which are this player's
        self._own: tuple[list[tuple[int, int]], list[int]] | None = None

    def adopt_what_is_used(self) -> list[str] | None:
        """Follows the parameters that have a gradient, and those that had one before; returns those left out, None if nothing changed.

        Called before `read`. Some parameters of many networks never get a gradient: a zero would be no measurement of theirs.
        """
        if self._stepped != self._count_stepped():  # a layer was added, or set free, since
            self._own_what_is_stepped()
            mine = {id(p) for p in self.parameters}
            self._idle = [(name, p) for name, p in self._owned if id(p) not in mine]
        if self.total_updates and not (self._idle and any(p.grad is not None for _, p in self._idle)):
            return None
        known = {id(p) for p in self.parameters} if self.total_updates else set()
        used = [(name, p) for name, p in self._owned if p.grad is not None or id(p) in known]
        if not used or len(used) == len(self.parameters):
            return None
        self._adopt(used)
        return [name for name, _ in self._idle]

    def newly_left_out(self) -> list[str] | None:
        """Returns the parameters that had a gradient once and have none in this update, where they are others than last time; else None.

        Looked at now and then, before `read`, which takes what is not there for 0: a head or a stage that is used no more is no dead one.
        """
        if self.total_updates % LEFT_OUT_EVERY:
            return None
        now = [name for name, p in zip(self.names, self.parameters) if p.grad is None]
        if now == self._left_out or len(now) == len(self.parameters):
            return None
        self._left_out = now
        return now

    def follow(self, optimizer: Any) -> None:
        """Takes another optimizer for the player's own: learning rates and scales are read from it."""
        self.optimizer = unwrapped(optimizer)
        self._looks, self._stepped = 0, -1

    def _groups(self) -> list[dict[str, Any]]:
        groups = getattr(self.optimizer, "param_groups", None)
        return groups if isinstance(groups, list) else []

    def _own_groups(self) -> list[dict[str, Any]]:
        """Returns the groups that hold this player's parameters; looks through them only where they have changed."""
        groups = self._groups()
        form = [(id(g), len(g["params"])) for g in groups]
        if self._own is None or self._own[0] != form:
            mine = {id(p) for p in self.parameters}
            self._own = form, [i for i, g in enumerate(groups) if any(id(p) in mine for p in g["params"])]
        return [groups[i] for i in self._own[1]]

    def learning_rate(self) -> Tensor | float | None:
        """Returns the largest learning rate of the groups that hold this player's parameters."""
        rates = [g["lr"] for g in self._own_groups() if "lr" in g]
        if any(isinstance(r, Tensor) for r in rates):
            device = self.parameters[0].device  # a rate that is a tensor may stay on the host
            return torch.stack([on_device(torch.as_tensor(r, dtype=torch.float32), device) for r in rates]).amax()
        return max((float(r) for r in rates), default=None)

    def look_whether_moved(self) -> None:
        """Notes, at the end of a step, whether something else than the optimizer that is watched has written to the parameters.

        Another optimizer was made for them, say. After an update it is told from the second such step on; reads counters of the host only.
        """
        if self.updates:
            self._written, self.moved_unseen = None, False
            return
        before, self._written = self._written, sum(p._version for p in self.parameters)
        self.moved_unseen = before is not None and self._written != before

    @property
    def is_moving(self) -> bool:
        """Whether something else than the optimizer has written to the parameters since that was looked at last, without an update."""
        return (
            self._written is not None and not self.updates and self._written != sum(p._version for p in self.parameters)
        )

    def begin_step(self) -> None:
        """Forgets the last step."""
        self.updates = 0
        self._skipped_before = self.skipped
        self.largest = self.scale = self.gradient_scale = self.skipped = self.skips = self.turn_skipped = None
        self.turn = self._before = self._before_flat = self._change = None

    def state_dict(self) -> dict[str, Any]:
        """Returns what the next cosine needs."""
        return {
            "total_updates": self.total_updates,
            "previous": self._previous and [self._previous[0], self._previous[1].clone()],
        }

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Goes on from what `state_dict` returned."""
        self.total_updates = int(state["total_updates"])
        before = state["previous"]
        self._previous = None if before is None else (int(before[0]), before[1].to(device, copy=True))

    def read(self, block: Block, *, cosine: bool, cosine_next: bool, update: bool, again: bool = False) -> None:
        """Reads the gradients into the block's current row; called as the optimizer is about to use them.

        `again` where it is still the update that was read last: that reading is replaced, and the change is that from its beginning.
        """
        if again and (self._before is not None or self._before_flat is not None):
            update = False
        self._holds_another = bool(self.updates) and not again
        if self._by_address is not None:
            # the norms of an update before in this step are still to be looked at where these are to be written
            norms = 0 if self.updates else block.address(self._norm_entry, len(self.parameters))
            gradients = [p.grad for p in self.parameters]
            at = self._by_address.look(gradients, norms)
            if at is not None:
                self._read_by_address(
                    self._by_address, block, at, cosine=cosine, cosine_next=cosine_next, update=update
                )
                return
        self._read_by_torch(block, cosine=cosine, cosine_next=cosine_next, update=update)

    def _read_by_address(
        self, parameters: Parameters, block: Block, at: bytes | int, *, cosine: bool, cosine_next: bool, update: bool
    ) -> None:
        if self.updates:
            count = len(self.parameters)
            if self._holds_another:
                self._note_largest(block.row(self._norm_entry, count))
            parameters.norms(at, block.address(self._norm_entry, count))
        self.updates += 1
        self.total_updates += 1
        self._read_scale()
        if cosine or cosine_next:
            before = self._previous
            kept = None if before is None or not parameters.fits(before[1]) else before[1]
            if kept is not None and cosine and before is not None and before[0] == self.total_updates - 1:
                self.turn = partial(_scalar, parameters.cosine(at, kept))
            # into the room of the last one: a copy of its own for the writer thread would cost more than the cosine
            self._previous = self.total_updates, parameters.keep(at, kept)
        if update:
            self._keep_parameters(parameters)

    def _keep_parameters(self, parameters: Parameters) -> None:
        """Keeps the parameters as they are before the update."""
        self._before_flat = None
        at = parameters.look(self.parameters)
        if at is None:
            self._before = [p.detach().clone() for p in self.parameters]
        else:
            self._before_flat = self._room = parameters.keep(at, self._room)

    def _note_largest(self, row: Tensor) -> None:
        last = torch.linalg.vector_norm(row)
        if self.gradient_scale is not None:
            last = last / self.gradient_scale
        if self.skipped is not None:  # it was none, and its gradient is not finite
            last = torch.where(self.skipped > 0, torch.zeros_like(last), last)
        self.largest = last if self.largest is None else torch.maximum(self.largest, last)

    def _read_by_torch(self, block: Block, *, cosine: bool, cosine_next: bool, update: bool) -> None:
        gradients = self._gradients()
        if gradients is None:
            return
        if self.flat:
            row = block.row(self._flat_entry, self.values)
        else:
            row = block.row(self._norm_entry, len(gradients))
        if self._holds_another:
            self._note_largest(row)
        if self.flat:
            torch._foreach_copy_(self._row_views(row), gradients)
        else:
            torch.stack(norms(gradients), out=row)
        self.updates += 1
        self.total_updates += 1
        self._read_scale()
        if cosine or cosine_next:
            self._turn(row if self.flat else gradients, cosine)
        if update:
            self._before = [p.detach().clone() for p in self.parameters]
            self._before_flat = None

    def before_update(self) -> None:
        """Notes what is known before an update, which may be read more than once."""
        self._counts, self._previous_before = (self.updates, self.total_updates), self._previous

    def take_back(self) -> None:
        """Takes back what was read of the update that is running: its gradients are computed anew."""
        self.is_taken_back, self.turn = True, None
        self.updates, self.total_updates = self._counts
        # by address the gradient of the update before was written over
        self._previous = self._previous_before if self._by_address is None else None

    def count_aside(self) -> None:
        """Counts an update that is about to come and is no part of the record: the change so far is that of the one before it."""
        self._change = self.layer_updates()
        self.updates += 1

    def layer_updates(self) -> Callable[[], tuple[Tensor, Tensor]] | None:
        """Returns what computes the norms of the last update and of the parameters (layers,); None where no update of this step was followed.

        Where torch does it, a small network is copied, so that the work may be done later and elsewhere.
        """
        settled, self._change = self._change, None
        if settled is not None:
            return settled
        before, self._before = self._before, None
        flat, self._before_flat = self._before_flat, None
        if flat is not None and self._by_address is not None:
            at = self._by_address.look(self.parameters)
            if at is None:  # they are no more what they were before the update
                before = [
                    piece.view(s) for piece, s in zip(flat.split([s.numel() for s in self._shapes]), self._shapes)
                ]
            else:
                return partial(_as_tensors, self._by_address.changes(at, flat))
        if before is None:
            return None
        if self.flat:
            return partial(change, before, [p.detach().clone() for p in self.parameters])
        found = change(before, [p.detach() for p in self.parameters])
        return lambda: found

    def _gradients(self) -> list[Tensor] | None:
        """Returns the gradients, zeros where a parameter has none this time; None where no parameter has one."""
        found = [p.grad for p in self.parameters]
        for g in found:
            if g is None or g.requires_grad or g.layout is not _STRIDED:
                break
        else:
            return found  # type: ignore[return-value]  # none is None, as the loop has seen
        if all(g is None for g in found):
            return None
        whole = [self._zero(i) if g is None else g.detach() for i, g in enumerate(found)]
        return [g.to_dense() if g.is_sparse else g for g in whole]

    def _zero(self, i: int) -> Tensor:
        if i not in self._zeros:
            self._zeros[i] = torch.zeros_like(self.parameters[i])
        return self._zeros[i]

    def _row_views(self, row: Tensor) -> list[Tensor]:
        at = row.data_ptr()
        views = self._views.get(at)
        if views is None:
            pieces = row.split([s.numel() for s in self._shapes])
            views = self._views[at] = [v.view(s) for v, s in zip(pieces, self._shapes)]
        return views

    def _turn(self, gradient: Tensor | Sequence[Tensor], wanted: bool) -> None:
        """Keeps this gradient for the next cosine, and notes how to compute the one with the last, where that was kept."""
        before = self._previous
        known = before[1] if before is not None and before[0] == self.total_updates - 1 else None
        if isinstance(gradient, Tensor):
            current = gradient.clone()
            if wanted and known is not None:
                self.turn = partial(_cosine, current, known)
        else:
            current = torch.cat([g.reshape(-1) for g in gradient]).float()
            if wanted and known is not None:
                found = _cosine(current, known)
                self.turn = lambda: found
        self._previous = (self.total_updates, current)

    def _note_skips(self, skips: Tensor | None) -> None:
        """Notes whether the optimizer is about to leave an update out, by the count of what is not finite (0-d); None where it never does."""
        before = self._skipped_before if self.skipped is None else self.skipped
        self.skipped = None if skips is None else (skips > 0).float()
        self.turn_skipped = either(before, self.skipped)
        if self.skipped is not None:
            self.skips = self.skipped if self.skips is None else self.skips + self.skipped

    def _read_scale(self) -> None:
        """Notes mixed precision's scale: never tests a tensor's truth, which would wait for the device."""
        given = getattr(self.optimizer, "grad_scale", None)
        found = getattr(self.optimizer, "found_inf", None)
        self.gradient_scale = None if given is None else number(given)
        self._note_skips(None if found is None else number(found))
        if self._looks < SCALER_LOOKS:
            self._looks += 1
            self._scaler = scaler_on_the_stack() or self._scaler
        if self._scaler is None:
            self.scale = self.gradient_scale
            return
        scaler = self._scaler()
        scale = None if scaler is None else number(getattr(scaler, "_scale", None))
        self.scale = self.gradient_scale if scale is None else scale


def _scalar(value: float) -> Tensor:
    return torch.full((), value, dtype=torch.float32, device="cpu")


def _as_tensors(changes: np.ndarray) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(changes[0]), torch.from_numpy(changes[1])


def change(before: Sequence[Tensor], after: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns the norms of the differences of two lists of parameters, and of the second (layers,)."""
    return torch.stack(norms(torch._foreach_sub(list(after), list(before)))), torch.stack(norms(after))


def norms(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Returns the L2 norm of each tensor, 0-d and float32 also where they are half or double precision, all on the device."""
    if all(t.dtype == torch.float32 for t in tensors):
        return list(torch._foreach_norm(list(tensors)))
    return [torch.linalg.vector_norm(t, dtype=torch.promote_types(t.dtype, torch.float32)).float() for t in tensors]


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    return torch.nn.functional.cosine_similarity(one, other, dim=0)


def unwrapped(optimizer: Any) -> Any:
    """Returns the torch optimizer inside the wrappers of Accelerate, Lightning and the like, or inside one that steps by another (SAM)."""
    for _ in range(4):
        inner = getattr(optimizer, "optimizer", None)
        if not isinstance(inner, Optimizer):
            held = [o for o in getattr(optimizer, "__dict__", {}).values() if isinstance(o, Optimizer)]
            if len(held) != 1:
                break
            (inner,) = held
        optimizer = inner
    return optimizer


def strip(name: str) -> str:
    """Returns a parameter's name without what DDP and torch.compile put before it."""
    for prefix in ("module.", "_orig_mod."):
        name = name.removeprefix(prefix)
    return name.replace("._orig_mod.", ".")

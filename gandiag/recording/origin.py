"""Tells fakes from reals: an input of the discriminator is fake when it shares storage with, or descends from, an output of G.

Storage is compared by identity through weak references, which hold no memory and cannot be confused by memory that is used
again. Descent is read off the graph by the nodes' sequence numbers, which only ever grow: a walk never goes below the oldest
output of G that it looks for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

KEPT_OUTPUTS = 64  # storages of G's last outputs that are recognised
HELD_OUTPUTS = 4  # of those, held alive for comparison by value where neither storage nor graph tells
MOST_NODES = 2000  # of an augmentation between G and D that the walk goes through
# inputs made from an output of G, in which it is looked whether they are that output joined to something else
PARTS_TRIED = 8
MOST_JOINTS = 16  # operations between a batch that D is shown and the joint of its parts
VIEWS = (
    "View",
    "Reshape",
    "UnsafeView",
    "Squeeze",
    "Unsqueeze",
    "Alias",
)  # that may lie between an output and what it is joined to
MOST_PARTS = 16  # of a batch, each as large as G's, that are compared with its output
AS_NEAR = 1e-4  # of the distance: rounding
COARSE = 4  # rows and columns at which an image and its resized copy are compared


@dataclass(frozen=True)
class Origin:
    """Where an input of the discriminator comes from."""

    fake: bool
    attached: bool = False  # the graph leads back to G: a gradient reaches it from here
    batch: int | None = None  # how many samples the output of G had that the graph leads back to
    untraced: bool = False  # a graph leads on from here, too far to be walked to its end
    whole: bool = True  # False where other samples are joined to those: not all of the batch leads back to G


REAL, FAKE, UNTRACED = Origin(False), Origin(True), Origin(False, untraced=True)
FAKE_UNTRACED = Origin(True, untraced=True)  # with a graph that does not lead to G's output: G was checkpointed
_is_wrapped = torch._C._functorch.is_functorch_wrapped_tensor
_holders = torch._C._storage_Use_Count


def _used_here() -> int:
    """Returns how often memory counts as used that only a held tensor uses, once it was asked for its storage."""
    held = torch.zeros(1, device="cpu").detach()
    return int(_holders(held.untyped_storage()._cdata))


_USED_HERE = _used_here()


class Outputs:
    """The generator's last outputs, as far as they are needed to recognise them."""

    def __init__(self) -> None:
        self._storages: dict[int, StorageWeakRef] = {}  # of outputs held elsewhere only, by identity, the oldest first
        self._own: deque[int] = deque(maxlen=HELD_OUTPUTS)  # the held outputs' storages: alive, and so unmistakable
        self._attached: dict[int, Origin] = {}  # by batch
        self._batch_of: dict[int, int] = {}  # by the node's sequence number, the oldest first
        self.held: deque[Tensor] = deque(maxlen=HELD_OUTPUTS)
        self._made_by: deque[int] = deque(maxlen=HELD_OUTPUTS)  # the held outputs' nodes, by number; -1 without a graph
        # nodes of outputs that a call of D led back to, since the generator's last update
        self._judged: set[int] = set()
        # what D was shown last that was made of them, with the graph: memory, where it begins, form
        self._shown: deque[tuple[StorageWeakRef, int, torch.Size]] = deque(maxlen=HELD_OUTPUTS)
        self.changed = (
            False  # whether what D judges for G has the form of an output, and is another tensor: augmented, say
        )
        self.count = 0  # of all outputs so far
        self.part: tuple[int, slice] | None = None  # of so many values along axis 1 of D's input, which are G's own
        self._tried = 0

    def remember(self, output: Tensor) -> Any:
        """Notes one output of the generator; returns the node of the graph that made it."""
        self.count += 1
        if len(self.held) == HELD_OUTPUTS:
            self._let_go(self.held[0], self._own[0])
            self._judged.discard(self._made_by[0])
        made_by = output.grad_fn
        if made_by is not None:
            shape = output.shape
            self._batch_of[made_by._sequence_nr()] = shape[0] if shape else 1
            if len(self._batch_of) > KEPT_OUTPUTS:
                del self._batch_of[next(iter(self._batch_of))]
        mine = output.detach()
        self.held.append(mine)
        self._own.append(mine.untyped_storage()._cdata)
        self._made_by.append(-1 if made_by is None else made_by._sequence_nr())
        return made_by

    def _note_judged(self, node: int) -> None:
        if node in self._made_by:
            self._judged.add(node)

    def keep_the_judged(self) -> None:
        """Holds, now that G was updated, of its outputs those that D has judged on the way to G: no reconstruction, no identity.

        Those resemble reals by right, so that nothing is to be compared with them by value.
        """
        judged, self._judged = self._judged, set()
        if judged.isdisjoint(self._made_by):
            return
        for output, storage, node in list(zip(self.held, self._own, self._made_by)):
            self.held.popleft()
            self._own.popleft()
            self._made_by.popleft()
            if node in judged:
                self.held.append(output)
                self._own.append(storage)
                self._made_by.append(node)
            else:
                self._let_go(output, storage)

    @property
    def nodes(self) -> Collection[int]:
        """The numbers of the nodes that made G's last outputs."""
        return self._batch_of.keys()

    @property
    def last(self) -> Tensor | None:
        """The generator's last output, detached."""
        return self.held[-1] if self.held else None

    def is_last(self, value: Tensor) -> bool:
        """Tells whether a tensor is the generator's last output itself: in the same memory, of the same form."""
        last = self.last
        return last is not None and last.shape == value.shape and last.data_ptr() == value.data_ptr()

    def is_output(self, value: Tensor) -> bool:
        """Tells whether a tensor with a graph is an output of the generator itself."""
        return value.grad_fn is not None and value.grad_fn._sequence_nr() in self._batch_of

    def note_whether_changed(self, judged: Tensor) -> None:
        """Looks whether what D has judged in the generator's turn is an output as it was made, or something of that form that was made of it."""
        if not self.changed and all(made.data_ptr() != judged.data_ptr() for made in self.held):
            self.changed = any(made.shape == judged.shape for made in self.held)

    def remember_shown(self, value: Tensor) -> None:
        """Notes what D was shown on the way to G that was made of an output: detached, it has no graph any more, but the same memory."""
        self._shown.append((StorageWeakRef(value.untyped_storage()), value.data_ptr(), value.shape))

    def was_shown(self, value: Tensor) -> bool:
        """Tells whether a tensor is such a one: in the same memory, of the same form."""
        return any(
            begin == value.data_ptr() and shape == value.shape and not memory.expired()
            for memory, begin, shape in self._shown
        )

    def origin(self, value: Tensor) -> Origin:
        """Tells whether a tensor is an output of the generator, a view of one, or made from one."""
        made_by = value.grad_fn
        ended = True
        if made_by is not None:
            number = made_by._sequence_nr()
            batch = self._batch_of.get(number)  # the usual case: an output itself
            if batch is not None:
                self._note_judged(number)
            else:
                batch, ended = self._walk(made_by)
                if batch is not None and self.part is None and self._tried < PARTS_TRIED:
                    self._tried += 1
                    self.part = self._part_of(made_by, value.shape)
            if batch is not None:
                if value.dim() and value.shape[0] > batch and not self._all_made(made_by):
                    return Origin(True, True, batch, whole=False)
                known = self._attached.get(batch)
                if known is None:
                    known = self._attached[batch] = Origin(True, True, batch)
                return known
        storage = value.untyped_storage()._cdata
        reference = None if storage in self._own else self._storages.get(storage)
        if storage in self._own or (reference is not None and not reference.expired()):
            return FAKE if made_by is None else FAKE_UNTRACED
        return REAL if ended else UNTRACED

    def sample_in(self, batch: Tensor) -> Tensor:
        """Returns a batch as D saw it without the labels, codes or source images that the loop joins to samples along axis 1."""
        if self.part is None or batch.dim() < 2 or batch.shape[1] != self.part[0]:
            return batch
        return batch[:, self.part[1]].contiguous()

    def _part_of(self, joined: Any, shape: torch.Size) -> tuple[int, slice] | None:
        """Returns which part of D's input is an output of G, by the concatenation that the graph shows; None where it shows none."""
        if not type(joined).__name__.startswith("CatBackward") or len(shape) < 2:
            return None
        axis = joined._saved_dim % 2**64  # a negative one comes wrapped
        if axis not in (1, 2**64 + 1 - len(shape)):
            return None
        pieces = [self._is_output(node) for node, _ in joined.next_functions]
        whole = shape[1]
        sizes = {(h[0].numel() if len(shape) == 2 else h.shape[1]) for h in self.held if h.dim() > 1 and len(h)}
        size = sizes.pop() if len(sizes) == 1 else whole  # of a G that returns several which of them it is is not known
        if pieces.count(True) != 1 or size >= whole:
            return None
        if pieces[0]:
            return whole, slice(0, size)
        return (whole, slice(whole - size, whole)) if pieces[-1] else None

    def leads_back(self, values: Sequence[Tensor]) -> bool:
        """Tells whether the graph of any of these tensors leads back to an output of G."""
        return any(v.grad_fn is not None and self.batch_behind(v.grad_fn) is not None for v in values)

    def _all_made(self, node: Any) -> bool:
        """Tells whether all samples that were joined in a batch lead back to G: its outputs, crops of one."""
        for _ in range(MOST_JOINTS):
            if node is None or node._sequence_nr() in self._batch_of:
                return True
            name = type(node).__name__
            if name.startswith(("CatBackward", "StackBackward")):
                return all(
                    piece is not None and self.batch_behind(piece) is not None for piece, _ in node.next_functions
                )
            leading = [
                piece for piece, _ in node.next_functions if piece is not None and self.batch_behind(piece) is not None
            ]
            node = leading[0] if len(leading) == 1 else None
        return True

    def _is_output(self, node: Any) -> bool:
        """Tells whether a node made an output of G, or a view of one."""
        while node is not None:
            if node._sequence_nr() in self._batch_of:
                return True
            if not type(node).__name__.startswith(VIEWS) or not node.next_functions:
                return False
            node = node.next_functions[0][0]
        return False

    def _let_go(self, output: Tensor, storage: int) -> None:
        """Goes on recognising an output that is held no more, where somebody else holds its memory."""
        if _holders(storage) <= _USED_HERE:
            return
        reference = StorageWeakRef(output.untyped_storage())
        storages = self._storages
        storages.pop(reference.cdata, None)
        storages[reference.cdata] = reference
        if len(storages) > KEPT_OUTPUTS:
            del storages[next(iter(storages))]

    def batch_behind(self, node: Any) -> int | None:
        """Returns the batch of the output of G that a node was computed from, None where there is none."""
        return self._walk(node)[0]

    def made_by(self, number: int) -> Tensor | None:
        """Returns the held output of G that the node of this number has made, detached; None where it has made none."""
        return self.held[self._made_by.index(number)] if number in self._made_by else None

    def _walk(self, made_by: Any) -> tuple[int | None, bool]:
        """Returns the batch of the output of G that a node was computed from, and whether the walk came to an end."""
        wanted = self._batch_of
        oldest = min(wanted, default=None)
        if oldest is None:
            return None, True
        todo = [made_by]
        seen: set[int] = set()
        while todo and len(seen) < MOST_NODES:
            node = todo.pop()
            number = node._sequence_nr() if node is not None else -1
            if node is None or number < oldest or number in seen:
                continue
            if number in wanted:
                self._note_judged(number)
                return wanted[number], True
            seen.add(number)
            todo.extend(parent for parent, _ in node.next_functions)
        return None, not todo


def lead(first: Tensor, second: Tensor, outputs: Sequence[Tensor], *, among: bool = False) -> Tensor | None:
    """Returns by how much `first` is nearer to G's last output than `second`, or `among` them all to any one: 0-d, -1 .. 1.

    None where there is none to compare with; 0 where both are as near but for rounding.
    """
    nearest: tuple[Tensor, Tensor] | None = None
    for output in reversed(outputs):
        one, other = distance(first, output), distance(second, output)
        if one is not None and other is not None:
            if nearest is not None:
                one, other = torch.minimum(one, nearest[0]), torch.minimum(other, nearest[1])
            nearest = one, other
            if not among:
                break
    if nearest is None:
        return None
    apart = ((nearest[1] - nearest[0]) / (nearest[0] + nearest[1])).nan_to_num(0.0)
    return torch.where(apart.abs() > AS_NEAR, apart, 0.0)


def nearest(shown: Tensor, outputs: Sequence[Tensor]) -> Tensor | None:
    """Returns the distance to the nearest of G's outputs, 0-d; None where there is none to compare with."""
    known = [apart for apart in (distance(shown, output) for output in outputs) if apart is not None]
    return torch.stack(known).amin() if known else None


def distance(shown: Tensor, made: Tensor) -> Tensor | None:
    """Returns how far what D was shown is from an output of G: 0-d, 0 for a copy of it; None where the two cannot be compared.

    The mean square of the difference, which tells tokens that were drawn by logarithms of probabilities from others; also of an output that
    was flattened, joined to something else along one axis (labels, the source image of a pair) or resized.
    """
    if shown.shape == made.shape:
        return _apart(shown, made)
    if shown.dim() < 2 or made.dim() < 1:
        return None
    if shown.numel() == made.numel() and shown.shape[0] in (1, made.shape[0]):
        return _apart(shown, made.reshape(shown.shape))
    if shown.shape[0] != made.shape[0]:
        return _nearest_part(shown, made)
    if shown.dim() == 2 < made.dim():
        made = made.flatten(1)
    if shown.dim() != made.dim():
        return None
    differ = [axis for axis in range(1, shown.dim()) if shown.shape[axis] != made.shape[axis]]
    if len(differ) == 1 and made.shape[differ[0]] < shown.shape[differ[0]]:
        axis, size = differ[0], made.shape[differ[0]]
        begin, end = shown.narrow(axis, 0, size), shown.narrow(axis, shown.shape[axis] - size, size)
        return torch.minimum(_apart(begin, made), _apart(end, made))
    if shown.dim() == 4 and differ == [2, 3]:
        small, large = (nn.functional.adaptive_avg_pool2d(x, COARSE) for x in (shown, made))
        return _apart(small, large)
    return None


def _apart(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).float().square().mean()


def _nearest_part(shown: Tensor, made: Tensor) -> Tensor | None:
    """Returns the distance of the nearest of a batch's parts, each of as many samples as G made: several crops, say."""
    count = len(made)
    if not count or len(shown) % count or not 1 < len(shown) // count <= MOST_PARTS:
        return None
    apart = [distance(part, made) for part in shown.split(count)]
    known = [one for one in apart if one is not None]
    return torch.stack(known).amin() if len(known) == len(apart) else None


def is_tracked(value: Tensor) -> bool:
    """Tells whether a tensor is an ordinary one: not a function transform's wrapper, not a tracer's stand-in."""
    if type(value) is Tensor:
        return not _is_wrapped(value)
    return not hasattr(value, "fake_mode")

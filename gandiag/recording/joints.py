"""Two batches that a discriminator joins itself: the joint in the graph, of which one piece leads back to G, tells whose half its verdicts are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

MOST_NODES = 2000  # of a discriminator's graph

Behind = Callable[[Any], int | None]  # the batch of the output of G that a node was computed from


def made_half(output: Tensor, axis: int, leads_back: Behind, *, twice: bool = False) -> int | None:
    """Returns which half of a tensor, along an axis, are the verdicts on what G made: 0 or 1; None where no joint tells.

    Along axis 0 the joint may lie anywhere beneath: a network keeps the order of its samples. Along any other it is the tensor itself. `twice`:
    the tensor is a half already.
    """
    whole = output.shape[axis] * (1 + twice)
    todo: list[Any] = [output.grad_fn]
    seen: set[Any] = set()
    while todo and len(seen) < MOST_NODES:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if _joins_two(node, axis, whole):
            leading = [piece is not None and leads_back(piece) is not None for piece, _ in node.next_functions]
            if leading[0] != leading[1]:
                return leading.index(True)
        if axis == 0:
            todo.extend(parent for parent, _ in node.next_functions)
    return None


def _joins_two(node: Any, axis: int, whole: int) -> bool:
    if not type(node).__name__.startswith("CatBackward") or len(node.next_functions) != 2:
        return False
    shape = tuple(node._input_metadata[0].shape)
    along = node._saved_dim % 2**64  # a negative one comes wrapped
    return along in (axis, axis + 2**64 - len(shape)) and shape[axis] == whole


def halves_in_order(first: Tensor, second: Tensor) -> bool | None:
    """Tells whether two verdicts are a tensor's first half and its second, in this order; None where they are no pieces of one."""
    one: Any = first.grad_fn
    other: Any = second.grad_fn
    if one is None or other is None:
        return None
    if one is other and type(one).__name__.startswith("SplitBackward") and first.output_nr != second.output_nr:
        return first.output_nr < second.output_nr
    pieces = [node for node in (one, other) if type(node).__name__.startswith("SliceBackward") and node._saved_dim == 0]
    if len(pieces) < 2 or one.next_functions[0][0] is not other.next_functions[0][0]:
        return None
    starts = [node._saved_start % 2**64 for node in pieces]
    return None if starts[0] == starts[1] else bool(starts[0] < starts[1])

"""Tells a map of verdicts from an image that was restored: whether a way leads round every narrow place between D's input and its output."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gandiag.recording.outputs import judges_place_by_place

MOST_NODES = 2000  # of a discriminator's graph


class Maps:
    """Of a discriminator, whether its outputs of the images' form hold verdicts on places; looked at once."""

    def __init__(self) -> None:
        self._verdicts: bool | None = None

    def are_verdicts(self, module: nn.Module, output: Tensor, shown: Tensor | None) -> bool:
        """Tells whether a map of the image's form holds verdicts on its places, and is no image that was restored."""
        if self._verdicts is None:
            around = shown is not None and shown.dim() > 2 and leads_around(output, shown)
            self._verdicts = around or judges_place_by_place(module)
        return self._verdicts

    def without_restored(self, found: list[Tensor], module: nn.Module, shown: Tensor | None) -> list[Tensor]:
        """Leaves out, of several scores, a map of the image's form that is the image restored."""
        alike = [t for t in found if shown is not None and t.dim() == 4 and t.shape == shown.shape]
        if not alike or len(alike) == len(found) or self.are_verdicts(module, alike[0], shown):
            return found
        return [t for t in found if not any(t is one for one in alike)]


def leads_around(output: Tensor, shown: Tensor) -> bool:
    """Tells whether some way through the graph leads from what D was shown to its map and never leaves the image's rows and columns.

    Such a network could copy its input, so nobody asks it to restore it: its map holds verdicts on places, as a U-Net's does. One that restores
    its input has a narrow place that all ways lead through.
    """
    begins = -1 if shown.grad_fn is None else shown.grad_fn._sequence_nr()
    todo: list[Any] = [output.grad_fn]
    seen: set[Any] = set()
    while todo and len(seen) < MOST_NODES:
        node = todo.pop()
        if node is None or node in seen:
            continue
        if begins >= 0 and node._sequence_nr() == begins:
            return True
        seen.add(node)
        if not _keeps_the_form(node, shown):
            continue
        edges = [parent for parent, _ in node.next_functions]
        if "Conv" in type(node).__name__ and edges and _is_the_input(edges[0], shown):
            return True
        todo.extend(edges)
    return False


def _keeps_the_form(node: Any, shown: Tensor) -> bool:
    """Tells whether what a node returned has a value for every place of the image."""
    made = getattr(node, "_input_metadata", None)  # of its gradient's input, and so of its output
    if not made:
        return False
    shape = torch.Size(made[0].shape)
    return len(shape) == shown.dim() and shape[0] == shown.shape[0] and shape[2:] == shown.shape[2:]


def _is_the_input(node: Any, shown: Tensor) -> bool:
    return node is None or getattr(node, "variable", None) is shown

"""How much of what moves the generator comes through the discriminator: its part of the gradient at G's output, told by the graph.

A generator that is also paid for a reconstruction, a perceptual or a cycle loss may hear nothing of the game beside it. Nothing is asked
again for that: at one step of many, hooks on the operations that D applied to G's output read what passes there anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gandiag.recording.passes import norm

EVERY = 50  # steps
MOST_NODES = 2000  # of D's graph that are looked at
Part = tuple[int, Tensor]  # the number of the node that made an output of G, and a gradient that D sent it


def watch(outputs: Iterable[Tensor], made_by: Collection[int], tell: Callable[[Part], None]) -> None:
    """Hooks the operations beneath D's outputs (features too) that read an output of G, whose nodes are known by number.

    What lies beneath those outputs is not looked at: whatever else reads them is no part of the discriminator.
    """
    oldest = min(made_by, default=None)
    todo: list[Any] = [t.grad_fn for t in outputs if t.grad_fn is not None]
    if oldest is None:
        return
    seen = set(todo)
    while todo and len(seen) < MOST_NODES:
        node = todo.pop()
        edges = []
        for place, (parent, _) in enumerate(node.next_functions):
            number = -1 if parent is None else parent._sequence_nr()
            if number in made_by:
                edges.append((place, number))
            elif number >= oldest and parent not in seen:
                seen.add(parent)
                todo.append(parent)
        if edges:
            node.register_hook(partial(_read, edges, tell))


def _read(
    edges: Sequence[tuple[int, int]],
    tell: Callable[[Part], None],
    gradients: Sequence[Tensor | None],
    _sent: Sequence[Tensor | None],
) -> None:
    for place, number in edges:
        gradient = gradients[place]
        if gradient is not None:
            tell((number, gradient.detach()))


def both_norms(parts: Sequence[Part], whole: Sequence[Tensor]) -> tuple[Tensor, Tensor] | None:
    """Returns the norm of what came through D and the norm of all that came to G's outputs, 0-d each; None where either is missing."""
    if not parts or not whole:
        return None
    by_output: dict[int, Tensor] = {}
    for number, gradient in parts:
        by_output[number] = by_output[number] + gradient if number in by_output else gradient
    through, all_ = (norm(torch.stack([norm(g) for g in found])) for found in (list(by_output.values()), whole))
    return through, all_


def share(through: Tensor, whole: Tensor) -> Tensor:
    """Returns the share of what came through D, above 1 where the other losses pull against the game; 1 where nothing comes: nothing outweighs it."""
    return torch.where(whole == 0, 1.0, through / whole)

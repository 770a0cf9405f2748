"""A gradient that is turned round between the discriminator's input and the generator's output: one loss then serves both players.

The gradient reversal layer of domain-adversarial training passes values on as they are and gradients times -lambda; a hook of the loop's on
the fakes does the same. What the generator follows is then -lambda times what the pass shows at the verdict. It is told by both ends of
the way: as values it is the identity, noise of the loop's aside, and the gradients at its ends are opposite. Nothing here reads a value from the
device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from gandiag.recording.guard import until_it_fails
from gandiag.recording.origin import Outputs

OPPOSITE = (
    -0.9999
)  # cosine of the gradients at both ends, below which they are opposite: rounding, also in half precision
ALONG = 0.5  # correlation of the values at both ends, above which they are the same, or the same under noise: a negation's is -1
LONGEST = 8  # operations on the way: more are an augmentation
ARITHMETIC = ("Neg", "Sub", "Add", "Mul", "View", "Alias", "Clone", "UnsafeView", "ToCopy")


@dataclass(eq=False, slots=True)
class Turned:
    """What the gradient of one call's fakes is multiplied by on the way to the generator, where it is turned round: 0-d; None where unseen."""

    factor: Tensor | None = None
    entered: Tensor | None = field(default=None, repr=False)

    def enters(self, gradient: Tensor) -> None:
        """Notes the gradient at the discriminator's end."""
        self.entered = gradient.detach()

    def leaves(self, gradient: Tensor, same: Tensor) -> None:
        """Compares it with the gradient at the generator's end; `same` is whether the values at both ends are."""
        entered, self.entered = self.entered, None
        if entered is None or entered.numel() != gradient.numel():
            return
        one, other = entered.float().flatten(), gradient.detach().float().flatten()
        along, size = torch.dot(one, other), torch.dot(one, one)
        cosine = along / (size * torch.dot(other, other)).sqrt()
        self.factor = torch.where(same & (cosine < OPPOSITE), along / size, 1.0)


def turned_on_the_way(
    shown: Tensor, outputs: Outputs, counts: Callable[[], bool], told: Callable[[str, Exception], Any]
) -> Turned | None:
    """Watches what D is shown of attached fakes; None where nothing lies between it and the generator's output that could turn a gradient.

    `counts` tells, in a backward pass, whether it is one that fills gradients.
    """
    if shown.grad_fn is None:
        return None
    number = shown.grad_fn._sequence_nr()
    made = outputs.made_by(number)
    if made is not None:
        hooks = shown._backward_hooks
        return _turned_by_hooks(shown, made, counts, told) if hooks is not None and len(hooks) > 1 else None
    return _turned_by_operations(shown, outputs, counts, told)


def _turned_by_hooks(
    shown: Tensor, made: Tensor, counts: Callable[[], bool], told: Callable[[str, Exception], Any]
) -> Turned:
    """Watches the hooks that the loop has on the generator's output: the first of all and the last of all are ours."""
    found = Turned()
    same = torch.ones((), dtype=torch.bool, device=made.device)

    def enters(gradient: Tensor | None) -> None:
        if gradient is not None and counts():
            found.enters(gradient)

    def leaves(gradient: Tensor | None) -> None:
        if gradient is not None and counts():
            found.leaves(gradient, same)

    first = shown.register_hook(until_it_fails(enters, told))
    shown.register_hook(until_it_fails(leaves, told))
    hooks: Any = shown._backward_hooks
    others = {key: hooks.pop(key) for key in list(hooks) if key != first.id}
    hooks.update(others)  # torch goes by the order in which they were put in
    return found


def _turned_by_operations(
    shown: Tensor, outputs: Outputs, counts: Callable[[], bool], told: Callable[[str, Exception], Any]
) -> Turned | None:
    """Watches the operations between the generator's output and what is made of it alone, be that joined to reals or not."""
    node, place, piece = shown.grad_fn, shown.output_nr, shown.detach()
    if type(node).__name__.startswith("CatBackward"):
        pieces = [(n, i) for n, i in node.next_functions]  # type: ignore[union-attr]  # not None
        leading = [at for at, (n, _) in enumerate(pieces) if n is not None and outputs.batch_behind(n) is not None]
        if len(leading) != 1 or leading[0] not in (0, len(pieces) - 1):
            return None
        node, place = pieces[leading[0]]
        count = outputs.batch_behind(node) or 0
        piece = piece[:count] if not leading[0] else piece[len(piece) - count :]
    way = _way(node, outputs)
    if way is None:
        return None
    last, edge, made = way
    if made.shape != piece.shape:
        return None
    found = Turned()
    same = _go_along(piece, made)

    def enters(gradients: tuple[Tensor | None, ...]) -> None:
        gradient = gradients[place]
        if gradient is not None and counts():
            found.enters(gradient)

    def leaves(gradients: tuple[Tensor | None, ...], _: Any) -> None:
        gradient = gradients[edge]
        if gradient is not None and counts():
            found.leaves(gradient, same)

    node.register_prehook(until_it_fails(enters, told))  # type: ignore[union-attr]  # as above
    last.register_hook(until_it_fails(leaves, told))
    return found


def _go_along(piece: Tensor, made: Tensor) -> Tensor:
    """Tells whether values (n, ...) rise where others do, about each batch's mean: a 0-d flag."""
    one, other = (x.detach().float() for x in (piece, made))
    if len(one) > 1:
        one, other = one - one.mean(0), other - other.mean(0)
    along, size = (one * other).sum(), one.square().sum() * other.square().sum()
    return along > ALONG * size.sqrt()


def _way(node: Any, outputs: Outputs) -> tuple[Any, int, Tensor] | None:
    """Returns the last operation before the generator's output, which of its inputs that is, and the output; None where no operation on the
    way could pass values on as they are and turn their gradient."""
    custom = False
    for _ in range(LONGEST):
        custom = custom or isinstance(node, BackwardCFunction)
        if not custom and not type(node).__name__.startswith(ARITHMETIC):
            return None
        behind = [(i, n) for i, (n, _) in enumerate(node.next_functions) if n is not None]
        behind = [(i, n) for i, n in behind if outputs.batch_behind(n) is not None]
        if len(behind) != 1:
            return None
        edge, below = behind[0]
        made = outputs.made_by(below._sequence_nr())
        if made is not None:
            return node, edge, made
        node = below
    return None

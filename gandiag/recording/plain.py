"""What a game's loss is evaluated through when its Jacobian is wanted: detach that does not hide the other player, and plain formulas.

torch's batch, layer and instance normalisation have a wrong third derivative, in silence (2.13: the double backward takes the saved
mean and deviation as constants; group and RMS norm are right). A gradient penalty through such a layer needs just that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class PlainAndCoupled(TorchFunctionMode):
    """Evaluates normalisations by their formulas, and lets `detach()` pass what does not depend on a player's `own` parameters.

    A discriminator's loss usually detaches the fakes. That leaves D's gradient as it is, but would hide how that gradient changes as G
    moves: half of the game's Jacobian. What does depend on the player's own parameters is detached as the loss says.
    """

    def __init__(self, own: Sequence[Tensor]) -> None:
        super().__init__()
        self.own = {id(p) for p in own}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in PLAIN:
            return PLAIN[func](*args, **kwargs)
        if func in _TO_NUMPY and args[0].requires_grad:
            return func(args[0].detach(), *args[1:], **kwargs)
        if func in _DETACH and args[0].requires_grad and not _reaches(args[0], self.own):
            return args[0].view_as(args[0])
        return func(*args, **kwargs)


def plain_batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """torch.nn.functional.batch_norm without its running statistics' update (a measurement's buffers are thrown away)."""
    shape = [1, -1] + [1] * (input.dim() - 2)
    if training or running_mean is None or running_var is None:
        normal = _standardised(input, [0, *range(2, input.dim())], eps)
    else:
        normal = (input - running_mean.view(shape)) / (running_var.view(shape) + eps).sqrt()
    return _scaled(normal, None if weight is None else weight.view(shape), None if bias is None else bias.view(shape))


def plain_layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """torch.nn.functional.layer_norm by its formula."""
    return _scaled(_standardised(input, list(range(-len(normalized_shape), 0)), eps), weight, bias)


def plain_instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """torch.nn.functional.instance_norm by its formula."""
    if not use_input_stats:
        return plain_batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    shape = [1, -1] + [1] * (input.dim() - 2)
    return _scaled(
        _standardised(input, list(range(2, input.dim())), eps),
        None if weight is None else weight.view(shape),
        None if bias is None else bias.view(shape),
    )


def graph(tensors: Sequence[Tensor]) -> Iterator[Any]:
    """Yields every node of the autograd graph behind some tensors, once."""
    seen: set[Any] = set()
    todo: list[Any] = [t.grad_fn for t in tensors if t.grad_fn is not None]
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            yield node
            todo += [following for following, _ in node.next_functions if following is not None]


def _reaches(tensor: Tensor, targets: set[int]) -> bool:
    """Whether any of the leaves `targets` (by id) stands behind a tensor."""
    if tensor.grad_fn is None:
        return id(tensor) in targets
    return any(id(getattr(node, "variable", None)) in targets for node in graph([tensor]))


def _standardised(input: Tensor, dims: list[int], eps: float) -> Tensor:
    centred = input - input.mean(dim=dims, keepdim=True)
    return centred / (centred.square().mean(dim=dims, keepdim=True) + eps).sqrt()


def _scaled(normal: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    normal = normal if weight is None else normal * weight
    return normal if bias is None else normal + bias


_DETACH = (Tensor.detach, torch.detach)
_TO_NUMPY = (Tensor.numpy, Tensor.__array__)
PLAIN: dict[Callable[..., Any], Callable[..., Tensor]] = {
    functional.batch_norm: plain_batch_norm,
    functional.layer_norm: plain_layer_norm,
    functional.instance_norm: plain_instance_norm,
}

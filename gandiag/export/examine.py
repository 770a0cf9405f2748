"""Examine: find, before anything is exported, what in a generator cannot be: noise, batch-wide groups, branches; and name the layer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from gandiag.export.contract import Contract, ExportError
from gandiag.export.latents import draw_labels, draw_latents
from gandiag.export.served import Served

BATCHES = (
    3,
    5,
    1,
    2,
)  # two odd ones first: what is tied to the batch differs between them, and 3 is seldom a size of a network

DEPENDENCE = 1e-3  # of the values' size: a statistic over the batch moves samples by more, rounding by far less


@dataclass
class Trace:
    """What one forward did: (layer, operation) in order, the groups of its convolutions, its random operations, what each layer took
    and gave, innermost first."""

    operations: list[tuple[str, str]] = field(default_factory=list)
    groups: dict[tuple[str, int], int] = field(default_factory=dict)
    random: list[tuple[str, str]] = field(default_factory=list)
    inputs: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    outputs: list[tuple[str, Tensor]] = field(default_factory=list)


def examine(served: Served, contract: Contract) -> tuple[int, ...]:
    """Runs the generator in torch at a few batch sizes and returns the shape of one sample.

    Raises ExportError, with the layer and the cure, where it draws noise, gives other values for the same latents, sizes the groups
    of a convolution by the batch, or cannot take some batch size at all.
    """
    sizes = (contract.batch,) if contract.batch is not None else BATCHES
    traces = {}
    for size in sizes:
        made, traces[size] = trace(served, contract, size)
        _check_shape(made, size, contract)
    first = traces[sizes[0]]
    _refuse_random(served, first)
    _refuse_other_values(served, contract, first, sizes[0])
    if contract.batch is None:
        _refuse_batch_groups(served, traces)
    return tuple(made.shape[1:])


def trace(served: Served, contract: Contract, size: int) -> tuple[Tensor, Trace]:
    """Runs one batch under observation; raises ExportError naming the layer in which forward failed."""
    seen = Trace()
    inputs = example_inputs(contract, size)
    with watched(served) as stack, _Watch(stack, seen), _outputs(served, seen), torch.no_grad():
        try:
            made = served(*inputs)
        except ExportError:
            raise
        except Exception as error:  # a stranger's forward raises anything
            raise ExportError(_failed(served, stack, inputs, error)) from error
    return made, seen


def example_inputs(contract: Contract, size: int) -> tuple[Tensor, ...]:
    """Returns (z,) or (z, label) of a batch size."""
    labels = draw_labels(contract, size)
    z = torch.from_numpy(draw_latents(contract, size))
    return (z,) if labels is None else (z, torch.from_numpy(labels))


@contextlib.contextmanager
def watched(served: Served) -> Iterator[list[str]]:
    """Yields the stack of the names of the layers that are running; after an exception it still names where that was raised."""
    stack: list[str] = []
    handles = []
    for name, module in served.generator.named_modules():
        handles.append(module.register_forward_pre_hook(lambda _m, _i, name=name: stack.append(name), prepend=True))
        handles.append(module.register_forward_hook(lambda _m, _i, _o: _leave(stack)))
    try:
        yield stack
    finally:
        for handle in handles:
            handle.remove()


def describe(served: Served, name: str) -> str:
    """Returns a layer as the error messages name it: 'synthesis.4' (ModulatedConv2d)."""
    module = served.generator.get_submodule(name) if name else served.generator
    return f"{name!r} ({type(module).__name__})" if name else f"the generator's own forward ({type(module).__name__})"


def first_difference(served: Served, contract: Contract, sizes: tuple[int, ...] = (*BATCHES, 9, 33)) -> str | None:
    """Returns the first layer whose operations differ between batch sizes: where code branches or loops on the batch. None: nowhere."""
    reference: list[tuple[str, str]] | None = None
    for size in sizes:
        _, seen = trace(served, contract, size)
        if reference is None:
            reference = seen.operations
        for ours, theirs in zip(reference, seen.operations, strict=False):
            if ours != theirs:
                return describe(served, theirs[0])
        if len(reference) != len(seen.operations):
            longer = max(reference, seen.operations, key=len)
            return describe(served, longer[min(len(reference), len(seen.operations))][0])
    return None


def batch_dependent_layer(served: Served, contract: Contract) -> str | None:
    """Returns the first layer that gives a sample another value when the batch around it is larger; None where there is none."""
    (_, few), (_, many) = (trace(served, contract, size) for size in BATCHES[:2])
    for (name, small), (_, large) in zip(few.outputs, many.outputs, strict=False):
        whole = len(small) == BATCHES[0] and len(large) == BATCHES[1] and small.shape[1:] == large.shape[1:]
        if whole and not torch.allclose(
            small, large[: len(small)], rtol=DEPENDENCE, atol=DEPENDENCE * float(small.abs().max()), equal_nan=True
        ):
            return describe(served, name)
    return None


class _Watch(TorchDispatchMode):
    def __init__(self, stack: list[str], seen: Trace) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of torch
        self.stack = stack
        self.seen = seen

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        layer = self.stack[-1] if self.stack else ""
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.seen.random.append((layer, func.name()))
        if func is torch.ops.aten.convolution.default:
            self.seen.groups[layer, len(self.seen.operations)] = int(args[8])
        self.seen.operations.append((layer, func.name()))
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def _outputs(served: Served, seen: Trace) -> Iterator[None]:
    def keep(name: str, given: tuple[Any, ...], made: Any) -> None:
        seen.inputs.append((name, given))
        if isinstance(made, Tensor):
            seen.outputs.append((name, made))

    handles = [
        module.register_forward_hook(lambda _m, given, made, name=name: keep(name, given, made))
        for name, module in served.generator.named_modules()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _leave(stack: list[str]) -> None:
    stack.pop()


def _check_shape(made: Tensor, size: int, contract: Contract) -> None:
    axes = {"images": 4, "points": 2}[contract.kind]
    shape = tuple(made.shape)
    if made.dim() != axes or shape[0] != size:
        wanted = "(n, channels, height, width)" if contract.kind == "images" else "(n, coordinates)"
        raise ExportError(
            f"a batch of {size} latents {contract.latent_shape} gave a tensor of shape {shape}; {contract.kind} are expected as {wanted}: "
            "does forward squeeze or reshape the batch away, or is --z another one?"
        )


def _failed(served: Served, stack: list[str], inputs: tuple[Tensor, ...], error: Exception) -> str:
    shapes = " and ".join(str(tuple(one.shape)) for one in inputs)
    where = f"in layer {describe(served, stack[-1])}" if stack and stack[-1] else f"in {describe(served, '')}"
    said = _first_line(error)
    hint = (
        "; does this generator take labels (num_classes)?" if isinstance(error, TypeError) and len(inputs) == 1 else ""
    )
    return f"the generator fails in torch on inputs {shapes}, {where}: {said}{hint}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _refuse_random(served: Served, seen: Trace) -> None:
    if not seen.random:
        return
    layer, operation = seen.random[0]
    others = f" and {len(seen.random) - 1} more" if len(seen.random) > 1 else ""
    raise ExportError(
        f"noise is drawn inside forward: {operation.removeprefix('aten::')} in layer {describe(served, layer)}{others}. "
        "An ONNX file of it could not be compared with torch: feed the noise as an input (a part of z), or make it a fixed buffer, or switch it off"
    )


def _refuse_other_values(served: Served, contract: Contract, seen: Trace, size: int) -> None:
    _, again = trace(served, contract, size)
    for (name, before), (_, after) in zip(seen.outputs, again.outputs, strict=False):
        if before.shape != after.shape or not np.array_equal(
            before.numpy(), after.numpy(), equal_nan=before.is_floating_point()
        ):
            raise ExportError(
                f"layer {describe(served, name)} gives another result for the same latents: it holds noise or a counter of its own. "
                "Make it a function of its inputs: feed the noise as an input, or make it a fixed buffer"
            )


def _refuse_batch_groups(served: Served, traces: dict[int, Trace]) -> None:
    small, large = (list(traces[size].groups.items()) for size in BATCHES[:2])
    for ((layer, _), few), (_, many) in zip(small, large, strict=False):
        if few != many:
            raise ExportError(
                f"layer {describe(served, layer)} folds the batch into the groups of a convolution ({few} groups at batch {BATCHES[0]}, "
                f"{many} at {BATCHES[1]}): ONNX fixes the groups, so it cannot have a dynamic batch. Use the unfused form (scale the input by "
                "the style, convolve with the shared weight, scale the output: fused_modconv=False), or fix the batch with --static-batch N"
            )

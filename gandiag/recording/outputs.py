"""Reads what modules return and take: which tensor of a discriminator's output is the score, which argument is the image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.pooling import _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd, _AvgPoolNd, _MaxPoolNd

SCORE_KEYS = ("logits", "logit", "validity", "adv", "adversarial", "score", "scores", "out", "output", "prediction")
COARSENS = (
    _AvgPoolNd,
    _MaxPoolNd,
    _AdaptiveAvgPoolNd,
    _AdaptiveMaxPoolNd,
    nn.Upsample,
    nn.PixelShuffle,
    nn.PixelUnshuffle,
)
MOST_VIEWS = 6
TRANSPARENT = (
    "View",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "UnsafeView",
    "Alias",
    "ToCopy",
    "Select",
    "Mean",
    "Clone",
    "Permute",
)
TWO_CLASSES = (
    "the discriminator tells two classes apart by a softmax: the second value less the first was read as its score, or the contrary where its own "
    "updates push that up on fakes"
)
SOFTMAXES = SOFTMAX, LOG_SOFTMAX = "Softmax", "LogSoftmax"
MOST_NESTED = 3  # lists of lists of features are as deep as discriminators go


def judges_place_by_place(module: nn.Module) -> bool:
    """Tells whether a network keeps its input's grid from end to end: convolutions of stride 1 and what acts value by value, and nothing else.

    Its map of the input's form holds verdicts on places (a pixel discriminator's); one that restores its input has a narrow place in between.
    """
    convolutions = [m for m in module.modules() if isinstance(m, _ConvNd)]
    others = [
        m for m in module.modules() if not isinstance(m, _ConvNd) and any(True for _ in m.parameters(recurse=False))
    ]
    return (
        bool(convolutions)
        and all(set(m.stride) == {1} and not m.transposed for m in convolutions)
        and all(isinstance(m, (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.PReLU)) for m in others)
        and not any(isinstance(m, COARSENS) for m in module.modules())
    )


def tensors(value: Any, depth: int = MOST_NESTED) -> Iterator[Tensor]:
    """Yields the floating-point tensors in tuples, lists, mappings and dataclass-like outputs, in order."""
    if isinstance(value, Tensor):
        if value.is_floating_point():
            yield value
    elif depth > 0:
        if isinstance(value, Mapping):
            value = list(value.values())
        elif hasattr(value, "__dict__") and not isinstance(value, torch.nn.Module) and not callable(value):
            value = list(vars(value).values())
        if isinstance(value, (list, tuple)):
            for item in value:
                yield from tensors(item, depth - 1)


def scores(output: Any) -> list[Tensor]:
    """Returns the tensors of a discriminator's output that are scores: one, or one for each scale.

    (validity, classes) gives the validity: a single value, or a map that comes first; patch maps, a list of single values, and a single value
    beside maps of one channel, give them all; lists of features give the last of each; (verdicts, features of each scale) gives the verdicts.
    """
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, Mapping):
        for key in SCORE_KEYS:
            if key in output:
                return scores(output[key])
    if (verdicts := _beside_features(output)) is not None:
        return verdicts
    if isinstance(output, Sequence) and output and all(isinstance(x, (list, tuple)) and x for x in output):
        return [t for x in output for t in scores(x[-1])]
    found = list(tensors(output))
    single = [t for t in found if t.dim() > 0 and t.numel() == t.shape[0]]
    if isinstance(output, list) and len(single) == len(output):
        return single  # of several scales; a validity and what stands beside it come as a tuple
    if len(single) == 1 and len(found) > 1 and all(t is single[0] or _is_map(t) for t in found):
        return found  # a verdict on the whole and some on its places
    if single and (single[0] is found[0] or not _is_map(found[0])):
        return single[:1]
    if maps := [t for t in found if _is_map(t)]:
        return maps
    # (features, logits, probabilities of classes): what comes out of a softmax is a verdict, and features are none
    classes = [t for t in found if t.dim() == 2 and last_operation(t) in SOFTMAXES] if len(found) > 1 else []
    return classes[:1] or found[:1]


def _is_map(values: Tensor) -> bool:
    return values.dim() == 4 and values.shape[1] == 1


def _beside_features(output: Any) -> list[Tensor] | None:
    """Returns the verdicts of (a verdict of each scale, a list of features of each scale), as codecs' and vocoders' judges give; None for others."""
    if not isinstance(output, Sequence) or len(output) != 2 or not all(isinstance(x, (list, tuple)) for x in output):
        return None
    verdicts, features = output
    if not verdicts or len(verdicts) != len(features) or not all(isinstance(v, Tensor) for v in verdicts):
        return None
    return list(verdicts) if all(isinstance(f, (list, tuple)) for f in features) else None


def holds_two(output: Tensor, samples: int) -> bool:
    """Tells whether a tensor may hold the verdicts on two batches: two for each sample, or a batch twice as large."""
    return output.dim() > 0 and (output.shape == (samples, 2) or (samples > 0 and len(output) == 2 * samples))


def every_value_read(values: int) -> str:
    """Says that a discriminator returns several values for each sample, which are no verdicts."""
    return f"the discriminator returns {values} values for each sample: every one was read as a score"


def last_operation(tensor: Tensor) -> str:
    """Returns the operation that a tensor comes out of, by its place in the graph (`Sigmoid`, `Tanh`, `Addmm` ...), '' where there
    is no graph; views and copies in between do not count.
    """
    node = tensor.grad_fn
    for _ in range(MOST_VIEWS):
        if node is None:
            return ""
        name = type(node).__name__.split("Backward")[0]
        if not name.startswith(TRANSPARENT):
            return name
        node = node.next_functions[0][0] if node.next_functions else None
    return ""

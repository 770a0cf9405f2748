"""The FID Inception network as a plan of layers that torch and ONNX Runtime both run, batch norms folded into the convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from gandiag.errors import GandiagError

BATCH_NORM_EPSILON = 1e-3
CLASSES = 1008
SPATIAL_CHANNELS = 7  # sFID takes the first seven channels of Mixed_6e: 7 x 17 x 17 = 2023 features
LAYERS = ("64", "192", "768", "spatial", "2048")


@dataclass(frozen=True)
class Layer:
    """One step of the plan: `convolve` (with ReLU), `largest`, `mean`, or `join`; from values by number to the next number."""

    kind: str
    inputs: tuple[int, ...]
    name: str = ""
    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    channels: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Plan:
    """All layers in order (value 0 is the image, value i + 1 is the output of layer i), and which values are the named features."""

    layers: tuple[Layer, ...]
    taps: Mapping[str, int]


class _Planner:
    """Collects layers; every method returns the number of its output."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.width = {0: 3}

    def convolve(
        self,
        x: int,
        name: str,
        out: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> int:
        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        around = (padding, padding) if isinstance(padding, int) else padding
        return self._add(Layer("convolve", (x,), name, size, stride, around, (self.width[x], out)), out)

    def largest(self, x: int, *, stride: int = 2, padding: int = 0) -> int:
        return self._add(Layer("largest", (x,), stride=stride, padding=(padding, padding)), self.width[x])

    def mean(self, x: int) -> int:
        return self._add(Layer("mean", (x,), padding=(1, 1)), self.width[x])

    def join(self, *xs: int) -> int:
        return self._add(Layer("join", xs), sum(self.width[x] for x in xs))

    def _add(self, layer: Layer, width: int) -> int:
        self.layers.append(layer)
        self.width[len(self.layers)] = width
        return len(self.layers)


@lru_cache(maxsize=1)
def make_plan() -> Plan:
    """Returns the plan of the network of 2015-12-05: Inception v3 without auxiliary head, 1008 classes, average pools that do not
    count the padding, and a maximum in the last block where others have a mean."""
    p = _Planner()
    x = p.convolve(0, "Conv2d_1a_3x3", 32, 3, stride=2)
    x = p.convolve(x, "Conv2d_2a_3x3", 32, 3)
    x = first = p.largest(p.convolve(x, "Conv2d_2b_3x3", 64, 3, padding=1))
    x = second = p.largest(p.convolve(p.convolve(x, "Conv2d_3b_1x1", 80, 1), "Conv2d_4a_3x3", 192, 3))
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_a(p, x, name, pooled)
    x = _block_b(p, x, "Mixed_6a")
    for name, inner in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_c(p, x, name, inner)
    third = x
    x = _block_d(p, x, "Mixed_7a")
    x = _block_e(p, x, "Mixed_7b", last=False)
    x = _block_e(p, x, "Mixed_7c", last=True)
    return Plan(tuple(p.layers), {"64": first, "192": second, "768": third, "spatial": third, "2048": x})


def _block_a(p: _Planner, x: int, n: str, pooled: int) -> int:
    double = p.convolve(p.convolve(x, f"{n}.branch3x3dbl_1", 64, 1), f"{n}.branch3x3dbl_2", 96, 3, padding=1)
    return p.join(
        p.convolve(x, f"{n}.branch1x1", 64, 1),
        p.convolve(p.convolve(x, f"{n}.branch5x5_1", 48, 1), f"{n}.branch5x5_2", 64, 5, padding=2),
        p.convolve(double, f"{n}.branch3x3dbl_3", 96, 3, padding=1),
        p.convolve(p.mean(x), f"{n}.branch_pool", pooled, 1),
    )


def _block_b(p: _Planner, x: int, n: str) -> int:
    double = p.convolve(p.convolve(x, f"{n}.branch3x3dbl_1", 64, 1), f"{n}.branch3x3dbl_2", 96, 3, padding=1)
    return p.join(
        p.convolve(x, f"{n}.branch3x3", 384, 3, stride=2),
        p.convolve(double, f"{n}.branch3x3dbl_3", 96, 3, stride=2),
        p.largest(x),
    )


def _block_c(p: _Planner, x: int, n: str, inner: int) -> int:
    wide, tall = {"kernel": (1, 7), "padding": (0, 3)}, {"kernel": (7, 1), "padding": (3, 0)}

    def chain(y: int, steps: list[tuple[str, int, dict[str, tuple[int, int]]]]) -> int:
        for name, out, shape in steps:
            y = p.convolve(y, f"{n}.{name}", out, shape["kernel"], padding=shape["padding"])
        return y

    once = chain(
        p.convolve(x, f"{n}.branch7x7_1", inner, 1), [("branch7x7_2", inner, wide), ("branch7x7_3", 192, tall)]
    )
    twice = chain(
        p.convolve(x, f"{n}.branch7x7dbl_1", inner, 1),
        [
            ("branch7x7dbl_2", inner, tall),
            ("branch7x7dbl_3", inner, wide),
            ("branch7x7dbl_4", inner, tall),
            ("branch7x7dbl_5", 192, wide),
        ],
    )
    return p.join(
        p.convolve(x, f"{n}.branch1x1", 192, 1), once, twice, p.convolve(p.mean(x), f"{n}.branch_pool", 192, 1)
    )


def _block_d(p: _Planner, x: int, n: str) -> int:
    short = p.convolve(p.convolve(x, f"{n}.branch3x3_1", 192, 1), f"{n}.branch3x3_2", 320, 3, stride=2)
    y = p.convolve(p.convolve(x, f"{n}.branch7x7x3_1", 192, 1), f"{n}.branch7x7x3_2", 192, (1, 7), padding=(0, 3))
    y = p.convolve(
        p.convolve(y, f"{n}.branch7x7x3_3", 192, (7, 1), padding=(3, 0)), f"{n}.branch7x7x3_4", 192, 3, stride=2
    )
    return p.join(short, y, p.largest(x))


def _block_e(p: _Planner, x: int, n: str, *, last: bool) -> int:
    def fork(y: int, name: str) -> tuple[int, int]:
        return (
            p.convolve(y, f"{n}.{name}a", 384, (1, 3), padding=(0, 1)),
            p.convolve(y, f"{n}.{name}b", 384, (3, 1), padding=(1, 0)),
        )

    once = fork(p.convolve(x, f"{n}.branch3x3_1", 384, 1), "branch3x3_2")
    double = p.convolve(p.convolve(x, f"{n}.branch3x3dbl_1", 448, 1), f"{n}.branch3x3dbl_2", 384, 3, padding=1)
    twice = fork(double, "branch3x3dbl_3")
    pooled = p.largest(x, stride=1, padding=1) if last else p.mean(x)
    return p.join(
        p.convolve(x, f"{n}.branch1x1", 320, 1), *once, *twice, p.convolve(pooled, f"{n}.branch_pool", 192, 1)
    )


@dataclass(frozen=True, eq=False)
class Inception:
    """The network with its weights folded: run(images) gives named features of normalised images (n, 3, 299, 299) float32."""

    weights: Mapping[str, Tensor]
    biases: Mapping[str, Tensor]
    head: Tensor
    head_bias: Tensor

    def run(self, images: Tensor, layers: tuple[str, ...] = ("2048",)) -> dict[str, Tensor]:
        """Returns each asked layer's features as float32 (n, d); layers as in LAYERS."""
        plan = make_plan()
        needed = max(plan.taps[name] for name in layers)
        uses = _last_uses(plan, needed)
        values: dict[int, Tensor] = {0: images.contiguous(memory_format=torch.channels_last)}
        found: dict[str, Tensor] = {}
        with torch.no_grad():
            for number, layer in enumerate(plan.layers[:needed], start=1):
                values[number] = self._apply(layer, [values[i] for i in layer.inputs])
                found.update({name: tap(values[number], name) for name in layers if plan.taps[name] == number})
                for i in {i for i in layer.inputs if uses[i] == number}:
                    del values[i]
        return found

    def logits(self, features: Tensor, *, unbiased: bool = True) -> Tensor:
        """Returns (n, 1008) logits of 2048 features; without the bias they are what the Inception Score uses."""
        logits = features.to(self.head.dtype) @ self.head.T
        return logits if unbiased else logits + self.head_bias

    def _apply(self, layer: Layer, inputs: list[Tensor]) -> Tensor:
        x = inputs[0]
        if layer.kind == "convolve":
            return F.conv2d(
                x, self.weights[layer.name], self.biases[layer.name], stride=layer.stride, padding=layer.padding
            ).relu_()
        if layer.kind == "largest":
            return F.max_pool2d(x, 3, layer.stride, layer.padding)
        if layer.kind == "mean":
            return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        if layer.kind == "join":
            return torch.cat(inputs, dim=1)
        raise AssertionError(layer.kind)


def fold(
    state: Mapping[str, Tensor], *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> Inception:
    """Returns the network of a published state dict, batch norms folded in float64; raises GandiagError where the file is another's."""
    weights, biases = {}, {}
    try:
        for layer in (x for x in make_plan().layers if x.kind == "convolve"):
            kernel = state[f"{layer.name}.conv.weight"].double()
            expected = (layer.channels[1], layer.channels[0], *layer.kernel)
            if tuple(kernel.shape) != expected:
                raise GandiagError(
                    f"{layer.name} has shape {tuple(kernel.shape)}, {expected} was expected: these are not the FID Inception weights"
                )
            gain, shift, mean, variance = (
                state[f"{layer.name}.bn.{k}"].double() for k in ("weight", "bias", "running_mean", "running_var")
            )
            scale = gain / torch.sqrt(variance + BATCH_NORM_EPSILON)
            weights[layer.name] = (
                (kernel * scale[:, None, None, None]).to(device, dtype).contiguous(memory_format=torch.channels_last)
            )
            biases[layer.name] = (shift - mean * scale).to(device, dtype)
        head, bias = state["fc.weight"].to(device, dtype), state["fc.bias"].to(device, dtype)
    except KeyError as error:
        raise GandiagError(f"the weights have no {error}: these are not the FID Inception weights") from None
    if tuple(head.shape) != (CLASSES, 2048):
        raise GandiagError(
            f"the last layer has shape {tuple(head.shape)}, {(CLASSES, 2048)} was expected: torchvision's own weights are not FID's"
        )
    return Inception(weights, biases, head, bias)


def random_state(seed: int = 0) -> dict[str, Tensor]:
    """Returns a state dict of the network's shape with random weights, for tests and benchmarks: no score on it means anything."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}
    for layer in (x for x in make_plan().layers if x.kind == "convolve"):
        inputs, outputs = layer.channels
        fan = inputs * layer.kernel[0] * layer.kernel[1]
        state[f"{layer.name}.conv.weight"] = (
            torch.randn((outputs, inputs, *layer.kernel), generator=generator) * (2 / fan) ** 0.5
        )
        state[f"{layer.name}.bn.weight"] = 0.8 + 0.4 * torch.rand(outputs, generator=generator)
        state[f"{layer.name}.bn.bias"] = 0.1 * torch.randn(outputs, generator=generator)
        state[f"{layer.name}.bn.running_mean"] = 0.1 * torch.randn(outputs, generator=generator)
        state[f"{layer.name}.bn.running_var"] = 0.8 + 0.4 * torch.rand(outputs, generator=generator)
        state[f"{layer.name}.bn.num_batches_tracked"] = torch.tensor(1)
    state["fc.weight"] = torch.randn(CLASSES, 2048, generator=generator) * 0.02
    state["fc.bias"] = 0.1 * torch.randn(CLASSES, generator=generator)
    return state


def _last_uses(plan: Plan, needed: int) -> dict[int, int]:
    return {i: number for number, layer in enumerate(plan.layers[:needed], start=1) for i in layer.inputs}


def tap(value: Tensor, name: str) -> Tensor:
    """Returns a layer's named features (n, d) float32 from its map: the mean over the map, or sFID's part of it."""
    if name == "spatial":
        return value[:, :SPATIAL_CHANNELS].flatten(1).float()
    return value.float().mean(dim=(2, 3))

"""Feature extractors by name: images uint8 (n, c, h, w) to features (n, d) float32, each with a fingerprint of what it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.errors import UsageError, did_you_mean
from gandiag.metrics.digits_cnn import WEIGHTS, load_digits_cnn, to_eight_by_eight
from gandiag.metrics.feature_space import (
    Features,
    check_images,
    features_of_channels,
    file_sha256,
    in_batches,
    to_uint8,
)

RANDOM_CONV_SEED = 2020

__all__ = ["FEATURES", "Features", "check_images", "features_of_channels", "load_features", "to_uint8"]


def load_features(name: str, *, weights: str | Path | None = None) -> Features:
    """Returns the feature extractor of that name; raises UsageError on an unknown one.

    A name of FEATURES, `inception-tf:768` for another layer, `clip:unit` for embeddings of length one, `torchscript:FILE`,
    `onnx:FILE`, or `module:function`. `weights` is a file in place of the cached or shipped one.

    >>> load_features("pixels").extract(torch.zeros(2, 1, 8, 8, dtype=torch.uint8)).shape
    torch.Size([2, 64])
    """
    kind, _, rest = name.partition(":")
    if kind in FILES and rest:
        _no_weights(name, weights)
        return FILES[kind](rest)
    if kind in FEATURES and not rest:
        return FEATURES[kind](weights)
    if kind.startswith("inception-") and kind in FEATURES:
        return _inception(kind, rest)(weights)
    if kind.startswith("clip") and rest == "unit" and kind in FEATURES:
        return _clip(kind, unit=True)(weights)
    if (rest and kind.isidentifier()) or (rest and "." in kind):
        _no_weights(name, weights)
        return _function(name)
    raise UsageError(
        f"there are no features {name!r}{did_you_mean(name, tuple(FEATURES))}; known: {', '.join(FEATURES)}, torchscript:FILE, "
        "onnx:FILE, module:function"
    )


def _digits_cnn(weights: str | Path | None) -> Features:
    return _digits_cnn_of(Path(weights) if weights else WEIGHTS)


@lru_cache(maxsize=4)
def _digits_cnn_of(path: Path) -> Features:
    networks: dict[torch.device, Any] = {}

    def network(device: torch.device) -> Any:
        if device not in networks:
            networks[device] = load_digits_cnn(path).to(device)
        return networks[device]

    def run(images: Tensor) -> Tensor:
        return network(images.device).features(to_eight_by_eight(images))

    def probabilities(features: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.softmax(network(features.device).head(features.to(torch.float32)), dim=1)

    fingerprint = {
        "features": "digits-cnn",
        "weights": file_sha256(path),
        "resize": "area (bilinear below 8) to 8x8, grey",
    }
    return Features("digits-cnn", in_batches(run), fingerprint, probabilities, tuple("0123456789"))


def _pixels(weights: str | Path | None) -> Features:
    _no_weights("pixels", weights)
    return Features("pixels", in_batches(lambda x: x.to(torch.float32) / 255), {"features": "pixels", "resize": "none"})


def _random_conv(weights: str | Path | None) -> Features:
    _no_weights("random-conv", weights)
    return _random_conv_of(RANDOM_CONV_SEED)


@lru_cache(maxsize=4)
def _random_conv_of(seed: int) -> Features:
    """Three random convolutions with strides and mean pooling on a 2x2 grid: 256 features of any image, no training."""

    networks: dict[tuple[int, torch.device], nn.Module] = {}

    def network(channels: int, device: torch.device) -> nn.Module:
        if (channels, device) not in networks:
            networks[channels, device] = _random_network(channels, seed).to(device)
        return networks[channels, device]

    def run(images: Tensor) -> Tensor:
        return network(images.shape[1], images.device)(images.to(torch.float32) / 127.5 - 1)

    return Features(
        "random-conv", in_batches(run), {"features": "random-conv", "weights": f"seed {seed}", "resize": "none"}
    )


def _random_network(channels: int, seed: int) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs, outputs in ((channels, 32), (32, 64), (64, 64)):
        layer = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * (2 / (9 * inputs)) ** 0.5)
            layer.bias.copy_(0.1 * torch.randn(outputs, generator=generator))  # type: ignore[union-attr]  # a bias there is
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers, _PoolToGrid()).eval().requires_grad_(False)


class _PoolToGrid(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(x, 2).flatten(1)


def _no_weights(name: str, weights: str | Path | None) -> None:
    if weights is not None:
        raise UsageError(f"the features {name!r} have no weights to load: leave weights out")


def _inception(name: str, layer: str = "2048") -> Callable[[str | Path | None], Features]:
    def load(weights: str | Path | None) -> Features:
        from gandiag.metrics.inception_features import inception_features

        extract, probabilities, fingerprint = inception_features(name.removeprefix("inception-"), weights, layer)
        full = name if layer == "2048" else f"{name}:{layer}"
        if not fingerprint["published"]:
            full += f"@{fingerprint['weights'][:8]}"  # somebody's own weights: no score on them is the field's FID
        return Features(full, extract, {**fingerprint, "features": full}, probabilities)

    return load


def _dinov2(weights: str | Path | None) -> Features:
    from gandiag.metrics.transformer_features import dinov2_features

    return dinov2_features(weights)


def _clip(name: str, *, unit: bool = False) -> Callable[[str | Path | None], Features]:
    def load(weights: str | Path | None) -> Features:
        from gandiag.metrics.transformer_features import clip_features

        return clip_features(weights, name=name, unit=unit)

    return load


def _torchscript(path: str) -> Features:
    from gandiag.metrics.extractors import torchscript_features

    return torchscript_features(path)


def _onnx(path: str) -> Features:
    from gandiag.metrics.extractors import onnx_features

    return onnx_features(path)


def _function(name: str) -> Features:
    from gandiag.metrics.extractors import function_features

    return function_features(name)


FEATURES: dict[str, Callable[[str | Path | None], Features]] = {
    "digits-cnn": _digits_cnn,
    "pixels": _pixels,
    "random-conv": _random_conv,
    **{f"inception-{path}": _inception(f"inception-{path}") for path in ("tf", "pytorch", "clean", "torchmetrics")},
    "dinov2": _dinov2,
    "clip": _clip("clip"),
    "clip-336": _clip("clip-336"),
}
FILES: dict[str, Callable[[str], Features]] = {"torchscript": _torchscript, "onnx": _onnx}

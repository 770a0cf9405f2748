"""The FID Inception features under their four protocols."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gandiag.errors import UsageError
from gandiag.metrics.feature_space import file_sha256, in_batches
from gandiag.metrics.inception import LAYERS, Inception, fold
from gandiag.metrics.inception_onnx import onnx_session, run_session
from gandiag.metrics.pixel_paths import PIXEL_PATHS, three_channels
from gandiag.metrics.published import Published, find_weights, is_published, read_weights

HASH_START = "6726825d"  # of the SHA-256, in the published files' own names
PUBLISHED = (
    Published(
        f"pt_inception-2015-12-05-{HASH_START}.pth",
        f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-{HASH_START}.pth",
        HASH_START,
    ),
    Published(
        f"weights-inception-2015-12-05-{HASH_START}.pth",
        f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-{HASH_START}.pth",
        HASH_START,
    ),
)
BATCH = 32


def inception_features(
    protocol: str, weights: str | Path | None = None, layer: str = "2048", *, engine: str = "auto"
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor] | None, dict[str, Any]]:
    """Returns (extract, probabilities or None, fingerprint) of Inception under a pixel path of PIXEL_PATHS and one of LAYERS.

    `engine` is "torch" (channels_last), "onnx" (ONNX Runtime, the CPU only), or "auto": ONNX Runtime for images on the CPU where
    it is installed, twice as fast there, torch elsewhere; both agree to 1e-6.
    """
    if protocol not in PIXEL_PATHS or layer not in LAYERS:
        raise UsageError(
            f"Inception has the protocols {', '.join(PIXEL_PATHS)} and the layers {', '.join(LAYERS)}, not {protocol!r}, {layer!r}"
        )
    path = find_weights("Inception", PUBLISHED, weights)
    digest = file_sha256(path)
    network = _network(path, digest)
    prepare = PIXEL_PATHS[protocol]
    run = _runner(network, layer, engine)

    def extract(images: Tensor) -> Tensor:
        return run(prepare(three_channels(images)))

    fingerprint = {
        "features": f"inception-{protocol}",
        "weights": digest,
        "published": is_published(digest, PUBLISHED),
        "layer": layer,
        "resize": _first_line(prepare),
    }

    def probabilities(features: Tensor) -> Tensor:
        return torch.softmax(network.logits(features.cpu()).double(), dim=1)

    return in_batches(extract, BATCH), probabilities if layer == "2048" else None, fingerprint


def _runner(network: Inception, layer: str, engine: str) -> Callable[[Tensor], Tensor]:
    if engine not in ("auto", "torch", "onnx"):
        raise UsageError(f"there is no engine {engine!r}: auto, torch and onnx are known")
    sessions: list[Any] = []
    moved: dict[torch.device, Inception] = {torch.device("cpu"): network}

    def by_torch(x: Tensor) -> Tensor:
        if x.device not in moved:
            tables = [{k: v.to(x.device) for k, v in table.items()} for table in (network.weights, network.biases)]
            moved[x.device] = Inception(tables[0], tables[1], network.head.to(x.device), network.head_bias.to(x.device))
        return moved[x.device].run(x, (layer,))[layer]

    def run(x: Tensor) -> Tensor:
        if engine == "torch" or x.device.type != "cpu" or (engine == "auto" and not _has_onnxruntime()):
            return by_torch(x)
        if not sessions:
            sessions.append(onnx_session(network, (layer,)))
        return run_session(sessions[0], x, (layer,))[layer]

    return run


@lru_cache(maxsize=2)
def _network(path: Path, digest: str) -> Inception:
    """`digest` is part of the key: a file that was replaced is read again."""
    return fold(read_weights(path, PUBLISHED))


def _has_onnxruntime() -> bool:
    from importlib.util import find_spec

    return find_spec("onnxruntime") is not None


def _first_line(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").splitlines()[0]

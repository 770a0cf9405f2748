"""The FID Inception features under their four protocols, and where their weights come from: a path, the cache, a checked download."""

from __future__ import annotations

import os
import pickle
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics.cache import cache_folder
from gandiag.metrics.inception import LAYERS, Inception, fold
from gandiag.metrics.inception_onnx import onnx_session, run_session
from gandiag.metrics.pixel_paths import PIXEL_PATHS, three_channels

HASH_START = "6726825d"  # of the SHA-256, in the published files' own names
URLS = {
    f"pt_inception-2015-12-05-{HASH_START}.pth": f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-{HASH_START}.pth",
    f"weights-inception-2015-12-05-{HASH_START}.pth": f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-{HASH_START}.pth",
}
TIMEOUT = 20.0  # seconds without a byte
LARGEST_DOWNLOAD = 2**28
OFFLINE_VARIABLE = "GANDIAG_OFFLINE"
BATCH = 32


def find_weights(weights: str | Path | None = None) -> Path:
    """Returns the weights' file: the one given, else a cached one, else a download; raises GandiagError that says what to put where."""
    if weights is not None:
        path = Path(weights)
        if not path.is_file():
            raise UsageError(f"{path} is no file; give one of {', '.join(URLS)}")
        return path
    folder = cache_folder() / "weights"
    for place in (folder, Path(torch.hub.get_dir()) / "checkpoints"):
        for name in URLS:
            if (place / name).is_file():
                return _checked(place / name)
    return _download(folder)


def inception_features(
    protocol: str, weights: str | Path | None = None, layer: str = "2048", *, engine: str = "auto"
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor] | None, dict[str, Any]]:
    """Returns (extract, probabilities or None, fingerprint) of Inception under a pixel path of PIXEL_PATHS and one of LAYERS.

    `engine` is "torch" (channels_last), "onnx" (ONNX Runtime, the CPU only), or "auto": ONNX Runtime for images on the CPU where
    it is installed, twice as fast there, torch elsewhere; both agree to 1e-6.
    """
    from gandiag.metrics.features import file_sha256, in_batches

    if protocol not in PIXEL_PATHS or layer not in LAYERS:
        raise UsageError(
            f"Inception has the protocols {', '.join(PIXEL_PATHS)} and the layers {', '.join(LAYERS)}, not {protocol!r}, {layer!r}"
        )
    path = find_weights(weights)
    digest = file_sha256(path)
    network = _network(path, digest)
    prepare = PIXEL_PATHS[protocol]
    run = _runner(network, layer, engine)

    def extract(images: Tensor) -> Tensor:
        return run(prepare(three_channels(images)))

    fingerprint = {
        "features": f"inception-{protocol}",
        "weights": digest,
        "published": digest.startswith(HASH_START),
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
    return fold(_read(path))


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise GandiagError(
            f"{path} cannot be read as weights ({str(error).splitlines()[0][:120]}); expected is one of {', '.join(URLS)}"
        ) from None
    if not isinstance(state, dict):
        raise GandiagError(f"{path} holds {type(state).__name__}, a state dict was expected: one of {', '.join(URLS)}")
    return state


def _checked(path: Path) -> Path:
    from gandiag.metrics.features import file_sha256

    digest = file_sha256(path)
    if not digest.startswith(HASH_START):
        raise GandiagError(
            f"{path} is damaged: its SHA-256 begins with {digest[:8]}, {HASH_START} was expected; delete it and get it again"
        )
    return path


def _download(folder: Path) -> Path:
    name, url = next(iter(URLS.items()))
    ask = f"download {url} on a machine that can, and put it at {folder / name}, or name the file with --weights"
    if os.environ.get(OFFLINE_VARIABLE):
        raise GandiagError(f"the Inception weights are not here, and {OFFLINE_VARIABLE} is set: {ask}")
    scratch = folder / f"{name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=TIMEOUT) as source, scratch.open("wb") as sink:
            while block := source.read(2**20):
                sink.write(block)
                if sink.tell() > LARGEST_DOWNLOAD:
                    raise OSError(f"the download is larger than {LARGEST_DOWNLOAD // 2**20} MiB")
        os.replace(_checked(scratch), folder / name)
    except OSError as error:
        raise GandiagError(f"the Inception weights are not here and could not be downloaded ({error}): {ask}") from None
    finally:
        scratch.unlink(missing_ok=True)
    return folder / name


def _has_onnxruntime() -> bool:
    from importlib.util import find_spec

    return find_spec("onnxruntime") is not None


def _first_line(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").splitlines()[0]

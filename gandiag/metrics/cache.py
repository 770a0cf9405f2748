"""Where features and weights are kept between runs: by content hash, so that a changed image or network never reads an old file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

CACHE_VARIABLE = "GANDIAG_CACHE"


def cache_folder() -> Path:
    """Returns the cache: $GANDIAG_CACHE, else gandiag in $XDG_CACHE_HOME or ~/.cache; it need not exist yet."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gandiag"


def content_hash(batches: Iterable[Tensor]) -> str:
    """Returns the SHA-256 of images' pixels, their shape and order, whatever the batches: one changed pixel changes it."""
    digest, shape = hashlib.sha256(), ""
    for batch in batches:
        if shape != f"{tuple(batch.shape[1:])}{batch.dtype}":
            shape = f"{tuple(batch.shape[1:])}{batch.dtype}"
            digest.update(shape.encode())
        for image in batch.cpu().contiguous().numpy():
            digest.update(image)
    return digest.hexdigest()


def cached_features(
    images_hash: str, fingerprint: Mapping[str, Any], *, folder: Path | None = None
) -> np.ndarray | None:
    """Returns the kept features (n, d) float32 of these images on this extractor, or None; a damaged file counts as none."""
    file = _file(images_hash, fingerprint, folder)
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if isinstance(found, np.ndarray) and found.ndim == 2 else None


def keep_features(
    images_hash: str, fingerprint: Mapping[str, Any], features: Tensor, *, folder: Path | None = None
) -> None:
    """Keeps features for the next time; a disk that cannot be written to is passed over, since the cache is only for speed."""
    file = _file(images_hash, fingerprint, folder)
    scratch = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as sink:
            np.save(sink, features.detach().to(torch.float32).cpu().numpy(), allow_pickle=False)
        os.replace(scratch, file)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def _file(images_hash: str, fingerprint: Mapping[str, Any], folder: Path | None) -> Path:
    key = hashlib.sha256(json.dumps([images_hash, dict(fingerprint)], sort_keys=True).encode()).hexdigest()
    return (folder or cache_folder()) / "features" / f"{key}.npy"

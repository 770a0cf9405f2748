"""Weights that others have published: taken from a path, a cache or a download, checked by SHA-256; without them, what to put where."""

from __future__ import annotations

import os
import pickle
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics.cache import cache_folder
from gandiag.metrics.feature_space import file_sha256

TIMEOUT = 20.0  # seconds without a byte
LARGEST_DOWNLOAD = 2**31
OFFLINE_VARIABLE = "GANDIAG_OFFLINE"


@dataclass(frozen=True)
class Published:
    """A file of weights: its usual name, where it is published, how its SHA-256 begins, and whose cache may have it."""

    name: str
    url: str
    sha256: str
    caches: tuple[str, ...] = ()  # beside torch.hub's


def find_weights(what: str, files: Sequence[Published], weights: str | Path | None = None) -> Path:
    """Returns the weights' file: the one given, else a cached one, else a download of the first of `files`.

    A cached or downloaded file is checked; one given by its path is taken as it is. Raises UsageError where that is no file, and
    GandiagError that says which file goes where.
    """
    if weights is not None:
        path = Path(weights)
        if not path.is_file():
            raise UsageError(f"{path} is no file; give one of {_names(files)}")
        return path
    return find_cached(files) or _download(what, files[0], cache_folder() / "weights")


def find_cached(files: Sequence[Published]) -> Path | None:
    """Returns where one of the files lies on this machine, None where none does; raises GandiagError where it is damaged."""
    folder = cache_folder() / "weights"
    for file in files:
        others = [Path(place).expanduser() for place in file.caches]
        for place in (folder, Path(torch.hub.get_dir()) / "checkpoints", *others):
            if (place / file.name).is_file():
                return _checked(place / file.name, file)
    return None


def read_weights(path: Path, files: Sequence[Published]) -> dict[str, Tensor]:
    """Returns the state dict in a safetensors or torch file, read without running anything; raises GandiagError where there is none."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise GandiagError(
            f"{path} cannot be read as weights ({str(error).splitlines()[0][:120]}); expected is one of {_names(files)}"
        ) from None
    if not isinstance(state, dict):
        raise GandiagError(f"{path} holds {type(state).__name__}, a state dict was expected: one of {_names(files)}")
    return state


def is_published(digest: str, files: Sequence[Published]) -> bool:
    """Whether a file of that SHA-256 is one of the published ones: only on those does a score carry the field's own name."""
    return any(digest.startswith(file.sha256) for file in files)


def _checked(path: Path, file: Published) -> Path:
    digest = file_sha256(path)
    if not digest.startswith(file.sha256):
        raise GandiagError(
            f"{path} is damaged: its SHA-256 begins with {digest[:8]}, {file.sha256[:8]} was expected; delete it and get it again"
        )
    return path


def _download(what: str, file: Published, folder: Path) -> Path:
    ask = f"download {file.url} on a machine that can, and put it at {folder / file.name}, or name the file with --weights"
    if os.environ.get(OFFLINE_VARIABLE):
        raise GandiagError(f"the {what} weights are not here, and {OFFLINE_VARIABLE} is set: {ask}")
    scratch = folder / f"{file.name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(file.url, timeout=TIMEOUT) as source, scratch.open("wb") as sink:
            while block := source.read(2**20):
                sink.write(block)
                if sink.tell() > LARGEST_DOWNLOAD:
                    raise OSError(f"the download is larger than {LARGEST_DOWNLOAD // 2**20} MiB")
        os.replace(_checked(scratch, file), folder / file.name)
    except OSError as error:
        raise GandiagError(f"the {what} weights are not here and could not be downloaded ({error}): {ask}") from None
    finally:
        scratch.unlink(missing_ok=True)
    return folder / file.name


def _names(files: Sequence[Published]) -> str:
    return ", ".join(file.name for file in files)

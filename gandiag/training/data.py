"""load_data: from what --data says (digits, ring, mnist:DIR, a folder, X.zip, X.npz ...) to a Dataset."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from gandiag.errors import UsageError, did_you_mean
from gandiag.training.data_arrays import arrays, cifar10, mnist, stacked_mnist
from gandiag.training.data_bad import ON_BAD, require_memory, shown
from gandiag.training.data_images import folder, parquet, zip_file
from gandiag.training.data_mixtures import grid, long_tailed_mixture, ring
from gandiag.training.data_resize import resized
from gandiag.training.data_sampler import Sampler
from gandiag.training.dataset import Dataset, fingerprint, hold_out, make_dataset, seeded, subset, to_images, to_model
from gandiag.training.plugins import called, load_function, looks_like_function

__all__ = ["FILES", "SOURCES", "Dataset", "Sampler", "hold_out", "load_data", "make_dataset", "to_images", "to_model"]


def digits() -> Dataset:
    """Returns scikit-learn's 1797 real handwritten 8x8 digits, their grey levels 0..16 stretched to 0..255."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    return make_dataset("digits", images, labels=bunch.target, classes=[str(i) for i in range(10)])


def noise(*, channels: int = 1, side: int = 8, count: int = 2000, seed: int = 0) -> Dataset:
    """Returns images of uniform noise: what one of the faulty textbook listings trains on in the place of data."""
    if min(channels, side, count) < 1:
        raise UsageError("noise needs channels, side and count of at least 1")
    require_memory("noise", channels * side * side * count)
    pixels = torch.randint(0, 256, (count, channels, side, side), generator=seeded(seed, 0x0153), dtype=torch.uint8)
    return make_dataset("noise", pixels, facts={"draw_seed": seed})


# name -> reader; `name:PATH` is handed on as its first argument where it takes one, `name:key=value,...` as its options
SOURCES: dict[str, Callable[..., Dataset]] = {
    "digits": digits,
    "ring": ring,
    "grid": grid,
    "noise": noise,
    "mnist": mnist,
    "stacked-mnist": stacked_mnist,
    "cifar10": cifar10,
}
FILES: dict[str, Callable[..., Dataset]] = {".zip": zip_file, ".npz": arrays, ".npy": arrays, ".parquet": parquet}


def load_data(
    uri: str | os.PathLike[str],
    *,
    imbalance: float | None = None,
    resolution: int | None = None,
    on_bad: Literal["error", "skip"] = "error",
) -> Dataset:
    """Reads the data that `uri` names: a source (digits, ring:sd=.05, mnist:DIR), a folder or file of images, or package.module:function.

    `imbalance` makes a long tail: class i of k keeps imbalance^(i / (k - 1)) of its samples (Cui et al. 2019). `resolution` crops images to
    squares and resizes them. What cannot be read is refused, or left out and counted with `on_bad` 'skip'. Raises UsageError for what is
    no data, GandiagError for damaged files.
    """
    if on_bad not in ON_BAD:
        raise UsageError(f"on_bad is one of {', '.join(ON_BAD)}, not {on_bad!r}")
    dataset = _read(os.fspath(uri), resolution, on_bad)
    if resolution is not None and dataset.kind == "images" and dataset.shape[1:] != (resolution, resolution):
        samples = torch.from_numpy(resized(dataset.samples.numpy(), resolution))
        dataset = replace(dataset, samples=samples, hash=fingerprint(samples, dataset.labels))
    return dataset if imbalance is None else long_tailed(dataset, imbalance)


def long_tailed(dataset: Dataset, imbalance: float, *, seed: int = 0) -> Dataset:
    """Thins the classes out so that the last keeps the share `imbalance` of its samples and those between fall geometrically; at least one each."""
    if not 0 < imbalance <= 1:
        raise UsageError(f"imbalance is the share that the rarest class keeps: above 0 and at most 1, not {imbalance}")
    if dataset.labels is None or dataset.num_classes is None:
        raise UsageError(f"imbalance needs classes, and {dataset.name} has no labels")
    shares = imbalance ** (np.arange(dataset.num_classes) / max(1, dataset.num_classes - 1))
    if dataset.modes is not None:
        thinned = long_tailed_mixture(dataset, shares * np.asarray(dataset.mode_weights))
    else:
        order = torch.randperm(len(dataset), generator=seeded(seed, 0x7A11))
        kept = []
        for number, share in enumerate(shares):
            members = order[dataset.labels[order] == number]
            kept.append(members[: max(1, round(len(members) * share))] if len(members) else members)
        thinned = subset(dataset, torch.cat(kept).sort().values)
    return replace(thinned, facts={**thinned.facts, "imbalance": imbalance})


def _read(uri: str, resolution: int | None, on_bad: str) -> Dataset:
    name, colon, rest = uri.partition(":")
    if name in SOURCES:
        return _from_source(name, rest if colon else None, on_bad)
    path = Path(uri)
    if path.is_dir():
        return folder(uri, resolution=resolution, on_bad=on_bad)
    if path.is_file():
        if path.suffix.lower() not in FILES:
            raise UsageError(
                f"{shown(uri)}: no data is read from files {path.suffix or 'without a suffix'}; known: {', '.join(FILES)}, "
                "or a folder of images"
            )
        options: dict[str, Any] = {"on_bad": on_bad} | (
            {} if FILES[path.suffix.lower()] is arrays else {"resolution": resolution}
        )
        return FILES[path.suffix.lower()](uri, **options)
    if looks_like_function(uri):
        found = called(load_function(uri), uri, {})
        if isinstance(found, (np.ndarray, torch.Tensor)):
            return make_dataset(uri, found)
        if isinstance(found, tuple) and len(found) == 2:
            return make_dataset(uri, found[0], labels=found[1])
        if not isinstance(found, Dataset):
            raise UsageError(
                f"{uri} returned a {type(found).__name__}; it must return samples (uint8 images (n, c, h, w) or floating "
                "points (n, d)), (samples, labels), or what gandiag.training.data.make_dataset makes"
            )
        return found
    raise UsageError(
        f"there is no data {shown(uri)!r}{did_you_mean(name, list(SOURCES))}: no file or folder has this name, and the known "
        f"sources are {', '.join(SOURCES)}, and package.module:function"
    )


def _from_source(name: str, rest: str | None, on_bad: str) -> Dataset:
    reader = SOURCES[name]
    parameters = inspect.signature(reader).parameters
    takes_path = any(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in parameters.values())
    if takes_path and not rest:
        raise UsageError(f"{name} needs a folder: {name}:DIR")
    path, options = _split_options(name, rest or "", parameters, takes_path=takes_path)
    if "on_bad" in parameters:
        options["on_bad"] = on_bad
    return reader(path, **options) if takes_path else reader(**options)


def _split_options(name: str, text: str, parameters: Any, *, takes_path: bool) -> tuple[str, dict[str, Any]]:
    """Splits 'DIR,key=value' or 'key=value,key=value'; a comma in a folder's name is left alone."""
    parts = text.split(",") if text else []
    options: dict[str, Any] = {}
    while parts and (not takes_path or (len(parts) > 1 and parts[-1].partition("=")[0] in parameters)):
        key, equals, value = parts.pop().partition("=")
        known = [
            other
            for other, parameter in parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY and other != "on_bad"
        ]
        if key not in known:
            raise UsageError(
                f"{name} has no option {shown(key)!r}{did_you_mean(key, known)}; it has: {', '.join(known) or 'none'}"
            )
        options[key] = _value(name, key, value if equals else "", parameters[key].annotation)
    return ",".join(parts), options


def _value(name: str, key: str, text: str, annotation: str) -> Any:
    if "str" in annotation:
        return text
    try:
        return int(text) if annotation == "int" else _finite(float(text))
    except (ValueError, OverflowError):
        raise UsageError(
            f"{name}: {key} takes a {'whole number' if annotation == 'int' else 'number'}, not {shown(text)!r}"
        ) from None


def _finite(number: float) -> float:
    if not np.isfinite(number):
        raise ValueError(number)
    return number

"""Images from arrays: npz and npy (never pickled), IDX; and pytorch-fid's statistics."""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics.image_set import ImageSource, sized_to

MOST_ARRAY = 2**36  # bytes of the arrays of an npz
MOST_IDX = 2**33  # bytes of an IDX file, which may be gzipped


def read_statistics(path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Returns (mu, sigma, count or 0) of an npz such as pytorch-fid writes, or None where the file is not one of those."""
    file = Path(path)
    if file.suffix.lower() != ".npz" or not file.is_file():
        return None
    arrays = _open_npz(file)
    if not {"mu", "sigma"} <= set(arrays.files):
        return None
    mu, sigma = (_array(arrays, name, file) for name in ("mu", "sigma"))
    count = _array(arrays, "count", file) if "count" in arrays.files else np.zeros(())
    if not (
        all(a.dtype.kind in "fiu" for a in (mu, sigma, count))
        and mu.ndim == 1
        and sigma.shape == (*mu.shape, *mu.shape)
    ):
        raise GandiagError(
            f"{path} holds mu {mu.dtype}{list(mu.shape)} and sigma {sigma.dtype}{list(sigma.shape)}: numbers (d,) and (d, d) were expected"
        )
    return (
        mu.astype(np.float64),
        sigma.astype(np.float64),
        int(count) if count.size == 1 and np.isfinite(count).all() else 0,
    )


def _open_npz(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(e.file_size for e in archive.infolist()) > MOST_ARRAY:
                raise GandiagError(f"{path} unpacks to more than {MOST_ARRAY // 2**30} GiB: that is refused")
        return np.load(path, allow_pickle=False)
    except GandiagError:
        raise
    except Exception as error:  # a damaged file fails in any way it likes, here and below
        raise GandiagError(f"{path} is no npz file that can be read ({error})") from None


def _array(arrays: Any, name: str, path: Path) -> np.ndarray:
    try:
        return np.asarray(arrays[name])
    except ValueError as error:
        why = "it holds pickled objects, which are not loaded" if "pickle" in str(error) else str(error)
        raise GandiagError(f"{name} of {path} cannot be read: {why}") from None
    except Exception as error:
        raise GandiagError(f"{name} of {path} is damaged ({error})") from None


def open_npz(path: Path, size: int | None) -> ImageSource:
    """Opens an npz with an array of images, and `labels` where there are some."""
    arrays = _open_npz(path)
    names = [n for n in ("images", "x", "data", "arr_0", "samples") if n in arrays.files] or list(arrays.files)[:1]
    if not names:
        raise GandiagError(f"{path} is empty; an array `images` of uint8 (n, h, w, c) or (n, c, h, w) was expected")
    labels = next((_array(arrays, n, path) for n in ("labels", "y", "arr_1") if n in arrays.files), None)
    return sized_to(images_of_array(_array(arrays, names[0], path), str(path), labels), size)


def open_npy(path: Path, size: int | None) -> ImageSource:
    """Opens an npy of images, mapped and not read at once."""
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r")
    except Exception as error:
        pickled = "pickle" in str(error).lower() or "Python objects" in str(error)
        why = "it holds pickled objects, which are not loaded" if pickled else str(error)
        raise GandiagError(f"{path} cannot be read: {why}") from None
    return sized_to(images_of_array(array, str(path)), size)


def images_of_array(array: np.ndarray, name: str, labels: np.ndarray | None = None) -> ImageSource:
    """Returns an image set of a uint8 array (n, h, w), (n, h, w, c) or (n, c, h, w), c 1 or 3; the axis of 1 or 3 is the channels."""
    if array.dtype != np.uint8:
        raise GandiagError(
            f"{name} holds {array.dtype}, uint8 was expected: floats have no agreed range, scale and round them first"
        )
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[3] in (1, 3) and array.shape[1] not in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    elif array.ndim == 4 and array.shape[3] in (1, 3) and array.shape[1] in (1, 3):
        raise GandiagError(
            f"{name} has shape {array.shape}: it cannot be told which axis is the channels; give more than 3 rows"
        )
    if array.ndim != 4 or array.shape[1] not in (1, 3) or not array.size:
        raise GandiagError(
            f"{name} has shape {array.shape}; (n, h, w), (n, h, w, c) or (n, c, h, w) with one or three channels was expected"
        )
    found = None if labels is None else np.asarray(labels).reshape(-1)
    if found is not None and (
        len(found) != len(array) or found.dtype.kind not in "iu" or (len(found) and found.min() < 0)
    ):
        raise GandiagError(
            f"{name} holds {len(array)} images and labels of shape {found.shape}, {found.dtype}: "
            "one whole number >= 0 an image was expected"
        )
    classes = () if found is None else tuple(str(c) for c in range(int(found.max()) + 1))
    return ImageSource(
        name,
        len(array),
        (int(array.shape[1]), int(array.shape[2]), int(array.shape[3])),
        lambda at: torch.from_numpy(np.ascontiguousarray(array[list(at)])),
        None if found is None else found.astype(np.int64),
        classes,
    )


def open_idx(path: Path, size: int | None) -> ImageSource:
    """Opens an IDX file of images."""
    return sized_to(images_of_array(read_idx(path), str(path)), size)


def read_idx(path: Path) -> np.ndarray:
    """Returns the uint8 array of an IDX file, gzipped or not; raises GandiagError where it is damaged or not uint8."""
    try:
        opener: Any = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rb") as source:
            head = source.read(4)
            if len(head) < 4 or head[:2] != b"\x00\x00" or head[2] != 8 or not 1 <= head[3] <= 4:
                raise GandiagError(f"{path} is no IDX file of uint8")
            shape = struct.unpack(f">{head[3]}I", source.read(4 * head[3]))
            expected = int(np.prod(shape, dtype=object))
            if expected > MOST_IDX:
                raise GandiagError(f"{path} says it holds {expected} bytes: that is refused")
            content = bytearray()
            while piece := source.read(min(2**20, expected + 1 - len(content))):
                content += piece  # in pieces: a header may promise gigabytes that are not there
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise GandiagError(f"{path} cannot be read as IDX ({error})") from None
    if len(content) != expected:
        raise GandiagError(
            f"{path} holds {'more' if len(content) > expected else 'fewer'} than the {expected} bytes that it says: it is damaged"
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def open_idx_folder(path: Path) -> ImageSource:
    """Opens a folder of IDX files: the training images where they are, else the test images, with their labels where they are."""
    if path.is_file():
        return images_of_array(read_idx(path), str(path))
    for start in ("train", "t10k", ""):
        images = sorted(path.glob(f"{start}*idx3-ubyte*"))
        if images:
            labels = sorted(path.glob(f"{start}*idx1-ubyte*"))
            return images_of_array(read_idx(images[0]), str(images[0]), read_idx(labels[0]) if labels else None)
    raise UsageError(f"{path} holds no IDX images: a file like train-images-idx3-ubyte.gz was expected")

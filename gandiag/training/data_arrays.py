"""Readers of arrays: IDX files (MNIST), CIFAR-10's pickles by a reader that runs nothing, npz and npy."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gandiag.errors import GandiagError, UsageError
from gandiag.training.data_bad import deal_with, refuse_bomb, require_memory, shown
from gandiag.training.dataset import Dataset, make_dataset, mixed_seed

IDX_IMAGES, IDX_LABELS = 0x00000803, 0x00000801  # unsigned bytes in three dimensions, in one
STACKED_COUNT = 128_000  # triples of digits (VEEGAN, PacGAN)
PICKLE_LIMIT = 2**28  # CIFAR-10's files have 31 MB
IMAGE_KEYS = ("images", "samples", "x", "x_train", "train_images", "data", "arr_0")
LABEL_KEYS = ("labels", "y", "y_train", "train_labels", "targets", "arr_1")
SPLITS = {"train": "train", "test": "t10k"}


def mnist(directory: str, *, split: str | None = None, on_bad: str = "error") -> Dataset:
    """Reads MNIST, or what has its form (Fashion-MNIST ...), from a folder of IDX files, packed by gzip or not.

    `split` is train or test; without it, train where that is there, else test.
    """
    images, labels, facts = _idx_pair(Path(directory), split, on_bad)
    return make_dataset("mnist", images[:, None], labels=labels, classes=[str(i) for i in range(10)], facts=facts)


def stacked_mnist(
    directory: str, *, count: int = STACKED_COUNT, seed: int = 0, split: str | None = None, on_bad: str = "error"
) -> Dataset:
    """Stacks three random digits as the channels of one image: 1000 modes, '000' to '999' (Metz et al. 2017; 128 000 as in PacGAN)."""
    if count < 1:
        raise UsageError(f"stacked-mnist needs a count of at least 1, not {count}")
    images, labels, facts = _idx_pair(Path(directory), split, on_bad)
    require_memory("stacked-mnist", 3 * count * images[0].size)
    chosen = np.random.default_rng(mixed_seed(seed, 0x57AC)).integers(len(images), size=(count, 3))
    return make_dataset(
        "stacked-mnist",
        images[chosen],
        labels=labels[chosen] @ np.array([100, 10, 1]),
        classes=[f"{i:03d}" for i in range(1000)],
        facts={**facts, "draw_seed": seed, "stacked_classes": 10},
    )


def _idx_pair(directory: Path, split: str | None, on_bad: str) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    if not directory.is_dir():
        raise UsageError(f"{shown(directory)} is no folder; give mnist:DIR with the folder that holds the IDX files")
    if split is not None and split not in SPLITS:
        raise UsageError(f"split is train or test, not {split!r}")
    wanted = [split] if split else list(SPLITS)
    for name in wanted:
        images, labels = (_idx_file(directory, SPLITS[name], what) for what in ("images", "labels"))
        if images and labels:
            return *_matched(
                read_idx(images, IDX_IMAGES, on_bad), read_idx(labels, IDX_LABELS, on_bad), directory, on_bad
            ), {"split": name}
    raise UsageError(
        f"{shown(directory)} holds no IDX files of the split {' or '.join(wanted)}; "
        "expected names like train-images-idx3-ubyte and train-labels-idx1-ubyte, with or without .gz"
    )


def _idx_file(directory: Path, prefix: str, what: str) -> Path | None:
    found = sorted(file for file in directory.glob(f"{prefix}*{what}*") if file.is_file())
    return found[0] if found else None


def _matched(images: np.ndarray, labels: np.ndarray, directory: Path, on_bad: str) -> tuple[np.ndarray, np.ndarray]:
    count = min(len(images), len(labels))
    if len(images) != len(labels) and on_bad == "error":
        raise GandiagError(
            f"{shown(directory)}: {len(images)} images but {len(labels)} labels; get both files anew, or give on_bad=skip "
            f"to use the first {count}"
        )
    return images[:count], labels[:count].astype(np.int64)


def read_idx(path: Path, magic: int, on_bad: str = "error") -> np.ndarray:
    """Reads an IDX file of unsigned bytes: (n, h, w) or (n,). With on_bad 'skip' the whole items of a torn file are kept."""
    dimensions = magic & 0xFF
    try:
        head, _ = _content(path, 4 + 4 * dimensions)
        shape = _idx_shape(path, head, magic, dimensions)
        expected = int(np.prod(shape, dtype=np.float64))
        if path.suffix == ".gz":
            refuse_bomb(str(path), packed=path.stat().st_size, unpacked=expected)
        require_memory(str(path), expected)
        body, complaint = _content(path, len(head) + expected + 1)
    except OSError as error:
        raise GandiagError(f"{shown(path)} cannot be read: {error}") from None
    return _whole_items(path, body[len(head) :], shape, complaint, on_bad=on_bad)


def _idx_shape(path: Path, head: bytes, magic: int, dimensions: int) -> tuple[int, ...]:
    found = struct.unpack(">I", head[:4])[0] if len(head) >= 4 else None
    if found != magic:
        says = "too short for a header" if found is None else f"magic number 0x{found:08x}"
        raise GandiagError(
            f"{shown(path)} is no IDX file of {'images' if dimensions == 3 else 'labels'}: {says}, expected 0x{magic:08x}"
        )
    if len(head) < 4 + 4 * dimensions:
        raise GandiagError(f"{shown(path)} ends within its header")
    shape = struct.unpack(f">{dimensions}I", head[4:])
    if min(shape) == 0:
        raise GandiagError(f"{shown(path)} says that it holds nothing: shape {shape}")
    return shape


def _content(path: Path, size: int) -> tuple[bytes, str]:
    """Returns at most so many bytes of a file, packed by gzip or not, and what is wrong with it; of a torn one, what can still be read."""
    with path.open("rb") as file:
        if path.suffix != ".gz":
            return file.read(min(size, path.stat().st_size)), ""
        unpacker, parts, missing = zlib.decompressobj(wbits=31), [], size
        try:
            while missing > 0 and not unpacker.eof and (piece := unpacker.unconsumed_tail or file.read(4096)):
                parts.append(unpacker.decompress(piece, missing))
                missing -= len(parts[-1])
        except zlib.error as error:
            return b"".join(parts), f"damaged ({shown(str(error))})"
        return b"".join(parts), "" if unpacker.eof or missing == 0 else "truncated"


def _whole_items(path: Path, body: bytes, shape: tuple[int, ...], complaint: str, *, on_bad: str) -> np.ndarray:
    item = int(np.prod(shape[1:], dtype=np.int64))
    whole = min(shape[0], len(body) // item)
    if len(body) != shape[0] * item and not complaint:
        complaint = "truncated" if len(body) < shape[0] * item else "longer than its header says"
    if complaint and on_bad == "error":
        raise GandiagError(
            f"{shown(path)} is {complaint}: its header promises {shape[0]} items, {whole} are whole; get the file anew, or give "
            "on_bad=skip to use those"
        )
    if whole == 0:
        raise GandiagError(f"{shown(path)} is {complaint}: not one whole item is in it")
    return np.frombuffer(body, dtype=np.uint8, count=whole * item).reshape(whole, *shape[1:]).copy()


def cifar10(directory: str, *, split: str = "train", on_bad: str = "error") -> Dataset:
    """Reads CIFAR-10's Python version (data_batch_1 ... data_batch_5, test_batch) without running anything that a pickle may hold."""
    folder = Path(directory)
    if split not in ("train", "test"):
        raise UsageError(f"split is train or test, not {split!r}")
    names = [f"data_batch_{i}" for i in range(1, 6)] if split == "train" else ["test_batch"]
    if (folder / "cifar-10-batches-py").is_dir():
        folder = folder / "cifar-10-batches-py"
    present = [folder / name for name in names if (folder / name).is_file()]
    if not present:
        raise UsageError(
            f"{shown(folder)} holds none of {', '.join(names)}; give cifar10:DIR with the unpacked Python version of CIFAR-10"
        )
    batches, bad = [], []
    for file in present:
        try:
            batches.append(_cifar_batch(file))
        except GandiagError as error:
            bad.append((file.name, str(error)))
    facts = deal_with(str(folder), bad, total=len(present), on_bad=on_bad, what="batches")
    images, labels = (np.concatenate(parts) for parts in zip(*batches))
    return make_dataset("cifar10", images, labels=labels, classes=_cifar_names(folder), facts={**facts, "split": split})


def _cifar_batch(file: Path) -> tuple[np.ndarray, np.ndarray]:
    content = read_plain_pickle(file)
    data = content.get(b"data") if isinstance(content, dict) else None
    labels = content.get(b"labels") if isinstance(content, dict) else None
    if (
        not isinstance(data, np.ndarray)
        or data.dtype != np.uint8
        or data.ndim != 2
        or data.shape[1] != 3072
        or not isinstance(labels, list)
    ):
        raise GandiagError(
            f"{shown(file.name)} is no batch of CIFAR-10: expected a dict with data, uint8 (n, 3072), and labels"
        )
    if len(labels) != len(data) or not all(isinstance(label, int) and 0 <= label < 10 for label in labels):
        raise GandiagError(
            f"{shown(file.name)}: its labels are not one number of 0 .. 9 for each of {len(data)} images"
        )
    return data.reshape(-1, 3, 32, 32), np.array(labels, dtype=np.int64)


def _cifar_names(folder: Path) -> list[str]:
    try:
        content = read_plain_pickle(folder / "batches.meta")
        names = [name.decode("utf-8") for name in content[b"label_names"]]
        return names if len(names) == 10 else [str(i) for i in range(10)]
    except (GandiagError, OSError, LookupError, TypeError, AttributeError, UnicodeDecodeError):
        return [str(i) for i in range(10)]  # the names are a comfort, not the data


class _Array:
    """Stands in for a numpy array while a pickle is read: takes the array's state, checks it, and calls nothing."""

    array: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, _, raw = state
        raw = raw.encode("latin-1") if isinstance(raw, str) else raw
        if not isinstance(kind, _Kind) or kind.code not in ("u1", "|u1") or not isinstance(raw, bytes):
            raise pickle.UnpicklingError("an array of something other than unsigned bytes")
        self.array = np.frombuffer(raw, dtype=np.uint8).reshape(shape)


class _Kind:
    """Stands in for numpy.dtype."""

    def __init__(self, code: Any = None, *_: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """The byte order and the like: nothing of it matters for unsigned bytes."""


def _latin(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("an encoding other than latin1")
    return text.encode("latin-1")


_STAND_INS = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _latin,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
}


class _PlainUnpickler(pickle._Unpickler):  # the C one lets a few bytes reserve gigabytes for its memo
    """Reads dicts, lists, numbers, texts and arrays of bytes; any other name in the pickle is refused before it is looked up."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which data does not need")
        return _STAND_INS[module, name]


def read_plain_pickle(path: Path) -> Any:
    """Reads a pickle of plain data and uint8 arrays; nothing in it is run. Raises GandiagError for any other."""
    if path.stat().st_size > PICKLE_LIMIT:
        raise GandiagError(f"{shown(path.name)} has {path.stat().st_size} bytes: too large for a batch of CIFAR-10")
    try:
        return _unwrapped(_PlainUnpickler(io.BytesIO(path.read_bytes()), encoding="bytes").load())
    except Exception as error:  # a mutated pickle fails in any way it likes; none of them may escape as a traceback
        raise GandiagError(
            f"{shown(path.name)} cannot be read as a pickle of plain data: {shown(str(error) or type(error).__name__)}"
        ) from None


def _unwrapped(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: value.array if isinstance(value, _Array) else value for key, value in content.items()}
    return content


def arrays(path: str, *, on_bad: str = "error") -> Dataset:
    """Reads an npz (images or samples, labels) or npy: uint8 images (n, h, w), (n, h, w, c) or (n, c, h, w), or floating points (n, d)."""
    file = Path(path)
    try:
        samples, labels = _from_npz(file) if file.suffix == ".npz" else (_from_npy(file), None)
    except GandiagError:
        raise
    except Exception as error:  # a damaged file fails in any way it likes
        raise GandiagError(
            f"{shown(file)} cannot be read: {shown(str(error) or type(error).__name__)}; expected numeric arrays "
            "written by numpy.save or numpy.savez"
        ) from None
    return make_dataset(
        file.stem, _as_samples(file, samples), labels=None if labels is None else _as_labels(file, labels)
    )


def _from_npy(file: Path) -> np.ndarray:
    mapped = np.load(
        file, mmap_mode="r", allow_pickle=False
    )  # a header that promises more than there is cannot be mapped
    require_memory(str(file), mapped.nbytes)
    return np.array(mapped)


def _from_npz(file: Path) -> tuple[np.ndarray, np.ndarray | None]:
    with zipfile.ZipFile(file) as archive:
        members = {
            info.filename.removesuffix(".npy"): info for info in archive.infolist() if info.filename.endswith(".npy")
        }
        key = next((key for key in IMAGE_KEYS if key in members), None)
        if key is None:
            raise ValueError(
                f"no array named {', '.join(IMAGE_KEYS)} in it, only {', '.join(map(shown, list(members)[:8])) or 'none'}"
            )
        label_key = next((key for key in LABEL_KEYS if key in members), None)
        return _member(archive, members[key]), None if label_key is None else _member(archive, members[label_key])


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    refuse_bomb(f"{archive.filename}/{info.filename}", packed=info.compress_size, unpacked=info.file_size)
    require_memory(f"{archive.filename}/{info.filename}", info.file_size)
    with archive.open(info) as file:
        raw = file.read(info.file_size + 1)
    stream = io.BytesIO(raw)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, kind = read_header(stream)
    if kind.hasobject:
        raise ValueError("it holds Python objects")
    if int(np.prod(shape, dtype=np.float64)) * kind.itemsize != len(raw) - stream.tell():
        raise ValueError(f"its header promises {shape} of {kind}, its content has another size")
    return np.frombuffer(raw, dtype=kind, offset=stream.tell()).reshape(shape, order="F" if fortran else "C").copy()


def _as_samples(file: Path, array: np.ndarray) -> np.ndarray:
    """Brings images to (n, c, h, w); anything that is no uint8 image must be points."""
    if array.dtype == np.uint8 and array.ndim == 3:
        return array[:, None]
    if array.dtype == np.uint8 and array.ndim == 4 and array.shape[1] not in (1, 3) and array.shape[3] in (1, 3, 4):
        return np.ascontiguousarray(array[..., :3].transpose(0, 3, 1, 2))
    if array.dtype == np.uint8 and array.ndim == 4 and array.shape[1] not in (1, 3):
        raise UsageError(f"{shown(file)}: images of the shape {array.shape} have neither 1 nor 3 channels")
    if array.ndim in (3, 4):
        if array.dtype == np.uint8:
            return array
        raise UsageError(
            f"{shown(file)}: images of {array.dtype}; expected uint8 with 0 .. 255 "
            "(whether floats mean 0 .. 1 or -1 .. 1 is not guessed)"
        )
    return array


def _as_labels(file: Path, labels: np.ndarray) -> torch.Tensor:
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(1)  # one-hot rows
    if labels.dtype.kind not in "iu":
        raise UsageError(f"{shown(file)}: labels of {labels.dtype}; expected whole numbers")
    return torch.from_numpy(labels.reshape(-1).astype(np.int64))

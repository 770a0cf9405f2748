"""Data sets of every kind for `benchmarks/fuzz.py`: real files, and the two doors that read them."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from gandiag.errors import GandiagError
from gandiag.metrics.sources import open_images
from gandiag.training.data import load_data

PICTURES = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)


def encoded(array: np.ndarray, form: str = "PNG") -> bytes:
    """Returns an image file's bytes."""
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, form)
    return stream.getvalue()


def as_idx(array: np.ndarray) -> bytes:
    """Returns an IDX file's bytes."""
    return struct.pack(f">I{array.ndim}I", 0x0800 | array.ndim, *array.shape) + array.tobytes()


def make_idx(folder: Path) -> None:
    """MNIST's files: packed images, plain labels."""
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(as_idx(PICTURES), mtime=0))
    (folder / "train-labels-idx1-ubyte").write_bytes(as_idx(np.arange(12, dtype=np.uint8) % 10))


def make_plain_idx(folder: Path) -> None:
    """MNIST's files, not packed."""
    (folder / "train-images-idx3-ubyte").write_bytes(as_idx(PICTURES))
    (folder / "train-labels-idx1-ubyte").write_bytes(as_idx(np.arange(12, dtype=np.uint8) % 10))


def make_arrays(folder: Path, packed: bool) -> None:
    """An npz of images and labels."""
    save = np.savez_compressed if packed else np.savez
    save(folder / "a.npz", images=PICTURES, labels=np.arange(12))


def make_npy(folder: Path) -> None:
    """An npy of images."""
    np.save(folder / "a.npy", PICTURES)


def make_zip(folder: Path, packed: bool) -> None:
    """A zip of images in two classes, with StyleGAN's list of labels."""
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for i, picture in enumerate(PICTURES):
            archive.writestr(f"{i % 2}/{i}.png", encoded(picture))
        archive.writestr("dataset.json", json.dumps({"labels": [[f"{i % 2}/{i}.png", i] for i in range(12)]}))


def make_parquet(folder: Path) -> None:
    """A parquet file of image bytes and labels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": [encoded(p) for p in PICTURES], "label": list(range(12))}), folder / "a.parquet")


def make_folder(folder: Path) -> None:
    """A folder of images of every kind."""
    colour = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    (folder / "images").mkdir()
    for form, suffix in (
        ("PNG", "png"),
        ("JPEG", "jpg"),
        ("BMP", "bmp"),
        ("WEBP", "webp"),
        ("GIF", "gif"),
        ("TIFF", "tif"),
    ):
        (folder / "images" / f"x.{suffix}").write_bytes(encoded(colour, form))


def make_cifar(folder: Path) -> None:
    """CIFAR-10's pickles, as Python 2 and as Python 3 write them."""
    pixels = np.random.default_rng(2).integers(0, 256, (6, 3072), dtype=np.uint8)
    for number, protocol in ((1, 2), (2, 4)):
        batch = {b"data": pixels, b"labels": [0, 1, 2, 3, 4, 5], b"batch_label": b"x", b"filenames": [b"a.png"] * 6}
        (folder / f"data_batch_{number}").write_bytes(pickle.dumps(batch, protocol=protocol))


def reads_data(uri: str) -> Callable[[Path], object]:
    """Returns a function that reads a data set through both of gandiag's doors, for training and for scores."""

    def read(folder: Path) -> object:
        name = uri.format(folder)
        failed: GandiagError | None = None
        for door in (lambda: load_data(name, on_bad="skip"), lambda: open_images(name).images()):
            try:
                door()
            except GandiagError as error:
                failed = error
        if failed is not None:
            raise failed
        return None

    return read


def read_cifar(folder: Path) -> object:
    """Reads CIFAR-10's pickles."""
    return load_data(f"cifar10:{folder}", on_bad="skip")


def make_statistics(folder: Path) -> None:
    """pytorch-fid's statistics."""
    np.savez(folder / "s.npz", mu=np.zeros(8), sigma=np.eye(8))

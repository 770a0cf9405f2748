"""Images from files of their own: a folder, a zip, the cells of a parquet file; a stranger's file is read with care.

What is done with what is not 8-bit RGB or grey: palettes, 1-bit and CMYK images become RGB or grey; an alpha channel is dropped where
it is opaque and refused where it is not; grey images among coloured ones are repeated to three channels; 16-bit and float images are
refused, and so are images of different sizes unless a size is given to bring all of them to.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics.image_set import ImageSource

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")
MOST_PIXELS = 2**26  # of one image: beyond is a decompression bomb, or no image set for scores
MOST_FILES = 5_000_000
MOST_UNPACKED = 2**38  # bytes of all files of an archive together
MOST_ONE_UNPACKED = 2**28  # bytes of one image file of an archive
READABLE_MODES = ("L", "RGB", "1", "P", "LA", "RGBA", "PA", "CMYK", "YCbCr")


@dataclass(frozen=True)
class _Files:
    """Named image files wherever they lie: `load(i)` gives the bytes of one."""

    names: list[str]
    load: Callable[[int], bytes]


def open_image_folder(path: Path, size: int | None) -> ImageSource:
    """Opens a folder of image files; class = innermost subfolder, where there are at least two and each image lies in one."""
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise UsageError(f"{path} holds no images: none of its files ends in {', '.join(SUFFIXES)}")
    names = [p.relative_to(path).as_posix() for p in files]
    return _open_files(str(path), _Files(names, lambda i: files[i].read_bytes()), size)


def open_zip(path: Path, size: int | None) -> ImageSource:
    """Opens a zip of image files; refuses one that unpacks to far more than an image set."""
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # a damaged file fails in any way it likes
        raise GandiagError(f"{path} is no zip file that can be read ({error})") from None
    entries = sorted(
        (
            e
            for e in archive.infolist()
            if e.filename
            and not e.is_dir()
            and Path(e.filename).suffix.lower() in SUFFIXES
            and not e.filename.startswith("__MACOSX/")
        ),
        key=lambda e: e.filename,
    )
    if len(entries) > MOST_FILES or sum(e.file_size for e in entries) > MOST_UNPACKED:
        raise GandiagError(
            f"{path} unpacks to more than {MOST_UNPACKED // 2**30} GiB or {MOST_FILES} files: that is refused; unpack it by hand"
        )
    big = next((e for e in entries if e.file_size > MOST_ONE_UNPACKED), None)
    if big is not None:
        raise GandiagError(
            f"{big.filename} in {path} unpacks to {big.file_size} bytes: no image file is that large, that is refused"
        )
    if not entries:
        raise UsageError(f"{path} holds no images: none of its files ends in {', '.join(SUFFIXES)}")

    def load(i: int) -> bytes:
        try:
            with archive.open(entries[i]) as source:
                content = source.read(MOST_ONE_UNPACKED + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise GandiagError(f"{entries[i].filename} in {path} cannot be unpacked ({error})") from None
        if len(content) > MOST_ONE_UNPACKED:
            raise GandiagError(f"{entries[i].filename} in {path} unpacks to more than it says: that is refused")
        return content

    return _open_files(str(path), _Files([e.filename for e in entries], load), size)


def _open_files(name: str, files: _Files, size: int | None, labels: np.ndarray | None = None) -> ImageSource:
    first = _decode(files, 0, size)
    channels = first.shape[0]
    if channels == 1 and any(_is_coloured(files, i) for i in range(1, len(files.names))):
        channels = 3
    shape = (channels, *first.shape[1:])

    def read(indices: Sequence[int]) -> Tensor:
        out = np.empty((len(indices), *shape), dtype=np.uint8)
        for position, i in enumerate(indices):
            image = _decode(files, i, size)
            if image.shape[1:] != shape[1:]:
                raise GandiagError(
                    f"{files.names[i]} in {name} is {image.shape[2]}x{image.shape[1]}, {files.names[0]} is {shape[2]}x{shape[1]}: "
                    "images of one set must be of one size; give a size to bring all of them to"
                )
            out[position] = image
        return torch.from_numpy(out)

    found = (
        _folder_labels(files.names) if labels is None else (labels, tuple(str(c) for c in range(int(labels.max()) + 1)))
    )
    return ImageSource(name, len(files.names), shape, read, *found)


def _folder_labels(names: list[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Class = the innermost folder, where every image lies in one and there are at least two."""
    folders = [Path(n).parent.name for n in names]
    classes = tuple(sorted(set(folders)))
    if len(classes) < 2 or "" in classes:
        return None, ()
    order = {c: i for i, c in enumerate(classes)}
    return np.array([order[f] for f in folders], dtype=np.int64), classes


def _open_header(files: _Files, i: int) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(files.load(i)))
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        struct.error,
    ) as error:
        raise GandiagError(f"{files.names[i]} is no image that can be read ({why_unreadable(error)})") from None
    if image.width * image.height > MOST_PIXELS:
        raise GandiagError(
            f"{files.names[i]} is {image.width}x{image.height}: more than {MOST_PIXELS} pixels are refused"
        )
    return image


def _is_coloured(files: _Files, i: int) -> bool:
    return _open_header(files, i).mode not in ("L", "1", "LA")


def _decode(files: _Files, i: int, size: int | None) -> np.ndarray:
    """One image as uint8 (c, h, w), c 1 or 3."""
    from PIL import Image

    image = _open_header(files, i)
    if image.mode not in READABLE_MODES:
        deep = ", more than 8 bits a channel" if image.mode.startswith(("I", "F")) else ""
        raise GandiagError(f"{files.names[i]} is of mode {image.mode}{deep}: convert it to 8-bit grey or RGB")
    try:
        if "transparency" in image.info or image.mode in ("LA", "RGBA", "PA"):
            image = _without_alpha(
                image.convert("RGBA" if image.mode in ("P", "PA", "RGB", "RGBA") else "LA"), files.names[i]
            )
        elif image.mode not in ("L", "RGB"):
            image = image.convert("L" if image.mode == "1" else "RGB")
        if size is not None and image.size != (size, size):
            image = image.resize((size, size), Image.Resampling.BICUBIC)
        pixels = np.asarray(image)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, IndexError) as error:
        raise GandiagError(f"{files.names[i]} is damaged or cut off ({error})") from None
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _without_alpha(image: Any, name: str) -> Any:
    if image.getchannel("A").getextrema()[0] < 255:
        raise GandiagError(
            f"{name} is transparent in places: what stands behind it is not known; flatten it on a background first"
        )
    return image.convert("RGB" if image.mode == "RGBA" else "L")


def open_parquet(path: Path, size: int | None) -> ImageSource:
    """Opens a parquet file with a column of image bytes, and `label` where there is one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path, memory_map=True).read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise GandiagError(f"{path} is no parquet file that can be read ({error})") from None
    column = next((n for n in ("image", "img", "images", "bytes") if n in table.column_names), None) or next(
        (n for n in table.column_names if pa.types.is_binary(table.schema.field(n).type)), None
    )
    if column is None:
        raise GandiagError(
            f"{path} has the columns {', '.join(table.column_names)}; one of image bytes named `image` was expected"
        )
    cells = table.column(column).combine_chunks()
    if pa.types.is_struct(cells.type):
        if cells.type.get_field_index("bytes") < 0:
            raise GandiagError(f"column {column} of {path} has no field `bytes`")
        cells = cells.field("bytes")
    if (
        not (pa.types.is_binary(cells.type) or pa.types.is_large_binary(cells.type))
        or cells.null_count
        or not len(cells)
    ):
        raise GandiagError(
            f"column {column} of {path} is {cells.type} with {cells.null_count} empty cells of {len(cells)}; "
            "image bytes were expected"
        )
    label = next(
        (
            n
            for n in ("label", "labels", "class")
            if n in table.column_names and pa.types.is_integer(table.schema.field(n).type)
        ),
        None,
    )
    labels = None if label is None else table.column(label).to_numpy().astype(np.int64)
    return _open_files(
        str(path), _Files([f"row {i}" for i in range(len(cells))], lambda i: cells[i].as_py()), size, labels
    )


def why_unreadable(error: Exception) -> str:
    """Returns what Pillow says, without the address of the stream that it read from."""
    from PIL import UnidentifiedImageError

    return "its content is of no known format" if isinstance(error, UnidentifiedImageError) else str(error)

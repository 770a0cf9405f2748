"""Readers of encoded images: a folder or a zip of image files (class = subfolder, or dataset.json), and parquet with image bytes."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice, takewhile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from gandiag.errors import GandiagError, UsageError
from gandiag.training.data_bad import deal_with, refuse_bomb, require_memory, shown
from gandiag.training.dataset import Dataset, make_dataset

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")  # those whose readers run no other program
PIXEL_LIMIT = 2**26  # 64 megapixels: a larger image is no training sample
FILE_LIMIT = 2**28  # bytes of one encoded image
CHUNK = 256  # encoded images that are held at a time
IMAGE_COLUMNS = ("image", "img", "images", "jpg", "png", "bytes")
LABEL_COLUMNS = ("label", "labels", "class", "fine_label", "target")

Encoded = tuple[str, Callable[[], bytes], int | None]  # a name, how to get the bytes, the label


def folder(path: str, *, resolution: int | None = None, on_bad: str = "error") -> Dataset:
    """Reads a folder of images; subfolders are classes, unless stylegan's dataset.json says what the labels are."""
    root = Path(path)
    files = {name: root / name for name in _walk(root)}
    if not files:
        hint = "; it holds IDX files: give mnist:DIR" if list(root.glob("*idx3-ubyte*")) else ""
        hint = hint or ("; it holds CIFAR-10: give cifar10:DIR" if list(root.glob("data_batch_*")) else "")
        raise UsageError(f"{shown(path)}: no images ({', '.join(SUFFIXES)}) in this folder or below it{hint}")
    listing = (root / "dataset.json").read_bytes() if (root / "dataset.json").is_file() else None
    labels, classes = _labels(path, list(files), listing)
    encoded = ((name, partial(_bytes, file), labels.get(name)) for name, file in files.items())
    return _decoded(root.resolve().name or "folder", encoded, len(files), classes, resolution=resolution, on_bad=on_bad)


def zip_file(path: str, *, resolution: int | None = None, on_bad: str = "error") -> Dataset:
    """Reads a zip of images like a folder of them. A folder that all of it lies in does not count as a class."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise GandiagError(f"{shown(path)} is no readable zip: {shown(str(error))}") from None
    with archive:
        members = {
            info.filename: info
            for info in sorted(archive.infolist(), key=lambda info: info.filename)
            if _is_image(info.filename)
        }
        if not members:
            raise UsageError(f"{shown(path)}: no images ({', '.join(SUFFIXES)}) in this zip")
        refuse_bomb(path, packed=os.path.getsize(path), unpacked=sum(info.file_size for info in members.values()))
        top = _common_folder(list(members))
        short = {name.removeprefix(top): info for name, info in members.items()}
        listing = _listing(archive, top)
        labels, classes = _labels(path, list(short), listing)
        encoded = ((name, partial(_member, archive, info), labels.get(name)) for name, info in short.items())
        return _decoded(Path(path).stem, encoded, len(short), classes, resolution=resolution, on_bad=on_bad)


def _listing(archive: zipfile.ZipFile, top: str) -> bytes | None:
    for info in archive.infolist():
        if info.filename in ("dataset.json", f"{top}dataset.json"):
            content = _attempt(partial(_member, archive, info))
            if isinstance(content, str):
                raise GandiagError(f"{shown(str(archive.filename))}: its dataset.json cannot be read: {content}")
            return content
    return None


def parquet(path: str, *, resolution: int | None = None, on_bad: str = "error") -> Dataset:
    """Reads a parquet file with a column of image bytes (or a struct with `bytes`) and, where there is one, a column of whole-number labels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        schema, count = file.schema_arrow, file.metadata.num_rows
        image = next((name for name in IMAGE_COLUMNS if name in schema.names), None)
        if image is None:
            raise UsageError(
                f"{shown(path)}: no column named {', '.join(IMAGE_COLUMNS)}; its columns: {', '.join(map(shown, schema.names))}"
            )
        label = next(
            (name for name in LABEL_COLUMNS if name in schema.names and pa.types.is_integer(schema.field(name).type)),
            None,
        )
        if label is not None and file.read(columns=[label]).column(label).null_count == count:
            label = None  # a column that was kept for the form's sake
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        refuse_bomb(path, packed=os.path.getsize(path), unpacked=sum(group.total_byte_size for group in groups))
        rows = _parquet_rows(file, image, label)
        dataset = _decoded(
            Path(path).stem, rows, count, _parquet_classes(schema, label), resolution=resolution, on_bad=on_bad
        )
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise GandiagError(f"{shown(path)} is no readable parquet file: {_reason(error)}") from None
    return dataset


def _parquet_rows(file: Any, image: str, label: str | None) -> Iterator[Encoded]:
    row = 0
    for batch in file.iter_batches(batch_size=CHUNK, columns=[image] + ([label] if label else [])):
        labels = batch.column(label).to_pylist() if label else [None] * batch.num_rows
        for value, number in zip(batch.column(image).to_pylist(), labels):
            content = value.get("bytes") if isinstance(value, dict) else value
            yield f"row {row}", partial(_present, content, unlabelled=bool(label) and number is None), number
            row += 1


def _present(content: Any, *, unlabelled: bool) -> bytes:
    if not isinstance(content, bytes):
        raise ValueError("no image bytes in it")
    if unlabelled:
        raise ValueError("no label beside it")
    return content


def _parquet_classes(schema: Any, label: str | None) -> list[str] | None:
    """Finds the class names that the datasets library leaves in the metadata; None without them."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        names = features[label]["names"]
        return [str(name) for name in names] if isinstance(names, list) else None
    except (KeyError, TypeError, ValueError):
        return None


def _walk(root: Path) -> list[str]:
    found = []
    for place, folders, files in os.walk(root):  # links to folders are not followed
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(place).relative_to(root)
        found += [
            (below / name).as_posix() for name in sorted(files) if _is_image(name) and (Path(place) / name).is_file()
        ]
    return found


def _is_image(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name.lower().endswith(SUFFIXES) and not any(part.startswith((".", "__MACOSX")) for part in parts)


def _common_folder(names: Sequence[str]) -> str:
    """Returns the folder that all names lie in, with its slash, or an empty string."""
    levels = takewhile(lambda level: len(set(level)) == 1, zip(*(name.split("/")[:-1] for name in names)))
    return "".join(f"{level[0]}/" for level in levels)


def _labels(path: str, names: Sequence[str], listing: bytes | None) -> tuple[dict[str, int | None], list[str] | None]:
    """Returns each image's label and the classes' names, by dataset.json or by subfolder; no labels where there are none."""
    if listing is not None:
        return _listed_labels(path, names, listing)
    tops = [name.split("/")[0] if "/" in name else None for name in names]
    if all(top is None for top in tops):
        return {}, None
    if any(top is None for top in tops):
        raise UsageError(
            f"{shown(path)} holds images both in itself and in subfolders: which class are the former? Move them into a subfolder"
        )
    classes = sorted({top for top in tops if top is not None})
    return {name: classes.index(str(top)) for name, top in zip(names, tops)}, classes


def _listed_labels(path: str, names: Sequence[str], listing: bytes) -> tuple[dict[str, int | None], list[str] | None]:
    try:
        entries = json.loads(listing).get("labels")
        table = None if entries is None else {str(name): int(label) for name, label in entries}
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise GandiagError(
            f"{shown(path)}: its dataset.json cannot be read; expected {{'labels': [['file.png', 3], ...]}}, "
            "or null for the labels"
        ) from None
    if table is None:
        return {}, None
    missing = [name for name in names if name not in table]
    if missing or min(table.values(), default=0) < 0:
        what = (
            f"{len(missing)} of {len(names)} images (such as {shown(missing[0])})"
            if missing
            else "some images: theirs are negative"
        )
        raise GandiagError(f"{shown(path)}: its dataset.json has no label for {what}")
    return {name: table[name] for name in names}, None


def _bytes(file: Path) -> bytes:
    if file.stat().st_size > FILE_LIMIT:
        raise ValueError(f"{file.stat().st_size} bytes are too many for one image")
    return file.read_bytes()


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > FILE_LIMIT:
        raise ValueError(f"{info.file_size} bytes are too many for one image")
    with archive.open(info) as file:
        return file.read(info.file_size + 1)


def _decoded(
    name: str,
    encoded: Iterable[Encoded],
    total: int,
    classes: Sequence[str] | None,
    *,
    resolution: int | None,
    on_bad: str,
) -> Dataset:
    """Decodes all images, in order, on several threads, and deals with those that cannot be read."""
    images: list[np.ndarray] = []
    labels: list[int | None] = []
    bad: list[tuple[str, str]] = []
    source = iter(encoded)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        while chunk := list(islice(source, CHUNK)):
            contents = [_attempt(get) for _, get, _ in chunk]  # read by one, decoded by many
            for (file, _, label), result in zip(chunk, pool.map(lambda content: _image(content, resolution), contents)):
                if isinstance(result, str):
                    bad.append((file, result))
                    continue
                if not images:
                    require_memory(name, total * result.nbytes)
                images.append(result)
                labels.append(label)
    facts = deal_with(name, bad, total=total, on_bad=on_bad)
    if not images:
        raise UsageError(f"{shown(name)}: no images in it")
    known = None if any(label is None for label in labels) else [int(label) for label in labels if label is not None]
    return make_dataset(
        name, _stacked(name, images), labels=known, classes=classes if known is not None else None, facts=facts
    )


def _attempt(get: Callable[[], bytes]) -> bytes | str:
    """Returns the bytes, or why there are none."""
    try:
        return get()
    except Exception as error:  # a damaged member of an archive fails in any way it likes
        return _reason(error)


def _image(content: bytes | str, resolution: int | None) -> np.ndarray | str:
    """Returns an encoded image as uint8 (c, h, w), cropped and resized where asked for, or why it cannot be read."""
    from gandiag.training.data_resize import resized

    if isinstance(content, str):
        return content
    try:
        image = decode(content)
        return image if resolution is None else resized(image[None], resolution)[0]
    except Exception as error:  # a damaged image fails in any way it likes
        return _reason(error)


def decode(content: bytes) -> np.ndarray:
    """Decodes one image to uint8 (1, h, w) or (3, h, w); transparency is dropped. Raises whatever Pillow raises, and ValueError for one too large."""
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        width, height = image.size
        if width * height > PIXEL_LIMIT:
            raise ValueError(f"{width} x {height} pixels are too many for one image")
        if image.mode in ("I", "F"):
            raise ValueError("32 bits a pixel; convert it to 8")
        if image.mode.startswith("I;16"):
            return (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)[None]
        grey = image.mode in ("1", "L", "LA")
        pixels = np.asarray(image.convert("L" if grey else "RGB"))
    return pixels[None] if grey else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return "not a readable image" if "cannot identify" in text else shown(text)


def _stacked(name: str, images: list[np.ndarray]) -> np.ndarray:
    """Stacks images of one size; grey ones are repeated to three channels where others are in colour."""
    sizes = Counter(image.shape[1:] for image in images)
    if len(sizes) > 1:
        common = ", ".join(f"{w}x{h} ({count})" for (h, w), count in sizes.most_common(3))
        raise UsageError(
            f"{shown(name)}: the images have {len(sizes)} different sizes, such as {common}; "
            "give --resolution 64 (or another) to crop and resize"
        )
    channels = max(image.shape[0] for image in images)
    return np.stack([np.repeat(image, channels, axis=0) if image.shape[0] < channels else image for image in images])

"""Opens an image set by what its name says it is: a folder, zip, npz, npy, parquet or IDX file, mnist:FOLDER, digits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gandiag.errors import UsageError, did_you_mean
from gandiag.metrics.array_files import images_of_array, open_idx, open_idx_folder, open_npy, open_npz
from gandiag.metrics.image_files import open_image_folder, open_parquet, open_zip
from gandiag.metrics.image_set import ImageSource, sized_to


def open_images(uri: str | os.PathLike[str], *, size: int | None = None) -> ImageSource:
    """Opens an image set; raises UsageError or GandiagError that says what was found and what is expected.

    A folder of images (class = subfolder), X.zip of the same, X.npz or X.npy (n, h, w[, c]) or (n, c, h, w) uint8 with optional
    `labels`, X.parquet with a column of image bytes, IDX files or `mnist:FOLDER`, `digits`. `size` brings every image to
    size x size by Pillow's bicubic with antialias.
    """
    text = os.fspath(uri)
    if text == "digits":
        return sized_to(_digits(), size)
    kind, _, rest = text.partition(":")
    if kind in SCHEMES and rest:
        return sized_to(SCHEMES[kind](Path(rest)), size)
    path = Path(text)
    if not path.exists():
        near = did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise UsageError(
            f"{text} does not exist{near}; give a folder of images, a zip, npz, npy, parquet or IDX file, mnist:FOLDER or digits"
        )
    if path.is_dir():
        return _open_folder(path, size)
    name = path.name.lower()
    for suffixes, opener in OPENERS:
        if name.endswith(suffixes):
            return opener(path, size)
    raise UsageError(
        f"{text} is no kind of image set that is known; give a folder, or one of {', '.join(s for ss, _ in OPENERS for s in ss)}"
    )


def _open_folder(path: Path, size: int | None) -> ImageSource:
    if any("idx3-ubyte" in p.name for p in path.iterdir()):
        return sized_to(open_idx_folder(path), size)
    return open_image_folder(path, size)


def _digits() -> ImageSource:
    from sklearn.datasets import load_digits

    data = load_digits()
    return images_of_array(np.rint(data.images * (255 / 16)).astype(np.uint8), "digits", data.target)


SCHEMES: dict[str, Callable[[Path], ImageSource]] = {"mnist": open_idx_folder}
OPENERS: tuple[tuple[tuple[str, ...], Callable[[Path, int | None], ImageSource]], ...] = (
    ((".zip",), open_zip),
    ((".npz",), open_npz),
    ((".npy",), open_npy),
    ((".parquet",), open_parquet),
    (("-ubyte", "-ubyte.gz", ".idx", ".idx.gz"), open_idx),
)

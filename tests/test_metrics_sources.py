"""Image sets from every kind of file, and from files that are damaged, hostile or odd: a clear error, or a stated meaning."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics import image_files
from gandiag.metrics.array_files import read_statistics
from gandiag.metrics.sources import open_images

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(256, size=(6, 12, 10, 3), dtype=np.uint8)
GREY = RANDOM.integers(256, size=(6, 12, 10), dtype=np.uint8)


def png(pixels: np.ndarray, mode: str | None = None) -> bytes:
    sink = io.BytesIO()
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(sink, "PNG")
    return sink.getvalue()


def write_folder(path: Path, images: np.ndarray = COLOUR, classes: int = 2) -> Path:
    for i, pixels in enumerate(images):
        (path / f"class {i % classes}").mkdir(parents=True, exist_ok=True)
        (path / f"class {i % classes}" / f"{i}.png").write_bytes(png(pixels))
    return path


def as_read(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2) if images.ndim == 4 else torch.from_numpy(images)[:, None]


def test_a_folder_with_classes(tmp_path: Path) -> None:
    source = open_images(write_folder(tmp_path))
    assert (source.count, source.shape, source.classes) == (6, (3, 12, 10), ("class 0", "class 1"))
    order = [0, 2, 4, 1, 3, 5]
    assert torch.equal(source.images(), as_read(COLOUR[order]))
    assert source.labels is not None
    assert source.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.equal(torch.cat(list(source.batches(4))), source.images())


def test_a_zip_and_a_flat_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for i, pixels in enumerate(GREY):
            archive.writestr(f"{i}.png", png(pixels))
        archive.writestr("readme.txt", "not an image")
    source = open_images(tmp_path / "set.zip")
    assert torch.equal(source.images(), as_read(GREY))
    assert source.labels is None


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GREY, as_read(GREY)),
        (COLOUR, as_read(COLOUR)),
        (np.moveaxis(COLOUR, 3, 1), as_read(COLOUR)),
        (GREY[..., None], as_read(GREY)),
    ],
)
def test_arrays(tmp_path: Path, array: np.ndarray, expected: torch.Tensor) -> None:
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", images=array, labels=np.arange(6) % 3)
    assert torch.equal(open_images(tmp_path / "a.npy").images(), expected)
    source = open_images(tmp_path / "a.npz")
    assert torch.equal(source.images(), expected)
    assert source.labels is not None
    assert source.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = [png(p) for p in COLOUR]
    pq.write_table(pa.table({"image": cells, "label": [0, 1, 0, 1, 0, 1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"image": [{"bytes": c, "path": "x"} for c in cells]}), tmp_path / "b.parquet")
    for name in ("a", "b"):
        assert torch.equal(open_images(tmp_path / f"{name}.parquet").images(), as_read(COLOUR))
    assert open_images(tmp_path / "a.parquet").classes == ("0", "1")
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "c.parquet")
    with pytest.raises(GandiagError, match="image bytes named `image`"):
        open_images(tmp_path / "c.parquet")
    (tmp_path / "d.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(GandiagError, match="no parquet file"):
        open_images(tmp_path / "d.parquet")


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_idx_gzipped_or_not_and_its_labels(tmp_path: Path) -> None:
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(GREY)))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.arange(6, dtype=np.uint8)))
    for uri in (tmp_path, f"mnist:{tmp_path}"):
        source = open_images(uri)
        assert torch.equal(source.images(), as_read(GREY))
        assert source.labels is not None
        assert source.labels.tolist() == list(range(6))
    assert torch.equal(open_images(tmp_path / "t10k-images-idx3-ubyte.gz").images(), as_read(GREY))
    (tmp_path / "cut-idx3-ubyte").write_bytes(idx(GREY)[:-5])
    with pytest.raises(GandiagError, match="fewer than"):
        open_images(tmp_path / "cut-idx3-ubyte")
    (tmp_path / "huge-idx3-ubyte").write_bytes(struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**15, 2**15))
    with pytest.raises(GandiagError, match="refused"):
        open_images(tmp_path / "huge-idx3-ubyte")


def test_digits_and_thinning() -> None:
    source = open_images("digits")
    assert (source.count, source.shape) == (1797, (1, 8, 8))
    few, again = source.thinned(50, seed=1), source.thinned(50, seed=1)
    assert few.count == 50
    assert torch.equal(few.images(), again.images())
    assert few.labels is not None
    assert len(set(few.labels.tolist())) > 5
    assert source.thinned(5000) is source


def test_a_size_brings_all_images_to_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(COLOUR[0]))
    (tmp_path / "b.png").write_bytes(png(COLOUR[1][:8]))
    with pytest.raises(GandiagError, match=r"b\.png in .* is 10x8, a\.png is 10x12"):
        open_images(tmp_path).images()
    assert open_images(tmp_path, size=16).images().shape == (2, 3, 16, 16)
    assert open_images("digits", size=16).read([0, 1]).shape == (2, 1, 16, 16)


def test_grey_among_colours_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(GREY[0]))
    (tmp_path / "b.png").write_bytes(png(COLOUR[0]))
    images = open_images(tmp_path).images()
    assert images.shape[1] == 3
    assert torch.equal(images[0, 0], images[0, 2])


def test_odd_modes_have_a_stated_meaning(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(png(COLOUR[0], "P"))
    Image.fromarray(COLOUR[0]).convert("CMYK").save(tmp_path / "q.jpg")
    opaque = np.concatenate([COLOUR[0], np.full((12, 10, 1), 255, np.uint8)], axis=2)
    (tmp_path / "r.png").write_bytes(png(opaque))
    images = open_images(tmp_path).images()
    assert images.shape == (3, 3, 12, 10)
    assert torch.equal(images[2], as_read(COLOUR[:1])[0])
    Image.fromarray(GREY[0]).convert("1").save(tmp_path / "one.png")
    assert set(np.unique(open_images(tmp_path).read([0]).numpy())) <= {0, 255}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (png(GREY[0].astype(np.uint16) * 200), "more than 8 bits"),
        (png(np.concatenate([COLOUR[0], GREY[0][..., None]], axis=2)), "transparent in places"),
        (png(COLOUR[0])[:-60], "damaged or cut off"),
        (b"this is text", "no image that can be read"),
    ],
)
def test_files_that_have_no_meaning_are_named(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "odd.png").write_bytes(content)
    with pytest.raises(GandiagError, match=word) as caught:
        open_images(tmp_path).images()
    assert "odd.png" in str(caught.value)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    body = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    import zlib

    chunk = struct.pack(">I", len(body)) + b"IHDR" + body + struct.pack(">I", zlib.crc32(b"IHDR" + body))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    with pytest.raises(GandiagError, match=r"bomb\.png"):
        open_images(tmp_path)


def test_zip_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_files, "MOST_ONE_UNPACKED", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.png", b"\0" * 100_000)
    with pytest.raises(GandiagError, match=r"zeros\.png in .* unpacks to 100000 bytes"):
        open_images(tmp_path / "bomb.zip")
    monkeypatch.setattr(image_files, "MOST_UNPACKED", 1000)
    with pytest.raises(GandiagError, match="refused"):
        open_images(tmp_path / "bomb.zip")
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(GandiagError, match="no zip file"):
        open_images(tmp_path / "text.zip")


class Unwelcome:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("/tmp/never"),))  # type: ignore[return-value]


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.array([Unwelcome()], dtype=object))
    np.save(tmp_path / "a.npy", np.array([Unwelcome()], dtype=object))
    for name in ("a.npz", "a.npy"):
        with pytest.raises(GandiagError, match="not loaded"):
            open_images(tmp_path / name)


def test_arrays_that_are_no_images_are_refused(tmp_path: Path) -> None:
    for array, word in (
        (COLOUR.astype(np.float32), "uint8 was expected"),
        (COLOUR[0, 0], "shape"),
        (np.zeros((5, 4, 4, 7), np.uint8), "shape"),
        (np.zeros((5, 3, 9, 3), np.uint8), "which axis"),
        (np.zeros((0, 4, 4), np.uint8), "shape"),
    ):
        np.save(tmp_path / "x.npy", array)
        with pytest.raises(GandiagError, match=word):
            open_images(tmp_path / "x.npy")
    np.savez(tmp_path / "y.npz", images=GREY, labels=np.arange(3))
    with pytest.raises(GandiagError, match="one whole number"):
        open_images(tmp_path / "y.npz")


def test_names_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(UsageError, match="did you mean 'images'"):
        open_images(tmp_path / "image")
    with pytest.raises(UsageError, match="holds no images"):
        open_images(tmp_path / "images")
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(UsageError, match="no kind of image set"):
        open_images(tmp_path / "x.txt")


def test_statistics_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", mu=np.zeros(4), sigma=np.eye(4))
    found = read_statistics(tmp_path / "s.npz")
    assert found is not None
    assert (found[0].shape, found[1].shape, found[2]) == ((4,), (4, 4), 0)
    np.savez(tmp_path / "t.npz", images=GREY)
    assert read_statistics(tmp_path / "t.npz") is None
    assert read_statistics(tmp_path) is None

"""Data: every source becomes the same Dataset, what is damaged is named and counted, nothing in a file is run, and a sampler resumes exactly."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pickle
import struct
import warnings
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from gandiag.diagnosis import Verdict, judge
from gandiag.diagnosis.inputs import data_mismatch
from gandiag.errors import GandiagError, UsageError
from gandiag.run import load_run
from gandiag.training.data import SOURCES, Dataset, Sampler, hold_out, load_data, make_dataset, to_images, to_model
from gandiag.training.data_arrays import read_plain_pickle
from gandiag.training.data_images import decode
from gandiag.training.data_resize import resized
from gandiag.training.dataset import label_agreement, mixed_seed
from tests.made_runs import made

MNIST = Path(__file__).parents[2] / "shared" / "data" / "mnist"


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">I{array.ndim}I", 0x0800 | array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)


@pytest.fixture
def mnist_folder(tmp_path: Path, pictures: np.ndarray) -> Path:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(pictures))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(12, dtype=np.uint8) % 10))
    return tmp_path


# the sources


def test_digits_are_the_ones_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    data = load_data("digits")
    assert (data.kind, data.shape, len(data), data.num_classes) == ("images", (1, 8, 8), 1797, 10)
    assert np.abs(data.samples[:, 0].numpy() / 255 * 16 - load_digits().images).max() <= 0.5 / 255 * 16
    assert data.labels.tolist() == load_digits().target.tolist()
    batch = data.batch(slice(0, 100))
    assert (batch.dtype, batch.min().item(), batch.max().item()) == (torch.float32, -1.0, 1.0)


def test_ring_and_grid_have_the_published_modes() -> None:
    ring, grid = load_data("ring"), load_data("grid")
    assert (len(ring.modes), ring.mode_sd, len(grid.modes), grid.mode_sd) == (8, 0.01, 25, 0.05)
    assert np.linalg.norm(ring.modes, axis=1) == pytest.approx(1)
    assert len({tuple(mode) for mode in ring.modes.round(6)}) == 8  # a known public demo has one mode twice
    assert {tuple(mode) for mode in grid.modes} == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    for data in (ring, grid):
        distance = np.linalg.norm(data.samples.numpy()[:, None] - data.modes, axis=2)
        assert (distance.argmin(1) == data.labels.numpy()).all()
        assert (distance.min(1) < 3 * data.mode_sd).mean() == pytest.approx(
            1 - np.exp(-4.5), abs=0.004
        )  # the ceiling .9889
        assert data.batch(slice(5)).equal(data.samples[:5])  # points are passed on as they are


def test_mixtures_take_options_and_fixed_counts() -> None:
    data = load_data("ring:modes=5,radius=2,sd=.1,count=32")
    assert (len(data), len(data.modes), data.mode_sd, data.endless) == (32, 5, 0.1, False)
    assert np.linalg.norm(data.modes, axis=1) == pytest.approx(2)
    assert load_data("ring:modes=5,radius=2,sd=.1,count=32").hash == data.hash
    assert load_data("ring:modes=5,radius=2,sd=.1,count=32,seed=1").hash != data.hash
    assert load_data("grid:side=3,spacing=1").modes.tolist()[0] == [-1, -1]


def test_idx_is_read_packed_or_not(mnist_folder: Path, pictures: np.ndarray) -> None:
    plain = load_data(f"mnist:{mnist_folder}")
    assert plain.samples[:, 0].numpy().tolist() == pictures.tolist()
    for file in list(mnist_folder.iterdir()):
        (mnist_folder / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    packed = load_data(f"mnist:{mnist_folder}")
    assert packed.hash == plain.hash
    assert packed.facts == {"split": "train"}
    with pytest.raises(UsageError, match="split test"):
        load_data(f"mnist:{mnist_folder},split=test")


@pytest.mark.skipif(
    not MNIST.is_dir(),
    reason="the real MNIST files are not beside the repository: that they are read is not tested here",
)
def test_real_mnist() -> None:
    data = load_data(f"mnist:{MNIST}")
    assert (len(data), data.shape, data.facts["split"]) == (10_000, (1, 28, 28), "test")
    assert data.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_stacked_mnist_labels_are_the_three_digits(mnist_folder: Path) -> None:
    single, stacked = load_data(f"mnist:{mnist_folder}"), load_data(f"stacked-mnist:{mnist_folder},count=50")
    assert (stacked.shape, len(stacked), stacked.num_classes, stacked.classes[7]) == ((3, 8, 8), 50, 1000, "007")
    first = stacked.samples[0]
    found = [int(single.labels[(single.samples[:, 0] == channel).all(-1).all(-1)][0]) for channel in first]
    assert int(stacked.labels[0]) == 100 * found[0] + 10 * found[1] + found[2]


def cifar_batch(count: int = 4, *, protocol: int = 2) -> tuple[np.ndarray, bytes]:
    data = np.random.default_rng(1).integers(0, 256, (count, 3072), dtype=np.uint8)
    return data, pickle.dumps({b"data": data, b"labels": [i % 10 for i in range(count)]}, protocol=protocol)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_cifar_pickles_are_read(tmp_path: Path, protocol: int) -> None:
    data, content = cifar_batch(protocol=protocol)
    (tmp_path / "data_batch_1").write_bytes(content)
    (tmp_path / "batches.meta").write_bytes(
        pickle.dumps({b"label_names": [f"name {i}".encode() for i in range(10)]}, protocol=2)
    )
    found = load_data(f"cifar10:{tmp_path}")
    assert found.samples.numpy().tolist() == data.reshape(-1, 3, 32, 32).tolist()
    assert found.classes[3] == "name 3"


class Trap:
    """A pickle that would make a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_no_pickle_runs_anything(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    hostile = [pickle.dumps({b"data": Trap(marker)}, protocol=p) for p in range(5)] + [
        b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"cnumpy\nndarray\n(I100000000000\ntR.",
        b"\x80\x02r\xff\xff\xff\x7f.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    ]
    for content in hostile:
        (tmp_path / "data_batch_1").write_bytes(content)
        with pytest.raises(GandiagError):
            load_data(f"cifar10:{tmp_path}")
    assert not marker.exists()
    pickle.loads(hostile[2])  # the trap is a real one
    assert marker.exists()


@pytest.fixture
def image_folder(tmp_path: Path, pictures: np.ndarray) -> Path:
    root = tmp_path / "animals"
    for number, picture in enumerate(pictures):
        place = root / ("cat" if number % 3 == 0 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:03d}.png").write_bytes(png(picture))
    (root / "readme.txt").write_text("no image")
    return root


def test_a_folder_has_its_subfolders_as_classes(image_folder: Path, pictures: np.ndarray) -> None:
    data = load_data(str(image_folder))
    assert (data.name, data.classes, data.labels.tolist()) == ("animals", ("cat", "dog"), [0] * 4 + [1] * 8)
    assert data.samples[1, 0].numpy().tolist() == pictures[3].tolist()


@pytest.mark.parametrize("prefix", ["", "animals/", "deep/animals/"])
def test_a_zip_is_read_like_the_folder(image_folder: Path, tmp_path: Path, prefix: str) -> None:
    with zipfile.ZipFile(tmp_path / "animals.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in image_folder.rglob("*.*"):
            archive.write(file, prefix + file.relative_to(image_folder).as_posix())
        archive.writestr("__MACOSX/cat/._000.png", b"\0\5\26\7")
    assert load_data(str(tmp_path / "animals.zip")).hash == load_data(str(image_folder)).hash


def test_stylegans_dataset_json_says_the_labels(image_folder: Path) -> None:
    names = sorted(file.relative_to(image_folder).as_posix() for file in image_folder.rglob("*.png"))
    (image_folder / "dataset.json").write_text(json.dumps({"labels": [[name, i % 4] for i, name in enumerate(names)]}))
    data = load_data(str(image_folder))
    assert (data.labels.tolist(), data.classes) == ([i % 4 for i in range(12)], ("0", "1", "2", "3"))
    (image_folder / "dataset.json").write_text(json.dumps({"labels": None}))
    assert load_data(str(image_folder)).labels is None  # then the folders are shards, not classes
    (image_folder / "dataset.json").write_text(json.dumps({"labels": [["cat/000.png", 1]]}))
    with pytest.raises(GandiagError, match="no label for 11 of 12"):
        load_data(str(image_folder))


def test_images_of_many_kinds_become_one(tmp_path: Path) -> None:
    colour = np.random.default_rng(2).integers(0, 256, (9, 9, 4), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / "a.png")
    Image.fromarray(colour[..., 0]).save(tmp_path / "b.bmp")
    Image.fromarray(colour[..., 0].astype(np.uint16) * 257).save(tmp_path / "c.png")
    Image.fromarray(colour[..., 0] > 127).save(tmp_path / "d.png")
    data = load_data(str(tmp_path))
    assert (data.shape, data.labels) == ((3, 9, 9), None)
    assert data.samples[0].permute(1, 2, 0).numpy().tolist() == colour[..., :3].tolist()
    for number, expected in ((1, colour[..., 0]), (2, colour[..., 0]), (3, (colour[..., 0] > 127) * 255)):
        assert data.samples[number].numpy().tolist() == np.stack([expected] * 3).tolist()


def test_sizes_that_differ_need_a_resolution(image_folder: Path) -> None:
    (image_folder / "cat" / "wide.png").write_bytes(png(np.full((8, 24), 7, dtype=np.uint8)))
    with pytest.raises(UsageError, match=r"2 different sizes.*24x8 \(1\).*--resolution"):
        load_data(str(image_folder))
    assert load_data(str(image_folder), resolution=4).shape == (1, 4, 4)


def test_resizing_crops_the_middle_and_keeps_flat_images_flat() -> None:
    image = np.zeros((1, 1, 4, 8), dtype=np.uint8)
    image[..., 2:6] = 100
    assert resized(image, 4).tolist() == [[[[100] * 4] * 4]]
    assert (resized(np.full((2, 3, 30, 20), 77, dtype=np.uint8), 7) == 77).all()
    checks = (np.indices((8, 8)).sum(0) % 2 * 255).astype(np.uint8)[None, None]
    assert np.abs(resized(checks, 4).astype(int) - 127.5).max() <= 16  # antialiased: grey, and not one of the colours
    assert load_data("digits", resolution=16).shape == (1, 16, 16)
    assert load_data("digits", resolution=16).hash != load_data("digits").hash


@pytest.mark.parametrize("layout", ["nhw", "nhwc", "nchw", "rgba"])
def test_npz_and_npy_of_any_layout(tmp_path: Path, layout: str) -> None:
    images = np.random.default_rng(3).integers(0, 256, (6, 3, 10, 10), dtype=np.uint8)
    stored = {
        "nhw": images[:, 0],
        "nchw": images,
        "nhwc": images.transpose(0, 2, 3, 1),
        "rgba": np.concatenate([images, images[:, :1]], axis=1).transpose(0, 2, 3, 1),
    }[layout]
    np.savez_compressed(tmp_path / "x.npz", images=stored, labels=np.arange(6) % 2)
    np.save(tmp_path / "x.npy", stored)
    data = load_data(str(tmp_path / "x.npz"))
    assert data.samples.numpy().tolist() == (images[:, :1] if layout == "nhw" else images).tolist()
    assert data.labels.tolist() == [0, 1] * 3
    assert load_data(str(tmp_path / "x.npy")).samples.equal(data.samples)


def test_points_in_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(10.0).reshape(5, 2))
    data = load_data(str(tmp_path / "x.npy"))
    assert (data.kind, data.samples.dtype, data.samples.tolist()[4]) == ("points", torch.float32, [8, 9])


def test_parquet_with_image_bytes(tmp_path: Path, pictures: np.ndarray) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [png(picture) for picture in pictures]
    for image in (rows, [{"bytes": row, "path": None} for row in rows]):
        table = pa.table({"image": image, "label": [i % 3 for i in range(12)]})
        names = {"info": {"features": {"label": {"names": ["a", "b", "c"], "_type": "ClassLabel"}}}}
        pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(names)}), tmp_path / "x.parquet")
        data = load_data(str(tmp_path / "x.parquet"))
        assert data.samples[:, 0].numpy().tolist() == pictures.tolist()
        assert (data.classes, data.labels.tolist()) == (("a", "b", "c"), [0, 1, 2] * 4)
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "y.parquet")
    with pytest.raises(UsageError, match="no column named image"):
        load_data(str(tmp_path / "y.parquet"))


def test_a_label_that_is_missing_is_named_and_a_column_without_any_is_none(
    tmp_path: Path, pictures: np.ndarray
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def load(labels: list[int | None], on_bad: Literal["error", "skip"] = "error") -> Dataset:
        table = pa.table({"image": [png(p) for p in pictures[:3]], "label": pa.array(labels, pa.int64())})
        pq.write_table(table, tmp_path / "x.parquet")
        return load_data(tmp_path / "x.parquet", on_bad=on_bad)

    with pytest.raises(GandiagError, match=r"1 of 3 images cannot be read .*row 1: no label beside it"):
        load([0, None, 2])
    with pytest.warns(UserWarning, match="left out"):
        assert load([0, None, 2], "skip").labels.tolist() == [0, 2]  # type: ignore[union-attr]
    assert load([None, None, None]).labels is None


def test_a_users_own_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_data_module.py").write_text(
        "import numpy as np\nfrom gandiag.training.data import make_dataset\n"
        "def mine():\n    return make_dataset('mine', np.zeros((5, 2)))\ndef wrong():\n    return 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load_data("my_data_module:mine").name == "mine"
    for uri, says in (
        ("my_data_module:wrong", "returned a int"),
        ("my_data_module:absent", "no function 'absent'"),
        ("no_such_module:f", "no module"),
    ):
        with pytest.raises(UsageError, match=says):
            load_data(uri)


# what is damaged


def test_a_truncated_idx_is_named_and_its_whole_images_can_be_used(mnist_folder: Path, pictures: np.ndarray) -> None:
    file = mnist_folder / "train-images-idx3-ubyte"
    whole = file.read_bytes()
    for content in (whole[:-100], gzip.compress(whole, mtime=0)[:-40]):
        file.unlink(missing_ok=True)
        (mnist_folder / "train-images-idx3-ubyte.gz").unlink(missing_ok=True)
        (file if content[:1] == b"\0" else mnist_folder / "train-images-idx3-ubyte.gz").write_bytes(content)
        with pytest.raises(GandiagError, match=r"train-images.*truncated: its header promises 12 items, \d+ are whole"):
            load_data(f"mnist:{mnist_folder}")
        data = load_data(f"mnist:{mnist_folder}", on_bad="skip")
        assert 0 < len(data) < 12
        assert data.samples[:, 0].numpy().tolist() == pictures[: len(data)].tolist()


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"\0\0\x08\x01\0\0\0\x0c", "0x00000801, expected 0x00000803"),
        (b"PK\3\4", "0x504b0304"),
        (b"", "too short"),
        (b"\0\0\x08\x03\0\0", "within its header"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "do not fit|bomb"),
        (b"\0\0\x08\x03" + bytes(12), "nothing"),
    ],
)
def test_a_wrong_header_is_refused(mnist_folder: Path, head: bytes, says: str) -> None:
    (mnist_folder / "train-images-idx3-ubyte").write_bytes(head)
    for on_bad in ("error", "skip"):
        with pytest.raises(GandiagError, match=says):
            load_data(f"mnist:{mnist_folder}", on_bad=on_bad)


def test_a_damaged_gzip_is_refused_although_all_its_bytes_are_there(mnist_folder: Path) -> None:
    file = mnist_folder / "train-images-idx3-ubyte"
    packed = bytearray(gzip.compress(file.read_bytes()))
    packed[-8] ^= 1  # the checksum
    file.unlink()
    (mnist_folder / "train-images-idx3-ubyte.gz").write_bytes(packed)
    with pytest.raises(GandiagError, match="damaged"):
        load_data(f"mnist:{mnist_folder}")


def test_corrupt_images_in_a_folder_are_named_counted_and_dealt_with(image_folder: Path) -> None:
    (image_folder / "cat" / "000.png").write_bytes((image_folder / "cat" / "000.png").read_bytes()[:60])
    (image_folder / "dog" / "text.png").write_bytes(b"I am no image")
    (image_folder / "dog" / "empty.jpg").write_bytes(b"")
    with pytest.raises(GandiagError, match=r"3 of 14 images cannot be read \(cat/000.png: .*on_bad=skip"):
        load_data(str(image_folder))
    with pytest.warns(UserWarning, match="3 of 14 images cannot be read"):
        data = load_data(str(image_folder), on_bad="skip")
    assert (len(data), data.facts["skipped"], data.labels.tolist()) == (11, 3, [0] * 3 + [1] * 8)
    assert any(name.startswith("dog/text.png: not a readable image") for name in data.facts["skipped_names"])
    assert data.about()["skipped"] == 3
    for file in image_folder.rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(GandiagError, match="nothing is left"):
        load_data(str(image_folder), on_bad="skip")


def test_bombs_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", bytes(2**27))
    with pytest.raises(GandiagError, match="decompression bomb"):
        load_data(str(bomb))
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(2**27))
    with pytest.raises(GandiagError, match="decompression bomb"):
        load_data(str(tmp_path / "bomb.npz"))
    chunk = b"\x00\x00\x00\x0dIHDR" + struct.pack(">II", 60_000, 60_000) + b"\x08\x00\x00\x00\x00"
    huge = (
        b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + png(np.zeros((2, 2), np.uint8))[33:]
    )
    with pytest.raises(Exception, match=r"too many|exceeds limit"):
        decode(huge)
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 1000, 1000), }".ljust(117) + b"\n"
    (tmp_path / "images.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header)
    with pytest.raises(GandiagError, match="cannot be read"):
        load_data(str(tmp_path / "images.npy"))
    (tmp_path / "gz").mkdir()
    with gzip.open(tmp_path / "gz" / "train-images-idx3-ubyte.gz", "wb") as file:
        file.write(struct.pack(">4I", 0x803, 2**17, 32, 32))
        file.write(bytes(2**20))
    (tmp_path / "gz" / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(4, np.uint8)))
    with pytest.raises(GandiagError, match="decompression bomb"):
        load_data(f"mnist:{tmp_path / 'gz'}")


def test_labels_that_are_no_classes_are_refused(tmp_path: Path, pictures: np.ndarray) -> None:
    for labels in (np.full(12, 3_000_000_000), np.full(12, -1), np.full(12, 0.5)):
        np.savez(tmp_path / "x.npz", images=pictures, labels=labels)
        with pytest.raises(UsageError, match="labels"):
            load_data(str(tmp_path / "x.npz"))
    with pytest.raises(UsageError, match="no whole numbers"):
        make_dataset("x", np.zeros((2, 2)), labels=[10**30, 0])


def test_a_damaged_listing_in_a_zip_is_named(tmp_path: Path, pictures: np.ndarray) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", png(pictures[0]))
        archive.writestr("dataset.json", json.dumps({"labels": [["a.png", 0]]}))
    content = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(content.replace(b'"labels"', b'"lapels"'))  # the checksum no longer fits
    with pytest.raises(GandiagError, match=r"dataset.json cannot be read: .*CRC"):
        load_data(str(tmp_path / "x.zip"))


def test_objects_in_npz_are_never_unpickled(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    np.savez(tmp_path / "x.npz", images=np.array([Trap(marker)], dtype=object))
    np.save(tmp_path / "x.npy", np.array([Trap(marker)], dtype=object))
    for name in ("x.npz", "x.npy"):
        with pytest.raises(GandiagError, match=r"objects|allow_pickle|memory-mapped"):
            load_data(str(tmp_path / name))
    assert not marker.exists()


def test_mutated_files_raise_our_errors_only(tmp_path: Path, pictures: np.ndarray) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(5)
    np.savez(tmp_path / "a.npz", images=pictures, labels=np.arange(12))
    np.save(tmp_path / "a.npy", pictures)
    pq.write_table(pa.table({"image": [png(p) for p in pictures], "label": list(range(12))}), tmp_path / "a.parquet")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number, picture in enumerate(pictures):
            archive.writestr(f"{number % 2}/{number}.png", png(picture))
    (tmp_path / "m").mkdir()
    (tmp_path / "c").mkdir()
    originals = {file: file.read_bytes() for file in tmp_path.glob("a.*")}
    originals[tmp_path / "m" / "train-images-idx3-ubyte.gz"] = gzip.compress(idx(pictures))
    originals[tmp_path / "c" / "data_batch_1"] = cifar_batch(2)[1]
    (tmp_path / "m" / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(12, dtype=np.uint8) % 10))
    uris = {"m": f"mnist:{tmp_path / 'm'}", "c": f"cifar10:{tmp_path / 'c'}"}
    outcomes = set()
    for file, content in originals.items():
        for _ in range(40):
            mutated = bytearray(content)
            for place in random.integers(0, len(mutated), random.integers(1, 6)):
                mutated[place] = random.integers(256)
            file.write_bytes(
                bytes(mutated[: random.integers(1, len(mutated) + 1)] if random.random() < 0.3 else mutated)
            )
            try:
                with warnings.catch_warnings(action="ignore"):
                    load_data(uris.get(file.parent.name, str(file)), on_bad="skip")
                outcomes.add("read")
            except GandiagError:
                outcomes.add("refused")
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("digit", "did you mean 'digits'"),
        ("no/such/folder", "there is no data"),
        ("mnist", "mnist:DIR"),
        ("mnist:/nowhere", "no folder"),
        ("ring:modes=x", "whole number"),
        ("ring:mode=8", "did you mean 'modes'"),
        ("ring:sd=0", "above 0"),
        ("ring:sd=nan", "takes a number"),
        ("ring:modes=0", "at least one mode"),
        ("digits:x=1", "has no option"),
    ],
)
def test_what_is_no_data_is_said(uri: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load_data(uri)


def test_folders_that_are_something_else_are_recognised(
    tmp_path: Path, mnist_folder: Path, pictures: np.ndarray
) -> None:
    with pytest.raises(UsageError, match="give mnist:DIR"):
        load_data(str(mnist_folder))
    (tmp_path / "x.txt").write_text("a")
    with pytest.raises(UsageError, match=r"\.txt"):
        load_data(str(tmp_path / "x.txt"))
    (tmp_path / "mixed" / "cat").mkdir(parents=True)
    (tmp_path / "mixed" / "a.png").write_bytes(png(pictures[0]))
    (tmp_path / "mixed" / "cat" / "b.png").write_bytes(png(pictures[1]))
    with pytest.raises(UsageError, match="which class"):
        load_data(str(tmp_path / "mixed"))
    np.save(tmp_path / "f.npy", np.zeros((3, 8, 8)))
    with pytest.raises(UsageError, match="not guessed"):
        load_data(str(tmp_path / "f.npy"))
    with pytest.raises(UsageError, match="NaN"):
        make_dataset("x", np.full((3, 2), np.nan))
    with pytest.raises(UsageError, match="on_bad"):
        load_data("digits", on_bad="drop")


def test_options_follow_a_folder_whose_name_has_commas(tmp_path: Path, mnist_folder: Path) -> None:
    odd = tmp_path / "a,b=c"
    odd.mkdir()
    for file in mnist_folder.glob("train-*"):
        (odd / file.name).write_bytes(file.read_bytes())
    assert load_data(f"mnist:{odd},split=train").hash == load_data(f"mnist:{odd}").hash
    assert set(SOURCES) >= {"digits", "ring", "grid", "mnist", "stacked-mnist", "cifar10"}


# fingerprints, splits, tails


def test_the_fingerprint_is_of_the_content() -> None:
    samples, labels = torch.arange(8, dtype=torch.uint8).reshape(2, 1, 2, 2), torch.tensor([1, 0])
    data = make_dataset("a", samples, labels=labels)
    expected = hashlib.sha256(
        b"torch.uint8(2, 1, 2, 2)" + samples.numpy().tobytes() + b"torch.int64(2,)" + labels.numpy().tobytes()
    )
    assert data.hash == expected.hexdigest() == make_dataset("b", samples.numpy(), labels=labels).hash
    assert make_dataset("a", samples, labels=[1, 1]).hash != data.hash


def test_quantisation_is_undone_exactly() -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert to_images(to_model(levels)).equal(levels)
    assert to_images(torch.tensor([-2.0, 2.0])).tolist() == [0, 255]
    assert to_model(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_holding_out_takes_the_same_share_of_every_class_and_nothing_twice() -> None:
    data = load_data("digits")
    train, held = hold_out(data, share=0.1)
    assert len(train) + len(held) == len(data)
    for number in range(10):
        whole = int((data.labels == number).sum())
        assert int((held.labels == number).sum()) == int(whole * 0.1)
    rows = [row.numpy().tobytes() for row in data.samples]
    both = [row.numpy().tobytes() for part in (train, held) for row in part.samples]
    assert sorted(rows) == sorted(both)
    assert hold_out(data, share=0.1)[0].hash == train.hash != hold_out(data, share=0.1, seed=1)[0].hash
    with pytest.raises(UsageError, match="too few"):
        hold_out(load_data("ring:count=5"), share=0.1)
    train, held = hold_out(load_data("ring:count=20"), share=0.1)  # no class has ten
    assert (len(train), len(held)) == (18, 2)
    assert held.labels is not None
    assert train.labels is not None
    assert len(set(held.labels.tolist())) == 2  # and neither class has lost its last
    assert set(held.labels.tolist()) <= set(train.labels.tolist())
    train, held = hold_out(load_data("ring"))
    assert (train.endless, held.endless, len(held)) == (True, False, 10_000)


def test_a_long_tail_falls_geometrically() -> None:
    data = load_data("digits", imbalance=0.1)
    whole, counts = np.bincount(load_data("digits").labels), np.bincount(data.labels)
    assert counts.tolist() == [round(n * 0.1 ** (i / 9)) for i, n in enumerate(whole)]
    ring = load_data("ring", imbalance=0.25)
    assert ring.mode_weights / ring.mode_weights[0] == pytest.approx(0.25 ** (np.arange(8) / 7))
    assert np.bincount(ring.labels) / len(ring) == pytest.approx(ring.mode_weights, abs=0.02)
    for wrong in (0, -1, 1.5):
        with pytest.raises(UsageError, match="imbalance"):
            load_data("digits", imbalance=wrong)


# the sampler


def test_each_epoch_gives_each_sample_once_in_another_order() -> None:
    data = make_dataset("x", torch.arange(10, dtype=torch.float32).reshape(10, 1), labels=range(10))
    sampler = Sampler(data, 4, seed=3)
    given = torch.cat([sampler.next()[0].flatten() for _ in range(10)]).tolist()
    epochs = [given[i : i + 10] for i in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    again = Sampler(data, 4, seed=3)
    samples, labels = again.next()
    assert samples.flatten().tolist() == given[:4] == labels.tolist()
    assert Sampler(data, 4, seed=4).next()[0].flatten().tolist() != given[:4]


@pytest.mark.parametrize("uri", ["digits", "ring", "ring:count=100"])
def test_a_sampler_resumes_from_its_position_to_the_bit(uri: str) -> None:
    data = load_data(uri)
    whole, other = Sampler(data, 48, seed=1), Sampler(data, 48, seed=99)
    for _ in range(40):
        whole.next()
    other.load_state_dict(json.loads(json.dumps(whole.state_dict())))
    assert other.epoch == whole.epoch
    for _ in range(40):
        (a, la), (b, lb) = whole.next(), other.next()
        assert torch.equal(a, b)
        assert torch.equal(la, lb)


def test_an_endless_mixture_is_always_new_and_never_the_reference_draw() -> None:
    data = load_data("ring")
    sampler = Sampler(data, 10_000, seed=0)
    drawn = torch.cat([sampler.next()[0] for _ in range(10)])  # over the end of a block
    assert len(torch.unique(drawn, dim=0)) == 100_000
    assert len(torch.unique(torch.cat([drawn, data.samples]), dim=0)) == 110_000
    assert drawn.std(0).tolist() == pytest.approx([np.sqrt(0.5 + 1e-4)] * 2, abs=0.01)


@pytest.mark.parametrize("uri", ["digits", "ring"])
def test_processes_share_the_batch_of_one(uri: str) -> None:
    data = load_data(uri)
    one, parts = Sampler(data, 64, seed=5), [Sampler(data, 64, seed=5, rank=rank, world=4) for rank in range(4)]
    for _ in range(40):
        whole, labels = one.next()
        shares = [part.next() for part in parts]
        assert torch.equal(torch.cat([samples for samples, _ in shares]), whole)
        assert torch.equal(torch.cat([part for _, part in shares]), labels)


def test_a_large_set_is_converted_batch_by_batch_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_data("digits")
    ready = [Sampler(data, 100, seed=2).next()[0]]
    monkeypatch.setattr("gandiag.training.data_sampler.READY_LIMIT", 0)
    assert torch.equal(Sampler(data, 100, seed=2).next()[0], ready[0])
    assert data.samples.dtype == torch.uint8


def test_a_sampler_refuses_what_cannot_be() -> None:
    data = load_data("ring:count=32")
    with pytest.raises(UsageError, match=r"larger than the data: ring has 32 samples; choose --batch 32"):
        Sampler(data, 33)
    with pytest.raises(UsageError, match="shared by 3 processes"):
        Sampler(data, 16, world=3)
    state = Sampler(data, 8).state_dict()
    with pytest.raises(GandiagError, match="data is not what the checkpoint was trained on"):
        Sampler(load_data("ring:count=32,seed=2"), 8).load_state_dict(state)


def test_nearby_seeds_give_unrelated_streams() -> None:
    seeds = {mixed_seed(a, b) for a in range(50) for b in range(50)}
    assert len(seeds) == 2500
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_plain_pickles_of_plain_data_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(pickle.dumps({b"a": [1, 2.5, None, "b"]}))
    assert read_plain_pickle(tmp_path / "a") == {b"a": [1, 2.5, None, "b"]}


def test_labels_agree_with_their_neighbours_unless_they_were_shuffled(tmp_path: Path) -> None:
    points = np.array([[0.0], [1.0], [10.0], [12.0], [30.0]], np.float32)  # each nearest to the one before or after it
    told = label_agreement(make_dataset("line", points, labels=[0, 0, 1, 0, 0]))
    assert told == {"share": 3 / 5, "chance": (4 / 5) ** 2 + (1 / 5) ** 2, "count": 5.0}  # 10 and 12 are of two classes
    digits = load_data("digits")
    true = label_agreement(digits)
    labels = digits.labels
    assert labels is not None
    wrong = replace(digits, labels=labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))])
    shuffled = label_agreement(wrong)
    assert true is not None
    assert shuffled is not None
    assert true["share"] > 0.95
    assert shuffled["share"] < 0.13
    assert true["chance"] == pytest.approx(shuffled["chance"], abs=0.01)
    assert label_agreement(replace(digits, labels=None)) is None
    for data, verdict in ((true, Verdict.HEALTHY), (shuffled, Verdict.FAILED)):
        run = load_run(
            made(
                tmp_path / str(verdict),
                facts={"data": {"kind": "images", "label_agreement": data}, "config": {"conditional": True}},
            )
        )
        assert judge(data_mismatch, run).verdict is verdict


def test_samples_of_every_make_become_the_same_data() -> None:
    images = torch.arange(6 * 8 * 8 * 3, dtype=torch.uint8).reshape(6, 8, 8, 3).permute(0, 3, 1, 2)
    forms = [
        images,
        images.contiguous(),
        images.to(memory_format=torch.channels_last),
        images.numpy(),
        np.asfortranarray(images),
    ]
    assert len({make_dataset("x", form).hash for form in forms}) == 1
    points = np.arange(6.0).reshape(3, 2)
    forms = [
        points,
        points.astype(">f4"),
        torch.tensor(points, requires_grad=True),
        points.tolist(),
        torch.tensor(points).bfloat16(),
    ]
    assert len({make_dataset("x", form).hash for form in forms}) == 1


@pytest.mark.parametrize(
    ("samples", "labels", "says"),
    [
        (np.full((3, 2), 1e300), None, "beyond float32"),
        (np.float64(3), None, "of shape"),
        (np.zeros((3, 2)), [0.0, 1.0, 1.5], "no whole numbers"),
    ],
)
def test_what_would_be_changed_in_silence_is_refused(
    samples: np.ndarray, labels: list[float] | None, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        make_dataset("x", samples, labels=labels)  # type: ignore[arg-type]

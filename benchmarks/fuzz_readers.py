"""What `benchmarks/fuzz.py` mutates: real files of every kind that gandiag opens, and the readers that open them."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from gandiag.diagnosis import diagnose
from gandiag.diagnosis.limits import load_limits
from gandiag.errors import GandiagError, NotRecorded
from gandiag.export import export_generator
from gandiag.export.files import MANIFEST, SUMS, open_bundle, read_checked, read_reference, sums_text
from gandiag.export.foreign import read_weights
from gandiag.export.session import open_session
from gandiag.export.structure import read_model, structure_certificate
from gandiag.logs import open_recording
from gandiag.metrics.array_files import read_statistics
from gandiag.metrics.sources import open_images
from gandiag.reporting import write_report
from gandiag.run import load_run
from gandiag.training import Config, train
from gandiag.training.checkpoint import load_checkpoint, load_generator, read_best
from gandiag.training.config import read_config_file
from gandiag.training.data import load_data
from gandiag.training.plan import plan_new


@dataclass(frozen=True)
class Reader:
    """One kind of file: `make(folder)` writes real ones, `open(folder)` reads them all the way, `targets` are those to be mutated."""

    name: str
    make: Callable[[Path], None]
    open: Callable[[Path], object]
    targets: tuple[str, ...] = ("**/*",)
    share: float = 1.0  # of the cases that a reader gets; less for the slow ones


# ------------------------------------------------------------------------------------------------------------- run directory


def make_run(folder: Path) -> None:
    """Trains a tiny run on the digits: tables, records, samples, checkpoints."""
    tiny = dataclasses.replace(
        Config(), data="digits", generator_width=8, generator_depth=1, discriminator_width=8, discriminator_depth=1
    )
    small = dataclasses.replace(
        tiny, latent_size=4, batch=16, steps=12, evaluate_every=6, sample_every=6, checkpoint_every=6, device="cpu"
    )
    train(dataclasses.replace(small, evaluation_samples=64, features="pixels", diagnose_every=0), out=folder / "run")


def read_run(folder: Path) -> object:
    """Opens a run and reads every series, record and sample that it says it holds."""
    run = load_run(folder / "run")
    for name in run.names:
        try:
            run[name]
        except NotRecorded:
            try:
                run.layers(name)
            except NotRecorded:
                continue
    for kind in ("evaluations", "events", "alerts"):
        run.records(kind)
    for kind in ("fake", "real"):
        for step in run.sample_steps(kind):
            run.samples(step, kind)
    return run.steps


def judge_run(folder: Path) -> object:
    """Diagnoses a run and writes its report; a stranger's name in it stays text."""
    page = write_report(folder / "run", folder / "out" / "report.html", plotlyjs="directory")
    if b"<script>alert(" in page.read_bytes():
        raise AssertionError("a stranger's script stands in the page")
    return diagnose(folder / "run").verdict


def read_checkpoints(folder: Path) -> object:
    """Reads the last checkpoint and rebuilds its generator."""
    load_checkpoint(folder / "run", "last")
    read_best(folder / "run")
    return load_generator(folder / "run", "last")


# ------------------------------------------------------------------------------------------------------------------ settings


def make_config(folder: Path) -> None:
    """A configuration and limits, as the command line prints them."""
    from gandiag.training.config import as_toml

    (folder / "config.toml").write_text(as_toml(Config()), encoding="utf-8")


def read_config(folder: Path) -> object:
    """Plans a run from a configuration."""
    given = read_config_file(folder / "config.toml")
    return plan_new(
        recipe=None, file=given, environment={}, flags={}, settings={}, out=str(folder / "x"), outdir="runs"
    )


def make_limits(folder: Path) -> None:
    """A file of limits."""
    text = "[limits]\npast_best = 1.5\nstagnant = 0.9\nlabel_samples = 1000\nlabel_sds = 4.0\n"
    (folder / "limits.toml").write_text(text, encoding="utf-8")


def read_limits(folder: Path) -> object:
    """Reads limits."""
    return load_limits(folder / "limits.toml")


# ---------------------------------------------------------------------------------------------------------------------- data

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


# ------------------------------------------------------------------------------------------------------------------- bundles


def make_bundle(folder: Path) -> None:
    """An exported generator."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
    export_generator(net, 4, folder / "bundle", measure=False)


def read_bundle(folder: Path) -> object:
    """Opens a bundle whose sums were made to fit what was changed: the parsers behind the sums are what is tried here."""
    bundle = folder / "bundle"
    manifest = bundle / MANIFEST
    try:
        content = json.loads(manifest.read_bytes())
        for name in content["files"]:
            content["files"][name]["sha256"] = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
        manifest.write_text(json.dumps(content), encoding="utf-8")
    except (ValueError, KeyError, TypeError, OSError, AttributeError, RecursionError):
        pass  # too damaged to be made to fit
    sums = {
        file.relative_to(bundle).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in bundle.rglob("*")
        if file.is_file() and file.name != SUMS
    }
    (bundle / SUMS).write_text(sums_text(sums), encoding="utf-8")
    opened = open_bundle(bundle)
    model = read_checked(opened.model, opened.manifest["files"][opened.model.name]["sha256"])
    read_model(model)
    read_reference(opened)
    if structure_certificate(model, opened.contract).passed:
        open_session(model, "cpu", 1)
    return opened


def read_changed_bundle(folder: Path) -> object:
    """Opens a bundle with a changed byte: it must be refused, whatever was changed."""
    return open_bundle(folder / "bundle")


def make_weights(folder: Path) -> None:
    """A generator's weights."""
    from safetensors.torch import save_file

    save_file({"0.weight": torch.randn(8, 4), "0.bias": torch.zeros(8)}, str(folder / "w.safetensors"))


def read_strange_weights(folder: Path) -> object:
    """Reads somebody's weights."""
    return read_weights(folder / "w.safetensors")


# ---------------------------------------------------------------------------------------------------------------------- logs


def make_csv(folder: Path) -> None:
    """A log as many loops write it."""
    with (folder / "log.csv").open("w", newline="") as sink:
        table = csv.writer(sink)
        table.writerow(["step", "d_loss", "g_loss", "fid"])
        table.writerows([i, 1.4 - i / 900, 0.7 + i / 900, 90 - i / 4] for i in range(60))


def make_jsonl(folder: Path) -> None:
    """A log of JSON lines, with nested names."""
    rows = [
        {"step": i, "loss": {"d": 1.4, "g": {"mean": 0.7, "std": 0.1}}, "d_loss": 1.3, "g_loss": 0.7} for i in range(60)
    ]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def make_json(folder: Path) -> None:
    """One JSON document of lists."""
    held = {"step": list(range(60)), "d_loss": [1.4] * 60, "g_loss": [0.7] * 60}
    (folder / "log.json").write_text(json.dumps(held), encoding="utf-8")


def make_text(folder: Path) -> None:
    """What a loop printed."""
    lines = [
        f"[{i // 20}/3][{i % 20}/20] Loss_D: {1.4 - i / 900:.4f} Loss_G: 0.7 D(x): 0.6 D(G(z)): 0.4 / 0.3"
        for i in range(60)
    ]
    (folder / "log.txt").write_text("\n".join(lines), encoding="utf-8")


def make_stylegan(folder: Path) -> None:
    """A StyleGAN training's folder."""
    place = folder / "sg"
    place.mkdir()
    rows = [
        {"Progress/kimg": {"mean": 4.0 * i}, "Loss/D/loss": {"mean": 0.9}, "Loss/G/loss": {"mean": 1.6}, "Loss/signs/real": {"mean": 0.6}}
        for i in range(40)
    ]  # fmt: skip
    (place / "stats.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    scores = [
        {"results": {"fid50k_full": 90.0 - i}, "snapshot_pkl": f"network-snapshot-{40 * i:06d}.pkl"} for i in range(4)
    ]
    (place / "metric-fid50k_full.jsonl").write_text("\n".join(map(json.dumps, scores)), encoding="utf-8")
    options = {"batch_size": 32, "random_seed": 0, "training_set_kwargs": {"path": "/x/y", "max_size": 9}, "G_opt_kwargs": {"lr": 0.002}}  # fmt: skip
    (place / "training_options.json").write_text(json.dumps(options), encoding="utf-8")


def make_events(folder: Path) -> None:
    """A TensorBoard event file, by the definition of its format (its checksums are left 0)."""

    def varint(n: int) -> bytes:
        out = b""
        while True:
            n, low = n >> 7, n & 0x7F
            out += bytes([low | (0x80 if n else 0)])
            if not n:
                return out

    def text(number: int, value: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(value)) + value

    data = b""
    for step in range(40):
        for tag in ("d_loss", "g_loss"):
            held = text(1, tag.encode()) + varint(2 << 3 | 5) + struct.pack("<f", 1.0)
            event = (
                varint(1 << 3 | 1) + struct.pack("<d", 1.7e9) + varint(2 << 3) + varint(step) + text(5, text(1, held))
            )
            data += struct.pack("<QI", len(event), 0) + event + struct.pack("<I", 0)
    (folder / "events.out.tfevents.1").write_bytes(data)


def reads_log(name: str) -> Callable[[Path], object]:
    """Returns a function that reads a log and judges it."""

    def read(folder: Path) -> object:
        log = open_recording(folder / name)
        for series in log.names:
            log[series]
        return log.steps

    return read


READERS: tuple[Reader, ...] = (
    Reader("run directory", make_run, read_run, ("run/run.json", "run/*.jsonl", "run/tables/*", "run/samples/*"), 2.0),
    Reader("run directory, report", make_run, judge_run, ("run/run.json", "run/*.jsonl", "run/tables/*"), 0.1),
    Reader("checkpoint", make_run, read_checkpoints, ("run/checkpoints/**/*", "run/run.json")),
    Reader("configuration TOML", make_config, read_config),
    Reader("limits TOML", make_limits, read_limits),
    Reader("safetensors", make_weights, read_strange_weights),
    Reader("IDX, packed", make_idx, reads_data("mnist:{}")),
    Reader("IDX", make_plain_idx, reads_data("mnist:{}")),
    Reader("npz", lambda f: make_arrays(f, False), reads_data("{}/a.npz")),
    Reader("npz, packed", lambda f: make_arrays(f, True), reads_data("{}/a.npz")),
    Reader("npy", make_npy, reads_data("{}/a.npy")),
    Reader("zip", lambda f: make_zip(f, False), reads_data("{}/a.zip")),
    Reader("zip, packed", lambda f: make_zip(f, True), reads_data("{}/a.zip")),
    Reader("parquet", make_parquet, reads_data("{}/a.parquet")),
    Reader("images", make_folder, reads_data("{}/images")),
    Reader("CIFAR pickles", make_cifar, read_cifar),
    Reader("statistics npz", make_statistics, lambda folder: read_statistics(folder / "s.npz")),
    Reader("bundle, sums made to fit", make_bundle, read_bundle, ("bundle/model.onnx", "bundle/manifest.json", "bundle/*.safetensors")),
    Reader("bundle", make_bundle, read_changed_bundle, ("bundle/*",), 0.5),
    Reader("CSV log", make_csv, reads_log("log.csv")),
    Reader("JSONL log", make_jsonl, reads_log("log.jsonl")),
    Reader("JSON log", make_json, reads_log("log.json")),
    Reader("printed log", make_text, reads_log("log.txt")),
    Reader("StyleGAN log", make_stylegan, reads_log("sg")),
    Reader("TensorBoard log", make_events, reads_log("events.out.tfevents.1")),
)  # fmt: skip


def source_of(reader: Reader, folder: Path) -> dict[str, bytes]:
    """Returns the reader's real files by their names."""
    folder.mkdir(parents=True)
    reader.make(folder)
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def targets_of(reader: Reader, files: dict[str, bytes]) -> list[str]:
    """Returns the names of the files that are mutated."""
    wanted: list[Any] = [
        name for name in files if any(Path(name).match(t) or t == "**/*" or _under(name, t) for t in reader.targets)
    ]
    return wanted


def _under(name: str, pattern: str) -> bool:
    return "**" in pattern and name.startswith(pattern.split("**")[0])

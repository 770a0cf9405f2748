"""What `benchmarks/fuzz.py` mutates: real files of every kind that gandiag opens, and the readers that open them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks import fuzz_data as data
from benchmarks import fuzz_logs as logs
from gandiag.diagnosis import diagnose
from gandiag.diagnosis.limits import load_limits
from gandiag.errors import NotRecorded
from gandiag.export import export_generator
from gandiag.export.files import MANIFEST, SUMS, open_bundle, read_checked, read_reference, sums_text
from gandiag.export.foreign import read_weights
from gandiag.export.session import open_session
from gandiag.export.structure import read_model, structure_certificate
from gandiag.metrics.array_files import read_statistics
from gandiag.reporting import write_report
from gandiag.run import load_run
from gandiag.training import Config, train
from gandiag.training.checkpoint import load_checkpoint, load_generator, read_best
from gandiag.training.config import read_config_file
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


# ------------------------------------------------------------------------------------------------------------------ all of them

READERS: tuple[Reader, ...] = (
    Reader("run directory", make_run, read_run, ("run/run.json", "run/*.jsonl", "run/tables/*", "run/samples/*"), 2.0),
    Reader("run directory, report", make_run, judge_run, ("run/run.json", "run/*.jsonl", "run/tables/*"), 0.1),
    Reader("checkpoint", make_run, read_checkpoints, ("run/checkpoints/**/*", "run/run.json")),
    Reader("configuration TOML", make_config, read_config),
    Reader("limits TOML", make_limits, read_limits),
    Reader("safetensors", make_weights, read_strange_weights),
    Reader("IDX, packed", data.make_idx, data.reads_data("mnist:{}")),
    Reader("IDX", data.make_plain_idx, data.reads_data("mnist:{}")),
    Reader("npz", lambda f: data.make_arrays(f, False), data.reads_data("{}/a.npz")),
    Reader("npz, packed", lambda f: data.make_arrays(f, True), data.reads_data("{}/a.npz")),
    Reader("npy", data.make_npy, data.reads_data("{}/a.npy")),
    Reader("zip", lambda f: data.make_zip(f, False), data.reads_data("{}/a.zip")),
    Reader("zip, packed", lambda f: data.make_zip(f, True), data.reads_data("{}/a.zip")),
    Reader("parquet", data.make_parquet, data.reads_data("{}/a.parquet")),
    Reader("images", data.make_folder, data.reads_data("{}/images")),
    Reader("CIFAR pickles", data.make_cifar, data.read_cifar),
    Reader("statistics npz", data.make_statistics, lambda folder: read_statistics(folder / "s.npz")),
    Reader("bundle, sums made to fit", make_bundle, read_bundle, ("bundle/model.onnx", "bundle/manifest.json", "bundle/*.safetensors")),
    Reader("bundle", make_bundle, read_changed_bundle, ("bundle/*",), 0.5),
    Reader("CSV log", logs.make_csv, logs.reads_log("log.csv")),
    Reader("JSONL log", logs.make_jsonl, logs.reads_log("log.jsonl")),
    Reader("JSON log", logs.make_json, logs.reads_log("log.json")),
    Reader("printed log", logs.make_text, logs.reads_log("log.txt")),
    Reader("StyleGAN log", logs.make_stylegan, logs.reads_log("sg")),
    Reader("TensorBoard log", logs.make_events, logs.reads_log("events.out.tfevents.1")),
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

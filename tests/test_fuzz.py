"""Strangers' files: mutated real ones through every reader, and by hand what fuzzing and thought have found; only our errors come out."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gandiag.diagnosis.limits import load_limits
from gandiag.errors import GandiagError, RunError, UsageError
from gandiag.logs import open_recording
from gandiag.metrics.array_files import read_statistics
from gandiag.metrics.sources import open_images
from gandiag.run import RunWriter, load_run
from gandiag.training.checkpoint import load_checkpoint, load_generator, named_step

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(sys.platform != "linux", reason="the fuzzer forks and limits memory as Linux does: not played here")
def test_a_few_hundred_mutated_files_raise_our_errors_only_and_touch_nothing_else() -> None:
    command = [sys.executable, "-m", "benchmarks.fuzz", "--cases", "420", "--seed", "99", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "0 things that must not be" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def write_run(path: Path) -> Path:
    with RunWriter(path, {"name": "x"}) as writer:
        writer.append("every-1", np.arange(4), {"discriminator_loss": np.ones(4)})
        writer.samples(0, {"images": np.zeros((4, 8, 8, 1), np.uint8)})
        writer.record("evaluations", {"step": 1, "scores": {"frechet_distance": 3.0}, "protocol": {}})
    return path


def test_samples_whose_packed_bytes_are_damaged_are_named(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    (file,) = (run / "samples").glob("*.npz")
    whole = file.read_bytes()
    for place in range(30, len(whole), 3):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(RunError):
            load_run(run).samples(0)
    file.write_bytes(whole[:60] + b"\xff" * 30 + whole[90:])
    with pytest.raises(RunError, match=file.name):
        load_run(run).samples(0)


@pytest.mark.parametrize(
    "name", ["run.json", "evaluations.jsonl", "samples/fake-000000000.npz", "tables/every-1.0000.arrow"]
)
def test_a_link_out_of_the_run_is_never_followed(name: str, tmp_path: Path) -> None:
    run, secret = write_run(tmp_path / "run"), tmp_path / "secret"
    os.replace(run / name, secret)
    (run / name).symlink_to(secret)
    if name.startswith("tables"):
        assert "discriminator_loss" not in load_run(run)
        return

    def read() -> None:
        opened = load_run(run)
        opened.samples(0)
        opened.records("evaluations")

    with pytest.raises(RunError, match="is a link"):
        read()


@pytest.mark.parametrize("folder", ["samples", "tables"])
def test_nor_a_linked_folder(folder: str, tmp_path: Path) -> None:
    run, elsewhere = write_run(tmp_path / "run"), tmp_path / "elsewhere"
    os.replace(run / folder, elsewhere)
    (run / folder).symlink_to(elsewhere, target_is_directory=True)
    assert "discriminator_loss" not in load_run(run) or folder == "samples"
    with pytest.raises(GandiagError):
        load_run(run).samples(0) if folder == "samples" else load_run(run)["discriminator_loss"]


def test_a_checkpoint_of_links_is_not_followed(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "checkpoint.json").write_text("{}")
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "step-000000004").symlink_to(elsewhere, target_is_directory=True)
    for read in (load_checkpoint, load_generator):
        with pytest.raises(RunError, match="is a link"):
            read(run, "last")


def test_a_last_checkpoint_that_is_nested_without_end_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "last.json").write_text("[" * 100_000)
    assert named_step(tmp_path, "last") is None


@pytest.mark.parametrize("value", ["9" * 400, "inf", "nan", "-" + "9" * 30])
def test_limits_are_finite_numbers(value: str, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    for name in ("past_best", "label_samples"):
        file.write_text(f"{name} = {value}\n")
        with pytest.raises(UsageError, match="finite number") as caught:
            load_limits(file)
        assert len(str(caught.value)) < 300 + len(str(file))


def test_an_npy_whose_header_is_no_python_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    np.save(file, np.zeros((2, 8, 8), np.uint8))
    file.write_bytes(file.read_bytes().replace(b"'shape': (2,", b"'shape': ((("))
    with pytest.raises(GandiagError, match="cannot be read"):
        open_images(str(file))


def test_an_idx_that_promises_gigabytes_does_not_reserve_them(tmp_path: Path) -> None:
    import tracemalloc

    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(b"\x00\x00\x08\x03" + np.array([10**5, 100, 100], ">u4").tobytes() + b"\x07" * 64)
    tracemalloc.start()
    with pytest.raises(GandiagError, match="fewer than the 1000000000 bytes"):
        open_images(f"mnist:{tmp_path}")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_a_zip_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", b"nothing")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 200  # the version needed to extract it
    (tmp_path / "a.zip").write_bytes(bytes(content))
    with pytest.raises(GandiagError, match="can be read"):
        open_images(str(tmp_path / "a.zip"))


def test_a_zip_entry_without_a_name_is_passed_over(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", b"nothing")
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes().replace(b"a.png", b"\0.png"))
    with pytest.raises(UsageError, match="no images"):
        open_images(str(tmp_path / "a.zip"))


def test_a_zip_that_points_outside_writes_nothing_there(tmp_path: Path) -> None:
    place = tmp_path / "in" / "side"
    place.mkdir(parents=True)
    with zipfile.ZipFile(place / "a.zip", "w") as archive:
        archive.writestr("../../outside.png", b"not an image")
    with pytest.raises(GandiagError):
        open_images(str(place / "a.zip")).images()
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.zip", "in", "side"]


@pytest.mark.parametrize(
    "arrays",
    [
        {"mu": np.array(["a", "b"]), "sigma": np.eye(2)},
        {"mu": np.zeros(3), "sigma": np.eye(2)},
        {"mu": np.zeros(()), "sigma": np.zeros(())},
        {"mu": np.zeros(2), "sigma": np.eye(2), "count": np.array("many")},
    ],
)
def test_statistics_of_another_shape_or_kind_are_refused(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", **arrays)  # type: ignore[arg-type]  # plain arrays
    with pytest.raises(GandiagError, match=r"\(d,\) and \(d, d\)"):
        read_statistics(tmp_path / "s.npz")


def test_a_model_whose_names_are_no_text_is_refused() -> None:
    from gandiag.export.contract import BundleError
    from gandiag.export.structure import read_model

    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Identity", ["x"], ["yyyy"])
    value = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in ("x", "yyyy")]
    graph = onnx.helper.make_graph([node], "g", value[:1], value[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)]).SerializeToString()
    read_model(model)
    with pytest.raises(BundleError, match=r"no text|damaged"):
        read_model(model.replace(b"Identity", b"Identit\xff"))


@pytest.mark.parametrize("kimg", ["1e400", "-5", "NaN", "9" * 400, "1e300"])
@pytest.mark.parametrize("batch", ["32", "9" * 400])
def test_a_stylegan_log_with_impossible_numbers_keeps_the_others(kimg: str, batch: str, tmp_path: Path) -> None:
    rows = [json.dumps({"Progress/kimg": {"mean": 4.0 * i}, "Loss/D/loss": {"mean": 0.5}}) for i in range(3)]
    bad = f'{{"Progress/kimg": {{"mean": {kimg}}}, "Loss/D/loss": {{"mean": {"9" * 400}}}}}'
    (tmp_path / "stats.jsonl").write_text("\n".join([*rows, bad]))
    (tmp_path / "training_options.json").write_text(f'{{"batch_size": {batch}}}')
    score = {"results": {"fid50k_full": 3.0}, "snapshot_pkl": "network-snapshot-" + "9" * 5000}
    (tmp_path / "metric-fid50k_full.jsonl").write_text(json.dumps(score))
    losses = open_recording(tmp_path)["discriminator_loss"]
    assert losses.tolist() == [0.5] * 3
    assert math.isfinite(losses.index[-1])

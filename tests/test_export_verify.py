"""Tests of verify: it proves a good bundle without torch, and refuses every byte that was changed and every file that is hostile."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from gandiag.errors import UsageError
from gandiag.export import BundleError, ExportError, open_bundle, verify_bundle
from gandiag.export.contract import Contract
from gandiag.export.files import MANIFEST, MODEL, REFERENCE, SUMS, sums_text
from gandiag.export.session import open_session
from gandiag.export.structure import read_model, structure_certificate
from tests.made_bundles import exported_once


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported_once().path, tmp_path / "bundle"))


def reseal(folder: Path) -> None:
    """Makes the sums fit again, as somebody would who wants a changed bundle to pass."""
    manifest = json.loads((folder / MANIFEST).read_text())
    for name in manifest["files"]:
        data = (folder / name).read_bytes()
        manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    names = [*manifest["files"], MANIFEST]
    (folder / SUMS).write_text(
        sums_text({name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names})
    )


def with_model(folder: Path, change: Callable[[onnx.ModelProto], None]) -> None:
    model = onnx.load(folder / MODEL)
    change(model)
    (folder / MODEL).write_bytes(model.SerializeToString())
    reseal(folder)


def test_a_good_bundle_is_proven_again_without_torch() -> None:
    code = (
        "import sys; from gandiag.export import verify_bundle; v = verify_bundle(sys.argv[1], measure=False)\n"
        "print(v.passed, [c.name for c in v.certificates], 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(exported_once().path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[0] == "True ['integrity', 'structure', 'parity', 'quality', 'determinism'] False"


def test_what_verify_measures_is_what_the_export_measured() -> None:
    again = {one.name: one for one in verify_bundle(exported_once().path, measure=False).certificates}
    first = exported_once()
    assert again["parity"].facts["batches"].keys() == first.certificate("parity").facts["batches"].keys()
    ours, theirs = (
        again["quality"].facts["features"]["coarse-pixels"],
        first.certificate("quality").facts["features"]["coarse-pixels"],
    )
    assert ours["independent"] == pytest.approx(theirs["independent"], rel=1e-6)
    assert ours["same_latents"] < 1e-9


def test_latency_and_memory_are_measured_when_asked() -> None:
    found = {one.name: one for one in verify_bundle(exported_once().path).certificates}
    assert found["latency"].facts["batches"]["64"]["file"]["samples_per_second"] > 0
    peaks = found["memory"].facts["peak_bytes"]
    assert 0 < peaks["runtime"] <= peaks["loaded"] <= peaks["batch 64"]


def test_any_byte_that_is_changed_is_found(copy: Path) -> None:
    random = np.random.default_rng(0)
    files = sorted(file for file in copy.rglob("*") if file.is_file())
    assert len(files) == 11
    for file in files:
        good = file.read_bytes()
        for place in {0, len(good) - 1, *random.integers(0, len(good), 6).tolist()}:
            bad = bytearray(good)
            bad[place] ^= 1 << int(random.integers(8))
            file.write_bytes(bytes(bad))
            with pytest.raises(BundleError):
                verify_bundle(copy)
        for other in (good + b"\n", good[:-1]):
            file.write_bytes(other)
            with pytest.raises(BundleError):
                verify_bundle(copy)
        file.write_bytes(good)
    assert verify_bundle(copy, measure=False).passed


@pytest.mark.parametrize("name", [MODEL, MANIFEST, SUMS, REFERENCE, "samples.png"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=name):
        verify_bundle(copy)


def test_a_file_that_was_added_is_named(copy: Path) -> None:
    (copy / "mlserver" / "extra.py").write_text("import os")
    with pytest.raises(BundleError, match=r"mlserver/extra.py .* is not part of the bundle"):
        verify_bundle(copy)


def test_a_link_in_a_bundle_is_refused(copy: Path) -> None:
    target = copy.parent / "elsewhere.onnx"
    shutil.move(copy / MODEL, target)
    os.symlink(target, copy / MODEL)
    with pytest.raises(BundleError, match="is a link"):
        verify_bundle(copy)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x", "a//b"])
def test_a_name_that_leads_out_of_the_folder_is_refused(copy: Path, name: str) -> None:
    (copy / SUMS).write_text((copy / SUMS).read_text() + f"{'0' * 64}  {name}\n")
    with pytest.raises(BundleError, match="no export writes"):
        verify_bundle(copy)


def test_another_generator_with_sums_that_fit_fails_parity_and_quality(copy: Path) -> None:
    def scale_the_last_weights(model: onnx.ModelProto) -> None:
        weight = max(model.graph.initializer, key=lambda one: int(np.prod(one.dims)))
        changed = onnx.numpy_helper.to_array(weight) * np.float32(1.5)
        weight.CopyFrom(onnx.numpy_helper.from_array(changed, weight.name))

    with_model(copy, scale_the_last_weights)
    found = {one.name: one.passed for one in verify_bundle(copy, measure=False).certificates}
    assert found == {"integrity": True, "structure": True, "parity": False, "quality": False, "determinism": True}


def test_weights_outside_the_file_are_never_opened(copy: Path) -> None:
    secret = copy.parent / "secret.bin"
    secret.write_bytes(np.zeros(4096, np.float32).tobytes())

    def point_outside(model: onnx.ModelProto) -> None:
        weight = model.graph.initializer[0]
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="../secret.bin")

    with_model(copy, point_outside)
    with pytest.raises(BundleError, match="stored outside the model's file"):
        verify_bundle(copy)
    with pytest.raises(BundleError, match="stored outside the model's file"):
        open_bundle(copy).sample(1)


def test_noise_in_the_graph_fails_the_structure(copy: Path) -> None:
    def add_noise(model: onnx.ModelProto) -> None:
        last = model.graph.node[-1]
        last.output[0] = "quiet"
        model.graph.node.append(helper.make_node("RandomNormalLike", ["quiet"], ["noise"], scale=1e-3))
        model.graph.node.append(helper.make_node("Add", ["quiet", "noise"], ["image"]))

    with_model(copy, add_noise)
    found = verify_bundle(copy, measure=False)
    assert not found.passed
    assert "noise inside the graph" in found.certificates[-1].claim


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: setattr(m.opset_import[0], "version", 9), "opset 9"),
        (lambda m: m.opset_import.add(domain="com.evil", version=1), "operators of com.evil"),
        (lambda m: m.graph.ClearField("node") or m.graph.ClearField("output"), "no ONNX graph"),
    ],
    ids=["opset", "domain", "empty"],
)
def test_a_model_that_is_unfit_is_refused(copy: Path, change: Callable[[onnx.ModelProto], None], message: str) -> None:
    with_model(copy, change)
    with pytest.raises(BundleError, match=message):
        verify_bundle(copy)


def test_something_else_than_a_model_is_refused() -> None:
    for data in (b"\x80\x04K\x01.", b"PK\x03\x04 no model", b"", b"\xff" * 100):
        with pytest.raises(BundleError):
            read_model(data)


def test_a_manifest_of_nonsense_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text())
    for key, value in (
        ("contract", {"latent_shape": [-1]}),
        ("certificates", [{"name": "parity"}]),
        ("format", 99),
        ("files", []),
    ):
        (copy / MANIFEST).write_text(json.dumps({**manifest, key: value}))
        sums = {name: entry["sha256"] for name, entry in manifest["files"].items()}
        sums[MANIFEST] = hashlib.sha256((copy / MANIFEST).read_bytes()).hexdigest()
        (copy / SUMS).write_text(sums_text(sums))
        with pytest.raises(BundleError):
            open_bundle(copy)


def test_an_oversized_model_is_refused_unread(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gandiag.export.files.MAX_FILE_BYTES", 1000)
    monkeypatch.setattr("gandiag.export.files._read.__defaults__", (1000,))
    with pytest.raises(BundleError, match="more than the"):
        verify_bundle(copy)


def test_a_path_in_the_metadata_fails_the_structure() -> None:
    model = onnx.load(exported_once().model)
    for text in ("/home/bob/project/train.py", 'File "net.py", line 3, in forward', "C:\\Users\\bob"):
        model.graph.node[0].doc_string = text
        certificate = structure_certificate(model.SerializeToString(), exported_once().contract)
        assert certificate.passed is False
        assert "tells of its maker" in certificate.claim


def test_a_graph_that_breaks_its_contract_fails_the_structure() -> None:
    contract = exported_once().contract
    data = exported_once().model.read_bytes()
    for other in (
        replace(contract, latent_shape=(9,)),
        replace(contract, uint8=True),
        replace(contract, num_classes=3),
    ):
        assert structure_certificate(data, other).passed is False
    assert structure_certificate(data, contract).passed is True


def test_a_provider_that_would_fall_back_is_an_error() -> None:
    data = exported_once().model.read_bytes()
    assert open_session(data, "cpu").provider == "cpu"
    with pytest.raises(UsageError, match="unknown provider"):
        open_session(data, "gpu")  # type: ignore[arg-type]  # the mistake that is tested
    if not os.path.exists("/dev/nvidiactl"):
        with pytest.raises(ExportError, match=r"fell back to CPUExecutionProvider|has no CUDAExecutionProvider"):
            open_session(data, "cuda")


def test_the_contract_reads_back_as_it_was() -> None:
    contract = Contract(
        (100, 1, 1), (8, 8, 3), "uniform", 10, uint8=True, truncation=0.7, precision="float16", opset=20, batch=4
    )
    assert Contract.from_json(json.loads(json.dumps(contract.as_json()))) == contract
    with pytest.raises(BundleError):
        Contract.from_json({**contract.as_json(), "opset": "18"})

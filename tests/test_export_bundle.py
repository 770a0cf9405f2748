"""Tests of export_generator: the file is the generator, the bundle is whole, the module that was exported is untouched."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from gandiag.errors import UsageError
from gandiag.export import Bundle, ExportError, export_generator, open_bundle
from gandiag.export.provenance import without_paths
from tests.made_bundles import FACTS, TinyGenerator, exported_once, tiny


@pytest.fixture(scope="session")
def exported() -> tuple[TinyGenerator, Bundle]:
    return tiny(), exported_once()


def test_the_file_computes_what_torch_computes_at_any_batch(exported: tuple[TinyGenerator, Bundle]) -> None:
    net, bundle = exported
    session = bundle.session("cpu")
    for batch in (1, 2, 7, 64, 256):
        z = np.random.default_rng(batch).standard_normal((batch, 8)).astype(np.float32)
        with torch.no_grad():
            expected = net.eval()(torch.from_numpy(z)).numpy()
        assert np.abs(session(z) - expected).max() < 1e-6
    net.train()


def test_inputs_and_output_are_named_and_typed_as_deployers_expect(exported: tuple[TinyGenerator, Bundle]) -> None:
    runtime = exported[1].session("cpu").runtime
    assert [(i.name, i.type, i.shape) for i in runtime.get_inputs()] == [("z", "tensor(float)", ["batch", 8])]
    assert [(o.name, o.type, o.shape) for o in runtime.get_outputs()] == [
        ("image", "tensor(float)", ["batch", 1, 8, 8])
    ]


def test_the_metadata_are_ours_and_nothing_else(exported: tuple[TinyGenerator, Bundle]) -> None:
    model = onnx.load(exported[1].model)
    found = {one.key: one.value for one in model.metadata_props}
    assert found["z_dim"] == "8"
    assert found["z_distribution"] == "normal"
    assert found["range"] == "-1 1"
    assert found["layout"] == "NCHW"
    assert (found["run_id"], found["step"], found["ema"]) == ("00007-default-digits", "4000", "True")
    assert (found["verdict"], found["training_data"]) == ("stable", "ab12")
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    assert model.opset_import[0].version == 18


def test_nothing_of_this_machine_is_in_the_bytes(exported: tuple[TinyGenerator, Bundle]) -> None:
    data = exported[1].model.read_bytes()
    for trace in (
        __file__,
        str(Path(__file__).parent),
        "site-packages",
        ".py",
        "TinyGenerator",
        "stack_trace",
        'File "',
        str(Path.home()) + "/",
    ):
        assert trace.encode() not in data, trace


def test_the_manifest_lists_every_file_with_its_sum(exported: tuple[TinyGenerator, Bundle]) -> None:
    folder = exported[1].path
    manifest = json.loads((folder / "manifest.json").read_text())
    names = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert set(manifest["files"]) == names - {"manifest.json", "SHA256SUMS"}
    for name, entry in manifest["files"].items():
        assert entry["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert manifest["certified"] is True


def test_parity_says_how_far_and_on_which_provider(exported: tuple[TinyGenerator, Bundle]) -> None:
    facts = exported[1].certificate("parity").facts
    assert set(facts["batches"]) == {"batch 1", "batch 2", "batch 7", "batch 64", "batch 256", "extreme latents"}
    assert facts["provider"] == "cpu"
    assert 0 < facts["floors"] <= 4
    assert facts["largest"] < 1e-5


def test_the_module_that_was_exported_is_untouched(tmp_path: Path) -> None:
    net = tiny()
    net.body[1].eval()  # a mixed mode, as fine-tuning leaves it
    modes = {name: module.training for name, module in net.named_modules()}
    before = {name: value.clone() for name, value in net.state_dict().items()}
    random_state = torch.get_rng_state()
    export_generator(net, 8, tmp_path / "b", measure=False)
    assert {name: module.training for name, module in net.named_modules()} == modes
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert torch.equal(random_state, torch.get_rng_state())


def test_batch_norm_in_train_mode_is_exported_as_it_evaluates(tmp_path: Path) -> None:
    net = tiny().train()
    bundle = export_generator(net, 8, tmp_path / "b", measure=False)
    z = (
        np.random.default_rng(0).standard_normal((1, 8)).astype(np.float32)
    )  # one latent alone: batch statistics could not exist
    with torch.no_grad():
        expected = net.eval()(torch.from_numpy(z)).numpy()
    assert np.abs(bundle.session("cpu")(z) - expected).max() < 1e-6


def test_the_same_generator_gives_the_same_bytes(exported: tuple[TinyGenerator, Bundle], tmp_path: Path) -> None:
    again = export_generator(tiny(), 8, tmp_path / "b", measure=False, facts=FACTS, triton=True, mlserver=True)
    for name in again.manifest["files"]:
        assert (again.path / name).read_bytes() == (exported[1].path / name).read_bytes(), name


def test_labels_come_second_and_choose_the_class(tmp_path: Path) -> None:
    net = tiny(classes=5)
    bundle = export_generator(net, 8, tmp_path / "b", measure=False, num_classes=5)
    z = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)
    label = np.arange(5)
    with torch.no_grad():
        expected = net.eval()(torch.from_numpy(z), torch.from_numpy(label)).numpy()
    session = bundle.session("cpu")
    assert session.runtime.get_inputs()[1].type == "tensor(int64)"
    assert np.abs(session(z, label) - expected).max() < 1e-6
    assert np.abs(session(z, label[::-1]) - expected).max() > 1e-3


def test_a_file_that_is_another_generator_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gandiag.export import bundle as module

    honest = module.to_onnx

    def slightly_wrong(served: nn.Module, *rest: object) -> bytes:
        with torch.no_grad():
            served.generator.body[0].weight.mul_(1 + 1e-4)
        model = honest(served, *rest)
        with torch.no_grad():
            served.generator.body[0].weight.div_(1 + 1e-4)
        return model

    monkeypatch.setattr(module, "to_onnx", slightly_wrong)
    with pytest.raises(
        ExportError, match=r"refused.*parity: largest difference to torch .* times the float32 rounding floor"
    ):
        export_generator(tiny(), 8, tmp_path / "b", measure=False)
    assert list(tmp_path.iterdir()) == []
    forced = export_generator(tiny(), 8, tmp_path / "b", measure=False, force=True)
    assert not forced.certified
    assert forced.manifest["failed"] == ["parity"]
    assert "Not certified" in (forced.path / "MODEL_CARD.md").read_text()
    assert not open_bundle(forced.path).certified


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="holds other files"):
        export_generator(tiny(), 8, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_a_bundle_is_replaced_only_when_told(exported: tuple[TinyGenerator, Bundle]) -> None:
    with pytest.raises(UsageError, match="--overwrite"):
        export_generator(tiny(), 8, exported[1].path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent": "gauss"}, "choose normal or uniform"),
        ({"opset": 9}, "opset 9 cannot be written: choose 18 to"),
        ({"truncation": 0.0}, "above 0 and up to 1"),
        ({"static_batch": 0}, "whole number from 1"),
        ({"num_classes": 0}, "number of classes"),
        ({"value_range": (1.0, -1.0)}, "lower end first"),
    ],
)
def test_options_that_cannot_be_are_told(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        export_generator(tiny(), 8, tmp_path / "b", measure=False, **options)


def test_paths_of_this_machine_are_cut_to_their_last_part() -> None:
    facts = {
        "data": "mnist:/home/bob/data/mnist",
        "list": ["C:\\Users\\bob\\x.png", 3, None, 0.5],
        "url": "a/b",
        "n": float("nan"),
    }
    assert without_paths(facts) == {"data": "mnist:mnist", "list": ["x.png", 3, None, 0.5], "url": "a/b", "n": "nan"}

"""Tests of what servers load: Triton's own protobuf parses the config, MLServer's settings are what its parser takes."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format

from gandiag.export import open_bundle
from gandiag.export.contract import Contract
from gandiag.export.serving import mlserver_settings, server_name, triton_config
from tests.made_bundles import exported_once

CONTRACT = Contract(latent_shape=(100, 1, 1), output_shape=(3, 32, 32), num_classes=10)


def parsed(text: str):  # type: ignore[no-untyped-def]  # a protobuf message of a library that may be missing
    """Parses by the protobuf that tritonclient carries, loaded by its file: its package asks for grpc, which this needs not."""
    found = importlib.util.find_spec("tritonclient")
    if found is None or not found.submodule_search_locations:
        pytest.skip("tritonclient is not installed: config.pbtxt is not parsed by Triton's own protobuf")
    file = Path(next(iter(found.submodule_search_locations))) / "grpc" / "model_config_pb2.py"
    specification = importlib.util.spec_from_file_location("model_config_pb2", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return text_format.Parse(text, module.ModelConfig())


def test_the_config_says_in_plain_text_what_triton_reads() -> None:
    text = triton_config("digits", CONTRACT)
    assert 'platform: "onnxruntime_onnx"' in text
    assert "max_batch_size: 256" in text
    assert "dims: [ 100, 1, 1 ]" in text  # without the batch
    assert "dims: [ 3, 32, 32 ]" in text


def test_triton_parses_the_config() -> None:
    config = parsed(triton_config("digits", CONTRACT))
    assert (config.name, config.platform, config.max_batch_size) == ("digits", "onnxruntime_onnx", 256)
    assert [(one.name, list(one.dims)) for one in config.input] == [("z", [100, 1, 1]), ("label", [1])]
    assert list(config.input[1].reshape.shape) == []
    assert config.input[1].HasField("reshape")
    assert [(one.name, list(one.dims)) for one in config.output] == [("image", [3, 32, 32])]
    assert config.HasField("dynamic_batching")


def test_triton_parses_a_static_batch_of_bytes() -> None:
    config = parsed(triton_config('a "b"', replace(CONTRACT, batch=4, uint8=True, output_shape=(32, 32, 3))))
    assert config.max_batch_size == 0
    assert [list(one.dims) for one in config.input] == [[4, 100, 1, 1], [4]]
    assert config.output[0].data_type == 2  # TYPE_UINT8
    assert not config.HasField("dynamic_batching")


def test_the_repository_holds_the_same_model_under_its_version() -> None:
    bundle = exported_once()
    assert (bundle.path / "triton/generator/1/model.onnx").read_bytes() == bundle.model.read_bytes()
    assert (bundle.path / "triton/generator/config.pbtxt").read_text() == triton_config("generator", bundle.contract)


def test_mlserver_is_told_shapes_with_the_batch() -> None:
    settings = json.loads((exported_once().path / "mlserver/model-settings.json").read_text())
    assert settings == mlserver_settings("generator", exported_once().contract)
    assert settings["inputs"] == [{"name": "z", "datatype": "FP32", "shape": [-1, 8]}]
    assert settings["outputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 1, 8, 8]}]
    assert settings["parameters"]["uri"] == "../model.onnx"
    assert mlserver_settings("g", CONTRACT)["inputs"][1] == {"name": "label", "datatype": "INT64", "shape": [-1]}  # type: ignore[index]


def test_the_runtime_for_mlserver_is_python_without_gandiag_and_torch() -> None:
    source = (exported_once().path / "mlserver/gandiag_runtime.py").read_text()
    compile(source, "gandiag_runtime.py", "exec")
    imports = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert not any("gandiag" in line or "torch" in line for line in imports)


@pytest.mark.parametrize(
    ("given", "made"),
    [("00001-mlp-digits", "00001-mlp-digits"), ("my run/ü", "my-run"), ("../..", "generator"), ("", "generator")],
)
def test_names_are_made_fit_for_servers(given: str, made: str) -> None:
    assert server_name(given) == made


def test_samples_are_the_same_whatever_the_batch() -> None:
    bundle = open_bundle(exported_once().path)
    whole = bundle.sample(20, seed=3)
    assert whole.shape == (20, 1, 8, 8)
    assert np.abs(bundle.sample(20, seed=3, batch=7) - whole).max() < 1e-6
    assert np.abs(bundle.sample(20, seed=4) - whole).max() > 1e-2

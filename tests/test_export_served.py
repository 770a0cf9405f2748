"""The bundle under the real server: MLServer's own parser takes its settings, and MLServer answers requests as the file does.

MLServer lives in an environment of its own, whose Python GANDIAG_MLSERVER_PYTHON names: `python3 -m venv X && X/bin/pip install mlserver
onnxruntime "tritonclient[http]"`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.export import serve
from gandiag.export.contract import Contract
from gandiag.export.serving import mlserver_settings
from tests.made_bundles import exported_once

PYTHON = os.environ.get("GANDIAG_MLSERVER_PYTHON", "")
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="GANDIAG_MLSERVER_PYTHON names no environment with mlserver: the real server is not asked"
)

PARSE = """
import json, sys
from mlserver.settings import ModelSettings
found = ModelSettings.model_validate(json.load(sys.stdin))
print(json.dumps([[one.name, one.datatype, one.shape] for one in found.inputs + found.outputs]))
"""


def test_mlserver_parses_the_settings() -> None:
    settings = mlserver_settings(
        "generator", Contract(latent_shape=(100, 1, 1), output_shape=(3, 32, 32), num_classes=10)
    )
    told = subprocess.run(
        [PYTHON, "-c", PARSE],
        input=json.dumps({**settings, "implementation": "mlserver.MLModel"}),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(told.stdout.splitlines()[-1])
    assert found == [["z", "FP32", [-1, 100, 1, 1]], ["label", "INT64", [-1]], ["image", "FP32", [-1, 3, 32, 32]]]


def test_mlserver_answers_as_the_file_does(tmp_path: Path) -> None:
    differences = serve(exported_once(), 40, PYTHON, tmp_path)  # by plain HTTP and by tritonclient
    assert len(differences) == 2
    assert max(differences) <= 1e-6

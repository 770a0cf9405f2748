"""What servers load: a Triton model repository and an MLServer folder. The servers are somebody else's; no torch."""

from __future__ import annotations

import json
import re
from importlib import resources

from gandiag.export.contract import IMAGE, LABEL, LATENT, Contract

TRITON_MAX_BATCH = 256  # the largest batch that parity was proven at


def server_name(name: str) -> str:
    """Returns a name that servers take as a model's: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "generator"


def triton_files(name: str, model: bytes, contract: Contract) -> dict[str, bytes]:
    """Returns the files of a Triton repository: triton/NAME/config.pbtxt and triton/NAME/1/model.onnx."""
    folder = f"triton/{name}"
    return {f"{folder}/config.pbtxt": triton_config(name, contract).encode(), f"{folder}/1/model.onnx": model}


def triton_config(name: str, contract: Contract) -> str:
    """Returns config.pbtxt. With a dynamic batch the dims are without it, and Triton gathers requests; a static one is in the dims."""
    dynamic = contract.batch is None
    lead: tuple[int, ...] = () if contract.batch is None else (contract.batch,)
    inputs = [(LATENT, "TYPE_FP32", (*lead, *contract.latent_shape))]
    if contract.num_classes is not None:
        inputs.append((LABEL, "TYPE_INT64", lead or (1,)))
    reshape = "\n    reshape { shape: [ ] }"  # labels come as (batch, 1), since Triton has no empty dims, and go in as (batch)
    parts = [
        f"  {{\n    name: {json.dumps(tensor)}\n    data_type: {kind}\n    dims: [ {', '.join(map(str, dims))} ]"
        f"{reshape if tensor == LABEL and dynamic else ''}\n  }}"
        for tensor, kind, dims in inputs
    ]
    kind, dims = "TYPE_UINT8" if contract.uint8 else "TYPE_FP32", ", ".join(map(str, (*lead, *contract.output_shape)))
    output = f'  {{\n    name: "{IMAGE}"\n    data_type: {kind}\n    dims: [ {dims} ]\n  }}'
    text = f'name: {json.dumps(name)}\nplatform: "onnxruntime_onnx"\nmax_batch_size: {TRITON_MAX_BATCH if dynamic else 0}\n'
    text += f"input [\n{(',' + chr(10)).join(parts)}\n]\noutput [\n{output}\n]\n"
    return text + ("dynamic_batching { }\n" if dynamic else "")


def mlserver_files(name: str, contract: Contract) -> dict[str, bytes]:
    """Returns the files of an MLServer folder: mlserver/model-settings.json, settings.json and the runtime that opens ../model.onnx."""
    return {
        "mlserver/model-settings.json": (json.dumps(mlserver_settings(name, contract), indent=1) + "\n").encode(),
        "mlserver/settings.json": (json.dumps({"debug": False, "parallel_workers": 0}, indent=1) + "\n").encode(),
        "mlserver/gandiag_runtime.py": resources.files("gandiag.export")
        .joinpath("mlserver_runtime.py.txt")
        .read_bytes(),
    }


def mlserver_settings(name: str, contract: Contract) -> dict[str, object]:
    """Returns model-settings.json; -1 is the batch where it is dynamic."""
    batch = contract.batch or -1
    inputs = [{"name": LATENT, "datatype": "FP32", "shape": [batch, *contract.latent_shape]}]
    if contract.num_classes is not None:
        inputs.append({"name": LABEL, "datatype": "INT64", "shape": [batch]})
    output = {
        "name": IMAGE,
        "datatype": "UINT8" if contract.uint8 else "FP32",
        "shape": [batch, *contract.output_shape],
    }
    return {
        "name": name,
        "implementation": "gandiag_runtime.OnnxGenerator",
        "parameters": {"uri": "../model.onnx", "version": "1"},
        "inputs": inputs,
        "outputs": [output],
    }

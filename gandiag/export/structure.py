"""Structure: the first certificate. The file is a sound, self-contained ONNX model that keeps its contract and tells nothing of its maker."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterator
from typing import Any

import onnx
from onnx import TensorProto

from gandiag.export.contract import (
    BATCH,
    IMAGE,
    LABEL,
    LATENT,
    MAX_MODEL_BYTES,
    OPSETS,
    BundleError,
    Certificate,
    Contract,
)

RANDOM_OPERATORS = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout"}
)
STANDARD_DOMAINS = frozenset({"", "ai.onnx"})
LEAKS = (
    re.compile(r"(?:^|[\s\"'(=:\[])/(?:[\w.@+-]+/)+[\w.@+-]+"),  # an absolute POSIX path of two parts or more
    re.compile(r"[A-Za-z]:\\[\w.]"),
    re.compile(r"\bFile \"|\bline \d+, in\b|Traceback|stack_trace"),
)


def structure_certificate(model: bytes, contract: Contract) -> Certificate:
    """Checks the file: onnx's full checker and shape inference, the contract's inputs and output, no noise, no leak, its size."""
    faults: list[str] = []
    try:
        proto = read_model(model)
    except BundleError as error:
        return Certificate("structure", False, str(error), {"bytes": len(model), "faults": [str(error)]})
    faults += check_model(model)
    faults += [
        f"{node.op_type} node {node.name!r}: noise inside the graph" for node in _nodes(proto) if _is_random(node)
    ]
    faults += contract_faults(proto, contract)
    faults += [f"a text in the file tells of its maker: {text[:120]!r}" for text in leaks(proto)]
    facts = {
        "bytes": len(model),
        "nodes": sum(1 for _ in _nodes(proto)),
        "opset": opset_of(proto),
        "ir_version": proto.ir_version,
        "operators": sorted({node.op_type for node in _nodes(proto)}),
        "faults": faults,
    }
    claim = (
        faults[0]
        if faults
        else (
            f"a valid ONNX file of {len(model) / 1e6:.2f} MB, {facts['nodes']} nodes, opset {facts['opset']}; "
            "no Random node, no path, name or stack trace in it"
        )
    )
    return Certificate("structure", not faults, claim, facts)


def read_model(model: bytes) -> onnx.ModelProto:
    """Parses a model from memory; raises BundleError where it is none, is too large, needs other files or operators that are not ONNX's own."""
    if len(model) > MAX_MODEL_BYTES:
        raise BundleError(
            f"the model has {len(model) / 1e9:.2f} GB, more than the {MAX_MODEL_BYTES / 1e9} GB that a bundle may hold"
        )
    try:
        proto = onnx.load_model_from_string(model)
    except Exception as error:  # protobuf's DecodeError, or a UnicodeDecodeError out of it
        raise BundleError("the file is no ONNX model: it is damaged, or something else") from error
    if not proto.graph.node and not proto.graph.output:
        raise BundleError("the file holds no ONNX graph")
    outside = next(
        (t.name for t in _tensors(proto) if t.data_location == TensorProto.EXTERNAL or t.external_data), None
    )
    if outside is not None:
        raise BundleError(
            f"the weight {outside!r} is stored outside the model's file: a bundle's model must be one file, and no other is opened for it"
        )
    if any(isinstance(name, bytes) for name in _names(proto)):
        raise BundleError("the model holds names that are no text: it is damaged")
    strange = {one.domain for one in proto.opset_import} | {node.domain for node in _nodes(proto)}
    strange -= STANDARD_DOMAINS | {function.domain for function in proto.functions}
    if strange:
        raise BundleError(f"the model needs operators of {', '.join(sorted(strange))}: only ONNX's own are run")
    if opset_of(proto) not in OPSETS:
        raise BundleError(
            f"the model is written in opset {opset_of(proto)}; {OPSETS.start} to {OPSETS.stop - 1} are read here: export it again"
        )
    return proto


def check_model(model: bytes) -> list[str]:
    """Returns what onnx's checker and strict shape inference find wrong, in a line each."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # checker and inference errors share no base but Exception
        return [f"onnx's checker: {(str(error).strip() or type(error).__name__).splitlines()[0][:300]}"]
    return []


def contract_faults(proto: onnx.ModelProto, contract: Contract) -> list[str]:
    """Returns where the graph's inputs and output differ from the contract."""
    batch: Any = BATCH if contract.batch is None else contract.batch
    wanted = {LATENT: (TensorProto.FLOAT, (batch, *contract.latent_shape))}
    if contract.num_classes is not None:
        wanted[LABEL] = (TensorProto.INT64, (batch,))
    kind = TensorProto.UINT8 if contract.uint8 else TensorProto.FLOAT
    faults = _differences({one.name: _signature(one) for one in proto.graph.input}, wanted)
    return faults + _differences(
        {one.name: _signature(one) for one in proto.graph.output}, {IMAGE: (kind, (batch, *contract.output_shape))}
    )


def leaks(proto: onnx.ModelProto) -> list[str]:
    """Returns every text in the model, weights apart, that holds an absolute path, a stack trace, or this user's name or home."""
    found = []
    personal = _personal_words()
    for text in _texts(proto):
        if any(pattern.search(text) for pattern in LEAKS) or any(word in text for word in personal):
            found.append(text)
    return found


def opset_of(proto: onnx.ModelProto) -> int:
    """Returns the version of ONNX's own operators that the model imports; 0 where it says none."""
    return max((int(one.version) for one in proto.opset_import if one.domain in STANDARD_DOMAINS), default=0)


def _personal_words() -> list[str]:
    words = [os.path.expanduser("~") + os.sep, os.getcwd() + os.sep]
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = ""
    words += [f"/{name}/", f"\\{name}\\", f"{name}@"] if name else []
    return [word for word in words if len(word) > 3]


def _is_random(node: Any) -> bool:
    return node.op_type in RANDOM_OPERATORS and not (node.op_type == "Dropout" and len(node.input) < 3)


def _signature(value: Any) -> tuple[int, tuple[Any, ...]]:
    tensor = value.type.tensor_type
    return tensor.elem_type, tuple(one.dim_param or one.dim_value for one in tensor.shape.dim)


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    if found == wanted:
        return []
    return [f"the graph declares {_said(found)}, the contract says {_said(wanted)}"]


def _said(signatures: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}: {TensorProto.DataType.Name(kind).lower()} {list(shape)}" for name, (kind, shape) in signatures.items()
    )


def _nodes(proto: onnx.ModelProto) -> Iterator[Any]:
    waiting = [*proto.graph.node, *(node for function in proto.functions for node in function.node)]
    while waiting:
        node = waiting.pop()
        yield node
        for attribute in node.attribute:
            for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                waiting += graph.node


def _names(proto: onnx.ModelProto) -> Iterator[Any]:
    """Every name that a node bears, and the domains; protobuf gives bytes where one is no text."""
    yield from (one.domain for one in (*proto.opset_import, *proto.functions))
    for node in _nodes(proto):
        yield from (node.op_type, node.name, node.domain, *node.input, *node.output)


def _tensors(message: Any) -> Iterator[Any]:
    """Every TensorProto anywhere in a message: initialisers, constants, subgraphs, sparse ones, defaults of functions."""
    if isinstance(message, TensorProto):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if not hasattr(value, "ListFields") else (value,):
                yield from _tensors(one)


def _texts(message: Any) -> Iterator[str]:
    """Every text anywhere in a message; the weights' own numbers are no text."""
    for field, value in message.ListFields():
        many = value if not (hasattr(value, "ListFields") or isinstance(value, (str, bytes, int, float))) else (value,)
        if field.message_type is not None:
            for one in many:
                yield from _texts(one)
        elif field.type == field.TYPE_STRING or (field.type == field.TYPE_BYTES and field.name != "raw_data"):
            for one in many:
                yield one if isinstance(one, str) else bytes(one).decode("utf-8", "replace")

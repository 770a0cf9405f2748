"""The FID Inception network's plan as an ONNX graph, run by ONNX Runtime: twice as fast as torch on a CPU, at equal numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandiag.metrics.inception import Inception, make_plan, tap


def onnx_session(network: Inception, layers: tuple[str, ...] = ("2048",), threads: int = 0) -> Any:
    """Returns an ONNX Runtime session (CPU) of the plan up to the asked layers: input `images`, one output a layer, by its name."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or torch.get_num_threads()
    options.log_severity_level = 3
    return ort.InferenceSession(
        _onnx_model(network, layers).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _onnx_model(network: Inception, layers: tuple[str, ...]) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    plan = make_plan()
    nodes, constants = [], []
    for number, layer in enumerate(plan.layers[: max(plan.taps[name] for name in layers)], start=1):
        inputs, output = [f"v{i}" for i in layer.inputs], f"v{number}"
        around = [layer.padding[0], layer.padding[1]] * 2
        if layer.kind == "convolve":
            for suffix, table in (("w", network.weights), ("b", network.biases)):
                constants.append(
                    numpy_helper.from_array(
                        np.ascontiguousarray(table[layer.name].float().cpu().numpy()), f"{layer.name}.{suffix}"
                    )
                )
            nodes.append(
                helper.make_node(
                    "Conv",
                    [*inputs, f"{layer.name}.w", f"{layer.name}.b"],
                    [f"c{number}"],
                    kernel_shape=list(layer.kernel),
                    strides=[layer.stride] * 2,
                    pads=around,
                )
            )
            nodes.append(helper.make_node("Relu", [f"c{number}"], [output]))
        elif layer.kind == "largest":
            nodes.append(
                helper.make_node(
                    "MaxPool", inputs, [output], kernel_shape=[3, 3], strides=[layer.stride] * 2, pads=around
                )
            )
        elif layer.kind == "mean":
            nodes.append(
                helper.make_node(
                    "AveragePool",
                    inputs,
                    [output],
                    kernel_shape=[3, 3],
                    strides=[1, 1],
                    pads=around,
                    count_include_pad=0,
                )
            )
        elif layer.kind == "join":
            nodes.append(helper.make_node("Concat", inputs, [output], axis=1))
        else:
            raise AssertionError(layer.kind)
    for name in layers:
        tapped = f"v{plan.taps[name]}"
        nodes.append(helper.make_node("Identity", [tapped], [name]))
    image = helper.make_tensor_value_info("v0", TensorProto.FLOAT, ["n", 3, 299, 299])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in layers]
    graph = helper.make_graph(nodes, "inception", [image], outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run_session(session: Any, images: Tensor, layers: tuple[str, ...] = ("2048",)) -> dict[str, Tensor]:
    """Returns the same as Inception.run, by ONNX Runtime."""
    outputs = session.run(list(layers), {"v0": images.contiguous().numpy()})
    return {name: tap(torch.from_numpy(value), name) for name, value in zip(layers, outputs)}

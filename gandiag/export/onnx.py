"""To ONNX: a served generator translated by torch's own exporter, in silence, without a trace of the machine it was made on."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import onnx
import torch

from gandiag.errors import UsageError
from gandiag.export.contract import BATCH, IMAGE, LABEL, LATENT, MAX_MODEL_BYTES, OPSETS, Contract, ExportError
from gandiag.export.examine import BATCHES, describe, example_inputs, first_difference, trace, watched
from gandiag.export.served import Served

EXACT_RULES = (  # of onnxscript's rewriting rules those that compare no number with a tolerance
    "materialize_reshape_shape_rule",
    "reshape_reshape_rule",
    "flatten_to_reshape_rule",
    "squeeze_reshape_1d_rule",
    "unsqueeze_unsqueeze_rule",
    "transpose_transpose_rule",
    "no_op_transpose_rule",
    "no_op_expand_rule",
    "no_op_cast_rule",
    "collapse_slice_rule",
    "collapse_slice2_rule",
    "fuse_batchnorm_into_conv_rule",
    "fuse_batchnorm_into_conv_transpose_rule",
    "fuse_batchnorm_into_gemm_rule",
)


def to_onnx(served: Served, contract: Contract, properties: Mapping[str, str]) -> bytes:
    """Translates a generator into the bytes of one ONNX file whose only metadata are `properties`.

    Raises ExportError with the layer and the cure where that cannot be, and where the file would pass MAX_MODEL_BYTES.
    """
    if contract.opset not in OPSETS:
        raise UsageError(f"opset {contract.opset} cannot be written: choose {OPSETS.start} to {OPSETS.stop - 1}")
    weights = sum(t.numel() * t.element_size() for t in (*served.parameters(), *served.buffers()))
    if weights > MAX_MODEL_BYTES:
        raise ExportError(
            f"the weights take {weights / 1e9:.2f} GB, and one ONNX file holds at most {MAX_MODEL_BYTES / 1e9} GB: export a smaller generator"
        )
    with silence():
        model = _translate(served, contract)
    scrub(model)
    _name_batch(model)
    if contract.precision == "float16":
        model = to_half(model)
        scrub(model)
    describe_model(model, properties)
    return bytes(model.SerializeToString(deterministic=True))


def simplify(model: Any) -> None:
    """Simplifies an exported graph in place by passes that keep its numbers: constants folded, batch norm put into its neighbour.

    Not the exporter's own optimisation: its rules take x + 1e-8 for x + 0 (a tolerance of 1e-8), and so lose the epsilon of
    StyleGAN's modulation and pixel norm; seen with onnxscript 0.7.2, parity 25 floors off.
    """
    import onnx_ir.passes.common as passes
    from onnxscript.optimizer import fold_constants_ir
    from onnxscript.rewriter import rewrite
    from onnxscript.rewriter.rules import common as rules

    chosen = [getattr(rules, name) for name in EXACT_RULES if hasattr(rules, name)]
    passes.InlinePass()(model)
    for _ in range(2):  # what one round folds, the next can rewrite
        fold_constants_ir(model)
        rewrite(model, chosen)
    tidy = (
        passes.RemoveUnusedNodesPass(),
        passes.RemoveUnusedFunctionsPass(),
        passes.RemoveUnusedOpsetsPass(),
        passes.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        passes.LiftSubgraphInitializersToMainGraphPass(),
        passes.DeduplicateInitializersPass(),
        passes.CommonSubexpressionEliminationPass(),
        passes.OutputFixPass(),
        passes.NameFixPass(),
    )
    for one in tidy:
        one(model)


def scrub(model: onnx.ModelProto) -> None:
    """Removes in place what the exporter says about the source: stack traces, paths, class names, documentation strings."""
    del model.metadata_props[:]
    model.doc_string = ""
    for graph in _graphs(model):
        graph.doc_string = ""
        del graph.value_info[:]
        for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
            part.doc_string = ""
            del part.metadata_props[:]
    for function in model.functions:
        function.doc_string = ""
        del function.metadata_props[:]
        del function.value_info[:]


def describe_model(model: onnx.ModelProto, properties: Mapping[str, str]) -> None:
    """Sets the model's metadata, sorted by key so that the bytes are the same each time."""
    del model.metadata_props[:]
    for key in sorted(properties):
        model.metadata_props.add(key=key, value=properties[key])
    model.doc_string = properties.get("description", "")


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Converts weights and computation to float16 by ONNX Runtime's own converter; what goes in and out stays float32."""
    with silence():
        from onnxruntime.transformers.float16 import convert_float_to_float16
        from onnxruntime.transformers.onnx_model import OnnxModel

        half: onnx.ModelProto = convert_float_to_float16(model, keep_io_types=True)
        OnnxModel.graph_topological_sort(
            half.graph, is_deterministic=True
        )  # the converter appends its casts at the end
    return half


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keeps the exporter's prints, log lines and warnings off the user's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        sys.stdout.flush()


def _name_batch(model: onnx.ModelProto) -> None:
    """Gives the batch axis, which tracing called s42 or so, its name."""
    symbol = model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for graph in _graphs(model):
        for value in (*graph.input, *graph.output):
            for axis in value.type.tensor_type.shape.dim:
                if symbol and axis.dim_param == symbol:
                    axis.dim_param = BATCH


def _translate(served: Served, contract: Contract) -> onnx.ModelProto:
    names = [LATENT] if contract.num_classes is None else [LATENT, LABEL]
    inputs = example_inputs(contract, contract.batch or BATCHES[0])
    program = _traced(served, contract, inputs, names)
    try:
        exported = torch.onnx.export(
            program,
            inputs,
            dynamo=True,
            input_names=names,
            output_names=[IMAGE],
            opset_version=contract.opset,
            external_data=False,
            optimize=False,
        )
        assert exported is not None
        simplify(exported.model)
    except Exception as error:  # the exporter raises what its parts raise
        raise ExportError(f"torch's exporter has no ONNX form of this generator: {_operator(error)}") from error
    model: onnx.ModelProto = exported.model_proto
    return model


def _traced(
    served: Served, contract: Contract, inputs: tuple[torch.Tensor, ...], names: list[str]
) -> torch.export.ExportedProgram:
    batch = torch.export.Dim(BATCH, min=1)
    shapes = None if contract.batch is not None else {name: {0: batch} for name in names}
    with watched(served) as stack, torch.no_grad():
        try:
            return torch.export.export(served, inputs, dynamic_shapes=shapes, strict=False)
        except Exception as error:  # tracing runs a stranger's forward
            where, reason = (stack[-1] if stack else None), error
    if where is not None:
        raise ExportError(_branch(served, where, reason)) from reason
    raise ExportError(_tied_to_batch(served, contract, reason)) from reason


def _branch(served: Served, layer: str, error: Exception) -> str:
    name = describe(served, layer)
    if "data-dependent" in str(error) or "GuardOnDataDependent" in type(error).__name__:
        return (
            f"layer {name} branches on the values of a tensor (if, while, float() or .item() on data): a graph has no such branch. Write it with "
            "torch.where or clamp, or compute the number once and keep it as a buffer"
        )
    return f"layer {name} cannot be traced: {_first_line(error)}. It must be torch operations on tensors from input to output (no numpy, no .item())"


def _tied_to_batch(served: Served, contract: Contract, error: Exception) -> str:
    layer = (
        (first_difference(served, contract) or _fixed_to_batch(served, contract)) if contract.batch is None else None
    )
    if layer is not None:
        return (
            f"layer {layer} is tied to the batch size (a loop over the samples, an if on it, or len(x) where x.shape[0] would do): the graph would "
            "hold for one size only. Write it for the whole batch at once, or fix the batch with --static-batch N"
        )
    return f"the generator is tied to one batch size: {_first_line(error)}. Write it for any batch, or fix the batch with --static-batch N"


def _fixed_to_batch(served: Served, contract: Contract) -> str | None:
    """Returns the innermost layer, of those that torch did not write, that cannot be traced alone with a dynamic batch."""
    size = BATCHES[0]
    _, seen = trace(served, contract, size)
    for name, given in seen.inputs:
        module = served.generator.get_submodule(name)
        ready = all(isinstance(one, torch.Tensor) and len(one) == size for one in given)
        if type(module).__module__.startswith("torch.nn.") or not ready:
            continue
        try:
            shapes = tuple({0: torch.export.Dim(BATCH, min=1)} for _ in given)
            torch.export.export(_Positional(module), given, dynamic_shapes=(shapes,), strict=False)
        except Exception:  # the reason was told by the whole generator's own failure
            return describe(served, name)
    return None


class _Positional(torch.nn.Module):
    """Calls a layer with whatever it is given, so that its parameters' names do not matter."""

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *given: torch.Tensor) -> Any:
        return self.layer(*given)


def _operator(error: Exception) -> str:
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    return _first_line(chain[-1])


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _graphs(model: onnx.ModelProto) -> Iterable[Any]:
    waiting: list[Any] = [model.graph]
    nodes_of_functions = [node for function in model.functions for node in function.node]
    for node in nodes_of_functions:
        node.doc_string = ""
        del node.metadata_props[:]
        waiting += _subgraphs(node)
    while waiting:
        graph = waiting.pop()
        yield graph
        for node in graph.node:
            waiting += _subgraphs(node)


def _subgraphs(node: Any) -> list[Any]:
    return [
        graph
        for attribute in node.attribute
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else []))
    ]

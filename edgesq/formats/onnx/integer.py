"""Write a Graph as ONNX with integer operators only, bit for bit TFLite's reference kernels.

Inside, activations are uint8 [1, C, H, W] holding q + 128; the model's input and outputs are int8.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgesq.formats.onnx.scope import TO_NCHW, TO_NHWC, UINT8_OFFSET, Scope
from edgesq.formats.onnx.table import INTEGER
from edgesq.graph import Graph, Tensor
from edgesq.int8_only import need_int8
from edgesq.operators import handler
from edgesq.version import VERSION

_OPSET, _IR_VERSION = 18, 8


def integer_onnx(graph: Graph) -> onnx.ModelProto:
    """Write `graph` with integer operators only.

    Returns:
        a model with inputs int8 of the graph's shapes named as `Graph.input_names`, and an output
        int8 [1, K] for each of `Graph.observed_names`; the same graph gives the same bytes.

    Raises:
        ModelError: activations are int16, or an operator keeps state.
    """
    need_int8(graph, "ONNX of integer operators")
    scope = Scope()
    named = dict(zip(graph.inputs, graph.input_names, strict=True))
    values = {
        index: _read_input(scope.within(name), name, graph.tensors[index])
        for index, name in named.items()
    }
    for op in graph.ops:
        write = handler(INTEGER, type(op))
        inputs = (values[index] for index in op.inputs)
        values[op.output] = write(scope.within(op.name), graph, op, *inputs)
    outputs = [
        _write_output(scope, name, graph.tensors[index], values[index])
        for name, index in zip(graph.observed_names, graph.observed, strict=True)
    ]
    sources = [
        helper.make_tensor_value_info(name, TensorProto.INT8, graph.tensors[index].shape)
        for index, name in named.items()
    ]
    body = helper.make_graph(scope.nodes, "edgesq", sources, outputs, scope.constants)
    model = helper.make_model(
        body,
        producer_name="edgesq",
        producer_version=VERSION,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    helper.set_model_props(model, _metadata(graph))
    onnx.checker.check_model(model)
    return model


def _metadata(graph: Graph) -> dict[str, str]:
    """Return what the .onnx must say by itself: the hash of its model, scales and zero points."""
    found = {"model_sha256": graph.sha256}
    ends = zip(graph.inputs, graph.input_names, strict=True)
    for index, name in (*ends, *zip(graph.outputs, graph.observed_names, strict=False)):
        found[f"{name}_scale"] = repr(graph.tensors[index].scale)
        found[f"{name}_zero_point"] = str(graph.tensors[index].zero_point)
    return found


def _read_input(scope: Scope, name: str, tensor: Tensor) -> str:
    """Add the nodes that turn int8 NHWC into uint8 NCHW."""
    wide = scope.cast("wide", name, np.int32)
    moved = scope.node("Add", "zero_point", wide, np.int32(UINT8_OFFSET))
    pixels = scope.cast("uint8", moved, np.uint8)
    if len(tensor.shape) < 4:
        pixels = scope.node("Reshape", "nhwc", pixels, np.array([1, *tensor.hwc], np.int64))
    return scope.node("Transpose", "nchw", pixels, perm=TO_NCHW)


def _write_output(scope: Scope, name: str, tensor: Tensor, value: str) -> onnx.ValueInfoProto:
    """Add the nodes that turn uint8 NCHW into an output, int8 [1, K]."""
    own = scope.within(name)
    if tensor.hwc[:2] != (1, 1):
        value = own.node("Transpose", "nhwc", value, perm=TO_NHWC)
    row = own.node("Flatten", "row", value)
    moved = own.node("Sub", "zero_point", own.cast("wide", row, np.int32), np.int32(UINT8_OFFSET))
    scope.cast(name, moved, np.int8)
    return helper.make_tensor_value_info(name, TensorProto.INT8, [1, int(np.prod(tensor.hwc))])

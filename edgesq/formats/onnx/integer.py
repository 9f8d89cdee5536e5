"""Write a Graph as ONNX with integer operators only, bit for bit TFLite's reference kernels.

Inside, activations are uint8 [1, C, H, W] holding q + 128; the model's input and outputs are int8.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

import edgesq
from edgesq.errors import ModelError
from edgesq.formats.onnx.conv import conv2d, depthwise_conv2d, grouped_conv2d
from edgesq.formats.onnx.elementwise import add, lookup, mul
from edgesq.formats.onnx.move import depth_to_space, pick, space_to_depth
from edgesq.formats.onnx.pool import average_pool2d, max_pool2d, mean
from edgesq.formats.onnx.scope import TO_NCHW, TO_NHWC, UINT8_OFFSET, Scope
from edgesq.formats.onnx.shape import concatenation, reshape
from edgesq.formats.onnx.softmax import softmax
from edgesq.graph import (
    Add,
    AveragePool2D,
    Concatenation,
    Conv2D,
    DepthToSpace,
    DepthwiseConv2D,
    Graph,
    GroupedConv2D,
    Lookup,
    MaxPool2D,
    Mean,
    Mul,
    Op,
    Pick,
    Reshape,
    Softmax,
    SpaceToDepth,
    Sub,
    Tensor,
)

_OPSET, _IR_VERSION = 18, 8


def integer_onnx(graph: Graph) -> onnx.ModelProto:
    """Write `graph` with integer operators only.

    Returns:
        a model with input `input` int8 of the graph's shape, output `output` int8 [1, K], and where
        that is a softmax a second output `logits` int8 [1, K]; the same graph gives the same bytes.

    Raises:
        ModelError: for an operator that has no integer form here.
    """
    scope = Scope()
    values = {graph.input: _read_input(scope.within("input"), graph.tensors[graph.input])}
    for op in graph.ops:
        inputs = [values[index] for index in op.inputs]
        values[op.output] = _write_op(scope.within(op.name), graph, op, inputs)
    outputs = [
        _write_output(scope, name, graph.tensors[index], values[index])
        for name, index in zip(("output", "logits"), graph.observed, strict=False)
    ]
    shape = graph.tensors[graph.input].shape
    source = helper.make_tensor_value_info("input", TensorProto.INT8, shape)
    body = helper.make_graph(scope.nodes, "edgesq", [source], outputs, scope.constants)
    model = helper.make_model(
        body,
        producer_name="edgesq",
        producer_version=edgesq.__version__,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    helper.set_model_props(model, _metadata(graph))
    onnx.checker.check_model(model)
    return model


def _metadata(graph: Graph) -> dict[str, str]:
    """Return what a user of the bare .onnx needs: whose numbers these are, and their scales."""
    source, result = graph.tensors[graph.input], graph.tensors[graph.output]
    return {
        "model_sha256": graph.sha256,
        "input_scale": repr(source.scale),
        "input_zero_point": str(source.zero_point),
        "output_scale": repr(result.scale),
        "output_zero_point": str(result.zero_point),
    }


def _read_input(scope: Scope, tensor: Tensor) -> str:
    """Add the way from int8 NHWC to uint8 NCHW."""
    wide = scope.cast("wide", "input", np.int32)
    moved = scope.node("Add", "zero_point", wide, np.int32(UINT8_OFFSET))
    pixels = scope.cast("uint8", moved, np.uint8)
    if len(tensor.shape) < 4:
        pixels = scope.node("Reshape", "nhwc", pixels, np.array([1, *tensor.hwc], np.int64))
    return scope.node("Transpose", "nchw", pixels, perm=TO_NCHW)


def _write_output(scope: Scope, name: str, tensor: Tensor, value: str) -> onnx.ValueInfoProto:
    """Add the way from uint8 NCHW to an output, int8 [1, K]."""
    own = scope.within(name)
    if tensor.hwc[:2] != (1, 1):
        value = own.node("Transpose", "nhwc", value, perm=TO_NHWC)
    row = own.node("Flatten", "row", value)
    moved = own.node("Sub", "zero_point", own.cast("wide", row, np.int32), np.int32(UINT8_OFFSET))
    scope.cast(name, moved, np.int8)
    return helper.make_tensor_value_info(name, TensorProto.INT8, [1, int(np.prod(tensor.hwc))])


def _write_op(scope: Scope, graph: Graph, op: Op, inputs: Sequence[str]) -> str:
    """Add one operator and return the name of its result."""
    match op:
        case Conv2D():
            return conv2d(scope, graph, op, inputs[0])
        case DepthwiseConv2D():
            return depthwise_conv2d(scope, graph, op, inputs[0])
        case GroupedConv2D():
            return grouped_conv2d(scope, graph, op, inputs[0])
        case MaxPool2D():
            return max_pool2d(scope, op, inputs[0])
        case AveragePool2D():
            return average_pool2d(scope, graph, op, inputs[0])
        case Concatenation():
            return concatenation(scope, inputs)
        case Mul():
            return mul(scope, graph, op, inputs)
        case Add() | Sub():
            return add(scope, graph, op, inputs)
        case Lookup():
            return lookup(scope, graph, op, inputs[0])
        case Mean():
            return mean(scope, graph, op, inputs[0])
        case Softmax():
            return softmax(scope, graph, op, inputs[0])
        case Pick():
            return pick(scope, graph, op, inputs[0])
        case SpaceToDepth():
            return space_to_depth(scope, graph, op, inputs[0])
        case DepthToSpace():
            return depth_to_space(scope, graph, op, inputs[0])
        case Reshape():
            return reshape(scope, graph, op, inputs[0])
    raise ModelError(f"{op.kind} has no integer ONNX form", where=op.name)

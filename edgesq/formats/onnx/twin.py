"""The float twin of an int8 model: its operators in float32, as ONNX, any tensor of it looked at.

It has the structure of the .tflite and the weights of the float model, so that each activation has
its counterpart in the int8 model; some of them may be rounded as the int8 model rounds them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

import edgesq
from edgesq.errors import ModelError
from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.onnx import onnx_session
from edgesq.formats.onnx.scope import TO_NCHW, TO_NHWC, Scope, window_attributes
from edgesq.graph import (
    Add,
    AveragePool2D,
    Binary,
    Concatenation,
    Conv2D,
    Convolution,
    DepthToSpace,
    DepthwiseConv2D,
    Graph,
    GroupedConv2D,
    HardSwish,
    LeakyRelu,
    Logistic,
    Lookup,
    Maximum,
    MaxPool2D,
    Mean,
    Minimum,
    Mul,
    Op,
    Pick,
    Quantize,
    Relu,
    Relu0To1,
    Relu6,
    ReluN1To1,
    Reshape,
    Softmax,
    SpaceToDepth,
    Sub,
    Tanh,
    Tensor,
)

Float32Array = NDArray[np.float32]

_OPSET, _IR_VERSION = 17, 8
_INT8_RANGE = (-128, 127)


def float_twin(
    graph: Graph,
    weights: Mapping[str, FloatWeights],
    wanted: Sequence[int],
    rounded: Collection[int] = (),
    ops: Sequence[Op] | None = None,
) -> onnx.ModelProto:
    """Write the operators of an int8 model in float32.

    Args:
        graph: the int8 model.
        weights: by operator name.
        wanted: tensors of the graph to give out.
        rounded: tensors that are rounded and cut as int8 does, and go on as floats.
        ops: those to write; None for all.

    Returns:
        a model of float32 [1, H, W, C] reals: an input for each tensor that no operator written
        makes, and an output for each of `wanted`, named by their numbers.

    Raises:
        ModelError: an operator has no float form here.
    """
    written = graph.ops if ops is None else ops
    sources = sorted({i for op in written for i in op.inputs} - {op.output for op in written})
    scope, values = Scope(), dict[int, str]()
    for index in sources:
        inner = scope.within(f"in{index}")
        values[index] = inner.node("Transpose", "nchw", str(index), perm=TO_NCHW)
        if index in rounded:
            values[index] = _rounded(inner, graph.tensors[index], values[index])
    for op in written:
        inner = scope.within(op.name)
        value = _write_op(inner, graph, op, [values[index] for index in op.inputs], weights)
        if op.output in rounded:
            value = _rounded(inner, graph.tensors[op.output], value)
        values[op.output] = value
    for index in wanted:
        scope.node("Transpose", str(index), values[index], perm=TO_NHWC)
    inputs, outputs = (
        [_described(graph, index) for index in indices] for indices in (sources, wanted)
    )
    body = helper.make_graph(scope.nodes, "edgesq_twin", inputs, outputs, scope.constants)
    return helper.make_model(
        body,
        producer_name="edgesq",
        producer_version=edgesq.__version__,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )


def twin_activations(
    model: onnx.ModelProto, *inputs: Float32Array
) -> Iterator[tuple[Float32Array, ...]]:
    """Yield for each image what a twin gives out, float32 [H, W, C] each.

    Args:
        model: from `float_twin`.
        inputs: float32 [n, H, W, C] for each of its inputs, in the order of their numbers.
    """
    session = onnx_session(model)
    names = [value.name for value in session.get_inputs()]
    for images in zip(*inputs, strict=True):
        feed = {name: image[np.newaxis] for name, image in zip(names, images, strict=True)}
        yield tuple(row[0] for row in session.run(None, feed))


def _described(graph: Graph, index: int) -> onnx.ValueInfoProto:
    shape = [1, *graph.tensors[index].hwc]
    return helper.make_tensor_value_info(str(index), TensorProto.FLOAT, shape)


def _rounded(scope: Scope, tensor: Tensor, value: str) -> str:
    """Add the way to the nearest level that int8 has, and back."""
    scale, zero_point = np.float32(tensor.scale), np.float32(tensor.zero_point)
    levels = scope.node("Round", "level", scope.node("Div", "steps", value, scale))
    low, high = np.float32(-128) - zero_point, np.float32(127) - zero_point
    return scope.node("Mul", "real", scope.node("Clip", "cut", levels, low, high), scale)


def _write_op(
    scope: Scope,
    graph: Graph,
    op: Op,
    inputs: Sequence[str],
    weights: Mapping[str, FloatWeights],
) -> str:
    match op:
        case Conv2D() | DepthwiseConv2D() | GroupedConv2D():
            return _convolution(scope, graph, op, inputs[0], weights[op.name])
        case MaxPool2D():
            pooled = scope.node("MaxPool", "pool", inputs[0], **window_attributes(op.window))
            return _clamped(scope, graph.tensors[op.output], op.clamp, pooled)
        case AveragePool2D():
            pooled = scope.node("AveragePool", "pool", inputs[0], **window_attributes(op.window))
            return _clamped(scope, graph.tensors[op.output], op.clamp, pooled)
        case Concatenation():
            return scope.node("Concat", "concat", *inputs, axis=1)
        case Add() | Sub() | Mul():
            return _binary(scope, graph, op, dict(zip(op.inputs, inputs, strict=True)))
        case Lookup():
            return _each_value(scope, graph.tensors[op.output], op, inputs[0])
        case Mean():
            return scope.node("ReduceMean", "mean", inputs[0], axes=[2, 3], keepdims=1)
        case Softmax():
            steeper = scope.node("Mul", "beta", inputs[0], np.float32(op.beta))
            return scope.node("Softmax", "softmax", steeper, axis=1)
        case Reshape():
            nhwc = scope.node("Transpose", "nhwc", inputs[0], perm=TO_NHWC)
            shape = np.array([1, *graph.tensors[op.output].hwc], np.int64)
            return scope.node(
                "Transpose", "nchw", scope.node("Reshape", "shape", nhwc, shape), perm=TO_NCHW
            )
        case Pick():
            return _pick(scope, graph.tensors[op.output], op, inputs[0])
        case SpaceToDepth():
            return scope.node("SpaceToDepth", "depth", inputs[0], blocksize=op.block)
        case DepthToSpace():
            return scope.node("DepthToSpace", "space", inputs[0], blocksize=op.block, mode="DCR")
    raise ModelError(f"{op.kind} has no float form here", where=op.name)


def _binary(scope: Scope, graph: Graph, op: Binary, inputs: Mapping[int, str]) -> str:
    """Add a sum, difference or product; constants are what the int8 model has."""
    operands: list[str | Float32Array] = []
    for index in op.operands:
        tensor = graph.tensors[index]
        if tensor.data is None:
            operands.append(inputs[index])
            continue
        real = (tensor.data.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)
        shape = (1,) * (4 - real.ndim) + real.shape
        operands.append(real.reshape(shape).transpose(TO_NCHW))
    kind = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul"}[op.kind]
    total = scope.node(kind, "binary", *operands)
    return _clamped(scope, graph.tensors[op.output], op.clamp, total)


def _clamped(scope: Scope, tensor: Tensor, clamp: tuple[int, int], value: str) -> str:
    """Add the fused activation, as far as int8 levels tell: ReLU where they begin at zero."""
    low, high = ((end - tensor.zero_point) * tensor.scale for end in clamp)
    if clamp[0] == tensor.zero_point:
        value = scope.node("Relu", "relu", value)
    elif clamp[0] > _INT8_RANGE[0]:
        value = scope.node("Max", "low", value, np.float32(low))
    return (
        scope.node("Min", "high", value, np.float32(high)) if clamp[1] < _INT8_RANGE[1] else value
    )


def _each_value(scope: Scope, tensor: Tensor, op: Lookup, value: str) -> str:
    match op:
        case Quantize():
            return value
        case Relu():
            return scope.node("Relu", "relu", value)
        case Relu6():
            return scope.node("Clip", "relu6", value, np.float32(0), np.float32(6))
        case Relu0To1():
            return scope.node("Clip", "relu1", value, np.float32(0), np.float32(1))
        case Minimum() | Maximum():
            return _clamped(scope, tensor, op.clamp, value)
        case ReluN1To1():
            return scope.node("Clip", "limited", value, np.float32(-1), np.float32(1))
        case LeakyRelu():
            return scope.node("LeakyRelu", "leaky", value, alpha=op.alpha)
        case HardSwish():
            return scope.node("HardSwish", "swish", value)
        case Logistic():
            return scope.node("Sigmoid", "logistic", value)
        case Tanh():
            return scope.node("Tanh", "tanh", value)
    raise ModelError(f"{op.kind} has no float form here", where=op.name)


def _pick(scope: Scope, tensor: Tensor, op: Pick, pixels: str) -> str:
    """Surround the image with what lies outside, and choose rows, columns and channels of that."""
    fill = np.float32((op.fill - tensor.zero_point) * tensor.scale)
    around = np.array([0, 1, 1, 1, 0, 1, 1, 1], np.int64)
    value = scope.node("Pad", "around", pixels, around, fill)
    for axis, chosen in ((1, op.channels), (2, op.rows), (3, op.columns)):
        indices = np.array(chosen, np.int64) + 1
        value = scope.node("Gather", f"axis{axis}", value, indices, axis=axis)
    return value


def _convolution(
    scope: Scope, graph: Graph, op: Convolution, pixels: str, weights: FloatWeights
) -> str:
    is_depthwise = isinstance(op, DepthwiseConv2D)
    kernel = weights.kernel.transpose((3, 0, 1, 2) if is_depthwise else TO_NCHW)
    attributes: dict[str, Any] = window_attributes(op.window)
    groups = graph.tensors[op.inputs[0]].hwc[2] // kernel.shape[1]
    sums = scope.node("Conv", "conv", pixels, kernel, weights.bias, **attributes, group=groups)
    if weights.activation == "none":
        return sums
    positive = scope.node("Relu", "relu", sums)
    if weights.activation == "relu":
        return positive
    return scope.node("Clip", "relu6", positive, np.float32(0), np.float32(6))

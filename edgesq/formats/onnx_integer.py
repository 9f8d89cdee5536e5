"""Write a Graph as ONNX with integer operators only, bit for bit TFLite's reference kernels.

Inside, activations are uint8 [1, C, H, W] holding q + 128; the model's input and outputs are int8.
Convolutions read weights as uint8 with zero point 128: on x86 without VNNI, ONNX Runtime's product
of uint8 by int8 saturates at 16 bits, that of uint8 by uint8 does not.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

import edgesq
from edgesq import arithmetic
from edgesq.errors import ModelError
from edgesq.formats.onnx_scope import UINT8_OFFSET, Scope, requantize, rescale
from edgesq.formats.onnx_softmax import softmax
from edgesq.graph import (
    Add,
    AveragePool2D,
    Concatenation,
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    FullyConnected,
    Graph,
    MaxPool2D,
    Mean,
    Op,
    Reshape,
    Softmax,
    Tensor,
    Window,
)

_OPSET, _IR_VERSION = 18, 8
_INT8_RANGE = (-128, 127)
_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


def integer_onnx(graph: Graph) -> onnx.ModelProto:
    """Write `graph` with integer operators only.

    Returns:
        a model with input `input` int8 [1, H, W, C], output `output` int8 [1, K], and where that
        is a softmax a second output `logits` int8 [1, K]; the same graph gives the same bytes.

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
    if len(tensor.shape) == 2:
        return scope.node("Reshape", "nchw", pixels, np.array([1, -1, 1, 1], np.int64))
    return scope.node("Transpose", "nchw", pixels, perm=_TO_NCHW)


def _write_output(scope: Scope, name: str, tensor: Tensor, value: str) -> onnx.ValueInfoProto:
    """Add the way from uint8 NCHW to an output, int8 [1, K]."""
    own = scope.within(name)
    if tensor.hwc[:2] != (1, 1):
        value = own.node("Transpose", "nhwc", value, perm=_TO_NHWC)
    row = own.node("Flatten", "row", value)
    moved = own.node("Sub", "zero_point", own.cast("wide", row, np.int32), np.int32(UINT8_OFFSET))
    scope.cast(name, moved, np.int8)
    return helper.make_tensor_value_info(name, TensorProto.INT8, [1, int(np.prod(tensor.hwc))])


def _write_op(scope: Scope, graph: Graph, op: Op, inputs: Sequence[str]) -> str:
    """Add one operator and return the name of its result."""
    match op:
        case Conv2D():
            return _conv2d(scope, graph, op, inputs[0])
        case DepthwiseConv2D():
            return _depthwise_conv2d(scope, graph, op, inputs[0])
        case MaxPool2D():
            return _max_pool2d(scope, op, inputs[0])
        case AveragePool2D():
            return _average_pool2d(scope, graph, op, inputs[0])
        case Concatenation():
            return scope.node("Concat", "concat", *inputs, axis=1)
        case Add():
            return _add(scope, graph, op, inputs)
        case Mean():
            return _mean(scope, graph, op, inputs[0])
        case Softmax():
            return softmax(scope, graph, op, inputs[0])
        case Reshape():
            return _reshape(scope, graph, op, inputs[0])
    raise ModelError(f"{op.kind} has no integer ONNX form", where=op.name)


def _window(window: Window) -> dict[str, list[int]]:
    """Return a window as the attributes of Conv and MaxPool."""
    return {
        "kernel_shape": [window.height, window.width],
        "strides": [window.stride_h, window.stride_w],
        "pads": [window.pad_top, window.pad_left, window.pad_bottom, window.pad_right],
    }


def _unsigned(q: NDArray[Any] | int) -> NDArray[np.uint8]:
    """Return int8 values as q + 128."""
    return (np.asarray(q, np.int32) + UINT8_OFFSET).astype(np.uint8)


def _conv2d(scope: Scope, graph: Graph, op: Conv2D, pixels: str) -> str:
    weights = graph.tensors[op.weights].data
    assert weights is not None
    return _convolution(scope, graph, op, pixels, weights.transpose(_TO_NCHW), groups=1)


def _depthwise_conv2d(scope: Scope, graph: Graph, op: DepthwiseConv2D, pixels: str) -> str:
    weights = graph.tensors[op.weights].data
    assert weights is not None
    channels = graph.tensors[op.inputs[0]].hwc[2]
    return _convolution(scope, graph, op, pixels, weights.transpose(3, 0, 1, 2), groups=channels)


def _convolution(
    scope: Scope,
    graph: Graph,
    op: Convolution,
    pixels: str,
    kernel: NDArray[Any],
    *,
    groups: int,
) -> str:
    """Add a convolution with int8 weights [O, C / groups, H, W], and its requantization."""
    bias = graph.tensors[op.bias].data
    assert bias is not None
    accumulator = scope.node(
        "ConvInteger",
        "conv",
        pixels,
        scope.constant("weights", _unsigned(kernel)),
        _unsigned(graph.tensors[op.inputs[0]].zero_point),
        _unsigned(0),
        **_window(op.window),
        group=groups,
    )
    own, zero_point = scope.within("requantize"), graph.tensors[op.output].zero_point
    if isinstance(op, FullyConnected):
        parameters = arithmetic.rescale_parameters(graph, op)
        bias32 = bias.astype(np.int32)
        return rescale(
            own, accumulator, parameters, bias=bias32, zero_point=zero_point, clamp=op.clamp
        )
    multiplier, shift = arithmetic.conv2d_multipliers(graph, op)
    return requantize(
        own,
        accumulator,
        multiplier,
        shift,
        bias=bias.astype(np.int64),
        zero_point=zero_point,
        clamp=op.clamp,
    )


def _max_pool2d(scope: Scope, op: MaxPool2D, pixels: str) -> str:
    largest = scope.node("MaxPool", "pool", pixels, **_window(op.window))
    if op.clamp == _INT8_RANGE:
        return largest
    return scope.node("Clip", "clamp", largest, *map(_unsigned, op.clamp))


def _average_pool2d(scope: Scope, graph: Graph, op: AveragePool2D, pixels: str) -> str:
    """Add a sum per window (a padded place is the zero point: 0), divided by the places inside."""
    window, channels = op.window, graph.tensors[op.output].hwc[2]
    ones = np.ones((channels, 1, window.height, window.width), np.uint8)
    total = scope.node(
        "ConvInteger", "sum", pixels, ones, _unsigned(0), **_window(window), group=channels
    )
    count = _places_inside(graph, op)
    sign = scope.node("Sign", "sign", total)
    nudged = scope.node("Add", "nudged", total, scope.node("Mul", "half", sign, count // 2))
    mean = scope.node("Div", "mean", nudged, count)
    if op.clamp != _INT8_RANGE:
        mean = scope.node("Clip", "clamp", mean, *(np.int32(bound) for bound in op.clamp))
    return scope.cast(
        "uint8", scope.node("Add", "zero_point", mean, np.int32(UINT8_OFFSET)), np.uint8
    )


def _places_inside(graph: Graph, op: AveragePool2D) -> NDArray[np.int32]:
    """Return how many places of each window are inside the image, int32 [H, W] or a scalar."""
    window = op.window
    (height, width, _), (rows, columns, _) = (
        graph.tensors[index].hwc for index in (op.inputs[0], op.output)
    )
    top = np.arange(rows) * window.stride_h - window.pad_top
    left = np.arange(columns) * window.stride_w - window.pad_left
    tall = np.minimum(top + window.height, height) - np.maximum(top, 0)
    wide = np.minimum(left + window.width, width) - np.maximum(left, 0)
    count = np.outer(tall, wide).astype(np.int32)
    return np.array(count.flat[0]) if (count == count.flat[0]).all() else count


def _add(scope: Scope, graph: Graph, op: Add, inputs: Sequence[str]) -> str:
    """Add both inputs, rescaled to a common scale by tables, and requantize the sum."""
    parameters = arithmetic.add_parameters(graph, op)
    every = np.arange(256, dtype=np.int64) - UINT8_OFFSET
    scaled = []
    for position, (pixels, tensor) in enumerate(zip(inputs, op.inputs, strict=True)):
        table = arithmetic.multiply_by_quantized_multiplier(
            (every - graph.tensors[tensor].zero_point) << arithmetic.ADD_LEFT_SHIFT,
            parameters.multiplier[position],
            parameters.shift[position],
        ).astype(np.int32)
        index = scope.cast(f"index{position}", pixels, np.int32)
        scaled.append(scope.lookup(f"scaled{position}", table, index))
    return requantize(
        scope.within("requantize"),
        scope.node("Add", "sum", *scaled),
        np.array([parameters.output_multiplier]),
        np.array([parameters.output_shift]),
        bias=np.array([0]),
        zero_point=graph.tensors[op.output].zero_point,
        clamp=op.clamp,
    )


def _mean(scope: Scope, graph: Graph, op: Mean, pixels: str) -> str:
    parameters = arithmetic.mean_parameters(graph, op)
    height, width, _ = graph.tensors[op.inputs[0]].hwc
    wide, axes = scope.cast("wide", pixels, np.int32), np.array([2, 3], np.int64)
    return requantize(
        scope.within("requantize"),
        scope.node("ReduceSum", "sum", wide, axes, keepdims=1),
        np.array([parameters.multiplier]),
        np.array([parameters.shift]),
        bias=np.array([-parameters.offset - UINT8_OFFSET * height * width]),
        zero_point=graph.tensors[op.output].zero_point,
        clamp=_INT8_RANGE,
    )


def _reshape(scope: Scope, graph: Graph, op: Reshape, pixels: str) -> str:
    """Add the reshape in TFLite's order (NHWC), where it does anything."""
    source, result = (graph.tensors[index].hwc for index in (op.inputs[0], op.output))
    if source == result:
        return pixels
    nhwc = scope.node("Transpose", "nhwc", pixels, perm=_TO_NHWC)
    reshaped = scope.node("Reshape", "reshape", nhwc, np.array([1, *result], np.int64))
    return scope.node("Transpose", "nchw", reshaped, perm=_TO_NCHW)

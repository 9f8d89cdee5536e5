"""Convolutions as ONNX nodes.

In integers, weights are uint8 with zero point 128: on x86 without VNNI, ONNX Runtime's product of
uint8 by int8 saturates at 16 bits, that of uint8 by uint8 does not.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq import arithmetic
from edgesq.formats.onnx.real import FloatModel
from edgesq.formats.onnx.scope import (
    TO_NCHW,
    TO_NHWC,
    Scope,
    Writers,
    requantize,
    rescale,
    unsigned,
    unsigned_weights,
    window_attributes,
)
from edgesq.graph import Graph
from edgesq.operators import Conv2D, Convolution, DepthwiseConv2D, FullyConnected, GroupedConv2D


def conv2d(scope: Scope, graph: Graph, op: Conv2D, pixels: str) -> str:
    """Add a CONV_2D or FULLY_CONNECTED."""
    weights = graph.exact_weights(op)
    return _convolution(scope, graph, op, pixels, weights.transpose(TO_NCHW), groups=1)


def grouped_conv2d(scope: Scope, graph: Graph, op: GroupedConv2D, pixels: str) -> str:
    """Add a CONV_2D in groups."""
    weights = graph.exact_weights(op)
    groups = graph.tensors[op.inputs[0]].hwc[2] // weights.shape[3]
    return _convolution(scope, graph, op, pixels, weights.transpose(TO_NCHW), groups=groups)


def depthwise_conv2d(scope: Scope, graph: Graph, op: DepthwiseConv2D, pixels: str) -> str:
    """Add a DEPTHWISE_CONV_2D."""
    weights = graph.exact_weights(op)
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
    """Add a convolution with weights [O, C / groups, H, W] that span 8 bits, and what follows."""
    bias = graph.constant(op.bias)
    weights, point = unsigned_weights(kernel)
    accumulator = scope.node(
        "ConvInteger",
        "conv",
        pixels,
        scope.constant("weights", weights),
        unsigned(graph.tensors[op.inputs[0]].zero_point),
        point,
        **window_attributes(op.window),
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


def float_convolution(scope: Scope, model: FloatModel, op: Convolution, pixels: str) -> str:
    """Add a convolution, and its activation."""
    kernel = model.kernel(scope, op, (3, 0, 1, 2) if op.channel_axis == 3 else TO_NCHW)
    each = 1 if op.channel_axis == 3 else model.graph.constant(op.weights).shape[3]
    attributes: dict[str, Any] = window_attributes(op.window)
    groups = model.result(op.inputs[0]).hwc[2] // each
    bias = model.bias(scope, op)
    sums = scope.node("Conv", "conv", pixels, kernel, bias, **attributes, group=groups)
    return model.activated(scope, op, sums)


def float_dense(scope: Scope, model: FloatModel, op: FullyConnected, pixels: str) -> str:
    """Add a product of the whole image, in TensorFlow Lite's order (NHWC), or of each pixel."""
    height, width, _ = model.result(op.output).hwc
    if (height, width) != (1, 1):
        return float_convolution(scope, model, op, pixels)
    if model.result(op.inputs[0]).hwc[:2] != (1, 1):
        pixels = scope.node("Transpose", "nhwc", pixels, perm=TO_NHWC)
    row = scope.node("Flatten", "row", pixels)
    kernel, bias = model.kernel(scope, op, None), model.bias(scope, op)
    sums = scope.node("Gemm", "dense", row, kernel, bias, transB=1)
    pixel = np.array([1, -1, 1, 1], np.int64)
    return scope.node("Reshape", "pixel", model.activated(scope, op, sums), pixel)


INTEGER: Writers = {
    Conv2D: conv2d,
    DepthwiseConv2D: depthwise_conv2d,
    GroupedConv2D: grouped_conv2d,
}
FLOAT: Writers = {Convolution: float_convolution, FullyConnected: float_dense}

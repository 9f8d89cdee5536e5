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
    Scope,
    Writers,
    requantize,
    rescale,
    unsigned,
    window_attributes,
)
from edgesq.graph import Graph
from edgesq.operators import Conv2D, Convolution, DepthwiseConv2D, FullyConnected, GroupedConv2D


def conv2d(scope: Scope, graph: Graph, op: Conv2D, pixels: str) -> str:
    """Add a CONV_2D or FULLY_CONNECTED."""
    weights = graph.constant(op.weights)
    return _convolution(scope, graph, op, pixels, weights.transpose(TO_NCHW), groups=1)


def grouped_conv2d(scope: Scope, graph: Graph, op: GroupedConv2D, pixels: str) -> str:
    """Add a CONV_2D in groups."""
    weights = graph.constant(op.weights)
    groups = graph.tensors[op.inputs[0]].hwc[2] // weights.shape[3]
    return _convolution(scope, graph, op, pixels, weights.transpose(TO_NCHW), groups=groups)


def depthwise_conv2d(scope: Scope, graph: Graph, op: DepthwiseConv2D, pixels: str) -> str:
    """Add a DEPTHWISE_CONV_2D."""
    weights = graph.constant(op.weights)
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
    bias = graph.constant(op.bias)
    accumulator = scope.node(
        "ConvInteger",
        "conv",
        pixels,
        scope.constant("weights", unsigned(kernel)),
        unsigned(graph.tensors[op.inputs[0]].zero_point),
        unsigned(0),
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
    """Add a convolution by the float model's weights, and its activation."""
    weights = model.weights[op.name]
    kernel = weights.kernel.transpose((3, 0, 1, 2) if op.channel_axis == 3 else TO_NCHW)
    attributes: dict[str, Any] = window_attributes(op.window)
    groups = model.result(op.inputs[0]).hwc[2] // kernel.shape[1]
    sums = scope.node("Conv", "conv", pixels, kernel, weights.bias, **attributes, group=groups)
    if weights.activation == "none":
        return sums
    positive = scope.node("Relu", "relu", sums)
    if weights.activation == "relu":
        return positive
    return scope.node("Clip", "relu6", positive, np.float32(0), np.float32(6))


INTEGER: Writers = {
    Conv2D: conv2d,
    DepthwiseConv2D: depthwise_conv2d,
    GroupedConv2D: grouped_conv2d,
}
FLOAT: Writers = {Convolution: float_convolution}

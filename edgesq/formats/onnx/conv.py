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
from edgesq.operators import (
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    FullyConnected,
    GroupedConv2D,
    TransposeConv,
    Window,
)


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


def transpose_conv(scope: Scope, graph: Graph, op: TransposeConv, pixels: str) -> str:
    """Add a TRANSPOSE_CONV: zero points between the pixels, then a convolution back to front."""
    source, result, window = graph.tensors[op.inputs[0]], graph.tensors[op.output], op.window
    (height, width, channels), zero = source.hwc, unsigned(source.zero_point)
    tall, wide = height * window.stride_h, width * window.stride_w
    apart = np.array([1, channels, height, 1, width, 1], np.int64)
    ends = np.array([0] * 9 + [window.stride_h - 1, 0, window.stride_w - 1], np.int64)
    spread = scope.node("Pad", "spread", scope.node("Reshape", "apart", pixels, apart), ends, zero)
    image = scope.node("Reshape", "image", spread, np.array([1, channels, tall, wide], np.int64))
    before = (window.height - 1 - window.pad_top, window.width - 1 - window.pad_left)
    after = (
        result.hwc[0] - tall + window.pad_top,
        result.hwc[1] - wide + window.pad_left,
    )
    shown = np.array([0, 0, *before, 0, 0, *after], np.int64)
    bordered = scope.node("Pad", "border", image, shown, zero)
    kernel = graph.constant(op.weights)[:, ::-1, ::-1].transpose(TO_NCHW)
    plain = Window(window.height, window.width, 1, 1, 0, 0, 0, 0)
    accumulator = _sums(scope, graph, op, bordered, kernel, plain, groups=1)
    return _requantized(scope, graph, op, accumulator)


def _sums(
    scope: Scope,
    graph: Graph,
    op: Convolution,
    pixels: str,
    kernel: NDArray[Any],
    window: Window,
    *,
    groups: int,
) -> str:
    """Add the sums of a convolution with weights [O, C / groups, H, W] that span 8 bits."""
    weights, point = unsigned_weights(kernel)
    return scope.node(
        "ConvInteger",
        "conv",
        pixels,
        scope.constant("weights", weights),
        unsigned(graph.tensors[op.inputs[0]].zero_point),
        point,
        **window_attributes(window),
        group=groups,
    )


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
    accumulator = _sums(scope, graph, op, pixels, kernel, op.window, groups=groups)
    return _requantized(scope, graph, op, accumulator)


def _requantized(scope: Scope, graph: Graph, op: Convolution, accumulator: str) -> str:
    bias = graph.constant(op.bias)
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


def float_transpose_conv(scope: Scope, model: FloatModel, op: TransposeConv, pixels: str) -> str:
    """Add a ConvTranspose and its activation."""
    window = op.window
    source, result = model.result(op.inputs[0]), model.result(op.output)
    behind = [
        (extent - 1) * by + taps - before - made
        for extent, by, taps, before, made in zip(
            source.hwc[:2],
            (window.stride_h, window.stride_w),
            (window.height, window.width),
            (window.pad_top, window.pad_left),
            result.hwc[:2],
            strict=True,
        )
    ]
    attributes: dict[str, Any] = {
        "kernel_shape": [window.height, window.width],
        "strides": [window.stride_h, window.stride_w],
        "pads": [window.pad_top, window.pad_left, *(max(left, 0) for left in behind)],
        "output_padding": [max(-left, 0) for left in behind],
    }
    ordered = model.kernel(scope, op, TO_NCHW)  # whose first axis may have a scale for each
    kernel = scope.node("Transpose", "kernel", ordered, perm=(1, 0, 2, 3))
    sums = scope.node("ConvTranspose", "conv", pixels, kernel, model.bias(scope, op), **attributes)
    return model.activated(scope, op, sums)


INTEGER: Writers = {
    Conv2D: conv2d,
    DepthwiseConv2D: depthwise_conv2d,
    GroupedConv2D: grouped_conv2d,
    TransposeConv: transpose_conv,
}
FLOAT: Writers = {
    Convolution: float_convolution,
    FullyConnected: float_dense,
    TransposeConv: float_transpose_conv,
}

"""CONV_2D, FULLY_CONNECTED, DEPTHWISE_CONV_2D and TRANSPOSE_CONV on int8.

Mirror: firmware/src/ops/esq_conv2d.c, esq_fully_connected.c, esq_depthwise_conv2d.c,
esq_conv2d_phases.c.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from edgesq.arithmetic import Int64Array, rescaled
from edgesq.graph import Graph, Int8Array
from edgesq.operators import (
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    GroupedConv2D,
    Op,
    TransposeConv,
    Window,
    handler,
)
from edgesq.reference.kernel import Kernels
from edgesq.reference.windows import gather


def convolution(graph: Graph, op: Convolution, image: Int8Array) -> Int8Array:
    """Convolve int8 [H, W, C] to int8 [H_out, W_out, O]."""
    levels = rescaled(graph, op, convolution_sums(graph, op, image))
    return np.clip(levels, *op.clamp).astype(np.int8).reshape(graph.tensors[op.output].hwc)


def convolution_sums(graph: Graph, op: Convolution, image: Int8Array) -> Int64Array:
    """Return the sums [H_out * W_out, O] before requantization, of int8 [H, W, C]."""
    return handler(_SUMS, type(op))(graph, op, image)


def grouped_windows(graph: Graph, op: GroupedConv2D, image: Int8Array) -> Int64Array:
    """Return what each output channel sees as `conv2d_windows` does, [O, H_out * W_out, K]."""
    channels, rows, columns, depth = graph.tensors[op.weights].shape
    windows = conv2d_windows(graph, op, image)
    taps = windows.reshape(len(windows), rows * columns, -1, depth)
    groups = taps.transpose(2, 0, 1, 3).reshape(taps.shape[2], len(windows), -1)
    return np.repeat(groups, channels // len(groups), axis=0)


def grouped_sums(graph: Graph, op: GroupedConv2D, image: Int8Array) -> Int64Array:
    """Return the sums [H_out * W_out, O] before requantization."""
    weights, bias = graph.exact_weights(op), graph.constant(op.bias)
    flat = weights.reshape(len(weights), -1).astype(np.int64)
    sums = np.einsum("opk,ok->po", grouped_windows(graph, op, image), flat)
    return np.asarray(sums + bias, np.int64)


def conv2d_windows(graph: Graph, op: Conv2D | GroupedConv2D, image: Int8Array) -> Int64Array:
    """Return the inputs less their zero point under each output pixel, [H_out * W_out, K].

    K runs over the kernel's rows, its columns and the input's channels; padded places are 0.
    """
    height, width, _ = graph.tensors[op.output].hwc
    offset = image.astype(np.int64) - graph.tensors[op.inputs[0]].zero_point
    return gather(offset, op.window, (height, width), fill=0).reshape(height * width, -1)


def conv2d_sums(graph: Graph, op: Conv2D, windows: Int64Array) -> Int64Array:
    """Return the sums [H_out * W_out, O] before requantization.

    They are taken in float64, which is exact: they stay below 2^53.
    """
    weights, bias = graph.exact_weights(op), graph.constant(op.bias)
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    return np.asarray((windows.astype(np.float64) @ flat.T).astype(np.int64) + bias, np.int64)


def depthwise_windows(graph: Graph, op: DepthwiseConv2D, image: Int8Array) -> Int64Array:
    """Return the inputs less their zero point that each output value sees, [H_out * W_out, K, O].

    K runs over the kernel's rows and columns; padded places are 0.
    """
    height, width, channels = graph.tensors[op.output].hwc
    offset = image.astype(np.int64) - graph.tensors[op.inputs[0]].zero_point
    windows = gather(offset, op.window, (height, width), fill=0)
    repeated = np.repeat(windows, channels // image.shape[-1], axis=-1)
    return repeated.reshape(height * width, -1, channels)


def depthwise_sums(graph: Graph, op: DepthwiseConv2D, windows: Int64Array) -> Int64Array:
    """Return the sums [H_out * W_out, O] before requantization."""
    weights, bias = graph.exact_weights(op), graph.constant(op.bias)
    taps = weights.reshape(-1, weights.shape[3]).astype(np.int64)
    return np.asarray(np.einsum("pkc,kc->pc", windows, taps) + bias, np.int64)


def transpose_sums(graph: Graph, op: TransposeConv, image: Int8Array) -> Int64Array:
    """Return the sums [H_out * W_out, O] before requantization: each pixel added tap by tap."""
    weights, bias, window = graph.constant(op.weights), graph.constant(op.bias), op.window
    height, width, channels = graph.tensors[op.output].hwc
    offset = image.astype(np.int64) - graph.tensors[op.inputs[0]].zero_point
    tall, wide = (extent * by for extent, by in zip(image.shape, _strides(window), strict=False))
    sums = np.zeros(
        (tall + window.height + height, wide + window.width + width, channels), np.int64
    )
    for y in range(window.height):
        for x in range(window.width):
            reached = sums[y : y + tall : window.stride_h, x : x + wide : window.stride_w]
            reached += offset @ weights[:, y, x].astype(np.int64).T
    top, left = window.pad_top, window.pad_left
    inside = sums[top : top + height, left : left + width]
    return np.asarray(inside.reshape(height * width, channels) + bias, np.int64)


def _strides(window: Window) -> tuple[int, int]:
    return window.stride_h, window.stride_w


def _conv2d(graph: Graph, op: Conv2D, image: Int8Array) -> Int64Array:
    return conv2d_sums(graph, op, conv2d_windows(graph, op, image))


def _depthwise(graph: Graph, op: DepthwiseConv2D, image: Int8Array) -> Int64Array:
    return depthwise_sums(graph, op, depthwise_windows(graph, op, image))


_SUMS: dict[type[Op], Callable[[Graph, Any, Int8Array], Int64Array]] = {
    Conv2D: _conv2d,
    DepthwiseConv2D: _depthwise,
    GroupedConv2D: grouped_sums,
    TransposeConv: transpose_sums,
}

KERNELS: Kernels = {Convolution: convolution}

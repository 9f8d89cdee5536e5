"""DEPTHWISE_CONV_2D on int8. Mirror: firmware/src/ops/esq_depthwise_conv2d.c."""

import numpy as np

from edgesq.arithmetic import Int64Array
from edgesq.graph import DepthwiseConv2D, Graph, Int8Array
from edgesq.reference.conv2d import requantize
from edgesq.reference.windows import gather


def depthwise_conv2d(graph: Graph, op: DepthwiseConv2D, image: Int8Array) -> Int8Array:
    """Convolve each channel of int8 [H, W, C] by itself to int8 [H_out, W_out, C * multiplier]."""
    sums = depthwise_sums(graph, op, depthwise_windows(graph, op, image))
    return requantize(graph, op, sums).reshape(graph.tensors[op.output].hwc)


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
    weights, bias = graph.constant(op.weights), graph.constant(op.bias)
    taps = weights.reshape(-1, weights.shape[3]).astype(np.int64)
    return np.asarray(np.einsum("pkc,kc->pc", windows, taps) + bias, np.int64)

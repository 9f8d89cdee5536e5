"""DEPTHWISE_CONV_2D on int8. Mirror: firmware/src/ops/esq_depthwise_conv2d.c."""

import numpy as np

from edgesq.graph import DepthwiseConv2D, Graph, Int8Array
from edgesq.reference.conv2d import requantize
from edgesq.reference.windows import gather


def depthwise_conv2d(graph: Graph, op: DepthwiseConv2D, image: Int8Array) -> Int8Array:
    """Convolve each channel of int8 [H, W, C] by itself to int8 [H_out, W_out, C * multiplier]."""
    weights, bias = graph.tensors[op.weights].data, graph.tensors[op.bias].data
    assert weights is not None
    assert bias is not None
    height, width, channels = graph.tensors[op.output].hwc
    offset = image.astype(np.int64) - graph.tensors[op.inputs[0]].zero_point
    windows = gather(offset, op.window, (height, width), fill=0)
    repeated = np.repeat(windows, channels // image.shape[-1], axis=-1)
    return requantize(graph, op, np.einsum("yxhwc,hwc->yxc", repeated, weights[0]) + bias)

"""CONV_2D on int8. Mirror: firmware/src/ops/esq_conv2d.c."""

import numpy as np

from edgesq.arithmetic import conv2d_multipliers, multiply_by_quantized_multiplier
from edgesq.graph import Conv2D, Graph, Int8Array
from edgesq.reference.windows import gather


def conv2d(graph: Graph, op: Conv2D, image: Int8Array) -> Int8Array:
    """Convolve int8 [H, W, C] to int8 [H_out, W_out, O].

    The sums are taken in float64, which is exact: they stay below 2^53.
    """
    weights, bias = graph.tensors[op.weights].data, graph.tensors[op.bias].data
    assert weights is not None
    assert bias is not None
    height, width, channels = graph.tensors[op.output].hwc
    offset = image.astype(np.int64) - graph.tensors[op.inputs[0]].zero_point
    windows = gather(offset, op.window, (height, width), fill=0).reshape(height * width, -1)
    flat = weights.reshape(channels, -1).astype(np.float64)
    sums = (windows.astype(np.float64) @ flat.T).astype(np.int64) + bias
    multiplier, shift = conv2d_multipliers(graph, op)
    scaled = multiply_by_quantized_multiplier(sums, multiplier, shift)
    result = np.clip(scaled + graph.tensors[op.output].zero_point, *op.clamp)
    return result.astype(np.int8).reshape(height, width, channels)

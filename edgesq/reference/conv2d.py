"""CONV_2D and FULLY_CONNECTED on int8.

Mirror: firmware/src/ops/esq_conv2d.c, esq_fully_connected.c.
"""

import numpy as np

from edgesq.arithmetic import (
    Int64Array,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
    rescale,
    rescale_parameters,
)
from edgesq.graph import Conv2D, Convolution, FullyConnected, Graph, Int8Array
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
    return requantize(graph, op, sums).reshape(height, width, channels)


def requantize(graph: Graph, op: Convolution, sums: Int64Array) -> Int8Array:
    """Rescale int64 [..., O] to the output's scale and zero point, and clamp."""
    if isinstance(op, FullyConnected):
        scaled = rescale(sums, rescale_parameters(graph, op))
    else:
        scaled = multiply_by_quantized_multiplier(sums, *conv2d_multipliers(graph, op))
    result = np.clip(scaled + graph.tensors[op.output].zero_point, *op.clamp)
    return result.astype(np.int8)

"""Operators on int16 with int8 weights.

Mirror: firmware/src/ops/esq_conv2d_s16.c, esq_depthwise_conv2d_s16.c, esq_add_s16.c,
esq_rescale_s16.c, esq_curves_s16.c, esq_softmax_s16.c.
"""

import numpy as np

from edgesq import arithmetic16
from edgesq.arithmetic import Int64Array
from edgesq.graph import Graph, Int8Array
from edgesq.operators import (
    AddInt16,
    Conv2DInt16,
    DepthwiseConv2DInt16,
    FullyConnectedInt16,
    LogisticInt16,
    RescaleInt16,
    SoftmaxInt16,
    SubInt16,
    TanhInt16,
)
from edgesq.reference.kernel import Kernels
from edgesq.reference.windows import gather


def convolution(graph: Graph, op: Conv2DInt16, image: Int8Array) -> Int8Array:
    """Convolve int16 [H, W, C] to int16 [H_out, W_out, O]."""
    weights = graph.constant(op.weights).astype(np.int64)
    windows = _windows(graph, op, image)
    flat = windows.reshape(*windows.shape[:2], -1)
    return _ended(graph, op, flat @ weights.reshape(len(weights), -1).T)


def depthwise(graph: Graph, op: DepthwiseConv2DInt16, image: Int8Array) -> Int8Array:
    """Convolve each channel of int16 [H, W, C] by itself to int16 [H_out, W_out, O]."""
    weights = graph.constant(op.weights)[0].astype(np.int64)
    windows = np.repeat(_windows(graph, op, image), weights.shape[2] // image.shape[2], axis=-1)
    return _ended(graph, op, (windows * weights).sum(axis=(2, 3)))


def _windows(graph: Graph, op: Conv2DInt16 | DepthwiseConv2DInt16, image: Int8Array) -> Int64Array:
    height, width, _ = graph.tensors[op.output].hwc
    return gather(image.astype(np.int64), op.window, (height, width), fill=0)


def _ended(graph: Graph, op: Conv2DInt16 | DepthwiseConv2DInt16, products: Int64Array) -> Int8Array:
    sums = products + graph.constant(op.bias).astype(np.int64)
    if isinstance(op, FullyConnectedInt16):
        levels = arithmetic16.product_levels(graph, op, sums)
    else:
        levels = arithmetic16.rescale_sums(sums, arithmetic16.sum_rescale(graph, op))
    return np.asarray(np.clip(levels, *op.clamp), np.int16)


def add(graph: Graph, op: AddInt16, first: Int8Array, second: Int8Array) -> Int8Array:
    """Add or subtract int16 [H, W, C]."""
    one, two = first.astype(np.int64), second.astype(np.int64)
    sign = -1 if isinstance(op, SubInt16) else 1
    levels = arithmetic16.added(one, two, arithmetic16.add_parameters(graph, op), sign)
    return np.asarray(np.clip(levels, *op.clamp), np.int16)


def rescale(graph: Graph, op: RescaleInt16, image: Int8Array) -> Int8Array:
    """Give int16 another scale, and cut it."""
    by = arithmetic16.value_rescale(graph, op)
    levels = arithmetic16.rescaled_values(image.astype(np.int64), *by)
    return np.asarray(np.clip(levels, *op.clamp), np.int16)


def logistic(graph: Graph, op: LogisticInt16, image: Int8Array) -> Int8Array:
    """Return 1 / (1 + exp(-x)) of int16."""
    by = arithmetic16.curve_input(graph, op)
    return np.asarray(arithmetic16.logistic(image.astype(np.int64), by), np.int16)


def tanh(graph: Graph, op: TanhInt16, image: Int8Array) -> Int8Array:
    """Return the hyperbolic tangent of int16."""
    by = arithmetic16.curve_input(graph, op)
    return np.asarray(arithmetic16.tanh(image.astype(np.int64), by), np.int16)


def softmax(graph: Graph, op: SoftmaxInt16, image: Int8Array) -> Int8Array:
    """Softmax over the channels of int16 [H, W, C]."""
    by = arithmetic16.softmax_input(graph, op)
    return np.asarray(arithmetic16.softmax(image.astype(np.int64), *by), np.int16)


KERNELS: Kernels = {
    Conv2DInt16: convolution,
    DepthwiseConv2DInt16: depthwise,
    AddInt16: add,
    RescaleInt16: rescale,
    LogisticInt16: logistic,
    TanhInt16: tanh,
    SoftmaxInt16: softmax,
}

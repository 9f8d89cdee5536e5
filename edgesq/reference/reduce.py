"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN on int8.

Mirror: firmware/src/ops/esq_reduce.c, esq_reduction.c.
"""

import numpy as np

from edgesq.arithmetic import multiply_by_quantized_multiplier
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Mean, MeanAlong, ReduceMax, ReduceMin, Sum
from edgesq.reductions import mean_parameters, reduced_axes
from edgesq.reference.kernel import Kernels


def mean(graph: Graph, op: Mean | MeanAlong | Sum, image: Int8Array) -> Int8Array:
    """Average or add up int8 [H, W, C] along axes, requantized once; these have 1 afterwards."""
    parameters = mean_parameters(graph, op)
    total = image.astype(np.int64).sum(axis=reduced_axes(op), keepdims=True) - parameters.offset
    scaled = multiply_by_quantized_multiplier(total, parameters.multiplier, parameters.shift)
    output = graph.tensors[op.output]
    result = np.clip(scaled + output.zero_point, *output.levels)
    return result.astype(output.dtype)


def greatest(_: Graph, op: ReduceMax, image: Int8Array) -> Int8Array:
    """Return the greatest of int8 [H, W, C] along axes, which have 1 afterwards."""
    return np.asarray(image.max(axis=op.axes, keepdims=True), np.int8)


def least(_: Graph, op: ReduceMin, image: Int8Array) -> Int8Array:
    """Return the least of int8 [H, W, C] along axes, which have 1 afterwards."""
    return np.asarray(image.min(axis=op.axes, keepdims=True), np.int8)


KERNELS: Kernels = {
    Mean: mean,
    MeanAlong: mean,
    ReduceMax: greatest,
    ReduceMin: least,
    Sum: mean,
}

"""MEAN on int8. Mirror: firmware/src/ops/esq_reduce.c."""

import numpy as np

from edgesq.arithmetic import mean_parameters, multiply_by_quantized_multiplier
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Mean
from edgesq.reference.kernel import Kernels


def mean(graph: Graph, op: Mean, image: Int8Array) -> Int8Array:
    """Average int8 [H, W, C] over all pixels to [1, 1, C], requantized once."""
    parameters = mean_parameters(graph, op)
    total = image.astype(np.int64).sum(axis=(0, 1)) - parameters.offset
    scaled = multiply_by_quantized_multiplier(total, parameters.multiplier, parameters.shift)
    result = np.clip(scaled + graph.tensors[op.output].zero_point, -128, 127)
    return result.astype(np.int8).reshape(1, 1, -1)


KERNELS: Kernels = {Mean: mean}

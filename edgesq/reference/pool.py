"""MAX_POOL_2D, AVERAGE_POOL_2D and MEAN on int8.

Mirror: firmware/src/ops/esq_max_pool.c, esq_average_pool.c, esq_reduce.c.
"""

import numpy as np

from edgesq.arithmetic import mean_parameters, multiply_by_quantized_multiplier
from edgesq.graph import AveragePool2D, Graph, Int8Array, MaxPool2D, Mean
from edgesq.reference.windows import gather


def max_pool2d(graph: Graph, op: MaxPool2D, image: Int8Array) -> Int8Array:
    """Take the maximum over each window's part inside the image, int8 [H, W, C]."""
    height, width, _ = graph.tensors[op.output].hwc
    windows = gather(image.astype(np.int64), op.window, (height, width), fill=-128)
    return np.asarray(np.clip(windows.max(axis=(2, 3)), *op.clamp), np.int8)


def average_pool2d(graph: Graph, op: AveragePool2D, image: Int8Array) -> Int8Array:
    """Average each window's part inside the image, rounding halves away from zero."""
    height, width, _ = graph.tensors[op.output].hwc
    values = image.astype(np.int64)
    total = gather(values, op.window, (height, width), fill=0).sum(axis=(2, 3))
    count = gather(np.ones_like(values), op.window, (height, width), fill=0).sum(axis=(2, 3))
    rounded = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return np.asarray(np.clip(rounded, *op.clamp), np.int8)


def mean(graph: Graph, op: Mean, image: Int8Array) -> Int8Array:
    """Average int8 [H, W, C] over all pixels to [1, 1, C], requantized once."""
    parameters = mean_parameters(graph, op)
    total = image.astype(np.int64).sum(axis=(0, 1)) - parameters.offset
    scaled = multiply_by_quantized_multiplier(total, parameters.multiplier, parameters.shift)
    result = np.clip(scaled + graph.tensors[op.output].zero_point, -128, 127)
    return result.astype(np.int8).reshape(1, 1, -1)

"""MAX_POOL_2D and AVERAGE_POOL_2D on int8.

Mirror: firmware/src/ops/esq_max_pool.c, esq_average_pool.c.
"""

import numpy as np

from edgesq.graph import Graph, Int8Array
from edgesq.operators import AveragePool2D, HalvesUpPool2D, MaxPool2D
from edgesq.reference.kernel import Kernels
from edgesq.reference.windows import gather


def max_pool2d(graph: Graph, op: MaxPool2D, image: Int8Array) -> Int8Array:
    """Take the maximum over each window's part inside the image, int8 [H, W, C]."""
    height, width, _ = graph.tensors[op.output].hwc
    lowest = np.iinfo(image.dtype).min
    windows = gather(image.astype(np.int64), op.window, (height, width), fill=lowest)
    return np.asarray(np.clip(windows.max(axis=(2, 3)), *op.clamp), image.dtype)


def average_pool2d(graph: Graph, op: AveragePool2D, image: Int8Array) -> Int8Array:
    """Average each window's part inside the image, rounding halves away from zero."""
    height, width, _ = graph.tensors[op.output].hwc
    values = image.astype(np.int64)
    total = gather(values, op.window, (height, width), fill=0).sum(axis=(2, 3))
    count = gather(np.ones_like(values), op.window, (height, width), fill=0).sum(axis=(2, 3))
    rounded = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return np.asarray(np.clip(rounded, *op.clamp), image.dtype)


def halves_up_pool2d(graph: Graph, op: HalvesUpPool2D, image: Int8Array) -> Int8Array:
    """Average each window's part inside the image, rounding halves up."""
    height, width, _ = graph.tensors[op.output].hwc
    values = image.astype(np.int64)
    total = gather(values, op.window, (height, width), fill=0).sum(axis=(2, 3))
    count = gather(np.ones_like(values), op.window, (height, width), fill=0).sum(axis=(2, 3))
    return np.asarray(np.clip((total + count // 2) // count, *op.clamp), np.int8)


KERNELS: Kernels = {
    MaxPool2D: max_pool2d,
    AveragePool2D: average_pool2d,
    HalvesUpPool2D: halves_up_pool2d,
}

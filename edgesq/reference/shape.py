"""CONCATENATION and RESHAPE on int8. Mirror: firmware/src/ops/esq_move.c."""

import numpy as np

from edgesq.graph import Graph, Int8Array
from edgesq.operators import Concatenation, Reshape
from edgesq.reference.kernel import Kernels


def concatenation(_: Graph, op: Concatenation, *images: Int8Array) -> Int8Array:
    """Put int8 [H, W, C1], [H, W, C2], ... together to [H, W, C1 + C2 + ...], or along H or W."""
    return np.concatenate(images, axis=op.axis)


def reshape(graph: Graph, op: Reshape, image: Int8Array) -> Int8Array:
    """Give int8 [H, W, C] another shape; the values keep their order."""
    return image.reshape(graph.tensors[op.output].hwc)


KERNELS: Kernels = {Concatenation: concatenation, Reshape: reshape}

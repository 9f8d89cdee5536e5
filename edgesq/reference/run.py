"""Run a whole graph in numpy."""

import numpy as np

from edgesq.graph import Graph, Int8Array
from edgesq.operators import handler
from edgesq.reference import binary, conv, lookup, move, pool, reduce, shape, softmax
from edgesq.reference.kernel import Kernels

KERNELS: Kernels = {
    **binary.KERNELS,
    **conv.KERNELS,
    **lookup.KERNELS,
    **move.KERNELS,
    **pool.KERNELS,
    **reduce.KERNELS,
    **shape.KERNELS,
    **softmax.KERNELS,
}


def run(graph: Graph, image: Int8Array) -> dict[int, Int8Array]:
    """Run an image of `Graph.image_shape`; return activations, int8 [H, W, C], by tensor."""
    values = graph.split(image)
    for op in graph.ops:
        kernel = handler(KERNELS, type(op))
        values[op.output] = kernel(graph, op, *(values[index] for index in op.inputs))
    return values


def run_observed(graph: Graph, inputs: Int8Array) -> tuple[Int8Array, ...]:
    """Run int8 [n, H, W, C]; return int8 [n, K] for each tensor of `Graph.observed`."""
    runs = [run(graph, image) for image in inputs]
    return tuple(
        np.stack([values[index].reshape(-1) for values in runs]) for index in graph.observed
    )

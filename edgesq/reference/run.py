"""Run a whole graph in numpy."""

from collections.abc import Iterator

import numpy as np

from edgesq.graph import Graph, Int8Array
from edgesq.operators import Stateful, handler
from edgesq.reference import (
    binary,
    conv,
    int16,
    lookup,
    move,
    pool,
    reduce,
    sequence,
    shape,
    softmax,
)
from edgesq.reference.kernel import Kernels
from edgesq.reference.sequence import Memory

KERNELS: Kernels = {
    **binary.KERNELS,
    **conv.KERNELS,
    **int16.KERNELS,
    **lookup.KERNELS,
    **move.KERNELS,
    **pool.KERNELS,
    **reduce.KERNELS,
    **sequence.KERNELS,
    **shape.KERNELS,
    **softmax.KERNELS,
}


def run(graph: Graph, image: Int8Array, memory: Memory | None = None) -> dict[int, Int8Array]:
    """Run an image of `Graph.image_shape`; return activations, int8 [H, W, C], by tensor.

    Args:
        graph: the model.
        image: int8.
        memory: what the images before left, which this one changes; None as after a reset.
    """
    values, memory = graph.split(image), memory or Memory(graph)
    for op in graph.ops:
        kernel = handler(KERNELS, type(op))
        kept = (memory.kept[op.output],) if isinstance(op, Stateful) else ()
        values[op.output] = kernel(graph, op, *kept, *(values[index] for index in op.inputs))
    return values


class SequenceRun:
    """Runs images in their order; a reset comes before each `steps` of them.

    Args:
        graph: the model.
        steps: images of a sequence. 1: each by itself.
    """

    def __init__(self, graph: Graph, steps: int = 1) -> None:
        self._graph = graph
        self._steps = steps
        self._memory = Memory(graph)
        self._done = 0

    def run(self, image: Int8Array) -> dict[int, Int8Array]:
        """Run the next image, as the function `run` does."""
        if self._done % self._steps == 0:
            self._memory = Memory(self._graph)
        self._done += 1
        return run(self._graph, image, self._memory)

    def observed(self, inputs: Int8Array) -> tuple[Int8Array, ...]:
        """Run the next images, int8 [n, H, W, C], as `run_observed` does."""
        tensors = self._graph.observed
        runs = [[values[index].reshape(-1) for index in tensors] for values in self.runs(inputs)]
        return tuple(np.stack(column) for column in zip(*runs, strict=True))

    def runs(self, inputs: Int8Array) -> Iterator[dict[int, Int8Array]]:
        """Run the next images."""
        return (self.run(image) for image in inputs)


def run_observed(graph: Graph, inputs: Int8Array, steps: int = 1) -> tuple[Int8Array, ...]:
    """Run int8 [n, H, W, C]; return int8 [n, K] for each tensor of `Graph.observed`.

    Args:
        graph: the model.
        inputs: images, in the order of their sequence where the model keeps state.
        steps: images of a sequence: a reset comes before each so many. 1: each by itself.
    """
    return SequenceRun(graph, steps).observed(inputs)

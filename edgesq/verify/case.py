"""What is known of one operator in one image, and what it computes before it clamps."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgesq.arithmetic import (
    Int64Array,
    multiply_by_quantized_multiplier,
    rescaled,
)
from edgesq.combine import combine
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Binary, Convolution, Mean, Op
from edgesq.reductions import mean_parameters
from edgesq.reference import convolution_sums


@dataclass(frozen=True, eq=False)
class Case:
    """An operator in one image.

    Attributes:
        values: every tensor as expected, int8 [H, W, C] by index.
        expected: the operator's output.
        inputs: as the board's operator read them; None for one that could not be fetched.
        output: as the board's operator wrote it.
    """

    values: Mapping[int, Int8Array]
    expected: Int8Array
    inputs: tuple[Int8Array | None, ...]
    output: Int8Array

    @property
    def differs(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Where the output is wrong, [H, W, C]."""
        return np.asarray(self.expected != self.output)


def unclamped(graph: Graph, op: Op, values: Mapping[int, Int8Array]) -> Int64Array | None:
    """Return an operator's results [H, W, C] before they are clamped; None where it has no such."""
    match op:
        case Convolution():
            sums = convolution_sums(graph, op, values[op.inputs[0]])
            return rescaled(graph, op, sums).reshape(graph.tensors[op.output].hwc)
        case Binary():
            operands = [
                values[index] if (data := graph.tensors[index].data) is None else data
                for index in op.operands
            ]
            return combine(graph, op, *operands)
        case Mean():
            mean = mean_parameters(graph, op)
            total = values[op.inputs[0]].astype(np.int64).sum(axis=(0, 1)) - mean.offset
            scaled = multiply_by_quantized_multiplier(total, mean.multiplier, mean.shift)
        case _:
            return None
    output = graph.tensors[op.output]
    return scaled.reshape(output.hwc) + output.zero_point

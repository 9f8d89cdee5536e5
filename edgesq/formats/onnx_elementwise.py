"""Operators that keep the shape, in integers, as ONNX nodes.

Mirror: edgesq/reference/elementwise.py.
"""

from collections.abc import Sequence

import numpy as np

from edgesq import arithmetic
from edgesq.formats.onnx_scope import UINT8_OFFSET, Scope, requantize
from edgesq.graph import Add, Graph


def add(scope: Scope, graph: Graph, op: Add, inputs: Sequence[str]) -> str:
    """Add both inputs, rescaled to a common scale by tables, and requantize the sum."""
    parameters = arithmetic.add_parameters(graph, op)
    every = np.arange(256, dtype=np.int64) - UINT8_OFFSET
    scaled = []
    for position, (pixels, tensor) in enumerate(zip(inputs, op.inputs, strict=True)):
        table = arithmetic.multiply_by_quantized_multiplier(
            (every - graph.tensors[tensor].zero_point) << arithmetic.ADD_LEFT_SHIFT,
            parameters.multiplier[position],
            parameters.shift[position],
        ).astype(np.int32)
        index = scope.cast(f"index{position}", pixels, np.int32)
        scaled.append(scope.lookup(f"scaled{position}", table, index))
    return requantize(
        scope.within("requantize"),
        scope.node("Add", "sum", *scaled),
        np.array([parameters.output_multiplier]),
        np.array([parameters.output_shift]),
        bias=np.array([0]),
        zero_point=graph.tensors[op.output].zero_point,
        clamp=op.clamp,
    )

"""Round the biases of compressed layers to the coarsest grid that does not show in the output."""

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import bias_grid, quantize_multipliers
from edgesq.graph import Graph
from edgesq.operators import Conv2D

FRACTION_BITS = 4
"""Fraction bits kept of a bias, in output steps: an error of at most 1/32 step; each bit more costs
a bit of flash per channel."""

_INT32_MAX = (1 << 31) - 1


def stored_bias(
    graph: Graph, op: Conv2D, scales: NDArray[np.float32], bias: NDArray[np.floating]
) -> NDArray[np.int32]:
    """Return biases as a compressed layer stores them, on the grid that takes few bits.

    Args:
        graph: the int8 model, whose activations keep their scales.
        op: the layer.
        scales: of its weights, [O].
        bias: real, [O].

    Returns:
        int32 [O], in steps of input scale times `scales`.
    """
    wide = scales.astype(np.float64)
    unit = graph.tensors[op.inputs[0]].scale * wide
    _, shift = quantize_multipliers(unit / graph.tensors[op.output].scale)
    grid = bias_grid(shift, FRACTION_BITS)
    whole = np.rint(bias / unit / grid) * grid
    return np.clip(whole, -_INT32_MAX, _INT32_MAX).astype(np.int32)

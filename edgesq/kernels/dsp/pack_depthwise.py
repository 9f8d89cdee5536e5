"""Weights and tables of 3x3 depthwise convolutions for the DSP extension.

Where sums end the short way (`kernels/endings.py`), weights hold its 2^j.
Mirror: firmware/src/dsp/esq_depthwise_dsp.h, esq_depthwise_kernels.S.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.graph import DepthwiseConv2D, Graph
from edgesq.kernels.endings import depthwise_ending

_PAIRS = (((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 2), (1, 2)), ((2, 0), (2, 1)), ((2, 1), (2, 2)))
"""Row and column of the taps in the lower and in the upper lane of each word."""


@dataclass(frozen=True)
class Packed:
    """A depthwise convolution for the DSP kernels.

    Attributes:
        table: uint32 [C, 8]: five words of weights, bias, multiplier, constant.
        relu: whether the short requantization is exact; else weights and bias stand as they are.
    """

    table: NDArray[np.uint32]
    relu: bool


def pack_depthwise(graph: Graph, op: DepthwiseConv2D) -> Packed:
    """Pack a 3x3 depthwise convolution, for the fastest kernel that is exact for it."""
    weights, bias = graph.constant(op.weights), graph.constant(op.bias)
    taps = weights[0].astype(np.int64)
    rows = taps.reshape(9, -1).T
    input_zp = graph.tensors[op.inputs[0]].zero_point
    ending = depthwise_ending(graph, op)
    scale = np.zeros(len(rows), np.int64) if ending is None else ending[0]
    folded = (bias - input_zp * rows.sum(axis=1)) << scale
    words = [
        (taps[first] << scale & 0xFFFF) | (taps[second] << scale & 0xFFFF) << 16
        for first, second in _PAIRS
    ]
    ends = [np.zeros_like(scale)] * 2 if ending is None else ending[1:]
    table = np.stack([*words, folded, *ends], axis=1) & 0xFFFFFFFF
    return Packed(table.astype(np.uint32), ending is not None)

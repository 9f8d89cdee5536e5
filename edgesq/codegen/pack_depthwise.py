"""Weights and tables of 3x3 depthwise convolutions for the DSP extension.

The short requantization is floor(2^j sum M / 2^32 + C) >> SHIFT, saturated; weights hold 2^j.
Its condition is checked where it could differ: on both sides of every step between two levels.
Mirror: firmware/src/dsp/esq_depthwise_dsp.h, esq_depthwise_kernels.S.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    Int64Array,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
    sum_range,
)
from edgesq.graph import DepthwiseConv2D, Graph

SHIFT = 12
"""Mirror: SHIFT in esq_depthwise_kernels.S."""

_LANE_BITS, _SUM_BITS = 15, 31
_FINEST = SHIFT - 1
"""The greatest right shift whose two roundings are one addend; beyond, the multiplier is cut."""

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
    weights, bias = graph.tensors[op.weights].data, graph.tensors[op.bias].data
    assert weights is not None
    assert bias is not None
    taps = weights[0].astype(np.int64)
    rows = taps.reshape(9, -1).T
    input_zp = graph.tensors[op.inputs[0]].zero_point
    low, high = sum_range(rows, bias.astype(np.int64), input_zp)
    ending = _short_ending(graph, op, np.abs(rows).max(axis=1), low, high)
    scale = np.zeros(len(rows), np.int64) if ending is None else ending[0]
    folded = (bias - input_zp * rows.sum(axis=1)) << scale
    words = [
        (taps[first] << scale & 0xFFFF) | (taps[second] << scale & 0xFFFF) << 16
        for first, second in _PAIRS
    ]
    ends = [np.zeros_like(scale)] * 2 if ending is None else ending[1:]
    table = np.stack([*words, folded, *ends], axis=1) & 0xFFFFFFFF
    return Packed(table.astype(np.uint32), ending is not None)


def _short_ending(
    graph: Graph, op: DepthwiseConv2D, largest: Int64Array, low: Int64Array, high: Int64Array
) -> tuple[Int64Array, Int64Array, Int64Array] | None:
    """Return j, multiplier and constant per channel, or None where a channel has none.

    Args:
        graph: the model.
        op: the convolution.
        largest: magnitude of a weight, [C].
        low: least sum of any input, [C].
        high: greatest sum of any input, [C].
    """
    if op.clamp != (-128, 127) or graph.tensors[op.output].zero_point != -128:
        return None
    multiplier, shift = conv2d_multipliers(graph, op)
    right = -shift
    cut = np.maximum(right - _FINEST, 0)
    scale = SHIFT + 1 - (right - cut)
    fits = (largest << np.maximum(scale, 0)) < 1 << _LANE_BITS
    fits &= np.maximum(-low, high) << np.maximum(scale, 0) < 1 << _SUM_BITS
    if np.any(scale > SHIFT) or not np.all(fits):
        return None
    short = multiplier + (1 << cut >> 1) >> cut
    once = np.where(cut > 0, 0, (1 << _FINEST) >> np.minimum(right, _FINEST))
    constant = once + (1 << (SHIFT - 1)) - (128 << SHIFT)
    parts = np.asarray(scale, np.int64), np.asarray(short, np.int64), np.asarray(constant, np.int64)
    if not _agrees(multiplier, shift, parts, low, high):
        return None
    return parts


def _agrees(
    multiplier: Int64Array,
    shift: Int64Array,
    short: tuple[Int64Array, Int64Array, Int64Array],
    low: Int64Array,
    high: Int64Array,
) -> bool:
    """Say whether both ways give the same levels for all sums; neither ever falls."""
    scale, factor, constant = short
    halves = np.arange(-1, 257)[:, np.newaxis] - 0.5
    near = np.floor(halves * np.ldexp(1.0, 31 - shift) / np.maximum(multiplier, 1))
    for step in range(-3, 4):
        sums = np.clip(near, low, high).astype(np.int64) + step
        sums = np.clip(sums, low, high)
        exact = multiply_by_quantized_multiplier(sums, multiplier, shift) - 128
        quick = ((sums << scale) * factor >> 32) + constant >> SHIFT
        if np.any(np.clip(exact, -128, 127) != np.clip(quick, -128, 127)):
            return False
    return True

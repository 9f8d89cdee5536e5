"""Where the short requantizations of the kernel families are exact.

Results below a zero point of -128 clamp to it, so that rounding halves up instead of away from zero
cannot show; the rest is a question of ranges.
"""

from functools import lru_cache

import numpy as np

from edgesq.arithmetic import (
    Int64Array,
    channel_sums,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
)
from edgesq.graph import Conv2D, Convolution, DepthwiseConv2D, FullyConnected, Graph
from edgesq.kernels.dsp.lanes import dsp_pair_channels

LOWER_BOUND = 1 << 30
"""The short requantization doubles sums of the channel in the lower byte, B."""

MVE_QUAD = 4
"""Output channels computed together, as pairs (0, 2) and (1, 3). Mirror: esq_mve.h."""

SHIFT = 12
"""Of the depthwise kernel. Mirror: ESQ_SHIFT in esq_depthwise_kernels.S."""

_RELU_SHIFTS, _MVE_SHIFTS = range(1, 16), range(25)
"""Right shifts for which the constants fit: on the DSP extension, on MVE."""

_LANE_BITS, _SUM_BITS = 15, 31
_FINEST = SHIFT - 1
"""The greatest right shift whose two roundings are one addend; beyond, the multiplier is cut."""


@lru_cache(maxsize=256)
def dsp_ends_short(graph: Graph, op: Conv2D) -> bool:
    """Say whether the short requantization is exact: rounding halves up can never show."""
    sums = channel_sums(graph, op)
    _, shift = conv2d_multipliers(graph, op)
    whole_range = op.clamp == (-128, 127) and graph.tensors[op.output].zero_point == -128
    shifts_fit = len(shift) % 2 == 0 and all(-int(s) in _RELU_SHIFTS for s in shift)
    lower_fits = bool((np.maximum(-sums.low, sums.high) < LOWER_BOUND).all())
    pairs = dsp_pair_channels(graph, op) == 2
    plain = not isinstance(op, FullyConnected)
    return plain and pairs and lower_fits and whole_range and shifts_fit


@lru_cache(maxsize=256)
def mve_ends_short(graph: Graph, op: Convolution) -> bool:
    """Say whether rounding halves up instead of away from zero can never show, on MVE."""
    _, shift = conv2d_multipliers(graph, op)
    whole_range = op.clamp == (-128, 127) and graph.tensors[op.output].zero_point == -128
    shifts_fit = len(shift) % MVE_QUAD == 0 and all(-int(s) in _MVE_SHIFTS for s in shift)
    return whole_range and shifts_fit and not isinstance(op, FullyConnected)


@lru_cache(maxsize=256)
def depthwise_ending(
    graph: Graph, op: DepthwiseConv2D
) -> tuple[Int64Array, Int64Array, Int64Array] | None:
    """Return j, multiplier and constant per channel of the DSP extension's depthwise kernel.

    Sums end as floor(2^j sum M / 2^32 + C) >> SHIFT, saturated. None where that is not exact for
    all channels: it is compared where it could differ, on both sides of every step of a level.
    Mirror: firmware/src/dsp/esq_depthwise_kernels.S.
    """
    if op.clamp != (-128, 127) or graph.tensors[op.output].zero_point != -128:
        return None
    sums = channel_sums(graph, op)
    low, high, largest = sums.low, sums.high, np.abs(sums.rows).max(axis=1)
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
    if not agrees(multiplier, shift, parts, low, high):
        return None
    return parts


def agrees(
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

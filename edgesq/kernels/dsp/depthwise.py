"""3x3 depthwise convolutions on the DSP extension: where they fit, their memory, their weights.

Columns of four channels are set out anew for each row. Where sums end the short way, weights hold
its 2^j. Mirror: firmware/src/dsp/esq_depthwise_dsp.h, esq_depthwise_kernels.S.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    Int64Array,
    channel_sums,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
)
from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.counts import FOUR, Counts, priced, runs_of
from edgesq.operators import DepthwiseConv2D

SHIFT = 12
"""Of the sums at the end. Mirror: ESQ_SHIFT in esq_depthwise_kernels.S."""

_PAIR_BYTES = 48
"""Two columns of four channels. Mirror: ESQ_DSP_PAIR_WORDS in esq_depthwise_dsp.h."""

_TABLE_BYTES = 32
"""Per channel, of which 9 are weights, 4 the bias, and 8 a multiplier and a constant."""

_LANE_BITS, _SUM_BITS = 15, 31
_FINEST = SHIFT - 1
"""The greatest right shift whose two roundings are one addend; beyond, the multiplier is cut."""

_PAIRS = (((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 2), (1, 2)), ((2, 0), (2, 1)), ((2, 1), (2, 2)))
"""Row and column of the taps in the lower and in the upper lane of each word."""

_PRICES = {"runs": 113.0, "pairs": 104.0, "beside": 4.1, "exact": 44.3}
"""Instructions per count of `instructions`."""


@dataclass(frozen=True)
class Packed:
    """A depthwise convolution for the DSP kernels.

    Attributes:
        table: uint32 [C, 8]: five words of weights, bias, multiplier, constant.
        relu: whether the short requantization is exact; else weights and bias stand as they are.
    """

    table: NDArray[np.uint32]
    relu: bool


def fits(graph: Graph, op: DepthwiseConv2D) -> bool:
    """Say whether there is a kernel of an operator's shape."""
    channels = graph.tensors[op.inputs[0]].hwc[2]
    window = op.window
    same = graph.tensors[op.output].hwc[2] == channels
    square = (window.height, window.width) == (3, 3) and window.stride_w in (1, 2)
    return same and square and window.pad_left < 2 and channels % 4 == 0


def work_bytes(op: DepthwiseConv2D, pixels: int) -> int:
    """Return the bytes of columns under `pixels` windows."""
    return (1 + (pixels if op.window.stride_w > 1 else ceil_div(pixels, 2))) * _PAIR_BYTES


def extra_bytes(graph: Graph, op: DepthwiseConv2D) -> int:
    """Return the bytes by which packed weights exceed the model's own."""
    return graph.tensors[op.bias].shape[0] * (_TABLE_BYTES - 9 - 4 - 8)


def instructions(graph: Graph, op: DepthwiseConv2D, pixels: int) -> float:
    """Estimate what firmware/src/dsp/esq_depthwise_dsp.c does, by what it repeats."""
    height, width, channels = graph.tensors[op.output].hwc
    runs, apart = runs_of(width, pixels), op.window.stride_w > 1
    quads = height * channels / FOUR
    pairs = [run if apart else ceil_div(run, 2) for run in runs]
    outputs = quads * sum(pair if apart else 2 * pair for pair in pairs) * FOUR
    values = height * width * channels
    counts: Counts = {
        "runs": quads * len(runs),
        "pairs": quads * sum(pair + 1 for pair in pairs),
        "apart" if apart else "beside": outputs,
        "exact": values if ending(graph, op) is None else 0,
    }
    return priced(_PRICES, counts)


@lru_cache(maxsize=256)
def ending(graph: Graph, op: DepthwiseConv2D) -> tuple[Int64Array, Int64Array, Int64Array] | None:
    """Return j, multiplier and constant per channel of the short requantization.

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


def pack(graph: Graph, op: DepthwiseConv2D) -> Packed:
    """Pack a 3x3 depthwise convolution, for the fastest kernel that is exact for it."""
    weights, bias = graph.constant(op.weights), graph.constant(op.bias)
    taps = weights[0].astype(np.int64)
    rows = taps.reshape(9, -1).T
    input_zp = graph.tensors[op.inputs[0]].zero_point
    short = ending(graph, op)
    scale = np.zeros(len(rows), np.int64) if short is None else short[0]
    folded = (bias - input_zp * rows.sum(axis=1)) << scale
    words = [
        (taps[first] << scale & 0xFFFF) | (taps[second] << scale & 0xFFFF) << 16
        for first, second in _PAIRS
    ]
    ends = [np.zeros_like(scale)] * 2 if short is None else short[1:]
    table = np.stack([*words, folded, *ends], axis=1) & 0xFFFFFFFF
    return Packed(table.astype(np.uint32), short is not None)

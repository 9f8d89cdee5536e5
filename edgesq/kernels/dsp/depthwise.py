"""3x3 depthwise convolutions on the DSP extension: where they fit, their memory, their weights.

Columns of four channels are set out anew for each row. Where sums end the short way, weights hold
its 2^j. Mirror: firmware/src/dsp/esq_depthwise_dsp.h, esq_depthwise_kernels.S.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    Int64Array,
    channel_sums,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
)
from edgesq.graph import Graph, Int8Array
from edgesq.integers import ceil_div
from edgesq.kernels.channels import Channels, pack_words, unpack_words
from edgesq.kernels.counts import FOUR, Counts, priced, runs_of
from edgesq.kernels.dsp.endings import clamps_at_zero_point, constants, fits_linear
from edgesq.operators import DepthwiseConv2D

SHIFT = 12
"""Of the sums at the end. Mirror: ESQ_SHIFT in esq_depthwise_kernels.S."""

_PAIR_BYTES = 48
"""Two columns of four channels. Mirror: ESQ_DSP_PAIR_WORDS in esq_depthwise_dsp.h."""

TABLE_BYTES = 32
"""Per channel, with weights, bias, multiplier and constant."""

_EXACT_BYTES = 5
"""Per channel, of a multiplier and a shift beside the table."""

_LANE_BITS, _SUM_BITS = 15, 31
_FINEST = SHIFT - 1
"""The greatest right shift whose two roundings are one addend; beyond, the multiplier is cut."""

_PAIRS = (((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 2), (1, 2)), ((2, 0), (2, 1)), ((2, 1), (2, 2)))
"""Row and column of the taps in the lower and in the upper lane of each word."""

_TAPS = 9
_TAP_ORDER = (0, 1, 3, 4, 2, 6, 5, 7, 8)

_PRICES = {
    "runs": 113.0,
    "pairs": 104.0,
    "beside": 4.1,
    "linear": 3.0,
    "exact": 44.3,
    "clamped": 2.6,
}
"""Instructions per count of `instructions`."""


RELU, LINEAR, ANY = range(3)
"""Mirror: enum esq_dsp_end."""

_QUAD = 4
"""Channels that end alike."""


@dataclass(frozen=True)
class Packed:
    """A depthwise convolution for the DSP kernels.

    Attributes:
        table: uint32 [C, 8]: five words of weights, bias, multiplier, constant.
        ends: uint8 [C / 4]: RELU or LINEAR where a short requantization is exact for four channels;
            ANY: weights and bias stand as they are.
    """

    table: NDArray[np.uint32]
    ends: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Short:
    """A short requantization: of sums 2^scale higher, by multiplier and constant; each int64 [C].

    Attributes:
        scale: left shifts of weights and bias.
        multiplier, constant: what the sums are multiplied by, and what is added.
        is_exact: where it gives the reference's level for all sums, bool [C].
    """

    scale: Int64Array
    multiplier: Int64Array
    constant: Int64Array
    is_exact: NDArray[np.bool_]


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
    """Return the bytes by which the table exceeds weights and biases.

    What all families count for requantization is among them.
    """
    exact = _EXACT_BYTES if ANY in ends(graph, op) else 0
    return graph.tensors[op.bias].shape[0] * (TABLE_BYTES + exact - _TAPS - 4)


def instructions(graph: Graph, op: DepthwiseConv2D, pixels: int) -> float:
    """Estimate what firmware/src/dsp/esq_depthwise_dsp.c does, by what it repeats."""
    height, width, channels = graph.tensors[op.output].hwc
    runs, apart = runs_of(width, pixels), op.window.stride_w > 1
    quads = height * channels / FOUR
    pairs = [run if apart else ceil_div(run, 2) for run in runs]
    outputs = quads * sum(pair if apart else 2 * pair for pair in pairs) * FOUR
    values, found = height * width * channels, ends(graph, op)
    counts: Counts = {
        "runs": quads * len(runs),
        "pairs": quads * sum(pair + 1 for pair in pairs),
        "apart" if apart else "beside": outputs,
        "linear": values * float((found == LINEAR).mean()),
        "exact": values * float((found == ANY).mean()),
        "clamped": values if op.clamp != (-128, 127) else 0,
    }
    return priced(_PRICES, counts)


@lru_cache(maxsize=1024)
def ends(graph: Graph, op: DepthwiseConv2D) -> NDArray[np.uint8]:
    """Return how each four channels end, uint8 [C / 4]: the shortest way that is exact for all."""
    all_four = [
        short.is_exact.reshape(-1, _QUAD).all(axis=1)
        for short in (relu_end(graph, op), linear_end(graph, op))
    ]
    return np.select(all_four, [np.uint8(RELU), np.uint8(LINEAR)], np.uint8(ANY))


def linear_end(graph: Graph, op: DepthwiseConv2D) -> Short:
    """Return the short requantization that rounds negative sums too, as that of convolutions."""
    multiplier, shift = conv2d_multipliers(graph, op)
    is_exact = fits_linear(graph, op)
    right = np.where(is_exact, -shift, 1)
    constant = constants(right, graph.tensors[op.output].zero_point)
    return Short(np.ones_like(right), multiplier, constant, is_exact)


def relu_end(graph: Graph, op: DepthwiseConv2D) -> Short:
    """Return the requantization that is shorter where results below the zero point are clamped.

    Sums end as floor(2^j sum M / 2^32 + C) >> SHIFT, saturated. Whether that is exact is compared
    where it could differ, on both sides of every step of a level.
    Mirror: firmware/src/dsp/esq_depthwise_kernels.S.
    """
    return _relu_end(graph, op, *conv2d_multipliers(graph, op))


def _relu_end(
    graph: Graph, op: DepthwiseConv2D, multiplier: Int64Array, shift: Int64Array
) -> Short:
    """Return the same of multipliers and shifts that stand for the operator's own."""
    sums, zero_point = channel_sums(graph, op), graph.tensors[op.output].zero_point
    largest = np.abs(sums.rows).max(axis=1)
    right = -shift
    cut = np.maximum(right - _FINEST, 0)
    scale = SHIFT + 1 - (right - cut)
    fits = (right > 0) & np.full(len(right), clamps_at_zero_point(graph, op))
    fits &= (largest << np.clip(scale, 0, SHIFT)) < 1 << _LANE_BITS
    fits &= np.maximum(-sums.low, sums.high) << np.clip(scale, 0, SHIFT) < 1 << _SUM_BITS
    cut, scale = np.where(fits, cut, 0), np.where(fits, scale, 0)
    short = multiplier + (1 << cut >> 1) >> cut
    once = np.where(cut > 0, 0, (1 << _FINEST) >> np.clip(right, 0, _FINEST))
    constant = once + (1 << (SHIFT - 1)) + (zero_point << SHIFT)
    end = Short(scale, np.asarray(short, np.int64), np.asarray(constant, np.int64), fits)
    same = agrees(*conv2d_multipliers(graph, op), end, sums.low, sums.high, zero_point)
    return replace(end, is_exact=fits & same)


@lru_cache(maxsize=1024)
def channels(graph: Graph, op: DepthwiseConv2D) -> Channels | None:
    """Return the words and fields that the table may be made from; None where it is stored whole.

    The input's zero point is folded into the biases. Mirror: esq_depthwise_tabled_dsp.c.
    """
    if np.any(ends(graph, op) != RELU):
        return None
    sums = channel_sums(graph, op)
    folded = sums.bias - graph.tensors[op.inputs[0]].zero_point * sums.rows.sum(axis=1)
    packed = pack_words(folded, *conv2d_multipliers(graph, op), sums.high)
    if packed is None or not _relu_end(graph, op, *unpack_words(packed)).is_exact.all():
        return None
    return packed


def tabled_bytes(found: Channels) -> int:
    """Return the bytes of what stands for a table: taps, words and fields."""
    return len(found.fields) * _TAPS + found.bytes


def taps(graph: Graph, op: DepthwiseConv2D) -> Int8Array:
    """Return the weights [C, 9] as the table is made from them: lanes 0 and 2, then 1 and 3."""
    rows = graph.constant(op.weights)[0].reshape(_TAPS, -1).T
    return np.asarray(rows[:, _TAP_ORDER], np.int8)


def agrees(
    multiplier: Int64Array,
    shift: Int64Array,
    short: Short,
    low: Int64Array,
    high: Int64Array,
    zero_point: int = -128,
) -> NDArray[np.bool_]:
    """Say of each channel whether both ways, which never fall, clamped give the same levels."""
    halves = np.arange(-1, 257)[:, np.newaxis] - 0.5
    near = np.floor(halves * np.ldexp(1.0, 31 - shift) / np.maximum(multiplier, 1))
    same = np.ones(len(low), bool)
    for step in range(-3, 4):
        sums = np.clip(near, low, high).astype(np.int64) + step
        sums = np.clip(sums, low, high)
        exact = multiply_by_quantized_multiplier(sums, multiplier, shift) + zero_point
        quick = ((sums << short.scale) * short.multiplier >> 32) + short.constant >> SHIFT
        ends = np.clip(exact, zero_point, 127) == np.clip(quick, zero_point, 127)
        same &= ends.all(axis=0)
    return same


def pack(graph: Graph, op: DepthwiseConv2D) -> Packed:
    """Pack a 3x3 depthwise convolution, each four channels for the fastest exact end."""
    weights, bias = graph.constant(op.weights), graph.constant(op.bias)
    taps = weights[0].astype(np.int64)
    rows = taps.reshape(9, -1).T
    input_zp = graph.tensors[op.inputs[0]].zero_point
    found = ends(graph, op)
    relu, linear, nothing = relu_end(graph, op), linear_end(graph, op), np.zeros_like(rows[:, 0])
    each = np.repeat(found, _QUAD)
    scale = np.choose(each, [relu.scale, linear.scale, nothing])
    multiplier = np.choose(each, [relu.multiplier, linear.multiplier, nothing])
    constant = np.choose(each, [relu.constant, linear.constant, nothing])
    folded = (bias - input_zp * rows.sum(axis=1)) << scale
    words = [
        (taps[first] << scale & 0xFFFF) | (taps[second] << scale & 0xFFFF) << 16
        for first, second in _PAIRS
    ]
    table = np.stack([*words, folded, multiplier, constant], axis=1) & 0xFFFFFFFF
    return Packed(table.astype(np.uint32), found)

"""Weights and tables of requantization as the kernels on the DSP extension take them.

Mirror: firmware/src/dsp/esq_dsp.h, esq_dsp_kernels.S.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, as_int32
from edgesq.graph import Constant, Graph, Int8Array
from edgesq.integers import ceil_div
from edgesq.kernels.dsp.endings import UPPER_BITS, Ending, constants, ending, short_parts
from edgesq.kernels.dsp.lanes import pair_channels
from edgesq.kernels.dsp.windows import GROUP_VALUES, groups_of, slide_of
from edgesq.operators import Conv2D

Uint32Array = NDArray[np.uint32]


@dataclass(frozen=True)
class Packed:
    """A convolution for the DSP kernels.

    Attributes:
        weights: uint32 [pairs, groups, 2, slide].
        table: int32 [O // 2, 8] for a short ending, else biases [O]: see `Mirror`.
        ending: how it ends.
        pair_channels: 2; 1 where channels stand alone, each in the lower byte.
        slide: 3 where windows three columns wide share unpacked columns, else 1.
        groups: groups of four input values under a window, or under one column of it.
    """

    weights: Uint32Array
    table: Int64Array
    ending: Ending
    pair_channels: int
    slide: int
    groups: int


def pack_conv2d(graph: Graph, op: Conv2D) -> Packed:
    """Pack a convolution, for the fastest kernel that is exact for it."""
    weights, beside, end = graph.constant(op.weights), pair_channels(graph, op), ending(graph, op)
    table = graph.constant(op.bias).astype(np.int64)
    if end.is_short:
        zero_point = graph.tensors[op.output].zero_point
        upper_bits = UPPER_BITS if end.form == "relu" else 0
        table = _short_rows(*short_parts(graph, op), zero_point, upper_bits)
    slide = slide_of(graph, op)
    words = pack_weights(in_order(weights, slide), beside, slide)
    return Packed(words, table, end, beside, slide, groups_of(graph, op))


def in_order(weights: Constant, slide: int) -> Int64Array:
    """Return OHWI weights as [O, K] in the order that the kernels take them.

    Where the window slides, the columns of a kernel row stand side by side for each value.
    """
    if slide == 1:
        return weights.reshape(len(weights), -1).astype(np.int64)
    return weights.transpose(0, 1, 3, 2).reshape(len(weights), -1).astype(np.int64)


def pack_weights(rows: Int64Array, pair_channels: int = 2, slide: int = 1) -> Uint32Array:
    """Pack weights [O, K] of `in_order` as uint32 [pairs, groups, 2, slide]: lanes 256 A + B."""
    group = GROUP_VALUES * slide
    groups = ceil_div(rows.shape[1], group)
    padded = np.zeros((len(rows), groups * group), np.int64)
    padded[:, : rows.shape[1]] = rows
    pairs = _paired(padded, pair_channels)
    lanes = (256 * pairs[:, 0] + pairs[:, 1]) & 0xFFFF
    grouped = lanes.reshape(len(lanes), groups, 2, 2, slide)
    return (grouped[:, :, 0] | grouped[:, :, 1] << 16).astype(np.uint32)


def unpack_weights(
    words: Uint32Array, channels: int, values: int, pair_channels: int, slide: int
) -> Int64Array:
    """Undo `pack_weights`: weights [channels, values]."""
    wide = words.astype(np.int64).reshape(len(words), -1, 2, slide)
    lanes = np.stack([wide & 0xFFFF, wide >> 16], axis=2).reshape(len(words), -1)
    lower, upper = _apart(lanes)
    both = np.stack([upper, lower], axis=1)[:, 2 - pair_channels :]
    return both.reshape(len(words) * pair_channels, -1)[:channels, :values]


def in_memory(words: Uint32Array) -> Int8Array:
    """Return packed weights one by one in the order in which a decoder writes them: B, then A."""
    lanes = np.stack([words & 0xFFFF, words >> 16], axis=-1).astype(np.int64)
    return np.stack(_apart(lanes), axis=-1).reshape(-1).astype(np.int8)


def _apart(lanes: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return B and A of lanes 256 A + B."""
    lower = (lanes + 128 & 0xFF) - 128
    return lower, ((lanes - lower >> 8) + 128 & 0xFF) - 128


def _paired(values: Int64Array, pair_channels: int) -> Int64Array:
    """Return [pairs, 2, ...]: A and B; zeros where there is no such channel."""
    pairs = ceil_div(len(values), pair_channels)
    result = np.zeros((pairs, 2, *values.shape[1:]), np.int64)
    if pair_channels == 1:
        result[:, 1] = values
    else:
        result[:, 0] = values[0::2]
        result[: len(values) // 2, 1] = values[1::2]
    return result


def _short_rows(
    bias: Int64Array, multiplier: Int64Array, right: Int64Array, zero_point: int, upper_bits: int
) -> Int64Array:
    """Return [O // 2, 8]: 256 A + B and B of biases; multiplier, constant, shift of A, then of B.

    Mirror: esq_dsp_enter_rows.
    """
    pairs = len(bias) // 2
    (bias_a, bias_b), (multiplier_a, multiplier_b), (right_a, right_b) = (
        (each[0 : 2 * pairs : 2], each[1::2]) for each in (bias, multiplier, right)
    )
    shift = right_a + upper_bits
    upper = (multiplier_a, constants(shift, zero_point) + (1 << upper_bits >> 1), shift)
    lower = (multiplier_b, constants(right_b, zero_point), right_b)
    return np.stack([as_int32(256 * bias_a + bias_b), bias_b, *upper, *lower], axis=1)

"""Weights and tables of requantization as the kernels on the DSP extension take them.

Mirror: firmware/src/dsp/esq_dsp.h, esq_dsp_kernels.S.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, as_int32, conv2d_multipliers
from edgesq.graph import Graph, Int8Array, Int32Array
from edgesq.integers import ceil_div
from edgesq.kernels.dsp.endings import ends_short
from edgesq.kernels.dsp.lanes import pair_channels
from edgesq.kernels.dsp.windows import GROUP_VALUES, groups_of, slide_of
from edgesq.operators import Conv2D, FullyConnected

Uint32Array = NDArray[np.uint32]


@dataclass(frozen=True)
class Packed:
    """A convolution for the DSP kernels.

    Attributes:
        weights: uint32 [pairs, groups, 2, slide].
        table: int32 [pairs, 8] for "relu", else [pairs, 2]: see `Mirror`.
        finish: "relu" where the short requantization is exact, else "any"; "once" where sums are
            rounded once.
        pair_channels: 2; 1 where channels stand alone, each in the lower byte.
        slide: 3 where windows three columns wide share unpacked columns, else 1.
        groups: groups of four input values under a window, or under one column of it.
    """

    weights: Uint32Array
    table: Int64Array
    finish: str
    pair_channels: int
    slide: int
    groups: int


def pack_conv2d(graph: Graph, op: Conv2D) -> Packed:
    """Pack a convolution, for the fastest kernel that is exact for it."""
    weights, bias = graph.constant(op.weights), graph.constant(op.bias)
    beside = pair_channels(graph, op)
    multiplier, shift = conv2d_multipliers(graph, op)
    relu = ends_short(graph, op)
    finish = "relu" if relu else "any"
    first = _paired(bias.astype(np.int64), beside)
    sums = np.stack([256 * first[:, 0] + first[:, 1], first[:, 1]], axis=1)
    table = as_int32(sums)
    if isinstance(op, FullyConnected):
        finish = "once"
    elif relu:
        table = np.concatenate([table, _relu_rows(multiplier, shift)], axis=1)
    slide = slide_of(graph, op)
    words = pack_weights(in_order(weights, slide), beside, slide)
    return Packed(words, table, finish, beside, slide, groups_of(graph, op))


def in_order(weights: Int8Array | Int32Array, slide: int) -> Int64Array:
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


def _relu_rows(multiplier: Int64Array, shift: Int64Array) -> Int64Array:
    """Return [pairs, 6]: multiplier, constant and shift of A, then of B."""
    right = -shift
    a, b = right[0::2], right[1::2]
    upper = (multiplier[0::2], 64 - (255 << (a + 6)), a + 7)
    lower = (multiplier[1::2], (1 << b >> 1) - (128 << b), b)
    return np.stack([*upper, *lower], axis=1)

"""Weights and tables of requantization as the kernels on MVE take them.

Mirror: firmware/src/mve/esq_mve.h, esq_mve_kernels.S.
"""

from dataclasses import dataclass

import numpy as np

from edgesq.arithmetic import Int64Array, as_int32, conv2d_multipliers
from edgesq.graph import Graph, Int8Array
from edgesq.integers import ceil_div
from edgesq.kernels.mve.blocks import BLOCK, QUAD, blocks_of, ends_short, row_blocks_of
from edgesq.kernels.mve.depthwise import strip_blocks
from edgesq.operators import Conv2D, DepthwiseConv2D, FullyConnected


@dataclass(frozen=True)
class Packed:
    """A convolution for the MVE kernels.

    Attributes:
        weights: int8 [quads, 2, blocks, 2, 16].
        table: int32 [quads, n, 4], of four channels each. any: bias, multiplier, left shift,
            negative right shift. relu: bias, multiplier, addend, left shift. edges: the same behind
            the bias without the window's last row, and without its first.
        finish: "any"; "once" where sums are rounded once, and of the table only the bias counts;
            "relu" where the short requantization is exact; "edges" where moreover rows
            beside the image are left out.
        row_blocks: edges: blocks under one row of the window; else 0.
    """

    weights: Int8Array
    table: Int64Array
    finish: str
    row_blocks: int


def pack_conv2d(graph: Graph, op: Conv2D) -> Packed:
    """Pack a convolution, for the fastest kernel that is exact for it."""
    weights, bias = graph.constant(op.weights), graph.constant(op.bias)
    multiplier, shift = conv2d_multipliers(graph, op)
    finish, row_blocks = "any", 0
    last = np.maximum(shift, 0), np.minimum(shift, 0)
    if isinstance(op, FullyConnected):
        finish = "once"
    elif ends_short(graph, op):
        row_blocks = row_blocks_of(graph, op)
        finish, last = "edges" if row_blocks else "relu", _relu_columns(-shift)
    parts = (weights[:, :-1], weights[:, 1:], weights) if row_blocks else (weights,)
    input_zp = graph.tensors[op.inputs[0]].zero_point
    folded = [bias - input_zp * part.astype(np.int64).sum(axis=(1, 2, 3)) for part in parts]
    columns = [*map(as_int32, folded), multiplier, *last]
    table = np.stack([_in_quads(column) for column in columns], axis=1)
    rows = weights.reshape(len(weights), -1).astype(np.int64)
    return Packed(pack_weights(rows, blocks_of(graph, op)), table, finish, row_blocks)


def pack_depthwise(graph: Graph, op: DepthwiseConv2D) -> Packed:
    """Pack a depthwise convolution: int8 [16 + O * blocks * 16], 16 zeros first, and [quads, 4, 4].

    A window stands column by column, zeros behind it.
    """
    weights, bias = graph.constant(op.weights), graph.constant(op.bias)
    multiplier, shift = conv2d_multipliers(graph, op)
    finish, last = "any", (np.maximum(shift, 0), np.minimum(shift, 0))
    if ends_short(graph, op):
        finish, last = "relu", _relu_columns(-shift)
    windows = weights[0].transpose(2, 1, 0).reshape(len(bias), -1).astype(np.int64)
    folded = bias - graph.tensors[op.inputs[0]].zero_point * windows.sum(axis=1)
    columns = [as_int32(folded), multiplier, *last]
    table = np.stack([_in_quads(column) for column in columns], axis=1)
    packed = np.zeros((len(bias), strip_blocks(op) * BLOCK), np.int8)
    packed[:, : windows.shape[1]] = windows
    return Packed(np.append(np.zeros(BLOCK, np.int8), packed), table, finish, 0)


def pack_weights(rows: Int64Array, blocks: int) -> Int8Array:
    """Pack weights [O, K] as int8 [quads, 2, blocks, 2, 16]; the second pair's blocks backwards."""
    padded = np.zeros((len(rows), blocks * BLOCK), np.int64)
    padded[:, : rows.shape[1]] = rows
    quads = _in_quads(padded).reshape(-1, 2, 2, blocks, BLOCK)
    pairs = quads.transpose(0, 2, 3, 1, 4).astype(np.int8)
    return np.stack([pairs[:, 0], pairs[:, 1, ::-1]], axis=1)


def unpack_weights(packed: Int8Array, channels: int, values: int) -> Int64Array:
    """Undo `pack_weights`: weights [channels, values]."""
    pairs = np.stack([packed[:, 0], packed[:, 1, ::-1]], axis=1)
    quads = pairs.transpose(0, 3, 1, 2, 4).astype(np.int64)
    return quads.reshape(len(packed) * QUAD, -1)[:channels, :values]


def _in_quads(values: Int64Array) -> Int64Array:
    """Return [quads, 4, ...]; zeros where there is no such channel."""
    quads = ceil_div(len(values), QUAD)
    result = np.zeros((quads * QUAD, *values.shape[1:]), np.int64)
    result[: len(values)] = values
    return result.reshape(quads, QUAD, *values.shape[1:])


def _relu_columns(right: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return what is added before the shift, half and zero point, and the shift to the top byte."""
    return (1 << right >> 1) - (128 << right), 24 - right

"""Weights and tables of requantization as the kernels on MVE take them.

Mirror: firmware/src/mve/esq_mve.h, esq_mve_kernels.S.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, as_int32, conv2d_multipliers
from edgesq.graph import Graph, Int8Array
from edgesq.integers import ceil_div
from edgesq.kernels.mve.blocks import (
    BLOCK,
    QUAD,
    SLIDING,
    by_columns,
    ends_short,
    finish_of,
    leaves_rows_out,
)
from edgesq.kernels.mve.depthwise import strip_blocks
from edgesq.operators import Conv2D, DepthwiseConv2D


@dataclass(frozen=True)
class Packed:
    """A convolution for the MVE kernels.

    Attributes:
        weights: as `pack_weights` says.
        table: int32 [quads, 4, 4], of four channels each. any: bias, multiplier, left shift,
            negative right shift. relu, signed: bias, multiplier, addend, left shift.
        finish: as `finish_of` says; depthwise: "any" or "relu".
        edges: int32 [quads, 2, 4], bias without the window's first row, and without its last; None
            where none are left out.
    """

    weights: Int8Array
    table: Int64Array
    finish: str
    edges: Int64Array | None = None


def pack_conv2d(graph: Graph, op: Conv2D) -> Packed:
    """Pack a convolution, for the fastest kernel that is exact for it."""
    weights, bias = graph.constant(op.weights), graph.constant(op.bias)
    multiplier, shift = conv2d_multipliers(graph, op)
    finish = finish_of(graph, op)
    zero_point = graph.tensors[op.output].zero_point
    is_exact = finish in ("any", "once")
    last = _exact_columns(shift) if is_exact else short_columns(-shift, zero_point)
    input_zp = graph.tensors[op.inputs[0]].zero_point
    table = _table([_folded(bias, weights, input_zp), multiplier, *last])
    edges = None
    if leaves_rows_out(graph, op):
        parts = weights[:, 1:], weights[:, :-1]
        edges = _table([_folded(bias, part, input_zp) for part in parts])
    order = order_of(graph, op)
    return Packed(pack_weights(ordered(weights, order), order), table, finish, edges)


def _folded(bias: NDArray[np.integer], weights: Int8Array, input_zp: int) -> Int64Array:
    """Return the bias to sums of raw input."""
    axes = tuple(range(1, weights.ndim))
    return as_int32(bias - input_zp * weights.astype(np.int64).sum(axis=axes))


def _table(columns: Sequence[Int64Array]) -> Int64Array:
    """Return numbers per channel as int32 [quads, columns, 4]."""
    return np.stack([_in_quads(column) for column in columns], axis=1)


def pack_depthwise(graph: Graph, op: DepthwiseConv2D) -> Packed:
    """Pack a depthwise convolution: int8 [16 + O * blocks * 16], 16 zeros first, and [quads, 4, 4].

    A window stands column by column, zeros behind it.
    """
    weights, bias = graph.constant(op.weights), graph.constant(op.bias)
    multiplier, shift = conv2d_multipliers(graph, op)
    is_short = ends_short(graph, op)
    last = short_columns(-shift, -128) if is_short else _exact_columns(shift)
    windows = weights[0].transpose(2, 1, 0).reshape(len(bias), -1)
    folded = _folded(bias, windows, graph.tensors[op.inputs[0]].zero_point)
    packed = np.zeros((len(bias), strip_blocks(op) * BLOCK), np.int8)
    packed[:, : windows.shape[1]] = windows
    ahead = np.zeros(BLOCK, np.int8)
    table = _table([folded, multiplier, *last])
    return Packed(np.append(ahead, packed), table, "relu" if is_short else "any")


class Order(StrEnum):
    """In which order the values under a window stand."""

    ROWS = "rows"
    COLUMNS = "columns"
    SLIDE = "slide"
    """Blocks row by row, each of all columns together."""


def order_of(graph: Graph, op: Conv2D) -> Order:
    """Return the order that a convolution's kernel takes."""
    if finish_of(graph, op).startswith("slide"):
        return Order.SLIDE
    return Order.COLUMNS if by_columns(graph, op) else Order.ROWS


def pack_weights(rows: Int64Array, order: Order) -> Int8Array:
    """Pack weights [O, K] as int8 [quads, 2, blocks, 2, 16].

    The second pair's blocks stand backwards. Where windows slide, those of all columns stay
    together, and pairs are channels side by side.
    """
    blocks = ceil_div(rows.shape[1], BLOCK)
    padded = np.zeros((len(rows), blocks * BLOCK), np.int64)
    padded[:, : rows.shape[1]] = rows
    quads = _in_quads(padded).reshape(-1, 2, 2, blocks, BLOCK)
    pairs = quads.transpose(_axes(order)).astype(np.int8)
    return np.stack([pairs[:, 0], _backwards(pairs[:, 1], order)], axis=1)


def unpack_weights(packed: Int8Array, channels: int, values: int, order: Order) -> Int64Array:
    """Undo `pack_weights`: weights [channels, values]."""
    pairs = np.stack([packed[:, 0], _backwards(packed[:, 1], order)], axis=1)
    quads = pairs.transpose(np.argsort(_axes(order))).astype(np.int64)
    return quads.reshape(len(packed) * QUAD, -1)[:channels, :values]


def _axes(order: Order) -> tuple[int, ...]:
    return (0, 1, 3, 2, 4) if order is Order.SLIDE else (0, 2, 3, 1, 4)


def _backwards(pair: Int8Array, order: Order) -> Int8Array:
    """Turn blocks [quads, blocks, ...] around."""
    together = SLIDING if order is Order.SLIDE else 1
    units = pair.reshape(len(pair), -1, together, *pair.shape[2:])
    return units[:, ::-1].reshape(pair.shape)


def ordered(weights: Int8Array, order: Order) -> Int64Array:
    """Return OHWI weights as [O, K] in an order."""
    count, height, width, _ = weights.shape
    match order:
        case Order.COLUMNS:
            weights = weights.transpose(0, 2, 1, 3)
        case Order.SLIDE:
            blocks = weights.reshape(count, height, width, -1, BLOCK)
            weights = blocks.transpose(0, 1, 3, 2, 4)
    return weights.reshape(count, -1).astype(np.int64)


def ohwi(rows: Int64Array, shape: tuple[int, ...], order: Order) -> Int64Array:
    """Undo the order: weights OHWI of this shape from [O, K]."""
    count, height, width, channels = shape
    match order:
        case Order.COLUMNS:
            return rows.reshape(count, width, height, channels).transpose(0, 2, 1, 3)
        case Order.SLIDE:
            blocks = rows.reshape(count, height, -1, width, BLOCK)
            return blocks.transpose(0, 1, 3, 2, 4).reshape(shape)
    return rows.reshape(shape)


def _in_quads(values: Int64Array) -> Int64Array:
    """Return [quads, 4, ...]; zeros where there is no such channel."""
    quads = ceil_div(len(values), QUAD)
    result = np.zeros((quads * QUAD, *values.shape[1:]), np.int64)
    result[: len(values)] = values
    return result.reshape(quads, QUAD, *values.shape[1:])


def _exact_columns(shift: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return the left shift, and the right shift below zero."""
    return np.maximum(shift, 0), np.minimum(shift, 0)


def short_columns(right: Int64Array, zero_point: int) -> tuple[Int64Array, Int64Array]:
    """Return what is added before the shift, half and zero point, and the shift to the top byte."""
    return (1 << right >> 1) + (zero_point << right), 24 - right

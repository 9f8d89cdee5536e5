"""Weights that are decoded while the network runs: whose, how many channels at a time, and where.

Mirror: struct esq_streamed in firmware/include/esq_streamed.h.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from edgesq.compress import MASK_BITS, MAX_BITS, stream_bytes
from edgesq.graph import Conv2D, FullyConnected, Graph
from edgesq.integers import ceil_div, round_up
from edgesq.kernels.decoding import WEIGHT_INSTRUCTIONS, masked_words
from edgesq.kernels.dsp.lanes import dsp_pair_channels
from edgesq.kernels.dsp.tables import ROW_BYTES, saved_bytes, short_channels
from edgesq.kernels.kernel import Streamed
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.kernels.work import (
    MVE_BLOCK,
    WINOGRAD_PIXELS,
    dsp_groups,
    dsp_slide,
    mve_blocks,
    winograd_fits,
)

TABLE_BITS = (8, 9, 10, 11)
"""Indices into the table of pairs of weights, which is made anew for each band, to choose from."""

_MASKED_BITS = (8, 9, 10)
"""The same with masks: the table is of single weights."""

TILE = 4
"""Tiles are multiples of this many channels, of all families' blocks."""

MAX_SHARE = 0.75
"""Of a layer's bytes that its stream may take."""

MAX_PER_BYTE = 700.0
"""Instructions per image that a byte of flash is worth."""

_FIXED_BYTES = 48
"""struct esq_stream and what struct esq_streamed adds to an operator."""

_ALIGNMENT = 16

_TILE_VALUES = 6
"""Of Winograd's F(4, 3), from six columns of a tile."""


def has_stream_kernel(graph: Graph, op: Conv2D, kernels: str) -> bool:
    """Say whether a kernel family takes a convolution's weights from a stream."""
    if kernels == "portable":
        return not isinstance(op, FullyConnected)
    return kernels != "dsp" or dsp_pair_channels(graph, op) == 2


@lru_cache(maxsize=8)
def streamable(graph: Graph, kernels: str) -> frozenset[int]:
    """Return the convolutions, by output, whose weights take less flash as a stream.

    Only where a kernel family has a kernel for it: portable has none for a FULLY_CONNECTED, dsp
    none for channels that stand alone in their lanes.
    """
    return frozenset(
        op.output
        for op in graph.ops
        if isinstance(op, Conv2D)
        and has_stream_kernel(graph, op, kernels)
        and _is_worth(graph, op, kernels)
    )


def _is_worth(graph: Graph, op: Conv2D, kernels: str) -> bool:
    """Say whether a stream is so much shorter that its decoding pays.

    Large maps are computed in many bands, each of which decodes the weights again. Where Winograd
    can be had by that, it is worth it anyway.
    """
    weights = graph.constant(op.weights)
    _, counts = np.unique(weights, return_counts=True)
    chances = counts / weights.size
    if -(chances * np.log2(chances)).sum() >= 8 * MAX_SHARE:
        return False  # no code is shorter than the entropy
    size = _stream_bytes(graph, op.weights, MAX_BITS) + _FIXED_BYTES
    if size >= MAX_SHARE * weights.size:
        return False
    gains = kernels == "dsp" and winograd_fits(graph, op)
    bands = ceil_div(graph.tensors[op.output].hwc[0], 2)
    cost = bands * weights.size * WEIGHT_INSTRUCTIONS[kernels]
    return gains or cost < MAX_PER_BYTE * (weights.size - size)


def streams_save_bytes(graph: Graph, ops: Ops, kernels: str) -> int:
    """Return the bytes of flash that the streams of a plan save."""
    return sum(_saves(graph, item, kernels) for item in ops if item.streamed)


def _saves(graph: Graph, item: RowOp, kernels: str) -> int:
    conv = item.feeder or item.op
    assert isinstance(conv, Conv2D)
    weights = graph.constant(conv.weights)
    assert item.streamed is not None
    size = _stream_bytes(graph, conv.weights, item.streamed.table_bits)
    channels = short_channels(graph, conv, kernels)
    saved = weights.size - size - _FIXED_BYTES
    return saved + (len(weights) * ROW_BYTES - channels.bytes if channels else 0)


def channels_bytes(graph: Graph, kernels: str) -> int:
    """Return what all layers that can be streamed take per channel, beside whole tables."""
    outputs = streamable(graph, kernels)
    layers = [op for op in graph.ops if isinstance(op, Conv2D) and op.output in outputs]
    return sum(found.bytes for op in layers if (found := short_channels(graph, op, kernels)))


@lru_cache(maxsize=1024)
def _stream_bytes(graph: Graph, weights: int, bits: int) -> int:
    """Return the bytes of a tensor's stream, for a table of so many bits.

    With masks it is exact for OHWI; a kernel family's order differs from it by some 0.1 %.
    """
    data = graph.constant(weights)
    levels = data.astype(np.int8)
    return stream_bytes(levels, min(bits, MAX_BITS), masked_words(graph, weights) is not None)


def more_bytes(graph: Graph, item: RowOp) -> int:
    """Return the bytes of flash that an operator's stream takes more for a smaller table.

    Less than nothing where bits stand for its table of requantization.
    """
    conv = item.feeder or item.op
    if item.tabled and isinstance(conv, Conv2D):
        return -saved_bytes(graph, conv)
    if item.streamed is None or not isinstance(conv, Conv2D):
        return 0
    taken = _stream_bytes(graph, conv.weights, item.streamed.table_bits)
    return taken - _stream_bytes(graph, conv.weights, MAX_BITS)


def channel_bytes(graph: Graph, op: Conv2D, kernels: str) -> int:
    """Return the bytes of one output channel's weights as a kernel family packs them."""
    match kernels:
        case "dsp":
            return dsp_groups(graph, op) * 4 * dsp_slide(graph, op)
        case "mve":
            return mve_blocks(graph, op) * MVE_BLOCK
    return int(np.prod(graph.tensors[op.weights].shape[1:]))


def with_tile(graph: Graph, item: RowOp, kernels: str, bits: int, tile: int) -> RowOp:
    """Return an operator, whose working memory is that of its kernel, with what a tile needs."""
    conv = item.feeder or item.op
    assert isinstance(conv, Conv2D)
    each = channel_bytes(graph, conv, kernels)
    masked = masked_words(graph, conv.weights) is not None
    table = _aligned(item.work_bytes)
    rows = table + _tables_bytes(bits, masked)
    weights = _aligned(rows + (tile * ROW_BYTES if kernels == "dsp" else 0))
    end = weights + _aligned(tile * each) + (MVE_BLOCK if kernels == "mve" else 0)
    streamed = Streamed(tile, bits, table, rows, weights, each, has_masks=masked)
    return replace(item, work_bytes=end, streamed=streamed)


def with_winograd(graph: Graph, item: RowOp, bits: int, kernel_rows: int) -> RowOp:
    """Return a 3x3 convolution with what Winograd needs. Mirror: esq_winograd_streamed_dsp.c."""
    assert isinstance(item.op, Conv2D)
    window = item.op.window
    _, width, _ = graph.tensors[item.op.output].hwc
    depth = graph.tensors[item.op.inputs[0]].hwc[2]
    rows = (item.band_units - 1) * window.stride_h + window.height
    values = window.height * window.width * depth
    tiles = ceil_div(width, WINOGRAD_PIXELS) * _TILE_VALUES * rows * depth * 2
    masked = masked_words(graph, item.op.weights) is not None
    table = _aligned(tiles)
    raw = table + _tables_bytes(bits, masked)
    weights = _aligned(raw + values // window.height * kernel_rows)
    end = weights + TILE * values * _TILE_VALUES // window.width * 2
    streamed = Streamed(TILE, bits, table, raw, weights, values, kernel_rows, masked)
    return replace(item, work_bytes=end, streamed=streamed, pixels=WINOGRAD_PIXELS)


def _tables_bytes(bits: int, masked: bool) -> int:
    return (4 << bits) + (2 << MASK_BITS if masked else 0)


def stream_ways(graph: Graph, item: RowOp, kernels: str) -> Iterator[RowOp]:
    """Yield the ways to decode an operator's weights: its table, and tiles of about equal size.

    Args:
        graph: the model.
        item: the operator, whose working memory is that of its kernel.
        kernels: kernel family.
    """
    conv = item.feeder or item.op
    assert isinstance(conv, Conv2D)
    blocks = ceil_div(graph.tensors[conv.output].hwc[2], TILE)
    tiles = sorted({TILE * ceil_div(blocks, count) for count in range(1, blocks + 1)})
    for bits in _table_bits(graph, conv):
        yield from (with_tile(graph, item, kernels, bits, tile) for tile in tiles)


def winograd_ways(graph: Graph, item: RowOp) -> Iterator[RowOp]:
    """Yield the ways to run an operator as Winograd with weights that are made on the board."""
    if isinstance(item.op, Conv2D) and winograd_fits(graph, item.op):
        for bits in _table_bits(graph, item.op):
            for kernel_rows in (1, item.op.window.height):
                yield with_winograd(graph, item, bits, kernel_rows)


def _table_bits(graph: Graph, conv: Conv2D) -> tuple[int, ...]:
    return TABLE_BITS if masked_words(graph, conv.weights) is None else _MASKED_BITS


def _aligned(size: int) -> int:
    return round_up(size, _ALIGNMENT)

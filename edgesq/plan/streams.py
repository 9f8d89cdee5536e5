"""Weights that are decoded while the network runs: whose, how many channels at a time, and where.

Mirror: struct esq_streamed in firmware/include/esq_streamed.h.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from edgesq.compress import MASK_BITS, MAX_BITS, WORD, code_lengths, has_masks, stream_bytes
from edgesq.graph import Conv2D, FullyConnected, Graph
from edgesq.plan.channels import Channels, channel_fields
from edgesq.plan.lower import RowOp
from edgesq.plan.work import (
    MVE_BLOCK,
    WINOGRAD_PIXELS,
    Ops,
    dsp_ends_short,
    dsp_groups,
    dsp_pair_channels,
    dsp_slide,
    mve_blocks,
    winograd_fits,
)

TABLE_BITS = (9, 10, 11)
"""Indices into the table of pairs of weights, which is made anew for each band, to choose from."""

_MASKED_BITS = (9, 10)
"""The same with masks: the table is of single weights."""

TILE = 4
"""Tiles are multiples of this many channels, of all families' blocks."""

MOST_SHARE = 0.75
"""Of a layer's bytes that its stream may take."""

MOST_PER_BYTE = 700.0
"""Instructions per image that a byte of flash is worth."""

_ROW_BYTES = 16
"""dsp: of the table for the short requantization, per channel."""

_FIXED_BYTES = 48
"""struct esq_stream and what struct esq_streamed adds to an operator."""

_ALIGNMENT = 16

_TILE_VALUES = 6
"""Of Winograd's F(4, 3), from six columns of a tile."""

_TABLE_INSTRUCTIONS, _ENTRY_INSTRUCTIONS = 8_000, 22
"""To make the table of codes, and for each of its entries."""

_WEIGHT_INSTRUCTIONS = {"portable": 10.0, "dsp": 4.3, "mve": 4.3}
"""To decode a weight of a pair that the table has."""

_LONG_INSTRUCTIONS = 7.0
"""More, for a weight of a word with another pair."""

_MASKED_INSTRUCTIONS = {
    "portable": (18.0, 34.0, 48.0, 62.0, 76.0),
    "dsp": (11.5, 17.0, 26.0, 32.0, 41.0),
    "mve": (11.5, 17.0, 26.0, 32.0, 41.0),
}
"""To decode four weights under a mask, by how many are not zero."""

_UNPACK_INSTRUCTIONS = {"portable": 0.0, "dsp": 1.3, "mve": 0.2}
"""To set out an input value under one output pixel, again for each tile."""

_TRANSFORM_INSTRUCTIONS, _COLUMN_INSTRUCTIONS, _END_INSTRUCTIONS = 3.6, 23.0, 13.0
"""Winograd: per weight; per input value of a tile's row; per output value."""


@dataclass(frozen=True)
class Streamed:
    """How an operator's weights are decoded.

    Attributes:
        tile: output channels decoded together, then used for all rows of a band.
        table_bits: index into the table of codes.
        table_offset, rows_offset, weights_offset: bytes into the operator's working memory of the
            table of codes, of the tile's requantization, and of its weights.
        channel_bytes: of the weights, as the kernel family packs them.
        kernel_rows: of a channel, decoded together where Winograd transforms them; else 0.
        has_masks: whether the stream has masks, whose table stands behind that of codes.
    """

    tile: int
    table_bits: int
    table_offset: int
    rows_offset: int
    weights_offset: int
    channel_bytes: int
    kernel_rows: int = 0
    has_masks: bool = False


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
    weights = graph.tensors[op.weights].data
    assert weights is not None
    _, counts = np.unique(weights, return_counts=True)
    chances = counts / weights.size
    if -(chances * np.log2(chances)).sum() >= 8 * MOST_SHARE:
        return False  # no code is shorter than the entropy
    size = _stream_bytes(graph, op.weights, MAX_BITS) + _FIXED_BYTES
    if size >= MOST_SHARE * weights.size:
        return False
    gains = kernels == "dsp" and winograd_fits(graph, op)
    bands = -(-graph.tensors[op.output].hwc[0] // 2)
    cost = bands * weights.size * _WEIGHT_INSTRUCTIONS[kernels]
    return gains or cost < MOST_PER_BYTE * (weights.size - size)


def streams_save_bytes(graph: Graph, ops: Ops, kernels: str) -> int:
    """Return the bytes of flash that the streams of a plan save."""
    return sum(_saves(graph, item, kernels) for item in ops if item.streamed)


def _saves(graph: Graph, item: RowOp, kernels: str) -> int:
    conv = item.feeder or item.op
    assert isinstance(conv, Conv2D)
    weights = graph.tensors[conv.weights].data
    assert weights is not None
    assert item.streamed is not None
    size = _stream_bytes(graph, conv.weights, item.streamed.table_bits)
    channels = _channels(graph, conv, kernels)
    saved = weights.size - size - _FIXED_BYTES
    return saved + (len(weights) * _ROW_BYTES - channels.bytes if channels else 0)


def _channels(graph: Graph, conv: Conv2D, kernels: str) -> Channels | None:
    """Return what stands for a streamed layer's table; None where that is there as a whole."""
    return channel_fields(graph, conv) if kernels == "dsp" and dsp_ends_short(graph, conv) else None


def channels_bytes(graph: Graph, kernels: str) -> int:
    """Return what all layers that can be streamed take per channel, beside whole tables."""
    outputs = streamable(graph, kernels)
    layers = [op for op in graph.ops if isinstance(op, Conv2D) and op.output in outputs]
    return sum(found.bytes for op in layers if (found := _channels(graph, op, kernels)))


@lru_cache(maxsize=1024)
def _stream_bytes(graph: Graph, weights: int, bits: int) -> int:
    """Return the bytes of a tensor's stream, for a table of so many bits.

    With masks it is exact for OHWI; a kernel family's order differs from it by some 0.1 %.
    """
    data = graph.tensors[weights].data
    assert data is not None
    levels = data.astype(np.int8)
    return stream_bytes(levels, min(bits, MAX_BITS), masked_words(graph, weights) is not None)


@lru_cache(maxsize=1024)
def masked_words(graph: Graph, weights: int) -> tuple[float, ...] | None:
    """Return the shares of words with 0 to 4 weights that are not zero; None without masks."""
    data = graph.tensors[weights].data
    assert data is not None
    if not has_masks(data.astype(np.int8)):
        return None
    used = np.zeros(-(-data.size // WORD) * WORD, np.int64)
    used[: data.size] = data.reshape(-1) != 0
    counts = np.bincount(used.reshape(-1, WORD).sum(axis=1), minlength=WORD + 1)
    return tuple((counts / counts.sum()).tolist())


@lru_cache(maxsize=1024)
def long_words(graph: Graph, weights: int, bits: int) -> float:
    """Return the share of words, four weights, with a pair that takes more than `bits` bits.

    Args:
        graph: the model.
        weights: the tensor.
        bits: index into the table; also the longest code, where that is less than usual.
    """
    data = graph.tensors[weights].data
    assert data is not None
    counts = np.bincount(data.reshape(-1).astype(np.int64) + 128, minlength=256)
    lengths = code_lengths(counts, min(bits, MAX_BITS))
    chances = np.bincount(lengths, counts, minlength=2)[1:] / counts.sum()
    pairs = np.convolve(chances, chances)  # [k]: both take k + 2 bits
    return float(1 - pairs[: bits - 1].sum() ** 2)


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
    weights = _aligned(rows + (tile * _ROW_BYTES if kernels == "dsp" else 0))
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
    tiles = -(-width // WINOGRAD_PIXELS) * _TILE_VALUES * rows * depth * 2
    masked = masked_words(graph, item.op.weights) is not None
    table = _aligned(tiles)
    raw = table + _tables_bytes(bits, masked)
    weights = _aligned(raw + values // window.height * kernel_rows)
    end = weights + TILE * values * _TILE_VALUES // window.width * 2
    streamed = Streamed(TILE, bits, table, raw, weights, values, kernel_rows, masked)
    return replace(item, work_bytes=end, streamed=streamed, pixels=WINOGRAD_PIXELS)


def _tables_bytes(bits: int, masked: bool) -> int:
    return (4 << bits) + (2 << MASK_BITS if masked else 0)


def _weight_instructions(graph: Graph, weights: int, kernels: str, bits: int) -> float:
    """Estimate what decoding a weight takes."""
    words = masked_words(graph, weights)
    if words is not None:
        return float(np.dot(words, _MASKED_INSTRUCTIONS[kernels])) / WORD
    long = long_words(graph, weights, bits)
    return _WEIGHT_INSTRUCTIONS[kernels] + _LONG_INSTRUCTIONS * long


def decoding_instructions(graph: Graph, item: RowOp, kernels: str) -> float:
    """Estimate what an operator spends per image beyond its kernel over plain weights."""
    conv, streamed = item.feeder or item.op, item.streamed
    if streamed is None:
        return 0.0
    assert isinstance(conv, Conv2D)
    height, width, channels = graph.tensors[conv.output].hwc
    shape = graph.tensors[conv.weights].shape
    weights = int(np.prod(shape))
    bands = -(-height // item.band_units)
    table = _TABLE_INSTRUCTIONS + (_ENTRY_INSTRUCTIONS << streamed.table_bits)
    each = _weight_instructions(graph, conv.weights, kernels, streamed.table_bits)
    cost = bands * (table + weights * each)
    if item.pixels != WINOGRAD_PIXELS:
        unpacked = height * width * int(np.prod(shape[1:])) * _UNPACK_INSTRUCTIONS[kernels]
        return cost + (-(-channels // streamed.tile) - 1) * unpacked
    rows = (item.band_units - 1) * conv.window.stride_h + conv.window.height
    tiles = -(-width // WINOGRAD_PIXELS)
    cost += bands * (
        weights * _TRANSFORM_INSTRUCTIONS + rows * tiles * shape[3] * _COLUMN_INSTRUCTIONS
    )
    outputs = height * tiles * WINOGRAD_PIXELS * channels
    return (
        cost + outputs * (_END_INSTRUCTIONS + 0.36 * np.prod(shape[1:])) - 0.69 * graph.macs(conv)
    )


def fit_streams(
    graph: Graph,
    ops: Ops,
    kernels: str,
    arena_bytes: Callable[[Ops, int], int],
    streamed: frozenset[int],
    limit_bytes: int | None,
) -> Ops:
    """Give streamed operators what is fastest in the room there is, those with the most work first.

    Args:
        graph: the model.
        ops: operators with their kernels' working memory.
        kernels: kernel family.
        arena_bytes: the arena that a choice of operators leads to, and a size that is enough.
        streamed: convolutions, by output.
        limit_bytes: size up to which the arena may grow; None for what the smallest tiles take.
    """
    places = [k for k, item in enumerate(ops) if (item.feeder or item.op).output in streamed]
    chosen = list(ops)
    for index in places:
        chosen[index] = with_tile(graph, ops[index], kernels, TABLE_BITS[0], TILE)
    limit = arena_bytes(tuple(chosen), 0)
    if limit_bytes is not None and limit > limit_bytes:
        return tuple(chosen)
    limit = max(limit, limit_bytes or 0)

    def fits(index: int, item: RowOp) -> bool:
        trial = (*chosen[:index], item, *chosen[index + 1 :])
        return arena_bytes(trial, limit) <= limit

    for index in sorted(places, key=lambda k: (-sum(map(graph.macs, ops[k].ops)), k)):
        candidates = _candidates(graph, ops[index], kernels, partial(fits, index))
        chosen[index] = min(
            candidates, key=lambda item: decoding_instructions(graph, item, kernels)
        )
    return tuple(chosen)


def _candidates(
    graph: Graph, item: RowOp, kernels: str, fits: Callable[[RowOp], bool]
) -> Iterator[RowOp]:
    """Yield an operator's ways of decoding for which there is room; the first one always."""
    conv = item.feeder or item.op
    assert isinstance(conv, Conv2D)
    masked = masked_words(graph, conv.weights) is not None
    for bits in _MASKED_BITS if masked else TABLE_BITS:
        tiled = _largest_tile(graph, item, partial(with_tile, graph, item, kernels, bits), fits)
        if bits == TABLE_BITS[0] or fits(tiled):
            yield tiled
        if kernels == "dsp" and isinstance(item.op, Conv2D) and winograd_fits(graph, item.op):
            for kernel_rows in (item.op.window.height, 1):
                if fits(other := with_winograd(graph, item, bits, kernel_rows)):
                    yield other
                    break


def _largest_tile(
    graph: Graph,
    item: RowOp,
    with_channels: Callable[[int], RowOp],
    fits: Callable[[RowOp], bool],
) -> RowOp:
    """Return an operator with as few tiles as fit, all about as large."""
    channels = graph.tensors[(item.feeder or item.op).output].hwc[2]
    least, most = 1, -(-channels // TILE)
    while least < most:
        middle = (least + most + 1) // 2
        if fits(with_channels(middle * TILE)):
            least = middle
        else:
            most = middle - 1
    count = -(-channels // (least * TILE))
    return with_channels(-(-channels // count // TILE) * TILE)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT

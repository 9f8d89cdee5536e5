"""Weights that are decoded while the network runs: whose, how many channels at a time, and where.

Mirror: struct esq_streamed in firmware/include/esq_ops.h.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from edgesq.compress import MAX_BITS, stream_bytes
from edgesq.graph import Conv2D, FullyConnected, Graph
from edgesq.plan.lower import RowOp
from edgesq.plan.work import MVE_BLOCK, Ops, dsp_groups, dsp_pair_channels, dsp_slide, mve_blocks

TABLE_BITS = MAX_BITS
"""Index into the table of pairs of weights, which is made anew for each band."""

TILE = 4
"""Tiles are multiples of this many channels, of all families' blocks."""

_ROW_BYTES = 16
"""dsp: of the table for the short requantization, per channel."""

_FIXED_BYTES = 48
"""struct esq_stream and what struct esq_streamed adds to an operator."""

_ALIGNMENT = 16


@dataclass(frozen=True)
class Streamed:
    """How an operator's weights are decoded.

    Attributes:
        tile: output channels decoded together, then used for all rows of a band.
        table_bits: index into the table of codes.
        table_offset, rows_offset, weights_offset: bytes into the operator's working memory of the
            table of codes, of the tile's requantization, and of its weights.
        channel_bytes: of the weights, as the kernel family packs them.
    """

    tile: int
    table_bits: int
    table_offset: int
    rows_offset: int
    weights_offset: int
    channel_bytes: int


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
        and _saves(graph, op) > 0
    )


def _saves(graph: Graph, op: Conv2D) -> int:
    """Return the bytes of flash that a stream saves."""
    weights = graph.tensors[op.weights].data
    assert weights is not None
    return weights.size - stream_bytes(weights.astype(np.int8)) - _FIXED_BYTES


def channel_bytes(graph: Graph, op: Conv2D, kernels: str) -> int:
    """Return the bytes of one output channel's weights as a kernel family packs them."""
    match kernels:
        case "dsp":
            return dsp_groups(graph, op) * 4 * dsp_slide(graph, op)
        case "mve":
            return mve_blocks(graph, op) * MVE_BLOCK
    return int(np.prod(graph.tensors[op.weights].shape[1:]))


def with_tile(graph: Graph, item: RowOp, kernels: str, tile: int) -> RowOp:
    """Return an operator, whose working memory is that of its kernel, with what a tile needs."""
    conv = item.feeder or item.op
    assert isinstance(conv, Conv2D)
    each = channel_bytes(graph, conv, kernels)
    table = _aligned(item.work_bytes)
    rows = table + (4 << TABLE_BITS)
    weights = _aligned(rows + (tile * _ROW_BYTES if kernels == "dsp" else 0))
    end = weights + _aligned(tile * each) + (MVE_BLOCK if kernels == "mve" else 0)
    streamed = Streamed(tile, TABLE_BITS, table, rows, weights, each)
    return replace(item, work_bytes=end, streamed=streamed)


def fit_tiles(
    graph: Graph,
    ops: Ops,
    kernels: str,
    arena_bytes: Callable[[Ops, int], int],
    streamed: frozenset[int],
    limit_bytes: int | None,
) -> Ops:
    """Give streamed operators tiles, those with the most work first the largest there is room for.

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
        chosen[index] = with_tile(graph, ops[index], kernels, TILE)
    limit = arena_bytes(tuple(chosen), 0)
    limit = max(limit, limit_bytes or 0)
    for index in sorted(places, key=lambda k: (-sum(map(graph.macs, ops[k].ops)), k)):
        channels = graph.tensors[(ops[index].feeder or ops[index].op).output].hwc[2]
        least, most = 1, -(-channels // TILE)
        while least < most:
            middle = (least + most + 1) // 2
            trial = list(chosen)
            trial[index] = with_tile(graph, ops[index], kernels, middle * TILE)
            if arena_bytes(tuple(trial), limit) <= limit:
                least, chosen = middle, trial
            else:
                most = middle - 1
        chosen[index] = _evened(graph, ops[index], kernels, channels, least * TILE)
    return tuple(chosen)


def _evened(graph: Graph, item: RowOp, kernels: str, channels: int, tile: int) -> RowOp:
    """Return an operator with as many tiles as `tile` needs, all about as large."""
    count = -(-channels // tile)
    return with_tile(graph, item, kernels, -(-channels // count // TILE) * TILE)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT

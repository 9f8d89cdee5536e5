"""Tables of requantization that are made while the network runs, from a few bits per channel.

Mirror: struct esq_conv2d_dsp_tabled in firmware/include/esq_ops.h.
"""

from collections.abc import Iterator
from dataclasses import replace

from edgesq.graph import Conv2D, Graph
from edgesq.integers import ceil_div, round_up
from edgesq.kernels.channels import Channels, channel_fields
from edgesq.kernels.endings import dsp_ends_short
from edgesq.kernels.kernel import Tabled
from edgesq.kernels.row_op import RowOp
from edgesq.kernels.work import WINOGRAD_PIXELS

ROW_BYTES = 16
"""dsp: of the table for the short requantization, per channel."""

_TILE = 4
_STRUCT_BYTES = 20
_MAKING_INSTRUCTIONS = 27
"""To make a channel's part of the table."""


def short_channels(graph: Graph, op: Conv2D, kernels: str) -> Channels | None:
    """Return the bits that may stand for a layer's table; None where there is none to stand for."""
    return channel_fields(graph, op) if kernels == "dsp" and dsp_ends_short(graph, op) else None


def short_tables(graph: Graph, kernels: str) -> frozenset[int]:
    """Return the convolutions, by output, whose tables bits may stand for."""
    return frozenset(
        op.output
        for op in graph.ops
        if isinstance(op, Conv2D) and short_channels(graph, op, kernels)
    )


def table_ways(graph: Graph, item: RowOp, kernels: str) -> Iterator[RowOp]:
    """Yield the ways to make an operator's table, whose weights lie in flash as they are."""
    op = item.op
    if not isinstance(op, Conv2D) or item.pixels == WINOGRAD_PIXELS or saved_bytes(graph, op) <= 0:
        return
    if short_channels(graph, op, kernels) is None:
        return
    blocks = ceil_div(graph.tensors[op.output].hwc[2], _TILE)
    rows = round_up(item.work_bytes, ROW_BYTES)
    for tile in sorted({_TILE * ceil_div(blocks, count) for count in range(1, blocks + 1)}):
        yield replace(item, work_bytes=rows + tile * ROW_BYTES, tabled=Tabled(tile, rows))


def saved_bytes(graph: Graph, op: Conv2D) -> int:
    """Return the bytes of flash that a table takes less as bits; 0 where those do not do."""
    channels = channel_fields(graph, op)
    if channels is None:
        return 0
    return len(channels.fields) * ROW_BYTES - channels.bytes - _STRUCT_BYTES


def making_instructions(graph: Graph, item: RowOp) -> float:
    """Estimate what it takes to make an operator's table, once per band."""
    height, _, channels = graph.tensors[item.op.output].hwc
    return ceil_div(height, item.band_units) * channels * float(_MAKING_INSTRUCTIONS)

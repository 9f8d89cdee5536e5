"""Two channels of a convolution in one 16-bit lane: what the DSP extension's kernels need for it.

Mirror: firmware/src/dsp/esq_dsp.h.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from edgesq.arithmetic import channel_rows
from edgesq.graph import Graph
from edgesq.kernels.groups import MAX_GROUPS, group_count, group_graph
from edgesq.kernels.kernel import WideLayer
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D, GroupedConv2D, Op

LANE_BOUND = 1 << 23
"""Sums of the channel in the upper byte, A, must lie in [-LANE_BOUND, LANE_BOUND); where they may
not, they are summed up in segments, see firmware/src/dsp/esq_finish_dsp.c."""


def pair_channels(graph: Graph, op: Conv2D) -> int:
    """Return 2 where two channels may share a lane as 256 A + B, else 1. Mirror: esq_dsp.h."""
    return 1 if why_wide(graph, op) else 2


@lru_cache(maxsize=1024)
def why_wide(graph: Graph, op: Conv2D) -> str | None:
    """Say which channel keeps a convolution's channels from sharing lanes, None where they can."""
    rows = channel_rows(graph, op)
    upper, lower = rows[0::2], np.zeros_like(rows[0::2])
    lower[: len(rows) // 2] = rows[1::2]
    lowest = np.flatnonzero(((upper <= -128) & (lower < 0)).any(axis=1))
    return f"channel {2 * int(lowest[0])} has a weight of -128" if lowest.size else None


def wide_layer(graph: Graph, item: RowOp) -> WideLayer | None:
    """Return what is known of an operator whose weights take two bytes each; None where none do."""
    conv = item.first
    wide = [
        (int(np.prod(own.tensors[part.weights].shape)), why)
        for own, part in _parts(graph, conv)
        if (why := why_wide(own, part))
    ]
    return WideLayer(conv.name, sum(size for size, _ in wide), wide[0][1]) if wide else None


def _parts(graph: Graph, op: Op) -> Iterator[tuple[Graph, Conv2D]]:
    """Yield the convolutions that the kernels see: an operator itself, or its groups."""
    if isinstance(op, Conv2D):
        yield graph, op
    elif isinstance(op, GroupedConv2D) and group_count(graph, op) <= MAX_GROUPS:
        yield from (group_graph(graph, op, group) for group in range(group_count(graph, op)))

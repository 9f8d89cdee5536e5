"""Depthwise convolutions on MVE: their memory, and their weights.

Columns of a few channels are set out anew for each row.
Mirror: firmware/src/mve/esq_depthwise_mve.h.
"""

from edgesq.graph import Graph
from edgesq.integers import ceil_div, round_up
from edgesq.kernels.counts import Counts, priced, runs_of
from edgesq.kernels.mve.blocks import BLOCK, QUAD, ends_short
from edgesq.operators import DepthwiseConv2D

_STRIPS, _MORE_PIXELS = 8, 2
"""Channels set out together, outputs computed beyond those there are."""

_PRICES = {
    "columns": 6.2,
    "loads": 7.2,
    "products": 2.9,
    "exact": 3.3,
    "strips": 330.0,
    "runs": 130.0,
}
"""Instructions per count of `instructions`."""


def strip_blocks(op: DepthwiseConv2D) -> int:
    """Return the blocks of 16 values under a window, the last one filled up."""
    return ceil_div(op.window.height * op.window.width, BLOCK)


def work_bytes(op: DepthwiseConv2D, pixels: int) -> int:
    """Return the bytes of columns under `pixels` windows."""
    window = op.window
    columns = (pixels - 1) * window.stride_w + window.width
    beyond = _MORE_PIXELS * window.stride_w * window.height + BLOCK
    strips = _STRIPS * columns * window.height + beyond
    return round_up(strips, 16) + 16 * (pixels + _MORE_PIXELS)


def extra_bytes(graph: Graph, op: DepthwiseConv2D) -> int:
    """Return the bytes by which packed weights exceed the model's own."""
    window = op.window
    channels = graph.tensors[op.bias].shape[0]
    padding = strip_blocks(op) * BLOCK - window.height * window.width
    return channels * padding + BLOCK + 16 * (-channels % QUAD)


def instructions(graph: Graph, op: DepthwiseConv2D, pixels: int) -> float:
    """Estimate what firmware/src/mve/esq_depthwise_mve.c does, by what it repeats."""
    height, width, channels = graph.tensors[op.output].hwc
    window, runs = op.window, runs_of(width, pixels)
    sources = ceil_div(graph.tensors[op.inputs[0]].hwc[2], _STRIPS)
    columns = sum((run - 1) * window.stride_w + window.width for run in runs)
    square = (window.height, window.width) == (3, 3)
    loaded = {1: 3, 2: 2}.get(window.stride_w, 1) if square else 1
    loads = height * channels * strip_blocks(op) * sum(ceil_div(run, loaded) for run in runs)
    values = height * width * channels
    counts: Counts = {
        "columns": height * sources * columns * (1 if square else window.height),
        "loads": loads,
        "products": values * strip_blocks(op),
        "exact": 0 if ends_short(graph, op) else values,
        "strips": height * len(runs) * ceil_div(channels, _STRIPS),
        "runs": height * len(runs),
    }
    return priced(_PRICES, counts)

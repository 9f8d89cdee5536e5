"""Estimate what operators take in instructions; constants measured in the emulator.

Convolutions on the DSP extension, and what decodes weights, are priced here, because bands, tiles
and pixels are chosen by that; all else by what it does (`counts.py`) at the prices of `rates.py`.
"""

import numpy as np

from edgesq.graph import (
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    FullyConnected,
    Graph,
    GroupedConv2D,
)
from edgesq.integers import ceil_div
from edgesq.kernels.counts import (
    dsp_depthwise_counts,
    dsp_exact_counts,
    mve_counts,
    mve_depthwise_counts,
    portable_counts,
    portable_kind,
    priced,
    runs_of,
    taps_inside,
    value_counts,
    value_kind,
)
from edgesq.kernels.decoding import band_instructions
from edgesq.kernels.dsp.lanes import dsp_pair_channels
from edgesq.kernels.dsp.tables import making_instructions
from edgesq.kernels.groups import group_count, group_graph
from edgesq.kernels.rates import CONVOLUTIONS, VALUES
from edgesq.kernels.row_op import RowOp
from edgesq.kernels.work import WINOGRAD_PIXELS, dsp_groups, dsp_slide

_TILE_INSTRUCTIONS = 40
"""To begin a tile in a row."""

_UNPACK_INSTRUCTIONS = {"portable": 0.0, "dsp": 1.3, "mve": 0.2}
"""To set out an input value under one output pixel, again for each tile."""

_GROUP_INSTRUCTIONS = {
    1: {3: 17.4, 2: 12.1, 1: 8.2},
    3: {3: 48.8, 2: 34.5, 1: 21.5},
}
"""dsp: per four values under one window, or under a column that slides, and two channels; by pixels
computed together."""

_RESULT_INSTRUCTIONS, _PAIR_INSTRUCTIONS = 4.7, 10.3
"""dsp: per output value; per two channels of pixels computed together."""

_RUN_INSTRUCTIONS, _STAGED_INSTRUCTIONS = 320, 213
"""dsp: to set out windows of pixels computed together; more per row of them where channels make no
whole words."""

_SUMMED_INSTRUCTIONS = {"portable": 9.0, "dsp": 9.0, "mve": 2.3}
"""Per output value that goes into a mean's sums."""

_TRANSFORM_INSTRUCTIONS, _COLUMN_INSTRUCTIONS = 3.4, 26.2
"""Winograd: per weight; per input value of a tile's row."""

_PIECE_INSTRUCTIONS, _MASKED_PIECE_INSTRUCTIONS = 43, 90
"""Winograd: to decode a piece of a channel, apart from its weights; with masks."""

_PRODUCT_INSTRUCTIONS, _END_INSTRUCTIONS = 0.35, 28.2
"""Winograd: per multiply-accumulate and per output value, of all tiles."""


def operator_instructions(graph: Graph, item: RowOp, kernels: str) -> float:
    """Estimate what an operator takes per image, apart from its rows and steps."""
    conv, streamed = item.feeder or item.op, item.streamed
    if isinstance(conv, GroupedConv2D) and item.pixels:
        own, part = group_graph(graph, conv, 0)
        return group_count(graph, conv) * _kernel(own, item, part, kernels)
    if not isinstance(conv, Conv2D):
        return _other(graph, item, kernels)
    if item.pixels == WINOGRAD_PIXELS:
        return _winograd(graph, item, conv) + _decoding(graph, item, conv, kernels)
    cost = _kernel(graph, item, conv, kernels)
    tile = streamed.tile if streamed else item.tabled.tile if item.tabled else 0
    if not tile:
        return cost
    height, _, channels = graph.tensors[conv.output].hwc
    tiles = ceil_div(channels, tile)
    cost += (tiles - 1) * _unpacking(graph, item, conv, kernels)
    cost += tiles * height * _TILE_INSTRUCTIONS
    if item.tabled:
        return cost + making_instructions(graph, item)
    return cost + _decoding(graph, item, conv, kernels)


def _other(graph: Graph, item: RowOp, kernels: str) -> float:
    """Estimate a depthwise or grouped convolution, or an operator without weights."""
    op = item.op
    if isinstance(op, DepthwiseConv2D) and item.pixels and kernels == "dsp":
        counts = dsp_depthwise_counts(graph, op, item.pixels)
        return priced(CONVOLUTIONS["dsp DEPTHWISE_CONV_2D"], counts)
    if isinstance(op, DepthwiseConv2D) and item.pixels and kernels == "mve":
        counts = mve_depthwise_counts(graph, op, item.pixels)
        return priced(CONVOLUTIONS["mve DEPTHWISE_CONV_2D"], counts)
    if isinstance(op, Convolution):
        return _portable(graph, op)
    return priced(VALUES[value_kind(graph, item)][kernels], value_counts(graph, op))


def _portable(graph: Graph, op: Convolution) -> float:
    rates = CONVOLUTIONS[f"portable {portable_kind(graph, op)}"]
    return priced(rates, portable_counts(graph, op))


def _mean_instructions(graph: Graph, item: RowOp, kernels: str) -> float:
    """Estimate what goes into a mean's sums straight from a convolution."""
    if item.feeder is None:
        return 0.0
    return float(np.prod(graph.tensors[item.feeder.output].shape)) * _SUMMED_INSTRUCTIONS[kernels]


def _kernel(graph: Graph, item: RowOp, conv: Conv2D, kernels: str) -> float:
    """Estimate a convolution's kernel over weights that lie in its packing."""
    if not item.pixels:
        return _portable(graph, conv) + _mean_instructions(graph, item, kernels)
    if kernels == "mve":
        cost = priced(CONVOLUTIONS["mve CONV_2D"], mve_counts(graph, conv, item.pixels))
        return cost + _mean_instructions(graph, item, kernels)
    height, width, channels = graph.tensors[conv.output].hwc
    runs = runs_of(width, item.pixels)
    slide = dsp_slide(graph, conv)
    groups = dsp_groups(graph, conv) * sum(_GROUP_INSTRUCTIONS[slide][pixels] for pixels in runs)
    pairs = channels / dsp_pair_channels(graph, conv)
    cost = pairs * groups * _rows_inside(graph, conv)
    cost += height * len(runs) * _RUN_INSTRUCTIONS + _unpacking(graph, item, conv, kernels)
    cost += priced(CONVOLUTIONS["dsp sums"], dsp_exact_counts(graph, conv, item.pixels))
    if not isinstance(conv, FullyConnected):
        cost += height * (pairs * len(runs) * _PAIR_INSTRUCTIONS)
        cost += height * width * channels * _RESULT_INSTRUCTIONS
    return cost + _mean_instructions(graph, item, kernels)


def _unpacking(graph: Graph, item: RowOp, conv: Conv2D, kernels: str) -> float:
    """Estimate what it takes to set out all windows once."""
    height, width, _ = graph.tensors[conv.output].hwc
    runs, slide = ceil_div(width, max(item.pixels, 1)), 1
    values = int(np.prod(graph.tensors[conv.weights].shape[1:]))
    if kernels == "dsp":
        slide = dsp_slide(graph, conv)
        values = 4 * dsp_groups(graph, conv)
    unaligned = kernels == "dsp" and graph.tensors[conv.inputs[0]].hwc[2] % 4
    staged = _STAGED_INSTRUCTIONS * conv.window.height if unaligned else 0
    columns = width + runs * (slide - 1)
    return height * (runs * staged + columns * values * _UNPACK_INSTRUCTIONS[kernels])


def _rows_inside(graph: Graph, conv: Conv2D) -> float:
    """Return the output rows, counted by how much of their windows lies in the image."""
    return taps_inside(graph, conv)[0] / conv.window.height


def _decoding(graph: Graph, item: RowOp, conv: Conv2D, kernels: str) -> float:
    """Estimate what it takes to decode all weights in each band."""
    if item.streamed is None:
        return 0.0
    once = band_instructions(graph, conv.weights, kernels, item.streamed.table_bits)
    return _bands(graph, item, conv) * once


def _winograd(graph: Graph, item: RowOp, conv: Conv2D) -> float:
    """Estimate Winograd's F(4, 3), transformed for each band where the weights are decoded."""
    height, width, channels = graph.tensors[conv.output].hwc
    shape = graph.tensors[conv.weights].shape
    tiles = ceil_div(width, WINOGRAD_PIXELS)
    outputs = height * tiles * WINOGRAD_PIXELS * channels
    cost = outputs * (_END_INSTRUCTIONS + _PRODUCT_INSTRUCTIONS * int(np.prod(shape[1:])))
    if item.streamed is None:
        return cost + height * shape[1] * tiles * shape[3] * _COLUMN_INSTRUCTIONS
    rows = (item.band_units - 1) * conv.window.stride_h + conv.window.height
    bands = _bands(graph, item, conv)
    columns = rows * tiles * shape[3] * _COLUMN_INSTRUCTIONS
    weights = int(np.prod(shape)) * _TRANSFORM_INSTRUCTIONS
    each = _MASKED_PIECE_INSTRUCTIONS if item.streamed.has_masks else _PIECE_INSTRUCTIONS
    pieces = channels * shape[1] // item.streamed.kernel_rows * each
    return cost + bands * (columns + weights + pieces)


def _bands(graph: Graph, item: RowOp, conv: Conv2D) -> int:
    return ceil_div(graph.tensors[conv.output].hwc[0], item.band_units)

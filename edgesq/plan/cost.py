"""Estimate what operators take in instructions; constants measured in the emulator.

Plans of plain weights are compared by the few constants that differ between them. Where weights are
decoded, bands, tiles and pixels change what an operator takes, so there it is estimated as a whole.
"""

import numpy as np

from edgesq.graph import Conv2D, FullyConnected, Graph
from edgesq.plan.decoding import band_instructions
from edgesq.plan.lower import Access, RowOp
from edgesq.plan.tables import making_instructions
from edgesq.plan.work import WINOGRAD_PIXELS, Ops, dsp_groups, dsp_slide

STEP_INSTRUCTIONS = 150
"""Per step of the schedule: the engine, the link's heartbeat, an operator's entry and exit."""

ROW_INSTRUCTIONS = 120
"""Per output row of an operator: row pointers and the kernel's set-up."""

MAC_INSTRUCTIONS = {"portable": 7.2, "dsp": 0.75, "mve": 0.16}
"""Per multiply-accumulate, by kernel family; measured over SqueezeNet's convolutions on M7."""

_TILE_INSTRUCTIONS = 40
"""To begin a tile in a row."""

_UNPACK_INSTRUCTIONS = {"portable": 0.0, "dsp": 1.3, "mve": 0.2}
"""To set out an input value under one output pixel, again for each tile."""

_FEWER_PIXELS = 0.75
"""Of a kernel's instructions that are shared by pixels computed together, three as a rule."""

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

_SUMMED_INSTRUCTIONS, _POOLED_INSTRUCTIONS = 9.0, 3.75
"""dsp: per output value that goes into a mean's sums; per input value of a running maximum."""

_TRANSFORM_INSTRUCTIONS, _COLUMN_INSTRUCTIONS = 3.4, 26.2
"""Winograd: per weight; per input value of a tile's row."""

_PIECE_INSTRUCTIONS, _MASKED_PIECE_INSTRUCTIONS = 43, 90
"""Winograd: to decode a piece of a channel, apart from its weights; with masks."""

_PRODUCT_INSTRUCTIONS, _END_INSTRUCTIONS = 0.35, 28.2
"""Winograd: per multiply-accumulate and per output value, of all tiles."""


def plan_instructions(graph: Graph, ops: Ops, steps: int, kernels: str) -> float:
    """Estimate a plan whose weights are decoded, per image."""
    rows = sum(graph.tensors[item.op.output].hwc[0] for item in ops)
    fixed = rows * ROW_INSTRUCTIONS + steps * STEP_INSTRUCTIONS
    return fixed + sum(operator_instructions(graph, item, kernels) for item in ops)


def operator_instructions(graph: Graph, item: RowOp, kernels: str) -> float:
    """Estimate what an operator takes per image, apart from its rows and steps."""
    conv, streamed = item.feeder or item.op, item.streamed
    if not isinstance(conv, Conv2D):
        return _pooled(graph, item, kernels) + _mac_instructions(graph, item, kernels)
    if item.pixels == WINOGRAD_PIXELS:
        return _winograd(graph, item, conv) + _decoding(graph, item, conv, kernels)
    cost = _kernel(graph, item, conv, kernels)
    tile = streamed.tile if streamed else item.tabled.tile if item.tabled else 0
    if not tile:
        return cost
    height, _, channels = graph.tensors[conv.output].hwc
    tiles = -(-channels // tile)
    cost += (tiles - 1) * _unpacking(graph, item, conv, kernels)
    cost += tiles * height * _TILE_INSTRUCTIONS
    if item.tabled:
        return cost + making_instructions(graph, item)
    return cost + _decoding(graph, item, conv, kernels)


def _pooled(graph: Graph, item: RowOp, kernels: str) -> float:
    """Estimate a running maximum; nothing for other operators."""
    if item.access is not Access.MAXIMUM or kernels != "dsp":
        return 0.0
    return float(np.prod(graph.tensors[item.inputs[0]].shape)) * _POOLED_INSTRUCTIONS


def _mac_instructions(graph: Graph, item: RowOp, kernels: str) -> float:
    shared = _FEWER_PIXELS * (1 + 1 / item.pixels) if item.pixels else 1.0
    return sum(map(graph.macs, item.ops)) * MAC_INSTRUCTIONS[kernels] * shared


def _kernel(graph: Graph, item: RowOp, conv: Conv2D, kernels: str) -> float:
    """Estimate a convolution's kernel over weights that lie in its packing."""
    if kernels != "dsp" or isinstance(conv, FullyConnected):
        return _mac_instructions(graph, item, kernels)
    height, width, channels = graph.tensors[conv.output].hwc
    runs = [item.pixels] * (width // item.pixels)
    runs += [width % item.pixels] if width % item.pixels else []
    slide = dsp_slide(graph, conv)
    groups = dsp_groups(graph, conv) * sum(_GROUP_INSTRUCTIONS[slide][pixels] for pixels in runs)
    pairs = channels / 2
    result = _RESULT_INSTRUCTIONS + (_SUMMED_INSTRUCTIONS if item.feeder else 0)
    ends = pairs * len(runs) * _PAIR_INSTRUCTIONS + width * channels * result
    begins = height * len(runs) * _RUN_INSTRUCTIONS + _unpacking(graph, item, conv, kernels)
    return pairs * groups * _rows_inside(graph, conv) + begins + height * ends


def _unpacking(graph: Graph, item: RowOp, conv: Conv2D, kernels: str) -> float:
    """Estimate what it takes to set out all windows once."""
    height, width, _ = graph.tensors[conv.output].hwc
    runs, slide = -(-width // max(item.pixels, 1)), 1
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
    rows, window = graph.tensors[conv.inputs[0]].hwc[0], conv.window
    tops = np.arange(graph.tensors[conv.output].hwc[0]) * window.stride_h - window.pad_top
    inside = np.minimum(tops + window.height, rows) - np.maximum(tops, 0)
    return float(inside.sum() / window.height)


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
    tiles = -(-width // WINOGRAD_PIXELS)
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
    return -(-graph.tensors[conv.output].hwc[0] // item.band_units)

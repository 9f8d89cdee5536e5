"""Count what an operator's kernel does in an image: the terms that `rates.py` has prices for.

Each count is of something the kernel's source repeats: multiply-accumulates inside the image,
outputs, window rows, runs of pixels computed together, columns set out.
"""

from collections.abc import Mapping

import numpy as np

from edgesq.graph import (
    AveragePool2D,
    Binary,
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    Graph,
    MaxPool2D,
    Op,
    Softmax,
)
from edgesq.integers import ceil_div
from edgesq.kernels.depthwise import STRIPS, strip_blocks
from edgesq.kernels.endings import depthwise_ending, dsp_ends_short, mve_ends_short
from edgesq.kernels.row_op import RowOp
from edgesq.kernels.work import mve_blocks, mve_reads_in_place, mve_row_blocks
from edgesq.lookup import has_table
from edgesq.operators import Access

Counts = dict[str, float]

_FOUR = 4
"""Channels that the portable depthwise kernel, and all the others, take together."""


def runs_of(width: int, pixels: int) -> list[int]:
    """Return how many pixels of a row are computed together, run by run."""
    return [min(pixels, width - first) for first in range(0, width, max(pixels, 1))]


def taps_inside(graph: Graph, op: Convolution) -> tuple[int, int]:
    """Return the rows and the columns of all windows that lie in the image, each summed up."""
    height, width, _ = graph.tensors[op.inputs[0]].hwc
    rows, columns, _ = graph.tensors[op.output].hwc
    window = op.window
    return (
        _inside(height, rows, window.height, window.stride_h, window.pad_top),
        _inside(width, columns, window.width, window.stride_w, window.pad_left),
    )


def _inside(extent: int, count: int, size: int, stride: int, pad: int) -> int:
    first = np.arange(count) * stride - pad
    return int((np.minimum(first + size, extent) - np.maximum(first, 0)).sum())


def portable_counts(graph: Graph, op: Convolution) -> Counts:
    """Count what portable C does; source: firmware/src/ops/esq_conv2d.c and its like."""
    height, width, channels = graph.tensors[op.output].hwc
    rows, columns = taps_inside(graph, op)
    depth = 1 if isinstance(op, DepthwiseConv2D) else graph.tensors[op.weights].shape[3]
    taps = rows * columns * channels
    return {
        "macs": taps * depth,
        "taps": taps,
        "values": height * width * channels,
        "window rows": rows * width * channels,
        "pixels": height * width,
    }


def portable_kind(graph: Graph, op: Convolution) -> str:
    """Return which of the portable kernels an operator has."""
    if not isinstance(op, DepthwiseConv2D):
        return op.kind
    channels = graph.tensors[op.output].hwc[2]
    same = channels == graph.tensors[op.inputs[0]].hwc[2]
    return f"{op.kind}, four channels" if same and channels % _FOUR == 0 else op.kind


def dsp_depthwise_counts(graph: Graph, op: DepthwiseConv2D, pixels: int) -> Counts:
    """Count what firmware/src/dsp/esq_depthwise_dsp.c does."""
    height, width, channels = graph.tensors[op.output].hwc
    runs, apart = runs_of(width, pixels), op.window.stride_w > 1
    quads = height * channels / _FOUR
    pairs = [run if apart else ceil_div(run, 2) for run in runs]
    outputs = quads * sum(pair if apart else 2 * pair for pair in pairs) * _FOUR
    values = height * width * channels
    return {
        "runs": quads * len(runs),
        "pairs": quads * sum(pair + 1 for pair in pairs),
        "apart" if apart else "beside": outputs,
        "exact": values if depthwise_ending(graph, op) is None else 0,
    }


def mve_depthwise_counts(graph: Graph, op: DepthwiseConv2D, pixels: int) -> Counts:
    """Count what firmware/src/mve/esq_depthwise_mve.c does."""
    height, width, channels = graph.tensors[op.output].hwc
    window, runs = op.window, runs_of(width, pixels)
    sources = ceil_div(graph.tensors[op.inputs[0]].hwc[2], STRIPS)
    columns = sum((run - 1) * window.stride_w + window.width for run in runs)
    square = (window.height, window.width) == (3, 3)
    loaded = {1: 3, 2: 2}.get(window.stride_w, 1) if square else 1
    loads = height * channels * strip_blocks(op) * sum(ceil_div(run, loaded) for run in runs)
    values = height * width * channels
    return {
        "columns": height * sources * columns * (1 if square else window.height),
        "loads": loads,
        "products": values * strip_blocks(op),
        "exact": 0 if mve_ends_short(graph, op) else values,
        "strips": height * len(runs) * ceil_div(channels, STRIPS),
        "runs": height * len(runs),
    }


def mve_counts(graph: Graph, op: Conv2D, pixels: int) -> Counts:
    """Count what firmware/src/mve/esq_conv2d_mve.c and esq_mve_kernels.S do."""
    height, width, channels = graph.tensors[op.output].hwc
    runs, blocks, quads = runs_of(width, pixels), mve_blocks(graph, op), ceil_div(channels, _FOUR)
    share = 1.0
    short = mve_ends_short(graph, op)
    if short and mve_row_blocks(graph, op):
        share = taps_inside(graph, op)[0] / (height * op.window.height)
    gathered = 0 if mve_reads_in_place(graph, op) else height * width
    values = height * width * channels
    once = op.kind == "FULLY_CONNECTED"
    return {
        "loops": height * share * quads * blocks * sum(6 * run + 6 for run in runs),
        "quads": height * quads * len(runs),
        "exact": values if not short and not once else 0,
        "once": values if once else 0,
        "rows": height,
        "runs": height * len(runs),
        "gathered": gathered * blocks,
        "window rows": gathered * op.window.height,
    }


def dsp_exact_counts(graph: Graph, op: Conv2D, pixels: int) -> Counts:
    """Count the ends of sums that are not requantized by short constants on the DSP extension."""
    height, width, channels = graph.tensors[op.output].hwc
    if dsp_ends_short(graph, op):
        return {}
    once = op.kind == "FULLY_CONNECTED"
    name = "once" if once else "exact"
    return {
        name: height * width * channels,
        f"{name} runs": height * len(runs_of(width, pixels)) * channels,
    }


def value_kind(graph: Graph, item: RowOp) -> str:
    """Return what an operator without weights does, as `rates.VALUES` names it."""
    op = item.op
    if has_table(graph, op):
        return "a table"
    if isinstance(op, Binary):
        return "by a constant" if graph.constants(op) else op.kind
    if item.access is Access.REDUCE:
        return "a sum of the map"
    return op.kind if isinstance(op, MaxPool2D | AveragePool2D | Softmax) else "a move"


def value_counts(graph: Graph, op: Op) -> Counts:
    """Count values in and out of an operator without weights."""
    out = float(np.prod(graph.tensors[op.output].shape))
    taps = op.window.height * op.window.width if isinstance(op, AveragePool2D) else 1
    inputs = float(np.prod(graph.tensors[op.inputs[0]].shape))
    return {"in": inputs, "out": out, "taps": out * taps, "calls": 1.0}


def priced(rates: Mapping[str, float], counts: Counts) -> float:
    """Return instructions: each count at its rate, for nothing where it has none."""
    return sum(rates.get(name, 0.0) * count for name, count in counts.items())

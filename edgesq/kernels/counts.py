"""Count what an operator's kernel does in an image: the terms that the families have prices for.

Each count is of something the kernel's source repeats: multiply-accumulates inside the image,
outputs, window rows, runs of pixels computed together, columns set out.
"""

from collections.abc import Mapping

import numpy as np

from edgesq.arithmetic import Int64Array
from edgesq.graph import Graph
from edgesq.kernels.kernel import Form
from edgesq.kernels.row_op import RowOp
from edgesq.operators import (
    Access,
    AveragePool2D,
    Binary,
    Convolution,
    DepthwiseConv2D,
    DepthwiseConv2DInt16,
    Int16,
    Op,
    Reduction,
)

Counts = dict[str, float]

FOUR = 4
"""Channels that the portable depthwise kernel, and all the others, take together."""

_MAX_PIXELS = 64
"""Mirror: struct esq_depthwise_dsp."""


def pixels_of_a_row(width: int) -> tuple[int, ...]:
    """Return how many of a row's output pixels a depthwise kernel may compute together."""
    most = min(width, _MAX_PIXELS)
    return (most, *(pixels for pixels in (24, 18, 12, 8, 6, 3, 1) if pixels < most))


def runs_of(width: int, pixels: int) -> list[int]:
    """Return how many pixels of a row are computed together, run by run."""
    return [min(pixels, width - first) for first in range(0, width, max(pixels, 1))]


def passes_of(width: int, pixels: int) -> int:
    """Return how often a row's weights are read: once for pixels that are computed together.

    Args:
        width: of the row.
        pixels: computed together; 0 of a kernel that computes one after the other.
    """
    return len(runs_of(width, pixels or 1))


def taps_inside(graph: Graph, op: Convolution) -> tuple[int, int]:
    """Return the rows and the columns of all windows that lie in the image, each summed up."""
    height, width, _ = graph.tensors[op.inputs[0]].hwc
    rows, columns, _ = graph.tensors[op.output].hwc
    window = op.window
    down = np.arange(rows) * window.stride_h - window.pad_top
    across = np.arange(columns) * window.stride_w - window.pad_left
    return (
        _inside(height, down, window.height, window.dilation_h),
        _inside(width, across, window.width, window.dilation_w),
    )


def _inside(extent: int, first: Int64Array, taps: int, dilation: int) -> int:
    places = first[:, np.newaxis] + np.arange(taps) * dilation
    return int(((places >= 0) & (places < extent)).sum())


def portable_counts(graph: Graph, op: Convolution) -> Counts:
    """Count what portable C does; source: firmware/src/ops/esq_conv2d.c and its like."""
    height, width, channels = graph.tensors[op.output].hwc
    rows, columns = taps_inside(graph, op)
    is_depthwise = isinstance(op, DepthwiseConv2D | DepthwiseConv2DInt16)
    depth = 1 if is_depthwise else graph.tensors[op.weights].shape[3]
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
    if isinstance(op, Int16):
        return f"{op.kind} of int16"
    if not isinstance(op, DepthwiseConv2D):
        return op.kind
    channels = graph.tensors[op.output].hwc[2]
    same = channels == graph.tensors[op.inputs[0]].hwc[2]
    return f"{op.kind}, four channels" if same and channels % FOUR == 0 else op.kind


def value_kind(graph: Graph, item: RowOp) -> str:
    """Return what an operator without weights does: a key of a family's prices, or its own kind."""
    op = item.op
    if item.kernel.form is Form.TABLE:
        return "a table"
    if item.kernel.form is Form.SUM:
        return "a weighted sum"
    if isinstance(op, Binary):
        is_line = graph.constants(op) and item.kernel.form is Form.LINE
        return "by a constant" if is_line else op.kind
    if isinstance(op, Reduction):
        return "along axes"
    if item.access is Access.REDUCE:
        return "a sum of the map"
    return f"{op.kind} of int16" if isinstance(op, Int16) else op.kind


def value_counts(graph: Graph, op: Op) -> Counts:
    """Count values in and out of an operator without weights, and pixels out."""
    height, width, channels = graph.tensors[op.output].hwc
    pixels = float(height * width)
    out = pixels * channels
    taps = op.window.height * op.window.width if isinstance(op, AveragePool2D) else 1
    inputs = float(np.prod(graph.tensors[op.inputs[0]].shape))
    macs = float(graph.macs(op))
    counts = {"in": inputs, "out": out, "taps": out * taps, "calls": 1.0, "macs": macs}
    return {**counts, "pixels": pixels}


def priced(rates: Mapping[str, float], counts: Counts) -> float:
    """Return instructions: each count at its rate, for nothing where it has none."""
    return sum(rates.get(name, 0.0) * count for name, count in counts.items())

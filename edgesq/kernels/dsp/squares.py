"""3x3 convolutions by Winograd's F(4 x 4, 3 x 3) or F(2 x 4, 3 x 3), on the DSP extension.

A quarter or a third of the multiplications, of weights that take eight bytes each or five: they are
made on the board for each band, four output channels at a time. Mirror:
firmware/src/dsp/esq_squares_dsp.c.
"""

from collections.abc import Iterator

import numpy as np

from edgesq.arithmetic import channel_sums
from edgesq.graph import Graph, Int8Array
from edgesq.integers import ceil_div
from edgesq.kernels.cost import bands_of
from edgesq.kernels.dsp import winograd
from edgesq.kernels.kernel import Form, Kernel
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D

_WIDTH = 4
"""Output pixels of a square along a row."""

ROWS = (4, 2)
"""Output rows of a square."""

_SUM_BYTES = 4

SCALES = {4: 36, 2: -12}
"""By rows: of the bias where it enters, once for all pixels of a square."""

_SUM_BOUND = 1 << 25
"""Sums are exact below this: 64 times as much stands in 32 bits."""

_WEIGHT_INSTRUCTIONS, _CHANNEL_INSTRUCTIONS = {4: 9.4, 2: 6.7}, 35
"""By rows, to transform a weight; per output channel of that, and for its share of a band."""

_INPUT_INSTRUCTIONS = {4: 262.0, 2: 154.0}
"""By rows, per input channel of a square, to transform what is under it."""

_PRODUCT_INSTRUCTIONS, _SUM_INSTRUCTIONS = 0.72, 1.25
"""Per product, and per sum of them."""

_END_INSTRUCTIONS = {4: 346.0, 2: 176.0}
"""By rows, per output channel of a square: from its sums to its values."""


def fits(graph: Graph, op: Conv2D) -> bool:
    """Say whether a convolution can run so, with the short requantization."""
    window = op.window
    if (window.height, window.stride_h) != (3, 1) or not winograd.fits(graph, op):
        return False
    sums = channel_sums(graph, op)
    return int(np.maximum(-sums.low, sums.high).max()) < _SUM_BOUND


def kernels(graph: Graph, item: RowOp, op: Conv2D, family: str) -> Iterator[Kernel]:
    """Yield the kernels of a convolution whose weights are transformed for each band."""
    if not fits(graph, op):
        return
    _, width, _ = graph.tensors[op.output].hwc
    depth = graph.tensors[op.inputs[0]].hwc[2]
    for rows in ROWS:
        squares = ceil_div(item.band_units, rows) * ceil_div(width, _WIDTH)
        work_bytes = _values(rows) * depth * 2 * (squares + winograd.BLOCK)
        work_bytes += _values(rows) * winograd.BLOCK * _SUM_BYTES
        yield Kernel(family, "esq_run_squares", Form.SQUARES, rows * _WIDTH, work_bytes)


def rows_of(kernel: Kernel) -> int:
    """Return the output rows of a square."""
    return kernel.pixels // _WIDTH


def _values(rows: int) -> int:
    """Return the values into which the input under a square is transformed."""
    return (rows + 2) * (_WIDTH + 2)


def instructions(graph: Graph, item: RowOp, op: Conv2D) -> float:
    """Estimate a convolution, its weights and its input transformed for each band."""
    height, width, channels = graph.tensors[op.output].hwc
    depth = graph.tensors[op.inputs[0]].hwc[2]
    rows, rest = rows_of(item.kernel), height % item.band_units
    down = height // item.band_units * ceil_div(item.band_units, rows) + ceil_div(rest, rows)
    sums = _values(rows) * (depth * _PRODUCT_INSTRUCTIONS + _SUM_INSTRUCTIONS)
    each = depth * _INPUT_INSTRUCTIONS[rows] + channels * (sums + _END_INSTRUCTIONS[rows])
    weights = channels * (9 * depth * _WEIGHT_INSTRUCTIONS[rows] + _CHANNEL_INSTRUCTIONS)
    return bands_of(graph, item) * weights + down * ceil_div(width, _WIDTH) * each


def in_squares(weights: Int8Array) -> Int8Array:
    """Return OHWI weights [O, 3, 3, C] in the order of the kernel, [O, C / 4, 3, 3, 4]."""
    channels, height, width, depth = weights.shape
    return weights.reshape(channels, height, width, depth // 4, 4).transpose(0, 3, 1, 2, 4)

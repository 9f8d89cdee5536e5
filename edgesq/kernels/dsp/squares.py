"""3x3 convolutions by Winograd's F(4 x 4, 3 x 3), on the DSP extension.

A quarter of the multiplications, of weights that take eight bytes each: they are made on the board
for each band, four output channels at a time. Mirror: firmware/src/dsp/esq_squares_dsp.c.
"""

import numpy as np

from edgesq.arithmetic import channel_sums
from edgesq.graph import Graph, Int8Array
from edgesq.integers import ceil_div
from edgesq.kernels.cost import bands_of
from edgesq.kernels.dsp import winograd
from edgesq.kernels.kernel import Form, Kernel
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D

_SIDE = 4
"""Output pixels of a square along each side."""

_VALUES = 36
"""Into which the input under a square is transformed."""

SCALE = 36
"""By which the sums of the square's last pixel exceed a convolution's; its other pixels' do so by
more, but the bias enters with this into all."""

_SUM_BOUND = 1 << 25
"""Sums are exact below this: 64 times as much stands in 32 bits."""

_WEIGHT_INSTRUCTIONS, _CHANNEL_INSTRUCTIONS = 9.4, 35
"""To transform a weight; per output channel of that, and for its share of a band."""

_INPUT_INSTRUCTIONS = 262.0
"""Per input channel of a square, to transform what is under it."""

_PRODUCT_INSTRUCTIONS, _SUM_INSTRUCTIONS = 0.72, 1.25
"""Per product, and per sum of them."""

_END_INSTRUCTIONS = 328.0
"""Per output channel of a square: from 36 sums to 16 values."""


def fits(graph: Graph, op: Conv2D) -> bool:
    """Say whether a convolution can run as F(4 x 4, 3 x 3), with the short requantization."""
    window = op.window
    if (window.height, window.stride_h) != (3, 1) or not winograd.fits(graph, op):
        return False
    sums = channel_sums(graph, op)
    return int(np.maximum(-sums.low, sums.high).max()) < _SUM_BOUND


def kernel(graph: Graph, item: RowOp, op: Conv2D, family: str) -> Kernel:
    """Return the kernel of a convolution whose weights are transformed for each band."""
    _, width, _ = graph.tensors[op.output].hwc
    depth = graph.tensors[op.inputs[0]].hwc[2]
    squares = ceil_div(item.band_units, _SIDE) * ceil_div(width, _SIDE)
    work_bytes = _VALUES * depth * 2 * (squares + winograd.BLOCK)
    return Kernel(family, "esq_run_squares", Form.SQUARES, _SIDE * _SIDE, work_bytes)


def instructions(graph: Graph, item: RowOp, op: Conv2D) -> float:
    """Estimate a convolution, its weights and its input transformed for each band."""
    height, width, channels = graph.tensors[op.output].hwc
    depth = graph.tensors[op.inputs[0]].hwc[2]
    rest = height % item.band_units
    rows = height // item.band_units * ceil_div(item.band_units, _SIDE) + ceil_div(rest, _SIDE)
    squares = rows * ceil_div(width, _SIDE)
    sums = _VALUES * (depth * _PRODUCT_INSTRUCTIONS + _SUM_INSTRUCTIONS)
    weights = channels * (9 * depth * _WEIGHT_INSTRUCTIONS + _CHANNEL_INSTRUCTIONS)
    each = depth * _INPUT_INSTRUCTIONS + channels * (sums + _END_INSTRUCTIONS)
    return bands_of(graph, item) * weights + squares * each


def in_squares(weights: Int8Array) -> Int8Array:
    """Return OHWI weights [O, 3, 3, C] in the order of the kernel, [O, C / 4, 3, 3, 4]."""
    channels, height, width, depth = weights.shape
    return weights.reshape(channels, height, width, depth // 4, 4).transpose(0, 3, 1, 2, 4)

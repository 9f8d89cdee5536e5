"""3x3 convolutions by Winograd's F(4, 3) along rows, on the DSP extension.

Its weights take four bytes each, so they grow in flash where there is room, or are made on the
board from coded ones. Mirror: firmware/src/dsp/esq_winograd_dsp.c, esq_winograd_streamed_dsp.c.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgesq.graph import Graph, Int8Array
from edgesq.integers import ceil_div
from edgesq.kernels.coded import TILE, aligned, table_bits, tables_bytes
from edgesq.kernels.cost import bands_of
from edgesq.kernels.decoding import masked_words
from edgesq.kernels.dsp.endings import fits_linear
from edgesq.kernels.dsp.windows import groups_of
from edgesq.kernels.kernel import Coded, Form, Kernel
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D

PIXELS = 4
"""Output pixels computed together."""

TRANSFORM = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [1, 2, 4], [1, -2, 4], [0, 0, 1]], np.int64)
"""Lavin's G without its divisors 4, -6, -6, 24, 24, 1."""

BLOCK = 4
"""Output channels whose transformed weights stand side by side."""

_COLUMNS = 6
"""Of a tile's input, and values that stand for three weights."""

_TRANSFORM_INSTRUCTIONS, _COLUMN_INSTRUCTIONS = 3.4, 26.2
"""Per weight; per input value of a tile's row."""

_PIECE_INSTRUCTIONS, _MASKED_PIECE_INSTRUCTIONS = 43, 90
"""To decode a piece of a channel, apart from its weights; with masks."""

_PRODUCT_INSTRUCTIONS, _END_INSTRUCTIONS = 0.35, 28.2
"""Per multiply-accumulate and per output value, of all tiles."""


def fits(graph: Graph, op: Conv2D) -> bool:
    """Say whether a convolution can run as Winograd's F(4, 3), with the short requantization."""
    channels, _, width, depth = graph.tensors[op.weights].shape
    shape_fits = (width, op.window.stride_w, depth % 16, channels % 4) == (3, 1, 0, 0)
    return shape_fits and op.clamp == (-128, 127) and bool(fits_linear(graph, op).all())


def extra_bytes(graph: Graph, op: Conv2D) -> int:
    """Return the bytes by which transformed weights exceed the model's own."""
    return 3 * int(np.prod(graph.tensors[op.weights].shape))


def kernel(graph: Graph, op: Conv2D, family: str) -> Kernel:
    """Return the kernel of a convolution whose transformed weights lie in flash."""
    work_bytes = _COLUMNS * groups_of(graph, op) * 8
    return Kernel(family, "esq_run_winograd", Form.WINOGRAD, PIXELS, work_bytes)


def coded_kernels(graph: Graph, item: RowOp, family: str) -> Iterator[Kernel]:
    """Yield the ways to run an operator with transformed weights that are made on the board."""
    if isinstance(item.op, Conv2D) and fits(graph, item.op):
        plain = kernel(graph, item.op, family)
        for bits in table_bits(graph, item.op):
            for kernel_rows in (1, item.op.window.height):
                yield _decoded(graph, item, item.op, plain, bits, kernel_rows)


def _decoded(
    graph: Graph, item: RowOp, op: Conv2D, plain: Kernel, bits: int, kernel_rows: int
) -> Kernel:
    """Return the kernel with its coded weights decoded some rows of a channel at a time."""
    window = op.window
    _, width, _ = graph.tensors[op.output].hwc
    depth = graph.tensors[op.inputs[0]].hwc[2]
    rows = (item.band_units - 1) * window.stride_h + window.height
    values = window.height * window.width * depth
    tiles = ceil_div(width, PIXELS) * _COLUMNS * rows * depth * 2
    masked = masked_words(graph, op.weights) is not None
    table = aligned(tiles)
    raw = table + tables_bytes(bits, masked=masked)
    weights = aligned(raw + values // window.height * kernel_rows)
    end = weights + TILE * values * _COLUMNS // window.width * 2
    coded = Coded(TILE, bits, table, raw, weights, values, kernel_rows, masked)
    return replace(plain, work_bytes=end, coded=coded)


def instructions(graph: Graph, item: RowOp, conv: Conv2D) -> float:
    """Estimate a convolution, transformed for each band where the weights are decoded."""
    height, width, channels = graph.tensors[conv.output].hwc
    shape = graph.tensors[conv.weights].shape
    tiles = ceil_div(width, PIXELS)
    outputs = height * tiles * PIXELS * channels
    coded = item.kernel.coded
    cost = outputs * (_END_INSTRUCTIONS + _PRODUCT_INSTRUCTIONS * int(np.prod(shape[1:])))
    if coded is None:
        return cost + height * shape[1] * tiles * shape[3] * _COLUMN_INSTRUCTIONS
    rows = (item.band_units - 1) * conv.window.stride_h + conv.window.height
    bands = bands_of(graph, item)
    columns = rows * tiles * shape[3] * _COLUMN_INSTRUCTIONS
    weights = int(np.prod(shape)) * _TRANSFORM_INSTRUCTIONS
    each = _MASKED_PIECE_INSTRUCTIONS if coded.has_masks else _PIECE_INSTRUCTIONS
    pieces = channels * shape[1] // coded.kernel_rows * each
    return cost + bands * (columns + weights + pieces)


def transform_weights(weights: Int8Array) -> NDArray[np.uint32]:
    """Return OHWI weights [O, H, 3, C] as int16 lanes, uint32 [O / 4, 6, H * C / 2, 4]."""
    channels, height, _, depth = weights.shape
    products = np.einsum("iw,ohwc->oihc", TRANSFORM, weights.astype(np.int64)) & 0xFFFF
    grouped = products.reshape(channels, 6, height * depth // 4, 2, 2)
    words = grouped[:, :, :, 0] | grouped[:, :, :, 1] << 16
    blocks = words.reshape(channels // BLOCK, BLOCK, 6, -1)
    return np.asarray(blocks.transpose(0, 2, 3, 1), np.uint32)


def columns_together(weights: Int8Array) -> Int8Array:
    """Return OHWI weights [O, H, 3, C] in the order of a stream, [O, H, C / 4, 3, 4]."""
    channels, height, width, depth = weights.shape
    grouped = weights.reshape(channels, height, width, depth // 4, 4)
    return grouped.transpose(0, 1, 3, 2, 4)

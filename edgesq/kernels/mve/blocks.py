"""How a convolution's windows are gathered in blocks on MVE, and the memory for that.

Mirror: firmware/src/mve/esq_mve.h.
"""

from functools import lru_cache

import numpy as np

from edgesq.arithmetic import conv2d_multipliers
from edgesq.graph import Graph
from edgesq.integers import ceil_div, round_up
from edgesq.operators import Conv2D, Convolution, FullyConnected

BLOCK = 16
"""Input values that one instruction multiplies. Mirror: ESQ_MVE_BLOCK."""

QUAD = 4
"""Output channels computed together, as two pairs. Mirror: esq_mve.h."""

_SHIFTS = range(25)
"""Right shifts for which the constants of the short requantization fit."""

_COLUMN_BYTES = 8
"""Windows share columns where these are multiples of it: others would have to be read at addresses
that cost more."""

SLIDING = 3
"""Columns of a window that share blocks with its neighbours. Mirror: esq_mve_slide.S."""

MAX_PIXELS = 255
"""Mirror: struct esq_conv2d_mve."""

_PIXELS = (24, 12, 6, 3, 2, 1)
"""Output pixels of which windows are set out together, best first, beside all of a row."""


def reads_in_place(graph: Graph, op: Conv2D) -> bool:
    """Say whether windows are single pixels, read where they lie. Mirror: esq_mve_direct."""
    window, tensor = op.window, graph.tensors[op.inputs[0]]
    inside = (window.height, window.width, window.pad_top, window.pad_left) == (1, 1, 0, 0)
    return inside and tensor.hwc[2] % BLOCK == 0


def by_columns(graph: Graph, op: Conv2D) -> bool:
    """Say whether windows stand column by column. Mirror: esq_mve_strip."""
    aligned = graph.tensors[op.inputs[0]].hwc[2] % _COLUMN_BYTES == 0
    return aligned and not reads_in_place(graph, op)


def blocks_of(graph: Graph, op: Conv2D) -> int:
    """Return the blocks of input values under a window, the last one filled up."""
    return ceil_div(int(np.prod(graph.tensors[op.weights].shape[1:])), BLOCK)


def _slides(graph: Graph, op: Conv2D) -> bool:
    """Say whether windows of three columns lie one column apart, in whole blocks."""
    window, channels = op.window, graph.tensors[op.inputs[0]].hwc[2]
    return window.width == SLIDING and window.stride_w == 1 and channels % BLOCK == 0


def together_of(graph: Graph, op: Conv2D) -> int:
    """Return the columns of a window whose blocks stand together in the weights."""
    return SLIDING if finish_of(graph, op).startswith("slide") else 1


def leaves_rows_out(graph: Graph, op: Conv2D) -> bool:
    """Say whether rows beside the image are left out of windows: one at most, of relu's kernel."""
    height = graph.tensors[op.inputs[0]].hwc[0]
    window = op.window
    tops = np.arange(graph.tensors[op.output].hwc[0]) * window.stride_h - window.pad_top
    rows = tops[:, np.newaxis] + np.arange(window.height) * window.dilation_h
    beside = ((rows < 0) | (rows >= height)).sum(axis=1)
    return bool(beside.max() == 1) and finish_of(graph, op) == "slide"


def pixels_of(graph: Graph, op: Conv2D) -> tuple[int, ...]:
    """Return of how many output pixels the windows may be set out together, best first."""
    if reads_in_place(graph, op):
        return (3,)
    most = min(graph.tensors[op.output].hwc[1], _PIXELS[0])
    return (most, *(pixels for pixels in _PIXELS if pixels < most))


def work_bytes(graph: Graph, op: Conv2D, pixels: int) -> int:
    """Return the bytes of input set out under `pixels` windows. Mirror: esq_conv2d_mve.c."""
    if reads_in_place(graph, op):
        return 0
    window_bytes = blocks_of(graph, op) * BLOCK
    if not by_columns(graph, op):
        return pixels * window_bytes
    column_bytes = op.window.height * graph.tensors[op.inputs[0]].hwc[2]
    return round_up((pixels - 1) * op.window.stride_w * column_bytes + window_bytes, BLOCK)


def padding_bytes(graph: Graph, op: Conv2D) -> int:
    """Return the bytes by which packed weights exceed the model's own."""
    shape = graph.tensors[op.weights].shape
    packed = round_up(shape[0], QUAD) * blocks_of(graph, op) * BLOCK
    return packed + BLOCK - int(np.prod(shape))  # a block is loaded ahead


def finish_of(graph: Graph, op: Conv2D) -> str:
    """Return how sums end.

    "once" where they are rounded once, "relu" and "signed" where the short requantization is exact
    as it is or once halves below zero round down, "slide" and "slide_signed" where moreover windows
    share blocks, else "any".
    """
    if isinstance(op, FullyConnected):
        return "once"
    if ends_short(graph, op):
        return "slide" if _slides(graph, op) else "relu"
    _, shift = conv2d_multipliers(graph, op)
    if not (_is_short(graph, op) and int(shift.max()) < 0):
        return "any"
    return "slide_signed" if _slides(graph, op) else "signed"


def ends_short(graph: Graph, op: Convolution) -> bool:
    """Say whether the short requantization is exact for all inputs.

    It rounds halves up instead of away from zero, which cannot show where every negative sum
    becomes -128 anyway.
    """
    return _is_short(graph, op) and graph.tensors[op.output].zero_point == -128


@lru_cache(maxsize=1024)
def _is_short(graph: Graph, op: Convolution) -> bool:
    """Say whether results saturate where they are clamped, and constants fit."""
    _, shift = conv2d_multipliers(graph, op)
    shifts_fit = len(shift) % QUAD == 0 and all(-int(s) in _SHIFTS for s in shift)
    return op.clamp == (-128, 127) and shifts_fit and not isinstance(op, FullyConnected)

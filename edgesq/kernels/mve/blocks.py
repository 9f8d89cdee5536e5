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
"""Output channels computed together, as pairs (0, 2) and (1, 3). Mirror: esq_mve.h."""

_SHIFTS = range(25)
"""Right shifts for which the constants of the short requantization fit."""


def reads_in_place(graph: Graph, op: Conv2D) -> bool:
    """Say whether windows are single pixels, read where they lie. Mirror: esq_mve_direct."""
    window, tensor = op.window, graph.tensors[op.inputs[0]]
    inside = (window.height, window.width, window.pad_top, window.pad_left) == (1, 1, 0, 0)
    return inside and tensor.hwc[2] % BLOCK == 0


def blocks_of(graph: Graph, op: Conv2D) -> int:
    """Return the blocks of input values under a window, the last one filled up."""
    return ceil_div(int(np.prod(graph.tensors[op.weights].shape[1:])), BLOCK)


def row_blocks_of(graph: Graph, op: Conv2D) -> int:
    """Return the blocks under one row of a window that is left out at the edges, else 0."""
    height, _, channels = graph.tensors[op.inputs[0]].hwc
    window = op.window
    tops = np.arange(graph.tensors[op.output].hwc[0]) * window.stride_h - window.pad_top
    rows = tops[:, np.newaxis] + np.arange(window.height) * window.dilation_h
    beside = ((rows < 0) | (rows >= height)).sum(axis=1)
    values = window.width * channels
    return values // BLOCK if beside.max() == 1 and values % BLOCK == 0 else 0


def work_bytes(graph: Graph, op: Conv2D, pixels: int) -> int:
    """Return the bytes of gathered input under `pixels` windows. Mirror: esq_run_conv2d_mve."""
    return 0 if reads_in_place(graph, op) else pixels * blocks_of(graph, op) * BLOCK


def padding_bytes(graph: Graph, op: Conv2D) -> int:
    """Return the bytes by which packed weights exceed the model's own."""
    shape = graph.tensors[op.weights].shape
    packed = round_up(shape[0], QUAD) * blocks_of(graph, op) * BLOCK
    return packed + BLOCK - int(np.prod(shape))  # a block is loaded ahead


@lru_cache(maxsize=1024)
def ends_short(graph: Graph, op: Convolution) -> bool:
    """Say whether the short requantization is exact for all inputs.

    It rounds halves up instead of away from zero, which cannot show where every negative sum
    becomes -128 anyway.
    """
    _, shift = conv2d_multipliers(graph, op)
    whole_range = op.clamp == (-128, 127) and graph.tensors[op.output].zero_point == -128
    shifts_fit = len(shift) % QUAD == 0 and all(-int(s) in _SHIFTS for s in shift)
    return whole_range and shifts_fit and not isinstance(op, FullyConnected)

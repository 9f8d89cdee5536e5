"""How a convolution's windows are unpacked on the DSP extension, and the memory for that.

Mirror: firmware/src/dsp/esq_dsp.h.
"""

import numpy as np

from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.operators import Conv2D

GROUP_VALUES = 4
"""Input values that are unpacked together: lanes (0, 2), then (1, 3)."""

_SLIDE_COLUMNS = 3


def slide_of(graph: Graph, op: Conv2D) -> int:
    """Return 3 where neighbouring windows share unpacked columns, else 1.

    Windows of one column are the same either way. Mirror: esq_dsp.h.
    """
    slides = op.window.width == _SLIDE_COLUMNS and op.window.stride_w == 1
    return _SLIDE_COLUMNS if slides and graph.tensors[op.inputs[0]].hwc[2] % 4 == 0 else 1


def groups_of(graph: Graph, op: Conv2D) -> int:
    """Return the groups of four input values under one window, or under a column that slides."""
    values = int(np.prod(graph.tensors[op.weights].shape[1:]))
    return ceil_div(values, GROUP_VALUES * slide_of(graph, op))


def channel_bytes(graph: Graph, op: Conv2D) -> int:
    """Return the bytes of one output channel's packed weights, two channels to a lane."""
    return groups_of(graph, op) * GROUP_VALUES * slide_of(graph, op)


def work_bytes(graph: Graph, op: Conv2D, pixels: int) -> int:
    """Return the bytes of unpacked input under `pixels` windows. Mirror: esq_run_conv2d_dsp."""
    staged = 4 * pixels if graph.tensors[op.inputs[0]].hwc[2] % 4 else 0
    return groups_of(graph, op) * (8 * (pixels + slide_of(graph, op) - 1) + staged)

"""Estimate what convolutions take on scalar cores; constants measured on an emulated Cortex-M3."""

from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.counts import runs_of
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.scalar.pack import end_of
from edgesq.kernels.scalar.windows import taps_of
from edgesq.operators import Conv2D

_TAP_INSTRUCTIONS = {1: 2.5, 2: 5.0, 4: 7.0}
"""Per tap of a channel, by pixels whose sums stand side by side."""

_CHANNEL_INSTRUCTIONS = 24.0
"""Per channel of pixels computed together, and again for each part of its windows."""

_SET_OUT_INSTRUCTIONS = {1: 2.5, 2: 6.0, 4: 12.0}
"""Per tap, likewise."""

_CALL_INSTRUCTIONS = 160.0
"""Per tile of channels of pixels computed together, and again for each part of their windows."""

_RUN_INSTRUCTIONS = 250.0
"""Per pixels computed together."""

_END_INSTRUCTIONS = {"relu": 16.0, "any": 25.0, "once": 70.0}
"""Per output value."""


def conv_instructions(graph: Graph, conv: Conv2D, kernel: Kernel) -> float:
    """Estimate a convolution over weights that lie in the family's packing.

    Args:
        graph: the model.
        conv: the convolution.
        kernel: how many pixels are computed together, and what is held for them.
    """
    height, width, channels = graph.tensors[conv.output].hwc
    assert kernel.held is not None
    taps = taps_of(graph, conv)
    widths = _widths(width, kernel.pixels)
    parts = ceil_div(taps, kernel.held.taps)
    sums = sum(taps * _TAP_INSTRUCTIONS[each] for each in widths)
    sums += len(widths) * parts * _CHANNEL_INSTRUCTIONS
    tiles = ceil_div(channels, kernel.held.channels)
    calls = len(widths) * tiles * parts * _CALL_INSTRUCTIONS
    ends = width * _END_INSTRUCTIONS[end_of(graph, conv)]
    row = channels * (sums + ends) + calls + len(widths) * _RUN_INSTRUCTIONS
    return height * (row + unpacking_instructions(graph, conv, kernel) / height)


def unpacking_instructions(graph: Graph, conv: Conv2D, kernel: Kernel) -> float:
    """Estimate what it takes to set out all windows; arguments as above."""
    height, width, channels = graph.tensors[conv.output].hwc
    assert kernel.held is not None
    taps = taps_of(graph, conv)
    row = sum(_SET_OUT_INSTRUCTIONS[each] for each in _widths(width, kernel.pixels))
    times = 1 if kernel.held.taps >= taps else ceil_div(channels, kernel.held.channels)
    return height * row * taps * times


def _widths(width: int, pixels: int) -> list[int]:
    """Return how many pixels' sums stand side by side, run by run of a row."""
    return [4 if count > 2 else count for count in runs_of(width, pixels)]

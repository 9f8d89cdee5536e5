"""Estimate what convolutions take on scalar cores; constants measured on an emulated Cortex-M3."""

from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.counts import runs_of
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.scalar.pack import end_of
from edgesq.kernels.scalar.windows import taps_of
from edgesq.operators import Conv2D

_GROUP_INSTRUCTIONS = {1: 10.0, 2: 14.0}
"""Per two taps of a channel, by words per tap."""

_CHANNEL_INSTRUCTIONS = 24.0
"""Per channel of pixels computed together, and again for each part of its windows."""

_WORD_INSTRUCTIONS = 6.0
"""To set out a word."""

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
    words = [ceil_div(count, 2) for count in runs_of(width, kernel.pixels)]
    parts = ceil_div(taps, kernel.held.taps)
    sums = sum(taps / 2 * _GROUP_INSTRUCTIONS[each] for each in words)
    sums += len(words) * parts * _CHANNEL_INSTRUCTIONS
    ends = width * _END_INSTRUCTIONS[end_of(graph, conv)]
    row = channels * (sums + ends) + len(words) * _RUN_INSTRUCTIONS
    return height * (row + unpacking_instructions(graph, conv, kernel) / height)


def unpacking_instructions(graph: Graph, conv: Conv2D, kernel: Kernel) -> float:
    """Estimate what it takes to set out all windows; arguments as above."""
    height, width, channels = graph.tensors[conv.output].hwc
    assert kernel.held is not None
    taps = taps_of(graph, conv)
    words = sum(ceil_div(count, 2) for count in runs_of(width, kernel.pixels))
    times = 1 if kernel.held.taps >= taps else ceil_div(channels, kernel.held.channels)
    return height * words * taps * _WORD_INSTRUCTIONS * times

"""Estimate what convolutions take on scalar cores; constants measured on an emulated Cortex-M3."""

from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.counts import Counts, priced, runs_of, taps_inside
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.scalar.pack import end_of
from edgesq.kernels.scalar.windows import taps_of
from edgesq.operators import Conv2D

_TAP_INSTRUCTIONS = {1: 2.8, 2: 3.35, 3: 4.75, 4: 5.65}
"""Per tap of a channel, by pixels computed together."""

_SUMS = {"beside": 2.5, "channels": 12.0, "calls": 360.0, "relu": 6.6, "any": 6.6, "once": 40.0}
"""Per tap of a channel that lies beside the image, for all pixels computed together; per channel of
these pixels, for each part of their windows; per call for some channels likewise; per output value,
by the end of its sum."""

_SET_OUT = {"taps": 3.85, "rows": 23.0, "runs": 280.0}
"""Per tap of a pixel, per row of its window, and per pixels computed together."""


def conv_instructions(graph: Graph, conv: Conv2D, kernel: Kernel) -> float:
    """Estimate a convolution over weights that lie in the family's packing.

    Args:
        graph: the model.
        conv: the convolution.
        kernel: how many pixels are computed together, and what is held for them.
    """
    assert kernel.held is not None
    height, width, channels = graph.tensors[conv.output].hwc
    runs, taps = runs_of(width, kernel.pixels), taps_of(graph, conv)
    rows, parts = _rows_inside(graph, conv), ceil_div(taps, kernel.held.taps)
    blocks = height * len(runs) * parts
    inside = rows / conv.window.height
    counts: Counts = {
        "beside": (height - inside) * taps * channels * len(runs),
        "channels": blocks * channels,
        "calls": blocks * ceil_div(channels, kernel.held.channels),
        end_of(graph, conv): height * width * channels,
    }
    sums = inside * taps * channels * sum(_TAP_INSTRUCTIONS[run] for run in runs)
    return sums + priced(_SUMS, counts) + unpacking_instructions(graph, conv, kernel)


def unpacking_instructions(graph: Graph, conv: Conv2D, kernel: Kernel) -> float:
    """Estimate what it takes to set out all windows, none for portable kernels; see above."""
    if kernel.held is None:
        return 0.0
    height, width, channels = graph.tensors[conv.output].hwc
    taps, rows = taps_of(graph, conv), _rows_inside(graph, conv)
    times = 1 if kernel.held.taps >= taps else ceil_div(channels, kernel.held.channels)
    counts: Counts = {
        "taps": rows / conv.window.height * width * taps,
        "rows": rows * width,
        "runs": height * len(runs_of(width, kernel.pixels)),
    }
    return times * priced(_SET_OUT, counts)


def _rows_inside(graph: Graph, conv: Conv2D) -> int:
    """Return the rows of all windows that lie in the image, of a column of them."""
    return taps_inside(graph, conv)[0]

"""Estimate what convolutions take on MVE; constants measured in the emulator."""

from functools import partial
from math import prod

from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.cost import Prices, operator_instructions
from edgesq.kernels.counts import Counts, priced, runs_of, taps_inside
from edgesq.kernels.decoding import Decoding
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.mve import depthwise
from edgesq.kernels.mve.blocks import (
    QUAD,
    blocks_of,
    ends_short,
    reads_in_place,
    row_blocks_of,
)
from edgesq.kernels.portable import PRICES as PORTABLE_PRICES
from edgesq.operators import Conv2D, FullyConnected

_UNPACK_INSTRUCTIONS = 0.2
"""To set out an input value under one output pixel, again for each tile."""

_CONV = {
    "loops": 1.0,
    "quads": 31.4,
    "exact": 10.1,
    "once": 61.6,
    "rows": 115.0,
    "runs": 75.0,
    "gathered": 3.4,
    "window rows": 22.6,
}
"""Instructions per count of `_conv`."""


def _conv(graph: Graph, op: Conv2D, kernel: Kernel) -> float:
    """Estimate what firmware/src/mve/esq_conv2d_mve.c and esq_mve_kernels.S do."""
    height, width, channels = graph.tensors[op.output].hwc
    runs, blocks, quads = (
        runs_of(width, kernel.pixels),
        blocks_of(graph, op),
        ceil_div(channels, QUAD),
    )
    share = 1.0
    short = ends_short(graph, op)
    if short and row_blocks_of(graph, op):
        share = taps_inside(graph, op)[0] / (height * op.window.height)
    gathered = 0 if reads_in_place(graph, op) else height * width
    values = height * width * channels
    once = isinstance(op, FullyConnected)
    counts: Counts = {
        "loops": height * share * quads * blocks * sum(6 * run + 6 for run in runs),
        "quads": height * quads * len(runs),
        "exact": values if not short and not once else 0,
        "once": values if once else 0,
        "rows": height,
        "runs": height * len(runs),
        "gathered": gathered * blocks,
        "window rows": gathered * op.window.height,
    }
    return priced(_CONV, counts)


def _unpacking(graph: Graph, op: Conv2D, _: Kernel) -> float:
    """Estimate what it takes to set out all windows once."""
    height, width = graph.tensors[op.output].hwc[:2]
    values = prod(graph.tensors[op.weights].shape[1:])
    return height * (width * values * _UNPACK_INSTRUCTIONS)


PRICES = Prices(
    values={
        **PORTABLE_PRICES.values,
        "a weighted sum": {"out": 4.0},
        "MUL": {"out": 4.4},
        "by a constant": {"out": 5.3},
        "a table": {"out": 1.2},
        "MAX_POOL_2D": {"in": 1.0},
        "AVERAGE_POOL_2D": {"taps": 1.3, "out": 38.0},
        "a sum of the map": {"in": 1.3, "out": 38.0},
    },
    summed=2.3,
    decoding=Decoding(4.3, (12.0, 16.5, 26.0, 30.0, 37.0)),
    conv=_conv,
    unpacking=_unpacking,
    depthwise=depthwise.instructions,
)

instructions = partial(operator_instructions, PRICES)
"""Estimates what an operator takes per image, apart from its rows and steps."""

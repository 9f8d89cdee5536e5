"""Estimate what convolutions take on MVE; constants measured in the emulator."""

from functools import partial

from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.cost import Prices, operator_instructions
from edgesq.kernels.counts import Counts, priced, runs_of, taps_inside
from edgesq.kernels.decoding import Decoding
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.mve import depthwise
from edgesq.kernels.mve.blocks import (
    BLOCK,
    MAX_PIXELS,
    QUAD,
    blocks_of,
    by_columns,
    finish_of,
    leaves_rows_out,
    reads_in_place,
)
from edgesq.kernels.portable import PRICES as PORTABLE_PRICES
from edgesq.operators import Conv2D

_PIXELS = 3
"""Mirror: ESQ_MVE_PIXELS."""

_CONV = {
    "loops": 1.0,
    "quads": 12.0,
    "sums": 14.0,
    "sliding sums": 9.0,
    "signed": 2.0,
    "few blocks": -7.0,
    "exact": 10.1,
    "once": 61.6,
    "groups": 22.0,
    "runs": 110.0,
    "rows": -40.0,
    "pieces": 6.0,
    "window rows": 45.0,
}
"""Instructions per count of `_conv`: a row takes less than is counted for one of any operator."""


def _conv(graph: Graph, op: Conv2D, kernel: Kernel) -> float:
    """Estimate what firmware/src/mve/esq_conv2d_mve.c and the kernels do."""
    height, width, channels = graph.tensors[op.output].hwc
    runs, blocks = _runs(graph, op, kernel), blocks_of(graph, op)
    groups = [group for run in runs for group in runs_of(run, _PIXELS)]
    quads = ceil_div(channels, QUAD)
    values = height * width * channels
    finish = finish_of(graph, op)
    slides = finish.startswith("slide")
    share = 1.0
    if leaves_rows_out(graph, op):
        share = taps_inside(graph, op)[0] / (height * op.window.height)
    if slides:
        looped = quads * blocks * share * sum(2 * (7 * group + 9) / 3 for group in groups)
    else:
        looped = quads * (blocks - 1) * sum(6 * group + 6 for group in groups)
    counts: Counts = {
        "loops": height * looped,
        "quads": height * quads * len(groups),
        "sums": 0 if slides else height * width * quads,
        "sliding sums": height * width * quads if slides else 0,
        "signed": height * width * quads if finish.endswith("signed") else 0,
        "few blocks": height * quads * len(groups) if blocks < 3 and finish != "any" else 0,
        "exact": values if finish == "any" else 0,
        "once": values if finish == "once" else 0,
        "groups": height * len(groups),
        "runs": height * len(runs),
        "rows": height,
        **_set_out(graph, op, runs),
    }
    return priced(_CONV, counts)


def _runs(graph: Graph, op: Conv2D, kernel: Kernel) -> list[int]:
    """Return the output pixels of a row that are located together."""
    most = MAX_PIXELS if reads_in_place(graph, op) else kernel.pixels
    return runs_of(graph.tensors[op.output].hwc[1], most)


def _set_out(graph: Graph, op: Conv2D, runs: list[int]) -> Counts:
    """Count pieces of 16 bytes that are set out, and rows of them."""
    if reads_in_place(graph, op):
        return {}
    window, height = op.window, graph.tensors[op.output].hwc[0]
    channels = graph.tensors[op.inputs[0]].hwc[2]
    rows = height * window.height
    if by_columns(graph, op):
        columns = sum((run - 1) * window.stride_w + window.width for run in runs)
        pieces = rows * columns * ceil_div(channels, BLOCK)
    else:
        pieces = rows * sum(runs) * ceil_div(window.width * channels, BLOCK)
    return {"pieces": pieces, "window rows": rows * len(runs)}


def _unpacking(graph: Graph, op: Conv2D, kernel: Kernel) -> float:
    """Estimate what it takes to set out all windows once."""
    return priced(_CONV, _set_out(graph, op, _runs(graph, op, kernel)))


PRICES = Prices(
    values={
        **PORTABLE_PRICES.values,
        "a weighted sum": {"out": 4.0},
        "MUL": {"out": 4.4},
        "by a constant": {"out": 5.3},
        "a table": {"out": 1.2},
        "MAX_POOL_2D": {"in": 0.5},
        "AVERAGE_POOL_2D": {"taps": 1.3, "out": 38.0},
        "a sum of the map": {"in": 1.3, "out": 38.0},
    },
    summed=5.0,
    decoding=Decoding(4.3, (12.0, 16.5, 26.0, 30.0, 37.0)),
    conv=_conv,
    unpacking=_unpacking,
    depthwise=depthwise.instructions,
)

instructions = partial(operator_instructions, PRICES)
"""Estimates what an operator takes per image, apart from its rows and steps."""

"""Estimate what convolutions take on the DSP extension; constants measured in the emulator."""

from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels import cost
from edgesq.kernels.counts import runs_of, taps_inside
from edgesq.kernels.decoding import Decoding
from edgesq.kernels.dsp import depthwise, depthwise_windows, squares, winograd
from edgesq.kernels.dsp.endings import ending
from edgesq.kernels.dsp.lanes import pair_channels
from edgesq.kernels.dsp.windows import GROUP_VALUES, groups_of, slide_of
from edgesq.kernels.kernel import Form, Kernel
from edgesq.kernels.portable import PRICES as PORTABLE_PRICES
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D, DepthwiseConv2D, FullyConnected

_UNPACK_INSTRUCTIONS = 1.3
"""To set out an input value under one output pixel, again for each tile."""

_GROUP_INSTRUCTIONS = {
    1: {3: 17.4, 2: 12.1, 1: 8.2},
    3: {3: 48.8, 2: 34.5, 1: 21.5},
}
"""Per four values under one window, or under a column that slides, and two channels; by pixels
computed together."""

_RESULT_INSTRUCTIONS, _PAIR_INSTRUCTIONS = 4.7, 10.3
"""Per output value; per two channels of pixels computed together."""

_RUN_INSTRUCTIONS, _STAGED_INSTRUCTIONS = 320, 85
"""To set out windows of pixels computed together; more per row of them where channels make no
whole words."""

_LINEAR_INSTRUCTIONS, _CLAMP_INSTRUCTIONS = 1.5, 2.6
"""Per output value, where negative sums round as any; where the clamp is narrower than int8."""

_EXACT_INSTRUCTIONS, _EXACT_RUN_INSTRUCTIONS, _ONCE_INSTRUCTIONS = 24.9, 48.6, 56.6
"""Per sum that is not requantized by short constants, and per run of them; per sum that is rescaled
once."""

_ODD_RUN_INSTRUCTIONS, _ODD_INSTRUCTIONS = 160.0, 22.0
"""Per channel that is computed again, of pixels computed together, and per pixel of it."""


def _conv(graph: Graph, conv: Conv2D, kernel: Kernel) -> float:
    """Estimate a convolution's kernel over weights that lie in its packing."""
    height, width, channels = graph.tensors[conv.output].hwc
    runs = runs_of(width, kernel.pixels)
    slide = slide_of(graph, conv)
    groups = groups_of(graph, conv) * sum(_GROUP_INSTRUCTIONS[slide][count] for count in runs)
    pairs = channels / pair_channels(graph, conv)
    again = pairs + len(ending(graph, conv).odd)
    total = again * groups * (taps_inside(graph, conv)[0] / conv.window.height)
    total += height * len(runs) * _RUN_INSTRUCTIONS + _unpacking(graph, conv, kernel)
    total += _ends(graph, conv, len(runs))
    if not isinstance(conv, FullyConnected):
        total += height * (pairs * len(runs) * _PAIR_INSTRUCTIONS)
        total += height * width * channels * _RESULT_INSTRUCTIONS
    return total


def _ends(graph: Graph, conv: Conv2D, runs: int) -> float:
    """Estimate what the ends of sums take more than those that clamp at the zero point."""
    height, width, channels = graph.tensors[conv.output].hwc
    values, end = height * width * channels, ending(graph, conv)
    if end.form == "once":
        return values * _ONCE_INSTRUCTIONS
    if end.form == "any":
        return values * _EXACT_INSTRUCTIONS + height * runs * channels * _EXACT_RUN_INSTRUCTIONS
    linear = _LINEAR_INSTRUCTIONS if end.form == "linear" else 0.0
    clamp = _CLAMP_INSTRUCTIONS if conv.clamp != (-128, 127) else 0.0
    again = height * len(end.odd) * (runs * _ODD_RUN_INSTRUCTIONS + width * _ODD_INSTRUCTIONS)
    return values * (linear + clamp) + again


def _unpacking(graph: Graph, conv: Conv2D, kernel: Kernel) -> float:
    """Estimate what it takes to set out all windows once."""
    height, width, _ = graph.tensors[conv.output].hwc
    runs, slide = ceil_div(width, kernel.pixels), slide_of(graph, conv)
    unaligned = graph.tensors[conv.inputs[0]].hwc[2] % GROUP_VALUES
    staged = _STAGED_INSTRUCTIONS * conv.window.height if unaligned else 0
    columns = width + runs * (slide - 1)
    values = GROUP_VALUES * groups_of(graph, conv)
    return height * (runs * staged + columns * values * _UNPACK_INSTRUCTIONS)


def _depthwise(graph: Graph, op: DepthwiseConv2D, pixels: int) -> float:
    if depthwise.fits(graph, op):
        return depthwise.instructions(graph, op, pixels)
    return depthwise_windows.instructions(graph, op, pixels)


PRICES = cost.Prices(
    values={
        **PORTABLE_PRICES.values,
        "MUL": {"out": 13.5},
        "by a constant": {"out": 5.5},
        "MAX_POOL_2D": {"in": 3.75},
        "AVERAGE_POOL_2D": {"taps": 2.1, "out": 17.0},
        "a sum of the map": {"in": 2.1, "out": 36.0, "calls": 600.0},
    },
    summed=9.0,
    decoding=Decoding(4.3, (12.0, 16.5, 26.0, 30.0, 37.0)),
    conv=_conv,
    unpacking=_unpacking,
    depthwise=_depthwise,
)


def instructions(graph: Graph, item: RowOp) -> float:
    """Estimate what an operator takes per image, apart from its rows and steps."""
    if item.kernel.form is Form.SQUARES and isinstance(item.op, Conv2D):
        return squares.instructions(graph, item, item.op)
    if item.kernel.form is Form.WINOGRAD and isinstance(item.op, Conv2D):
        own = winograd.instructions(graph, item, item.op)
        return own + cost.decoding_instructions(PRICES.decoding, graph, item)
    return cost.operator_instructions(PRICES, graph, item)

"""Working memory of the depthwise kernels: columns of a few channels, set out anew for each row.

Mirror: firmware/src/dsp/esq_depthwise_dsp.h, firmware/src/mve/esq_depthwise_mve.h.
"""

from edgesq.graph import DepthwiseConv2D, Graph
from edgesq.integers import ceil_div, round_up

_MAX_PIXELS = 64
"""Mirror: struct esq_depthwise_dsp."""

_PAIR_BYTES = 48
"""dsp: two columns of four channels. Mirror: ESQ_DSP_PAIR_WORDS in esq_depthwise_dsp.h."""

STRIPS, _STRIP_BLOCK, _MORE_PIXELS = 8, 16, 2
"""mve: channels set out together, bytes of a load, outputs computed beyond those there are."""

_TABLE_BYTES = 32
"""dsp: per channel, of which 9 are weights, 4 the bias, and 8 a multiplier and a constant."""


def depthwise_fits(graph: Graph, op: DepthwiseConv2D, kernels: str) -> bool:
    """Say whether a kernel family has a depthwise kernel of this shape."""
    if kernels == "mve":
        return True
    channels = graph.tensors[op.inputs[0]].hwc[2]
    window = op.window
    same = graph.tensors[op.output].hwc[2] == channels
    square = (window.height, window.width) == (3, 3) and window.stride_w in (1, 2)
    square = square and window.pad_left < 2
    return kernels == "dsp" and same and square and channels % 4 == 0


def depthwise_choices(graph: Graph, op: DepthwiseConv2D) -> tuple[int, ...]:
    """Return how many output pixels of a row may be computed together, best first."""
    most = min(graph.tensors[op.output].hwc[1], _MAX_PIXELS)
    return (most, *(pixels for pixels in (24, 18, 12, 8, 6, 3) if pixels < most))


def strip_blocks(op: DepthwiseConv2D) -> int:
    """Return the blocks of 16 values under a window, the last one filled up."""
    return ceil_div(op.window.height * op.window.width, _STRIP_BLOCK)


def depthwise_work_bytes(op: DepthwiseConv2D, kernels: str, pixels: int) -> int:
    """Return the bytes of columns under `pixels` windows."""
    if kernels == "mve":
        window = op.window
        columns = (pixels - 1) * window.stride_w + window.width
        beyond = _MORE_PIXELS * window.stride_w * window.height + _STRIP_BLOCK
        strips = STRIPS * columns * window.height + beyond
        return round_up(strips, 16) + 16 * (pixels + _MORE_PIXELS)
    return (1 + (pixels if op.window.stride_w > 1 else ceil_div(pixels, 2))) * _PAIR_BYTES


def depthwise_extra_bytes(graph: Graph, op: DepthwiseConv2D, kernels: str) -> int:
    """Return the bytes by which packed weights exceed the model's own."""
    if kernels == "mve":
        window = op.window
        channels = graph.tensors[op.bias].shape[0]
        padding = strip_blocks(op) * _STRIP_BLOCK - window.height * window.width
        return channels * padding + _STRIP_BLOCK + 16 * (-channels % 4)
    return graph.tensors[op.bias].shape[0] * (_TABLE_BYTES - 9 - 4 - 8)

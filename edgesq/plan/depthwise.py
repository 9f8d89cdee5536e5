"""Working memory of the depthwise kernels: columns of a few channels, set out anew for each row."""

from edgesq.graph import DepthwiseConv2D, Graph

_MOST_PIXELS = 64
"""Mirror: struct esq_depthwise_dsp."""

_PAIR_BYTES = 48
"""dsp: two columns of four channels. Mirror: ESQ_DSP_PAIR_WORDS in esq_depthwise_dsp.h."""

_TABLE_BYTES = 32
"""dsp: per channel, of which 9 are weights, 4 the bias and 12 counted with every convolution."""


def depthwise_fits(graph: Graph, op: DepthwiseConv2D, kernels: str) -> bool:
    """Say whether a kernel family has a depthwise kernel of this shape."""
    channels = graph.tensors[op.inputs[0]].hwc[2]
    window = op.window
    same = graph.tensors[op.output].hwc[2] == channels
    square = (window.height, window.width) == (3, 3) and window.stride_w in (1, 2)
    square = square and window.pad_left < 2
    return kernels == "dsp" and same and square and channels % 4 == 0


def depthwise_choices(graph: Graph, op: DepthwiseConv2D) -> tuple[int, ...]:
    """Return how many output pixels of a row may be computed together, best first."""
    most = min(graph.tensors[op.output].hwc[1], _MOST_PIXELS)
    return (most, *(pixels for pixels in (32, 16, 8, 2) if pixels < most))


def depthwise_work_bytes(op: DepthwiseConv2D, pixels: int) -> int:
    """Return the bytes of columns under `pixels` windows. Mirror: esq_run_depthwise_conv2d_dsp."""
    return (1 + (pixels if op.window.stride_w > 1 else -(-pixels // 2))) * _PAIR_BYTES


def depthwise_extra_bytes(graph: Graph, op: DepthwiseConv2D) -> int:
    """Return the bytes by which packed weights exceed the model's own."""
    return graph.tensors[op.bias].shape[0] * (_TABLE_BYTES - 9 - 4 - 8)

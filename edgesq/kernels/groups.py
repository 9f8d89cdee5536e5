"""A grouped convolution as one convolution per group, each on its own channels of the same pixels.

So a kernel family runs groups by the kernels that it has.
Mirror: firmware/src/ops/esq_conv2d_groups.c.
"""

from dataclasses import replace

from edgesq.graph import Graph, Quantization, Tensor
from edgesq.operators import Conv2D, GroupedConv2D

MAX_GROUPS = 64
"""Above it, entering a kernel for each group and row costs more than the kernel saves."""

GROUP_BYTES = 128
"""Largest size of a group's struct with the channels that fill it up to a pair or quad."""


def group_count(graph: Graph, op: GroupedConv2D) -> int:
    """Return the number of groups."""
    return graph.tensors[op.inputs[0]].hwc[2] // graph.tensors[op.weights].shape[3]


def group_graph(graph: Graph, op: GroupedConv2D, group: int) -> tuple[Graph, Conv2D]:
    """Return a group's convolution, in a graph of its own."""
    groups = group_count(graph, op)
    source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.weights]
    each = weights.shape[0] // groups
    part = slice(group * each, (group + 1) * each)
    tensors = (
        _narrowed(source, weights.shape[3]),
        _narrowed(graph.tensors[op.output], each),
        _sliced(weights, part),
        _sliced(graph.tensors[op.bias], part),
    )
    conv = Conv2D(op.name, (0,), 1, op.window, 2, 3, op.clamp)
    return Graph(tensors, (conv,), (0,), (1,), graph.sha256), conv


def _narrowed(tensor: Tensor, channels: int) -> Tensor:
    return replace(tensor, shape=(*tensor.shape[:-1], channels))


def _sliced(tensor: Tensor, part: slice) -> Tensor:
    """Return the weights or biases of some output channels."""
    assert tensor.data is not None
    scale, data = tensor.quantization.scale, tensor.data[part]
    scales = scale[part] if len(scale) > 1 else scale
    own = Quantization(scales, tensor.quantization.zero_point)
    return Tensor(tensor.name, data.shape, own, data)

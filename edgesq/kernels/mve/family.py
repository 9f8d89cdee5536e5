"""Kernels on MVE, as a row of the table of families."""

from collections.abc import Iterator
from dataclasses import replace

from edgesq.graph import Graph
from edgesq.kernels.coded import tile_kernels
from edgesq.kernels.counts import pixels_of_a_row
from edgesq.kernels.family import Family, requantization_bytes
from edgesq.kernels.groups import GROUP_BYTES, MAX_GROUPS, group_count, group_graph
from edgesq.kernels.kernel import Form, Kernel
from edgesq.kernels.mve import depthwise
from edgesq.kernels.mve.blocks import (
    BLOCK,
    blocks_of,
    leaves_rows_out,
    padding_bytes,
    pixels_of,
    work_bytes,
)
from edgesq.kernels.mve.cost import PRICES, instructions
from edgesq.kernels.mve.params import conv_params
from edgesq.kernels.portable import conv_kernel
from edgesq.kernels.row_op import RowOp
from edgesq.operators import (
    Add,
    AveragePool2D,
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    GroupedConv2D,
    HalvesUpPool2D,
    Lookup,
    MaxPool2D,
    Mean,
    Mul,
    Sub,
)

NAME = "mve"

_REQUANTIZATION_BYTES, _EDGE_BYTES = 12, 8
"""Per channel: multiplier and shift as words, and a constant; two more biases where rows beside the
image are left out."""


def _kernels(graph: Graph, item: RowOp, _: bool) -> Iterator[Kernel]:
    """Yield the kernels of an operator, best first."""
    conv = item.first
    if isinstance(conv, DepthwiseConv2D):
        for pixels in pixels_of_a_row(graph.tensors[conv.output].hwc[1]):
            yield conv_kernel(item, NAME, pixels, depthwise.work_bytes(conv, pixels))
        return
    if isinstance(conv, GroupedConv2D) and group_count(graph, conv) <= MAX_GROUPS:
        graph, conv = group_graph(graph, conv, 0)
    if not isinstance(conv, Conv2D):
        yield replace(item.kernel, family=NAME) if _is_exact(item) else item.kernel
        return
    for pixels in pixels_of(graph, conv):
        yield conv_kernel(item, NAME, pixels, work_bytes(graph, conv, pixels))


def _is_exact(item: RowOp) -> bool:
    """Say whether there is a kernel without weights that is exact for an operator."""
    match item.op:
        case HalvesUpPool2D() if item.window is not None:
            return False
        case MaxPool2D():
            return item.op.clamp == (-128, 127)
        case Add() | Sub() if item.kernel.form is Form.DIRECT:
            return False
        case Add() | Sub() | Mul() | Lookup() | AveragePool2D() | Mean():
            return True
    return False


def _coded_kernels(graph: Graph, item: RowOp) -> Iterator[Kernel]:
    conv = item.first
    assert isinstance(conv, Conv2D)
    channel_bytes = blocks_of(graph, conv) * BLOCK
    for kernel in _kernels(graph, item, False):
        yield from tile_kernels(graph, conv, kernel, channel_bytes, beyond_bytes=BLOCK)


def _extra_bytes(graph: Graph, item: RowOp) -> int:
    op = item.first
    if isinstance(op, Conv2D):
        return padding_bytes(graph, op)
    if isinstance(op, DepthwiseConv2D):
        return depthwise.extra_bytes(graph, op)
    if isinstance(op, GroupedConv2D) and item.kernel.form is Form.GROUPS:
        own, conv = group_graph(graph, op, 0)
        return group_count(graph, op) * (padding_bytes(own, conv) + GROUP_BYTES)
    return 0


def _requantization_bytes(graph: Graph, op: Convolution) -> int:
    edges = isinstance(op, Conv2D) and leaves_rows_out(graph, op)
    each = _REQUANTIZATION_BYTES + (_EDGE_BYTES if edges else 0)
    return requantization_bytes(each, graph, op)


MVE = Family(
    name=NAME,
    core_has="defined(__ARM_FEATURE_MVE)",
    core_hint="; a Cortex-M55 has them by -mfloat-abi=hard or softfp (Zephyr: CONFIG_FPU=y)",
    code_bytes=4_096,
    kernels=_kernels,
    coded_kernels=_coded_kernels,
    takes_coded=lambda _, __: True,
    extra_bytes=_extra_bytes,
    requantization_bytes=_requantization_bytes,
    conv_params=conv_params,
    instructions=instructions,
    decoding=PRICES.decoding,
    folds_zero_point=True,
)

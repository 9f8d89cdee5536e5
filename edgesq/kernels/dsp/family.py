"""Kernels on the DSP extension, as a row of the table of families."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from edgesq.arithmetic import mul_multiplier
from edgesq.graph import Graph
from edgesq.integers import round_up
from edgesq.kernels.affine import DROPPED_BITS
from edgesq.kernels.channels import ROW_BYTES
from edgesq.kernels.coded import tile_kernels
from edgesq.kernels.counts import pixels_of_a_row
from edgesq.kernels.dsp import depthwise, depthwise_windows, squares, winograd
from edgesq.kernels.dsp.cost import PRICES, instructions
from edgesq.kernels.dsp.endings import short_channels
from edgesq.kernels.dsp.growth import grown
from edgesq.kernels.dsp.lanes import pair_channels, wide_layer
from edgesq.kernels.dsp.params import conv_params
from edgesq.kernels.dsp.tables import tabled_kernels
from edgesq.kernels.dsp.windows import channel_bytes, work_bytes
from edgesq.kernels.family import Family, requantization_bytes
from edgesq.kernels.groups import GROUP_BYTES, MAX_GROUPS, group_count, group_graph
from edgesq.kernels.kernel import Form, Kernel
from edgesq.kernels.portable import conv_kernel
from edgesq.kernels.row_op import RowOp
from edgesq.operators import (
    Add,
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    GroupedConv2D,
    HalvesUpPool2D,
    Lookup,
    MaxPool2D,
    Mean,
    Mul,
    Sub,
)

NAME = "dsp"

_PIXELS = (3, 2, 1)
"""Output pixels of a convolution computed together, best first."""

MAX_ADDED = 255
"""Mirror: ESQ_DSP_MAX_ADDED."""
_MAX_SHIFT = 23
"""Zero points stay in 31 bits."""

_REQUANTIZATION_BYTES = 12
"""Per channel: multiplier and shift as words, and a constant."""


def _kernels(graph: Graph, item: RowOp, grows: bool) -> Iterator[Kernel]:
    """Yield the kernels of an operator, best first."""
    conv = item.first
    if isinstance(conv, DepthwiseConv2D) and not depthwise.fits(graph, conv):
        yield from depthwise_windows.kernels(graph, conv, item.kernel, NAME)
        return
    if isinstance(conv, DepthwiseConv2D):
        for pixels in pixels_of_a_row(graph.tensors[conv.output].hwc[1]):
            yield conv_kernel(item, NAME, pixels, depthwise.work_bytes(conv, pixels))
        return
    if isinstance(conv, GroupedConv2D) and group_count(graph, conv) <= MAX_GROUPS:
        graph, conv = group_graph(graph, conv, 0)
    if not isinstance(conv, Conv2D):
        yield replace(item.kernel, family=NAME) if _is_exact(graph, item) else item.kernel
        return
    *direct, least = _direct(graph, item, conv)
    quick = list(_transforming(graph, item, conv, grows))
    if quick:
        quick += direct
        quick.sort(key=lambda one: instructions(graph, replace(item, kernel=one)))
    yield from quick or direct
    yield least


def _transforming(graph: Graph, item: RowOp, conv: Conv2D, grows: bool) -> Iterator[Kernel]:
    """Yield the kernels that multiply transformed weights."""
    if grows:
        yield winograd.kernel(graph, conv, NAME)
    if item.op is conv and item.kernel.form is Form.DIRECT:
        yield from squares.kernels(graph, item, conv, NAME)


def _direct(graph: Graph, item: RowOp, conv: Conv2D) -> Iterator[Kernel]:
    """Yield the kernels that multiply the weights as they are."""
    for pixels in _PIXELS:
        yield conv_kernel(item, NAME, pixels, work_bytes(graph, conv, pixels))


def _is_exact(graph: Graph, item: RowOp) -> bool:
    """Say whether there is a kernel without weights that is exact for an operator."""
    match item.op:
        case HalvesUpPool2D() if item.window is not None:
            return False
        case MaxPool2D():
            return _pools_by_words(graph, item, item.op)
        case AveragePool2D() | Mean():
            return _adds_by_words(graph, item)
        case Add() | Sub() | Mul() | Lookup():
            return _values_with_shifts(graph, item)
    return False


def _pools_by_words(graph: Graph, item: RowOp, op: MaxPool2D) -> bool:
    """Say whether a max pool can take four channels at a time."""
    channels = graph.tensors[op.output].hwc[2]
    return op.clamp == (-128, 127) and all(size % 4 == 0 for size in (channels, *item.pixel_bytes))


def _adds_by_words(graph: Graph, item: RowOp) -> bool:
    """Say whether an average can take four channels at a time, its sums in 16 bits."""
    window = item.window
    fits = window is None or window.height * window.width <= MAX_ADDED
    return fits and graph.tensors[item.op.inputs[0]].hwc[2] % 4 == 0


def _values_with_shifts(graph: Graph, item: RowOp) -> bool:
    """Say whether the short forms of an operator on each value are exact."""
    if item.kernel.form is not Form.DIRECT:
        return item.kernel.form is Form.LINE
    return isinstance(item.op, Mul) and -_MAX_SHIFT < mul_multiplier(graph, item.op)[1] < 0


def _coded_kernels(graph: Graph, item: RowOp) -> Iterator[Kernel]:
    conv = item.first
    assert isinstance(conv, Conv2D)
    for kernel in _direct(graph, item, conv):
        yield from tile_kernels(graph, conv, kernel, channel_bytes(graph, conv), ROW_BYTES)
    yield from winograd.coded_kernels(graph, item, NAME)


def _extra_bytes(graph: Graph, item: RowOp) -> int:
    op, kernel = item.op, item.kernel
    wide = wide_layer(graph, item)
    extra = wide.bytes if wide else 0
    if isinstance(op, DepthwiseConv2D) and kernel.pixels:
        own = depthwise if depthwise.fits(graph, op) else depthwise_windows
        extra += own.extra_bytes(graph, op) - DSP.requantization_bytes(graph, op)
    elif isinstance(op, GroupedConv2D) and kernel.form is Form.GROUPS:
        extra += _grouped_padding(graph, op)
    elif isinstance(op, Conv2D) and kernel.form is Form.WINOGRAD and kernel.coded is None:
        extra += winograd.extra_bytes(graph, op)
    return extra


def _grouped_padding(graph: Graph, op: GroupedConv2D) -> int:
    """Return the bytes by which all groups' packed weights and structs exceed the weights."""
    own, conv = group_graph(graph, op, 0)
    shape = own.tensors[conv.weights].shape
    padding = round_up(shape[0], 2) * channel_bytes(own, conv) - int(np.prod(shape))
    return group_count(graph, op) * (padding + GROUP_BYTES)


def _takes_coded(graph: Graph, op: Conv2D) -> bool:
    return pair_channels(graph, op) == 2


DSP = Family(
    name=NAME,
    core_has="defined(__ARM_FEATURE_DSP)",
    code_bytes=6_656,
    kernels=_kernels,
    coded_kernels=_coded_kernels,
    takes_coded=_takes_coded,
    extra_bytes=_extra_bytes,
    requantization_bytes=partial(requantization_bytes, _REQUANTIZATION_BYTES),
    conv_params=conv_params,
    instructions=instructions,
    decoding=PRICES.decoding,
    tabled_kernels=tabled_kernels,
    short_channels=short_channels,
    grown=partial(grown, family=NAME),
    gains_by_code=winograd.fits,
    wide_layer=wide_layer,
    pairs_channels=True,
    affine_drops=DROPPED_BITS,
)

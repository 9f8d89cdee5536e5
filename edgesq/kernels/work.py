"""Working memory of the kernel families, traded against how many pixels they compute together."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from edgesq.arithmetic import conv2d_multipliers
from edgesq.graph import Conv2D, DepthwiseConv2D, Graph, GroupedConv2D
from edgesq.integers import ceil_div, round_up
from edgesq.kernels.depthwise import (
    depthwise_choices,
    depthwise_extra_bytes,
    depthwise_fits,
    depthwise_work_bytes,
)
from edgesq.kernels.dsp.lanes import wide_layers
from edgesq.kernels.groups import MAX_GROUPS, group_count, group_graph
from edgesq.kernels.row_op import Ops, RowOp

WINOGRAD_PIXELS = 4
"""Pixels computed together by way of Winograd's F(4, 3)."""

WEIGHTS_GROWTH = 8
"""Weights for Winograd, four times as large, may add one part in this many to all weights."""

_PIXELS = (3, 2)
"""Pixels computed together, best first; one is always possible."""

_SLIDE_COLUMNS = 3
_TILE_COLUMNS = 6
_WINOGRAD_USES = 256
"""Output pixels from which four times the weights are worth it."""

_GROUP_BYTES = 128
"""Of a group's struct, and its channels filled up to a pair or quad, at most."""

MVE_BLOCK = 16
"""Input values that one instruction multiplies. Mirror: ESQ_MVE_BLOCK."""


def pixel_ways(
    graph: Graph, item: RowOp, kernels: str, winograd: frozenset[int]
) -> Iterator[RowOp]:
    """Yield an operator with each number of pixels that it may compute together, best first.

    Args:
        graph: the model.
        item: the operator as lowered.
        kernels: kernel family.
        winograd: outputs of those whose weights may grow for Winograd.
    """
    if kernels == "portable":
        yield item
        return
    if item.op.output in winograd:
        yield with_pixels(graph, item, kernels, WINOGRAD_PIXELS)
    for pixels in (*_choices(graph, item), 1):
        yield (trial := with_pixels(graph, item, kernels, pixels))
        if not trial.pixels:
            return


def worth_winograd(
    graph: Graph,
    ops: Ops,
    kernels: str,
    room_bytes: int | None,
    streamed: frozenset[int] = frozenset(),
) -> frozenset[int]:
    """Return the outputs of operators whose weights may grow: those used most often per byte.

    Args:
        graph: the model.
        ops: operators as lowered.
        kernels: kernel family; only "dsp" has Winograd.
        room_bytes: as for `fit_work`.
        streamed: convolutions, by output, whose weights are decoded: none of these.
    """
    if kernels != "dsp":
        return frozenset()
    room = graph.weights_bytes // WEIGHTS_GROWTH if room_bytes is None else room_bytes
    fitting = [
        op
        for item in ops
        if isinstance(op := item.op, Conv2D)
        and op.output not in streamed
        and winograd_fits(graph, op)
    ]
    chosen = set()
    uses = {op.output: int(np.prod(graph.tensors[op.output].hwc[:2])) for op in fitting}
    for op in sorted(fitting, key=lambda op: -uses[op.output]):
        extra = _extra_bytes(graph, op)
        if uses[op.output] >= _WINOGRAD_USES and extra <= room:
            chosen.add(op.output)
            room -= extra
    return frozenset(chosen)


def extra_weights_bytes(graph: Graph, ops: Ops, kernels: str) -> int:
    """Return the bytes by which packed weights exceed the model's own."""
    convs = [(item, op) for item in ops for op in item.ops if isinstance(op, Conv2D)]
    depthwise = sum(
        depthwise_extra_bytes(graph, item.op, kernels)
        for item in ops
        if isinstance(item.op, DepthwiseConv2D) and item.pixels
    )
    grouped = [
        _grouped_padding(graph, item.op, kernels)
        for item in ops
        if isinstance(item.op, GroupedConv2D) and item.pixels
    ]
    depthwise += sum(grouped)
    if kernels == "mve":
        return depthwise + sum(_mve_padding(graph, op) for _, op in convs)
    larger = [op for item, op in convs if item.pixels == WINOGRAD_PIXELS and not item.streamed]
    wide = sum(layer.bytes for layer in wide_layers(graph, ops, kernels))
    return depthwise + wide + sum(_extra_bytes(graph, op) for op in larger)


def _grouped_padding(graph: Graph, op: GroupedConv2D, kernels: str) -> int:
    """Return the bytes by which all groups' packed weights and structs exceed the weights."""
    own, conv = group_graph(graph, op, 0)
    if kernels == "mve":
        padding = _mve_padding(own, conv)
    else:
        channels = own.tensors[conv.weights].shape[0]
        values = 4 * dsp_groups(own, conv) * dsp_slide(own, conv)
        padding = round_up(channels, 2) * values - int(np.prod(own.tensors[conv.weights].shape))
    return group_count(graph, op) * (padding + _GROUP_BYTES)


def _mve_padding(graph: Graph, op: Conv2D) -> int:
    shape = graph.tensors[op.weights].shape
    packed = round_up(shape[0], 4) * mve_blocks(graph, op) * MVE_BLOCK
    return packed + MVE_BLOCK - int(np.prod(shape))  # a block is loaded ahead


def _extra_bytes(graph: Graph, op: Conv2D) -> int:
    return 3 * int(np.prod(graph.tensors[op.weights].shape))


def winograd_fits(graph: Graph, op: Conv2D) -> bool:
    """Say whether a convolution can run as Winograd's F(4, 3), with the short requantization."""
    channels, _, width, depth = graph.tensors[op.weights].shape
    shape_fits = (width, op.window.stride_w, depth % 16, channels % 4) == (3, 1, 0, 0)
    whole_range = op.clamp == (-128, 127) and graph.tensors[op.output].zero_point == -128
    _, shift = conv2d_multipliers(graph, op)
    return shape_fits and whole_range and bool(((shift < 0) & (shift > -16)).all())


def macs(graph: Graph, item: RowOp) -> int:
    """Return an operator's multiply-accumulates per image."""
    return sum(graph.macs(op) for op in item.ops)


def _choices(graph: Graph, item: RowOp) -> tuple[int, ...]:
    """Return the numbers of pixels to try, best first."""
    if isinstance(item.op, DepthwiseConv2D):
        return depthwise_choices(graph, item.op)
    return _PIXELS


def with_pixels(graph: Graph, item: RowOp, kernels: str, pixels: int) -> RowOp:
    """Return an operator that computes so many pixels together, where the family has a kernel."""
    conv = item.feeder or item.op
    if isinstance(conv, DepthwiseConv2D) and depthwise_fits(graph, conv, kernels):
        work_bytes = depthwise_work_bytes(conv, kernels, pixels)
        return replace(item, pixels=pixels, work_bytes=work_bytes)
    if isinstance(conv, GroupedConv2D) and group_count(graph, conv) <= MAX_GROUPS:
        graph, conv = group_graph(graph, conv, 0)
    if not isinstance(conv, Conv2D):
        return item
    return replace(item, pixels=pixels, work_bytes=_WORK_BYTES[kernels](graph, conv, pixels))


def dsp_slide(graph: Graph, op: Conv2D) -> int:
    """Return 3 where neighbouring windows share unpacked columns, else 1.

    Windows of one column are the same either way. Mirror: esq_dsp.h.
    """
    slides = op.window.width == _SLIDE_COLUMNS and op.window.stride_w == 1
    return _SLIDE_COLUMNS if slides and graph.tensors[op.inputs[0]].hwc[2] % 4 == 0 else 1


def dsp_groups(graph: Graph, op: Conv2D) -> int:
    """Return the groups of four input values under one window, or under a column that slides."""
    values = int(np.prod(graph.tensors[op.weights].shape[1:]))
    return ceil_div(values, 4 * dsp_slide(graph, op))


def dsp_work_bytes(graph: Graph, op: Conv2D, pixels: int) -> int:
    """Return the bytes of unpacked input under `pixels` windows. Mirror: esq_run_conv2d_dsp."""
    if pixels == WINOGRAD_PIXELS:
        return _TILE_COLUMNS * dsp_groups(graph, op) * 8
    staged = 4 * pixels if graph.tensors[op.inputs[0]].hwc[2] % 4 else 0
    return dsp_groups(graph, op) * (8 * (pixels + dsp_slide(graph, op) - 1) + staged)


def mve_reads_in_place(graph: Graph, op: Conv2D) -> bool:
    """Say whether windows are single pixels, read where they lie. Mirror: esq_mve_direct."""
    window, tensor = op.window, graph.tensors[op.inputs[0]]
    inside = (window.height, window.width, window.pad_top, window.pad_left) == (1, 1, 0, 0)
    return inside and tensor.hwc[2] % MVE_BLOCK == 0


def mve_blocks(graph: Graph, op: Conv2D) -> int:
    """Return the blocks of input values under a window, the last one filled up."""
    return ceil_div(int(np.prod(graph.tensors[op.weights].shape[1:])), MVE_BLOCK)


def mve_row_blocks(graph: Graph, op: Conv2D) -> int:
    """Return the blocks under one row of a window that is left out at the edges, else 0."""
    height, _, channels = graph.tensors[op.inputs[0]].hwc
    window = op.window
    tops = np.arange(graph.tensors[op.output].hwc[0]) * window.stride_h - window.pad_top
    above, below = np.maximum(-tops, 0), np.maximum(tops + window.height - height, 0)
    values = window.width * channels
    return values // MVE_BLOCK if (above + below).max() == 1 and values % MVE_BLOCK == 0 else 0


def mve_work_bytes(graph: Graph, op: Conv2D, pixels: int) -> int:
    """Return the bytes of gathered input under `pixels` windows. Mirror: esq_run_conv2d_mve."""
    return 0 if mve_reads_in_place(graph, op) else pixels * mve_blocks(graph, op) * MVE_BLOCK


_WORK_BYTES = {"dsp": dsp_work_bytes, "mve": mve_work_bytes}

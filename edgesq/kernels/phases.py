"""A dilated or transposed convolution as plain ones, each of some columns and rows.

Columns that a dilated convolution never sees together are images of their own: of every second,
third, ... column, and on these it is a plain convolution. A transposed one makes every second,
third, ... row and column of its output by a plain convolution with the part of its weights that
reaches them. So every kernel family runs them by the kernels that it has. Rows between the taps
stay: a kernel finds the rows under its window one by one.

Mirror: firmware/src/ops/esq_conv2d_phases.c.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import gcd

import numpy as np

from edgesq.graph import Graph, Tensor
from edgesq.integers import ceil_div
from edgesq.operators import Conv2D, Convolution, Int16, Op, TransposeConv, Window

PHASE_BYTES = 128
"""Largest size of a phase's structs with the constants per channel that fill up a block."""


@dataclass(frozen=True)
class _Span:
    """Rows, or columns, of a phase.

    Attributes:
        input_first: the input's that its window's first one counts from.
        inputs: how many of the input's it sees.
        output_first: its first of the output.
        outputs: how many of the output it makes.
        taps: by tap, which of the weights' it takes; beyond the last one there is a zero.
        pad: before the first.
    """

    input_first: int
    inputs: int
    output_first: int
    outputs: int
    taps: tuple[int, ...]
    pad: int


@dataclass(frozen=True, eq=False)
class Phase:
    """A plain convolution on some columns and rows.

    Attributes:
        graph: its own, of what it sees and what it makes.
        conv: the only operator in it.
        first_row: what its window counts the first row that it makes as.
        input_first: the input's column that it counts as the first.
        output_first: the output's column that it makes first.
    """

    graph: Graph
    conv: Convolution
    first_row: int
    input_first: int
    output_first: int

    @property
    def columns(self) -> tuple[int, int]:
        """Columns that it sees and that it makes."""
        source, result = (self.graph.tensors[index].hwc for index in (0, 1))
        return source[1], result[1]


@dataclass(frozen=True, eq=False)
class Phases:
    """All plain convolutions that an operator comes to, those that make its first row first.

    Attributes:
        all: the phases; in each row of the output as many as make its columns.
        rows: of the output until the same phases make one again.
        input_step, output_step: columns from one to the next of a phase.
        share_weights: whether all take the same weights.
        see_all: whether every window has a tap inside the image.
    """

    all: tuple[Phase, ...]
    rows: int
    input_step: int
    output_step: int
    share_weights: bool
    see_all: bool

    @property
    def widest(self) -> Phase:
        """The phase whose working memory is the largest."""
        return max(self.all, key=lambda one: (np.prod(_weights(one).shape), one.columns[1]))


def is_phased(op: Op) -> bool:
    """Say whether an operator runs as several plain convolutions."""
    if isinstance(op, Int16):
        return False  # its kernels step over what lies between the taps
    dilated = isinstance(op, Convolution) and op.window.is_dilated
    return dilated or isinstance(op, TransposeConv)


@lru_cache(maxsize=1024)
def phases_of(graph: Graph, op: Convolution) -> Phases:
    """Return the plain convolutions that a dilated or transposed one comes to."""
    if isinstance(op, TransposeConv):
        return _transposed(graph, op)
    window = op.window
    (height, width, _), (rows, columns, _) = _shapes(graph, op)
    step = window.dilation_w // gcd(window.dilation_w, window.stride_w)
    whole = _Span(0, height, 0, rows, tuple(range(window.height)), window.pad_top)
    spans = [
        _dilated_span(window, width, columns, first, step) for first in range(min(step, columns))
    ]
    stride = window.stride_w * step // window.dilation_w
    own = replace(window, stride_w=stride, dilation_w=1)
    phases = tuple(_phase(graph, op, own, whole, span) for span in spans)
    return Phases(phases, 1, window.dilation_w, step, True, all(map(_sees_all, phases)))


def _shapes(graph: Graph, op: Op) -> Iterator[tuple[int, int, int]]:
    yield graph.tensors[op.inputs[0]].hwc
    yield graph.tensors[op.output].hwc


def _weights(phase: Phase) -> Tensor:
    return phase.graph.tensors[phase.conv.weights]


def _dilated_span(window: Window, width: int, columns: int, first: int, step: int) -> _Span:
    """Return the columns of the phase that makes column `first` of the output."""
    left = first * window.stride_w - window.pad_left
    before, place = max(-(left // window.dilation_w), 0), left % window.dilation_w
    if left > 0:
        place = left
    seen = max(ceil_div(width - place, window.dilation_w), 0)
    made = ceil_div(columns - first, step)
    return _Span(place if seen else 0, seen, first, made, tuple(range(window.width)), before)


def _transposed(graph: Graph, op: TransposeConv) -> Phases:
    window = op.window
    (height, width, _), (rows, columns, _) = _shapes(graph, op)
    down = list(_transposed_spans(window.height, window.stride_h, window.pad_top, height, rows))
    across = list(_transposed_spans(window.width, window.stride_w, window.pad_left, width, columns))
    own = replace(window, stride_h=1, stride_w=1)
    phases = tuple(_phase(graph, op, own, tall, wide) for tall in down for wide in across)
    return Phases(phases, len(down), 1, len(across), False, all(map(_sees_all, phases)))


def _transposed_spans(size: int, stride: int, pad: int, extent: int, count: int) -> Iterator[_Span]:
    """Yield the rows, or columns, of each phase: with the taps in the order of what they meet.

    Output t - pad is met by tap k of input (t - k) / stride, where that is whole.
    """
    for first in range(min(stride, count)):
        source, tap = divmod(first + pad, stride)
        taps = tuple(range(tap, size, stride))[::-1] or (size,)
        start = source - len(taps) + 1
        skipped = min(max(start, 0), extent)
        made = ceil_div(count - first, stride)
        yield _Span(skipped, extent, first, made, taps, max(-start, 0))


def _phase(graph: Graph, op: Convolution, window: Window, down: _Span, across: _Span) -> Phase:
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    rows, seen = down.input_first + down.outputs, across.inputs
    if isinstance(op, TransposeConv):
        seen -= across.input_first
    tensors = (
        replace(source, shape=(1, down.inputs, seen, source.hwc[2])),
        replace(result, shape=(1, rows, across.outputs, result.hwc[2])),
        _part(graph.tensors[op.weights], down.taps, across.taps),
        graph.tensors[op.bias],
    )
    own = replace(
        window,
        height=len(down.taps),
        width=len(across.taps),
        pad_top=down.pad,
        pad_left=across.pad,
    )
    cls = Conv2D if isinstance(op, TransposeConv) else type(op)
    conv = cls(op.name, (0,), 1, own, 2, 3, op.clamp)
    own_graph = Graph(tensors, (conv,), (0,), (1,), graph.sha256)
    return Phase(own_graph, conv, down.input_first, across.input_first, across.output_first)


def _part(weights: Tensor, rows: tuple[int, ...], columns: tuple[int, ...]) -> Tensor:
    """Return some rows and columns of weights, zeros for what lies beyond the last."""
    assert weights.data is not None
    if (len(rows), len(columns)) == weights.shape[1:3] and rows[0] == columns[0] == 0:
        return weights
    padded = np.pad(weights.data, ((0, 0), (0, 1), (0, 1), (0, 0)))
    data = np.ascontiguousarray(padded[:, rows][:, :, columns])
    return replace(weights, shape=data.shape, data=data)


def _sees_all(phase: Phase) -> bool:
    """Say whether each of a phase's windows has a tap inside what it sees."""
    window = phase.conv.window
    (height, width, _), (rows, columns, _) = _shapes(phase.graph, phase.conv)
    down = np.arange(phase.first_row, rows) * window.stride_h - window.pad_top
    across = np.arange(columns) * window.stride_w - window.pad_left
    return all(
        bool(((places >= 0) & (places < extent)).any(axis=1).all())
        for places, extent in (
            (down[:, None] + np.arange(window.height) * window.dilation_h, height),
            (across[:, None] + np.arange(window.width), width),
        )
    )

"""Make a PAD part of the windows that read it: exact, and nothing is copied."""

from dataclasses import replace

from edgesq.formats.tflite.check import window_problem
from edgesq.graph import Graph
from edgesq.operators import (
    OUTSIDE,
    Convolution,
    FullyConnected,
    MaxPool2D,
    Op,
    Pad,
    TransposeConv,
    Window,
)


def fold_pads(graph: Graph) -> Graph:
    """Return the graph without the PADs that can become padding of every window that reads them.

    A convolution takes what lies beside the image for its zero point, a max pool for the lowest
    value. Windows that would touch no pixel of the image are left to the PAD.
    """
    ops = list(graph.ops)
    for pad in reversed(graph.ops):
        if not isinstance(pad, Pad) or pad.output in graph.observed:
            continue
        readers = [op for op in ops if pad.output in op.inputs]
        folded = {reader.output: _folded(graph, pad, reader) for reader in readers}
        if readers and None not in folded.values():
            ops = [folded.get(op.output) or op for op in ops if op is not pad]
    return replace(graph, ops=tuple(ops))


def _folded(graph: Graph, pad: Pad, reader: Op) -> Op | None:
    """Return an operator so that it reads the input of a PAD, not its output; None if it cannot."""
    source = graph.tensors[pad.inputs[0]]
    if not isinstance(reader, Convolution | MaxPool2D):
        return None
    if isinstance(reader, FullyConnected | TransposeConv):
        return None
    fill = source.levels[0] if isinstance(reader, MaxPool2D) else source.zero_point
    if pad.fill != fill or OUTSIDE in pad.channels:
        return None
    window = _padded(reader.window, pad)
    if window_problem(window, source.hwc[:2], graph.tensors[reader.output].hwc[:2]):
        return None
    return replace(reader, inputs=pad.inputs, window=window)


def _padded(window: Window, pad: Pad) -> Window:
    top, left = (axis.index(0) for axis in (pad.rows, pad.columns))
    bottom, right = (axis[::-1].index(max(axis)) for axis in (pad.rows, pad.columns))
    return replace(
        window,
        pad_top=window.pad_top + top,
        pad_bottom=window.pad_bottom + bottom,
        pad_left=window.pad_left + left,
        pad_right=window.pad_right + right,
    )

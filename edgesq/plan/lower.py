"""Lower a graph to operators on rows, and share storage where no copy is needed.

A slot is a tensor as the runtime sees it: rows of a storage, perhaps only some of its channels.
Inputs of a concatenation become slots inside the concatenated rows, so their producers write side
by side and the concatenation itself costs nothing; a reshape that keeps the rows is the same slot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from edgesq.graph import (
    AveragePool2D,
    Concatenation,
    Conv2D,
    Graph,
    MaxPool2D,
    Mean,
    Op,
    Reshape,
    Tensor,
    Window,
)


class Access(Enum):
    """How an operator walks its rows."""

    WINDOW = "one output row from the input rows under a window"
    ROW = "one output row from the same input row"
    ACCUMULATE = "one input row into the output rows it belongs to"


@dataclass(frozen=True)
class Slot:
    """Where a tensor lives: channels [offset, offset + channels) of the pixels of a storage.

    Attributes:
        storage: index of the storage, one ring of rows.
        height, width, channels: of the tensor.
        channel_offset: bytes from a pixel's start.
        pixel_bytes: bytes from one pixel to the next.
        row_bytes: bytes from one row of the ring to the next: a multiple of 4, but in a storage
            that is read as one block at the end.
    """

    storage: int
    height: int
    width: int
    channels: int
    channel_offset: int
    pixel_bytes: int
    row_bytes: int


@dataclass(frozen=True)
class RowOp:
    """One operator of the runtime.

    Attributes:
        op: the graph's operator; a Concatenation here copies one of its inputs.
        inputs, output: slot numbers.
        access: how it walks the rows.
        window: rows it needs; None for Access.ROW.
        band_rows: rows it handles per step (output rows; input rows for Access.ACCUMULATE).
        scratch_bytes: working memory kept from its first step to its last.
    """

    op: Op
    inputs: tuple[int, ...]
    output: int
    access: Access
    window: Window | None
    band_rows: int
    scratch_bytes: int


@dataclass(frozen=True)
class Lowered:
    """A graph in the runtime's terms.

    Attributes:
        slots: by slot number; the first ones are the graph's tensors (None for constants).
        ops: in topological order.
        members: a slot whose rows are there when those of all these slots are.
    """

    slots: tuple[Slot | None, ...]
    ops: tuple[RowOp, ...]
    members: dict[int, tuple[int, ...]]


def lower(graph: Graph, band_rows: int) -> Lowered:
    """Assign slots and list the operators the runtime runs.

    Args:
        graph: the model.
        band_rows: rows per step of every operator, cut to its height.
    """
    sharing = _share(graph)
    tensors = list(graph.tensors) + [graph.tensors[source] for source in sharing.copies]
    slots = tuple(
        None if tensor.data is not None else _slot(sharing, tensors, number)
        for number, tensor in enumerate(tensors)
    )
    ops = tuple(
        _row_op(graph, op, inputs, output, band_rows)
        for op, inputs, output in _runtime_ops(graph, sharing)
    )
    return Lowered(slots, ops, sharing.members)


@dataclass(frozen=True)
class _Sharing:
    """Slots that live inside others: slot -> (parent slot, channel offset)."""

    parent: dict[int, tuple[int, int]]
    members: dict[int, tuple[int, ...]]
    copies: tuple[int, ...]
    """Tensors copied into a concatenation; the k-th has slot number len(graph.tensors) + k."""
    blocks: frozenset[int]
    """Tensors without a gap between their rows."""


def _share(graph: Graph) -> _Sharing:
    """Find out which tensors live inside others.

    The image is in nobody's rows, for only its own slot asks the link for rows. Observed tensors
    are not either, for they are read as one block at the end.
    """
    blocks = _blocks(graph)
    parent: dict[int, tuple[int, int]] = {}
    members: dict[int, tuple[int, ...]] = {}
    copies: list[int] = []
    for op in graph.ops:
        if _is_alias(graph, op):
            parent[op.output] = (op.inputs[0], 0)
            members[op.output] = op.inputs
        elif isinstance(op, Concatenation):
            numbers, offset = [], 0
            for source in op.inputs:
                number = source
                if source in parent or source in blocks or source == graph.input:
                    number = len(graph.tensors) + len(copies)
                    copies.append(source)
                parent[number] = (op.output, offset)
                numbers.append(number)
                offset += graph.tensors[source].hwc[2]
            members[op.output] = tuple(numbers)
    return _Sharing(parent, members, tuple(copies), blocks)


def _blocks(graph: Graph) -> frozenset[int]:
    """Return the observed tensors, and what they are reshapes of."""
    blocks = set(graph.observed)
    for op in reversed(graph.ops):
        if op.output in blocks and _is_alias(graph, op):
            blocks.add(op.inputs[0])
    return frozenset(blocks)


def _is_alias(graph: Graph, op: Op) -> bool:
    """Say whether an operator only renames rows that the runtime itself makes."""
    same = graph.tensors[op.inputs[0]].hwc == graph.tensors[op.output].hwc
    return isinstance(op, Reshape) and same and op.inputs[0] != graph.input


def _slot(sharing: _Sharing, tensors: list[Tensor], number: int) -> Slot:
    root, offset = number, 0
    while root in sharing.parent:
        root, shift = sharing.parent[root]
        offset += shift
    height, width, channels = tensors[number].hwc
    pixel_bytes = tensors[root].hwc[2]
    row_bytes = width * pixel_bytes
    if root not in sharing.blocks:
        row_bytes = -(-row_bytes // 4) * 4
    return Slot(root, height, width, channels, offset, pixel_bytes, row_bytes)


def _runtime_ops(graph: Graph, sharing: _Sharing) -> Iterator[tuple[Op, tuple[int, ...], int]]:
    for op in graph.ops:
        if isinstance(op, Concatenation):
            for number in sharing.members[op.output]:
                if number >= len(graph.tensors):
                    yield op, (sharing.copies[number - len(graph.tensors)],), number
        elif op.output not in sharing.members:
            yield op, op.inputs, op.output


def _row_op(graph: Graph, op: Op, inputs: tuple[int, ...], output: int, band_rows: int) -> RowOp:
    source = graph.tensors[op.inputs[0]]
    height, width, channels = source.hwc
    everything = Window(height, width, 1, 1, 0, 0, 0, 0)
    access, window, scratch = Access.ROW, None, 0
    if isinstance(op, MaxPool2D):
        access, window = Access.ACCUMULATE, op.window
    elif isinstance(op, Mean) or is_global(graph, op):
        access, window, scratch = Access.ACCUMULATE, everything, 4 * channels
    elif isinstance(op, Conv2D | AveragePool2D):
        access, window = Access.WINDOW, op.window
    elif isinstance(op, Reshape):
        access, window = Access.ACCUMULATE, None
    rows = height if access is Access.ACCUMULATE else graph.tensors[op.output].hwc[0]
    return RowOp(op, inputs, output, access, window, min(band_rows, rows), scratch)


def is_global(graph: Graph, op: Op) -> bool:
    """Say whether an average pool covers the whole image, so that a running sum does."""
    if not isinstance(op, AveragePool2D):
        return False
    height, width, _ = graph.tensors[op.inputs[0]].hwc
    out_height, out_width, _ = graph.tensors[op.output].hwc
    covers = op.window.height >= height and op.window.width >= width
    return covers and (out_height, out_width) == (1, 1)

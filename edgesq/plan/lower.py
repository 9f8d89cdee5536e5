"""Lower a graph to operators on rows, and share storage where no copy is needed.

A slot is a tensor as the runtime sees it: rows of a storage, perhaps only some of its channels.
Inputs of a concatenation become slots inside the concatenated rows, so their producers write side
by side and the concatenation itself costs nothing; a reshape that keeps the rows is the same slot.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from edgesq.graph import Graph, Tensor
from edgesq.integers import round_up
from edgesq.kernels.kernel import Form
from edgesq.kernels.phases import is_phased
from edgesq.kernels.portable import portable_kernel, sums_bytes
from edgesq.kernels.row_op import RowOp, Slot
from edgesq.operators import (
    Access,
    AveragePool2D,
    Concatenation,
    Conv2D,
    MaxPool2D,
    Mean,
    Op,
    Reduction,
    Windowed,
)
from edgesq.plan import fusing
from edgesq.plan.request import Bands
from edgesq.plan.sharing import Sharing, share

POOLED_ROWS = 2
"""Rows of a max pool that a convolution with decoded weights takes at a time, at most."""

_ROW_BY_ROW = (Access.MAXIMUM, Access.REDUCE, Access.RESHAPE)
"""What takes its input rows one by one, whatever the bands."""

Slots = tuple[Slot | None, ...]
"""By slot number; None for constants."""


@dataclass(frozen=True)
class Lowered:
    """A graph in the runtime's terms.

    Attributes:
        slots: by slot number; the first ones are the graph's tensors (None for constants).
        ops: in topological order.
        members: a slot whose rows are there when those of all these slots are.
    """

    slots: Slots
    ops: tuple[RowOp, ...]
    members: dict[int, tuple[int, ...]]

    def below(self, member: int, slot: int) -> int:
        """Return how many rows of a slot are above a member of it."""
        inner, outer = self.slots[member], self.slots[slot]
        assert inner is not None
        assert outer is not None
        return inner.row_offset - outer.row_offset


def lower(graph: Graph, bands: Bands, coded: frozenset[int] = frozenset()) -> Lowered:
    """Assign slots and list the operators the runtime runs.

    Args:
        graph: the model.
        bands: rows per step.
        coded: convolutions, by output, whose weights are decoded once per band.
    """
    sharing = share(graph)
    tensors = list(graph.tensors) + [graph.tensors[source] for source in sharing.copies]
    slots = tuple(
        None if tensor.data is not None else _slot(sharing, tensors, number)
        for number, tensor in enumerate(tensors)
    )
    ops = fusing.fuse(graph, slots, tuple(_row_ops(graph, sharing, slots, bands, coded)), bands)
    whole = bands.whole or frozenset()
    if whole:
        ops = tuple(replace(item, waits=True) if whole & {*item.inputs} else item for item in ops)
    return Lowered(slots, ops, sharing.members)


def can_be(graph: Graph, bands: Bands) -> bool:
    """Say whether a model has what bands name, which may come from a file."""
    lowered = lower(graph, replace(bands, fused=None, whole=None))
    return fusing.can_be(graph, bands, lowered.slots, lowered.ops)


def _slot(sharing: Sharing, tensors: list[Tensor], number: int) -> Slot:
    root, row, column, channel = number, 0, 0, 0
    while root in sharing.parent:
        root, (rows, columns, channels) = sharing.parent[root]
        row, column, channel = row + rows, column + columns, channel + channels
    height, width, channels = tensors[number].stored
    _, root_width, pixel_bytes = tensors[root].stored
    offset = column * pixel_bytes + channel
    row_bytes = root_width * pixel_bytes
    if root not in sharing.blocks:
        row_bytes = round_up(row_bytes, 4)
    return Slot(root, height, width, channels, row, offset, pixel_bytes, row_bytes)


def _row_ops(
    graph: Graph,
    sharing: Sharing,
    slots: Slots,
    bands: Bands,
    coded: frozenset[int],
) -> Iterator[RowOp]:
    feeders = _feeders(graph)
    fed = set(feeders.values())
    pooled = frozenset(op.output for op in graph.ops if isinstance(op, MaxPool2D))
    for op in graph.ops:
        if isinstance(op, Concatenation):
            for number in sharing.members[op.output]:
                if number >= len(graph.tensors):
                    source = sharing.copies[number - len(graph.tensors)]
                    band = bands.of(graph.tensors[source].hwc[0], number)
                    yield _copy(graph, slots, op, source, number, band)
        elif op.output not in sharing.members and op not in fed:
            item = _row_op(graph, slots, op, feeders.get(op.output), bands)
            decodes = item.first.output in coded
            if decodes:
                item = _with_band(graph, item, bands, pooled)
            elif coded and item.op.inputs and item.inputs[0] in pooled:
                item = replace(item, band_units=1)
            yield item


def _feeders(graph: Graph) -> dict[int, Conv2D]:
    """Return the convolutions that only a reduction reads, by the reduction's output."""
    readers = Counter(source for op in graph.ops for source in op.inputs)
    producers = {op.output: op for op in graph.ops}
    return {
        op.output: producer
        for op in graph.ops
        if is_reduction(graph, op)
        and type(producer := producers.get(op.inputs[0])) is Conv2D
        and producer.wide is None
        and not is_phased(producer)
        and readers[producer.output] == 1
        and producer.output not in graph.observed
    }


def _copy(
    graph: Graph, slots: Slots, op: Concatenation, source: int, output: int, band: int
) -> RowOp:
    """Return the copy of an input into its place in a concatenation."""
    kernel = portable_kernel(graph, op, None, Access.ROW)
    pixels = _pixel_bytes(slots, (source, output))
    return RowOp(op, None, (source,), output, pixels, Access.ROW, None, 0, band, 0, kernel)


def _pixel_bytes(slots: Slots, numbers: Sequence[int]) -> tuple[int, ...]:
    return tuple(slot.pixel_bytes for number in numbers if (slot := slots[number]))


def _row_op(graph: Graph, slots: Slots, op: Op, feeder: Conv2D | None, bands: Bands) -> RowOp:
    inputs = feeder.inputs if feeder else op.inputs
    height = graph.tensors[op.inputs[0]].hwc[0]
    access = Access.REDUCE if _adds_rows(graph, op) else op.access
    under = feeder if access is Access.REDUCE else op
    window = under.window if isinstance(under, Windowed) else None
    band = bands.of(graph.tensors[op.output].hwc[0], op.output)
    kernel = portable_kernel(graph, op, feeder, access)
    if is_phased(op):
        kernel = replace(kernel, form=Form.PHASES)
    pixels = _pixel_bytes(slots, (*inputs, op.output))
    return RowOp(
        op,
        feeder,
        inputs,
        op.output,
        pixels,
        access,
        window,
        height,
        1 if access in _ROW_BY_ROW else band,
        sums_bytes(graph, op) if access is Access.REDUCE else 0,
        kernel,
    )


def _with_band(graph: Graph, item: RowOp, bands: Bands, pooled: frozenset[int]) -> RowOp:
    """Return a convolution with as many rows per step as the decoding of its weights should serve.

    One that feeds a reduction takes bands too. A pool's rows come one by one and are wide: few of
    them wait. Where the whole input takes hardly more than a band of output, as in the expanding
    half of a Fire module in small maps, the first band waits for all of it: what comes before is
    then done when a wide band is there.
    """
    conv = item.first
    source, result = graph.tensors[conv.inputs[0]], graph.tensors[conv.output]
    band = bands.of(result.hwc[0], conv.output)
    if conv.inputs[0] in pooled:
        band = min(band, POOLED_ROWS)
    rows = band * result.hwc[1] * result.hwc[2]
    waits = item.feeder is None and band > 1 and 2 * prod(source.hwc) <= 3 * rows
    return replace(item, band_units=band, waits=waits)


def _adds_rows(graph: Graph, op: Op) -> bool:
    """Say whether an operator takes one input row after the other into one output row."""
    return is_reduction(graph, op) or (isinstance(op, Reduction) and 0 in op.axes)


def is_reduction(graph: Graph, op: Op) -> bool:
    """Say whether an operator averages the whole image, so that running sums do."""
    if not isinstance(op, AveragePool2D):
        return isinstance(op, Mean)
    height, width, _ = graph.tensors[op.inputs[0]].hwc
    out_height, out_width, _ = graph.tensors[op.output].hwc
    covers = op.window.height >= height and op.window.width >= width
    return covers and (out_height, out_width) == (1, 1)

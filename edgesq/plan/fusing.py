"""Which operators may run fused, and what they then are to the schedule.

Mirror: edgesq/kernels/strips.py, which says how such operators run.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from edgesq.graph import Graph
from edgesq.kernels.fused import least_kernel
from edgesq.kernels.phases import is_phased
from edgesq.kernels.row_op import Chain, Ops, RowOp, Slot, Stage
from edgesq.kernels.strips import POINT
from edgesq.operators import Access, Conv2D, DepthwiseConv2D, MaxPool2D
from edgesq.plan.request import Bands, Fusion

MAX_STAGES = 8
"""Operators of a chain. Mirror: ESQ_MAX_STAGES."""


def fuse(graph: Graph, slots: Sequence[Slot | None], ops: Ops, bands: Bands) -> Ops:
    """Return a model's operators, those of each chain as one.

    Args:
        graph: the model.
        slots: by slot number.
        ops: in topological order.
        bands: rows per step, and which chains there are.
    """
    if not bands.fused:
        return ops
    whole = {fusion.outputs[-1]: fusion for fusion in bands.fused}
    inside = {output for fusion in bands.fused for output in fusion.outputs[:-1]}
    by_output = {item.output: item for item in ops}
    fused = []
    for item in ops:
        if item.output in whole:
            fusion = whole[item.output]
            parts = [by_output[output] for output in fusion.outputs]
            made = fused_op(graph, slots, parts, running=fusion.running)
            assert made is not None, "only chains that may be are asked for"
            fused.append(made)
        elif item.output not in inside:
            fused.append(item)
    return tuple(fused)


def can_be(graph: Graph, bands: Bands, slots: Sequence[Slot | None], ops: Ops) -> bool:
    """Say whether a model has all operators that bands say are fused, and all maps held whole.

    Args:
        graph: the model.
        bands: which may come from a file.
        slots: by slot number.
        ops: in topological order, none fused.
    """
    made = {item.output for item in ops}
    fused = bands.fused or frozenset()
    known = set(chains_of(graph, slots, ops)) if fused else set()
    outputs = [output for fusion in fused for output in fusion.outputs]
    return (
        fused <= known and len(outputs) == len({*outputs}) and (bands.whole or frozenset()) <= made
    )


def is_fusable(item: RowOp) -> bool:
    """Say whether an operator may be one of a chain."""
    op = item.op
    if type(op) not in (Conv2D, DepthwiseConv2D, MaxPool2D) or item.feeder or item.waits:
        return False
    return not is_phased(op) and getattr(op, "wide", None) is None


def may_run(slots: Sequence[Slot | None], parts: Sequence[RowOp]) -> bool:
    """Say whether operators that may be fused may keep the maxima of a pool from step to step.

    Something makes the pool's rows, a 1x1 convolution is all that reads its maxima, and as a window
    begins no earlier than in the last row of the one before, one row of maxima will do.

    Args:
        slots: by slot number.
        parts: the operators, in topological order.
    """
    if len(parts) < 3:
        return False
    pool, last = parts[-2].op, parts[-1].op
    if not isinstance(pool, MaxPool2D) or type(last) is not Conv2D:
        return False
    maxima = slots[pool.output]
    assert maxima is not None
    return (
        last.window == POINT
        and last.inputs[0] == pool.output == maxima.storage
        and pool.window.tall <= pool.window.stride_h + 1
    )


def fused_op(
    graph: Graph, slots: Sequence[Slot | None], parts: Sequence[RowOp], *, running: bool = False
) -> RowOp | None:
    """Return operators as one; None where they cannot be fused.

    Args:
        graph: the model.
        slots: by slot number.
        parts: the operators, in topological order.
        running: whether the last but one keeps its maxima from step to step; see `may_run`.
    """
    chain = _chain(graph, slots, parts, running)
    if chain is None:
        return None
    last = parts[-1]
    maxima = slots[parts[-2].output]
    source = slots[chain.stages[0].item.inputs[0]]
    assert maxima is not None
    band_units = 1 if running else last.band_units
    kernel = least_kernel(chain, band_units)
    if kernel is None or source is None:
        return None
    return replace(
        last,
        inputs=(chain.stages[0].item.inputs[0],),
        pixel_bytes=(source.pixel_bytes, last.pixel_bytes[-1]),
        access=Access.FUSED,
        window=None,
        band_units=band_units,
        sums_bytes=maxima.row_bytes if running else 0,
        kernel=kernel,
        chain=chain,
    )


def _chain(
    graph: Graph, slots: Sequence[Slot | None], parts: Sequence[RowOp], running: bool
) -> Chain | None:
    first, last = parts[0].inputs[0], parts[-1].output
    numbers: dict[int, int] = {}
    shapes = [_shape(slots[first])]
    stages = []
    for item in parts:
        source, result = slots[item.inputs[0]], slots[item.output]
        assert source is not None
        assert result is not None
        if item.inputs[0] == first:
            reads, channel = 0, 0
        elif source.storage in numbers:
            reads, channel = numbers[source.storage], source.offset_bytes
        else:
            return None
        if item.output != last and result.storage not in numbers:
            numbers[result.storage] = len(shapes)
            shapes.append(_shape(result))
        writes = -1 if item.output == last else numbers[result.storage]
        place = 0 if item.output == last else result.offset_bytes
        stages.append(Stage(item, reads, writes, (channel, place)))
    shapes.append(_shape(slots[last]))
    count = len(shapes)
    ended = (replace(one, result=one.result % count) for one in stages)
    outputs = tuple(item.output for item in parts)
    return Chain(graph, outputs, running, tuple(ended), tuple(shapes))


def _shape(slot: Slot | None) -> tuple[int, int, int]:
    assert slot is not None
    return slot.height, slot.width, slot.pixel_bytes


def chains_of(graph: Graph, slots: Sequence[Slot | None], ops: Ops) -> list[Fusion]:
    """Return all chains that may be fused, those of few operators first."""
    wiring = _Wiring(graph, slots, ops)
    found: dict[Fusion, None] = {}
    for last, item in enumerate(ops):
        members = frozenset({last} if is_fusable(item) else ())
        while members:
            found |= dict.fromkeys(wiring.fusions(members))
            members = wiring.grown(members)
    return sorted(found, key=lambda one: len(one.outputs))


class _Wiring:
    """Which operators, by index, write and read the storages of a model."""

    def __init__(self, graph: Graph, slots: Sequence[Slot | None], ops: Ops) -> None:
        self.slots = slots
        self.ops = ops
        self.kept = {self.storage(number) for number in (*graph.observed, *graph.inputs)}
        self.writers: dict[int, set[int]] = defaultdict(set)
        self.readers: dict[int, set[int]] = defaultdict(set)
        for index, item in enumerate(ops):
            self.writers[self.storage(item.output)].add(index)
            for number in item.inputs:
                self.readers[self.storage(number)].add(index)

    def storage(self, number: int) -> int:
        slot = self.slots[number]
        assert slot is not None
        return slot.storage

    def sources(self, members: frozenset[int]) -> set[int]:
        """Return the slots that some operators read and none of them writes."""
        read = {self.ops[index].inputs[0] for index in members}
        return {slot for slot in read if not self.writers[self.storage(slot)] & members}

    def fusions(self, members: frozenset[int]) -> Iterator[Fusion]:
        """Yield the ways to fuse some operators."""
        if len(members) > 1 and len(self.sources(members)) == 1:
            parts = [self.ops[index] for index in sorted(members)]
            outputs = tuple(item.output for item in parts)
            yield Fusion(outputs)
            if may_run(self.slots, parts):
                yield Fusion(outputs, running=True)

    def grown(self, members: frozenset[int]) -> frozenset[int]:
        """Return some operators with all that write what they read; none where that may not be."""
        makers: set[int] = set()
        for storage in {self.storage(slot) for slot in self.sources(members)}:
            if storage in self.kept or not self.readers[storage] <= members:
                return frozenset()
            makers |= self.writers[storage]
        are_fusable = all(is_fusable(self.ops[index]) for index in makers)
        if not makers or not are_fusable or max(makers) > max(members):
            return frozenset()
        return members | makers if len(members | makers) <= MAX_STAGES else frozenset()

"""Find out which tensors can live inside others, so that nothing is copied."""

from collections import Counter
from dataclasses import dataclass

from edgesq.graph import Graph
from edgesq.operators import Concatenation, Op, Reshape, Transpose

Place = tuple[int, int, int]
"""Row, column and channel."""

_START: Place = (0, 0, 0)


@dataclass(frozen=True)
class Sharing:
    """Slots inside other slots.

    Attributes:
        parent: slot -> the slot it lives in, and at which [row, column, channel] of it.
        members: a slot whose rows are there when those of all these slots are.
        copies: tensors copied into a concatenation; the k-th has slot number
            len(graph.tensors) + k.
        blocks: tensors without a gap between their rows.
    """

    parent: dict[int, tuple[int, Place]]
    members: dict[int, tuple[int, ...]]
    copies: tuple[int, ...]
    blocks: frozenset[int]


@dataclass(frozen=True)
class _Uses:
    """Who makes and reads a graph's tensors.

    Attributes:
        readers: how often a tensor is read.
        makers: the operator that makes a tensor.
        moved: tensors that concatenations or reshapes read.
    """

    readers: Counter[int]
    makers: dict[int, Op]
    moved: frozenset[int]

    @classmethod
    def of(cls, graph: Graph) -> "_Uses":
        moving = [op for op in graph.ops if isinstance(op, Concatenation | Reshape)]
        return cls(
            Counter(source for op in graph.ops for source in op.inputs),
            {op.output: op for op in graph.ops},
            frozenset(source for op in moving for source in op.inputs),
        )


def share(graph: Graph) -> Sharing:
    """Find out which tensors live inside others.

    - Inputs of a concatenation live in its rows, side by side, or one below the other.
    - A reshape that keeps the rows is the same slot.
    - What an operator makes value by value lives where an input was, if nobody else reads that.

    The image is in nobody's rows, for only its own slot asks the link for rows. Observed tensors
    are not either, for they are read as one block at the end.
    """
    uses = _Uses.of(graph)
    blocks = _blocks(graph)
    kept = blocks | _linear(graph)
    parent: dict[int, tuple[int, Place]] = {}
    members: dict[int, tuple[int, ...]] = {}
    copies: list[int] = []
    for op in graph.ops:
        if _is_alias(graph, op):
            parent[op.output] = (op.inputs[0], _START)
            members[op.output] = op.inputs
        elif isinstance(op, Concatenation):
            numbers, offset = [], 0
            for source in op.inputs:
                number = source
                if source in parent or source in kept or source in graph.inputs:
                    number = len(graph.tensors) + len(copies)
                    copies.append(source)
                row, column, channel = (offset if axis == op.axis else 0 for axis in range(3))
                parent[number] = (op.output, (row, column, channel))
                numbers.append(number)
                offset += graph.tensors[source].stored[op.axis]
            members[op.output] = tuple(numbers)
        elif op.is_valuewise:
            place = _overwritable(graph, uses, op, parent, blocks)
            if place is not None:
                parent[op.output] = (place, _START)
    return Sharing(parent, members, tuple(copies), blocks)


def _blocks(graph: Graph) -> frozenset[int]:
    """Return the observed tensors, and what they are reshapes of."""
    blocks = set(graph.observed)
    for op in reversed(graph.ops):
        if op.output in blocks and _is_alias(graph, op):
            blocks.add(op.inputs[0])
    return frozenset(blocks)


def _linear(graph: Graph) -> frozenset[int]:
    """Return the tensors whose rows must follow each other from the start of their ring on."""
    readers = [op for op in graph.ops if isinstance(op, Transpose) and op.order[0]]
    return frozenset(op.inputs[0] for op in readers)


def _is_alias(graph: Graph, op: Op) -> bool:
    """Say whether an operator only renames rows that the runtime itself makes."""
    same = graph.tensors[op.inputs[0]].hwc == graph.tensors[op.output].hwc
    return isinstance(op, Reshape) and same and op.inputs[0] not in graph.inputs


def _overwritable(
    graph: Graph,
    uses: _Uses,
    op: Op,
    parent: dict[int, tuple[int, Place]],
    blocks: frozenset[int],
) -> int | None:
    """Return an input that an operator's output may be written over, None if there is none.

    Neither the input nor, if it is a concatenation, any part of it may have another reader. What
    a concatenation reads is left to it: living there saves more.
    """
    if op.output in blocks or op.output in uses.moved:
        return None
    for source in op.inputs:
        maker = uses.makers.get(source)
        if maker is None or isinstance(maker, Reshape) or source in blocks or source in parent:
            continue
        if graph.tensors[source].hwc != graph.tensors[op.output].hwc:
            continue
        parts = maker.inputs if isinstance(maker, Concatenation) else ()
        if all(uses.readers[tensor] == 1 for tensor in (source, *parts)):
            return source
    return None

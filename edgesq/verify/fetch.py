"""Fetch what one operator of a board read and wrote in one image."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from edgesq.builds import Operator
from edgesq.errors import EdgesqError
from edgesq.graph import Graph, Int8Array
from edgesq.kernels.kernel import Form
from edgesq.link.trace import OUTPUT, HeldImage, Tracer
from edgesq.plan import Bands, Fusion, can_be
from edgesq.plan.lower import lower
from edgesq.plan.walk import Walk, walk


@dataclass(frozen=True, eq=False)
class Fetched:
    """An operator's tensors as they lay on the board after the steps that used them.

    Attributes:
        output: int8 [H, W, C].
        inputs: the same for each input; None for one that its sums overwrite. Rows that it does
            not read are as expected.
    """

    output: Int8Array
    inputs: tuple[Int8Array | None, ...]


def fetch(
    tracer: Tracer,
    graph: Graph,
    operators: tuple[Operator, ...],
    index: int,
    expected: Mapping[int, Int8Array],
) -> Fetched:
    """Run one image again, held after every step of an operator, and fetch its tensors.

    Args:
        tracer: of the board.
        graph: the model.
        operators: the runtime's table.
        index: of the operator in it.
        expected: every tensor of the image, int8 [H, W, C] by index; the image itself too.

    Raises:
        BoardError: the link failed.
        EdgesqError: the table is not the one this version makes of the model.
    """
    path = _path(graph, operators, index)

    def once(held: HeldImage) -> Fetched:
        return _fetched(held, path, operators[index], graph, expected)

    return tracer.held(graph.join(expected).tobytes(), index, once)


def _fetched(
    held: HeldImage,
    path: Walk,
    operator: Operator,
    graph: Graph,
    expected: Mapping[int, Int8Array],
) -> Fetched:
    """Fetch the rows of one held image, each after the step that completes or last reads it."""
    result = graph.tensors[operator.output]
    output = np.zeros(result.hwc, result.dtype)
    inputs = [
        None if number == operator.overwrites else expected[tensor].copy()
        for number, tensor in enumerate(operator.inputs)
    ]
    counts = path.complete_rows
    last_reads = [_last_reads(path, number) for number in range(len(inputs))]
    first = 0
    while held.go_on():
        end = min(first + path.band_units, path.units)
        for row in range(counts[first], counts[end]):
            output[row] = _row(held, OUTPUT, row, output)
        for number, values in enumerate(inputs):
            for row in {
                row for unit in range(first, end) for row in last_reads[number].get(unit, ())
            }:
                if values is not None:
                    values[row] = _row(held, number + 1, row, values)
        first = end
    return Fetched(output, tuple(inputs))


def _path(graph: Graph, operators: tuple[Operator, ...], index: int) -> Walk:
    """Return which rows the operator reads and writes, step by step."""
    fused = frozenset(
        Fusion(tuple(graph.ops[k].output for k in operator.ops), operator.form is Form.RUNNING)
        for operator in operators
        if operator.form in (Form.FUSED, Form.RUNNING)
    )
    bands = Bands(fused=fused)
    lowered = lower(graph, bands if can_be(graph, bands) else Bands())
    same = len(lowered.ops) == len(operators) and all(
        (item.inputs, [graph.ops[k] for k in operator.ops]) == (operator.inputs, list(item.ops))
        for item, operator in zip(lowered.ops, operators, strict=True)
    )
    if not same:
        raise EdgesqError("another version of edgesq exported this build", hint="export again")
    item = replace(lowered.ops[index], band_units=operators[index].rows_per_step)
    return walk(lowered, item)


def _last_reads(path: Walk, number: int) -> dict[int, list[int]]:
    """Return the rows of an input that each unit is the last to read."""
    last = {row: unit for unit in range(path.units) for row in range(*path.read(number, unit))}
    reads: dict[int, list[int]] = {}
    for row, unit in last.items():
        reads.setdefault(unit, []).append(row)
    return reads


def _row(held: HeldImage, which: int, row: int, tensor: Int8Array) -> Int8Array:
    values, _ = held.row(which, row)
    if values.size != tensor[row].nbytes:
        raise EdgesqError(
            f"a row of the board's has {values.size} bytes, the model's {tensor[row].nbytes}",
            hint="`edgesq flash` this build",
        )
    return values.view(tensor.dtype).reshape(tensor[row].shape)

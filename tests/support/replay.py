"""Run a plan on memory where every byte says which value it holds: no arithmetic, only places.

Written from the meaning of the operators and of the C interface (esq_model.h), not from the
planner's simulation: what a step reads must be there, whole and as it was written, before the step
writes and after.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgesq.graph import Graph
from edgesq.kernels.row_op import Chain, RowOp, Stage
from edgesq.operators import (
    AveragePool2D,
    Binary,
    Concatenation,
    Convolution,
    DepthToSpace,
    MaxPool2D,
    Move,
    Pick,
    Reshape,
    ResizeBilinear,
    SpaceToDepth,
    Transpose,
    TransposeConv,
    Window,
)
from edgesq.plan import STEP_END, STEP_INPUT, Plan
from edgesq.plan.allocation import Item

Ids = NDArray[np.int64]
FREE, PROGRESS, STRIP, SUMS = 0, -(1 << 40), -(1 << 41), -(1 << 42)
"""What is not a value; values are numbered from 1, and -id is a maximum still in the making."""


def value_ids(graph: Graph) -> dict[int, Ids]:
    """Number the bytes of every activation, [H, W, bytes]; moved or concatenated keep theirs."""
    ids: dict[int, Ids] = {}
    following = 1

    def fresh(tensor: int) -> Ids:
        nonlocal following
        shape = graph.tensors[tensor].stored
        size = int(np.prod(shape))
        following += size
        return np.arange(following - size, following, dtype=np.int64).reshape(shape)

    for source in graph.inputs:
        ids[source] = fresh(source)
    for op in graph.ops:
        if isinstance(op, Concatenation):
            ids[op.output] = np.concatenate([ids[source] for source in op.inputs], axis=op.axis)
        elif isinstance(op, Reshape):
            ids[op.output] = ids[op.inputs[0]].reshape(graph.tensors[op.output].stored)
        else:
            ids[op.output] = fresh(op.output)
    return ids


class Replay:
    """The arena during one image."""

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self.graph = graph
        self.plan = plan
        self.ids = value_ids(graph)
        self.memory = np.full(plan.arena_bytes, FREE, np.int64)
        self.todo = [self.units(item) for item in plan.ops]
        self.image_rows = 0
        self.now = 0

    def run(self) -> None:
        """Raise AssertionError where a byte is not what a step takes it for."""
        progress = self.bytes_of(self.plan.progress)
        assert self.plan.progress.bytes == 4 * len(self.plan.ops)
        self.memory[progress] = PROGRESS
        for step in self.plan.steps[:-1]:
            if step == STEP_INPUT:
                source, row = self.graph.input_rows[self.image_rows]
                self.write(source, source, row)
                self.image_rows += 1
            else:
                self.run_op(step, self.plan.ops[step])
            assert np.all(self.memory[progress] == PROGRESS), f"step {self.now}"
            self.now += 1
        assert self.plan.steps[-1] == STEP_END
        assert self.image_rows == len(self.graph.input_rows)
        for number in self.graph.observed:
            self.check_block(number)

    def units(self, item: RowOp) -> Iterator[tuple[int, int]]:
        """The units of an operator's work, in the order of the C kernels: input and output row."""
        op, height = item.op, self.height(item.output)
        if item.chain:
            if item.chain.running:
                height = self.graph.tensors[item.chain.stages[-2].item.op.inputs[0]].hwc[0]
            return iter([(unit, unit) for unit in range(height)])
        input_height = self.graph.tensors[item.op.inputs[0]].hwc[0]
        if isinstance(op, MaxPool2D):
            windows = [(place, under(op.window, place, input_height)) for place in range(height)]
            return iter(
                [(row, at) for row in range(input_height) for at, rows in windows if row in rows]
            )
        if isinstance(op, Reshape) or item.sums_bytes:
            return iter([(row, 0) for row in range(input_height)])
        return iter([(row, row) for row in range(height)])

    def run_op(self, index: int, item: RowOp) -> None:
        op = item.op
        if index in self.plan.work:
            self.memory[self.bytes_of(self.plan.work[index])] = STRIP
        for done in range(item.band_units):
            row, place = next(self.todo[index], (-1, -1))
            if row < 0:
                assert done, f"step {self.now}: nothing is left to do"
                return
            if item.chain:
                self.fused(index, item, item.chain, row)
            elif isinstance(op, MaxPool2D):
                self.max_pool(item, op, row, place)
            elif item.sums_bytes:
                self.reduce(index, item, row)
            elif isinstance(op, Reshape):
                self.check(item.inputs[0], op.inputs[0], row)
                self.write_values(item.output, op.output, self.ids[op.inputs[0]][row].ravel())
            else:
                self.make_row(item, row)

    def make_row(self, item: RowOp, row: int) -> None:
        """Any operator that makes one row at a time; or a copy for a concatenation."""
        op = item.op
        sources = item.inputs if isinstance(op, Concatenation) else op.inputs
        rows: Sequence[int] = [row]
        if isinstance(op, TransposeConv):
            rows = reaching(op.window, row, self.height(item.inputs[0]))
        elif isinstance(op, Convolution | AveragePool2D):
            rows = under(op.window, row, self.height(item.inputs[0]))
        elif isinstance(op, Move):
            rows = moved_from(op, row)
        pairs = list(zip(item.inputs, sources, strict=True))
        reads = [
            (slot, tensor, 0 if isinstance(op, Binary) and self.height(slot) == 1 else at)
            for slot, tensor in pairs
            for at in rows
        ]
        for read in reads:
            self.check(*read)
        written = self.places(item.output, row)
        self.write(item.output, sources[0] if isinstance(op, Concatenation) else op.output, row)
        for slot, tensor, at in reads:
            in_place = op.is_valuewise and np.array_equal(self.places(slot, at), written)
            if not in_place:
                self.check(slot, tensor, at)

    def fused(self, index: int, item: RowOp, chain: Chain, unit: int) -> None:
        """A row of fused operators; where maxima are kept, a row of what they are taken from."""
        first = chain.stages[0].item.op.inputs[0]
        stages = chain.stages[:-2] if chain.running else chain.stages
        rows = self.rows_under(stages, {unit})
        self.check_rows(item, first, rows)
        if chain.running:
            held = self.memory[self.bytes_of(self.plan.sums[index])]
            assert unit == 0 or np.all(held == SUMS - index), f"step {self.now}: maxima are gone"
            held[:] = SUMS - index
            pool = chain.stages[-2].item.op
            assert isinstance(pool, MaxPool2D)
            height = self.graph.tensors[pool.inputs[0]].hwc[0]
            made = range(self.height(item.output))
            ended = [row for row in made if under(pool.window, row, height)[-1] == unit]
        else:
            ended = [unit]
        for row in ended:
            self.write(item.output, item.op.output, row)
        self.check_rows(item, first, rows)

    def rows_under(self, stages: Sequence[Stage], rows: set[int]) -> set[int]:
        """The rows of the input of fused operators that make some of what the last one makes."""
        wanted = {stages[-1].result: rows}
        for stage in reversed(stages):
            op = stage.item.op
            assert isinstance(op, Convolution | MaxPool2D)
            height = self.graph.tensors[op.inputs[0]].hwc[0]
            seen = {at for row in wanted[stage.result] for at in under(op.window, row, height)}
            wanted[stage.source] = wanted.get(stage.source, set()) | seen
        return wanted[0]

    def check_rows(self, item: RowOp, tensor: int, rows: set[int]) -> None:
        for row in rows:
            self.check(item.inputs[0], tensor, row)

    def reduce(self, index: int, item: RowOp, row: int) -> None:
        sums, memory = self.plan.sums[index], self.memory
        height, _, channels = self.graph.tensors[item.op.inputs[0]].hwc
        width, kept = self.graph.tensors[item.op.output].hwc[1:]
        assert (sums.bytes, sums.offset % 4) == (4 * width * kept, 0)
        held = memory[self.bytes_of(sums)]
        assert row == 0 or np.all(held == SUMS - index), f"step {self.now}: sums are gone"
        held[:] = SUMS - index
        if item.feeder is None:
            self.check(item.inputs[0], item.op.inputs[0], row)
        else:
            assert self.plan.work[index].bytes >= 2 * channels
            memory[self.bytes_of(self.plan.work[index])] = STRIP
            for source_row in under(item.feeder.window, row, self.height(item.inputs[0])):
                self.check(item.inputs[0], item.feeder.inputs[0], source_row)
        assert np.all(held == SUMS - index)
        if row == height - 1:
            self.write(item.output, item.op.output, 0)

    def max_pool(self, item: RowOp, op: MaxPool2D, row: int, place: int) -> None:
        rows = under(op.window, place, self.height(item.inputs[0]))
        self.check(item.inputs[0], op.inputs[0], row)
        if row != rows[0]:
            self.check(item.output, op.output, place, -1)
        self.write(item.output, op.output, place, 1 if row == rows[-1] else -1)
        self.check(item.inputs[0], op.inputs[0], row)

    # Places

    def height(self, slot: int) -> int:
        found = self.plan.slots[slot]
        assert found is not None
        return found.height

    def places(self, number: int, row: int) -> Ids:
        """Arena addresses of one row, [W, C], as esq_row() and pixel_bytes give them."""
        slot = self.plan.slots[number]
        assert slot is not None
        assert row < slot.height
        ring = self.plan.rings[slot.storage]
        assert ring.ring_rows * slot.row_bytes <= ring.bytes
        ring_row = (row + slot.row_offset) % ring.ring_rows
        start = ring.offset + slot.offset_bytes + ring_row * slot.row_bytes
        pixels = np.arange(slot.width, dtype=np.int64)[:, None] * slot.pixel_bytes
        return start + pixels + np.arange(slot.channels, dtype=np.int64)

    def bytes_of(self, item: Item) -> slice:
        return slice(item.offset, item.offset + item.bytes)

    def write(self, slot: int, tensor: int, row: int, sign: int = 1) -> None:
        self.memory[self.places(slot, row)] = sign * self.ids[tensor][row]

    def write_values(self, slot: int, tensor: int, values: Ids) -> None:
        """Put a reshape's values where the output has them."""
        rows, columns, channels = np.unravel_index(
            np.flatnonzero(np.isin(self.ids[tensor], values)), self.ids[tensor].shape
        )
        for row, column, channel in zip(rows, columns, channels, strict=True):
            place = self.places(slot, int(row))[column, channel]
            self.memory[place] = self.ids[tensor][row, column, channel]

    def check(self, slot: int, tensor: int, row: int, sign: int = 1) -> None:
        found, expected = self.memory[self.places(slot, row)], sign * self.ids[tensor][row]
        name = self.graph.tensors[tensor].name
        assert np.array_equal(found, expected), f"step {self.now}: row {row} of {name} is not there"

    def check_block(self, number: int) -> None:
        """An observed tensor is read as one block from its first row on."""
        start = int(self.places(number, 0)[0, 0])
        expected = self.ids[number].ravel()
        assert np.array_equal(self.memory[start : start + expected.size], expected)


def moved_from(op: Move, row: int) -> range:
    """Input rows whose values output row `row` takes."""
    if isinstance(op, SpaceToDepth):
        return range(op.block * row, op.block * row + op.block)
    if isinstance(op, DepthToSpace):
        return range(row // op.block, row // op.block + 1)
    if isinstance(op, Transpose):
        return range(op.height) if op.order[0] else range(row, row + 1)
    if isinstance(op, ResizeBilinear):
        return range(op.rows[row].first, op.rows[row].first + 1 + (op.rows[row].weight > 0))
    assert isinstance(op, Pick)
    return range(max(op.rows[row], 0), op.rows[row] + 1)


def under(window: Window, row: int, height: int) -> list[int]:
    """Input rows under the window of output row `row`."""
    top = row * window.stride_h - window.pad_top
    return [y for tap in range(window.height) if 0 <= (y := top + tap * window.dilation_h) < height]


def reaching(window: Window, row: int, height: int) -> list[int]:
    """Input rows of which a tap of a transposed convolution lies in output row `row`."""
    tops = {y: y * window.stride_h - window.pad_top for y in range(height)}
    return [y for y, top in tops.items() if top <= row < top + window.height]

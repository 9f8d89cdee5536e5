"""Find the order of steps by simulation, and how many rows each ring must hold.

Policy: pull. The last operator asks for the rows its next band needs, their producers ask for
theirs, down to the inputs, whose rows come in a fixed order. So a row is made only when it is
needed, rings stay as low as the windows allow, and nothing is computed twice. (Pushing each row as
far as it goes was tried first: the 1x1 half of an expand pair then runs ahead of its 3x3 half, and
every concatenated row stays alive.)
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from edgesq.errors import ModelError
from edgesq.graph import Graph
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Access
from edgesq.plan.lower import Lowered
from edgesq.plan.walk import Span, Walk, walk

STEP_INPUT = 0xFFFE
"""Step: take one image row."""
STEP_END = 0xFFFF
"""Step: the image is done."""

MAX_OPERATORS = 1024

CODED_INPUT, CODED_END = 254, 255
"""Their bytes in the runtime's schedule. Mirror: ESQ_STEP_INPUT and ESQ_STEP_END in esq_model.h."""
CODED_FAR = 253
"""Byte before an operator's number in two bytes, which one byte cannot name. Mirror:
ESQ_STEP_FAR."""


Steps = tuple[int, ...]


def coded_steps(steps: Steps) -> bytes:
    """Return steps as the runtime has them: a byte each, three for operators beyond the 252nd."""
    code = bytearray()
    for step in steps:
        if step in (STEP_INPUT, STEP_END):
            code.append(CODED_INPUT if step == STEP_INPUT else CODED_END)
        elif step < CODED_FAR:
            code.append(step)
        else:
            code += bytes((CODED_FAR, step >> 8, step & 0xFF))
    return bytes(code)


@dataclass(frozen=True)
class Schedule:
    """The steps of one image.

    Attributes:
        steps: an operator's index, STEP_INPUT or, last, STEP_END; see `coded_steps`.
        ring_rows: rows each storage must hold, by storage.
        live: bit s is set where a storage is in use in step s, by storage.
        rows: first and last step in which each row of a storage is in use, by storage and row.
        busy: bit s is set from an operator's first step to its last, by operator.
        active: bit s is set in an operator's own steps, by operator.
    """

    steps: Steps
    ring_rows: dict[int, int]
    live: dict[int, int]
    rows: dict[int, dict[int, Span]]
    busy: tuple[int, ...]
    active: tuple[int, ...]


def make_schedule(
    graph: Graph, lowered: Lowered, path: Callable[[Lowered, RowOp], Walk] = walk
) -> Schedule:
    """Simulate one image through the network.

    Args:
        graph: the model.
        lowered: its operators.
        path: `walk`, or what remembers its answers.

    Raises:
        ModelError: more operators than a step can name.
    """
    if len(lowered.ops) > MAX_OPERATORS:
        raise ModelError(
            f"the model has {len(lowered.ops)} operators, the runtime takes {MAX_OPERATORS}",
            hint="use a smaller model",
        )
    walks = [path(lowered, op) for op in lowered.ops]
    steps = _Order(graph, lowered, walks).run()
    rows = _Lifetimes(graph, lowered, walks, steps)
    return Schedule(
        steps,
        {storage: rows_held(spans) for storage, spans in rows.spans.items()},
        {storage: _mask(spans) for storage, spans in rows.spans.items()},
        rows.spans,
        tuple(_mask({0: span}) for _, span in sorted(rows.busy.items())),
        _own_steps(steps, len(walks)),
    )


def _own_steps(steps: Steps, count: int) -> tuple[int, ...]:
    """Return each operator's steps as bits."""
    own: list[list[int]] = [[] for _ in range(count)]
    for now, step in enumerate(steps):
        if step < count:
            own[step].append(now)
    return tuple(sum(1 << now for now in each) for each in own)


class _Order:
    """Pulls rows from the end of the network, noting each step that this takes."""

    def __init__(self, graph: Graph, lowered: Lowered, walks: list[Walk]) -> None:
        self.graph = graph
        self.lowered = lowered
        self.walks = walks
        self.complete = [item.complete_rows for item in walks]
        self.units = [0] * len(walks)
        self.producer = {op.output: index for index, op in enumerate(lowered.ops)}
        self.writers: dict[int, list[int]] = {}
        self.readers: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for index, op in enumerate(lowered.ops):
            for position, source in enumerate(op.inputs):
                self.readers[source].append((index, position))
        self.place_of = {row: place for place, row in enumerate(graph.input_rows)}
        self.image_rows = 0
        self.steps: list[int] = []

    def run(self) -> Steps:
        """Return the steps of one image."""
        for slot in reversed(self.producer):
            self.ensure(slot, self.height(slot))
        self.take_rows(len(self.graph.input_rows))
        return (*self.steps, STEP_END)

    def take_rows(self, count: int) -> None:
        """Take the first `count` rows of the inputs, as far as they have not come."""
        missing = max(count - self.image_rows, 0)
        self.image_rows += missing
        self.steps += [STEP_INPUT] * missing

    def height(self, number: int) -> int:
        slot = self.lowered.slots[number]
        assert slot is not None
        return slot.height

    def ensure(self, slot: int, end: int) -> None:
        """Take the steps that complete the first `end` rows of a slot.

        Operators that write side by side (the two halves of a Fire module) get all their inputs
        first and then run together, so that no half-filled row waits.
        """
        if slot in self.graph.inputs:
            self.take_rows(self.place_of[slot, end - 1] + 1 if end else 0)
        # Each round takes one step of each operator that lags; a step may complete less than `end`.
        while lagging := {
            index: self.units[index]
            for index in self.producers(slot)
            if self.lacks(index, slot, end)
        }:
            # Inputs of all of them before the first step. `unit` is where an operator stood when
            # the round began: if it has moved on, the calls below have taken its step already (two
            # operators may share an input whose pool was let finish), and it must not take another.
            for index, unit in lagging.items():
                for position, source in enumerate(self.lowered.ops[index].inputs):
                    if self.units[index] == unit:
                        self.ensure(source, self.next_read(index, position))
            for index, unit in lagging.items():
                if self.units[index] == unit:
                    self.step(index)
                    self.finish_inputs(index)
            # Now, because the next round's rows may need the place of those that pools can take.
            self.empty(slot)

    def lacks(self, index: int, slot: int, end: int) -> bool:
        """Say whether an operator has to write rows of its own among the first `end` of a slot."""
        output = self.lowered.ops[index].output
        rows = min(end - self.lowered.below(output, slot), self.height(output))
        return self.complete[index][self.units[index]] < rows

    def step(self, index: int) -> None:
        self.steps.append(index)
        self.units[index] = self.next_units(index)

    def finish_inputs(self, index: int) -> None:
        """Let the pools that an operator reads from finish with the rows they hold.

        A pool's input row ends one window and begins the next. The ended row is read first, so that
        the next one can begin in its place, and then the input row is free.
        """
        pools = [pool for slot in self.lowered.ops[index].inputs for pool in self.producers(slot)]
        for pool in pools:
            if self.lowered.ops[pool].access is Access.MAXIMUM:
                while self.walks[pool].pending(self.units[pool]):
                    self.step(pool)
                for slot in self.lowered.ops[pool].inputs:
                    self.empty(slot)

    def empty(self, slot: int) -> None:
        """Let pools take the rows of a band at once, up to the first row of theirs that is read.

        Their rows are fewer and narrower than those of the band.
        """
        if all(self.walks[maker].band_units == 1 for maker in self.producers(slot)):
            return
        for index, _ in self.readers[slot]:
            item = self.lowered.ops[index]
            if item.access is Access.MAXIMUM:
                while (
                    self.units[index] < self.walks[index].units
                    and self.is_there(index)
                    and not self.is_unread(item.output, self.complete[index][self.units[index]])
                ):
                    self.step(index)

    def is_unread(self, slot: int, rows: int) -> bool:
        """Say whether an operator has yet to read one of the first `rows` rows of a slot."""
        return any(
            self.walks[index].read(position, self.units[index])[0] < rows
            for index, position in self.readers[slot]
            if self.units[index] < self.walks[index].units
        )

    def is_there(self, index: int) -> bool:
        """Say whether the input rows of an operator's next step are complete."""
        return all(
            not self.lacks(maker, source, self.next_read(index, position))
            for position, source in enumerate(self.lowered.ops[index].inputs)
            for maker in self.producers(source)
        )

    def producers(self, slot: int) -> list[int]:
        """Operators that write a slot, through the slots inside it."""
        if slot not in self.writers:
            members = self.lowered.members.get(slot, ())
            writers = [index for member in members for index in self.producers(member)]
            self.writers[slot] = [self.producer[slot]] if slot in self.producer else writers
        return self.writers[slot]

    def next_units(self, index: int) -> int:
        path = self.walks[index]
        return min(self.units[index] + path.band_units, path.units)

    def next_read(self, index: int, position: int) -> int:
        """One past the newest row of an input that an operator's next step reads."""
        path = self.walks[index]
        if position in path.pixels:
            return max(path.waits_for, 1)
        return path.needed_rows[self.units[index]]


class _Lifetimes:
    """Replays a schedule: the first and last step of every row, and of every operator."""

    def __init__(self, graph: Graph, lowered: Lowered, walks: list[Walk], steps: Steps) -> None:
        self.lowered = lowered
        self.spans: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
        self.busy: dict[int, tuple[int, int]] = {}
        units = [0] * len(walks)
        image_rows = 0
        for now, step in enumerate(steps):
            if step == STEP_INPUT:
                slot, row = graph.input_rows[image_rows]
                self.use(slot, (row, row + 1), now)
                image_rows += 1
            elif step != STEP_END:
                path = walks[step]
                end = min(units[step] + path.band_units, path.units)
                for unit in range(units[step], end):
                    for position, slot in enumerate(lowered.ops[step].inputs):
                        self.use(slot, path.read(position, unit), now)
                    self.use(lowered.ops[step].output, path.writes[unit], now)
                units[step] = end
                self.busy[step] = (self.busy.get(step, (now, now))[0], now)
        for slot in graph.observed:
            self.use(slot, (0, graph.tensors[slot].hwc[0]), len(steps) - 1)

    def use(self, number: int, rows: tuple[int, int], now: int) -> None:
        slot = self.lowered.slots[number]
        assert slot is not None
        spans = self.spans[slot.storage]
        for row in range(rows[0] + slot.row_offset, rows[1] + slot.row_offset):
            spans[row] = (spans[row][0] if row in spans else now, now)


def rows_held(spans: dict[int, Span]) -> int:
    """Return the height at which no row is written over one that is still needed.

    Rows may begin in any order: what lies below in a concatenation may be there first.
    """
    rows, oldest = 1, 0
    for row, born in _first_from(spans):
        while oldest < row and spans[oldest][1] < born:
            oldest += 1
        first = next(at for at in range(oldest, row + 1) if _meet(spans[at], spans[row]))
        rows = max(rows, row - first + 1)
    return rows


def _first_from(spans: dict[int, Span]) -> list[tuple[int, int]]:
    """Return each row with the step in which it or one after it begins first."""
    earliest: list[tuple[int, int]] = []
    for row in sorted(spans, reverse=True):
        born = spans[row][0]
        earliest.append((row, min(born, earliest[-1][1]) if earliest else born))
    return earliest[::-1]


def _meet(one: Span, two: Span) -> bool:
    """Say whether two spans of steps have a step in common."""
    return one[0] <= two[1] and two[0] <= one[1]


def _mask(spans: dict[int, tuple[int, int]]) -> int:
    """Return an integer with bit s set where step s lies in one of the spans."""
    mask = 0
    for first, last in spans.values():
        mask |= (1 << (last + 1)) - (1 << first)
    return mask

"""Put the pieces together: lower, schedule, place."""

from dataclasses import dataclass

from edgesq.graph import Graph
from edgesq.plan.arena import Block, place
from edgesq.plan.lower import RowOp, Slot, lower
from edgesq.plan.schedule import make_schedule

PROGRESS_BYTES = 4
"""Bytes of progress the runtime keeps per operator. Mirror: struct esq_progress."""


@dataclass(frozen=True)
class Item:
    """One block of the arena: a ring of rows, an operator's accumulators, or the progress.

    Attributes:
        name: the tensor or operator it belongs to.
        offset, bytes: its place in the arena.
        ring_rows: rows it holds; 0 for memory that is not a ring.
        live: bit s is set where it is in use in step s.
    """

    name: str
    offset: int
    bytes: int
    ring_rows: int
    live: int


@dataclass(frozen=True)
class Plan:
    """Everything the generated data says about memory and order.

    Attributes:
        slots: where each tensor lives; None for constants.
        ops: the runtime's operators; a step of the schedule is an index into them.
        steps: the schedule of one image.
        rings: the ring of each storage.
        scratch: accumulators, by operator index.
        progress: how far each operator is, uint16 pairs.
        arena_bytes: size of the arena, a multiple of 16.
    """

    slots: tuple[Slot | None, ...]
    ops: tuple[RowOp, ...]
    steps: bytes
    rings: dict[int, Item]
    scratch: dict[int, Item]
    progress: Item
    arena_bytes: int

    @property
    def items(self) -> tuple[Item, ...]:
        """All blocks of the arena."""
        return (*self.rings.values(), *self.scratch.values(), self.progress)

    def peak(self) -> tuple[int, tuple[Item, ...]]:
        """Return the step with the most bytes in use, and the blocks then in use."""
        used = [
            sum(item.bytes for item in self.items if item.live >> step & 1)
            for step in range(len(self.steps))
        ]
        step = used.index(max(used))
        return step, tuple(item for item in self.items if item.live >> step & 1)


def make_plan(graph: Graph, band_rows: int = 1) -> Plan:
    """Plan a graph with bands of `band_rows` rows; 1 takes the least RAM.

    Raises:
        ModelError: the model has more operators than the runtime takes.
    """
    lowered = lower(graph, band_rows)
    schedule = make_schedule(graph, lowered)
    names, blocks, rows = [], [], []
    storages = sorted(schedule.ring_rows)
    for storage in storages:
        slot = lowered.slots[storage]
        assert slot is not None
        names.append(graph.tensors[storage].name)
        rows.append(schedule.ring_rows[storage])
        blocks.append(Block(rows[-1] * slot.row_bytes, schedule.live[storage]))
    users = [index for index, op in enumerate(lowered.ops) if op.scratch_bytes]
    for index in users:
        names.append(f"{lowered.ops[index].op.name} sums")
        rows.append(0)
        blocks.append(Block(lowered.ops[index].scratch_bytes, schedule.busy[index]))
    names.append("progress")
    rows.append(0)
    blocks.append(Block(PROGRESS_BYTES * len(lowered.ops), (1 << len(schedule.steps)) - 1))
    offsets, arena_bytes = place(blocks)
    items = [
        Item(name, offset, block.bytes, count, block.live)
        for name, offset, block, count in zip(names, offsets, blocks, rows, strict=True)
    ]
    return Plan(
        lowered.slots,
        lowered.ops,
        schedule.steps,
        dict(zip(storages, items, strict=False)),
        dict(zip(users, items[len(storages) :], strict=False)),
        items[-1],
        arena_bytes,
    )

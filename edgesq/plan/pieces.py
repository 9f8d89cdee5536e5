"""What a plan is made of: blocks of memory, and the plan that says where they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesq.graph import Graph
from edgesq.kernels.row_op import RowOp, Slot
from edgesq.plan.arena import Block, place
from edgesq.plan.lower import Lowered
from edgesq.plan.schedule import Schedule

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
        slots: where each tensor lives; None for constants, and for what is never held as rows.
        ops: the runtime's operators; a step of the schedule is an index into them.
        steps: the schedule of one image.
        rings: the ring of each storage.
        sums: accumulators, by operator index.
        work: working memory of single steps, by operator index.
        progress: how far each operator is, uint16 pairs.
        arena_bytes: size of the arena, a multiple of 16.
    """

    slots: tuple[Slot | None, ...]
    ops: tuple[RowOp, ...]
    steps: bytes
    rings: dict[int, Item]
    sums: dict[int, Item]
    work: dict[int, Item]
    progress: Item
    arena_bytes: int

    @property
    def items(self) -> tuple[Item, ...]:
        """All blocks of the arena."""
        return (*self.rings.values(), *self.sums.values(), *self.work.values(), self.progress)

    def in_use(self, step: int) -> tuple[Item, ...]:
        """Return the blocks in use in a step."""
        return tuple(item for item in self.items if item.live >> step & 1)

    def peak(self) -> tuple[int, tuple[Item, ...]]:
        """Return the step with the most bytes in use, and the blocks then in use."""
        used = [covered_bytes(self.in_use(step)) for step in range(len(self.steps))]
        step = used.index(max(used))
        return step, self.in_use(step)


def covered_bytes(items: Sequence[Item]) -> int:
    """Return the bytes that blocks take; those of maps that lie in each other once."""
    total = end = 0
    for item in sorted(items, key=lambda item: item.offset):
        total += max(item.offset + item.bytes - max(item.offset, end), 0)
        end = max(end, item.offset + item.bytes)
    return total


@dataclass(frozen=True)
class Wanted:
    """A block to be placed, and what it is.

    Attributes:
        key: "ring", "sums", "work" or "progress", and of which storage or operator.
        name: as of an `Item`.
        block: its size and life.
        ring_rows: as of an `Item`.
    """

    key: tuple[str, int]
    name: str
    block: Block
    ring_rows: int = 0


def standing(graph: Graph, lowered: Lowered, schedule: Schedule) -> list[Wanted]:
    """Return the blocks that stay from step to step: rings, accumulators, progress."""
    names = {graph.input: "image", **{op.output: op.name for op in graph.ops}}
    wanted = []
    for storage, rows in sorted(schedule.ring_rows.items()):
        slot = lowered.slots[storage]
        assert slot is not None
        block = Block(rows * slot.row_bytes, schedule.live[storage])
        wanted.append(Wanted(("ring", storage), names[storage], block, rows))
    for index, item in enumerate(lowered.ops):
        if item.sums_bytes:
            block = Block(item.sums_bytes, schedule.busy[index])
            wanted.append(Wanted(("sums", index), f"{item.op.name} sums", block))
    progress = Block(PROGRESS_BYTES * len(lowered.ops), (1 << len(schedule.steps)) - 1)
    return [*wanted, Wanted(("progress", 0), "progress", progress)]


def working(ops: Sequence[RowOp], schedule: Schedule) -> list[Wanted]:
    """Return the blocks that single steps work in."""
    return [
        Wanted(
            ("work", index),
            f"{item.ops[0].name} work",
            Block(item.kernel.work_bytes, schedule.active[index]),
        )
        for index, item in enumerate(ops)
        if item.kernel.work_bytes
    ]


def in_order(stay: Sequence[Wanted], work: Sequence[Wanted]) -> list[Wanted]:
    """Return all blocks in the order in which equal ones are placed: rings, operators, progress."""
    ranks = {"ring": (0, 0), "sums": (1, 0), "work": (1, 1), "progress": (2, 0)}

    def rank(want: Wanted) -> tuple[int, int, int]:
        kind, index = want.key
        return ranks[kind][0], index, ranks[kind][1]

    return sorted((*stay, *work), key=rank)


def packed(
    lowered: Lowered, ops: tuple[RowOp, ...], schedule: Schedule, stay: Sequence[Wanted]
) -> Plan:
    """Return the plan in the smallest arena that is found; arguments as for `assemble`."""
    wanted = in_order(stay, working(ops, schedule))
    offsets, arena_bytes = place([want.block for want in wanted])
    placed = list(zip(wanted, offsets, strict=True))
    return assemble(lowered, ops, schedule, placed, arena_bytes)


def assemble(
    lowered: Lowered,
    ops: tuple[RowOp, ...],
    schedule: Schedule,
    placed: Sequence[tuple[Wanted, int]],
    arena_bytes: int,
) -> Plan:
    """Return the plan of blocks with their offsets.

    Args:
        lowered: the graph's slots.
        ops: the operators with their working memory.
        schedule: the order of steps.
        placed: all blocks, and where they are.
        arena_bytes: size of the arena.
    """
    items = {
        want.key: Item(want.name, offset, want.block.bytes, want.ring_rows, want.block.live)
        for want, offset in placed
    }

    def of_kind(kind: str) -> dict[int, Item]:
        return {index: item for (name, index), item in items.items() if name == kind}

    rings = of_kind("ring")
    return Plan(
        tuple(slot if slot and slot.storage in rings else None for slot in lowered.slots),
        ops,
        schedule.steps,
        rings,
        of_kind("sums"),
        of_kind("work"),
        items["progress", 0],
        arena_bytes,
    )

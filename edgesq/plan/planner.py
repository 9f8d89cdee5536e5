"""Put the pieces together: lower, schedule, place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgesq.graph import Graph
from edgesq.plan.arena import ATTEMPTS, Block, peak_bytes, place
from edgesq.plan.lower import Lowered, RowOp, Slot, lower
from edgesq.plan.schedule import Schedule, make_schedule
from edgesq.plan.streams import fit_streams
from edgesq.plan.work import fit_work

STREAMED_ATTEMPTS = 4
"""Placements tried where there are hundreds of choices."""

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

    def peak(self) -> tuple[int, tuple[Item, ...]]:
        """Return the step with the most bytes in use, and the blocks then in use."""
        used = [
            sum(item.bytes for item in self.items if item.live >> step & 1)
            for step in range(len(self.steps))
        ]
        step = used.index(max(used))
        return step, tuple(item for item in self.items if item.live >> step & 1)


def make_plan(
    graph: Graph,
    bands: Mapping[int, int] | int = 1,
    kernels: str = "portable",
    room_bytes: int | None = None,
    streamed: frozenset[int] = frozenset(),
    limit_bytes: int | None = None,
) -> Plan:
    """Plan a graph.

    Args:
        graph: the model.
        bands: rows per step, for all operators or by the height of their output; 1 where a height
            is not named, which takes the least RAM.
        kernels: kernel family, which decides the working memory.
        room_bytes: most bytes by which packed weights may grow to be faster; None for the usual.
        streamed: convolutions, by output, whose weights are decoded once per band.
        limit_bytes: size up to which the arena may be filled with decoded weights; None for not
            beyond what it is anyway.

    Raises:
        ModelError: the model has more operators than the runtime takes.
    """
    lowered = lower(graph, bands, streamed)
    schedule = make_schedule(graph, lowered)

    def arena_bytes_of(ops: tuple[RowOp, ...], enough_bytes: int) -> int:
        wanted = _wanted(graph, replace(lowered, ops=ops), schedule)
        blocks = [want.block for want in wanted]
        if 0 < enough_bytes < (peak := peak_bytes(blocks)):
            return peak
        attempts = STREAMED_ATTEMPTS if streamed and enough_bytes else ATTEMPTS
        return place(blocks, enough_bytes, attempts)[1]

    ops = fit_work(graph, lowered.ops, kernels, arena_bytes_of, room_bytes, streamed, limit_bytes)
    ops = fit_streams(graph, ops, kernels, arena_bytes_of, streamed, limit_bytes)
    return _placed(graph, replace(lowered, ops=ops), schedule, limit_bytes if streamed else None)


def _placed(graph: Graph, lowered: Lowered, schedule: Schedule, enough_bytes: int | None) -> Plan:
    """Return the plan once the operators' working memory is decided."""
    wanted = _wanted(graph, lowered, schedule)
    offsets, arena_bytes = place([want.block for want in wanted], enough_bytes or 0)
    items = {
        want.key: Item(want.name, offset, want.block.bytes, want.ring_rows, want.block.live)
        for want, offset in zip(wanted, offsets, strict=True)
    }

    def of_kind(kind: str) -> dict[int, Item]:
        return {index: item for (name, index), item in items.items() if name == kind}

    rings = of_kind("ring")
    return Plan(
        tuple(slot if slot and slot.storage in rings else None for slot in lowered.slots),
        lowered.ops,
        schedule.steps,
        rings,
        of_kind("sums"),
        of_kind("work"),
        items["progress", 0],
        arena_bytes,
    )


@dataclass(frozen=True)
class _Wanted:
    """A block to be placed, and what it is."""

    key: tuple[str, int]
    name: str
    block: Block
    ring_rows: int = 0


def _wanted(graph: Graph, lowered: Lowered, schedule: Schedule) -> list[_Wanted]:
    names = {graph.input: "image", **{op.output: op.name for op in graph.ops}}
    wanted = []
    for storage, rows in sorted(schedule.ring_rows.items()):
        slot = lowered.slots[storage]
        assert slot is not None
        block = Block(rows * slot.row_bytes, schedule.live[storage])
        wanted.append(_Wanted(("ring", storage), names[storage], block, rows))
    for index, item in enumerate(lowered.ops):
        if item.sums_bytes:
            block = Block(item.sums_bytes, schedule.busy[index])
            wanted.append(_Wanted(("sums", index), f"{item.op.name} sums", block))
        if item.work_bytes:
            block = Block(item.work_bytes, schedule.active[index])
            wanted.append(_Wanted(("work", index), f"{item.ops[0].name} work", block))
    progress = Block(PROGRESS_BYTES * len(lowered.ops), (1 << len(schedule.steps)) - 1)
    return [*wanted, _Wanted(("progress", 0), "progress", progress)]

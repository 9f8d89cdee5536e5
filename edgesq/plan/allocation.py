"""What planning results in: blocks of memory with their places, and the plan that holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edgesq.kernels.row_op import RowOp, Slot


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
        in_ram: operators, by index, whose weights and tables start-up copies to RAM, beside the
            arena.
        states: what operators keep from image to image, by operator index.
    """

    slots: tuple[Slot | None, ...]
    ops: tuple[RowOp, ...]
    steps: tuple[int, ...]
    rings: dict[int, Item]
    sums: dict[int, Item]
    work: dict[int, Item]
    progress: Item
    arena_bytes: int
    in_ram: frozenset[int] = frozenset()
    states: Mapping[int, Item] = field(default_factory=dict)

    @property
    def items(self) -> tuple[Item, ...]:
        """All blocks of the arena."""
        kept = (*self.sums.values(), *self.states.values())
        return (*self.rings.values(), *kept, *self.work.values(), self.progress)

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

"""A plan as far as bands decide it: its operators, its steps, and the blocks it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edgesq.arithmetic import Int64Array
from edgesq.graph import Graph
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.operators import Stateful
from edgesq.plan.allocation import Item, Plan
from edgesq.plan.arena import Block, used_bytes
from edgesq.plan.lower import Lowered, lower
from edgesq.plan.request import Bands
from edgesq.plan.schedule import Schedule, make_schedule
from edgesq.plan.walk import Walk

PROGRESS_BYTES = 4
"""Bytes of progress the runtime keeps per operator. Mirror: struct esq_progress."""

_RANKS = {"ring": (0, 0), "sums": (1, 0), "work": (1, 1), "progress": (2, 0), "state": (3, 0)}


@dataclass(frozen=True)
class Unplaced:
    """A block that has no place yet, and what it is.

    Attributes:
        key: "ring", "sums", "work", "progress" or "state", and of which storage or operator.
        name: as of an `Item`.
        block: its size and lifetime.
        ring_rows: as of an `Item`.
    """

    key: tuple[str, int]
    name: str
    block: Block
    ring_rows: int = 0

    @property
    def rank(self) -> tuple[int, int, int]:
        """The order in which equal blocks are placed: rings, operators, progress."""
        kind, index = self.key
        return _RANKS[kind][0], index, _RANKS[kind][1]


@dataclass(frozen=True, eq=False)
class Draft:
    """A plan whose kernels are not chosen and whose blocks are not placed.

    Attributes:
        lowered: slots, and operators with portable kernels.
        schedule: the order of steps.
        residents: blocks that are kept from step to step: rings, sums, progress, states.
    """

    lowered: Lowered
    schedule: Schedule
    residents: tuple[Unplaced, ...]

    @cached_property
    def least_bytes(self) -> int:
        """The most bytes of residents in use in a step: no placement takes less."""
        return int(self._used.max())

    @cached_property
    def beside_bytes(self) -> tuple[int, ...]:
        """The most bytes of residents in use in a step of each operator."""
        beside = np.zeros(len(self.lowered.ops), np.int64)
        order = np.array(self.schedule.steps, np.int64)
        own = order < len(beside)
        np.maximum.at(beside, order[own], self._used[: len(order)][own])
        return tuple(beside.tolist())

    def used_with(self, work_bytes: Sequence[int]) -> Int64Array:
        """Return the bytes in use in each step.

        Args:
            work_bytes: working memory of each operator.
        """
        order = np.array(self.schedule.steps, np.int64)
        own = np.array([*work_bytes, 0], np.int64)
        return self._used[: len(order)] + own[np.minimum(order, len(work_bytes))]

    @cached_property
    def _used(self) -> Int64Array:
        """The bytes of residents in use in each step."""
        return used_bytes([one.block for one in self.residents])

    def working(self, ops: Ops) -> list[Unplaced]:
        """Return the blocks that single steps work in, of no bytes where an operator needs none.

        Args:
            ops: the operators with their kernels.
        """
        return [
            Unplaced(
                ("work", index),
                f"{item.ops[0].name} work",
                Block(item.kernel.work_bytes, self.schedule.active[index]),
            )
            for index, item in enumerate(ops)
        ]

    def blocks(self, ops: Ops) -> list[Unplaced]:
        """Return all blocks in the order in which equal ones are placed."""
        return sorted((*self.residents, *self.working(ops)), key=lambda one: one.rank)

    def plan(self, ops: Ops, placed: Sequence[tuple[Unplaced, int]], arena_bytes: int) -> Plan:
        """Return the plan.

        Args:
            ops: the operators with their kernels.
            placed: all blocks with their offsets; those of no bytes are left out.
            arena_bytes: size of the arena.
        """
        items = {
            one.key: Item(one.name, offset, one.block.bytes, one.ring_rows, one.block.live)
            for one, offset in placed
            if one.block.bytes
        }

        def of_kind(kind: str) -> dict[int, Item]:
            return {index: item for (name, index), item in items.items() if name == kind}

        rings = of_kind("ring")
        return Plan(
            tuple(slot if slot and slot.storage in rings else None for slot in self.lowered.slots),
            ops,
            self.schedule.steps,
            rings,
            of_kind("sums"),
            of_kind("work"),
            items["progress", 0],
            arena_bytes,
            states=of_kind("state"),
        )


def make_draft(
    graph: Graph, bands: Bands, coded: frozenset[int], walk_of: Callable[[Lowered, RowOp], Walk]
) -> Draft:
    """Lower a graph and find the order of its steps.

    Args:
        graph: the model.
        bands: rows per step.
        coded: convolutions, by output, whose weights are decoded once per band.
        walk_of: `walk`, or what remembers its answers.

    Raises:
        ModelError: the model has more operators than the runtime takes.
    """
    lowered = lower(graph, bands, coded)
    schedule = make_schedule(graph, lowered, walk_of)
    return Draft(lowered, schedule, tuple(_residents(graph, lowered, schedule)))


def _residents(graph: Graph, lowered: Lowered, schedule: Schedule) -> list[Unplaced]:
    names = {index: graph.tensors[index].name for index in graph.inputs}
    names |= {graph.input: "image", **{op.output: op.name for op in graph.ops}}
    found = []
    for storage, rows in sorted(schedule.ring_rows.items()):
        slot = lowered.slots[storage]
        assert slot is not None
        block = Block(rows * slot.row_bytes, schedule.live[storage])
        found.append(Unplaced(("ring", storage), names[storage], block, rows))
    for index, item in enumerate(lowered.ops):
        if item.sums_bytes:
            block = Block(item.sums_bytes, schedule.busy[index])
            found.append(Unplaced(("sums", index), f"{item.op.name} sums", block))
    always = (1 << len(schedule.steps)) - 1
    for index, item in enumerate(lowered.ops):
        if isinstance(item.op, Stateful):
            kept = Block(sum(state.bytes for state in item.op.states), always)
            found.append(Unplaced(("state", index), f"{item.op.name} state", kept))
    progress = Block(PROGRESS_BYTES * len(lowered.ops), always)
    return [*found, Unplaced(("progress", 0), "progress", progress)]

"""Plan a graph whose weights are decoded: what each operator may take decides what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgesq.graph import Graph
from edgesq.integers import round_up
from edgesq.kernels.flash import grown_outputs
from edgesq.kernels.row_op import RowOp
from edgesq.plan.arena import ALIGNMENT_BYTES
from edgesq.plan.cost import ROW_INSTRUCTIONS, STEP_INSTRUCTIONS
from edgesq.plan.lower import Lowered, lower
from edgesq.plan.nests import MIN_ROWS, Rows, Standing
from edgesq.plan.pieces import Plan, Wanted, assemble, packed, standing, working
from edgesq.plan.request import Bands, PlanRequest
from edgesq.plan.rooms import Placement, Rooms
from edgesq.plan.schedule import Schedule, make_schedule
from edgesq.plan.walk import Walk, walk
from edgesq.plan.ways import Front, Ways
from edgesq.plan.work import ARENA_GROWTH

NEVER = float("inf")
"""What a plan costs that does not fit."""


@dataclass(frozen=True, eq=False)
class Draft:
    """A plan whose working memory is not decided yet.

    Attributes:
        lowered, schedule: operators and steps, by the bands.
        stay: blocks that stay from step to step.
        fronts: the ways to run each operator.
        fixed: estimated instructions of rows and steps.
    """

    lowered: Lowered
    schedule: Schedule
    stay: list[Wanted]
    fronts: list[Front]
    fixed: float

    def cost(self, room_bytes: Sequence[int]) -> float:
        """Return what the operators cost, each with some working memory; NEVER if one has none."""
        total = self.fixed
        for front, room in zip(self.fronts, room_bytes, strict=True):
            way = front.best(room)
            if way is None:
                return NEVER
            total += front.costs[way]
        return total

    def rooms(self, limit_bytes: int) -> Rooms:
        """Return the rooms in an arena of some size."""
        stay = [Standing(want.block, self._rows(*want.key)) for want in self.stay]
        return Rooms(stay, self.schedule.active, len(self.schedule.steps), limit_bytes)

    def _rows(self, kind: str, storage: int) -> Rows | None:
        """Return the rows of a ring that holds a whole map."""
        if kind != "ring" or self.schedule.ring_rows[storage] < MIN_ROWS:
            return None
        spans = self.schedule.rows[storage]
        slot = self.lowered.slots[storage]
        if slot is None or len(spans) != self.schedule.ring_rows[storage]:
            return None
        first, last = np.array([spans[row] for row in range(len(spans))], np.int64).T
        return Rows(first, last, slot.row_bytes)


class StreamPlanner:
    """Makes plans for different bands; arguments as for `make_plan`."""

    def __init__(self, graph: Graph, request: PlanRequest) -> None:
        self._graph = graph
        self._coded = request.coded
        self._limit = request.limit_bytes
        ops = lower(graph, Bands(), request.coded).ops
        grown = grown_outputs(graph, ops, request.kernels, request.growth_bytes, request.coded)
        self._ways = Ways(graph, request.kernels, request.coded, grown)
        self._walks: dict[tuple[int, int, bool], Walk] = {}

    def draft(self, bands: Bands) -> Draft:
        """Return what bands decide by themselves."""
        lowered = lower(self._graph, bands, self._coded)
        schedule = make_schedule(self._graph, lowered, self._walk)
        rows = sum(self._graph.tensors[item.op.output].hwc[0] for item in lowered.ops)
        fixed = rows * ROW_INSTRUCTIONS + len(schedule.steps) * STEP_INSTRUCTIONS
        fronts = [self._ways.front(item) for item in lowered.ops]
        stay = standing(self._graph, lowered, schedule)
        return Draft(lowered, schedule, stay, fronts, fixed)

    def _walk(self, lowered: Lowered, op: RowOp) -> Walk:
        key = op.output, op.band_units, op.waits
        if key not in self._walks:
            self._walks[key] = walk(lowered, op)
        return self._walks[key]

    def least(self, draft: Draft) -> float:
        """Return a cost below which no placement within the limit can be; NEVER if nothing fits."""
        assert self._limit is not None
        return draft.cost(draft.rooms(self._limit).most())

    def place(self, draft: Draft) -> Placement | None:
        """Return where the fastest plan that is found has its blocks; None if none fits."""
        assert self._limit is not None
        return _place(draft, self._limit)

    def plan(self, bands: Bands) -> Plan:
        """Return the plan for some bands; the smallest one where nothing is within the limit."""
        draft = self.draft(bands)
        if self._limit is not None:
            placement = _place(draft, self._limit)
            return _smallest(draft) if placement is None else _plan(draft, placement)
        smallest = _smallest(draft)
        placement = _place(draft, smallest.arena_bytes + smallest.arena_bytes // ARENA_GROWTH)
        return smallest if placement is None else _plan(draft, placement)


def _place(draft: Draft, limit_bytes: int) -> Placement | None:
    rooms = draft.rooms(limit_bytes)
    least = draft.cost(rooms.most())
    placement = rooms.place(draft.cost, least) if least < NEVER else None
    return None if placement is None or placement.cost == NEVER else placement


def _plan(draft: Draft, placement: Placement) -> Plan:
    """Return the plan whose operators take what is fastest in their gaps."""
    ops = tuple(
        front.items[front.best(size) or 0]
        for front, (_, size) in zip(draft.fronts, placement.gaps, strict=True)
    )
    work = working(ops, draft.schedule)
    placed = [
        *zip(draft.stay, placement.offsets, strict=True),
        *((want, placement.gaps[want.key[1]][0]) for want in work),
    ]
    end = max(offset + want.block.bytes for want, offset in placed)
    arena_bytes = round_up(end, ALIGNMENT_BYTES)
    return assemble(draft.lowered, ops, draft.schedule, placed, arena_bytes)


def _smallest(draft: Draft) -> Plan:
    """Return the plan with the least working memory."""
    ops = tuple(front.items[0] for front in draft.fronts)
    return packed(draft.lowered, ops, draft.schedule, draft.stay)

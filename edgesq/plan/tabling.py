"""Leave tables of requantization out of flash where making them takes little RAM and little time.

A table is made in working memory. The arena may stay as it is, with tables in the gaps that nobody
uses while their operators run; or it may grow a little for larger parts of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from edgesq.arithmetic import Int64Array
from edgesq.graph import Graph
from edgesq.integers import ceil_div, round_up
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.plan.allocation import Item, Plan
from edgesq.plan.arena import in_steps
from edgesq.plan.draft import Draft
from edgesq.plan.greedy import ALIGNMENT_BYTES
from edgesq.plan.packing import Packing
from edgesq.plan.variants import Variants

_GROWTH = 20
"""The arena may grow for tables by one part in this many."""

_RAM_WORTH = 4
"""Bytes of flash that a byte of RAM must save."""


_CODE_BYTES = 1_024
"""Of flash, that the code which makes tables takes."""


class Tables:
    """The tables of one graph's plans.

    Args:
        graph: the model.
        variants: of its operators.
        worth: instructions per image that a byte of flash is worth.
        grows: whether the arena may.
    """

    def __init__(self, graph: Graph, variants: Variants, worth: float, *, grows: bool) -> None:
        self._graph = graph
        self._variants = variants
        self._worth = worth
        self._grows = grows

    def made(self, packing: Packing, plan: Plan) -> Plan:
        """Return a plan with tables made while it runs where that is worth it.

        Args:
            packing: of the plan.
            plan: with whole tables.
        """
        if not any(self._variants.tabled(item) for item in plan.ops):
            return plan
        found = max(self._choices(packing, plan), key=_value)
        return found if saved_bytes(found.ops) > _CODE_BYTES else plan

    def _choices(self, packing: Packing, plan: Plan) -> list[Plan]:
        """Return plans with tables made, in the arena as it is and in a larger one."""
        kept = self._in_gaps(packing.draft, plan)
        if not self._grows:
            return [kept]
        growth = plan.arena_bytes // _GROWTH // ALIGNMENT_BYTES * ALIGNMENT_BYTES
        limit = plan.arena_bytes + growth
        found = [kept, self._in_gaps(packing.draft, replace(plan, arena_bytes=limit))]
        ops = self._within(plan.ops, _spare(plan, limit))
        if saved_bytes(ops) > saved_bytes(found[-1].ops):
            found.append(packing.packed(ops, limit))
        return [one for one in found if one.arena_bytes <= limit]

    def _in_gaps(self, draft: Draft, plan: Plan) -> Plan:
        """Return the plan with tables where the arena has room while their operators run."""
        gaps = {
            index: _gap(plan, index, draft.schedule.active[index])
            for index, item in enumerate(plan.ops)
            if self._variants.tabled(item)
        }
        ops = self._within(plan.ops, lambda index: gaps[index][1])
        work = {
            index: Item(
                f"{item.ops[0].name} work",
                gaps[index][0],
                item.kernel.work_bytes,
                0,
                draft.schedule.active[index],
            )
            for index, item in enumerate(ops)
            if item.kernel.tabled
        }
        made = replace(plan, ops=ops, work={**plan.work, **work})
        end = max(item.offset + item.bytes for item in made.items)
        return replace(made, arena_bytes=round_up(end, ALIGNMENT_BYTES))

    def _within(self, ops: Ops, room: Callable[[int], int]) -> Ops:
        """Return operators with tables in parts as large as there is room, where that is worth it.

        Args:
            ops: with whole tables.
            room: says how much working memory an operator may have, by its index.
        """
        return tuple(self._best(item, room, index) for index, item in enumerate(ops))

    def _best(self, item: RowOp, room: Callable[[int], int], index: int) -> RowOp:
        choices = self._variants.tabled(item)
        fitting = [one for one in choices if one.kernel.work_bytes <= room(index)]
        return fitting[-1] if fitting and self._is_worth(item, fitting[-1]) else item

    def _is_worth(self, plain: RowOp, made: RowOp) -> bool:
        instructions = FAMILIES[made.kernel.family].instructions
        more = instructions(self._graph, made) - instructions(self._graph, plain)
        return more <= self._worth * saved_bytes((made,))


def saved_bytes(ops: Ops) -> int:
    """Return the bytes of flash that tables which are made save."""
    return sum(item.kernel.tabled.saved_bytes for item in ops if item.kernel.tabled)


def _value(plan: Plan) -> int:
    """Return what a plan's made tables are worth, in bytes of flash."""
    return saved_bytes(plan.ops) - _RAM_WORTH * plan.arena_bytes


def _spare(plan: Plan, limit_bytes: int) -> Callable[[int], int]:
    """Return what an operator's working memory may be by the bytes in use, if an arena grows."""
    count = ceil_div(len(plan.steps), 8)
    limit_bytes -= ALIGNMENT_BYTES  # what rounding working memory up may take
    rest = [*plan.rings.values(), *plan.sums.values(), *plan.states.values(), plan.progress]
    used = np.sum([_used(item, count) for item in rest], axis=0)
    order = np.array(plan.steps, np.uint16)

    def spare(index: int) -> int:
        return limit_bytes - int(used[: len(order)][order == index].max(initial=0))

    return spare


def _used(item: Item, count: int) -> Int64Array:
    """Return the bytes that a block takes in each of 8 `count` steps."""
    return round_up(item.bytes, ALIGNMENT_BYTES) * in_steps(item.live, count).astype(np.int64)


def _gap(plan: Plan, index: int, active: int) -> tuple[int, int]:
    """Return where the largest gap in an operator's steps begins, and its size."""
    own = plan.work.get(index)
    return _largest((one for one in plan.items if one is not own and one.live & active), plan)


def _largest(items: Iterable[Item], plan: Plan) -> tuple[int, int]:
    taken: Sequence[tuple[int, int]] = sorted(
        (item.offset, item.offset + item.bytes) for item in items
    )
    best, end = (0, 0), 0
    for first, last in [*taken, (plan.arena_bytes, plan.arena_bytes)]:
        best = max(best, (first - end, end))
        end = max(end, round_up(last, ALIGNMENT_BYTES))
    size, start = best
    return start, size

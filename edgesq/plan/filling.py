"""The strategy for coded weights: an arena of a given size, filled so that operators run fastest.

Decoding is so slow that working memory pays: larger tiles of channels are decoded less often. So
resident blocks are placed first, with large gaps, and each operator runs as its gap allows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edgesq.integers import round_up
from edgesq.plan.allocation import Plan
from edgesq.plan.draft import Draft, Unplaced
from edgesq.plan.greedy import ALIGNMENT_BYTES
from edgesq.plan.overlap import MIN_ROWS, Resident, Rows
from edgesq.plan.placement import Placement, Placer
from edgesq.plan.variants import Front

NEVER = float("inf")
"""Cost of a plan that does not fit."""


@dataclass(frozen=True, eq=False)
class Filling:
    """A draft with the variants of its operators, for an arena of some size.

    Attributes:
        draft: operators, steps and blocks.
        fronts: the variants of each operator.
        fixed: estimated instructions of rows and steps, which no variant changes.
        limit_bytes: size of the arena.
    """

    draft: Draft
    fronts: Sequence[Front]
    fixed: float
    limit_bytes: int

    @cached_property
    def bound(self) -> float:
        """A cost that no placement is below; NEVER if nothing fits."""
        return self._cost(self._placer.gap_bounds())

    def placement(self) -> Placement | None:
        """Return where the cheapest plan that is found has its blocks; None if none fits."""
        found = self._placer.search(self._cost, self.bound) if self.bound < NEVER else None
        return None if found is None or found.cost == NEVER else found

    def plan(self) -> Plan | None:
        """Return the cheapest plan that is found; None if none fits."""
        placement = self.placement()
        if placement is None:
            return None
        ops = tuple(
            front.items[front.best(size) or 0]
            for front, (_, size) in zip(self.fronts, placement.gaps, strict=True)
        )
        placed = [
            *zip(self.draft.residents, placement.offsets, strict=True),
            *(
                (one, placement.gaps[one.key[1]][0])
                for one in self.draft.working(ops)
                if one.block.bytes
            ),
        ]
        end = max(offset + one.block.bytes for one, offset in placed)
        return self.draft.plan(ops, placed, round_up(end, ALIGNMENT_BYTES))

    def residents(self) -> list[Resident]:
        """Return the blocks that are kept, with their rows where they are whole maps."""
        return [Resident(one.block, self._rows(one)) for one in self.draft.residents]

    @cached_property
    def _placer(self) -> Placer:
        schedule = self.draft.schedule
        return Placer(self.residents(), schedule.active, len(schedule.steps), self.limit_bytes)

    def _cost(self, gap_bytes: Sequence[int]) -> float:
        """Return what the operators cost, each in its gap; NEVER if one of them does not fit."""
        total = self.fixed
        for front, size in zip(self.fronts, gap_bytes, strict=True):
            best = front.best(size)
            if best is None:
                return NEVER
            total += front.costs[best]
        return total

    def _rows(self, one: Unplaced) -> Rows | None:
        """Return the rows of a ring that holds a whole map; None for all other blocks."""
        kind, storage = one.key
        if kind != "ring" or one.ring_rows < MIN_ROWS:
            return None
        spans = self.draft.schedule.rows[storage]
        slot = self.draft.lowered.slots[storage]
        if slot is None or len(spans) != one.ring_rows:
            return None
        first, last = np.array([spans[row] for row in range(len(spans))], np.int64).T
        return Rows(first, last, slot.row_bytes)

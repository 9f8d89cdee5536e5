"""Place resident blocks in an arena of a given size so that large gaps are left between them.

Only one operator works in a step, so the working memory of two operators never competes: how much
one of them may use follows from the resident blocks (rings, sums, progress) alone. Before they are
placed, the arena less their sum bounds it; once they are placed, the largest gap between them does.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from edgesq.integers import ceil_div, round_up
from edgesq.plan.arena import in_steps, live_together
from edgesq.plan.greedy import ALIGNMENT_BYTES, Together, highest, lowest
from edgesq.plan.overlap import Leads, Resident, find_leads

MAX_IDLE_TRIALS = 150
"""Placements tried in a row without gain before the search ends with the best one so far."""

_MAX_AT_TOP = 8
"""Longest-lived blocks that the first orders place from the top of the arena down."""

Gap = tuple[int, int]
"""Offset and bytes."""

Order = tuple[tuple[int, ...], frozenset[int]]
"""The order in which blocks are placed, and which of them go as high as possible, not as low."""


@dataclass(frozen=True)
class Placement:
    """Where the resident blocks are, and what they leave.

    Attributes:
        offsets: of the blocks, in bytes.
        gaps: the largest gap beside the blocks live in each operator's steps, by operator.
        cost: of running each operator in its gap.
    """

    offsets: tuple[int, ...]
    gaps: tuple[Gap, ...]
    cost: float


class Placer:
    """Searches for a placement of resident blocks.

    Args:
        residents: the blocks.
        active: bit s is set in an operator's own steps, by operator.
        steps: of the schedule.
        limit_bytes: size of the arena.
    """

    def __init__(
        self,
        residents: Sequence[Resident],
        active: Sequence[int],
        steps: int,
        limit_bytes: int,
    ) -> None:
        self._limit = limit_bytes // ALIGNMENT_BYTES * ALIGNMENT_BYTES
        self._residents = residents
        self._blocks = [one.block for one in residents]
        self._active = active
        self._steps = steps
        self._bytes = [_aligned(block.bytes) for block in self._blocks]
        self._leads: Leads = {}
        self._beside: Together = ()
        self._under: list[list[tuple[int, int, int]]] = []

    def gap_bounds(self) -> tuple[int, ...]:
        """Return the bytes beside the live blocks, by operator: no placement has a larger gap."""
        used = sum((one.used(self._steps) for one in self._residents), np.zeros(self._steps, int))
        return tuple(
            self._limit
            - int(used[in_steps(live, ceil_div(self._steps, 8))[: self._steps] > 0].max())
            for live in self._active
        )

    def search(self, cost: Callable[[Sequence[int]], float], bound: float) -> Placement | None:
        """Return a placement whose gaps make operators cheap; None if the blocks do not fit.

        First some orders by size and by lifetime. Then one block at a time is drawn, with a fixed
        seed, to be placed earlier or later or from the other end; what costs no more is kept.

        Args:
            cost: of the bytes that each operator has; infinite where one of them cannot run.
            bound: a cost that no placement is below; one that reaches it ends the search.
        """
        self._prepare()
        best, order = None, None
        for first in self._orders():
            placement = self._judge(first, cost)
            if placement and (best is None or placement.cost < best.cost):
                best, order = placement, first
            if best and best.cost <= bound:
                return best
        if best is None or order is None:
            return None
        draw, left = Random(len(self._blocks)), MAX_IDLE_TRIALS
        while left and best.cost > bound:
            trial = self._moved(order, draw)
            placement = self._judge(trial, cost)
            left -= 1
            if placement and placement.cost <= best.cost:
                left = MAX_IDLE_TRIALS if placement.cost < best.cost else left
                best, order = placement, trial
        return best

    def _prepare(self) -> None:
        """Find which blocks are live together, where they may overlap, what operators run beside.

        Only the search needs it; bounds are asked for much more often.
        """
        self._beside = live_together(self._blocks)
        self._leads = find_leads(self._residents, self._steps)
        self._under = [self._in_use(live) for live in self._active]

    def _orders(self) -> list[Order]:
        """Return orders by size and by lifetime, with more and more long-lived ones at the top."""
        by_size = sorted(range(len(self._blocks)), key=lambda k: (-self._bytes[k], k))
        by_life = sorted(by_size, key=lambda k: -self._blocks[k].live.bit_count())
        return [
            (tuple(order), frozenset(by_life[:count]))
            for count in range(_MAX_AT_TOP + 1)
            for order in (by_size, by_life)
        ]

    @staticmethod
    def _moved(order: Order, draw: Random) -> Order:
        """Return an order where one block is at the other end, comes earlier or later, or both."""
        blocks, at_top = list(order[0]), order[1]
        place = draw.randrange(len(blocks))
        kind = draw.randrange(3)
        block = blocks[place]
        if kind != 1:
            at_top ^= {block}
        if kind != 0:
            blocks.insert(draw.randrange(len(blocks)), blocks.pop(place))
        return tuple(blocks), at_top

    def _judge(self, order: Order, cost: Callable[[Sequence[int]], float]) -> Placement | None:
        offsets = self._offsets(order)
        if offsets is None:
            return None
        gaps = [
            _largest_gap(
                sorted(
                    (offsets[block] + start, offsets[block] + end) for block, start, end in under
                ),
                self._limit,
            )
            for under in self._under
        ]
        return Placement(offsets, tuple(gaps), cost([size for _, size in gaps]))

    def _offsets(self, order: Order) -> tuple[int, ...] | None:
        """Return offsets, each as low or as high as there is space; None if one has none."""
        blocks, at_top = order
        offsets = [-1] * len(self._blocks)
        for block in blocks:
            size = self._bytes[block]
            taken: list[tuple[int, int]] = []
            for other in self._beside[block]:
                if offsets[other] >= 0:
                    insort(taken, self._taken(block, other, offsets[other]))
            place = highest(taken, size, self._limit) if block in at_top else lowest(taken, size)
            if place < 0 or place + size > self._limit:
                return None
            offsets[block] = place
        return tuple(offsets)

    def _taken(self, block: int, other: int, offset: int) -> tuple[int, int]:
        """Return the bytes that a block must avoid because of another one that is placed.

        Less than all of the other one's where they may overlap: see `overlap.Leads`.
        """
        start, end = offset, offset + self._bytes[other]
        if (other, block) in self._leads:
            end = offset + self._leads[other, block]
        if (block, other) in self._leads:
            start += self._bytes[block] - self._leads[block, other]
        return start, end

    def _in_use(self, live: int) -> list[tuple[int, int, int]]:
        """Return the blocks live in some steps, each with the first and the end byte that are."""
        extents = [one.extent(live, self._steps) for one in self._residents]
        return [(block, *extent) for block, extent in enumerate(extents) if extent[1] > extent[0]]


def _largest_gap(taken: Sequence[tuple[int, int]], limit: int) -> Gap:
    """Return the largest gap between the bytes in use; one at the end wins only if it is larger."""
    best, end_before = (0, 0), 0
    for start, end in taken:
        if start - end_before > best[1]:
            best = end_before, start - end_before
        end_before = max(end_before, end)
    return (end_before, limit - end_before) if limit - end_before > best[1] else best


def _aligned(size: int) -> int:
    return round_up(size, ALIGNMENT_BYTES)

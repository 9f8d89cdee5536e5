"""Place what stays in the arena so that working memory finds room between it.

In each step one operator works, so working memory of two operators never meets: what one of them
may take follows from the blocks that stay (rings, sums, progress) alone. Without a placement their
sum bounds it, with one the largest gap between them does.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from edgesq.integers import ceil_div, round_up
from edgesq.plan.arena import ALIGNMENT_BYTES, in_steps
from edgesq.plan.nests import Leads, Standing, find_leads

PATIENCE = 150
"""Placements that are tried without gain before the best one is taken."""

_HANGING = 8
"""Long-lived blocks that may hang from the top to begin with."""

Gap = tuple[int, int]
"""Offset and bytes."""

Order = tuple[tuple[int, ...], frozenset[int]]
"""In which order blocks are placed, and those that hang from the top."""


@dataclass(frozen=True)
class Placement:
    """Where the blocks that stay are, and what is left.

    Attributes:
        offsets: of the blocks.
        gaps: for each operator the largest gap.
        cost: of these gaps, as judged.
    """

    offsets: tuple[int, ...]
    gaps: tuple[Gap, ...]
    cost: float


class Rooms:
    """Room for working memory beside blocks that stay.

    Args:
        standing: the blocks that stay.
        active: bit s is set in an operator's own steps, by operator.
        steps: of the schedule.
        limit_bytes: size of the arena.
    """

    def __init__(
        self,
        standing: Sequence[Standing],
        active: Sequence[int],
        steps: int,
        limit_bytes: int,
    ) -> None:
        self._limit = limit_bytes // ALIGNMENT_BYTES * ALIGNMENT_BYTES
        self.standing = standing
        self._blocks = [one.block for one in standing]
        self._active = active
        self._steps = steps
        self._bytes = [_aligned(block.bytes) for block in self._blocks]
        self._leads: Leads = {}
        self._beside: list[list[int]] = []
        self._under: list[list[tuple[int, int, int]]] = []

    def most(self) -> tuple[int, ...]:
        """Return the bytes beside what stays, by operator: no placement gives more."""
        used = sum((one.used(self._steps) for one in self.standing), np.zeros(self._steps, int))
        return tuple(
            self._limit
            - int(used[in_steps(live, ceil_div(self._steps, 8))[: self._steps] > 0].max())
            for live in self._active
        )

    def place(self, cost: Callable[[Sequence[int]], float], least: float) -> Placement | None:
        """Place the blocks so that what operators cost in the gaps is low; None if nothing fits.

        Some orders and ends to begin with; then blocks are drawn to be placed earlier or to hang
        from the other end, and what is no worse is kept.

        Args:
            cost: of the bytes that each operator has; infinite where one of them cannot run.
            least: a cost below which there is none.
        """
        blocks = range(len(self._blocks))
        self._beside = [
            [other for other in blocks if self._blocks[other].live & block.live]
            for block in self._blocks
        ]
        self._leads = find_leads(self.standing, self._steps)
        self._under = [self._in_use(live) for live in self._active]
        best, order = None, None
        for first in self._orders():
            placement = self._judge(first, cost)
            if placement and (best is None or placement.cost < best.cost):
                best, order = placement, first
            if best and best.cost <= least:
                return best
        if best is None or order is None:
            return None
        draw, left = Random(len(self._blocks)), PATIENCE
        while left and best.cost > least:
            trial = self._moved(order, draw)
            placement = self._judge(trial, cost)
            left -= 1
            if placement and placement.cost <= best.cost:
                left = PATIENCE if placement.cost < best.cost else left
                best, order = placement, trial
        return best

    def _orders(self) -> list[Order]:
        """Return orders by size and by life, with more and more of what lives long at the top."""
        by_size = sorted(range(len(self._blocks)), key=lambda k: (-self._bytes[k], k))
        by_life = sorted(by_size, key=lambda k: -self._blocks[k].live.bit_count())
        return [
            (tuple(order), frozenset(by_life[:count]))
            for count in range(_HANGING + 1)
            for order in (by_size, by_life)
        ]

    @staticmethod
    def _moved(order: Order, draw: Random) -> Order:
        """Return an order with one block hanging from the other end, placed elsewhere, or both."""
        blocks, hanging = list(order[0]), order[1]
        place = draw.randrange(len(blocks))
        kind = draw.randrange(3)
        block = blocks[place]
        if kind != 1:
            hanging ^= {block}
        if kind != 0:
            blocks.insert(draw.randrange(len(blocks)), blocks.pop(place))
        return tuple(blocks), hanging

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
        """Place blocks in an order, each as low or, where it hangs, as high as there is room."""
        blocks, hanging = order
        offsets = [-1] * len(self._blocks)
        for block in blocks:
            size = self._bytes[block]
            taken: list[tuple[int, int]] = []
            for other in self._beside[block]:
                if offsets[other] >= 0:
                    insort(taken, self._taken(block, other, offsets[other]))
            place = _highest(taken, size, self._limit) if block in hanging else _lowest(taken, size)
            if place < 0 or place + size > self._limit:
                return None
            offsets[block] = place
        return tuple(offsets)

    def _taken(self, block: int, other: int, offset: int) -> tuple[int, int]:
        """Return what another block at an offset takes of a block's room."""
        start, end = offset, offset + self._bytes[other]
        if (other, block) in self._leads:
            end = offset + self._leads[other, block]
        if (block, other) in self._leads:
            start += self._bytes[block] - self._leads[block, other]
        return start, end

    def _in_use(self, live: int) -> list[tuple[int, int, int]]:
        """Return the blocks in use in some steps, with the first and the end byte of what is."""
        extents = [one.extent(live, self._steps) for one in self.standing]
        return [(block, *extent) for block, extent in enumerate(extents) if extent[1] > extent[0]]


def _lowest(taken: list[tuple[int, int]], size: int) -> int:
    place = 0
    for start, end in taken:
        if place + size <= start:
            break
        place = max(place, end)
    return place


def _highest(taken: list[tuple[int, int]], size: int, limit: int) -> int:
    """Return the highest offset below a limit; negative where there is none."""
    top = limit
    for start, end in sorted(taken, key=lambda span: -span[1]):
        if end + size <= top:
            break
        top = min(top, start)
    return top - size


def _largest_gap(taken: Sequence[tuple[int, int]], limit: int) -> Gap:
    """Return the largest gap between what is in use while an operator works."""
    best, end_before = (0, 0), 0
    for start, end in taken:
        if start - end_before > best[1]:
            best = end_before, start - end_before
        end_before = max(end_before, end)
    return (end_before, limit - end_before) if limit - end_before > best[1] else best


def _aligned(size: int) -> int:
    return round_up(size, ALIGNMENT_BYTES)

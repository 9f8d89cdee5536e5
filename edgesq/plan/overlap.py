"""Find live blocks that may overlap: a map that is held whole is live row by row.

Such a map is written row by row and read row by row. Its last rows are free until they are written,
its first ones once they have been read. So one map may follow another through the same memory, some
rows behind it, and working memory may reach into rows that are not live.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array
from edgesq.integers import ceil_div, round_up
from edgesq.plan.arena import Block, in_steps
from edgesq.plan.greedy import ALIGNMENT_BYTES

MIN_ROWS = 4
"""Rows that a map needs to be treated row by row; a lower one is live as a whole."""

Leads = dict[tuple[int, int], int]
"""For pairs of blocks (low, high) by index: how many bytes behind the start of the low block the
high one may start at the earliest. Only pairs that may overlap: the lead is less than the low
block's size."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A map that is held whole.

    Attributes:
        first, last: steps in which each row is in use.
        bytes: of a row.
    """

    first: Int64Array
    last: Int64Array
    bytes: int


@dataclass(frozen=True, eq=False)
class Resident:
    """A block that is kept from step to step, and its rows where it is a whole map."""

    block: Block
    rows: Rows | None = None

    def used(self, steps: int) -> Int64Array:
        """Return the bytes in use in each step; of rows no more than there are."""
        size = _up(self.block.bytes)
        if self.rows is None:
            return size * in_steps(self.block.live, ceil_div(steps, 8))[:steps].astype(np.int64)
        change = np.zeros(steps + 1, np.int64)
        np.add.at(change, self.rows.first, self.rows.bytes)
        np.add.at(change, self.rows.last + 1, -self.rows.bytes)
        return change.cumsum()[:steps]

    def extent(self, live: int, steps: int) -> tuple[int, int]:
        """Return the first and the end byte that are in use in any of some steps."""
        if not self.block.live & live:
            return 0, 0
        size = _up(self.block.bytes)
        if self.rows is None:
            return 0, size
        places = np.flatnonzero(_meet(self.rows, live, steps))
        if not len(places):
            return 0, 0
        start, end = int(places[0]) * self.rows.bytes, (int(places[-1]) + 1) * self.rows.bytes
        return start // ALIGNMENT_BYTES * ALIGNMENT_BYTES, min(_up(end), size)


def find_leads(blocks: Sequence[Resident], steps: int) -> Leads:
    """Return the leads of all pairs of live blocks that may overlap; one of each is a whole map."""
    leads = {}
    for low, first in enumerate(blocks):
        for high, second in enumerate(blocks):
            meet = first.block.live & second.block.live
            if low != high and meet and (first.rows or second.rows):
                lead = _up(_lead(first, second, steps))
                if lead < _up(first.block.bytes):
                    leads[low, high] = lead
    return leads


def _lead(low: Resident, high: Resident, steps: int) -> int:
    """Return by how many bytes the high block's start must follow the low one's.

    Between two whole maps: for any two rows that are live in the same step, the low map's row must
    end before the high map's row begins; the pair that is furthest from that decides.
    """
    if low.rows and high.rows:
        meet = (low.rows.first[:, None] <= high.rows.last) & (
            high.rows.first <= low.rows.last[:, None]
        )
        ends = np.arange(1, len(low.rows.first) + 1)[:, None] * low.rows.bytes
        starts = np.arange(len(high.rows.first)) * high.rows.bytes
        return max(int((ends - starts)[meet].max(initial=0)), 0)
    if low.rows:
        return low.extent(high.block.live, steps)[1]
    return max(_up(low.block.bytes) - high.extent(low.block.live, steps)[0], 0)


def _meet(rows: Rows, live: int, steps: int) -> NDArray[np.bool_]:
    """Say of each row whether it is in use in any of some steps."""
    before = np.zeros(steps + 1, np.int64)
    before[1:] = in_steps(live, ceil_div(steps, 8))[:steps].cumsum()
    met: NDArray[np.bool_] = before[rows.last + 1] > before[rows.first]
    return met


def _up(size: int) -> int:
    return round_up(size, ALIGNMENT_BYTES)

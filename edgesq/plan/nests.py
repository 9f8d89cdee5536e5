"""Find maps that may lie in each other: rows of one are done before rows of the other are made.

A whole map that is read from its first row on frees its rows in order, while a later map is made in
order: where a squeeze follows on a squeeze, each held whole, the new rows can follow the old ones
through the same memory, some rows behind them.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from edgesq.plan.arena import ALIGNMENT_BYTES
from edgesq.plan.lower import Lowered
from edgesq.plan.schedule import Schedule

_LEAST_ROWS = 4
"""Of a map, below which there is nothing to gain."""

Leads = Mapping[tuple[int, int], int]
"""For pairs of blocks (low, high), by index: bytes from the beginning of the low one to where the
high one may begin at the earliest, less than the low one has."""


def find_leads(
    lowered: Lowered, schedule: Schedule, storages: Sequence[int]
) -> dict[tuple[int, int], int]:
    """Return the pairs of rings that may lie in each other.

    Args:
        lowered: slots by number.
        schedule: whose rows' lives decide it.
        storages: the rings, in the order of their blocks.
    """
    whole = {
        index: storage
        for index, storage in enumerate(storages)
        if schedule.ring_rows[storage] == len(schedule.rows[storage]) >= _LEAST_ROWS
    }
    leads = {}
    for low, first in whole.items():
        for high, second in whole.items():
            if low != high and schedule.live[first] & schedule.live[second]:
                lead = _lead(lowered, schedule, first, second)
                if lead < schedule.ring_rows[first] * _row_bytes(lowered, first):
                    leads[low, high] = lead
    return leads


def _lead(lowered: Lowered, schedule: Schedule, low: int, high: int) -> int:
    """Return how far behind the low ring's beginning the high one's must be, in bytes."""
    born_low, last_low = np.array([span for _, span in sorted(schedule.rows[low].items())]).T
    born_high, last_high = np.array([span for _, span in sorted(schedule.rows[high].items())]).T
    meet = (born_low[:, None] <= last_high) & (born_high <= last_low[:, None])
    ends = np.arange(1, len(born_low) + 1)[:, None] * _row_bytes(lowered, low)
    starts = np.arange(len(born_high)) * _row_bytes(lowered, high)
    lead = max(int((ends - starts)[meet].max(initial=0)), 0)
    return -(-lead // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def _row_bytes(lowered: Lowered, storage: int) -> int:
    slot = lowered.slots[storage]
    assert slot is not None
    return slot.row_bytes

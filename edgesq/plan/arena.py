"""Place blocks of memory whose lifetimes are known, so that those alive together do not overlap."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array
from edgesq.integers import ceil_div, round_up
from edgesq.plan.greedy import ALIGNMENT_BYTES, Greedy, Place, Together, highest, lowest

MAX_ATTEMPTS = 12
"""Placements that are tried for each order."""

_MAX_AT_TOP = 24
"""Longest-lived blocks that may be placed from the top of the arena down."""


Placed = tuple[tuple[int, ...], int]
"""Offsets, and the total in bytes."""


@dataclass(frozen=True)
class Block:
    """A block to be placed.

    Attributes:
        bytes: its size.
        live: bit s is set where it is in use in step s.
    """

    bytes: int
    live: int


@lru_cache(maxsize=256)  # plans for several kernel families have most of them in common
def place(
    blocks: tuple[Block, ...], least_bytes: int, enough_bytes: int, together: Together
) -> Placed:
    """Assign offsets, multiples of ALIGNMENT_BYTES; return them and the total in bytes.

    Greedy at the lowest gap that fits: by size; by length of life, longest first; and shortest
    first, which gathers working memory at the bottom. Each order is then improved by placing the
    block that sticks out highest first, MAX_ATTEMPTS times. A total of at most `enough_bytes`, or
    of the most that is in use in a step, ends the search.

    Args:
        blocks: in the order in which equal ones are placed; those of no bytes take no place.
        least_bytes: the most that is in use in a step.
        enough_bytes: a total that is good enough; 0 for none.
        together: what `live_together` returns for them.
    """
    good_bytes = max(enough_bytes, round_up(least_bytes, ALIGNMENT_BYTES))
    orders = _orders(blocks)
    best: Placed = (), sys.maxsize
    for order in orders:
        for attempt in _attempts(blocks, order, together):
            if attempt[1] < best[1]:
                best = attempt
            if best[1] <= good_bytes:
                return best
    if best[1] > enough_bytes >= least_bytes:
        return _from_both_ends(blocks, enough_bytes, orders[:2], together) or best
    return best


def _orders(blocks: Sequence[Block]) -> tuple[list[int], list[int], list[int]]:
    """Return the blocks by size, and by length of life, longest and shortest first."""
    present = (index for index, block in enumerate(blocks) if block.bytes)
    largest = sorted(present, key=lambda k: -blocks[k].bytes)
    lives = [block.live.bit_count() for block in blocks]
    longest = sorted(largest, key=lambda k: -lives[k])
    return largest, longest, sorted(largest, key=lives.__getitem__)


def live_together(blocks: Sequence[Block]) -> Together:
    """Return for each block the others that are in use in one of its steps, itself among them."""
    words = ceil_div(max(block.live.bit_length() for block in blocks), 64)
    lives = b"".join(block.live.to_bytes(8 * words, "little") for block in blocks)
    rows = np.frombuffer(lives, np.uint64).reshape(len(blocks), words)
    return tuple(tuple(np.flatnonzero((rows & row).any(axis=1)).tolist()) for row in rows)


def _from_both_ends(
    blocks: Sequence[Block], limit_bytes: int, orders: Sequence[Sequence[int]], together: Together
) -> Placed | None:
    """Place the longest-lived blocks from a limit down, the rest from 0 up; None if none fits.

    So a block that is live through several phases of a network lies beside their memory, and does
    not cut it in two.

    Args:
        blocks: all of them.
        limit_bytes: of the arena.
        orders: in which they are placed; the last one is by length of life, longest first.
        together: of the blocks.
    """
    top = limit_bytes // ALIGNMENT_BYTES * ALIGNMENT_BYTES
    longest = orders[-1]
    for count in range(1, min(_MAX_AT_TOP, len(longest)) + 1):
        for order in orders:
            offsets = _place_between(blocks, order, frozenset(longest[:count]), top, together)
            if offsets is not None:
                return offsets, top
    return None


def _place_between(
    blocks: Sequence[Block],
    order: Sequence[int],
    at_top: frozenset[int],
    top: int,
    together: Together,
) -> tuple[int, ...] | None:
    """Return offsets: the highest below `top` for blocks `at_top`; None if one has no place."""
    places: dict[int, Place] = {}
    for index in order:
        size = round_up(blocks[index].bytes, ALIGNMENT_BYTES)
        taken = sorted(places[other] for other in together[index] if other in places)
        start = highest(taken, size, top) if index in at_top else lowest(taken, size)
        if start < 0 or start + size > top:
            return None
        places[index] = start, start + size
    return tuple(places[index][0] if index in places else 0 for index in range(len(blocks)))


def used_bytes(blocks: Sequence[Block]) -> Int64Array:
    """Return the bytes in use in each step, up to the last one in which any are."""
    steps = max(block.live.bit_length() for block in blocks)
    used = np.zeros(round_up(steps, 8), np.int64)
    for block in blocks:
        used += np.int64(block.bytes) * in_steps(block.live, len(used) // 8)
    return used


@lru_cache(maxsize=4096)
def in_steps(live: int, count: int) -> NDArray[np.uint8]:
    """Return the first 8 `count` bits of a life, a value each."""
    return np.unpackbits(np.frombuffer(live.to_bytes(count, "little"), np.uint8), bitorder="little")


def _attempts(
    blocks: Sequence[Block], order: Sequence[int], together: Together
) -> Iterator[Placed]:
    """Yield placements, the highest block of each placed first in the next."""
    ranks = [len(order)] * len(blocks)
    for place, index in enumerate(order):
        ranks[index] = place
    greedy = Greedy([block.bytes for block in blocks], ranks, together)
    first = order[0]
    for attempt in range(1, MAX_ATTEMPTS + 1):
        offsets = tuple(start for start, _ in greedy.places)
        yield offsets, greedy.total
        ends = [start + block.bytes for start, block in zip(offsets, blocks, strict=True)]
        top = max(ends)
        highest = min((k for k in order if ends[k] == top), key=ranks.__getitem__)
        if highest == first:
            return
        first, ranks[highest] = highest, -attempt
        greedy.change(highest, blocks[highest].bytes, ranks[highest])

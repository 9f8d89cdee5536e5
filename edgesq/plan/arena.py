"""Place blocks of memory whose lifetimes are known, so that those alive together do not overlap."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgesq.integers import round_up

ALIGNMENT_BYTES = 16

MAX_ATTEMPTS = 12
"""Placements that are tried for each order."""

_MAX_AT_TOP = 24
"""Longest-lived blocks that may be placed from the top of the arena down."""


@dataclass(frozen=True)
class Block:
    """A block to be placed.

    Attributes:
        bytes: its size.
        live: bit s is set where it is in use in step s.
    """

    bytes: int
    live: int


def place(blocks: Sequence[Block], enough_bytes: int = 0) -> tuple[tuple[int, ...], int]:
    """Assign offsets, multiples of ALIGNMENT_BYTES; return them and the total in bytes.

    Greedy at the lowest gap that fits: by size; by length of life, longest first; and shortest
    first, which gathers working memory at the bottom. Each order is then improved by placing the
    block that sticks out highest first, MAX_ATTEMPTS times. A total of at most `enough_bytes`, or
    of the most that is in use in a step, ends the search.
    """
    least_bytes = peak_bytes(blocks)
    good_bytes = max(enough_bytes, round_up(least_bytes, ALIGNMENT_BYTES))
    by_size = sorted(range(len(blocks)), key=lambda k: (-blocks[k].bytes, k))
    orders = (
        by_size,
        sorted(by_size, key=lambda k: -blocks[k].live.bit_count()),
        sorted(by_size, key=lambda k: blocks[k].live.bit_count()),
    )
    together = live_together(blocks)
    best: tuple[tuple[int, ...], int] = (), sys.maxsize
    for order in orders:
        for attempt in _attempts(blocks, order, together):
            if attempt[1] < best[1]:
                best = attempt
            if best[1] <= good_bytes:
                return best
    if best[1] > enough_bytes >= least_bytes:
        return _from_both_ends(blocks, enough_bytes, together) or best
    return best


def live_together(blocks: Sequence[Block]) -> list[list[int]]:
    """Return for each block the others that are in use in one of its steps, itself among them."""
    return [
        [other for other, one in enumerate(blocks) if one.live & block.live] for block in blocks
    ]


def _from_both_ends(
    blocks: Sequence[Block], limit_bytes: int, together: Sequence[Sequence[int]]
) -> tuple[tuple[int, ...], int] | None:
    """Place the longest-lived blocks from a limit down, the rest from 0 up; None if none fits.

    So a block that is live through several phases of a network lies beside their memory, and does
    not cut it in two.
    """
    top = limit_bytes // ALIGNMENT_BYTES * ALIGNMENT_BYTES
    by_size = sorted(range(len(blocks)), key=lambda k: (-blocks[k].bytes, k))
    by_life = sorted(by_size, key=lambda k: -blocks[k].live.bit_count())
    for count in range(1, min(_MAX_AT_TOP, len(blocks)) + 1):
        for order in (by_size, by_life):
            offsets = _place_between(blocks, order, frozenset(by_life[:count]), top, together)
            if offsets is not None:
                return offsets, top
    return None


def _place_between(
    blocks: Sequence[Block],
    order: Sequence[int],
    at_top: frozenset[int],
    top: int,
    together: Sequence[Sequence[int]],
) -> tuple[int, ...] | None:
    """Return offsets: the highest below `top` for blocks `at_top`; None if one has no place."""
    offsets: dict[int, int] = {}
    for index in order:
        block = blocks[index]
        taken = sorted(
            (offsets[other], offsets[other] + blocks[other].bytes)
            for other in together[index]
            if other in offsets
        )
        ends = [top, *(start for start, _ in reversed(taken))]
        starts = [0, *(round_up(end, ALIGNMENT_BYTES) for _, end in taken)]
        places = [(end - block.bytes) // ALIGNMENT_BYTES * ALIGNMENT_BYTES for end in ends]
        free = [
            place
            for place in (places if index in at_top else starts)
            if place >= 0
            and place + block.bytes <= top
            and all(place + block.bytes <= start or end <= place for start, end in taken)
        ]
        if not free:
            return None
        offsets[index] = free[0]
    return tuple(offsets[index] for index in range(len(blocks)))


def peak_bytes(blocks: Sequence[Block]) -> int:
    """Return the most bytes in use in a step: no placement takes less."""
    steps = max(block.live.bit_length() for block in blocks)
    used = np.zeros(round_up(steps, 8), np.int64)
    for block in blocks:
        used += np.int64(block.bytes) * in_steps(block.live, len(used) // 8)
    return int(used.max())


@lru_cache(maxsize=4096)
def in_steps(live: int, count: int) -> NDArray[np.uint8]:
    """Return the first 8 `count` bits of a life, a value each."""
    return np.unpackbits(np.frombuffer(live.to_bytes(count, "little"), np.uint8), bitorder="little")


def _attempts(
    blocks: Sequence[Block], order: list[int], together: Sequence[Sequence[int]]
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield placements, the highest block of each placed first in the next."""
    for _ in range(MAX_ATTEMPTS):
        offsets, total = _place_in_order(blocks, order, together)
        yield offsets, total
        highest = max(order, key=lambda k: offsets[k] + blocks[k].bytes)
        order = [highest, *(k for k in order if k != highest)]


def _place_in_order(
    blocks: Sequence[Block], order: Sequence[int], together: Sequence[Sequence[int]]
) -> tuple[tuple[int, ...], int]:
    places: dict[int, tuple[int, int]] = {}
    for index in order:
        bytes_ = round_up(blocks[index].bytes, ALIGNMENT_BYTES)
        offset = 0
        for start, end in sorted([places[other] for other in together[index] if other in places]):
            if offset + bytes_ <= start:
                break
            if end > offset:
                offset = end
        places[index] = offset, offset + bytes_
    return tuple(places[k][0] for k in range(len(blocks))), max(end for _, end in places.values())

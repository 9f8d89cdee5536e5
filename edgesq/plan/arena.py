"""Place blocks of memory whose lifetimes are known, so that those alive together do not overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

ALIGNMENT_BYTES = 16


@dataclass(frozen=True)
class Block:
    """A block to be placed.

    Attributes:
        bytes: its size.
        live: bit s is set where it is in use in step s.
    """

    bytes: int
    live: int


def place(blocks: Sequence[Block]) -> tuple[tuple[int, ...], int]:
    """Assign offsets, multiples of ALIGNMENT_BYTES; return them and the total in bytes.

    Greedy by size, then by length of life, at the lowest gap that fits: the best of both orders.
    """
    orders = (
        sorted(range(len(blocks)), key=lambda k: (-blocks[k].bytes, k)),
        sorted(
            range(len(blocks)), key=lambda k: (-blocks[k].live.bit_count(), -blocks[k].bytes, k)
        ),
    )
    return min((_place_in_order(blocks, order) for order in orders), key=lambda result: result[1])


def _place_in_order(blocks: Sequence[Block], order: Sequence[int]) -> tuple[tuple[int, ...], int]:
    offsets: dict[int, int] = {}
    total = 0
    for index in order:
        block = blocks[index]
        neighbours = sorted(
            (offsets[other], offsets[other] + blocks[other].bytes)
            for other in offsets
            if blocks[other].live & block.live
        )
        offset = 0
        for start, end in neighbours:
            if offset + block.bytes <= start:
                break
            offset = max(offset, -(-end // ALIGNMENT_BYTES) * ALIGNMENT_BYTES)
        offsets[index] = offset
        total = max(total, offset + block.bytes)
    aligned = -(-total // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    return tuple(offsets[index] for index in range(len(blocks))), aligned

"""Place blocks one after the other, and after a change only those anew that it moves."""

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

from edgesq.integers import round_up

ALIGNMENT_BYTES = 16

Together = Sequence[Sequence[int]]
"""For each block those that are in use in one of its steps, itself among them."""

Rank = tuple[int, ...]
"""Blocks are placed in the order of their ranks; no two have the same."""

Place = tuple[int, int]
"""First and end byte."""


class Greedy:
    """Blocks, each at the lowest gap that those before it leave.

    Args:
        sizes: of the blocks in bytes; those of none take no place.
        ranks: of the blocks.
        together: of the blocks.

    Attributes:
        places: of the blocks.
    """

    def __init__(self, sizes: Sequence[int], ranks: Sequence[Rank], together: Together) -> None:
        self._sizes = [round_up(size, ALIGNMENT_BYTES) for size in sizes]
        self._ranks = list(ranks)
        self._together = together
        self.places: list[Place] = [(0, 0)] * len(sizes)
        self._before = 0, 0, self._ranks[0], list[tuple[int, Place]]()
        for index in sorted(range(len(sizes)), key=self._ranks.__getitem__):
            self.places[index] = self._lowest(index)

    @property
    def total(self) -> int:
        """The highest end of a block."""
        return max(end for _, end in self.places)

    def change(self, index: int, size: int, rank: Rank) -> None:
        """Give a block another size and rank: the places are as if it had had them before.

        A block is placed anew only if one before it, with which it is in use, has moved.
        """
        before, moved = self._ranks[index], list[tuple[int, Place]]()
        self._before = index, self._sizes[index], before, moved
        self._sizes[index], self._ranks[index] = round_up(size, ALIGNMENT_BYTES), rank
        first, ranks = min(rank, before), self._ranks
        waiting = [(ranks[one], one) for one in self._together[index] if ranks[one] >= first]
        heapify(waiting)
        known = {one for _, one in waiting}
        while waiting:
            _, one = heappop(waiting)
            known.discard(one)
            place = self._lowest(one)
            if place != self.places[one]:
                moved.append((one, self.places[one]))
                self.places[one] = place
                for other in self._together[one]:
                    if ranks[other] > ranks[one] and other not in known:
                        known.add(other)
                        heappush(waiting, (ranks[other], other))

    def undo(self) -> None:
        """Take the last change back."""
        index, size, rank, moved = self._before
        self._sizes[index], self._ranks[index] = size, rank
        for one, place in moved:
            self.places[one] = place

    def _lowest(self, index: int) -> Place:
        size, rank, places, ranks = self._sizes[index], self._ranks[index], self.places, self._ranks
        if not size:
            return 0, 0
        before = [places[one] for one in self._together[index] if ranks[one] < rank]
        start = lowest(sorted(before), size)
        return start, start + size


def lowest(taken: Iterable[Place], size: int) -> int:
    """Return the lowest offset at which so many bytes are free; `taken` begins with the lowest."""
    offset = 0
    for start, end in taken:
        if offset + size <= start:
            break
        if end > offset:
            offset = end
    return offset


def highest(taken: Iterable[Place], size: int, limit: int) -> int:
    """Return the highest offset below a limit; negative where there is none."""
    top = limit
    for start, end in sorted(taken, key=lambda span: -span[1]):
        if end + size <= top:
            break
        top = min(top, start)
    return top - size

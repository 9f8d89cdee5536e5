"""Place blocks one after the other, and after a change only those anew that it moves."""

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

from edgesq.integers import round_up

ALIGNMENT_BYTES = 16

Together = tuple[tuple[int, ...], ...]
"""For each block those that are in use in one of its steps, itself among them."""

Place = tuple[int, int]
"""First and end byte."""


class Greedy:
    """Blocks, each at the lowest gap that those before it leave.

    Args:
        sizes: of the blocks in bytes; those of none take no place.
        ranks: blocks are placed in the order of these, those of the same as they are numbered.
        together: of the blocks.

    Attributes:
        places: of the blocks.
    """

    def __init__(self, sizes: Sequence[int], ranks: Sequence[int], together: Together) -> None:
        self._sizes = [round_up(size, ALIGNMENT_BYTES) for size in sizes]
        self._turns = [self._turn(index, rank) for index, rank in enumerate(ranks)]
        self._together = together
        self.places: list[Place] = [(0, 0)] * len(sizes)
        self._before = 0, 0, self._turns[0], list[tuple[int, Place]]()
        for index in sorted(range(len(sizes)), key=self._turns.__getitem__):
            self.places[index] = self._lowest(index)

    def _turn(self, index: int, rank: int) -> int:
        """Return a rank and the number of the block, as one number: these are quick to compare."""
        return rank * len(self._sizes) + index

    @property
    def total(self) -> int:
        """The highest end of a block."""
        return max(end for _, end in self.places)

    def change(self, index: int, size: int, rank: int) -> None:
        """Give a block another size and rank: the places are as if it had had them before.

        A block is placed anew only if one before it, with which it is in use, has moved.
        """
        turns, before, moved = self._turns, self._turns[index], list[tuple[int, Place]]()
        self._before = index, self._sizes[index], before, moved
        self._sizes[index], turns[index] = round_up(size, ALIGNMENT_BYTES), self._turn(index, rank)
        first = min(turns[index], before)
        waiting = [turns[one] for one in self._together[index] if turns[one] >= first]
        heapify(waiting)
        known = set(waiting)
        while waiting:
            turn = heappop(waiting)
            known.discard(turn)
            one = turn % len(turns)
            place = self._lowest(one)
            if place != self.places[one]:
                moved.append((one, self.places[one]))
                self.places[one] = place
                for other in self._together[one]:
                    later = turns[other]
                    if later > turn and later not in known:
                        known.add(later)
                        heappush(waiting, later)

    def undo(self) -> None:
        """Take the last change back."""
        index, size, turn, moved = self._before
        self._sizes[index], self._turns[index] = size, turn
        for one, place in moved:
            self.places[one] = place

    def _lowest(self, index: int) -> Place:
        size, turn, places, turns = self._sizes[index], self._turns[index], self.places, self._turns
        if not size:
            return 0, 0
        before = [places[one] for one in self._together[index] if turns[one] < turn]
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

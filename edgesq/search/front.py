"""Which trials no other beats, and what a new one must not be far behind."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesq.search.records import Needed, Row

GRACE_EPOCHS = 3
"""Every candidate has so many."""


def front(rows: Sequence[Row]) -> tuple[int, ...]:
    """Return the numbers of the trials on the Pareto front, the most accurate first.

    One is on it that was trained whole, and that no other equals or beats in accuracy, RAM, flash
    and instructions at once; of equal ones the first.
    """
    points = [
        (row.number, _point(row)) for row in rows if row.outcome.state == "trained" and _is_own(row)
    ]
    best = [
        (number, mine)
        for number, mine in points
        if not any(
            _beats(theirs, mine) or (theirs == mine and other < number)
            for other, theirs in points
            if other != number
        )
    ]
    return tuple(number for number, mine in sorted(best, key=lambda one: (one[1], one[0])))


@dataclass(frozen=True)
class Rival:
    """A trial that a new one is held against.

    Attributes:
        planned: what it takes.
        curve: its accuracy on validation images, by epoch.
    """

    planned: Needed
    curve: tuple[float, ...]


def rivals(rows: Sequence[Row]) -> tuple[Rival, ...]:
    """Return the trials that were trained whole."""
    return tuple(
        Rival(row.outcome.planned, row.outcome.curve)
        for row in rows
        if row.outcome.state == "trained" and row.same_as is None and row.outcome.planned
    )


def bar_for(planned: Needed, others: Sequence[Rival]) -> tuple[float, ...]:
    """Return by epoch the best accuracy so far of trials that take no more of anything.

    Args:
        planned: what a new candidate takes.
        others: trials that were trained.
    """
    curves = [one.curve for one in others if _takes_no_more(one.planned, planned)]
    longest = max(map(len, curves), default=0)
    best = [max(max(curve[: epoch + 1]) for curve in curves) for epoch in range(longest)]
    return tuple(0.0 if epoch < GRACE_EPOCHS else one for epoch, one in enumerate(best))


def _takes_no_more(one: Needed, other: Needed) -> bool:
    return (
        one.ram_bytes <= other.ram_bytes
        and one.flash_bytes <= other.flash_bytes
        and one.instructions <= other.instructions
    )


def _is_own(row: Row) -> bool:
    return row.same_as is None and row.outcome.needed is not None


def _point(row: Row) -> tuple[float, ...]:
    """Return what is the better the smaller it is."""
    needed, accuracy = row.outcome.needed, row.outcome.accuracy
    assert needed is not None
    assert accuracy is not None
    return -accuracy, needed.ram_bytes, needed.flash_bytes, needed.instructions


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))

"""A search over bands: what makes a plan better is kept, move by move."""

from collections.abc import Callable, Iterable, Iterator

from edgesq.plan.moves import Move
from edgesq.plan.request import Bands

Price = Callable[[Bands, float], float]
"""Says what a plan with some bands costs. Where that is not below the second argument, anything
that is not below it either may be said instead, if that is known sooner."""

Moves = Callable[[Bands], Iterable[Move]]
"""Says which moves there are from some bands."""


class Climb:
    """The best bands so far.

    Args:
        price: what a plan with some bands costs.
        bands: to begin with.
        cost: of those.
        min_gain: part of the cost below which a change does not count as better.

    Attributes:
        bands, cost: of the best plan so far.
        path: all bands that were the best once, the current ones last.
    """

    def __init__(self, price: Price, bands: Bands, cost: float, min_gain: float = 0.0) -> None:
        self.bands = bands
        self.cost = cost
        self.path = [bands]
        self._price = price
        self._min_gain = min_gain

    def follow(self, moves: Moves) -> None:
        """Make each move that helps, once; moves are those from the bands at the beginning."""
        for move in list(moves(self.bands)):
            for trial in self._trials(move):
                cost = self._price(trial, self.cost)
                if cost < self.cost * (1 - self._min_gain):
                    self.bands, self.cost = trial, cost
                    self.path.append(trial)
                    break

    def settle(self, usual: Iterable[Moves], last: Moves) -> None:
        """Make moves until none helps; the last ones, which are many, only where no usual one does.

        Args:
            usual: moves that are made in each round.
            last: moves for rounds in which nothing else helped.
        """
        before = float("inf")
        while self.cost < before:
            before = self.cost
            for moves in usual:
                self.follow(moves)
            if self.cost == before:
                self.follow(last)

    def _trials(self, move: Move) -> Iterator[Bands]:
        for change in move:
            trial = self.bands.changed(change)
            if trial != self.bands:
                yield trial

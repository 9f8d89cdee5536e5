"""Choose band heights for a model whose weights are decoded once per band.

Higher bands are decoded less often; their rows take room that tiles and Winograd's weights want
too, and that other operators' bands want. So bands are raised and lowered as long as the whole plan
becomes faster: those of a Fire module together, of a map height together, each operator's alone;
and where nothing of that helps, room moves from one operator to another. What bands leave room for
bounds what they can give, so most of them are never placed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import permutations

from edgesq.graph import Concatenation, Conv2D, Graph
from edgesq.integers import ceil_div
from edgesq.plan.request import Bands
from edgesq.plan.stream_planner import NEVER, StreamPlanner

HIGHEST = 14
"""Rows of a band that are tried; more is hardly ever there to be had."""

GAIN = 1e-5
"""Part of a plan's instructions below which a change is none."""

Rows = tuple[int, ...]
"""Rows per band, of each convolution."""

Change = dict[int, int]
"""Other rows, by the convolution's place in `Rows`."""


class StreamSearch:
    """A search for the bands of the fastest plan.

    Args:
        graph: the model.
        planner: makes plans within a limit.
    """

    def __init__(self, graph: Graph, planner: StreamPlanner) -> None:
        self._planner = planner
        self._outputs = [op.output for op in graph.ops if isinstance(op, Conv2D)]
        heights = [graph.tensors[output].hwc[0] for output in self._outputs]
        self._choices = [_choices(height) for height in heights]
        self._groups = [
            [self._outputs.index(output) for output in group]
            for group in _groups(graph, self._outputs)
        ]
        self._known: dict[Rows, tuple[float, bool]] = {}

    def best(self) -> Bands:
        """Return the bands; of one row where no others are within the limit."""
        rows: Rows = (1,) * len(self._outputs)
        cost, before = self._cost(rows, NEVER), NEVER
        while cost < before:
            before = cost
            for moves in (self._together, self._alone):
                rows, cost = self._improved(rows, cost, moves)
            if cost == before:
                rows, cost = self._improved(rows, cost, self._exchanged)
        return self.bands(rows)

    def bands(self, rows: Rows) -> Bands:
        """Return what `make_plan` takes."""
        return Bands(by_output=dict(zip(self._outputs, rows, strict=True)))

    def _improved(
        self, rows: Rows, cost: float, moves: Callable[[Rows], Iterator[Change]]
    ) -> tuple[Rows, float]:
        """Return the rows after each move that makes them faster, and what they cost."""
        for change in list(moves(rows)):
            trial = _changed(rows, change)
            if trial != rows and (new := self._cost(trial, cost)) < cost * (1 - GAIN):
                rows, cost = trial, new
        return rows, cost

    def _cost(self, rows: Rows, enough: float) -> float:
        """Return a plan's cost, or something not above it where that is not below `enough`."""
        cost, exact = self._known.get(rows, (0.0, False))
        if not exact and cost < enough:
            draft = self._planner.draft(self.bands(rows))
            cost, exact = self._planner.least(draft), False
            if cost < enough:
                placement = self._planner.place(draft)
                cost, exact = placement.cost if placement else NEVER, True
            self._known[rows] = cost, exact
        return cost

    def _together(self, _: Rows) -> Iterator[Change]:
        """Yield the same rows for a module or a map height."""
        for group in self._groups:
            for band in self._choices[group[0]]:
                yield dict.fromkeys(group, band)

    def _alone(self, rows: Rows) -> Iterator[Change]:
        """Yield fewer and more rows for each convolution."""
        for place in range(len(rows)):
            for band in self._near(rows, place, 2):
                yield {place: band}

    def _exchanged(self, rows: Rows) -> Iterator[Change]:
        """Yield more rows for one convolution and fewer for another."""
        for more, fewer in permutations(range(len(rows)), 2):
            for high in self._near(rows, more, 1):
                for low in self._near(rows, fewer, 1):
                    if high > rows[more] and low < rows[fewer]:
                        yield {more: high, fewer: low}

    def _near(self, rows: Rows, place: int, steps: int) -> list[int]:
        """Return the next choices below and above."""
        choices, now = self._choices[place], rows[place]
        below = [band for band in choices if band < now]
        above = [band for band in choices if band > now]
        return [*below[-steps:], *above[:steps]]


def _changed(rows: Rows, change: Change) -> Rows:
    return tuple(change.get(place, band) for place, band in enumerate(rows))


def _choices(height: int) -> list[int]:
    """Return the least rows for each number of bands."""
    return sorted(
        {ceil_div(height, bands) for bands in range(1, height + 1)} & set(range(HIGHEST + 1))
    )


def _groups(graph: Graph, outputs: list[int]) -> Iterator[list[int]]:
    """Yield convolutions whose bands are raised together.

    Those that write into one concatenation, these with those that read it, and all of a height.
    """
    for joined in graph.ops:
        if isinstance(joined, Concatenation):
            makers = [output for output in joined.inputs if output in outputs]
            readers = [op.output for op in graph.ops if joined.output in op.inputs]
            if makers:
                yield makers
                yield [*makers, *(output for output in readers if output in outputs)]
    by_height: dict[int, list[int]] = defaultdict(list)
    for output in outputs:
        by_height[graph.tensors[output].hwc[0]].append(output)
    yield from (by_height[height] for height in sorted(by_height))

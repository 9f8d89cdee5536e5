"""The ways to run an operator: the more working memory, the faster."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from edgesq.graph import Conv2D, Graph
from edgesq.kernels.coded import MAX_PER_BYTE, more_bytes, stream_ways, winograd_ways
from edgesq.kernels.cost import operator_instructions
from edgesq.kernels.dsp.tables import table_ways
from edgesq.kernels.row_op import RowOp
from edgesq.kernels.work import WINOGRAD_PIXELS, pixel_ways


@dataclass(frozen=True)
class Front:
    """An operator's ways that are worth their memory.

    Attributes:
        items: the operator, least working memory first.
        bytes: of working memory, of each.
        costs: estimated instructions per image, of each: less and less; bytes of flash that a way
            takes more count as some.
    """

    items: tuple[RowOp, ...]
    bytes: tuple[int, ...]
    costs: tuple[float, ...]

    def best(self, room_bytes: int) -> int | None:
        """Return the index of the fastest way that there is room for; None if there is for none."""
        return place - 1 if (place := bisect_right(self.bytes, room_bytes)) else None


class Ways:
    """Fronts of a graph's operators, made when they are asked for.

    Args:
        graph: the model.
        kernels: kernel family.
        streamed: convolutions, by output, whose weights are decoded.
        winograd: outputs of those whose weights may grow for Winograd.
    """

    def __init__(
        self, graph: Graph, kernels: str, streamed: frozenset[int], winograd: frozenset[int]
    ) -> None:
        self._graph = graph
        self._kernels = kernels
        self._streamed = streamed
        self._winograd = winograd
        self._fronts: dict[tuple[int, int, bool], Front] = {}

    def front(self, item: RowOp) -> Front:
        """Return the front of an operator as lowered."""
        key = item.output, item.band_units, item.waits
        if key not in self._fronts:
            self._fronts[key] = self._make(item)
        return self._fronts[key]

    def _make(self, item: RowOp) -> Front:
        ways = [
            (way.work_bytes, self._cost(way), index, way)
            for index, way in enumerate(self._all(item))
        ]
        worth = []
        least = float("inf")
        for size, cost, _, way in sorted(ways, key=lambda each: each[:3]):
            if cost < least:
                worth.append((way, size, cost))
                least = cost
        items, sizes, costs = zip(*worth, strict=True)
        return Front(items, sizes, costs)

    def _cost(self, way: RowOp) -> float:
        instructions = operator_instructions(self._graph, way, self._kernels)
        return instructions + more_bytes(self._graph, way) * MAX_PER_BYTE

    def _all(self, item: RowOp) -> Iterator[RowOp]:
        conv = item.feeder or item.op
        decodes = isinstance(conv, Conv2D) and conv.output in self._streamed
        for way in pixel_ways(self._graph, item, self._kernels, self._winograd):
            if not decodes:
                yield way
                yield from table_ways(self._graph, way, self._kernels)
            elif way.pixels != WINOGRAD_PIXELS:
                yield from stream_ways(self._graph, way, self._kernels)
        if decodes and self._kernels == "dsp":
            yield from winograd_ways(self._graph, item)

"""The ways to run an operator: the more working memory, the faster."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from edgesq.graph import Conv2D, Graph
from edgesq.kernels.coded import more_bytes
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.flash import MAX_PER_BYTE
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.row_op import RowOp


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
        coded: convolutions, by output, whose weights are decoded.
        grown: outputs of those whose weights may grow.
    """

    def __init__(
        self, graph: Graph, kernels: str, coded: frozenset[int], grown: frozenset[int]
    ) -> None:
        self._graph = graph
        self._family = FAMILIES[kernels]
        self._coded = coded
        self._grown = grown
        self._fronts: dict[tuple[int, int, bool], Front] = {}

    def front(self, item: RowOp) -> Front:
        """Return the front of an operator as lowered."""
        key = item.output, item.band_units, item.waits
        if key not in self._fronts:
            self._fronts[key] = self._make(item)
        return self._fronts[key]

    def _make(self, item: RowOp) -> Front:
        ways = [
            (kernel.work_bytes, self._cost(way), index, way)
            for index, kernel in enumerate(self._all(item))
            for way in [replace(item, kernel=kernel)]
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
        instructions = self._family.instructions(self._graph, way)
        conv = way.first
        more = more_bytes(self._graph, conv, way.kernel) if isinstance(conv, Conv2D) else 0
        return instructions + more * MAX_PER_BYTE

    def _all(self, item: RowOp) -> Iterator[Kernel]:
        family, graph = self._family, self._graph
        if item.first.output in self._coded:
            yield from family.coded_kernels(graph, item)
            return
        for kernel in family.kernels(graph, item, item.output in self._grown):
            yield kernel
            yield from family.tabled_kernels(graph, item, kernel)

"""How operators may run: with weights plain or coded, in more working memory or in less."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from edgesq.graph import Graph
from edgesq.kernels.coded import more_bytes
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.flash import MAX_PER_BYTE, grown_outputs
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.row_op import Chain, RowOp
from edgesq.operators import Conv2D
from edgesq.plan.lower import lower
from edgesq.plan.request import Bands, PlanRequest

_Key = tuple[int, int, bool, Chain | None]
"""What an operator's variants depend on."""


@dataclass(frozen=True)
class Front:
    """The variants of an operator that no other one beats in both memory and cost.

    Attributes:
        items: the operator, least working memory first.
        bytes: of working memory, of each.
        costs: of each, less and less: estimated instructions per image, and bytes of flash as so
            many instructions as they are worth.
    """

    items: tuple[RowOp, ...]
    bytes: tuple[int, ...]
    costs: tuple[float, ...]

    def best(self, gap_bytes: int) -> int | None:
        """Return the index of the fastest variant for a gap; None if none fits it."""
        return place - 1 if (place := bisect_right(self.bytes, gap_bytes)) else None


class Variants:
    """The variants of a graph's operators, made when they are asked for.

    Args:
        graph: the model.
        request: the kernel family, which weights are coded, and by how much others may grow.
    """

    def __init__(self, graph: Graph, request: PlanRequest) -> None:
        self._graph = graph
        self._family = FAMILIES[request.kernels]
        self._coded = request.coded
        ops = lower(graph, Bands(), request.coded).ops
        self._grown = grown_outputs(
            graph,
            ops,
            request.kernels,
            request.growth_bytes,
            request.flash_worth,
            request.coded,
        )
        self._fronts: dict[_Key, Front] = {}
        self._by_pixels: dict[_Key, tuple[RowOp, ...]] = {}
        self._costs: dict[_Key, tuple[float, ...]] = {}
        self._tabled: dict[tuple[int, Kernel], tuple[Kernel, ...]] = {}

    def by_pixels(self, item: RowOp) -> tuple[RowOp, ...]:
        """Return an operator with each kernel for plain weights, most pixels at a time first."""
        key = item.output, item.band_units, item.waits, item.chain
        if key not in self._by_pixels:
            self._by_pixels[key] = tuple(
                replace(item, kernel=kernel) for kernel in self._plain(item)
            )
        return self._by_pixels[key]

    def costs(self, item: RowOp) -> tuple[float, ...]:
        """Return what each of these is estimated to take in instructions per image."""
        key = item.output, item.band_units, item.waits, item.chain
        if key not in self._costs:
            costs = (self._family.instructions(self._graph, one) for one in self.by_pixels(item))
            self._costs[key] = tuple(costs)
        return self._costs[key]

    def tabled(self, item: RowOp) -> tuple[RowOp, ...]:
        """Return an operator with its kernel and a table made in parts, the smallest parts first.

        Nothing where the kernel has no table that could be made.
        """
        key = item.output, item.kernel
        if key not in self._tabled:
            self._tabled[key] = tuple(self._family.tabled_kernels(self._graph, item, item.kernel))
        return tuple(replace(item, kernel=kernel) for kernel in self._tabled[key])

    def front(self, item: RowOp) -> Front:
        """Return the variants of an operator that are worth their memory."""
        key = item.output, item.band_units, item.waits, item.chain
        if key not in self._fronts:
            self._fronts[key] = self._front(item)
        return self._fronts[key]

    def _front(self, item: RowOp) -> Front:
        variants = [
            (kernel.work_bytes, self._cost(variant), index, variant)
            for index, kernel in enumerate(self._all(item))
            for variant in [replace(item, kernel=kernel)]
        ]
        worth = []
        least = float("inf")
        for size, cost, _, variant in sorted(variants, key=lambda each: each[:3]):
            if cost < least:
                worth.append((variant, size, cost))
                least = cost
        items, sizes, costs = zip(*worth, strict=True)
        return Front(items, sizes, costs)

    def _cost(self, variant: RowOp) -> float:
        instructions = self._family.instructions(self._graph, variant)
        conv = variant.first
        more = more_bytes(self._graph, conv, variant.kernel) if isinstance(conv, Conv2D) else 0
        return instructions + more * MAX_PER_BYTE

    def _plain(self, item: RowOp) -> Iterator[Kernel]:
        return self._family.kernels(self._graph, item, item.output in self._grown)

    def _all(self, item: RowOp) -> Iterator[Kernel]:
        if item.first.output in self._coded:
            yield from self._family.coded_kernels(self._graph, item)
            return
        for kernel in self._plain(item):
            yield kernel
            yield from self._family.tabled_kernels(self._graph, item, kernel)

"""Plain weights in a larger arena, where kernels that need much working memory are worth it.

Most working memory saves some percent, for which `packing` lets the arena grow by as little.
Weights that are transformed in RAM save more: of how large an arena may be, the best is taken by
the score that plans are judged by.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesq.choices import Goal
from edgesq.graph import Graph
from edgesq.kernels.kernel import Form
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.plan.allocation import Plan
from edgesq.plan.cost import score
from edgesq.plan.packing import ARENA_GROWTH, Packing

_NEVER = float("inf")


@dataclass(frozen=True)
class Worth:
    """What plans of the same bands are judged by.

    Attributes:
        goal: of the plan.
        limit_bytes: most bytes that the arena may take; None for no limit.
        fixed: instructions of rows and steps, which no kernel changes.
    """

    goal: Goal
    limit_bytes: int | None
    fixed: float

    def score(self, arena_bytes: int, kernels: float) -> float:
        """Return what a plan costs.

        Args:
            arena_bytes: of the plan.
            kernels: instructions of its kernels.
        """
        if self.limit_bytes is not None and arena_bytes > self.limit_bytes:
            return _NEVER
        return score(self.goal, arena_bytes, self.fixed + kernels)


@dataclass(frozen=True, eq=False)
class Growth:
    """The kernels that a draft's operators may have, and what those take.

    Attributes:
        packing: of the draft.
        variants: of each operator, the fastest first.
        costs: of these, in instructions.
        worth: what plans are judged by.
    """

    packing: Packing
    variants: Sequence[Sequence[RowOp]]
    costs: Sequence[Sequence[float]]
    worth: Worth

    def better(self, graph: Graph, plan: Plan) -> Plan:
        """Return a plan in a larger arena where that is worth it, else the one that is given."""
        size = self._best_size(plan.arena_bytes)
        if size is None:
            return plan
        limit = size + size // ARENA_GROWTH
        if self.worth.limit_bytes is not None:
            limit = min(limit, self.worth.limit_bytes)
        grown = self.packing.packed(self.packing.within(graph, self.variants, limit), limit)
        return min(plan, grown, key=self._score)

    def _best_size(self, least_bytes: int) -> int | None:
        """Return the best size of an arena above `least_bytes`; None where that is the best."""
        needs = [
            [beside + one.kernel.work_bytes for one in each]
            for beside, each in zip(self.packing.draft.beside_bytes, self.variants, strict=True)
        ]

        def kernels(size: int) -> float:
            total = 0.0
            for costs, each in zip(self.costs, needs, strict=True):
                fitting = (cost for cost, need in zip(costs, each, strict=True) if need <= size)
                total += min(fitting, default=_NEVER)
            return total

        larger = {
            need
            for each, ours in zip(needs, self.variants, strict=True)
            for need, one in zip(each, ours, strict=True)
            if need > least_bytes and one.kernel.form is Form.SQUARES
        }
        sizes = [least_bytes, *sorted(larger)]
        best = min(sizes, key=lambda size: self.worth.score(size, kernels(size)))
        return None if best == least_bytes else best

    def _score(self, plan: Plan) -> float:
        return self.worth.score(plan.arena_bytes, self._kernels(plan.ops))

    def _kernels(self, ops: Ops) -> float:
        """Return the instructions of chosen kernels."""
        found = zip(ops, self.variants, self.costs, strict=True)
        return sum(costs[list(each).index(item)] for item, each, costs in found)

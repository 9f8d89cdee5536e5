"""Make plans: lower, schedule, choose variants, place.

    Graph, Bands --draft--> operators, steps, blocks --variants, placement--> Plan

Plain and coded weights are variants of how an operator runs. What differs is what memory is worth:
plain weights are packed into the smallest arena (`packing`), coded ones fill an arena of a given
size (`filling`).
"""

from edgesq.choices import Goal
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.row_op import RowOp
from edgesq.plan.allocation import Plan
from edgesq.plan.cost import fixed_instructions
from edgesq.plan.draft import Draft, make_draft
from edgesq.plan.filling import Filling
from edgesq.plan.growing import Growth, Worth
from edgesq.plan.lower import Lowered
from edgesq.plan.packing import ARENA_GROWTH, Packing
from edgesq.plan.request import Bands, PlanRequest
from edgesq.plan.tabling import Tables
from edgesq.plan.variants import Variants
from edgesq.plan.walk import Walk, walk


class Planner:
    """Makes plans with different bands; what they have in common is found once.

    Args:
        graph: the model.
        request: what the plans are for.
    """

    def __init__(self, graph: Graph, request: PlanRequest) -> None:
        self.graph = graph
        self.request = request
        self._variants = Variants(graph, request)
        self._tables = Tables(
            graph,
            self._variants,
            request.flash_worth,
            grows=request.goal is Goal.BALANCED,
        )
        self._walks: dict[tuple[int, int, bool], Walk] = {}

    def plan(self, bands: Bands) -> Plan:
        """Return the plan with some bands; the smallest one where none is within the limit.

        Raises:
            ModelError: the model has more operators than the runtime takes.
        """
        draft = self._draft(bands)
        if not self.request.coded:
            packing = Packing(draft)
            return self._tables.made(packing, self._packed(packing))
        limit = self.request.limit_bytes
        if limit is None:
            least = self._smallest(draft)
            limit = least.arena_bytes + least.arena_bytes // ARENA_GROWTH
            return self._filling(draft, limit).plan() or least
        return self._filling(draft, limit).plan() or self._smallest(draft)

    def _packed(self, packing: Packing) -> Plan:
        """Return the plan in a small arena, or in one as large as faster kernels are worth."""
        ops = packing.draft.lowered.ops
        variants = [self._variants.by_pixels(item) for item in ops]
        parts = FAMILIES[self.request.kernels].arena_parts
        plan = packing.packed(*packing.most_pixels(self.graph, variants, parts))
        if self.request.goal is Goal.RAM:
            return plan
        costs = [self._variants.costs(item) for item in ops]
        fixed = fixed_instructions(self.graph, ops, len(packing.draft.schedule.steps))
        worth = Worth(self.request.goal, self.request.limit_bytes, fixed)
        return Growth(packing, variants, costs, worth).better(self.graph, plan)

    def bound(self, bands: Bands) -> tuple[int, float]:
        """Return what no plan with some bands and plain weights is below: arena, cost."""
        draft = self._draft(bands)
        ops, steps = draft.lowered.ops, len(draft.schedule.steps)
        kernels = sum(min(self._variants.costs(item)) for item in ops)
        return draft.least_bytes, fixed_instructions(self.graph, ops, steps) + kernels

    def filling(self, bands: Bands, limit_bytes: int) -> Filling:
        """Return what a plan with coded weights may be within a limit; it is not placed yet."""
        return self._filling(self._draft(bands), limit_bytes)

    def _draft(self, bands: Bands) -> Draft:
        return make_draft(self.graph, bands, self.request.coded, self._walk)

    def _filling(self, draft: Draft, limit_bytes: int) -> Filling:
        fronts = [self._variants.front(item) for item in draft.lowered.ops]
        fixed = fixed_instructions(self.graph, draft.lowered.ops, len(draft.schedule.steps))
        return Filling(draft, fronts, fixed, limit_bytes)

    def _smallest(self, draft: Draft) -> Plan:
        """Return the plan whose operators take the least working memory."""
        least = (self._variants.front(one).items[0] for one in draft.lowered.ops)
        return Packing(draft).packed(tuple(least))

    def _walk(self, lowered: Lowered, op: RowOp) -> Walk:
        key = op.output, op.band_units, op.waits
        if key not in self._walks:
            self._walks[key] = walk(lowered, op)
        return self._walks[key]


def make_plan(graph: Graph, request: PlanRequest | None = None, bands: Bands | None = None) -> Plan:
    """Plan a graph.

    Args:
        graph: the model.
        request: what the plan is for; None for portable kernels. Its goal is not looked at: bands
            decide that.
        bands: rows per step; None for one row each, which takes the least RAM.

    Raises:
        ModelError: the model has more operators than the runtime takes.
    """
    return Planner(graph, request or PlanRequest()).plan(bands or Bands())

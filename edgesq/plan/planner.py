"""Make plans: lower, schedule, choose variants, place.

    Graph, Bands --draft--> operators, steps, blocks --variants, placement--> Plan

Plain and coded weights are variants of how an operator runs. What differs is what memory is worth:
plain weights are packed into the smallest arena (`packing`), coded ones fill an arena of a given
size (`filling`).
"""

from edgesq.arithmetic import Int64Array
from edgesq.choices import Goal
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.row_op import Chain, RowOp
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

GROWTHS = (2, 8)
"""Parts of ARENA_GROWTH by which arenas below bands of one row may be larger for faster kernels: in
the least memory these are slow."""


def _growths(least_bytes: int, limit_bytes: int | None) -> set[int]:
    """Return by how many parts an arena may be larger for faster kernels."""
    if limit_bytes is None:
        return {*GROWTHS}
    most = max((limit_bytes - least_bytes) * ARENA_GROWTH // least_bytes, 0)
    return {min(most, one) for one in GROWTHS} | {max(min(most, GROWTHS[-1]) - 1, 0)}


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
        self._family = FAMILIES[request.kernels]
        self._tables = Tables(
            graph,
            self._variants,
            request.flash_worth,
            grows=request.goal is Goal.BALANCED,
        )
        self._walks: dict[tuple[int, int, bool, Chain | None], Walk] = {}

    def plan(self, bands: Bands) -> Plan:
        """Return the plan with some bands; the smallest one where none is within the limit.

        Raises:
            ModelError: the model has more operators than the runtime takes.
        """
        draft = self.draft(bands)
        if not self.request.coded:
            packing = Packing(draft)
            return self._tables.made(packing, self._packed(packing, bands))
        limit = self.request.limit_bytes
        if limit is None:
            least = self._smallest(draft)
            limit = least.arena_bytes + least.arena_bytes // ARENA_GROWTH
            return self._filling(draft, limit).plan() or least
        return self._filling(draft, limit).plan() or self._smallest(draft)

    def _packed(self, packing: Packing, bands: Bands) -> Plan:
        """Return the plan in a small arena, or in one as large as faster kernels are worth."""
        ops = packing.draft.lowered.ops
        variants = [self._variants.by_pixels(item) for item in ops]
        fixed = fixed_instructions(self.graph, ops, len(packing.draft.schedule.steps))
        worth = Worth(self.request.goal, self.request.limit_bytes, fixed)

        def judged(plan: Plan) -> tuple[float, int]:
            kernels = sum(self._family.instructions(self.graph, item) for item in plan.ops)
            return worth.score(plan.arena_bytes, kernels), plan.arena_bytes

        def packed(parts: int) -> Plan:
            return packing.packed(*packing.most_pixels(self.graph, variants, parts))

        plan = packed(0 if bands.is_below_rows else self._family.arena_parts)
        if bands.is_below_rows and self.request.goal is not Goal.RAM:
            growths = _growths(plan.arena_bytes, self.request.limit_bytes)
            plan = min([plan, *map(packed, growths)], key=judged)
        if self.request.goal is Goal.RAM:
            return plan
        costs = [self._variants.costs(item) for item in ops]
        return Growth(packing, variants, costs, worth).better(self.graph, plan)

    def bound(self, bands: Bands) -> tuple[int, float]:
        """Return what no plan with some bands and plain weights is below: arena, cost."""
        draft = self.draft(bands)
        return draft.least_bytes, self.least_cost(draft)

    def least_cost(self, draft: Draft) -> float:
        """Return the instructions that no plan of a draft is estimated to be below."""
        ops, steps = draft.lowered.ops, len(draft.schedule.steps)
        kernels = sum(self.least_instructions(item) for item in ops)
        return fixed_instructions(self.graph, ops, steps) + kernels

    def least_instructions(self, item: RowOp) -> float:
        """Return what none of an operator's kernels for plain weights is estimated to be below."""
        return min(self._variants.costs(item))

    def least_used(self, draft: Draft) -> Int64Array:
        """Return the bytes in use in each step, with the kernels that work in least memory."""
        work = [self._variants.by_pixels(item)[-1].kernel.work_bytes for item in draft.lowered.ops]
        return draft.used_with(work)

    def filling(self, bands: Bands, limit_bytes: int) -> Filling:
        """Return what a plan with coded weights may be within a limit; it is not placed yet."""
        return self._filling(self.draft(bands), limit_bytes)

    def draft(self, bands: Bands) -> Draft:
        """Return what a plan with some bands is before kernels are chosen.

        Raises:
            ModelError: the model has more operators than the runtime takes.
        """
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
        key = op.output, op.band_units, op.waits, op.chain
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

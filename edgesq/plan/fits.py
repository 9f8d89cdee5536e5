"""Which boards a model fits, and by how much."""

from dataclasses import dataclass, replace
from functools import lru_cache

from edgesq.choices import Goal
from edgesq.graph import Graph
from edgesq.plan.allocation import Plan
from edgesq.plan.fit import flash_parts, needs
from edgesq.plan.planner import make_plan
from edgesq.plan.request import PlanRequest
from edgesq.plan.search import choose
from edgesq.targets import Target, list_targets

NEAR = 0.8
"""Part of the arena of bands of one row each that a search may save; at most 74 % was seen."""


@dataclass(frozen=True)
class Fit:
    """Whether a model fits a board.

    Attributes:
        name: of the target.
        fits: whether it does for certain.
        may_fit: whether it does, or only the linker can tell: the flash holds the weights, and may
            hold what is beside them, of which an upper bound is known.
        flash_to_spare_bytes: at least; None where there is no limit.
        ram_to_spare_bytes: likewise.
    """

    name: str
    fits: bool
    may_fit: bool
    flash_to_spare_bytes: int | None
    ram_to_spare_bytes: int | None

    @classmethod
    def of(cls, graph: Graph, plan: Plan, target: Target) -> "Fit":
        """Return whether a plan fits a board, and by how much."""
        needed, parts = needs(graph, plan, target), flash_parts(graph, plan, target)
        there = {memory: target.region(memory) for memory in ("flash", "ram")}
        flash, ram = (
            None if region is None else region.bytes - needed[memory]
            for memory, region in there.items()
        )
        has_ram = ram is None or ram >= 0
        left_out = 0 if target.is_library else parts.bytes - parts.least_bytes
        fits, may_fit = (has_ram and (flash is None or flash + more >= 0) for more in (0, left_out))
        return cls(target.name, fits, may_fit, flash, ram)


def fits(graph: Graph) -> tuple[Fit, ...]:
    """Return for every board that edgesq's runtime runs on whether a model fits.

    Bands of one row each decide where they fit. The smallest plan is searched for where a board has
    less RAM than that.
    """

    @lru_cache
    def simple(kernels: str) -> Plan:
        return make_plan(graph, PlanRequest(kernels, Goal.RAM))

    @lru_cache
    def smallest(kernels: str) -> Plan:
        return choose(graph, PlanRequest(kernels, Goal.RAM)).plan

    def fit(target: Target) -> Fit:
        plan = simple(target.kernels)
        found = Fit.of(graph, plan, target)
        spare = found.ram_to_spare_bytes
        if spare is None or not -NEAR * plan.arena_bytes < spare < 0:
            return found
        with_ram = replace(target, memory=tuple(m for m in target.memory if m.name != "ram"))
        if not Fit.of(graph, plan, with_ram).may_fit:
            return found
        return Fit.of(graph, smallest(target.kernels), target)

    return tuple(fit(target) for target in list_targets() if target.is_planned)

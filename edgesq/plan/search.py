"""Choose band heights for a goal.

Objective. A plan is judged by its arena in bytes and by estimated instructions. Bands of more rows
save steps, and cost rings:

- ram: the smallest arena; among equals the fewest instructions.
- speed: the fewest instructions whose arena is within the limit; among equals the smallest arena.
- balanced: the smallest arena among plans within the limit that are at most TOLERANCE slower than
  the fastest of them. Estimates are no better than that, so they count as equally fast.

Operators whose maps have the same height share a band height, for they exchange rows. The search
starts with bands of one row and lets each map height in turn take the highest band (a power of two,
or the whole map) that still fits and saves instructions. Where weights are decoded, much more
depends on bands: `search_streams.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from edgesq.choices import Goal
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.plan.cost import ROW_INSTRUCTIONS, STEP_INSTRUCTIONS, plan_instructions
from edgesq.plan.pieces import Plan
from edgesq.plan.planner import make_plan
from edgesq.plan.request import Bands, PlanRequest
from edgesq.plan.search_streams import StreamSearch
from edgesq.plan.stream_planner import StreamPlanner

TOLERANCE = 0.01

CODED_GROWTH = {Goal.SPEED: 4.0, Goal.BALANCED: 1.5}
"""What the arena may take of the smallest one, where weights are coded."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A plan with what it costs.

    Attributes:
        bands: rows per step.
        plan: the plan.
        instructions: estimated, per image.
        cost: by which plans are compared; instructions, but for what bands do not change where
            weights are plain: that is a rough constant.
        request: what `make_plan` makes this plan for; its limit is the one that coded weights fill,
            None where there are none.
        tried: others that were made on the way to it, with plain weights; `curve` takes them.
    """

    bands: Bands
    plan: Plan
    instructions: float
    cost: float
    request: PlanRequest
    tried: tuple["Candidate", ...] = ()


@dataclass(frozen=True, eq=False)
class _Question:
    """What stays the same during a search, and the plans made so far by rows per step."""

    graph: Graph
    request: PlanRequest
    made: dict[tuple[int, ...], Candidate] = field(default_factory=dict)

    def candidate(self, bands: Bands) -> Candidate:
        """Return the plan with these rows, which different bands may come to; made once."""
        rows = self.rows(bands)
        if rows not in self.made:
            self.made[rows] = self.judged(bands, make_plan(self.graph, self.request, bands))
        return self.made[rows]

    def rows(self, bands: Bands) -> tuple[int, ...]:
        """Return the rows per step of each operator."""
        tensors = self.graph.tensors
        return tuple(bands.of(tensors[op.output].hwc[0], op.output) for op in self.graph.ops)

    def judged(self, bands: Bands, plan: Plan) -> Candidate:
        request = self.request
        instructions = plan_instructions(self.graph, plan.ops, len(plan.steps), request.kernels)
        cost = instructions if request.coded else self.plain_cost(plan)
        return Candidate(bands, plan, instructions, cost, request)

    def plain_cost(self, plan: Plan) -> float:
        graph = self.graph
        rows = sum(graph.tensors[item.op.output].hwc[0] for item in plan.ops)
        fixed = rows * ROW_INSTRUCTIONS + len(plan.steps) * STEP_INSTRUCTIONS
        return graph.total_macs * FAMILIES[self.request.kernels].mac_instructions + fixed


def judge(graph: Graph, request: PlanRequest, bands: Bands) -> Candidate:
    """Return the plan with given bands, and what it costs; arguments as for `make_plan`."""
    return _Question(graph, request).candidate(bands)


def choose(graph: Graph, request: PlanRequest) -> Candidate:
    """Return the best plan for a goal.

    Args:
        graph: the model.
        request: the goal, and what the plan is for; where even the smallest plan is above its
            limit, that one is returned.
    """
    goal, limit_bytes = request.goal, request.limit_bytes
    question = _Question(graph, replace(request, limit_bytes=None))
    smallest = question.candidate(Bands())
    if request.coded and goal is not Goal.RAM:
        return _choose_coded(graph, request, smallest.plan.arena_bytes)
    if goal is Goal.RAM:
        # Blocks of the smallest sum may fit together worse than those of a slightly larger one.
        good = [smallest, *_curve(question)]
    else:
        seen = [smallest, *_faster(question, smallest, limit_bytes)]
        fastest = min(candidate.cost for candidate in seen)
        slowest = fastest if goal is Goal.SPEED else fastest * (1 + TOLERANCE)
        good = [candidate for candidate in seen if candidate.cost <= slowest]
    best = min(good, key=lambda candidate: (candidate.plan.arena_bytes, candidate.cost))
    return replace(best, tried=tuple(question.made.values()))


def _choose_coded(graph: Graph, request: PlanRequest, least_bytes: int) -> Candidate:
    """Return the fastest plan within the limit; for `balanced` not far above the smallest arena."""
    most = int(least_bytes * CODED_GROWTH[request.goal])
    within = most if request.limit_bytes is None else min(most, request.limit_bytes)
    question = _Question(graph, replace(request, limit_bytes=max(least_bytes, within)))
    planner = StreamPlanner(graph, question.request)
    bands = StreamSearch(graph, planner).best()
    return question.judged(bands, planner.plan(bands))


def curve(graph: Graph, kernels: str, tried: Sequence[Candidate] = ()) -> list[Candidate]:
    """Return plans from bands of one row to whole maps, one band height for all operators.

    Args:
        graph: the model.
        kernels: kernel family.
        tried: plans of the model that are known, which are not made again.
    """
    question = _Question(graph, PlanRequest(kernels))
    for known in tried:
        if replace(known.request, goal=question.request.goal) == question.request:
            question.made[question.rows(known.bands)] = known
    return _curve(question)


def _curve(question: _Question) -> list[Candidate]:
    heights = _heights(question.graph)
    return [
        question.candidate(Bands(by_height=dict.fromkeys(heights, rows)))
        for rows in _choices(max(heights))
    ]


def _faster(question: _Question, start: Candidate, limit_bytes: int | None) -> Iterator[Candidate]:
    """Yield ever faster candidates within the limit."""
    best = start
    for height in _heights(question.graph):
        for rows in reversed(_choices(height)):
            candidate = question.candidate(Bands(by_height={**best.bands.by_height, height: rows}))
            fits = limit_bytes is None or candidate.plan.arena_bytes <= limit_bytes
            if fits and candidate.cost < best.cost:
                best = candidate
                yield best
                break


def _heights(graph: Graph) -> list[int]:
    """Map heights of the operators, lowest first."""
    return sorted({graph.tensors[op.output].hwc[0] for op in graph.ops})


def _choices(height: int) -> list[int]:
    powers = [1 << bit for bit in range(height.bit_length()) if 1 << bit < height]
    return [*powers, height]

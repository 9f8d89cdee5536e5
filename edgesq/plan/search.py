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

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from edgesq.graph import Graph
from edgesq.plan.cost import ROW_INSTRUCTIONS, STEP_INSTRUCTIONS, plan_instructions
from edgesq.plan.pieces import Plan
from edgesq.plan.planner import make_plan
from edgesq.plan.search_streams import StreamSearch
from edgesq.plan.stream_planner import StreamPlanner

TOLERANCE = 0.01

_MAC_COST = {"portable": 7.2, "dsp": 0.75, "mve": 0.16}
"""Per multiply-accumulate, by kernel family, over SqueezeNet's convolutions: alike for all bands.

More room makes some convolutions faster by a few percent, for several times the arena; so that does
not count.
"""


class Goal(Enum):
    """What a plan is best at."""

    RAM = "ram"
    SPEED = "speed"
    BALANCED = "balanced"


STREAMED_GROWTH = {Goal.SPEED: 4.0, Goal.BALANCED: 1.5}
"""What the arena may take of the smallest one, where weights are decoded."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A plan with what it costs.

    Attributes:
        bands: as for `make_plan`.
        plan: the plan.
        instructions: estimated, per image.
        cost: by which plans are compared; instructions, but for what bands do not change where
            weights are plain: that is a rough constant.
        room_bytes, streamed, limit_bytes: as for `make_plan`.
    """

    bands: dict[int, int]
    plan: Plan
    instructions: float
    cost: float
    room_bytes: int | None
    streamed: frozenset[int] = frozenset()
    limit_bytes: int | None = None


@dataclass(frozen=True, eq=False)
class _Question:
    """What stays the same during a search."""

    graph: Graph
    kernels: str
    room_bytes: int | None = None
    streamed: frozenset[int] = frozenset()
    limit_bytes: int | None = None

    def plan(self, bands: dict[int, int]) -> Plan:
        return make_plan(
            self.graph, bands, self.kernels, self.room_bytes, self.streamed, self.limit_bytes
        )

    def candidate(self, bands: dict[int, int]) -> Candidate:
        return self.judged(bands, self.plan(bands))

    def judged(self, bands: dict[int, int], plan: Plan) -> Candidate:
        instructions = plan_instructions(self.graph, plan.ops, len(plan.steps), self.kernels)
        cost = instructions if self.streamed else self.plain_cost(plan)
        return Candidate(
            bands, plan, instructions, cost, self.room_bytes, self.streamed, self.limit_bytes
        )

    def plain_cost(self, plan: Plan) -> float:
        graph = self.graph
        rows = sum(graph.tensors[item.op.output].hwc[0] for item in plan.ops)
        fixed = rows * ROW_INSTRUCTIONS + len(plan.steps) * STEP_INSTRUCTIONS
        return graph.total_macs * _MAC_COST[self.kernels] + fixed


def judge(
    graph: Graph,
    kernels: str,
    bands: dict[int, int],
    room_bytes: int | None = None,
    streamed: frozenset[int] = frozenset(),
    limit_bytes: int | None = None,
) -> Candidate:
    """Return the plan with given bands, and what it costs; arguments as for `make_plan`."""
    return _Question(graph, kernels, room_bytes, streamed, limit_bytes).candidate(bands)


def choose(
    graph: Graph,
    kernels: str,
    goal: Goal,
    limit_bytes: int | None,
    room_bytes: int | None = None,
    streamed: frozenset[int] = frozenset(),
) -> Candidate:
    """Return the best plan for a goal.

    Args:
        graph: the model.
        kernels: kernel family.
        goal: what to be best at.
        limit_bytes: most bytes the arena may take, None for no limit; where even the smallest plan
            is above it, that one is returned.
        room_bytes: as for `make_plan`.
        streamed: likewise.
    """
    question = _Question(graph, kernels, room_bytes, streamed)
    smallest = question.candidate({})
    if streamed and goal is not Goal.RAM:
        return _choose_streamed(question, smallest.plan.arena_bytes, goal, limit_bytes)
    if goal is Goal.RAM:
        # Blocks of the smallest sum may fit together worse than those of a slightly larger one.
        return min(
            (smallest, *_curve(question)),
            key=lambda candidate: (candidate.plan.arena_bytes, candidate.cost),
        )
    seen = [smallest, *_faster(question, smallest, limit_bytes)]
    fastest = min(candidate.cost for candidate in seen)
    slowest = fastest if goal is Goal.SPEED else fastest * (1 + TOLERANCE)
    good = [candidate for candidate in seen if candidate.cost <= slowest]
    return min(good, key=lambda candidate: (candidate.plan.arena_bytes, candidate.cost))


def _choose_streamed(
    question: _Question, least_bytes: int, goal: Goal, limit_bytes: int | None
) -> Candidate:
    """Return the fastest plan within the limit; for `balanced` not far above the smallest arena."""
    most = int(least_bytes * STREAMED_GROWTH[goal])
    limit = most if limit_bytes is None else max(least_bytes, min(most, limit_bytes))
    roomy = replace(question, limit_bytes=limit)
    planner = StreamPlanner(
        question.graph, question.kernels, question.room_bytes, question.streamed, limit
    )
    bands = StreamSearch(question.graph, planner).best()
    return roomy.judged(bands, planner.plan(bands))


def curve(graph: Graph, kernels: str) -> list[Candidate]:
    """Return plans from bands of one row to whole maps, one band height for all operators."""
    return _curve(_Question(graph, kernels))


def _curve(question: _Question) -> list[Candidate]:
    heights = _heights(question.graph)
    return [question.candidate(dict.fromkeys(heights, rows)) for rows in _choices(max(heights))]


def _faster(question: _Question, start: Candidate, limit_bytes: int | None) -> Iterator[Candidate]:
    """Yield ever faster candidates within the limit."""
    best = start
    for height in _heights(question.graph):
        for rows in reversed(_choices(height)):
            candidate = question.candidate({**best.bands, height: rows})
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

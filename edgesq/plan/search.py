"""Choose bands for a goal.

Objective. A plan is judged by its arena in bytes and by estimated instructions. Bands of more rows
save steps, and cost rings:

- ram: the smallest arena; among equals the fewest instructions.
- speed: the fewest instructions whose arena is within the limit; among equals the smallest arena.
- balanced: the smallest arena among plans within the limit that are at most TOLERANCE slower than
  the fastest of them. Estimates are no better than that, so they count as equally fast.

One search (`climb`) serves all: it starts with bands of one row and keeps each change that helps.
Which changes are tried (`moves`), and what a plan is taken to cost, differs:

- With plain weights a plan costs its rows and steps, and a constant for its kernels. Each map
  height in turn gets the highest band that still fits and saves instructions.
- With coded weights it costs its instructions, and bytes of flash as some of them; the arena may be
  filled up to the limit, which the goal lowers to CODED_GROWTH times the smallest arena. Most bands
  are never placed, because a bound says that they cannot help.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgesq.choices import Goal
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.plan.allocation import Plan
from edgesq.plan.climb import Climb
from edgesq.plan.cost import fixed_instructions, plan_instructions
from edgesq.plan.filling import NEVER
from edgesq.plan.moves import ConvolutionMoves, height_moves, heights_of, powers_of_two
from edgesq.plan.planner import Planner
from edgesq.plan.request import Bands, PlanRequest

TOLERANCE = 0.01

CODED_GROWTH = {Goal.SPEED: 4.0, Goal.BALANCED: 1.5}
"""What the arena may take of the smallest one, where weights are coded."""

MIN_CODED_GAIN = 1e-5
"""Part of a plan's cost below which a change of coded bands does not count as better."""

Rows = tuple[int, ...]
"""Rows per step of each of the graph's operators."""


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


class _Candidates:
    """The candidates of one request, each made once.

    Args:
        planner: makes the plans.

    Attributes:
        made: by rows per step, because different bands may come to the same.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self.made: dict[Rows, Candidate] = {}

    def __getitem__(self, bands: Bands) -> Candidate:
        rows = self.rows(bands)
        if rows not in self.made:
            self.made[rows] = self._judged(bands, self._planner.plan(bands))
        return self.made[rows]

    def rows(self, bands: Bands) -> Rows:
        return _rows(self._planner.graph, bands)

    def price(self, limit_bytes: int | None, bands: Bands) -> float:
        """Return the cost of a plan with plain weights; NEVER where it is above a limit."""
        candidate = self[bands]
        fits = limit_bytes is None or candidate.plan.arena_bytes <= limit_bytes
        return candidate.cost if fits else NEVER

    def of_one_height(self) -> list[Candidate]:
        """Return those with one band height for all operators, from one row to whole maps."""
        heights = heights_of(self._planner.graph)
        choices = powers_of_two(max(heights))
        return [self[Bands(by_height=dict.fromkeys(heights, rows))] for rows in choices]

    def _judged(self, bands: Bands, plan: Plan) -> Candidate:
        graph, request = self._planner.graph, self._planner.request
        steps = len(plan.steps)
        instructions = plan_instructions(graph, plan.ops, steps, request.kernels)
        cost = instructions
        if not request.coded:
            kernels = graph.total_macs * FAMILIES[request.kernels].mac_instructions
            cost = kernels + fixed_instructions(graph, plan.ops, steps)
        return Candidate(bands, plan, instructions, cost, request)


class _Fillings:
    """What plans with coded weights cost within a limit; most are bounded, few are placed.

    Args:
        planner: makes the plans.
        limit_bytes: size of the arena.
    """

    def __init__(self, planner: Planner, limit_bytes: int) -> None:
        self._planner = planner
        self._limit = limit_bytes
        self._known: dict[Rows, tuple[float, bool]] = {}

    def price(self, bands: Bands, enough: float) -> float:
        """Return a plan's cost, or a bound of it where that is not below `enough`."""
        rows = _rows(self._planner.graph, bands)
        cost, is_exact = self._known.get(rows, (0.0, False))
        if not is_exact and cost < enough:
            filling = self._planner.filling(bands, self._limit)
            cost = filling.bound
            if cost < enough:
                placement = filling.placement()
                cost, is_exact = placement.cost if placement else NEVER, True
            self._known[rows] = cost, is_exact
        return cost


def judge(graph: Graph, request: PlanRequest, bands: Bands) -> Candidate:
    """Return the plan with given bands, and what it costs; arguments as for `make_plan`."""
    return _Candidates(Planner(graph, request))[bands]


def choose(graph: Graph, request: PlanRequest) -> Candidate:
    """Return the best plan for a goal.

    Args:
        graph: the model.
        request: the goal, and what the plan is for; where even the smallest plan is above its
            limit, that one is returned.
    """
    candidates = _Candidates(Planner(graph, replace(request, limit_bytes=None)))
    smallest = candidates[Bands()]
    if request.goal is Goal.RAM:
        # Blocks of the smallest sum may fit together worse than those of a slightly larger one.
        good = [smallest, *candidates.of_one_height()]
    elif request.coded:
        return _choose_coded(graph, request, smallest.plan.arena_bytes)
    else:
        good = _fast(graph, request, candidates)
    best = min(good, key=lambda candidate: (candidate.plan.arena_bytes, candidate.cost))
    return replace(best, tried=tuple(candidates.made.values()))


def _fast(graph: Graph, request: PlanRequest, candidates: _Candidates) -> list[Candidate]:
    """Return the plans with plain weights that are as fast as the goal asks for."""
    start = Bands()
    climb = Climb(
        lambda bands, _: candidates.price(request.limit_bytes, bands), start, candidates[start].cost
    )
    climb.follow(lambda _: height_moves(graph))
    slowest = climb.cost if request.goal is Goal.SPEED else climb.cost * (1 + TOLERANCE)
    seen = [candidates[bands] for bands in climb.path]
    return [candidate for candidate in seen if candidate.cost <= slowest]


def _choose_coded(graph: Graph, request: PlanRequest, least_bytes: int) -> Candidate:
    """Return the fastest plan within the limit; for `balanced` not far above the smallest arena."""
    most = int(least_bytes * CODED_GROWTH[request.goal])
    within = most if request.limit_bytes is None else min(most, request.limit_bytes)
    limit = max(least_bytes, within)
    planner = Planner(graph, replace(request, limit_bytes=limit))
    moves = ConvolutionMoves(graph)
    price, start = _Fillings(planner, limit).price, moves.start()
    climb = Climb(price, start, price(start, NEVER), MIN_CODED_GAIN)
    climb.settle((moves.together, moves.alone), moves.exchanged)
    return _Candidates(planner)[climb.bands]


def curve(graph: Graph, kernels: str, tried: Sequence[Candidate] = ()) -> list[Candidate]:
    """Return plans from bands of one row to whole maps, one band height for all operators.

    Args:
        graph: the model.
        kernels: kernel family.
        tried: plans of the model that are known, which are not made again.
    """
    request = PlanRequest(kernels)
    candidates = _Candidates(Planner(graph, request))
    for known in tried:
        if replace(known.request, goal=request.goal) == request:
            candidates.made[candidates.rows(known.bands)] = known
    return candidates.of_one_height()


def _rows(graph: Graph, bands: Bands) -> Rows:
    return tuple(bands.of(graph.tensors[op.output].hwc[0], op.output) for op in graph.ops)

"""Choose bands for a goal.

Objective. A plan is judged by its arena in bytes and by estimated instructions. Bands of more rows
save steps, and cost rings:

- ram: the smallest arena; among equals the fewest instructions.
- speed: the fewest instructions, but twice the RAM must save GAIN of them.
- balanced: the same with a larger GAIN.

One search (`climb`) serves all: it starts with bands of one row and keeps each change that helps.
Which changes are tried (`moves`), and what a plan is taken to cost, differs:

- With plain weights a plan costs its instructions, and GAIN more for each doubling of RAM; for
  `ram` its arena. What tables take that are made while it runs does not count: they follow the
  bands. Each map height in turn gets the band that costs least, until none helps; `ram` and
  `speed` go the ways of the other goals too, so that none is better at what they are for. Most
  bands are never placed, because a bound says that they cannot help.
- With coded weights it costs its instructions, and bytes of flash as some of them; the arena may be
  filled up to the limit, which the goal lowers to CODED_GROWTH times the smallest arena.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from math import inf

from edgesq.choices import Goal
from edgesq.graph import Graph
from edgesq.kernels.row_op import RowOp
from edgesq.plan.allocation import Plan
from edgesq.plan.climb import Climb
from edgesq.plan.cost import plan_instructions, score
from edgesq.plan.descent import MUCH_WORK, WORK, Descent, front
from edgesq.plan.filling import NEVER
from edgesq.plan.moves import ConvolutionMoves, height_moves, heights_of, powers_of_two
from edgesq.plan.planner import Planner
from edgesq.plan.request import Bands, PlanRequest, Rows, rows_of

MOST_COST = {Goal.SPEED: 1.02, Goal.BALANCED: 1.10}
"""Instructions that less RAM may cost, of those of the plan that a descent begins with."""

PLACED = 4
"""Plans of a descent that are placed: those that are best as far as is known before."""

MOST_SHOWN = 2.0
"""Instructions of a plan on a curve, at most, of those of bands of one row."""

SHOWN = 0.93
"""Of a plan's RAM, the most that the next one of a curve may have."""

CODED_GROWTH = {Goal.SPEED: 4.0, Goal.BALANCED: 1.5}
"""What the arena may take of the smallest one, where weights are coded."""

MIN_CODED_GAIN = 1e-5
"""Part of a plan's cost below which a change of coded bands does not count as better."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A plan with what it costs.

    Attributes:
        bands: rows per step.
        plan: the plan.
        instructions: estimated, per image.
        cost: by which plans are compared: instructions, but for tables that are made.
        request: what `make_plan` makes this plan for; with coded weights its limit is the one that
            these fill.
        tried: others that were made on the way to it, with plain weights; `curve` takes them.
    """

    bands: Bands
    plan: Plan
    instructions: float
    cost: float
    request: PlanRequest
    tried: tuple["Candidate", ...] = ()

    def with_in_ram(self, ops: frozenset[int]) -> "Candidate":
        """Return it with the weights and tables of these operators, by index, in RAM."""
        same = ops == self.plan.in_ram
        return self if same else replace(self, plan=replace(self.plan, in_ram=ops))


class _Candidates:
    """The candidates of one request, each made once.

    Args:
        planner: makes the plans.

    Attributes:
        planner: the same.
        made: by rows per step, because different bands may come to the same.
    """

    def __init__(self, planner: Planner) -> None:
        self.planner = planner
        self._bounds: dict[Rows, tuple[int, float]] = {}
        self.made: dict[Rows, Candidate] = {}

    def __getitem__(self, bands: Bands) -> Candidate:
        rows = self.rows(bands)
        if rows not in self.made:
            plan, graph = self.planner.plan(bands), self.planner.graph
            request = self.planner.request
            instructions, cost = (
                plan_instructions(graph, ops, len(plan.steps), request.kernels)
                for ops in (plan.ops, tuple(_untabled(item) for item in plan.ops))
            )
            self.made[rows] = Candidate(bands, plan, instructions, cost, request)
        return self.made[rows]

    def rows(self, bands: Bands) -> Rows:
        return rows_of(self.planner.graph, bands)

    def price(
        self, goal: Goal, limit_bytes: int | None, bands: Bands, enough: float = NEVER
    ) -> float:
        """Return the cost of a plan with plain weights, or a bound that is not below `enough`.

        Args:
            goal: what it is judged by.
            limit_bytes: most bytes that the arena may take; above, it costs NEVER.
            bands: of the plan.
            enough: what is no use to know more exactly.
        """
        rows = self.rows(bands)
        if rows not in self.made:
            if rows not in self._bounds:
                self._bounds[rows] = self.planner.bound(bands)
            bound = _score(goal, *self._bounds[rows], limit_bytes)
            if bound >= enough:
                return bound
        candidate = self[bands]
        return _score(goal, candidate.plan.arena_bytes, candidate.cost, limit_bytes)

    def of_one_height(self) -> list[Candidate]:
        """Return those with one band height for all operators, from one row to whole maps."""
        heights = heights_of(self.planner.graph)
        choices = powers_of_two(max(heights))
        return [self[Bands(by_height=dict.fromkeys(heights, rows))] for rows in choices]


def _score(goal: Goal, arena_bytes: int, cost: float, limit_bytes: int | None) -> float:
    """Return what a goal takes a plan to cost."""
    if limit_bytes is not None and arena_bytes > limit_bytes:
        return NEVER
    return score(goal, arena_bytes, cost)


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
        rows = rows_of(self._planner.graph, bands)
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
    plain = replace(request, limit_bytes=None) if request.coded else request
    candidates = _Candidates(Planner(graph, plain))
    if request.coded and request.goal is not Goal.RAM:
        return _choose_coded(graph, request, candidates[Bands()].plan.arena_bytes)
    limit = None if request.goal is Goal.RAM else request.limit_bytes
    goals = [request.goal] if request.goal is Goal.BALANCED else list(Goal)
    start = Bands()
    if limit is not None and candidates[start].plan.arena_bytes > limit:
        start = _climbed(candidates, graph, Goal.RAM, None, start)
    ways = [_climbed(candidates, graph, goal, limit, start) for goal in goals]
    price = partial(candidates.price, request.goal, limit)
    best = min(ways, key=price)
    if not request.coded:
        best = _lower(candidates, request.goal, limit, best, ways)
    return replace(candidates[best], tried=tuple(candidates.made.values()))


def _lower(
    candidates: _Candidates, goal: Goal, limit_bytes: int | None, best: Bands, ways: list[Bands]
) -> Bands:
    """Return the best bands with what is below them; the smallest where none are within a limit.

    Args:
        candidates: of a model with plain weights.
        goal: what bands are judged by.
        limit_bytes: of an arena.
        best: of the bands that are found without a descent.
        ways: all of these.
    """
    price = partial(candidates.price, goal, limit_bytes)
    if price(best) == NEVER:
        assert limit_bytes is not None
        found = [best, *_within(candidates, limit_bytes)]
        fastest = min(found, key=price)
        if price(fastest) < NEVER:
            return fastest
        least = replace(candidates.planner.request, goal=Goal.RAM, limit_bytes=None)
        found.append(choose(candidates.planner.graph, least).bands)
        return min(found, key=lambda one: candidates[one].plan.arena_bytes)
    starts = [best] if goal is Goal.BALANCED else [Bands(), *ways]
    different = {candidates.rows(bands): bands for bands in starts}
    most = candidates[best].cost * MOST_COST.get(goal, inf)
    lower = [
        bands
        for first in different.values()
        for bands in _below(candidates, goal, first)
        if candidates[bands].cost <= most
    ]
    return min([best, *lower], key=price)


def _below(candidates: _Candidates, goal: Goal, first: Bands) -> list[Bands]:
    """Return bands of less RAM than the first, which are best for a goal as far as is known."""
    descent = Descent(candidates.planner, first, MUCH_WORK if goal is Goal.RAM else WORK)
    most = descent.start.cost * MOST_COST.get(goal, inf)
    places = list(takewhile(lambda one: one.cost <= most, descent.places()))
    places.sort(key=lambda one: _score(goal, one.peak, one.cost, None))
    return [one.bands for one in places[:PLACED]]


def _within(candidates: _Candidates, limit_bytes: int) -> list[Bands]:
    """Return the first bands of a descent that may fit a limit, and those of the least RAM."""
    places = list(Descent(candidates.planner, Bands(), MUCH_WORK).places())
    fitting = [one for one in places if one.peak <= limit_bytes][: 2 * PLACED]
    smallest = min(places, key=lambda one: one.peak)
    return [one.bands for one in (*fitting, smallest)]


def _climbed(
    candidates: _Candidates, graph: Graph, goal: Goal, limit_bytes: int | None, start: Bands
) -> Bands:
    """Return the bands that a search for a goal ends with, from some that are within the limit."""
    price = partial(candidates.price, goal, limit_bytes)
    climb = Climb(price, start, price(start))
    climb.settle((lambda _: height_moves(graph),), lambda _: ())
    return climb.bands


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


def curve(
    graph: Graph,
    kernels: str,
    tried: Sequence[Candidate] = (),
    goal: Goal = Goal.BALANCED,
) -> list[Candidate]:
    """Return plans from the least RAM to bands of one row, and from there to whole maps.

    Below bands of one row are those of a descent, in the smallest arenas; above it those with one
    band height for all operators.

    Args:
        graph: the model.
        kernels: kernel family.
        tried: plans of the model that are known, which are not made again.
        goal: of the plans, apart from their bands.
    """
    request = PlanRequest(kernels, goal)
    candidates = _Candidates(Planner(graph, request))
    for known in tried:
        if known.request == request:
            candidates.made[candidates.rows(known.bands)] = known
    tight = _Candidates(Planner(graph, PlanRequest(kernels, Goal.RAM)))
    places = front(Descent(tight.planner, Bands()).places())
    shown: list[Candidate] = []
    for place in places:
        above = shown[-1].plan.arena_bytes if shown else inf
        if place.peak <= above * SHOWN and place.bands.is_below_rows:
            shown.append(tight[place.bands])
    rows = candidates.of_one_height()
    best = [rows[0]]
    for one in sorted(shown, key=lambda one: (one.instructions, one.plan.arena_bytes)):
        slow = one.instructions > MOST_SHOWN * rows[0].instructions
        if one.plan.arena_bytes < best[-1].plan.arena_bytes and not slow:
            best.append(one)  # placed, not every place is on the front
    return [*best[:0:-1], *rows]


def _untabled(item: RowOp) -> RowOp:
    """Return an operator to be judged as if its table lay in flash."""
    return replace(item, kernel=replace(item.kernel, tabled=None))

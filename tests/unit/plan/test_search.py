"""The search for bands: no plan is made twice, and what is known is not made again."""

from collections.abc import Sequence

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import Bands, Candidate, Goal, PlanRequest, choose, curve, plan_for, search
from edgesq.plan.allocation import Plan
from edgesq.plan.planner import Planner
from edgesq.plan.request import Rows, rows_of
from edgesq.targets import load_target
from support.cases import NETWORKS

Made = list[Rows]


@pytest.fixture
def graph() -> Graph:
    return read_graph(NETWORKS["fire"]())


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """What bands come to, of each plan that is made."""
    plans: Made = []

    class Noted(Planner):
        def plan(self, bands: Bands) -> Plan:
            plans.append(rows_of(self.graph, bands))
            return super().plan(bands)

    monkeypatch.setattr(search, "Planner", Noted)
    return plans


def figures(candidates: Sequence[Candidate]) -> list[tuple[int, tuple[int, ...], float]]:
    return [(one.plan.arena_bytes, tuple(one.plan.steps), one.instructions) for one in candidates]


@pytest.mark.parametrize("goal", Goal)
def test_no_plan_is_made_twice(goal: Goal, graph: Graph, made: Made) -> None:
    chosen = choose(graph, PlanRequest("dsp", goal))
    assert len(chosen.tried) == len(made)
    known = curve(graph, "dsp", chosen.tried, goal)
    assert len(set(made)) == len(made)
    assert figures(known) == figures(curve(graph, "dsp", goal=goal))


def test_plans_for_another_request_are_not_taken(graph: Graph) -> None:
    others = choose(graph, PlanRequest("portable")).tried
    assert figures(curve(graph, "dsp", others)) == figures(curve(graph, "dsp"))


def test_a_plan_that_is_known_is_not_searched_again(graph: Graph, made: Made) -> None:
    target = load_target("mps2-an500")
    chosen = plan_for(graph, target)
    count = len(made)
    assert plan_for(graph, target, chosen=chosen) is chosen
    assert len(made) == count

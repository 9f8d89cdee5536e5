"""No goal is worse at its own measure than another; RAM is paid for by what it saves."""

from math import log2
from pathlib import Path

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import Candidate, Goal, PlanRequest, choose
from edgesq.plan.cost import GAIN
from support.cases import NETWORKS
from support.paths import SHARED

PUBLIC = sorted((SHARED / "models" / "public").glob("*.tflite"))

NEARLY = 1.002
"""`speed` pays RAM too, if 2 % less time than others do: a little less RAM may win."""

BESIDE_BYTES = 4_096
"""RAM of a firmware beside the arena, about."""


def by_goal(graph: Graph, kernels: str) -> dict[Goal, Candidate]:
    return {goal: choose(graph, PlanRequest(kernels, goal)) for goal in Goal}


def check(chosen: dict[Goal, Candidate]) -> None:
    smallest, fastest = chosen[Goal.RAM], chosen[Goal.SPEED]
    for other in chosen.values():
        assert smallest.plan.arena_bytes <= other.plan.arena_bytes
        assert fastest.instructions <= other.instructions * NEARLY
    assert not any(item.kernel.tabled for item in fastest.plan.ops)


@pytest.mark.parametrize("kernels", ["portable", "dsp", "mve"])
@pytest.mark.parametrize("name", ["fire", "every_operator", "residual_over_several_operators"])
def test_goals_of_small_networks(name: str, kernels: str) -> None:
    check(by_goal(read_graph(NETWORKS[name]()), kernels))


@pytest.mark.skipif(not PUBLIC, reason="../shared/models/public is not there")
@pytest.mark.parametrize("kernels", ["dsp", "mve"])
@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.stem)
def test_goals_of_public_networks(path: Path, kernels: str) -> None:
    graph = read_graph(path.read_bytes())
    chosen = by_goal(graph, kernels)
    check(chosen)
    smallest = chosen[Goal.RAM]
    for goal, gain in GAIN.items():
        one = chosen[goal]
        sizes = (plan.plan.arena_bytes + BESIDE_BYTES for plan in (one, smallest))
        doublings = log2(next(sizes) / next(sizes))
        assert one.cost <= smallest.cost * (1 - gain) ** doublings * 1.0001, goal

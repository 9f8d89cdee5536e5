"""Below bands of one row: less RAM step by step, and plans that are sound."""

from dataclasses import replace
from itertools import pairwise

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import Bands, Fusion, Goal, PlanRequest, can_be, choose, curve, make_plan
from edgesq.plan.descent import Descent, Place, front
from edgesq.plan.lower import lower
from edgesq.plan.planner import Planner
from edgesq.plan.search import MOST_COST, judge
from support import keras_networks
from support.cases import NETWORKS
from support.replay import Replay

pytestmark = pytest.mark.slow  # Keras makes the network

REQUEST = PlanRequest("dsp", Goal.RAM)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return read_graph(keras_networks.mobilenet_v2(48))


@pytest.fixture(scope="module")
def places(graph: Graph) -> list[Place]:
    return front(Descent(Planner(graph, REQUEST), Bands()).places())


def test_each_place_of_a_front_takes_less_ram_and_more_time(
    graph: Graph, places: list[Place]
) -> None:
    assert len(places) > 3
    for above, below in pairwise(places):
        assert below.peak < above.peak
        assert below.cost >= above.cost
    assert places[-1].peak * 3 < Planner(graph, REQUEST).draft(Bands()).least_bytes * 2


def test_both_ways_are_gone(places: list[Place]) -> None:
    assert any(place.bands.whole for place in places)
    assert any(place.bands.fused for place in places)


def test_places_are_sound(graph: Graph, places: list[Place]) -> None:
    for place in places[:: max(len(places) // 5, 1)]:
        plan = make_plan(graph, REQUEST, place.bands)
        assert plan.arena_bytes >= place.draft.least_bytes
        Replay(graph, plan).run()


@pytest.mark.parametrize("name", ["fire", "every_operator", "residual_over_several_operators"])
def test_small_networks_are_sound(name: str) -> None:
    graph = read_graph(NETWORKS[name]())
    for place in Descent(Planner(graph, REQUEST), Bands()).places():
        Replay(graph, make_plan(graph, REQUEST, place.bands)).run()


def test_a_whole_map_is_complete_before_it_is_read(graph: Graph) -> None:
    reader = next(op for op in graph.ops if graph.tensors[op.inputs[0]].hwc[0] == 6)
    plan = make_plan(graph, REQUEST, Bands(whole=frozenset({reader.inputs[0]})))
    index = {item.output: number for number, item in enumerate(plan.ops)}
    writer, reads = index[reader.inputs[0]], index[reader.output]
    last = max(step for step, op in enumerate(plan.steps) if op == writer)
    assert min(step for step, op in enumerate(plan.steps) if op == reads) > last
    assert plan.rings[plan.slots[reader.inputs[0]].storage].ring_rows == 6  # type: ignore[union-attr]


def test_a_limit_takes_the_fastest_that_fits(graph: Graph) -> None:
    one_row = judge(graph, REQUEST, Bands())
    smallest = choose(graph, REQUEST)
    limit = (one_row.plan.arena_bytes + smallest.plan.arena_bytes) // 2
    within = choose(graph, PlanRequest("dsp", limit_bytes=limit))
    assert smallest.plan.arena_bytes <= within.plan.arena_bytes <= limit
    assert within.instructions < smallest.instructions


def test_below_all_limits_the_smallest_is_returned(graph: Graph) -> None:
    smallest, nothing = choose(graph, REQUEST), choose(graph, PlanRequest("dsp", limit_bytes=1))
    assert nothing.plan.arena_bytes == smallest.plan.arena_bytes


def test_balanced_pays_no_more_than_it_may(graph: Graph) -> None:
    request = PlanRequest("dsp", Goal.BALANCED)
    chosen = choose(graph, request)
    above = replace(chosen.bands, fused=None, whole=None)
    assert chosen.bands.is_below_rows
    most = judge(graph, request, above).instructions * MOST_COST[Goal.BALANCED]
    assert chosen.instructions <= most


def test_the_same_plan_is_made_again(graph: Graph) -> None:
    chosen = choose(graph, REQUEST)
    assert judge(graph, chosen.request, chosen.bands).plan == chosen.plan


def test_a_curve_goes_from_least_ram_to_whole_maps(graph: Graph) -> None:
    plans = curve(graph, "dsp")
    below = [one for one in plans if one.bands.is_below_rows]
    assert below == plans[: len(below)]
    assert below[0].plan.arena_bytes < plans[len(below)].plan.arena_bytes
    for less, more in pairwise(below):
        assert less.plan.arena_bytes < more.plan.arena_bytes
        assert less.instructions > more.instructions


def test_only_what_a_model_has_can_be(graph: Graph) -> None:
    lowered = lower(graph, Bands())
    outputs = [item.output for item in lowered.ops]
    chain = next(iter(choose(graph, REQUEST).bands.fused or ()))
    assert can_be(graph, Bands(fused=frozenset({chain}), whole=frozenset({outputs[0]})))
    for fused in (
        Fusion((outputs[0], outputs[-1])),
        Fusion(chain.outputs[::-1]),
        Fusion(chain.outputs, not chain.running),
        Fusion((9_999, 10_000)),
        Fusion(()),
    ):
        assert not can_be(graph, Bands(fused=frozenset({fused})))
    twice = frozenset({chain, Fusion(chain.outputs[:-1])})
    assert not can_be(graph, Bands(fused=twice))
    assert not can_be(graph, Bands(whole=frozenset({9_999})))

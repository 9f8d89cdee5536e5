"""The arena grows for weights that are transformed in RAM where the goal's price is met."""

import pytest

from edgesq.errors import FitError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.kernel import Form
from edgesq.plan import Bands, Goal, PlanRequest, choose, make_plan, plan_for
from edgesq.plan.allocation import Plan
from edgesq.targets import load_target
from support.networks import RECTIFIED, Network
from support.tflite_builder import RELU


@pytest.fixture(scope="module")
def graph() -> Graph:
    net = Network((32, 32, 32), RECTIFIED)
    step = net.conv(net.input, 64, (3, 3), activation=RELU, quant=RECTIFIED)
    return read_graph(net.build(net.mean(net.conv(step, 8))))


def squares(plan: Plan) -> bool:
    return any(item.kernel.form is Form.SQUARES for item in plan.ops)


def test_by_goal(graph: Graph) -> None:
    """Ram never pays; the others do, and their plans save what they must."""
    smallest = choose(graph, PlanRequest("dsp", Goal.RAM))
    assert not squares(smallest.plan)
    for goal in (Goal.BALANCED, Goal.SPEED):
        chosen = choose(graph, PlanRequest("dsp", goal))
        assert squares(chosen.plan)
        assert chosen.plan.arena_bytes > smallest.plan.arena_bytes
        assert chosen.instructions < 0.7 * smallest.instructions


def test_within_a_limit(graph: Graph) -> None:
    most = choose(graph, PlanRequest("dsp", Goal.SPEED)).plan.arena_bytes
    for limit in range(most - 64, 0, -most // 8):
        chosen = choose(graph, PlanRequest("dsp", Goal.SPEED, limit)).plan
        least = choose(graph, PlanRequest("dsp", Goal.RAM)).plan.arena_bytes
        assert chosen.arena_bytes <= max(limit, least)


def test_a_limit_is_kept_for_the_plan_that_is_made_again(graph: Graph) -> None:
    free = choose(graph, PlanRequest("dsp", Goal.SPEED))
    chosen = choose(graph, PlanRequest("dsp", Goal.SPEED, free.plan.arena_bytes - 1))
    assert make_plan(graph, chosen.request, chosen.bands) == chosen.plan


def test_other_kernels_do_not_ask_for_more(graph: Graph) -> None:
    """With portable kernels a goal changes nothing for the same bands."""
    plans = [make_plan(graph, PlanRequest("portable", goal), Bands(4)) for goal in Goal]
    assert plans[0].arena_bytes == plans[1].arena_bytes == plans[2].arena_bytes


def test_a_report_tells_the_limit_that_a_board_leaves(graph: Graph) -> None:
    target = load_target("mps2-an500")
    chosen = plan_for(graph, target, Goal.SPEED, ram_limit=100_000)
    assert chosen.request.limit_bytes is not None
    assert chosen.plan.arena_bytes <= chosen.request.limit_bytes < 100_000
    with pytest.raises(FitError):
        plan_for(graph, target, Goal.SPEED, ram_limit=1)

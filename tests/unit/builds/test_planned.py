"""The plan of a report is the one that was made at export, whatever it was made for."""

from edgesq.builds import planned
from edgesq.builds.facts import FirmwareFacts, PlanFacts, RequestFacts
from edgesq.formats.tflite import read_graph
from edgesq.plan import Bands, Goal, PlanRequest, judge, plan_for
from edgesq.project import Layout
from edgesq.targets import load_target
from support.networks import RECTIFIED, Network
from support.reports import report_of
from support.tflite_builder import RELU


def wide() -> bytes:
    """Return a network of many channels, whose tables of requantization are worth making."""
    net = Network((4, 4, 8), RECTIFIED)
    step = net.input
    for _ in range(3):
        step = net.conv(step, 128, activation=RELU, quant=RECTIFIED)
    return net.build(step)


def test_the_plan_of_a_report_is_made_for_its_goal() -> None:
    graph = read_graph(wide())
    target = load_target("mps2-an500")
    tabled = set()
    for goal in Goal:
        chosen = plan_for(graph, target, goal)
        facts = FirmwareFacts(
            target.name, target.kernels, chosen.plan.arena_bytes, PlanFacts.of(chosen)
        )
        request = RequestFacts(Layout.CMAKE, goal, None, None)
        again = planned(report_of(firmware=facts, request=request), graph)
        assert again is not None
        assert again.plan == chosen.plan
        same = judge(graph, PlanRequest(target.kernels, goal), Bands())
        tabled.add(sum(item.kernel.tabled is not None for item in same.plan.ops))
    assert len(tabled) > 1  # goals differ in more than bands

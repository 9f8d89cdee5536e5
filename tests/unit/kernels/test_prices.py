"""What operators are estimated to take, where a formula once left a part out."""

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.plan import make_plan, operator_costs
from support.networks import Network


@pytest.mark.parametrize(
    ("side", "channels", "measured"),
    [(6, 3, 14_125), (32, 4, 450_740)],
)
def test_a_softmax_of_each_pixel(side: int, channels: int, measured: int) -> None:
    """Against instructions of an emulated Cortex-M7, its sum and reciprocal for each pixel."""
    net = Network((side, side, 3))
    graph = read_graph(net.build(net.softmax(net.conv(net.input, channels))))
    costs = operator_costs(graph, make_plan(graph), "dsp")
    assert costs[-1].instructions == pytest.approx(measured, rel=0.25)

"""Dilated and transposed convolutions run on every family's kernels, as plain ones."""

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.flash import codable, takes_coded
from edgesq.kernels.kernel import PHASES, PORTABLE
from edgesq.kernels.phases import phases_of
from edgesq.operators import Conv2D, Convolution, Mean
from edgesq.plan import PlanRequest, make_plan
from edgesq.plan.lower import lower
from edgesq.plan.request import Bands
from support.networks import RECTIFIED, Network
from support.tflite_builder import RELU, SAME

FAST = [name for name in FAMILIES if name != PORTABLE]


def dilated(dilation: tuple[int, int] = (2, 2), height: int = 12) -> Graph:
    net = Network((height, 12, 16), RECTIFIED)
    made = net.conv(net.input, 16, (3, 3), (1, 1), SAME, RELU, RECTIFIED, dilation=dilation)
    return read_graph(net.build(net.mean(made)))


def convolution(graph: Graph) -> Convolution:
    op = graph.ops[0]
    assert isinstance(op, Convolution)
    return op


@pytest.mark.parametrize("family", FAST)
@pytest.mark.parametrize("growth", [None, 1 << 20])
def test_a_fast_family_runs_it_by_its_own_kernel(family: str, growth: int | None) -> None:
    graph = dilated()
    plan = make_plan(graph, PlanRequest(family, growth_bytes=growth))
    assert [item.op.kind for item in plan.ops] == ["CONV_2D", "MEAN"], "none goes into the sums"
    kernel = plan.ops[0].kernel
    assert (kernel.family, kernel.function) == (family, PHASES)
    assert kernel.plain_function == f"esq_run_conv2d_{family}"


@pytest.mark.parametrize("family", FAMILIES)
def test_its_weights_are_never_coded(family: str) -> None:
    graph = dilated()
    conv = convolution(graph)
    assert isinstance(conv, Conv2D)
    assert not takes_coded(graph, conv, family)
    assert codable(graph, family) == frozenset()


@pytest.mark.parametrize("family", FAST)
def test_windows_that_see_nothing_take_the_portable_kernel(family: str) -> None:
    net = Network((4, 12, 16))
    graph = read_graph(net.build(net.conv(net.input, 16, (2, 2), dilation=(9, 9))))
    assert not phases_of(graph, convolution(graph)).see_all
    kernel = make_plan(graph, PlanRequest(family)).ops[0].kernel
    assert (kernel.family, kernel.function) == (PORTABLE, PHASES)


def test_phases_make_every_column_once() -> None:
    for dilation, stride, count in (((2, 2), 1, 2), ((3, 4), 2, 2), ((1, 3), 3, 1), ((5, 1), 1, 1)):
        net = Network((12, 13, 2))
        made = net.conv(net.input, 3, (3, 2), (1, stride), dilation=dilation)
        graph = read_graph(net.build(made))
        phases = phases_of(graph, convolution(graph))
        assert len(phases.all) == count
        columns = [
            phase.output_first + phases.output_step * column
            for phase in phases.all
            for column in range(phase.columns[1])
        ]
        assert sorted(columns) == list(range(graph.tensors[convolution(graph).output].hwc[1]))


def test_taps_of_a_transposed_one_are_shared_out() -> None:
    net = Network((4, 5, 3))
    graph = read_graph(net.build(net.transpose_conv(net.input, 6, (3, 3), (2, 2))))
    phases = phases_of(graph, convolution(graph))
    taps = [one.graph.constant(one.conv.weights).shape[1:3] for one in phases.all]
    assert sorted(taps) == [(1, 1), (1, 2), (2, 1), (2, 2)], "3 x 3 taps in all"
    assert graph.total_macs == 4 * 5 * 3 * 3 * 3 * 6


def test_a_mean_adds_up_a_plain_one_as_it_is_made() -> None:
    plain = dilated((1, 1))
    ops = [item.op for item in lower(plain, Bands()).ops]
    assert [type(op) for op in ops] == [Mean]

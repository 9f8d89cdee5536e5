"""Depthwise convolutions with any window on the DSP extension: packing, memory, and what fits."""

import numpy as np

from edgesq.arithmetic import channel_sums
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.dsp import depthwise, depthwise_windows
from edgesq.kernels.kernel import PORTABLE
from edgesq.operators import DepthwiseConv2D
from edgesq.plan import PlanRequest, make_plan
from support.networks import RECTIFIED, Network
from support.weighted_cases import depthwise_odd, depthwise_random
from support.weighted_cases import depthwise_windows as windows


def conv(kernel: tuple[int, int], shape: tuple[int, int, int] = (6, 9, 4)) -> Graph:
    net = Network(shape, RECTIFIED)
    return read_graph(net.build(net.depthwise(net.input, kernel)))


def only(graph: Graph) -> DepthwiseConv2D:
    (op,) = graph.ops
    assert isinstance(op, DepthwiseConv2D)
    return op


def test_weights_come_back() -> None:
    """As the board unpacks them: bytes 0 and 2 of four are a word's lanes, then 1 and 3."""
    graph = conv((5, 3))
    packed = depthwise_windows.pack(graph, only(graph))
    words = packed.taps.reshape(4, -1, 2, 2).transpose(0, 1, 3, 2).reshape(4, -1, 2)
    taps = words[:, :9].reshape(4, 3, 6)
    rows = channel_sums(graph, only(graph)).rows.reshape(4, 5, 3)
    assert np.array_equal(taps[:, :, :5], rows.transpose(0, 2, 1))
    assert not taps[:, :, 5].any(), "five rows are three pairs"
    assert not words[:, 9:].any()


def test_memory_is_of_three_windows_at_least() -> None:
    """Five columns and two more, of four channels and three pairs of rows; 16 words of weights."""
    graph = conv((5, 5))
    one, three = (depthwise_windows.work_bytes(graph, only(graph), count) for count in (1, 3))
    assert one == three == 4 * (7 * 4 * 3 + 16 + 2)
    plan = make_plan(graph, PlanRequest("dsp"))
    assert plan.ops[0].kernel.pixels >= 3


def test_windows_that_take_too_much_memory_run_portable_c() -> None:
    for kernel, family in (((9, 9), "dsp"), ((31, 31), PORTABLE)):
        assert make_plan(conv(kernel), PlanRequest("dsp")).ops[0].kernel.family == family


def test_cases_reach_every_path() -> None:
    found = set()
    for case in (*depthwise_random(), *windows(), *depthwise_odd(5, 12)):
        op = only(case.graph)
        if not depthwise.fits(case.graph, op):
            right = depthwise_windows.pack(case.graph, op).right
            four = case.graph.tensors[op.inputs[0]].hwc[2] % 4 == 0
            found |= {(bool(end), four) for end in right}
    assert found >= {(True, True), (False, True), (True, False)}

"""Depthwise convolutions on scalar cores: odd channels leave the others their kernel."""

from pathlib import Path

import numpy as np
import pytest

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.kernel import PORTABLE
from edgesq.kernels.scalar import depthwise
from edgesq.kernels.scalar.family import NAME
from edgesq.operators import DepthwiseConv2D
from edgesq.plan import PlanRequest, make_plan
from support.emulated_cases import Case, differing
from support.kernel_cases import images
from support.networks import RECTIFIED, Network, Pair
from support.tflite_builder import NONE, RELU, SAME, TfliteBuilder


def graph_of(bias: list[int], scale: float = 0.002, activation: int = RELU) -> Graph:
    """Return a 3x3 depthwise convolution with these biases."""
    channels = len(bias)
    builder = TfliteBuilder()
    rng = np.random.default_rng(5)
    source = builder.value((1, 5, 6, channels), 1.0, -128)
    result = builder.value((1, 5, 6, channels), 1.0, -128)
    weights = rng.integers(-127, 128, (1, 3, 3, channels)).astype(np.int8)
    inputs = [
        source,
        builder.constant(weights, [scale] * channels, axis=3),
        builder.constant(np.array(bias, np.int32), [scale] * channels),
    ]
    builder.op(
        "DEPTHWISE_CONV_2D",
        inputs,
        result,
        "DepthwiseConv2DOptions",
        padding=SAME,
        strideH=1,
        strideW=1,
        depthMultiplier=1,
        fusedActivationFunction=activation,
    )
    return read_graph(builder.build(source, result))


def op_of(graph: Graph) -> DepthwiseConv2D:
    op = graph.ops[0]
    assert isinstance(op, DepthwiseConv2D)
    return op


DEAD = [700, -1_000_000_000, -40, 1_000_000_000, 3]


def test_a_dead_channel_is_a_sum_without_weights() -> None:
    packed = depthwise.pack(graph_of(DEAD), op_of(graph_of(DEAD)))
    assert packed is not None
    used = np.abs(packed.weights.astype(np.int64)).sum(axis=1) > 0
    assert used.tolist() == [True, False, True, False, True]
    assert np.abs(packed.bias).max() < 1 << 26


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["netduino2", "microbit"])
def test_dead_and_high_channels_are_exact(board: str, tmp_path: Path) -> None:
    """Also sums close to the bound, whose levels are not all the same."""
    high = graph_of([60_000_000, -60_000_000, 26_571_660, 5], 2e-6, NONE)
    cases = [
        Case(name, graph, images(3, graph))
        for name, graph in (("dead", graph_of(DEAD)), ("high", high))
    ]
    assert {case.plan("scalar").ops[0].kernel.family for case in cases} == {"scalar"}
    assert differing(tmp_path, board, cases) == []


def test_a_shift_to_the_left_runs_portable_c() -> None:
    graph = graph_of([1, 2, 3], scale=1.5)
    assert make_plan(graph, PlanRequest("scalar")).ops[0].kernel.family == PORTABLE


@pytest.mark.parametrize(
    ("kernel", "stride", "shape", "each", "family"),
    [
        ((3, 3), 1, (16, 14, 8), 1, NAME),
        ((5, 5), 1, (16, 14, 8), 1, NAME),
        ((2, 2), 1, (16, 14, 8), 1, NAME),
        ((10, 8), 2, (49, 40, 1), 8, NAME),
        ((10, 4), 1, (16, 14, 8), 1, PORTABLE),
        ((7, 7), 1, (16, 14, 8), 1, PORTABLE),
        ((5, 5), 2, (16, 14, 8), 1, PORTABLE),
        ((3, 3), 1, (4, 2, 8), 1, PORTABLE),
    ],
)
def test_windows_for_which_portable_c_is_faster_keep_it(
    kernel: Pair, stride: int, shape: tuple[int, int, int], each: int, family: str
) -> None:
    """Instructions on an M3: 7x7 5.8 per multiply-accumulate in portable C, 10.6 here."""
    net = Network(shape, RECTIFIED)
    step = net.depthwise(
        net.input, kernel, (stride, stride), activation=RELU, quant=RECTIFIED, each=each
    )
    plan = make_plan(read_graph(net.build(step)), PlanRequest(NAME))
    assert plan.ops[0].kernel.family == family

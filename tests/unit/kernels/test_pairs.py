"""ADD, SUB and MUL of two operands: the short forms are exact for all pairs, or there is none."""

from collections.abc import Iterator

import numpy as np
import pytest

from edgesq.combine import combine
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels import pairs
from edgesq.kernels.kernel import PORTABLE, Form
from edgesq.operators import Add, Mul, Sub
from edgesq.plan import PlanRequest, make_plan
from support.networks import Network, Quant
from support.tflite_builder import NONE, RELU

EVERY = np.arange(-128, 128, dtype=np.int64)


def graph_of(kind: str, one: Quant, two: Quant, out: Quant, activation: int = NONE) -> Graph:
    net = Network((2, 2, 2), one)
    other = net.conv(net.input, 2, quant=two)
    return read_graph(net.build(net.binary(net.input, other, kind, out, activation)))


def scales(kind: str) -> Iterator[tuple[Quant, Quant, Quant]]:
    """Yield what trained networks have: outputs about as wide as their operands, any zero point."""
    rng = np.random.default_rng(11)
    for _ in range(30):
        one, two = (float(np.float32(10 ** rng.uniform(-2.5, -0.5))) for _ in range(2))
        out = one * two * rng.uniform(50, 400) if kind == "MUL" else max(one, two)
        zero_points = [int(rng.choice([-128, 0, int(rng.integers(-128, 128))])) for _ in range(3)]
        out *= 1 if kind == "MUL" else rng.uniform(0.5, 2.5)
        yield (one, zero_points[0]), (two, zero_points[1]), (float(out), zero_points[2])


def levels(graph: Graph) -> np.ndarray:
    """Return what the short form of the last operator makes of every pair."""
    op = graph.ops[-1]
    if isinstance(op, Mul):
        found = pairs.multiplied(graph, op)
        assert found is not None
        one, two = (EVERY - graph.tensors[index].zero_point for index in op.operands)
        return np.clip(found.levels(one[:, np.newaxis] * two), -128, 127)
    assert isinstance(op, Add | Sub)
    line = pairs.summed(graph, op)
    assert line is not None
    return np.clip(line.levels(), -128, 127)


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_usual_scales_have_a_short_form(kind: str) -> None:
    for one, two, out in scales(kind):
        graph = graph_of(kind, one, two, out)
        op = graph.ops[-1]
        assert isinstance(op, Add | Sub | Mul)
        right = np.clip(combine(graph, op, EVERY[:, np.newaxis], EVERY), -128, 127)
        assert np.array_equal(levels(graph), right)


def test_ties_are_corrected_by_the_other_operand() -> None:
    """A slope of 31 / 50 has sums that end in a half; no slope in 20 bits rounds all of them."""
    graph = graph_of("ADD", (0.031, -128), (0.05, -5), (0.05, -5))
    op = graph.ops[-1]
    assert isinstance(op, Add)
    found = pairs.summed(graph, op)
    assert found is not None
    assert found.corrected == 0


def test_a_clamp_cuts_a_sum() -> None:
    graph = graph_of("ADD", (0.05, 0), (0.07, 0), (0.05, 3), RELU)
    op = graph.ops[-1]
    assert isinstance(op, Add)
    assert op.clamp == (3, 127)
    right = combine(graph, op, EVERY[:, np.newaxis], EVERY)
    assert np.array_equal(np.clip(levels(graph), *op.clamp), np.clip(right, *op.clamp))


@pytest.mark.parametrize("kind", ["ADD", "MUL"])
def test_others_round_as_tensorflow_lite_does(kind: str) -> None:
    """Slopes past 32 bits, no shift to the right."""
    graph = graph_of(kind, (0.05, 0), (0.07, 0), (1e-5, 0))
    kernel = make_plan(graph, PlanRequest("scalar")).ops[-1].kernel
    assert (kernel.family, kernel.form) == (PORTABLE, Form.DIRECT)

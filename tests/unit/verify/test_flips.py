"""A flipped bit in a convolution's weights is named, whatever its kernel makes of its table."""

from dataclasses import replace

import numpy as np
import pytest

from edgesq.builds.operators import Operator, operators_of
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, Int8Array
from edgesq.kernels.dsp.tables import tabled_kernels
from edgesq.operators import Conv2D
from edgesq.plan import PlanRequest, make_plan
from edgesq.reference import run
from edgesq.verify.case import Case
from edgesq.verify.diagnose import Cause, diagnose
from support.networks import RECTIFIED, Network, images
from support.tflite_builder import RELU

SHAPE = (7, 6, 8)
BIT = 4


def network() -> Graph:
    net = Network(SHAPE, RECTIFIED)
    return read_graph(net.build(net.conv(net.input, 64, (3, 3), activation=RELU, quant=RECTIFIED)))


def table_of(graph: Graph, kernels: str, *, tabled: bool) -> tuple[Operator, ...]:
    plan = make_plan(graph, PlanRequest(kernels))
    (item,) = plan.ops
    if tabled:
        kernel = next(iter(tabled_kernels(graph, item, item.kernel)))
        plan = replace(plan, ops=(replace(item, kernel=kernel),))
    return operators_of(graph, plan)


def damaged(graph: Graph, *, in_lane: bool) -> tuple[Graph, str]:
    """Return the graph with one bit of one weight flipped, and the name of that weight.

    Of a lane 256 A + B with a negative B, the upper byte holds A - 1. So a bit of it that flips
    from 0 to 1 adds to A even where the same bit of A is 1 already.
    """
    (op,) = graph.ops
    assert isinstance(op, Conv2D)
    data = graph.constant(op.weights).astype(np.int8)
    is_set = data >> BIT & 1 == 1
    upper, lower = data[0::2], data[1::2]
    fits = is_set[0::2] & (lower < 0) & (upper - 1 >> BIT & 1 == 0) if in_lane else ~is_set[0::2]
    place = tuple(int(at) for at in np.argwhere(fits)[0])
    place = (2 * place[0], *place[1:])
    data[place] += np.int8(1 << BIT)
    tensors = list(graph.tensors)
    tensors[op.weights] = replace(tensors[op.weights], data=data)
    return replace(graph, tensors=tuple(tensors)), str(list(place))


def case_of(graph: Graph, image: Int8Array, output: Int8Array) -> Case:
    values = run(graph, image)
    return Case(values, values[graph.output], (values[graph.input],), output)


@pytest.mark.parametrize(
    ("kernels", "tabled"), [("portable", False), ("dsp", False), ("dsp", True)]
)
def test_a_bit_of_a_weight_is_named(kernels: str, *, tabled: bool) -> None:
    graph = network()
    operators = table_of(graph, kernels, tabled=tabled)
    assert (operators[0].family, operators[0].tabled) == (kernels, tabled)
    wrong, weight = damaged(graph, in_lane=kernels == "dsp")
    cases = [case_of(graph, image, run(wrong, image)[graph.output]) for image in images(SHAPE, 2)]
    found = diagnose(graph, operators, operators[0], cases)
    assert found.cause is Cause.WEIGHTS
    assert f"bit {BIT} of weight {weight}" in found.detail

"""A flipped bit in a table or a constant is found by what it does to the output."""

from dataclasses import replace

import numpy as np
import pytest

from edgesq.builds.operators import Operator, operators_of
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, Int8Array
from edgesq.kernels.affine import stored_affine
from edgesq.kernels.families import FAMILIES
from edgesq.operators import Binary
from edgesq.plan import PlanRequest, make_plan
from edgesq.reference import run
from edgesq.verify.case import Case
from edgesq.verify.diagnose import Cause, diagnose
from support.networks import FINER, USUAL, Network, images


def table_of(graph: Graph, kernels: str) -> tuple[Operator, ...]:
    return operators_of(graph, make_plan(graph, PlanRequest(kernels)))


def case_of(graph: Graph, image: Int8Array, output: Int8Array) -> Case:
    values = run(graph, image)
    (op,) = graph.ops
    inputs = tuple(values[index] for index in op.inputs)
    return Case(values, values[op.output], inputs, output)


def judged(graph: Graph, kernels: str, cases: list[Case]) -> tuple[Cause, str]:
    operators = table_of(graph, kernels)
    found = diagnose(graph, operators, operators[0], cases)
    return found.cause, found.detail


def wide() -> Network:
    return Network((9, 8, 6), USUAL)


@pytest.mark.parametrize("bit", range(8))
def test_a_bit_of_a_table(bit: int) -> None:
    net = wide()
    graph = read_graph(net.build(net.unary(net.input, "HARD_SWISH", FINER)))
    image = images((9, 8, 6), 1)[0]
    output = run(graph, image)[graph.output].copy()
    hit = image == image[0, 0, 0]
    output[hit] = (output[hit].view(np.uint8) ^ np.uint8(1 << bit)).view(np.int8)
    cause, detail = judged(graph, "dsp", [case_of(graph, image, output)])
    assert cause is Cause.WEIGHTS
    assert f"bit {bit} of answer {image[0, 0, 0]}" in detail


@pytest.mark.parametrize("kernels", ["portable", "dsp", "mve"])
@pytest.mark.parametrize(("name", "bit"), [("slope", 12), ("slope", 27), ("offset", 20)])
def test_a_bit_of_slope_or_offset(kernels: str, name: str, bit: int) -> None:
    net = wide()
    graph = read_graph(net.build(net.by_constant(net.input, "ADD", (6,), FINER, USUAL)))
    (op,) = graph.ops
    assert isinstance(op, Binary)
    stored = stored_affine(graph, op, FAMILIES[kernels].affine_drops)
    image = images((9, 8, 6), 1)[0]
    output = run(graph, image)[graph.output].copy()
    line = [int(stored.slope[4]), int(stored.offset[4])]
    bit += 0 if kernels != "dsp" else 3 if bit == 27 else -5 if name == "offset" else 11
    line[name == "offset"] ^= 1 << bit
    levels = stored.levels(image[..., 4], line[0], line[1])
    output[..., 4] = np.clip(levels, *op.clamp)
    cause, detail = judged(graph, kernels, [case_of(graph, image, output)])
    assert cause is Cause.WEIGHTS
    assert f"bit {bit} of {name} [4]" in detail


def test_a_bit_of_a_constant() -> None:
    """Where MUL has no slope and offset, its constants are there themselves."""
    for seed in range(40):
        net = Network((9, 8, 6), USUAL, seed)
        scaled = net.by_constant(net.input, "MUL", (6,), (0.0173, -90), (0.031, 0), first=True)
        graph = read_graph(net.build(scaled))
        if "_mul" in table_of(graph, "dsp")[0].function:
            break
    assert "_mul" in table_of(graph, "dsp")[0].function
    (op,) = graph.ops
    (constant,) = graph.constants(op)
    tensor = graph.tensors[constant]
    assert tensor.data is not None
    data = tensor.data.copy()
    data[2] = np.int8(data[2]) ^ np.int8(16)
    tensors = list(graph.tensors)
    tensors[constant] = replace(tensor, data=data)
    image = images((9, 8, 6), 1)[0]
    output = run(replace(graph, tensors=tuple(tensors)), image)[graph.output]
    cause, detail = judged(graph, "dsp", [case_of(graph, image, output)])
    assert cause is Cause.WEIGHTS
    assert "bit 4 of constant [2]" in detail


def test_what_no_bit_explains() -> None:
    net = wide()
    graph = read_graph(net.build(net.unary(net.input, "RELU", FINER)))
    image = images((9, 8, 6), 1)[0]
    output = run(graph, image)[graph.output].copy()
    output[3, 4, 5] = -77
    cause, _ = judged(graph, "dsp", [case_of(graph, image, output)])
    assert cause is Cause.UNKNOWN

"""FULLY_CONNECTED: rounded once, as TensorFlow Lite's reference kernel does with a float64."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesq import arithmetic
from edgesq.formats.onnx import integer_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph
from edgesq.operators import FullyConnected
from edgesq.reference import run_observed
from support.networks import Network
from support.tflite_builder import NONE, RELU, RELU6
from support.tflite_edits import refusal


def dense(
    seed: int, scales: tuple[float, float], zero_points: tuple[int, int], **options: Any
) -> bytes:
    """Return 300 outputs of 24 values, all with weights of their own."""
    net = Network((1, 1, 24), (scales[0], zero_points[0]), seed)
    return net.build(net.dense(net.input, 300, quant=(scales[1], zero_points[1]), **options))


def op_of(graph: Graph) -> FullyConnected:
    (op,) = graph.ops
    assert isinstance(op, FullyConnected)
    return op


@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(
    st.integers(0, 1000),
    st.tuples(st.floats(1e-4, 10.0), st.floats(1e-4, 10.0)),
    st.tuples(st.integers(-128, 127), st.integers(-128, 127)),
    st.sampled_from([NONE, RELU, RELU6]),
    st.booleans(),
)
def test_equal_to_tflite_over_random_scales(
    seed: int,
    scales: tuple[float, float],
    zero_points: tuple[int, int],
    activation: int,
    per_channel: bool,
) -> None:
    content = dense(seed, scales, zero_points, activation=activation, per_channel=per_channel)
    inputs = np.random.default_rng(seed).integers(-128, 128, (40, 1, 1, 24)).astype(np.int8)
    graph, golden = read_graph(content), ReferenceInterpreter(content).run(inputs)
    np.testing.assert_array_equal(run_observed(graph, inputs)[0], golden)
    np.testing.assert_array_equal(run_onnx(integer_onnx(graph), inputs)[0], golden)


@pytest.mark.parametrize("power", range(10))
def test_ties_go_away_from_zero(power: int) -> None:
    """Scales that are powers of two: every second, fourth, ... sum is a tie, of either sign."""
    net = Network((1, 1, 3), (1.0, 0))
    weights = net.builder.constant(np.eye(3, dtype=np.int8), [2.0**-power])
    result = net.value((3,), (1.0, 0))
    options = {"keepNumDims": False, "fusedActivationFunction": NONE}
    net.builder.op(
        "FULLY_CONNECTED", [net.input, weights, -1], result, "FullyConnectedOptions", **options
    )
    content = net.build(result)
    inputs = np.arange(-128, 127, dtype=np.int8).reshape(-1, 1, 1, 3)
    golden = ReferenceInterpreter(content).run(inputs)
    np.testing.assert_array_equal(run_observed(read_graph(content), inputs)[0], golden)


def test_a_convolution_would_round_otherwise() -> None:
    """What a microcontroller's TensorFlow Lite does too: it rounds twice."""
    graph = read_graph(dense(3, (0.05, 0.05), (-5, -5)))
    op = op_of(graph)
    sums = np.random.default_rng(3).integers(-60_000, 60_000, (2000, 300))
    once = arithmetic.rescale(sums, arithmetic.rescale_parameters(graph, op))
    twice = arithmetic.multiply_by_quantized_multiplier(
        sums, *arithmetic.conv2d_multipliers(graph, op)
    )
    assert 0 < np.count_nonzero(once != twice) < once.size // 100


@pytest.mark.parametrize("multiplier", [2.0**-9, 0.003, 0.9999, 1.0, 37.5, 256.0])
def test_limits_saturate_and_fit(multiplier: float) -> None:
    net = Network((1, 1, 2), (1.0, 0))
    weights = net.builder.constant(np.ones((1, 2), np.int8), [multiplier])
    result = net.value((1,), (1.0, 0))
    net.builder.op("FULLY_CONNECTED", [net.input, weights, -1], result, "FullyConnectedOptions")
    graph = read_graph(net.build(result))
    parameters = arithmetic.rescale_parameters(graph, op_of(graph))
    assert arithmetic.rescale(parameters.limit, parameters)[0] >= 256
    assert int(parameters.limit[0]) * int(parameters.multiplier[0]) < 1 << 62
    far = np.array([arithmetic.INT32_MAX, -arithmetic.INT32_MAX])[:, np.newaxis]
    assert np.all(np.abs(arithmetic.rescale(far, parameters)) >= 256)


def test_what_cannot_be_rescaled_exactly_is_refused() -> None:
    net = Network((1, 1, 2), (1.0, 0))
    weights = net.builder.constant(np.ones((1, 2), np.int8), [300.0])
    result = net.value((1,), (1.0, 0))
    net.builder.op("FULLY_CONNECTED", [net.input, weights, -1], result, "FullyConnectedOptions")
    assert "cannot be rescaled exactly" in refusal(net.build(result))

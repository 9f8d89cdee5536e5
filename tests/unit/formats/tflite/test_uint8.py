"""Networks that compute in uint8: what of their numbers the graph has."""

import numpy as np
import pytest

from edgesq.arithmetic import quantize_multiplier
from edgesq.errors import ModelError
from edgesq.formats.tflite import ReferenceInterpreter, computes_in_uint8, read_graph
from edgesq.formats.tflite.reader import open_model
from edgesq.formats.tflite.tidy import int8_inside
from edgesq.formats.tflite.weights import _scale
from edgesq.graph import Graph
from edgesq.operators import Convolution, HalvesUpPool2D
from edgesq.reference import run_observed
from support.networks import Network, images
from support.tflite_builder import VALID, TfliteBuilder
from support.uint8_files import as_uint8

SHAPE = (6, 5, 4)

Scales = np.ndarray[tuple[int], np.dtype[np.float32]]
"""Of input, weights and output."""


def network(*, wide: bool) -> bytes:
    net = Network(SHAPE)
    step = net.depthwise(net.conv(net.input, 8, (3, 3), groups=2), each=2)
    return as_uint8(net.build(net.dense(net.conv(step, 8, (3, 3)), 5)), 3, wide=wide)


def convolutions(graph: Graph) -> list[Convolution]:
    return [op for op in graph.ops if isinstance(op, Convolution)]


def stored(content: bytes, op: Convolution) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return an operator's weights as the file has them, less their zero point."""
    reader = open_model(content, "model")
    for one in reader.source.operators:
        if read_graph(content).tensors[op.output].name == reader.name(one.outputs[0]):
            point = int(reader.source.tensors[one.inputs[1]].quantization.zeroPoint[0])
            data = reader.data(one.inputs[1])
            assert data is not None
            return data.astype(np.int64) - point
    raise AssertionError(op)


def test_weights_that_fit_int8_are_int8() -> None:
    graph = read_graph(network(wide=False))
    assert [op.wide for op in convolutions(graph)] == [None] * 4


def test_weights_of_nine_bits_are_kept_beside() -> None:
    content = network(wide=True)
    graph = read_graph(content)
    assert len([op for op in convolutions(graph) if op.wide is not None]) == 4
    for op in convolutions(graph):
        exact, wanted = graph.exact_weights(op), stored(content, op)
        np.testing.assert_array_equal(exact.reshape(-1), wanted.reshape(-1))
        others = np.delete(np.moveaxis(exact, op.channel_axis, 0), op.wide_channels, axis=0)
        assert np.abs(others).max() < 129
        assert len(op.wide_channels) < graph.tensors[op.output].hwc[2], "only some"


def of_sums(kind: str, sums: np.ndarray[tuple[int], np.dtype[np.int32]], scales: Scales) -> bytes:
    """Return one operator whose sums are these: weights and input are at their zero points."""
    builder, count = TfliteBuilder(), len(sums)
    is_dense, options = kind == "FULLY_CONNECTED", {"padding": VALID, "strideH": 1, "strideW": 1}
    shape = {"CONV_2D": (count, 1, 1, 1), "DEPTHWISE_CONV_2D": (1, 1, 1, count)}
    source, weights, output = map(float, scales)
    inputs = [
        builder.value((1, 1) if is_dense else (1, 1, 1, 1), source, 7, dtype=np.uint8),
        builder.constant(
            np.full(shape.get(kind, (count, 1)), 9, np.uint8), [weights], zero_point=9
        ),
        builder.constant(sums, [source * weights]),
    ]
    end = (1, count) if is_dense else (1, 1, 1, count)
    result = builder.value(end, output, dtype=np.uint8)
    more: dict[str, int] = {} if is_dense else {**options, "dilationHFactor": 1}
    more |= {} if is_dense else {"dilationWFactor": 1}
    more |= {"depthMultiplier": count} if kind.startswith("DEPTHWISE") else {}
    name = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions"}
    builder.op(kind, inputs, result, name.get(kind, "FullyConnectedOptions"), **more)
    for code in builder.model.operatorCodes:
        code.version = 1
    return builder.build(inputs[0], result)


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_sums_near_halves_round_as_in_the_file(kind: str) -> None:
    """Convolutions multiply scales in float32 and round twice, a dense layer neither."""
    random = np.random.default_rng(4)
    others = 0
    for _ in range(40):
        scales = random.uniform(0.003, 0.1, 3).astype(np.float32)
        real = float(scales[0]) * float(scales[1]) / float(scales[2])
        near = np.rint((np.arange(100) + 0.5) / real)[:, None] + np.arange(-2, 3)
        sums = np.unique(near).astype(np.int32)
        content = of_sums(kind, sums, scales)
        graph, inputs = read_graph(content), np.full((1, 1, 1, 1), 7 - 128, np.int8)
        (golden,) = ReferenceInterpreter(content).observed(inputs)
        (found,) = run_observed(graph, inputs)
        np.testing.assert_array_equal(found, golden)
        once = np.clip(np.floor(sums * real + 0.5) - 128, -128, 127)
        others += int(np.count_nonzero(once != golden))
    assert (others > 0) == (kind != "FULLY_CONNECTED")


def test_scales_are_multiplied_in_float32() -> None:
    """Read with the scales multiplied in float64, most multipliers would be others."""
    random = np.random.default_rng(5)
    others = 0
    for source, weights, output in random.uniform(0.001, 0.1, (500, 3)).astype(np.float32):
        wanted = quantize_multiplier(float(source * weights) / float(output))
        scale = _scale(float(weights), float(source), float(output))
        assert scale is not None
        assert quantize_multiplier(float(source) * scale / float(output)) == wanted
        others += quantize_multiplier(float(source) * float(weights) / float(output)) != wanted
    assert others > 250


def test_an_average_rounds_halves_up() -> None:
    net = Network((2, 2, 1))
    content = as_uint8(net.build(net.average_pool(net.input, (2, 1), (1, 1))))
    graph = read_graph(content)
    assert [type(op) for op in graph.ops] == [HalvesUpPool2D]
    inputs = np.array([[[-4, 4], [-3, 3]]], np.int8).reshape(1, 2, 2, 1)
    (found,) = run_observed(graph, inputs)
    assert found.tolist() == [[-3, 4]]
    assert ReferenceInterpreter(content).run(inputs).tolist() == [[-3, 4]]


def test_there_is_no_int8_form() -> None:
    content = network(wide=False)
    assert computes_in_uint8(content)
    with pytest.raises(ModelError, match="computes in uint8"):
        int8_inside(content)
    net = Network(SHAPE)
    assert not computes_in_uint8(net.build(net.conv(net.input, 3)))


def test_every_observed_value_is_the_files_own_less_128() -> None:
    content = network(wide=True)
    graph, inputs = read_graph(content), images(SHAPE, 2)
    (golden,) = ReferenceInterpreter(content).observed(inputs)
    (found,) = run_observed(graph, inputs)
    np.testing.assert_array_equal(found, golden)


def test_an_arg_max_of_uint8_at_the_end_is_left_out() -> None:
    builder = TfliteBuilder()
    source = builder.value((1, 1, 1, 6), 0.1, 128, dtype=np.uint8)
    scores = builder.value((1, 6), 0.1, 128, dtype=np.uint8)
    builder.op("RESHAPE", [source, builder.constant(np.array([1, 6], np.int32))], scores, None)
    relu = builder.op("RELU", [scores], builder.value((1, 6), 0.1, 128, dtype=np.uint8), None)
    axis = builder.constant(np.array(1, np.int32))
    best = builder.op("ARG_MAX", [relu, axis], builder.value((1,), dtype=np.int32), "ArgMaxOptions")
    graph = read_graph(builder.build(source, best))
    assert graph.tensors[graph.output].shape == (1, 6)

"""Networks that compute in uint8: what of their numbers the graph has."""

import numpy as np
import pytest

from edgesq.arithmetic import conv2d_multipliers, quantize_multiplier
from edgesq.errors import ModelError
from edgesq.formats.tflite import ReferenceInterpreter, computes_in_uint8, read_graph
from edgesq.formats.tflite.reader import open_model
from edgesq.formats.tflite.tidy import int8_inside
from edgesq.formats.tflite.weights import _scale
from edgesq.graph import Graph
from edgesq.operators import Convolution, FullyConnected, HalvesUpPool2D
from edgesq.reference import run_observed
from support.networks import Network, images
from support.uint8_files import as_uint8

SHAPE = (6, 5, 4)


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
    assert not any(isinstance(op, FullyConnected) for op in graph.ops), "rounded twice in uint8"


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
    graph = read_graph(network(wide=False))
    op = convolutions(graph)[0]
    assert len(set(conv2d_multipliers(graph, op)[0].tolist())) == 1


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

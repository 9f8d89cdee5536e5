"""Channels that the output does not need are left out of the graph, and nothing else changes."""

import numpy as np
import pytest

from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph
from edgesq.operators import Conv2D
from edgesq.reference import run_observed
from support.networks import RECTIFIED, USUAL, Network, images
from support.tflite_builder import RELU, SAME, VALID


class SparseNetwork(Network):
    """A network of which rows and columns of weights can be emptied."""

    def emptied(
        self,
        source: int,
        outputs: int,
        rows: tuple[int, ...] = (),
        columns: tuple[int, ...] = (),
        size: int = 1,
        padding: int = SAME,
        level: int = 900,
    ) -> int:
        """Add a convolution whose output channels `rows` are the same for any input."""
        depth = self.shapes[source][2]
        weights = self.random.integers(-127, 128, (outputs, size, size, depth)).astype(np.int8)
        weights[list(rows)] = 0
        weights[..., list(columns)] = 0
        bias = self.random.integers(-900, 900, outputs).astype(np.int32)
        bias[list(rows)] = level
        scale = [0.002] * outputs
        height, width = self.windows(source, (size, size), (1, 1), padding)
        inputs = [source, self.builder.constant(weights, scale)]
        inputs.append(self.builder.constant(bias, [0.002 * self.quants[source][0]] * outputs))
        return self.builder.op(
            "CONV_2D",
            inputs,
            self.value((height, width, outputs), RECTIFIED),
            "Conv2DOptions",
            padding=padding,
            strideH=1,
            strideW=1,
            dilationHFactor=1,
            dilationWFactor=1,
            fusedActivationFunction=RELU,
        )


def checked(content: bytes) -> Graph:
    """Return a model's graph, which gives what TensorFlow Lite does of the whole file."""
    graph = read_graph(content)
    given = images(graph.tensors[graph.input].hwc)
    golden = ReferenceInterpreter(content).run(given)
    for got, expected in zip(run_observed(graph, given)[0], golden, strict=True):
        assert np.array_equal(got.reshape(-1), expected.reshape(-1))
    return graph


def widths(graph: Graph) -> list[int]:
    """Return the channels of all operators' outputs."""
    return [graph.tensors[op.output].hwc[2] for op in graph.ops]


def test_dead_channels_go_from_a_whole_chain() -> None:
    net = SparseNetwork((6, 7, 4), USUAL)
    one = net.emptied(net.input, 16, rows=(0, 3, 5, 6, 7, 10, 11, 15), level=-900)
    two = net.depthwise(one, activation=RELU, quant=RECTIFIED)
    three = net.average_pool(two, (2, 2), (2, 2), VALID, RELU)
    graph = checked(net.build(net.conv(three, 8)))
    assert widths(graph) == [8, 8, 8, 8]
    used = {index for op in graph.ops for index in graph.constants(op)}
    assert used == {i for i, tensor in enumerate(graph.tensors) if tensor.data is not None}


@pytest.mark.parametrize(
    ("level", "size", "padding", "left"),
    [
        (900, 1, SAME, 8),  # goes into the biases
        (900, 3, VALID, 8),
        (900, 3, SAME, 16),  # at the edge it would be another constant
        (-900, 3, SAME, 8),  # at the zero point, as the padding is
    ],
)
def test_a_constant_goes_where_it_is_the_same_under_all_windows(
    level: int, size: int, padding: int, left: int
) -> None:
    net = SparseNetwork((6, 7, 4), USUAL)
    one = net.emptied(net.input, 16, rows=tuple(range(1, 16, 2)), level=level)
    graph = checked(net.build(net.conv(one, 8, (size, size), padding=padding)))
    assert widths(graph) == [left, 8]


def test_channels_that_meet_no_weights_go() -> None:
    net = SparseNetwork((5, 5, 4), USUAL)
    one = net.conv(net.input, 12, (3, 3), activation=RELU, quant=RECTIFIED)
    graph = checked(net.build(net.emptied(one, 8, columns=(0, 1, 2, 7, 8, 9))))
    assert widths(graph) == [8, 8], "six are needed, and kernels take four at a time"


def test_a_mean_is_followed() -> None:
    net = SparseNetwork((5, 5, 4), USUAL)
    one = net.emptied(net.input, 16, rows=tuple(range(4, 16)))
    graph = checked(net.build(net.dense(net.mean(one, USUAL), 3)))
    assert widths(graph) == [4, 4, 3]


def test_what_something_else_reads_stays() -> None:
    net = SparseNetwork((5, 5, 4), USUAL)
    rows = tuple(range(8))
    one, two = (net.emptied(net.input, 12, rows=rows) for _ in range(2))
    joined = net.concat([one, two])
    assert widths(checked(net.build(net.conv(joined, 4)))) == [12, 12, 24, 4]


def test_the_output_keeps_its_channels() -> None:
    net = SparseNetwork((5, 5, 4), USUAL)
    graph = checked(net.build(net.emptied(net.input, 12, rows=tuple(range(11)))))
    assert widths(graph) == [12]


def test_what_becomes_constant_by_that_goes_too() -> None:
    """The second layer reads only a dead channel of the first one, so it is dead itself."""
    net = SparseNetwork((5, 5, 4), USUAL)
    one = net.emptied(net.input, 12, rows=tuple(range(8)))
    two = net.emptied(one, 16, rows=tuple(range(4, 16)), columns=tuple(range(8, 12)))
    graph = checked(net.build(net.conv(two, 5)))
    assert all(isinstance(op, Conv2D) for op in graph.ops)
    assert widths(graph) == [4, 4, 5]

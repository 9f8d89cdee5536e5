"""What single operators are in float arithmetic; `test_compress.py` walks whole networks."""

import numpy as np

from edgesq.compress.network import forward
from edgesq.formats.tflite import read_graph
from support.networks import Network


def test_blocks_of_one_pixel_move_nothing() -> None:
    """TensorFlow takes no such blocks, .tflite does."""
    net = Network((3, 4, 5))
    content = net.build(net.depth_to_space(net.space_to_depth(net.input, 1), 1))
    graph = read_graph(content)
    pixels = np.random.default_rng(2).random((2, 3, 4, 5), np.float32)
    made = forward(graph, {}, pixels)[graph.output]
    np.testing.assert_array_equal(made, pixels)

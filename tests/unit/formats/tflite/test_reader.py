"""Reading .tflite files: what comes in."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph, digest
from edgesq.operators import Conv2D, MaxPool2D, Op, Window
from support.cases import NETWORKS
from support.ladder import SHARED_NAMES, shared_model
from support.networks import FINER, RECTIFIED, Network
from support.tflite_builder import RELU, RELU6, SAME


def only_op(content: bytes) -> tuple[Graph, Op]:
    graph = read_graph(content)
    (op,) = graph.ops
    return graph, op


@pytest.mark.parametrize(
    ("name", "convolutions", "adds", "macs"),
    [
        ("squeezenet_v1.0_10c_32", 26, 0, 9_148_448),
        ("squeezenet_v1.1_10c_96", 26, 0, 42_804_928),
        ("squeezenet_v1.1_bypass_trained_10c_64", 26, 4, 17_022_656),
        ("squeezenet_v1.0_10c_224", 26, 0, 733_261_856),
        ("squeezenet_v1.1_1000c_224", 26, 0, 349_151_936),
    ],
)
def test_shared_models(name: str, convolutions: int, adds: int, macs: int) -> None:
    content = shared_model(name)
    graph = read_graph(content)
    kinds = Counter(op.kind for op in graph.ops)
    fires = {"CONV_2D": convolutions, "MAX_POOL_2D": 3, "CONCATENATION": 8, "MEAN": 1, "SOFTMAX": 1}
    assert kinds == fires | ({"ADD": adds} if adds else {})
    assert graph.total_macs == macs
    assert graph.sha256 == digest(content)
    assert [graph.tensors[index].shape[-1] for index in graph.observed] == [
        1000 if "1000c" in name else 10
    ] * 2
    assert len({op.name for op in graph.ops}) == len(graph.ops)


def test_all_shared_models_are_tried() -> None:
    assert len(SHARED_NAMES) == 5


def test_a_convolution() -> None:
    net = Network((7, 8, 3), FINER)
    graph, op = only_op(net.build(net.conv(net.input, 4, (3, 5), (2, 3), SAME, RELU, RECTIFIED)))
    assert isinstance(op, Conv2D)
    assert op.window == Window(3, 5, 2, 3, pad_top=1, pad_bottom=1, pad_left=1, pad_right=2)
    assert op.clamp == (-128, 127)
    assert (graph.input, op.inputs, op.output) == (graph.input, (graph.input,), graph.output)
    weights, bias = graph.tensors[op.weights], graph.tensors[op.bias]
    assert weights.shape == (4, 3, 5, 3)
    assert len(weights.quantization.scale) == 4
    assert weights.data is not None
    assert weights.data.dtype == np.int8
    assert bias.data is not None
    assert (bias.data.dtype, bias.shape) == (np.dtype(np.int32), (4,))
    assert graph.tensors[graph.input].scale == np.float32(FINER[0])
    assert graph.tensors[graph.input].zero_point == FINER[1]
    assert graph.logits is None
    assert graph.weights_bytes == 4 * 3 * 5 * 3 + 4 * 4


def test_a_convolution_without_bias_adds_nothing() -> None:
    net = Network((3, 3, 2))
    graph, op = only_op(net.build(net.conv(net.input, 3, bias=False)))
    assert isinstance(op, Conv2D)
    bias = graph.tensors[op.bias].data
    assert bias is not None
    assert bias.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("activation", "quant", "clamp"),
    [
        (RELU, (0.05, -5), (-5, 127)),
        (RELU6, (0.05, -5), (-5, 115)),
        (RELU6, (0.01, -5), (-5, 127)),
        (RELU6, (0.047, -128), (-128, 0)),
        (RELU, (0.05, 127), (127, 127)),
    ],
)
def test_fused_activations(activation: int, quant: tuple[float, int], clamp: Any) -> None:
    net = Network((2, 2, 1), quant)
    _, op = only_op(net.build(net.max_pool(net.input, (1, 1), (1, 1), SAME, activation)))
    assert isinstance(op, MaxPool2D)
    assert op.clamp == clamp


def test_softmax_has_logits() -> None:
    graph = read_graph(NETWORKS["flatten_moves_rows"]())
    assert graph.observed == (graph.output, graph.ops[-1].inputs[0])
    assert graph.logits == graph.ops[-2].output


def test_reference_interpreter_takes_images_of_any_rank() -> None:
    net = Network((6,))
    interpreter = ReferenceInterpreter(net.build(net.softmax(net.input)))
    flat = np.arange(12, dtype=np.int8).reshape(2, 6)
    for inputs in (flat, flat.reshape(2, 1, 1, 6)):
        assert interpreter.run(inputs).shape == (2, 6)

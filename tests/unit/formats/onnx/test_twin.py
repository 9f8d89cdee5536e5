"""The float twin: every operator in floats, rounded, is the int8 reference within a level."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.arithmetic import channel_scales
from edgesq.errors import ModelError
from edgesq.formats.float_weights import Activation, FloatWeights
from edgesq.formats.onnx.twin import float_twin, twin_activations
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.operators import Convolution, Softmax
from edgesq.reference import run
from support.cases import NETWORKS
from support.networks import images


def as_floats(graph: Graph, op: Convolution) -> FloatWeights:
    """Return the int8 weights as reals."""
    scale = channel_scales(graph, op)
    weights, bias = graph.tensors[op.weights].data, graph.tensors[op.bias].data
    assert weights is not None
    assert bias is not None
    steps = scale * graph.tensors[op.inputs[0]].scale
    activation: Activation = "none"
    if op.clamp != (-128, 127):
        activation = "relu" if op.clamp[1] == 127 else "relu6"
    return FloatWeights(
        (weights * op.along_weights(scale)).astype(np.float32),
        (bias * steps).astype(np.float32),
        activation,
    )


def real(tensor: Tensor, levels: Int8Array) -> NDArray[np.float32]:
    return (levels.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_operator_is_the_reference_within_a_level(name: str) -> None:
    """What keeps state is refused by its name: a file that computes images has no place for it."""
    graph = read_graph(NETWORKS[name]())
    if graph.stateful:
        with pytest.raises(ModelError, match="keeps state"):
            float_twin(graph, {}, [graph.stateful[0].output], ops=graph.stateful[:1])
        return
    weights = {op.name: as_floats(graph, op) for op in graph.ops if isinstance(op, Convolution)}
    golden = [run(graph, image) for image in images(graph.tensors[graph.input].hwc, 2)]
    for op in graph.ops:
        twin = float_twin(graph, weights, [op.output], [op.output], [op])
        inputs = [
            np.stack([real(graph.tensors[index], one[index]) for one in golden])
            for index in sorted(set(op.inputs))
        ]
        tensor = graph.tensors[op.output]
        for made, values in zip(twin_activations(twin, *inputs), golden, strict=True):
            levels = made[0] / np.float32(tensor.scale) + tensor.zero_point
            apart = np.abs(levels - values[op.output]).max()
            assert apart <= (2.01 if isinstance(op, Softmax) else 1.01), op.name

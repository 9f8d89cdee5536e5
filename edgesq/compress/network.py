"""Run a graph in float arithmetic by TensorFlow: the reference of compression, differentiable.

Activations are [n, H, W, C] here, also where the graph has [1, C].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import channel_scales
from edgesq.compress.float_ops import Kernel, apply
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Convolution

Float32Array = NDArray[np.float32]


Kernels = Mapping[int, Kernel]
"""Float kernels by the index of their weights in `Graph.tensors`."""


def stored_kernels(graph: Graph) -> dict[int, Kernel]:
    """Return the weights of a graph as reals, int8 times scale."""
    return {op.weights: stored_kernel(graph, op) for op in graph.ops if isinstance(op, Convolution)}


def stored_kernel(graph: Graph, op: Convolution) -> Kernel:
    """Return the weights of one convolution as reals."""
    weights, bias = graph.tensors[op.weights], graph.tensors[op.bias]
    assert weights.data is not None
    assert bias.data is not None
    scale = channel_scales(graph, op)
    real = weights.data.astype(np.float64) * op.along_weights(scale)
    steps = scale * graph.tensors[op.inputs[0]].scale
    return Kernel(real.astype(np.float32), (bias.data * steps).astype(np.float32))


def real_input(graph: Graph, images: Int8Array) -> Float32Array:
    """Return int8 images [n, H, W, C] as reals."""
    tensor = graph.tensors[graph.input]
    levels = images.reshape(-1, *tensor.hwc).astype(np.float32) - np.float32(tensor.zero_point)
    return levels * np.float32(tensor.scale)


def forward(graph: Graph, kernels: Kernels, pixels: Any) -> dict[int, Any]:
    """Compute every activation of a batch, by tensor index."""
    values = {graph.input: pixels}
    for op in graph.ops:
        kernel = kernels[op.weights] if isinstance(op, Convolution) else None
        values[op.output] = apply(graph, op, [values[index] for index in op.inputs], kernel)
    return values


def scores_of(graph: Graph) -> int:
    """Return the tensor whose softmax is the model's answer: logits, or else its output."""
    return graph.scores


def sharpness(graph: Graph) -> float:
    """Return what the scores are multiplied by in the model's softmax."""
    return 1.0 if graph.softmax is None else graph.softmax.beta


def float_scores(
    graph: Graph, kernels: Kernels, images: Int8Array, batch: int = 16
) -> Float32Array:
    """Return what the float model gives before its softmax, float32 [n, K]."""
    wanted = scores_of(graph)
    parts = [
        forward(graph, kernels, real_input(graph, images[start : start + batch]))[wanted].numpy()
        for start in range(0, len(images), batch)
    ]
    rows = np.concatenate([part.reshape(len(part), -1) for part in parts])
    return (sharpness(graph) * rows).astype(np.float32)

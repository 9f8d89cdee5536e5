"""What operators in float32 share: the weights beside the graph, and the range of an output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.onnx.scope import INT8_RANGE, Scope
from edgesq.graph import Graph, Tensor


@dataclass(frozen=True, eq=False)
class FloatModel:
    """An int8 model and the float weights of its operators, by their names."""

    graph: Graph
    weights: Mapping[str, FloatWeights]

    def result(self, index: int) -> Tensor:
        """Return a tensor of the int8 model."""
        return self.graph.tensors[index]


def clamped(scope: Scope, tensor: Tensor, clamp: tuple[int, int], value: str) -> str:
    """Add the fused activation; a clamp that begins at zero is a ReLU."""
    low, high = ((end - tensor.zero_point) * tensor.scale for end in clamp)
    if clamp[0] == tensor.zero_point:
        value = scope.node("Relu", "relu", value)
    elif clamp[0] > INT8_RANGE[0]:
        value = scope.node("Max", "low", value, np.float32(low))
    return scope.node("Min", "high", value, np.float32(high)) if clamp[1] < INT8_RANGE[1] else value

"""What operators in float32 share: where their constants come from, and the range of an output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.onnx.scope import INT8_RANGE, Scope, Value
from edgesq.graph import Graph, Tensor
from edgesq.operators import Convolution


@dataclass(frozen=True, eq=False)
class FloatModel:
    """An int8 model and the float weights of its operators, by their names."""

    graph: Graph
    weights: Mapping[str, FloatWeights]

    def result(self, index: int) -> Tensor:
        """Return a tensor of the int8 model."""
        return self.graph.tensors[index]

    def kernel(self, _: Scope, op: Convolution, axes: tuple[int, ...] | None) -> Value:
        """Return the weights before they were quantized, `arranged` by axes."""
        return arranged(self.weights[op.name].kernel, axes)

    def bias(self, _: Scope, op: Convolution) -> Value:
        """Return the bias [O] before it was quantized."""
        return self.weights[op.name].bias

    def activated(self, scope: Scope, op: Convolution, sums: str) -> str:
        """Add the float model's activation."""
        activation = self.weights[op.name].activation
        if activation == "none":
            return sums
        positive = scope.node("Relu", "relu", sums)
        if activation == "relu":
            return positive
        return scope.node("Clip", "relu6", positive, np.float32(0), np.float32(6))

    def operand(self, _: Scope, index: int, stored: NDArray[np.int8]) -> Value:
        """Return the reals of a constant that the int8 model has as `stored`, of any shape."""
        tensor = self.graph.tensors[index]
        return (stored.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)


def arranged(weights: NDArray[Any], axes: tuple[int, ...] | None) -> NDArray[Any]:
    """Return weights with their axes in this order; None: the first one, and all others as one."""
    return weights.reshape(len(weights), -1) if axes is None else weights.transpose(axes)


def clamped(scope: Scope, tensor: Tensor, clamp: tuple[int, int], value: str) -> str:
    """Add the fused activation; a clamp that begins at zero is a ReLU."""
    low, high = (np.float32((end - tensor.zero_point) * tensor.scale) for end in clamp)
    is_low, is_high = clamp[0] > INT8_RANGE[0], clamp[1] < INT8_RANGE[1]
    if clamp[0] == tensor.zero_point and not is_high:
        return scope.node("Relu", "relu", value)
    is_low |= clamp[0] == tensor.zero_point
    if not is_low and not is_high:
        return value
    return scope.node("Clip", "clamp", value, low if is_low else "", high if is_high else "")

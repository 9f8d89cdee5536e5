"""An int8 model beside its float weights, and how its numbers are changed together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import channel_scales
from edgesq.errors import ModelError
from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.tflite import read_stored_graph
from edgesq.formats.tflite.rewrite import TensorChange, rewrite
from edgesq.graph import Graph, Int8Array, Int32Array, Quantization
from edgesq.operators import Convolution

Float32Array = NDArray[np.float32]

MAX_LEVEL = 127
"""Largest magnitude of an int8 weight: weights are in [-127, 127]."""

_INT32 = 2**31 - 1
_MIN_SCALE = 1e-12


@dataclass(frozen=True, eq=False)
class Levels:
    """Integer weights of one operator.

    Attributes:
        kernel: int8, in the shape of the operator's weights.
        bias: real values, float64 [O]; they become int32 in steps of input scale x weight scale.
    """

    kernel: Int8Array
    bias: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Quantized:
    """An int8 model and the float weights that it stands for.

    Attributes:
        content: the bytes of the .tflite.
        graph: the same, parsed.
        weights: by operator name.
    """

    content: bytes
    graph: Graph
    weights: Mapping[str, FloatWeights]

    @property
    def convolutions(self) -> list[Convolution]:
        """All operators with weights, in the order of the graph."""
        return [op for op in self.graph.ops if isinstance(op, Convolution)]

    @property
    def scores(self) -> int:
        """The tensor that decides: the logits, or the output of a model without softmax."""
        return self.graph.scores

    def with_ranges(self, ranges: Mapping[int, Quantization]) -> Quantized:
        """Return the model with other scales of activations; biases follow their inputs' scales.

        Args:
            ranges: by tensor index; tensors that must share a scale are all in it.
        """
        changes = {
            self.graph.tensors[index].name: TensorChange(scale=one.scale, zero_point=one.zero_point)
            for index, one in ranges.items()
        }
        moved = self._rewritten(changes, self.weights)
        biases = {}
        for op in moved.convolutions:
            scale = channel_scales(moved.graph, op)
            change = _bias_change(moved.graph, op, scale, self.weights[op.name].bias)
            biases[moved.graph.tensors[op.bias].name] = change
        return moved._rewritten(biases, self.weights)

    def with_weights(self, weights: Mapping[str, FloatWeights]) -> Quantized:
        """Return the model with other float weights, rounded to the nearest level."""
        changes = {}
        for op in self.convolutions:
            tensor = self.graph.tensors[op.weights]
            kernel = weights[op.name].kernel
            largest = _largest(kernel, op, len(tensor.quantization.scale))
            scale = np.maximum(largest / MAX_LEVEL, _MIN_SCALE).astype(np.float32)
            changes[tensor.name] = TensorChange(
                nearest(kernel, op, scale), tuple(map(float, scale))
            )
            bias = _bias_change(self.graph, op, scale.astype(np.float64), weights[op.name].bias)
            changes[self.graph.tensors[op.bias].name] = bias
        return self._rewritten(changes, weights)

    def with_levels(self, levels: Mapping[str, Levels]) -> Quantized:
        """Return the model with other integers at the same scales."""
        changes = {}
        for op in self.convolutions:
            if op.name in levels:
                mine = levels[op.name]
                changes[self.graph.tensors[op.weights].name] = TensorChange(mine.kernel)
                scale = channel_scales(self.graph, op)
                change = _bias_change(self.graph, op, scale, mine.bias)
                changes[self.graph.tensors[op.bias].name] = change
        return self._rewritten(changes, self.weights)

    def _rewritten(
        self, changes: Mapping[str, TensorChange], weights: Mapping[str, FloatWeights]
    ) -> Quantized:
        content = rewrite(self.content, changes)
        return Quantized(content, read_stored_graph(content), weights)


def check_unshared(graph: Graph) -> None:
    """Refuse a model in which two operators read the same weights or bias.

    Raises:
        ModelError: there are two.
    """
    seen: dict[int, str] = {}
    for op in graph.ops:
        for index in (op.weights, op.bias) if isinstance(op, Convolution) else ():
            if index in seen:
                raise ModelError(
                    f"shares constants with {seen[index]}",
                    where=op.name,
                    hint="leave out --optimize-accuracy",
                )
            seen[index] = op.name


def nearest(kernel: Float32Array, op: Convolution, scale: NDArray[np.floating]) -> Int8Array:
    """Return the levels nearest to float weights."""
    steps: NDArray[np.floating] = kernel / op.along_weights(scale)
    return np.clip(np.round(steps), -MAX_LEVEL, MAX_LEVEL).astype(np.int8)


def _largest(kernel: Float32Array, op: Convolution, scales: int) -> Float32Array:
    """Return the largest magnitude per output channel, or in all."""
    if scales == 1:
        return np.asarray(np.abs(kernel).max().reshape(1))
    axes = tuple(axis for axis in range(4) if axis != op.channel_axis)
    return np.asarray(np.abs(kernel).max(axis=axes))


def _bias_change(
    graph: Graph,
    op: Convolution,
    scale: NDArray[np.float64],
    bias: NDArray[np.floating],
) -> TensorChange:
    """Return a bias in steps of input scale x weight scale, and these."""
    tensor = graph.tensors[op.bias]
    steps = scale * graph.tensors[op.inputs[0]].scale
    values: Int32Array = np.clip(np.round(bias / steps), -_INT32, _INT32).astype(np.int32)
    count = len(tensor.quantization.scale)
    return TensorChange(values, tuple(map(float, np.broadcast_to(steps, (count,)))))

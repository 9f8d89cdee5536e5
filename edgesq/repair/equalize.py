"""Cross-layer equalization: scale channels to similar ranges without changing the function.

Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
2019. What a convolution multiplies by 1/s and the next by s goes through anything between them
that takes each channel by itself and keeps a factor: ReLU, pools, means, concatenations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.onnx.twin import float_twin, twin_activations
from edgesq.graph import Graph
from edgesq.operators import (
    AveragePool2D,
    Concatenation,
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
)
from edgesq.repair.state import Quantized

Float32Array = NDArray[np.float32]

_MAX_FACTOR = 16.0
"""Largest factor by which a channel is scaled, up or down."""

Readers = list[tuple[Convolution, int]]
"""Convolutions that read a tensor, each with the index of its first channel in it."""


def equalized(model: Quantized, images: Float32Array, strength: float) -> Quantized:
    """Return the same float model with other weights, quantized anew; ranges are to be chosen anew.

    Args:
        model: scales of its activations are kept as they are.
        images: float32 [n, H, W, C], from which the ranges of channels are taken.
        strength: 1 makes all channels of an activation equally wide, at the cost of the weights
            that read them; 0.5 shares the difference between both.
    """
    graph, weights = model.graph, dict(model.weights)
    peaks = _peaks(model, images)
    for op in model.convolutions:
        readers = _readers(graph, op.output)
        if readers and weights[op.name].activation != "relu6":
            factors = _factors(weights, readers, peaks[op.output], strength)
            weights[op.name] = _scaled_outputs(op, weights[op.name], np.float32(1) / factors)
            for reader, first in readers:
                weights[reader.name] = _scaled_inputs(weights[reader.name], first, factors)
    return model.with_weights(weights)


def _readers(graph: Graph, tensor: int, first: int = 0) -> Readers | None:
    """Return the convolutions that finally read a tensor; None where a factor would not cancel."""
    if tensor in graph.observed:
        return None
    found: Readers = []
    for op in graph.ops:
        for position, index in enumerate(op.inputs):
            if index != tensor:
                continue
            behind: Readers | None = None
            if isinstance(op, Conv2D | DepthwiseConv2D) and _takes_channels_alike(graph, op):
                behind = [(op, first)]
            elif isinstance(op, MaxPool2D | AveragePool2D | Mean):
                behind = _readers(graph, op.output, first)
            elif isinstance(op, Concatenation) and op.axis == 2:
                before = sum(graph.tensors[other].hwc[2] for other in op.inputs[:position])
                behind = _readers(graph, op.output, first + before)
            if behind is None:
                return None
            found += behind
    return found


def _takes_channels_alike(graph: Graph, op: Conv2D | DepthwiseConv2D) -> bool:
    """Say whether the last dimension of its weights is that of its input's channels."""
    kernel = graph.tensors[op.weights].shape
    return kernel[-1] == graph.tensors[op.inputs[0]].hwc[2]


def _peaks(model: Quantized, images: Float32Array) -> dict[int, Float32Array]:
    """Return the largest magnitude of each channel of each convolution's output."""
    wanted = [op.output for op in model.convolutions]
    twin = float_twin(model.graph, model.weights, wanted)
    peaks = [
        [np.abs(array).max(axis=(0, 1)) for array in values]
        for values in twin_activations(twin, images)
    ]
    return {
        index: np.max([image[position] for image in peaks], axis=0)
        for position, index in enumerate(wanted)
    }


def _factors(
    weights: Mapping[str, FloatWeights], readers: Readers, peaks: Float32Array, strength: float
) -> Float32Array:
    """Return the factor of the readers' weights per channel; its geometric mean is 1."""
    count = len(peaks)
    reading = np.max(
        [_input_peaks(weights[op.name])[first : first + count] for op, first in readers], axis=0
    )
    alive = (peaks > 0) & (reading > 0)
    if not alive.any():
        return np.ones(count, np.float32)
    logs = np.zeros(count)
    logs[alive] = strength * np.log(peaks[alive]) - (1 - strength) * np.log(reading[alive])
    logs[alive] -= logs[alive].mean()
    limit = np.log(_MAX_FACTOR)
    return np.exp(np.clip(logs, -limit, limit)).astype(np.float32)


def _input_peaks(weights: FloatWeights) -> Float32Array:
    """Return the largest weight per input channel."""
    return np.asarray(np.abs(weights.kernel).max(axis=(0, 1, 2)))


def _scaled_outputs(op: Convolution, weights: FloatWeights, by: Float32Array) -> FloatWeights:
    scaled = weights.kernel * op.along_weights(by)
    return replace(weights, kernel=scaled, bias=weights.bias * by)


def _scaled_inputs(weights: FloatWeights, first: int, by: Float32Array) -> FloatWeights:
    kernel = weights.kernel.copy()
    kernel[..., first : first + len(by)] *= by
    return replace(weights, kernel=kernel)

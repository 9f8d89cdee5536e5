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

_TINY = np.finfo(np.float32).tiny

Readers = list[tuple[Convolution, int]]
"""Convolutions that read a tensor, each with the index of its first channel in it."""

Side = tuple[Convolution, Readers]
"""A convolution, and what reads it."""


def equalized(model: Quantized, images: Float32Array, strength: float) -> Quantized:
    """Return the same float model with other weights, quantized anew; ranges are to be chosen anew.

    Args:
        model: scales of its activations are kept as they are.
        images: float32 [n, H, W, C], from which the ranges of channels are taken.
        strength: 1 makes all channels of an activation equally wide, at the cost of the weights
            that read them; 0.5 shares the difference between both.
    """
    weights = dict(model.weights)
    peaks = _peaks(model, images)
    for sides in _sides(model):
        all_factors = _factors(weights, sides, peaks, strength)
        for (op, readers), factors in zip(sides, all_factors, strict=True):
            weights[op.name] = _scaled_outputs(op, weights[op.name], np.float32(1) / factors)
            for reader, first in readers:
                weights[reader.name] = _scaled_inputs(weights[reader.name], first, factors)
    return model.with_weights(weights)


def _sides(model: Quantized) -> list[list[Side]]:
    """Return the convolutions whose channels can be scaled, those read side by side together."""
    found: dict[tuple[str, ...], list[Side]] = {}
    for op in model.convolutions:
        readers = _readers(model.graph, op.output)
        if readers and model.weights[op.name].activation != "relu6":
            found.setdefault(tuple(reader.name for reader, _ in readers), []).append((op, readers))
    return list(found.values())


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
            if isinstance(op, Conv2D | DepthwiseConv2D) and takes_channels_alike(graph, op):
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


def takes_channels_alike(graph: Graph, op: Conv2D | DepthwiseConv2D) -> bool:
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
    weights: Mapping[str, FloatWeights],
    sides: list[Side],
    peaks: Mapping[int, Float32Array],
    strength: float,
) -> list[Float32Array]:
    """Return the factor of the readers' weights per channel; the geometric mean of all is 1."""
    each = [peaks[op.output] for op, _ in sides]
    seen = np.concatenate(each)
    reading = np.concatenate(
        [
            np.max([_input_peaks(weights[op.name])[at : at + len(own)] for op, at in readers], 0)
            for own, (_, readers) in zip(each, sides, strict=True)
        ]
    )
    alive = (seen > 0) & (reading > 0)
    logs = np.zeros(len(seen))
    if alive.any():
        logs[alive] = strength * np.log(seen[alive]) - (1 - strength) * np.log(reading[alive])
        logs[alive] -= logs[alive].mean()
    limit = np.log(_MAX_FACTOR)
    factors = np.exp(np.clip(logs, -limit, limit)).astype(np.float32)
    return np.split(factors, np.cumsum([len(own) for own in each])[:-1])


def _input_peaks(weights: FloatWeights) -> Float32Array:
    """Return the largest weight per input channel, each as a part of its output's largest."""
    magnitudes = np.abs(weights.kernel)
    if len(magnitudes) > 1:  # depthwise weights are [1, H, W, C]
        magnitudes = magnitudes / np.maximum(magnitudes.max((1, 2, 3), keepdims=True), _TINY)
    return np.asarray(magnitudes.max(axis=(0, 1, 2)))


def _scaled_outputs(op: Convolution, weights: FloatWeights, by: Float32Array) -> FloatWeights:
    scaled = weights.kernel * op.along_weights(by)
    return replace(weights, kernel=scaled, bias=weights.bias * by)


def _scaled_inputs(weights: FloatWeights, first: int, by: Float32Array) -> FloatWeights:
    kernel = weights.kernel.copy()
    kernel[..., first : first + len(by)] *= by
    return replace(weights, kernel=kernel)

"""Compress a network layer by layer, each layer on what the compressed ones before it give.

The float model and the compressed one walk side by side through the images. A layer's weights are
corrected so that its outputs come near the float ones although its inputs have drifted, rounded
with feedback, and its bias is refitted to the float mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgesq.compress.biases import stored_bias
from edgesq.compress.float_ops import Kernel
from edgesq.compress.network import Kernels
from edgesq.compress.pair import Pair
from edgesq.compress.rounding import round_with_feedback
from edgesq.compress.statistics import Moments
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Conv2D

Float64Array = NDArray[np.float64]

CORRECTION_DAMPING = 0.02
"""Share of the mean variance that regularizes corrected weights towards the float ones."""

PRUNED = 0.2
"""Share of zero weights from which a layer counts as pruned and its zeros are kept."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One compressed layer.

    Attributes:
        levels: weights int8, OHWI.
        steps: their scale per output channel, float32 values, [O].
        bias: int32 [O], in steps of input scale times `steps`.
    """

    levels: Int8Array
    steps: NDArray[np.float32]
    bias: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Problem:
    """One layer as whoever chooses its steps sees it: its target is known."""

    target: Float64Array
    covariance: Float64Array
    zeros: NDArray[np.bool_] | None
    shape: tuple[int, ...]

    def rounded(self, steps: Float64Array) -> Int8Array:
        """Return levels, OHWI, for a step per output channel."""
        levels = round_with_feedback(self.target, self.covariance, steps, self.zeros)
        return levels.reshape(self.shape)


class Chooser(Protocol):
    """Chooses the steps of one layer after the other."""

    def choose(self, op: Conv2D, problem: Problem) -> tuple[Float64Array, Int8Array]:
        """Return steps [O] and the levels `problem.rounded` gives for them."""


@dataclass(frozen=True, eq=False)
class Walk:
    """A compressed network.

    Attributes:
        layers: by their weights' index.
        op: the last layer.
        problem, moments: of that one; nothing behind it depends on its weights.
    """

    layers: dict[int, Layer]
    op: Conv2D
    problem: Problem
    moments: Moments


def compress_layers(
    graph: Graph,
    ops: Sequence[Conv2D],
    kernels: Kernels,
    images: Int8Array,
    chooser: Chooser,
) -> Walk:
    """Compress layers in order.

    Args:
        graph: the int8 model; activations keep its scales.
        ops: the layers to compress, in order.
        kernels: real weights of every convolution, the float model's.
        images: int8 [n, H, W, C].
        chooser: chooses steps.
    """
    pair = Pair(graph, kernels, images)
    layers = {}
    for op in ops:
        pair.walk_to(op)
        moments = pair.moments(op)
        problem = _problem(kernels[op.weights], moments)
        steps, levels = chooser.choose(op, problem)
        layers[op.weights] = _finished(graph, op, kernels[op.weights], moments, steps, levels)
        pair.kernels[op.weights] = real_kernel(graph, op, layers[op.weights])
    return Walk(layers, op, problem, moments)


def with_other_last(graph: Graph, kernels: Kernels, walk: Walk, chooser: Chooser) -> Walk:
    """Return a walk with other steps for its last layer, and the others as they are."""
    op = walk.op
    steps, levels = chooser.choose(op, walk.problem)
    last = _finished(graph, op, kernels[op.weights], walk.moments, steps, levels)
    return replace(walk, layers={**walk.layers, op.weights: last})


def is_pruned(weights: NDArray[np.floating]) -> bool:
    """Say whether a layer was pruned, so that its zeros are to stay."""
    return bool(np.mean(weights == 0) > PRUNED)


def _problem(kernel: Kernel, moments: Moments) -> Problem:
    weights = kernel.weights.reshape(len(kernel.weights), -1).astype(np.float64)
    covariance = moments.covariance
    damping = CORRECTION_DAMPING * float(np.mean(np.diag(covariance)))
    damped = covariance + np.eye(len(covariance)) * max(damping, 1e-12)
    drift = (moments.cross - covariance).T @ weights.T
    target = weights + np.linalg.solve(damped, drift).T
    zeros = weights == 0 if is_pruned(weights) else None
    return Problem(target, covariance, zeros, kernel.weights.shape)


def _finished(
    graph: Graph,
    op: Conv2D,
    kernel: Kernel,
    moments: Moments,
    steps: Float64Array,
    levels: Int8Array,
) -> Layer:
    """Refit the bias, so that the outputs' means are the float ones."""
    scales = steps.astype(np.float32)
    weights = kernel.weights.reshape(len(kernel.weights), -1).astype(np.float64)
    rounded = levels.reshape(weights.shape) * scales.astype(np.float64)[:, np.newaxis]
    bias = kernel.bias + weights @ moments.mean_f - rounded @ moments.mean_q
    return Layer(levels, scales, stored_bias(graph, op, scales, bias))


def real_kernel(graph: Graph, op: Conv2D, layer: Layer) -> Kernel:
    """Return a compressed layer as reals."""
    steps = layer.steps.astype(np.float64)
    unit = steps * graph.tensors[op.inputs[0]].scale
    weights = layer.levels * steps[:, np.newaxis, np.newaxis, np.newaxis]
    return Kernel(weights.astype(np.float32), (layer.bias * unit).astype(np.float32))

"""Correct weights and biases layer by layer, on what the quantized layers before them give.

Both models walk side by side through the calibration images. Of a convolution, the float model's
sums are what its int8 sums shall be: the bias takes the mean of their difference (Nagel et al.,
2019), and weights are rounded so that the error of one is made up for by the others (GPTQ).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import channel_scales
from edgesq.compress.rounding import round_with_feedback
from edgesq.compress.statistics import Moments, MomentSums, inputs_at, some_places
from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.onnx.twin import float_twin, twin_activations
from edgesq.graph import Tensor
from edgesq.operators import Conv2D, Convolution, Op
from edgesq.repair.state import Levels, Quantized

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_MAX_INPUTS = 2_048
"""Largest number of inputs of a sum for which weights are rounded with error feedback: time grows
with its cube."""

_ROWS_PER_INPUT = 4
"""Smallest number of rows per input to adjust the float weights by: fewer would fit noise."""

_PLACES = 300
"""Output pixels sampled per image and layer."""

_DAMPING = 0.01
_BATCH = 8
_SEED = 20261126


def corrected(
    model: Quantized, floats: Float32Array, pixels: Float32Array, *, with_weights: bool
) -> Quantized:
    """Return the model with other biases, and other levels of its weights if asked for.

    Args:
        model: scales are kept.
        floats: the images as the float model sees them, float32 [n, H, W, C].
        pixels: the same as the int8 model sees them, as reals.
        with_weights: round weights with feedback too.
    """
    walk = _Walk(model, floats, pixels)
    levels: dict[str, Levels] = {}
    for position, op in enumerate(model.graph.ops):
        if isinstance(op, Convolution):
            levels[op.name] = walk.fit(op, with_weights)
        else:
            walk.compute(op)
        walk.forget(model.graph.ops[position + 1 :])
    return model.with_levels(levels)


class _Walk:
    """What is alive of both models at an operator, as reals [n, H, W, C]."""

    def __init__(self, model: Quantized, floats: Float32Array, pixels: Float32Array) -> None:
        self._model = model
        self._graph = model.graph
        self._float = {model.graph.input: floats}
        self._int8 = {model.graph.input: pixels}

    def forget(self, later: tuple[Op, ...]) -> None:
        """Drop what no later operator reads."""
        needed = {index for op in later for index in op.inputs}
        for live in (self._float, self._int8):
            for index in live.keys() - needed:
                del live[index]

    def compute(self, op: Op) -> None:
        """Go past an operator without weights."""
        own = self._graph.tensors[op.output]
        as_before = all(self._graph.tensors[i].quantization == own.quantization for i in op.inputs)
        rounded = () if as_before else (op.output,)
        self._float[op.output] = self._run(op, self._float, self._model.weights)
        self._int8[op.output] = self._run(op, self._int8, self._model.weights, rounded)

    def fit(self, op: Convolution, with_weights: bool) -> Levels:
        """Choose levels and bias of a convolution and go past it."""
        weights = replace(self._model.weights[op.name], activation="none")
        scale = channel_scales(self._graph, op)
        kernel = self._graph.constant(op.weights)
        levels = kernel.astype(np.int8)
        inputs = int(np.prod(kernel.shape[1:]))
        if with_weights and isinstance(op, Conv2D) and inputs <= _MAX_INPUTS:
            wanted = weights.kernel.reshape(len(kernel), -1).astype(np.float64)
            moments, rows = self._moments(op, inputs)
            if rows >= _ROWS_PER_INPUT * inputs:
                wanted = _compensated(wanted, moments)
            levels = round_with_feedback(wanted, moments.covariance, scale).reshape(kernel.shape)
        real = (levels * op.along_weights(scale)).astype(np.float32)
        want = self._run(op, self._float, {op.name: weights})
        have = self._run(op, self._int8, {op.name: replace(weights, kernel=real)})
        change = (want - have).mean(axis=(0, 1, 2), dtype=np.float64)
        activation = self._model.weights[op.name].activation
        self._float[op.output] = _activated(want, activation)
        shown = _activated(have + change.astype(np.float32), activation)
        self._int8[op.output] = _shown(self._graph.tensors[op.output], shown)
        return Levels(levels, weights.bias.astype(np.float64) + change)

    def _moments(self, op: Conv2D, inputs: int) -> tuple[Moments, int]:
        """Return moments of a convolution's inputs, and from how many output pixels."""
        sums, rows = MomentSums(inputs), 0
        generator = np.random.default_rng(_SEED)
        height, width, _ = self._graph.tensors[op.output].hwc
        real, own = self._float[op.inputs[0]], self._int8[op.inputs[0]]
        for start in range(0, len(real), _BATCH):
            part = slice(start, start + _BATCH)
            places = some_places(generator, len(real[part]), height * width, _PLACES)
            sums.add(inputs_at(op, real[part], places), inputs_at(op, own[part], places))
            rows += places.size
        return sums.moments(), rows

    def _run(
        self,
        op: Op,
        live: Mapping[int, Float32Array],
        weights: Mapping[str, FloatWeights],
        rounded: tuple[int, ...] = (),
    ) -> Float32Array:
        twin = float_twin(self._graph, weights, [op.output], rounded, [op])
        inputs = [live[index] for index in sorted(set(op.inputs))]
        return np.stack([made[0] for made in twin_activations(twin, *inputs)])


def _compensated(weights: Float64Array, moments: Moments) -> Float64Array:
    """Return the weights whose sums over the int8 inputs are closest to the float sums."""
    count = len(moments.covariance)
    damping = _DAMPING * float(np.mean(np.diag(moments.covariance))) * np.eye(count)
    wanted = (moments.cross + damping).T @ weights.T
    # sum_f = W f; the regression of W f on q is W cov(f, q) cov(q)^-1.
    return np.asarray(np.linalg.solve(moments.covariance + damping, wanted).T)


def _activated(sums: Float32Array, activation: str) -> Float32Array:
    if activation == "none":
        return sums
    return np.clip(sums, 0, 6 if activation == "relu6" else None)


def _shown(tensor: Tensor, reals: Float32Array) -> Float32Array:
    """Return what int8 shows of reals, as reals."""
    levels = np.round(reals / np.float32(tensor.scale))
    low, high = -128 - tensor.zero_point, 127 - tensor.zero_point
    return np.clip(levels, low, high) * np.float32(tensor.scale)

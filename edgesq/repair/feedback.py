"""Round weights with feedback, on what the float model's layers see.

The error of a weight is made up for by those rounded after it (GPTQ), and a bias takes what is left
of the mean. Images pass one by one: no maps of several are held.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import channel_scales
from edgesq.compress.rounding import round_with_feedback
from edgesq.compress.statistics import MomentSums, inputs_at, some_places
from edgesq.formats.onnx.twin import float_twin, twin_activations
from edgesq.operators import Conv2D
from edgesq.repair.equalize import takes_channels_alike
from edgesq.repair.state import Levels, Quantized

Float32Array = NDArray[np.float32]

_MAX_INPUTS = 1_152
"""Largest number of inputs of a sum for which weights are rounded with feedback: time grows with
its cube."""

_IMAGES, _PLACES = 64, 300
"""Images, at most, and output pixels sampled per image and layer."""

_SEED = 20261126


def rounded(model: Quantized, images: Float32Array) -> Quantized:
    """Return the model with other levels and biases of its convolutions, at the same scales.

    Args:
        model: depthwise convolutions, grouped ones and sums of very many inputs stay as they are;
            weights that were pruned stay 0.
        images: as the float model sees them, float32 [n, H, W, C].
    """
    ops = [op for op in model.convolutions if isinstance(op, Conv2D) and _is_fit(model, op)]
    moments = _moments(model, ops, images[spread(len(images), _IMAGES)])
    return model.with_levels({op.name: _levels(model, op, moments[op.name]) for op in ops})


def spread(count: int, most: int) -> NDArray[np.bool_]:
    """Choose at most so many of `count` images, from all over."""
    chosen = np.zeros(count, np.bool_)
    chosen[np.linspace(0, count - 1, min(most, count)).astype(np.intp)] = True
    return chosen


def _is_fit(model: Quantized, op: Conv2D) -> bool:
    inputs = int(np.prod(model.graph.tensors[op.weights].shape[1:]))
    return takes_channels_alike(model.graph, op) and inputs <= _MAX_INPUTS


def _moments(model: Quantized, ops: list[Conv2D], images: Float32Array) -> dict[str, MomentSums]:
    """Add up, for each convolution, what it multiplies at some places of each image."""
    graph, generator = model.graph, np.random.default_rng(_SEED)
    sums = {op.name: MomentSums(int(np.prod(graph.tensors[op.weights].shape[1:]))) for op in ops}
    made = sorted({op.inputs[0] for op in ops} - {graph.input})
    passing = twin_activations(float_twin(graph, model.weights, made), images) if made else ()
    for image, values in zip(images, passing or ((),) * len(images), strict=True):
        live = {graph.input: image, **dict(zip(made, values, strict=True))}
        for op in ops:
            height, width, _ = graph.tensors[op.output].hwc
            places = some_places(generator, 1, height * width, _PLACES)
            rows = inputs_at(op, live[op.inputs[0]][np.newaxis], places)
            sums[op.name].add(rows, rows)
    return sums


def _levels(model: Quantized, op: Conv2D, sums: MomentSums) -> Levels:
    weights, moments = model.weights[op.name], sums.moments()
    kernel, scale = weights.kernel, channel_scales(model.graph, op)
    wanted = kernel.reshape(len(kernel), -1).astype(np.float64)
    levels = round_with_feedback(wanted, moments.covariance, scale, wanted == 0)
    missing = wanted - levels * scale[:, np.newaxis]
    bias = weights.bias.astype(np.float64) + missing @ moments.mean_f
    return Levels(levels.reshape(kernel.shape), bias)

"""Estimate the cost of errors in each output channel from the float model and its images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.compress.float_ops import Kernel
from edgesq.compress.network import Kernels, forward, real_input, scores_of, sharpness
from edgesq.compress.rounding import importance_order, inverse_factor
from edgesq.compress.statistics import MomentSums, inputs_at, some_places
from edgesq.compress.steps import Sensitivity
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Conv2D

Float64Array = NDArray[np.float64]

FISHER_IMAGES = 250
"""Largest number of images for the Fisher information: a channel's trace is then known to about 20
%."""

COVARIANCE_IMAGES = 64

_BATCH = 8
_SEED = 20261126


def sensitivities(
    graph: Graph, ops: Sequence[Conv2D], kernels: Kernels, images: Int8Array
) -> dict[int, Sensitivity]:
    """Return what errors cost in each layer that is to be compressed, by its weights' index.

    Args:
        graph: the model.
        ops: the layers, in order.
        kernels: real weights of every convolution.
        images: int8 [n, H, W, C].
    """
    squares = _fisher_traces(graph, ops, kernels, images[:FISHER_IMAGES])
    power, spreads = _input_statistics(graph, ops, kernels, images[:COVARIANCE_IMAGES])
    found = {}
    for op in ops:
        weights = kernels[op.weights].weights.astype(np.float64)
        found[op.weights] = Sensitivity(
            squares[op.weights] / max(power[op.weights], 1e-30),
            spreads[op.weights],
            np.abs(weights.reshape(len(weights), -1)).max(axis=1),
            op is ops[0],
            op is ops[-1],
            len(graph.tensors[op.weights].quantization.scale) == 1,
        )
    return found


def _fisher_traces(
    graph: Graph, ops: Sequence[Conv2D], kernels: Kernels, images: Int8Array
) -> dict[int, Float64Array]:
    """Return the mean squared gradient of the loss by each channel's weights.

    The loss is that of a label drawn from the model's own answer: no labels are needed.
    """
    import tensorflow as tf

    variables = {op.weights: tf.Variable(kernels[op.weights].weights) for op in ops}
    held = {
        index: Kernel(variables[index], kernel.bias) if index in variables else kernel
        for index, kernel in kernels.items()
    }
    wanted, sharp = scores_of(graph), sharpness(graph)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def squares(pixels: Any, seed: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            scores = sharp * tf.reshape(forward(graph, held, pixels)[wanted], (1, -1))
            label = tf.random.stateless_categorical(scores, 1, seed)[:, 0]
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(label, scores)
        gradients = tape.gradient(loss, list(variables.values()))
        return [tf.reduce_sum(gradient**2, axis=(1, 2, 3)) for gradient in gradients]

    sums = [np.zeros(len(kernels[op.weights].weights)) for op in ops]
    for number, image in enumerate(images):
        seed = tf.constant([_SEED, number], tf.int32)
        for total, part in zip(sums, squares(real_input(graph, image), seed), strict=True):
            total += part.numpy()
    return {op.weights: total / len(images) for op, total in zip(ops, sums, strict=True)}


def _input_statistics(
    graph: Graph, ops: Sequence[Conv2D], kernels: Kernels, images: Int8Array
) -> tuple[dict[int, float], dict[int, float]]:
    """Return mean power and spread of each layer's inputs in the float model."""
    generator = np.random.default_rng(_SEED)
    sums = {op.weights: MomentSums(int(np.prod(graph.tensors[op.weights].shape[1:]))) for op in ops}
    for start in range(0, len(images), _BATCH):
        values = forward(graph, kernels, real_input(graph, images[start : start + _BATCH]))
        for op in ops:
            pixels = np.asarray(values[op.inputs[0]])
            height, width, _ = graph.tensors[op.output].hwc
            places = some_places(generator, len(pixels), height * width)
            rows = inputs_at(op, pixels, places)
            sums[op.weights].add(rows, rows)
    power, spreads = {}, {}
    for index, total in sums.items():
        moments = total.moments()
        power[index] = float(np.trace(moments.covariance) + np.sum(moments.mean_q**2))
        order = importance_order(moments.covariance)
        factor = inverse_factor(moments.covariance[np.ix_(order, order)])
        spreads[index] = float(np.exp(np.mean(-2 * np.log(np.diag(factor)))))
    return power, spreads

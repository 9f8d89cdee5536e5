"""Measure what a compressed model loses against the float one, without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.compress.network import sharpness
from edgesq.graph import Graph, Int8Array

Float64Array = NDArray[np.float64]

_MIN_WEIGHT = 1e-30
_DRAWS = 100
_RESAMPLED = 1000
_NINE_IN_TEN = (5, 95)
"""Percentiles between which nine of ten resampled sets of images give the drop."""

_SEED = 20261129


@dataclass(frozen=True)
class Loss:
    """How far a model's answers are from the float model's.

    Attributes:
        kl: mean Kullback-Leibler divergence of the answers from the float model's, nats.
        agreement: share of images with the same most likely class, in [0, 1].
        drop: points of top-1 that are expected to be lost, by the float model's own
            probabilities, if scores err on every image as they do on all of these.
        drop_low, drop_high: nine of ten other sets of as many images, of the same kind, would give
            a drop between them.
    """

    kl: float
    agreement: float
    drop: float
    drop_low: float
    drop_high: float


def measure_loss(expected: NDArray[np.floating], got: NDArray[np.floating]) -> Loss:
    """Compare answers.

    Args:
        expected: scores before the softmax of the float model, [n, K].
        got: those of the other model, [n, K].
    """
    sure, other = log_softmax(expected), log_softmax(got)
    likely = np.exp(sure)
    weights, squares = _errors(sure, other)
    variance = squares.sum() / max(weights.sum(), _MIN_WEIGHT)
    drops = 100 * _expected_drops(sure, np.sqrt(variance))
    return Loss(
        float(np.mean(np.sum(likely * (sure - other), axis=1))),
        float(np.mean(sure.argmax(axis=1) == other.argmax(axis=1))),
        float(drops.mean()),
        *_range(drops, weights, squares),
    )


def _errors(sure: Float64Array, other: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return how much each image says of the scores' errors, and the squares so weighted, [n].

    What counts is how far the distance of a score from the best one is off, likely classes most;
    half of its square is a score's own.
    """
    rows, best = np.arange(len(sure)), sure.argmax(axis=1)
    errors = other - sure
    apart = errors - errors[rows, best][:, np.newaxis]
    weight = np.exp(sure)
    weight[rows, best] = 0
    return weight.sum(axis=1), (weight * apart**2).sum(axis=1) / 2


def _expected_drops(sure: Float64Array, deviation: float) -> Float64Array:
    """Return how much less likely each image's class will be than the most likely one, [n].

    On few images it is a handful whose class changes, and luck which. So all images together say
    how far scores are off, and each image then errs by so much many times.
    """
    likely, rows = np.exp(sure), np.arange(len(sure))
    generator = np.random.default_rng(_SEED)
    total = np.zeros(len(sure))
    for _ in range(_DRAWS):
        chosen = (sure + deviation * generator.standard_normal(sure.shape)).argmax(axis=1)
        total += likely.max(axis=1) - likely[rows, chosen]
    return total / _DRAWS


def _range(
    drops: Float64Array, weights: Float64Array, squares: Float64Array
) -> tuple[float, float]:
    """Return the drops between which nine of ten other sets of images would be.

    Sets are drawn from these images again. A small drop grows with the errors' variance: how many
    images change their class, and by how much, each grow with the deviation.
    """
    picked = np.random.default_rng(_SEED).integers(0, len(drops), (_RESAMPLED, len(drops)))
    variance = squares.sum() / max(weights.sum(), _MIN_WEIGHT)
    others = squares[picked].sum(axis=1) / np.maximum(weights[picked].sum(axis=1), _MIN_WEIGHT)
    made = drops[picked].mean(axis=1) * others / max(variance, _MIN_WEIGHT)
    low, high = np.percentile(made, _NINE_IN_TEN)
    return float(low), float(high)


def log_softmax(scores: NDArray[np.floating]) -> Float64Array:
    """Return the logarithm of the softmax of each row, float64 [n, K]."""
    wide = scores.astype(np.float64)
    shifted = wide - wide.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), np.float64)


def int8_scores(graph: Graph, images: Int8Array, threads: int = 2) -> Float64Array:
    """Return what an int8 model gives before its softmax, by integer ONNX, float64 [n, K].

    The same values as TensorFlow Lite's reference kernels give, in a tenth of the time.
    """
    from edgesq.formats.onnx import integer_onnx, run_onnx

    *_, levels = run_onnx(integer_onnx(graph), images, threads=threads)
    tensor = graph.tensors[graph.scores]
    rows = levels.reshape(len(levels), -1).astype(np.float64) - tensor.zero_point
    return rows * (tensor.scale * sharpness(graph))

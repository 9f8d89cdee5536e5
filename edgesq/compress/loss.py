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
_SEED = 20261129


@dataclass(frozen=True)
class Loss:
    """How far a model's answers are from the float model's.

    Attributes:
        kl: mean Kullback-Leibler divergence of the answers from the float model's, nats.
        agreement: share of images with the same most likely class, in [0, 1].
        drop: points of top-1 that are expected to be lost, by the float model's own
            probabilities, if scores err on every image as they do on all of these.
    """

    kl: float
    agreement: float
    drop: float


def measure_loss(expected: NDArray[np.floating], got: NDArray[np.floating]) -> Loss:
    """Compare answers.

    Args:
        expected: scores before the softmax of the float model, [n, K].
        got: those of the other model, [n, K].
    """
    sure, other = log_softmax(expected), log_softmax(got)
    return Loss(
        float(np.mean(np.sum(np.exp(sure) * (sure - other), axis=1))),
        float(np.mean(sure.argmax(axis=1) == other.argmax(axis=1))),
        100 * _expected_drop(sure, other),
    )


def _expected_drop(sure: Float64Array, other: Float64Array) -> float:
    """Return how much less likely the chosen class will be than the most likely one, in [0, 1].

    On few images it is a handful whose class changes, and luck which. So all images together say
    how far the distance of two scores is off (a deviation, likely classes counting most), and each
    image then errs by so much many times.
    """
    likely = np.exp(sure)
    rows, best = np.arange(len(sure)), sure.argmax(axis=1)
    errors = other - sure
    apart = errors - errors[rows, best][:, np.newaxis]
    weight = likely.copy()
    weight[rows, best] = 0
    deviation = np.sqrt((weight * apart**2).sum() / max(weight.sum(), _MIN_WEIGHT) / 2)
    generator = np.random.default_rng(_SEED)
    drops = []
    for _ in range(_DRAWS):
        chosen = (sure + deviation * generator.standard_normal(sure.shape)).argmax(axis=1)
        drops.append(np.mean(likely[rows, best] - likely[rows, chosen]))
    return float(np.mean(drops))


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

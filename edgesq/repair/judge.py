"""Measure the distance of an int8 model from its float model, without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate import Judge, judge_of
from edgesq.graph import Graph, Int8Array
from edgesq.repair.state import Quantized

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Distance:
    """An int8 model against the float one.

    Attributes:
        kl: mean over images of KL(float || int8) of the softmax of their scores, in nats.
        agreement: share of images with the same largest score.
        sqnr_db: of the scores; None where all are equal.
    """

    kl: float
    agreement: float
    sqnr_db: float | None


def float_scores(model: Quantized, images: Float32Array) -> Float32Array:
    """Return the float model's scores (logits, or its output), [n, K], a class each if it has."""
    from edgesq.formats.onnx.twin import float_twin, twin_activations

    twin = float_twin(model.graph, model.weights, [model.scores])
    made = np.stack([value[0].reshape(-1) for value in twin_activations(twin, images)])
    return _by_class(model.graph, made)


def int8_scores(graph: Graph, images: Int8Array) -> Float32Array:
    """Return the int8 model's scores as reals, likewise, by exact integer ONNX."""
    from edgesq.formats.onnx import integer_onnx, run_onnx

    tensor = graph.tensors[graph.scores]
    levels = run_onnx(integer_onnx(graph), images)[-1].astype(np.float32)
    return _by_class(graph, (levels - np.float32(tensor.zero_point)) * np.float32(tensor.scale))


def _by_class(graph: Graph, scores: Float32Array) -> Float32Array:
    """Give one sigmoid two scores: the softmax of one alone is always 1."""
    judge = judge_of(graph)
    return judge.scores(scores).astype(np.float32) if isinstance(judge, Judge) else scores


def distance(expected: Float32Array, got: Float32Array) -> Distance:
    """Compare scores [n, K] of the float model with those of another one."""
    p, q = log_softmax(expected), log_softmax(got)
    noise = float(np.mean((got.astype(np.float64) - expected) ** 2))
    signal = float(np.mean(expected.astype(np.float64) ** 2))
    return Distance(
        float(np.mean(np.sum(np.exp(p) * (p - q), axis=1))),
        float(np.mean(expected.argmax(axis=1) == got.argmax(axis=1))),
        10 * float(np.log10(signal / noise)) if noise and signal else None,
    )


def log_softmax(scores: NDArray[np.floating]) -> Float64Array:
    """Return the logarithm of the softmax of each row."""
    shifted = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))

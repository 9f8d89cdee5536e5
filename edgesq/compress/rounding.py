"""Round weights to whole steps so that a layer's outputs change least.

Source: Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
Transformers", 2023: the error of each column is made up for by the columns after it.
"""

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

MAX_LEVEL = 127
"""Largest magnitude of a level: levels are in [-127, 127]."""

DAMPING = 0.005
"""Share of the mean variance added to every variance, so that the inverse exists."""

_BLOCK = 64


def inverse_factor(covariance: Float64Array) -> Float64Array:
    """Return the upper Cholesky factor of the damped covariance's inverse, float64 [K, K]."""
    count = len(covariance)
    mean = float(np.mean(np.diag(covariance)))
    damped = covariance + np.eye(count) * max(DAMPING * mean, 1e-12)
    return np.ascontiguousarray(np.linalg.cholesky(np.linalg.inv(damped)).T)


def importance_order(covariance: Float64Array) -> NDArray[np.intp]:
    """Return the inputs, those that vary most first: they are rounded before the others."""
    return np.argsort(-np.diag(covariance), kind="stable")


def round_with_feedback(
    target: Float64Array,
    covariance: Float64Array,
    steps: Float64Array,
    zeros: NDArray[np.bool_] | None = None,
) -> NDArray[np.int8]:
    """Round weights to whole steps, each one's error fed to those that are rounded after it.

    Args:
        target: weights wanted, [O, K].
        covariance: of the layer's K inputs, [K, K].
        steps: size of a step per output channel, [O].
        zeros: [O, K], weights that stay zero; None for none.

    Returns:
        levels int8 [O, K] in [-127, 127].
    """
    order = importance_order(covariance)
    factor = inverse_factor(covariance[np.ix_(order, order)])
    left = np.ascontiguousarray(target.T[order] / steps)
    kept = None if zeros is None else ~zeros.T[order]
    levels = np.zeros_like(left)
    count = len(left)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        errors = np.empty((stop - start, left.shape[1]))
        for row in range(start, stop):
            level = np.clip(np.rint(left[row]), -MAX_LEVEL, MAX_LEVEL)
            levels[row] = level if kept is None else level * kept[row]
            errors[row - start] = (left[row] - levels[row]) / factor[row, row]
            left[row + 1 : stop] -= np.outer(factor[row, row + 1 : stop], errors[row - start])
        left[stop:] -= factor[start:stop, stop:].T @ errors
    result = np.empty_like(levels)
    result[order] = levels
    return np.ascontiguousarray(result.T).astype(np.int8)

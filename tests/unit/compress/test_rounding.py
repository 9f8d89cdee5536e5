"""Rounding with feedback: less error at the output than the nearest level leaves."""

import numpy as np

from edgesq.compress.rounding import round_with_feedback
from edgesq.graph import Int8Array


def test_feedback_leaves_less_error_than_rounding() -> None:
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(400, 30)) @ rng.normal(size=(30, 30))
    covariance = np.cov(mixed.T)
    weights, steps = rng.normal(size=(12, 30)), np.full(12, 0.5)

    def error(levels: Int8Array) -> float:
        gap = levels * steps[:, np.newaxis] - weights
        return float(np.einsum("ok,kl,ol->", gap, covariance, gap))

    fed = round_with_feedback(weights, covariance, steps)
    assert error(fed) < 0.5 * error(np.rint(weights / 0.5).astype(np.int8))


def test_zeros_that_are_to_stay_do() -> None:
    rng = np.random.default_rng(1)
    zeros = rng.random((8, 20)) < 0.6
    weights = np.where(zeros, 0, rng.normal(size=(8, 20)))
    covariance = np.cov((rng.normal(size=(300, 20)) @ rng.normal(size=(20, 20))).T)
    levels = round_with_feedback(weights + 0.1, covariance, np.full(8, 0.05), zeros)
    assert not levels[zeros].any()
    assert np.mean(levels[~zeros] != 0) > 0.9

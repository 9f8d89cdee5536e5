"""Rules that choose the quantization range of activations, and which tensors share a scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.onnx.twin import float_twin, twin_activations
from edgesq.formats.scales import sharing_scales
from edgesq.graph import Quantization
from edgesq.repair.state import Quantized

Float32Array = NDArray[np.float32]

_PER_IMAGE = 1_024
_SEED = 20261126
_LEVELS = 255
_SHARES = np.linspace(0.2, 1.1, 31)
_BINS, _STEP = 2_048, 32


@dataclass(frozen=True, eq=False)
class Samples:
    """What an activation, or several that share a scale, was on the calibration images.

    Attributes:
        low, high: least and largest of all values; low at most 0, high at least 0.
        values: some of them, drawn at random, float32 [n].
    """

    low: float
    high: float
    values: Float32Array


Rule = Callable[[Samples], tuple[float, float]]


def observe(model: Quantized, images: Float32Array) -> dict[tuple[int, ...], Samples]:
    """Run the float model and keep samples of each group of activations.

    Args:
        model: its float weights are what runs.
        images: float32 [n, H, W, C].
    """
    shared = sharing_scales(model.graph)
    wanted = [index for group in shared for index in group]
    generator = np.random.default_rng(_SEED)
    picked: dict[int, list[Float32Array]] = {index: [] for index in wanted}
    ends = {index: [0.0, 0.0] for index in wanted}
    twin = float_twin(model.graph, model.weights, wanted)
    for values in twin_activations(twin, images):
        for index, array in zip(wanted, values, strict=True):
            ends[index] = [
                min(ends[index][0], float(array.min())),
                max(ends[index][1], float(array.max())),
            ]
            flat = array.reshape(-1)
            picked[index].append(flat[generator.integers(0, flat.size, min(flat.size, _PER_IMAGE))])
    return {
        group: Samples(
            min(ends[index][0] for index in group),
            max(ends[index][1] for index in group),
            np.concatenate([part for index in group for part in picked[index]]),
        )
        for group in shared
    }


def choose(observed: dict[tuple[int, ...], Samples], rule: Rule) -> dict[int, Quantization]:
    """Return scale and zero point of each activation by a rule."""
    return {
        index: quantization(*rule(samples))
        for group, samples in observed.items()
        for index in group
    }


def quantization(low: float, high: float) -> Quantization:
    """Return the scale and zero point whose 256 levels reach from `low` to `high`.

    Zero is a level, as TensorFlow Lite asks.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32(max((high - low) / _LEVELS, 1e-9))
    zero_point = int(np.clip(round(-128 - low / float(scale)), -128, 127))
    return Quantization((float(scale),), zero_point)


def min_max(samples: Samples) -> tuple[float, float]:
    """Take all that was seen, as TensorFlow Lite's converter does."""
    return samples.low, samples.high


def wider(factor: float) -> Rule:
    """Return the rule that takes more than was seen: few images do not show the largest values."""

    def rule(samples: Samples) -> tuple[float, float]:
        return samples.low * factor, samples.high * factor

    return rule


def percentile(share: float) -> Rule:
    """Return the rule that leaves out the part 1 - share of the values."""

    def rule(samples: Samples) -> tuple[float, float]:
        low, high = np.quantile(samples.values, [1 - share, share])
        return min(float(low), 0.0), max(float(high), 0.0)

    return rule


def least_squares(samples: Samples) -> tuple[float, float]:
    """Take the part of the range for which rounding and cutting together err least."""
    best, least = 1.0, np.inf
    for share in _SHARES:
        low, high = samples.low * share, samples.high * share
        step = max((high - low) / _LEVELS, 1e-9)
        shown = np.clip(np.round(samples.values / step) * step, low, high)
        error = float(np.mean((shown - samples.values) ** 2))
        if error < least:
            best, least = float(share), error
    return samples.low * best, samples.high * best


def divergence(samples: Samples) -> tuple[float, float]:
    """Take the range whose levels keep the distribution of magnitudes closest (KL divergence).

    Source: S. Migacz, "8-bit Inference with TensorRT", 2017. Zeros are left out: they are exact
    at any scale.
    """
    magnitudes = np.abs(samples.values[samples.values != 0])
    largest = max(-samples.low, samples.high)
    if not magnitudes.size or largest <= 0:
        return samples.low, samples.high
    counts, _ = np.histogram(magnitudes, _BINS, (0, largest))
    levels = _LEVELS if samples.low >= 0 else _LEVELS // 2
    scores = {stop: _divergence(counts, stop, levels) for stop in range(levels, _BINS + 1, _STEP)}
    limit = min(scores, key=lambda stop: scores[stop]) / _BINS * largest
    return max(samples.low, -limit), min(samples.high, limit)


def _divergence(counts: NDArray[np.int64], stop: int, levels: int) -> float:
    """Return KL(p || q): p is cut at bin `stop`, q is what `levels` levels make of it."""
    p = counts[:stop].astype(np.float64)
    level = np.arange(stop) * levels // stop
    filled = p > 0
    sums = np.bincount(level, p, levels)
    q = np.where(filled, (sums / np.maximum(np.bincount(level, filled, levels), 1))[level], 0)
    p[-1] += counts[stop:].sum()
    # What was cut off may fall on an empty bin, where q is nothing.
    q = np.maximum(q, 1e-3)
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])))


RULES: dict[str, Rule] = {
    "min-max": min_max,
    "min-max x 1.15": wider(1.15),
    "min-max x 1.3": wider(1.3),
    "min-max x 1.5": wider(1.5),
    "MSE": least_squares,
    "KL": divergence,
    "percentile 99.99": percentile(0.9999),
}
"""Rules by the name that reports show."""

"""Choose one step size per output channel by reverse water-filling.

A channel whose errors cost S per squared error and whose inputs vary by h may have a step of
kappa * sqrt(8.66 * lambda / (S * h)): every channel then gives the same loss for its last bit. One
lambda for the whole network distributes the bits by itself.

Source: Cover and Thomas, "Elements of Information Theory", section 10.3 (reverse water-filling).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

STEPS_PER_OCTAVE = 4
"""Quantization steps are 2^(k / 4) with integer k: a layer has few different ones, so its table of
them is small."""

KAPPA = 1.2
OWN_SHARE = 0.3
"""Weight of a channel's own sensitivity; the layer's mean has the rest, because the own one,
measured on some hundred images, is noisy."""

OWN_SHARE_OF_LAST = 0.2
FIRST_LAYER = 0.5
"""Factor by which steps of the first layer are finer: its errors pass through the whole network."""

_APART, _GOLDEN = 0.06, 0.6180339887
"""Largest distance in octaves between the steps of equally sensitive channels, and the factor that
spreads them."""

_MIN_LEVELS = 120
_MIN_COST = 1e-30
_MAX_STEPS = 2.0
"""Largest step, as a multiple of a channel's largest weight; all its weights are zero then
anyway."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """The cost of errors in a layer's weights.

    Attributes:
        trace: per output channel, [O]: loss in nats per squared error of its sums.
        spread: geometric mean of the variance that each input has given those rounded after it.
        largest: the largest magnitude of a channel's weights, [O].
        is_first, is_last: where in the network the layer is.
        is_shared: all channels have one step, as a FULLY_CONNECTED with one scale needs.
    """

    trace: Float64Array
    spread: float
    largest: Float64Array
    is_first: bool
    is_last: bool
    is_shared: bool


def steps_for(layer: Sensitivity, log2_lambda: float) -> Float64Array:
    """Return the step of each output channel, [O], powers of 2^(1/4)."""
    finest, coarsest = _bounds(layer)
    ideal = np.exp2(log2_lambda / 2) * _at_lambda_one(layer)
    if not layer.is_shared:
        ideal *= _apart(len(ideal))
    return snapped(np.minimum(ideal, coarsest), finest)


def _apart(count: int) -> Float64Array:
    """Return a factor near 1 for each channel.

    Channels of classes that no image shows cost the same. Without this all of them change to the
    next power at one lambda, and sizes between are not to be had: 8 KB in conv10 of v1.1.
    """
    return np.asarray(2.0 ** (_APART * ((np.arange(count) * _GOLDEN) % 1 - 0.5)), np.float64)


def lambda_range(layer: Sensitivity) -> tuple[float, float]:
    """Return log2 of the lambdas between which any step of a layer changes."""
    finest, coarsest = _bounds(layer)
    unit = _at_lambda_one(layer)
    low, high = np.min(np.log2(finest / unit)), np.max(np.log2(coarsest / unit))
    return 2 * float(low) - 1, 2 * float(high) + 1


def _at_lambda_one(layer: Sensitivity) -> Float64Array:
    """Return the steps that are best at lambda 1, [O]."""
    share = OWN_SHARE_OF_LAST if layer.is_last else OWN_SHARE
    cost = (1 - share) * layer.trace.mean() + share * layer.trace
    unit = KAPPA * np.sqrt(8.66 / np.maximum(cost * layer.spread, _MIN_COST))
    unit = unit * (FIRST_LAYER if layer.is_first else 1)
    if layer.is_shared:
        return np.full_like(unit, np.exp(np.mean(np.log(unit))))
    return np.asarray(unit, np.float64)


def _bounds(layer: Sensitivity) -> tuple[Float64Array, Float64Array]:
    """Return the finest and the coarsest step of each channel, [O]."""
    largest = layer.largest
    if layer.is_shared:
        largest = np.full_like(largest, largest.max())
    some = largest[largest > 0]
    usual = float(np.median(some)) if some.size else 1.0
    largest = np.where(largest > 0, largest, usual)
    return largest / _MIN_LEVELS, _MAX_STEPS * largest


def snapped(steps: Float64Array, least: Float64Array) -> Float64Array:
    """Return steps as powers of 2^(1/4), the nearest one or the next one above `least`."""
    nearest = np.round(STEPS_PER_OCTAVE * np.log2(steps))
    lowest = np.ceil(STEPS_PER_OCTAVE * np.log2(least))
    return np.asarray(2.0 ** (np.maximum(nearest, lowest) / STEPS_PER_OCTAVE), np.float64)

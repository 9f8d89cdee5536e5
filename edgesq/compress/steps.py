"""How coarse each output channel may be: one step size per channel, by reverse water-filling.

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
"""Steps are 2^(k / 4), k whole: few different ones in a layer, so tables of them are small."""

KAPPA = 1.2
OWN_SHARE = 0.3
"""How much of a channel's own sensitivity counts; the rest is its layer's mean. Measured on some
hundred images, the own one is noisy."""

OWN_SHARE_OF_LAST = 0.2
FIRST_LAYER = 0.5
"""Steps of the first layer are finer by this: the network's every error starts there."""

_LEAST_LEVELS = 120
_MOST_STEPS = 2.0
"""A step is at most this many times a channel's largest weight, which is then zero anyway."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What an error in a layer's weights costs.

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
    share = OWN_SHARE_OF_LAST if layer.is_last else OWN_SHARE
    cost = (1 - share) * layer.trace.mean() + share * layer.trace
    tiny = np.finfo(np.float64).tiny
    ideal = KAPPA * np.sqrt(8.66 * 2.0**log2_lambda / np.maximum(cost * layer.spread, tiny))
    ideal = ideal * (FIRST_LAYER if layer.is_first else 1)
    if layer.is_shared:
        ideal = np.full_like(ideal, np.exp(np.mean(np.log(ideal))))
        largest = np.full_like(layer.largest, layer.largest.max())
    else:
        largest = layer.largest
    usual = np.median(largest[largest > 0]) if np.any(largest > 0) else 1.0
    largest = np.where(largest > 0, largest, usual)
    return snapped(np.minimum(ideal, _MOST_STEPS * largest), largest / _LEAST_LEVELS)


def snapped(steps: Float64Array, least: Float64Array) -> Float64Array:
    """Return steps as powers of 2^(1/4), the nearest one or the next one above `least`."""
    nearest = np.round(STEPS_PER_OCTAVE * np.log2(steps))
    lowest = np.ceil(STEPS_PER_OCTAVE * np.log2(least))
    return np.asarray(2.0 ** (np.maximum(nearest, lowest) / STEPS_PER_OCTAVE), np.float64)

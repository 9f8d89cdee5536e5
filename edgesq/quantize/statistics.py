"""Compare inputs with the statistics of the training images that batch normalizations keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgesq.quantize.probe import predicted, probed

if TYPE_CHECKING:
    import keras

Float32Array = NDArray[np.float32]

FAR = 0.05
"""Distance from the trained statistics above which the inputs differ from those of training."""

NEARER = 4.0
"""Factor by which another preprocessing must be nearer before it is suggested."""

_MAX_DISTANCE = 1.0
"""Upper bound of the distance of one layer: beyond it, values are wrong in any case."""


class TrainedStatistics:
    """Compares the values that batch normalizations get with the mean and variance they keep.

    They need no labels, and tell scales apart that leave a network as certain as before.

    Args:
        model: one input [None, H, W, C].

    Attributes:
        count: batch normalizations that were trained.
    """

    def __init__(self, model: keras.Model) -> None:
        import keras

        found = list(_normalizations(model))
        moments = probed([source for source, _, _ in found], _moments)
        self.count = len(found)
        self._kept = [(mean, variance) for _, mean, variance in found]
        self._model = keras.Model(model.inputs, moments) if found else None

    def distance(self, floats: Float32Array) -> float:
        """Return how far the values of images are from those kept: the mean over the layers.

        Of a layer it is the median over the channels of KL(now || kept), both taken as normal
        distributions, in nats, up to 1.

        Args:
            floats: [n, H, W, C], as the model takes them.
        """
        assert self._model is not None
        made = predicted(self._model, floats)
        rows = [np.asarray(one, np.float64).mean(axis=0) for one in made]
        distances = [
            _divergence(mean, square - mean**2, *kept)
            for mean, square, kept in zip(
                rows[: self.count], rows[self.count :], self._kept, strict=True
            )
        ]
        return float(np.mean(distances))


def _moments(sources: list[Any]) -> list[Any]:
    """Return the means of an image's values by channel, then those of their squares."""
    import keras

    ops = keras.ops
    every = [*sources, *(ops.square(one) for one in sources)]
    return [ops.mean(one, tuple(range(1, len(one.shape) - 1))) for one in every]


def _normalizations(model: keras.Model) -> Iterator[tuple[Any, Any, Any]]:
    """Yield input, mean and variance of every batch normalization that was trained."""
    import keras

    for layer in model.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        mean = np.asarray(layer.moving_mean, np.float64)
        variance = np.asarray(layer.moving_variance, np.float64)
        source = layer._inbound_nodes[0].input_tensors[0]  # the first of several calls
        is_last = layer.axis in (-1, len(source.shape) - 1)
        if is_last and (mean.any() or (variance != 1).any()):
            yield source, mean, variance


def _divergence(
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    kept_mean: NDArray[np.float64],
    kept_variance: NDArray[np.float64],
) -> float:
    # A channel that is always the same has no variance, a dead one neither.
    least = 1e-3 * float(np.mean(kept_variance)) + 1e-12
    now, kept = np.maximum(variance, 0) + least, kept_variance + least
    each = 0.5 * ((now + (mean - kept_mean) ** 2) / kept - 1 + np.log(kept / now))
    return min(float(np.median(each)), _MAX_DISTANCE)

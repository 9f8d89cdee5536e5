"""Means and covariances of a layer's inputs, in the float and in the compressed model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.operators import Conv2D

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

PLACES = 1_200
"""Output pixels sampled at random per image and layer."""


def inputs_at(op: Conv2D, pixels: Float32Array, places: NDArray[np.int64]) -> Float32Array:
    """Return what a convolution multiplies at some output pixels.

    Args:
        op: the convolution.
        pixels: its input, reals [n, H, W, C].
        places: numbers of output pixels, row by row, [n, m].

    Returns:
        float32 [n * m, H * W * C] in the order of the weights, OHWI.
    """
    window = op.window
    rows, columns = (window.pad_top, window.pad_bottom), (window.pad_left, window.pad_right)
    padded = np.pad(pixels, ((0, 0), rows, columns, (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(
        padded, (window.tall, window.wide), axis=(1, 2)
    )[:, :: window.stride_h, :: window.stride_w]
    views = views[..., :: window.dilation_h, :: window.dilation_w]
    row, column = np.divmod(places, views.shape[2])
    image = np.arange(len(pixels))[:, np.newaxis]
    taken = views[image, row, column].transpose(0, 1, 3, 4, 2)
    return np.ascontiguousarray(taken).reshape(places.size, -1)


def some_places(
    generator: np.random.Generator, images: int, count: int, most: int = PLACES
) -> NDArray[np.int64]:
    """Choose at most `most` of `count` output pixels for each image, [images, m]."""
    if count <= most:
        return np.tile(np.arange(count), (images, 1))
    return generator.random((images, count)).argpartition(most, axis=1)[:, :most]


@dataclass(frozen=True, eq=False)
class Moments:
    """Of a layer's K inputs in the float model (f) and in the compressed one (q).

    Attributes:
        mean_f, mean_q: [K].
        covariance: of q, [K, K].
        cross: of f (rows) with q (columns), [K, K].
    """

    mean_f: Float64Array
    mean_q: Float64Array
    covariance: Float64Array
    cross: Float64Array


class MomentSums:
    """Adds up moments batch by batch."""

    def __init__(self, count: int) -> None:
        self._rows = 0
        self._f = np.zeros(count)
        self._q = np.zeros(count)
        self._qq = np.zeros((count, count))
        self._fq = np.zeros((count, count))

    def add(self, f: Float32Array, q: Float32Array) -> None:
        """Add rows [m, K] of both models; the same array twice is taken once."""
        self._rows += len(q)
        self._q += q.sum(axis=0, dtype=np.float64)
        self._qq += q.T @ q
        if f is not q:
            self._f += f.sum(axis=0, dtype=np.float64)
            self._fq += f.T @ q
        else:
            self._f, self._fq = self._q, self._qq

    def moments(self) -> Moments:
        """Return the moments of all that was added."""
        mean_f, mean_q = self._f / self._rows, self._q / self._rows
        return Moments(
            mean_f,
            mean_q,
            self._qq / self._rows - np.outer(mean_q, mean_q),
            self._fq / self._rows - np.outer(mean_f, mean_q),
        )

"""Where ONNX's values lie once maps are stored as NHWC.

ONNX has NCHW maps and moves them by Transpose, Flatten and Reshape. Here values never move: each
ONNX value carries `place`, an array of its own shape that says at which position of the stored
tensor each of its numbers lies. A Transpose transposes `place`, a Flatten reshapes it, and who
reads the value at last, a dense layer for one, puts its weights in the order it finds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Axes = tuple[int, ...]
"""The axis in NHWC that each of ONNX's axes is."""

NCHW: Axes = (0, 3, 1, 2)
NHWC: Axes = (0, 1, 2, 3)


@dataclass(frozen=True, eq=False)
class Stored:
    """A value of ONNX as it is stored.

    Attributes:
        name: of the stored tensor.
        shape: of the stored tensor, [1, H, W, C] or [1, C].
        place: int32, in ONNX's shape: positions in the stored tensor.
    """

    name: str
    shape: tuple[int, ...]
    place: NDArray[np.int32]

    def as_map(self, like: Axes | None = None) -> tuple[tuple[int, ...], Axes] | None:
        """Return the NHWC shape of a four-dimensional value, and the NHWC axis of each of its own.

        None where its numbers do not lie as in a map. Where one row or channel leaves a choice,
        `like` is taken, or NCHW.
        """
        if self.place.ndim != 4:
            return None
        positions = np.arange(self.place.size, dtype=np.int32)
        for axes in sorted((NCHW, NHWC), key=lambda axes: axes != (like or NCHW)):
            moved = self.place.transpose(np.argsort(axes))
            if np.array_equal(moved.reshape(-1), positions):
                return moved.shape, axes
        return None

    @property
    def is_repeated(self) -> bool:
        """Whether some of its numbers lie at the same position: a Tile or Expand made it."""
        return self.place.size > math.prod(self.shape)

    def repeats(self, axes: Axes) -> tuple[int, int] | None:
        """Return how often rows and columns are repeated, seen as a map with these axes."""
        if self.place.ndim != 4 or len(self.shape) != 4:
            return None
        moved = self.place.transpose(np.argsort(axes))
        _, height, width, channels = self.shape
        factors = moved.shape[1] // height, moved.shape[2] // width
        if moved.shape != (1, height * factors[0], width * factors[1], channels):
            return None
        positions = np.arange(math.prod(self.shape), dtype=np.int32).reshape(self.shape)
        wide = positions.repeat(factors[0], 1).repeat(factors[1], 2)
        return factors if np.array_equal(moved, wide) else None

    @property
    def in_order(self) -> bool:
        """Whether its numbers follow each other as ONNX's do."""
        return bool(
            np.array_equal(self.place.reshape(-1), np.arange(self.place.size, dtype=np.int32))
        )


def nchw(name: str, shape: tuple[int, ...]) -> Stored:
    """Store a value of ONNX's shape the usual way: maps as NHWC, everything else as it is."""
    positions = np.arange(int(np.prod(shape)), dtype=np.int32)
    if len(shape) == 4:
        stored = (shape[0], shape[2], shape[3], shape[1])
        return Stored(name, stored, positions.reshape(stored).transpose(0, 3, 1, 2))
    return Stored(name, (1, positions.size), positions.reshape(shape))


def image(name: str, shape: tuple[int, ...], channels_last: bool, is_alone: bool) -> Stored:
    """Store a model's input as a map, whatever ONNX's rank; [1, N] beside an image as it is."""
    positions = np.arange(int(np.prod(shape)), dtype=np.int32)
    if len(shape) == 4 and channels_last:
        return Stored(name, shape, positions.reshape(shape))
    if len(shape) == 4:
        return nchw(name, shape)
    if len(shape) == 2 and not is_alone:
        return Stored(name, shape, positions.reshape(shape))
    stored = (1, *shape[1:], 1) if len(shape) == 3 else (1, 1, 1, positions.size)
    return Stored(name, stored, positions.reshape(shape))

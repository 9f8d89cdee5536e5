"""Integers that stand for reals by a scale and a zero point, and constants of such."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.operators import Softmax

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Quant:
    """How stored integers map to reals: real = scale * (q - zero_point).

    Attributes:
        scale: float32 [1], or [C] along `axis`.
        zero_point: int64, as long as `scale`.
        dtype: of the stored integers.
        axis: the dimension that several scales belong to.
    """

    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    dtype: np.dtype[Any]
    axis: int = 0

    def same(self, other: Quant) -> bool:
        """Say whether both map the same integers to the same reals."""
        return (
            self.dtype == other.dtype
            and np.array_equal(self.scale, other.scale)
            and np.array_equal(self.zero_point, other.zero_point)
        )

    def spread(self, rank: int) -> tuple[Array, Array]:
        """Return scale and zero point in a shape that broadcasts against `rank` dimensions."""
        shape = [1] * rank
        if len(self.scale) > 1:
            shape[self.axis] = -1
        return self.scale.reshape(shape), self.zero_point.reshape(shape)


@dataclass(frozen=True, eq=False)
class Constant:
    """Numbers of the file: floats, or integers with a quantization."""

    values: Array
    quant: Quant | None = None

    def real(self) -> Array:
        """Return what the numbers stand for."""
        if self.quant is None:
            return self.values
        scale, zero_point = self.quant.spread(self.values.ndim)
        return ((self.values.astype(np.int64) - zero_point) * scale).astype(np.float32)


def read_quant(
    scale: Constant, zero_point: Constant | None, dtype: np.dtype[Any], axis: int, rank: int
) -> Quant:
    """Return the quantization that a scale and a zero point of the file say.

    Raises:
        ModelError: a scale that is not above zero and finite.
    """
    scales = scale.real().astype(np.float32).reshape(-1)
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ModelError(
            "a scale is not above zero and finite", hint="the file is damaged; export it again"
        )
    points = np.zeros(len(scales), np.int64)
    if zero_point is not None:
        points = points + zero_point.values.astype(np.int64).reshape(-1)
        dtype = zero_point.values.dtype
    return Quant(scales, points, dtype, axis % max(rank, 1))


INT8 = np.dtype(np.int8)


def prescribed(output_steps: tuple[int, int]) -> Quant:
    """Return the only quantization that TensorFlow Lite has for the output of some operators.

    Args:
        output_steps: 1 / scale, and zero point.
    """
    steps, point = output_steps
    return Quant(np.array([1 / steps], np.float32), np.array([point]), INT8)


PROBABILITY = prescribed(Softmax.output_steps or (1, 0))
"""The only output that TensorFlow Lite's SOFTMAX and LOGISTIC have."""


def covering(quants: Sequence[Quant]) -> Quant:
    """Return the common quantization of several values, or one whose range covers all of theirs."""
    if all(quant.same(quants[0]) for quant in quants):
        return quants[0]
    ends = [
        (level - int(quant.zero_point[0])) * float(quant.scale[0])
        for quant in map(as_int8, quants)
        for level in (-128, 127)
    ]
    return range_quant(min(ends), max(ends))


def range_quant(low: float, high: float) -> Quant:
    """Return the int8 quantization of a range, which is widened to have zero in it."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / 255 or 1.0)
    point = int(np.clip(np.round(-128 - low / float(scale)), -128, 127))
    return Quant(np.array([scale], np.float32), np.array([point]), INT8)


def as_int8(quant: Quant) -> Quant:
    """Return the quantization of the same values, 128 less where they were uint8."""
    if quant.dtype == np.dtype(np.uint8):
        return Quant(quant.scale, quant.zero_point - 128, INT8, quant.axis)
    return quant


def symmetric_weights(constant: Constant) -> tuple[Constant, float]:
    """Return int8 weights with zero point 0, and the share of them that do not fit int8 so.

    Args:
        constant: int8 or uint8 with any zero points.
    """
    assert constant.quant is not None
    _, points = constant.quant.spread(constant.values.ndim)
    shifted = constant.values.astype(np.int64) - points
    outside = float(np.mean((shifted < -128) | (shifted > 127)))
    quant = constant.quant
    zero = Quant(quant.scale, np.zeros_like(quant.zero_point), INT8, quant.axis)
    return Constant(np.clip(shifted, -128, 127).astype(np.int8), zero), outside

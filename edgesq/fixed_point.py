"""Quotients, roots and logarithms in TensorFlow Lite's fixed-point arithmetic.

Source: TensorFlow Lite, kernels/internal (common.h, reference/div.h); gemmlowp fixedpoint.h.
"""

import numpy as np

from edgesq.arithmetic import (
    INT32_MAX,
    Int64Array,
    doubling_high_mul,
    reciprocal,
    rounding_divide_by_pot,
    saturating_shift_left,
)

_Q19_BITS = 19
"""Fraction bits that `reciprocal` gives its sums."""
_MAX_SHIFT = 31

_Q3_ONE, _Q3_HALF_THREE = 1 << 28, (1 << 28) + (1 << 27)
_Q31_SQRT_HALF = 1518500250


def quotient_is_defined(one: Int64Array, two: Int64Array, shift: int) -> bool:
    """Say whether TensorFlow Lite's own quotients are: its shifts stay below 32 bits."""
    exponent = _quotient_bits(one, two) - shift
    return bool(np.all((one == 0) | ((exponent >= 0) & (exponent <= _MAX_SHIFT))))


def quotient(one: Int64Array, two: Int64Array, multiplier: int, shift: int) -> Int64Array:
    """Return one / two * multiplier * 2^(shift - 31) as DIV of int8 rounds it.

    Args:
        one: int64 values in [-255, 255].
        two: the same; 0 counts as 1, where TensorFlow Lite stops.
        multiplier: Q0.31.
        shift: left if positive.
    """
    sign = np.where(two < 0, -1, 1)
    above, below = np.broadcast_arrays(one * sign, np.maximum(np.abs(two), 1))
    mantissa, _ = reciprocal(below)
    unscaled = doubling_high_mul(above << _headroom(above), mantissa)
    exponent = np.clip(_quotient_bits(above, below) - shift, 0, _MAX_SHIFT)
    scaled = rounding_divide_by_pot(doubling_high_mul(unscaled, multiplier), exponent)
    return np.where(above == 0, 0, scaled)


def _quotient_bits(one: Int64Array, two: Int64Array) -> Int64Array:
    signed = np.where(two < 0, -one, one)
    _, bits = reciprocal(np.maximum(np.abs(two), 1))
    return bits + _Q19_BITS + _headroom(signed)


def _headroom(values: Int64Array) -> Int64Array:
    """Return how many bits int32 values can be shifted left without change of sign."""
    magnitude = np.where(values < 0, ~values, values)
    return _MAX_SHIFT - np.frexp(magnitude.astype(np.float64))[1].astype(np.int64)


def inverse_square_root(value: int) -> tuple[int, int]:
    """Return multiplier Q0.31 and shift, left if positive, of 1 / sqrt(value); value positive."""
    if value == 1:
        return INT32_MAX, 0
    pairs = (_MAX_SHIFT - value.bit_length()) // 2 - 1
    scaled = (value << 2 * pairs) >> 1
    half = int(rounding_divide_by_pot(scaled, 1))
    x = np.int64(_Q3_ONE)
    for _ in range(5):
        cube = _q3(doubling_high_mul(doubling_high_mul(x, x), x), 6)
        steps = doubling_high_mul(_Q3_HALF_THREE, x) - doubling_high_mul(half, cube)
        x = np.int64(_q3(steps, 3))
    root = int(doubling_high_mul(x, _Q31_SQRT_HALF))
    right = 11 - pairs
    return (root << -right, 0) if right < 0 else (root, -right)


def _q3(value: Int64Array, bits: int) -> Int64Array:
    """Return a product of numbers with 3 integer bits as such a number."""
    return saturating_shift_left(value, bits)

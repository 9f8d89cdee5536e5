"""TensorFlow Lite's arithmetic of int16 activations with int8 weights, as `edgesq.arithmetic`.

Zero points are 0. A sum of products is int64, and is rescaled by a multiplier of 16 bits, rounded
once, halves up.

Source: TensorFlow Lite, kernels/internal/common.h, reference/softmax.h and
reference/integer_ops/ (conv.h, logistic.h, tanh.h), kernels/add.cc and activations.cc.
Mirror: firmware/src/esq_arithmetic16.h.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    AddParameters,
    Int64Array,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    real_multipliers,
)
from edgesq.graph import MAX_INT16, Graph
from edgesq.operators import (
    AddInt16,
    Convolution,
    FullyConnectedInt16,
    LogisticInt16,
    RescaleInt16,
    SoftmaxInt16,
    TanhInt16,
)

ADD_LEFT_SHIFT = 15
"""Headroom bits that ADD gives its inputs before they are rescaled."""

MAX_SUM = 1 << 47
"""TensorFlow Lite rescales smaller sums alone."""

MAX_PRODUCT_SUM = 1 << 37
"""Sums of a FULLY_CONNECTED are smaller, so that products with half a mantissa fit 64 bits."""

_SOFTMAX_RANGE = 10
"""Exponentials of less than minus this count as the one of it."""

_STEP_BITS = 7
"""Of the way from one value of a softmax's table to the next."""

_SIGMOID_STEPS = 24
"""Of the table of the logistic function, from one integer to the next."""

_SIGMOID_LAST = 255
"""Number in that table from which on the function counts as 1."""


_SIGMOID_ABOVE = (
    "0110101011111111111111111111221112121111111211111111111111111111"
    "1011101011111111111110111100011001111101000110111011101100010011"
    "0101001100011010111110111100110010000001010001000110101001110000"
    "0111001101101010101001011011001100110001100001110000011111000001"
)
"""By how much TensorFlow Lite's numbers in that table are above the function's, rounded down."""


@dataclass(frozen=True)
class Rescale16:
    """How sums become levels: (sum * multiplier + half) >> shift, each int64 [O]."""

    multiplier: Int64Array
    shift: Int64Array


def sum_rescale(graph: Graph, op: Convolution) -> Rescale16:
    """Derive how a convolution's sums are rescaled."""
    multiplier, shift = conv2d_multipliers(graph, op)
    return Rescale16(np.minimum(multiplier + (1 << 15) >> 16, MAX_INT16), 15 - shift)


def rescale_sums(sums: Int64Array, by: Rescale16) -> Int64Array:
    """Return sums [..., O] as levels before the clamp."""
    half = np.int64(1) << (by.shift - 1)
    return np.asarray(sums * by.multiplier + half >> by.shift, np.int64)


@dataclass(frozen=True)
class Product:
    """A FULLY_CONNECTED's real multiplier, exactly: mantissa * 2^-exponent, each int64 [O]."""

    mantissa: Int64Array
    exponent: Int64Array


def product_of(graph: Graph, op: FullyConnectedInt16) -> Product:
    """Return what a FULLY_CONNECTED multiplies its sums by, a float64 of 53 bits."""
    fraction, exponent = np.frexp(real_multipliers(graph, op))
    return Product(np.ldexp(fraction, 53).astype(np.int64), 53 - exponent.astype(np.int64))


def product_levels(graph: Graph, op: FullyConnectedInt16, sums: Int64Array) -> Int64Array:
    """Return sums [..., O] as levels: a product in float64, rounded halves away from zero."""
    product = np.abs(sums) * real_multipliers(graph, op)
    below = np.floor(product)
    return np.asarray(np.sign(sums) * (below + (product - below >= 0.5)), np.int64)


def add_parameters(graph: Graph, op: AddInt16) -> AddParameters:
    """Derive the rescaling of ADD or SUB: both operands to a common scale, then to the output's."""
    first, second = (graph.tensors[index].scale for index in op.inputs)
    common = 2 * max(first, second)
    one, two = quantize_multiplier(first / common), quantize_multiplier(second / common)
    out = quantize_multiplier(common / ((1 << ADD_LEFT_SHIFT) * graph.tensors[op.output].scale))
    return AddParameters((one[0], two[0]), (one[1], two[1]), out[0], out[1])


def value_rescale(graph: Graph, op: RescaleInt16) -> tuple[int, int]:
    """Return multiplier and shift of what only changes the scale; RELU divides in float32."""
    source, result = graph.tensors[op.inputs[0]].scale, graph.tensors[op.output].scale
    return quantize_multiplier(float(np.float32(source) / np.float32(result)))


@dataclass(frozen=True)
class CurveInput:
    """How a level becomes a place in the table: (level * multiplier + half) >> shift."""

    multiplier: int
    shift: int


def curve_input(graph: Graph, op: LogisticInt16 | TanhInt16) -> CurveInput:
    """Derive how the input of a LOGISTIC or TANH is brought to 3 * 4096 steps for each unit.

    A scale of 2^-12, and of TANH one of 2^-11 too, is taken as it is.
    """
    scale = graph.tensors[op.inputs[0]].scale
    is_tanh = isinstance(op, TanhInt16)
    fraction, exponent = math.frexp(scale)
    if fraction == 0.5 and exponent - 1 + 12 in ((0, 1) if is_tanh else (0,)):
        return CurveInput(3 << (exponent - 1 + 12), 0)
    real, shift = float(np.float32(scale)) * 4096 * 3, 0
    while real <= MAX_INT16 / 2 and shift <= 30:
        real, shift = real * 2, shift + 1
    return CurveInput(int(real), shift)


@cache
def sigmoid_table() -> Int64Array:
    """Return TensorFlow Lite's 2^16 / (1 + exp(-k / 24)), int64 [256]. Mirror: esq_curves_s16.c."""
    real = (1 << 16) / (1 + np.exp(-np.arange(_SIGMOID_LAST + 1) / _SIGMOID_STEPS))
    return np.asarray(np.floor(real).astype(np.int64) + [int(one) for one in _SIGMOID_ABOVE])


def _placed(values: Int64Array, by: CurveInput) -> Int64Array:
    half = 1 << (by.shift - 1) if by.shift else 0
    return np.asarray(values * by.multiplier + half >> by.shift, np.int64)


def _between(place: Int64Array, bits: int, saturated: int) -> Int64Array:
    """Return what lies so many bits between the values of the table."""
    table, number = sigmoid_table(), place >> bits
    inside = np.minimum(number, _SIGMOID_LAST - 1)
    step = table[inside + 1] - table[inside]
    found = (table[inside] << bits) + (place & ((1 << bits) - 1)) * step
    return np.where(number >= _SIGMOID_LAST, saturated, found)


def logistic(values: Int64Array, by: CurveInput) -> Int64Array:
    """Return 1 / (1 + exp(-x)) in Q0.15."""
    placed = _placed(values, by)
    upper = _between(np.abs(placed), 9, MAX_INT16 << 10)
    lower = (1 << 25) - upper + (1 << 9) - 1
    return np.asarray(np.where(placed >= 0, upper + (1 << 9), lower) >> 10, np.int64)


def tanh(values: Int64Array, by: CurveInput) -> Int64Array:
    """Return the hyperbolic tangent in Q0.15."""
    placed = _placed(values, by)
    upper = _between(np.abs(placed), 8, 0xFFFF << 8)
    one, half = 1 << 23, 1 << 7
    found = np.where(placed >= 0, upper - one + half, one - upper + half - 1) >> 8
    return np.asarray(found, np.int64)


def softmax_input(graph: Graph, op: SoftmaxInt16) -> tuple[int, int]:
    """Return multiplier and shift that bring a distance of 10 to 65,535."""
    scale = graph.tensors[op.inputs[0]].scale
    return quantize_multiplier(scale * op.beta / (_SOFTMAX_RANGE / 65535.0))


@cache
def exponentials() -> Int64Array:
    """Return exp(x) for x from -10 to 0, int64 [513] in Q0.15. Mirror: esq_softmax_s16.c."""
    return _table(math.exp, -_SOFTMAX_RANGE, 0)


@cache
def reciprocals() -> Int64Array:
    """Return 1 / (1 + x) for x from 0 to 1, likewise."""
    return _table(lambda x: 1 / (1 + x), 0, 1)


def _table(function: Callable[[float], float], low: float, high: float) -> Int64Array:
    """Return a function in Q0.15, less half of what lines between its values are off midway."""
    step = (high - low) / 512
    places = low + np.arange(513) * step
    real = np.array([function(x) * 32768 for x in places])
    middle = _round(np.array([function(x + step / 2) * 32768 for x in places[:-1]]))
    lines = _round((real[1:] + _round(real[:-1])) / 2)
    first = _round(real[:-1]) - _round((lines - middle) / 2)
    return np.clip(np.append(first, _round(real[-1:])), -32768, MAX_INT16).astype(np.int64)


def _round(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sign(values) * np.floor(np.abs(values) + 0.5))


def looked_up(table: Int64Array, place: Int64Array) -> Int64Array:
    """Return what a table of 513 values has at places in [-32768, 32767], by lines between them."""
    number, part = 256 + (place >> _STEP_BITS), place & ((1 << _STEP_BITS) - 1)
    slope = table[number + 1] - table[number]
    return np.asarray(table[number] + (slope * part + 64 >> _STEP_BITS), np.int64)


def softmax(values: Int64Array, multiplier: int, shift: int) -> Int64Array:
    """Return the softmax over the last axis in Q0.15."""
    below = values - values.max(axis=-1, keepdims=True)
    scaled = multiply_by_quantized_multiplier(below, multiplier, shift) + MAX_INT16
    exponential = looked_up(exponentials(), np.clip(scaled, -32768, MAX_INT16))
    total = exponential.sum(axis=-1, keepdims=True)
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)  # 31 - headroom
    mantissa = ((total << (31 - bits)) + (1 << 13) >> 14) - (1 << 15) - (1 << 16)
    share = looked_up(reciprocals(), np.clip(mantissa, -32768, MAX_INT16))
    levels = exponential * share + (np.int64(1) << (bits - 2)) >> (bits - 1)
    return np.asarray(np.clip(levels, 0, MAX_INT16), np.int64)


def rescaled_values(values: Int64Array, multiplier: int, shift: int) -> Int64Array:
    """Return levels on another scale, before the clamp."""
    return multiply_by_quantized_multiplier(values, multiplier, shift)


def added(first: Int64Array, second: Int64Array, by: AddParameters, sign: int) -> Int64Array:
    """Return the levels of a sum, or of a difference where `sign` is -1, before the clamp."""
    one, two = (
        multiply_by_quantized_multiplier(values << ADD_LEFT_SHIFT, multiplier, shift)
        for values, multiplier, shift in zip((first, second), by.multiplier, by.shift, strict=True)
    )
    return multiply_by_quantized_multiplier(one + sign * two, by.output_multiplier, by.output_shift)

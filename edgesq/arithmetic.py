"""TensorFlow Lite's int8 arithmetic, and the integers each operator needs, derived in one place.

The reference kernels, the ONNX writer and the C generator all take their multipliers and tables
from here, so they cannot disagree. Everything is exact integer arithmetic on int64 arrays.

Source: TensorFlow Lite, kernels/internal (common.h, quantization_util.cc, reference/), in its
default double-rounding build; gemmlowp fixedpoint.h for the exponential and the reciprocal.
Mirror: firmware/src/esq_arithmetic.h.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgesq.graph import Constant, Graph
from edgesq.operators import (
    Add,
    Convolution,
    FullyConnected,
    Mul,
    Softmax,
    Sub,
)

Int64Array = NDArray[np.int64]

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1

RESCALE_BITS = 52
"""Fraction bits of the multipliers of a FULLY_CONNECTED."""

_RESCALE_SPAN = 256
"""Distance in levels beyond which every output saturates, wherever the zero point lies."""

ADD_LEFT_SHIFT = 20
"""Headroom bits that ADD gives its inputs before they are rescaled."""

SOFTMAX_DIFF_INTEGER_BITS = 5
SOFTMAX_SUM_INTEGER_BITS = 12

Q2_48_OVER_17 = 1515870810
Q2_MINUS_32_OVER_17 = -1010580540

Q31_EXP_MINUS_EIGHTH = 1895147668
Q31_THIRD = 715827883
Q31_EXP_MINUS_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-2^k) for k = -2 .. 4, Q0.31."""


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Express a non-negative real as multiplier * 2^(shift - 31).

    Returns:
        multiplier in [2^30, 2^31 - 1], or 0 for values below 2^-32; shift, left if positive.
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def doubling_high_mul(a: ArrayLike, b: ArrayLike) -> Int64Array:
    """Return floor(a * b / 2^31 + 1/2), halves up, saturated to int32."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    nudged: Int64Array = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    quotient = np.where(nudged >= 0, nudged >> 31, -((-nudged) >> 31))
    return np.minimum(quotient, INT32_MAX).astype(np.int64)


def rounding_divide_by_pot(x: ArrayLike, exponent: ArrayLike) -> Int64Array:
    """Return x / 2^exponent rounded to nearest, halves away from zero; exponent in [0, 31]."""
    value, bits = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    mask = (np.int64(1) << bits) - 1
    threshold = (mask >> 1) + (value < 0)
    return np.asarray((value >> bits) + ((value & mask) > threshold), np.int64)


def as_int32(values: Int64Array) -> Int64Array:
    """Return values modulo 2^32 as an int32 holds them."""
    return (values + (1 << 31) & 0xFFFFFFFF) - (1 << 31)


def multiply_by_quantized_multiplier(
    x: ArrayLike, multiplier: ArrayLike, shift: ArrayLike
) -> Int64Array:
    """Return x * multiplier * 2^(shift - 31) with TensorFlow Lite's two roundings."""
    bits = np.asarray(shift, np.int64)
    widened = np.asarray(x, np.int64) << np.maximum(bits, 0)
    return rounding_divide_by_pot(doubling_high_mul(widened, multiplier), np.maximum(-bits, 0))


def saturating_shift_left(x: ArrayLike, bits: int) -> Int64Array:
    """Return x * 2^bits saturated to int32."""
    return np.asarray(np.clip(np.asarray(x, np.int64) << bits, INT32_MIN, INT32_MAX), np.int64)


def channel_scales(graph: Graph, op: Convolution) -> NDArray[np.float64]:
    """Return the weights' scale per output channel, float64 [O]."""
    scales = np.array(graph.tensors[op.weights].quantization.scale, np.float64)
    return np.broadcast_to(scales, graph.tensors[op.bias].shape)


def real_multipliers(graph: Graph, op: Convolution) -> NDArray[np.float64]:
    """Return what sums are multiplied by per output channel, float64 [O]."""
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    return source.scale * channel_scales(graph, op) / result.scale


def conv2d_multipliers(graph: Graph, op: Convolution) -> tuple[Int64Array, Int64Array]:
    """Return multiplier and shift per output channel, each int64 [O]."""
    return quantize_multipliers(real_multipliers(graph, op))


def quantize_multipliers(reals: NDArray[np.float64]) -> tuple[Int64Array, Int64Array]:
    """Return `quantize_multiplier` of each real: multipliers and shifts, each int64 [n]."""
    pairs = [quantize_multiplier(real) for real in reals.tolist()]
    return (
        np.array([multiplier for multiplier, _ in pairs], np.int64),
        np.array([shift for _, shift in pairs], np.int64),
    )


def bias_grid(shift: Int64Array, fraction_bits: int) -> Int64Array:
    """Return a power of two per channel: biases that are its multiples take fewer bits.

    One step of the output is at least 2^-shift of a channel's sums and less than twice that, so
    what is rounded to this grid is off by at most 2^-(fraction_bits + 1) steps of the output.

    Args:
        shift: of `quantize_multiplier`, int64 [O].
        fraction_bits: not negative.

    Mirror: esq_channel_at().
    """
    return np.int64(1) << np.maximum(-shift - fraction_bits, 0)


@dataclass(frozen=True)
class RescaleParameters:
    """Multipliers with RESCALE_BITS, and the sums that saturate any output, each int64 [O]."""

    multiplier: Int64Array
    limit: Int64Array


def rescale_parameters(graph: Graph, op: FullyConnected) -> RescaleParameters:
    """Derive FULLY_CONNECTED's rescaling, which rounds once where a convolution's rounds twice.

    TensorFlow Lite's reference kernel rounds the product with a float64; the integers here give
    the same levels where `rescale_is_exact` says so.
    """
    real = np.minimum(real_multipliers(graph, op), _RESCALE_SPAN)
    limit = np.ceil(_RESCALE_SPAN / np.maximum(real, _RESCALE_SPAN / INT32_MAX))
    return RescaleParameters(
        np.rint(np.ldexp(real, RESCALE_BITS)).astype(np.int64), limit.astype(np.int64)
    )


def rescale(sums: ArrayLike, parameters: RescaleParameters) -> Int64Array:
    """Return sums [..., O] times the multipliers, rounded halves away from zero."""
    value = np.asarray(sums, np.int64)
    product = np.minimum(np.abs(value), parameters.limit) * parameters.multiplier
    level = product + (1 << (RESCALE_BITS - 1)) >> RESCALE_BITS
    return np.asarray(np.sign(value) * level, np.int64)


def rescale_is_exact(graph: Graph, op: FullyConnected, low: Int64Array, high: Int64Array) -> bool:
    """Say whether `rescale` equals rounding the float64 product for sums in [low, high], each [O].

    Both never fall, so they are compared on both sides of every step between two levels.
    """
    real, parameters = real_multipliers(graph, op), rescale_parameters(graph, op)
    halves = np.arange(_RESCALE_SPAN)[:, np.newaxis] + 0.5
    near = np.minimum(halves / np.maximum(real, 2.0**-64), INT32_MAX)
    for first, last in ((low, high), (-high, -low)):  # magnitudes of sums of either sign
        most = np.clip(last, 0, parameters.limit)
        least = np.clip(first, 0, most)
        for step in (-1, 0, 1):
            sums = np.clip(np.floor(near).astype(np.int64) + step, least, most)
            product = sums * real
            below = np.floor(product)
            if np.any(rescale(sums, parameters) != below + (product - below >= 0.5)):
                return False
    return True


def rescaled(graph: Graph, op: Convolution, sums: ArrayLike) -> Int64Array:
    """Return sums [..., O] of a convolution as levels of its output, before the clamp."""
    if isinstance(op, FullyConnected):
        scaled = rescale(sums, rescale_parameters(graph, op))
    else:
        scaled = multiply_by_quantized_multiplier(sums, *conv2d_multipliers(graph, op))
    return np.asarray(scaled + graph.tensors[op.output].zero_point, np.int64)


@dataclass(frozen=True)
class AddParameters:
    """Multipliers Q0.31 and shifts (<= 0) of both operands and of the output of ADD or SUB."""

    multiplier: tuple[int, int]
    shift: tuple[int, int]
    output_multiplier: int
    output_shift: int


def add_parameters(graph: Graph, op: Add | Sub) -> AddParameters:
    """Derive the rescaling of ADD or SUB: both operands to a common scale, then to the output's."""
    first, second = (graph.tensors[index].scale for index in op.operands)
    common = 2 * max(first, second)
    one, two = quantize_multiplier(first / common), quantize_multiplier(second / common)
    out = quantize_multiplier(common / ((1 << ADD_LEFT_SHIFT) * graph.tensors[op.output].scale))
    return AddParameters((one[0], two[0]), (one[1], two[1]), out[0], out[1])


def mul_multiplier(graph: Graph, op: Mul) -> tuple[int, int]:
    """Return multiplier and shift of a product; TensorFlow Lite divides the scales in float32."""
    first, second = (np.float32(graph.tensors[index].scale) for index in op.operands)
    return quantize_multiplier(float(first * second / np.float32(graph.tensors[op.output].scale)))


def softmax_exp_table(graph: Graph, op: Softmax) -> Int64Array:
    """Return exp(-scale * beta * d) for d = max - q in [0, 255], int64 [256], Q0.31.

    Entries too small to count are 0, which gives the same outputs as skipping them.
    """
    scale = graph.tensors[op.inputs[0]].scale
    real = min(op.beta * scale * (1 << (31 - SOFTMAX_DIFF_INTEGER_BITS)), float(INT32_MAX))
    multiplier, shift = quantize_multiplier(real)
    integer_max = (1 << SOFTMAX_DIFF_INTEGER_BITS) - 1
    radius = (integer_max << (31 - SOFTMAX_DIFF_INTEGER_BITS)) >> shift
    diff = np.arange(256, dtype=np.int64)
    used = np.minimum(diff, radius)
    exp = _exp_on_negative_values(doubling_high_mul(-used << shift, multiplier))
    return np.where(diff <= radius, exp, 0)


def _exp_on_negative_values(a: Int64Array) -> Int64Array:
    """Return exp(a) in Q0.31 for a <= 0 in Q5.26."""
    quarter = 1 << 24
    below = (a & (quarter - 1)) - quarter
    result = _exp_between_minus_quarter_and_0(below << SOFTMAX_DIFF_INTEGER_BITS)
    remainder = below - a
    for bit, factor in enumerate(Q31_EXP_MINUS_POWERS, start=24):
        scaled = doubling_high_mul(result, factor)
        result = np.where(remainder & (1 << bit), scaled, result)
    return np.where(a == 0, INT32_MAX, result)


def _exp_between_minus_quarter_and_0(a: Int64Array) -> Int64Array:
    """Return exp(a), Taylor series around -1/8, both in Q0.31."""
    x = a + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4_over_4 = rounding_divide_by_pot(doubling_high_mul(x2, x2), 2)
    cubic = doubling_high_mul(x4_over_4 + x3, Q31_THIRD) + x2
    series = x + rounding_divide_by_pot(cubic, 1)
    return Q31_EXP_MINUS_EIGHTH + doubling_high_mul(Q31_EXP_MINUS_EIGHTH, series)


def reciprocal(total: ArrayLike) -> tuple[Int64Array, Int64Array]:
    """Return 1 / total for a positive sum in Q12.19.

    Returns:
        mantissa Q0.31 of the reciprocal of total scaled into [1, 2), and the number of bits by
        which total exceeds one: 1 / total = mantissa * 2^(-31 - bits).
    """
    value = np.asarray(total, np.int64)
    headroom = 32 - np.frexp(value.astype(np.float64))[1].astype(np.int64)
    fraction = (value << headroom) - (1 << 31)
    half_denominator = (fraction + INT32_MAX + 1) >> 1
    x = Q2_48_OVER_17 + doubling_high_mul(half_denominator, Q2_MINUS_32_OVER_17)
    for _ in range(3):
        error = (1 << 29) - doubling_high_mul(half_denominator, x)
        x = x + saturating_shift_left(doubling_high_mul(x, error), 2)
    return saturating_shift_left(x, 1), SOFTMAX_SUM_INTEGER_BITS - headroom


def sum_range(rows: Int64Array, bias: Int64Array, input_zp: int) -> tuple[Int64Array, Int64Array]:
    """Return the least and the greatest sum per channel that any input can give.

    Args:
        rows: weights [O, K].
        bias: [O].
        input_zp: the input's zero point; inputs minus it lie in [-128 - zp, 127 - zp].
    """
    least, most = -128 - input_zp, 127 - input_zp
    positive, negative = np.maximum(rows, 0).sum(axis=1), np.minimum(rows, 0).sum(axis=1)
    low = bias + positive * least + negative * most
    high = bias + positive * most + negative * least
    return np.minimum(low, bias), np.maximum(high, bias)


@dataclass(frozen=True)
class ChannelSums:
    """A convolution's weights [O, K] and biases [O], and the least and greatest sums [O]."""

    rows: Int64Array
    bias: Int64Array
    low: Int64Array
    high: Int64Array


def channel_rows(graph: Graph, op: Convolution) -> Constant:
    """Return a convolution's weights [O, K]."""
    weights = np.moveaxis(graph.exact_weights(op), op.channel_axis, 0)
    return weights.reshape(len(weights), -1)


def channel_sums(graph: Graph, op: Convolution) -> ChannelSums:
    """Return what each output channel of a convolution can sum up to, by `sum_range`."""
    rows, wide = channel_rows(graph, op).astype(np.int64), graph.constant(op.bias).astype(np.int64)
    return ChannelSums(rows, wide, *sum_range(rows, wide, graph.tensors[op.inputs[0]].zero_point))

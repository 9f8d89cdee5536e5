"""The fixed-point numbers of what keeps state.

Source: TensorFlow Lite, kernels/svdf.cc, kernels/internal/reference/svdf.h,
kernels/unidirectional_sequence_lstm.cc and kernels/lstm_eval.cc; gemmlowp, fixedpoint.h.
"""

from dataclasses import dataclass

import numpy as np

from edgesq.arithmetic import (
    Q2_48_OVER_17,
    Q2_MINUS_32_OVER_17,
    Q31_EXP_MINUS_EIGHTH,
    Q31_EXP_MINUS_POWERS,
    Q31_THIRD,
    Int64Array,
    quantize_multiplier,
    rounding_divide_by_pot,
)
from edgesq.graph import Graph
from edgesq.operators import Gate, Lstm, Svdf

GATE_BITS = 3
"""Of an LSTM's gates before their functions: Q3.12."""

INT16_MIN, INT16_MAX = -(1 << 15), (1 << 15) - 1


@dataclass(frozen=True)
class Rescale:
    """A factor as multiplier * 2^(shift - 31)."""

    multiplier: int
    shift: int


def _rescale(*scales: float) -> Rescale:
    """Return first * second / third, which TensorFlow Lite computes in float32."""
    first, second, third = (np.float32(scale) for scale in scales)
    return Rescale(*quantize_multiplier(float(first * second / third)))


def svdf_rescales(graph: Graph, op: Svdf) -> tuple[Rescale, Rescale]:
    """Return how an SVDF makes sums of the input to what it keeps, and that to its output."""
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    features, times = graph.tensors[op.features], graph.tensors[op.times]
    return (
        _rescale(source.scale, features.scale, op.kept.scale),
        _rescale(op.kept.scale, times.scale, result.scale),
    )


@dataclass(frozen=True, eq=False)
class GateNumbers:
    """A gate in fixed point: sums of the input, and of what was put out last, to Q3.12.

    Attributes:
        input_bias, recurrent_bias: with what the zero points add, int64 [U].
        of_input, of_recurrent: how their sums are rescaled.
    """

    input_bias: Int64Array
    recurrent_bias: Int64Array
    of_input: Rescale
    of_recurrent: Rescale


def gate_numbers(graph: Graph, op: Lstm, gate: Gate) -> GateNumbers:
    """Return a gate of an LSTM in fixed point."""
    source, step = graph.tensors[op.inputs[0]], 2.0**-12
    weights, recurrent = (
        graph.constant(index).astype(np.int64).sum(axis=1)
        for index in (gate.weights, gate.recurrent)
    )
    return GateNumbers(
        graph.constant(gate.bias) - weights * source.zero_point,
        -recurrent * op.hidden.zero_point,
        _rescale(graph.tensors[gate.weights].scale, source.scale, step),
        _rescale(graph.tensors[gate.recurrent].scale, op.hidden.scale, step),
    )


def lstm_output(op: Lstm) -> Rescale:
    """Return how the product of two values in Q0.15 becomes an output."""
    real = 2.0**-15 / float(np.float32(op.product[0])) * 2.0**-15
    return Rescale(*quantize_multiplier(float(np.float32(real))))


def cell_bits(op: Lstm) -> int:
    """Return the bits of an LSTM's cell before the point."""
    return 15 + int(np.log2(op.cell.scale))


def _high_mul(a: Int64Array, b: Int64Array | int) -> Int64Array:
    """Return a * b / 2^15 of int16, rounded to nearest, towards zero where halves are negative."""
    product = a * b
    nudged = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return np.asarray(np.minimum(np.sign(nudged) * (np.abs(nudged) >> 15), INT16_MAX), np.int64)


def _to_16(values: Int64Array) -> Int64Array:
    return np.clip(values, INT16_MIN, INT16_MAX)


def _half(constant: int) -> int:
    """Return a constant of 32 bits in 16."""
    return int(rounding_divide_by_pot(constant, 16))


def _exp_16(a: Int64Array, bits: int) -> Int64Array:
    """Return exp(a) in Q0.15 for a <= 0 with so many bits before the point, in 16 bits."""
    fraction = 15 - bits
    quarter = 1 << (fraction - 2)
    below = (a & (quarter - 1)) - quarter
    x = (below << bits) + (1 << 12)
    x2 = _high_mul(x, x)
    x4_over_4 = rounding_divide_by_pot(_high_mul(x2, x2), 2)
    cubic = _high_mul(x4_over_4 + _high_mul(x2, x), _half(Q31_THIRD)) + x2
    series = x + rounding_divide_by_pot(cubic, 1)
    middle = _half(Q31_EXP_MINUS_EIGHTH)
    result = _to_16(middle + _high_mul(series, middle))
    remainder = below - a
    for exponent, factor in enumerate(Q31_EXP_MINUS_POWERS, start=-2):
        if exponent < bits:
            scaled = _high_mul(result, _half(factor))
            result = np.where(remainder & (1 << (fraction + exponent)), scaled, result)
    if bits > 5:
        result = np.where(a < -(32 << fraction), 0, result)
    return np.where(a == 0, INT16_MAX, result)


def _reciprocal_16(a: Int64Array) -> Int64Array:
    """Return 2 / (1 + a) in Q2.13 for a in [0, 1] in Q0.15."""
    half_denominator = (a + INT16_MAX + 1) >> 1
    x = _half(Q2_48_OVER_17) + _high_mul(half_denominator, _half(Q2_MINUS_32_OVER_17))
    for _ in range(3):
        error = (1 << 13) - _high_mul(half_denominator, x)
        x = x + _to_16(_high_mul(x, error) << 2)
    return x


def logistic_16(values: Int64Array) -> Int64Array:
    """Return 1 / (1 + exp(-x)) in Q0.15 of int16 in Q3.12, as gemmlowp does in 16 bits."""
    upper = _to_16(_reciprocal_16(_exp_16(-np.abs(values), GATE_BITS)) << 1)
    return np.where(values == 0, 1 << 14, np.where(values > 0, upper, INT16_MAX - upper))


def tanh_16(values: Int64Array, bits: int) -> Int64Array:
    """Return tanh(x) in Q0.15 of int16 with so many bits before the point, likewise."""
    exponential = _exp_16(-np.abs(values), bits + 1)  # of 2 x
    lower = _to_16((_reciprocal_16(exponential) - (1 << 13)) << 2)
    return np.where(values < 0, -lower, np.where(values == 0, 0, lower))

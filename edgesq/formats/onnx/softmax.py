"""Softmax as ONNX nodes: in integers, a table of exponentials and a reciprocal by Newton's method.

Mirror: edgesq/reference/softmax.py, firmware/src/ops/esq_softmax.c.
"""

import numpy as np

from edgesq import arithmetic
from edgesq.formats.onnx.real import FloatModel
from edgesq.formats.onnx.scope import Scope, Writers, doubling_high_mul, shift_right
from edgesq.graph import Graph
from edgesq.operators import Softmax

_MAX_BITS_OVER_ONE = 11
"""A sum of exponentials in Q12.19 is in [2^19, 2^31)."""


def softmax(scope: Scope, graph: Graph, op: Softmax, pixels: str) -> str:
    """Add exp(q - max) from a table, times the reciprocal of the sum of all."""
    table = arithmetic.softmax_exp_table(graph, op)
    terms = arithmetic.rounding_divide_by_pot(table, arithmetic.SOFTMAX_SUM_INTEGER_BITS)
    channels = np.array([1], np.int64)
    wide = scope.cast("wide", pixels, np.int32)
    largest = scope.node("ReduceMax", "max", wide, channels, keepdims=1)
    below = scope.node("Sub", "below_max", largest, wide)
    exp = scope.lookup("exp", table, below)
    total = scope.node("ReduceSum", "sum", scope.lookup("term", terms, below), channels, keepdims=1)
    bits, mantissa = reciprocal(scope.within("reciprocal"), total)
    product = doubling_high_mul(scope, "product", exp, mantissa)
    return _round_to_uint8(scope, product, bits)


def reciprocal(scope: Scope, total: str) -> tuple[str, str]:
    """Add `arithmetic.reciprocal` of a sum in [2^19, 2^31): bits over one and mantissa."""
    every = np.arange(_MAX_BITS_OVER_ONE + 1, dtype=np.int64)
    fraction_bits = 31 - arithmetic.SOFTMAX_SUM_INTEGER_BITS
    powers = np.int64(1) << (fraction_bits + every[1:])
    reached = scope.cast(
        "reached",
        scope.node("GreaterOrEqual", "compared", total, powers.reshape(1, -1, 1, 1)),
        np.int64,
    )
    bits = scope.node("ReduceSum", "bits", reached, np.array([1], np.int64), keepdims=1)
    scale = scope.lookup("half_scale", np.int64(1) << (_MAX_BITS_OVER_ONE - every), bits)
    half = scope.node("Mul", "half_denominator", total, scale)
    first = doubling_high_mul(scope, "first", half, np.int64(arithmetic.Q2_MINUS_32_OVER_17))
    x = scope.node("Add", "x0", first, np.int64(arithmetic.Q2_48_OVER_17))
    for step in (1, 2, 3):
        newton = scope.within(f"newton{step}")
        error = newton.node(
            "Sub", "error", np.int64(1 << 29), doubling_high_mul(newton, "estimate", half, x)
        )
        change = doubling_high_mul(newton, "change", x, error)  # under 2^24: never saturates
        x = newton.node("Add", "x", x, newton.node("Mul", "step", change, np.int64(4)))
    doubled = scope.node("Mul", "doubled", x, np.int64(2))
    limit = np.int64(arithmetic.INT32_MAX)
    fits = scope.node("Less", "fits", doubled, limit)
    return bits, scope.node("Where", "mantissa", fits, doubled, limit)


def _round_to_uint8(scope: Scope, product: str, bits: str) -> str:
    """Add product / 2^(23 + bits), rounded, in [0, 255]; a Q0.31 becomes a multiple of 1/256."""
    every = np.arange(_MAX_BITS_OVER_ONE + 1, dtype=np.int64)
    half = scope.lookup("half", np.int64(1) << (22 + every), bits)
    shift = scope.lookup("divisor_bits", (23 + every).astype(np.uint64), bits)
    nudged = scope.node("Add", "nudged", product, half)
    quotient = shift_right(scope, "quotient", nudged, shift, np.int32)
    return scope.cast("uint8", scope.node("Min", "clamp", quotient, np.int32(255)), np.uint8)


def float_softmax(scope: Scope, _: FloatModel, op: Softmax, pixels: str) -> str:
    """Add ONNX's own operator, which has no beta."""
    if op.beta != 1:
        pixels = scope.node("Mul", "beta", pixels, np.float32(op.beta))
    return scope.node("Softmax", "softmax", pixels, axis=1)


INTEGER: Writers = {Softmax: softmax}
FLOAT: Writers = {Softmax: float_softmax}

"""What operators make of two int8 values, in TensorFlow Lite's arithmetic.

Source: TensorFlow Lite, kernels (squared_difference.cc, activations.cc) and
kernels/internal/reference (add.h, mul.h, maximum_minimum.h, prelu.h).
Mirror: firmware/src/ops/esq_add.c, esq_mul.c, esq_extremes.c, esq_prelu.c.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from edgesq.arithmetic import (
    ADD_LEFT_SHIFT,
    AddParameters,
    Int64Array,
    add_parameters,
    mul_multiplier,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)
from edgesq.graph import Graph
from edgesq.operators import (
    Add,
    Binary,
    Maximum,
    Minimum,
    Mul,
    Op,
    Prelu,
    SquaredDifference,
    Sub,
    handler,
)

SQUARED_LEFT_SHIFT = 7
"""Headroom bits that SQUARED_DIFFERENCE gives its inputs before they are rescaled."""


def combine(graph: Graph, op: Binary, first: ArrayLike, second: ArrayLike) -> Int64Array:
    """Return what an operator makes of two int8 arrays, before the clamp.

    Args:
        graph: the model.
        op: the operator.
        first: int8 values of its first operand.
        second: of its second one; numpy can broadcast the two.
    """
    one, two = (
        np.asarray(values, np.int64) - graph.tensors[index].zero_point
        for index, values in zip(op.operands, (first, second), strict=True)
    )
    return (
        handler(_COMBINATIONS, type(op))(graph, op, one, two) + graph.tensors[op.output].zero_point
    )


def _sum(graph: Graph, op: Add | Sub, one: Int64Array, two: Int64Array) -> Int64Array:
    parameters = add_parameters(graph, op)
    one, two = (
        multiply_by_quantized_multiplier(real << ADD_LEFT_SHIFT, multiplier, shift)
        for real, multiplier, shift in zip(
            (one, two), parameters.multiplier, parameters.shift, strict=True
        )
    )
    total = one - two if isinstance(op, Sub) else one + two
    return multiply_by_quantized_multiplier(
        total, parameters.output_multiplier, parameters.output_shift
    )


def _product(graph: Graph, op: Mul, one: Int64Array, two: Int64Array) -> Int64Array:
    return multiply_by_quantized_multiplier(one * two, *mul_multiplier(graph, op))


def _greater(_: Graph, __: Maximum, one: Int64Array, two: Int64Array) -> Int64Array:
    return np.maximum(one, two)


def _lesser(_: Graph, __: Minimum, one: Int64Array, two: Int64Array) -> Int64Array:
    return np.minimum(one, two)


def squared_parameters(graph: Graph, op: SquaredDifference) -> AddParameters:
    """Derive the rescaling of operands to a common scale, and of the square to the output's."""
    first, second = (graph.tensors[index].scale for index in op.operands)
    common = 2 * max(first, second)
    one, two = quantize_multiplier(first / common), quantize_multiplier(second / common)
    steps = (1 << 2 * SQUARED_LEFT_SHIFT) * graph.tensors[op.output].scale
    out = quantize_multiplier(common * common / steps)
    return AddParameters((one[0], two[0]), (one[1], two[1]), out[0], out[1])


def _squared_difference(
    graph: Graph, op: SquaredDifference, one: Int64Array, two: Int64Array
) -> Int64Array:
    parameters = squared_parameters(graph, op)
    one, two = (
        multiply_by_quantized_multiplier(real << SQUARED_LEFT_SHIFT, multiplier, shift)
        for real, multiplier, shift in zip(
            (one, two), parameters.multiplier, parameters.shift, strict=True
        )
    )
    return multiply_by_quantized_multiplier(
        (one - two) ** 2, parameters.output_multiplier, parameters.output_shift
    )


def prelu_multipliers(graph: Graph, op: Prelu) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return multiplier and shift of what is not negative, and of what is, times its slope."""
    source, slope = (np.float32(graph.tensors[index].scale) for index in op.operands)
    result = np.float32(graph.tensors[op.output].scale)
    return (
        quantize_multiplier(float(source / result)),
        quantize_multiplier(float(source * slope / result)),
    )


def _prelu(graph: Graph, op: Prelu, one: Int64Array, two: Int64Array) -> Int64Array:
    above, below = prelu_multipliers(graph, op)
    return np.where(
        one >= 0,
        multiply_by_quantized_multiplier(one, *above),
        multiply_by_quantized_multiplier(one * two, *below),
    )


_COMBINATIONS: dict[type[Op], Callable[[Graph, Any, Int64Array, Int64Array], Int64Array]] = {
    Add: _sum,
    Maximum: _greater,
    Minimum: _lesser,
    Mul: _product,
    Prelu: _prelu,
    SquaredDifference: _squared_difference,
    Sub: _sum,
}
"""By class: from operands less their zero points to the output less its own."""

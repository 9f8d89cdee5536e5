"""Operators that take each int8 value by itself: 256 answers, computed once at export.

numpy, the ONNX writer and the C runtime read the same table. Rescaling is TensorFlow Lite's
integer arithmetic; its reference kernels of LOGISTIC and TANH make a table themselves, in float32,
and so does this.

Source: TensorFlow Lite, kernels/activations.cc, kernels/quantize.cc, kernels/internal/reference
(requantize.h, leaky_relu.h, hard_swish.h) and kernels/internal/common.h (LUTPopulate).
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    Int64Array,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
)
from edgesq.combine import combine
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.operators import (
    Binary,
    Curve,
    HardSwish,
    LeakyRelu,
    Logistic,
    Lookup,
    Op,
    Quantize,
    Rectifier,
    Tanh,
    handler,
)

_INT16_MAX = (1 << 15) - 1


def has_table(graph: Graph, op: Op) -> bool:
    """Say whether an operator is a function of each value: also a Binary by one constant number."""
    if isinstance(op, Binary):
        return any(graph.tensors[index].shape == (1,) for index in graph.constants(op))
    return isinstance(op, Lookup)


def lookup_table(graph: Graph, op: Op) -> Int8Array:
    """Return what an operator with a table makes of -128, -127, ..., 127: int8 [256]."""
    if isinstance(op, Binary):
        values = (
            np.arange(-128, 128) if (data := graph.tensors[index].data) is None else data
            for index in op.operands
        )
        return np.clip(combine(graph, op, *values), *op.clamp).astype(np.int8)
    if isinstance(op, Curve):
        return np.array(op.answers, np.int8)
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    every = np.arange(-128, 128, dtype=np.int64) - source.zero_point
    level = handler(_LEVELS, type(op))(every, source, result, op)
    bounds = op.clamp if isinstance(op, Rectifier) else (-128, 127)
    return np.clip(level + result.zero_point, *bounds).astype(np.int8)


def hard_swish_fits(graph: Graph, op: HardSwish) -> bool:
    """Say whether HARD_SWISH's output scale is one that int16 arithmetic can reach."""
    _, shift = _multiplier16(
        _hard_swish_output(graph.tensors[op.inputs[0]], graph.tensors[op.output])
    )
    return -15 <= shift <= 0


def _ratio(*factors: float) -> float:
    """Return the first float32 times all but the last, divided by the last, as float32 does it."""
    *numerators, denominator = map(np.float32, factors)
    product = np.float32(1)
    for factor in numerators:
        product = np.float32(product * factor)
    return float(np.float32(product / denominator))


def _requantized(every: Int64Array, source: Tensor, result: Tensor, _: Quantize) -> Int64Array:
    return multiply_by_quantized_multiplier(
        every, *quantize_multiplier(source.scale / result.scale)
    )


def _rectified(every: Int64Array, source: Tensor, result: Tensor, _: Rectifier) -> Int64Array:
    multiplier, shift = quantize_multiplier(_ratio(source.scale, result.scale))
    return multiply_by_quantized_multiplier(every, multiplier, shift)


def _leaky(every: Int64Array, source: Tensor, result: Tensor, op: LeakyRelu) -> Int64Array:
    above = quantize_multiplier(_ratio(source.scale, result.scale))
    below = quantize_multiplier(abs(_ratio(source.scale, op.alpha, result.scale)))
    return np.where(
        every >= 0,
        multiply_by_quantized_multiplier(every, *above),
        multiply_by_quantized_multiplier(every, *below),
    )


def _hard_swish(every: Int64Array, source: Tensor, result: Tensor, _: HardSwish) -> Int64Array:
    out, out_shift = _multiplier16(_hard_swish_output(source, result))
    hinge, hinge_shift = _multiplier16(_ratio(1 / 128, source.scale, 3 / 32768))
    raised = every << 7
    value = _doubling_high_mul16(raised, out)
    if hinge_shift > 0:
        raised = _saturated16(raised << (hinge_shift - 1))
    share = _doubling_high_mul16(raised, hinge)
    if hinge_shift > 0:
        share = _saturated16(share << 1)
    share = rounding_divide_by_pot(share, max(-hinge_shift, 0))
    share = (share + (1 << 15)) >> 1
    product = share * value
    truncated = np.sign(product) * (np.abs(product) >> 15)
    return rounding_divide_by_pot(truncated, -out_shift)


def _hard_swish_output(source: Tensor, result: Tensor) -> float:
    return _ratio(1 / 128, source.scale, result.scale)


def _multiplier16(real: float) -> tuple[int, int]:
    multiplier, shift = quantize_multiplier(real)
    return min(multiplier + (1 << 15) >> 16, _INT16_MAX), shift


def _doubling_high_mul16(a: Int64Array, b: int) -> Int64Array:
    """Return a * b / 2^15 rounded, halves up."""
    return a * b + (1 << 14) >> 15


def _saturated16(x: Int64Array) -> Int64Array:
    return np.asarray(np.clip(x, -_INT16_MAX - 1, _INT16_MAX), np.int64)


def _tanh(every: Int64Array, source: Tensor, result: Tensor, _: Tanh) -> Int64Array:
    real = np.float32(source.scale) * every.astype(np.float32)
    return _levels(_float32(map(math.tanh, real.tolist())), result)


def _logistic(every: Int64Array, source: Tensor, result: Tensor, _: Logistic) -> Int64Array:
    real = np.float32(source.scale) * every.astype(np.float32)
    exponential = _float32(math.exp(min(-x, 700)) for x in real.tolist())
    return _levels(np.float32(1) / (np.float32(1) + exponential), result)


def _levels(real: NDArray[np.float32], result: Tensor) -> Int64Array:
    """Return reals in steps of the output's scale, halves away from zero."""
    level = real * (np.float32(1) / np.float32(result.scale))
    return np.asarray(np.sign(level) * np.floor(np.abs(level) + np.float32(0.5)), np.int64)


def _float32(values: Iterable[float]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.array(list(values), np.float64).astype(np.float32)


_LEVELS: dict[type[Op], Callable[[Int64Array, Tensor, Tensor, Any], Int64Array]] = {
    HardSwish: _hard_swish,
    LeakyRelu: _leaky,
    Logistic: _logistic,
    Quantize: _requantized,
    Rectifier: _rectified,
    Tanh: _tanh,
}
"""By class: from inputs less their zero point, the tensors and the operator to outputs less theirs,
before the clamp."""

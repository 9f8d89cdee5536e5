"""TensorFlow Lite's kernels of each value on a few values: in int8, in float32, and in bool.

They make tables at export, see `edgesq.formats.tflite.curve`. A kernel of int8 takes int64 levels
and gives int64 levels, not yet cut to int8; one of floats takes and gives float32 as the C library
does, by float64 rounded once.

Source: TensorFlow Lite, kernels/elementwise.cc, exp.cc, activations.cc, comparisons.cc,
kernels/internal/reference (gelu.h, comparisons.h) and quantization_util.cc.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    Int64Array,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)
from edgesq.errors import ModelError
from edgesq.fixed_point import inverse_square_root
from edgesq.graph import Tensor

Float32Array = NDArray[np.float32]
Values = NDArray[Any]

_OWN_RESULT = "TensorFlow Lite's own result is undefined: scale what it is given"
_COMPARISON_SHIFT = 8
_RSQRT_SHIFT = 20
_SQRT_HALF = np.float32(-math.sqrt(0.5))
_SQRT_2_OVER_PI = np.float32(math.sqrt(2 / math.pi))


@dataclass(frozen=True)
class Options:
    """What kernels are told besides their operands.

    Attributes:
        alpha: slope of a LEAKY_RELU.
        is_approximate: GELU by tanh.
    """

    alpha: float = 0.0
    is_approximate: bool = False


def by_float64(function: Callable[[float], float], values: Float32Array) -> Float32Array:
    """Apply a function of floats to float32 values; what it cannot take becomes not a number."""

    def one(value: float) -> float:
        try:
            return function(value)
        except (ValueError, ZeroDivisionError):
            return math.nan
        except OverflowError:
            return math.inf

    with np.errstate(over="ignore"):
        return np.array([one(value) for value in values.tolist()], np.float64).astype(np.float32)


def rounded(values: Float32Array) -> Float32Array:
    """Return the nearest whole numbers, halves away from zero."""
    return np.asarray(np.sign(values) * np.floor(np.abs(values) + np.float32(0.5)), np.float32)


def levels_of(real: Float32Array, result: Tensor) -> Int64Array:
    """Return reals in steps of a tensor's scale as TensorFlow Lite's tables of int8 have them."""
    with np.errstate(over="ignore"):
        steps = rounded(real * (np.float32(1) / np.float32(result.scale)))
    return np.asarray(np.clip(steps, -1e6, 1e6), np.int64) + result.zero_point


def reals_of(levels: Values, source: Tensor) -> Float32Array:
    """Return levels as reals in float32."""
    return np.float32(source.scale) * (levels - source.zero_point).astype(np.float32)


def quantized(values: Float32Array, result: Tensor) -> Int64Array:
    """Return what QUANTIZE makes of float32."""
    with np.errstate(over="ignore"):
        steps = rounded(values / np.float32(result.scale))
    if np.isnan(steps).any():
        raise ModelError("QUANTIZE of what is no number", hint=_OWN_RESULT)
    return np.asarray(np.clip(steps, -1e6, 1e6), np.int64) + result.zero_point


def dequantized(levels: Values, source: Tensor) -> Float32Array:
    """Return what DEQUANTIZE makes of int8."""
    return (np.float64(source.scale) * (levels - source.zero_point)).astype(np.float32)


# --- functions of one float ---


def _gelu(x: Float32Array, options: Options) -> Float32Array:
    half = np.float32(0.5) * x
    if not options.is_approximate:
        return half * by_float64(math.erfc, x * _SQRT_HALF)
    inner = _SQRT_2_OVER_PI * (x + np.float32(0.044715) * x * x * x)
    return half * (np.float32(1) + by_float64(math.tanh, inner))


def _elu(x: Float32Array, _: Options) -> Float32Array:
    return np.where(x < 0, by_float64(math.expm1, x), x).astype(np.float32)


def _logistic(x: Float32Array, _: Options) -> Float32Array:
    return np.float32(1) / (np.float32(1) + by_float64(lambda v: math.exp(min(-v, 700)), x))


def _leaky_relu(x: Float32Array, options: Options) -> Float32Array:
    return np.where(x > 0, x, x * np.float32(options.alpha)).astype(np.float32)


def _hard_swish(x: Float32Array, _: Options) -> Float32Array:
    share = np.clip(x + np.float32(3), np.float32(0), np.float32(6)) / np.float32(6)
    return np.asarray(x * share, np.float32)


def _plain(function: Callable[[float], float]) -> Callable[[Float32Array, Options], Float32Array]:
    return lambda x, _: by_float64(function, x)


def _rsqrt(x: Float32Array, _: Options) -> Float32Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.float32(1) / np.sqrt(x), np.float32)


UNARY: dict[str, Callable[[Float32Array, Options], Float32Array]] = {
    "ABS": lambda x, _: np.abs(x),
    "CEIL": lambda x, _: np.ceil(x),
    "COS": _plain(math.cos),
    "ELU": _elu,
    "EXP": _plain(math.exp),
    "FLOOR": lambda x, _: np.floor(x),
    "GELU": _gelu,
    "HARD_SWISH": _hard_swish,
    "LEAKY_RELU": _leaky_relu,
    "LOG": _plain(lambda v: math.log(v) if v else -math.inf),
    "LOGISTIC": _logistic,
    "NEG": lambda x, _: -x,
    "RELU": lambda x, _: np.maximum(x, np.float32(0)),
    "RELU6": lambda x, _: np.clip(x, np.float32(0), np.float32(6)),
    "RELU_0_TO_1": lambda x, _: np.clip(x, np.float32(0), np.float32(1)),
    "RELU_N1_TO_1": lambda x, _: np.clip(x, np.float32(-1), np.float32(1)),
    "ROUND": lambda x, _: np.round(x),
    "RSQRT": _rsqrt,
    "SIGN": lambda x, _: np.sign(x),
    "SIN": _plain(math.sin),
    "SQRT": _plain(math.sqrt),
    "SQUARE": lambda x, _: x * x,
    "TANH": _plain(math.tanh),
    "ZEROS_LIKE": lambda x, _: np.zeros_like(x),
}
"""By the name in a .tflite."""


def _power(one: Float32Array, two: Float32Array) -> Float32Array:
    pairs = np.broadcast_arrays(one, two)
    bases, exponents = (values.tolist() for values in pairs)
    made = iter(zip(bases, exponents, strict=True))
    return by_float64(lambda _: math.pow(*next(made)), pairs[0])


BINARY: dict[str, Callable[[Values, Values], Values]] = {
    "ADD": lambda one, two: one + two,
    "DIV": lambda one, two: one / two,
    "EQUAL": lambda one, two: one == two,
    "GREATER": lambda one, two: one > two,
    "GREATER_EQUAL": lambda one, two: one >= two,
    "LESS": lambda one, two: one < two,
    "LESS_EQUAL": lambda one, two: one <= two,
    "LOGICAL_AND": lambda one, two: one & two,
    "LOGICAL_OR": lambda one, two: one | two,
    "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
    "MUL": lambda one, two: one * two,
    "NOT_EQUAL": lambda one, two: one != two,
    "POW": _power,
    "SQUARED_DIFFERENCE": lambda one, two: (one - two) * (one - two),
    "SUB": lambda one, two: one - two,
}
"""Of two floats, or two bools: by the name in a .tflite."""

COMPARISONS = ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL")


# --- functions of one int8 value ---


def _by_reals(kind: str) -> Callable[[Int64Array, Tensor, Tensor, Options], Int64Array]:
    def curve(levels: Int64Array, source: Tensor, result: Tensor, options: Options) -> Int64Array:
        return levels_of(UNARY[kind](reals_of(levels, source), options), result)

    return curve


def _log(levels: Int64Array, source: Tensor, result: Tensor, options: Options) -> Int64Array:
    real = reals_of(levels, source)
    positive = np.where(real > 0, real, np.float32(1))
    least = np.int64(-128)
    return np.where(real > 0, levels_of(UNARY["LOG"](positive, options), result), least)


def _abs(levels: Int64Array, source: Tensor, result: Tensor, _: Options) -> Int64Array:
    value = np.abs(levels - source.zero_point)
    if source.scale != result.scale:
        ratio = float(np.float32(source.scale) / np.float32(result.scale))
        value = multiply_by_quantized_multiplier(value, *quantize_multiplier(ratio))
    return value + result.zero_point


def _sqrt(levels: Int64Array, source: Tensor, result: Tensor, _: Options) -> Int64Array:
    root = np.sqrt(np.maximum(reals_of(levels, source), np.float32(0)))
    steps = np.trunc(root / np.float32(result.scale))
    return np.asarray(np.minimum(steps, 1e6), np.int64) + result.zero_point


def _rsqrt_int8(levels: Int64Array, source: Tensor, result: Tensor, _: Options) -> Int64Array:
    product = np.float32(np.sqrt(np.float32(source.scale))) * np.float32(result.scale)
    multiplier, shift = quantize_multiplier(1.0 / float(product))

    def one(value: int) -> int:
        if value <= 0:
            return 127
        data = multiply_by_quantized_multiplier(
            1, *_raised(inverse_square_root(value), _RSQRT_SHIFT)
        )
        scaled = multiply_by_quantized_multiplier(data, multiplier, shift - _RSQRT_SHIFT)
        return int(scaled) + result.zero_point

    return np.array([one(int(level) - source.zero_point) for level in levels], np.int64)


def _raised(pair: tuple[int, int], bits: int) -> tuple[int, int]:
    return pair[0], pair[1] + bits


INT8_UNARY: dict[str, Callable[[Int64Array, Tensor, Tensor, Options], Int64Array]] = {
    "ABS": _abs,
    "ELU": _by_reals("ELU"),
    "EXP": _by_reals("EXP"),
    "GELU": _by_reals("GELU"),
    "LOG": _log,
    "RSQRT": _rsqrt_int8,
    "SQRT": _sqrt,
}
"""By the name in a .tflite. Where TensorFlow Lite stops with an error, of a root of what is
negative, the nearest that there is."""


def compared(kind: str, values: Sequence[Int64Array], tensors: Sequence[Tensor]) -> NDArray[Any]:
    """Return how two operands of int8 compare, as TensorFlow Lite rescales them.

    Raises:
        ModelError: a scale is 1 or more, of which TensorFlow Lite's result is undefined.
    """
    if max(tensor.scale for tensor in tensors) >= 1:
        raise ModelError(f"{kind} of int8 with a scale of 1 or more", hint=_OWN_RESULT)
    one, two = (
        multiply_by_quantized_multiplier(
            (levels - tensor.zero_point) << _COMPARISON_SHIFT, *quantize_multiplier(tensor.scale)
        )
        for levels, tensor in zip(values, tensors, strict=True)
    )
    return BINARY[kind](one, two)

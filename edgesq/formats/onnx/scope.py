"""Write integer ONNX nodes: names, constants, and the requantization that operators share.

No Clip, Min, Max or Sign works on int64 here: ONNX Runtime's (1.31 and before, x86) look at the low
32 bits only, a bug of its Eigen. Comparisons of int64 are sound.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edgesq.arithmetic import RESCALE_BITS, Int64Array, RescaleParameters
from edgesq.operators import Op, Window

Value = str | NDArray[Any] | np.number[Any]
"""What a node reads: the name of an earlier value, or numbers that become a constant."""

Writers = dict[type[Op], Callable[..., str]]
"""By class of the operator: from scope, model, operator and the names of its inputs to the name of
its output."""

UINT8_OFFSET = 128
"""Activations travel as q + 128, because ONNX Runtime's ConvInteger wants uint8 pixels."""

INT8_RANGE = (-128, 127)
"""A clamp that changes nothing."""

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
"""Permutations: from TensorFlow Lite's layout to ONNX's, and back."""

_HEADROOM = 1 << 62
"""Makes any product of two int32 non-negative; a multiple of every divisor (2^31 to 2^62)."""


@dataclass(frozen=True)
class Scope:
    """The nodes written so far, and the prefix that the names of the next ones get."""

    prefix: str = ""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def within(self, name: str) -> "Scope":
        """Return the same model under a longer prefix."""
        return Scope(f"{self.prefix}{name}/", self.nodes, self.constants)

    def constant(self, label: str, values: NDArray[Any] | np.number[Any]) -> str:
        """Add an initializer and return its name."""
        name = self.prefix + label
        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def node(self, op_type: str, label: str, *inputs: Value, **attributes: Any) -> str:
        """Add a node with one output of the same name, and return that name."""
        names = [
            value if isinstance(value, str) else self.constant(f"{label}/constant{position}", value)
            for position, value in enumerate(inputs)
        ]
        name = self.prefix + label
        self.nodes.append(helper.make_node(op_type, names, [name], name=name, **attributes))
        return name

    def cast(self, label: str, value: Value, dtype: type[np.integer[Any]]) -> str:
        """Add a Cast to an integer type."""
        to = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.node("Cast", label, value, to=to)

    def lookup(self, label: str, table: NDArray[Any], index: Value) -> str:
        """Add table[index] for a one-dimensional table and a signed index of any shape."""
        return self.node("Gather", label, table, index)


def window_attributes(window: Window) -> dict[str, list[int]]:
    """Return a window as the attributes of Conv and MaxPool."""
    dilations = [window.dilation_h, window.dilation_w]
    return {
        "kernel_shape": [window.height, window.width],
        "strides": [window.stride_h, window.stride_w],
        "pads": [window.pad_top, window.pad_left, window.pad_bottom, window.pad_right],
        **({"dilations": dilations} if window.is_dilated else {}),
    }


def unsigned(q: NDArray[Any] | int) -> NDArray[np.uint8]:
    """Return int8 values as q + 128."""
    return (np.asarray(q, np.int32) + UINT8_OFFSET).astype(np.uint8)


def unsigned_weights(weights: NDArray[Any]) -> tuple[NDArray[np.uint8], np.uint8]:
    """Return weights as uint8, and their zero point: 128 for int8, less than 256 apart for int16.

    Args:
        weights: int8; or int16 that were uint8 with a zero point.
    """
    point = UINT8_OFFSET if weights.dtype == np.int8 else max(-int(weights.min()), 0)
    return (weights.astype(np.int16) + point).astype(np.uint8), np.uint8(point)


def per_channel(values: NDArray[Any]) -> NDArray[Any]:
    """Shape one number per channel for an NCHW tensor; a scalar where all are the same."""
    if (values == values[0]).all():
        return np.array(values[0])
    return values.reshape(1, -1, 1, 1)


def shift_right(
    scope: Scope, label: str, value: Value, bits: Value, dtype: type[np.integer[Any]] = np.int64
) -> str:
    """Add floor(value / 2^bits) of an int64, read as unsigned, as `dtype`, which must hold it.

    ONNX shifts unsigned integers only, and a shift is several times faster than a division.
    """
    unsigned = scope.cast(f"{label}/unsigned", value, np.uint64)
    places = bits if isinstance(bits, str) else bits.astype(np.uint64)
    shifted = scope.node("BitShift", label, unsigned, places, direction="RIGHT")
    return scope.cast(f"{label}/signed", shifted, dtype)


def doubling_high_mul(scope: Scope, label: str, a: Value, b: Value) -> str:
    """Add `arithmetic.doubling_high_mul` of int64 values in the int32 range, b not INT32_MIN."""
    product = scope.node("Mul", f"{label}/product", a, b)
    raised = scope.node("Add", f"{label}/raised", product, np.int64(_HEADROOM + (1 << 30)))
    shifted = shift_right(scope, f"{label}/shift", raised, np.int64(31))
    return scope.node("Sub", label, shifted, np.int64(_HEADROOM >> 31))


def requantize(
    scope: Scope,
    accumulator: str,
    multiplier: Int64Array,
    shift: Int64Array,
    *,
    bias: Int64Array,
    zero_point: int,
    clamp: tuple[int, int],
) -> str:
    """Add clamp(zero_point + (accumulator + bias) * multiplier * 2^(shift - 31)), as uint8.

    Equal to `arithmetic.multiply_by_quantized_multiplier`, whose two roundings become one floor
    division: with p the product, r the right shift and v = floor((p + 2^30) / 2^31),
        floor((v + 2^(r-1) - [v < 0]) / 2^r)
        = floor((p + 2^30 + 2^(30+r) - [v < 0] * 2^31) / 2^(31+r)).

    Args:
        scope: where to write.
        accumulator: int32 [1, C, H, W].
        multiplier: Q0.31, not negative, [C] or [1].
        shift: left if positive, at least -31, [C] or [1].
        bias: added to the accumulator, [C] or [1].
        zero_point: of the result, in [-128, 127].
        clamp: lowest and highest result, in [-128, 127].
    """
    right = np.maximum(-shift, 0)
    factor = multiplier << np.maximum(shift, 0)
    nudge = bias * factor + (1 << 30)
    half = np.where(right > 0, np.int64(1) << (30 + right), 0) + _HEADROOM
    wide = scope.cast("wide", accumulator, np.int64)
    product = scope.node("Mul", "product", wide, per_channel(factor))
    if clamp[0] >= zero_point or not right.any():  # what a negative v would be is clamped away
        raised = scope.node("Add", "raised", product, per_channel(nudge + half))
    else:
        raised = _raise_by_sign(scope, product, nudge, half, right)
    return _lower(scope, raised, right, zero_point, clamp)


def rescale(
    scope: Scope,
    accumulator: str,
    parameters: RescaleParameters,
    *,
    bias: NDArray[np.int32],
    zero_point: int,
    clamp: tuple[int, int],
) -> str:
    """Add clamp(zero_point + `arithmetic.rescale` of accumulator + bias), as uint8.

    Args:
        scope: where to write.
        accumulator: int32 [1, C, H, W].
        parameters: multipliers and limits, [C].
        bias: added to the accumulator, [C].
        zero_point: of the result, in [-128, 127].
        clamp: lowest and highest result, in [-128, 127].
    """
    total = scope.node("Add", "biased", accumulator, per_channel(bias))
    limit = per_channel(parameters.limit.astype(np.int32))
    size = scope.node("Min", "limited", scope.node("Abs", "size", total), limit)
    wide = scope.cast("wide", size, np.int64)
    product = scope.node("Mul", "product", wide, per_channel(parameters.multiplier))
    raised = scope.node("Add", "raised", product, np.int64(1 << (RESCALE_BITS - 1)))
    level = shift_right(scope, "shift", raised, np.int64(RESCALE_BITS), np.int32)
    signed = scope.node("Mul", "signed", level, scope.node("Sign", "sign", total))
    return _to_uint8(scope, signed, zero_point, clamp)


def _lower(
    scope: Scope, raised: str, right: Int64Array, zero_point: int, clamp: tuple[int, int]
) -> str:
    """Add clamp(zero_point + raised / 2^(31 + right)) less the headroom, as uint8."""
    fits_int32 = right.min() >= 2  # else by way of int64: a Cast out of range is undefined
    dtype = np.int32 if fits_int32 else np.int64
    shifted = shift_right(scope, "shift", raised, per_channel(31 + right), dtype)
    headroom = per_channel((_HEADROOM >> (31 + right)).astype(dtype))
    lowered = scope.node("Sub", "lowered", shifted, headroom)
    narrow = lowered if fits_int32 else scope.cast("narrow", lowered, np.int32)
    return _to_uint8(scope, narrow, zero_point, clamp)


def _to_uint8(scope: Scope, narrow: str, zero_point: int, clamp: tuple[int, int]) -> str:
    """Add clamp(zero_point + narrow) of an int32, as uint8."""
    bounds = [np.int32(bound - zero_point) for bound in clamp]
    result = scope.node("Clip", "clamp", narrow, *bounds)
    if zero_point != -UINT8_OFFSET:
        result = scope.node("Add", "zero_point", result, np.int32(zero_point + UINT8_OFFSET))
    return scope.cast("uint8", result, np.uint8)


def _raise_by_sign(
    scope: Scope, product: str, nudge: Int64Array, half: Int64Array, right: Int64Array
) -> str:
    """Add product + nudge + half, less 2^31 where product + nudge is negative and r is not 0."""
    nudged = scope.node("Add", "nudged", product, per_channel(nudge))
    negative = scope.node("Less", "negative", nudged, np.int64(0))
    half_below = half - np.where(right > 0, np.int64(1) << 31, 0)
    halves = scope.node("Where", "half", negative, per_channel(half_below), per_channel(half))
    return scope.node("Add", "raised", nudged, halves)

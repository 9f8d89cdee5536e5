"""Carry out a .tflite's arithmetic on constants, most of it on shapes, as it is read.

Where the batch may vary, converters compute the shape of a RESHAPE: SHAPE, STRIDED_SLICE, PACK. The
board's batch is 1, so every such value is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.tflite.infer import settle_shape
from edgesq.formats.tflite.reader import Reader

Numbers = NDArray[np.int64]
Operators = list[tuple[str, Any]]

_MAX_NUMBERS = 4_096
"""Most numbers in one result, and in all that one operator reads."""


def without_constants(reader: Reader, operators: Operators) -> Operators:
    """Return the operators that compute from the image; all others are carried out.

    Afterwards `reader.data` knows their results, and shapes that the file leaves open are told.

    Raises:
        ModelError: constants do not suit their operator, or there are too many.
    """
    left: Operators = []
    for kind, one in operators:
        if _is_arithmetic(reader, kind, one):
            reader.leave_out(one)
            _carry_out(reader, kind, one)
        else:
            settle_shape(reader, kind, one)
            left.append((kind, one))
    return left


def _is_arithmetic(reader: Reader, kind: str, operator: Any) -> bool:
    if kind not in ARITHMETIC or not operator.outputs or not operator.inputs:
        return False
    if min(*operator.inputs, *operator.outputs) < 0 or not all(
        reader.is_integer(index) for index in operator.outputs
    ):
        return False
    return kind in _OF_SHAPES or all(
        reader.is_integer(index) and reader.data(index) is not None for index in operator.inputs
    )


def _carry_out(reader: Reader, kind: str, operator: Any) -> None:
    name = reader.name(operator.outputs[0])
    if kind in _OF_SHAPES:
        values = [np.array(reader.shape(operator.inputs[0]), np.int64)]
    else:
        read = (reader.data(index) for index in operator.inputs)
        values = [value.astype(np.int64) for value in read if value is not None]
    if sum(value.size for value in values) > _MAX_NUMBERS:
        raise reader.error(f"{name}: {kind} of more than {_MAX_NUMBERS} constants")
    try:
        made = ARITHMETIC[kind](operator.builtinOptions, *values)
        results = list(made) if isinstance(made, tuple) else [made]
        for index, result in zip(operator.outputs, results, strict=True):
            reader.fold(index, result)
    # Constants and options are whatever the file says.
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as error:
        raise reader.error(f"{name}: {kind} cannot be computed: {error}") from error


def _bounded(shape: Sequence[int]) -> tuple[int, ...]:
    extents = tuple(int(extent) for extent in shape)
    count = 1
    for extent in extents:
        count *= max(extent, 0)
        if count > _MAX_NUMBERS:
            raise ValueError(f"more than {_MAX_NUMBERS} constants")
    return extents


def _fill(_: Any, shape: Numbers, value: Numbers) -> Numbers:
    return np.full(_bounded(shape.tolist()), int(value))


def _range(_: Any, start: Numbers, limit: Numbers, delta: Numbers) -> Numbers:
    every = range(int(start), int(limit), int(delta))
    return np.array(every[: _bounded([len(every)])[0]], np.int64)


def _strided_slice(
    options: Any, x: Numbers, begin: Numbers, end: Numbers, step: Numbers
) -> Numbers:
    if options.ellipsisMask or options.newAxisMask or options.offset:
        raise ValueError("axes are added")
    bounds = zip(begin.tolist(), end.tolist(), step.tolist(), strict=True)
    places: list[int | slice] = []
    for axis, (first, last, stride) in enumerate(bounds):
        start = None if options.beginMask >> axis & 1 else first
        stop = None if options.endMask >> axis & 1 else last
        is_one = options.shrinkAxisMask >> axis & 1
        places.append(first if is_one else slice(start, stop, stride))
    return np.asarray(x[tuple(places)])


def _slice(_: Any, x: Numbers, begin: Numbers, size: Numbers) -> Numbers:
    spans = zip(begin, size, x.shape, strict=True)
    return x[tuple(slice(int(b), extent if n == -1 else int(b + n)) for b, n, extent in spans)]


def _gather(options: Any, x: Numbers, places: Numbers) -> Numbers:
    if options.batchDims:
        raise ValueError("it has batch dimensions")
    return np.asarray(np.take(x, places, axis=int(options.axis)))


def _unpack(options: Any, x: Numbers) -> tuple[Numbers, ...]:
    return tuple(np.moveaxis(x, int(options.axis), 0))


def _reduce(function: Any) -> Callable[..., Numbers]:
    def reduce(options: Any, x: Numbers, axes: Numbers) -> Numbers:
        over = tuple(int(axis) for axis in axes.reshape(-1))
        return np.asarray(function(x, axis=over, keepdims=bool(options.keepDims)))

    return reduce


def _divided(_: Any, one: Numbers, two: Numbers) -> Numbers:
    if not two.all():
        raise ZeroDivisionError("by zero")
    return np.asarray(np.sign(one) * np.sign(two) * (np.abs(one) // np.abs(two)))


def _floor(function: Any) -> Callable[..., Numbers]:
    def divide(_: Any, one: Numbers, two: Numbers) -> Numbers:
        if not two.all():
            raise ZeroDivisionError("by zero")
        return np.asarray(function(one, two))

    return divide


def _same(_: Any, x: Numbers, *__: Numbers) -> Numbers:
    return x


_OF_SHAPES = ("SHAPE", "RANK")
"""Operators that read no value, only how many there are."""

ARITHMETIC: dict[str, Callable[..., Numbers | tuple[Numbers, ...]]] = {
    "ADD": lambda _, one, two: one + two,
    "BROADCAST_TO": lambda _, x, shape: np.broadcast_to(x, _bounded(shape.tolist())),
    "CAST": _same,
    "CONCATENATION": lambda options, *parts: np.concatenate(parts, axis=int(options.axis)),
    "DIV": _divided,
    "EXPAND_DIMS": lambda _, x, axis: np.expand_dims(x, int(axis)),
    "FILL": _fill,
    "FLOOR_DIV": _floor(np.floor_divide),
    "FLOOR_MOD": _floor(np.mod),
    "GATHER": _gather,
    "MAXIMUM": lambda _, one, two: np.maximum(one, two),
    "MINIMUM": lambda _, one, two: np.minimum(one, two),
    "MUL": lambda _, one, two: one * two,
    "NEG": lambda _, x: -x,
    "PACK": lambda options, *parts: np.stack(parts, axis=int(options.axis)),
    "RANGE": _range,
    "RANK": lambda _, shape: np.asarray(shape.size),
    "REDUCE_MAX": _reduce(np.max),
    "REDUCE_MIN": _reduce(np.min),
    "REDUCE_PROD": _reduce(np.prod),
    "RESHAPE": lambda options, x, *to: x.reshape(_bounded(to[0] if to else options.newShape)),
    "SHAPE": _same,
    "SLICE": _slice,
    "SQUEEZE": lambda options, x: x.squeeze(tuple(map(int, options.squeezeDims)) or None),
    "STRIDED_SLICE": _strided_slice,
    "SUB": lambda _, one, two: one - two,
    "SUM": _reduce(np.sum),
    "UNPACK": _unpack,
}
"""By name: options and int64 constants to int64 constants."""

"""Compute the shape of what an operator makes, as TensorFlow Lite does, from what it reads.

A file says the shape of every tensor, and of some of them a second time: the sizes of a RESIZE, the
constants of a RESHAPE. LiteRT believes these. A file in which the two differ is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from edgesq.errors import ModelError
from edgesq.formats.tflite.check import listed
from edgesq.formats.tflite.reader import SAME_PADDING, VALID_PADDING, Reader
from edgesq.integers import ceil_div
from edgesq.limits import MAX_EXTENT

Shape = tuple[int, ...]

_MAX_AXES = 8


def check_shape(reader: Reader, kind: str, operator: Any) -> None:
    """Hold the declared shape of an operator's output, or note it where the file leaves it open.

    Raises:
        ModelError: LiteRT would make another one, or it cannot be told.
    """
    output = operator.outputs[0]
    name = reader.name(output)
    try:
        made = tuple(int(extent) for extent in _RULES[kind](reader, operator))
    # Constants and options are whatever the file says.
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as error:
        raise reader.error(f"{name}: {kind} does not suit its shapes: {error}") from error
    if len(made) > _MAX_AXES or any(not 0 < extent <= MAX_EXTENT for extent in made):
        raise reader.error(f"{name}: {kind} makes the shape {list(made)[:_MAX_AXES]}")
    tensor = reader.source.tensors[output]
    declared = tuple(tensor.shape)
    expected = declared
    if len(made) == len(declared):
        opened = _open_axes(tensor)
        pairs = enumerate(zip(made, declared, strict=True))
        expected = tuple(pair[0 if axis in opened else 1] for axis, pair in pairs)
    if not declared or made == expected:
        tensor.shape, tensor.shapeSignature = list(made), None
    else:
        raise reader.error(
            f"{name}: {kind} makes the shape {list(made)}, the file says {list(declared)}",
            "the file contradicts itself: convert the model again",
        )


def is_open(reader: Reader, operator: Any) -> bool:
    """Say whether the file leaves the shape of an operator's output open, all of it or in part."""
    tensor = reader.source.tensors[operator.outputs[0]]
    return not tensor.shape or bool(_open_axes(tensor))


def _open_axes(tensor: Any) -> set[int]:
    """Return the axes of which the file does not know the extent; it writes 1 there, or -1."""
    signature = listed(tensor.shapeSignature)
    if len(signature) != len(tensor.shape):
        signature = tensor.shape
    known = zip(tensor.shape, signature, strict=True)
    return {axis for axis, extents in enumerate(known) if min(extents) < 0}


def settle_shape(reader: Reader, kind: str, operator: Any) -> None:
    """Note the shape of an operator's output where the file leaves it open and it can be told."""
    if kind in _RULES and operator.outputs and is_open(reader, operator):
        with suppress(ModelError):
            check_shape(reader, kind, operator)


def _constants(reader: Reader, index: int) -> list[int]:
    values = reader.data(index)
    if values is None:
        raise ValueError(f"{reader.name(index)} is computed or lacks its values")
    return [int(value) for value in values.flat]


def _axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} of {rank}")
    return axis % rank


def _same(reader: Reader, operator: Any) -> Shape:
    return reader.shape(operator.inputs[0])


def _broadcast(reader: Reader, operator: Any) -> Shape:
    return np.broadcast_shapes(*(reader.shape(index) for index in operator.inputs))


def _convolution(reader: Reader, operator: Any, channels: int) -> Shape:
    """Make axis `channels` of the weights the output's channels."""
    kernel = _four(reader.shape(operator.inputs[1]))
    return _windows(reader, operator, kernel[1:3], kernel[channels])


def _pool(reader: Reader, operator: Any) -> Shape:
    options = operator.builtinOptions
    size = (int(options.filterHeight), int(options.filterWidth))
    return _windows(reader, operator, size, reader.shape(operator.inputs[0])[-1])


def _windows(reader: Reader, operator: Any, size: Sequence[int], channels: int) -> Shape:
    batch, *image, _ = _four(reader.shape(operator.inputs[0]))
    options = operator.builtinOptions
    if options.padding not in (SAME_PADDING, VALID_PADDING):
        raise ValueError(f"padding {options.padding}")
    if min(options.strideH, options.strideW) < 1:
        raise ValueError(f"strides {options.strideH} x {options.strideW}")
    shrunk = [0, 0] if options.padding == SAME_PADDING else [extent - 1 for extent in size]
    strides = (options.strideH, options.strideW)
    spans = zip(image, shrunk, strides, strict=True)
    height, width = (ceil_div(extent - less, stride) for extent, less, stride in spans)
    return batch, height, width, channels


def _four(shape: Shape) -> Shape:
    if len(shape) != 4:
        raise ValueError(f"{list(shape)} where [N, H, W, C] must be")
    return shape


def _fully_connected(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    outputs, depth = reader.shape(operator.inputs[1])
    if operator.builtinOptions.keepNumDims:
        return (*shape[:-1], outputs)
    return math.prod(shape) // depth, outputs


def _concatenation(reader: Reader, operator: Any) -> Shape:
    shapes = [reader.shape(index) for index in operator.inputs]
    axis = _axis(int(operator.builtinOptions.axis), len(shapes[0]))
    rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(rests) != 1 or len({len(shape) for shape in shapes}) != 1:
        raise ValueError(f"{shapes} side by side")
    along = sum(shape[axis] for shape in shapes)
    return (*shapes[0][:axis], along, *shapes[0][axis + 1 :])


def _reduced(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    over = {_axis(axis, len(shape)) for axis in _constants(reader, operator.inputs[1])}
    kept = [1 if axis in over else extent for axis, extent in enumerate(shape)]
    if operator.builtinOptions.keepDims:
        return tuple(kept)
    return tuple(extent for axis, extent in enumerate(kept) if axis not in over)


def _reshape(reader: Reader, operator: Any) -> Shape:
    values = math.prod(reader.shape(operator.inputs[0]))
    if len(operator.inputs) > 1 and operator.inputs[1] >= 0:
        wanted = _constants(reader, operator.inputs[1])
    else:
        wanted = [int(extent) for extent in operator.builtinOptions.newShape]
    open_places = [place for place, extent in enumerate(wanted) if extent == -1]
    if len(open_places) > 1:
        raise ValueError(f"{wanted[:_MAX_AXES]} is open in several places")
    for place in open_places:
        rest = math.prod(wanted[:place] + wanted[place + 1 :])
        wanted[place] = values // rest
    if math.prod(wanted) != values:
        raise ValueError(f"{wanted[:_MAX_AXES]} for {values} values")
    return tuple(wanted)


def _squeeze(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    given = getattr(operator.builtinOptions, "squeezeDims", None)
    axes = [] if given is None else [_axis(int(axis), len(shape)) for axis in given]
    gone = set(axes) or {axis for axis, extent in enumerate(shape) if extent == 1}
    if any(shape[axis] != 1 for axis in gone):
        raise ValueError(f"{list(shape)} without axes {sorted(gone)}")
    return tuple(extent for axis, extent in enumerate(shape) if axis not in gone)


def _expand_dims(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    (axis,) = _constants(reader, operator.inputs[1])
    place = _axis(axis, len(shape) + 1)
    return (*shape[:place], 1, *shape[place:])


def _transpose(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    order = [_axis(axis, len(shape)) for axis in _constants(reader, operator.inputs[1])]
    if sorted(order) != list(range(len(shape))):
        raise ValueError(f"the order {order[:_MAX_AXES]} of {len(shape)} axes")
    return tuple(shape[axis] for axis in order)


def _tile(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    many = _constants(reader, operator.inputs[1])
    return tuple(extent * times for extent, times in zip(shape, many, strict=True))


def _pad(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    amounts = _constants(reader, operator.inputs[1])
    if reader.shape(operator.inputs[1]) != (len(shape), 2) or min(amounts) < 0:
        raise ValueError(f"paddings of {amounts[: 2 * _MAX_AXES]}")
    pairs = zip(amounts[::2], amounts[1::2], strict=True)
    return tuple(extent + sum(pair) for extent, pair in zip(shape, pairs, strict=True))


def _slice(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    begin, size = (_constants(reader, index) for index in operator.inputs[1:])
    spans = zip(shape, begin, size, strict=True)
    return tuple(extent - first if count == -1 else count for extent, first, count in spans)


def _strided_slice(reader: Reader, operator: Any) -> Shape:
    shape, options = reader.shape(operator.inputs[0]), operator.builtinOptions
    bounds = [_constants(reader, index) for index in operator.inputs[1:]]
    made = []
    for axis, (extent, first, last, step) in enumerate(zip(shape, *bounds, strict=True)):
        start = None if options.beginMask >> axis & 1 else first
        stop = None if options.endMask >> axis & 1 else last
        made.append(len(range(extent)[start:stop:step]))
    return tuple(made)


def _resize(reader: Reader, operator: Any) -> Shape:
    batch, _, _, channels = _four(reader.shape(operator.inputs[0]))
    height, width = _constants(reader, operator.inputs[1])
    return batch, height, width, channels


def _blocks(reader: Reader, operator: Any, *, to_depth: bool) -> Shape:
    batch, height, width, channels = _four(reader.shape(operator.inputs[0]))
    block = int(operator.builtinOptions.blockSize)
    if to_depth:
        return batch, height // block, width // block, channels * block * block
    return batch, height * block, width * block, channels // (block * block)


_RULES: dict[str, Callable[[Reader, Any], Sequence[int]]] = {
    "ADD": _broadcast,
    "AVERAGE_POOL_2D": _pool,
    "CONCATENATION": _concatenation,
    "CONV_2D": lambda reader, one: _convolution(reader, one, 0),
    "DEPTHWISE_CONV_2D": lambda reader, one: _convolution(reader, one, 3),
    "DEPTH_TO_SPACE": lambda reader, one: _blocks(reader, one, to_depth=False),
    "DEQUANTIZE": _same,
    "EXPAND_DIMS": _expand_dims,
    "FULLY_CONNECTED": _fully_connected,
    "HARD_SWISH": _same,
    "LEAKY_RELU": _same,
    "LOGISTIC": _same,
    "MAXIMUM": _broadcast,
    "MAX_POOL_2D": _pool,
    "MEAN": _reduced,
    "MINIMUM": _broadcast,
    "MUL": _broadcast,
    "PAD": _pad,
    "PADV2": _pad,
    "QUANTIZE": _same,
    "REDUCE_MAX": _reduced,
    "RELU": _same,
    "RELU6": _same,
    "RELU_0_TO_1": _same,
    "RELU_N1_TO_1": _same,
    "RESHAPE": _reshape,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SLICE": _slice,
    "SOFTMAX": _same,
    "SPACE_TO_DEPTH": lambda reader, one: _blocks(reader, one, to_depth=True),
    "SQUEEZE": _squeeze,
    "STRIDED_SLICE": _strided_slice,
    "SUB": _broadcast,
    "TANH": _same,
    "TILE": _tile,
    "TRANSPOSE": _transpose,
}
"""By the operator's name; a test holds that every one that is read has a rule."""

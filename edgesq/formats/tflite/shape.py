"""Read the operators of a .tflite that give values another place, in the same order."""

import math
from typing import Any

import numpy as np

from edgesq.formats.tflite.readable import (
    Fits,
    Made,
    Ranges,
    Readable,
    Readables,
    Shape,
    axis_of,
    constants,
    hwc,
)
from edgesq.formats.tflite.reader import MAX_AXES, Reader
from edgesq.graph import Graph
from edgesq.limits import MAX_UINT16
from edgesq.operators import Concatenation, Op, Reshape, Transpose

Image = tuple[int, int, int]


def read_concatenation(reader: Reader, operator: Any) -> Op:
    """Read a CONCATENATION.

    Raises:
        ModelError: it is along the batch, or scales differ.
    """
    name, output = reader.parts(operator)
    place = _place(reader, operator, output)
    inputs = tuple(reader.tensor(index) for index in operator.inputs)
    reader.same_quantization(name, (*inputs, output))
    return Concatenation(name, inputs, output, place)


def read_pack(reader: Reader, operator: Any) -> Made:
    """Read a PACK as a CONCATENATION of inputs that have one place along its axis.

    Raises:
        ModelError: it is along the batch, or scales differ.
    """
    name, output = reader.parts(operator)
    place = _place(reader, operator, output)
    height, width, channels = (
        1 if axis == place else extent for axis, extent in enumerate(reader.tensors[output].hwc)
    )
    shapes, parts = list[Op](), list[int]()
    for index in operator.inputs:
        source = reader.tensor(index)
        reader.same_quantization(name, (source, output))
        if reader.tensors[source].hwc != (height, width, channels):
            shaped = reader.reshaped(index, (height, width, channels))
            shapes.append(Reshape(name, (source,), shaped))
            source = shaped
        parts.append(source)
    return (*shapes, Concatenation(name, tuple(parts), output, place))


def _place(reader: Reader, operator: Any, output: int) -> int:
    """Return the axis of [H, W, C] that the options name."""
    rank, axis = len(reader.tensors[output].shape), int(operator.builtinOptions.axis)
    if not -rank <= axis < rank or axis % rank == 0:
        raise reader.error(f"{reader.name(operator.outputs[0])}: axis {axis} of {rank}")
    return axis % rank - rank + 3


def read_reshape(reader: Reader, operator: Any) -> Op:
    """Read a RESHAPE, SQUEEZE or EXPAND_DIMS.

    Raises:
        ModelError: it changes the number of values.
    """
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    if np.prod(reader.tensors[source].shape) != np.prod(reader.tensors[output].shape):
        raise reader.error(f"{name}: {reader.kind(operator)} changes the number of values")
    return Reshape(name, (source,), output)


def read_transpose(reader: Reader, operator: Any) -> Op:
    """Read a TRANSPOSE; one that leaves the order of the values as it is, is a RESHAPE.

    Raises:
        ModelError: its axes are computed, or it moves the batch.
    """
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    before, after = reader.tensors[source], reader.tensors[output]
    axes = reader.data(operator.inputs[1])
    if axes is None or sorted(axes.flat) != list(range(len(before.shape))):
        raise reader.error(f"{name}: TRANSPOSE needs a constant order of {len(before.shape)} axes")
    wide = [int(axis) for axis in axes.flat if before.shape[axis] > 1]
    if wide == sorted(wide) or math.prod(before.shape) != math.prod(after.shape):
        return read_reshape(reader, operator)
    reader.same_quantization(name, (source, output))
    order = _order(wide, before.hwc, after.hwc)
    return Transpose(name, (source,), output, order, before.hwc[0])


def _order(wide: list[int], source: Image, result: Image) -> tuple[int, int, int]:
    """Return which axis of the source's [H, W, C] each axis of the result's is.

    Args:
        wide: the file's axes of more than one value, in the result's order.
        source: [H, W, C], with as many such axes.
        result: likewise; axes of one value take each other's places.
    """
    places = [axis for axis, extent in enumerate(source) if extent > 1]
    moved = iter([places[sorted(wide).index(axis)] for axis in wide])
    others = iter([axis for axis, extent in enumerate(source) if extent == 1])
    rows, columns, channels = (next(moved if extent > 1 else others) for extent in result)
    return rows, columns, channels


def _reshape_shape(reader: Reader, operator: Any) -> Shape:
    values = math.prod(reader.shape(operator.inputs[0]))
    if len(operator.inputs) > 1 and operator.inputs[1] >= 0:
        wanted = constants(reader, operator.inputs[1])
    else:
        wanted = [int(extent) for extent in operator.builtinOptions.newShape]
    open_places = [place for place, extent in enumerate(wanted) if extent == -1]
    if len(open_places) > 1:
        raise ValueError(f"{wanted[:MAX_AXES]} is open in several places")
    for place in open_places:
        rest = math.prod(wanted[:place] + wanted[place + 1 :])
        wanted[place] = values // rest
    if math.prod(wanted) != values:
        raise ValueError(f"{wanted[:MAX_AXES]} for {values} values")
    return tuple(wanted)


def _squeeze_shape(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    given = getattr(operator.builtinOptions, "squeezeDims", None)
    axes = [] if given is None else [axis_of(int(axis), len(shape)) for axis in given]
    gone = set(axes) or {axis for axis, extent in enumerate(shape) if extent == 1}
    if any(shape[axis] != 1 for axis in gone):
        raise ValueError(f"{list(shape)} without axes {sorted(gone)}")
    return tuple(extent for axis, extent in enumerate(shape) if axis not in gone)


def _expand_dims_shape(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    (axis,) = constants(reader, operator.inputs[1])
    place = axis_of(axis, len(shape) + 1)
    return (*shape[:place], 1, *shape[place:])


def _transpose_shape(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    order = [axis_of(axis, len(shape)) for axis in constants(reader, operator.inputs[1])]
    if sorted(order) != list(range(len(shape))):
        raise ValueError(f"the order {order[:MAX_AXES]} of {len(shape)} axes")
    return tuple(shape[axis] for axis in order)


def _concatenation_shape(reader: Reader, operator: Any) -> Shape:
    shapes = [reader.shape(index) for index in operator.inputs]
    axis = axis_of(int(operator.builtinOptions.axis), len(shapes[0]))
    rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(rests) != 1 or len({len(shape) for shape in shapes}) != 1:
        raise ValueError(f"{shapes} side by side")
    along = sum(shape[axis] for shape in shapes)
    return (*shapes[0][:axis], along, *shapes[0][axis + 1 :])


def _pack_shape(reader: Reader, operator: Any) -> Shape:
    shapes, count = [reader.shape(index) for index in operator.inputs], len(operator.inputs)
    if len(set(shapes)) != 1 or operator.builtinOptions.valuesCount != count:
        raise ValueError(f"{shapes[:MAX_AXES]} into one")
    place = axis_of(int(operator.builtinOptions.axis), len(shapes[0]) + 1)
    return (*shapes[0][:place], count, *shapes[0][place:])


def _concatenation_fits(graph: Graph, op: Concatenation) -> bool:
    shapes, result = hwc(graph, op)
    along = (*result[: op.axis], sum(shape[op.axis] for shape in shapes), *result[op.axis + 1 :])
    rests = {(*shape[: op.axis], *shape[op.axis + 1 :]) for shape in shapes}
    return along == result and rests == {(*result[: op.axis], *result[op.axis + 1 :])}


def _transpose_fits(graph: Graph, op: Transpose) -> bool:
    shapes, result = hwc(graph, op)
    return tuple(shapes[0][axis] for axis in op.order) == result


def _reshape_fits(graph: Graph, op: Reshape) -> bool:
    shapes, result = hwc(graph, op)
    return math.prod(shapes[0]) == math.prod(result)


READABLES: Readables = {
    "CONCATENATION": Readable(
        read_concatenation, _concatenation_shape, range(1, MAX_UINT16), "ConcatenationOptionsT"
    ),
    "EXPAND_DIMS": Readable(read_reshape, _expand_dims_shape, (2,), version=1),
    "PACK": Readable(read_pack, _pack_shape, range(1, MAX_UINT16), "PackOptionsT"),
    "RESHAPE": Readable(read_reshape, _reshape_shape, (1, 2), version=1),
    "SQUEEZE": Readable(read_reshape, _squeeze_shape, version=1),
    "TRANSPOSE": Readable(read_transpose, _transpose_shape, (2,)),
}
FITS: Fits = {
    Concatenation: _concatenation_fits,
    Reshape: _reshape_fits,
    Transpose: _transpose_fits,
}
RANGES: Ranges = {}

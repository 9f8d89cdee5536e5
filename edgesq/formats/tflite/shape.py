"""Read the operators of a .tflite that give values another place, in the same order."""

from typing import Any

import numpy as np

from edgesq.formats.tflite.reader import Reader
from edgesq.graph import Concatenation, Op, Reshape


def read_concatenation(reader: Reader, operator: Any) -> Op:
    """Read a CONCATENATION.

    Raises:
        ModelError: it is not along the channels, or scales differ.
    """
    name, output = reader.parts(operator)
    rank = len(reader.tensors[output].shape)
    if int(operator.builtinOptions.axis) % rank != rank - 1:
        raise reader.error(f"{name}: only concatenation along the channels is supported")
    inputs = tuple(reader.tensor(index) for index in operator.inputs)
    reader.same_quantization(name, (*inputs, output))
    return Concatenation(name, inputs, output)


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
    """Read a TRANSPOSE that leaves the order of the values as it is.

    Raises:
        ModelError: it moves values, or its axes are computed.
    """
    name, shape = reader.name(operator.outputs[0]), reader.source.tensors[operator.inputs[0]].shape
    axes = reader.data(operator.inputs[1])
    if axes is None or sorted(axes.flat) != list(range(len(shape))):
        raise reader.error(f"{name}: TRANSPOSE needs a constant order of {len(shape)} axes")
    wide = [int(axis) for axis in axes.flat if shape[axis] > 1]
    if wide != sorted(wide):
        raise reader.error(f"{name}: TRANSPOSE must leave the order of the values as it is")
    return read_reshape(reader, operator)

"""Read the operators of a .tflite that only move values."""

from typing import Any

import numpy as np

from edgesq.formats.tflite_reader import Reader
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
    """Read a RESHAPE.

    Raises:
        ModelError: it changes the number of values.
    """
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    if np.prod(reader.tensors[source].shape) != np.prod(reader.tensors[output].shape):
        raise reader.error(f"{name}: RESHAPE changes the number of values")
    return Reshape(name, (source,), output)

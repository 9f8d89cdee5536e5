"""Read the operators of a .tflite that keep the shape."""

from typing import Any

from edgesq.formats.tflite_reader import Reader
from edgesq.graph import Add, Op, Softmax


def read_add(reader: Reader, operator: Any) -> Op:
    """Read an ADD.

    Raises:
        ModelError: its inputs differ in shape.
    """
    name, output = reader.parts(operator)
    inputs = tuple(reader.tensor(index) for index in operator.inputs)
    if len({reader.tensors[index].shape for index in (*inputs, output)}) > 1:
        raise reader.error(f"{name}: ADD needs two inputs of one shape (no broadcasting)")
    clamp = reader.clamp(operator.builtinOptions.fusedActivationFunction, output)
    return Add(name, inputs, output, clamp)


def read_softmax(reader: Reader, operator: Any) -> Op:
    """Read a SOFTMAX.

    Raises:
        ModelError: its output has not the scale and zero point of a softmax.
    """
    name, output = reader.parts(operator)
    result = reader.tensors[output]
    if (result.scale, result.zero_point) != (1 / 256, -128):
        raise reader.error(f"{name}: SOFTMAX must have output scale 1/256, zero point -128")
    source = reader.tensor(operator.inputs[0])
    return Softmax(name, (source,), output, float(operator.builtinOptions.beta))

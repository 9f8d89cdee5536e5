"""Read the operators of a .tflite that keep the shape."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from edgesq.formats.tflite.reader import Reader, quantized_range
from edgesq.graph import (
    Binary,
    HardSwish,
    LeakyRelu,
    Logistic,
    Maximum,
    Minimum,
    Op,
    Quantize,
    Rectifier,
    Relu,
    Relu0To1,
    Relu6,
    ReluN1To1,
    Softmax,
    Tanh,
)

_RANGES: dict[type[Rectifier], tuple[float, float | None]] = {
    Relu: (0.0, None),
    Relu0To1: (0.0, 1.0),
    Relu6: (0.0, 6.0),
    ReluN1To1: (-1.0, 1.0),
}


_OUTPUTS: dict[type[Op], tuple[int, int]] = {
    Logistic: (256, -128),
    Softmax: (256, -128),
    Tanh: (128, 0),
}
"""Where an output's range is fixed: one over its scale, and its zero point."""


def _refuse_output(reader: Reader, name: str, cls: type[Op], output: int) -> None:
    result = reader.tensors[output]
    steps, zero_point = _OUTPUTS.get(cls, (0, 0))
    if steps and (result.scale, result.zero_point) != (1 / steps, zero_point):
        raise reader.error(
            f"{name}: {cls.kind} must have output scale 1/{steps}, zero point {zero_point}"
        )


def read_binary(cls: type[Binary]) -> Callable[[Reader, Any], Op]:
    """Return a reader of ADD, SUB or MUL; it refuses shapes that meet in other ways than ours."""

    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        one, two = (_operand(reader, name, index, output) for index in operator.inputs)
        shape = reader.tensors[output].hwc
        computed = tuple(k for k in (one, two) if reader.tensors[k].data is None)
        if all(reader.tensors[index].hwc != shape for index in computed):
            raise reader.error(f"{name}: no operand of {cls.kind} has the output's shape")
        clamp = reader.clamp(operator.builtinOptions.fusedActivationFunction, output)
        return cls(name, computed, output, (one, two), clamp)

    return read


def _operand(reader: Reader, name: str, index: int, output: int) -> int:
    """Return an operand; a constant becomes [C], or [1] where all its values are the same."""
    shape = reader.tensors[output].hwc
    constant = reader.constant_operand(index)
    if constant is None:
        computed = reader.tensor(index)
        if reader.tensors[computed].hwc not in (shape, (1, 1, shape[2])):
            raise reader.error(
                f"{name}: a computed operand of shape {reader.tensors[computed].shape} meets an "
                f"output of {reader.tensors[output].shape}",
                "give it the output's shape, or one pixel of all its channels",
            )
        return computed
    assert constant.data is not None
    values = constant.data.reshape(-1)
    if values.size > 1 and (values.size, constant.shape[-1]) != (shape[2], shape[2]):
        raise reader.error(
            f"{name}: a constant operand of shape {constant.shape}",
            "constants may be one value, or one per channel",
        )
    values = values[:1] if np.all(values == values[0]) else values
    return reader.append(-1, replace(constant, shape=values.shape, data=values))


def read_quantize(reader: Reader, operator: Any) -> Op:
    """Read a QUANTIZE from int8 to int8."""
    name, output = reader.parts(operator)
    return Quantize(name, (reader.tensor(operator.inputs[0]),), output)


def read_dequantize(reader: Reader, operator: Any) -> Op:
    """Refuse a DEQUANTIZE: where it may be, at the output, it is not read."""
    name = reader.name(operator.outputs[0])
    raise reader.error(
        f"{name}: DEQUANTIZE before the end of the network", "quantize the model fully to int8"
    )


def read_rectifier(cls: type[Rectifier]) -> Callable[[Reader, Any], Op]:
    """Return a reader of RELU or one of its like."""

    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        clamp = quantized_range(reader.tensors[output], *_RANGES[cls])
        return cls(name, (reader.tensor(operator.inputs[0]),), output, clamp)

    return read


def read_bound(cls: type[Minimum] | type[Maximum]) -> Callable[[Reader, Any], Op]:
    """Return a reader of MINIMUM or MAXIMUM by a constant of the input's own scale."""

    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        constants = [reader.constant_operand(index) for index in operator.inputs]
        found = [constant for constant in constants if constant is not None]
        if len(found) != 1 or found[0].data is None or found[0].data.size != 1:
            raise reader.error(
                f"{name}: {cls.kind} of other than one tensor and one number",
                "only a bound that is the same for all values can be computed",
            )
        source = reader.tensor(operator.inputs[constants.index(None)])
        reader.same_quantization(name, (source, output))
        if found[0].quantization != reader.tensors[output].quantization:
            raise reader.error(f"{name}: the bound of {cls.kind} has another scale than its input")
        bound = int(found[0].data.reshape(-1)[0])
        return cls(name, (source,), output, (-128, bound) if cls is Minimum else (bound, 127))

    return read


def read_leaky_relu(reader: Reader, operator: Any) -> Op:
    """Read a LEAKY_RELU."""
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    return LeakyRelu(name, (source,), output, float(operator.builtinOptions.alpha))


def read_curve(
    cls: type[HardSwish] | type[Logistic] | type[Tanh],
) -> Callable[[Reader, Any], Op]:
    """Return a reader of a function without parameters."""

    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        _refuse_output(reader, name, cls, output)
        return cls(name, (reader.tensor(operator.inputs[0]),), output)

    return read


def read_softmax(reader: Reader, operator: Any) -> Op:
    """Read a SOFTMAX.

    Raises:
        ModelError: its output has not the scale and zero point of a softmax.
    """
    name, output = reader.parts(operator)
    _refuse_output(reader, name, Softmax, output)
    source = reader.tensor(operator.inputs[0])
    return Softmax(name, (source,), output, float(operator.builtinOptions.beta))

"""Read the operators of a .tflite that take maxima or means."""

from typing import Any

from edgesq.formats.tflite_reader import Reader
from edgesq.graph import AveragePool2D, MaxPool2D, Mean, Op


def read_max_pool2d(reader: Reader, operator: Any) -> Op:
    """Read a MAX_POOL_2D."""
    return _pool(reader, operator, MaxPool2D)


def read_average_pool2d(reader: Reader, operator: Any) -> Op:
    """Read an AVERAGE_POOL_2D."""
    return _pool(reader, operator, AveragePool2D)


def _pool(reader: Reader, operator: Any, cls: type[MaxPool2D] | type[AveragePool2D]) -> Op:
    name, output = reader.parts(operator)
    options = operator.builtinOptions
    source = reader.tensor(operator.inputs[0])
    reader.same_quantization(name, (source, output))
    size = (int(options.filterHeight), int(options.filterWidth))
    window = reader.window(options, size, source, output)
    clamp = reader.clamp(options.fusedActivationFunction, output)
    return cls(name, (source,), output, window, clamp)


def read_mean(reader: Reader, operator: Any) -> Op:
    """Read a MEAN.

    Raises:
        ModelError: it is not over height and width.
    """
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    axes = reader.data(operator.inputs[1])
    rank = len(reader.tensors[source].shape)
    if axes is None or rank != 4 or {int(axis) % rank for axis in axes.flat} != {1, 2}:
        raise reader.error(f"{name}: MEAN must be over height and width")
    return Mean(name, (source,), output)

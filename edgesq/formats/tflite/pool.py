"""Read the operators of a .tflite that take maxima or means."""

from typing import Any

from edgesq.formats.tflite.reader import Reader
from edgesq.graph import AveragePool2D, MaxPool2D, Mean, Op, Window


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
    name, source, output = _reduced(reader, operator)
    return Mean(name, (source,), output)


def read_reduce_max(reader: Reader, operator: Any) -> Op:
    """Read a REDUCE_MAX as a max pool whose window is the image.

    Raises:
        ModelError: it is not over height and width.
    """
    name, source, output = _reduced(reader, operator)
    reader.same_quantization(name, (source, output))
    height, width, _ = reader.tensors[source].hwc
    window = Window(height, width, 1, 1, 0, 0, 0, 0)
    reader.refuse_window(window, source, output)
    return MaxPool2D(name, (source,), output, window, (-128, 127))


def _reduced(reader: Reader, operator: Any) -> tuple[str, int, int]:
    """Return name, input and output of what leaves the channels; of [1, W, C] it takes the W."""
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    axes = reader.data(operator.inputs[1])
    rank = len(reader.tensors[source].shape)
    over = set() if axes is None else {int(axis) % rank for axis in axes.flat}
    if over != set(range(1, rank - 1)):
        raise reader.error(f"{name}: {reader.kind(operator)} must be over height and width")
    return name, source, output

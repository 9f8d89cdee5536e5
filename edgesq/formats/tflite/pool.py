"""Read the pools of a .tflite."""

from typing import Any

from edgesq.formats.tflite.readable import (
    Fits,
    Ranges,
    Readable,
    Readables,
    Shape,
    keeps_channels,
    windows_shape,
)
from edgesq.formats.tflite.reader import UINT8, Reader
from edgesq.operators import AveragePool2D, HalvesUpPool2D, MaxPool2D, Op


def read_max_pool2d(reader: Reader, operator: Any) -> Op:
    """Read a MAX_POOL_2D."""
    return _pool(reader, operator, MaxPool2D)


def read_average_pool2d(reader: Reader, operator: Any) -> Op:
    """Read an AVERAGE_POOL_2D."""
    is_uint8 = reader.type(operator.inputs[0]) == UINT8
    return _pool(reader, operator, HalvesUpPool2D if is_uint8 else AveragePool2D)


def _pool(reader: Reader, operator: Any, cls: type[MaxPool2D] | type[AveragePool2D]) -> Op:
    name, output = reader.parts(operator)
    options = operator.builtinOptions
    source = reader.tensor(operator.inputs[0])
    reader.same_quantization(name, (source, output))
    size = (int(options.filterHeight), int(options.filterWidth))
    window = reader.window(options, size, source, output)
    clamp = reader.clamp(options.fusedActivationFunction, output)
    return cls(name, (source,), output, window, clamp)


def _shape(reader: Reader, operator: Any) -> Shape:
    options = operator.builtinOptions
    size = (int(options.filterHeight), int(options.filterWidth))
    return windows_shape(reader, operator, size, reader.shape(operator.inputs[0])[-1])


READABLES: Readables = {
    "AVERAGE_POOL_2D": Readable(read_average_pool2d, _shape, options="Pool2DOptionsT"),
    "MAX_POOL_2D": Readable(read_max_pool2d, _shape, options="Pool2DOptionsT"),
}
FITS: Fits = {AveragePool2D: keeps_channels, MaxPool2D: keeps_channels}
RANGES: Ranges = {}
